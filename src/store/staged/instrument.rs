//! Versions of instruments on their way in: first ones become rows, later ones change the row that their version follows.

use diesel::prelude::*;

use super::{EventIds, StagedImportId, move_rows, move_rows_with};
use crate::domain::booking_rules::BookingRules;
use crate::domain::{EventId, InstrumentId};
pub use crate::store::instrument::StagedInstrument;
use crate::store::instrument::{FACT_COLUMNS, Instrument, VersionDocument};
use crate::store::schema::staged_instrument;
use crate::store::{Conn, Result, StoreError, terms};

impl StagedInstrument {
    /// The version made by the event at the position; the event that `whole` names is not looked at.
    pub fn of(import: StagedImportId, position: i64, whole: &Instrument) -> Result<Self> {
        let document = around_event(&VersionDocument::text(whole)?)?;
        Self::around((import, position), whole, document)
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

/// First versions become rows.
fn first() -> String {
    let columns = FACT_COLUMNS.join(", ");
    let staged = FACT_COLUMNS.iter().map(|name| format!("s.{name}"));
    let staged = staged.collect::<Vec<_>>().join(", ");
    format!(
        "INSERT INTO instrument (id, organization_id, state, asset_no_key, {columns}, version, event_id, created_at, updated_at) {{given}} \
         SELECT s.instrument_id, s.organization_id, s.state, s.asset_no_key, {staged}, s.version, {{event}}, i.began_at, i.began_at \
         FROM staged_instrument s JOIN staged_import i ON i.id = s.import_id \
         WHERE s.import_id = {{import}} AND s.version = 1 ORDER BY s.instrument_id"
    )
}

/// Later versions change the row they follow. It is found by its number, which an import never changes.
fn next() -> String {
    let changed = FACT_COLUMNS.iter().filter(|name| **name != "asset_no");
    let changed = changed.map(|name| format!("{name} = s.{name}"));
    let changed = changed.collect::<Vec<_>>().join(", ");
    format!(
        "UPDATE instrument SET {changed}, version = s.version, event_id = {{event}}, updated_at = i.began_at \
         FROM staged_instrument s JOIN staged_import i ON i.id = s.import_id \
         WHERE s.import_id = {{import}} AND s.version > 1 AND instrument.id = s.instrument_id \
         AND instrument.version = s.version - 1"
    )
}

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
    move_rows(conn, import, ids, &first())?;
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
    if changed > 0 && move_rows(conn, import, ids, &next())? != changed {
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
