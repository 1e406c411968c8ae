//! What the database itself refuses, past every operation: claims on one time or one price, and changes of the trail. Each
//! statement is one that a defect above could send.

use diesel::RunQueryDsl;
use yiqi::domain::InstrumentId;
use yiqi::store::{Conn, Constraint, Database, StoreError};

use crate::both;
use crate::given;
use crate::world::*;

fn connect(app: &TestApp) -> Conn {
    app.url.parse::<Database>().unwrap().connect().unwrap()
}

fn execute(conn: &mut Conn, statement: &str) -> Result<usize, StoreError> {
    Ok(diesel::sql_query(statement).execute(conn)?)
}

#[track_caller]
fn refused(conn: &mut Conn, constraint: Constraint, statement: &str) {
    match execute(conn, statement) {
        Err(StoreError::Violated(known)) if known == constraint => {}
        other => panic!("{statement}: {other:?}"),
    }
}

/// Columns that keep a row out of the way, and the change that brings it there.
type Approach<'a> = (&'a str, String);

/// A first row, then others: inserted in its way, or beside it and changed into it.
fn guarded(
    conn: &mut Conn,
    constraint: Constraint,
    table: &str,
    insert: impl Fn(usize, &str) -> String,
    (first, overlapping): (&str, &str),
    approaches: &[Approach<'_>],
) {
    execute(conn, &insert(0, first)).unwrap();
    refused(conn, constraint, &insert(1, overlapping));
    for (number, (beside, change)) in approaches.iter().enumerate() {
        assert_eq!(execute(conn, &insert(number + 2, beside)).unwrap(), 1);
        let newest = format!("(SELECT id FROM {table} ORDER BY id DESC LIMIT 1)");
        let id = format!("id = {newest}");
        refused(
            conn,
            constraint,
            &format!("UPDATE {table} SET {change} WHERE {id}"),
        );
        execute(conn, &format!("DELETE FROM {table} WHERE {id}")).unwrap();
    }
}

fn two_instruments(app: &TestApp) -> [InstrumentId; 2] {
    [0, 1].map(|_| given::instrument(app).channels(2).insert())
}

both! {
    fn two_bookings_never_block_one_time(app: &TestApp) {
        let [instrument, other] = two_instruments(app);
        let (company, host) = (app.organization_id(COMPANY), app.organization_id(UNIVERSITY));
        let boss = app.user_id(BOSS);
        // Instrument, channel, state, blocked from and until.
        let insert = |number: usize, row: &str| format!(
            "INSERT INTO booking (instrument_id, channel, state, blocked_from, blocked_until, booking_no, organization_id, \
             host_organization_id, booked_by, starts_at, ends_at, mode, purpose, version, created_at, updated_at) VALUES \
             ({row}, 'guard-{number}', {company}, {host}, {boss}, '2026-04-01 08:00:00', '2026-04-01 12:00:00', 'guided', \
             'research', 1, '2026-03-02 00:00:00', '2026-03-02 00:00:00')"
        );
        let row = |instrument: InstrumentId, channel: i64, state: &str, from: &str, until: &str| format!(
            "{instrument}, {channel}, '{state}', '2026-04-01 {from}:00', '2026-04-01 {until}:00'"
        );
        let at_nine = |state: &str| row(instrument, 1, state, "09:00", "10:00");
        let (elsewhere, next_channel) = (row(other, 1, "held", "09:00", "10:00"), row(instrument, 2, "held", "09:00", "10:00"));
        let (after, before) = (row(instrument, 1, "held", "10:00", "11:00"), row(instrument, 1, "held", "08:00", "09:00"));
        let cancelled = at_nine("cancelled");
        guarded(
            &mut connect(app), Constraint::BookingOverlap, "booking", insert,
            (&at_nine("confirmed"), &row(instrument, 1, "requested", "09:59", "10:30")),
            &[
                (&elsewhere, format!("instrument_id = {instrument}")),
                (&next_channel, "channel = 1".to_owned()),
                (&after, "blocked_from = '2026-04-01 09:59:00'".to_owned()),
                (&before, "blocked_until = '2026-04-01 09:01:00'".to_owned()),
                (&cancelled, "state = 'in_progress'".to_owned()),
            ],
        );
    }

    fn two_usage_records_never_take_one_time(app: &TestApp) {
        let [instrument, other] = two_instruments(app);
        let company = app.organization_id(COMPANY);
        // Instrument, channel, state, start and end.
        let insert = |number: usize, row: &str| format!(
            "INSERT INTO usage_record (instrument_id, channel, state, started_at, ended_at, record_no, organization_id, \
             prepare_minutes, run_minutes, post_minutes, samples, mode, purpose, statutory, evidence, version, event_id, \
             created_at, updated_at) VALUES ({row}, 'guard-{number}', {company}, 0, 60, 0, 1, 'guided', 'research', FALSE, \
             'manual', 1, (SELECT max(id) FROM event), '2026-03-02 00:00:00', '2026-03-02 00:00:00')"
        );
        let row = |instrument: InstrumentId, channel: i64, state: &str, from: &str, until: &str| format!(
            "{instrument}, {channel}, '{state}', '2026-02-02 {from}:00', '2026-02-02 {until}:00'"
        );
        let at_nine = |state: &str| row(instrument, 1, state, "09:00", "10:00");
        let (elsewhere, next_channel) = (row(other, 1, "recorded", "09:00", "10:00"), row(instrument, 2, "recorded", "09:00", "10:00"));
        let (after, before) = (row(instrument, 1, "recorded", "10:00", "11:00"), row(instrument, 1, "recorded", "08:00", "09:00"));
        let voided = at_nine("voided");
        guarded(
            &mut connect(app), Constraint::UsageOverlap, "usage_record", insert,
            (&at_nine("confirmed"), &row(instrument, 1, "disputed", "09:59", "10:30")),
            &[
                (&elsewhere, format!("instrument_id = {instrument}")),
                (&next_channel, "channel = 1".to_owned()),
                (&after, "started_at = '2026-02-02 09:59:00'".to_owned()),
                (&before, "ended_at = '2026-02-02 09:01:00'".to_owned()),
                (&voided, "state = 'recorded'".to_owned()),
            ],
        );
    }

    fn two_prices_never_hold_at_once(app: &TestApp) {
        let [instrument, other] = two_instruments(app);
        // Instrument, class, mode, from and until.
        let insert = |_: usize, row: &str| format!(
            "INSERT INTO tariff (instrument_id, customer_class, mode, valid_from, valid_until, price_fen_per_hour, created_at) \
             VALUES ({row}, 100, '2026-03-02 00:00:00')"
        );
        let row = |instrument: InstrumentId, rest: &str| format!("{instrument}, {rest}");
        let year = "NULL, NULL, '2026-01-01', '2027-01-01'";
        let rows = [
            row(other, year),
            row(instrument, "'sme', NULL, '2026-01-01', '2027-01-01'"),
            row(instrument, "NULL, 'guided', '2026-01-01', '2027-01-01'"),
            row(instrument, "NULL, NULL, '2027-01-01', NULL"),
            row(instrument, "NULL, NULL, '2025-01-01', '2026-01-01'"),
        ];
        let changes = [
            format!("instrument_id = {instrument}"),
            "customer_class = NULL".to_owned(),
            "mode = NULL".to_owned(),
            "valid_from = '2026-12-31'".to_owned(),
            "valid_until = NULL".to_owned(),
        ];
        let approaches: Vec<Approach<'_>> = rows.iter().map(String::as_str).zip(changes).collect();
        guarded(
            &mut connect(app), Constraint::TariffOverlap, "tariff", insert,
            (&row(instrument, year), &row(instrument, "NULL, NULL, '2026-12-31', NULL")),
            &approaches,
        );
    }

    fn the_trail_is_never_changed(app: &TestApp) {
        given::instrument(app).insert();
        let mut conn = connect(app);
        refused(&mut conn, Constraint::EventAppendOnly, "UPDATE event SET action = 'nothing'");
        refused(&mut conn, Constraint::EventAppendOnly, "DELETE FROM event");
    }
}
