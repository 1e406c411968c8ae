//! The number of a stored form. Every document says by which form it was written; one of a later form than this program knows
//! is not read, since it may mean something else.

use serde::{Deserialize, Serialize};

/// A document says that it is of a form this program does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored document of form {0}, which is later than this program")]
pub struct LaterForm(u32);

/// The number of a form, of a document whose newest form is `NEWEST`. What was written before forms had numbers is of form 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Form<const NEWEST: u32>(u32);

impl<const NEWEST: u32> Form<NEWEST> {
    pub const PRESENT: Self = Self(NEWEST);
}

impl<const NEWEST: u32> TryFrom<u32> for Form<NEWEST> {
    type Error = LaterForm;

    fn try_from(number: u32) -> Result<Self, LaterForm> {
        match number <= NEWEST {
            true => Ok(Self(number)),
            false => Err(LaterForm(number)),
        }
    }
}

impl<const NEWEST: u32> From<Form<NEWEST>> for u32 {
    fn from(form: Form<NEWEST>) -> Self {
        form.0
    }
}
