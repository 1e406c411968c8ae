//! Stored organizations and instruments say what their rows say, as they or their host would change them.

use super::change::Differences;
use super::registry::price;
use super::{OrganizationRole, ProvinceInstrument, ProvinceOrganization, Writing};
use crate::domain::certification::{Certification, SMALL, SME};
use crate::domain::instrument::{InstrumentDescription, InstrumentFacts, InstrumentState};
use crate::domain::organization::OrganizationFacts;
use crate::domain::tariff::{Period, Tariff};
use crate::domain::{Fen, Instant, RegionCode};
use crate::error::{AppError, Code};
use crate::operations::{instrument as instruments, organization as organizations};
use crate::store::event::Subject;
use crate::store::instrument::{Instrument, Standing};
use crate::store::organization::Organization;
use crate::store::{self, Conn, province};

/// Corrects a stored organization if its row says otherwise. A host stays one: its instruments stand.
pub(super) fn organization(
    tx: &mut Conn,
    writing: &mut Writing,
    (row, given): (u32, &ProvinceOrganization),
    region_code: RegionCode,
    stored: &Organization,
) -> Result<(), AppError> {
    let mut differences = Differences::default();
    differences.see("name", &stored.name, &given.name);
    differences.see("kind", &stored.kind, &given.kind);
    differences.see("region_code", &stored.region_code, &region_code);
    let role = match stored.is_host {
        true => OrganizationRole::Host,
        false => OrganizationRole::User,
    };
    differences.see("role", &role, &given.role);
    let declares = !differences.is_empty();
    differences.see("is_sme", &stored.is_sme, &given.is_sme);
    if differences.is_empty() {
        return Ok(());
    }
    if stored.is_host && differences.has(&["role"]) {
        return Err(writing.differs(row, &given.uscc, &["role"]));
    }
    if declares {
        let mut facts = OrganizationFacts {
            name: given.name.clone(),
            kind: given.kind,
            region_code,
            is_host: given.role == OrganizationRole::Host,
            ..stored.facts()
        };
        if differences.has(&["region_code"]) {
            let supervising = RegionCode::supervising_default(region_code, &stored.uscc);
            facts.supervising_region_code = supervising;
        }
        let amended = organizations::amend_as_told(tx, writing.actor, stored, &facts);
        writing.placed(row, &["name", "kind", "region_code", "role"], amended)?;
    }
    if differences.has(&["is_sme"]) {
        certify(tx, writing, row, given, stored)?;
    }
    let subject = Subject::new("organization", stored.id);
    writing.correction(tx, subject, &differences)?;
    writing.changed(row, &given.uscc, differences);
    Ok(())
}

/// The certification without days that an import gives comes or goes; those that somebody set with days stand.
fn certify(
    tx: &mut Conn,
    writing: &Writing,
    row: u32,
    given: &ProvinceOrganization,
    stored: &Organization,
) -> Result<(), AppError> {
    let is_ours = |one: &Certification| {
        one.certification == SMALL && one.valid_from_on.is_none() && one.valid_until_on.is_none()
    };
    let mut all = store::certification::list(tx, stored.id)?;
    all.retain(|one| !is_ours(one));
    if all
        .iter()
        .any(|one| SME.contains(&one.certification.as_str()))
    {
        return Err(writing.differs(row, &given.uscc, &["is_sme"]));
    }
    if given.is_sme {
        all.push(Certification {
            certification: SMALL.to_owned(),
            valid_from_on: None,
            valid_until_on: None,
            document_no: None,
        });
    }
    store::certification::replace(tx, stored.id, &all)?;
    let present = store::organization::get(tx, stored.id)?;
    let now = store::yearly_run::after_freezes(tx, writing.actor.now)?;
    Ok(store::organization::update_is_sme(
        tx,
        &present,
        given.is_sme,
        now,
    )?)
}

/// Corrects a stored instrument if its row says otherwise; what the file has no column for stays.
pub(super) fn instrument(
    tx: &mut Conn,
    writing: &mut Writing,
    (row, given): (u32, &ProvinceInstrument),
    said: &InstrumentFacts,
    stored: &Instrument,
) -> Result<(), AppError> {
    let key = given.asset_no.as_str();
    if stored.standing.state != InstrumentState::Listed {
        return Err(writing.differs(row, key, &["state"]));
    }
    let mut facts = with(&stored.facts, said);
    if let Some(is_set) = given.is_set {
        facts.description.is_set = is_set;
    }
    let mut differences = Differences::default();
    see_facts(&mut differences, &stored.facts, &facts);
    let submitted_at = Instant::at_midnight(given.submitted_on);
    let before = stored.standing.submitted_at.map(|at| at.local_date());
    differences.see("submitted_on", &before, &Some(given.submitted_on));
    let is_rewritten = !differences.is_empty();
    let is_exempted = province::is_exempted(tx, stored.id)?;
    differences.see("exempted", &is_exempted, &given.exempted);
    let prices = store::tariff::list(tx, stored.id)?;
    let general = prices.iter().rev().find(|(_, price)| {
        price.customer_class.is_none() && price.mode.is_none() && price.period.valid_until.is_none()
    });
    let before: Option<Fen> = general.map(|(_, price)| price.price_fen_per_hour);
    let after = given.public_price_fen_per_hour;
    differences.see("public_price_fen_per_hour", &before, &after);
    if differences.is_empty() {
        return Ok(());
    }
    if is_rewritten {
        let mut standing: Standing = stored.standing.clone();
        if differences.has(&["submitted_on"]) {
            standing.submitted_at = Some(submitted_at);
            standing.listed_at = Some(submitted_at);
        }
        let told = (&facts, &standing);
        let corrected = instruments::correct_as_told(tx, writing.actor, stored, told);
        writing.placed(row, &["asset_no"], corrected)?;
    }
    if differences.has(&["exempted"]) {
        if is_exempted {
            // What was approved is not taken back.
            let refused = Err(AppError::conflict(Code::exemption_exists).with("key", key));
            return writing.at(row, &["exempted"], refused);
        }
        let at = store::yearly_run::after_freezes(tx, writing.actor.now)?;
        province::insert_exemption(tx, stored.id, at)?;
    }
    if differences.has(&["public_price_fen_per_hour"]) {
        reprice(tx, writing, (row, given), stored, general.copied())?;
    }
    let subject = Subject::new("instrument", stored.id);
    writing.correction(tx, subject, &differences)?;
    writing.changed(row, key, differences);
    Ok(())
}

