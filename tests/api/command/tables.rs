//! Whole years and tables through the command line, on both databases.

use calamine::DataType;

use super::*;

const SEEDED_YEAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/province-2025");

/// The host of the seeded year that stands first there.
const SEEDED_HOST: &str = "12130602FJ6WTC2F75";

pub(super) fn json_of(output: &Output) -> serde_json::Value {
    expect(output, 0, "");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What an imported year lacks, of all units and of one.
fn preflight(run: &impl Fn(&[&str]) -> Output) {
    let json = |arguments: &[&str]| json_of(&run(&[arguments, &["--format", "json"]].concat()));
    let all = json(&["preflight", "2025"]);
    let of = |code: &str| {
        let items = all["items"].as_array().unwrap().iter();
        items.filter(|item| item["code"] == code).count()
    };
    assert_eq!(of("unit_without_people"), 18, "{all}");
    let one = json(&["preflight", "2025", "--organization", SEEDED_HOST]);
    let items = one["items"].as_array().unwrap();
    assert!(!items.is_empty());
    let unit = &items[0]["organization_id"];
    assert!(items.iter().all(|item| item["organization_id"] == *unit));
    expect(&run(&["preflight", "2025"]), 0, "");
    let nobody = ["preflight", "2025", "--organization", "91130602JPEL4PEGPX"];
    expect(&run(&nobody), 1, "there is no unit");
}

/// A pack from its file to its withdrawal.
fn packs(run: &impl Fn(&[&str]) -> Output, people: [&str; 2]) {
    let json = |arguments: &[&str]| json_of(&run(&[arguments, &["--format", "json"]].concat()));
    let text = yiqi::operations::policy_pack::HEBEI_2026.replacen("version = 1", "version = 2", 1);
    let file = std::env::temp_dir().join(format!("yiqi-pack-{}.toml", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let draft = json(&["policy", "add", file, "--as", people[0]]);
    assert_eq!(
        (&draft["state"], &draft["version"]),
        (&"draft".into(), &2.into())
    );
    expect(&run(&["policy", "add", file]), 1, "exists");
    expect(&run(&["policy", "show", "nobody-2099"]), 1, "nobody-2099");
    expect(
        &run(&["policy", "show", "999"]),
        1,
        "there is no policy 999",
    );
    let in_force = |login| run(&["policy", "in-force", "hebei-2026@2", "--as", login]);
    assert_eq!(json(&["policy", "show", "hebei-2026"])["version"], 1);
    expect(&in_force(people[0]), 1, "Another person");
    expect(&in_force(people[1]), 0, "");
    assert_eq!(json(&["policy", "show", "hebei-2026"])["version"], 2);
    let states = || {
        let packs = json(&["policy", "list"]);
        // The others that ship are drafts.
        let packs = packs.as_array().unwrap().iter();
        packs
            .filter(|pack| pack["code"] == "hebei-2026")
            .map(|pack| pack["state"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(states(), ["in_force", "in_force"]);
    let withdraw = [
        "policy",
        "withdraw",
        "hebei-2026@2",
        "--reason",
        "x",
        "--as",
        people[1],
    ];
    assert_eq!(json(&withdraw)["state"], "withdrawn");
    assert_eq!(states(), ["in_force", "withdrawn"]);
    std::fs::remove_file(file).unwrap();
}

/// As if the days of the notices had passed: the clock of a command is the machine's.
pub(super) fn end_of_notices(url: &str) {
    use diesel::connection::SimpleConnection;
    let database: yiqi::store::Database = url.parse().unwrap();
    let mut conn = database.connect().unwrap();
    for table in ["evaluation", "subsidy_run"] {
        conn.batch_execute(&format!(
            "UPDATE {table} SET notice_until_on = '2026-01-05' WHERE state = 'published'"
        ))
        .unwrap();
    }
}

/// Both kinds of run are written to files, whose sums are those of the run.
fn exported(run: &impl Fn(&[&str]) -> Output) {
    let folder = std::env::temp_dir().join(format!(
        "yiqi-export-{}-{}",
        std::process::id(),
        std::thread::current().name().unwrap().replace("::", "-")
    ));
    std::fs::create_dir_all(&folder).unwrap();
    for kind in ["evaluate", "subsidy"] {
        for format in ["csv", "xlsx", "pdf"] {
            let file = folder.join(format!("{kind}.{format}"));
            let file = file.to_str().unwrap();
            expect(&run(&[kind, "export", "1", "--out", file]), 0, "");
            let by_name = std::fs::read(file).unwrap();
            let other = folder.join("other");
            let other = other.to_str().unwrap();
            expect(
                &run(&[kind, "export", "1", "--format", format, "--out", other]),
                0,
                "",
            );
            if format != "xlsx" {
                assert_eq!(by_name, std::fs::read(other).unwrap(), "{kind} {format}");
            }
        }
        expect(
            &run(&[kind, "export", "1", "--out", "run.ods"]),
            2,
            "--format",
        );
        let file = folder.join("none.csv");
        let file = file.to_str().unwrap();
        expect(
            &run(&[kind, "export", "999", "--out", file]),
            1,
            "there is no run 999",
        );
        expect(
            &run(&[kind, "export", "1", "--out", "/nowhere/run.csv"]),
            3,
            "/nowhere",
        );
    }
    let text = crate::export::text_of(&std::fs::read(folder.join("subsidy.pdf")).unwrap());
    assert!(
        text.contains("合计") && text.contains("300,000.00"),
        "{text}"
    );
    let book = crate::export::sheets_of(&std::fs::read(folder.join("subsidy.xlsx")).unwrap());
    let awards = &book[1].1;
    assert_eq!(awards.len(), 20, "{awards:?}");
    let amounts = awards.iter().filter_map(|row| row.last()?.as_f64());
    let amounts: Vec<f64> = amounts.collect();
    let (total, each) = amounts.split_last().unwrap();
    assert!((each.iter().sum::<f64>() - total).abs() < 0.001);
    assert!(each.windows(2).all(|pair| pair[0] >= pair[1]));
    std::fs::remove_dir_all(folder).unwrap();
}

/// What is final is written to one file and proved without a database; a fen that is changed there is named.
fn archived(run: &impl Fn(&[&str]) -> Output) {
    let folder = std::env::temp_dir().join(format!(
        "yiqi-archive-{}-{}",
        std::process::id(),
        std::thread::current().name().unwrap().replace("::", "-")
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("run.zip");
    let name = file.to_str().unwrap();
    let verify = || yiqi(&[], &["subsidy", "verify", "--archive", name]);
    for (kind, number) in [("evaluate", "2"), ("subsidy", "1")] {
        expect(&run(&[kind, "archive", number, "--out", name]), 0, "");
        let verified = verify();
        expect(&verified, 0, "");
        assert!(text(&verified.stdout).contains("evaluation"));
    }
    let bytes = std::fs::read(&file).unwrap();
    let results = "subsidy_run/results.jsonl";
    let change = |text: &str| text.replacen("\"award_fen\":4530000", "\"award_fen\":4530001", 1);
    let forged = crate::archive::altered(&bytes, results, change, true);
    std::fs::write(&file, forged).unwrap();
    expect(&verify(), 1, "is not verified");
    let told = text(&verify().stdout);
    assert!(
        told.contains(".award_fen: 4530001 stands there, 4530000 comes out"),
        "{told}"
    );
    std::fs::write(&file, b"no archive").unwrap();
    expect(&verify(), 1, "no archive");
    let absent = ["subsidy", "verify", "--archive", "/nowhere/run.zip"];
    expect(&yiqi(&[], &absent), 3, "/nowhere");
    expect(&yiqi(&[], &["subsidy", "verify"]), 2, "--archive");
    std::fs::remove_dir_all(folder).unwrap();
}

/// From an empty database to a final run, through the command line alone.
fn a_year(backend: Backend) {
    let Some(url) = empty_database(backend) else {
        return;
    };
    let run = |arguments: &[&str]| yiqi(&[("YIQI_DATABASE_URL", url.as_str())], arguments);
    let json = |arguments: &[&str]| json_of(&run(&[arguments, &["--format", "json"]].concat()));
    expect(&run(&["migrate", "--create"]), 0, "");
    expect(&run(&["seed"]), 0, "");
    let imported = json(&["import", "province", SEEDED_YEAR]);
    assert_eq!(imported[2]["file"], "usage.csv");
    assert_eq!(
        (&imported[2]["rows"], &imported[2]["inserted"]),
        (&21_815.into(), &21_815.into())
    );
    let graded = json(&[
        "evaluate",
        "run",
        "--year",
        "2025",
        "--policy",
        "hebei-2026",
    ]);
    assert_eq!(graded["units"].as_array().unwrap().len(), 18);
    let shared = run(&[
        "subsidy",
        "run",
        "--year",
        "2025",
        "--policy",
        "hebei-2026",
        "--budget-yuan",
        "300000",
        "--format",
        "json",
    ]);
    expect(&shared, 0, "");
    crate::province::assert_is_the_year(&text(&shared.stdout));
    let explain = |more: &[&str]| run(&[&["subsidy", "explain"], more].concat());
    let explained = json(&["subsidy", "explain", "1", "--organization", SEEDED_HOST]);
    assert!(explained["award_fen"].is_i64() && !explained["steps"].as_array().unwrap().is_empty());
    let sums = |member: &str| explained[member].as_i64().unwrap();
    let left_out = explained["left_out"].as_array().unwrap();
    let left_out = left_out
        .iter()
        .map(|one| one["amount_fen"].as_i64().unwrap());
    assert_eq!(
        left_out.sum::<i64>() + sums("base_fen"),
        sums("charges_fen")
    );
    for kind in ["evaluate", "subsidy"] {
        let told = |more: &[&str]| {
            let chosen = [
                kind,
                "explain",
                "1",
                "--organization",
                SEEDED_HOST,
                "--format",
            ];
            let told = run(&[&chosen, more].concat());
            expect(&told, 0, "");
            text(&told.stdout)
        };
        assert!(told(&["text"]).contains("总分"), "{kind}");
        let english = told(&["text", "--lang", "en"]);
        assert!(
            english.contains("points; ") && english.contains("left out"),
            "{english}"
        );
        assert!(told(&["json"]).contains("grade_reason"), "{kind}");
    }
    exported(&run);
    let runs = json(&["subsidy", "list", "--year", "2025"]);
    assert_eq!(
        (&runs[0]["run_id"], &runs[0]["budget_fen"]),
        (&1.into(), &30_000_000.into())
    );
    expect(&run(&["subsidy", "list", "--year", "2024"]), 0, "");
    expect(
        &run(&["evaluate", "explain", "999", "--organization", SEEDED_HOST]),
        1,
        "in evaluation 999",
    );
    let voucher = ["1", "--organization", SEEDED_HOST, "--left-out", "voucher"];
    let voucher = explain(&voucher);
    expect(&voucher, 0, "");
    assert!(text(&voucher.stdout).contains("Left out as voucher"));
    expect(
        &explain(&["1", "--organization", "91130602JPEL4PEGP5"]),
        1,
        "91130602JPEL4PEGP5 has no award in run 1",
    );
    expect(
        &explain(&["999", "--organization", SEEDED_HOST]),
        1,
        "there is no run 999",
    );
    expect(
        &explain(&["1", "--organization", SEEDED_HOST, "--metric", "nope"]),
        1,
        "no such metric",
    );
    expect(
        &explain(&["1", "--organization", "nobody"]),
        2,
        "--organization",
    );
    expect(
        &run(&["subsidy", "verify", "999"]),
        1,
        "there is no run 999",
    );
    expect(
        &run(&["subsidy", "publish", "999"]),
        1,
        "there is no run 999",
    );
    assert_eq!(json(&["subsidy", "verify", "1"])["verified"], true);
    let compared = json(&["subsidy", "compare", "1", "1"]);
    assert_eq!(
        compared["same"],
        serde_json::json!({"units": 18, "sum_fen": 0})
    );
    expect(
        &run(&["subsidy", "compare", "1", "999"]),
        1,
        "runs 1 and 999",
    );
    expect(
        &run(&["subsidy", "archive", "1", "--out", "run.zip"]),
        1,
        "published",
    );
    expect(&run(&["subsidy", "publish", "1"]), 1, "--as EMAIL");
    let agency = ["--agency", "11130000000000001P", "--uscc-confirmed"];
    let people = ["admin@province.example", "deputy@province.example"];
    for login in people {
        let person = ["--email", login, "--name", "管理员"];
        json(&[&["admin", "create"], &person[..], &agency].concat());
    }
    let decide = |verb, login| run(&["subsidy", verb, "1", "--as", login, "--format", "json"]);
    let published = json_of(&decide("publish", people[0]));
    assert_eq!(
        (&published["state"], &published["evaluation_state"]),
        (&"published".into(), &"published".into())
    );
    expect(
        &decide("finalize", "nobody@x.example"),
        1,
        "nobody signs in",
    );
    expect(&decide("finalize", people[0]), 1, "Another person");
    expect(&decide("finalize", people[1]), 1, "public notice");
    end_of_notices(&url);
    let made = json_of(&decide("finalize", people[1]));
    assert_eq!(
        (&made["state"], &made["evaluation_state"]),
        (&"final".into(), &"final".into())
    );
    let shown = json(&["evaluate", "show", "2"]);
    assert_eq!(
        (&shown["state"], &shown["units"]),
        (&"final".into(), &graded["units"])
    );
    expect(
        &run(&["evaluate", "publish", "1", "--as", people[0]]),
        1,
        "existing_id: 2",
    );
    let discarded = ["evaluate", "discard", "1", "--as", people[0]];
    assert_eq!(json(&discarded)["state"], "discarded");
    archived(&run);
    preflight(&run);
    packs(&run, people);
    remove_database(backend, &url);
}

#[test]
fn a_year_through_the_command_line_on_sqlite() {
    a_year(Backend::Sqlite);
}

#[test]
fn a_year_through_the_command_line_on_postgres() {
    a_year(Backend::Postgres);
}

#[test]
fn an_absent_file_of_a_year_is_told_as_absent() {
    let url = copy_of_template(Backend::Sqlite).unwrap();
    let folder = std::env::temp_dir().join(format!("yiqi-absent-{}-2025", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let arguments = ["import", "province", folder.to_str().unwrap()];
    let output = yiqi(&[("YIQI_DATABASE_URL", &url)], &arguments);
    expect(&output, 3, "organizations.csv: No such file");
    std::fs::remove_dir_all(folder).unwrap();
    remove_database(Backend::Sqlite, &url);
}

/// Tables in the name of a host's account: tried, imported, and refused by file, row and column the second time.
fn tables(backend: Backend) {
    let Some(url) = copy_of_template(backend) else {
        return;
    };
    let folder =
        std::env::temp_dir().join(format!("yiqi-tables-{}-{backend:?}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let import = |what: &str, file: &str, more: &[&str]| {
        let arguments = ["import", what, file, "--as", HOST.login, "--format", "json"];
        yiqi(
            &[("YIQI_DATABASE_URL", &url)],
            &[&arguments[..], more].concat(),
        )
    };
    let instruments = file(
        "instruments.csv",
        "资产编号,name,original_value_fen,category_code,purpose_type\nA1,电镜,20000000,010102,general\n",
    );
    let dry = json_of(&import("instruments", &instruments, &["--dry-run"]));
    assert_eq!(
        (&dry["dry_run"], &dry["imported"]["created"]),
        (&true.into(), &1.into())
    );
    let done = json_of(&import("instruments", &instruments, &[]));
    assert_eq!(
        (&done["dry_run"], &done["imported"]["created"]),
        (&false.into(), &1.into())
    );
    let again = import("instruments", &instruments, &[]);
    expect(&again, 1, "1 mistake");
    let told: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    let told = &told["errors"][0];
    assert_eq!(
        (&told["file"], &told["row"]),
        (&instruments.as_str().into(), &2.into())
    );
    assert_eq!(
        (&told["column"], &told["code"]),
        (&"资产编号".into(), &"asset_no_used".into())
    );
    let prices = file(
        "prices.csv",
        "资产编号,起始日期,价格（元/小时）\nａ1,2026-01-01,120.50\n",
    );
    let counted = |more: &[&str]| json_of(&import("prices", &prices, more))["imported"].clone();
    assert_eq!(counted(&["--dry-run"])["created"], 1);
    assert_eq!(counted(&[])["created"], 1);
    assert_eq!(counted(&[])["unchanged"], 1);
    let usage = file(
        "usage.csv",
        &format!(
            "asset_no,using_uscc,started_at,ended_at,mode,purpose\nA1,{COMPANY},2026-02-02 09:00,2026-02-02 10:00,guided,other\n"
        ),
    );
    assert_eq!(
        json_of(&import("usage", &usage, &["--dry-run"]))["imported"]["rows"],
        1
    );
    assert_eq!(
        json_of(&import("usage", &usage, &[]))["imported"]["rows"],
        1
    );
    expect(&import("usage", &usage, &[]), 1, "1 mistake");
    std::fs::remove_dir_all(folder).unwrap();
    remove_database(backend, &url);
}

#[test]
fn tables_through_the_command_line_on_sqlite() {
    tables(Backend::Sqlite);
}

#[test]
fn tables_through_the_command_line_on_postgres() {
    tables(Backend::Postgres);
}
