//! A whole year of a small province, from its CSV files to the printed run, against figures that an independent program
//! computed.

use super::*;
use crate::domain::Fen;
use crate::domain::Minutes;
use crate::domain::evaluation::sample;
use crate::domain::evaluation::{
    Host, HostCounts, Inputs, Instrument, InstrumentFlags, Relation, UsageGroup, UsageGroupKey,
    UsageTotals, UsingUnit, days_in_service, grade,
};
use crate::domain::policy::Grade;
use crate::domain::subsidy::allocate;
use crate::operations::policy_pack;
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeSet;
use std::path::PathBuf;

type Row = BTreeMap<String, String>;

fn path(file: &str) -> PathBuf {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds");
    seeds.join(file)
}

fn rows(file: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path(file)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &Row, column: &str) -> i64 {
    row[column].parse().unwrap()
}

fn date(row: &Row, column: &str) -> NaiveDate {
    row[column].parse().unwrap()
}

/// The province as the freeze would see it.
struct Province {
    ids: BTreeMap<String, OrganizationId>,
    names: BTreeMap<OrganizationId, String>,
    related: BTreeSet<(String, String)>,
    units: BTreeMap<String, Host>,
    using_units: Vec<UsingUnit>,
    instruments: BTreeMap<(String, String), Instrument>,
    cells: Vec<(InstrumentId, UsageGroup)>,
}

impl Province {
    fn read(policy: &Policy) -> Self {
        let mut province = Self {
            ids: BTreeMap::new(),
            names: BTreeMap::new(),
            related: BTreeSet::new(),
            units: BTreeMap::new(),
            using_units: Vec::new(),
            instruments: BTreeMap::new(),
            cells: Vec::new(),
        };
        for (at, row) in rows("province-2025/organizations.csv").iter().enumerate() {
            province.add_organization(i64::try_from(at).unwrap() + 1, row);
        }
        for row in rows("province-2025/requests.csv") {
            let unit = province.units.get_mut(&row["host_uscc"]).unwrap();
            unit.counts.requests_received = number(&row, "received");
            unit.counts.requests_answered_in_time = number(&row, "answered_in_time");
        }
        for row in rows("province-2025/expert_scores.csv") {
            let unit = province.units.get_mut(&row["host_uscc"]).unwrap();
            for id in ["A4", "B3"] {
                let points = ratio::parse(&row[id]).unwrap();
                unit.expert_scores.insert(id.to_owned(), points);
            }
        }
        let days = WorkingDays::read();
        let instruments = rows("province-2025/instruments.csv");
        for (at, row) in instruments.iter().enumerate() {
            province.add_instrument(i64::try_from(at).unwrap() + 1, row, policy, &days);
        }
        for row in rows("province-2025/usage.csv") {
            if row["status"] == "confirmed" {
                province.add_usage(&row);
            }
        }
        province
    }

    fn add_organization(&mut self, id: i64, row: &Row) {
        let organization_id = OrganizationId::try_from(id).unwrap();
        let uscc = row["uscc"].clone();
        self.ids.insert(uscc.clone(), organization_id);
        self.names.insert(organization_id, row["name"].clone());
        self.using_units.push(UsingUnit {
            organization_id,
            uscc: uscc.clone(),
            region_code: row["region_code"].clone(),
        });
        if !row["related_to"].is_empty() {
            let other = row["related_to"].clone();
            self.related.insert((other.clone(), uscc.clone()));
            self.related.insert((uscc.clone(), other));
        }
        if row["role"] == "host" {
            let unit = Host {
                organization_id,
                uscc: uscc.clone(),
                kind: row["kind"].parse().unwrap(),
                counts: HostCounts::default(),
                answers: BTreeMap::new(),
                expert_scores: BTreeMap::new(),
                instruments: Vec::new(),
            };
            self.units.insert(uscc, unit);
        }
    }

