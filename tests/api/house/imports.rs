//! The import table: which rooms a room may name, and which crates. Code in a macro or an attribute counts as well.
//! Test code may use any crate, but no other rooms.

use std::collections::BTreeSet;

use super::source::{Source, Token};

/// What a room may name besides itself. An entry like `domain::Instant` allows that part only.
struct Room {
    name: &'static str,
    rooms: &'static [&'static str],
    corridor: bool,
    crates: Crates,
}

enum Crates {
    Only(&'static [&'static str]),
    /// None of these families: `diesel` refuses `diesel_migrations` too.
    Without(&'static [&'static str]),
}

const CORRIDOR: &[&str] = &["app", "clock", "config", "error", "mail"];

const fn room(
    name: &'static str,
    rooms: &'static [&'static str],
    corridor: bool,
    crates: Crates,
) -> Room {
    Room {
        name,
        rooms,
        corridor,
        crates,
    }
}

/// What the domain is built from: values and arithmetic. No clock, no I/O.
const DOMAIN_CRATES: Crates = Crates::Only(&[
    "std",
    "core",
    "chrono",
    "chrono_tz",
    "serde",
    "thiserror",
    "num_bigint",
    "num_rational",
    "num_traits",
    "sha2",
    // Tables of Unicode: what is one key is told by nothing else.
    "icu_normalizer",
    "unicase",
]);
const NO_DATABASE: Crates = Crates::Without(&["diesel", "r2d2", "libsqlite3_sys", "pq_sys"]);
const NO_DATABASE_NO_HTTP: Crates = Crates::Without(&[
    "diesel",
    "r2d2",
    "libsqlite3_sys",
    "pq_sys",
    "actix",
    "utoipa",
]);
const NO_HTTP: Crates = Crates::Without(&["actix", "utoipa", "clap"]);

/// The same for server-rendered pages and for the REST entrance.
const ENTRANCE: &[&str] = &["operations", "domain", "exchange", "store"];

const ROOMS: &[Room] = &[
    room("domain", &[], false, DOMAIN_CRATES),
    room("store", &["domain"], false, NO_HTTP),
    room(
        "operations",
        &["domain", "store"],
        true,
        NO_DATABASE_NO_HTTP,
    ),
    room("http", ENTRANCE, true, NO_DATABASE),
    room("console", ENTRANCE, true, NO_DATABASE),
    room(
        "jobs",
        &["operations", "domain::Instant"],
        true,
        NO_DATABASE_NO_HTTP,
    ),
    room(
        "exchange",
        &["domain", "operations"],
        true,
        NO_DATABASE_NO_HTTP,
    ),
    // `serve` starts the entrances and the jobs.
    room(
        "cli",
        &["operations", "exchange", "http", "console", "jobs"],
        true,
        NO_DATABASE,
    ),
    room("app", &["domain", "store"], true, NO_HTTP),
    room("clock", &["domain"], true, NO_HTTP),
    room("config", &["domain", "store"], true, NO_HTTP),
    room("error", &["domain", "store"], true, NO_HTTP),
    room("mail", &["domain", "store"], true, NO_HTTP),
    room("main", &["cli"], false, Crates::Only(&["std"])),
    room("lib", &[], false, Crates::Only(&["std"])),
];

/// `#[macro_export]` puts these at the crate's root; they belong to the room.
const ROOT_MACROS: &[(&str, &str)] = &[("vocabulary", "domain")];

/// Parts of std that read the world, and the doors to a clock: not for the domain.
const OUTSIDE_WORLD: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "chrono::Local",
];

/// The one noun of the domain with real numbers that are neither money nor points: latitude and longitude.
const COORDINATES: &str = "domain/instrument";

