//! Every shipped pack, and the shapes that no shipped one has, on a year whose facts tell everything that can be asked: what the
//! database pays and grades is what the same pack comes to on the folder, on both databases.

use yiqi::domain::subsidy::LeftOutReason;
use yiqi::exchange::facts::FactsFile;
use yiqi::exchange::subsidy_json::PrintedUnit;
use yiqi::exchange::trial::{self, PrintedTrial, Terms};
use yiqi::operations::yearly_run::explain::LeftOutChoice;

use super::any_pack::{document, money, report, shared_out, store_pack, terms};
use super::*;

static ENRICHED: Template = Template::new(fill_enriched);

fn fill_enriched(backend: Backend, url: &str) {
    fill_blank(backend, url);
    let world = open(backend, url);
    import(&world, told_in_full()).unwrap();
    world.app.store.drain();
}

/// Tells a story of each database that begins with the enriched year.
fn on_both_enriched(story: impl Fn(&World)) {
    on_both_from(&ENRICHED, story);
}

const CLASSES: [&str; 9] = [
    "",
    "medical",
    "",
    "commercial_inspection",
    "statutory_certification",
    "执法检查",
    "commercial_filming",
    "telecom_billing",
    "bulk_inspection",
];
const LEVELS: [&str; 6] = ["", "own", "county", "市级", "provincial", "national"];
const FUNDING: [&str; 5] = ["own", "central", "", "自有资金", "local"];

/// A file of the package with the columns that finer packs ask.
fn enriched(file: &str, text: &str) -> String {
    let titles = match file {
        "usage.csv" => "service_class,project,project_level",
        "instruments.csv" => "funding,is_set",
        _ => return text.to_owned(),
    };
    let lines = text.lines().enumerate();
    // Of the services every eleventh: all classes and levels with all kinds of services, in little time.
    let lines = lines.filter(|(row, _)| file != "usage.csv" || row % 11 == 0);
    let lines = lines.map(|(row, line)| {
        let more = match (row, file) {
            (0, _) => titles.to_owned(),
            (_, "usage.csv") => {
                let project = match row % 4 {
                    0 => String::new(),
                    _ => format!("项目{}", row % 97),
                };
                let (class, level) = (CLASSES[row % 9], LEVELS[row % 6]);
                format!("{class},{project},{level}")
            }
            _ => {
                let is_set = ["false", "true", "否"][row % 3];
                format!("{},{is_set}", FUNDING[row % 5])
            }
        };
        format!("{line},{more}\n")
    });
    lines.collect()
}

/// What the ministry's table asks of every instrument, and a number of a unit.
fn reported() -> String {
    const NAMES: [&str; 8] = [
        "trained_independent",
        "trained_guided",
        "demonstrated",
        "functions_used",
        "functions_all",
        "functions_new",
        "national_prizes",
        "core_papers",
    ];
    let instruments = std::fs::read_to_string(seeds().join("instruments.csv")).unwrap();
    let mut text = String::from("uscc,asset_no,name,value\n");
    for (row, line) in instruments.lines().enumerate().skip(1) {
        let mut cells = line.split(',');
        let (host, asset_no) = (cells.next().unwrap(), cells.next().unwrap());
        for (at, name) in NAMES.iter().enumerate() {
            text.push_str(&format!(
                "{host},{asset_no},{name},{}\n",
                (row * 5 + at * 3) % 11
            ));
        }
    }
    text + "12130302BYC46N1249,,core_papers,3\n"
}

fn text_of(file: &str) -> Option<String> {
    if file == "reported.csv" {
        return Some(reported());
    }
    let text = std::fs::read_to_string(seeds().join(file)).ok();
    text.map(|text| enriched(file, &text))
}

/// The enriched files as an import reads them.
fn told_in_full() -> Arc<ProvinceYear> {
    let open = |file: ProvinceFile| -> std::io::Result<Box<dyn std::io::Read>> {
        let text = text_of(file.as_str()).ok_or(std::io::ErrorKind::NotFound)?;
        Ok(Box::new(std::io::Cursor::new(text)))
    };
    Arc::new(ProvinceYear::check(2025, &["A4", "B3"].map(str::to_owned), Box::new(open)).unwrap())
}

