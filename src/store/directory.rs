//! The directory of organizations: filtered pages, the feed of changes, and how many instruments each lists.

use std::collections::BTreeMap;

use diesel::dsl::not;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::case_fold::CaseFold;
use super::organization::Organization;
use super::schema::{instrument, organization};
use super::{Conn, Result};
use crate::domain::access::Reach;
use crate::domain::instrument::InstrumentState;
use crate::domain::organization::{OrganizationKind, OrganizationState};
use crate::domain::{Instant, OrganizationId, RegionCode, Uscc};

/// Which organizations to list. Absent or empty means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Parts of names.
    pub names: Vec<String>,
    pub kinds: Vec<OrganizationKind>,
    pub states: Vec<OrganizationState>,
    /// Seats within any of these regions.
    pub regions: Vec<RegionCode>,
    pub usccs: Vec<Uscc>,
    pub is_host: Option<bool>,
    /// Beside the public ones, those that this reaches.
    pub reach: Reach,
    pub place: PageStart,
    pub limit: i64,
}

/// Where a page begins, and in which order it goes on.
#[derive(Debug, Clone, Copy, Default)]
pub enum PageStart {
    #[default]
    Start,
    /// After this id, in the order of ids.
    After(OrganizationId),
    /// In the order of (`updated_at`, `id`), after this change, with those that are no longer public.
    Changed(Instant, i64),
}

type Condition =
    Box<dyn BoxableExpression<organization::table, <Conn as Connection>::Backend, SqlType = Bool>>;

/// One page.
pub fn list(conn: &mut Conn, filter: &Filter) -> Result<Vec<Organization>> {
    let is_feed = matches!(filter.place, PageStart::Changed(..));
    let letters = CaseFold::of(conn);
    let mut query = organization::table
        .select(Organization::as_select())
        .limit(filter.limit)
        .into_boxed();
    let wanted = conditions(filter, &letters).into_iter().reduce(and);
    if is_feed && !filter.reach.everything {
        let gone = withdrawn(&filter.reach);
        query = query.filter(match wanted {
            Some(wanted) => or(wanted, gone),
            None => gone,
        });
    } else if let Some(wanted) = wanted {
        query = query.filter(wanted);
    }
    let query = match filter.place {
        PageStart::Start => query,
        PageStart::After(id) => query.filter(organization::id.gt(id)),
        PageStart::Changed(at, id) => query.filter(
            organization::updated_at
                .gt(at)
                .or(organization::updated_at.eq(at).and(organization::id.gt(id))),
        ),
    };
    Ok(if is_feed {
        query
            .order((organization::updated_at, organization::id))
            .load(conn)?
    } else {
        query.order(organization::id).load(conn)?
    })
}

/// What somebody may see and asked for.
fn conditions(filter: &Filter, letters: &CaseFold) -> Vec<Condition> {
    let mut all: Vec<Condition> = Vec::new();
    if !filter.reach.everything {
        all.push(visible(&filter.reach));
    }
    let names = filter.names.iter().map(|part| named(letters, part));
    all.extend(names.reduce(or));
    all.extend(filter.regions.iter().copied().map(seated).reduce(or));
    if !filter.kinds.is_empty() {
        all.push(Box::new(organization::kind.eq_any(filter.kinds.clone())));
    }
    if !filter.states.is_empty() {
        all.push(Box::new(organization::state.eq_any(filter.states.clone())));
    }
    if !filter.usccs.is_empty() {
        all.push(Box::new(organization::uscc.eq_any(filter.usccs.clone())));
    }
    if let Some(is_host) = filter.is_host {
        all.push(Box::new(organization::is_host.eq(is_host)));
    }
    all
}

/// Names with this part in them, in whatever letters.
fn named(letters: &CaseFold, part: &str) -> Condition {
    let part = format!("%{}%", literally(&part.to_ascii_lowercase()));
    Box::new(letters.lower("organization.name").like(part).escape('\\'))
}

/// Rows that were public once and are no longer to be seen. No filter narrows them: what a mirror kept may have had other
/// values than the row has now.
fn withdrawn(reach: &Reach) -> Condition {
    // Only verified organizations are ever suspended.
    let suspended = organization::state.eq(OrganizationState::Suspended);
    Box::new(suspended.and(not(visible(reach))))
}

/// Public rows, and what the reach covers.
fn visible(reach: &Reach) -> Condition {
    let mut condition: Condition = Box::new(organization::state.eq(OrganizationState::Verified));
    for own in [reach.host, reach.unit].into_iter().flatten() {
        condition = or(condition, Box::new(organization::id.eq(own)));
    }
    if let Some(region) = reach.region {
        let within = organization::supervising_region_code.like(format!("{}%", region.prefix()));
        condition = or(condition, Box::new(within));
    }
    condition
}

fn seated(region: RegionCode) -> Condition {
    Box::new(organization::region_code.like(format!("{}%", region.prefix())))
}

fn and(one: Condition, other: Condition) -> Condition {
    Box::new(one.and(other))
}

fn or(one: Condition, other: Condition) -> Condition {
    Box::new(one.or(other))
}

/// A text in which LIKE finds nothing but itself.
fn literally(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

/// How many instruments each of these hosts lists.
pub fn count_listed(
    conn: &mut Conn,
    hosts: &[OrganizationId],
) -> Result<BTreeMap<OrganizationId, i64>> {
    let counts: Vec<(OrganizationId, i64)> = instrument::table
        .filter(
            instrument::organization_id
                .eq_any(hosts)
                .and(instrument::state.eq(InstrumentState::Listed)),
        )
        .group_by(instrument::organization_id)
        .select((instrument::organization_id, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(counts.into_iter().collect())
}
