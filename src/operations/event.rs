//! Reading the trail: auditors and the province see all events, organizations their own. An API key is its unit's, whatever
//! else its owner is.

use crate::app::App;
use crate::domain::access::{Action, Role};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::may;
use crate::store::event::{self, Event, Filter};
use crate::store::page::Found;

/// The page of events that the filter asks for and the caller may see, in the order of the trail.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Found<Event>, AppError> {
    may(actor, Action::EventList)?;
    let caller = actor.caller()?;
    let oversees = caller.has(Role::PlatformAdmin) || caller.has(Role::Auditor);
    let sees_all = oversees && caller.api_key.is_none();
    let filter = Filter {
        organization: (!sees_all).then_some(caller.organization_id),
        ..filter?
    };
    app.store
        .read(move |conn| Ok::<_, AppError>(event::list(conn, &filter)?))
        .await
}
