//! What an import of a year refuses, and that a second one changes nothing.

use super::*;

#[test]
fn a_second_import_changes_nothing_and_another_relation_refuses_everything() {
    let differing = [
        // A unit that was related to a host is related to another one.
        source(|file, text| match file {
            ProvinceFile::Organizations => {
                text.replace("user,12130203930RQCAT52", "user,12130302BYC46N1249")
            }
            _ => text,
        }),
        source(|file, text| match file {
            ProvinceFile::Organizations => text.replace("user,12130203930RQCAT52", "user,"),
            _ => text,
        }),
    ];
    on_both(|world| {
        let first = import(world, shipped()).unwrap();
        let rows: Vec<(u64, u64)> = first
            .iter()
            .map(|file| (file.rows, file.inserted))
            .collect();
        let whole = [126, 105, 21_815, 18, 18].map(|rows| (rows, rows));
        assert_eq!(rows, whole);
        let newest = world.read(|conn| Ok(store::event::newest(conn)?));
        world.advance(60);
        let second = import(world, shipped()).unwrap();
        assert!(
            second.iter().all(|file| file.unchanged == file.rows),
            "{second:?}"
        );
        assert_eq!(world.read(|conn| Ok(store::event::newest(conn)?)), newest);

        for source in &differing {
            let refused = import(world, source.clone()).unwrap_err();
            assert_eq!(conflict(refused), Code::row_differs);
        }
    });
}

#[test]
fn an_import_keeps_the_rules_of_every_other_entrance() {
    // As the first row, so that nothing is written before it is refused.
    fn service(cells: &str) -> impl Fn(&str) -> String {
        let row = format!("U20259999999,12130203930RQCAT52,25006887,{cells}\n");
        move |text: &str| text.replacen("U20250000001,", &format!("{row}U20250000001,"), 1)
    }
    const OWN: &str = "12130203930RQCAT52,entrusted,research";
    let cases: [(Change, &str, Code); 8] = [
        (
            |file, text| {
                let hours = "2025-12-31T20:00:00+08:00,2025-12-31T22:00:00+08:00";
                let cells = format!("{OWN},{hours},0,8400,0,1,false,manual,recorded,0,0,,,,");
                (file == ProvinceFile::Usage).then(|| service(&cells)(text))
            },
            "run_minutes",
            Code::minutes_exceed_interval,
        ),
        (
            |file, text| {
                let hours = "2026-04-13T08:00:00+08:00,2026-04-13T10:00:00+08:00";
                let cells = format!("{OWN},{hours},0,60,0,1,false,manual,recorded,0,0,,,,");
                (file == ProvinceFile::Usage).then(|| service(&cells)(text))
            },
            "ended_at",
            Code::in_the_future,
        ),
        (
            |file, text| {
                let hours = "2025-12-31T20:00:00+08:00,2025-12-31T22:00:00+08:00";
                let cells =
                    format!("{OWN},{hours},0,60,0,1,false,manual,recorded,100,0,!!,2025-12-31,,");
                (file == ProvinceFile::Usage).then(|| service(&cells)(text))
            },
            "invoice_no",
            Code::malformed,
        ),
        (
            |file, text| {
                let hours = "2025-12-31T20:00:00+08:00,2025-12-31T22:00:00+08:00";
                let cells =
                    format!("{OWN},{hours},0,60,0,1,false,manual,recorded,100,0,AB-1,2027-01-01,,");
                (file == ProvinceFile::Usage).then(|| service(&cells)(text))
            },
            "invoiced_on",
            Code::out_of_range,
        ),
        (
            |file, text| {
                let more =
                    text.replacen("12130302BYC46N1249,2,6", "12130302BYC46N1249,4.00001,6", 1);
                (file == ProvinceFile::ExpertScores).then_some(more)
            },
            "A4",
            Code::out_of_range,
        ),
        (
            |file, text| {
                let other = text.replacen("0311-80000000", "none", 1);
                (file == ProvinceFile::Instruments).then_some(other)
            },
            "public_contact.phone",
            Code::not_a_phone,
        ),
        (
            |file, text| {
                let other = text.replacen(
                    ",university,130302,false,host,",
                    ",university,130302,false,user,",
                    1,
                );
                (file == ProvinceFile::Organizations).then_some(other)
            },
            "host_uscc",
            Code::organization_is_no_host,
        ),
        (
            |file, text| {
                let longer = "号".repeat(101);
                let other = text.replacen("实验楼", &longer, 1);
                (file == ProvinceFile::Instruments).then_some(other)
            },
            "location",
            Code::text_too_long,
        ),
    ];
    let cases = cases.map(|(change, column, code)| (respelled(change), column, code));
    on_both(|world| {
        for (source, column, code) in &cases {
            let refused = import(world, source.clone()).unwrap_err();
            let AppError::Refused(faults) = refused else {
                panic!("{refused:?}");
            };
            let fault = format!("{:?}", faults[0]);
            assert!(
                fault.contains(column) && fault.contains(code.as_str()),
                "{fault}"
            );
        }
    });
}

#[test]
fn one_invoice_has_one_spelling() {
    let twice = source(|file, text| match file {
        ProvinceFile::Usage => {
            let row = |number: u8, hour: u8, invoice: &str| {
                format!(
                    "U2025999999{number},12130203930RQCAT52,25006887,12130203930RQCAT52,entrusted,research,\
                     2025-12-31T{hour}:00:00+08:00,2025-12-31T{hour}:30:00+08:00,0,30,0,1,false,manual,recorded,\
                     100,0,{invoice},2025-12-31,,\n"
                )
            };
            format!("{text}{}{}", row(1, 21, "ab-1"), row(2, 23, "AB-1"))
        }
        _ => text,
    });
    on_both(|world| {
        let refused = import(world, twice.clone()).unwrap_err();
        assert_eq!(conflict(refused), Code::invoice_no_used);
    });
}
