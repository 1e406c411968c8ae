//! Packs broken by one mistake each, from those that ship: every mistake is refused or warned of on its own line, in words that
//! name it, in both languages.

mod by_hand;
mod mutation;

use std::collections::{BTreeMap, BTreeSet};

use yiqi::operations::policy_pack::{self, PolicyMistake, SHIPPED, Values};

use mutation::{Breaker, Broken};

/// What is told of a text, mistakes and warnings alike.
fn told(text: &str) -> Vec<PolicyMistake> {
    match policy_pack::check(text, &Values::new()) {
        Ok(checked) => checked.warnings,
        Err(mistakes) => mistakes,
    }
}

fn all() -> Vec<Broken> {
    let mut broken = Vec::new();
    for (code, text) in SHIPPED {
        let mut breaker = Breaker::new(code, text);
        breaker.members();
        breaker.items();
        breaker.tables();
        breaker.syntax();
        breaker.absences();
        by_hand::all(&mut breaker, code);
        broken.extend(breaker.broken);
    }
    broken
}

/// Why a broken pack is not told of as it should be; `None`: it is.
fn complaint(broken: &Broken, whole: &BTreeSet<String>) -> Option<String> {
    let mut told = told(&broken.text);
    told.retain(|mistake| !whole.contains(&mistake.reason.en));
    let Broken {
        kind,
        pack,
        line,
        names,
        ..
    } = broken;
    let said = broken.text.lines().nth(line - 1).unwrap_or_default();
    let at = format!("{pack}:{line}: {kind}: {said}");
    if told.is_empty() {
        return Some(format!("{at}: nothing is told"));
    }
    let mut here = told.iter().filter(|mistake| mistake.line == *line);
    let is_named = here.any(|mistake| {
        let text = format!("{} {}", mistake.key, mistake.reason.en);
        names.iter().any(|name| text.contains(name.as_str()))
    });
    let is_chinese = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
    if let Some(mute) = told
        .iter()
        .find(|mistake| !mistake.reason.zh.contains(is_chinese))
    {
        return Some(format!("{at}: not in Chinese: {mute:?}"));
    }
    (!is_named).then(|| format!("{at}: {told:#?}"))
}

#[test]
fn every_broken_pack_is_told_of_on_the_line_of_its_mistake() {
    let whole: BTreeMap<&str, BTreeSet<String>> = SHIPPED
        .iter()
        .map(|(code, text)| {
            (
                *code,
                told(text).into_iter().map(|one| one.reason.en).collect(),
            )
        })
        .collect();
    let broken = all();
    let kinds: BTreeSet<&str> = broken.iter().map(|one| one.kind).collect();
    assert!(
        broken.len() >= 200 && kinds.len() >= 80,
        "{} of {} kinds",
        broken.len(),
        kinds.len()
    );
    let complaints: Vec<String> = broken
        .iter()
        .filter_map(|one| complaint(one, &whole[one.pack]))
        .collect();
    assert!(
        complaints.is_empty(),
        "{} of {}:\n{}",
        complaints.len(),
        broken.len(),
        complaints[..complaints.len().min(40)].join("\n")
    );
}
