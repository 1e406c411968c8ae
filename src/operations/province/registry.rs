//! Organizations with their relations, and listed instruments with exemption, price and default booking rules.

use chrono::NaiveDate;

use super::change::Differences;
use super::{
    Import, Known, Listed, OrganizationRole, ProvinceInstrument, ProvinceOrganization, Writing,
    revise,
};
use crate::domain::booking_rules::RulesInForce;
use crate::domain::charge::check_day;
use crate::domain::contact::PublicContact;
use crate::domain::instrument::{InstrumentDescription, InstrumentFacts, InstrumentState};
use crate::domain::organization::{OrganizationFacts, OrganizationState};
use crate::domain::tariff::{Period, Tariff};
use crate::domain::{Fen, Instant, InstrumentId, OrganizationId, RegionCode, Uscc};
use crate::error::{AppError, Code, Fault};
use crate::operations::organization;
use crate::store::event::Subject;
use crate::store::instrument::{Standing, Version};
use crate::store::organization::NewOrganization;
use crate::store::{self, Conn, province};

impl Import<'_> {
    pub(super) fn organizations(
        &mut self,
        tx: &mut Conn,
        writing: &mut Writing,
    ) -> Result<(), AppError> {
        let mut related = Vec::new();
        for row in self.source.organizations()? {
            let (row, organization) = row?;
            let known = add_organization(tx, writing, row, &organization)?;
            if organization.related_to.is_some() || known.is_stored {
                let uscc = organization.uscc.clone();
                related.push((row, uscc, organization.related_to, known));
            }
            self.organizations.insert(organization.uscc, known);
        }
        for (row, uscc, host, known) in related {
            self.relate(tx, writing, (row, &uscc), known, host)?;
        }
        Ok(())
    }

    /// Relates a new organization to its host; one that was there must be related to it, and to no other by an import.
    fn relate(
        &self,
        tx: &mut Conn,
        writing: &mut Writing,
        (row, uscc): (u32, &str),
        known: Known,
        host: Option<String>,
    ) -> Result<(), AppError> {
        let other = match &host {
            Some(host) => Some(self.organization(writing, row, "related_to", host)?.id),
            None => None,
        };
        if other == Some(known.id) {
            let host = host.unwrap_or_default();
            return Err(writing.refused(row, "related_to", Code::unknown_reference, &host));
        }
        if known.is_stored {
            let imported = province::list_related_since(tx, known.id, since())?;
            let same = match other {
                Some(other) if imported.is_empty() => province::are_related(tx, known.id, other)?,
                other => imported.iter().copied().eq(other),
            };
            if same {
                return Ok(());
            }
            // A relation is ended by whoever supervises it; one that is missing is added.
            if !imported.is_empty() {
                return Err(writing.differs(row, uscc, &["related_to"]));
            }
            let mut differences = Differences::default();
            differences.see("related_to", &None, &host);
            let subject = Subject::new("organization", known.id);
            writing.correction(tx, subject, &differences)?;
            writing.changed(row, uscc, differences);
        }
        if let Some(other) = other {
            writing.event(tx)?;
            let now = writing.actor.now;
            let verified_at = store::yearly_run::after_freezes(tx, now)?;
            province::insert_related(tx, (known.id, other), since(), verified_at, now)?;
        }
        Ok(())
    }

    pub(super) fn instruments(
        &mut self,
        tx: &mut Conn,
        writing: &mut Writing,
    ) -> Result<(), AppError> {
        let categories = province::list_category_codes(tx)?;
        for row in self.source.instruments()? {
            let (row, instrument) = row?;
            let host = self.host(writing, row, &instrument.host_uscc)?;
            if !categories.contains(&instrument.category_code) {
                let code = &instrument.category_code;
                return Err(writing.refused(row, "category_code", Code::unknown_category, code));
            }
            let id = add_instrument(tx, writing, row, host.id, &instrument)?;
            let key = (host.id, instrument.asset_no.folded());
            let listed = Listed {
                id,
                accepted_on: instrument.accepted_on,
            };
            self.instruments.insert(key, listed);
        }
        Ok(())
    }
}

/// Relations of a province's file are older than every record can be.
fn since() -> Instant {
    let first = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap_or(NaiveDate::MIN);
    Instant::at_midnight(first)
}

fn add_organization(
    tx: &mut Conn,
    writing: &mut Writing,
    row: u32,
    given: &ProvinceOrganization,
) -> Result<Known, AppError> {
    let uscc = Uscc::parse(&given.uscc)
        .map_err(|_| writing.refused(row, "uscc", Code::malformed, &given.uscc))?;
    let region_code: RegionCode = given.region_code.parse().map_err(|_| {
        writing.refused(row, "region_code", Code::unknown_region, &given.region_code)
    })?;
    let is_host = given.role == OrganizationRole::Host;
    let known = |id, is_stored| Known {
        id,
        is_host,
        is_stored,
        kind: given.kind,
    };
    writing.once(row, "uscc", &given.uscc)?;
    if let Some(stored) = store::organization::find_by_uscc(tx, &uscc)? {
        revise::organization(tx, writing, (row, given), region_code, &stored)?;
        return Ok(known(stored.id, true));
    }
    writing.event(tx)?;
    writing.inserted += 1;
    let new = NewOrganization {
        uscc_confirmed: !uscc.check_passes(),
        is_sme: given.is_sme,
        state: OrganizationState::Verified,
        now: writing.actor.now,
        facts: OrganizationFacts {
            name: given.name.clone(),
            kind: given.kind,
            supervising_region_code: RegionCode::supervising_default(region_code, &uscc),
            uscc,
            region_code,
            is_host,
            address: None,
            public_contact: None,
        },
    };
    let inserted = store::organization::insert(tx, &new).map_err(organization::known_code);
    let id = writing.at(row, &["uscc"], inserted)?;
    let rivals = organization::refuse_rivals(tx, writing.actor, id);
    writing.at(row, &["uscc"], rivals)?;
    Ok(known(id, false))
}

