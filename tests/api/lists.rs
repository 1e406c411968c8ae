//! Long lists, page by page: whoever asks gets each row they may see once and in order, whatever the size of a page, and a
//! page looks at no more than 10,000 rows.

use diesel::connection::SimpleConnection;
use yiqi::domain::access::Reach;
use yiqi::domain::booking::BookingState;
use yiqi::domain::{Instant, InstrumentId, OrganizationId, UserId};
use yiqi::store::booking::{Booking, Filter, list};
use yiqi::store::page::{Key, ROWS_MAX};
use yiqi::store::{Conn, Database, event};

use crate::both;
use crate::given;
use crate::world::{
    BOSS, Backend, COMPANY, MANAGER, OTHER_COMPANY, OTHER_HOST, TestApp, UNIVERSITY,
};

/// When the first booking begins; each begins an hour after the one before.
pub const FIRST: &str = "2020-01-01T00:00:00+08:00";

/// A database with many bookings, each with a usage record and a charge: of two hosts' instruments, by three using units.
pub struct Filled {
    pub host: OrganizationId,
    pub unit: OrganizationId,
    pub instruments: Vec<InstrumentId>,
    pub manager: UserId,
}

impl Filled {
    pub fn with(app: &TestApp, count: u32) -> Filled {
        let [host, other_host] = [UNIVERSITY, OTHER_HOST].map(|uscc| app.organization_id(uscc));
        let [unit, other] = [COMPANY, OTHER_COMPANY].map(|uscc| app.organization_id(uscc));
        let own = || given::instrument(app).insert();
        let others = || given::instrument(app).of(OTHER_HOST).insert();
        let instruments = vec![own(), own(), own(), others(), others()];
        let manager = app.user_id(MANAGER);
        let user = app.user_id(BOSS);
        let instrument = {
            let case = |(index, id): (usize, &InstrumentId)| format!("WHEN {index} THEN {id}");
            let cases: Vec<String> = instruments.iter().enumerate().map(case).collect();
            format!("CASE i % 5 {} END", cases.join(" "))
        };
        let hours = |hours: &str| match app.backend {
            Backend::Sqlite => {
                format!("datetime('2019-12-31 16:00:00', '+' || ({hours}) || ' hours')")
            }
            Backend::Postgres => {
                format!("timestamp '2019-12-31 16:00:00' + ({hours}) * interval '1 hour'")
            }
        };
        let (begin, end, change) = (hours("i"), hours("i + 1"), hours("i / 3"));
        let numbers = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        );
        let managed = format!(
            "INSERT INTO instrument_manager (instrument_id, user_id) VALUES ({}, {manager}), ({}, {manager})",
            instruments[1], instruments[3]
        );
        let bookings = format!(
            "INSERT INTO booking (booking_no, instrument_id, organization_id, host_organization_id, booked_by, channel, \
             state, starts_at, ends_at, blocked_from, blocked_until, mode, purpose, client_reference, client_reference_key, \
             version, created_at, updated_at) {numbers} SELECT 'L' || i, {instrument}, \
             CASE i % 3 WHEN 0 THEN {unit} WHEN 1 THEN {other} ELSE {host} END, \
             CASE WHEN i % 5 < 3 THEN {host} ELSE {other_host} END, {user}, 1, \
             CASE WHEN i % 997 = 0 THEN 'requested' WHEN i % 499 = 0 THEN 'confirmed' WHEN i = 41 THEN 'no_show' \
             ELSE 'completed' END, \
             {begin}, {end}, {begin}, {end}, 'self_operated', 'research', \
             CASE WHEN i % 7 = 0 THEN 'R' || i ELSE NULL END, CASE WHEN i % 7 = 0 THEN 'r' || i ELSE NULL END, 1, {begin}, {change} FROM n"
        );
        let events = format!(
            "INSERT INTO event (happened_at, action, subject_type, subject_id) {numbers} \
             SELECT {begin}, 'usage_record', 'usage_record', i FROM n WHERE i = 1"
        );
        let records = "INSERT INTO usage_record (instrument_id, organization_id, booking_id, channel, started_at, ended_at, \
             prepare_minutes, run_minutes, post_minutes, samples, mode, purpose, statutory, state, evidence, version, \
             event_id, created_at, updated_at) \
             SELECT instrument_id, organization_id, id, channel, starts_at, ends_at, 0, 60, 0, 1, mode, purpose, \
             0 = 1, 'recorded', 'automatic', 1, (SELECT min(id) FROM event), created_at, updated_at FROM booking";
        let charges = "INSERT INTO charge (usage_record_id, host_organization_id, payer_organization_id, amount_fen, lines, \
             state, event_id, version, created_at, updated_at) \
             SELECT u.id, b.host_organization_id, b.organization_id, 100, \
             '{\"customer_class\":\"enterprise\",\"priced_on\":\"2020-01-01\",\"lines\":[],\"services\":[],\"total_fen\":100}', 'open', u.event_id, 1, u.created_at, u.updated_at \
             FROM usage_record u JOIN booking b ON b.id = u.booking_id";
        let database: Database = app.url.parse().unwrap();
        let mut conn = database.connect().unwrap();
        for statement in [managed.as_str(), &bookings, &events, records, charges] {
            conn.batch_execute(statement).unwrap();
        }
        Filled {
            host,
            unit,
            instruments,
            manager,
        }
    }
}

