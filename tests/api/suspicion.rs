//! Over random records: whatever the whole search finds, the one pass before it names the rule of; and what is found between two
//! units has exactly the records that it is about.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use yiqi::domain::finding::{FindingRule, Findings, Found};
use yiqi::domain::{EventId, InstrumentId, OrganizationId, UsageRecordId};
use yiqi::operations::yearly_run::freeze;
use yiqi::store::yearly_input::{self, Scope};
use yiqi::store::{self, Conn};

use crate::world::*;
use crate::{both, given};

const YEARS: std::ops::Range<i32> = 1992..2024;

/// The rules that are asked record by record only where the pass leaves them open.
const SUSPECTED: [FindingRule; 3] = [
    FindingRule::IdenticalDurations,
    FindingRule::OperatorTwice,
    FindingRule::UsageWithoutIncome,
];

/// Others that the years have. The pass leaves the rules of two units open in most of them, and those of single records always.
const FOUND: [FindingRule; 7] = [
    FindingRule::Over24Hours,
    FindingRule::Overlap,
    FindingRule::BeforeAcceptance,
    FindingRule::DuringClosure,
    FindingRule::LateManualEntry,
    FindingRule::CircularTrade,
    FindingRule::RelatedCustomer,
];

#[derive(Debug, Clone, Copy)]
struct Owned {
    id: InstrumentId,
    host: OrganizationId,
}

/// A record as it was written.
#[derive(Debug, Clone)]
struct Written {
    number: String,
    host: OrganizationId,
    customer: OrganizationId,
    instrument: InstrumentId,
    minutes: i64,
    state: &'static str,
    /// Not voided, and more than nothing.
    is_charged: bool,
}

/// What a year is made of: how likely each fault is in it, in percent.
struct Year {
    year: i32,
    rng: StdRng,
    chances: Vec<u32>,
    rows: Vec<String>,
    charges: Vec<String>,
    written: Vec<Written>,
    event: EventId,
}

impl Year {
    fn new(seed: u64, year: i32, event: EventId) -> Self {
        let mut rng = StdRng::seed_from_u64(seed ^ year.unsigned_abs() as u64);
        // Each fault is in every third year, each time with others.
        let chances =
            [0, 1, 2, 3, 4, 5, 6, 7].map(|fault| match (year / (1 + fault % 4) + fault) % 3 {
                0 => rng.random_range(10..40),
                _ => 0,
            });
        // Where many are unpaid, hardly anybody is charged.
        let chances = [&chances[..6], &[chances[5], chances[7]]].concat();
        Self {
            year,
            rng,
            chances,
            rows: Vec::new(),
            charges: Vec::new(),
            written: Vec::new(),
            event,
        }
    }

    fn happens(&mut self, fault: usize) -> bool {
        self.rng.random_range(0..100) < self.chances[fault]
    }

    /// One record that begins at eight on the day, so long after it, on a channel.
    fn add(
        &mut self,
        (owned, customer): (Owned, OrganizationId),
        (day, channel): (u32, i64),
        (minutes, operator): (i64, Option<&str>),
    ) {
        let (month, date) = (day / 28 + 1, day % 28 + 1);
        let year = self.year;
        let moment = |at: i64| {
            let (hour, minute) = (8 + at / 60, at % 60);
            format!("'{}-{month:02}-{date:02} {hour:02}:{minute:02}:00'", year)
        };
        // As long as it worked, but where it worked longer than it took.
        let (starts, mut ends) = (moment(0), moment(minutes));
        let (state, number) = (
            *["recorded", "confirmed", "confirmed", "voided"]
                .get(self.rng.random_range(0..4))
                .unwrap(),
            format!("R{}-{}", self.year, self.written.len()),
        );
        if self.happens(0) {
            ends = moment(minutes - 1);
        }
        let (evidence, entered) = match (self.happens(1), self.rng.random_range(0..3)) {
            (true, at) => (["manual", "manual", "confirmed"][at], self.year + 1),
            (false, at) => (["manual", "automatic", "confirmed"][at], 0),
        };
        let entered = match entered {
            0 => ends.clone(),
            year => format!("'{year}-06-01 08:00:00'"),
        };
        let operator = operator.map_or("NULL".to_owned(), |name| format!("'{name}'"));
        self.rows.push(format!(
            "('{number}', {}, {customer}, {}, {channel}, {starts}, {ends}, 0, {minutes}, 0, 1, 'entrusted', 'research', FALSE, \
             {operator}, '{state}', '{evidence}', {entered}, 1, {}, {ends}, {ends})",
            owned.id, owned.host, self.event
        ));
        let (charge, amount) = (
            ["open", "invoiced", "voided"][self.rng.random_range(0..3)],
            [0, 3_000_000, 3_000_000][self.rng.random_range(0..3)],
        );
        let has_charge = self.chances[6] == 0 || self.rng.random_range(0..20) == 0;
        if has_charge {
            self.charge((owned, customer), &number, (amount, charge));
        }
        self.written.push(Written {
            number,
            host: owned.host,
            customer,
            instrument: owned.id,
            minutes,
            state,
            is_charged: has_charge && charge != "voided" && amount > 0,
        });
    }