fn facts(
    writing: &Writing,
    row: u32,
    given: &ProvinceInstrument,
) -> Result<InstrumentFacts, AppError> {
    let category_code = given.category_code.parse().map_err(|_| {
        writing.refused(
            row,
            "category_code",
            Code::unknown_category,
            &given.category_code,
        )
    })?;
    let region: RegionCode = given.region_code.parse().map_err(|_| {
        writing.refused(row, "region_code", Code::unknown_region, &given.region_code)
    })?;
    if given.original_value_fen <= Fen::ZERO {
        let value = given.original_value_fen.to_string();
        return Err(writing.refused(row, "original_value_fen", Code::out_of_range, &value));
    }
    let contact = given.contact_phone.clone().map(|phone| PublicContact {
        name: given.contact_name.clone().unwrap_or_default(),
        phone,
        email: None,
    });
    let facts = InstrumentFacts {
        model: given.model.clone(),
        manufacturer: given.manufacturer.clone(),
        country: given.country.clone(),
        accepted_on: Some(given.accepted_on),
        enabled_on: Some(given.enabled_on),
        share_mode: Some(given.share_mode),
        region_code: Some(region),
        location: given.location.clone(),
        public_contact: contact,
        description: InstrumentDescription {
            technical: given.technical.clone(),
            functions: given.functions.clone(),
            service_content: given.service_content.clone(),
            user_notice: given.user_notice.clone(),
            funding: given.funding,
            is_set: given.is_set.unwrap_or(false),
            ..InstrumentDescription::default()
        },
        ..InstrumentFacts::new(
            (&given.name, &given.asset_no),
            given.original_value_fen,
            category_code,
            given.purpose_type,
        )
    };
    let today = writing.actor.now.local_date();
    let mut faults = facts.validate(today).err().unwrap_or_default();
    check_days(given, today, &mut faults);
    match faults.is_empty() {
        true => Ok(facts),
        false => Err(writing.faulty(row, faults)),
    }
}

/// No day before 1990, none of the submission before the acceptance or in the future.
fn check_days(given: &ProvinceInstrument, today: NaiveDate, faults: &mut Vec<Fault>) {
    let first = since().local_date();
    for (column, day) in [
        ("accepted_on", given.accepted_on),
        ("enabled_on", given.enabled_on),
    ] {
        if day < first && faults.iter().all(|fault| fault.name() != column) {
            let early = Fault::field(column, Code::out_of_range);
            faults.push(early.limit(first).actual(day));
        }
    }
    let submitted_on = given.submitted_on;
    match check_day("submitted_on", submitted_on, today) {
        Ok(()) if submitted_on < given.accepted_on => {
            let early = Fault::field("submitted_on", Code::dates_out_of_order);
            faults.push(early.limit(given.accepted_on).actual(submitted_on));
        }
        Ok(()) => {}
        Err(fault) => faults.push(fault),
    }
}

pub(super) fn price(given: &ProvinceInstrument) -> Option<Tariff> {
    Some(Tariff {
        customer_class: None,
        mode: None,
        period: Period {
            valid_from: given.enabled_on,
            valid_until: None,
        },
        price_fen_per_hour: given.public_price_fen_per_hour?,
    })
}

fn add_instrument(
    tx: &mut Conn,
    writing: &mut Writing,
    row: u32,
    host: OrganizationId,
    given: &ProvinceInstrument,
) -> Result<InstrumentId, AppError> {
    let facts = facts(writing, row, given)?;
    let submitted_at = Instant::at_midnight(given.submitted_on);
    let key = format!("{} {}", given.host_uscc, given.asset_no.folded());
    writing.once(row, "asset_no", &key)?;
    if let Some(stored) = store::instrument::find_by_asset_no(tx, host, &given.asset_no)? {
        revise::instrument(tx, writing, (row, given), &facts, &stored)?;
        return Ok(stored.id);
    }
    let event = writing.event(tx)?;
    writing.inserted += 1;
    let now = writing.actor.now;
    let standing = Standing {
        state: InstrumentState::Listed,
        submitted_at: Some(submitted_at),
        listed_at: Some(submitted_at),
        ..Standing::draft()
    };
    let version = Version {
        region: facts.region_code,
        facts: &facts,
        standing: &standing,
        now,
    };
    let id = store::instrument::reserve_id(tx)?;
    store::instrument::insert(tx, &version.first(id, host, event))?;
    // Both came in with the entry, at the latest. No freeze before knew it.
    if given.exempted {
        province::insert_exemption(tx, id, submitted_at.min(now))?;
    }
    if let Some(price) = price(given) {
        store::tariff::insert(tx, id, &price, now)?;
    }
    let (of_unit, _) = store::booking_rules::get_of_unit(tx, host)?;
    let first = RulesInForce::inheriting(&of_unit.rules);
    store::booking_rules::insert(tx, &[id], &first, now)?;
    Ok(id)
}
