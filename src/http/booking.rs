//! `/bookings`: requesting, checking, listing, and every deed on a booking.

mod shape;

use self::shape::{
    BookingPage, BookingShape, CheckShape, FinishBody, RejectBody, RequestBody, RescheduleBody,
};
pub use self::shape::{ServiceItemBody, SlotShape, slot};
use super::answer::Answer;
use super::asked::Asked;
use super::feed::Start;
use super::params::Params;
use super::problem;
use super::reason::{EmptyBody, ReasonBody};
use super::routes::{BASE, Route, get, post};
use crate::domain::BookingId;
use crate::domain::access::Deed;
use crate::error::{AppError, Code, Fault};
use crate::operations::booking::{self, Checked, Draft, Seen};
use crate::operations::deed::same_version;
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
            .deed(Deed::BookingRequest)
            .takes::<RequestBody>()
            .answers::<BookingShape>(201),
        post(
            "/bookings/check",
            "booking_check",
            "Ask whether a slot could be booked, without any effect",
            check,
        )
        .deed(Deed::BookingCheck)
        .takes::<RequestBody>()
        .answers::<CheckShape>(200),
        get("/bookings", "booking_list", "Bookings you may see", list)
            .deed(Deed::BookingRead)
            .parameters(LIST_PARAMETERS)
            .answers::<BookingPage>(200),
        get("/bookings/{id}", "booking_get", "One booking", find)
            .deed(Deed::BookingRead)
            .answers::<BookingShape>(200),
    ];
    routes.extend(deeds());
    routes
}

fn deeds() -> Vec<Route> {
    let deeds = vec![
        post(
            "/bookings/{id}/approve",
            "booking_approve",
            "Approve a request; the rules are asked again",
            approve,
        )
        .deed(Deed::BookingApprove)
        .takes::<EmptyBody>()
        .needs_version(),
        post(
            "/bookings/{id}/reject",
            "booking_reject",
            "Reject a request",
            reject,
        )
        .deed(Deed::BookingReject)
        .takes::<RejectBody>(),
        post(
            "/bookings/{id}/cancel",
            "booking_cancel",
            "Cancel a booking; the host gives a reason",
            cancel,
        )
        .deed(Deed::BookingCancel)
        .takes::<ReasonBody>(),
        post(
            "/bookings/{id}/reschedule",
            "booking_reschedule",
            "Move a booking; the old slot is kept until the new one is won",
            reschedule,
        )
        .deed(Deed::BookingReschedule)
        .takes::<RescheduleBody>(),
        post(
            "/bookings/{id}/start",
            "booking_start",
            "Start the use",
            start,
        )
        .deed(Deed::BookingStart)
        .takes::<EmptyBody>(),
        post(
            "/bookings/{id}/finish",
            "booking_finish",
            "End the use; makes one usage record of the actual interval",
            finish,
        )
        .deed(Deed::BookingFinish)
        .takes::<FinishBody>(),
        post(
            "/bookings/{id}/no-show",
            "booking_no_show",
            "Declare that nobody came",
            no_show,
        )
        .deed(Deed::BookingNoShow)
        .takes::<ReasonBody>(),
    ];
    let answered = |route: Route| route.answers::<BookingShape>(200);
    deeds.into_iter().map(answered).collect()
}

async fn request(asked: Asked) -> Answer {
    asked.may(Deed::BookingRequest)?;
    let draft = Draft::try_from(asked.json::<RequestBody>()?)?;
    let seen = booking::request(&asked.app, &asked.act()?, draft).await?;
    let (id, version) = (seen.booking.id, seen.booking.version);
    let location = format!("{BASE}/bookings/{id}");
    asked.created_versioned(location, version, BookingShape::try_from(seen)?)
}

async fn check(asked: Asked) -> Answer {
    let caller = asked.may(Deed::BookingCheck)?;
    let checked = match Draft::try_from(asked.json::<RequestBody>()?) {
        Ok(draft) => booking::check(&asked.app, caller, draft, asked.now).await?,
        Err(AppError::Refused(faults)) => Checked::refused(faults),
        Err(other) => return Err(other),
    };
    let entry = |fault: &Fault| problem::entry(fault, asked.language);
    asked.ok(CheckShape {
        bookable: checked.faults.is_empty(),
        errors: checked.faults.iter().map(entry).collect(),
        quote: checked.quote.map(serde_json::to_value).transpose()?,
        next_free: checked.next_free.into_iter().map(Into::into).collect(),
    })
}

