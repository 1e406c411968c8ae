//! What a refused record ran into. The database has judged; what is in the way is read afterwards, outside the action.

use std::future::Future;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::{OrganizationId, TypedKey};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::Outcome;
use crate::operations::subject::{Ties, authorize};
use crate::store::usage::{Target, UsageRecord};
use crate::store::{self, Conn, Constraint, StoreError};

/// The place and the reference a record asks for.
#[derive(Debug, Clone)]
pub struct Claim {
    pub target: Target,
    pub unit: OrganizationId,
    pub client_reference: Option<TypedKey>,
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
/// gone. `claimed` tells what the action asks for.
pub async fn settle<T, F>(
    app: &App,
    actor: &Actor,
    claimed: impl Fn(&mut Conn) -> Result<Claim, AppError> + Send + 'static,
    attempt: impl Fn() -> F,
) -> Outcome<T>
where
    F: Future<Output = Outcome<T>>,
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
    let actor = actor.clone();
    let in_the_way = app
        .store
        .read(move |conn| {
            let claim = claimed(conn)?;
            match in_the_way(conn, code, &claim)? {
                Some(record) => Ok(Some(name(conn, &actor, record, refused)?)),
                None => Ok::<_, AppError>(None),
            }
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
    actor: &Actor,
    record: UsageRecord,
    refused: AppError,
) -> Result<AppError, AppError> {
    let ties = store::usage::get_ties(conn, &record, actor.user_id())?;
    match authorize(actor, Action::UsageRecordGet, &Ties::UsageRecord(ties)) {
        Ok(()) => Ok(refused.with("existing_id", record.id.number())),
        Err(_) => Ok(refused),
    }
}
