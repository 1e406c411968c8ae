//! A change as it was sent, a merge patch (RFC 7396): it can be read only beside what it changes, as that stands under its
//! lock.

use serde::Serialize;

use super::json::Members;
use crate::error::{AppError, Code, Fault};

/// The members of a change, each of them once.
#[derive(Debug, Clone)]
pub struct MergePatch {
    members: Members,
    /// What is wrong with the version that the request names; the fields are looked at first.
    version_fault: Option<Code>,
}

impl MergePatch {
    pub fn new(members: Members, version_fault: Option<Code>) -> Self {
        Self {
            members,
            version_fault,
        }
    }

    /// The change, which `read` makes of the members that are not read-only, and a fault for each read-only one that does not
    /// say what is so already.
    pub fn onto<T>(
        &self,
        present: &impl Serialize,
        writable: &[&str],
        read: impl FnOnce(Members) -> Result<T, AppError>,
    ) -> Result<(T, Vec<Fault>), AppError> {
        let present = serde_json::to_value(present)?;
        let (members, read_only) = self.members.clone().writable(&present, writable);
        let change = read(members)?;
        match self.version_fault {
            Some(code) => Err(AppError::Precondition(code)),
            None => Ok((change, read_only)),
        }
    }
}
