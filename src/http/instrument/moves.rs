//! Submitting, approving, returning, suspending, resuming and retiring an instrument.

use super::super::answer::Answer;
use super::super::context::RequestContext;
use super::super::reason::{EmptyBody, ReasonBody};
use super::super::route::{Route, post};
use super::answer;
use super::shape::InstrumentShape;
use crate::domain::InstrumentId;
use crate::domain::instrument::InstrumentDeed as Move;
use crate::operations::instrument::{self, Decision};

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        plain("/instruments/{id}/submit", "Ask the administration to list an instrument", Move::Submit),
        plain("/instruments/{id}/approve", "List a submitted instrument", Move::Approve),
        reasoned("/instruments/{id}/return", "Return an instrument to its host, with a reason", Move::Return),
        reasoned("/instruments/{id}/suspend", "Suspend a listed instrument, with a reason", Move::Suspend),
        plain("/instruments/{id}/resume", "List a suspended instrument again", Move::Resume),
        reasoned("/instruments/{id}/retire", "Take an instrument out of service", Move::Retire),
    ]
}

fn plain(path: &'static str, summary: &'static str, action: Move) -> Route {
    let route = post(
        path,
        instrument::right_to(action),
        summary,
        move |context| decide(context, action, false),
    );
    finished(route).takes::<EmptyBody>()
}

fn reasoned(path: &'static str, summary: &'static str, action: Move) -> Route {
    let route = post(
        path,
        instrument::right_to(action),
        summary,
        move |context| decide(context, action, true),
    );
    finished(route).takes::<ReasonBody>()
}

fn finished(route: Route) -> Route {
    route.answers::<InstrumentShape>(200)
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
