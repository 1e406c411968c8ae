//! What a refused record ran into. The database has judged; what is in the way is read afterwards, outside the action.

use std::future::Future;

use crate::app::App;
use crate::domain::OrganizationId;
use crate::domain::access::{self, Action, Caller};
use crate::error::{AppError, Code};
use crate::store::usage::{Target, UsageRecord};
use crate::store::{self, Conn, Constraint, StoreError};

/// The place and the reference a record asks for.
#[derive(Debug, Clone)]
pub struct Claim {
    pub target: Target,
    pub unit: OrganizationId,
    pub client_reference: Option<String>,
}

/// A constraint of usage records as the conflict it is.
pub fn conflict(error: StoreError) -> AppError {
    match error {
        StoreError::Violated(Constraint::UsageOverlap) => AppError::conflict(Code::usage_overlaps),
        StoreError::Violated(Constraint::UsageClientReference) => {
            AppError::conflict(Code::client_reference_used)
        }
        other => other.into(),
    }
}

/// Runs an action; when something was in its way, says which record, to those who may see it, or tries once more when it is
/// gone.
pub async fn settle<T, F, A>(
    app: &App,
    caller: &Caller,
    claim: Claim,
    attempt: A,
) -> Result<T, AppError>
where
    F: Future<Output = Result<T, AppError>>,
    A: Fn() -> F,
{
    let refused = match attempt().await {
        Err(refused) => refused,
        done => return done,
    };
    let AppError::Conflict(conflict) = &refused else {
        return Err(refused);
    };
    let code = conflict.code;
    if ![Code::usage_overlaps, Code::client_reference_used].contains(&code) {
        return Err(refused);
    }
    let caller = caller.clone();
    let in_the_way = app
        .store
        .read(move |conn| match in_the_way(conn, code, &claim)? {
            Some(record) => Ok(Some(name(conn, &caller, &record, refused)?)),
            None => Ok::<_, AppError>(None),
        })
        .await?;
    match in_the_way {
        Some(named) => Err(named),
        None => attempt().await,
    }
}

fn in_the_way(
    conn: &mut Conn,
    code: Code,
    claim: &Claim,
) -> Result<Option<UsageRecord>, StoreError> {
    match (code, &claim.client_reference) {
        (Code::client_reference_used, Some(reference)) => {
            store::usage::find_by_client_reference(conn, claim.unit, reference)
        }
        _ => store::usage::find_overlap(conn, &claim.target),
    }
}

fn name(
    conn: &mut Conn,
    caller: &Caller,
    record: &UsageRecord,
    refused: AppError,
) -> Result<AppError, AppError> {
    let ties = store::usage::get_ties(conn, record, caller.user_id)?;
    if access::may_on_usage(caller, Action::UsageRecordGet, &ties).is_err() {
        return Ok(refused);
    }
    Ok(refused.with("existing_id", record.id.number()))
}
