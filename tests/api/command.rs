//! The command line as scripts meet it: what it prints where, and its exit codes.

mod course;
mod draft;
mod first_person;
mod tables;
mod trial;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::world::{
    Backend, COMPANY, HOST, KEYS, PROVINCE, copy_of_template, empty_database, remove_database,
};

/// Runs the program in an environment of its own.
fn yiqi(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yiqi"));
    command.args(arguments).env_clear();
    command.envs(variables.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn expect(output: &Output, code: i32, complaint: &str) {
    let complaints = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{complaints}");
    assert!(complaints.contains(complaint), "{complaints}");
}

/// Who may read and write a file.
fn mode(file: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

fn a_new_installation(backend: Backend) {
    let Some(url) = empty_database(backend) else {
        return;
    };
    let here = [("YIQI_DATABASE_URL", url.as_str()), ("YIQI_SECRET", KEYS)];
    if backend == Backend::Sqlite {
        expect(&yiqi(&here, &["migrate"]), 3, "--create");
        expect(&yiqi(&here, &["serve"]), 3, "yiqi migrate --create");
        expect(&yiqi(&here, &["migrate", "--create"]), 0, "");
        assert_eq!(mode(url.trim_start_matches("sqlite:")), 0o600);
    } else {
        expect(&yiqi(&here, &["seed"]), 3, "run `yiqi migrate`");
        expect(&yiqi(&here, &["migrate"]), 0, "");
    }
    let seeded = || yiqi(&here, &["seed", "--format", "json"]);
    let counts = |output: &Output| -> serde_json::Value {
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["regions.csv"].clone()
    };
    assert_eq!(counts(&seeded())["inserted"], 235);
    assert_eq!(counts(&seeded())["unchanged"], 235);
    remove_database(backend, &url);
}

#[test]
fn a_new_installation_on_sqlite() {
    a_new_installation(Backend::Sqlite);
}

#[test]
fn a_new_installation_on_postgres() {
    a_new_installation(Backend::Postgres);
}

#[test]
fn settings_are_checked_and_shown_without_secrets() {
    let url = "postgres://yiqi:very-secret@db.example.org/yiqi";
    let output = yiqi(
        &[("YIQI_DATABASE_URL", url), ("YIQI_SECRET", KEYS)],
        &["config", "check"],
    );
    let shown = text(&output.stdout);
    expect(&output, 0, "");
    assert!(
        shown.contains("yiqi:***@db.example.org") && shown.contains("signing keys: test"),
        "{shown}"
    );
    let key = KEYS.split(':').nth(1).unwrap();
    assert!(
        !shown.contains("very-secret") && !shown.contains(key),
        "{shown}"
    );
    expect(
        &yiqi(&[("YIQI_LISTN", "x")], &["config", "check"]),
        2,
        "did you mean listen?",
    );
    for (variable, value) in [
        ("YIQI_LOG", "info,=x="),
        ("YIQI_LISTEN", "nonsense"),
        ("YIQI_SESSION_DAYS", "4294967295"),
        ("YIQI_BODY_BYTES_MAX", "0"),
        ("YIQI_WORKERS", "100000"),
        ("YIQI_YIQI_LISTEN", "127.0.0.1:1"),
    ] {
        expect(
            &yiqi(&[(variable, value)], &["config", "check"]),
            2,
            variable,
        );
    }
    expect(&yiqi(&[], &["serve"]), 2, "no signing key");
    expect(&yiqi(&[], &["serv"]), 2, "serve");
}

#[test]
fn variables_that_are_no_text_are_refused_if_they_are_ours() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let check = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yiqi"));
        command.args(["config", "check"]).env_clear();
        command
            .env(name, OsStr::from_bytes(b"\xff"))
            .output()
            .unwrap()
    };
    expect(&check("LC_SOMETHING"), 0, "");
    expect(&check("YIQI_LISTEN"), 2, "YIQI_LISTEN is not in UTF-8");
}

/// Faults of the world outside are told with what they are about, and are no defect of the program.
#[test]
fn what_is_no_database_is_told_with_its_path() {
    let folder = std::env::temp_dir().join(format!("yiqi-outside-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("folder")).unwrap();
    let file = folder.join("notes.txt");
    std::fs::write(
        &file,
        "no database, but long enough to be read as one".repeat(40),
    )
    .unwrap();
    let at = |path: &std::path::Path, arguments: &[&str]| {
        let url = format!("sqlite:{}", path.display());
        let output = yiqi(
            &[("YIQI_DATABASE_URL", &url), ("YIQI_SECRET", KEYS)],
            arguments,
        );
        expect(&output, 3, &path.to_string_lossy());
        text(&output.stderr)
    };
    for command in [&["serve"][..], &["seed"], &["migrate"]] {
        assert!(at(&file, command).contains("not a database"));
        at(&folder.join("folder"), command);
    }
    let below_a_file = file.join("data");
    let url = format!("sqlite:{}", below_a_file.join("yiqi.sqlite").display());
    let output = yiqi(&[("YIQI_DATABASE_URL", &url)], &["migrate", "--create"]);
    expect(
        &output,
        3,
        &format!("cannot make {}: ", below_a_file.display()),
    );
    std::fs::remove_dir_all(folder).unwrap();
}

/// Nothing is promised, and nothing made, before the port is open.
#[test]
fn a_taken_port_is_told_first() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = std::env::temp_dir().join(format!("yiqi-demo-taken-{}", std::process::id()));
    let arguments = [
        "demo",
        "--listen",
        &address,
        "--data",
        folder.to_str().unwrap(),
    ];
    let demo = yiqi(&[], &arguments);
    expect(&demo, 3, &address);
    assert!(demo.stdout.is_empty() && !folder.exists());
    expect(
        &yiqi(&[], &["demo", "--listen", "nonsense"]),
        2,
        "ADDRESS:PORT",
    );
    let url = copy_of_template(Backend::Sqlite).unwrap();
    let here = [
        ("YIQI_DATABASE_URL", url.as_str()),
        ("YIQI_SECRET", KEYS),
        ("YIQI_LISTEN", &address),
    ];
    let serve = yiqi(&here, &["serve"]);
    expect(&serve, 3, &address);
    assert!(serve.stdout.is_empty(), "{}", text(&serve.stdout));
    remove_database(Backend::Sqlite, &url);
}

#[test]
fn a_pack_with_mistakes_is_told_by_line() {
    let shipped = crate::house::package_file("config/policies/hebei-2026.toml");
    let file = std::env::temp_dir().join(format!("yiqi-pack-{}.toml", std::process::id()));
    let check = |content: &str| {
        std::fs::write(&file, content).unwrap();
        yiqi(&[], &["policy", "check", file.to_str().unwrap()])
    };
    expect(&check(&shipped), 0, "");
    let wrong = check(&shipped.replacen("version", "versoin", 1));
    expect(&wrong, 1, "mistakes");
    assert!(text(&wrong.stdout).contains("versoin"));
    std::fs::remove_file(&file).unwrap();
    expect(
        &yiqi(&[], &["policy", "check", "/nowhere.toml"]),
        3,
        "/nowhere.toml",
    );
}

#[test]
fn the_printed_document_is_the_served_one() {
    let output = yiqi(
        &[("YIQI_PUBLIC_URL", "https://yiqi.example.org")],
        &["openapi"],
    );
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        printed,
        yiqi::http::openapi::document("https://yiqi.example.org")
    );
}

/// A server on a new SQLite database, and the address it listens on.
fn serve(url: &str) -> (std::process::Child, String) {
    for _ in 0..5 {
        // Another process may take the port in between, so the start is tried again.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let variables = [
            ("YIQI_DATABASE_URL", url),
            ("YIQI_SECRET", KEYS),
            ("YIQI_LISTEN", &address),
            ("YIQI_LOG_FORMAT", "json"),
            ("YIQI_LOG", "info,yiqi::http=debug"),
        ];
        let mut server = Command::new(env!("CARGO_BIN_EXE_yiqi"))
            .args(["serve", "--create"])
            .env_clear()
            .envs(variables)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let patience = Instant::now() + Duration::from_secs(30);
        while server.try_wait().unwrap().is_none() && Instant::now() < patience {
            if yiqi(&[("YIQI_LISTEN", &address)], &["health"])
                .status
                .success()
            {
                return (server, address);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = server.kill();
        let _ = server.wait();
    }
    panic!("no server became ready");
}

fn stops_after_running_requests(signal: Signal) {
    let url = empty_database(Backend::Sqlite).unwrap();
    let (server, address) = serve(&url);
    let body = r#"{"email": "nobody@example.org", "password": "wrong-password"}"#;
    let (sent_before, sent_after) = body.split_at(20);
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nX-Request-Id: slow-one\r\nConnection: close\r\n\
         Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{sent_before}",
        body.len()
    )
    .unwrap();
    // Said when the request is being worked on.
    let mut stream = BufReader::new(stream);
    let mut go_on = String::new();
    while !go_on.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut go_on).unwrap(), 0, "{go_on}");
    }
    assert!(go_on.starts_with("HTTP/1.1 100"), "{go_on}");
    // What is no request is answered, and is no error of the server's; the token of a calendar stands in no log.
    let calendar =
        "GET /api/v1/%63alendars/hidden-token.ics HTTP/1.1\r\nHost: x\r\nConnection: close";
    for (head, status) in [("nonsense", 400), (calendar, 404)] {
        let mut other = std::net::TcpStream::connect(&address).unwrap();
        write!(other, "{head}\r\n\r\n").unwrap();
        let mut refused = String::new();
        other.read_to_string(&mut refused).unwrap();
        assert!(
            refused.starts_with(&format!("HTTP/1.1 {status}")),
            "{refused}"
        );
    }
    kill_process(Pid::from_child(&server), signal).unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(&address).is_ok() {
        assert!(Instant::now() < patience, "it still lets callers in");
        std::thread::sleep(Duration::from_millis(5));
    }
    stream.get_mut().write_all(sent_after.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let ended = server.wait_with_output().unwrap();
    let log = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{log}");
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        lines.iter().any(|line| line["span"]["id"] == "slow-one"),
        "{log}"
    );
    assert!(lines.iter().all(|line| line["level"] != "ERROR"), "{log}");
    assert!(
        log.contains("/api/v1/calendars/") && !log.contains("hidden-token"),
        "{log}"
    );
    remove_database(Backend::Sqlite, &url);
}

