//! `yiqi subsidy verify`: whether a run comes out as it is stored, and what changed since its freeze.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use super::{id, no_run};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::output::{self, Format};
use crate::cli::{operator, progress};
use crate::operations::yearly_run::verify::{self, Check, Verification};

/// So many changed records and certifications are named in text; a document names all.
const NAMED_MAX: usize = 20;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("proved").required(true).args(["run", "archive"])))]
pub struct Chosen {
    /// The number of the run.
    run: Option<i64>,
    /// An archive of a run or an evaluation; no database is needed.
    #[arg(long, value_name = "FILE", conflicts_with = "run")]
    archive: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Chosen {
    pub fn archive(&self) -> Option<&Path> {
        self.archive.as_deref()
    }

    pub const fn format(&self) -> Format {
        self.format
    }
}

pub async fn run(app: &App, chosen: Chosen) -> Result<(), Failure> {
    let shown = progress::over_percent("computing the run again, twice");
    let bar = shown.clone();
    let run = chosen.run.unwrap_or_default();
    let outcome = verify::verify(app, &operator(app), id(run)?, move |percent| {
        bar.set(percent);
    })
    .await
    .map_err(|error| no_run(error, run))?;
    drop(shown);
    match chosen.format {
        Format::Json => output::json(&outcome)?,
        Format::Table => print(&outcome)?,
    }
    if outcome.verified {
        Ok(())
    } else {
        Err(Failure::Refused(format!("run {run} is not verified")))
    }
}

fn print(outcome: &Verification) -> Result<(), Failure> {
    let row = |name: &str, check: &Check| {
        let agrees = if check.agrees { "yes" } else { "no" };
        [
            name.to_owned(),
            agrees.to_owned(),
            check.input_digest.clone(),
            check.result_digest.clone(),
        ]
    };
    let rows = [
        row("stored", &outcome.stored),
        row("from the frozen inputs", &outcome.from_inputs),
        row("from the records", &outcome.from_records),
    ];
    output::table(["computed", "agrees", "inputs", "results"], &rows)?;
    for policy in outcome.policies.iter().filter(|policy| !policy.agrees) {
        output::say(&format!(
            "Policy {} says something else than when the run was made: recorded {}, now {}",
            policy.policy_id, policy.recorded_digest, policy.digest
        ))?;
    }
    let records = outcome.changed_records.iter().map(|record| {
        let number = record.record_no.as_deref().unwrap_or("without a number");
        format!(
            "usage record {} ({number}) is at version {}",
            record.usage_record_id, record.version
        )
    });
    named("records changed since the freeze", records.collect())?;
    let units = outcome.changed_organizations.iter();
    let units = units.map(|unit| format!("unit {unit}"));
    named("units changed since the freeze", units.collect())?;
    let certifications = outcome.changed_certifications.iter().map(|one| {
        let (then, now) = (days(&one.frozen), days(&one.present));
        format!(
            "unit {}: {} was held {then}, is held {now}",
            one.organization_id, one.certification
        )
    });
    named(
        "certifications are not what they were at the freeze",
        certifications.collect(),
    )
}

fn days(held: &[verify::HeldDays]) -> String {
    if held.is_empty() {
        return "on no day".to_owned();
    }
    let each = held.iter().map(|days| match (days.from_on, days.until_on) {
        (Some(from), Some(until)) => format!("from {from} to {until}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => "always".to_owned(),
    });
    each.collect::<Vec<_>>().join(" and ")
}

/// How many there are, and the first of them.
fn named(what: &str, all: Vec<String>) -> Result<(), Failure> {
    if all.is_empty() {
        return Ok(());
    }
    output::say(&format!("{} {what}:", all.len()))?;
    for one in all.iter().take(NAMED_MAX) {
        output::say(&format!("  {one}"))?;
    }
    match all.len().saturating_sub(NAMED_MAX) {
        0 => Ok(()),
        more => output::say(&format!("  and {more} more; --format json names all")),
    }
}
