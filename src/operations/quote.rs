//! Quotes: what a service would cost the caller's organization, without effect.

use crate::app::App;
use crate::domain::access::{self, Action, Caller};
use crate::domain::booking::BookingMode;
use crate::domain::fault::Faults;
use crate::domain::service::ServiceItem;
use crate::domain::tariff::{CustomerClass, Quote};
use crate::domain::usage::INTERVAL_MINUTES_MAX;
use crate::domain::{InstrumentId, Slot};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::may;
use crate::operations::service::check_items;
use crate::operations::tariff::{self, Wanted};
use crate::store::{self, Conn, StoreError};

/// What is to be priced.
#[derive(Debug, Clone)]
pub struct Question {
    pub instrument_id: InstrumentId,
    pub slot: Slot,
    pub mode: BookingMode,
    pub services: Vec<ServiceItem>,
}

/// A question with its price.
#[derive(Debug, Clone)]
pub struct Priced {
    pub question: Question,
    pub customer_class: CustomerClass,
    /// None without a tariff.
    pub quote: Option<Quote>,
}

/// The price for the caller's organization and the class it is priced as; without a tariff there is no price. 422
/// `unknown_reference` for an instrument the caller cannot see.
pub async fn ask(
    app: &App,
    actor: &Actor,
    question: Result<Question, AppError>,
) -> Result<Priced, AppError> {
    may(actor, Action::QuoteCreate)?;
    let (caller, question) = (actor.caller()?.clone(), question?);
    let minutes = question.slot.minutes().number();
    if minutes > INTERVAL_MINUTES_MAX {
        let fault = Fault::field("ends_at", Code::interval_too_long);
        return Err(AppError::Refused(vec![
            fault.limit(INTERVAL_MINUTES_MAX).actual(minutes),
        ]));
    }
    app.store
        .read(move |conn| {
            let (customer_class, quote) = answer(conn, &caller, &question)?;
            Ok::<_, AppError>(Priced {
                question,
                customer_class,
                quote,
            })
        })
        .await
}

fn answer(
    conn: &mut Conn,
    caller: &Caller,
    question: &Question,
) -> Result<(CustomerClass, Option<Quote>), AppError> {
    let id = question.instrument_id;
    let unknown = || AppError::refused("instrument_id", Code::unknown_reference);
    let ties = match store::instrument::get_ties(conn, id, Some(caller.user_id)) {
        Err(StoreError::NotFound) => return Err(unknown()),
        found => found?,
    };
    access::sees_instrument(caller, &ties).map_err(|_| unknown())?;
    let mut faults = Faults::new();
    if !question.services.is_empty() {
        let terms = store::terms::get(conn, id)?;
        check_items(&terms.services, &question.services, &mut faults);
    }
    faults.into_result()?;
    let wanted = Wanted {
        instrument: id,
        host: ties.host_organization_id,
        unit: caller.organization_id,
        mode: question.mode,
        on: question.slot.starts_at().local_date(),
        minutes: question.slot.minutes(),
        services: &question.services,
    };
    tariff::price(conn, &wanted)
}
