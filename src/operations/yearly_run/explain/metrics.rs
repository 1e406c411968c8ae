//! What stands behind a metric: records, instruments, or a number that was frozen as such. Of a using unit, the metrics that its
//! award begins with.

use std::collections::BTreeMap;

use num_rational::BigRational;
use num_traits::ToPrimitive;

use super::records::{Counted, Records};
use super::{Choice, InstrumentShare, Looked, MetricRecords};
use crate::domain::policy::{Base, HostCount, Measure};
use crate::error::{AppError, Code, Fault, closest};
use crate::store::Conn;
use crate::store::yearly_input::Side;

/// A metric to tell.
pub(super) struct Metric {
    name: String,
    measure: Measure,
    is_base: bool,
}

/// The metrics, or the one asked for: the evaluation's pack counted them, and the run's pack the base of the award.
pub(super) fn chosen(
    looked: &Looked<'_>,
    side: Side,
    choice: &Choice,
) -> Result<Vec<Metric>, AppError> {
    let mut all: BTreeMap<&str, Measure> = BTreeMap::new();
    if let Side::Host(_) = side {
        let metrics = looked.graded_by.metrics.iter();
        all.extend(metrics.map(|(name, metric)| (name.as_str(), metric.measure.clone())));
        for award in &looked.awarded_by.awards {
            if let Base::Metric { name, measure } = &award.base {
                all.insert(name, measure.clone());
            }
        }
    }
    let base = match looked.award.map(|award| &award.base) {
        Some(Base::Metric { name, measure }) => {
            all.insert(name, measure.clone());
            Some(name.as_str())
        }
        _ => None,
    };
    let metric = |(name, measure): (&str, Measure)| Metric {
        name: name.to_owned(),
        measure,
        is_base: Some(name) == base,
    };
    let Some(wanted) = &choice.metric else {
        return Ok(all.into_iter().map(metric).collect());
    };
    match all.remove_entry(wanted.as_str()) {
        Some(found) => Ok(vec![metric(found)]),
        None => {
            let suggestion = closest(wanted, all.into_keys());
            let fault = Fault::field("metric", Code::invalid_value).actual(wanted.as_str());
            Err(AppError::Malformed(vec![fault.did_you_mean(suggestion)]))
        }
    }
}

/// What stands behind a metric of a unit.
pub(super) fn behind(
    conn: &mut Conn,
    records: &mut Records<'_>,
    metric: &Metric,
    choice: &Choice,
) -> Result<MetricRecords, AppError> {
    let measure = &metric.measure;
    let number = |value: BigRational| value.to_integer().to_i64().unwrap_or(i64::MAX);
    let mut behind = MetricRecords {
        metric: metric.name.clone(),
        value: 0,
        records: Vec::new(),
        next: None,
        instruments: Vec::new(),
        note: None,
        is_base: metric.is_base,
    };
    let counted = Counted::of(measure);
    let host = match records.side {
        Side::Host(id) => records
            .judge
            .inputs
            .units()
            .find(|unit| unit.organization_id == id),
        Side::User(id) => {
            behind.value = number(records.judge.measure_user(id, measure));
            None
        }
    };
    if let Some(host) = host {
        behind.value = number(records.judge.measure_unit(host, measure));
    }
    match (counted, measure, host) {
        (Some(counted), _, _) => {
            (behind.records, behind.next) = records.of(conn, &counted, choice)?;
        }
        (None, Measure::Count(count), _) => behind.note = Some(note(*count)),
        (None, _, Some(host)) => {
            let judge = &records.judge;
            let shares = judge.counted(host).map(|instrument| InstrumentShare {
                instrument_id: instrument.id,
                asset_no: instrument.asset_no.clone(),
                value: number(judge.measure_instrument(host, instrument, measure)),
            });
            behind.instruments = shares.filter(|share| share.value > 0).collect();
        }
        (None, _, None) => {}
    }
    Ok(behind)
}

/// Where a number of a unit comes from that is frozen as such.
const fn note(count: HostCount) -> &'static str {
    match count {
        HostCount::RegistrationsDue | HostCount::RegistrationsOnTime => {
            "a number of the frozen inputs: instruments accepted in the year whose deadline came before the freeze"
        }
        HostCount::RequestsReceived | HostCount::RequestsAnswered => {
            "a number of the frozen inputs: external bookings of the year, and what the unit reported of others"
        }
    }
}
