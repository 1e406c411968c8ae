//! A corrected row is imported again: told in a dry run, corrected as its host would, or refused with the row and the reason.

use serde_json::{Value, json};
use yiqi::operations::province::{ProvinceFile, RowChange};

use super::reading::{changed, small, with_cells};
use super::*;

fn plain() -> Arc<ProvinceYear> {
    small(|_, text| text.into_bytes()).unwrap()
}

fn dry(world: &World, source: Arc<ProvinceYear>) -> Result<Vec<FileSummary>, AppError> {
    world.block_on(province::import(&world.app, &actor(world), source, true))
}

fn newest(world: &World) -> Option<yiqi::domain::EventId> {
    world.read(|conn| Ok(store::event::newest(conn)?))
}

/// Columns of one row: what it says, and what stood there.
type Cells = Vec<(&'static str, &'static str, Value)>;

/// Every column that an import corrects, each once.
fn corrections() -> Vec<(ProvinceFile, u32, Cells)> {
    use ProvinceFile::{ExpertScores, Instruments, Organizations, Reported, Requests, Usage};
    let instant = |text: &str| json!(text);
    let number = |number: i64| json!(number);
    vec![
        (
            Organizations,
            2,
            vec![
                ("name", "燕赵大学", json!("燕赵理工大学")),
                ("kind", "institute", json!("university")),
                ("region_code", "130102", json!("130302")),
                ("is_sme", "true", json!(false)),
            ],
        ),
        (
            Instruments,
            2,
            vec![
                ("name", "测试仪", json!("集成电路测试仪")),
                ("model", "M-1", json!("M-2621")),
                ("manufacturer", "岛津", json!("Thermo Fisher")),
                ("country", "日本", json!("中国")),
                ("original_value_fen", "48000051", number(48_000_050)),
                ("category_code", "030203", json!("040106")),
                ("purpose_type", "general", json!("special")),
                ("accepted_on", "2021-06-22", json!("2021-06-23")),
                ("enabled_on", "2021-06-28", json!("2021-06-27")),
                ("share_mode", "internal", json!("external")),
                ("region_code", "130102", json!("130302")),
                ("technical", "分辨率", Value::Null),
                ("functions", "分析", json!("成分与结构分析")),
                ("service_content", "测试", json!("面向校内外测试")),
                ("user_notice", "", json!("提前一天预约")),
                ("contact_name", "李工", json!("张工")),
                ("contact_phone", "0311-80000001", json!("0311-80000000")),
                ("location", "主楼", json!("实验楼")),
                ("submitted_on", "2021-07-10", json!("2021-07-09")),
                ("exempted", "true", json!(false)),
                ("public_price_fen_per_hour", "100", Value::Null),
            ],
        ),
        (
            Instruments,
            3,
            vec![("public_price_fen_per_hour", "36100", number(36_000))],
        ),
        (
            Usage,
            2,
            vec![
                ("mode", "guided", json!("entrusted")),
                ("purpose", "other", json!("research")),
                (
                    "started_at",
                    "2025-01-01T07:55:00+08:00",
                    instant("2025-01-01T08:00:00+08:00"),
                ),
                (
                    "ended_at",
                    "2025-01-01T09:55:00+08:00",
                    instant("2025-01-01T09:50:00+08:00"),
                ),
                ("prepare_minutes", "19", number(20)),
                ("run_minutes", "89", number(90)),
                ("samples", "7", number(6)),
                ("statutory", "true", json!(false)),
                ("evidence", "manual", json!("confirmed")),
                ("fee_fen", "100", number(0)),
                ("satisfaction", "satisfied", Value::Null),
            ],
        ),
        (
            Usage,
            3,
            vec![
                (
                    "user_uscc",
                    "12130203930RQCAT52",
                    json!("12130802WE9HBUWD4H"),
                ),
                ("post_minutes", "14", number(15)),
            ],
        ),
        (Usage, 4, vec![("status", "voided", json!("confirmed"))]),
        (
            Requests,
            2,
            vec![
                ("received", "31", json!("30")),
                ("answered_in_time", "28", json!("29")),
            ],
        ),
        (
            ExpertScores,
            2,
            vec![("A4", "1.5", json!("2")), ("B3", "5.5", json!("6"))],
        ),
        (Reported, 2, vec![("value", "6", json!("5"))]),
        (Reported, 3, vec![("value", "0", json!("12"))]),
    ]
}

fn corrected() -> Arc<ProvinceYear> {
    let corrections = corrections();
    let said = move |file, text: String| {
        let of_file = corrections.iter().filter(|(of, ..)| *of == file);
        let text = of_file.fold(text, |text, (_, row, cells)| {
            let cells: Vec<_> = cells
                .iter()
                .map(|(column, said, _)| (*column, *said))
                .collect();
            with_cells(&text, usize::try_from(*row).unwrap(), &cells)
        });
        text.into_bytes()
    };
    small(said).unwrap()
}

/// Equal, or the same moment in two spellings.
fn is_same(one: &Value, other: &Value) -> bool {
    let moment = |value: &Value| value.as_str()?.parse::<Instant>().ok();
    one == other || (moment(one).is_some() && moment(one) == moment(other))
}

