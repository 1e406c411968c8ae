//! What happens by itself: the same operations, started by time. A worker is a step function; the loop is elsewhere.

pub mod booking;
