//! Duties: made anew where their sources changed (`refresh`), then read by who owes them and who supervises.

mod compliance;
mod refresh;

use crate::app::App;
use crate::domain::access::{Action, Reach};
use crate::domain::duty::{DutyKind, DutyState};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::may;
use crate::store;
pub use crate::store::duty::{Duty, Filter};

pub use compliance::{ComplianceRow, ComplianceTable, of_year};
pub use refresh::follow;
pub(in crate::operations) use refresh::{of_organization, rated_on};

/// So many units are made anew for one reading; a province's others follow by themselves within a minute.
const READ_MAX: usize = 25;

/// The duties that the filter asks for and the caller reads, as the registry stands.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<Duty>, AppError> {
    may(actor, Action::DutyList)?;
    let (filter, reach) = (filter?, Reach::of(actor.caller()?, Action::DutyList));
    let asked = filter.organizations.clone();
    refresh::stale(app, actor.now, (reach, asked), READ_MAX).await?;
    app.store
        .read(move |conn| Ok::<_, AppError>(store::duty::list(conn, &reach, &filter)?))
        .await
}

/// What its reminders are about: what is not done.
const fn is_owed(state: DutyState) -> bool {
    matches!(state, DutyState::Open | DutyState::Missed)
}

/// In the order in which they are told.
const KINDS: &[DutyKind] = DutyKind::ALL;
