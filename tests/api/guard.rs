//! What the database itself refuses, past every operation: claims on one time or one price, and changes of the trail. Each
//! statement is one that a defect above could send.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
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

    fn payments_never_exceed_their_charge(app: &TestApp) {
        let charge = charge_of_9000(app);
        let mut conn = connect(app);
        let mut paid = |id: i64, state: &str, amount: i64| pay(&mut conn, app.backend, charge, (id, state, amount));
        paid(101, "received", 6_000).unwrap();
        let above = Err(Constraint::PaymentAboveCharge);
        assert_eq!(paid(102, "received", 3_001), above);
        assert_eq!(paid(103, "declared", 3_001), above);
        assert_eq!(paid(104, "declared", 9_001), above);
        assert_eq!(paid(105, "received", 0), above);
        // What is declared counts nowhere yet, nor does what was refused or went back.
        for (id, state) in [(106, "declared"), (107, "declared"), (108, "refused"), (109, "reversed")] {
            paid(id, state, 3_000).unwrap();
        }
        let above = Constraint::PaymentAboveCharge;
        refused(&mut conn, above, "UPDATE payment_line SET amount_fen = 9001 WHERE payment_id = 101");
        refused(&mut conn, above, "UPDATE payment_line SET amount_fen = -1 WHERE payment_id = 101");
        execute(&mut conn, "UPDATE payment SET state = 'received' WHERE id = 106").unwrap();
        for id in [107, 108, 109] {
            refused(&mut conn, above, &format!("UPDATE payment SET state = 'received' WHERE id = {id}"));
        }
        refused(&mut conn, above, &format!("UPDATE charge SET amount_fen = 8999 WHERE id = {charge}"));
        if app.backend == Backend::Sqlite {
            let columns = "payer_organization_id, source, paid_on, amount_fen, event_id, created_at, state";
            let others = "payer_organization_id, source, paid_on, amount_fen, event_id, created_at, 'received'";
            for statement in [
                format!("REPLACE INTO payment (id, {columns}) SELECT id, {others} FROM payment WHERE id = 107"),
                format!("REPLACE INTO payment_line VALUES (101, {charge}, 6001)"),
            ] {
                refused(&mut conn, above, &statement);
            }
        }
    }

    /// Two connections at once, past every operation: the second waits for the first and counts it.
    fn payments_at_once_never_exceed_their_charge(app: &TestApp) {
        let charge = charge_of_9000(app);
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let racers = (201..=204).map(|id| {
                scope.spawn(move || pay(&mut connect(app), app.backend, charge, (id, "received", 6_000)))
            });
            let racers: Vec<_> = racers.collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|one| matches!(one, Ok(()) | Err(Constraint::PaymentAboveCharge))));
    }

    fn the_trail_is_never_changed(app: &TestApp) {
        given::instrument(app).insert();
        let mut conn = connect(app);
        refused(&mut conn, Constraint::EventAppendOnly, "UPDATE event SET action = 'nothing'");
        refused(&mut conn, Constraint::EventAppendOnly, "DELETE FROM event");
        let columns = "happened_at, action, subject_type, subject_id";
        let copy = format!("(id, {columns}) SELECT id, {columns} FROM event");
        match app.backend {
            Backend::Sqlite => {
                for verb in ["REPLACE", "INSERT OR REPLACE"] {
                    refused(&mut conn, Constraint::EventAppendOnly, &format!("{verb} INTO event {copy}"));
                }
                refused(&mut conn, Constraint::EventAppendOnly, "UPDATE OR REPLACE event SET id = 1");
            }
            Backend::Postgres => {
                refused(&mut conn, Constraint::EventAppendOnly, "TRUNCATE event CASCADE");
                // From a table that the trail does not depend on, and with others.
                refused(&mut conn, Constraint::EventAppendOnly, "TRUNCATE event, event_personal CASCADE");
                let overriding = format!("INSERT INTO event (id, {columns}) OVERRIDING SYSTEM VALUE SELECT id, {columns} FROM event \
                    ON CONFLICT (id) DO UPDATE SET action = 'nothing'");
                refused(&mut conn, Constraint::EventAppendOnly, &overriding);
            }
        }
    }

    fn what_is_final_is_neither_replaced_nor_emptied(app: &TestApp) {
        let mut conn = connect(app);
        final_year(app, &mut conn);
        let sqlite: &[(Constraint, &str)] = &[
            (Constraint::EvaluationFinal, "REPLACE INTO evaluation SELECT * FROM evaluation WHERE id = 1"),
            (Constraint::EvaluationFinalUnique, "REPLACE INTO evaluation (id, year, policy_id, policy_digest, state, progress, version, created_at, updated_at) \
                SELECT 9, year, policy_id, policy_digest, state, progress, version, created_at, updated_at FROM evaluation WHERE id = 1"),
            (Constraint::EvaluationFinal, "UPDATE OR REPLACE evaluation SET id = 1 WHERE id = 2"),
            (Constraint::EvaluationFinalUnique, "UPDATE OR REPLACE evaluation SET state = 'final' WHERE id = 2"),
            (Constraint::SubsidyRunFinal, "REPLACE INTO subsidy_run SELECT * FROM subsidy_run WHERE id = 1"),
            (Constraint::SubsidyRunFinalUnique, "REPLACE INTO subsidy_run (id, year, policy_id, policy_digest, budget_fen, state, progress, version, created_at, updated_at) \
                SELECT 9, year, policy_id, policy_digest, budget_fen, state, progress, version, created_at, updated_at FROM subsidy_run WHERE id = 1"),
            (Constraint::SubsidyRunFinal, "UPDATE OR REPLACE subsidy_run SET id = 1 WHERE id = 2"),
            (Constraint::SubsidyRunFinalUnique, "UPDATE OR REPLACE subsidy_run SET state = 'final' WHERE id = 2"),
            (Constraint::SubsidyRunFinal, "REPLACE INTO award (id, subsidy_run_id, organization_id, grade, before_pool_fen, award_fen, instruments) \
                SELECT 1, 2, organization_id, grade, before_pool_fen, award_fen, instruments FROM award WHERE id = 1"),
            (Constraint::SubsidyRunFinal, "UPDATE OR REPLACE award SET id = 1 WHERE id = 2"),
            (Constraint::SubsidyRunFinal, "REPLACE INTO award_step (rowid, award_id, position, step, operands, before_fen, after_fen) VALUES (1, 2, 9, 's', '', '0', '0')"),
            (Constraint::SubsidyRunFinal, "UPDATE OR REPLACE award_step SET rowid = 1 WHERE award_id = 2"),
            (Constraint::EvaluationFinal, "REPLACE INTO evaluation_input (rowid, evaluation_id, position, line) VALUES (1, 2, 9, '')"),
            (Constraint::EvaluationFinal, "UPDATE OR REPLACE evaluation_input SET rowid = 1 WHERE evaluation_id = 2"),
            (Constraint::PolicyUsed, "REPLACE INTO policy SELECT * FROM policy WHERE id = (SELECT policy_id FROM evaluation WHERE id = 1)"),
            (Constraint::PolicyVersion, "REPLACE INTO policy (code, version, title, content, digest, created_at) \
                SELECT code, version, title, 'other', digest, created_at FROM policy WHERE id = (SELECT policy_id FROM evaluation WHERE id = 1)"),
            (Constraint::PolicyVersion, "UPDATE OR REPLACE policy SET id = (SELECT policy_id FROM evaluation WHERE id = 1) WHERE code = 'unused'"),
        ];
        let postgres: &[(Constraint, &str)] = &[
            (Constraint::EvaluationFinal, "TRUNCATE evaluation_input"),
            (Constraint::EvaluationFinal, "TRUNCATE evaluation_unit"),
            (Constraint::EvaluationFinal, "TRUNCATE expert_score"),
            (Constraint::EvaluationFinal, "TRUNCATE evaluation CASCADE"),
            (Constraint::SubsidyRunFinal, "TRUNCATE award_step"),
            (Constraint::SubsidyRunFinal, "TRUNCATE award, award_step CASCADE"),
            (Constraint::SubsidyRunFinal, "TRUNCATE subsidy_run, award, award_step CASCADE"),
            (Constraint::PolicyUsed, "TRUNCATE policy CASCADE"),
        ];
        let own = match app.backend {
            Backend::Sqlite => sqlite,
            Backend::Postgres => postgres,
        };
        for (constraint, statement) in own {
            refused(&mut conn, *constraint, statement);
        }
        for column in ["code", "title", "content", "digest"] {
            let used = "id = (SELECT policy_id FROM evaluation WHERE id = 1)";
            refused(&mut conn, Constraint::PolicyUsed, &format!("UPDATE policy SET {column} = 'other' WHERE {used}"));
        }
        assert_eq!(execute(&mut conn, "UPDATE policy SET title = 'other' WHERE code = 'unused'").unwrap(), 1);
    }
}

