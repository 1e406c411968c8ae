//! `/bookings`: requesting, checking, listing, and every action on a booking.

mod shape;

use serde::Deserialize;
use utoipa::ToSchema;

use self::shape::{
    BookingShape, CheckShape, FinishBody, RejectBody, RequestBody, RescheduleBody, SubmitBody,
};
pub use self::shape::{OperatorShape, ServiceItemBody, SlotShape, slot};
use super::answer::{Answer, Page, reply};
use super::bulk::{self, BulkShape, Items};
use super::context::RequestContext;
use super::feed::Start;
use super::params::Params;
use super::problem;
use super::reason::{EmptyBody, ReasonBody};
use super::route::{BASE, Route, get, post};
use crate::domain::BookingId;
use crate::domain::access::Action;
use crate::domain::booking::BookingState;
use crate::error::{AppError, Fault};
use crate::operations::booking::{self, BookingView, Draft};
use crate::operations::run::Reply;
use crate::store::booking::Filter;

const LIST_PARAMETERS: &[&str] = &[
    "instrument_id",
    "organization_id",
    "state",
    "from",
    "until",
    "assigned_to",
    "client_reference",
    "host_organization_id",
    "year",
    "from_others",
    "updated_since",
    "limit",
    "cursor",
];

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        post("/bookings", Action::BookingRequest, "Book a slot", request)
            .takes::<RequestBody>()
            .answers::<BookingShape>(201),
        post(
            "/bookings/check",
            Action::BookingCheck,
            "Ask whether a slot could be booked, without any effect",
            check,
        )
        .takes::<RequestBody>()
        .answers::<CheckShape>(200),
        get(
            "/bookings",
            Action::BookingList,
            "Bookings you may see",
            list,
        )
        .parameters(LIST_PARAMETERS)
        .words::<BookingState>("state")
        .words::<Assigned>("assigned_to")
        .answers::<Page<BookingShape>>(200),
        post(
            "/bookings/approve",
            Action::BookingApproveAll,
            "Approve several requests, each as if it were approved alone",
            approve_all,
        )
        .takes::<Items<BookingItem>>()
        .answers::<BulkShape>(200)
        .ignores_version(),
        get("/bookings/{id}", Action::BookingGet, "One booking", find).answers::<BookingShape>(200),
    ];
    routes.extend(actions());
    routes
}

/// Only for the API document: a request to approve, at the version that was read.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "says what an item looks like")]
#[serde(deny_unknown_fields)]
struct BookingItem {
    id: BookingId,
    version: i64,
}

crate::vocabulary! {
    /// Whose the instruments are that a list is about.
    Assigned {
        Me = "me",
    }
}

fn actions() -> Vec<Route> {
    let actions = vec![
        post(
            "/bookings/{id}/submit",
            Action::BookingSubmit,
            "Ask for a slot that is held: a request, or confirmed at once",
            submit,
        )
        .takes::<SubmitBody>(),
        post(
            "/bookings/{id}/approve",
            Action::BookingApprove,
            "Approve a request; the rules are asked again",
            approve,
        )
        .takes::<EmptyBody>()
        .needs_version(),
        post(
            "/bookings/{id}/reject",
            Action::BookingReject,
            "Reject a request",
            reject,
        )
        .takes::<RejectBody>(),
        post(
            "/bookings/{id}/cancel",
            Action::BookingCancel,
            "Cancel a booking; the host gives a reason",
            cancel,
        )
        .takes::<ReasonBody>(),
        post(
            "/bookings/{id}/reschedule",
            Action::BookingReschedule,
            "Move a booking, also to another instrument of the same host; the old slot is kept until the new one is won",
            reschedule,
        )
        .takes::<RescheduleBody>(),
        post(
            "/bookings/{id}/start",
            Action::BookingStart,
            "Start the use",
            start,
        )
        .takes::<EmptyBody>(),
        post(
            "/bookings/{id}/finish",
            Action::BookingFinish,
            "End the use; makes one usage record of the actual interval",
            finish,
        )
        .takes::<FinishBody>(),
        post(
            "/bookings/{id}/no-show",
            Action::BookingNoShow,
            "Declare that nobody came",
            no_show,
        )
        .takes::<ReasonBody>(),
    ];
    let answered = |route: Route| route.answers::<BookingShape>(200);
    actions.into_iter().map(answered).collect()
}

async fn request(context: RequestContext) -> Answer {
    let draft = context.body::<RequestBody>().and_then(Draft::try_from);
    let done = booking::request(&context.run(created)?, draft).await?;
    context.answer(done, created)
}