    fn add_instrument(&mut self, id: i64, row: &Row, policy: &Policy, days: &WorkingDays) {
        let value = Fen::new(number(row, "original_value_fen"));
        let enabled_on = date(row, "enabled_on");
        let told = [
            "technical",
            "functions",
            "service_content",
            "user_notice",
            "contact_phone",
            "location",
            "public_price_fen_per_hour",
        ];
        let exempted = row["exempted"] == "true";
        let instrument = Instrument {
            id: InstrumentId::try_from(id).unwrap(),
            asset_no: row["asset_no"].clone(),
            purpose_type: row["purpose_type"].parse().unwrap(),
            original_value_fen: value,
            days_in_service: days_in_service(2025, enabled_on, None).unwrap(),
            flags: InstrumentFlags {
                counted: value >= policy.registration.threshold_fen && enabled_on.year() <= 2025,
                externally_shared: row["share_mode"] == "external",
                exempted,
                complete: told.iter().all(|column| !row[*column].is_empty()),
            },
            cells: Vec::new(),
        };
        let accepted_on = date(row, "accepted_on");
        if accepted_on.year() == 2025 {
            let within = policy.registration.report_within_working_days;
            let counts = &mut self.units.get_mut(&row["host_uscc"]).unwrap().counts;
            counts.registrations_due += 1;
            if date(row, "submitted_on") <= days.after(accepted_on, within) {
                counts.registrations_on_time += 1;
            }
        }
        let key = (row["host_uscc"].clone(), row["asset_no"].clone());
        self.instruments.insert(key, instrument);
    }

    fn add_usage(&mut self, row: &Row) {
        let host = row["host_uscc"].clone();
        let user = row["user_uscc"].clone();
        let relation = if host == user {
            Relation::Host
        } else if self.related.contains(&(host.clone(), user.clone())) {
            Relation::Related
        } else {
            Relation::External
        };
        let key = UsageGroupKey {
            using_unit_id: self.ids[&user],
            relation,
            evidence: row["evidence"].parse().unwrap(),
            statutory: row["statutory"] == "true",
        };
        let minutes = ["prepare_minutes", "run_minutes", "post_minutes"];
        let instrument = self.instruments[&(host.clone(), row["asset_no"].clone())].id;
        if row["ended_at"].starts_with("2025") {
            let service = UsageTotals {
                effective_minutes: Minutes::new(minutes.iter().map(|m| number(row, m)).sum()),
                records: 1,
                samples: number(row, "samples"),
                ..UsageTotals::default()
            };
            self.cells.push((instrument, UsageGroup { key, service }));
            if relation == Relation::External && !row["satisfaction"].is_empty() {
                let unit = self.units.get_mut(&host).unwrap();
                let level = row["satisfaction"].parse().unwrap();
                *unit.answers.entry(level).or_default() += 1;
            }
        }
        if row["paid_on"].starts_with("2025") && !row["invoice_no"].is_empty() {
            let voucher = number(row, "voucher_fen");
            let service = UsageTotals {
                payer_fen: Fen::new(number(row, "fee_fen") - voucher),
                voucher_fen: Fen::new(voucher),
                ..UsageTotals::default()
            };
            self.cells.push((instrument, UsageGroup { key, service }));
        }
    }

    fn inputs(&self) -> Inputs {
        let host = |uscc: &String| self.ids[uscc];
        let instruments = self.instruments.iter();
        Inputs::assemble(
            2025,
            self.units.values().cloned().collect(),
            instruments
                .map(|((uscc, _), i)| (host(uscc), i.clone()))
                .collect(),
            self.using_units.clone(),
            self.cells.clone(),
        )
        .unwrap()
    }
}

/// Working days by the seeded holidays and make-up days.
struct WorkingDays(BTreeMap<NaiveDate, bool>);

impl WorkingDays {
    fn read() -> Self {
        let rows = rows("public_holidays.csv");
        let days = rows
            .iter()
            .map(|row| (date(row, "date"), row["kind"] == "workday"));
        Self(days.collect())
    }

    fn after(&self, day: NaiveDate, count: i64) -> NaiveDate {
        let weekday = |day: NaiveDate| day.weekday().num_days_from_monday() < 5;
        let works = |day: &NaiveDate| self.0.get(day).copied().unwrap_or(weekday(*day));
        let mut days = day.iter_days().skip(1).filter(works);
        days.nth(usize::try_from(count).unwrap() - 1).unwrap()
    }
}

