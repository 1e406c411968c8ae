//! Imports beside bookings: while a workbook of changed instruments or of usage records is imported over HTTP, companies
//! go on booking. How long the longest of them waits, and how long the import takes against calamine only reading it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use chrono::{TimeDelta, Utc};
use rust_xlsxwriter::Workbook;

use crate::bookings::{self, Course, INSTRUMENTS};
use crate::fleet::Fleet;
use crate::load::{self, Connection};
use crate::report::{Row, median};
use crate::spreadsheet::only_read;
use crate::world::{Backend, COMPANY, HOST};

/// So many book one after the other.
const BOOKERS: usize = 4;
/// Rows, and how many milliseconds others may wait beside them.
const SIZES: [(usize, f64); 2] = [(5_000, 250.0), (20_000, 1_000.0)];
/// The import may take so many times calamine's reading.
const AIM: f64 = 5.0;
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A database whose host imports.
struct Importing {
    address: String,
    course: Course,
    host_token: String,
    /// The next free number of a booking.
    next: AtomicUsize,
}

pub fn measure(backend: Backend) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    for (size, bound) in SIZES {
        let (fleet, (course, host_token)) = Fleet::start(backend, 1, |direct| {
            (bookings::course(direct), direct.token(HOST))
        })?;
        let importing = Importing {
            address: fleet.nodes[0].base.trim_start_matches("http://").to_owned(),
            course,
            host_token,
            next: AtomicUsize::new(0),
        };
        let created = instruments(size, "");
        importing.import("instruments/import?mode=create", &created);
        let changed = instruments(size, "改");
        let beside = importing.beside("instruments/import?mode=upsert", &changed);
        rows.extend(told(
            "changed instruments",
            backend,
            size,
            bound,
            &changed,
            &beside,
        ));
        let used = importing.usage_records(size);
        let beside = importing.beside("usage-records/import", &used);
        rows.extend(told("usage records", backend, size, bound, &used, &beside));
    }
    Some(rows)
}

/// What happened beside one import, in seconds.
struct Beside {
    import: f64,
    /// Of the bookings that were waiting at some moment of the import, shortest first.
    waits: Vec<f64>,
    refused: usize,
}

fn told(
    what: &str,
    backend: Backend,
    size: usize,
    bound: f64,
    file: &[u8],
    beside: &Beside,
) -> [Row; 3] {
    let reading: Vec<f64> = (0..3).map(|_| only_read(file, size)).collect();
    let waits = &beside.waits;
    let late = waits
        .get(waits.len() * 99 / 100)
        .copied()
        .unwrap_or(f64::NAN);
    let longest = waits.last().copied().unwrap_or(f64::NAN);
    let name = format!("{size} {what}, {backend:?}");
    let count = format!("{} bookings, {} refused", waits.len(), beside.refused);
    [
        Row::milliseconds(&format!("longest wait beside {name}"), longest, bound).processor(count),
        Row::milliseconds(&format!("99th percentile beside {name}"), late, bound),
        Row::time(
            &format!("import of {name} ÷ calamine only reading"),
            &[beside.import],
            &[median(&reading)],
            AIM,
        ),
    ]
}

impl Importing {
    /// Seconds.
    fn import(&self, path: &str, file: &[u8]) -> f64 {
        let request = load::post_file(&format!("/api/v1/{path}"), &self.host_token, XLSX, file);
        let start = Stopwatch::now();
        let answer = Connection::open(&self.address).ask(&request);
        assert_eq!(
            answer.status,
            200,
            "{path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        start.elapsed().as_secs_f64()
    }

    /// The import, with bookings before, during and after it.
    fn beside(&self, path: &str, file: &[u8]) -> Beside {
        let (is_over, booked) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let (import, began) = std::thread::scope(|scope| {
            for _ in 0..BOOKERS {
                scope.spawn(|| self.book_until(&is_over, &booked));
            }
            std::thread::sleep(Duration::from_millis(300));
            let began = Stopwatch::now();
            let import = self.import(path, file);
            is_over.store(true, Ordering::Relaxed);
            (import, began)
        });
        let booked = booked.into_inner().unwrap();
        let during = booked.iter().filter(|(_, end, _)| *end >= began);
        let mut waits: Vec<_> = during
            .map(|(start, end, _)| (*end - *start).as_secs_f64())
            .collect();
        waits.sort_by(f64::total_cmp);
        Beside {
            import,
            waits,
            refused: booked.iter().filter(|(.., status)| *status != 201).count(),
        }
    }

    fn book_until(&self, is_over: &AtomicBool, booked: &Mutex<Vec<(Stopwatch, Stopwatch, u16)>>) {
        let mut connection = Connection::open(&self.address);
        while !is_over.load(Ordering::Relaxed) {
            let request = self
                .course
                .request(self.next.fetch_add(1, Ordering::Relaxed));
            let start = Stopwatch::now();
            let answer = connection.ask(&request);
            booked
                .lock()
                .unwrap()
                .push((start, Stopwatch::now(), answer.status));
        }
    }

    /// Half hours of the company that follow each other on the course's instruments, the last two days ago.
    fn usage_records(&self, size: usize) -> Vec<u8> {
        let asset_nos: Vec<String> = (0..INSTRUMENTS)
            .map(|number| self.asset_no(number))
            .collect();
        let turns = i64::try_from(size / INSTRUMENTS).unwrap();
        let today = Utc::now().date_naive().and_time(chrono::NaiveTime::MIN);
        let first = today - TimeDelta::days(2) - TimeDelta::minutes(turns * 30);
        let row = |number: usize| {
            let turn = i64::try_from(number / INSTRUMENTS).unwrap();
            let time = |turn| first + TimeDelta::minutes(turn * 30);
            let told = |turn| time(turn).format("%Y-%m-%d %H:%M").to_string();
            let asset_no = asset_nos[number % INSTRUMENTS].clone();
            let words = ["30", "guided", "other"].map(str::to_owned);
            let mut row = vec![asset_no, COMPANY.to_owned(), told(turn), told(turn + 1)];
            row.extend(words);
            row
        };
        let head = "asset_no,using_uscc,started_at,ended_at,run_minutes,mode,purpose";
        workbook(head, (0..size).map(row))
    }

    fn asset_no(&self, number: usize) -> String {
        let path = format!("/api/v1/instruments/{}", self.course.place(number).0);
        let answer = Connection::open(&self.address).ask(&load::get(&path));
        let instrument: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        instrument["asset_no"].as_str().unwrap().to_owned()
    }
}

/// Instruments with the columns hosts fill; `mark` changes each.
fn instruments(size: usize, mark: &str) -> Vec<u8> {
    let head = "asset_no,name,model,manufacturer,country,original_value_fen,category_code,purpose_type,accepted_on,\
                enabled_on,share_mode,location,contact_name,contact_phone,technical,functions,service_content,user_notice";
    let row = |number: usize| {
        let line = format!(
            "Z{number:06},场发射扫描电子显微镜{mark},SU8600,Hitachi,日本,{},010102,general,2024-05-06,2024-06-01,external,\
             实验楼 {},张工,0311-80000000,分辨率优于 1 nm,形貌与成分分析,面向校内外测试,提前一天预约",
            30_000_000 + number,
            number % 900
        );
        line.split(',').map(str::to_owned).collect()
    };
    workbook(head, (0..size).map(row))
}

/// An XLSX of texts.
fn workbook(head: &str, rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let head = head.split(',').map(str::to_owned).collect();
    for (line, row) in (0_u32..).zip(std::iter::once(head).chain(rows)) {
        for (column, text) in (0_u16..).zip(row) {
            sheet.write_string(line, column, text).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}
