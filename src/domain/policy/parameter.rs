//! `[parameters]`: what a pack leaves open until a run says it. Values in the pack name one as `"$host_rate"`.

use super::raw::Node;
use num_rational::BigRational;
use num_traits::One;
use std::collections::BTreeMap;

/// What a run may, or must, say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    /// `None`: a run must say it.
    pub default: Option<BigRational>,
    pub at_least: Option<BigRational>,
    pub at_most: Option<BigRational>,
}

/// Values by the names of parameters.
pub type Values = BTreeMap<String, BigRational>;

/// Why values are not those of a pack's parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterMistake {
    #[error("the pack has no parameter {0:?}")]
    Unknown(String),
    #[error(
        "the pack leaves {0:?} open: say it in \"parameters\", at the command line as --parameter {0}=…"
    )]
    Missing(String),
    #[error("parameter {name:?} is {actual}, not within {limit}")]
    OutOfRange {
        name: String,
        actual: String,
        limit: String,
    },
}

impl Parameter {
    /// What it may be, for people: `0.1 … 0.15`.
    pub fn limit(&self) -> String {
        let said = |bound: &Option<BigRational>| bound.as_ref().map(super::shape::said);
        let from = said(&self.at_least).unwrap_or_else(|| "0".to_owned());
        match said(&self.at_most) {
            Some(until) => format!("{from} … {until}"),
            None => format!("{from} …"),
        }
    }

    fn allows(&self, value: &BigRational) -> bool {
        self.at_least.as_ref().is_none_or(|least| least <= value)
            && self.at_most.as_ref().is_none_or(|most| value <= most)
    }

    /// A value by which the rest of the pack can be checked while none is given.
    fn stand_in(&self) -> BigRational {
        let bounds = [&self.default, &self.at_most, &self.at_least];
        let first = bounds.into_iter().flatten().next();
        first.cloned().unwrap_or_else(BigRational::one)
    }
}

/// The values of a run: what is given, else the defaults. `is_free`: a what-if, whose values may leave the bounds.
pub fn complete(
    parameters: &[Parameter],
    given: &Values,
    is_free: bool,
) -> Result<Values, Vec<ParameterMistake>> {
    let mut mistakes = Vec::new();
    let mut values = Values::new();
    for name in given.keys() {
        if !parameters.iter().any(|parameter| parameter.name == *name) {
            mistakes.push(ParameterMistake::Unknown(name.clone()));
        }
    }
    for parameter in parameters {
        let name = parameter.name.clone();
        match given.get(&name).or(parameter.default.as_ref()) {
            None => mistakes.push(ParameterMistake::Missing(name)),
            Some(value) if !is_free && !parameter.allows(value) => {
                mistakes.push(ParameterMistake::OutOfRange {
                    name,
                    actual: super::shape::said(value),
                    limit: parameter.limit(),
                });
            }
            Some(value) => {
                values.insert(name, value.clone());
            }
        }
    }
    match mistakes.is_empty() {
        true => Ok(values),
        false => Err(mistakes),
    }
}

/// Reads `[parameters]` and sets each to what is given, so that the values after it can name it.
pub(super) fn read_all(node: &Node, given: &Values) -> Option<Vec<Parameter>> {
    let table = node.table()?;
    let mut parameters = Vec::new();
    for (name, node) in table.entries() {
        let parameter = read(name, &node);
        if let Some(parameter) = &parameter {
            let value = given.get(name).cloned();
            node.set_parameter(name, value.unwrap_or_else(|| parameter.stand_in()));
        }
        parameters.push(parameter);
    }
    parameters.into_iter().collect()
}

fn read(name: &str, node: &Node) -> Option<Parameter> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
        return node.refuse((
            "参数名为小写字母、数字和下划线，最多 64 个字符",
            "a parameter is small letters, digits and _, at most 64 characters",
        ));
    }
    let table = node.table()?;
    let bound = |key| match table.optional(key) {
        Some(node) => node.number().map(Some),
        None => Some(None),
    };
    let (default, at_least, at_most) = (bound("default"), bound("at_least"), bound("at_most"));
    // For people alone.
    table.name();
    table.finish();
    let parameter = Parameter {
        name: name.to_owned(),
        default: default?,
        at_least: at_least?,
        at_most: at_most?,
    };
    let is_empty = match (&parameter.at_least, &parameter.at_most) {
        (Some(least), Some(most)) => least > most,
        _ => false,
    };
    if is_empty {
        return node.refuse((
            "at_least 高于 at_most：请对调",
            "at_least is above at_most; exchange them",
        ));
    }
    if let Some(default) = &parameter.default
        && !parameter.allows(default)
    {
        let place = table.optional("default");
        return place.as_ref().unwrap_or(node).refuse((
            format!("默认值不在 {} 之内", parameter.limit()),
            format!("the default is not within {}", parameter.limit()),
        ));
    }
    Some(parameter)
}
