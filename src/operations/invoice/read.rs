//! Reading invoices: one, or those a caller may see.

use super::context::InvoiceContext;
use crate::app::App;
use crate::domain::InvoiceId;
use crate::domain::access::{Action, Reach};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::may;
use crate::operations::subject;
use crate::store;
use crate::store::invoice::{Filter, WholeInvoice};
use crate::store::page::Found;

/// One invoice; 404 when its charges are not the caller's to see.
pub async fn get(app: &App, actor: &Actor, id: InvoiceId) -> Result<WholeInvoice, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            let context: InvoiceContext = subject::load(conn, &actor, Action::InvoiceGet, id)?;
            Ok(context.whole)
        })
        .await
}

/// The invoices that the filter asks for and the caller may see, at most its limit.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Found<WholeInvoice>, AppError> {
    may(actor, Action::InvoiceList)?;
    let filter = filter?;
    let reach = Reach::of(actor.caller()?, Action::InvoiceList);
    app.store
        .read(move |conn| Ok::<_, AppError>(store::invoice::list(conn, &reach, &filter)?))
        .await
}
