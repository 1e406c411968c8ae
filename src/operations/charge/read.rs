//! Reading charges: one, or those a caller may see.

use super::context::ChargeContext;
use crate::app::App;
use crate::domain::ChargeId;
use crate::domain::access::{Action, Reach};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::may;
use crate::operations::subject;
use crate::store;
use crate::store::charge::{Filter, Whole};
use crate::store::page::Found;

/// A charge with its invoice and payments; 404 when it is not the caller's to see.
pub async fn get(app: &App, actor: &Actor, id: ChargeId) -> Result<Whole, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            let context: ChargeContext = subject::load(conn, &actor, Action::ChargeGet, id)?;
            Ok(context.whole)
        })
        .await
}

/// The charges that the filter asks for and the caller may see, at most its limit.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Found<Whole>, AppError> {
    may(actor, Action::ChargeList)?;
    let filter = filter?;
    let reach = Reach::of(actor.caller()?, Action::ChargeList);
    app.store
        .read(move |conn| Ok::<_, AppError>(store::charge::list(conn, &reach, &filter)?))
        .await
}
