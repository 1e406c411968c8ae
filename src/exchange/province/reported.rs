//! `requests.csv` and `expert_scores.csv`: figures a host reports for the year besides its records.

use std::io::Read;

use crate::domain::{Code, Fault};
use crate::exchange::sheet::{Column, Kind, Row, Stream};
use crate::operations::province::{ExpertScores, RequestCounts};

const HOST: Column = Column::plain("host_uscc", Kind::Text).required();

pub fn requests<R: Read>(input: R) -> Result<Stream<R, RequestCounts>, Vec<Fault>> {
    const COLUMNS: &[Column] = &[
        HOST,
        Column::plain("received", Kind::Integer).required(),
        Column::plain("answered_in_time", Kind::Integer).required(),
    ];
    Stream::open(input, COLUMNS, read_requests)
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

pub fn expert_scores<R: Read>(input: R) -> Result<Stream<R, ExpertScores>, Vec<Fault>> {
    const COLUMNS: &[Column] = &[
        HOST,
        Column::plain("A4", Kind::Decimal).required(),
        Column::plain("B3", Kind::Decimal).required(),
    ];
    Stream::open(input, COLUMNS, |row| {
        let (host_uscc, a4, b3) = (row.text("host_uscc"), row.decimal("A4"), row.decimal("B3"));
        Some(ExpertScores {
            host_uscc: host_uscc?,
            a4: a4?,
            b3: b3?,
        })
    })
}
