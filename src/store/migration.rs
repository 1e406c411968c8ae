//! Brings a database to this program's schema and back. The twins in `migrations/` are compiled in.

use diesel::migration::MigrationVersion;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Conn, Database};
use crate::error::AppError;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Applies what is missing; answers the names of the migrations it ran. `create` allows a new SQLite file.
///
/// On PostgreSQL the role needs CREATE on the database and its schema, also for the trusted extension `btree_gist`; the
/// error says which right is missing.
pub fn migrate(database: &Database, create: bool) -> Result<Vec<String>, AppError> {
    if let Database::Sqlite { file } = database {
        if !file.exists() && !create {
            return Err(AppError::unavailable(format!(
                "{} does not exist; `--create` makes it",
                file.display()
            )));
        }
        if let Some(folder) = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(AppError::internal)?;
        }
    }
    let mut connection = database
        .connect()
        .map_err(|error| AppError::unavailable(error.to_string()))?;
    let ran = match &mut connection {
        Conn::Sqlite(sqlite) => sqlite.run_pending_migrations(SQLITE).map(names),
        Conn::Postgres(postgres) => postgres.run_pending_migrations(POSTGRES).map(names),
    };
    ran.map_err(AppError::migration)
}

/// Undoes every migration. Everything stored is gone.
pub fn revert_all(database: &Database) -> Result<Vec<String>, AppError> {
    let mut connection = database
        .connect()
        .map_err(|error| AppError::unavailable(error.to_string()))?;
    let reverted = match &mut connection {
        Conn::Sqlite(sqlite) => sqlite.revert_all_migrations(SQLITE).map(names),
        Conn::Postgres(postgres) => postgres.revert_all_migrations(POSTGRES).map(names),
    };
    reverted.map_err(AppError::migration)
}

/// Whether the database has exactly this program's migrations.
pub fn is_current(connection: &mut Conn) -> Result<bool, AppError> {
    let pending = match connection {
        Conn::Sqlite(sqlite) => sqlite.has_pending_migration(SQLITE),
        Conn::Postgres(postgres) => postgres.has_pending_migration(POSTGRES),
    };
    pending.map(|pending| !pending).map_err(AppError::migration)
}

fn names(versions: Vec<MigrationVersion<'_>>) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
