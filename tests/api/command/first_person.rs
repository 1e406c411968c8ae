//! After a year is imported a host gets its first person by public means alone: somebody who supervises it, or whoever runs
//! the installation, invites; nothing is written past them.

use serde_json::{Value, json};
use yiqi::clock::Clock;

use super::*;
use crate::client::Client;
use crate::scratch;
use crate::world::TestApp;

const PASSWORD: &str = "a-good-and-long-one";

/// Two hosts of the seeded year.
const HOSTS: [&str; 2] = ["12130302BYC46N1249", "12130602FJ6WTC2F75"];

/// The seeded year with the services of a few days.
fn folder() -> std::path::PathBuf {
    let seeded = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/province-2025");
    let folder = scratch::folder().join(format!("{}-2025", scratch::unique()));
    std::fs::create_dir(&folder).unwrap();
    for file in [
        "organizations",
        "instruments",
        "usage",
        "requests",
        "expert_scores",
    ] {
        let name = format!("{file}.csv");
        let text = std::fs::read_to_string(seeded.join(&name)).unwrap();
        let rows: Vec<_> = text.lines().take(200).collect();
        std::fs::write(folder.join(&name), rows.join("\n") + "\n").unwrap();
    }
    folder
}

fn instruments_of(uscc: &str) -> usize {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/seeds/province-2025/instruments.csv"
    ));
    text.unwrap()
        .lines()
        .filter(|line| line.starts_with(uscc))
        .count()
}

fn signed_in(app: &TestApp, email: &str, password: &str) -> Client {
    let body = json!({"email": email, "password": password});
    let tokens = app
        .visitor()
        .post("/api/v1/auth/login", body)
        .expect_status(200);
    app.visitor()
        .with_token(tokens["access_token"].as_str().unwrap())
}

/// The person accepts, signs in and finds the host's instruments; what a host does is hers to do.
fn takes_over(app: &TestApp, email: &str, token: &Value, host: (i64, &str)) {
    let body = json!({"invitation_token": token, "name": "阿明", "password": PASSWORD});
    let joined = app
        .visitor()
        .post("/api/v1/auth/invitations/accept", body)
        .expect_status(201);
    assert_eq!(joined["roles"], json!(["unit_admin", "host_admin"]));
    let person = signed_in(app, email, PASSWORD);
    let (unit, uscc) = host;
    assert_eq!(
        person.get("/api/v1/me").expect_status(200)["organization_id"],
        unit
    );
    let list = format!("/api/v1/instruments?organization={unit}&limit=200");
    let found = person.get(&list).expect_status(200);
    let own = found["items"].as_array().unwrap();
    assert_eq!(own.len(), instruments_of(uscc));
    let service = json!({"test_item": "SEM", "unit": "样品", "price_fen": 40000});
    let path = format!("/api/v1/instruments/{}/services", own[0]["id"]);
    person.post(&path, service).expect_status(201);
    let members = format!("/api/v1/organizations/{unit}/members");
    let colleague = json!({"email": format!("second-{email}"), "roles": ["instrument_manager"]});
    person.post(&members, colleague).expect_status(201);
}

fn an_imported_host_gets_its_first_person(backend: Backend) {
    let Some(url) = empty_database(backend) else {
        return;
    };
    let here = [
        ("YIQI_DATABASE_URL", url.as_str()),
        ("YIQI_PASSWORD_MEMORY_KIB", "64"),
    ];
    let json = |arguments: &[&str]| -> Value {
        let output = yiqi(&here, &[arguments, &["--format", "json"]].concat());
        expect(&output, 0, "");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    expect(&yiqi(&here, &["migrate", "--create"]), 0, "");
    expect(&yiqi(&here, &["seed"]), 0, "");
    let folder = folder();
    let imported = json(&["import", "province", folder.to_str().unwrap()]);
    assert_eq!(imported[1]["inserted"], 105);
    let officer = [
        "admin",
        "create",
        "--email",
        "officer@province.example",
        "--name",
        "管理员",
        "--agency",
        PROVINCE,
        "--uscc-confirmed",
    ];
    let generated = json(&officer)["generated_password"]
        .as_str()
        .unwrap()
        .to_owned();

    let app = TestApp::on(backend, &url, Clock::system());
    let admin = signed_in(&app, "officer@province.example", &generated);
    for (number, uscc) in HOSTS.into_iter().enumerate() {
        let email = format!("first{number}@host.example");
        let found = admin
            .get(&format!("/api/v1/organizations?uscc={uscc}"))
            .expect_status(200);
        let unit = found["items"][0]["id"].as_i64().unwrap();
        let token = if number == 0 {
            let members = format!("/api/v1/organizations/{unit}/members");
            let invited = json!({"email": email, "roles": ["unit_admin", "host_admin"]});
            let made = admin.post(&members, &invited).expect_status(201);
            made["invitation_token"].clone()
        } else {
            json(&["admin", "invite", "--organization", uscc, "--email", &email])["invitation_token"].clone()
        };
        takes_over(&app, &email, &token, (unit, uscc));
        let again = yiqi(
            &here,
            &[
                "admin",
                "invite",
                "--organization",
                uscc,
                "--email",
                "other@host.example",
            ],
        );
        expect(&again, 1, "");
    }
    drop(app);
    std::fs::remove_dir_all(&folder).unwrap();
    remove_database(backend, &url);
}

#[test]
fn an_imported_host_gets_its_first_person_on_sqlite() {
    an_imported_host_gets_its_first_person(Backend::Sqlite);
}

#[test]
fn an_imported_host_gets_its_first_person_on_postgres() {
    an_imported_host_gets_its_first_person(Backend::Postgres);
}
