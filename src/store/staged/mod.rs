//! The finished rows of an import, staged in small commits beside other work and moved in one transaction. Nothing but the
//! import itself reads them. Events get their ids when they are moved, so that ids follow the commits: rows are staged under
//! positions, which count the events of an import from 1.

mod instrument;
mod usage;

use std::fmt::Write as _;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text};

pub use instrument::{StagedInstrument, insert_instruments, update_instruments};
pub use usage::{StagedCharge, StagedRecord, insert_records};

use super::bulk::{insert_all, reserve_ids};
use super::event::NewEvent;
use super::schema::{
    staged_charge, staged_event, staged_import, staged_instrument, staged_usage_record,
};
use super::{Conn, Result};
use crate::domain::{ApiKeyId, Instant, OrganizationId, UserId};

/// An import under way.
pub type StagedImportId = i64;

/// Lists an import whose rows are stamped with `began_at`.
pub fn insert(conn: &mut Conn, began_at: Instant) -> Result<StagedImportId> {
    Ok(diesel::insert_into(staged_import::table)
        .values(staged_import::began_at.eq(began_at))
        .returning(staged_import::id)
        .get_result(conn)?)
}

/// The moment of the oldest import under way.
pub fn oldest(conn: &mut Conn) -> Result<Option<Instant>> {
    Ok(staged_import::table
        .select(diesel::dsl::min(staged_import::began_at))
        .first(conn)?)
}

/// Ends the listing of an import: what it has staged is waste. False when it was not listed any more.
pub fn delete(conn: &mut Conn, import: StagedImportId) -> Result<bool> {
    let listed = staged_import::table.find(import);
    Ok(diesel::delete(listed).execute(conn)? == 1)
}

/// Ends the listing of imports that began before; answers how many.
pub fn delete_before(conn: &mut Conn, before: Instant) -> Result<usize> {
    let dead = staged_import::table.filter(staged_import::began_at.lt(before));
    Ok(diesel::delete(dead).execute(conn)?)
}

/// Rows of one commit.
#[derive(Debug, Default)]
pub struct Batch {
    pub events: Vec<(i64, NewEvent)>,
    pub instruments: Vec<StagedInstrument>,
    pub records: Vec<StagedRecord>,
    pub charges: Vec<StagedCharge>,
}

#[derive(Insertable)]
#[diesel(table_name = staged_event, treat_none_as_default_value = false)]
struct EventRow<'a> {
    import_id: StagedImportId,
    position: i64,
    action: &'a str,
    subject_type: &'a str,
    subject_id: i64,
    actor_user_id: Option<UserId>,
    actor_api_key_id: Option<ApiKeyId>,
    actor_organization_id: Option<OrganizationId>,
    organization_id: Option<OrganizationId>,
    counterpart_organization_id: Option<OrganizationId>,
    request_id: Option<&'a str>,
    before: Option<String>,
    after: Option<String>,
    personal_digest: Option<&'a str>,
    personal_salt: Option<&'a str>,
    personal_content: Option<&'a str>,
}

impl<'a> EventRow<'a> {
    fn of(import: StagedImportId, position: i64, new: &'a NewEvent) -> Self {
        let personal = new.personal.as_ref();
        Self {
            import_id: import,
            position,
            action: new.action.as_str(),
            subject_type: new.subject.kind,
            subject_id: new.subject.id,
            actor_user_id: new.actor_user_id,
            actor_api_key_id: new.actor_api_key_id,
            actor_organization_id: new.actor_organization_id,
            organization_id: new.organization_id,
            counterpart_organization_id: new.counterpart_organization_id,
            request_id: new.request_id.as_deref(),
            before: new.before.as_ref().map(ToString::to_string),
            after: new.after.as_ref().map(ToString::to_string),
            personal_digest: personal.map(|personal| personal.digest.as_str()),
            personal_salt: personal.map(|personal| personal.salt.as_str()),
            personal_content: personal.map(|personal| personal.content.as_str()),
        }
    }
}

/// Stages the rows of a batch.
pub fn insert_batch(conn: &mut Conn, import: StagedImportId, batch: &Batch) -> Result<()> {
    let events = batch.events.iter();
    let events: Vec<EventRow<'_>> = events
        .map(|(position, new)| EventRow::of(import, *position, new))
        .collect();
    insert_all!(conn, staged_event::table, &events);
    insert_all!(conn, staged_instrument::table, &batch.instruments);
    insert_all!(conn, staged_usage_record::table, &batch.records);
    insert_all!(conn, staged_charge::table, &batch.charges);
    Ok(())
}

/// The ids of an import's events, drawn in the transaction that moves them.
#[derive(Debug)]
pub enum EventIds {
    /// SQLite: the block behind this id.
    After(i64),
    /// PostgreSQL: by position.
    Drawn(Vec<i64>),
}

