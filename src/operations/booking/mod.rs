//! Bookings: one file for each action. What they share: a booking with all that decides about it (`case`), how a slot is won
//! (`slot`, `weigh`, `contest`), how it is told (`trail`), and what an answer shows (`BookingView`).

mod approve;
mod cancel;
mod case;
mod check;
mod close;
mod contest;
mod draft;
mod expire;
mod finish;
mod lapse;
mod list;
mod no_show;
mod passing;
mod reject;
mod request;
mod reschedule;
mod slot;
mod start;
mod trail;
mod weigh;

pub use approve::approve;
pub use cancel::cancel;
pub(super) use case::manages;
pub use case::{BookingView, admit};
pub use check::{Checked, check};
pub use close::close_forgotten;
pub use draft::{Draft, Operator};
pub use expire::expire_overdue;
pub use finish::{Finish, finish};
pub use lapse::lapse_unresolved;
pub use list::{get, list};
pub use no_show::declare_no_show;
pub use reject::reject;
pub use request::request;
pub use reschedule::{Move, reschedule};
pub use start::start;
pub(super) use weigh::blocked_in;
