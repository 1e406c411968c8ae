//! What belongs together: files and the `mod` that reaches them, actions and their callers, dependencies and their
//! reasons, migrations and their twins.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::source::{Source, Token, package_path};

/// Files that no `mod` reaches from `lib.rs` or `main.rs`: the compiler never sees them.
pub fn unreachable(sources: &[Source]) -> Vec<String> {
    let by_path: BTreeMap<&str, &Source> = sources.iter().map(|s| (s.path.as_str(), s)).collect();
    let mut reached = BTreeSet::new();
    let mut waiting = vec!["lib.rs".to_owned(), "main.rs".to_owned()];
    while let Some(path) = waiting.pop() {
        if let Some(source) = by_path.get(path.as_str())
            && reached.insert(path)
        {
            let folder = source.module().join("/");
            declared_modules(&source.syntax.items, &folder, &mut waiting);
        }
    }
    sources
        .iter()
        .filter(|source| !reached.contains(&source.path))
        .map(|source| source.complaint(1, "no `mod` reaches this file"))
        .collect()
}

/// The files that the `mod name;` of these items may mean.
fn declared_modules(items: &[syn::Item], folder: &str, files: &mut Vec<String>) {
    for item in items {
        let syn::Item::Mod(module) = item else {
            continue;
        };
        let below = format!("{folder}/{}", module.ident);
        let below = below.trim_start_matches('/');
        match &module.content {
            Some((_, inner)) => declared_modules(inner, below, files),
            None => files.extend([format!("{below}.rs"), format!("{below}/mod.rs")]),
        }
    }
}

/// Called by tests and by nothing else, on purpose: undoing every migration shows that each can be undone.
const FOR_TESTS: &[&str] = &["revert_all"];

