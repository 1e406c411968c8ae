//! Who asks for a time, and what that changes: the rules of its class of customers, and the bookings that count toward quotas and
//! gaps. Whoever is about to add to a quota over a host takes a lock of host and person or unit, after that of the instrument.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::slot::WantedSlot;
use crate::domain::access::Caller;
use crate::domain::booking::{BookingAction, BookingMode, Person, expires_at};
use crate::domain::booking_rules::{
    BookingRules, LONGEST, Made, Quota, QuotaOver, QuotaPer, QuotaPeriod,
};
use crate::domain::tariff::{CustomerClass, customer_class};
use crate::domain::{BookingId, Instant, Minutes, OrganizationId, Slot};
use crate::error::AppError;
use crate::operations::run::lock_number;
use crate::store::booking::{Counted, Scope, Whose};
use crate::store::terms::{Basis, Terms};
use crate::store::{self, Conn, Lock};

/// Who asks for a time.
#[derive(Debug, Clone)]
pub struct Asker {
    pub person: Person,
    pub unit: OrganizationId,
}

impl Asker {
    /// Who is signed in, for themselves.
    pub fn of(caller: &Caller) -> Self {
        Self {
            person: Person::Member(caller.user_id),
            unit: caller.organization_id,
        }
    }
}

/// Which bookings do not count, though they are the asker's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Except {
    /// The one that is asked about.
    pub id: Option<BookingId>,
    /// Those made after it do not count either: a booking that was within its quota stays so, whatever came later.
    pub is_only_earlier: bool,
}

/// The class of customers whose rules a unit has today; who is not signed in has those of an enterprise.
pub fn class_of(
    conn: &mut Conn,
    host: OrganizationId,
    unit: Option<OrganizationId>,
    now: Instant,
) -> Result<CustomerClass, AppError> {
    let Some(unit) = unit else {
        return Ok(CustomerClass::Enterprise);
    };
    let kind = store::organization::get(conn, unit)?.kind;
    let is_sme = store::certification::is_sme_on(conn, unit, now.local_date())?;
    Ok(customer_class(host, unit, kind, is_sme))
}

/// The terms as they are for a class.
pub fn of_class(terms: &Arc<Terms>, class: CustomerClass) -> Arc<Terms> {
    if terms.rules.class_rules.is_empty() {
        return Arc::clone(terms);
    }
    Arc::new(Terms {
        rules: terms.rules.of_class(class).into_owned(),
        ..Terms::clone(terms)
    })
}

/// The terms as they are for a unit today.
pub fn terms_for(
    conn: &mut Conn,
    terms: &Arc<Terms>,
    unit: Option<OrganizationId>,
    now: Instant,
) -> Result<Arc<Terms>, AppError> {
    if terms.rules.class_rules.is_empty() {
        return Ok(Arc::clone(terms));
    }
    let class = class_of(conn, terms.host_organization_id, unit, now)?;
    Ok(of_class(terms, class))
}

/// The same of a reading that knows the unit.
pub fn basis_for(basis: Basis, unit: OrganizationId, now: Instant) -> Basis {
    let is_sme = basis.unit_sme_days.holds_on(now.local_date());
    let host = basis.terms.host_organization_id;
    let class = customer_class(host, unit, basis.unit_kind, is_sme);
    Basis {
        terms: of_class(&basis.terms, class),
        ..basis
    }
}

/// Waits for whoever is about to add to the same quotas over the host.
pub fn lock(tx: &mut Conn, terms: &Terms, wanted: &WantedSlot) -> Result<(), AppError> {
    let host = terms.host_organization_id;
    let quotas = terms.rules.quotas_on(Some(wanted.mode));
    let key = |quota: &Quota| match quota.per {
        QuotaPer::Person => format!("{host} {:?}", wanted.asker.person),
        QuotaPer::Organization => format!("{host} {}", wanted.asker.unit),
    };
    let over_host = quotas.filter(|quota| quota.over == QuotaOver::Host);
    let mut locks: Vec<i64> = over_host
        .map(|quota| lock_number(quota.per.as_str(), &key(quota)))
        .collect();
    locks.sort_unstable();
    locks.dedup();
    for lock in locks {
        Lock::Quota(lock).take(tx)?;
    }
    Ok(())
}

