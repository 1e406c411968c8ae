//! Asking whether a slot could be booked, without any effect: everything in the way, the price, and what is free next.

use super::contest::next_free;
use super::draft::Draft;
use super::request::{terms_for, wish};
use super::weigh;
use crate::app::App;
use crate::domain::Instant;
use crate::domain::Slot;
use crate::domain::access::{Action, Caller};
use crate::domain::tariff::Quote;
use crate::error::{AppError, Code, Fault};
use crate::store;

/// What a request would meet now.
#[derive(Debug, Clone)]
pub struct Checked {
    /// None: it would be booked.
    pub faults: Vec<Fault>,
    pub quote: Option<Quote>,
    /// Empty when the slot itself can be had, and when no other could.
    pub next_free: Vec<Slot>,
}

impl Checked {
    /// What no slot could mend, so none is looked for.
    pub fn refused(faults: Vec<Fault>) -> Self {
        Self {
            faults,
            quote: None,
            next_free: Vec::new(),
        }
    }
}

pub async fn check(
    app: &App,
    caller: &Caller,
    draft: Draft,
    now: Instant,
) -> Result<Checked, AppError> {
    let (calendar, caller) = (app.calendar(), caller.clone());
    app.store
        .read(move |conn| {
            let terms = match terms_for(conn, &caller, draft.instrument_id, Action::BookingCheck) {
                // An instrument that is not there is one of the things in the way.
                Err(AppError::Refused(faults)) => return Ok(Checked::refused(faults)),
                found => found?,
            };
            let wish = wish(&draft, &caller, now);
            let fields = draft.faults(conn, &caller)?;
            let mut faults: Vec<Fault> = fields.into_iter().map(Into::into).collect();
            faults.extend(weigh::broken_rules(conn, &calendar, &terms, &wish)?);
            let near = weigh::in_the_way(conn, &terms, &wish, &terms.rules.blocked(&wish.slot))?;
            if let Err(full) = weigh::find_channel(conn, &terms, &wish, &near)? {
                faults.push(weigh::taken(&full)?);
            }
            if let Some(reference) = &draft.client_reference
                && store::booking::find_by_reference(conn, caller.organization_id, reference)?
                    .is_some()
            {
                faults.push(Fault::field(
                    "client_reference",
                    Code::client_reference_used,
                ));
            }
            let mends = weigh::is_offered(&terms, &wish);
            let next_free = if faults.is_empty() || !mends {
                Vec::new()
            } else {
                next_free(conn, &calendar, &terms, &wish)?
            };
            Ok::<_, AppError>(Checked {
                quote: weigh::price(conn, &terms, &wish, &draft.service_items)?,
                faults,
                next_free,
            })
        })
        .await
}
