//! The registry's actions: entries are created, changed, submitted, decided, given managers and imported. Here: how an entry
//! is shown; who may do what with it stands in `context`, the actions in the files below.

mod change;
mod check;
mod context;
mod find;
mod import;
mod managers;
mod moves;
mod read;
mod row;
mod similar;
mod write;

pub use change::{Declared, ReadChange, Scope, change, create, delete};
pub use context::InstrumentContext;
pub use find::{Asked, Listed, Listing, list};
pub use import::{Import, ImportMode, Imported, import, may_get_template};
pub use managers::{Own, assign_managers, assign_managers_of_all, list_own};
pub use moves::{decide, decide_all, right_to};
pub use read::{Versions, export, get, list_changed, list_versions};
pub use row::{CellValue, Empty, InstrumentRow, RegistryCell, RegistryColumn, Said, Set, Unread};
pub use similar::{SIMILAR_MAX, Similar, SimilarAsked, Utilization, list_similar};
pub use write::correct_as_told;

use crate::domain::{InstrumentId, UserId};
use crate::error::AppError;
use crate::operations::booking::Impact;
use crate::store::exemption::Exemption;
use crate::store::instrument::Instrument;
use crate::store::{self, Conn};

/// An entry as one caller sees it.
#[derive(Debug, Clone)]
pub struct Entry {
    pub instrument: Instrument,
    /// Only for the host, its administration and the auditors.
    pub inside: Option<Inside>,
}

/// What the public does not see of an entry.
#[derive(Debug, Clone)]
pub struct Inside {
    pub managers: Vec<UserId>,
    pub exemption: Option<Exemption>,
}

/// An entry after a change, and the bookings that this hits.
#[derive(Debug, Clone)]
pub struct Changed {
    pub entry: Entry,
    pub impact: Impact,
}

/// The entry after an action, for those who may do one.
fn entry(conn: &mut Conn, instrument: Instrument) -> Result<Entry, AppError> {
    let inside = Some(inside(conn, instrument.id)?);
    Ok(Entry { instrument, inside })
}

fn inside(conn: &mut Conn, id: InstrumentId) -> Result<Inside, AppError> {
    Ok(Inside {
        managers: store::instrument::list_managers(conn, id)?,
        exemption: store::exemption::find(conn, id)?,
    })
}