#[test]
fn every_column_is_told_dry_and_corrected_once() {
    on_both(|world| {
        import(world, plain()).unwrap();
        world.advance(60);
        let stood = newest(world);
        let told = dry(world, corrected()).unwrap();
        assert_eq!(newest(world), stood);
        for (file, row, cells) in corrections() {
            let of_file = told.iter().find(|one| one.file == file).unwrap();
            let change: &RowChange = of_file.changes.iter().find(|one| one.row == row).unwrap();
            assert_eq!(change.columns.len(), cells.len(), "{file} {change:?}");
            for (column, _, before) in cells {
                let one = change.columns.iter().find(|one| one.column == column);
                let one = one.unwrap_or_else(|| panic!("{column}"));
                assert!(is_same(&one.before, &before), "{column}: {}", one.before);
                assert_ne!(one.before, one.after, "{column}");
            }
        }
        let changed: u64 = told.iter().map(|file| file.changed).sum();
        assert_eq!(changed, 10);
        for file in &told {
            assert_eq!(
                (file.inserted, file.unchanged),
                (0, file.rows - file.changed)
            );
        }

        assert_eq!(import(world, corrected()).unwrap(), told);
        let after = newest(world);
        assert_ne!(after, stood);
        let again = import(world, corrected()).unwrap();
        assert!(
            again.iter().all(|file| file.unchanged == file.rows),
            "{again:?}"
        );
        assert_eq!(newest(world), after);
        let record = world.read(|conn| {
            let found = store::province::list_services(conn, &["U20250000001".to_owned()])?;
            Ok(found["U20250000001"].record.clone())
        });
        assert_eq!((record.version, record.samples), (2, 7));
    });
}

#[test]
fn an_invoice_and_a_payment_may_come_later() {
    let service = |cells| changed(ProvinceFile::Usage, 5, cells).unwrap();
    let steps = [
        service(&[("invoice_no", ""), ("invoiced_on", ""), ("paid_on", "")]),
        service(&[
            ("invoice_no", ""),
            ("invoiced_on", ""),
            ("paid_on", ""),
            ("fee_fen", "137400"),
        ]),
        service(&[("paid_on", "")]),
        plain(),
    ];
    on_both(|world| {
        for (place, step) in steps.iter().enumerate() {
            let summary = import(world, step.clone()).unwrap();
            let changed: u64 = summary.iter().map(|file| file.changed).sum();
            assert_eq!(changed, u64::from(place > 0), "{place}");
            let again = import(world, step.clone()).unwrap();
            assert!(
                again.iter().all(|file| file.unchanged == file.rows),
                "{place}"
            );
        }
    });
}

#[test]
fn what_cannot_be_corrected_is_refused_with_its_row() {
    use ProvinceFile::{Organizations, Usage};
    type Cells = &'static [(&'static str, &'static str)];
    // The fifth row of the services is invoiced and paid.
    let cases: [(ProvinceFile, u32, Cells, Code); 8] = [
        (Usage, 5, &[("fee_fen", "137501")], Code::already_invoiced),
        (
            Usage,
            5,
            &[("user_uscc", "12130302BYC46N1249")],
            Code::already_invoiced,
        ),
        (Usage, 5, &[("invoice_no", "AB-2")], Code::already_invoiced),
        (
            Usage,
            5,
            &[("invoiced_on", "2025-02-07")],
            Code::already_invoiced,
        ),
        (Usage, 5, &[("paid_on", "2025-02-18")], Code::row_differs),
        (Usage, 2, &[("asset_no", "25003933")], Code::row_differs),
        (Usage, 4, &[("asset_no", "25006887")], Code::row_differs),
        (Organizations, 2, &[("role", "user")], Code::row_differs),
    ];
    on_both(|world| {
        import(world, plain()).unwrap();
        let stood = newest(world);
        for (file, row, cells, code) in cases {
            let source = changed(file, usize::try_from(row).unwrap(), cells).unwrap();
            for refused in [dry(world, source.clone()), import(world, source)] {
                let AppError::Conflict(told) = refused.unwrap_err() else {
                    panic!("{cells:?}");
                };
                let place = (&told.members["file"], &told.members["row"]);
                assert_eq!(told.code, code, "{cells:?}");
                assert_eq!(place, (&json!(file), &json!(row)), "{cells:?}");
                assert_eq!(told.members["columns"], json!([cells[0].0]));
            }
        }
        // A row that is there twice, of every file.
        for file in ProvinceFile::ALL.iter().copied() {
            let twice = small(move |of, text| match of == file {
                true => format!("{text}{}\n", text.lines().nth(1).unwrap()).into_bytes(),
                false => text.into_bytes(),
            });
            let AppError::Refused(faults) = import(world, twice.unwrap()).unwrap_err() else {
                panic!("{file}");
            };
            assert_eq!(faults[0].code, Code::duplicate);
        }
        assert_eq!(newest(world), stood);
    });
}

#[test]
fn a_final_year_refuses_every_correction_of_use_and_figures_by_row() {
    on_both(|world| {
        import(world, plain()).unwrap();
        let id = run(world);
        for decision in [RunDecision::Publish, RunDecision::Finalize] {
            decide(world, id, decision).unwrap();
        }
        let stood = newest(world);
        for (file, row, cells) in [
            (ProvinceFile::Usage, 2, &[("samples", "7")] as &'static [_]),
            (ProvinceFile::Requests, 2, &[("received", "31")]),
            (ProvinceFile::ExpertScores, 2, &[("A4", "1.5")]),
            (ProvinceFile::Reported, 2, &[("value", "7")]),
        ] {
            let source = changed(file, usize::try_from(row).unwrap(), cells).unwrap();
            let AppError::Conflict(told) = import(world, source).unwrap_err() else {
                panic!("{file}");
            };
            assert_eq!(told.code, Code::period_locked);
            let place = (&told.members["file"], &told.members["row"]);
            assert_eq!(place, (&json!(file), &json!(row)));
        }
        assert_eq!(newest(world), stood);
    });
}

#[test]
fn a_run_before_a_correction_still_verifies() {
    on_both(|world| {
        import(world, plain()).unwrap();
        let before = run(world);
        world.advance(60);
        import(world, corrected()).unwrap();
        assert!(verify(world, before).verified);
        assert!(verify(world, run(world)).verified);
    });
}
