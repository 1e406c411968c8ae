//! How an action's transaction begins and ends. On PostgreSQL the locks that it takes first are asked for together with its
//! beginning: one question to the database in place of two or three.

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::result::Error as DieselError;

use super::connection::{Conn, Lock};
use super::fault::{ActionError, StoreError};
use crate::domain::InstrumentId;

/// What an action locks as it begins, before anything is read. SQLite's single writer needs none of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct FirstLocks {
    /// [`Lock::Idempotency`]; `KeyHeld` when another request holds it.
    pub idempotency: Option<i64>,
    /// [`Lock::Instrument`] and then [`Lock::RecordsShared`], waited for.
    pub records_of: Option<InstrumentId>,
}

/// Stands in the error that ends a beginning whose key is held: PostgreSQL cannot refuse in a statement of its own words.
pub(super) const KEY_HELD: &str = "idempotency_key_is_held";

impl FirstLocks {
    /// The statements that begin the transaction. Only numbers of our own stand in them, so they are written out.
    fn beginning(self) -> String {
        let mut text = "BEGIN".to_owned();
        if let Some(hash) = self.idempotency {
            // The clock keeps the planner from evaluating what may never be evaluated.
            text += &format!(
                "; SELECT CASE WHEN pg_try_advisory_xact_lock({}) THEN 0 ELSE CAST('{KEY_HELD}' || clock_timestamp() AS INTEGER) END",
                Lock::Idempotency(hash).key()
            );
        }
        if let Some(instrument) = self.records_of {
            text += &format!(
                "; SELECT pg_advisory_xact_lock({}), pg_advisory_xact_lock_shared({})",
                Lock::Instrument(instrument).key(),
                Lock::RecordsShared.key()
            );
        }
        text
    }

    fn begin(self, conn: &mut Conn) -> Result<(), DieselError> {
        match conn {
            Conn::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction(sqlite),
            Conn::Postgres(postgres) => {
                let begun =
                    AnsiTransactionManager::begin_transaction_sql(postgres, &self.beginning());
                if begun.is_err() {
                    // Begun and broken off: diesel knows of no transaction then, the server of a failed one.
                    let _ = postgres.batch_execute("ROLLBACK");
                }
                begun
            }
        }
    }

    /// Runs an action in a transaction that begins with these locks. After an error nothing more touches the connection but
    /// the rollback.
    pub(super) fn transaction<T, E: ActionError>(
        self,
        conn: &mut Conn,
        action: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin(conn).map_err(StoreError::from)?;
        match action(conn) {
            Ok(done) => {
                <Conn as diesel::Connection>::TransactionManager::commit_transaction(conn)
                    .map_err(StoreError::from)?;
                Ok(done)
            }
            Err(refusal) => {
                match <Conn as diesel::Connection>::TransactionManager::rollback_transaction(conn) {
                    Ok(()) | Err(DieselError::BrokenTransactionManager) => Err(refusal),
                    Err(error) => Err(StoreError::from(error).into()),
                }
            }
        }
    }
}
