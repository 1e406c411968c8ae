//! What the default pack says, and how packs with mistakes are refused.

use super::*;
use crate::domain::policy::{Deadline, Measure, Source, Tally, Value};
use crate::domain::ratio;

/// The default pack with one text replaced.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(
        HEBEI_2026.matches(from).count(),
        1,
        "{from:?} must occur once"
    );
    HEBEI_2026.replace(from, to)
}

fn line_of(text: &str, part: &str) -> usize {
    let before = text.find(part).unwrap();
    text[..before].matches('\n').count() + 1
}

/// The single mistake in a text: line, key, reason.
fn mistake(text: &str) -> (usize, String, String) {
    let mistakes = read(text).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    let mistake = mistakes.into_iter().next().unwrap();
    (mistake.line, mistake.key, mistake.reason.en)
}

#[test]
fn the_same_records_are_found_along_a_chain() {
    let chained = "[metrics.units_again]\nof = \"usage.using_units\"\n\
                   same_records_as = \"external_units_served\"\n\n[metrics.instruments_used]";
    let policy = read(&changed("[metrics.instruments_used]", chained)).unwrap();
    let measure = |name: &str| policy.metrics[name].measure.clone();
    assert_eq!(measure("units_again"), measure("external_units_served"));
    let Measure::Records(Tally::UsingUnits, filter) = measure("units_again") else {
        panic!("counts no units");
    };
    assert_eq!(
        Measure::Records(Tally::EffectiveMinutes, filter),
        measure("external_minutes")
    );
}

#[test]
fn the_default_pack_is_complete() {
    let policy = read(HEBEI_2026).unwrap();
    assert_eq!((policy.code.as_str(), policy.version), ("hebei-2026", 1));
    let registration = policy.registration.unwrap();
    assert_eq!(registration.threshold_fen.number(), 20_000_000);
    assert_eq!(registration.report_within, Deadline::WorkingDays(30));
    assert_eq!(policy.requests.unwrap().answer_within_working_days, 3);
    let maxima: Vec<(&str, String)> = policy
        .scores
        .iter()
        .map(|score| (score.id.as_str(), ratio::exact(&score.max)))
        .collect();
    let expected = [
        ("A1", "6"),
        ("A2", "4"),
        ("A3", "6"),
        ("A4", "4"),
        ("B1", "20"),
        ("B2", "4"),
        ("B3", "6"),
        ("C1", "18"),
        ("C2", "12"),
        ("C3", "8"),
        ("C4", "8"),
        ("C5", "4"),
    ];
    assert_eq!(maxima, expected.map(|(id, max)| (id, max.to_owned())));
    assert_eq!(policy.awards[0].steps.len(), 7);
    let source = |key: &str| {
        let found = policy.sources.iter().find(|(place, _)| place == key);
        found.map(|(_, source)| *source)
    };
    assert_eq!(source("grades.best_quota"), Some(Source::Proposal));
    assert_eq!(source("awards[0].steps[1]"), Some(Source::Official));
    for at in 0..policy.scores.len() {
        assert!(source(&format!("scores[{at}]")).is_some());
    }
}

#[test]
fn a_number_of_the_pack_is_the_number_of_the_policy() {
    let text = changed("full_at = \"0.20\"", "full_at = \"0.25\"");
    let policy = read(&text).unwrap();
    let score = policy.scores.iter().find(|score| score.id == "C1").unwrap();
    assert_eq!(ratio::exact(score.shape.full_at().unwrap()), "1/4");
    let text = changed("at_least = 5 }", "at_least = 9 }");
    let policy = read(&text).unwrap();
    let fewest = policy.scores.iter().find_map(|score| match score.value {
        Value::MeanAnswer { at_least, .. } => Some(at_least),
        _ => None,
    });
    assert_eq!(fewest, Some(9));
    assert_ne!(policy::digest(&text), policy::digest(HEBEI_2026));
    assert_eq!(policy::digest("").len(), 64);
}

