//! Proving an archive, without a database: the packs say what their digests say, the frozen facts give the grades, and these the
//! awards, to the last step; the notice printed the same. Every difference is named by its entry and line.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Entries, NoticeFacts, RunFacts, money};
use crate::domain::evaluation::{self, Evaluation, Inputs};
use crate::domain::policy::{self as rules, Policy, Values};
use crate::domain::run::RunKind;
use crate::domain::subsidy::{self, Payout};
use crate::domain::{EvaluationId, Fen, OrganizationId, ratio};
use crate::error::AppError;
use crate::operations::policy_pack;
use crate::operations::public_notice::unit;
use crate::operations::yearly_run::awards;
use crate::operations::yearly_run::basis::budgets;
use crate::operations::yearly_run::grades::{self, Names};
use crate::store::yearly_run::evaluation::Host;

/// So many differences are named.
const DIFFERENCES_MAX: usize = 100;

/// Something in the archive that is not what comes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub entry: String,
    /// From 1.
    pub line: Option<usize>,
    pub what: String,
}

/// The outcome. The digests are those of the run: whoever has them from elsewhere, as the notice prints them, knows that the archive
/// is of that run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchiveCheck {
    pub verified: bool,
    pub kind: Option<RunKind>,
    pub id: Option<i64>,
    pub year: Option<i64>,
    pub policy: Option<String>,
    pub digests: BTreeMap<&'static str, String>,
    pub differences: Vec<Difference>,
}

/// Computes the run of an archive again. `changed` are differences that are known already.
pub fn check(entries: &Entries, changed: Vec<Difference>) -> Result<ArchiveCheck, AppError> {
    let mut proof = Proof {
        entries,
        differences: changed,
    };
    let graded = match entries.keys().any(|name| name.starts_with("evaluation/")) {
        true => proof.evaluation()?,
        false => None,
    };
    let paid = match entries.keys().any(|name| name.starts_with("subsidy_run/")) {
        true => proof.subsidy_run(graded.as_ref())?,
        false => None,
    };
    let evaluation = graded.map(|graded| graded.facts);
    let mut digests = BTreeMap::new();
    let mut tell = |name, digest: Option<&String>| {
        digests.extend(digest.map(|digest| (name, digest.clone())));
    };
    if let Some(facts) = &evaluation {
        tell("evaluation", facts.result_digest.as_ref());
        tell("inputs", facts.input_digest.as_ref());
        tell("policy", Some(&facts.policy_digest));
    }
    if let Some(facts) = &paid {
        tell("subsidy_run", facts.result_digest.as_ref());
        tell("subsidy_run_inputs", facts.input_digest.as_ref());
        tell("subsidy_run_policy", Some(&facts.policy_digest));
    }
    let run = paid.or(evaluation);
    if run.is_none() && proof.differences.is_empty() {
        proof.say("", None, "there is no run in it");
    }
    let policy = |facts: &RunFacts| format!("{}@{}", facts.policy_code, facts.policy_version);
    proof.differences.truncate(DIFFERENCES_MAX);
    Ok(ArchiveCheck {
        verified: proof.differences.is_empty(),
        kind: run.as_ref().map(|facts| facts.kind),
        id: run.as_ref().map(|facts| facts.id),
        year: run.as_ref().map(|facts| facts.year),
        policy: run.as_ref().map(policy),
        digests,
        differences: proof.differences,
    })
}

struct Proof<'a> {
    entries: &'a Entries,
    differences: Vec<Difference>,
}

/// An evaluation as it comes out.
struct Graded {
    facts: RunFacts,
    inputs: Inputs,
    graded: Evaluation,
}

impl<'a> Proof<'a> {
    fn say(&mut self, entry: &str, line: Option<usize>, what: impl Into<String>) {
        self.differences.push(Difference {
            entry: entry.to_owned(),
            line,
            what: what.into(),
        });
    }

