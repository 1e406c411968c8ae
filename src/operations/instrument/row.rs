//! An entry as one row of a table: what an import says of it, cell by cell. Which columns there are and what they mean is the
//! table's to say; an absent value leaves the present one.

use std::str::FromStr;

use chrono::NaiveDate;

use crate::domain::Fen;
use crate::domain::instrument::{InstrumentFacts, PurposeType};
use crate::error::{Code, Fault};

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellValue {
    Text(String),
    Amount(Fen),
    Date(NaiveDate),
    Count(u32),
}

/// Texts that mean nothing in their column, each with what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread(pub Vec<(Code, String)>);

/// Makes an entry say a value.
pub type Set = fn(&mut InstrumentFacts, &CellValue) -> Result<(), Unread>;

impl CellValue {
    pub fn text(&self) -> Option<String> {
        match self {
            CellValue::Text(text) => Some(text.clone()),
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

    /// The value that the text is the name of; `code` when it is none.
    pub fn named<T: FromStr>(&self, code: Code) -> Result<Option<T>, Unread> {
        let Some(text) = self.text() else {
            return Ok(None);
        };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Unread(vec![(code, text)])),
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

/// One instrument as a table tells it; an absent column and an empty cell are both left out.
#[derive(Debug, Clone)]
pub struct InstrumentRow {
    pub asset_no: String,
    pub said: Vec<Said>,
}

/// What every entry has beside its number.
const NEEDED: [&str; 4] = [
    "name",
    "original_value_fen",
    "category_code",
    "purpose_type",
];

impl InstrumentRow {
    /// The facts of a new entry. What every entry has and the row lacks is told, and has some value here, so that the rest of
    /// the row can be judged.
    pub fn new_facts(&self, faults: &mut Vec<Fault>) -> Option<InstrumentFacts> {
        for column in NEEDED {
            if self.said.iter().all(|said| said.column != column) {
                faults.push(Fault::field(column, Code::required));
            }
        }
        let category = "010000".parse().ok()?;
        let name = ("", self.asset_no.as_str());
        let begun = InstrumentFacts::new(name, Fen::ZERO, category, PurposeType::General);
        Some(self.changed_facts(begun, faults))
    }

    /// The facts of an entry after what the row says.
    pub fn changed_facts(
        &self,
        present: InstrumentFacts,
        faults: &mut Vec<Fault>,
    ) -> InstrumentFacts {
        let mut facts = present;
        for said in &self.said {
            if let Err(Unread(texts)) = (said.set)(&mut facts, &said.value) {
                let told = texts.into_iter();
                faults
                    .extend(told.map(|(code, text)| Fault::field(said.column, code).actual(text)));
            }
        }
        facts
    }
}
