//! From the untyped tree to a [`Policy`], or to every mistake in it at once.

use super::raw::{Findings, Node, Table};
use super::{Policy, PolicyMistake, Raw, Registration, Requests, award, grades, metric, score};
use crate::domain::{Fen, MAX_SAFE_INTEGER, ZONE};
use chrono::NaiveDate;

/// Checks a pack. The mistakes come in the order of their lines.
pub fn check(raw: &Raw) -> Result<Policy, Vec<PolicyMistake>> {
    let findings = Findings::default();
    let policy = read(&Node::root(raw, &findings));
    let mut mistakes = findings.mistakes.into_inner();
    mistakes.sort();
    mistakes.dedup();
    match policy {
        Some(policy) if mistakes.is_empty() => Ok(Policy {
            sources: findings.sources.into_inner(),
            ..policy
        }),
        _ => Err(mistakes),
    }
}

fn read(root: &Node) -> Option<Policy> {
    let table = root.table()?;
    let code = table.required("code").and_then(|node| read_code(&node));
    let version = table
        .required("version")
        .and_then(|node| node.integer(1..=MAX_SAFE_INTEGER));
    let title = table.required("title").and_then(|node| node.text());
    let issuer = table.required("issuer").and_then(|node| node.text());
    let document_no = table.optional("document_no").and_then(|node| node.text());
    let published_on = table
        .optional("published_on")
        .and_then(|node| read_date(&node));
    let registration = table
        .required("registration")
        .and_then(|node| read_registration(&node));
    let requests = table
        .required("requests")
        .and_then(|node| read_requests(&node));
    let year = table.required("year").and_then(|node| read_year(&node));
    let metrics = table
        .required("metrics")
        .and_then(|node| metric::read_all(&node));
    // Without metrics nothing that names one can be judged; their own mistakes are told first.
    let scores = table.required("scores");
    let awards = table.required("awards");
    let scores = metrics
        .as_ref()
        .and_then(|known| score::read_all(&scores?, known));
    let award = metrics
        .as_ref()
        .and_then(|known| award::read(&awards?, known));
    let grades = table
        .required("grades")
        .and_then(|node| grades::read(&node, scores.as_deref()));
    table.finish();
    year?;
    Some(Policy {
        code: code?,
        version: version?,
        title: title?.to_owned(),
        issuer: issuer?.to_owned(),
        document_no: document_no.map(str::to_owned),
        published_on,
        registration: registration?,
        requests: requests?,
        metrics: metrics?.into_measures(),
        scores: scores?,
        grades: grades?,
        award: award?,
        sources: Vec::new(),
    })
}

fn read_code(node: &Node) -> Option<String> {
    let code = node.text()?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if code.len() <= 64 && code.bytes().all(plain) {
        Some(code.to_owned())
    } else {
        node.refuse("a code has at most 64 lower-case letters, digits and hyphens")
    }
}

fn read_date(node: &Node) -> Option<NaiveDate> {
    match node.text()?.parse() {
        Ok(date) => Some(date),
        Err(_) => node.refuse("a date is written \"2026-03-01\""),
    }
}

fn read_registration(node: &Node) -> Option<Registration> {
    let table = node.table()?;
    let threshold = table
        .required("threshold_fen")
        .and_then(|node| node.integer(0..=MAX_SAFE_INTEGER));
    let days = table
        .required("report_within_working_days")
        .and_then(|node| node.integer(1..=366));
    table.finish();
    Some(Registration {
        threshold_fen: Fen::new(threshold?),
        report_within_working_days: days?,
    })
}

fn read_requests(node: &Node) -> Option<Requests> {
    let table = node.table()?;
    let days = table
        .required("answer_within_working_days")
        .and_then(|node| node.integer(1..=366));
    table.finish();
    Some(Requests {
        answer_within_working_days: days?,
    })
}

/// The engine knows one year: calendar years, usage by its end, income by its payment.
fn read_year(node: &Node) -> Option<()> {
    let table = node.table()?;
    let known = |name: &'static str, word: &str| only(&table, name, word);
    let zone = known("zone", ZONE.name());
    let usage = known("usage_by", "ended_at");
    let income = known("income_by", "paid_on");
    table.finish();
    zone.and(usage).and(income)
}

/// A required key with the one word that is known for it.
pub(super) fn only(table: &Table, name: &'static str, word: &str) -> Option<()> {
    table.required(name).and_then(|node| node.only(word))
}