/// A charge of 90 yuan.
fn charge_of_9000(app: &TestApp) -> i64 {
    let record = crate::charge::record(app, crate::charge::priced(app), 10);
    let charges = crate::charge::charge_of(&app.as_host(), record);
    charges[0]["id"].as_i64().unwrap()
}

/// A payment and its line, in a transaction of their own; which constraint refuses it.
fn pay(
    conn: &mut Conn,
    backend: Backend,
    charge: i64,
    (id, state, amount): (i64, &str, i64),
) -> Result<(), Constraint> {
    let (begin, overriding) = match backend {
        Backend::Sqlite => ("BEGIN IMMEDIATE", ""),
        Backend::Postgres => ("BEGIN", "OVERRIDING SYSTEM VALUE"),
    };
    execute(conn, begin).unwrap();
    let payment = format!(
        "INSERT INTO payment (id, payer_organization_id, source, paid_on, amount_fen, event_id, created_at, state) {overriding} \
         SELECT {id}, payer_organization_id, 'payer', '2026-03-01', 9000, event_id, '2026-03-02 00:00:00', '{state}' \
         FROM charge WHERE id = {charge}"
    );
    execute(conn, &payment).unwrap();
    let line = format!("INSERT INTO payment_line VALUES ({id}, {charge}, {amount})");
    match execute(conn, &line) {
        Ok(_) => {
            execute(conn, "COMMIT").unwrap();
            Ok(())
        }
        Err(StoreError::Violated(constraint)) => {
            execute(conn, "ROLLBACK").unwrap();
            Err(constraint)
        }
        Err(other) => panic!("{line}: {other}"),
    }
}