/// What the pack comes to on the enriched folder.
fn tried(text: &str, terms: &Terms) -> PrintedTrial {
    let open = |file: FactsFile| -> std::io::Result<Option<Box<dyn std::io::Read>>> {
        let text = text_of(file.as_str());
        Ok(text.map(|text| Box::new(std::io::Cursor::new(text)) as Box<dyn std::io::Read>))
    };
    trial::run(text, terms, &open).unwrap().printed
}

fn shipped_text(code: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config/policies");
    std::fs::read_to_string(path.join(format!("{code}.toml"))).unwrap()
}

/// A shipped pack under a code of its own, of the province whose year it is, with what else it needs.
fn shipped(code: &str, changes: &[(&str, &str)], more: &str) -> String {
    let mut text = shipped_text(code).replace(
        &format!("code = \"{code}\""),
        &format!("code = \"{code}-here\""),
    );
    for (said, instead) in changes {
        assert!(text.contains(said), "{code}: {said}");
        text = text.replace(said, instead);
    }
    text + more
}

/// Money for a pack that only grades, so that a run tells its grades.
const PAID_BY_INCOME: &str = r#"
[metrics.income_of_others_fen]
of = "income.payer_fen"
user = "external"

[[awards]]
id = "hosts"
recipient = "host"
per = "instrument"
base = "income_of_others_fen"
steps = [
  { do = "rate", rate = "0.20" },
  { do = "sum", by = "organization" },
  { do = "pool", how = "pro_rata" },
  { do = "round", unit_fen = 100, direction = "floor", rest = "unspent" },
]
"#;

/// Chongqing's shape: each project once, the highest of several rates, two windows a year.
fn once_per_project(code: &str) -> String {
    format!(
        r#"
code = "{code}"
version = 1
title = "每个项目一次"
issuer = "某市"
[year]
claims = ["01-01", "07-01"]
[metrics.spend_fen]
of = "income.payer_fen"
user = "external"
[[awards]]
id = "users"
recipient = "user"
per = "service"
base = "spend_fen"
once_per = "project"
exclude = ["medical"]
steps = [
  {{ do = "rate", choose = "highest", rates = [{{ rate = "0.10" }}, {{ rate = "0.20", when = {{ user_is = ["sme"] }} }}, {{ rate = "0.30", when = {{ project_level = ["municipal", "provincial", "national"] }} }}] }},
  {{ do = "sum", by = "organization" }},
  {{ do = "cap", max_fen = 5_000_000 }},
  {{ do = "pool", how = "pro_rata" }},
  {{ do = "round", unit_fen = 1, direction = "floor", rest = "unspent" }},
]
"#
    )
}

/// Income by another date, with what vouchers pay told apart and without.
fn by_date(date: &str, of: &str) -> String {
    format!(
        r#"
code = "by-{date}-{}"
version = 1
title = "按日期计收入"
issuer = "某省"
[year]
income_by = "{date}"
[metrics.base_fen]
of = "{of}"
user = "external"
where = {{ project_level = ["own", "county", "provincial", "national"] }}
[[awards]]
id = "hosts"
recipient = "host"
per = "instrument"
base = "base_fen"
exclude = ["related_party", "statutory", "commercial_filming"]
steps = [
  {{ do = "rate", rate = "0.20" }},
  {{ do = "sum", by = "organization" }},
  {{ do = "pool", how = "pro_rata" }},
  {{ do = "round", unit_fen = 1, direction = "floor", rest = "unspent" }},
]
"#,
        of.replace(['.', '_'], "-")
    )
    .replace("ended_at-", "ended-")
    .replace("by-invoiced_on", "by-invoiced")
    .replace("by-paid_on", "by-paid")
}

