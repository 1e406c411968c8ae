//! `yiqi policy explain` and `yiqi policy diff`: packs in sentences, Chinese and English.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Format, refused, text_of};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::error::text::Language;
use crate::operations::policy_pack::{
    self, Difference, Policy, Section, Sentence, differences, explain as sections,
};
use serde_json::json;

#[derive(Debug, Args)]
pub struct Explain {
    /// A pack: a file, or the code of a shipped one.
    pack: PathBuf,
    /// In which language: zh-CN or en.
    #[arg(long, visible_alias = "lang", value_name = "TAG", default_value_t)]
    language: Language,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Diff {
    /// The pack that was before: a file, or the code of a shipped one.
    before: PathBuf,
    after: PathBuf,
    /// In which language: zh-CN or en.
    #[arg(long, visible_alias = "lang", value_name = "TAG", default_value_t)]
    language: Language,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn read(pack: &Path) -> Result<Policy, Failure> {
    let text = text_of(pack)?;
    policy_pack::read(&text).map_err(|mistakes| refused(pack, &mistakes))
}

pub fn explain(arguments: &Explain) -> Result<(), Failure> {
    let policy = read(&arguments.pack)?;
    let language = arguments.language;
    let told: Vec<Section> = sections(&policy);
    if arguments.format == Format::Json {
        let sections = told.iter().map(|section| {
            let sentences = section
                .sentences
                .iter()
                .map(|said| json!({ "text": language.said(&said.text), "source": said.source }));
            json!({
                "key": section.key,
                "heading": language.said(&section.heading),
                "sentences": sentences.collect::<Vec<_>>(),
            })
        });
        return output::json(&json!({ "sections": sections.collect::<Vec<_>>() }));
    }
    for section in told {
        output::say(&format!("\n{}", language.said(&section.heading)))?;
        for said in &section.sentences {
            let source = said.source.map(|source| format!(" [{source}]"));
            let source = source.unwrap_or_default();
            output::say(&format!("  {}{source}", language.said(&said.text)))?;
        }
    }
    Ok(())
}

pub fn diff(arguments: &Diff) -> Result<(), Failure> {
    let (before, after) = (read(&arguments.before)?, read(&arguments.after)?);
    let language = arguments.language;
    let found: Vec<Difference> = differences(&before, &after);
    if arguments.format == Format::Json {
        let said = |side: &Option<Sentence>| side.as_ref().map(|one| language.said(one).to_owned());
        let items = found.iter().map(
            |one| json!({ "key": one.key, "before": said(&one.before), "after": said(&one.after) }),
        );
        return output::json(&json!({ "items": items.collect::<Vec<_>>() }));
    }
    if found.is_empty() {
        return output::say(match language {
            Language::Chinese => "两者所说相同。",
            Language::English => "Both say the same.",
        });
    }
    for one in found {
        output::say(&one.key)?;
        if let Some(before) = &one.before {
            output::say(&format!("  - {}", language.said(before)))?;
        }
        if let Some(after) = &one.after {
            output::say(&format!("  + {}", language.said(after)))?;
        }
    }
    Ok(())
}