impl Filled {
    /// Copies of the first instrument, half of them of the host.
    pub fn more_instruments(&self, app: &TestApp, count: u32) {
        let columns = "name, state, category_code, purpose_type, original_value_fen, share_mode, region_code, channels, \
             description, version, event_id, created_at, updated_at, listed_at";
        let statement = format!(
            "INSERT INTO instrument (organization_id, asset_no, {columns}) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             SELECT CASE WHEN i % 2 = 0 THEN {} ELSE {} END, 'M' || i, {columns} \
             FROM n, (SELECT {columns} FROM instrument WHERE id = {}) AS first",
            self.host, self.unit, self.instruments[0]
        );
        let database: Database = app.url.parse().unwrap();
        database
            .connect()
            .unwrap()
            .batch_execute(&statement)
            .unwrap();
    }

    /// Copies of the using unit under other codes.
    pub fn more_organizations(&self, app: &TestApp, count: u32) {
        let columns = "name, kind, state, region_code, supervising_region_code, is_host, is_sme, uscc_confirmed, version, \
             created_at, updated_at";
        let statement = format!(
            "INSERT INTO organization (uscc, {columns}) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             SELECT 'U' || (10000000000000000 + i), {columns} \
             FROM n, (SELECT {columns} FROM organization WHERE id = {}) AS first",
            self.unit
        );
        let database: Database = app.url.parse().unwrap();
        database
            .connect()
            .unwrap()
            .batch_execute(&statement)
            .unwrap();
    }

    /// Events of many subjects: of the unit, of the host with the unit beside it, and of members without an organization.
    pub fn more_events(&self, app: &TestApp, count: u32) {
        let (host, unit) = (self.host, self.unit);
        let statement = format!(
            "INSERT INTO event (happened_at, action, subject_type, subject_id, actor_organization_id, organization_id, \
             counterpart_organization_id) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             SELECT '2020-01-01 00:00:00', CASE WHEN i % 9000 = 0 THEN 'booking_no_show' ELSE 'booking_request' END, \
             'booking', i / 3, {unit}, CASE i % 3 WHEN 0 THEN {unit} WHEN 1 THEN {host} ELSE NULL END, \
             CASE i % 3 WHEN 1 THEN {unit} ELSE NULL END FROM n"
        );
        let statement = match app.backend {
            Backend::Sqlite => statement,
            Backend::Postgres => {
                statement.replace("'2020-01-01 00:00:00'", "timestamp '2020-01-01 00:00:00'")
            }
        };
        let database: Database = app.url.parse().unwrap();
        let mut conn = database.connect().unwrap();
        conn.batch_execute(&statement).unwrap();
    }
}

/// Follows `next_cursor` through a list as a client does; also how many rows each page answered.
fn follow(conn: &mut Conn, reach: &Reach, filter: &Filter, limit: i64) -> (Vec<Booking>, Vec<Key>) {
    let mut filter = filter.clone();
    filter.limit = limit + 1;
    let (mut all, mut places) = (Vec::new(), Vec::new());
    loop {
        let mut found = list(conn, reach, &filter).unwrap();
        let limit = usize::try_from(limit).unwrap();
        let mut next = found.rest;
        if found.rows.len() > limit {
            found.rows.truncate(limit);
            let last = found.rows.last().unwrap();
            next = Some(match filter.changed_after {
                Some(_) => Key::Changed(last.updated_at, last.id.number()),
                None => Key::Newest(last.id.number()),
            });
        }
        all.extend(found.rows);
        match next {
            Some(Key::Trail(_)) | None => return (all, places),
            Some(key @ (Key::Newest(id) | Key::Oldest(id))) => {
                filter.before = Some(id);
                places.push(key);
            }
            Some(key @ Key::Changed(at, id)) => {
                filter.changed_after = Some((at, id));
                places.push(key);
            }
        }
    }
}

