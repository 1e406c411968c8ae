//! Reading usage records: one, its versions, or those a caller may see, as a list or for a table.

use super::context::{UsageContext, UsageView};
use crate::app::App;
use crate::domain::UsageRecordId;
use crate::domain::access::{Action, BookingTies, Reach};
use crate::domain::usage::UsageState;
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::may;
use crate::operations::subject::{self, Ties, authorize};
use crate::store;
use crate::store::page::Found;
use crate::store::usage::{Filter, Listed};

/// What a table has when no state is asked for: it has no column that would say that a record was taken back.
const STANDING: [UsageState; 3] = [
    UsageState::Recorded,
    UsageState::Confirmed,
    UsageState::Disputed,
];

/// One record; 404 when it is not the caller's to see.
pub async fn get(app: &App, actor: &Actor, id: UsageRecordId) -> Result<UsageView, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            let context: UsageContext = subject::load(conn, &actor, Action::UsageRecordGet, id)?;
            Ok(context.view(context.record.clone()))
        })
        .await
}

/// The versions of a record that the caller may see, newest first. Who reaches it as the using unit sees what it says of that
/// unit, not what it said before the host gave it another one.
pub async fn list_versions(
    app: &App,
    actor: &Actor,
    id: UsageRecordId,
) -> Result<Vec<UsageView>, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            let action = Action::UsageRecordVersionList;
            let context: UsageContext = subject::load(conn, &actor, action, id)?;
            let replaced = store::usage::list_replaced(conn, &context.record)?;
            let mut versions = vec![context.record.clone()];
            versions.extend(replaced);
            versions.retain(|version| {
                let ties = BookingTies {
                    organization_id: version.organization_id,
                    ..context.ties
                };
                authorize(&actor, action, &Ties::UsageRecord(ties)).is_ok()
            });
            let views = versions.into_iter().map(|version| context.view(version));
            Ok(views.collect())
        })
        .await
}

/// The records that the filter asks for and the caller may see, at most its limit.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Found<Listed>, AppError> {
    may(actor, Action::UsageRecordList)?;
    let filter = filter?;
    let reach = Reach::of(actor.caller()?, Action::UsageRecordList);
    app.store
        .read(move |conn| Ok::<_, AppError>(store::usage::list(conn, &reach, &filter)?))
        .await
}

/// All records that the filter asks for and the caller may see; 422 `too_many_rows` beyond the filter's limit.
pub async fn export(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<Listed>, AppError> {
    may(actor, Action::UsageRecordExport)?;
    let mut filter = filter?;
    let most = filter.limit;
    filter.limit = most + 1;
    if filter.states.is_empty() {
        filter.states = STANDING.to_vec();
    }
    let reach = Reach::of(actor.caller()?, Action::UsageRecordExport);
    let rows = app
        .store
        .read(move |conn| store::usage::list_all(conn, &reach, filter))
        .await?;
    if i64::try_from(rows.len()).is_ok_and(|rows| rows <= most) {
        return Ok(rows);
    }
    let fault = Fault::request(Code::too_many_rows).limit(most);
    Err(AppError::Refused(vec![fault]))
}
