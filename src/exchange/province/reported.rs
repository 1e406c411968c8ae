//! `requests.csv`, `expert_scores.csv` and `reported.csv`: figures a host reports for the year besides its records.

use std::io::Read;

use crate::domain::{Code, Fault};
use crate::exchange::sheet::{Column, Encoding, Kind, Row, Stream};
use crate::operations::province::{ExpertScores, ReportedRow, RequestCounts};

const HOST: Column = Column::plain("host_uscc", Kind::Text).required();

pub fn requests<R: Read>(
    input: R,
    encoding: Encoding,
) -> Result<Stream<R, RequestCounts>, Vec<Fault>> {
    const COLUMNS: &[Column] = &[
        HOST,
        Column::plain("received", Kind::Integer).required(),
        Column::plain("answered_in_time", Kind::Integer).required(),
    ];
    Stream::open_in(input, encoding, COLUMNS, read_requests)
}

fn read_requests(row: &mut Row<'_>) -> Option<RequestCounts> {
    let (host_uscc, received) = (row.text("host_uscc"), row.count("received"));
    let answered_in_time = row.count("answered_in_time");
    if received < answered_in_time && received.is_some() {
        row.refuse("answered_in_time", Code::out_of_range);
    }
    Some(RequestCounts {
        host_uscc: host_uscc?,
        received: received?,
        answered_in_time: answered_in_time?,
    })
}

/// Numbers by name, of a unit or of one of its instruments.
pub fn reported<R: Read>(
    input: R,
    encoding: Encoding,
) -> Result<Stream<R, ReportedRow>, Vec<Fault>> {
    const COLUMNS: &[Column] = &[
        Column::plain("uscc", Kind::Text).required(),
        Column::plain("asset_no", Kind::Text).or_absent(),
        Column::plain("name", Kind::Text).required(),
        Column::plain("value", Kind::Integer).required(),
    ];
    Stream::open_in(input, encoding, COLUMNS, |row| {
        let (uscc, asset_no) = (row.text("uscc"), row.key("asset_no"));
        let (name, value) = (row.text("name"), row.integer("value"));
        Some(ReportedRow {
            uscc: uscc?,
            asset_no,
            name: name?,
            value: value?,
        })
    })
}

/// The columns of `expert_scores.csv`: the host, and one for each indicator of the pack. They live as long as the process, as
/// those of every other table do: a year is read by a command of its own.
pub fn expert_columns(indicators: &[String]) -> &'static [Column] {
    let indicators = indicators.iter().map(|indicator| {
        let name: &'static str = Box::leak(indicator.clone().into_boxed_str());
        Column::plain(name, Kind::Decimal).required()
    });
    let columns: Vec<Column> = std::iter::once(HOST).chain(indicators).collect();
    Box::leak(columns.into_boxed_slice())
}

pub fn expert_scores<R: Read>(
    input: R,
    encoding: Encoding,
    columns: &'static [Column],
) -> Result<Stream<R, ExpertScores>, Vec<Fault>> {
    Stream::open_in(input, encoding, columns, |row| {
        let host_uscc = row.text(HOST.name);
        let mut points = Vec::new();
        for column in row
            .columns()
            .iter()
            .filter(|column| column.name != HOST.name)
        {
            if let Some(given) = row.decimal(column.name) {
                points.push((column.name.to_owned(), given));
            }
        }
        let is_whole = points.len() + 1 == row.columns().len();
        Some(ExpertScores {
            host_uscc: host_uscc?,
            points: is_whole.then_some(points)?,
        })
    })
}
