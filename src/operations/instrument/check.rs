//! Everything that can be wrong with an entry, found together: its fields, the codes it names, the threshold, what
//! submission needs and what stands still while listed.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;

use crate::domain::Fen;
use crate::domain::exemption::ExemptionState;
use crate::domain::instrument::{InstrumentFacts, InstrumentState};
use crate::domain::region::RegionCode;
use crate::error::{AppError, Code, Fault};
use crate::operations::policy;
use crate::store::instrument::Instrument;
use crate::store::reference::Codes;
use crate::store::{self, Conn};

/// What entries are judged by on a day; read once for all of an import.
#[derive(Debug)]
pub(super) struct Rules {
    today: NaiveDate,
    threshold: Fen,
    codes: Codes,
}

/// The rules of one request, which are read when they are first asked for: many entries are judged by one reading.
#[derive(Debug, Default)]
pub(super) struct RulesOnce(Mutex<Option<Arc<Rules>>>);

impl RulesOnce {
    pub(super) fn read(&self, conn: &mut Conn, today: NaiveDate) -> Result<Arc<Rules>, AppError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rules) = known.as_ref() {
            return Ok(Arc::clone(rules));
        }
        let rules = Arc::new(Rules::read(conn, today)?);
        *known = Some(Arc::clone(&rules));
        Ok(rules)
    }
}

impl Rules {
    pub(super) fn read(conn: &mut Conn, today: NaiveDate) -> Result<Self, AppError> {
        let policy = policy::active(conn, today)?;
        Ok(Self {
            today,
            threshold: policy
                .registration
                .map_or(Fen::ZERO, |rule| rule.threshold_fen),
            codes: store::reference::list_codes(conn)?,
        })
    }

    /// What is wrong with a new entry.
    pub(super) fn check_new(&self, facts: &InstrumentFacts) -> Vec<Fault> {
        let mut faults = self.check_fields(facts);
        faults.extend(facts.check_threshold(self.threshold).err());
        faults
    }

    /// What is wrong with a change of an entry. One that was submitted stays complete; the value of a listed one does not
    /// change, so that a threshold raised later does not lock its texts.
    pub(super) fn check_change(
        &self,
        present: &Instrument,
        facts: &InstrumentFacts,
        exemption: Option<ExemptionState>,
    ) -> Vec<Fault> {
        let mut faults = if present.standing.state.is_locked() {
            let mut faults = present.facts.locked_changes(facts);
            faults.extend(self.check_fields(facts));
            faults
        } else {
            self.check_new(facts)
        };
        if !matches!(
            present.standing.state,
            InstrumentState::Draft | InstrumentState::Returned
        ) {
            faults.extend(facts.missing_for_submission(exemption));
        }
        faults
    }

    /// What still keeps an entry from being submitted.
    pub(super) fn check_submission(
        &self,
        facts: &InstrumentFacts,
        exemption: Option<ExemptionState>,
    ) -> Vec<Fault> {
        let mut faults = self.check_new(facts);
        faults.extend(facts.missing_for_submission(exemption));
        faults
    }

    fn check_fields(&self, facts: &InstrumentFacts) -> Vec<Fault> {
        let mut faults = facts.validate(self.today).err().unwrap_or_default();
        let category = facts.category_code.as_str();
        if !self.codes.categories.contains(category) {
            faults.push(Fault::field("category_code", Code::unknown_category).actual(category));
        }
        if let Some(region) = facts
            .region_code
            .filter(|region| !self.knows_region(*region))
        {
            faults.push(Fault::field("region_code", Code::unknown_region).actual(region.as_str()));
        }
        for (at, subject) in facts.description.subjects.iter().enumerate() {
            if !self.codes.subjects.contains(subject.as_str()) {
                let field = format!("subjects[{at}]");
                faults.push(Fault::field(field, Code::unknown_reference).actual(subject.as_str()));
            }
        }
        faults
    }

    /// Counties outside Hebei are not listed anywhere.
    fn knows_region(&self, region: RegionCode) -> bool {
        region.province() != RegionCode::HEBEI || self.codes.regions.contains(region.as_str())
    }
}

/// How far the exemption of an instrument from sharing is.
pub(super) fn exemption_of(
    conn: &mut Conn,
    present: &Instrument,
) -> Result<Option<ExemptionState>, AppError> {
    let newest = store::exemption::find(conn, present.id)?;
    Ok(newest.map(|exemption| exemption.state))
}
