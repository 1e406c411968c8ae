//! Tariffs: the host makes dated prices of an instrument. Two of one class and mode never hold on one day.

use crate::app::App;
use chrono::{Days, NaiveDate};

use crate::domain::access::{self, Action, Caller, InstrumentTies};
use crate::domain::booking::BookingMode;
use crate::domain::organization::OrganizationKind;
use crate::domain::service::{ServiceFacts, ServiceItem};
use crate::domain::tariff::{self, CustomerClass, Priced, Quote, ServiceLine, Tariff};
use crate::domain::{InstrumentId, Minutes, OrganizationId, ServiceId, TariffId, TooLarge};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::perform;
use crate::store::event::Subject;
use crate::store::organization::Organization;
use crate::store::{self, Conn, Constraint, Lock, StoreError};

/// 404 when the instrument is not the caller's to see (a visitor sees what is public), 403 when the action is not the
/// caller's to do; a visitor, or somebody who only looks, names no action.
pub fn admit(
    conn: &mut Conn,
    caller: Option<&Caller>,
    id: InstrumentId,
    action: Option<Action>,
) -> Result<InstrumentTies, AppError> {
    let ties = store::instrument::get_ties(conn, id, caller.map(|caller| caller.user_id))?;
    match (caller, action) {
        (Some(caller), Some(action)) => access::may_on_instrument(caller, action, &ties)?,
        (Some(caller), None) => access::sees_instrument(caller, &ties)?,
        (None, _) if ties.is_public => {}
        (None, _) => return Err(AppError::NotFound),
    }
    Ok(ties)
}

/// What an organization wants of an instrument, to be priced.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub instrument: InstrumentId,
    pub host: OrganizationId,
    pub unit: OrganizationId,
    pub mode: BookingMode,
    /// The local date on which the service starts.
    pub on: NaiveDate,
    pub minutes: Minutes,
    pub services: &'a [ServiceItem],
}

/// The class an organization is priced as, and the price by the tariffs and the price list of today. 422 `out_of_range` when
/// so many services cost more than any amount can say.
pub fn price(
    conn: &mut Conn,
    wanted: &Wanted<'_>,
) -> Result<(CustomerClass, Option<Quote>), AppError> {
    let unit = store::organization::get(conn, wanted.unit)?;
    let tariffs = store::tariff::list(conn, wanted.instrument)?;
    let services = match wanted.services {
        [] => Vec::new(),
        items => {
            let ids: Vec<_> = items.iter().map(|item| item.service_id).collect();
            store::service::list_some(conn, wanted.instrument, &ids)?
        }
    };
    let services: Vec<_> = services
        .iter()
        .map(|service| (service.id, service.facts()))
        .collect();
    price_by(&tariffs, &services, (unit.kind, unit.is_sme), wanted)
}

/// As [`price`], by tariffs and a price list that are known, for a unit of this kind, small or medium or not.
pub fn price_by(
    tariffs: &[(TariffId, Tariff)],
    services: &[(ServiceId, ServiceFacts)],
    (kind, is_sme): (OrganizationKind, bool),
    wanted: &Wanted<'_>,
) -> Result<(CustomerClass, Option<Quote>), AppError> {
    let class = tariff::customer_class(wanted.host, wanted.unit, kind, is_sme);
    let priced = Priced {
        class,
        mode: wanted.mode,
        on: wanted.on,
        minutes: wanted.minutes,
    };
    let quote = service_lines(services, wanted.services)
        .and_then(|lines| tariff::quote(tariffs, priced, lines));
    let quote = quote.map_err(|_| AppError::refused("service_items", Code::out_of_range))?;
    Ok((class, quote))
}

/// What has a price where a unit uses an instrument of a host.
pub fn priced_as(
    host: OrganizationId,
    unit: &Organization,
    mode: BookingMode,
    on: NaiveDate,
    minutes: Minutes,
) -> Priced {
    Priced {
        class: tariff::customer_class(host, unit.id, unit.kind, unit.is_sme),
        mode,
        on,
        minutes,
    }
}

/// What time alone costs by the tariffs of its instrument. 422 as [`price`].
pub fn price_of_time(
    tariffs: &[(TariffId, Tariff)],
    priced: Priced,
) -> Result<Option<Quote>, AppError> {
    tariff::quote(tariffs, priced, Vec::new())
        .map_err(|_| AppError::refused("service_items", Code::out_of_range))
}

