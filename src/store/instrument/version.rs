//! The versions of an instrument: how one is made from what its host declares and where the entry stands, and the document in
//! which it is kept for ever.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::facts::FactColumns;
use super::{Instrument, Standing};
use crate::domain::instrument::InstrumentFacts;
use crate::domain::{EventId, Instant, InstrumentId, OrganizationId, RegionCode};
use crate::store::schema::instrument_version;
use crate::store::{Conn, Json, Result};

/// A version to write: the facts, where it stands by default, and its state.
#[derive(Debug, Clone)]
pub struct Version<'a> {
    pub facts: &'a InstrumentFacts,
    /// The region when the facts name none: the host's seat, or where the entry stood.
    pub region: Option<RegionCode>,
    pub standing: &'a Standing,
    pub now: Instant,
}

impl Version<'_> {
    /// The whole row as version 1, made by `event`.
    pub fn first(&self, id: InstrumentId, host: OrganizationId, event: EventId) -> Instrument {
        Instrument {
            id,
            organization_id: host,
            facts: InstrumentFacts {
                region_code: self.facts.region_code.or(self.region),
                ..self.facts.clone()
            },
            standing: self.standing.clone(),
            version: 1,
            event_id: event,
            created_at: self.now,
            updated_at: self.now,
        }
    }

    /// The whole row as the version after `present`, made by `event`.
    pub fn after(&self, present: &Instrument, event: EventId) -> Instrument {
        Instrument {
            version: present.version + 1,
            created_at: present.created_at,
            ..self.first(present.id, present.organization_id, event)
        }
    }
}

/// The present format of a version's document. The first one did not say its number.
const FORMAT: u32 = 2;

fn first_format() -> u32 {
    1
}

/// A version as it is kept: its facts and its standing, column by column. What a document lacks is not known, and what nobody
/// knows any more is passed over.
#[derive(Debug, Serialize, Deserialize)]
pub struct VersionDocument {
    #[serde(default = "first_format")]
    format: u32,
    id: InstrumentId,
    organization_id: OrganizationId,
    #[serde(flatten)]
    facts: FactColumns,
    #[serde(flatten)]
    standing: Standing,
    version: i64,
    event_id: EventId,
    created_at: Instant,
    updated_at: Instant,
}

impl VersionDocument {
    /// The text of a version's document.
    pub fn text(whole: &Instrument) -> Result<String> {
        let document = VersionDocument {
            format: FORMAT,
            id: whole.id,
            organization_id: whole.organization_id,
            facts: FactColumns::of(&whole.facts)?,
            standing: whole.standing.clone(),
            version: whole.version,
            event_id: whole.event_id,
            created_at: whole.created_at,
            updated_at: whole.updated_at,
        };
        Ok(serde_json::to_string(&document)?)
    }
}

impl From<VersionDocument> for Instrument {
    fn from(document: VersionDocument) -> Self {
        Self {
            id: document.id,
            organization_id: document.organization_id,
            facts: document.facts.into(),
            standing: document.standing,
            version: document.version,
            event_id: document.event_id,
            created_at: document.created_at,
            updated_at: document.updated_at,
        }
    }
}

#[derive(Debug, Insertable)]
#[diesel(table_name = instrument_version, treat_none_as_default_value = false)]
pub struct VersionRow {
    instrument_id: InstrumentId,
    version: i64,
    content: String,
    valid_from: Instant,
    event_id: EventId,
}

impl VersionRow {
    pub fn of(whole: &Instrument) -> Result<Self> {
        Ok(Self {
            instrument_id: whole.id,
            version: whole.version,
            content: VersionDocument::text(whole)?,
            valid_from: whole.updated_at,
            event_id: whole.event_id,
        })
    }
}