#[test]
fn running_requests_finish_after_sigterm() {
    stops_after_running_requests(Signal::TERM);
}

#[test]
fn running_requests_finish_after_sigint() {
    stops_after_running_requests(Signal::INT);
}

#[test]
fn the_first_administrator_gets_a_password_nobody_else_knows() {
    let url = empty_database(Backend::Sqlite).unwrap();
    let here = [
        ("YIQI_DATABASE_URL", url.as_str()),
        ("YIQI_PASSWORD_MEMORY_KIB", "64"),
    ];
    expect(&yiqi(&here, &["migrate", "--create"]), 0, "");
    let create = |email: &str, agency: &str| {
        let arguments = [
            "admin",
            "create",
            "--email",
            email,
            "--name",
            "管理员",
            "--agency",
            agency,
        ];
        yiqi(&here, &[&arguments[..], &["--format", "json"]].concat())
    };
    expect(
        &create("first@example.org", PROVINCE),
        1,
        "--uscc-confirmed",
    );
    let unconfirmed = create;
    let create = |email: &str, agency: &str| {
        let arguments = [
            "admin",
            "create",
            "--email",
            email,
            "--name",
            "管理员",
            "--agency",
            agency,
        ];
        yiqi(
            &here,
            &[&arguments[..], &["--uscc-confirmed", "--format", "json"]].concat(),
        )
    };
    let made = create("first@example.org", "11130000000000001P");
    expect(&made, 0, "");
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made["generated_password"].as_str().unwrap().len(), 23);
    expect(&create("first@example.org", "11130000000000001P"), 1, "");
    expect(&create("second@example.org", "11130000000000001P"), 0, "");
    expect(&create("third@example.org", "123"), 2, "--agency");
    expect(
        &unconfirmed("third@example.org", "11130000000000002P"),
        1,
        "",
    );
    let other = create("third@example.org", "11130000000000002P");
    expect(&other, 1, "11130000000000001P already");
    expect(&create("no address", "11130000000000001P"), 1, "");
    remove_database(Backend::Sqlite, &url);
}

