//! `yiqi policy facts-template`: the files of a folder of facts with their headings, as far as a pack asks for them.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::{refused, text_of};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::exchange::facts::FactsFile;
use crate::operations::policy_pack;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A pack: a file, or the code of a shipped one.
    pack: PathBuf,
    /// The folder; it is made where it is missing, and files that are there stay as they are.
    folder: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let text = text_of(&arguments.pack)?;
    let policy =
        policy_pack::read(&text).map_err(|mistakes| refused(&arguments.pack, &mistakes))?;
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    for file in FactsFile::ALL {
        let path = folder.join(file.as_str());
        if path.exists() {
            output::say(&format!("{}: is there already", path.display()))?;
            continue;
        }
        let line = file.columns(&policy).join(",");
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        opened
            .and_then(|mut opened| writeln!(opened, "{line}"))
            .map_err(|error| Failure::file(&path, &error))?;
        let need = if file.is_required() {
            "needed"
        } else {
            "if there is any"
        };
        output::say(&format!("{}: {need}", path.display()))?;
    }
    Ok(())
}