    /// An entry that must be there.
    fn part(&mut self, name: &str) -> Option<&'a str> {
        let text = self.entries.get(name).map(String::as_str);
        if text.is_none() {
            self.say(name, None, "missing");
        }
        text
    }

    fn json<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let text = self.part(name)?;
        match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.say(name, Some(error.line()), error.to_string());
                None
            }
        }
    }

    /// An entry whose digest is known.
    fn digested(&mut self, name: &str, digest: Option<&str>) -> Option<&'a str> {
        let text = self.part(name)?;
        let is = rules::digest(text);
        if Some(is.as_str()) != digest {
            let known = digest.unwrap_or("none");
            let what = format!("SHA-256 is {is}, recorded when the run was made: {known}");
            self.say(name, None, what);
        }
        Some(text)
    }

    fn policy(&mut self, kind: RunKind, facts: &RunFacts) -> Option<Policy> {
        let name = format!("{kind}/policy.toml");
        let text = self.digested(&name, Some(&facts.policy_digest))?;
        let mut values = Values::new();
        for (parameter, decimal) in &facts.parameters {
            match ratio::parse(decimal) {
                Ok(value) => drop(values.insert(parameter.clone(), value)),
                Err(_) => {
                    let what = format!("parameter {parameter} is no decimal");
                    self.say(&format!("{kind}/run.json"), None, what);
                }
            }
        }
        match policy_pack::check(text, &values) {
            Ok(checked) => Some(checked.policy),
            Err(mistakes) => {
                let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
                self.say(&name, None, mistakes.join("; "));
                None
            }
        }
    }

    fn inputs(&mut self, name: &str, digest: Option<&str>) -> Option<Inputs> {
        let text = self.digested(name, digest)?;
        match Inputs::from_lines(text.split('\n')) {
            Ok(inputs) => {
                if inputs.digest() != rules::digest(text) {
                    self.say(
                        name,
                        None,
                        "facts in another order or form than they are frozen in",
                    );
                }
                Some(inputs)
            }
            Err(mistake) => {
                self.say(name, None, mistake.to_string());
                None
            }
        }
    }

    /// Recomputed lines against those of an entry.
    fn compare(&mut self, name: &str, digest: Option<&str>, computed: &[String]) {
        let Some(text) = self.digested(name, digest) else {
            return;
        };
        let stored: Vec<&str> = match text.is_empty() {
            true => Vec::new(),
            false => text.split('\n').collect(),
        };
        for (at, (stored, computed)) in (1..).zip(stored.iter().zip(computed)) {
            if stored != computed {
                self.say(name, Some(at), difference(stored, computed));
            }
        }
        if stored.len() != computed.len() {
            let what = format!("{} lines, {} come out", stored.len(), computed.len());
            self.say(name, None, what);
        }
    }

    fn evaluation(&mut self) -> Result<Option<Graded>, AppError> {
        let Some(facts) = self.json::<RunFacts>("evaluation/run.json") else {
            return Ok(None);
        };
        let policy = self.policy(RunKind::Evaluation, &facts);
        let inputs = self.inputs("evaluation/facts.txt", facts.input_digest.as_deref());
        let (Some(policy), Some(inputs)) = (policy, inputs) else {
            return Ok(None);
        };
        let Ok(id) = EvaluationId::try_from(facts.id) else {
            self.say("evaluation/run.json", None, "the id is none");
            return Ok(None);
        };
        let graded = evaluation::grade(&inputs, &policy);
        let hosts = grades::rows(id, &graded, &Names::new())?;
        let digest = facts.result_digest.as_deref();
        self.compare("evaluation/grades.jsonl", digest, &grades::lines(&hosts)?);
        self.notice_of_grades(&hosts)?;
        self.money_of_year(RunKind::Evaluation, &facts, None);
        Ok(Some(Graded {
            facts,
            inputs,
            graded,
        }))
    }

    fn notice_of_grades(&mut self, hosts: &[Host]) -> Result<(), AppError> {
        let name = "evaluation/notice.json";
        if !self.entries.contains_key(name) {
            return Ok(());
        }
        let Some(notice) = self.json::<NoticeFacts>(name) else {
            return Ok(());
        };
        let printed = notice.content.units;
        if printed.len() != hosts.len() {
            self.say(name, None, "prints other units than were graded");
        }
        for (printed, host) in printed.iter().zip(hosts) {
            // What it was called is no result.
            let mut computed = unit(host)?;
            computed.name.clone_from(&printed.name);
            if *printed != computed {
                let of = printed.organization_id;
                let what = format!("grade, total or place of unit {of} is not what comes out");
                self.say(name, None, what);
            }
        }
        Ok(())
    }

    fn subsidy_run(&mut self, graded: Option<&Graded>) -> Result<Option<RunFacts>, AppError> {
        let name = "subsidy_run/run.json";
        let Some(facts) = self.json::<RunFacts>(name) else {
            return Ok(None);
        };
        let standing_on = graded.map(|graded| graded.facts.id);
        if standing_on != facts.evaluation_id.map(EvaluationId::number) {
            self.say(
                name,
                None,
                "the evaluation that the run stands on is missing or wrong",
            );
        }
        let own = match self.entries.contains_key("subsidy_run/facts.txt") {
            true => self.inputs("subsidy_run/facts.txt", facts.input_digest.as_deref()),
            false => None,
        };
        if own.is_none() && facts.input_digest.is_some() {
            self.say("subsidy_run/facts.txt", None, "missing");
        }
        let inputs = own.as_ref().or(graded.map(|graded| &graded.inputs));
        let policy = self.policy(RunKind::SubsidyRun, &facts);
        let (Some(policy), Some(inputs)) = (policy, inputs) else {
            return Ok(Some(facts));
        };
        let nobody = Evaluation { units: Vec::new() };
        let grades = graded.map_or(&nobody, |graded| &graded.graded).grades();
        let budget = facts.budget_fen.unwrap_or(Fen::ZERO);
        let budgets = budgets(&policy, &facts.pools, budget);
        match subsidy::pay(&budgets, &grades, inputs, &policy) {
            Ok(payout) => {
                self.money(&facts, &payout)?;
                self.money_of_year(RunKind::SubsidyRun, &facts, Some((&payout, &policy)));
            }
            Err(error) => self.say(name, None, error.to_string()),
        }
        Ok(Some(facts))
    }

    fn money(&mut self, facts: &RunFacts, payout: &Payout) -> Result<(), AppError> {
        let is_of_one_award = facts.pools.is_empty();
        let lines = awards::computed_lines(is_of_one_award, payout)?;
        let digest = facts.result_digest.as_deref();
        self.compare("subsidy_run/results.jsonl", digest, &lines);
        let pools = awards::pools(payout);
        if !is_of_one_award && facts.pools != pools {
            self.say(
                "subsidy_run/run.json",
                None,
                "the pools are not what comes out",
            );
        }
        let sum = payout.sum().map_err(AppError::internal)?;
        if (facts.awarded_fen, facts.unspent_fen) != (Some(sum.awarded), Some(sum.unspent)) {
            let what = format!(
                "awarded and unspent are not what comes out: {} and {} yuan",
                sum.awarded, sum.unspent
            );
            self.say("subsidy_run/run.json", None, what);
        }
        self.notice_of_money(payout)
    }

    /// All money of the year, which was kept with the run.
    fn money_of_year(
        &mut self,
        kind: RunKind,
        facts: &RunFacts,
        payout: Option<(&Payout, &Policy)>,
    ) {
        let name = format!("{kind}/money.jsonl");
        if facts.money_digest.is_none() && !self.entries.contains_key(&name) {
            return;
        }
        let Some(text) = self.digested(&name, facts.money_digest.as_deref()) else {
            return;
        };
        for (line, what) in money::mistakes(text, payout) {
            self.say(&name, Some(line).filter(|line| *line > 0), what);
        }
    }

    fn notice_of_money(&mut self, payout: &Payout) -> Result<(), AppError> {
        let name = "subsidy_run/notice.json";
        if !self.entries.contains_key(name) {
            return Ok(());
        }
        let Some(notice) = self.json::<NoticeFacts>(name) else {
            return Ok(());
        };
        let units = payout.awards.iter().flat_map(|award| &award.units);
        let mut computed: BTreeMap<OrganizationId, Fen> = BTreeMap::new();
        for unit in units {
            let sum = computed.entry(unit.organization_id).or_default();
            *sum = sum.checked_add(unit.award).map_err(AppError::internal)?;
        }
        for unit in &notice.content.units {
            let paid = computed.remove(&unit.organization_id);
            if paid.is_none() || unit.award_fen != paid {
                let what = format!(
                    "the award of unit {} is not what comes out",
                    unit.organization_id
                );
                self.say(name, None, what);
            }
        }
        for id in computed.into_keys() {
            self.say(name, None, format!("the award of unit {id} is missing"));
        }
        Ok(())
    }
}