/// The names of the dependencies as the code writes them, and std.
pub fn dependencies(cargo_toml: &str) -> BTreeSet<String> {
    let manifest: toml::Table = cargo_toml.parse().expect("Cargo.toml is TOML");
    let tables = ["dependencies", "dev-dependencies"];
    let declared = tables
        .iter()
        .filter_map(|name| manifest.get(*name)?.as_table())
        .flat_map(|table| table.keys().map(|name| name.replace('-', "_")));
    declared
        .chain(["std", "core", "alloc"].map(str::to_owned))
        .collect()
}

pub fn complaints(source: &Source, dependencies: &BTreeSet<String>) -> Vec<String> {
    let Some(room) = ROOMS.iter().find(|room| room.name == source.room()) else {
        return vec![source.complaint(1, "is no room of the house")];
    };
    let references = references(source);
    let local_names = local_names(source, &references);
    let mut found = Vec::new();
    for reference in &references {
        if let Some(target) = reference.target() {
            if !may_name(room, &target) {
                let what = format!("{} may not import {}", room.name, target.join("::"));
                found.push(source.complaint(reference.line, &what));
            }
        } else if !source.is_test_line(reference.line) {
            let name = &reference.path[0];
            if dependencies.contains(name)
                && !local_names.contains(name)
                && !may_use(room, &reference.path)
            {
                let what = format!("{} may not use {}", room.name, reference.path.join("::"));
                found.push(source.complaint(reference.line, &what));
            }
        }
    }
    found.extend(forbidden_words(source));
    found
}

fn may_name(room: &Room, target: &[String]) -> bool {
    let top = match ROOT_MACROS.iter().find(|(name, _)| target[0] == *name) {
        Some((_, home)) => home,
        None => target[0].as_str(),
    };
    let is_allowed = |entry: &&str| {
        let parts: Vec<&str> = entry.split("::").collect();
        parts[0] == top
            && target.iter().zip(&parts).skip(1).all(|(a, b)| a == b)
            && target.len() >= parts.len()
    };
    top == room.name
        || room.rooms.iter().any(is_allowed)
        || (room.corridor && CORRIDOR.contains(&top))
}

fn may_use(room: &Room, path: &[String]) -> bool {
    let in_family =
        |family: &&&str| path[0] == **family || path[0].starts_with(&format!("{family}_"));
    let is_listed = match room.crates {
        Crates::Only(names) => names.contains(&path[0].as_str()),
        Crates::Without(families) => !families.iter().any(|family| in_family(&family)),
    };
    let written = path.join("::");
    let is_outside =
        |world: &&str| written == **world || written.starts_with(&format!("{world}::"));
    is_listed && !(room.name == "domain" && OUTSIDE_WORLD.iter().any(is_outside))
}

/// What the table says in words: entrances do not write, and the domain neither asks the time nor rounds.
fn forbidden_words(source: &Source) -> Vec<String> {
    let tokens = source.production_tokens();
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let after_dot = index > 0 && text(index - 1) == ".";
        let after_path = index > 0 && text(index - 1) == "::";
        let what = match (source.room(), token.text.as_str()) {
            ("http" | "console", "write" | "write_alone")
                if after_dot && text(index + 1) == "(" =>
            {
                "an entrance reads; writing is an action of operations"
            }
            ("domain", "now") if after_path => "`now` is an argument of the domain",
            ("domain", "f32" | "f64") if !source.path.starts_with(COORDINATES) => {
                "no floating point for money or points"
            }
            _ => continue,
        };
        found.push(source.complaint(token.line, what));
    }
    found
}

/// A path as written, with the module it stands in.
struct Reference {
    path: Vec<String>,
    module: Vec<String>,
    line: usize,
}

impl Reference {
    /// The path below the crate, room first; None for crates and local names.
    fn target(&self) -> Option<Vec<String>> {
        let mut base = match self.path[0].as_str() {
            "crate" | "yiqi" => Vec::new(),
            "self" | "super" => self.module.clone(),
            _ => return None,
        };
        for segment in &self.path {
            match segment.as_str() {
                "super" => drop(base.pop()),
                "crate" | "yiqi" | "self" => {}
                name => base.push(name.to_owned()),
            }
        }
        // `pub(super)` in a room's own file names the root and takes nothing from it.
        let names_root_only = base.is_empty() && self.path == ["super"];
        (!names_root_only).then(|| {
            if base.is_empty() {
                vec!["crate".to_owned()]
            } else {
                base
            }
        })
    }
}

