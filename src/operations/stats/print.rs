//! What is told of the figures: in which groups, by which names, and what is left out because too few using units stand behind it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::organization::OrganizationKind;
use crate::domain::policy::Grade;
use crate::domain::stats::{Groups, StatsBy, USING_UNITS_MIN, Units, YearStats, hidden};
use crate::domain::{Fen, Instant, OrganizationId, ratio};
use crate::error::AppError;
use crate::operations::yearly_run::grades;
use crate::store::stats::{Document, Figures, Group};
use crate::store::{self, Conn};

/// The shape of the document that is kept.
const FORMAT: i64 = 1;

/// Which grade each unit has.
pub(super) type Grades = BTreeMap<OrganizationId, Grade>;

/// What people call the groups.
pub(super) struct Names {
    organizations: grades::Names,
    codes: BTreeMap<(StatsBy, String), String>,
}

impl Names {
    pub(super) fn of(conn: &mut Conn) -> Result<Self, AppError> {
        let regions = store::reference::list_regions(conn)?.into_iter();
        let categories = store::reference::list_categories(conn)?.into_iter();
        let regions = regions.map(|row| ((StatsBy::Region, row.code), row.name));
        let categories = categories.map(|row| ((StatsBy::Category, row.code), row.name));
        Ok(Self {
            organizations: grades::names(conn)?,
            codes: regions.chain(categories).collect(),
        })
    }

    fn name(&self, by: StatsBy, key: &str) -> String {
        let known = match by {
            StatsBy::Organization => {
                let id: Option<OrganizationId> = key.parse().ok();
                id.and_then(|id| self.organizations.get(&id)).cloned()
            }
            StatsBy::Kind => key.parse().ok().map(|kind| kind_name(kind).to_owned()),
            StatsBy::Region | StatsBy::Category => self.codes.get(&(by, key.to_owned())).cloned(),
        };
        known.unwrap_or_default()
    }
}

const fn kind_name(kind: OrganizationKind) -> &'static str {
    match kind {
        OrganizationKind::University => "高等学校",
        OrganizationKind::Institute => "科研院所",
        OrganizationKind::Hospital => "医疗机构",
        OrganizationKind::Enterprise => "企业",
        OrganizationKind::Agency => "机关",
        OrganizationKind::Other => "其他",
    }
}

pub(super) fn document(
    (policy, as_of): (String, Instant),
    (total, groups): (YearStats, Groups),
    (names, grades): (&Names, Option<Grades>),
) -> Result<Document, AppError> {
    let grades = grades.as_ref();
    let mut printed = BTreeMap::new();
    for (by, groups) in &groups {
        printed.insert(by.to_string(), print(*by, groups, (names, grades))?);
    }
    let few = |units: &Units| units.len() < USING_UNITS_MIN;
    let left_out = LeftOut {
        users: few(&total.users),
        customers: few(&total.customers),
        requesters: few(&total.requesters),
    };
    Ok(Document {
        format: FORMAT,
        policy,
        as_of,
        total: figures(&total, left_out, (true, grades))?,
        groups: printed,
    })
}

fn print(
    by: StatsBy,
    groups: &BTreeMap<String, YearStats>,
    (names, grades): (&Names, Option<&Grades>),
) -> Result<Vec<Group>, AppError> {
    let of = |units: fn(&YearStats) -> &Units| {
        let sets: Vec<&Units> = groups.values().map(units).collect();
        hidden(&sets)
    };
    let users = of(|stats| &stats.users);
    let customers = of(|stats| &stats.customers);
    let requesters = of(|stats| &stats.requesters);
    let left_out = users.into_iter().zip(customers).zip(requesters);
    let each = groups.iter().zip(left_out);
    each.map(|((key, stats), ((users, customers), requesters))| {
        let left_out = LeftOut {
            users,
            customers,
            requesters,
        };
        // Requests and grades are of units, which have instruments of several classes.
        let of_units = by != StatsBy::Category;
        Ok(Group {
            name: names.name(by, key),
            key: key.clone(),
            figures: figures(stats, left_out, (of_units, grades))?,
        })
    })
    .collect()
}

/// Whose figures are not told.
#[derive(Clone, Copy)]
struct LeftOut {
    users: bool,
    customers: bool,
    requesters: bool,
}

const OF_USERS: [&str; 3] = ["records", "samples", "effective_minutes"];
const OF_CUSTOMERS: [&str; 4] = [
    "external_units",
    "sme_units",
    "external_minutes",
    "income_fen",
];
/// Either part would follow from the rate and the other part.
const OF_BOTH: [&str; 2] = ["share_rate_of_sums", "share_rate_mean"];
const OF_REQUESTERS: [&str; 2] = ["answered_in_time_rate", "answer_hours_median"];

fn figures(
    stats: &YearStats,
    left_out: LeftOut,
    (of_units, grades): (bool, Option<&Grades>),
) -> Result<Figures, AppError> {
    let count = |units: &BTreeSet<OrganizationId>| i64::try_from(units.len());
    let fen = |sum: i128| i64::try_from(sum).map(Fen::new);
    let mut told = Figures {
        hosts: count(&stats.hosts).map_err(AppError::internal)?,
        instruments: stats.instruments,
        externally_shared_instruments: stats.externally_shared_instruments,
        original_value_fen: fen(stats.original_value_fen).ok(),
        grades: grades.filter(|_| of_units).map(|all| counted(all, stats)),
        ..Figures::default()
    };
    let mut suppressed: Vec<&str> = Vec::new();
    let printed = |rate: num_rational::BigRational| ratio::decimal(&rate, 4);
    match left_out.users {
        true => suppressed.extend(OF_USERS),
        false => {
            told.records = Some(stats.records);
            told.samples = Some(stats.samples);
            told.effective_minutes = Some(stats.effective_minutes);
        }
    }
    match left_out.customers {
        true => suppressed.extend(OF_CUSTOMERS),
        false => {
            told.external_units = Some(count(&stats.customers).map_err(AppError::internal)?);
            told.sme_units = Some(count(&stats.sme).map_err(AppError::internal)?);
            told.external_minutes = Some(stats.external_minutes);
            told.income_fen = fen(stats.income_fen).ok();
        }
    }
    match left_out.users || left_out.customers {
        true => suppressed.extend(OF_BOTH),
        false => {
            told.share_rate_of_sums = stats.share_rate_of_sums().map(printed);
            told.share_rate_mean = stats.share_rate_mean().map(printed);
        }
    }
    match left_out.requesters {
        _ if !of_units => {}
        true => suppressed.extend(OF_REQUESTERS),
        false => {
            told.answered_in_time_rate = stats.answered_in_time_rate().map(printed);
            told.answer_hours_median = stats.answer_hours_median().map(printed);
        }
    }
    told.suppressed = suppressed.into_iter().map(str::to_owned).collect();
    Ok(told)
}

fn counted(grades: &Grades, stats: &YearStats) -> BTreeMap<String, i64> {
    let mut all = BTreeMap::new();
    for grade in stats.hosts.iter().filter_map(|host| grades.get(host)) {
        *all.entry(grade.to_string()).or_default() += 1;
    }
    all
}
