//! `yiqi policy`: packs as files, tried on folders of facts without a database. The worked examples of published rules.

use super::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::scratch;

const SEEDED_YEAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/province-2025");

/// A folder of facts for a year, and packs beside it.
struct Folder(PathBuf);

impl Folder {
    /// One host and one using unit; more comes with the test.
    fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("facts-{}", MADE.fetch_add(1, Ordering::Relaxed));
        let folder = Self(scratch::folder().join(name));
        std::fs::create_dir(folder.path()).unwrap();
        folder.write(
            "organizations.csv",
            "uscc,name,kind,region_code,is_sme,role,related_to\n\
             H,甲大学,university,340102,false,host,\n\
             U,乙公司,enterprise,340102,false,user,\n",
        );
        folder.write(
            "instruments.csv",
            "host_uscc,asset_no,original_value_fen\nH,A1,30000000\n",
        );
        folder.write(
            "usage.csv",
            "record_no,host_uscc,asset_no,user_uscc,ended_at\n",
        );
        folder
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.path().join(name), text).unwrap();
        self
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn pack(&self, text: &str) -> String {
        let path = self.path().join("pack.toml");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, pack: &str, more: &[&str]) -> Output {
        let facts = self.path().to_str().unwrap();
        let first = [
            "policy", "try", pack, "--facts", facts, "--year", "2025", "--format", "json",
        ];
        yiqi(&[], &[&first, more].concat())
    }

    fn tried(&self, pack: &str, more: &[&str]) -> Value {
        let output = self.run(pack, more);
        expect(&output, 0, "");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The awards of one code: (uscc, award in fen).
fn paid(tried: &Value, code: &str) -> Vec<(String, i64)> {
    let awards = tried["awards"].as_array().unwrap();
    let award = awards
        .iter()
        .find(|award| award["award_code"] == code)
        .unwrap();
    let units = award["units"].as_array().unwrap().iter();
    units
        .map(|unit| {
            (
                unit["uscc"].as_str().unwrap().to_owned(),
                unit["award_fen"].as_i64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_default_pack_comes_out_as_an_independent_program_computed() {
    let output = yiqi(
        &[],
        &[
            "policy",
            "try",
            "hebei-2026",
            "--facts",
            SEEDED_YEAR,
            "--budget-yuan",
            "300000",
            "--format",
            "json",
        ],
    );
    expect(&output, 0, "");
    let tried: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = std::fs::read_to_string(format!("{SEEDED_YEAR}/expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    assert_eq!(tried["units"], expected["units"]);
    let pool = json!({
        "pool": null,
        "budget_fen": expected["budget_fen"],
        "sum_before_pool_fen": expected["sum_before_pool_fen"],
        "factor": expected["factor"],
        "awarded_fen": expected["awarded_fen"],
        "unspent_fen": expected["unspent_fen"],
    });
    assert_eq!(tried["pools"], json!([pool]));
    assert_eq!(
        (&tried["year"], &tried["claim"], &tried["policy"]),
        (&json!(2025), &Value::Null, &json!("hebei-2026"))
    );
}

#[test]
fn the_table_of_the_ministry_scores_single_instruments() {
    let folder = Folder::new();
    folder
        .write("instruments.csv", "host_uscc,asset_no,original_value_fen,purpose_type\nH,G,30000000,general\nH,S,30000000,special\n")
        .write(
            "usage.csv",
            "record_no,host_uscc,asset_no,user_uscc,ended_at,run_minutes,fee_fen,invoice_no,paid_on\n\
             R1,H,G,U,2025-10-01T10:00:00+08:00,67200,1500000,I1,2025-11-01\n\
             R2,H,G,H,2025-10-02T10:00:00+08:00,0,400000,I2,2025-11-01\n\
             R3,H,S,U,2025-10-01T10:00:00+08:00,67200,0,,\n",
        )
        .write(
            "reported.csv",
            "uscc,asset_no,name,value\nH,G,trained_independent,5\nH,G,trained_guided,10\nH,G,demonstrated,60\n\
             H,G,functions_used,7\nH,G,functions_all,8\nH,G,functions_new,2\nH,G,national_prizes,1\nH,G,core_papers,2\n",
        );
    let tried = folder.tried("moe-2000", &[]);
    let instruments = &tried["units"][0]["instruments"];
    let scores =
        json!({"M1": "28.0000", "M2": "16.4000", "M3": "22.5000", "M4": "14.2500", "M5": "3.4000"});
    assert_eq!(instruments[0]["scores"], scores);
    assert_eq!(
        (&instruments[0]["total"], &instruments[0]["grade"]),
        (&json!("84.55"), &json!("good"))
    );
    assert_eq!(instruments[1]["scores"]["M1"], "35.0000");
    assert_eq!(
        (&tried["awards"], &tried["pools"]),
        (&json!([]), &json!([]))
    );
    // A pack that pays nothing has no budget.
    expect(
        &folder.run("moe-2000", &["--budget-yuan", "1"]),
        2,
        "pays nothing",
    );
}

#[test]
fn anhui_pays_both_sides_a_fifth_up_to_their_caps() {
    let folder = Folder::new();
    folder
        .write(
            "organizations.csv",
            "uscc,name,kind,region_code,role,related_to\nH,甲大学,university,340102,host,\nH2,乙大学,university,340102,host,\n\
             U,丙公司,enterprise,340102,user,\nO,省外公司,enterprise,320102,user,\nR,关联公司,enterprise,340102,user,H2\n",
        )
        .write(
            "instruments.csv",
            "host_uscc,asset_no,original_value_fen,is_set\nH,A1,30000000,false\nH2,B1,30000000,false\nH2,B2,99999999,true\nH2,B3,100000000,true\nH2,B4,29999999,false\n",
        )
        .write(
            "usage.csv",
            "record_no,host_uscc,asset_no,user_uscc,ended_at,purpose,service_class,fee_fen,invoice_no,paid_on\n\
             R1,H,A1,U,2025-03-01T10:00:00+08:00,development,,3000000000,I1,2025-04-01\n\
             R2,H2,B1,U,2025-03-01T10:00:00+08:00,research,,1000000000,I2,2025-04-01\n\
             R3,H2,B3,U,2025-03-01T10:00:00+08:00,research,,234567890,I3,2025-04-01\n\
             R4,H2,B2,U,2025-03-01T10:00:00+08:00,research,,77,I4,2025-04-01\n\
             R5,H2,B4,U,2025-03-01T10:00:00+08:00,research,,77,I5,2025-04-01\n\
             R6,H2,B1,O,2025-03-01T10:00:00+08:00,research,,77,I6,2025-04-01\n\
             R7,H2,B1,R,2025-03-01T10:00:00+08:00,research,,77,I7,2025-04-01\n\
             R8,H2,B1,U,2025-03-01T10:00:00+08:00,research,medical,77,I8,2025-04-01\n\
             R9,H2,B1,U,2025-03-01T10:00:00+08:00,research,,77,,2025-04-01\n",
        );
    let tried = folder.tried(
        "anhui-2015",
        &[
            "--budget-yuan",
            "hosts=20000000",
            "--budget-yuan",
            "users=20000000",
        ],
    );
    let hosts = [
        ("H".to_owned(), 500_000_000),
        ("H2".to_owned(), 246_913_578),
    ];
    assert_eq!(paid(&tried, "hosts"), hosts);
    // 30,000,000 yuan spent on development: a fifth is 6,000,000, cut at 2,000,000; research does not count for users.
    assert_eq!(paid(&tried, "users"), [("U".to_owned(), 200_000_000)]);
    assert_eq!(tried["pools"][0]["factor"], "1/1");
}

#[test]
fn fujian_pays_brackets_once_cut_by_one_factor() {
    let folder = Folder::new();
    let mut organizations = String::from("uscc,name,kind,region_code,role\n");
    for (uscc, kind, region) in [
        ("L", "enterprise", "350802"),
        ("N", "enterprise", "350702"),
        ("X", "enterprise", "350102"),
        ("Y", "university", "350802"),
    ] {
        organizations.push_str(&format!("{uscc},企业{uscc},{kind},{region},host\n"));
    }
    folder.write("organizations.csv", &organizations);
    let mut instruments = String::from("host_uscc,asset_no,original_value_fen,funding\n");
    let mut number = 0;
    let mut add = |host: &str, count: i32, value: i64, funding: &str| {
        for _ in 0..count {
            number += 1;
            instruments.push_str(&format!("{host},A{number:03},{value},{funding}\n"));
        }
    };
    add("L", 30, 30_000_000, "own");
    add("N", 33, 99_999_999, "own");
    add("L", 22, 100_000_000, "own");
    // Not in the pilot, not its own money, not an enterprise, too cheap, paid before.
    add("X", 1, 100_000_000, "own");
    add("L", 1, 100_000_000, "local");
    add("Y", 1, 100_000_000, "own");
    add("N", 1, 29_999_999, "own");
    add("N", 1, 100_000_000, "own");
    let paid_before = format!("award_code,uscc,asset_no\nenterprise-instruments,N,A{number:03}\n");
    folder
        .write("instruments.csv", &instruments)
        .write("awarded.csv", &paid_before);
    let tried = folder.tried("fujian-2019", &["--budget-yuan", "2430000"]);
    let pool = &tried["pools"][0];
    assert_eq!(
        (&pool["sum_before_pool_fen"], &pool["factor"]),
        (&json!("324000000"), &json!("3/4"))
    );
    assert_eq!(
        paid(&tried, "enterprise-instruments")[..2],
        [("L".to_owned(), 144_000_000), ("N".to_owned(), 99_000_000)]
    );
    assert_eq!(pool["unspent_fen"], 0);
    assert_eq!(tried["units"], json!([]));
}

/// Written by somebody who had the schema, the page on policies and the other shipped packs alone.
#[test]
fn hainan_supports_users_hosts_and_outstanding_teams() {
    let folder = Folder::new();
    folder
        .write("organizations.csv", "uscc,name,kind,region_code,role,related_to\n\
             H1,甲研究院,institute,460105,host,\n\
             H2,乙大学,university,460105,host,\n\
             U1,丙公司,enterprise,460105,user,\n\
             U2,丁公司,enterprise,460201,user,\n\
             O,省外公司,enterprise,440106,user,\n\
             R,戊公司,enterprise,460105,user,H1\n")
        .write("instruments.csv", "host_uscc,asset_no,original_value_fen,purpose_type,share_mode\n\
             H1,A1,60000000,general,external\n\
             H1,A2,50000000,general,external\n\
             H2,B1,80000000,special,external\n\
             H2,B2,49999999,general,external\n")
        .write("usage.csv", "record_no,host_uscc,asset_no,user_uscc,mode,purpose,ended_at,run_minutes,statutory,fee_fen,voucher_fen,invoice_no,invoiced_on,paid_on,satisfaction\n\
             R1,H1,A1,U1,entrusted,research,2024-12-20T10:00:00+08:00,600,false,20000000,0,I1,2025-01-05,2025-01-06,\n\
             R2,H1,A1,U1,entrusted,development,2025-03-01T10:00:00+08:00,63000,false,60000000,10000000,I2,2025-03-10,2025-04-01,very_satisfied\n\
             R3,H1,A2,U2,entrusted,research,2025-06-01T10:00:00+08:00,63000,false,5000000,0,I3,2025-06-10,2025-07-01,satisfied\n\
             R4,H2,B1,U2,entrusted,research,2025-06-02T10:00:00+08:00,24000,false,40000000,0,I4,2025-06-11,2025-07-01,\n\
             R5,H2,B1,U1,entrusted,research,2025-12-30T10:00:00+08:00,600,false,70000000,0,I5,2026-01-03,2026-01-04,\n\
             R6,H2,B1,U1,entrusted,research,2025-05-01T10:00:00+08:00,0,true,11000000,0,I6,2025-05-03,2025-05-04,\n\
             R7,H2,B1,U1,self_operated,research,2025-05-02T10:00:00+08:00,0,false,13000000,0,I7,2025-05-03,2025-05-04,\n\
             R8,H2,B1,O,entrusted,research,2025-05-03T10:00:00+08:00,0,false,17000000,0,I8,2025-05-04,2025-05-05,\n\
             R9,H1,A1,R,entrusted,research,2025-05-04T10:00:00+08:00,0,false,19000000,0,I9,2025-05-05,2025-05-06,\n\
             R10,H2,B1,U1,entrusted,teaching,2025-05-05T10:00:00+08:00,0,false,23000000,0,I10,2025-05-06,2025-05-07,\n")
        .write("expert_scores.csv", "host_uscc,C1\n\
             H1,12\n\
             H2,9\n")
        .write("reported.csv", "uscc,asset_no,name,value\n\
             H1,,papers,3\n\
             H1,,patents,1\n\
             H2,,papers,4\n\
             H1,A1,team_prize,3\n\
             H2,B1,team_prize,1\n");
    let tried = folder.tried(
        "hainan-2023",
        &[
            "--parameter",
            "user_rate=0.2",
            "--parameter",
            "host_rate=0.1",
            "--budget-yuan",
            "users=142500",
            "--budget-yuan",
            "hosts=60000",
            "--budget-yuan",
            "teams=100000",
        ],
    );
    // Hours of 2025 by the end of the service: R1 is of 2024 and R5 of 2025. A1: H1 has two instruments at 63,000 of 84,000
    // minutes, 0.75 x 25; H2 one of 24,600 of 48,000 (B2 is worth less than 500,000 yuan). B2: 63,000 and 24,600 / 8,400. B3: both
    // above 16,800. B4: units from outside, two (R is related) and three, on the line from 0 to 6 at five. B5: fewer than five
    // answers. B6: 3 papers and 1 patent are 5, 4 papers 4. C1: the experts'.
    let scores = |at: usize| tried["units"][at]["scores"].clone();
    assert_eq!(
        scores(0),
        json!({"A1": "18.7500", "B1": "10.0000", "B2": "7.5000", "B3": "15.0000", "B4": "2.4000", "B5": "6.0000", "B6": "5.0000", "C1": "12.0000"})
    );
    assert_eq!(
        scores(1),
        json!({"A1": "12.8125", "B1": "10.0000", "B2": "2.9286", "B3": "15.0000", "B4": "3.6000", "B5": "6.0000", "B6": "4.0000", "C1": "9.0000"})
    );
    let grade = |at: usize| {
        (
            tried["units"][at]["total"].clone(),
            tried["units"][at]["grade"].clone(),
        )
    };
    assert_eq!(grade(0), (json!("76.65"), json!("good")));
    assert_eq!(grade(1), (json!("63.34"), json!("pass")));
    // By the day of the invoice: R1 counts, R5 does not; nor do statutory tests (R6), use by oneself (R7), units outside Hainan
    // (R8), related ones (R9) and teaching (R10); vouchers are no income. U1 spent 200,000 + 500,000 yuan: a fifth is 140,000, at
    // most 100,000. U2 spent 50,000 + 400,000: 90,000. 190,000 share 142,500: three quarters.
    assert_eq!(
        paid(&tried, "users"),
        [("U1".to_owned(), 7_500_000), ("U2".to_owned(), 6_750_000)]
    );
    // H1 had 750,000: a tenth, times 0.8 for good, 60,000. H2 400,000: a tenth, times 0.5, 20,000. 80,000 share 60,000.
    assert_eq!(
        paid(&tried, "hosts"),
        [("H1".to_owned(), 4_500_000), ("H2".to_owned(), 1_500_000)]
    );
    // A first and a third prize, by the pack's own amounts.
    assert_eq!(
        paid(&tried, "teams"),
        [("H1".to_owned(), 5_000_000), ("H2".to_owned(), 1_000_000)]
    );
    // What the pack leaves open is asked for, and the explanation does not say a figure that no run said.
    expect(
        &folder.run("hainan-2023", &["--budget-yuan", "users=1"]),
        2,
        "--parameter host_rate=",
    );
    let told = text(&yiqi(&[], &["policy", "explain", "hainan-2023", "--lang", "en"]).stdout);
    assert!(
        told.contains("rate is what parameter host_rate says"),
        "{told}"
    );
    assert!(
        told.contains("valid from 2023-01-01 until the day before 2026-01-01"),
        "{told}"
    );
}

#[test]
fn a_university_weighs_income_from_outside_more() {
    let folder = Folder::new();
    folder.write("instruments.csv", "host_uscc,asset_no,original_value_fen\nH,A1,100000000\n").write(
        "usage.csv",
        "record_no,host_uscc,asset_no,user_uscc,ended_at,run_minutes,fee_fen,invoice_no,paid_on\n\
         R1,H,A1,U,2025-03-01T10:00:00+08:00,4497,6000000,I1,2025-04-01\n\
         R2,H,A1,H,2025-03-01T10:00:00+08:00,85443,1000000,I2,2025-04-01\n",
    );
    let tried = folder.tried("university-sharing", &[]);
    // 5 % of the hours; (1 + 1.5 × 6) ÷ 100 ÷ 20 % × 15; 1,499 h.
    assert_eq!(
        tried["units"][0]["scores"],
        json!({"S1": "5.0000", "S2": "7.5000", "S3": "14.9900"})
    );
    // Probably wrong, and told so beside the document.
    let output = folder.run("university-sharing", &[]);
    assert!(text(&output.stderr).contains("the maxima sum to 40"));
}

/// Chongqing: the highest of several rates, a cap a unit and claim, each project once, two windows a year.
const CHONGQING: &str = r#"
code = "chongqing"
version = 1
title = "重庆"
issuer = "重庆"
[year]
claims = ["01-01", "07-01"]
[metrics.spend_fen]
of = "income.payer_fen"
user = "external"
[[awards]]
recipient = "user"
per = "service"
base = "spend_fen"
once_per = "project"
steps = [
  { do = "rate", choose = "highest", rates = [{ rate = "0.10" }, { rate = "0.20", when = { user_is = ["network_member"] } }, { rate = "0.30", when = { project_level = ["municipal", "provincial", "national"] } }] },
  { do = "sum", by = "organization" },
  { do = "cap", max_fen = 5_000_000 },
  { do = "pool", how = "none" },
  { do = "round", unit_fen = 1, direction = "floor", rest = "unspent" },
]
"#;

fn chongqing() -> (Folder, String) {
    let folder = Folder::new();
    folder
        .write("certifications.csv", "uscc,certification,valid_from,valid_until\nU,network_member,2025-03-01,2025-03-31\n")
        .write(
            "usage.csv",
            "record_no,host_uscc,asset_no,user_uscc,ended_at,fee_fen,invoice_no,paid_on,project,project_level\n\
             R1,H,A1,U,2025-02-28T10:00:00+08:00,100000,I1,2025-04-01,P1,own\n\
             R2,H,A1,U,2025-04-01T00:00:00+08:00,100000,I2,2025-04-01,,\n\
             R3,H,A1,U,2025-05-01T10:00:00+08:00,100000,I3,2025-06-30,P2,national\n\
             R4,H,A1,U,2025-05-01T10:00:00+08:00,100000,I4,2025-06-30,P3,national\n\
             R5,H,A1,U,2025-06-30T10:00:00+08:00,20000000,I5,2025-07-01,P4,municipal\n",
        )
        .write("awarded.csv", "award_code,uscc,project\naward,U,P3\n");
    let pack = folder.pack(CHONGQING);
    (folder, pack)
}

#[test]
fn the_highest_of_several_rates_counts_and_a_project_is_paid_once() {
    let (folder, pack) = chongqing();
    let tried = folder.tried(&pack, &["--claim", "01-01", "--budget-yuan", "1000"]);
    // 10 % of R1, 20 % of R2 (its last moment lies on 31 March), 30 % of R3; P3 was paid before, R5 is paid in July.
    assert_eq!(
        paid(&tried, "award"),
        [("U".to_owned(), 10_000 + 20_000 + 30_000)]
    );
    let tried = folder.tried(&pack, &["--claim", "07-01", "--budget-yuan", "100000"]);
    assert_eq!(paid(&tried, "award"), [("U".to_owned(), 5_000_000)]);
    assert_eq!(tried["claim"], "07-01");
}

#[test]
fn terms_that_the_pack_does_not_allow_are_a_wrong_command_line() {
    let (folder, pack) = chongqing();
    let refused = |more: &[&str], why: &str| expect(&folder.run(&pack, more), 2, why);
    refused(&["--budget-yuan", "1000"], "claim windows 01-01, 07-01");
    refused(
        &["--claim", "02-01", "--budget-yuan", "1000"],
        "no claim window 02-01",
    );
    refused(&["--claim", "01-01"], "--budget-yuan");
    refused(&["--claim", "01-01", "--budget-yuan", "x=1"], "no pool");
    refused(
        &["--claim", "01-01", "--budget-yuan", "1.005"],
        "an amount like",
    );
    refused(
        &[
            "--claim",
            "01-01",
            "--budget-yuan",
            "1000",
            "--parameter",
            "rate=1",
        ],
        "no parameter",
    );
    refused(
        &[
            "--claim",
            "01-01",
            "--budget-yuan",
            "1000",
            "--parameter",
            "rate",
        ],
        "NAME=DECIMAL",
    );
    // A pool without a factor refuses what it cannot pay, with both figures.
    refused(
        &["--claim", "01-01", "--budget-yuan", "599.99"],
        "59999 fen, and its awards sum to 60000 fen",
    );

    let open = CHONGQING.replace(
        "claims = [\"01-01\", \"07-01\"]",
        "valid = { from = \"2025-01-01\", until = \"2025-12-31\" }",
    );
    let pack = folder.pack(&open);
    expect(
        &folder.run(&pack, &["--budget-yuan", "1000"]),
        2,
        "not valid for the whole of 2025",
    );
    let until = open.replace("2025-12-31", "2026-01-01");
    let pack = folder.pack(&until);
    expect(&folder.run(&pack, &["--budget-yuan", "100000"]), 0, "");

    let left_open = until.replace("{ rate = \"0.10\" }", "{ rate = \"$host_rate\" }")
        + "[parameters.host_rate]\nat_most = \"0.15\"\n";
    let pack = folder.pack(&left_open);
    expect(
        &folder.run(&pack, &["--budget-yuan", "100000"]),
        2,
        "\"host_rate\" open",
    );
    expect(
        &folder.run(
            &pack,
            &["--budget-yuan", "100000", "--parameter", "host_rate=0.16"],
        ),
        2,
        "not within 0 … 0.15",
    );
    let tried = folder.tried(
        &pack,
        &["--budget-yuan", "100000", "--parameter", "host_rate=0.15"],
    );
    assert_eq!(tried["parameters"], json!({"host_rate": "0.15"}));
}

#[test]
fn first_come_is_first_served() {
    let folder = Folder::new();
    folder
        .write(
            "organizations.csv",
            "uscc,name,kind,region_code,role\nH,甲,university,130102,host\nU1,乙,enterprise,130102,user\nU2,丙,enterprise,130102,user\nU3,丁,enterprise,130102,user\n",
        )
        .write(
            "usage.csv",
            "record_no,host_uscc,asset_no,user_uscc,ended_at,fee_fen,invoice_no,paid_on\n\
             R1,H,A1,U1,2025-02-01T10:00:00+08:00,1000,I1,2025-04-02\n\
             R2,H,A1,U2,2025-03-01T10:00:00+08:00,1000,I2,2025-04-01\n\
             R3,H,A1,U3,2025-02-02T10:00:00+08:00,1000,I3,2025-04-02\n\
             R4,H,A1,U2,2025-02-01T10:00:00+08:00,1000,I4,2025-12-01\n",
        );
    let pack = folder.pack(
        &CHONGQING
            .replace("claims = [\"01-01\", \"07-01\"]", "")
            .replace("how = \"none\"", "how = \"first_come\"")
            .replace("rate = \"0.10\"", "rate = \"1\""),
    );
    // Units by the first of their services: the second company paid first.
    let tried = folder.tried(&pack, &["--budget-yuan", "25"]);
    let of = |uscc: &str, fen| (uscc.to_owned(), fen);
    assert_eq!(
        paid(&tried, "award"),
        [of("U1", 500), of("U2", 2_000), of("U3", 0)]
    );
    assert_eq!(tried["pools"][0]["factor"], Value::Null);
    assert_eq!(tried["pools"][0]["unspent_fen"], 0);
    // Services one by one, when the pool comes before the sum.
    let sum = "  { do = \"sum\", by = \"organization\" },\n";
    let text = std::fs::read_to_string(&pack).unwrap().replace(sum, "");
    let later = text.replace("  { do = \"round\"", &format!("{sum}  {{ do = \"round\""));
    let pack = folder.pack(&later.replace("  { do = \"cap\", max_fen = 5_000_000 },\n", ""));
    let tried = folder.tried(&pack, &["--budget-yuan", "25"]);
    assert_eq!(
        paid(&tried, "award"),
        [of("U1", 1_000), of("U2", 1_000), of("U3", 500)]
    );
}

/// Qingdao: the city pays hosts a tenth; districts pay users, high-tech ones twice as much; the city matches that.
const QINGDAO: &str = r#"
code = "qingdao"
version = 1
title = "青岛"
issuer = "青岛"
[year]
[pools]
city = {}
districts = {}
[metrics.fee_fen]
of = "income.payer_fen"
user = "external"
[[awards]]
id = "district-users"
recipient = "user"
per = "service"
base = "fee_fen"
steps = [
  { do = "rate", choose = "highest", rates = [{ rate = "0.1" }, { rate = "0.2", when = { user_is = ["high_tech"] } }] },
  { do = "sum", by = "organization" },
  { do = "pool", of = "districts", how = "pro_rata" },
  { do = "round", unit_fen = 1, direction = "floor", rest = "unspent" },
]
[[awards]]
id = "city-users"
recipient = "user"
per = "organization"
base = { award = "district-users" }
steps = [
  { do = "cap", max_fen = 50_000_000 },
  { do = "pool", of = "city", how = "pro_rata" },
  { do = "round", unit_fen = 1, direction = "floor", rest = "unspent" },
]
[[awards]]
id = "city-hosts"
recipient = "host"
per = "instrument"
base = "fee_fen"
steps = [
  { do = "rate", rate = "0.10" },
  { do = "sum", by = "organization" },
  { do = "cap", max_fen = 200_000_000 },
  { do = "pool", of = "city", how = "pro_rata" },
  { do = "round", unit_fen = 1, direction = "floor", rest = "unspent" },
]
"#;

#[test]
fn one_payer_matches_what_another_pays_and_a_pool_has_one_factor() {
    let folder = Folder::new();
    folder
        .write(
            "certifications.csv",
            "uscc,certification,valid_from,valid_until\nU,high_tech,,\n",
        )
        .write(
            "usage.csv",
            "record_no,host_uscc,asset_no,user_uscc,ended_at,fee_fen,invoice_no,paid_on\n\
             R1,H,A1,U,2025-02-01T10:00:00+08:00,120000000,I1,2025-04-02\n",
        );
    let pack = folder.pack(QINGDAO);
    let budgets = [
        "--budget-yuan",
        "city=1000000",
        "--budget-yuan",
        "districts=1000000",
    ];
    let tried = folder.tried(&pack, &budgets);
    assert_eq!(
        paid(&tried, "district-users"),
        [("U".to_owned(), 24_000_000)]
    );
    assert_eq!(paid(&tried, "city-users"), [("U".to_owned(), 24_000_000)]);
    assert_eq!(paid(&tried, "city-hosts"), [("H".to_owned(), 12_000_000)]);
    let budgets = [
        "--budget-yuan",
        "city=180000",
        "--budget-yuan",
        "districts=120000",
    ];
    let tried = folder.tried(&pack, &budgets);
    assert_eq!(
        paid(&tried, "district-users"),
        [("U".to_owned(), 12_000_000)]
    );
    // 12,000,000 matched and 12,000,000 of the host share 18,000,000.
    assert_eq!(paid(&tried, "city-users"), [("U".to_owned(), 9_000_000)]);
    assert_eq!(paid(&tried, "city-hosts"), [("H".to_owned(), 9_000_000)]);
    assert_eq!(tried["pools"][0]["factor"], "3/4");
    expect(
        &folder.run(&pack, &["--budget-yuan", "1"]),
        2,
        "city, districts",
    );
    expect(
        &folder.run(&pack, &["--budget-yuan", "city=1"]),
        2,
        "districts",
    );
}

#[test]
fn mistakes_in_facts_and_packs_leave_standard_output_empty() {
    let folder = Folder::new();
    folder.write(
        "usage.csv",
        "record_no,host_uscc,asset_no,user_uscc,ended_at\nR1,H,A9,U,2025-02-01T10:00:00+08:00\n",
    );
    let output = folder.run("hebei-2026", &["--budget-yuan", "1"]);
    expect(&output, 1, "usage.csv:2: asset_no: ");
    assert!(output.stdout.is_empty());
    let pack = folder.pack("code = \"x\"\n");
    let output = folder.run(&pack, &["--budget-yuan", "1"]);
    expect(&output, 1, "\"version\" is missing");
    assert!(output.stdout.is_empty());
    let nowhere = yiqi(
        &[],
        &[
            "policy",
            "try",
            "hebei-2026",
            "--facts",
            "/nowhere-2025",
            "--budget-yuan",
            "1",
        ],
    );
    expect(&nowhere, 3, "organizations.csv");
    let unnamed = yiqi(
        &[],
        &[
            "policy",
            "try",
            "hebei-2026",
            "--facts",
            "/nowhere",
            "--budget-yuan",
            "1",
        ],
    );
    expect(&unnamed, 2, "say --year");
}

#[test]
fn a_pack_is_explained_compared_and_has_a_schema_and_a_template() {
    let told = yiqi(
        &[],
        &["policy", "explain", "hebei-2026", "--language", "en"],
    );
    expect(&told, 0, "");
    let told = text(&told.stdout);
    for sentence in [
        "Instruments worth 200000 yuan or more are registered within 30 working days",
        "at most 50000 yuan",
        "times the rate 0.2",
        "[official]",
    ] {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    let zh = text(&yiqi(&[], &["policy", "explain", "hebei-2026"]).stdout);
    assert!(zh.contains("最高 50000 元"), "{zh}");

    let folder = Folder::new();
    let shipped = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/config/policies/hebei-2026.toml"
    ));
    let changed = folder.pack(&shipped.replace("full_at = \"0.20\"", "full_at = \"0.25\""));
    let diff = yiqi(
        &[],
        &[
            "policy",
            "diff",
            "hebei-2026",
            &changed,
            "--format",
            "json",
            "--language",
            "en",
        ],
    );
    let diff = json_of_output(&diff);
    let items = diff["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{diff}");
    assert_eq!(items[0]["key"], "scores.C1");
    assert!(
        items[0]["before"].as_str().unwrap().contains("from 0.2,"),
        "{diff}"
    );
    assert!(
        items[0]["after"].as_str().unwrap().contains("from 0.25,"),
        "{diff}"
    );

    // Every shipped pack fits the schema that editors use.
    let schema = json_of_output(&yiqi(&[], &["policy", "schema"]));
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("pack.json", schema).unwrap();
    let compiled = compiler.compile("pack.json", &mut schemas).unwrap();
    for code in [
        "hebei-2026",
        "moe-2000",
        "anhui-2015",
        "fujian-2019",
        "university-sharing",
        "hainan-2023",
    ] {
        let path = format!("{}/config/policies/{code}.toml", env!("CARGO_MANIFEST_DIR"));
        let pack: toml::Value = std::fs::read_to_string(path)
            .unwrap()
            .parse::<toml::Table>()
            .unwrap()
            .into();
        let pack = serde_json::to_value(pack).unwrap();
        schemas
            .validate(&pack, compiled)
            .unwrap_or_else(|error| panic!("{code}: {error}"));
        let mut wrong = pack.clone();
        wrong["colour"] = json!("red");
        assert!(schemas.validate(&wrong, compiled).is_err());
    }

    let empty = folder.path().join("empty");
    let made = yiqi(
        &[],
        &[
            "policy",
            "facts-template",
            "hebei-2026",
            empty.to_str().unwrap(),
        ],
    );
    expect(&made, 0, "");
    let experts = std::fs::read_to_string(empty.join("expert_scores.csv")).unwrap();
    assert_eq!(experts, "host_uscc,A4,B3\n");
    let tried = yiqi(
        &[],
        &[
            "policy",
            "try",
            "hebei-2026",
            "--facts",
            empty.to_str().unwrap(),
            "--year",
            "2025",
            "--budget-yuan",
            "10",
            "--format",
            "json",
        ],
    );
    assert_eq!(json_of_output(&tried)["pools"][0]["unspent_fen"], 1_000);
}

fn json_of_output(output: &Output) -> Value {
    expect(output, 0, "");
    serde_json::from_slice(&output.stdout).unwrap()
}