fn here(text: &str) -> (&str, &str) {
    (text, "user_regions = [\"13\"]")
}

fn of_shipped() -> Vec<(String, Terms)> {
    let anhui_regions = here("user_regions = [\"34\"]");
    vec![
        (
            shipped("anhui-2015", &[anhui_regions], ""),
            terms(2025, &["hosts=400000", "users=90000.07"]),
        ),
        (
            shipped("moe-2000", &[], PAID_BY_INCOME),
            terms(2025, &["300000"]),
        ),
        (
            shipped("university-sharing", &[], PAID_BY_INCOME),
            terms(2025, &["300000"]),
        ),
        (
            shipped(
                "fujian-2019",
                &[
                    (
                        "host_kind = [\"enterprise\"]",
                        "host_kind = [\"university\"]",
                    ),
                    ("[\"3508\", \"3507\"]", "[\"13\"]"),
                ],
                "",
            ),
            terms(2025, &["500000"]),
        ),
        (shipped("hebei-2026", &[], ""), terms(2025, &["300000"])),
    ]
}

fn once() -> Vec<(String, Terms)> {
    let mut cases = Vec::new();
    for claim in ["01-01", "07-01"] {
        let terms = Terms {
            claim: Some(claim.to_owned()),
            ..terms(2025, &["100000"])
        };
        cases.push((once_per_project(&format!("once-{claim}")), terms));
    }
    cases
}

fn by_dates() -> Vec<(String, Terms)> {
    let mut cases = Vec::new();
    for date in ["paid_on", "invoiced_on", "ended_at"] {
        for of in [
            "income.payer_fen",
            "income.voucher_fen",
            "income.amount_fen",
        ] {
            cases.push((by_date(date, of), terms(2025, &["70000"])));
        }
    }
    cases
}

/// In an order of their own, whatever ids they have.
fn sorted(mut units: Vec<PrintedUnit>) -> Vec<PrintedUnit> {
    units.sort_by(|one, other| one.uscc.cmp(&other.uscc));
    units
}

fn come_out(cases: Vec<(String, Terms)>) {
    let expected: Vec<_> = cases
        .into_iter()
        .map(|(text, terms)| (tried(&text, &terms), text, terms))
        .collect();
    on_both_enriched(|world| {
        for (expected, text, terms) in &expected {
            let code = store_pack(world, text);
            let id = shared_out(world, code.clone(), terms).unwrap();
            let printed = document(world, id);
            assert_eq!(printed.pools, expected.pools, "{code}");
            assert_eq!(money(&printed.awards), money(&expected.awards), "{code}");
            assert!(!money(&printed.awards).is_empty(), "{code}");
            let (units, wanted) = (sorted(printed.units), sorted(expected.units.clone()));
            assert_eq!(units.len(), wanted.len(), "{code}");
            for (unit, wanted) in units.iter().zip(&wanted) {
                assert_eq!(unit, wanted, "{code}");
            }
            let verified = verify(world, id);
            assert!(verified.verified, "{code}: {verified:#?}");
        }
    });
}

#[test]
fn the_records_pay_and_grade_by_every_shipped_pack() {
    come_out(of_shipped());
}

#[test]
fn the_records_pay_each_project_once() {
    come_out(once());
}

#[test]
fn the_records_pay_by_every_date_of_income() {
    come_out(by_dates());
}

#[derive(diesel::QueryableByName)]
struct Sum {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    sum: i64,
}