#[test]
fn each_mistake_has_its_line_its_key_and_its_reason() {
    let cases = [
        ("version = 1", "version = 0", "version", "is not between 1"),
        (
            "version = 1",
            "version = \"1\"",
            "version",
            "an integer is expected here, not string",
        ),
        (
            "code = \"hebei-2026\"",
            "code = \"He bei\"",
            "code",
            "lower-case",
        ),
        (
            "published_on = \"2026-11-22\"",
            "published_on = 2026-11-22",
            "published_on",
            "a string is expected",
        ),
        (
            "zone = \"Asia/Shanghai\"",
            "zone = \"UTC\"",
            "year.zone",
            "\"UTC\" is not known here",
        ),
        (
            "usage_by = \"ended_at\"",
            "usage_by = \"started_at\"",
            "year.usage_by",
            "\"started_at\"",
        ),
        (
            "threshold_fen = 20_000_000",
            "threshold = 1\nthreshold_fen = 5",
            "registration.threshold",
            "unknown key \"threshold\"",
        ),
        (
            "full_at = \"0.20\"",
            "full_at = 0.20",
            "scores[7].full_at",
            "as a string",
        ),
        (
            "full_at = \"0.20\"",
            "full_at = \"0\"",
            "scores[7].full_at",
            "above zero",
        ),
        (
            "full_at = \"0.20\"",
            "full_at = \"0,20\"",
            "scores[7].full_at",
            "\"0,20\"",
        ),
        (
            "shape = \"rank\"",
            "shape = \"bend\"",
            "scores[9].shape",
            "\"bend\" is not one of linear, per_unit, steps, curve, rank, expert",
        ),
        (
            "within = \"kind\"",
            "within = \"region\"",
            "scores[9].within",
            "\"region\"",
        ),
        (
            "{ metric = \"external_units_served\" }",
            "{ metric = \"smes_served\" }",
            "scores[9].value.metric",
            "unknown metric \"smes_served\"",
        ),
        (
            "aggregate = \"mean_of_ratios\"",
            "aggregate = \"median\"",
            "scores[4].value.aggregate",
            "\"median\"",
        ),
        (
            "[\"effective_minutes\", \"rated_minutes\"]",
            "[\"effective_minutes\", \"requests_received\"]",
            "scores[4].value.ratio",
            "single instruments",
        ),
        (
            "when_empty = \"4.8\"",
            "when_empty = \"8.1\"",
            "scores[10].when_empty",
            "more points than max",
        ),
        (
            "id = \"C5\"",
            "id = \"C4\"",
            "scores[11].id",
            "a second score \"C4\"",
        ),
        (
            "of = \"usage.instruments\"",
            "of = \"usage.kilometres\"",
            "metrics.instruments_used.of",
            "\"usage.kilometres\" is not one of",
        ),
        (
            "of = \"instrument.counted\"",
            "of = \"instrument.counted\"\nuser = \"external\"",
            "metrics.instruments_counted.user",
            "unknown key \"user\"",
        ),
        (
            "same_records_as = \"external_minutes\"",
            "same_records_as = \"nothing\"",
            "metrics.external_units_served.same_records_as",
            "\"nothing\"",
        ),
        (
            "same_records_as = \"external_minutes\"",
            "same_records_as = \"instruments_counted\"",
            "metrics.external_units_served.same_records_as",
            "\"instruments_counted\" counts no records",
        ),
        (
            "same_records_as = \"external_minutes\"",
            "same_records_as = \"external_units_served\"",
            "metrics.external_units_served.same_records_as",
            "\"external_units_served\", in a circle",
        ),
        (
            "ties = [\"C\", ",
            "ties = [\"D\", ",
            "grades.ties[0]",
            "\"D\"",
        ),
        (
            "share = \"0.15\"",
            "share = \"1.5\"",
            "grades.best_quota.share",
            "at most 1",
        ),
        (
            "recipient = \"host\"",
            "recipient = \"state\"",
            "awards[0].recipient",
            "\"state\" is not one of host, user",
        ),
        (
            "base = \"paid_external_income_fen\"",
            "base = \"satisfaction\"",
            "awards[0].base",
            "no sum that could be a base",
        ),
        (
            "[\"13\", \"11\", \"12\"]",
            "[\"13\", \"1\"]",
            "awards[0].user_regions[1]",
            "digits",
        ),
        (
            "do = \"pool\", how = \"pro_rata\"",
            "do = \"share\"",
            "awards[0].steps[5].do",
            "\"share\" is not one of",
        ),
        (
            "rate = \"0.20\", times_grade",
            "rate = \"0.20\", times_region = 1, times_grade",
            "awards[0].steps[0].times_region",
            "unknown key \"times_region\"",
        ),
        (
            "fail = \"0\", source",
            "source",
            "awards[0].steps[0].times_grade",
            "\"fail\" is missing",
        ),
        (
            "direction = \"floor\"",
            "direction = \"ceiling\"",
            "awards[0].steps[6].direction",
            "\"ceiling\"",
        ),
        (
            "\"statutory\", ",
            "\"police\", ",
            "awards[0].exclude[0]",
            "\"police\"",
        ),
    ];
    for (from, to, key, reason) in cases {
        let text = changed(from, to);
        let (line, found, why) = mistake(&text);
        assert_eq!(found, key, "{why}");
        assert!(why.contains(reason), "{key}: {why}");
        // A mistake of a whole table stands at the table's own line, a few above the changed one.
        let changed = line_of(HEBEI_2026, from);
        let last = changed + to.matches('\n').count();
        assert!(
            (changed.saturating_sub(7)..=last).contains(&line),
            "{key}: {line}"
        );
    }
}

