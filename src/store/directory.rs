//! The directory of organizations: filtered pages, the feed of changes, and how many instruments each lists.

use std::collections::BTreeMap;

use diesel::dsl::{not, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::case_fold::CaseFold;
use super::organization::Organization;
use super::page::{Found, Key, Ordered, Range, in_range, load_keys, walk};
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
    /// No active administrator of its own as a host, or some.
    pub lacks_admin: Option<bool>,
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

/// Roles stand in a JSON text, each in quotes.
pub(super) const LACKS_ADMIN: &str = "NOT EXISTS (SELECT 1 FROM user_account a \
    WHERE a.organization_id = organization.id AND a.state = 'active' AND a.roles LIKE '%\"host_admin\"%')";

/// One page.
pub fn list(conn: &mut Conn, filter: &Filter) -> Result<Found<Organization>> {
    let letters = CaseFold::of(conn);
    let list = List { filter, letters };
    let range = match filter.place {
        PageStart::Start => Range::oldest(None),
        PageStart::After(id) => Range::oldest(Some(id.number())),
        PageStart::Changed(at, id) => Range::of(Some((at, id)), None),
    };
    if !range.is_changes() && !filter.usccs.is_empty() {
        // The codes are unique, so they leave few.
        let query = list.narrowed(organization::table.into_boxed(), range);
        let mut rows: Vec<Organization> = query.select(Organization::as_select()).load(conn)?;
        rows.retain(|row| range.after.is_none_or(|after| list.key(row, range) > after));
        rows.sort_by_key(|row| row.id);
        rows.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
        return Ok(Found::all(rows));
    }
    walk(conn, &list, &[()], list.is_filtered(), range, filter.limit)
}

struct List<'a> {
    filter: &'a Filter,
    letters: CaseFold,
}

type Query<'a> = organization::BoxedQuery<'a, <Conn as Connection>::Backend>;

impl List<'_> {
    fn is_filtered(&self) -> bool {
        !conditions(self.filter, &self.letters).is_empty()
    }

    fn narrowed<'q>(&self, query: Query<'q>, range: Range) -> Query<'q> {
        let filter = self.filter;
        let wanted = conditions(filter, &self.letters).into_iter().reduce(and);
        let is_telling = range.is_changes() && !filter.reach.everything;
        let gone = is_telling.then(|| withdrawn(&filter.reach));
        match (wanted, gone) {
            (Some(wanted), Some(gone)) => query.filter(or(wanted, gone)),
            (Some(only), None) | (None, Some(only)) => query.filter(only),
            (None, None) => query,
        }
    }
}

impl Ordered for List<'_> {
    type Branch = ();
    type Row = Organization;

    fn nth(&self, conn: &mut Conn, (): (), range: Range, skipped: i64) -> Result<Option<Key>> {
        let query = in_range!(organization::table.into_boxed(), organization, range);
        Ok(load_keys!(query.limit(1).offset(skipped), organization, range, conn).pop())
    }

    fn keys(&self, conn: &mut Conn, (): (), range: Range, limit: i64) -> Result<Vec<Key>> {
        let query = self.narrowed(organization::table.into_boxed(), range);
        let query = in_range!(query, organization, range).limit(limit);
        Ok(load_keys!(query, organization, range, conn))
    }

    fn rows(&self, conn: &mut Conn, (): (), range: Range, limit: i64) -> Result<Vec<Organization>> {
        let query = self.narrowed(organization::table.into_boxed(), range);
        let query = in_range!(query, organization, range).limit(limit);
        Ok(query.select(Organization::as_select()).load(conn)?)
    }

    fn key(&self, row: &Organization, range: Range) -> Key {
        range.key(row.updated_at, row.id.number())
    }
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
    match filter.lacks_admin {
        Some(true) => all.push(Box::new(sql::<Bool>(LACKS_ADMIN))),
        Some(false) => all.push(Box::new(not(sql::<Bool>(LACKS_ADMIN)))),
        None => {}
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
