//! Frozen lines as rows: so many lines are one row, parted by line ends, as a year has hundreds of thousands that are only ever
//! written and read together. What was stored line by line reads the same.

/// Lines in a row.
const LINES: usize = 1_000;

/// The rows, numbered from 1.
pub(super) fn of_lines(lines: &[String]) -> impl Iterator<Item = (i64, String)> {
    (1..).zip(lines.chunks(LINES).map(|lines| lines.join("\n")))
}

/// The lines of rows that stand in their order.
pub(super) fn lines(rows: &[String]) -> Vec<String> {
    let lines = rows.iter().flat_map(|row| row.split('\n'));
    lines.map(str::to_owned).collect()
}
