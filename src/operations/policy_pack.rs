//! Policy packs as TOML text: syntax and line numbers. What a pack may say is decided by `domain::policy`.

use crate::domain::policy::{self, Policy, PolicyMistake, Raw, RawValue};
use toml::de::{DeTable, DeValue};

/// The pack that ships with the program.
pub const HEBEI_2026: &str = include_str!("../../config/policies/hebei-2026.toml");

/// Reads a pack: the policy, or every mistake with its line, key path and reason.
pub fn read(text: &str) -> Result<Policy, Vec<PolicyMistake>> {
    let lines = Lines::of(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    let mistakes: Vec<PolicyMistake> = errors
        .iter()
        .map(|error| PolicyMistake {
            line: lines.at(error.span().map_or(0, |span| span.start)),
            key: String::new(),
            reason: error.message().to_owned(),
        })
        .collect();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    policy::check(&Raw {
        line: 1,
        value: lines.table(root.get_ref()),
    })
}

/// Whether a pack says what must be registered.
pub fn has_registration(text: &str) -> bool {
    let (root, _) = DeTable::parse_recoverable(text);
    root.get_ref().contains_key("registration")
}

/// Where each line begins, in bytes.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self(std::iter::once(0).chain(ends).collect())
    }

    /// The line (from 1) of a byte.
    fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start <= byte)
    }

    fn table(&self, table: &DeTable) -> RawValue {
        let entries = table.iter().map(|(key, value)| {
            let raw = Raw {
                line: self.at(key.span().start),
                value: self.value(value.get_ref()),
            };
            (key.get_ref().to_string(), raw)
        });
        RawValue::Table(entries.collect())
    }

    fn value(&self, value: &DeValue) -> RawValue {
        match value {
            DeValue::String(text) => RawValue::Text(text.to_string()),
            DeValue::Integer(integer) => {
                match i64::from_str_radix(integer.as_str(), integer.radix()) {
                    Ok(number) => RawValue::Integer(number),
                    Err(_) => RawValue::Other("an integer beyond 64 bits"),
                }
            }
            DeValue::Array(items) => RawValue::List(
                items
                    .iter()
                    .map(|item| Raw {
                        line: self.at(item.span().start),
                        value: self.value(item.get_ref()),
                    })
                    .collect(),
            ),
            DeValue::Table(table) => self.table(table),
            DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
                RawValue::Other(value.type_str())
            }
        }
    }
}

#[cfg(test)]
mod tests;