/// A final year and a draft of it, each with an award and a line, by a used policy; and one that nobody used.
fn final_year(app: &TestApp, conn: &mut Conn) {
    let unit = app.organization_id(UNIVERSITY);
    let stamp = "'2026-03-02 00:00:00'";
    let ids = match app.backend {
        Backend::Sqlite => "",
        Backend::Postgres => "OVERRIDING SYSTEM VALUE",
    };
    let policy = |code: &str| {
        format!(
            "INSERT INTO policy (code, version, title, content, digest, created_at) VALUES ('{code}', 1, 't', 'c', 'd', {stamp})"
        )
    };
    let used = "(SELECT id FROM policy WHERE code = 'used')";
    let mut statements = vec![policy("used"), policy("unused")];
    for id in 1..=2 {
        statements.push(format!(
            "INSERT INTO evaluation (id, year, policy_id, policy_digest, state, progress, version, created_at, updated_at) {ids} \
             VALUES ({id}, 2025, {used}, 'd', 'draft', 100, 1, {stamp}, {stamp})"
        ));
        statements.push(format!(
            "INSERT INTO subsidy_run (id, year, policy_id, policy_digest, budget_fen, state, progress, version, created_at, updated_at) {ids} \
             VALUES ({id}, 2025, {used}, 'd', 0, 'draft', 100, 1, {stamp}, {stamp})"
        ));
        statements.push(format!(
            "INSERT INTO award (id, subsidy_run_id, organization_id, grade, before_pool_fen, award_fen, instruments) {ids} \
             VALUES ({id}, {id}, {unit}, 'good', '0', 0, '[]')"
        ));
        statements.push(format!(
            "INSERT INTO award_step (award_id, position, step, operands, before_fen, after_fen) VALUES ({id}, 1, 's', '', '0', '0')"
        ));
        statements.push(format!(
            "INSERT INTO evaluation_input (evaluation_id, position, line) VALUES ({id}, 1, '')"
        ));
    }
    statements.push("UPDATE evaluation SET state = 'final' WHERE id = 1".to_owned());
    statements.push("UPDATE subsidy_run SET state = 'final' WHERE id = 1".to_owned());
    for statement in statements {
        execute(conn, &statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// A role as README describes it: it owns nothing, serves, and cannot take a guard away.
#[test]
fn a_role_that_owns_nothing_serves_and_removes_no_guard() {
    TestApp::run(Backend::Postgres, |app| {
        let mut owner = connect(app);
        let role = format!("yiqi_serves_{}", std::process::id());
        let grants = include_str!("../../config/postgres-role.sql").replace("yiqi_serves", &role);
        owner.batch_execute(&grants).unwrap();
        let url = format!("{}&options=-c%20role%3D{role}", app.url);
        let served = TestApp::on(
            Backend::Postgres,
            &url,
            yiqi::clock::Clock::fixed(NOW.parse().unwrap()),
        );
        served.block_on(served.app.prepare()).unwrap();
        served.visitor().get("/health/ready").expect_status(200);
        let instrument = given::instrument(&served).insert();
        let wish = serde_json::json!({
            "instrument_id": instrument, "mode": "guided", "purpose": "research",
            "starts_at": "2026-03-03T10:00:00+08:00", "ends_at": "2026-03-03T11:00:00+08:00",
        });
        served
            .as_company()
            .post("/api/v1/bookings", wish)
            .expect_status(201);
        served.block_on(yiqi::jobs::tick(&served.app));
        let mut conn = url.parse::<Database>().unwrap().connect().unwrap();
        for statement in [
            "TRUNCATE event CASCADE",
            "ALTER TABLE event DISABLE TRIGGER ALL",
            "DROP TRIGGER event_append_only ON event",
            "DROP TABLE event CASCADE",
            "SET session_replication_role = replica",
        ] {
            assert!(execute(&mut conn, statement).is_err(), "{statement}");
        }
        drop((served, conn));
        for statement in [format!("DROP OWNED BY {role}"), format!("DROP ROLE {role}")] {
            execute(&mut owner, &statement).unwrap();
        }
    });
}
