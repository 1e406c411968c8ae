//! Requests and expert scores that units report for the year.

use super::{Import, Writing};
use crate::domain::{OrganizationId, ratio};
use crate::error::{AppError, Code};
use crate::operations::yearly_run::freeze::{EXPERT_PREFIX, REQUESTS_ANSWERED, REQUESTS_RECEIVED};
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
                (REQUESTS_RECEIVED.to_owned(), given.received.to_string()),
                (
                    REQUESTS_ANSWERED.to_owned(),
                    given.answered_in_time.to_string(),
                ),
            ];
            add(tx, writing, row, host, &given.host_uscc, &metrics)?;
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
                metrics.push((format!("{EXPERT_PREFIX}{indicator}"), points.clone()));
            }
            add(tx, writing, row, host, &given.host_uscc, &metrics)?;
        }
        Ok(())
    }
}

fn add(
    tx: &mut Conn,
    writing: &mut Writing,
    row: u32,
    host: OrganizationId,
    uscc: &str,
    metrics: &[(String, String)],
) -> Result<(), AppError> {
    let year = i64::from(writing.year);
    let mut is_new = false;
    for (metric, value) in metrics {
        match province::find_reported(tx, host, year, metric)? {
            Some(stored) if stored == *value => {}
            Some(_) => return Err(writing.differs(row, uscc, &[metric])),
            None => {
                let event = writing.event(tx)?;
                province::insert_reported(tx, host, year, metric, value, event)?;
                is_new = true;
            }
        }
    }
    writing.inserted += u64::from(is_new);
    Ok(())
}
