//! Versions of instruments on their way in: first ones become rows, later ones change the row that their version follows.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::{EventIds, StagedImportId, move_rows, move_rows_with};
use crate::domain::booking_rules::BookingRules;
use crate::domain::contact::PublicContact;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{InstrumentDescription, InstrumentState, PurposeType};
use crate::domain::{CategoryCode, EventId, Fen, InstrumentId, OrganizationId, RegionCode};
use crate::store::instrument::{Instrument, version_content};
use crate::store::schema::staged_instrument;
use crate::store::{Conn, Json, Result, StoreError, terms};

/// A version in finished form. What an import never changes (the state and its moments) is not staged.
#[derive(Debug, Insertable)]
#[diesel(table_name = staged_instrument, treat_none_as_default_value = false)]
pub struct StagedInstrument {
    import_id: StagedImportId,
    position: i64,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    asset_no: String,
    name: String,
    state: InstrumentState,
    category_code: CategoryCode,
    purpose_type: PurposeType,
    original_value_fen: Fen,
    share_mode: Option<ShareMode>,
    model: Option<String>,
    manufacturer: Option<String>,
    country: Option<String>,
    region_code: RegionCode,
    location: Option<String>,
    public_contact: Option<Json<PublicContact>>,
    channels: i64,
    acquired_on: Option<NaiveDate>,
    accepted_on: Option<NaiveDate>,
    enabled_on: Option<NaiveDate>,
    description: Json<InstrumentDescription>,
    version: i64,
    content_head: String,
    content_tail: String,
}

impl StagedInstrument {
    /// The version made by the event at the position; the event that `whole` names is not looked at.
    pub fn of(import: StagedImportId, position: i64, whole: Instrument) -> Result<Self> {
        let (content_head, content_tail) = around_event(&version_content(&whole)?)?;
        Ok(Self {
            import_id: import,
            position,
            instrument_id: whole.id,
            organization_id: whole.organization_id,
            asset_no: whole.asset_no,
            name: whole.name,
            state: whole.state,
            category_code: whole.category_code,
            purpose_type: whole.purpose_type,
            original_value_fen: whole.original_value_fen,
            share_mode: whole.share_mode,
            model: whole.model,
            manufacturer: whole.manufacturer,
            country: whole.country,
            region_code: whole.region_code,
            location: whole.location,
            public_contact: whole.public_contact,
            channels: whole.channels,
            acquired_on: whole.acquired_on,
            accepted_on: whole.accepted_on,
            enabled_on: whole.enabled_on,
            description: whole.description,
            version: whole.version,
            content_head,
            content_tail,
        })
    }

    /// An id for a version whose own is not drawn yet.
    pub fn event_to_come() -> Result<EventId> {
        EventId::try_from(1).map_err(|_| StoreError::NotFound)
    }
}

/// A version's content before and after the id of its event. A quote within a text is escaped, so the member is found where
/// it is one.
fn around_event(content: &str) -> Result<(String, String)> {
    const MEMBER: &str = "\"event_id\":";
    let missing = || serde::ser::Error::custom("a version names no event");
    let (head, tail) = content
        .split_once(MEMBER)
        .ok_or_else(|| StoreError::Content(missing()))?;
    let tail = tail.trim_start_matches(|letter: char| letter.is_ascii_digit());
    Ok((format!("{head}{MEMBER}"), tail.to_owned()))
}

const VERSIONS: &str = "INSERT INTO instrument_version (instrument_id, version, content, valid_from, event_id) \
    SELECT s.instrument_id, s.version, s.content_head || {event} || s.content_tail, i.began_at, {event} \
    FROM staged_instrument s JOIN staged_import i ON i.id = s.import_id WHERE s.import_id = {import} \
    ORDER BY s.instrument_id";

const FIRST: &str = "INSERT INTO instrument (id, organization_id, asset_no, name, state, category_code, purpose_type, \
    original_value_fen, share_mode, model, manufacturer, country, region_code, location, public_contact, channels, acquired_on, \
    accepted_on, enabled_on, description, version, event_id, created_at, updated_at) {given} \
    SELECT s.instrument_id, s.organization_id, s.asset_no, s.name, s.state, s.category_code, s.purpose_type, \
    s.original_value_fen, s.share_mode, s.model, s.manufacturer, s.country, s.region_code, s.location, s.public_contact, \
    s.channels, s.acquired_on, s.accepted_on, s.enabled_on, s.description, s.version, {event}, i.began_at, i.began_at \
    FROM staged_instrument s JOIN staged_import i ON i.id = s.import_id \
    WHERE s.import_id = {import} AND s.version = 1 ORDER BY s.instrument_id";

const NEXT: &str = "UPDATE instrument SET name = s.name, category_code = s.category_code, purpose_type = s.purpose_type, \
    original_value_fen = s.original_value_fen, share_mode = s.share_mode, model = s.model, manufacturer = s.manufacturer, \
    country = s.country, region_code = s.region_code, location = s.location, public_contact = s.public_contact, \
    channels = s.channels, acquired_on = s.acquired_on, accepted_on = s.accepted_on, enabled_on = s.enabled_on, \
    description = s.description, version = s.version, event_id = {event}, updated_at = i.began_at \
    FROM staged_instrument s JOIN staged_import i ON i.id = s.import_id \
    WHERE s.import_id = {import} AND s.version > 1 AND instrument.id = s.instrument_id AND instrument.version = s.version - 1";

const RULES: &str = "INSERT INTO booking_rules (instrument_id, rules, version, updated_at) \
    SELECT s.instrument_id, {text}, 1, i.began_at FROM staged_instrument s JOIN staged_import i ON i.id = s.import_id \
    WHERE s.import_id = {import} AND s.version = 1 ORDER BY s.instrument_id";

/// Moves the staged first versions in, with the booking rules every instrument begins with; their events are there. Violates
/// `InstrumentAssetNo`.
pub fn insert_instruments(
    conn: &mut Conn,
    import: StagedImportId,
    ids: &EventIds,
    rules: &BookingRules,
) -> Result<()> {
    move_rows(conn, import, ids, FIRST)?;
    let rules = serde_json::to_string(rules)?;
    move_rows_with(conn, import, ids, RULES, &rules)?;
    Ok(())
}

/// Moves the later versions in, then the contents of all versions. Contended when one does not follow the present version.
pub fn update_instruments(
    conn: &mut Conn,
    import: StagedImportId,
    ids: &EventIds,
    changed: usize,
) -> Result<()> {
    if changed > 0 && move_rows(conn, import, ids, NEXT)? != changed {
        return Err(StoreError::Contended);
    }
    move_rows(conn, import, ids, VERSIONS)?;
    let moved: Vec<InstrumentId> = staged_instrument::table
        .filter(staged_instrument::import_id.eq(import))
        .filter(staged_instrument::version.gt(1))
        .select(staged_instrument::instrument_id)
        .load(conn)?;
    // The first booking of each makes them anew.
    terms::forget(conn, &moved)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_of_a_version_is_found_beside_texts_that_look_like_it() {
        let content = r#"{"name":"\"event_id\":7","version":2,"event_id":1,"created_at":"2026"}"#;
        let (head, tail) = around_event(content).unwrap();
        assert_eq!(
            format!("{head}42{tail}"),
            content.replace("\"event_id\":1,", "\"event_id\":42,")
        );
        assert!(around_event("{}").is_err());
    }
}