/// What counts when a wanted slot is judged.
pub fn made_for(
    conn: &mut Conn,
    terms: &Terms,
    wanted: &WantedSlot,
    reach: &Slot,
) -> Result<Vec<Made>, AppError> {
    let asked = (Some(wanted.mode), &wanted.asker, wanted.except());
    made(conn, terms, asked, reach, wanted.now)
}

/// The bookings of who asks that count toward what the rules say of `reach`; none where the rules do not look.
pub fn made(
    conn: &mut Conn,
    terms: &Terms,
    (mode, asker, except): (Option<BookingMode>, &Asker, Except),
    reach: &Slot,
    now: Instant,
) -> Result<Vec<Made>, AppError> {
    let rules = &terms.rules;
    if !rules.looks_at_bookings(mode) {
        return Ok(Vec::new());
    }
    // What is longer is too long in any case.
    let longest = Slot::new(reach.starts_at(), reach.starts_at().plus(AHEAD_MOST));
    let reach = longest
        .ok()
        .filter(|longest| reach.contains(longest))
        .unwrap_or(*reach);
    let of = |per| -> Vec<&Quota> {
        rules
            .quotas_on(mode)
            .filter(|quota| quota.per == per)
            .collect()
    };
    let mut found: BTreeMap<BookingId, (Counted, bool)> = BTreeMap::new();
    let person = of(QuotaPer::Person);
    if rules.looks_at_person(mode) {
        let scope = scope(terms, &person, (rules, &reach), now)?;
        for booking in of_person(conn, &asker.person, &scope)? {
            found.insert(booking.id, (booking, true));
        }
    }
    let unit = of(QuotaPer::Organization);
    if !unit.is_empty() {
        let scope = scope(terms, &unit, (rules, &reach), now)?;
        for booking in store::booking::list_counted(conn, Whose::Unit(asker.unit), &scope)? {
            found.entry(booking.id).or_insert((booking, false));
        }
    }
    let counts = |(booking, _): &(Counted, bool)| {
        let is_excepted = except.id.is_some_and(|id| match except.is_only_earlier {
            true => booking.id >= id,
            false => booking.id == id,
        });
        let waits = booking.state.after(BookingAction::Expire).is_ok();
        let is_over = waits && expires_at(&booking.slot, booking.approval_due_at) <= now;
        !is_excepted && !is_over
    };
    let shown = |(booking, is_of_person): (Counted, bool)| Made {
        slot: booking.slot,
        ended_at: booking.ended_at,
        mode: booking.mode,
        state: booking.state,
        is_here: booking.instrument_id == terms.instrument_id,
        is_of_person,
        is_of_unit: booking.organization_id == asker.unit,
    };
    Ok(found.into_values().filter(counts).map(shown).collect())
}

fn of_person(conn: &mut Conn, person: &Person, scope: &Scope) -> Result<Vec<Counted>, AppError> {
    let whose = match person {
        Person::Member(user) => Whose::Person(*user),
        Person::Guest { unit, .. } => Whose::GuestsOf(*unit),
    };
    let mut found = store::booking::list_counted(conn, whose, scope)?;
    found.retain(|booking| match &booking.operator {
        Some(operator) => Person::named(operator, booking.organization_id) == *person,
        None => matches!(person, Person::Member(_)),
    });
    Ok(found)
}

/// No booking starts later than the farthest horizon, and none is longer than the longest.
const AHEAD_MOST: Minutes = Minutes::new(730 * 1440 + LONGEST.number());

/// Where and when bookings count toward these quotas, and toward the gap of the rules.
fn scope(
    terms: &Terms,
    quotas: &[&Quota],
    (rules, reach): (&BookingRules, &Slot),
    now: Instant,
) -> Result<Scope, AppError> {
    let (mut from, mut until) = (
        reach
            .starts_at()
            .plus(Minutes::new(-rules.gap_minutes.number())),
        reach.ends_at().plus(rules.gap_minutes),
    );
    for quota in quotas {
        for period in quota.period.touched_by(reach) {
            from = from.min(period.starts_at());
            until = until.max(period.ends_at());
        }
        if quota.period == QuotaPeriod::Ahead {
            from = from.min(now);
            until = until.max(now.plus(AHEAD_MOST));
        }
    }
    let is_over_host = quotas.iter().any(|quota| quota.over == QuotaOver::Host);
    Ok(Scope {
        host: terms.host_organization_id,
        instrument: (!is_over_host).then_some(terms.instrument_id),
        window: Slot::new(from, until).map_err(AppError::internal)?,
    })
}