/// What is not on the price list is not priced; whether it may be wanted is judged elsewhere.
fn service_lines(
    listed: &[(ServiceId, ServiceFacts)],
    wanted: &[ServiceItem],
) -> Result<Vec<ServiceLine>, TooLarge> {
    let lines = wanted.iter().filter_map(|item| {
        let (_, facts) = listed.iter().find(|(id, _)| *id == item.service_id)?;
        Some(ServiceLine::new(*item, facts))
    });
    lines.collect()
}

/// Ends an open-ended price: `valid_until` is the first day it no longer holds, tomorrow at the earliest, since the days that
/// have begun were told with it. 409 `invalid_state` when it has an end already.
pub async fn end(
    app: &App,
    actor: &Actor,
    (instrument, id): (InstrumentId, TariffId),
    valid_until: NaiveDate,
) -> Result<Tariff, AppError> {
    let own = actor.clone();
    perform(app, actor, move |tx| {
        let actor = &own;
        let ties = admit(
            tx,
            Some(actor.caller()?),
            instrument,
            Some(Action::TariffEnd),
        )?;
        Lock::take_records_of(instrument, tx)?;
        let present = find(tx, instrument, id)?;
        let earliest = actor.now.local_date().max(present.period.valid_from) + Days::new(1);
        if valid_until < earliest {
            let fault = Fault::field("valid_until", Code::out_of_range);
            let fault = fault
                .limit(format!("{earliest}.."))
                .actual(valid_until.to_string());
            return Err(AppError::Refused(vec![fault]));
        }
        let ended_at = store::yearly_run::after_freezes(tx, actor.now)?;
        if !store::tariff::update_end(tx, id, valid_until, ended_at)? {
            return Err(AppError::conflict(Code::invalid_state)
                .with("state", "ended")
                .with(
                    "valid_until",
                    present.period.valid_until.map(|day| day.to_string()),
                ));
        }
        let mut ended = present;
        ended.period.valid_until = Some(valid_until);
        let event = actor
            .event(Action::TariffEnd, Subject::new("tariff", id))
            .of(ties.host_organization_id, None)
            .before(serde_json::json!({ "instrument_id": instrument, "tariff": present }))?
            .after(serde_json::json!({ "instrument_id": instrument, "tariff": ended }))?;
        store::event::append(tx, &event)?;
        Ok(ended)
    })
    .await
}

/// 404 when the price is not one of the instrument.
pub fn find(conn: &mut Conn, instrument: InstrumentId, id: TariffId) -> Result<Tariff, AppError> {
    store::tariff::find(conn, instrument, id)?.ok_or(AppError::NotFound)
}

/// Makes a price. 422 for what is wrong with it, 409 `tariff_overlaps` with the one in the way.
pub async fn create(
    app: &App,
    actor: &Actor,
    instrument: InstrumentId,
    new: Tariff,
) -> Result<TariffId, AppError> {
    let own = actor.clone();
    let run = move |tx: &mut Conn| run(tx, &own, instrument, &new);
    let refused = match perform(app, actor, run).await {
        Err(AppError::Conflict(conflict)) if conflict.code == Code::tariff_overlaps => {
            AppError::Conflict(conflict)
        }
        done => return done,
    };
    let find =
        move |conn: &mut Conn| {
            Ok::<_, AppError>(store::tariff::list(conn, instrument)?.into_iter().find(
                |(_, known)| {
                    known.customer_class == new.customer_class
                        && known.mode == new.mode
                        && known.period.overlaps(&new.period)
                },
            ))
        };
    // Tariffs are never removed, so what was in the way still is.
    Err(match app.store.read(find).await? {
        Some((existing, _)) => refused.with("existing_id", existing.number()),
        None => refused,
    })
}

fn run(
    tx: &mut Conn,
    actor: &Actor,
    instrument: InstrumentId,
    new: &Tariff,
) -> Result<TariffId, AppError> {
    let ties = admit(
        tx,
        Some(actor.caller()?),
        instrument,
        Some(Action::TariffCreate),
    )?;
    Lock::take_records_of(instrument, tx)?;
    new.validate()?;
    let created_at = store::yearly_run::after_freezes(tx, actor.now)?;
    let id =
        store::tariff::insert(tx, instrument, new, created_at).map_err(|error| match error {
            StoreError::Violated(Constraint::TariffOverlap) => {
                AppError::conflict(Code::tariff_overlaps)
            }
            other => other.into(),
        })?;
    let event = actor
        .event(Action::TariffCreate, Subject::new("tariff", id))
        .of(ties.host_organization_id, None)
        .after(serde_json::json!({ "instrument_id": instrument, "tariff": new }))?;
    store::event::append(tx, &event)?;
    Ok(id)
}
