//! Submitting, approving, returning, suspending, resuming and retiring an instrument.

use super::super::answer::Answer;
use super::super::context::RequestContext;
use super::super::reason::{EmptyBody, ReasonBody};
use super::super::route::{Route, post};
use super::shape::InstrumentShape;
use super::shown;
use crate::domain::instrument::InstrumentAction;
use crate::operations::instrument;

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        plain("/instruments/{id}/submit", "Ask the administration to list an instrument", InstrumentAction::Submit),
        plain("/instruments/{id}/approve", "List a submitted instrument", InstrumentAction::Approve),
        reasoned("/instruments/{id}/return", "Return an instrument to its host, with a reason", InstrumentAction::Return),
        reasoned("/instruments/{id}/suspend", "Suspend a listed instrument, with a reason", InstrumentAction::Suspend),
        plain("/instruments/{id}/resume", "List a suspended instrument again", InstrumentAction::Resume),
        reasoned("/instruments/{id}/retire", "Take an instrument out of service", InstrumentAction::Retire),
    ]
}

fn plain(path: &'static str, summary: &'static str, action: InstrumentAction) -> Route {
    let route = post(
        path,
        instrument::right_to(action),
        summary,
        move |context| decide(context, action, false),
    );
    finished(route).takes::<EmptyBody>()
}

fn reasoned(path: &'static str, summary: &'static str, action: InstrumentAction) -> Route {
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

async fn decide(context: RequestContext, action: InstrumentAction, has_reason: bool) -> Answer {
    let reason = match has_reason {
        true => context
            .body_or_default()
            .map(|body: ReasonBody| body.reason),
        false => context.body_or_default().map(|EmptyBody {}| None),
    };
    let done = instrument::decide(&context.run(shown)?, context.id("id")?, action, reason).await?;
    context.answer(done, shown)
}
