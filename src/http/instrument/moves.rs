//! Submitting, approving, returning, suspending, resuming and retiring an instrument.

use super::super::answer::Answer;
use super::super::asked::Asked;
use super::super::reason::{EmptyBody, ReasonBody};
use super::super::routes::{Route, post};
use super::answer;
use super::shape::InstrumentShape;
use crate::domain::InstrumentId;
use crate::domain::instrument::InstrumentDeed as Move;
use crate::operations::instrument::{self, Decision};

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        plain("/instruments/{id}/submit", "instrument_submit", "Ask the administration to list an instrument", Move::Submit),
        plain("/instruments/{id}/approve", "instrument_approve", "List a submitted instrument", Move::Approve),
        reasoned("/instruments/{id}/return", "instrument_return", "Return an instrument to its host, with a reason", Move::Return),
        reasoned("/instruments/{id}/suspend", "instrument_suspend", "Suspend a listed instrument, with a reason", Move::Suspend),
        plain("/instruments/{id}/resume", "instrument_resume", "List a suspended instrument again", Move::Resume),
        reasoned("/instruments/{id}/retire", "instrument_retire", "Take an instrument out of service", Move::Retire),
    ]
}

fn plain(path: &'static str, operation: &'static str, summary: &'static str, deed: Move) -> Route {
    let route = post(path, operation, summary, move |asked| {
        decide(asked, deed, false)
    });
    finished(route, deed).takes::<EmptyBody>()
}

fn reasoned(
    path: &'static str,
    operation: &'static str,
    summary: &'static str,
    deed: Move,
) -> Route {
    let route = post(path, operation, summary, move |asked| {
        decide(asked, deed, true)
    });
    finished(route, deed).takes::<ReasonBody>()
}

fn finished(route: Route, deed: Move) -> Route {
    route
        .deed(instrument::right_to(deed))
        .answers::<InstrumentShape>(200)
}

async fn decide(asked: Asked, deed: Move, has_reason: bool) -> Answer {
    let caller = asked.caller()?.clone();
    let id: InstrumentId = asked.id("id")?;
    let right = instrument::right_to(deed);
    instrument::check_right(&asked.app, &caller, id, right).await?;
    asked.params()?;
    let reason = if has_reason {
        asked.json_or_default::<ReasonBody>()?.reason
    } else {
        let EmptyBody {} = asked.json_or_default()?;
        None
    };
    let decision = Decision {
        deed,
        reason,
        version: asked.version()?,
    };
    let act = asked.act()?;
    let entry = instrument::decide(&asked.app, &act, id, decision).await?;
    answer(&asked, entry)
}
