//! `yiqi seed`: loads the tables and policy packs that are compiled into the program, so that it works anywhere.

use super::failure::Failure;
use super::output::{self, Format};
use crate::app::App;
use crate::config::Config;
use crate::error::AppError;
use crate::exchange::seed::{self, Table};
use crate::operations::policy;
use crate::operations::reference::{self, Counts, Holiday, Reference, ReferenceFile};

/// What loading one file did.
pub type Loaded = (&'static str, Counts);

/// Loads every table, installs the shipped policy packs, and loads the calendar again. Doing it twice changes nothing.
pub async fn load(app: &App) -> Result<Vec<Loaded>, AppError> {
    let loaded = vec![
        one(
            app,
            "regions.csv",
            seed::regions(&include_bytes!("../../seeds/regions.csv")[..]),
        )
        .await?,
        one(
            app,
            "instrument_categories.csv",
            seed::categories(&include_bytes!("../../seeds/instrument_categories.csv")[..]),
        )
        .await?,
        one(
            app,
            "subjects.csv",
            seed::subjects(&include_bytes!("../../seeds/subjects.csv")[..]),
        )
        .await?,
        one(app, "public_holidays.csv", released_holidays(app).await?).await?,
        one(
            app,
            "test_services.csv",
            seed::test_services(&include_bytes!("../../seeds/test_services.csv")[..]),
        )
        .await?,
    ];
    policy::install_shipped(app, app.clock.now()).await?;
    Ok(loaded)
}

/// The years that an officer keeps stay as they are.
async fn released_holidays(app: &App) -> Result<Table<Holiday>, AppError> {
    match seed::shipped_holidays() {
        Ok((rows, sha256)) => {
            let rows = reference::released_holidays(app, rows).await?;
            Ok(Ok((rows, sha256)))
        }
        faults => Ok(faults),
    }
}

async fn one<R>(app: &App, name: &'static str, table: Table<R>) -> Result<Loaded, AppError>
where
    R: Reference + Send + 'static,
{
    let (rows, sha256) =
        table.map_err(|faults| AppError::internal(format!("{name}: {faults:?}")))?;
    let file = ReferenceFile { name, sha256, rows };
    Ok((name, reference::load(app, file).await?))
}

pub async fn run(config: Config, format: Format) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let loaded = load(&app).await?;
    app.store.drain();
    match format {
        Format::Json => {
            let files: serde_json::Map<_, _> = loaded
                .iter()
                .map(|(name, counts)| ((*name).to_owned(), serde_json::json!(counts)))
                .collect();
            output::json(&files)
        }
        Format::Table => {
            let rows: Vec<_> = loaded
                .iter()
                .map(|(name, counts)| {
                    let numbers = [counts.inserted, counts.updated, counts.unchanged];
                    let [inserted, updated, unchanged] = numbers.map(|number| number.to_string());
                    [(*name).to_owned(), inserted, updated, unchanged]
                })
                .collect();
            output::table(["file", "inserted", "updated", "unchanged"], &rows)
        }
    }
}
