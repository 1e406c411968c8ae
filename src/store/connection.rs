//! One connection type over both databases, chosen by the URL's scheme, and the few statements whose dialects differ.

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};

use super::fault::StoreError;
use crate::domain::Instant;

/// A connection to whichever database the URL names; queries are written once for both.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl std::fmt::Debug for Conn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Conn::Sqlite(_) => "Conn::Sqlite",
            Conn::Postgres(_) => "Conn::Postgres",
        })
    }
}

/// Where the data is, parsed from a database URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    Sqlite { file: PathBuf },
    Postgres { url: String },
}

/// The URL names no database this program knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the database URL must begin with sqlite:, postgres:// or postgresql://, for example sqlite:data/yiqi.sqlite"
)]
pub struct UnknownDatabase;

impl std::str::FromStr for Database {
    type Err = UnknownDatabase;

    fn from_str(url: &str) -> Result<Self, UnknownDatabase> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Database::Postgres {
                url: url.to_owned(),
            });
        }
        match url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
        {
            Some(file) if !file.is_empty() => Ok(Database::Sqlite {
                file: PathBuf::from(file),
            }),
            _ => Err(UnknownDatabase),
        }
    }
}

impl Database {
    /// A connection that may write, set up as this program needs it.
    pub fn connect(&self) -> Result<Conn, diesel::ConnectionError> {
        match self {
            Database::Sqlite { file } => {
                deadline::install().map_err(not_set_up)?;
                let mut connection = SqliteConnection::establish(&file.to_string_lossy())?;
                connection
                    .batch_execute(SQLITE_SETUP)
                    .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                Ok(Conn::Sqlite(connection))
            }
            Database::Postgres { url } => {
                let mut connection = PgConnection::establish(&with_deadlines(url))?;
                connection
                    .batch_execute(POSTGRES_SETUP)
                    .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                Ok(Conn::Postgres(connection))
            }
        }
    }

    /// As [`Database::connect`]; the error says what could not be reached.
    pub(super) fn reach(&self) -> Result<Conn, StoreError> {
        self.connect().map_err(|error| match self {
            Database::Sqlite { file } => cannot_open(file, &error),
            Database::Postgres { .. } => {
                StoreError::unavailable(format!("cannot reach the database: {error}"))
            }
        })
    }

    /// A connection for reading only: SQLite refuses writes on it, PostgreSQL shows that it is none that writes. PostgreSQL
    /// ends a statement after `limit`; on SQLite [`deadline::within`] does.
    pub fn connect_reader(&self, limit: Duration) -> Result<Conn, diesel::ConnectionError> {
        let mut connection = self.connect()?;
        let read_only = match &connection {
            Conn::Sqlite(_) => "PRAGMA query_only = ON".to_owned(),
            Conn::Postgres(_) => format!(
                "SET application_name = 'yiqi reader'; SET statement_timeout = {}",
                limit.as_millis()
            ),
        };
        connection
            .batch_execute(&read_only)
            .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
        Ok(connection)
    }
}

fn not_set_up(error: deadline::NotInstalled) -> diesel::ConnectionError {
    diesel::ConnectionError::BadConnection(error.to_string())
}

/// How long libpq waits: for a connection, in seconds, and for what it sent to be acknowledged, in milliseconds, so that a
/// server that vanished is noticed. An address that says something else of them is left alone.
const POSTGRES_DEADLINES: [(&str, &str); 2] =
    [("connect_timeout", "5"), ("tcp_user_timeout", "15000")];

fn with_deadlines(url: &str) -> String {
    let mut whole = url.to_owned();
    for (name, value) in POSTGRES_DEADLINES {
        let (_, parameters) = whole.split_once('?').unwrap_or_default();
        let is_said = parameters
            .split('&')
            .any(|pair| pair.split('=').next() == Some(name));
        if !is_said {
            let separator = if whole.contains('?') { '&' } else { '?' };
            whole = format!("{whole}{separator}{name}={value}");
        }
    }
    whole
}