    fn charge(
        &mut self,
        (owned, customer): (Owned, OrganizationId),
        number: &str,
        (amount, state): (i64, &str),
    ) {
        let at = format!("'{}-12-30 08:00:00'", self.year);
        self.charges.push(format!(
            "((SELECT id FROM usage_record WHERE record_no = '{number}'), {}, {customer}, {amount}, '[]', '{state}', {}, 1, {at}, {at})",
            owned.host, self.event
        ));
    }

    /// Two hosts pay each other as much, beside which what else they pay is little.
    fn trade(&mut self, [one, other]: [Owned; 2]) {
        for (owned, customer) in [(one, other.host), (other, one.host)] {
            let at = self.written.len();
            while self
                .written
                .last()
                .is_none_or(|last| last.state == "voided")
                || self.written.len() == at
            {
                let day = 200 + u32::try_from(self.written.len() - at).unwrap();
                self.add((owned, customer), (day, 4), (60, None));
            }
            let last = self.written.last_mut().unwrap();
            let number = last.number.clone();
            last.is_charged = true;
            self.charges
                .retain(|charge| !charge.contains(&format!("'{number}'")));
            self.charge((owned, customer), &number, (900_000_000, "invoiced"));
        }
    }

    fn fill(&mut self, instruments: &[Owned], units: &[OrganizationId]) {
        let days = self.rng.random_range(0..70);
        for day in 0..days {
            let owned = instruments[self.rng.random_range(0..instruments.len())];
            let customer = units[self.rng.random_range(0..units.len())];
            let operator = ["张三", "李四", "王五"][self.rng.random_range(0..3)];
            let operator = (self.rng.random_range(0..4) > 0).then_some(operator);
            let channel = if self.happens(2) { 3 } else { 1 };
            let minutes = self.rng.random_range(30..240);
            self.add((owned, customer), (day, channel), (minutes, operator));
            if self.happens(3) {
                let mut others = instruments.iter().filter(|other| other.id != owned.id);
                let other = *others.next().unwrap();
                self.add((other, customer), (day, 2), (minutes, operator));
            }
        }
        if self.chances[4] > 0 {
            let (owned, customer) = (instruments[0], units[1]);
            for day in 80..80 + self.rng.random_range(19..36) {
                self.add((owned, customer), (day, 1), (77, None));
            }
        }
        if self.chances[5] > 0 {
            for day in 120..120 + self.rng.random_range(2..34) {
                self.add(
                    (instruments[2], units[2]),
                    (day, 1),
                    (300 + i64::from(day), None),
                );
            }
        }
        if self.year % 4 == 0 {
            self.trade([instruments[0], instruments[2]]);
        }
    }

    fn insert(&self, tx: &mut Conn, instruments: &[Owned]) -> Result<(), Failed> {
        if !self.rows.is_empty() {
            let text = format!(
                "INSERT INTO usage_record (record_no, instrument_id, organization_id, host_organization_id, channel, started_at, \
                 ended_at, prepare_minutes, run_minutes, post_minutes, samples, mode, purpose, statutory, operator, state, \
                 evidence, entered_at, version, event_id, created_at, updated_at) VALUES {}",
                self.rows.join(", ")
            );
            sql_query(text).execute(tx)?;
        }
        if !self.charges.is_empty() {
            let text = format!(
                "INSERT INTO charge (usage_record_id, host_organization_id, payer_organization_id, amount_fen, lines, state, \
                 event_id, version, created_at, updated_at) VALUES {}",
                self.charges.join(", ")
            );
            sql_query(text).execute(tx)?;
        }
        sql_query("UPDATE closure SET withdrawn_at = '2025-01-01 00:00:00'").execute(tx)?;
        if self.chances[7] > 0 {
            let text = format!(
                "INSERT INTO closure (instrument_id, starts_at, ends_at, kind, version, created_at, updated_at) VALUES \
                 ({}, '{year}-01-10 00:00:00', '{year}-02-10 00:00:00', 'fault', 1, '{year}-01-01 00:00:00', '{year}-01-01 00:00:00')",
                instruments[1].id,
                year = self.year
            );
            sql_query(text).execute(tx)?;
        }
        Ok(())
    }

    /// The numbers of the records that something found between two units is about.
    fn about(&self, found: &Found) -> Vec<&str> {
        let (host, other) = (found.organization_id, found.counterpart_id.unwrap());
        let is_of = |one: &&Written| {
            let is_one_way = (one.host, one.customer) == (host, other);
            match found.rule {
                FindingRule::CircularTrade => {
                    one.is_charged && (is_one_way || (one.host, one.customer) == (other, host))
                }
                FindingRule::RelatedCustomer => one.is_charged && is_one_way,
                FindingRule::UsageWithoutIncome => one.state == "confirmed" && is_one_way,
                _ => {
                    is_one_way
                        && Some(one.instrument) == found.instrument_id
                        && found.durations.contains(&one.minutes)
                }
            }
        };
        let stand = self.written.iter().filter(|one| one.state != "voided");
        stand.filter(is_of).map(|one| one.number.as_str()).collect()
    }
}

