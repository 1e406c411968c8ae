//! The officer's path of a year, from an empty database to a proved archive, through the command line alone; and that the page
//! shows commands and paths that there are.

use super::tables::{end_of_notices, json_of};
use super::*;

const SEEDED_YEAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/province-2025");
const ADMIN: &str = "admin@province.example";
const DEPUTY: &str = "deputy@province.example";

fn the_path(backend: Backend) {
    let Some(url) = empty_database(backend) else {
        return;
    };
    let run = |arguments: &[&str]| yiqi(&[("YIQI_DATABASE_URL", url.as_str())], arguments);
    let json = |arguments: &[&str]| json_of(&run(&[arguments, &["--format", "json"]].concat()));
    let as_admin = |arguments: &[&str]| json(&[arguments, &["--as", ADMIN]].concat());
    expect(&run(&["migrate", "--create"]), 0, "");
    expect(&run(&["seed"]), 0, "");
    let agency = ["--agency", "11130000000000001P", "--uscc-confirmed"];
    for login in [ADMIN, DEPUTY] {
        let person = ["--email", login, "--name", "管理员"];
        json(&[&["admin", "create"], &person[..], &agency].concat());
    }
    json(&["import", "province", SEEDED_YEAR]);
    let lacks = json(&["preflight", "2025"]);
    assert!(!lacks["items"].as_array().unwrap().is_empty());
    let grade = [
        "evaluate",
        "run",
        "--year",
        "2025",
        "--policy",
        "hebei-2026",
    ];
    assert_eq!(json(&grade)["evaluation_id"], 1);
    let open = as_admin(&["findings", "list", "--year", "2025", "--open"]);
    let found = open["items"].as_array().unwrap();
    assert!(
        found.iter().all(|one| one["severity"] != "serious"),
        "{open}"
    );
    let shown = as_admin(&["evaluate", "publish", "1"]);
    let notice = shown["public_notice_id"].to_string();
    let add = [
        "objections",
        "add",
        &notice,
        "--text",
        "机时有误",
        "--as",
        DEPUTY,
    ];
    expect(
        &run(&["objections", "add", "999", "--text", "x", "--as", DEPUTY]),
        1,
        "no public notice 999",
    );
    let objection = json(&add)["id"].to_string();
    as_admin(&["objections", "uphold", &objection, "--text", "重新核算"]);
    as_admin(&["evaluate", "discard", "1", "--reason", "异议成立"]);
    assert_eq!(json(&grade)["evaluation_id"], 2);
    let share = [
        "subsidy",
        "run",
        "--year",
        "2025",
        "--policy",
        "hebei-2026",
        "--budget-yuan",
        "300000",
        "--evaluation",
        "2",
    ];
    let shared = run(&[&share[..], &["--format", "json"]].concat());
    expect(&shared, 0, "");
    as_admin(&["subsidy", "publish", "1"]);
    expect(
        &run(&["subsidy", "finalize", "1", "--as", ADMIN]),
        1,
        "Another person",
    );
    end_of_notices(&url);
    let made = json(&["subsidy", "finalize", "1", "--as", DEPUTY]);
    assert_eq!(
        (&made["state"], &made["evaluation_state"]),
        (&"final".into(), &"final".into())
    );
    crate::province::assert_is_the_year(&text(&shared.stdout));
    let folder = crate::scratch::folder().join(format!("course-{backend:?}"));
    std::fs::create_dir(&folder).unwrap();
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    expect(
        &run(&["subsidy", "export", "1", "--out", &file("awards.csv")]),
        0,
        "",
    );
    let awards = std::fs::read_to_string(file("awards.csv")).unwrap();
    // Each award as the independent program computed it: unit and fen in one line.
    crate::province::course::assert_awards(&awards);
    expect(
        &run(&["subsidy", "archive", "1", "--out", &file("run.zip")]),
        0,
        "",
    );
    // On a machine without the database.
    let verified = yiqi(
        &[],
        &[
            "subsidy",
            "verify",
            "--archive",
            &file("run.zip"),
            "--format",
            "json",
        ],
    );
    assert_eq!(json_of(&verified)["verified"], true);
    remove_database(backend, &url);
}

#[test]
fn the_officers_path_at_the_command_line_on_sqlite() {
    the_path(Backend::Sqlite);
}

#[test]
fn the_officers_path_at_the_command_line_on_postgres() {
    the_path(Backend::Postgres);
}

/// The table of the page: what stands in it between backticks.
fn shown() -> Vec<String> {
    let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let (_, table) = page.split_once("| step | REST | command |\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_page_shows_commands_and_paths_that_there_are() {
    let document = json_of(&yiqi(&[], &["openapi"]));
    let (mut commands, mut paths) = (0, 0);
    for code in shown() {
        if let Some(arguments) = code.strip_prefix("yiqi ") {
            let arguments: Vec<&str> = arguments.split(' ').collect();
            // Without a database a command that parses ends for another reason than its words.
            let output = yiqi(
                &[("YIQI_DATABASE_URL", "sqlite:/nowhere/yiqi.sqlite")],
                &arguments,
            );
            assert_ne!(
                output.status.code(),
                Some(2),
                "{code}: {}",
                text(&output.stderr)
            );
            commands += 1;
        } else if let Some((method, path)) = code.split_once(' ') {
            let path = format!("/api/v1{path}");
            let operation = &document["paths"][&path][method.to_lowercase()];
            assert!(operation.is_object(), "{code}");
            paths += 1;
        }
    }
    assert!(
        commands >= 12 && paths >= 12,
        "{commands} commands, {paths} paths"
    );
}
