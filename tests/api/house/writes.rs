//! Who may write: the runner of actions, and the app as it opens. Whatever else changes something would change it without
//! rights, a key or a version.

use super::source::Source;

/// The ways into a transaction that may change something.
const WRITES: &[&str] = &["write", "write_alone", "write_locked"];

/// The rooms whose code has a store at hand.
const ROOMS: &[&str] = &["operations", "jobs", "http", "console"];

/// The one file of operations that writes; everything there goes through `Run` or `work`.
const RUNNER: &str = "operations/run.rs";

pub fn past_the_runner(source: &Source) -> Vec<String> {
    if source.path == RUNNER {
        return Vec::new();
    }
    let (tokens, in_room) = (source.production_tokens(), ROOMS.contains(&source.room()));
    let calls = tokens.windows(4).filter(|four| {
        let [before, dot, name, open] = four else {
            return false;
        };
        let is_write = open.text == "(" && WRITES.contains(&name.text.as_str());
        // What other rooms write may be a file; a store is known by its name.
        let is_call = match dot.text.as_str() {
            "." => in_room || before.text == "store",
            "::" => before.text == "Store",
            _ => false,
        };
        is_write && is_call && source.room() != "app"
    });
    let told = calls.map(|four| source.complaint(four[2].line, "only the runner writes"));
    told.collect()
}

#[test]
fn refuses_what_writes_past_the_runner() {
    for (path, text) in [
        (
            "operations/booking/request.rs",
            "async fn f() { app.store.write(place).await }",
        ),
        (
            "operations/retention.rs",
            "async fn f() { self.store.write_alone(go).await }",
        ),
        (
            "operations/notice.rs",
            "async fn f() { let db = &app.store; db.write(go).await }",
        ),
        (
            "operations/notice.rs",
            "async fn f() { (app.store.clone()).write_locked(locks, false, go) }",
        ),
        (
            "operations/notice.rs",
            "async fn f() { Store::write(&app.store, go).await }",
        ),
        (
            "jobs/notice.rs",
            "async fn f() { app.store.write(go).await }",
        ),
        ("cli/seed.rs", "async fn f() { app.store.write(go).await }"),
    ] {
        let found = past_the_runner(&Source::parse(path, text));
        assert_eq!(found.len(), 1, "{path}: {text}\n{found:?}");
    }
}

#[test]
fn accepts_the_runner_the_app_and_files() {
    for (path, text) in [
        (
            "operations/run.rs",
            "async fn f() { app.store.write(part).await }",
        ),
        (
            "operations/notice.rs",
            "async fn f() { work(app, claim).await }",
        ),
        (
            "operations/notice.rs",
            "#[cfg(test)] mod tests { fn f() { app.store.write(go) } }",
        ),
        (
            "operations/yearly_run/expert.rs",
            "fn f() { write(tx, id, &inputs) }",
        ),
        (
            "app/mod.rs",
            "async fn f() { self.store.write(raise).await }",
        ),
        (
            "cli/demo/folder.rs",
            "fn f() { OpenOptions::new().write(true) }",
        ),
    ] {
        let found = past_the_runner(&Source::parse(path, text));
        assert!(found.is_empty(), "{path}: {text}\n{found:?}");
    }
}