fn expected() -> String {
    std::fs::read_to_string(path("province-2025/expected.json")).unwrap()
}

#[test]
fn the_year_of_the_province_comes_out_to_the_fen() {
    let policy = policy_pack::read(policy_pack::HEBEI_2026).unwrap();
    let province = Province::read(&policy);
    let inputs = province.inputs();
    let evaluation = grade(&inputs, &policy);
    let budget = Fen::new(30_000_000);
    let allocation = allocate(budget, &evaluation.grades(), &inputs, &policy).unwrap();
    let run = print(2025, &policy, &evaluation, &allocation, &province.names).unwrap();
    let expected_run: PrintedRun = serde_json::from_str(&expected()).unwrap();
    for (unit, expected) in run.units.iter().zip(&expected_run.units) {
        assert_eq!(unit, expected, "{}", unit.uscc);
    }
    assert_eq!(run, expected_run);
    assert_eq!(run.to_text().unwrap(), expected().trim_end());
}

#[test]
fn frozen_inputs_of_the_province_survive_their_lines() {
    let policy = policy_pack::read(policy_pack::HEBEI_2026).unwrap();
    let mut province = Province::read(&policy);
    let inputs = province.inputs();
    let read = Inputs::from_lines(inputs.lines()).unwrap();
    assert_eq!(read, inputs);
    province.cells.reverse();
    assert_eq!(province.inputs().digest(), inputs.digest());
    province.cells.pop();
    assert_ne!(province.inputs().digest(), inputs.digest());
}

#[test]
fn the_default_pack_pays_an_excellent_unit_the_whole_of_a_small_budget() {
    let policy = policy_pack::read(policy_pack::HEBEI_2026).unwrap();
    let mut rows = sample::Rows::of(2);
    for (at, (unit, yuan)) in [(1, 400_000), (1, 180_000), (1, 3_000), (2, 6_000)]
        .into_iter()
        .enumerate()
    {
        let instrument = sample::instrument(i64::try_from(at).unwrap() + 1);
        rows.add(unit, instrument, &[sample::cell(901, 60, yuan * 100)]);
    }
    let inputs = rows.assemble().unwrap();
    let grades = BTreeMap::from([
        (sample::organization(1), Grade::Excellent),
        (sample::organization(2), Grade::Good),
    ]);
    let budget = Fen::new(5_000_000);
    let allocation = allocate(budget, &grades, &inputs, &policy).unwrap();
    assert_eq!(allocation.factor_printed(), "250/433");
    assert_eq!(ratio::exact(&allocation.sum_before_pool), "8660000");
    let awards: Vec<i64> = allocation.units.iter().map(|u| u.award.number()).collect();
    assert_eq!(awards, [5_000_000, 0]);

    let enough = allocate(Fen::new(8_660_000), &grades, &inputs, &policy).unwrap();
    assert_eq!(enough.factor_printed(), "1/1");
    assert_eq!(enough.unspent, Fen::ZERO);
}

#[test]
fn a_run_without_a_name_for_a_unit_is_not_printed() {
    let policy = policy_pack::read(policy_pack::HEBEI_2026).unwrap();
    let mut rows = sample::Rows::of(1);
    rows.add(1, sample::instrument(1), &[]);
    let inputs = rows.assemble().unwrap();
    let evaluation = grade(&inputs, &policy);
    let allocation = allocate(Fen::ZERO, &evaluation.grades(), &inputs, &policy).unwrap();
    let print = |evaluation: &Evaluation, names: &BTreeMap<OrganizationId, String>| {
        print(2025, &policy, evaluation, &allocation, names)
    };
    let id = sample::organization(1);
    assert_eq!(
        print(&evaluation, &BTreeMap::new()),
        Err(Unprintable::NoName(id))
    );
    let names = BTreeMap::from([(id, "甲".to_owned())]);
    assert!(print(&evaluation, &names).is_ok());
    let nobody = Evaluation { units: Vec::new() };
    assert_eq!(print(&nobody, &names), Err(Unprintable::NoEvaluation(id)));
}