/// Where two JSON lines differ first, and how.
fn difference(stored: &str, computed: &str) -> String {
    let read = |line: &str| serde_json::from_str::<Value>(line);
    match (read(stored), read(computed)) {
        (Ok(stored), Ok(computed)) => {
            let mut path = String::new();
            first(&stored, &computed, &mut path)
                .unwrap_or_else(|| "written in another form".to_owned())
        }
        _ => "no JSON".to_owned(),
    }
}

fn first(stored: &Value, computed: &Value, path: &mut String) -> Option<String> {
    let length = path.len();
    match (stored, computed) {
        (Value::Object(left), Value::Object(right)) if left.len() == right.len() => {
            for (name, value) in left {
                path.push_str(&format!(".{name}"));
                let other = right.get(name).unwrap_or(&Value::Null);
                let found = first(value, other, path);
                if found.is_some() {
                    return found;
                }
                path.truncate(length);
            }
            None
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (at, (value, other)) in left.iter().zip(right).enumerate() {
                path.push_str(&format!("[{at}]"));
                let found = first(value, other, path);
                if found.is_some() {
                    return found;
                }
                path.truncate(length);
            }
            None
        }
        _ if stored == computed => None,
        _ => Some(format!(
            "{path}: {stored} stands there, {computed} comes out"
        )),
    }
}