/// Every charge of the host that was served in the year, or has the date that counts in it, by a question of its own.
fn charged(world: &World, host: OrganizationId, code: &str) -> i64 {
    let dated = match code {
        code if code.contains("by-paid") => {
            "SELECT l.charge_id FROM payment_line l JOIN payment p ON p.id = l.payment_id WHERE p.state = 'received' \
             AND p.paid_on >= '2025-01-01' AND p.paid_on <= '2025-12-31'"
        }
        code if code.contains("by-invoiced") => {
            "SELECT l.charge_id FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id WHERE l.annulled_event_id IS NULL \
             AND i.issued_on >= '2025-01-01' AND i.issued_on <= '2025-12-31'"
        }
        // Invoiced of a record that was voided since, too.
        _ => {
            "SELECT l.charge_id FROM invoice_line l JOIN charge d ON d.id = l.charge_id JOIN usage_record v ON v.id = d.usage_record_id \
             WHERE l.annulled_event_id IS NULL AND v.ended_at > '2024-12-31 16:00:00' AND v.ended_at <= '2025-12-31 16:00:00'"
        }
    };
    let text = format!(
        "SELECT CAST(COALESCE(SUM(c.amount_fen), 0) AS BIGINT) AS sum FROM charge c WHERE c.host_organization_id = {host} \
         AND c.state <> 'voided' AND (c.usage_record_id IN (SELECT id FROM usage_record WHERE ended_at > '2024-12-31 16:00:00' \
         AND ended_at <= '2025-12-31 16:00:00' AND state <> 'voided') OR c.id IN ({dated}))"
    );
    world.read(move |conn| Ok(diesel::sql_query(text).get_result::<Sum>(conn)?.sum))
}

/// Asks every unit; the records of a reason sum to its figure.
fn each_fen(world: &World, code: &str, id: SubsidyRunId) -> BTreeMap<LeftOutReason, i64> {
    let awards = world.read(move |conn| Ok(store::yearly_run::subsidy::list_awards(conn, id)?));
    let mut seen = BTreeMap::new();
    for award in awards {
        let host = award.organization_id;
        let organization = world.read(move |conn| Ok(store::organization::get(conn, host)?));
        let uscc = Uscc::parse(organization.uscc.as_str()).unwrap();
        let told = explained(world, id, &uscc, Choice::default());
        let money = told.unit.money;
        assert!(money.adds_up());
        assert_eq!(
            money.charges.number(),
            charged(world, host, code),
            "{code} {uscc}"
        );
        let bases: i64 = award
            .instruments
            .iter()
            .map(|base| base.base_fen.number())
            .sum();
        assert_eq!(money.base.number(), bases, "{code} {uscc}");
        for (reason, sum) in &money.left_out {
            let is_new = seen.insert(*reason, sum.amount.number()).is_none();
            if !is_new {
                continue;
            }
            let choice = Choice {
                left_out: Some(LeftOutChoice {
                    reason: *reason,
                    after: None,
                }),
                limit: 100_000,
                ..Choice::default()
            };
            let page = explained(world, id, &uscc, choice).unit.left_out.unwrap();
            let amounts: i64 = page
                .records
                .iter()
                .map(|record| record.amount.number())
                .sum();
            assert_eq!(amounts, sum.amount.number(), "{code} {uscc} {reason}");
        }
        // What payers paid for the records behind the metric of the base sums to it.
        let choice = Choice {
            metric: Some("base_fen".to_owned()),
            limit: 100_000,
            ..Choice::default()
        };
        let told = explained(world, id, &uscc, choice);
        let records = told.unit.metrics.iter().flat_map(|metric| &metric.records);
        let in_base = records.filter(|record| record.left_out.is_none());
        let amount: i64 = in_base
            .map(|record| match code.contains("amount") {
                true => record.payer_fen.number() + record.voucher_fen.number(),
                false => record.payer_fen.number(),
            })
            .sum();
        assert_eq!(amount, bases, "{code} {uscc}");
    }
    seen
}

/// The explanation of a run by any date and any facts: what is in the base and what is left out are all money of the year.
#[test]
fn each_fen_is_told_by_every_date() {
    on_both_enriched(|world| {
        let texts = [
            by_date("paid_on", "income.payer_fen"),
            by_date("invoiced_on", "income.payer_fen"),
            by_date("ended_at", "income.amount_fen"),
        ];
        for text in texts {
            let code = store_pack(world, &text);
            let id = shared_out(world, code.clone(), &terms(2025, &["70000"])).unwrap();
            let seen = each_fen(world, &code, id);
            for reason in [LeftOutReason::Condition, LeftOutReason::Unconfirmed] {
                assert!(seen.contains_key(&reason), "{code}: {reason} of {seen:?}");
            }
            let is_unpaid = seen.contains_key(&LeftOutReason::Unpaid);
            assert_eq!(is_unpaid, code.contains("by-paid"), "{code}");
        }
    });
}