fn reaches(reach: &Reach, booking: &Booking, managed: &[InstrumentId]) -> bool {
    let host = Some(booking.host_organization_id);
    reach.everything
        || reach.host == host
        || reach.unit == Some(booking.organization_id)
        || (reach.managed.map(|(of, _)| of) == host && managed.contains(&booking.instrument_id))
}

fn admits(filter: &Filter, booking: &Booking, managed: &[InstrumentId]) -> bool {
    fn any<T: PartialEq>(values: &[T], value: &T) -> bool {
        values.is_empty() || values.contains(value)
    }
    let reference = booking.client_reference.clone().unwrap_or_default();
    any(&filter.instruments, &booking.instrument_id)
        && any(&filter.organizations, &booking.organization_id)
        && any(&filter.states, &booking.state)
        && any(&filter.client_references, &reference)
        && filter.from.is_none_or(|from| booking.ends_at > from)
        && filter.until.is_none_or(|until| booking.starts_at < until)
        && (filter.assigned_to.is_none() || managed.contains(&booking.instrument_id))
}

fn filters(filled: &Filled) -> Vec<Filter> {
    let first: Instant = FIRST.parse().unwrap();
    let hour = |hours: i64| Some(first.plus_seconds(hours * 3600));
    let all = Filter::default();
    vec![
        all.clone(),
        Filter {
            states: vec![BookingState::Requested],
            ..all.clone()
        },
        Filter {
            states: vec![BookingState::Requested, BookingState::Confirmed],
            ..all.clone()
        },
        Filter {
            states: vec![BookingState::Requested, BookingState::NoShow],
            ..all.clone()
        },
        Filter {
            instruments: filled.instruments[..2].to_vec(),
            ..all.clone()
        },
        Filter {
            instruments: filled.instruments[3..].to_vec(),
            states: vec![BookingState::Confirmed],
            ..all.clone()
        },
        Filter {
            organizations: vec![filled.unit],
            ..all.clone()
        },
        Filter {
            organizations: vec![filled.host, filled.unit],
            from: hour(40),
            ..all.clone()
        },
        Filter {
            from: hour(100),
            until: hour(140),
            ..all.clone()
        },
        Filter {
            from: hour(100),
            until: hour(700),
            states: vec![BookingState::Confirmed],
            ..all.clone()
        },
        Filter {
            until: hour(9),
            ..all.clone()
        },
        Filter {
            assigned_to: Some(filled.manager),
            ..all.clone()
        },
        Filter {
            client_references: vec!["R7".into(), "R21".into(), "R5".into()],
            ..all
        },
    ]
}

/// The ids of all events that the filter admits, a page after the other, and how many pages there were.
fn follow_events(conn: &mut Conn, mut filter: event::Filter) -> (Vec<i64>, usize) {
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let found = event::list(conn, &filter).unwrap();
        pages += 1;
        let last = found.rows.last().map(|event| event.id);
        let is_full = found.rows.len() == usize::try_from(filter.limit).unwrap();
        all.extend(found.rows.iter().map(|event| event.id.number()));
        filter.after = match found.rest {
            Some(place) => Some(place.id().try_into().unwrap()),
            None if is_full => last,
            None => return (all, pages),
        };
    }
}

