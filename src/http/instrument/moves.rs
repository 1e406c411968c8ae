//! Submitting, approving, returning, suspending, resuming and retiring an instrument.

use serde::Deserialize;
use utoipa::ToSchema;

use super::super::answer::Answer;
use super::super::bulk::{self, BulkShape, Items};
use super::super::context::RequestContext;
use super::super::impact;
use super::super::reason::{EmptyBody, ReasonBody};
use super::super::route::{Route, post};
use super::shape::{ChangedInstrumentShape, InstrumentShape};
use super::{foretold, shown, shown_changed};
use crate::domain::InstrumentId;
use crate::domain::access::Action;
use crate::domain::instrument::InstrumentAction;
use crate::error::AppError;
use crate::operations::booking::Treatment;
use crate::operations::instrument::{self, Changed};
use crate::operations::run::Reply;

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        plain("/instruments/{id}/submit", "Ask the administration to list an instrument", InstrumentAction::Submit),
        plain("/instruments/{id}/approve", "List a submitted instrument", InstrumentAction::Approve),
        several("/instruments/submit", Action::InstrumentSubmitAll, "Submit several instruments, each as if it were submitted alone", InstrumentAction::Submit),
        several("/instruments/approve", Action::InstrumentApproveAll, "List several instruments, each as if it were listed alone", InstrumentAction::Approve),
        reasoned("/instruments/{id}/return", "Return an instrument to its host, with a reason", InstrumentAction::Return),
        reasoned("/instruments/{id}/suspend", "Suspend a listed instrument, with a reason", InstrumentAction::Suspend),
        plain("/instruments/{id}/resume", "List a suspended instrument again", InstrumentAction::Resume),
        reasoned("/instruments/{id}/retire", "Take an instrument out of service for good, with a reason", InstrumentAction::Retire),
    ]
}

/// Nobody is hit by it.
fn plain(path: &'static str, summary: &'static str, action: InstrumentAction) -> Route {
    let right = instrument::right_to(action);
    let route = post(path, right, summary, move |context| decide(context, action));
    route.takes::<EmptyBody>().answers::<InstrumentShape>(200)
}

/// The same, of each that is named.
fn several(
    path: &'static str,
    right: Action,
    summary: &'static str,
    action: InstrumentAction,
) -> Route {
    let route = post(path, right, summary, move |context| {
        decide_all(context, action)
    });
    let route = route
        .takes::<Items<InstrumentItem>>()
        .answers::<BulkShape>(200);
    route.ignores_version()
}

/// Only for the API document: one of several instruments.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "says what an item looks like")]
#[serde(deny_unknown_fields)]
struct InstrumentItem {
    id: InstrumentId,
}

/// Takes it out of service, whoever has booked it.
fn reasoned(path: &'static str, summary: &'static str, action: InstrumentAction) -> Route {
    let right = instrument::right_to(action);
    let route = post(path, right, summary, move |context| {
        decide_with_reason(context, action)
    });
    route
        .parameters(impact::PARAMETERS)
        .takes::<ReasonBody>()
        .answers::<ChangedInstrumentShape>(200)
        .has_etag(true)
}

fn shown_entry(changed: &Changed) -> Result<Reply, AppError> {
    shown(&changed.entry)
}

async fn decide(context: RequestContext, action: InstrumentAction) -> Answer {
    let body = context.body_or_default().map(|EmptyBody {}| None);
    let (run, id) = (context.run(shown_entry)?, context.id("id")?);
    let done = instrument::decide(&run, id, action, body, Treatment::default()).await?;
    context.answer(done, shown_entry)
}

async fn decide_all(context: RequestContext, action: InstrumentAction) -> Answer {
    let items = bulk::items(&context, |EmptyBody {}| ());
    let done = instrument::decide_all(&context.run(bulk::done)?, action, items).await?;
    context.answer(done, bulk::done)
}

async fn decide_with_reason(context: RequestContext, action: InstrumentAction) -> Answer {
    let reason = context
        .body_or_default()
        .map(|body: ReasonBody| body.reason);
    let (asked, reason) = impact::treatment(&context, reason);
    let run = context.run(shown_changed)?.dry(asked.is_dry);
    let done = instrument::decide(&run, context.id("id")?, action, reason, asked).await?;
    context.answer(
        done,
        if asked.is_dry {
            foretold
        } else {
            shown_changed
        },
    )
}
