//! Tariffs and quotes: which dated price applies to whom, and what a service costs. Periods of one key never overlap,
//! which the database guards; [`Period::overlaps`] is the same test.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::booking::BookingMode;
use super::fault::Faults;
use super::organization::OrganizationKind;
use super::service::{ServiceFacts, ServiceItem};
use super::{Fen, MAX_SAFE_INTEGER, Minutes, OrganizationId, ServiceId, TariffId, TooLarge};
use crate::domain::{Code, Fault};

crate::vocabulary! {
    /// The classes of customers a price can be made for.
    CustomerClass {
        Own = "own",
        PublicResearch = "public_research",
        Enterprise = "enterprise",
        Sme = "sme",
    }
}

/// The highest price: 100 million yuan an hour, so that no service's amount leaves the range of JSON numbers.
pub const PRICE_FEN_PER_HOUR_MAX: i64 = 10_000_000_000;

/// The class of a customer: the host's own people; enterprises, small and medium ones apart; universities, institutes,
/// hospitals and agencies as public research. Organizations of another kind pay like enterprises.
pub fn customer_class(
    host: OrganizationId,
    unit: OrganizationId,
    kind: OrganizationKind,
    is_sme: bool,
) -> CustomerClass {
    match kind {
        _ if host == unit => CustomerClass::Own,
        OrganizationKind::University
        | OrganizationKind::Institute
        | OrganizationKind::Hospital
        | OrganizationKind::Agency => CustomerClass::PublicResearch,
        OrganizationKind::Enterprise if is_sme => CustomerClass::Sme,
        OrganizationKind::Enterprise | OrganizationKind::Other => CustomerClass::Enterprise,
    }
}

/// The days of a price, the last one included; `None`: until further notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub valid_from: NaiveDate,
    pub valid_until: Option<NaiveDate>,
}

impl Period {
    /// The period as it is stored, half-open: `ends_before` is the first day on which it no longer holds.
    pub fn half_open(valid_from: NaiveDate, ends_before: Option<NaiveDate>) -> Self {
        Self {
            valid_from,
            valid_until: ends_before.and_then(|day| day.pred_opt()),
        }
    }

    /// The first day on which the price no longer holds.
    pub fn ends_before(&self) -> Option<NaiveDate> {
        self.valid_until.and_then(|day| day.succ_opt())
    }

    pub fn contains(&self, date: NaiveDate) -> bool {
        self.valid_from <= date && self.valid_until.is_none_or(|last| date <= last)
    }

    pub fn overlaps(&self, other: &Period) -> bool {
        other.valid_until.is_none_or(|last| self.valid_from <= last)
            && self.valid_until.is_none_or(|last| other.valid_from <= last)
    }
}

/// A price of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// `None`: all classes.
    pub customer_class: Option<CustomerClass>,
    /// `None`: all modes.
    pub mode: Option<BookingMode>,
    #[serde(flatten)]
    pub period: Period,
    pub price_fen_per_hour: Fen,
}

impl Tariff {
    pub fn validate(&self) -> Result<(), Vec<Fault>> {
        let mut faults = Faults::new();
        faults.range(
            "price_fen_per_hour",
            self.price_fen_per_hour.number(),
            0,
            PRICE_FEN_PER_HOUR_MAX,
        );
        let Period {
            valid_from,
            valid_until,
        } = self.period;
        if let Some(until) = valid_until
            && until < valid_from
        {
            faults.push(
                Fault::field("valid_until", Code::dates_out_of_order)
                    .limit(format!("valid_from {valid_from}"))
                    .actual(until),
            );
        }
        faults.into_result()
    }

    /// A price for all is a price for customers: the host's own people pay only where a tariff names them.
    fn applies(&self, class: CustomerClass, mode: BookingMode, on: NaiveDate) -> bool {
        self.customer_class
            .map_or(class != CustomerClass::Own, |named| named == class)
            && self.mode.is_none_or(|own| own == mode)
            && self.period.contains(on)
    }
}

/// The price for this class and mode on this day. The most specific wins: class and mode, class, mode, all.
pub fn select(
    tariffs: &[(TariffId, Tariff)],
    class: CustomerClass,
    mode: BookingMode,
    on: NaiveDate,
) -> Option<&(TariffId, Tariff)> {
    tariffs
        .iter()
        .filter(|(_, tariff)| tariff.applies(class, mode, on))
        .max_by_key(|(_, tariff)| (tariff.customer_class.is_some(), tariff.mode.is_some()))
}

