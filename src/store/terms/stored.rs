//! The form in which terms are stored. A document of another form, or one that cannot be read, counts as missing: terms are
//! made anew from the tables at any time.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Terms;
use crate::domain::booking::BookingMode;
use crate::domain::booking_rules::BookingRules;
use crate::domain::closure::{ClosedTime, Closure, ClosureKind};
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::InstrumentState;
use crate::domain::organization::OrganizationState;
use crate::domain::service::ServiceFacts;
use crate::domain::tariff::{CustomerClass, Period, Tariff};
use crate::domain::{Fen, Instant, InstrumentId, OrganizationId, RegionCode, ServiceId, TariffId};
use crate::store::Result;

/// The form that this program writes and reads.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    host_organization_id: OrganizationId,
    host_state: OrganizationState,
    supervising_region: RegionCode,
    state: InstrumentState,
    share_mode: Option<ShareMode>,
    channels: i64,
    rules: BookingRules,
    rules_version: i64,
    closures: Vec<StoredClosure>,
    tariffs: Vec<StoredTariff>,
    services: Vec<StoredService>,
}

#[derive(Serialize, Deserialize)]
struct StoredClosure {
    starts_at: Instant,
    ends_at: Option<Instant>,
    kind: ClosureKind,
    public_reason: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredTariff {
    id: TariffId,
    customer_class: Option<CustomerClass>,
    mode: Option<BookingMode>,
    valid_from: NaiveDate,
    /// The first day on which it no longer holds.
    valid_until: Option<NaiveDate>,
    price_fen_per_hour: Fen,
}

#[derive(Serialize, Deserialize)]
struct StoredService {
    id: ServiceId,
    test_item: String,
    test_condition: Option<String>,
    method_standard: Option<String>,
    unit: String,
    price_fen: Fen,
}

/// The document of some terms.
pub(super) fn write(terms: &Terms) -> Result<String> {
    let stored = Stored {
        format: FORMAT,
        host_organization_id: terms.host_organization_id,
        host_state: terms.host_state,
        supervising_region: terms.supervising_region,
        state: terms.state,
        share_mode: terms.share_mode,
        channels: terms.channels,
        rules: terms.rules.clone(),
        rules_version: terms.version,
        closures: terms.closures.iter().map(closure).collect(),
        tariffs: terms.tariffs.iter().map(tariff).collect(),
        services: terms.services.iter().map(service).collect(),
    };
    Ok(serde_json::to_string(&stored)?)
}

/// The terms of a document; none when it is of another form.
pub(super) fn read(instrument_id: InstrumentId, content: &str) -> Option<Terms> {
    let stored: Stored = serde_json::from_str(content).ok()?;
    if stored.format != FORMAT {
        return None;
    }
    let closures = stored.closures.into_iter().map(|closure| {
        Some(Closure {
            time: ClosedTime::new(closure.starts_at, closure.ends_at).ok()?,
            kind: closure.kind,
            public_reason: closure.public_reason,
        })
    });
    Some(Terms {
        instrument_id,
        host_organization_id: stored.host_organization_id,
        host_state: stored.host_state,
        supervising_region: stored.supervising_region,
        state: stored.state,
        share_mode: stored.share_mode,
        channels: stored.channels,
        rules: stored.rules,
        version: stored.rules_version,
        closures: closures.collect::<Option<_>>()?,
        tariffs: stored.tariffs.into_iter().map(StoredTariff::read).collect(),
        services: stored
            .services
            .into_iter()
            .map(StoredService::read)
            .collect(),
    })
}

fn closure(closure: &Closure) -> StoredClosure {
    StoredClosure {
        starts_at: closure.time.starts_at(),
        ends_at: closure.time.ends_at(),
        kind: closure.kind,
        public_reason: closure.public_reason.clone(),
    }
}

fn tariff((id, tariff): &(TariffId, Tariff)) -> StoredTariff {
    StoredTariff {
        id: *id,
        customer_class: tariff.customer_class,
        mode: tariff.mode,
        valid_from: tariff.period.valid_from,
        valid_until: tariff.period.ends_before(),
        price_fen_per_hour: tariff.price_fen_per_hour,
    }
}

fn service((id, facts): &(ServiceId, ServiceFacts)) -> StoredService {
    StoredService {
        id: *id,
        test_item: facts.test_item.clone(),
        test_condition: facts.test_condition.clone(),
        method_standard: facts.method_standard.clone(),
        unit: facts.unit.clone(),
        price_fen: facts.price_fen,
    }
}

impl StoredTariff {
    fn read(self) -> (TariffId, Tariff) {
        let tariff = Tariff {
            customer_class: self.customer_class,
            mode: self.mode,
            period: Period::half_open(self.valid_from, self.valid_until),
            price_fen_per_hour: self.price_fen_per_hour,
        };
        (self.id, tariff)
    }
}

impl StoredService {
    fn read(self) -> (ServiceId, ServiceFacts) {
        let facts = ServiceFacts {
            test_item: self.test_item,
            test_condition: self.test_condition,
            method_standard: self.method_standard,
            unit: self.unit,
            price_fen: self.price_fen,
        };
        (self.id, facts)
    }
}