both! {
    fn events_come_once_whoever_asks_and_a_page_looks_at_a_bounded_number(app: &TestApp) {
        let filled = Filled::with(app, 10);
        let database: Database = app.url.parse().unwrap();
        let mut conn = database.connect().unwrap();
        let all = |limit| event::Filter { limit, ..event::Filter::default() };
        let before = follow_events(&mut conn, all(500)).0.len();
        filled.more_events(app, 27_000);
        let (every, _) = follow_events(&mut conn, all(500));
        assert_eq!(every.len(), before + 27_000);
        let unit = Some(filled.unit);
        let (own, _) = follow_events(&mut conn, event::Filter { organization: unit, ..all(499) });
        let mut in_order = own.clone();
        in_order.sort_unstable();
        in_order.dedup();
        assert_eq!(own, in_order, "each once, in order");
        assert!(own.len() >= 27_000, "own, beside another, and a member's: {}", own.len());
        let subject = |organization| event::Filter {
            subject_types: vec!["booking".to_owned()],
            subject_ids: vec![5],
            organization,
            ..all(50)
        };
        assert_eq!(follow_events(&mut conn, subject(None)), follow_events(&mut conn, subject(unit)));
        assert_eq!(follow_events(&mut conn, subject(None)).0.len(), 3);
        let (of_host, _) = follow_events(&mut conn, subject(Some(filled.host)));
        assert_eq!(of_host.len(), 1);
        for organization in [None, unit] {
            let rare = event::Filter { actions: vec!["booking_no_show".to_owned()], organization, ..all(50) };
            let (found, pages) = follow_events(&mut conn, rare);
            assert_eq!(found.len(), 3, "{organization:?}");
            assert!(pages >= 3, "27,000 rows are looked at in {pages} pages");
        }
    }

    fn each_row_comes_once_and_in_order(app: &TestApp) {
        let filled = Filled::with(app, 1_200);
        let managed = [filled.instruments[1], filled.instruments[3]];
        let database: Database = app.url.parse().unwrap();
        let mut conn = database.connect().unwrap();
        let everything = Reach { everything: true, ..Reach::default() };
        let (all, _) = follow(&mut conn, &everything, &Filter::default(), 500);
        assert_eq!(all.len(), 1_200);
        let (host, unit, user) = (Some(filled.host), Some(filled.unit), filled.manager);
        let reaches_of = [
            everything,
            Reach::default(),
            Reach { unit, ..Reach::default() },
            Reach { host, ..Reach::default() },
            Reach { host, unit, managed: Some((filled.host, user)), ..Reach::default() },
            Reach { unit, managed: Some((filled.host, user)), ..Reach::default() },
            Reach { managed: Some((filled.host, user)), ..Reach::default() },
            Reach { host, unit: host, ..Reach::default() },
        ];
        for reach in &reaches_of {
            for filter in filters(&filled) {
                let seen = |row: &&Booking| reaches(reach, row, &managed) && admits(&filter, row, &managed);
                let mut expected: Vec<(Instant, i64)> =
                    all.iter().filter(seen).map(|row| (row.updated_at, row.id.number())).collect();
                let of = |row: &Booking| (row.updated_at, row.id.number());
                for limit in [7, 200] {
                    let (found, _) = follow(&mut conn, reach, &filter, limit);
                    let found: Vec<_> = found.iter().map(of).collect();
                    assert_eq!(found, expected, "{reach:?} {filter:?} by {limit}");
                }
                expected.sort_unstable();
                let since = (FIRST.parse().unwrap(), 0);
                expected.retain(|place| *place > since);
                let changes = Filter { changed_after: Some(since), ..filter };
                let (found, _) = follow(&mut conn, reach, &changes, 33);
                let found: Vec<_> = found.iter().map(of).collect();
                assert_eq!(found, expected, "{reach:?} {changes:?}");
            }
        }
    }

    fn a_page_looks_at_a_bounded_number_of_rows(app: &TestApp) {
        let filled = Filled::with(app, 25_000);
        let database: Database = app.url.parse().unwrap();
        let mut conn = database.connect().unwrap();
        let everything = Reach { everything: true, ..Reach::default() };
        let only = Filter { states: vec![BookingState::NoShow], ..Filter::default() };
        let (found, places) = follow(&mut conn, &everything, &only, 50);
        assert_eq!(found.len(), 1, "the one that nobody came to is found");
        let ids: Vec<i64> = places.into_iter().map(Key::id).collect();
        assert_eq!(ids.len(), 2, "three pages look at 25,000 rows: {ids:?}");
        assert!(ids.windows(2).all(|pair| pair[0] - pair[1] == ROWS_MAX), "{ids:?}");

        let rejected = Filter { states: vec![BookingState::Rejected], ..Filter::default() };
        let both = Reach { host: Some(filled.host), unit: Some(filled.unit), ..Reach::default() };
        for changed_after in [None, Some((FIRST.parse().unwrap(), 0))] {
            let filter = Filter { changed_after, ..rejected.clone() };
            let (found, places) = follow(&mut conn, &both, &filter, 50);
            assert!(found.is_empty());
            assert!(places.len() >= 2, "18,333 rows take two pages at least: {places:?}");
        }

        // A client sees an empty page that is not the end.
        let page = app.as_admin().get("/api/v1/bookings?state=no_show").expect_status(200);
        assert_eq!(page["items"].as_array().unwrap().len(), 0);
        let mut cursor = page["next_cursor"].as_str().map(str::to_owned);
        let mut found = 0;
        while let Some(next) = cursor {
            let path = format!("/api/v1/bookings?state=no_show&cursor={next}");
            let page = app.as_admin().get(&path).expect_status(200);
            found += page["items"].as_array().unwrap().len();
            cursor = page["next_cursor"].as_str().map(str::to_owned);
        }
        assert_eq!(found, 1);
    }
}