/// Public functions of `operations` and `store` whose name appears nowhere else outside tests. The compiler says nothing,
/// because a library's public functions might have callers elsewhere; here they have none.
pub fn uncalled(sources: &[Source]) -> Vec<String> {
    let mut mentioned: BTreeSet<String> = FOR_TESTS.iter().map(|&name| name.to_owned()).collect();
    for source in sources {
        let tokens = source.production_tokens();
        for (index, token) in tokens.iter().enumerate() {
            let is_definition = index > 0 && tokens[index - 1].text == "fn";
            if token.is_word && !is_definition {
                mentioned.insert(token.text.clone());
            }
        }
    }
    let in_rooms = sources
        .iter()
        .filter(|source| ["operations", "store"].contains(&source.room()));
    in_rooms
        .flat_map(|source| {
            public_functions(&source.production_tokens())
                .filter(|token| !mentioned.contains(&token.text))
                .map(|token| source.complaint(token.line, &format!("nothing calls {}", token.text)))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn public_functions<'a>(tokens: &'a [&'a Token]) -> impl Iterator<Item = &'a Token> {
    let is_public = |before: &[&Token]| match before {
        [.., visibility, last] if last.text == "async" || last.text == "const" => {
            visibility.text == "pub"
        }
        [.., last] => last.text == "pub",
        [] => false,
    };
    (1..tokens.len())
        .filter(move |&index| tokens[index - 1].text == "fn" && is_public(&tokens[..index - 1]))
        .map(|index| tokens[index])
}

/// Dependencies whose line does not end with a comment.
pub fn unexplained_dependencies(cargo_toml: &str) -> Vec<String> {
    let mut in_dependencies = false;
    let mut found = Vec::new();
    for (line, number) in cargo_toml.lines().zip(1..) {
        let line = line.trim();
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies");
            if line.contains("dependencies.") {
                found.push(format!(
                    "Cargo.toml:{number}: one line per dependency, please"
                ));
            }
        } else if in_dependencies
            && !line.is_empty()
            && !line.starts_with('#')
            && !has_comment(line)
        {
            found.push(format!("Cargo.toml:{number}: why? {line}"));
        }
    }
    found
}

/// A `#` outside quotes, with words behind it.
fn has_comment(line: &str) -> bool {
    let mut is_quoted = false;
    for (at, letter) in line.char_indices() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '#' if !is_quoted => return line[at + 1..].chars().any(char::is_alphabetic),
            _ => {}
        }
    }
    false
}

/// `folder/file` of everything two levels below a folder of the package.
pub fn names_below(folder: &str) -> BTreeSet<String> {
    let root = package_path(folder);
    let list = |path: &std::path::Path| -> Vec<_> {
        let entries =
            fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        entries
            .map(|entry| entry.expect("a readable entry").path())
            .collect()
    };
    let files = list(&root)
        .into_iter()
        .flat_map(|path| match path.is_dir() {
            true => list(&path),
            false => vec![path],
        });
    files
        .map(|path| {
            path.strip_prefix(&root)
                .expect("found below it")
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

/// Migrations that only one database has, or that cannot be undone.
pub fn migration_differences(
    sqlite: &BTreeSet<String>,
    postgres: &BTreeSet<String>,
) -> Vec<String> {
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>, whose| -> Vec<String> {
        a.difference(b)
            .map(|name| format!("migrations: only {whose} has {name}"))
            .collect()
    };
    let one_way = sqlite.iter().filter_map(|name| {
        let down = name
            .strip_suffix("/up.sql")
            .map(|folder| format!("{folder}/down.sql"))?;
        (!sqlite.contains(&down)).then(|| format!("migrations: no {down}"))
    });
    let empty = sqlite
        .is_empty()
        .then(|| "migrations: there are none".to_owned());
    [
        only(sqlite, postgres, "sqlite"),
        only(postgres, sqlite, "postgres"),
    ]
    .concat()
    .into_iter()
    .chain(one_way)
    .chain(empty)
    .collect()
}

#[test]
fn refuses_dead_files() {
    let files = [
        ("lib.rs", "pub mod domain; mod app;"),
        ("app.rs", ""),
        ("domain/mod.rs", "mod slot; mod policy;"),
        ("domain/slot.rs", "mod inner { mod deep; }"),
        ("domain/slot/inner/deep.rs", ""),
        ("domain/policy.rs", "mod rate;"),
        ("domain/policy/rate.rs", ""),
        ("domain/old.rs", ""),
        ("main.rs", ""),
    ];
    let sources: Vec<Source> = files
        .iter()
        .map(|(path, text)| Source::parse(path, text))
        .collect();
    assert_eq!(
        unreachable(&sources),
        ["src/domain/old.rs:1: no `mod` reaches this file"]
    );
}

#[test]
fn refuses_actions_without_a_door() {
    let operations = "pub async fn book() {}\npub fn forgotten() { }\nfn own() {}\n\
        #[cfg(test)]\nmod tests { fn t() { super::forgotten(); } }";
    let sources = [
        Source::parse("operations/booking.rs", operations),
        Source::parse(
            "http/booking.rs",
            "pub async fn request() { booking::book(); }",
        ),
    ];
    assert_eq!(
        uncalled(&sources),
        ["src/operations/booking.rs:2: nothing calls forgotten"]
    );
}

#[test]
fn refuses_dependencies_without_reason() {
    let lines = "[package]\nname = \"a\"\n[dependencies]\na = \"1\" # sums\nb = \"1\"\nc = { git = \"x#y\" }\nd = \"1\" #\n\
        [dev-dependencies]\ne = \"1\"\n[dependencies.f]\nversion = \"1\" # why\n[lints.rust]\nunsafe_code = \"forbid\"\n";
    let numbers: Vec<String> = unexplained_dependencies(lines)
        .iter()
        .map(|complaint| complaint.split(':').nth(1).unwrap_or_default().to_owned())
        .collect();
    assert_eq!(numbers, ["5", "6", "7", "9", "10"]);
}

#[test]
fn refuses_migrations_without_twin() {
    let names = |list: &[&str]| {
        list.iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let both = names(&["1/up.sql", "1/down.sql"]);
    assert!(migration_differences(&both, &both).is_empty());
    assert_eq!(migration_differences(&both, &names(&["1/up.sql"])).len(), 1);
    assert_eq!(
        migration_differences(&names(&["1/up.sql", "1/down.sql", "2/up.sql"]), &both).len(),
        2
    );
    assert_eq!(migration_differences(&names(&[]), &names(&[])).len(), 1);
}
