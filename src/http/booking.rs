//! `/bookings`: requesting, checking, listing, and every action on a booking.

mod shape;

use self::shape::{
    BookingPage, BookingShape, CheckShape, FinishBody, RejectBody, RequestBody, RescheduleBody,
};
pub use self::shape::{ServiceItemBody, SlotShape, slot};
use super::answer::Answer;
use super::context::RequestContext;
use super::feed::Start;
use super::params::Params;
use super::problem;
use super::reason::{EmptyBody, ReasonBody};
use super::routes::{BASE, Route, get, post};
use crate::domain::BookingId;
use crate::domain::access::Action;
use crate::error::{AppError, Code, Fault};
use crate::operations::booking::{self, BookingView, Checked, Draft};
use crate::operations::run::same_version;
use crate::store::booking::Filter;

const LIST_PARAMETERS: &[&str] = &[
    "instrument_id",
    "organization_id",
    "state",
    "from",
    "until",
    "assigned_to",
    "client_reference",
    "updated_since",
    "limit",
    "cursor",
];

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        post("/bookings", "booking_request", "Book a slot", request)
            .action(Action::BookingRequest)
            .takes::<RequestBody>()
            .answers::<BookingShape>(201),
        post(
            "/bookings/check",
            "booking_check",
            "Ask whether a slot could be booked, without any effect",
            check,
        )
        .action(Action::BookingCheck)
        .takes::<RequestBody>()
        .answers::<CheckShape>(200),
        get("/bookings", "booking_list", "Bookings you may see", list)
            .action(Action::BookingGet)
            .parameters(LIST_PARAMETERS)
            .answers::<BookingPage>(200),
        get("/bookings/{id}", "booking_get", "One booking", find)
            .action(Action::BookingGet)
            .answers::<BookingShape>(200),
    ];
    routes.extend(actions());
    routes
}

fn actions() -> Vec<Route> {
    let actions = vec![
        post(
            "/bookings/{id}/approve",
            "booking_approve",
            "Approve a request; the rules are context again",
            approve,
        )
        .action(Action::BookingApprove)
        .takes::<EmptyBody>()
        .needs_version(),
        post(
            "/bookings/{id}/reject",
            "booking_reject",
            "Reject a request",
            reject,
        )
        .action(Action::BookingReject)
        .takes::<RejectBody>(),
        post(
            "/bookings/{id}/cancel",
            "booking_cancel",
            "Cancel a booking; the host gives a reason",
            cancel,
        )
        .action(Action::BookingCancel)
        .takes::<ReasonBody>(),
        post(
            "/bookings/{id}/reschedule",
            "booking_reschedule",
            "Move a booking; the old slot is kept until the new one is won",
            reschedule,
        )
        .action(Action::BookingReschedule)
        .takes::<RescheduleBody>(),
        post(
            "/bookings/{id}/start",
            "booking_start",
            "Start the use",
            start,
        )
        .action(Action::BookingStart)
        .takes::<EmptyBody>(),
        post(
            "/bookings/{id}/finish",
            "booking_finish",
            "End the use; makes one usage record of the actual interval",
            finish,
        )
        .action(Action::BookingFinish)
        .takes::<FinishBody>(),
        post(
            "/bookings/{id}/no-show",
            "booking_no_show",
            "Declare that nobody came",
            no_show,
        )
        .action(Action::BookingNoShow)
        .takes::<ReasonBody>(),
    ];
    let answered = |route: Route| route.answers::<BookingShape>(200);
    actions.into_iter().map(answered).collect()
}

async fn request(context: RequestContext) -> Answer {
    context.may(Action::BookingRequest)?;
    let draft = Draft::try_from(context.json::<RequestBody>()?)?;
    let seen = booking::request(&context.app, &context.actor()?, draft).await?;
    let (id, version) = (seen.booking.id, seen.booking.version);
    let location = format!("{BASE}/bookings/{id}");
    context.created_versioned(location, version, BookingShape::try_from(seen)?)
}

async fn check(context: RequestContext) -> Answer {
    let caller = context.may(Action::BookingCheck)?;
    let checked = match Draft::try_from(context.json::<RequestBody>()?) {
        Ok(draft) => booking::check(&context.app, caller, draft, context.now).await?,
        Err(AppError::Refused(faults)) => Checked::refused(faults),
        Err(other) => return Err(other),
    };
    let entry = |fault: &Fault| problem::entry(fault, context.language);
    context.ok(CheckShape {
        bookable: checked.faults.is_empty(),
        errors: checked.faults.iter().map(entry).collect(),
        quote: checked.quote.map(serde_json::to_value).transpose()?,
        next_free: checked.next_free.into_iter().map(Into::into).collect(),
    })
}

