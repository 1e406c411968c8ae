//! How the files of a year are read, and what a row of them is refused for: with its file, its row and its column.

use encoding_rs::GB18030;
use serde_json::json;
use yiqi::error::{Fault, Location};
use yiqi::exchange::province::Unfit;

use super::*;

/// Numbers by name; the package has none.
const REPORTED: &str = "uscc,asset_no,name,value\n\
    12130302BYC46N1249,25000872,trained_independent,5\n\
    12130302BYC46N1249,,core_papers,12\n\
    12130302RG6CL0EFEE,,requests_received,3\n";

/// So many rows of the services, as text.
const SERVICES: usize = 40;

fn text_of(file: ProvinceFile) -> String {
    if file == ProvinceFile::Reported {
        return REPORTED.to_owned();
    }
    let text = std::fs::read_to_string(seeds().join(file.as_str())).unwrap();
    let most = match file {
        ProvinceFile::Usage => SERVICES + 1,
        _ => usize::MAX,
    };
    text.lines()
        .take(most)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The files of the package with few services, as bytes that `change` makes of each.
pub(super) fn small(
    change: impl Fn(ProvinceFile, String) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Arc<ProvinceYear>, Unfit> {
    let open = move |file: ProvinceFile| -> std::io::Result<Box<dyn std::io::Read>> {
        Ok(Box::new(std::io::Cursor::new(change(file, text_of(file)))))
    };
    ProvinceYear::check(2025, &["A4", "B3"].map(str::to_owned), Box::new(open)).map(Arc::new)
}

/// The text with cells of a row changed; no cell of these rows has a comma.
pub(super) fn with_cells(text: &str, row: usize, cells: &[(&str, &str)]) -> String {
    let titles: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let lines = text.lines().enumerate().map(|(at, line)| {
        if at + 1 != row {
            return format!("{line}\n");
        }
        let mut values: Vec<&str> = line.split(',').collect();
        assert_eq!(values.len(), titles.len(), "{line}");
        for (title, value) in cells {
            let place = titles.iter().position(|known| known == title).unwrap();
            values[place] = value;
        }
        values.join(",") + "\n"
    });
    lines.collect()
}

/// The small year with cells of one row of a file changed.
pub(super) fn changed(
    file: ProvinceFile,
    row: usize,
    cells: &'static [(&'static str, &'static str)],
) -> Result<Arc<ProvinceYear>, Unfit> {
    small(move |of, text| match of == file {
        true => with_cells(&text, row, cells).into_bytes(),
        false => text.into_bytes(),
    })
}

#[test]
fn every_file_is_read_in_every_encoding() {
    let plain = small(|_, text| text.into_bytes()).unwrap();
    type Written = fn(String) -> Vec<u8>;
    let written: [(&str, Written); 3] = [
        ("GB18030", |text| GB18030.encode(&text).0.into_owned()),
        ("GB18030 with a mark", |text| {
            GB18030.encode(&format!("\u{feff}{text}")).0.into_owned()
        }),
        ("UTF-8 with a mark", |text| {
            format!("\u{feff}{text}").into_bytes()
        }),
    ];
    on_both(|world| {
        import(world, plain.clone()).unwrap();
        let newest = || world.read(|conn| Ok(store::event::newest(conn)?));
        let before = newest();
        for (name, encoded) in written {
            let other = small(move |_, text| encoded(text)).expect(name);
            let summary = import(world, other.clone()).expect(name);
            assert!(summary.iter().all(|file| file.inserted == 0), "{name}");
            assert_eq!(newest(), before, "{name}");
            use yiqi::operations::province::ProvinceSource;
            let bytes = encoded(text_of(ProvinceFile::Organizations));
            let digest = <sha2::Sha256 as sha2::Digest>::digest(bytes);
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(other.facts(ProvinceFile::Organizations).sha256, digest);
        }
    });
}

#[test]
fn text_that_is_neither_is_refused_at_its_row() {
    for file in ProvinceFile::ALL.iter().copied() {
        let broken = small(move |of, text| {
            let mut bytes = text.into_bytes();
            if of == file {
                // After the header and a row, whose Chinese, if it has any, is UTF-8.
                let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
                let at = ends.map(|(at, _)| at).nth(1).unwrap();
                bytes.insert(at + 1, 0xff);
            }
            bytes
        });
        let Err(Unfit::Faults(faults)) = broken else {
            panic!("{file}");
        };
        let (of, told) = &faults[0];
        assert_eq!((faults.len(), *of, told.len()), (1, file, 1));
        assert_eq!((told[0].row(), told[0].code), (3, Code::unknown_encoding));
        assert_eq!(told[0].limit, Some("UTF-8 | GB18030".into()));
    }
}

/// Whether a fault stands at a cell, as the import names it or as the file was checked.
fn is_at(fault: &Fault, (file, row, column): (ProvinceFile, u32, &str)) -> bool {
    match &fault.place {
        Location::Field(field) => *field == format!("{file}[{row}].{column}"),
        Location::Cell {
            row: at,
            column: of,
        } => (*at, of.as_str()) == (row, column),
        _ => false,
    }
}

#[test]
fn every_date_that_cannot_be_is_refused_at_its_cell() {
    use ProvinceFile::{Instruments, Usage};
    type Cells = &'static [(&'static str, &'static str)];
    // The fifth row of the services is invoiced and paid.
    let cases: [(ProvinceFile, u32, Cells, &str, Code); 20] = [
        (
            Instruments,
            2,
            &[("accepted_on", "1989-12-31")],
            "accepted_on",
            Code::out_of_range,
        ),
        (
            Instruments,
            2,
            &[("accepted_on", "2199-01-01")],
            "accepted_on",
            Code::out_of_range,
        ),
        (
            Instruments,
            2,
            &[("enabled_on", "1989-12-31")],
            "enabled_on",
            Code::out_of_range,
        ),
        (
            Instruments,
            2,
            &[("enabled_on", "2199-01-01")],
            "enabled_on",
            Code::out_of_range,
        ),
        (
            Instruments,
            2,
            &[("submitted_on", "1989-12-31")],
            "submitted_on",
            Code::out_of_range,
        ),
        (
            Instruments,
            2,
            &[("submitted_on", "2199-01-01")],
            "submitted_on",
            Code::out_of_range,
        ),
        (
            Instruments,
            2,
            &[("submitted_on", "2026-04-14")],
            "submitted_on",
            Code::out_of_range,
        ),
        (
            Instruments,
            2,
            &[("submitted_on", "2021-06-22")],
            "submitted_on",
            Code::dates_out_of_order,
        ),
        (
            Usage,
            5,
            &[("started_at", "1989-12-31T08:00:00+08:00")],
            "started_at",
            Code::out_of_range,
        ),
        (
            Usage,
            5,
            &[("started_at", "2199-01-01T08:00:00+08:00")],
            "ended_at",
            Code::not_after_start,
        ),
        (
            Usage,
            5,
            &[("ended_at", "1989-12-31T08:00:00+08:00")],
            "ended_at",
            Code::not_after_start,
        ),
        (
            Usage,
            5,
            &[("ended_at", "2199-01-01T08:00:00+08:00")],
            "ended_at",
            Code::in_the_future,
        ),
        (
            Usage,
            5,
            &[
                ("started_at", "2012-01-01T08:00:00+08:00"),
                ("ended_at", "2012-01-01T11:15:00+08:00"),
            ],
            "started_at",
            Code::dates_out_of_order,
        ),
        (
            Usage,
            5,
            &[("invoiced_on", "1989-12-31")],
            "invoiced_on",
            Code::out_of_range,
        ),
        (
            Usage,
            5,
            &[("invoiced_on", "2199-01-01")],
            "invoiced_on",
            Code::out_of_range,
        ),
        (
            Usage,
            5,
            &[("invoiced_on", "2024-12-31")],
            "invoiced_on",
            Code::dates_out_of_order,
        ),
        (
            Usage,
            5,
            &[("paid_on", "1989-12-31")],
            "paid_on",
            Code::out_of_range,
        ),
        (
            Usage,
            5,
            &[("paid_on", "2199-01-01")],
            "paid_on",
            Code::out_of_range,
        ),
        (
            Usage,
            5,
            &[("paid_on", "2026-04-14")],
            "paid_on",
            Code::out_of_range,
        ),
        (
            Usage,
            5,
            &[("paid_on", "2024-12-31")],
            "paid_on",
            Code::dates_out_of_order,
        ),
    ];
    on_both(|world| {
        for (file, row, cells, column, code) in cases {
            let source = changed(file, usize::try_from(row).unwrap(), cells);
            let faults = match source {
                Err(Unfit::Faults(mut of_files)) => of_files.remove(0).1,
                Err(other) => panic!("{other:?}"),
                Ok(source) => match import(world, source).expect_err(column) {
                    AppError::Refused(faults) => faults,
                    other => panic!("{other:?}"),
                },
            };
            let told = |fault: &Fault| is_at(fault, (file, row, column)) && fault.code == code;
            assert!(faults.iter().any(told), "{cells:?}: {faults:?}");
        }
        let members = world.read(|conn| Ok(store::yearly_input::list_members(conn)?));
        assert!(members.is_empty());
    });
}

/// A row of the host's own use of one instrument; `cells` from `fee_fen` on.
fn own_use(number: &str, hours: &str, cells: &str) -> String {
    format!(
        "{number},12130203930RQCAT52,25006887,12130203930RQCAT52,entrusted,research,{hours},0,30,0,1,false,manual,recorded,{cells}\n"
    )
}

fn with_rows(rows: Vec<String>) -> Arc<ProvinceYear> {
    let more = move |file, text: String| match file {
        ProvinceFile::Usage => (text + &rows.concat()).into_bytes(),
        _ => text.into_bytes(),
    };
    small(more).unwrap()
}

#[test]
fn a_row_in_the_way_names_itself_and_the_other_record() {
    let half = "2025-12-31T21:00:00+08:00,2025-12-31T21:30:00+08:00";
    let later = "2025-12-31T21:20:00+08:00,2025-12-31T22:00:00+08:00";
    let free = "2025-12-31T23:00:00+08:00,2025-12-31T23:30:00+08:00";
    let first = "2025-01-01T09:00:00+08:00,2025-01-01T10:50:00+08:00";
    let (unpaid, invoiced) = ("0,0,,,,", "100,0,AB-1,2026-01-05,,");
    // The file's second row below its header is the first use of that instrument; 42 and 43 follow its 40 services.
    let overlap = json!(["started_at", "ended_at"]);
    let cases = [
        (
            vec![own_use("X1", half, unpaid), own_use("X2", later, unpaid)],
            (Code::usage_overlaps, 43, &overlap),
            json!({"record_no": "X1", "other_row": 42}),
        ),
        (
            vec![own_use("X1", half, invoiced), own_use("X2", free, invoiced)],
            (Code::invoice_no_used, 43, &json!(["invoice_no"])),
            json!({"record_no": "X1", "other_row": 42}),
        ),
        (
            vec![own_use("X1", first, unpaid)],
            (Code::usage_overlaps, 42, &overlap),
            json!({"record_no": "U20250000001"}),
        ),
        (
            vec![own_use("X1", half, "100,0,202500004506,2026-01-05,,")],
            (Code::invoice_no_used, 42, &json!(["invoice_no"])),
            json!({"record_no": "U20250000004"}),
        ),
    ];
    let cases = cases.map(|(rows, place, other)| (with_rows(rows), place, other));
    let plain = small(|_, text| text.into_bytes()).unwrap();
    on_both(|world| {
        for stored in [false, true] {
            if stored {
                import(world, plain.clone()).unwrap();
            }
            for (source, (code, row, columns), other) in &cases {
                let AppError::Conflict(told) = import(world, source.clone()).unwrap_err() else {
                    panic!("{other}");
                };
                assert_eq!(told.code, *code);
                let members = serde_json::Value::Object(told.members);
                assert_eq!(members["file"], "usage.csv");
                assert_eq!(
                    (&members["row"], &members["columns"]),
                    (&json!(row), *columns)
                );
                assert_eq!(members["record_no"], other["record_no"]);
                let in_file = other.get("other_row").is_some() || !stored;
                assert_eq!(members.get("other_row").is_some(), in_file, "{members}");
                assert_eq!(members.get("existing_id").is_some(), !in_file, "{members}");
            }
        }
    });
}