/// The file is no database, or may not be read or written.
pub(super) fn cannot_open(file: &std::path::Path, error: &diesel::ConnectionError) -> StoreError {
    StoreError::unavailable(format!("cannot open {}: {error}", file.display()))
}

const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY;";

/// No action may stay open longer than the margin by which `updated_since` looks back, and none waits for another's lock
/// without end.
const POSTGRES_SETUP: &str = "SET TIME ZONE 'UTC'; SET idle_in_transaction_session_timeout = '30s'; \
    SET lock_timeout = '10s'; SET datestyle = 'ISO, YMD'; SET client_min_messages = warning;";

/// What an action locks until its end, so that racing actions wait for each other instead of meeting in a deadlock.
#[derive(Debug, Clone, Copy)]
pub enum Lock {
    /// The time of one instrument: bookings, closures, usage and tariffs there.
    Instrument(crate::domain::InstrumentId),
    /// What yearly runs read (usage, money, registry, requests), shared: taken by every action that writes some.
    RecordsShared,
    /// The same, alone: taken for the moment in which a yearly run is frozen or becomes final.
    RecordsAlone,
    /// The members and related parties of one organization.
    Organization(crate::domain::OrganizationId),
    /// The failed sign-ins of one login, by its hash.
    Login(i64),
    /// One caller's idempotency key, by its hash.
    Idempotency(i64),
    /// One job that only one node may run at a time.
    Job(i64),
    /// What a person or a unit has booked at a host, by their hash: taken after the instrument's where a quota counts there.
    Quota(i64),
    /// What is found of years: two that look at once write one after the other.
    Findings,
    /// Which packs are in force.
    PoliciesInForce,
    /// The schema; held by its connection until that ends, since migrations are transactions of their own.
    Schema,
}

// The locks answer nothing (`void`), and nobody reads it.
#[diesel::declare_sql_function]
extern "SQL" {
    fn pg_advisory_lock(key: BigInt) -> Text;
    fn pg_advisory_xact_lock(key: BigInt) -> Text;
    fn pg_advisory_xact_lock_shared(key: BigInt) -> Text;
    fn pg_try_advisory_xact_lock(key: BigInt) -> Bool;
}

impl Lock {
    fn class_and_key(self) -> (i32, i64) {
        match self {
            Lock::Instrument(id) => (1, id.number()),
            Lock::RecordsShared | Lock::RecordsAlone => (2, 0),
            Lock::Idempotency(hash) => (3, hash),
            Lock::Job(job) => (4, job),
            Lock::Organization(id) => (5, id.number()),
            Lock::Login(hash) => (6, hash),
            Lock::Schema => (7, 0),
            Lock::PoliciesInForce => (8, 0),
            Lock::Findings => (9, 0),
            Lock::Quota(hash) => (10, hash),
        }
    }

    /// The 64-bit advisory key: the class in the highest byte.
    pub(super) fn key(self) -> i64 {
        let (class, key) = self.class_and_key();
        (i64::from(class) << 56) | (key & 0x00ff_ffff_ffff_ffff)
    }

    /// Waits for the lock and holds it until the transaction ends. SQLite's single writer needs none.
    pub fn take(self, connection: &mut Conn) -> Result<(), StoreError> {
        if let Conn::Postgres(postgres) = connection {
            match self {
                Lock::RecordsShared => {
                    diesel::select(pg_advisory_xact_lock_shared(self.key())).execute(postgres)
                }
                _ => diesel::select(pg_advisory_xact_lock(self.key())).execute(postgres),
            }?;
        }
        Ok(())
    }