async fn check(context: RequestContext) -> Answer {
    let draft = context.body::<RequestBody>().and_then(Draft::try_from);
    let checked = booking::check(&context.app, &context.actor()?, draft).await?;
    let entry = |fault: &Fault| problem::entry(fault, context.language);
    context.ok(CheckShape {
        bookable: checked.faults.is_empty(),
        errors: checked.faults.iter().map(entry).collect(),
        warnings: checked.warnings.iter().map(entry).collect(),
        late_from: checked.late_from,
        quote: checked.quote.map(Into::into),
        next_free: checked.next_free.into_iter().map(Into::into).collect(),
    })
}

async fn list(context: RequestContext) -> Answer {
    let actor = context.actor()?;
    let params = context.params()?;
    let limit = params.limit()?;
    let start = Start::of(&context, &params).await?;
    let filter = filter(&context, &params, limit, &start)?;
    let views = booking::list(&context.app, &actor, filter).await?;
    let place = |view: &BookingView| (view.booking.updated_at, view.booking.id.number());
    let page = start.found(views, limit, place, BookingShape::try_from)?;
    context.ok(page.all()?)
}

fn filter(
    context: &RequestContext,
    params: &Params,
    limit: i64,
    start: &Start,
) -> Result<Filter, AppError> {
    let assigned_to = match params.one("assigned_to")? {
        None => None,
        Some(Assigned::Me) => Some(context.caller()?.user_id),
    };
    Ok(Filter {
        instruments: params.all("instrument_id")?,
        organizations: params.all("organization_id")?,
        hosts: params.all("host_organization_id")?,
        years: params.all("year")?,
        is_from_others: params.one("from_others")?,
        states: params.all("state")?,
        from: params.one("from")?,
        until: params.one("until")?,
        assigned_to,
        client_references: params.all("client_reference")?,
        changed_after: start.changed_after(),
        before: start.below(),
        limit: limit + 1,
    })
}

async fn find(context: RequestContext) -> Answer {
    let view = booking::get(&context.app, &context.actor()?, context.id("id")?).await?;
    context.ok_versioned(view.booking.version, BookingShape::try_from(view)?)
}

fn created(view: &BookingView) -> Result<Reply, AppError> {
    let reply = shown(view)?.at(format!("{BASE}/bookings/{}", view.booking.id));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

fn shown(view: &BookingView) -> Result<Reply, AppError> {
    let shape = BookingShape::try_from(view.clone())?;
    Ok(reply(200, &shape)?.of_version(view.booking.version))
}

async fn submit(context: RequestContext) -> Answer {
    let body = context.body_or_default::<SubmitBody>().map(Into::into);
    let done = booking::submit(&context.run(shown)?, context.id("id")?, body).await?;
    context.answer(done, shown)
}

async fn approve(context: RequestContext) -> Answer {
    let body = context.body_or_default().map(|EmptyBody {}| ());
    let done = booking::approve(&context.run(shown)?, context.id("id")?, body).await?;
    context.answer(done, shown)
}

async fn approve_all(context: RequestContext) -> Answer {
    let items = bulk::versioned_items(&context, |EmptyBody {}| ());
    let done = booking::approve_all(&context.run(bulk::done)?, items).await?;
    context.answer(done, bulk::done)
}

async fn reject(context: RequestContext) -> Answer {
    let body = context.body::<RejectBody>().map(Into::into);
    let done = booking::reject(&context.run(shown)?, context.id("id")?, body).await?;
    context.answer(done, shown)
}

async fn cancel(context: RequestContext) -> Answer {
    let reason = context
        .body_or_default()
        .map(|body: ReasonBody| body.reason);
    let done = booking::cancel(&context.run(shown)?, context.id("id")?, reason).await?;
    context.answer(done, shown)
}

async fn reschedule(context: RequestContext) -> Answer {
    let to = context.body::<RescheduleBody>().map(Into::into);
    let done = booking::reschedule(&context.run(shown)?, context.id("id")?, to).await?;
    context.answer(done, shown)
}

async fn start(context: RequestContext) -> Answer {
    let body = context.body_or_default().map(|EmptyBody {}| ());
    let done = booking::start(&context.run(shown)?, context.id("id")?, body).await?;
    context.answer(done, shown)
}

async fn finish(context: RequestContext) -> Answer {
    let how = context.body_or_default::<FinishBody>().map(Into::into);
    let done = booking::finish(&context.run(shown)?, context.id("id")?, how).await?;
    context.answer(done, shown)
}

async fn no_show(context: RequestContext) -> Answer {
    let reason = context
        .body_or_default()
        .map(|body: ReasonBody| body.reason);
    let done = booking::declare_no_show(&context.run(shown)?, context.id("id")?, reason).await?;
    context.answer(done, shown)
}
