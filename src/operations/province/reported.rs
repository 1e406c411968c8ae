//! Requests, expert scores and numbers by name that units report for the year.

use super::change::Differences;
use super::{Import, Writing};
use crate::domain::reported::{self, ReportedNumber};
use crate::domain::{OrganizationId, ratio};
use crate::error::{AppError, Code, Fault};
use crate::operations::yearly_run;
use crate::operations::yearly_run::freeze::{EXPERT_PREFIX, REQUESTS_ANSWERED, REQUESTS_RECEIVED};
use crate::store::event::Subject;
use crate::store::{Conn, province};

impl Import<'_> {
    pub(super) fn requests(
        &mut self,
        tx: &mut Conn,
        writing: &mut Writing,
    ) -> Result<(), AppError> {
        for row in self.source.requests()? {
            let (row, given) = row?;
            let host = self.host(writing, row, &given.host_uscc)?.id;
            let metrics = [
                (
                    "received",
                    REQUESTS_RECEIVED.to_owned(),
                    given.received.to_string(),
                ),
                (
                    "answered_in_time",
                    REQUESTS_ANSWERED.to_owned(),
                    given.answered_in_time.to_string(),
                ),
            ];
            writing.once(row, "host_uscc", &given.host_uscc)?;
            add(tx, writing, (row, &given.host_uscc), host, &metrics)?;
        }
        Ok(())
    }

    /// Numbers by name, of units and of their instruments.
    pub(super) fn reported(
        &mut self,
        tx: &mut Conn,
        writing: &mut Writing,
    ) -> Result<(), AppError> {
        for row in self.source.reported()? {
            let (row, given) = row?;
            let unit = self.organization(writing, row, "uscc", &given.uscc)?;
            if !unit.is_host {
                let code = Code::organization_is_no_host;
                return Err(writing.refused(row, "uscc", code, &given.uscc));
            }
            let mut number = ReportedNumber {
                instrument_id: None,
                name: given.name,
                value: given.value,
            };
            let mut key = format!("{} {}", given.uscc, number.name);
            if let Some(asset_no) = &given.asset_no {
                let known = self.instruments.get(&(unit.id, asset_no.folded()));
                let known = known.ok_or_else(|| writing.unknown(row, "asset_no", asset_no))?;
                number.instrument_id = Some(known.id);
                key = format!("{} {asset_no} {}", given.uscc, number.name);
            }
            let faults = reported::check(&number).into_iter();
            let faults: Vec<Fault> = faults.map(|(_, fault)| fault).collect();
            if !faults.is_empty() {
                return Err(writing.faulty(row, faults));
            }
            let metric = ("value", number.metric(), number.value.to_string());
            writing.once(row, "name", &key)?;
            add(tx, writing, (row, &key), unit.id, &[metric])?;
        }
        Ok(())
    }

    pub(super) fn expert_scores(
        &mut self,
        tx: &mut Conn,
        writing: &mut Writing,
    ) -> Result<(), AppError> {
        for row in self.source.expert_scores()? {
            let (row, given) = row?;
            let host = self.host(writing, row, &given.host_uscc)?.id;
            let mut metrics = Vec::new();
            for (indicator, points) in &given.points {
                let Ok(exact) = ratio::parse(points) else {
                    return Err(writing.refused(row, indicator, Code::invalid_value, points));
                };
                let mut scores = self.policy.scores.iter();
                let score = scores.find(|score| score.id == *indicator);
                if let Some(score) = score.filter(|score| exact > score.max) {
                    let limit = format!("0–{}", ratio::exact(&score.max));
                    return Err(writing.beyond(row, indicator, (limit, points)));
                }
                metrics.push((
                    indicator.as_str(),
                    format!("{EXPERT_PREFIX}{indicator}"),
                    points.clone(),
                ));
            }
            writing.once(row, "host_uscc", &given.host_uscc)?;
            add(tx, writing, (row, &given.host_uscc), host, &metrics)?;
        }
        Ok(())
    }
}

/// A column, what the database calls it, and its value.
type Metric<'a> = (&'a str, String, String);

fn add(
    tx: &mut Conn,
    writing: &mut Writing,
    (row, key): (u32, &str),
    host: OrganizationId,
    metrics: &[Metric<'_>],
) -> Result<(), AppError> {
    let year = i64::from(writing.year);
    let mut differences = Differences::default();
    let mut missing = Vec::new();
    for (column, metric, value) in metrics {
        match province::find_reported(tx, host, year, metric)? {
            Some(stored) => differences.see(column, &stored, value),
            None => missing.push((metric, value)),
        }
    }
    if differences.is_empty() && missing.is_empty() {
        return Ok(());
    }
    let columns: Vec<&str> = metrics.iter().map(|(column, ..)| *column).collect();
    let locked = yearly_run::refuse_locked_year(tx, writing.year);
    writing.at(row, &columns, locked)?;
    if !differences.is_empty() {
        let subject = Subject::new("organization", host);
        let event = writing.correction(tx, subject, &differences)?;
        for (column, metric, value) in metrics {
            if differences.has(&[column]) {
                province::update_reported(tx, (host, year, metric), value, event)?;
            }
        }
    }
    let is_new = missing.len() == metrics.len();
    for (metric, value) in missing {
        let event = writing.event(tx)?;
        province::insert_reported(tx, host, year, metric, value, event)?;
    }
    match is_new {
        true => writing.inserted += 1,
        false => writing.changed(row, key, differences),
    }
    Ok(())
}
