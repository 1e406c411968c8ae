//! An entry as one row of a table: what an import says of it, cell by cell. Which columns there are and what they mean is the
//! table's to say; an absent value leaves the present one.

use std::str::FromStr;

use chrono::NaiveDate;

use crate::domain::instrument::{InstrumentFacts, PurposeType};
use crate::domain::{Fen, OrganizationId, TypedKey};
use crate::error::{Code, Fault, Location};
use crate::operations::lost_zeros;
use crate::store::instrument::Instrument;

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellValue {
    Text(String),
    /// A text that a spreadsheet program may have had as a number: zeros before it may be lost.
    Number(String),
    Amount(Fen),
    Date(NaiveDate),
    Count(u32),
    Truth(bool),
    /// Nothing, in a column that the table has.
    Blank,
}

crate::vocabulary! {
    /// What an empty cell means, in a column that the table has, of an entry that is changed.
    Empty {
        /// The field stays as it is.
        Keep = "keep",
        /// The field says nothing any more.
        Clear = "clear",
    }
}

/// What is wrong with texts that mean nothing in their column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread(pub Vec<Fault>);

impl Unread {
    pub fn text(code: Code, text: &str) -> Fault {
        Fault::request(code).actual(text)
    }
}

/// Makes an entry say a value.
pub type Set = fn(&mut InstrumentFacts, &CellValue) -> Result<(), Unread>;

impl CellValue {
    pub fn is_blank(&self) -> bool {
        *self == CellValue::Blank
    }

    pub fn text(&self) -> Option<String> {
        match self {
            CellValue::Text(text) | CellValue::Number(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// What the cell changes in a text: nothing when it says what a table makes of the present one.
    pub fn text_instead(&self, present: &str) -> Result<Option<String>, Unread> {
        let Some(told) = self.text() else {
            return Ok(None);
        };
        if told_by_a_table(present) == told_by_a_table(&told) {
            return Ok(None);
        }
        match self.lost(present) {
            Some(lost) => Err(Unread(vec![lost])),
            None => Ok(Some(told)),
        }
    }

    /// The fault of a text that is no other than a known one without its zeros.
    fn lost(&self, known: &str) -> Option<Fault> {
        match self {
            CellValue::Number(told) => lost_zeros::fault("", told, known),
            _ => None,
        }
    }

    pub fn amount(&self) -> Option<Fen> {
        match self {
            CellValue::Amount(amount) => Some(*amount),
            _ => None,
        }
    }

    pub fn date(&self) -> Option<NaiveDate> {
        match self {
            CellValue::Date(date) => Some(*date),
            _ => None,
        }
    }

    pub fn count(&self) -> Option<i64> {
        match self {
            CellValue::Count(count) => Some(i64::from(*count)),
            _ => None,
        }
    }

    pub fn truth(&self) -> Option<bool> {
        match self {
            CellValue::Truth(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The value that the text is the name of; `code` when it is none.
    pub fn named<T: FromStr>(&self, code: Code) -> Result<Option<T>, Unread> {
        let Some(text) = self.text() else {
            return Ok(None);
        };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => {
                // Codes have their length: with the zero that a program took away it may be one.
                let padded = format!("0{text}");
                let lost = padded.parse::<T>().ok().and_then(|_| self.lost(&padded));
                let unread = lost.unwrap_or_else(|| Unread::text(code, &text));
                Err(Unread(vec![unread]))
            }
        }
    }
}

/// One cell of a row, in the column of this name.
#[derive(Debug, Clone)]
pub struct Said {
    pub column: &'static str,
    pub value: CellValue,
    pub set: Set,
}

/// One instrument as a table tells it; an absent column is left out.
#[derive(Debug, Clone)]
pub struct InstrumentRow {
    pub asset_no: TypedKey,
    pub said: Vec<Said>,
    /// What the registry says beside it, as it stands in the table.
    pub registry: Vec<RegistryCell>,
}

/// A cell of a column that an import never writes.
#[derive(Debug, Clone)]
pub struct RegistryCell {
    pub column: RegistryColumn,
    pub text: String,
}

crate::vocabulary! {
    /// The columns of an export that the registry fills.
    RegistryColumn {
        Id = "id",
        OrganizationId = "organization_id",
        Status = "status",
    }
}

/// What every entry has beside its number.
const NEEDED: [&str; 4] = [
    "name",
    "original_value_fen",
    "category_code",
    "purpose_type",
];

impl InstrumentRow {
    /// Whether zeros before the number may be lost.
    pub(super) fn may_lack_zeros(&self) -> bool {
        let number = self.said.iter().find(|said| said.column == "asset_no");
        number.is_some_and(|said| matches!(said.value, CellValue::Number(_)))
    }

    /// The columns of the registry that say something else than what is so.
    pub(super) fn registry_faults(
        &self,
        host: OrganizationId,
        present: Option<&Instrument>,
    ) -> Vec<Fault> {
        let differing = self
            .registry
            .iter()
            .filter_map(|RegistryCell { column, text }| {
                let so = match column {
                    RegistryColumn::Id => present.map(|entry| entry.id.to_string()),
                    RegistryColumn::OrganizationId => Some(host.to_string()),
                    RegistryColumn::Status => present.map(|entry| entry.standing.state.to_string()),
                };
                if so.as_ref() == Some(text) {
                    return None;
                }
                let fault = Fault::field(column.as_str(), Code::read_only).actual(text.as_str());
                Some(match so {
                    Some(so) => fault.limit(so),
                    None => fault,
                })
            });
        differing.collect()
    }

    /// The facts of a new entry. What every entry has and the row lacks is told, and has some value here, so that the rest of
    /// the row can be judged.
    pub fn new_facts(&self, faults: &mut Vec<Fault>) -> Option<InstrumentFacts> {
        for column in NEEDED {
            let mut told = self.said.iter().filter(|said| said.column == column);
            if told.all(|said| said.value.is_blank()) {
                faults.push(Fault::field(column, Code::required));
            }
        }
        let category = "010000".parse().ok()?;
        let name = ("", self.asset_no.as_str());
        let begun = InstrumentFacts::new(name, Fen::ZERO, category, PurposeType::General);
        Some(self.changed_facts(begun, Empty::Keep, faults))
    }

    /// The facts of an entry after what the row says.
    pub fn changed_facts(
        &self,
        present: InstrumentFacts,
        empty: Empty,
        faults: &mut Vec<Fault>,
    ) -> InstrumentFacts {
        let mut facts = present;
        for said in &self.said {
            if said.value.is_blank() && empty == Empty::Keep {
                continue;
            }
            if let Err(Unread(told)) = (said.set)(&mut facts, &said.value) {
                let place = || Location::Field(said.column.to_owned());
                faults.extend(told.into_iter().map(|fault| Fault {
                    place: place(),
                    ..fault
                }));
            }
        }
        facts
    }
}

/// A text as a table gives it back: without white space around it, and with one kind of line break.
fn told_by_a_table(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .trim()
        .to_owned()
}