/// A price told to a customer; frozen with the booking or charge it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub customer_class: CustomerClass,
    /// The day whose tariffs apply: the local date on which the service starts.
    pub priced_on: NaiveDate,
    /// What the price is made of. A total that was reported from elsewhere has none.
    pub lines: Vec<Line>,
    pub total_fen: Fen,
}

impl Quote {
    /// The sum of the lines; nothing priced is no quote.
    fn of(
        customer_class: CustomerClass,
        priced_on: NaiveDate,
        lines: Vec<Line>,
    ) -> Result<Option<Quote>, TooLarge> {
        if lines.is_empty() {
            return Ok(None);
        }
        let total_fen = Fen::sum(lines.iter().map(Line::amount_fen))?;
        if total_fen.number() > MAX_SAFE_INTEGER {
            return Err(TooLarge);
        }
        Ok(Some(Quote {
            customer_class,
            priced_on,
            lines,
            total_fen,
        }))
    }

    /// What the time alone costs.
    pub fn without_services(self) -> Result<Option<Quote>, TooLarge> {
        let is_kept = |line: &Line| !matches!(line, Line::Service(_));
        let lines = self.lines.into_iter().filter(is_kept);
        Quote::of(self.customer_class, self.priced_on, lines.collect())
    }

    /// The same prices for other minutes: what was promised with a booking holds for its actual use.
    pub fn for_minutes(&self, minutes: Minutes) -> Result<Option<Quote>, TooLarge> {
        let lines = self.lines.iter().map(|line| line.for_minutes(minutes));
        let lines = lines.collect::<Result<_, _>>()?;
        Quote::of(self.customer_class, self.priced_on, lines)
    }
}

/// One part of a price. Each is rounded half up once, to the fen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Time(TimeLine),
    Service(ServiceLine),
}

impl Line {
    pub fn amount_fen(&self) -> Fen {
        match self {
            Line::Time(line) => line.amount_fen,
            Line::Service(line) => line.amount_fen,
        }
    }

    fn for_minutes(&self, minutes: Minutes) -> Result<Self, TooLarge> {
        Ok(match self {
            Line::Time(line) => Line::Time(TimeLine {
                minutes,
                amount_fen: Fen::for_minutes(minutes, line.price_fen_per_hour)?,
                ..line.clone()
            }),
            Line::Service(line) => Line::Service(line.clone()),
        })
    }
}

/// Minutes at a rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeLine {
    pub tariff_id: TariffId,
    pub minutes: Minutes,
    pub price_fen_per_hour: Fen,
    pub amount_fen: Fen,
}

/// So many of an item of the price list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceLine {
    pub service_id: ServiceId,
    pub test_item: String,
    /// What the price is for.
    pub unit: String,
    pub quantity: i64,
    pub price_fen: Fen,
    pub amount_fen: Fen,
}

impl ServiceLine {
    pub fn new(item: ServiceItem, service: &ServiceFacts) -> Result<Self, TooLarge> {
        Ok(Self {
            service_id: item.service_id,
            test_item: service.test_item.clone(),
            unit: service.unit.clone(),
            quantity: item.quantity,
            price_fen: service.price_fen,
            amount_fen: service.price_fen.times(item.quantity)?,
        })
    }
}

/// What is to be priced for whom.
#[derive(Debug, Clone, Copy)]
pub struct Priced {
    pub class: CustomerClass,
    pub mode: BookingMode,
    /// The local date on which the service starts.
    pub on: NaiveDate,
    pub minutes: Minutes,
}

/// What the minutes and services cost. Without a tariff the time has no price, which is not a price of zero; the host's own
/// people pay for time only where a tariff names them, and for no services.
pub fn quote(
    tariffs: &[(TariffId, Tariff)],
    priced: Priced,
    services: Vec<ServiceLine>,
) -> Result<Option<Quote>, TooLarge> {
    let Priced {
        class,
        mode,
        on,
        minutes,
    } = priced;
    let time = |(tariff_id, tariff): &(TariffId, Tariff)| {
        Ok(Line::Time(TimeLine {
            tariff_id: *tariff_id,
            minutes,
            price_fen_per_hour: tariff.price_fen_per_hour,
            amount_fen: Fen::for_minutes(minutes, tariff.price_fen_per_hour)?,
        }))
    };
    let found = select(tariffs, class, mode, on);
    let mut lines: Vec<Line> = found.map(time).transpose()?.into_iter().collect();
    if class != CustomerClass::Own {
        lines.extend(services.into_iter().map(Line::Service));
    }
    Quote::of(class, on, lines)
}

#[cfg(test)]
mod tests;
