//! Brings a database to this program's schema and back. The twins in `migrations/` are compiled in.

use std::collections::BTreeSet;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use diesel::{PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Conn, Database, Lock};
use super::fault::StoreError;
use super::folded_keys;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Applies what is missing; answers the names of the migrations it ran. `create` allows a new SQLite file.
///
/// On PostgreSQL the role needs CREATE on the database and its schema, also for the trusted extension `btree_gist`; the
/// error says which right is missing. Several programs that migrate at once wait for each other.
pub fn migrate(database: &Database, create: bool) -> Result<Vec<String>, StoreError> {
    if let Database::Sqlite { file } = database {
        if !file.exists() && !create {
            return Err(StoreError::unavailable(format!(
                "{} does not exist; `--create` makes it",
                file.display()
            )));
        }
        if let Some(folder) = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(|error| {
                StoreError::unavailable(format!("cannot make {}: {error}", folder.display()))
            })?;
        }
        make_private(file)?;
    }
    let mut connection = database.reach()?;
    if let Conn::Postgres(postgres) = &mut connection {
        Lock::Schema.take_for_connection(postgres)?;
    }
    let (applied, own) = (applied(&mut connection)?, own(&connection)?);
    if let Some(newest) = applied.difference(&own).last() {
        return Err(StoreError::unavailable(format!(
            "the database was migrated by a newer program: this one does not know {newest}"
        )));
    }
    let ran = match &mut connection {
        Conn::Sqlite(sqlite) => {
            suspend_foreign_keys(sqlite)?;
            sqlite.run_pending_migrations(SQLITE).map(names)
        }
        Conn::Postgres(postgres) => {
            if applied != own {
                refuse_without_rights(postgres)?;
            }
            postgres.run_pending_migrations(POSTGRES).map(names)
        }
    };
    let ran = ran.map_err(StoreError::migration)?;
    folded_keys::fill(&mut connection)?;
    Ok(ran)
}

/// Makes the file that is missing, to be read by its owner alone; SQLite gives the files beside it the same rights.
fn make_private(file: &std::path::Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::unavailable(format!(
            "cannot make {}: {error}",
            file.display()
        ))),
    }
}

/// Undoes every migration. Everything stored is gone.
pub fn revert_all(database: &Database) -> Result<Vec<String>, StoreError> {
    let mut connection = database.reach()?;
    let reverted = match &mut connection {
        Conn::Sqlite(sqlite) => {
            suspend_foreign_keys(sqlite)?;
            sqlite.revert_all_migrations(SQLITE).map(names)
        }
        Conn::Postgres(postgres) => {
            Lock::Schema.take_for_connection(postgres)?;
            postgres.revert_all_migrations(POSTGRES).map(names)
        }
    };
    reverted.map_err(StoreError::migration)
}

/// SQLite changes a constraint only by making the table anew, which rows that refer to it must outlive. For this connection,
/// which ends with the migration: within a transaction it could not be said.
fn suspend_foreign_keys(sqlite: &mut SqliteConnection) -> Result<(), StoreError> {
    Ok(sqlite.batch_execute("PRAGMA foreign_keys = OFF")?)
}

/// Whether the database has exactly this program's migrations: none is missing, and none is of a newer program. Only
/// reads, so that a role without CREATE and a standby can ask.
pub fn is_current(connection: &mut Conn) -> Result<bool, StoreError> {
    Ok(applied(connection)? == own(connection)?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The migrations the database has; diesel keeps them in a table that an empty database lacks.
fn applied(connection: &mut Conn) -> Result<BTreeSet<String>, StoreError> {
    let tables = match connection {
        Conn::Sqlite(_) => {
            "SELECT count(*) AS count FROM sqlite_master \
             WHERE type = 'table' AND name = '__diesel_schema_migrations'"
        }
        Conn::Postgres(_) => {
            "SELECT count(*) AS count FROM pg_class WHERE oid = to_regclass('__diesel_schema_migrations')"
        }
    };
    let tables: Count = diesel::sql_query(tables).get_result(connection)?;
    if tables.count == 0 {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<Version> =
        diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(connection)?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

/// This program's migrations for a database of this kind.
fn own(connection: &Conn) -> Result<BTreeSet<String>, StoreError> {
    match connection {
        Conn::Sqlite(_) => versions::<Sqlite>(&SQLITE),
        Conn::Postgres(_) => versions::<Pg>(&POSTGRES),
    }
}

fn versions<DB: Backend>(source: &EmbeddedMigrations) -> Result<BTreeSet<String>, StoreError> {
    let migrations = MigrationSource::<DB>::migrations(source).map_err(StoreError::migration)?;
    let version = migrations
        .iter()
        .map(|migration| migration.name().version().to_string());
    Ok(version.collect())
}

#[derive(QueryableByName)]
struct Rights {
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Text)]
    database: String,
    #[diesel(sql_type = Bool)]
    may_create_in_schema: bool,
    #[diesel(sql_type = Bool)]
    may_create_in_database: bool,
    #[diesel(sql_type = Bool)]
    is_super: bool,
    #[diesel(sql_type = Bool)]
    is_installed: bool,
    #[diesel(sql_type = Bool)]
    is_available: bool,
    #[diesel(sql_type = Bool)]
    is_trusted: bool,
}

const RIGHTS: &str = "SELECT current_user::text AS role, current_database()::text AS database, \
    COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE) AS may_create_in_schema, \
    has_database_privilege(current_database(), 'CREATE') AS may_create_in_database, \
    EXISTS (SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper) AS is_super, \
    EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'btree_gist') AS is_installed, \
    EXISTS (SELECT 1 FROM pg_available_extension_versions WHERE name = 'btree_gist') AS is_available, \
    EXISTS (SELECT 1 FROM pg_available_extension_versions WHERE name = 'btree_gist' AND trusted) AS is_trusted";

/// Asked before the migrations, since PostgreSQL says only that it refused, in the language of the server.
fn refuse_without_rights(postgres: &mut PgConnection) -> Result<(), StoreError> {
    let rights: Rights = diesel::sql_query(RIGHTS).get_result(postgres)?;
    match missing(&rights) {
        None => Ok(()),
        Some(what) => Err(StoreError::unavailable(format!(
            "the database cannot be migrated: {what}"
        ))),
    }
}

fn missing(rights: &Rights) -> Option<String> {
    let Rights { role, database, .. } = rights;
    let needs_extension = !rights.is_installed;
    if needs_extension && !rights.is_available {
        return Some(
            "the server lacks the extension btree_gist; install PostgreSQL's contrib package"
                .to_owned(),
        );
    }
    if needs_extension && !rights.is_trusted && !rights.is_super {
        return Some(format!(
            "the extension btree_gist is not trusted on this server; let a superuser run \
             CREATE EXTENSION btree_gist in {database}"
        ));
    }
    if needs_extension && !rights.may_create_in_database {
        return Some(format!(
            "the role {role} lacks CREATE on the database, which the trusted extension btree_gist needs; \
             GRANT CREATE ON DATABASE \"{database}\" TO \"{role}\" gives it"
        ));
    }
    (!rights.may_create_in_schema).then(|| {
        format!(
            "the role {role} lacks CREATE on the schema of the tables; \
             GRANT CREATE ON SCHEMA public TO \"{role}\" gives it"
        )
    })
}

fn names(versions: Vec<MigrationVersion<'_>>) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
