//! `expert_scores.csv`: a column for each indicator of the policy that experts score.

use std::collections::BTreeMap;
use std::io::Read;

use num_rational::BigRational;

use crate::domain::policy::{Policy, Value};
use crate::domain::{Code, Fault, ratio};

/// The ids of the scores that experts give.
pub(super) fn indicators(policy: &Policy) -> impl Iterator<Item = String> {
    let scores = policy.scores.iter();
    let by_experts = scores.filter(|score| score.value == Value::Expert);
    by_experts.map(|score| score.id.clone())
}

/// Gives each row's points to `take`, which answers what is wrong with it. Columns of other policies are not read.
pub(super) fn read(
    input: Box<dyn Read>,
    policy: &Policy,
    mut take: impl FnMut(u32, &str, BTreeMap<String, BigRational>) -> Vec<Fault>,
) -> Vec<Fault> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(input);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(_) => return vec![Fault::request(Code::no_header)],
    };
    let place = |name: &str| {
        let mut titles = header.iter();
        titles.position(|title| title.trim_start_matches('\u{feff}') == name)
    };
    let Some(host) = place("host_uscc") else {
        return vec![Fault::cell(1, "host_uscc", Code::missing_column)];
    };
    let columns: Vec<(String, Option<usize>)> = indicators(policy)
        .map(|id| {
            let at = place(&id);
            (id, at)
        })
        .collect();
    let mut faults = Vec::new();
    for (number, record) in (2_u32..).zip(reader.records()) {
        let Ok(record) = record else {
            faults.push(Fault::cell(number, "", Code::uneven_row));
            continue;
        };
        let mut points = BTreeMap::new();
        for (id, at) in &columns {
            let Some(text) = at
                .and_then(|at| record.get(at))
                .filter(|text| !text.is_empty())
            else {
                continue;
            };
            match ratio::parse(text) {
                Ok(given) => {
                    points.insert(id.clone(), given);
                }
                Err(_) => {
                    let fault = Fault::cell(number, id.as_str(), Code::not_a_decimal);
                    faults.push(fault.actual(text));
                }
            }
        }
        faults.extend(take(number, record.get(host).unwrap_or(""), points));
    }
    faults
}