async fn list(context: RequestContext) -> Answer {
    let caller = context.may(Action::BookingGet)?;
    let params = context.params()?;
    let limit = params.limit()?;
    let start = Start::of(&context, &params).await?;
    let filter = filter(&context, &params, limit, &start)?;
    let seen = booking::list(&context.app, caller, filter, context.now).await?;
    let place = |seen: &BookingView| (seen.booking.updated_at, seen.booking.id.number());
    let page = start.page(seen, limit, place, BookingShape::try_from)?;
    context.ok(page.all()?)
}

fn filter(
    context: &RequestContext,
    params: &Params,
    limit: i64,
    start: &Start,
) -> Result<Filter, AppError> {
    let assigned_to = match params.one::<String>("assigned_to")?.as_deref() {
        None => None,
        Some("me") => Some(context.caller()?.user_id),
        Some(other) => {
            let fault = Fault::field("assigned_to", Code::invalid_value);
            return Err(AppError::Malformed(vec![fault.limit("me").actual(other)]));
        }
    };
    Ok(Filter {
        instruments: params.all("instrument_id")?,
        organizations: params.all("organization_id")?,
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
    let caller = context.caller()?;
    let seen = booking::get(&context.app, caller, context.id("id")?, context.now).await?;
    shown(&context, seen)
}

fn shown(context: &RequestContext, seen: BookingView) -> Answer {
    context.ok_versioned(seen.booking.version, BookingShape::try_from(seen)?)
}

/// The booking an action is about, when the caller may do it.
async fn admitted(context: &RequestContext, action: Action) -> Result<BookingId, AppError> {
    Ok(admitted_version(context, action).await?.0)
}

/// As [`admitted`], with the version that stands.
async fn admitted_version(
    context: &RequestContext,
    action: Action,
) -> Result<(BookingId, i64), AppError> {
    let caller = context.caller()?;
    let id = context.id("id")?;
    Ok((id, booking::admit(&context.app, caller, id, action).await?))
}

async fn approve(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::BookingApprove).await?;
    let EmptyBody {} = context.json_or_default()?;
    let version = context.required_version()?;
    let seen = booking::approve(&context.app, &context.actor()?, id, version).await?;
    shown(&context, seen)
}

async fn reject(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::BookingReject).await?;
    let RejectBody {
        reason_code,
        reason,
    } = context.json()?;
    let (act, version) = (context.actor()?, context.version()?);
    let seen = booking::reject(&context.app, &act, id, version, reason_code, reason).await?;
    shown(&context, seen)
}

async fn cancel(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::BookingCancel).await?;
    let ReasonBody { reason } = context.json_or_default()?;
    let (act, version) = (context.actor()?, context.version()?);
    let seen = booking::cancel(&context.app, &act, id, version, reason).await?;
    shown(&context, seen)
}

async fn reschedule(context: RequestContext) -> Answer {
    let (id, present) = admitted_version(&context, Action::BookingReschedule).await?;
    let body: RescheduleBody = context.json()?;
    let version = context.version()?;
    same_version(version, present)?;
    let to = body.read(version)?;
    let seen = booking::reschedule(&context.app, &context.actor()?, id, to).await?;
    shown(&context, seen)
}

async fn start(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::BookingStart).await?;
    let EmptyBody {} = context.json_or_default()?;
    let (act, version) = (context.actor()?, context.version()?);
    let seen = booking::start(&context.app, &act, id, version).await?;
    shown(&context, seen)
}

async fn finish(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::BookingFinish).await?;
    let body: FinishBody = context.json_or_default()?;
    let how = body.read(context.version()?);
    let seen = booking::finish(&context.app, &context.actor()?, id, how).await?;
    shown(&context, seen)
}

async fn no_show(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::BookingNoShow).await?;
    let ReasonBody { reason } = context.json_or_default()?;
    let (act, version) = (context.actor()?, context.version()?);
    let seen = booking::declare_no_show(&context.app, &act, id, version, reason).await?;
    shown(&context, seen)
}
