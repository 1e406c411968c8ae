//! Archives of published runs: who has them, when, that they prove themselves, and that whatever is changed in them is found.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use serde_json::{Value, json};
use yiqi::domain::policy::digest;
use yiqi::exchange::archive::verify;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::both;
use crate::finality::{draft, path, prepared, publish};

const MANIFEST: &str = "manifest.json";

/// The entries of a ZIP.
pub fn entries_of(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let each = 0..zip.len();
    let each = each.map(|at| {
        let mut part = zip.by_index(at).unwrap();
        let name = part.name().unwrap().to_string();
        let mut text = String::new();
        part.read_to_string(&mut text).unwrap();
        (name, text)
    });
    each.collect()
}

fn zip_of(entries: &BTreeMap<String, String>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in entries {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The archive with one entry changed; `forged`: the manifest says that it was always so.
pub fn altered(
    bytes: &[u8],
    name: &str,
    change: impl FnOnce(&str) -> String,
    forged: bool,
) -> Vec<u8> {
    let mut entries = entries_of(bytes);
    let text = change(&entries[name]);
    assert_ne!(text, entries[name], "{name}");
    if forged {
        let mut manifest: Value = serde_json::from_str(&entries[MANIFEST]).unwrap();
        manifest["entries"][name] = json!(digest(&text));
        entries.insert(MANIFEST.to_owned(), manifest.to_string());
    }
    entries.insert(name.to_owned(), text);
    zip_of(&entries)
}

/// The next digit in place of the last one.
fn digit(text: &str) -> String {
    let at = text.rfind(|letter: char| letter.is_ascii_digit()).unwrap();
    let digit = text[at..=at].parse::<u8>().unwrap();
    format!("{}{}{}", &text[..at], (digit + 1) % 10, &text[at + 1..])
}

/// The entries in which a verification finds something.
fn found(bytes: &[u8]) -> Vec<String> {
    let checked = verify(Cursor::new(bytes)).unwrap();
    assert_eq!(checked.verified, checked.differences.is_empty());
    let entries = checked.differences.into_iter().map(|one| one.entry);
    entries.collect()
}

/// A change of an entry.
type Change = (&'static str, fn(&str) -> String);

/// What is computed, each in its way.
const COMPUTED: [Change; 12] = [
    ("subsidy_run/results.jsonl", |text| {
        text.replacen("\"award_fen\":", "\"award_fen\":1", 1)
    }),
    ("subsidy_run/results.jsonl", |text| {
        text.replacen("\"after_fen\":\"", "\"after_fen\":\"1", 1)
    }),
    ("subsidy_run/results.jsonl", |text| {
        text.lines().take(1).collect()
    }),
    ("subsidy_run/policy.toml", |text| format!("{text} ")),
    ("subsidy_run/notice.json", |text| {
        text.replacen("\"award_fen\": ", "\"award_fen\": 1", 1)
    }),
    ("subsidy_run/run.json", |text| {
        text.replacen("\"awarded_fen\": ", "\"awarded_fen\": 1", 1)
    }),
    ("evaluation/policy.toml", |text| text.replacen('9', "8", 1)),
    ("evaluation/facts.txt", digit),
    ("evaluation/facts.txt", |text| format!("{text}\n")),
    ("evaluation/grades.jsonl", digit),
    ("evaluation/notice.json", |text| {
        text.replacen("\"place\": 1", "\"place\": 2", 1)
    }),
    ("evaluation/run.json", |text| {
        text.replacen("\"input_digest\": \"", "\"input_digest\": \"0", 1)
    }),
];

/// What only stands beside.
const BESIDE: [&str; 4] = [
    "README.txt",
    "evaluation/points.jsonl",
    "subsidy_run/objections.jsonl",
    "findings.jsonl",
];

both! {
    fn what_is_published_is_archived_and_proves_itself(app: &TestApp) {
        let admin = prepared(app);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let halves = [path("evaluations", &run["evaluation_id"]), path("subsidy-runs", &run["id"])];
        for half in &halves {
            let early = admin.get(&format!("{half}/archive")).expect_code(409, "invalid_state");
            assert_eq!(early["allowed"], json!(["published", "final"]));
            app.visitor().get(&format!("{half}/archive")).expect_status(401);
        }
        publish(&admin, &run);
        for half in &halves {
            app.as_host().get(&format!("{half}/archive")).expect_code(403, "forbidden");
            let file = admin.get(&format!("{half}/archive")).expect_status(200);
            assert_eq!(file.header("content-type"), Some("application/zip"));
            assert_eq!(admin.get(&format!("{half}/archive")).bytes, file.bytes, "the same run, the same bytes");
            let checked = verify(Cursor::new(&file.bytes)).unwrap();
            assert!(checked.verified, "{:?}", checked.differences);
            assert_eq!(checked.id, admin.get(half)["id"].as_i64());
            // An entry is hashed as it stands there.
            let entries = entries_of(&file.bytes);
            let evaluation = admin.get(&halves[0]);
            assert_eq!(digest(&entries["evaluation/facts.txt"]), evaluation["input_digest"]);
            assert_eq!(digest(&entries["evaluation/grades.jsonl"]), evaluation["result_digest"]);
            assert_eq!(checked.digests["evaluation"], evaluation["result_digest"]);
            assert!(entries["README.txt"].contains("yiqi subsidy verify --archive"));
        }
        let entries = entries_of(&admin.get(&format!("{}/archive", halves[1])).bytes);
        assert_eq!(digest(&entries["subsidy_run/results.jsonl"]), admin.get(&halves[1])["result_digest"]);
        for kind in ["evaluations", "subsidy-runs"] {
            admin.get(&format!("/api/v1/{kind}/999/archive")).expect_code(404, "not_found");
        }
    }

    fn whatever_is_changed_in_an_archive_is_found(app: &TestApp) {
        let admin = prepared(app);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [_, subsidy] = publish(&admin, &run);
        let bytes = admin.get(&format!("{subsidy}/archive")).expect_status(200).bytes;
        for (name, change) in COMPUTED {
            for forged in [false, true] {
                let found = found(&altered(&bytes, name, change, forged));
                let folder = name.split('/').next().unwrap();
                assert!(found.iter().any(|entry| entry.starts_with(folder)), "{name} {forged}: {found:?}");
            }
        }
        for name in BESIDE {
            let found = found(&altered(&bytes, name, |text| format!("{text} "), false));
            assert_eq!(found, [name]);
        }
        // Who changes the results and every digest of them is found by computing again.
        let forged = altered(&bytes, "subsidy_run/results.jsonl", COMPUTED[0].1, true);
        let results = digest(&entries_of(&forged)["subsidy_run/results.jsonl"]);
        let known = admin.get(&subsidy)["result_digest"].as_str().unwrap().to_owned();
        let forged = altered(&forged, "subsidy_run/run.json", |text| text.replace(&known, &results), true);
        let checked = verify(Cursor::new(&forged)).unwrap();
        assert_eq!(checked.differences.len(), 1, "{:?}", checked.differences);
        assert!(checked.differences[0].what.contains(".award_fen"), "{:?}", checked.differences);
        // An entry that is not there, and one that is too many.
        for name in entries_of(&bytes).into_keys().filter(|name| name != MANIFEST) {
            let mut entries = entries_of(&bytes);
            entries.remove(&name);
            assert!(found(&zip_of(&entries)).contains(&name), "{name}");
        }
        let mut entries = entries_of(&bytes);
        entries.insert("subsidy_run/facts.txt".to_owned(), entries["evaluation/facts.txt"].clone());
        assert!(found(&zip_of(&entries)).contains(&"subsidy_run/facts.txt".to_owned()));
    }
}
