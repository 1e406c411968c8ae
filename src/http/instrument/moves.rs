//! Submitting, approving, returning, suspending, resuming and retiring an instrument.

use super::super::answer::Answer;
use super::super::context::RequestContext;
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

fn plain(
    path: &'static str,
    operation: &'static str,
    summary: &'static str,
    action: Move,
) -> Route {
    let route = post(path, operation, summary, move |context| {
        decide(context, action, false)
    });
    finished(route, action).takes::<EmptyBody>()
}

fn reasoned(
    path: &'static str,
    operation: &'static str,
    summary: &'static str,
    action: Move,
) -> Route {
    let route = post(path, operation, summary, move |context| {
        decide(context, action, true)
    });
    finished(route, action).takes::<ReasonBody>()
}

fn finished(route: Route, action: Move) -> Route {
    route
        .action(instrument::right_to(action))
        .answers::<InstrumentShape>(200)
}

async fn decide(context: RequestContext, action: Move, has_reason: bool) -> Answer {
    let caller = context.caller()?.clone();
    let id: InstrumentId = context.id("id")?;
    let right = instrument::right_to(action);
    instrument::check_right(&context.app, &caller, id, right).await?;
    context.params()?;
    let reason = if has_reason {
        context.json_or_default::<ReasonBody>()?.reason
    } else {
        let EmptyBody {} = context.json_or_default()?;
        None
    };
    let decision = Decision {
        action,
        reason,
        version: context.version()?,
    };
    let act = context.actor()?;
    let entry = instrument::decide(&context.app, &act, id, decision).await?;
    answer(&context, entry)
}
