//! `yiqi preflight`: what of a year would be lost as things stand, for an officer before a run.

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::operator;
use super::output::{self, Format};
use crate::app::App;
use crate::config::Config;
use crate::error::AppError;
use crate::error::text::{self, Language};
use crate::http::route::BASE;
use crate::operations::preflight::{self, Asked, Item, Uscc};

#[derive(Debug, Args)]
pub struct Arguments {
    year: i32,
    /// Only of this unit, by its code of 18 characters.
    #[arg(long, value_name = "USCC")]
    organization: Option<String>,
    /// A policy: its code, or code@version; else the one that registrations follow.
    #[arg(long)]
    policy: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub async fn run(config: Config, arguments: Arguments) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let done = show(&app, arguments).await;
    app.store.drain();
    done
}

async fn show(app: &App, arguments: Arguments) -> Result<(), Failure> {
    let organizations = match &arguments.organization {
        Some(code) => {
            let nobody = || Failure::Refused(format!("there is no unit {code}"));
            let uscc = Uscc::parse(code).map_err(|_| nobody())?;
            let found = preflight::unit(app, uscc).await;
            let id = found.map_err(|error| match error {
                AppError::NotFound => nobody(),
                other => other.into(),
            })?;
            vec![id]
        }
        None => Vec::new(),
    };
    let asked = Asked {
        year: arguments.year,
        policy: arguments.policy,
        organizations,
    };
    let items = preflight::live(app, &operator(app), Ok(asked)).await?;
    match arguments.format {
        Format::Json => {
            let items: Vec<_> = items.iter().map(document).collect();
            output::json(&json!({ "year": arguments.year, "items": items }))
        }
        Format::Table => {
            let rows: Vec<_> = items.iter().map(row).collect();
            output::table(
                ["unit", "code", "weight", "count", "fen", "what to do"],
                &rows,
            )
        }
    }
}

fn document(item: &Item) -> serde_json::Value {
    json!({
        "code": item.lack,
        "weight": item.weight,
        "organization_id": item.organization_id,
        "organization_name": item.organization_name,
        "count": item.count,
        "minutes": item.minutes,
        "income_fen": item.income,
        "due_on": item.due_on,
        "sentence": text::lack(item, Language::English),
        "list": format!("{BASE}{}", item.list),
    })
}

fn row(item: &Item) -> [String; 6] {
    [
        item.organization_name.clone(),
        item.lack.to_string(),
        item.weight.to_string(),
        item.count.to_string(),
        item.income.number().to_string(),
        text::lack(item, Language::English),
    ]
}