async fn list(asked: Asked) -> Answer {
    let caller = asked.may(Deed::BookingRead)?;
    let params = asked.params()?;
    let limit = params.limit()?;
    let start = Start::of(&asked, &params).await?;
    let filter = filter(&asked, &params, limit, &start)?;
    let seen = booking::list(&asked.app, caller, filter, asked.now).await?;
    let place = |seen: &Seen| (seen.booking.updated_at, seen.booking.id.number());
    let page = start.page(seen, limit, place, BookingShape::try_from)?;
    asked.ok(page.all()?)
}

fn filter(asked: &Asked, params: &Params, limit: i64, start: &Start) -> Result<Filter, AppError> {
    let assigned_to = match params.one::<String>("assigned_to")?.as_deref() {
        None => None,
        Some("me") => Some(asked.caller()?.user_id),
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

async fn find(asked: Asked) -> Answer {
    let caller = asked.caller()?;
    let seen = booking::get(&asked.app, caller, asked.id("id")?, asked.now).await?;
    shown(&asked, seen)
}

fn shown(asked: &Asked, seen: Seen) -> Answer {
    asked.ok_versioned(seen.booking.version, BookingShape::try_from(seen)?)
}

/// The booking a deed is about, when the caller may do it.
async fn admitted(asked: &Asked, deed: Deed) -> Result<BookingId, AppError> {
    Ok(admitted_version(asked, deed).await?.0)
}

/// As [`admitted`], with the version that stands.
async fn admitted_version(asked: &Asked, deed: Deed) -> Result<(BookingId, i64), AppError> {
    let caller = asked.caller()?;
    let id = asked.id("id")?;
    Ok((id, booking::admit(&asked.app, caller, id, deed).await?))
}

async fn approve(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::BookingApprove).await?;
    let EmptyBody {} = asked.json_or_default()?;
    let version = asked.required_version()?;
    let seen = booking::approve(&asked.app, &asked.act()?, id, version).await?;
    shown(&asked, seen)
}

async fn reject(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::BookingReject).await?;
    let RejectBody {
        reason_code,
        reason,
    } = asked.json()?;
    let (act, version) = (asked.act()?, asked.version()?);
    let seen = booking::reject(&asked.app, &act, id, version, reason_code, reason).await?;
    shown(&asked, seen)
}

async fn cancel(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::BookingCancel).await?;
    let ReasonBody { reason } = asked.json_or_default()?;
    let (act, version) = (asked.act()?, asked.version()?);
    let seen = booking::cancel(&asked.app, &act, id, version, reason).await?;
    shown(&asked, seen)
}

async fn reschedule(asked: Asked) -> Answer {
    let (id, present) = admitted_version(&asked, Deed::BookingReschedule).await?;
    let body: RescheduleBody = asked.json()?;
    let version = asked.version()?;
    same_version(version, present)?;
    let to = body.read(version)?;
    let seen = booking::reschedule(&asked.app, &asked.act()?, id, to).await?;
    shown(&asked, seen)
}

async fn start(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::BookingStart).await?;
    let EmptyBody {} = asked.json_or_default()?;
    let (act, version) = (asked.act()?, asked.version()?);
    let seen = booking::start(&asked.app, &act, id, version).await?;
    shown(&asked, seen)
}

async fn finish(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::BookingFinish).await?;
    let body: FinishBody = asked.json_or_default()?;
    let how = body.read(asked.version()?);
    let seen = booking::finish(&asked.app, &asked.act()?, id, how).await?;
    shown(&asked, seen)
}

async fn no_show(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::BookingNoShow).await?;
    let ReasonBody { reason } = asked.json_or_default()?;
    let (act, version) = (asked.act()?, asked.version()?);
    let seen = booking::declare_no_show(&asked.app, &act, id, version, reason).await?;
    shown(&asked, seen)
}
