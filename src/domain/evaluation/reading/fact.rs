//! The lines that came with format 3: what units report, requests, what was paid before, effects of findings, and certified days.

use super::super::certified::CertifiedDays;
use super::super::inputs::{Awarded, AwardedTo, RequestGroup};
use super::Rows;
use super::fields::Fields;

impl Rows {
    /// The lines that came with format 3.
    pub(super) fn read_fact(&mut self, kind: &str, fields: &mut Fields) -> Option<()> {
        match kind {
            "reported" => {
                let (name, value) = (fields.unescaped("name")?, fields.parsed("value")?);
                if let Some(id) = fields.optional("instrument_id")? {
                    self.reported_of_instruments
                        .push((self.lines, id, name, value));
                } else {
                    let id = fields.parsed("organization_id")?;
                    self.reported.push((self.lines, id, name, value));
                }
            }
            "request" => self.requests.push((
                fields.parsed("organization_id")?,
                RequestGroup {
                    received_on: fields.parsed("received_on")?,
                    answered_on: fields.optional("answered_on")?,
                    withdrawn_on: fields.optional("withdrawn_on")?,
                    requests: fields.parsed("requests")?,
                },
            )),
            "awarded" => {
                let award_code = fields.unescaped("award")?;
                let to = match fields.optional("instrument_id")? {
                    Some(id) => AwardedTo::Instrument(id),
                    None => AwardedTo::Project(
                        fields.parsed("organization_id")?,
                        fields.unescaped("project")?,
                    ),
                };
                self.awarded
                    .insert(Awarded { award_code, to })
                    .then_some(())?;
            }
            "effect" => {
                let known = match fields.optional("usage_record_id")? {
                    Some(record) => {
                        let effect = fields.parsed("effect")?;
                        self.effects.records.insert(record, effect).is_some()
                    }
                    None => {
                        let (unit, grade) =
                            (fields.parsed("organization_id")?, fields.parsed("at_most")?);
                        self.effects.grades.insert(unit, grade).is_some()
                    }
                };
                (!known).then_some(())?;
            }
            "certified" => {
                let unit = fields.parsed("organization_id")?;
                let one = CertifiedDays {
                    certification: fields.unescaped("certification")?,
                    from_on: fields.optional("from_on")?,
                    until_on: fields.optional("until_on")?,
                };
                let certified = self.certified.as_mut()?.entry(unit).or_default();
                certified.insert(one).then_some(())?;
            }
            _ => return None,
        }
        Some(())
    }
}
