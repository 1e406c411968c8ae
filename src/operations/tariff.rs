//! Tariffs: the host makes dated prices of an instrument. Two of one class and mode never hold on one day.

mod import;

pub use import::{ImportedTariffs, TariffRow, import, may_get_template};

use chrono::NaiveDate;
use serde_json::json;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::booking::BookingMode;
use crate::domain::certification::SmeDays;
use crate::domain::organization::OrganizationKind;
use crate::domain::service::{ServiceFacts, ServiceItem};
use crate::domain::tariff::{self, CustomerClass, Priced, Quote, ServiceLine, Tariff};
use crate::domain::{InstrumentId, Minutes, OrganizationId, ServiceId, TariffId, TooLarge};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::bulk::{Bulk, Verdicts, themselves};
use crate::operations::instrument::InstrumentContext;
use crate::operations::run::{Outcome, Run, admit};
use crate::operations::subject::{Subject, Ties};
use crate::store::event;
use crate::store::organization::Organization;
use crate::store::{self, Conn, Constraint, Lock, StoreError};

/// An instrument whose prices are made: under the lock of its records, which are priced by them.
#[derive(Debug)]
pub struct PricesContext(InstrumentContext);

impl Subject for PricesContext {
    type Id = InstrumentId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: InstrumentId) -> Result<Self, AppError> {
        Lock::take_records_of(id, tx)?;
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: InstrumentId) -> Result<Self, AppError> {
        InstrumentContext::load(conn, actor, id).map(Self)
    }

    fn ties(&self) -> Ties {
        self.0.ties()
    }

    fn version(&self) -> Option<i64> {
        None
    }
}

/// One price with who is tied to its instrument.
#[derive(Debug)]
pub struct TariffContext {
    instrument: InstrumentContext,
    tariff: Tariff,
}

impl Subject for TariffContext {
    type Id = (InstrumentId, TariffId);

    /// Takes the lock of the instrument and its records, then reads.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError> {
        Lock::take_records_of(id.0, tx)?;
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError> {
        Ok(Self {
            instrument: InstrumentContext::load(conn, actor, id.0)?,
            tariff: store::tariff::find(conn, id.0, id.1)?.ok_or(AppError::NotFound)?,
        })
    }

    fn ties(&self) -> Ties {
        self.instrument.ties()
    }

    fn version(&self) -> Option<i64> {
        None
    }
}

/// A price as answers show it.
#[derive(Debug, Clone, Copy)]
pub struct TariffView {
    pub instrument_id: InstrumentId,
    pub id: TariffId,
    pub tariff: Tariff,
}

/// Every price an instrument ever had, by its first day, where the actor may see it.
pub async fn list(app: &App, actor: &Actor, id: InstrumentId) -> Result<Vec<TariffView>, AppError> {
    admit::<InstrumentContext>(app, actor, Action::TariffList, id).await?;
    let find = move |conn: &mut Conn| store::tariff::list(conn, id).map_err(AppError::from);
    let found = app.store.read(find).await?.into_iter();
    let view = |(tariff_id, tariff)| TariffView {
        instrument_id: id,
        id: tariff_id,
        tariff,
    };
    Ok(found.map(view).collect())
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
    let is_sme = store::certification::is_sme_on(conn, unit.id, wanted.on)?;
    price_by(&tariffs, &services, (unit.kind, is_sme), wanted)
}

/// As [`price`], by tariffs and a price list that are known, for a unit of this kind, small or medium or not on that day.
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
    (unit, sme_days): (&Organization, &SmeDays),
    mode: BookingMode,
    on: NaiveDate,
    minutes: Minutes,
) -> Priced {
    Priced {
        class: tariff::customer_class(host, unit.id, unit.kind, sme_days.holds_on(on)),
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

/// Ends an open-ended price: `valid_until` is the last day on which it holds, today at the earliest, since the days that have
/// begun were told with it. 409 `invalid_state` when it has an end already.
pub async fn end(
    run: &Run<TariffView>,
    (instrument, id): (InstrumentId, TariffId),
    valid_until: Result<NaiveDate, AppError>,
) -> Outcome<TariffView> {
    let place = (instrument, id);
    run.on(
        place,
        valid_until,
        move |tx, actor, context: TariffContext, valid_until| {
            let (present, valid_until) = (context.tariff, *valid_until);
            let earliest = actor.now.local_date().max(present.period.valid_from);
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
                .event(Action::TariffEnd, event::Subject::new("tariff", id))
                .of(context.instrument.ties.host_organization_id, None)
                .before(json!({ "instrument_id": instrument, "tariff": present }))?
                .after(json!({ "instrument_id": instrument, "tariff": ended }))?;
            event::append(tx, &event)?;
            Ok(TariffView {
                instrument_id: instrument,
                id,
                tariff: ended,
            })
        },
    )
    .await
}

/// Makes a price. 422 for what is wrong with it, 409 `tariff_overlaps` with the one in the way.
pub async fn create(
    run: &Run<TariffView>,
    id: InstrumentId,
    new: Result<Tariff, AppError>,
) -> Outcome<TariffView> {
    run.on(id, new, insert).await
}

/// Makes prices of several instruments, each as [`create`] does.
pub async fn create_all(
    run: &Run<Verdicts>,
    bulk: Result<Bulk<InstrumentId, Tariff>, AppError>,
) -> Outcome<Verdicts> {
    run.each(bulk, Action::TariffCreate, themselves, insert)
        .await
}

fn insert(
    tx: &mut Conn,
    actor: &Actor,
    PricesContext(context): PricesContext,
    new: &Tariff,
) -> Result<TariffView, AppError> {
    new.validate()?;
    let instrument_id = context.instrument.id;
    // Under the lock of the instrument nobody else makes one meanwhile.
    let mut known = store::tariff::list(tx, instrument_id)?.into_iter();
    if let Some((existing, _)) = known.find(|(_, known)| is_in_the_way(known, new)) {
        return Err(
            AppError::conflict(Code::tariff_overlaps).with("existing_id", existing.number())
        );
    }
    let created_at = store::yearly_run::after_freezes(tx, actor.now)?;
    let inserted = store::tariff::insert(tx, instrument_id, new, created_at);
    let id = inserted.map_err(|error| match error {
        StoreError::Violated(Constraint::TariffOverlap) => {
            AppError::conflict(Code::tariff_overlaps)
        }
        other => other.into(),
    })?;
    let event = actor
        .event(Action::TariffCreate, event::Subject::new("tariff", id))
        .of(context.ties.host_organization_id, None)
        .after(json!({ "instrument_id": instrument_id, "tariff": new }))?;
    event::append(tx, &event)?;
    Ok(TariffView {
        instrument_id,
        id,
        tariff: *new,
    })
}

/// Both would hold for the same customers and mode on some day.
fn is_in_the_way(known: &Tariff, new: &Tariff) -> bool {
    known.customer_class == new.customer_class
        && known.mode == new.mode
        && known.period.overlaps(&new.period)
}
