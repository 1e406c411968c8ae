//! The archive of a run as one file: a ZIP of its texts, the digest of each, and how to prove it. The same run gives the same bytes.
//! What comes in from outside is read within bounds, whatever its directory promises.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek, Write};

use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::app::App;
use crate::domain::policy::digest;
use crate::domain::run::{RunId, RunKind};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::yearly_run::archive::check::{ArchiveCheck, Difference, check};
use crate::operations::yearly_run::archive::{self, Archive, Entries};

const FORMAT: i64 = 1;
const MANIFEST: &str = "manifest.json";
const README: &str = "README.txt";

/// An archive has at most so many entries.
const MAX_ENTRIES: usize = 64;

/// Its texts together have at most so many bytes unpacked.
const MAX_UNPACKED_BYTES: u64 = 1 << 30;

/// Why a file cannot be read as an archive.
#[derive(Debug, thiserror::Error)]
pub enum NotAnArchive {
    #[error("no ZIP that can be read")]
    NoZip(#[from] zip::result::ZipError),
    #[error("it cannot be read")]
    Unreadable(#[from] std::io::Error),
    #[error("more than {MAX_ENTRIES} entries")]
    TooMany,
    #[error("more than {MAX_UNPACKED_BYTES} bytes when unpacked")]
    TooLarge,
    #[error("{0}: an entry that no archive has")]
    Foreign(String),
    #[error("{0}: no UTF-8")]
    NotText(String),
    #[error("{MANIFEST}: missing, or of another program")]
    NoManifest,
    #[error("format {0}; this program reads {FORMAT}, take a newer one")]
    Newer(i64),
    #[error(transparent)]
    Failed(#[from] AppError),
}

/// What an archive is of, by which program, and the SHA-256 of every other entry.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: i64,
    program: String,
    program_version: String,
    kind: RunKind,
    id: i64,
    entries: BTreeMap<String, String>,
}

/// The archive of a run as a file, for who may have it.
pub async fn file(app: &App, actor: &Actor, id: RunId) -> Result<Vec<u8>, AppError> {
    let archive = archive::read(app, actor, id).await?;
    let write = move || write(&archive).map_err(AppError::internal);
    app.tables.run(write).await?
}

fn write(archive: &Archive) -> Result<Vec<u8>, NotAnArchive> {
    let mut digests = BTreeMap::from([(README.to_owned(), digest(READ_ME))]);
    for (name, text) in &archive.entries {
        digests.insert(name.clone(), digest(text));
    }
    let manifest = Manifest {
        format: FORMAT,
        program: "yiqi".to_owned(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        kind: archive.id.kind(),
        id: archive.id.number(),
        entries: digests,
    };
    let manifest = serde_json::to_string_pretty(&manifest).map_err(AppError::from)?;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // Without a moment, which would be another one each time.
    let options = SimpleFileOptions::default().large_file(true);
    let first = [(README, READ_ME), (MANIFEST, manifest.as_str())];
    let texts = archive.entries.iter();
    let texts = texts.map(|(name, text)| (name.as_str(), text.as_str()));
    for (name, text) in first.into_iter().chain(texts) {
        zip.start_file(name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Computes the run of an archive again, and says what in it is not what comes out.
pub fn verify(file: impl Read + Seek) -> Result<ArchiveCheck, NotAnArchive> {
    let mut entries = read(file)?;
    let manifest = entries.remove(MANIFEST).ok_or(NotAnArchive::NoManifest)?;
    let manifest: Manifest =
        serde_json::from_str(&manifest).map_err(|_| NotAnArchive::NoManifest)?;
    if manifest.format > FORMAT {
        return Err(NotAnArchive::Newer(manifest.format));
    }
    let changed = changed(&manifest, &entries);
    let mut checked = check(&entries, changed)?;
    if (checked.kind, checked.id) != (Some(manifest.kind), Some(manifest.id)) {
        checked.verified = false;
        checked.differences.push(Difference {
            entry: MANIFEST.to_owned(),
            line: None,
            what: "it names another run".to_owned(),
        });
    }
    Ok(checked)
}

/// What is not as the manifest has it.
fn changed(manifest: &Manifest, entries: &Entries) -> Vec<Difference> {
    let say = |entry: &str, what: &str| Difference {
        entry: entry.to_owned(),
        line: None,
        what: what.to_owned(),
    };
    let named = manifest.entries.iter();
    let mut changed: Vec<Difference> = named
        .filter_map(|(name, known)| match entries.get(name) {
            None => Some(say(name, "missing")),
            Some(text) if digest(text) != *known => {
                Some(say(name, "changed since the archive was made"))
            }
            Some(_) => None,
        })
        .collect();
    let unknown = entries.keys();
    let unknown = unknown.filter(|name| !manifest.entries.contains_key(*name));
    changed.extend(unknown.map(|name| say(name, "added since the archive was made")));
    changed
}

fn read(file: impl Read + Seek) -> Result<Entries, NotAnArchive> {
    let mut zip = ZipArchive::new(file)?;
    if zip.len() > MAX_ENTRIES {
        return Err(NotAnArchive::TooMany);
    }
    let (mut entries, mut left) = (Entries::new(), MAX_UNPACKED_BYTES);
    for at in 0..zip.len() {
        let part = zip.by_index(at)?;
        let name = part.name()?.to_string();
        if !is_known(&name) {
            return Err(NotAnArchive::Foreign(name));
        }
        let mut bytes = Vec::new();
        part.take(left + 1).read_to_end(&mut bytes)?;
        let taken = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        left = left.checked_sub(taken).ok_or(NotAnArchive::TooLarge)?;
        let text = String::from_utf8(bytes).map_err(|_| NotAnArchive::NotText(name.clone()))?;
        if entries.insert(name.clone(), text).is_some() {
            return Err(NotAnArchive::Foreign(name));
        }
    }
    Ok(entries)
}

/// Entries that an archive can have.
fn is_known(name: &str) -> bool {
    const BELOW: [&str; 9] = [
        "facts.txt",
        "grades.jsonl",
        "money.jsonl",
        "notice.json",
        "objections.jsonl",
        "points.jsonl",
        "policy.toml",
        "results.jsonl",
        "run.json",
    ];
    let kinds = RunKind::ALL.iter().map(|kind| kind.as_str());
    let mut folders = kinds.filter_map(|kind| name.strip_prefix(kind)?.strip_prefix('/'));
    [README, MANIFEST, "findings.jsonl"].contains(&name)
        || folders.any(|below| BELOW.contains(&below))
}

const READ_ME: &str = include_str!("read_me.txt");

#[cfg(test)]
mod tests {
    use super::*;

    fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn refused(bytes: &[u8]) -> String {
        verify(Cursor::new(bytes)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        assert!(refused(b"").contains("ZIP"));
        assert!(refused(b"PK\x03\x04 and nothing more").contains("ZIP"));
        assert!(refused(&zip_of(&[])).contains(MANIFEST));
        assert!(refused(&zip_of(&[(MANIFEST, b"{}")])).contains(MANIFEST));
        assert!(refused(&zip_of(&[("../run.json", b"{}")])).contains("../run.json"));
        assert!(refused(&zip_of(&[("evaluation/other", b"{}")])).contains("evaluation/other"));
        assert!(refused(&zip_of(&[("findings.jsonl", b"\xff\xfe")])).contains("UTF-8"));
        let newer = br#"{"format":2,"program":"yiqi","program_version":"9","kind":"evaluation","id":1,"entries":{}}"#;
        assert!(refused(&zip_of(&[(MANIFEST, newer)])).contains("newer"));
        let mut cut = zip_of(&[(MANIFEST, b"{}"), ("findings.jsonl", &[b'x'; 4096])]);
        cut.truncate(cut.len() / 2);
        assert!(!refused(&cut).is_empty());
        let names: Vec<String> = (0..=MAX_ENTRIES).map(|at| at.to_string()).collect();
        let many: Vec<(&str, &[u8])> = names.iter().map(|it| (it.as_str(), &b""[..])).collect();
        assert!(refused(&zip_of(&many)).contains("entries"));
    }

    #[test]
    fn an_archive_of_nothing_names_what_is_missing() {
        let manifest = br#"{"format":1,"program":"yiqi","program_version":"1","kind":"evaluation","id":1,"entries":{"findings.jsonl":"0"}}"#;
        let checked = verify(Cursor::new(zip_of(&[(MANIFEST, manifest)]))).unwrap();
        assert!(!checked.verified);
        assert_eq!(checked.differences[0].entry, "findings.jsonl");
    }
}