impl EventIds {
    /// The caller holds `Lock::RecordsShared`, so that no freeze falls between these ids and the rows they stand in.
    pub fn draw(conn: &mut Conn, count: usize) -> Result<Self> {
        let ids = reserve_ids(conn, "event", count)?;
        Ok(match (conn, ids.first()) {
            (Conn::Sqlite(_), Some(first)) => EventIds::After(first - 1),
            _ => EventIds::Drawn(ids),
        })
    }
}

/// Runs a statement that moves an import's rows; answers how many. In it `{event}` is the event id at `s.position`,
/// `{import}` the import, `{given}` what lets ids be given.
fn move_rows(
    conn: &mut Conn,
    import: StagedImportId,
    ids: &EventIds,
    statement: &str,
) -> Result<usize> {
    move_rows_with(conn, import, ids, statement, "")
}

/// As [`move_rows`]; `{text}` is the same in every row.
fn move_rows_with(
    conn: &mut Conn,
    import: StagedImportId,
    ids: &EventIds,
    statement: &str,
    text: &str,
) -> Result<usize> {
    Ok(match (conn, ids) {
        (Conn::Postgres(postgres), EventIds::Drawn(ids)) => {
            let statement = statement
                .replace("{event}", "($1)[s.position::int]")
                .replace("{import}", "$2")
                .replace("{text}", "$3")
                .replace("{given}", "OVERRIDING SYSTEM VALUE");
            let moved = sql_query(statement).bind::<Array<BigInt>, _>(ids);
            let moved = moved.bind::<BigInt, _>(import).bind::<Text, _>(text);
            moved.execute(postgres)?
        }
        (Conn::Sqlite(sqlite), EventIds::After(last)) => {
            let statement = statement
                .replace("{text}", "?1")
                .replace("{event}", "(?2 + s.position)")
                .replace("{import}", "?3")
                .replace("{given}", "");
            // What a statement names last, SQLite counts its parameters by.
            let moved = sql_query(statement).bind::<Text, _>(text);
            let moved = moved.bind::<BigInt, _>(last).bind::<BigInt, _>(import);
            moved.execute(sqlite)?
        }
        // An import without events has no rows to move.
        _ => 0,
    })
}

/// Appends the staged events to the trail, in order.
pub fn insert_events(conn: &mut Conn, import: StagedImportId, ids: &EventIds) -> Result<()> {
    let events = "INSERT INTO event (id, happened_at, action, subject_type, subject_id, actor_user_id, actor_api_key_id, \
         actor_organization_id, organization_id, counterpart_organization_id, request_id, before, after, personal_digest) \
         {given} SELECT {event}, i.began_at, s.action, s.subject_type, s.subject_id, s.actor_user_id, s.actor_api_key_id, \
         s.actor_organization_id, s.organization_id, s.counterpart_organization_id, s.request_id, s.before, s.after, \
         s.personal_digest FROM staged_event s JOIN staged_import i ON i.id = s.import_id \
         WHERE s.import_id = {import} ORDER BY s.position";
    move_rows(conn, import, ids, events)?;
    let texts = "INSERT INTO event_personal (event_id, salt, content) \
         SELECT {event}, s.personal_salt, s.personal_content FROM staged_event s \
         WHERE s.import_id = {import} AND s.personal_content IS NOT NULL ORDER BY s.position";
    move_rows(conn, import, ids, texts)?;
    Ok(())
}

const TABLES: [&str; 4] = [
    "staged_event",
    "staged_instrument",
    "staged_usage_record",
    "staged_charge",
];

#[derive(QueryableByName)]
struct Dead {
    #[diesel(sql_type = BigInt)]
    import_id: i64,
}

/// Imports that are not listed any more and still have rows.
pub fn list_dead(conn: &mut Conn) -> Result<Vec<StagedImportId>> {
    let mut statement = String::new();
    for table in TABLES {
        let union = if statement.is_empty() { "" } else { " UNION " };
        // Writing to a string does not fail.
        let _ = write!(
            statement,
            "{union}SELECT s.import_id FROM {table} s WHERE NOT EXISTS \
             (SELECT 1 FROM staged_import i WHERE i.id = s.import_id)"
        );
    }
    let dead: Vec<Dead> = sql_query(statement).load(conn)?;
    Ok(dead.into_iter().map(|dead| dead.import_id).collect())
}

/// Removes up to `most` rows that an import has staged in each table; answers how many in all.
pub fn delete_rows(conn: &mut Conn, import: StagedImportId, most: usize) -> Result<usize> {
    let mut deleted = 0;
    for table in TABLES {
        deleted += sql_query(format!(
            "DELETE FROM {table} WHERE import_id = {import} AND position IN \
             (SELECT position FROM {table} WHERE import_id = {import} ORDER BY position LIMIT {most})"
        ))
        .execute(conn)?;
    }
    Ok(deleted)
}
