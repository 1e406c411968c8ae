//! The house rules of the architecture, asserted over every file of `src`. Each rule is a function from source text to
//! complaints, so that each is also shown a bad example it must refuse: a rule that cannot fail protects nothing.

mod codes;
mod conflicts;
mod files;
mod imports;
mod sizes;
mod source;
mod words;
mod writes;

pub use source::package_file;
use source::{Source, sources};

/// Fails with one line per complaint.
#[track_caller]
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The complaints of a rule that looks at one file at a time.
fn in_each(rule: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    sources().iter().flat_map(rule).collect()
}

#[test]
fn rooms_import_what_the_table_allows() {
    let dependencies = imports::dependencies(&package_file("Cargo.toml"));
    assert_none(&in_each(|source| {
        imports::complaints(source, &dependencies)
    }));
}

#[test]
fn only_the_runner_writes() {
    assert_none(&in_each(writes::past_the_runner));
}

#[test]
fn files_have_a_name_and_a_head_that_say_something() {
    assert_none(&in_each(words::empty_name));
    assert_none(&in_each(words::missing_head));
}

#[test]
fn what_conflicts_name_is_documented() {
    let document = yiqi::http::openapi::document("http://localhost");
    let problem = &document["components"]["schemas"]["Problem"];
    assert_none(&in_each(|source| {
        conflicts::unknown_member(source, problem)
    }));
}

#[test]
fn files_and_functions_stay_readable() {
    let all = sources();
    sizes::report(&all);
    assert_none(&all.iter().flat_map(sizes::complaints).collect::<Vec<_>>());
}

#[test]
fn nothing_gives_up_or_is_left_for_later() {
    assert_none(&in_each(words::giving_up));
    assert_none(&in_each(words::left_for_later));
}

#[test]
fn every_file_is_part_of_the_program() {
    assert_none(&files::unreachable(&sources()));
}

#[test]
fn every_action_and_query_is_called() {
    assert_none(&files::uncalled(&sources()));
}

#[test]
fn every_dependency_gives_its_reason() {
    assert_none(&files::unexplained_dependencies(&package_file(
        "Cargo.toml",
    )));
}

#[test]
fn migrations_are_twins() {
    assert_none(&files::migration_differences(
        &files::names_below("migrations/sqlite"),
        &files::names_below("migrations/postgres"),
    ));
}

#[test]
fn codes_are_typed_where_they_arise() {
    assert_none(&in_each(codes::read_from_text));
}
