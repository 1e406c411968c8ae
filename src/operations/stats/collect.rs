//! Adds up the figures of a year, for all instruments that count and for each group of them.

use std::collections::BTreeMap;

use super::print;
use crate::domain::calendar::Calendar;
use crate::domain::certification::SME;
use crate::domain::evaluation::{Host, Inputs, Judge, Relation, Relations};
use crate::domain::policy::{HostCount, Policy};
use crate::domain::stats::{Groups, Served, StatsBy, Units, YearStats};
use crate::domain::{EvaluationId, Instant, OrganizationId, RegionCode};
use crate::error::AppError;
use crate::operations::policy as packs;
use crate::operations::yearly_run::basis::{policy_of, scope_of};
use crate::operations::yearly_run::freeze;
use crate::store::Conn;
use crate::store::event;
use crate::store::stats::Document;
use crate::store::yearly_input::{self, Scope};
use crate::store::yearly_run::evaluation;

/// The figures from the records as they are, by the policy that figures follow.
pub(super) fn live(
    conn: &mut Conn,
    year: i32,
    (now, calendar): (Instant, &Calendar),
) -> Result<Document, AppError> {
    let policy = packs::active(conn, now.local_date())?;
    let newest = event::newest(conn)?;
    let scope = freeze::scope(&freeze::calendar_year(year)?, now, newest)?;
    let experts = freeze::ExpertPoints::new();
    let inputs = freeze::read(conn, &scope, &policy, calendar, experts, None)?;
    document(conn, &scope, (&inputs, &policy), None)
}

/// The figures from what was frozen for an evaluation, by its own pack.
pub(super) fn of_evaluation(conn: &mut Conn, id: EvaluationId) -> Result<Document, AppError> {
    let row = evaluation::get(conn, id)?;
    let policy = policy_of(conn, &row.lifecycle)?;
    let lines = evaluation::list_inputs(conn, id)?;
    let inputs = Inputs::from_lines(lines).map_err(AppError::internal)?;
    let scope = scope_of(conn, &row)?;
    let graded = evaluation::list_units(conn, id)?;
    let grades = graded
        .iter()
        .filter_map(|unit| Some((unit.organization_id, unit.grade?)));
    document(conn, &scope, (&inputs, &policy), Some(grades.collect()))
}

fn document(
    conn: &mut Conn,
    scope: &Scope,
    (inputs, policy): (&Inputs, &Policy),
    grades: Option<print::Grades>,
) -> Result<Document, AppError> {
    let judge = Judge::new(inputs, policy);
    let mut figures = Collected::default();
    let sme = sme(inputs);
    let mut hosts = BTreeMap::new();
    for host in judge.hosts() {
        let keys = keys(host);
        for instrument in judge.counted(host) {
            let served = Served {
                host: host.organization_id,
                externally_shared: instrument.flags.externally_shared,
                original_value_fen: instrument.original_value_fen,
                cells: &instrument.cells,
                sme: &sme,
            };
            figures.each(&keys, |stats| stats.add(served));
            let class = widest(&instrument.facts.category_code);
            figures.group(StatsBy::Category, class).add(served);
        }
        let (received, answered) = (HostCount::RequestsReceived, HostCount::RequestsAnswered);
        let (received, answered) = (judge.count(host, received), judge.count(host, answered));
        figures.each(&keys, |stats| {
            stats.requests_received = stats.requests_received.saturating_add(received);
            stats.requests_answered = stats.requests_answered.saturating_add(answered);
        });
        hosts.insert(host.organization_id, keys);
    }
    requests(conn, scope, (&hosts, &mut figures))?;
    let names = print::Names::of(conn)?;
    let policy = format!("{}@{}", policy.code, policy.version);
    print::document((policy, scope.frozen_at), figures.of(), (&names, grades))
}

/// The groups of a host, but for those by class.
type Keys = Vec<(StatsBy, String)>;

fn keys(host: &Host) -> Keys {
    let region: Option<RegionCode> = host.region_code.parse().ok();
    let city = region.map(|code| code.city().to_string());
    vec![
        (StatsBy::Region, city.unwrap_or_default()),
        (StatsBy::Organization, host.organization_id.to_string()),
        (StatsBy::Kind, host.kind.to_string()),
    ]
}

/// The widest class: 040106 → 040000.
fn widest(category: &str) -> String {
    match category.get(..2) {
        Some(first) => format!("{first}0000"),
        None => String::new(),
    }
}

#[derive(Default)]
struct Collected {
    total: YearStats,
    groups: Groups,
}

impl Collected {
    fn group(&mut self, by: StatsBy, key: String) -> &mut YearStats {
        self.groups.entry(by).or_default().entry(key).or_default()
    }

    /// In the sum and in each of these groups.
    fn each(&mut self, keys: &Keys, add: impl Fn(&mut YearStats)) {
        add(&mut self.total);
        for (by, key) in keys {
            add(self.group(*by, key.clone()));
        }
    }

    fn of(self) -> (YearStats, Groups) {
        (self.total, self.groups)
    }
}

/// The small and medium enterprises among the using units, at the end of the year.
fn sme(inputs: &Inputs) -> Units {
    let users = inputs.using_units();
    let small = users.filter(|user| SME.iter().any(|code| user.certifications.contains(*code)));
    small.map(|user| user.organization_id).collect()
}

/// Who asked the hosts for bookings from outside, and how long they waited for an answer.
fn requests(
    conn: &mut Conn,
    scope: &Scope,
    (hosts, figures): (&BTreeMap<OrganizationId, Keys>, &mut Collected),
) -> Result<(), AppError> {
    let relations = Relations::new(yearly_input::list_related(conn, scope)?);
    yearly_input::each_request(conn, scope, |request| {
        let (host, user) = (request.host_organization_id, request.organization_id);
        let is_external = relations.at(host, user, request.created_at) == Relation::External;
        let Some(keys) = hosts.get(&host).filter(|_| is_external) else {
            return;
        };
        let answered_at = request
            .first_answered_at
            .filter(|at| *at <= scope.frozen_at);
        let waited = answered_at.map(|at| minutes_between(request.created_at, at));
        figures.each(keys, |stats| {
            stats.requesters.insert(user);
            stats.waited_minutes.extend(waited);
        });
    })?;
    Ok(())
}

fn minutes_between(from: Instant, until: Instant) -> i64 {
    until
        .unix_seconds()
        .saturating_sub(from.unix_seconds())
        .max(0)
        / 60
}