#[test]
fn steps_must_not_be_able_to_overspend_or_round_twice() {
    let sum = "  { do = \"sum\", by = \"organization\", source = \"proposal\" },\n";
    let pool = "  { do = \"pool\", how = \"pro_rata\", source = \"official\" }, # one common factor (Fujian)\n";
    for text in [
        changed(sum, ""),
        changed(sum, &format!("{sum}{sum}")),
        changed(pool, ""),
        changed(sum, &format!("{pool}{sum}")),
        changed(
            pool,
            "  { do = \"round\", unit_fen = 1, direction = \"floor\", rest = \"unspent\" },\n",
        ),
    ] {
        let (line, key, _) = mistake(&text);
        assert!(key.starts_with("awards[0].steps"), "{key}");
        assert!(line >= line_of(&text, "steps = ["), "{line}");
    }
}

#[test]
fn weak_evidence_is_one_thing_and_must_be_said() {
    let weak = "drop_weak_evidence = { classes = [\"manual\"], value_fen_from = 50_000_000 }\n";
    let (_, key, reason) = mistake(&changed(weak, ""));
    assert_eq!(key, "awards[0].exclude[1]");
    assert!(reason.contains("drop_weak_evidence"));
    let other = "of = \"income.payer_fen\"\ndrop_weak_evidence = { classes = [\"manual\"], value_fen_from = 1 }\n";
    let (_, key, _) = mistake(&changed("of = \"income.payer_fen\"\n", other));
    assert_eq!(key, "metrics.paid_external_income_fen.drop_weak_evidence");
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_lines() {
    let text = changed("version = 1", "version = 0")
        .replace("of = \"usage.instruments\"", "of = \"usage.kilometres\"")
        .replace("shape = \"rank\"", "shape = \"bend\"")
        .replace("max_fen = 5_000_000", "max_fen = -5")
        .replace("[registration]", "colour = \"red\"\n[registration]");
    let mistakes = read(&text).unwrap_err();
    let keys: Vec<&str> = mistakes
        .iter()
        .map(|mistake| mistake.key.as_str())
        .collect();
    let expected = [
        "version",
        "colour",
        "metrics.instruments_used.of",
        "scores[9].shape",
        "awards[0].steps[1].max_fen",
    ];
    assert_eq!(keys, expected);
    let line = line_of(&text, "shape = \"bend\"");
    assert_eq!(mistakes[3].line, line);
    assert!(
        mistakes[3]
            .to_string()
            .starts_with(&format!("line {line}: scores[9].shape: "))
    );
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    let mistakes = read("code = \"x\"\nversion = = 2\n").unwrap_err();
    assert_eq!(mistakes[0].line, 2);
    let mistakes = read(&changed("version = 1", "version = 1\nversion = 2")).unwrap_err();
    assert_eq!(mistakes[0].line, line_of(HEBEI_2026, "version = 1") + 1);
    for text in [
        "",
        "code = 99999999999999999999",
        "[[metrics]]\n",
        "scores = 1\nawards = {}",
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
}