/// Names that hide a crate of the same name in this file: imported from our own rooms, or modules declared here.
fn local_names(source: &Source, references: &[Reference]) -> BTreeSet<String> {
    let imported = references
        .iter()
        .filter(|reference| reference.target().is_some())
        .filter_map(|reference| reference.path.last().cloned());
    let modules = source.tokens.windows(2);
    let modules = modules.filter(|pair| pair[0].text == "mod" && pair[1].is_word);
    let modules = modules.map(|pair| pair[1].text.clone());
    imported.chain(modules).collect()
}

/// What an open brace means while paths are read.
enum Brace {
    Uses(Vec<String>),
    Module(String),
    Other,
}

fn references(source: &Source) -> Vec<Reference> {
    let tokens = &source.tokens;
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
    let mut open: Vec<Brace> = Vec::new();
    let mut found = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        let before = index.checked_sub(1).map_or("", text);
        match text(index) {
            "{" if index >= 2 && text(index - 2) == "mod" => {
                open.push(Brace::Module(before.to_owned()))
            }
            "{" => open.push(Brace::Other),
            "}" => drop(open.pop()),
            "as" => index += 1,
            _ if tokens[index].is_word => {
                let (path, next) = path_at(tokens, index);
                let prefix = match open.last() {
                    Some(Brace::Uses(prefix)) => prefix.clone(),
                    _ => Vec::new(),
                };
                let is_rest = before == "::" && index >= 2 && is_path_end(&tokens[index - 2]);
                let says_where = path.len() > 1 || !prefix.is_empty() || before == "use";
                let whole = [prefix, path].concat();
                if text(next) == "::" && text(next + 1) == "{" {
                    open.push(Brace::Uses(whole));
                    index = next + 2;
                    continue;
                }
                if says_where && !is_rest {
                    found.push(Reference {
                        path: whole,
                        module: module_at(source, &open),
                        line: tokens[index].line,
                    });
                }
                index = next;
                continue;
            }
            _ => {}
        }
        index += 1;
    }
    found
}

/// The words joined by `::` from here, and the index behind them.
fn path_at(tokens: &[Token], start: usize) -> (Vec<String>, usize) {
    let mut path = vec![tokens[start].text.clone()];
    let mut next = start + 1;
    while let [joint, name, ..] = &tokens[next.min(tokens.len())..] {
        if joint.text != "::" || !(name.is_word || name.text == "*") {
            break;
        }
        path.push(name.text.clone());
        next += 2;
    }
    (path, next)
}

/// After `Vec::<T>` or `<T as Trait>`, `::name` continues a path; after anything else it begins one.
fn is_path_end(token: &Token) -> bool {
    token.text == ">"
}

fn module_at(source: &Source, open: &[Brace]) -> Vec<String> {
    let inner = open.iter().filter_map(|brace| match brace {
        Brace::Module(name) => Some(name.clone()),
        _ => None,
    });
    source.module().into_iter().chain(inner).collect()
}