/// The versions of an instrument below `before`, newest first.
pub fn list_versions(
    conn: &mut Conn,
    id: InstrumentId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Instrument>> {
    let documents: Vec<Json<VersionDocument>> = instrument_version::table
        .filter(
            instrument_version::instrument_id
                .eq(id)
                .and(instrument_version::version.lt(before.unwrap_or(i64::MAX))),
        )
        .select(instrument_version::content)
        .order(instrument_version::version.desc())
        .limit(limit)
        .load(conn)?;
    let wholes = documents.into_iter().map(Json::into_inner);
    Ok(wholes.map(Instrument::from).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::Fen;
    use crate::domain::contact::PublicContact;
    use crate::domain::exemption::ShareMode;
    use crate::domain::instrument::{
        Customs, FundingSource, InstrumentDescription, InstrumentSource, InstrumentState,
        PurposeType,
    };

    /// Every format in which versions were ever kept. These files never change.
    const GOLDEN: [&str; 2] = [
        include_str!("../../../tests/golden/instrument_version.v1.json"),
        include_str!("../../../tests/golden/instrument_version.v2.json"),
    ];

    fn microscope() -> Instrument {
        let text = |text: &str| Some(text.to_owned());
        let facts = InstrumentFacts {
            model: text("SU8600"),
            manufacturer: text("Hitachi"),
            country: text("日本"),
            accepted_on: "2024-05-06".parse().ok(),
            enabled_on: "2024-06-01".parse().ok(),
            share_mode: Some(ShareMode::External),
            region_code: "130602".parse().ok(),
            location: text("实验楼 101"),
            public_contact: Some(PublicContact {
                name: "张工".to_owned(),
                phone: "0312-5000000".to_owned(),
                email: None,
            }),
            channels: 2,
            description: InstrumentDescription {
                name_en: text("SEM"),
                funding: Some(FundingSource::Central),
                source: Some(InstrumentSource::Purchased),
                subjects: vec!["140".parse().unwrap()],
                technical: text("0.6 nm\n\"event_id\":7"),
                functions: None,
                service_content: None,
                user_notice: None,
                latitude: "38.874512".parse().ok(),
                longitude: "115.4".parse().ok(),
                customs: Some(Customs {
                    supervised: true,
                    declaration_no: text("020220221000000001"),
                    released_on: "2024-07-01".parse().ok(),
                    ..Customs::default()
                }),
                is_set: false,
            },
            ..InstrumentFacts::new(
                ("场发射扫描电子显微镜", "A \"1\""),
                Fen::new(120_000_000),
                "010102".parse().unwrap(),
                PurposeType::General,
            )
        };
        let standing = Standing {
            submitted_at: "2024-06-02T09:00:00+08:00".parse().ok(),
            listed_at: "2024-06-03T09:00:00+08:00".parse().ok(),
            suspended_at: "2024-07-01T00:00:00+08:00".parse().ok(),
            state: InstrumentState::Suspended,
            state_reason: text("检修"),
            retired_on: None,
        };
        Instrument {
            id: 7.try_into().unwrap(),
            organization_id: 3.try_into().unwrap(),
            facts,
            standing,
            version: 4,
            event_id: 42.try_into().unwrap(),
            created_at: "2024-06-01T08:00:00+08:00".parse().unwrap(),
            updated_at: "2024-07-01T00:00:00+08:00".parse().unwrap(),
        }
    }

    #[test]
    fn versions_of_every_format_are_read_and_the_present_one_is_written() {
        for stored in GOLDEN {
            let document: VersionDocument = serde_json::from_str(stored).unwrap();
            assert_eq!(Instrument::from(document), microscope());
        }
        let written = VersionDocument::text(&microscope()).unwrap();
        let written: Value = serde_json::from_str(&written).unwrap();
        let [.., present] = GOLDEN;
        let present: Value = serde_json::from_str(present).unwrap();
        let mut both = written.clone();
        merge(&mut both, &present);
        assert_eq!(both, written);
    }

    /// Puts the members of one document into another; more members make no other format.
    fn merge(into: &mut Value, members: &Value) {
        match (into, members) {
            (Value::Object(into), Value::Object(members)) => {
                for (name, member) in members {
                    merge(into.entry(name).or_insert("lost".into()), member);
                }
            }
            (into, member) => *into = member.clone(),
        }
    }

    #[test]
    fn what_nobody_knows_is_passed_over_and_what_is_lacking_is_not_known() {
        let mut stored: Value = serde_json::from_str(GOLDEN[1]).unwrap();
        for (member, text) in [("colour", "grey"), ("model", "")] {
            stored[member] = text.into();
        }
        stored["description"]["colour"] = "grey".into();
        stored["description"]["customs"]["colour"] = "grey".into();
        stored["public_contact"]["colour"] = "grey".into();
        for lacking in ["model", "location", "retired_on"] {
            stored.as_object_mut().unwrap().remove(lacking);
        }
        stored["description"]
            .as_object_mut()
            .unwrap()
            .remove("subjects");
        let read: VersionDocument = serde_json::from_value(stored).unwrap();
        let mut expected = microscope();
        expected.facts.model = None;
        expected.facts.location = None;
        expected.facts.description.subjects = Vec::new();
        assert_eq!(Instrument::from(read), expected);
    }
}
