//! One table, in the name of an account: the trail names it, and its rights hold.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::mistakes;
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::output::{self, Format};
use crate::cli::{acting_as_or_only, progress};
use crate::error::{AppError, Fault};
use crate::exchange::sheet;
use crate::exchange::{
    instrument as instrument_sheet, tariff as tariff_sheet, usage as usage_sheet,
};
use crate::operations::actor::Actor;
use crate::operations::instrument::{self, Empty, Import, ImportMode};
use crate::operations::run::{Done, Run};
use crate::operations::session::Action;
use crate::operations::tariff;
use crate::operations::usage::{self, ImportTable};

#[derive(Debug, Args)]
pub struct Table {
    /// The table, .xlsx or .csv.
    file: PathBuf,
    /// The account in whose name this is done; not needed when only one may.
    #[arg(long = "as", value_name = "EMAIL")]
    account: Option<String>,
    /// Only tell what would happen.
    #[arg(long)]
    dry_run: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Instruments {
    #[command(flatten)]
    table: Table,
    /// create: a known asset number is a mistake; upsert: a change of that entry.
    #[arg(long, default_value = "create", value_parser = ["create", "upsert"])]
    mode: String,
    /// What an empty cell means, in a column that the table has, of an entry that is changed: keep the field, or clear it.
    #[arg(long, default_value = "keep", value_parser = ["keep", "clear"])]
    empty: String,
}

#[derive(Debug, Args)]
pub struct Prices {
    #[command(flatten)]
    table: Table,
}

#[derive(Debug, Args)]
pub struct Usage {
    #[command(flatten)]
    table: Table,
}

pub async fn instruments(app: &App, arguments: Instruments) -> Result<(), Failure> {
    let Instruments { table, mode, empty } = arguments;
    let is_upsert = mode == ImportMode::Upsert.as_str();
    let mode = if is_upsert {
        ImportMode::Upsert
    } else {
        ImportMode::Create
    };
    let act = table.act(app, Action::InstrumentImport).await?;
    let (bytes, kind) = table.read()?;
    let shown = progress::over_rows("instruments");
    let sheet = instrument_sheet::read_telling(&bytes, kind, &mut |reading| shown.told(reading))
        .map_err(|faults| table.refused(faults))?;
    let _shown = shown.store();
    let (rows, captions) = sheet.into_parts();
    let import = Import {
        host: act.caller()?.organization_id,
        rows,
        mode,
        empty: match empty == Empty::Clear.as_str() {
            true => Empty::Clear,
            false => Empty::Keep,
        },
        is_dry_run: table.dry_run,
    };
    let run = Run::direct(app, &act, Action::InstrumentImport);
    let done = instrument::import(&run, std::future::ready(Ok(import))).await;
    let imported = done
        .and_then(Done::now)
        .map_err(|error| table.told(captions.told(error)))?;
    match table.format {
        Format::Json => output::json(&json!({"dry_run": table.dry_run, "imported": imported})),
        Format::Table => {
            let counts = [imported.created, imported.updated, imported.unchanged];
            let row = counts.map(|count| count.to_string());
            output::table(["created", "updated", "unchanged"], &[row])
        }
    }
}

pub async fn prices(app: &App, arguments: Prices) -> Result<(), Failure> {
    let Prices { table } = arguments;
    let act = table.act(app, Action::TariffImport).await?;
    let (bytes, kind) = table.read()?;
    let (rows, captions) =
        tariff_sheet::read(&bytes, kind).map_err(|faults| table.refused(faults))?;
    let run = Run::direct(app, &act, Action::TariffImport);
    let done = tariff::import(&run, std::future::ready(Ok(rows)), table.dry_run).await;
    let imported = done
        .and_then(Done::now)
        .map_err(|error| table.told(captions.told(error)))?;
    let (created, unchanged) = (imported.created, imported.unchanged);
    match table.format {
        Format::Json => output::json(&json!({
            "dry_run": table.dry_run,
            "imported": {"created": created, "unchanged": unchanged},
        })),
        Format::Table => {
            let row = [created, unchanged].map(|count| count.to_string());
            output::table(["created", "unchanged"], &[row])
        }
    }
}

pub async fn usage(app: &App, arguments: Usage) -> Result<(), Failure> {
    let Usage { table } = arguments;
    let act = table.act(app, Action::UsageRecordImport).await?;
    let (bytes, kind) = table.read()?;
    let shown = progress::over_rows("usage records");
    let rows = usage_sheet::read_telling(&bytes, kind, &mut |reading| shown.told(reading))
        .map_err(|faults| table.refused(faults))?;
    let _shown = shown.store();
    let rows = rows.into_iter().map(Into::into).collect();
    let import = ImportTable {
        read: Box::new(move || Ok(rows)),
        is_dry_run: table.dry_run,
    };
    let run = Run::direct(app, &act, Action::UsageRecordImport);
    let done = usage::import(&run, Ok(import)).await;
    let imported = done
        .and_then(Done::now)
        .map_err(|error| table.told(error))?;
    match table.format {
        Format::Json => output::json(&json!({"dry_run": table.dry_run, "imported": imported})),
        Format::Table => output::say(&format!("{} records", imported.rows)),
    }
}

impl Table {
    async fn act(&self, app: &App, action: Action) -> Result<Actor, Failure> {
        acting_as_or_only(app, self.account.as_deref(), action).await
    }

    fn read(&self) -> Result<(Vec<u8>, sheet::Format), Failure> {
        let kind = format_of(&self.file).ok_or_else(|| {
            Failure::Settings(format!("{}: .xlsx or .csv, please", self.file.display()))
        })?;
        let bytes = std::fs::read(&self.file).map_err(|error| Failure::file(&self.file, &error))?;
        Ok((bytes, kind))
    }

    fn refused(&self, faults: Vec<Fault>) -> Failure {
        self.told(faults.into())
    }

    fn told(&self, error: AppError) -> Failure {
        mistakes::listed(&self.file.display().to_string(), error, self.format)
    }
}

fn format_of(file: &Path) -> Option<sheet::Format> {
    let extension = file.extension()?.to_str()?.to_lowercase();
    extension.parse().ok()
}
