//! Reading charges: one, or those a caller may see.

use super::context::ChargeContext;
use crate::app::App;
use crate::domain::ChargeId;
use crate::domain::access::{Action, Reach};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::may;
use crate::operations::subject;
use crate::store::charge::{Filter, Names, Whole};
use crate::store::page::Found;
use crate::store::{self, StoreError};

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

/// All charges that the filter asks for and the caller may see, with what a table calls instruments and units; 422
/// `too_many_rows` beyond the filter's limit.
pub async fn export(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<(Vec<Whole>, Names), AppError> {
    may(actor, Action::ChargeExport)?;
    let mut filter = filter?;
    let most = filter.limit;
    filter.limit = most + 1;
    let reach = Reach::of(actor.caller()?, Action::ChargeExport);
    let read = move |conn: &mut store::Conn| {
        let charges = store::charge::list_all(conn, &reach, filter)?;
        let names = store::charge::list_names(conn, &charges)?;
        Ok::<_, StoreError>((charges, names))
    };
    let (charges, names) = app.store.read(read).await?;
    if i64::try_from(charges.len()).is_ok_and(|rows| rows <= most) {
        return Ok((charges, names));
    }
    let fault = Fault::request(Code::too_many_rows).limit(most);
    Err(AppError::Refused(vec![fault]))
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
