//! What commands print: tables for people, JSON for programs, on standard output; complaints on standard error. A reader
//! that stops reading (`| head`) is no error.

use std::io::{ErrorKind, Write};

use clap::ValueEnum;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::failure::Failure;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    #[default]
    #[value(alias = "text")]
    Table,
    Json,
}

/// Prints a line.
pub fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Unavailable(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Tells why a command failed.
pub fn complain(failure: &Failure) {
    // Nobody is left to be told that standard error is closed.
    let _ = writeln!(std::io::stderr(), "yiqi: {failure}");
}

/// Fen as yuan.
pub fn yuan(fen: i64) -> String {
    crate::operations::yearly_run::Fen::new(fen).to_string()
}

/// Says something beside the result, on standard error.
pub fn note(line: &str) {
    // Nobody is left to be told that standard error is closed.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints a document.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    say(&serde_json::to_string_pretty(value)?)
}

/// Prints rows below their headings, columns aligned; numbers and amounts to the right.
pub fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> Result<(), Failure> {
    say(&lay_out(headings, rows))
}

fn lay_out<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = headings.map(UnicodeWidthStr::width);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut lines = vec![lay_out_row(headings.into_iter(), &widths)];
    let cells = |row: &[String; N]| lay_out_row(row.iter().map(String::as_str), &widths);
    lines.extend(rows.iter().map(cells));
    lines.join("\n")
}

fn lay_out_row<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let padded = cells.zip(widths).map(|(cell, width)| {
        let blanks = " ".repeat(width.saturating_sub(cell.width()));
        if is_number(cell) {
            format!("{blanks}{cell}")
        } else {
            format!("{cell}{blanks}")
        }
    });
    let line = padded.collect::<Vec<_>>().join("  ");
    line.trim_end().to_owned()
}

fn is_number(cell: &str) -> bool {
    cell.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        && cell
            .chars()
            .all(|c| c.is_ascii_digit() || "-.,/".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_what_a_terminal_shows() {
        let rows = [
            ["河北大学".to_owned(), "12.50".to_owned()],
            ["Lab".to_owned(), "7.00".to_owned()],
        ];
        assert_eq!(
            lay_out(["unit", "yuan"], &rows),
            "unit      yuan\n河北大学  12.50\nLab        7.00"
        );
    }
}