#[derive(QueryableByName)]
struct Numbered {
    #[diesel(sql_type = BigInt)]
    id: UsageRecordId,
    #[diesel(sql_type = Text)]
    record_no: String,
}

/// What the whole search finds by a rule, every one with its records.
fn whole_search(conn: &mut Conn, scope: &Scope, rule: FindingRule) -> Result<Vec<Found>, Failed> {
    let mut findings = Findings::of(rule);
    let candidates = yearly_input::list_candidates(conn, scope, rule)?;
    assert!(!candidates.is_cut);
    for candidate in candidates.each() {
        findings.add(&candidate.unwrap()).unwrap();
    }
    let mut found: Vec<Found> = findings.finish(false).collect();
    if found.iter().any(|one| one.counterpart_id.is_some()) {
        yearly_input::read_records_of_two(conn, scope, (rule, &mut found))?;
    }
    Ok(found)
}

#[derive(Debug, Clone, Copy, Default)]
struct Times {
    found: usize,
    passed_over: usize,
}

/// Looks at one year by every rule.
fn compare(
    conn: &mut Conn,
    year: &Year,
    times: &mut BTreeMap<FindingRule, Times>,
) -> Result<(), Failed> {
    let days = freeze::calendar_year(year.year)?;
    let scope = freeze::scope(
        &days,
        "2026-03-01T00:00:00+08:00".parse()?,
        store::event::newest(conn)?,
    )?;
    let suspected = yearly_input::list_suspected(conn, &scope)?;
    let text = format!(
        "SELECT id, record_no FROM usage_record WHERE record_no LIKE 'R{}-%'",
        year.year
    );
    let rows: Vec<Numbered> = sql_query(text).load(conn)?;
    let numbers: BTreeMap<_, _> = rows.iter().map(|row| (row.id, &row.record_no)).collect();
    for rule in FindingRule::ALL.iter().copied() {
        let found = whole_search(conn, &scope, rule)?;
        let is_suspected = suspected.contains(&rule);
        assert!(
            found.is_empty() || is_suspected,
            "{}: {rule} finds {found:?} and is not looked for",
            year.year
        );
        let times = times.entry(rule).or_default();
        times.found += usize::from(!found.is_empty());
        times.passed_over += usize::from(!is_suspected);
        for one in found.iter().filter(|one| one.counterpart_id.is_some()) {
            let mut named: Vec<&str> = one
                .record_ids
                .iter()
                .map(|id| numbers[id].as_str())
                .collect();
            let mut expected = year.about(one);
            assert!(one.record_ids.is_sorted());
            named.sort_unstable();
            expected.sort_unstable();
            assert_eq!(named, expected, "{}: {one:?}", year.year);
        }
    }
    Ok(())
}

/// Two instruments of the university and one of another host, the second accepted in the middle of it all.
fn instruments(app: &TestApp) -> Vec<Owned> {
    let accepted = |on: Option<&str>, host: &'static str| {
        let on = on.map(|on| on.parse().unwrap());
        let instrument = given::instrument(app).of(host);
        let id = instrument.with(|facts| facts.accepted_on = on).insert();
        Owned {
            id,
            host: app.organization_id(host),
        }
    };
    vec![
        accepted(None, UNIVERSITY),
        accepted(Some("2007-03-04"), UNIVERSITY),
        accepted(None, OTHER_HOST),
    ]
}

both! {
    #[expect(clippy::print_stdout, reason = "the seed is shown when a test fails")]
    fn what_the_whole_search_finds_the_pass_before_it_names(app: &TestApp) {
        let given = std::env::var("YIQI_TEST_SEED").ok();
        let seed = given.map_or_else(rand::random, |text| text.parse().unwrap());
        println!("YIQI_TEST_SEED={seed}");
        let instruments = instruments(app);
        let units = [COMPANY, OTHER_COMPANY, UNIVERSITY, OTHER_HOST].map(|unit| app.organization_id(unit));
        let (company, university) = (units[0], units[2]);
        app.write(move |tx| {
            let text = format!("UPDATE organization SET address = '同一路一号' WHERE id IN ({company}, {university})");
            Ok(sql_query(text).execute(tx)?)
        });
        let times = app.write(move |tx| {
            let event = store::event::newest(tx)?.unwrap();
            let mut times = BTreeMap::new();
            for number in YEARS {
                let mut year = Year::new(seed, number, event);
                year.fill(&instruments, &units);
                year.insert(tx, &instruments)?;
                compare(tx, &year, &mut times)?;
            }
            Ok(times)
        });
        for rule in SUSPECTED {
            let Times { found, passed_over } = times[&rule];
            assert!(found > 0 && passed_over > 0, "{rule}: found in {found} years, passed over in {passed_over}");
        }
        for rule in FOUND {
            assert!(times[&rule].found > 0, "{rule}");
        }
    }
}
