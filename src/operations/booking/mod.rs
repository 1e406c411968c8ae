//! Bookings: requesting, holding and submitting, moving, deciding, finishing, what time does, and reading. What they share: a booking with all that
//! decides about it (`context`), who asks (`counts`), how a slot is won (`slot`), what a change of the instrument does to those that stand (`impact`),
//! and the events (`trail`).

mod context;
mod counts;
mod decide;
mod draft;
mod finish;
mod impact;
mod read;
mod request;
mod reschedule;
mod slot;
mod submit;
mod timed;
mod trail;

pub use context::{BookingContext, BookingView};
pub(super) use context::{as_seen, manages};
pub(super) use counts::{Asker, Except, made, terms_for};
pub use decide::{Rejection, approve, approve_all, cancel, declare_no_show, reject, start};
pub use draft::Draft;
pub use finish::{Finish, finish};
pub use impact::{Before, Change, Hit, Impact, Treatment};
pub(super) use impact::{before_of_host, count_withdrawn, settle_facts};
pub use read::{get, list};
pub use request::{Checked, check, request};
pub use reschedule::{Move, reschedule};
pub(super) use slot::{blocked_in, is_shared_with, next_free_of};
pub use submit::{Submission, submit};
pub use timed::{close_forgotten, expire_overdue, lapse_unresolved, remind_undecided};
