//! `yiqi policy try`: a pack on a folder of facts, without a database. Standard output is the document alone; warnings and
//! complaints go to standard error.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{line, refused, text_of, warn};
use crate::cli::failure::Failure;
use crate::cli::import::mistakes;
use crate::cli::output::{self, Format};
use crate::exchange::facts::{FactsFile, Unfit};
use crate::exchange::province::year_of;
use crate::exchange::trial::{self, PrintedTrial, Refusal, Terms};

#[derive(Debug, Args)]
pub struct Arguments {
    /// A pack: a file, or the code of a shipped one.
    pack: PathBuf,
    /// The folder with organizations.csv, instruments.csv, usage.csv and what else the pack asks for.
    #[arg(long)]
    facts: PathBuf,
    /// The year; by default the digits that end the folder's name.
    #[arg(long)]
    year: Option<i32>,
    /// The claim window, by its first day; needed exactly where the pack has windows.
    #[arg(long, value_name = "MM-DD")]
    claim: Option<String>,
    /// A value that the pack leaves open.
    #[arg(long = "parameter", value_name = "NAME=DECIMAL")]
    parameters: Vec<String>,
    /// A budget in yuan, with at most two decimals; one for each pool of the pack.
    #[arg(long = "budget-yuan", value_name = "[POOL=]YUAN")]
    budgets: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let text = text_of(&arguments.pack)?;
    let terms = Terms {
        year: year(arguments)?,
        claim: arguments.claim.clone(),
        parameters: arguments.parameters.clone(),
        budgets: arguments.budgets.clone(),
    };
    let open = |file: FactsFile| -> std::io::Result<Option<Box<dyn Read>>> {
        match File::open(arguments.facts.join(file.as_str())) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    };
    let tried = trial::run(&text, &terms, &open);
    let tried = tried.map_err(|refusal| failure(arguments, refusal))?;
    warn(&arguments.pack, &tried.warnings);
    match arguments.format {
        Format::Json => output::say(&tried.printed.to_text()?),
        Format::Table => tell(&tried.printed),
    }
}

fn failure(arguments: &Arguments, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Terms(why) => Failure::Settings(why),
        Refusal::Mistakes(mistakes) => {
            for mistake in &mistakes {
                output::note(&line(&arguments.pack, mistake));
            }
            refused(&arguments.pack, &mistakes)
        }
        Refusal::Facts(unfit) => unfit_folder(&arguments.facts, unfit),
        Refusal::TooLarge(why) => Failure::Refused(why),
        Refusal::Defect(why) => Failure::Internal(why),
    }
}

fn unfit_folder(folder: &Path, unfit: Unfit) -> Failure {
    match unfit {
        Unfit::Faults(faults) => {
            let files = faults.into_iter();
            let files: Vec<_> = files.map(|(file, own)| (file.as_str(), own)).collect();
            mistakes::noted(&files)
        }
        Unfit::Closed(file, error) => {
            let path = folder.join(file.as_str());
            Failure::Unavailable(format!("{}: {error}", path.display()))
        }
        Unfit::Impossible(why) => Failure::Refused(why),
    }
}

fn year(arguments: &Arguments) -> Result<i32, Failure> {
    let named = || year_of(&arguments.facts.to_string_lossy());
    arguments.year.or_else(named).ok_or_else(|| {
        let folder = arguments.facts.display();
        Failure::Settings(format!("{folder} does not end with a year; say --year"))
    })
}

fn tell(printed: &PrintedTrial) -> Result<(), Failure> {
    if !printed.units.is_empty() {
        let units = printed.units.iter().map(|unit| {
            [
                unit.name.clone(),
                unit.total.clone().unwrap_or_default(),
                unit.grade
                    .map(|grade| grade.to_string())
                    .unwrap_or_default(),
            ]
        });
        let rows: Vec<_> = units.collect();
        output::table(["unit", "points", "grade"], &rows)?;
    }
    if printed.awards.is_empty() {
        return Ok(());
    }
    let paid = printed.awards.iter().flat_map(|award| {
        let units = award.units.iter().filter(|unit| unit.award_fen != 0);
        units.map(|unit| {
            let code = award.award_code.clone();
            [code, unit.name.clone(), output::yuan(unit.award_fen)]
        })
    });
    let rows: Vec<_> = paid.collect();
    output::table(["award", "paid to", "yuan"], &rows)?;
    let pools = printed.pools.iter().map(|pool| {
        [
            pool.pool.clone().unwrap_or_default(),
            output::yuan(pool.budget_fen),
            pool.factor.clone().unwrap_or_default(),
            output::yuan(pool.awarded_fen),
            output::yuan(pool.unspent_fen),
        ]
    });
    let rows: Vec<_> = pools.collect();
    output::table(["pool", "budget", "factor", "awarded", "unspent"], &rows)
}
