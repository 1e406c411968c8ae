//! `yiqi config check`: the settings in force, with what must stay secret left out.

use clap::Subcommand;

use super::failure::Failure;
use super::output::{self, Format};
use crate::app::token::TokenKeys;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the settings in force; wrong and unknown ones are refused.
    Check {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

pub fn run(config: &Config, action: &Command) -> Result<(), Failure> {
    let Command::Check { format } = action;
    let keys = match config.secret()? {
        Some(lines) => TokenKeys::parse(&lines)?.ids(),
        None => Vec::new(),
    };
    let synonyms = config.synonyms()?.count();
    let shown = Config {
        database_url: without_password(&config.database_url),
        ..config.clone()
    };
    match format {
        Format::Json => output::json(&serde_json::json!({
            "settings": shown,
            "signing_keys": keys,
            "synonym_groups": synonyms,
        })),
        Format::Table => {
            let settings =
                toml::to_string(&shown).map_err(|error| Failure::Internal(error.to_string()))?;
            let keys = match keys.as_slice() {
                [] => "none: `yiqi serve` needs one".to_owned(),
                ids => format!("{} (the first signs)", ids.join(", ")),
            };
            output::say(&format!(
                "{settings}\n# signing keys: {keys}\n# groups of synonyms: {synonyms}"
            ))
        }
    }
}

/// A database URL with `***` where its password stood, before the host or as a parameter.
fn without_password(url: &str) -> String {
    let (address, parameters) = match url.split_once('?') {
        Some((address, parameters)) => (address, Some(parameters)),
        None => (url, None),
    };
    let mut shown = match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, rest)), Some((_, host))) => {
            let user = rest.split([':', '@']).next().unwrap_or_default();
            let has_password = rest
                .rsplit_once('@')
                .is_some_and(|(before, _)| before.contains(':'));
            let hidden = if has_password { ":***" } else { "" };
            format!("{scheme}://{user}{hidden}@{host}")
        }
        _ => address.to_owned(),
    };
    if let Some(parameters) = parameters {
        let hide = |parameter: &str| match parameter.split_once('=') {
            Some((name, _)) if name.contains("password") => format!("{name}=***"),
            _ => parameter.to_owned(),
        };
        let parameters: Vec<String> = parameters.split('&').map(hide).collect();
        shown = format!("{shown}?{}", parameters.join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_the_database_are_never_shown() {
        for (url, shown) in [
            ("sqlite:data/yiqi.sqlite", "sqlite:data/yiqi.sqlite"),
            ("postgres://yiqi@db/yiqi", "postgres://yiqi@db/yiqi"),
            (
                "postgres://yiqi:se:cr@et@db:5432/yiqi?sslmode=require",
                "postgres://yiqi:***@db:5432/yiqi?sslmode=require",
            ),
            (
                "postgresql://db/yiqi?user=u&password=secret&sslpassword=x",
                "postgresql://db/yiqi?user=u&password=***&sslpassword=***",
            ),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