/// The projects that a final window paid are not paid again in the next one.
#[test]
fn a_project_that_a_final_window_paid_is_not_paid_again() {
    let text = once_per_project("once");
    let window = |claim: &str| Terms {
        claim: Some(claim.to_owned()),
        ..terms(2025, &["900000"])
    };
    on_both_enriched(|world| {
        let code = store_pack(world, &text);
        let first = shared_out(world, code.clone(), &window("01-01")).unwrap();
        let before = shared_out(world, code.clone(), &window("07-01")).unwrap();
        super::any_pack::finish(world, first);
        let after = shared_out(world, code.clone(), &window("07-01")).unwrap();
        let sum = |id| -> i64 {
            let awards = report(world, id).awards.into_iter();
            let bases = awards.flat_map(|award| award.instruments.into_inner());
            bases.map(|base| base.base_fen.number()).sum()
        };
        assert!(sum(after) < sum(before), "{} {}", sum(after), sum(before));
        let awarded = projects_of(world, first);
        assert!(!awarded.is_empty());
        // The folder says the same once it is told what was paid.
        let mut told = String::from("award_code,uscc,project\n");
        for (uscc, project) in awarded {
            told.push_str(&format!("users,{uscc},{project}\n"));
        }
        let open = |file: FactsFile| -> std::io::Result<Option<Box<dyn std::io::Read>>> {
            let text = match file {
                FactsFile::Awarded => Some(told.clone()),
                other => text_of(other.as_str()),
            };
            Ok(text.map(|text| Box::new(std::io::Cursor::new(text)) as Box<dyn std::io::Read>))
        };
        let expected = trial::run(&text, &window("07-01"), &open).unwrap().printed;
        let printed = document(world, after);
        assert_eq!(printed.pools, expected.pools);
        assert_eq!(money(&printed.awards), money(&expected.awards));
        assert!(verify(world, after).verified && verify(world, first).verified);
    });
}

/// Units and projects of the enriched folder that a window paid: those with an external payment in it that the pack does not exclude.
fn projects_of(world: &World, id: SubsidyRunId) -> Vec<(String, String)> {
    let by = actor(world);
    let report = yearly_run::awards::report(&world.app, &by, Action::SubsidyGet, id);
    let report = world.block_on(report).unwrap();
    let paid = report.awards.iter();
    let paid = paid.filter(|award| award.award_fen.number() > 0);
    let ids: Vec<OrganizationId> = paid.map(|award| award.organization_id).collect();
    world.read(move |conn| {
        let inputs = store::yearly_run::facts::list_inputs(conn, id)?;
        let inputs = yiqi::domain::evaluation::Inputs::from_lines(inputs).unwrap();
        let mut found = std::collections::BTreeSet::new();
        for instrument in inputs.units().flat_map(|unit| &unit.instruments) {
            for cell in instrument.cells.iter().filter(|_| instrument.flags.listed) {
                let (user, detail) = (cell.key.using_unit_id, cell.key.detail.as_deref().unwrap());
                let is_medical = detail
                    .service_class
                    .is_some_and(|class| class.as_str() == "medical");
                let is_paid = cell.service.payer_fen.number() > 0 && ids.contains(&user);
                if cell.key.relation == Relation::External
                    && is_paid
                    && !is_medical
                    && let Some(project) = detail.project.clone()
                {
                    let uscc = inputs.using_unit(user).unwrap().uscc.clone();
                    found.insert((uscc, project));
                }
            }
        }
        Ok(found.into_iter().collect())
    })
}