    /// [`Lock::Instrument`] and then [`Lock::RecordsShared`], in one question to the database.
    pub fn take_records_of(
        instrument: crate::domain::InstrumentId,
        connection: &mut Conn,
    ) -> Result<(), StoreError> {
        if let Conn::Postgres(postgres) = connection {
            diesel::select((
                pg_advisory_xact_lock(Lock::Instrument(instrument).key()),
                pg_advisory_xact_lock_shared(Lock::RecordsShared.key()),
            ))
            .execute(postgres)?;
        }
        Ok(())
    }

    /// Waits for the lock, however long, and holds it until the connection ends, whose own statements then wait as long.
    /// SQLite's single writer needs none.
    pub(super) fn take_for_connection(self, postgres: &mut PgConnection) -> Result<(), StoreError> {
        postgres.batch_execute("SET lock_timeout = 0")?;
        diesel::select(pg_advisory_lock(self.key())).execute(postgres)?;
        Ok(())
    }

    /// Takes the lock if nobody holds it; false when somebody does. Always true on SQLite.
    pub fn try_take(self, connection: &mut Conn) -> Result<bool, StoreError> {
        let Conn::Postgres(postgres) = connection else {
            return Ok(true);
        };
        Ok(diesel::select(pg_try_advisory_xact_lock(self.key())).get_result(postgres)?)
    }
}

/// Brings what SQLite's planner knows of the tables up to date, where they have changed much. PostgreSQL does so itself.
pub fn keep_statistics(connection: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Sqlite(sqlite) = connection {
        // Of every table (0x10000), by a sample of its indexes.
        sqlite.batch_execute("PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002")?;
    }
    Ok(())
}

/// First in a transaction: every query of it sees one state and may take its time. SQLite's readers do so anyway.
pub(super) fn keep_snapshot(connection: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Postgres(postgres) = connection {
        postgres.batch_execute(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = 0",
        )?;
    }
    Ok(())
}

/// Gives back the pages that a long reading left, before others need the memory.
pub fn release_pages(connection: &mut Conn) -> Result<(), StoreError> {
    if let Conn::Sqlite(sqlite) = connection {
        sqlite.batch_execute("PRAGMA shrink_memory")?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Oldest {
    #[diesel(sql_type = BigInt)]
    seconds: i64,
    #[diesel(sql_type = BigInt)]
    now: i64,
}

/// What the server says of the present. On SQLite nothing: the store watches its writer itself, and the clock is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerState {
    /// Whole seconds since the oldest transaction that is open began, by any node; 0 when none is. An action that waits for
    /// a lock has not written yet and counts all the same, a reader's long look does not.
    pub oldest_write_seconds: i64,
    /// Its clock.
    pub now: Instant,
}

pub fn server_state(connection: &mut Conn) -> Result<Option<ServerState>, StoreError> {
    let Conn::Postgres(postgres) = connection else {
        return Ok(None);
    };
    let answer: Oldest = diesel::sql_query(
        "SELECT CAST(COALESCE(CEIL(EXTRACT(EPOCH FROM clock_timestamp() - min(xact_start))), 0) AS BIGINT) AS seconds, \
         CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp())) AS BIGINT) AS now \
         FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
         AND application_name <> 'yiqi reader'",
    )
    .get_result(postgres)?;
    Ok(Some(ServerState {
        oldest_write_seconds: answer.seconds.max(0),
        now: Instant::from_utc(chrono::DateTime::from_timestamp(answer.now, 0).unwrap_or_default()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_the_deadlines_it_does_not_name() {
        for (given, whole) in [
            (
                "postgres://a@b/c",
                "postgres://a@b/c?connect_timeout=5&tcp_user_timeout=15000",
            ),
            (
                "postgres://a@b/c?host=/run&connect_timeout=30",
                "postgres://a@b/c?host=/run&connect_timeout=30&tcp_user_timeout=15000",
            ),
            (
                "postgres://a@b/c?tcp_user_timeout=0",
                "postgres://a@b/c?tcp_user_timeout=0&connect_timeout=5",
            ),
        ] {
            assert_eq!(with_deadlines(given), whole);
        }
    }
}