/// What the demo says below the subsidy run.
fn people_of(printed: &str) -> &str {
    printed.split_once("sign in as").unwrap().1
}

/// As somebody who tries the demo: a record is confirmed by hand, a host renamed and another one suspended.
fn change_what_was_imported(database: &std::path::Path) {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let mut conn = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    conn.batch_execute(
        "UPDATE usage_record SET samples = samples + 1, version = version + 1
             WHERE id = (SELECT max(id) FROM usage_record);
         UPDATE organization SET name = '改名', version = version + 1 WHERE id = (SELECT min(id) FROM organization WHERE is_host);
         UPDATE user_account SET organization_id = NULL, roles = '[]' WHERE login = 'engineer@company.example';
         UPDATE organization SET state = 'suspended', version = version + 1
             WHERE id = (SELECT max(id) FROM organization WHERE is_host);",
    )
    .unwrap();
}

#[test]
fn the_demo_runs_alone_and_goes_on_where_it_was() {
    let folder = std::env::temp_dir().join(format!("yiqi-demo-test-{}", std::process::id()));
    let demo = || {
        let arguments = ["demo", "--exit", "--data", folder.to_str().unwrap()];
        let output = yiqi(&[("YIQI_PASSWORD_MEMORY_KIB", "64")], &arguments);
        expect(&output, 0, "");
        text(&output.stdout)
    };
    let first = demo();
    assert!(
        first.contains("awarded 299300.00, unspent 700.00"),
        "{first}"
    );
    assert_eq!(first.matches(".example ").count(), 10, "{first}");
    assert_eq!(demo(), first);
    let url = format!("sqlite:{}", folder.join("yiqi.sqlite").display());
    let run = [
        "subsidy",
        "run",
        "--year",
        "2025",
        "--policy",
        "hebei-2026",
        "--budget-yuan",
        "300000",
    ];
    let run = yiqi(
        &[("YIQI_DATABASE_URL", &url)],
        &[&run[..], &["--format", "json"]].concat(),
    );
    crate::province::assert_is_the_year(&text(&run.stdout));
    expect(
        &yiqi(&[("YIQI_DATABASE_URL", &url)], &["subsidy", "verify", "1"]),
        0,
        "",
    );
    let act = |arguments: &[&str]| yiqi(&[("YIQI_DATABASE_URL", &url)], arguments);
    let publish = |login: &str| act(&["subsidy", "publish", "2", "--as", login]);
    expect(&publish("boss@company.example"), 1, "");
    expect(&publish("nobody@company.example"), 1, "nobody signs in");
    expect(&publish("admin@province.example"), 0, "");
    expect(&act(&["import", "usage", "none.csv"]), 1, "--as EMAIL");
    change_what_was_imported(&folder.join("yiqi.sqlite"));
    assert_eq!(people_of(&demo()), people_of(&first));
    std::fs::remove_dir_all(folder).unwrap();
}
