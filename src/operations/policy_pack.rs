//! Policy packs as TOML text: syntax and line numbers. What a pack may say is decided by `domain::policy`.

use crate::domain::policy::{self, Checked, Raw, RawValue};
pub use crate::domain::policy::{
    Difference, Policy, PolicyMistake, Section, Values, differences, explain,
};
pub use crate::domain::sentence::Sentence;
use toml::de::{DeTable, DeValue};

pub mod schema;
mod syntax;

/// The pack that rules registrations where nothing else is in force.
pub const HEBEI_2026: &str = include_str!("../../config/policies/hebei-2026.toml");

/// The shipped pack that rules from the first day; the others come as drafts.
pub const IN_FORCE: &str = "hebei-2026";

/// The packs that ship with the program, by code.
pub const SHIPPED: [(&str, &str); 6] = [
    ("hebei-2026", HEBEI_2026),
    (
        "moe-2000",
        include_str!("../../config/policies/moe-2000.toml"),
    ),
    (
        "anhui-2015",
        include_str!("../../config/policies/anhui-2015.toml"),
    ),
    (
        "fujian-2019",
        include_str!("../../config/policies/fujian-2019.toml"),
    ),
    (
        "university-sharing",
        include_str!("../../config/policies/university-sharing.toml"),
    ),
    (
        "hainan-2023",
        include_str!("../../config/policies/hainan-2023.toml"),
    ),
];

/// The text of a shipped pack.
pub fn shipped(code: &str) -> Option<&'static str> {
    let found = SHIPPED.iter().find(|(known, _)| *known == code);
    found.map(|(_, text)| *text)
}

/// The longest text of a pack, in bytes.
pub const BYTES_MAX: usize = 256 * 1024;

/// Reads a pack by its defaults: the policy, or every mistake with its line, key path and reason.
pub fn read(text: &str) -> Result<Policy, Vec<PolicyMistake>> {
    check(text, &Values::new()).map(|checked| checked.policy)
}

/// Reads a pack with values for its parameters; tells what is whole but probably wrong, too.
pub fn check(text: &str, given: &Values) -> Result<Checked, Vec<PolicyMistake>> {
    if text.len() > BYTES_MAX {
        let (bytes, most) = (text.len(), BYTES_MAX);
        return Err(vec![PolicyMistake {
            line: 1,
            key: String::new(),
            reason: (
                format!("文本有 {bytes} 字节，最多 {most}"),
                format!("the text has {bytes} bytes, at most {most}"),
            )
                .into(),
        }]);
    }
    let lines = Lines::of(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let places = errors.iter().map(|error| {
            let line = lines.at(error.span().map_or(0, |span| span.start));
            (line, error.message())
        });
        return Err(syntax::mistakes(text, places.collect()));
    }
    let root = Raw {
        line: 1,
        value: lines.table(root.get_ref()),
    };
    policy::check(&root, given)
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
            DeValue::Boolean(value) => RawValue::Boolean(*value),
            DeValue::Float(_) | DeValue::Datetime(_) => RawValue::Other(value.type_str()),
        }
    }
}

#[cfg(test)]
mod tests;