#[test]
fn refuses_every_way_around_the_table() {
    let dependencies = dependencies(
        "[dependencies]\ndiesel = \"2\"\nactix-web = \"4\"\nserde_json = \"1\"\nchrono = \"0\"\ncsv = \"1\"\n",
    );
    let cases: &[(&str, &str)] = &[
        ("domain/slot.rs", "use crate::store::booking;"),
        ("domain/slot.rs", "use crate::{app::App, domain::Slot};"),
        (
            "domain/slot.rs",
            "use crate::domain::{self, super::super::store};",
        ),
        ("domain/slot.rs", "use super::super::error::AppError;"),
        ("domain/slot.rs", "fn f() { crate::store::find() }"),
        (
            "domain/slot.rs",
            "macro_rules! m { () => { $crate::http::go() } }",
        ),
        (
            "domain/slot.rs",
            "fn f() { println!(\"{}\", crate::config::NAME); }",
        ),
        ("domain/slot.rs", "use crate as house;"),
        ("domain/slot.rs", "use diesel::prelude::*;"),
        ("domain/slot.rs", "fn f() { ::serde_json::to_string(&1); }"),
        ("domain/slot.rs", "#[derive(diesel::Queryable)] struct S;"),
        ("domain/slot.rs", "use std::{fs, fmt};"),
        ("domain/slot.rs", "fn f() { chrono::Utc::now(); }"),
        ("domain/slot.rs", "fn f(points: f64) {}"),
        (
            "domain/slot.rs",
            "#[cfg(test)] mod tests { use crate::store::Store; }",
        ),
        ("store/booking.rs", "use crate::operations::booking;"),
        ("store/booking.rs", "use crate::clock::Clock;"),
        ("store/booking.rs", "use crate::error::AppError;"),
        ("store/booking.rs", "use actix_web::HttpResponse;"),
        ("operations/booking.rs", "use crate::http::problem;"),
        (
            "operations/booking.rs",
            "mod inner { use super::super::super::exchange; }",
        ),
        ("operations/booking.rs", "use diesel::RunQueryDsl;"),
        (
            "operations/booking.rs",
            "fn f() { Vec::<actix_web::Error>::new(); }",
        ),
        ("http/booking.rs", "use crate::jobs::tick;"),
        ("http/booking.rs", "fn f() { app.store.write(go) }"),
        (
            "http/booking.rs",
            "fn f() -> ::diesel::QueryResult<()> { go() }",
        ),
        ("jobs/expire.rs", "use crate::domain::{Instant, booking};"),
        ("jobs/expire.rs", "use crate::store;"),
        ("exchange/xlsx.rs", "use crate::store::instrument;"),
        ("cli/serve.rs", "use crate::store::Store;"),
        ("main.rs", "fn main() { yiqi::operations::go() }"),
        ("mail.rs", "use crate::operations::account;"),
        ("booking.rs", "//! No room of this name."),
    ];
    for (path, text) in cases {
        let found = complaints(&Source::parse(path, text), &dependencies);
        assert_eq!(found.len(), 1, "{path}: {text}\n{found:?}");
    }
}

#[test]
fn accepts_what_the_table_allows() {
    let dependencies = dependencies(
        "[dependencies]\nserde_json = \"1\"\nchrono = \"0\"\ncsv = \"1\"\ndiesel = \"2\"\n",
    );
    let cases: &[(&str, &str)] = &[
        ("domain/slot.rs", "crate::vocabulary! { A { B = \"b\" } }"),
        (
            "domain/slot.rs",
            "use super::time::Instant; pub(super) fn f() { Instant::MIN as i64; }",
        ),
        ("domain/mod.rs", "pub use id::*; pub(super) fn f() {}"),
        (
            "domain/slot.rs",
            "#[cfg(test)] mod tests { use super::*; use serde_json::json; }",
        ),
        ("domain/instrument.rs", "struct Place { latitude: f64 }"),
        (
            "operations/booking.rs",
            "use crate::{app::App, domain::{Slot, booking}, store::booking as rows};",
        ),
        (
            "http/booking.rs",
            "fn f() { app.store.read(crate::store::booking::find) }",
        ),
        (
            "jobs/notice.rs",
            "use crate::operations::notice::{self, Told}; use crate::domain::Instant;",
        ),
        ("exchange/mod.rs", "mod csv; fn f() { csv::read() }"),
        ("cli/serve.rs", "use crate::{http, jobs, operations};"),
        ("main.rs", "fn main() { yiqi::cli::run() }"),
    ];
    for (path, text) in cases {
        let found = complaints(&Source::parse(path, text), &dependencies);
        assert!(found.is_empty(), "{path}: {text}\n{found:?}");
    }
}