/// The price for everybody ends yesterday and another holds from today; one that never was holds from the beginning.
fn reprice(
    tx: &mut Conn,
    writing: &Writing,
    (row, given): (u32, &ProvinceInstrument),
    stored: &Instrument,
    general: Option<(crate::domain::TariffId, Tariff)>,
) -> Result<(), AppError> {
    let column = ["public_price_fen_per_hour"];
    let now = store::yearly_run::after_freezes(tx, writing.actor.now)?;
    let today = writing.actor.now.local_date();
    let mut price = price(given);
    if let Some((id, present)) = general {
        let last = today
            .pred_opt()
            .filter(|last| present.period.valid_from <= *last);
        let Some(last) = last else {
            return Err(writing.differs(row, given.asset_no.as_str(), &column));
        };
        store::tariff::update_end(tx, id, last, now)?;
        price = price.map(|price| Tariff {
            period: Period {
                valid_from: today,
                valid_until: None,
            },
            ..price
        });
    }
    if let Some(price) = price {
        let inserted = store::tariff::insert(tx, stored.id, &price, now);
        writing.at(row, &column, inserted.map_err(AppError::from))?;
    }
    Ok(())
}

/// The stored facts with what the file's columns say.
fn with(stored: &InstrumentFacts, said: &InstrumentFacts) -> InstrumentFacts {
    let mut said = said.clone();
    if let (Some(contact), Some(known)) = (&mut said.public_contact, &stored.public_contact)
        && (&contact.name, &contact.phone) == (&known.name, &known.phone)
    {
        contact.email.clone_from(&known.email);
    }
    InstrumentFacts {
        name: said.name,
        original_value_fen: said.original_value_fen,
        category_code: said.category_code,
        purpose_type: said.purpose_type,
        model: said.model,
        manufacturer: said.manufacturer,
        country: said.country,
        accepted_on: said.accepted_on,
        enabled_on: said.enabled_on,
        share_mode: said.share_mode,
        region_code: said.region_code,
        location: said.location,
        public_contact: said.public_contact,
        description: InstrumentDescription {
            technical: said.description.technical,
            functions: said.description.functions,
            service_content: said.description.service_content,
            user_notice: said.description.user_notice,
            funding: said.description.funding.or(stored.description.funding),
            ..stored.description.clone()
        },
        ..stored.clone()
    }
}

fn see_facts(differences: &mut Differences, before: &InstrumentFacts, after: &InstrumentFacts) {
    let seen = differences;
    seen.see("name", &before.name, &after.name);
    seen.see("model", &before.model, &after.model);
    seen.see("manufacturer", &before.manufacturer, &after.manufacturer);
    seen.see("country", &before.country, &after.country);
    let values = (before.original_value_fen, after.original_value_fen);
    seen.see("original_value_fen", &values.0, &values.1);
    seen.see("category_code", &before.category_code, &after.category_code);
    seen.see("purpose_type", &before.purpose_type, &after.purpose_type);
    seen.see("accepted_on", &before.accepted_on, &after.accepted_on);
    seen.see("enabled_on", &before.enabled_on, &after.enabled_on);
    seen.see("share_mode", &before.share_mode, &after.share_mode);
    seen.see("region_code", &before.region_code, &after.region_code);
    let (old, new) = (&before.description, &after.description);
    seen.see("technical", &old.technical, &new.technical);
    seen.see("functions", &old.functions, &new.functions);
    seen.see(
        "service_content",
        &old.service_content,
        &new.service_content,
    );
    seen.see("user_notice", &old.user_notice, &new.user_notice);
    seen.see("funding", &old.funding, &new.funding);
    seen.see("is_set", &old.is_set, &new.is_set);
    let contact = |facts: &InstrumentFacts| {
        let contact = facts.public_contact.as_ref();
        contact
            .map(|contact| (contact.name.clone(), contact.phone.clone()))
            .unzip()
    };
    let (old, new): ((Option<_>, Option<_>), (Option<_>, Option<_>)) =
        (contact(before), contact(after));
    seen.see("contact_name", &old.0, &new.0);
    seen.see("contact_phone", &old.1, &new.1);
    seen.see("location", &before.location, &after.location);
}
