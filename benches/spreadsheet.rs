//! Import of 20,000 instruments from XLSX into SQLite, from bytes to the commit, against calamine only reading the cells.

use std::io::Cursor;
use std::time::Instant as Stopwatch;

use calamine::{Reader, Xlsx};
use yiqi::domain::access::Action;
use yiqi::exchange::instrument;
use yiqi::exchange::sheet::Format;
use yiqi::operations::actor::Actor;
use yiqi::operations::instrument::{Import, ImportMode, import};
use yiqi::operations::run::{Done, Run};

use crate::RUNS;
use crate::fleet::{Direct, Fleet};
use crate::report::Row;
use crate::world::{Backend, UNIVERSITY};

const ROWS: usize = 20_000;

pub fn measure() -> Option<Vec<Row>> {
    let bytes = workbook();
    let (mut ours, mut ceiling) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ceiling.push(only_read(&bytes, ROWS));
        // A fresh database for each run.
        let (_, seconds) = Fleet::start(Backend::Sqlite, 0, |direct| whole_import(direct, &bytes))?;
        ours.push(seconds);
    }
    Some(vec![Row::time(
        "import of 20,000 XLSX rows ÷ calamine only reading",
        &ours,
        &ceiling,
        3.0,
    )])
}

/// An XLSX of instruments with the columns hosts fill.
fn workbook() -> Vec<u8> {
    let mut csv = String::from(
        "asset_no,name,model,manufacturer,country,original_value_fen,category_code,purpose_type,accepted_on,enabled_on,\
         share_mode,location,contact_name,contact_phone,technical,functions,service_content,user_notice\n",
    );
    for number in 0..ROWS {
        csv.push_str(&format!(
            "Z{number:06},场发射扫描电子显微镜,SU8600,Hitachi,日本,{},010102,general,2024-05-06,2024-06-01,external,实验楼 {},\
             张工,0311-80000000,分辨率优于 1 nm,形貌与成分分析,面向校内外测试,提前一天预约\n",
            30_000_000 + number,
            number % 900
        ));
    }
    let (rows, _) = instrument::read(csv.as_bytes(), Format::Csv)
        .unwrap()
        .into_parts();
    let facts = rows.iter();
    let facts: Vec<_> = facts
        .map(|(_, row)| row.new_facts(&mut Vec::new()).unwrap())
        .collect();
    instrument::write(&facts, Format::Xlsx).unwrap()
}

/// Calamine reads every cell, in seconds.
pub fn only_read(bytes: &[u8], rows: usize) -> f64 {
    let start = Stopwatch::now();
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    assert_eq!(range.height(), rows + 1);
    start.elapsed().as_secs_f64()
}

fn whole_import(direct: &Direct, bytes: &[u8]) -> f64 {
    let world = &direct.world;
    let host = world.organization_id(UNIVERSITY);
    let start = Stopwatch::now();
    let (rows, _) = instrument::read(bytes, Format::Xlsx).unwrap().into_parts();
    let asked = Import {
        empty: yiqi::operations::instrument::Empty::Keep,
        host,
        rows,
        mode: ImportMode::Create,
        is_dry_run: false,
    };
    let actor = Actor::system(world.now());
    let run = Run::direct(&world.app, &actor, Action::InstrumentImport);
    let imported = world
        .block_on(import(&run, std::future::ready(Ok(asked))))
        .and_then(Done::now)
        .unwrap();
    assert_eq!(imported.created, ROWS);
    start.elapsed().as_secs_f64()
}
