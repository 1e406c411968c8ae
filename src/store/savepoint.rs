//! A part of a transaction that can be taken back alone, whatever came before it stays.

use diesel::connection::SimpleConnection;

use super::{ActionError, Conn, StoreError};

/// Runs a part of an action; what it wrote is taken back where it fails, and the transaction goes on. The outer error is one
/// after which nothing more can be done with the transaction.
pub fn within<T, E: ActionError>(
    tx: &mut Conn,
    part: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<Result<T, E>, E> {
    tx.batch_execute("SAVEPOINT item")
        .map_err(StoreError::from)?;
    match part(tx) {
        Ok(done) => {
            tx.batch_execute("RELEASE SAVEPOINT item")
                .map_err(StoreError::from)?;
            Ok(Ok(done))
        }
        // Where the database has given up the whole transaction, the part's own error says why.
        Err(error) => {
            match tx.batch_execute("ROLLBACK TO SAVEPOINT item; RELEASE SAVEPOINT item") {
                Ok(()) => Ok(Err(error)),
                Err(_) => Err(error),
            }
        }
    }
}
