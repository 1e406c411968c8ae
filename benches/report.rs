//! The table at the end: medians, their ratio to the ceiling of the same run, and the aim.

/// One line of the table.
pub struct Row {
    pub what: &'static str,
    pub ours: String,
    pub ceiling: String,
    /// Ours ÷ ceiling.
    pub ratio: f64,
    pub aim: Aim,
}

/// What the ratio should be.
pub enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

impl Row {
    /// Both in things per second: more is better.
    pub fn rate(what: &'static str, unit: &str, ours: &[f64], ceiling: &[f64], aim: f64) -> Row {
        let (mine, theirs) = (median(ours), median(ceiling));
        Row {
            what,
            ours: format!("{mine:.0} {unit}/s"),
            ceiling: format!("{theirs:.0} {unit}/s"),
            ratio: mine / theirs,
            aim: Aim::AtLeast(aim),
        }
    }

    /// Both in seconds: less is better.
    pub fn time(what: &'static str, ours: &[f64], ceiling: &[f64], aim: f64) -> Row {
        let (mine, theirs) = (median(ours), median(ceiling));
        Row {
            what,
            ours: format!("{mine:.2} s"),
            ceiling: format!("{theirs:.2} s"),
            ratio: mine / theirs,
            aim: Aim::AtMost(aim),
        }
    }
}

impl Row {
    /// Memory in MiB against a bound.
    pub fn memory(what: &'static str, peaks: &[f64], bound: f64) -> Row {
        let mine = median(peaks);
        Row {
            what,
            ours: format!("{mine:.0} MiB"),
            ceiling: format!("{bound:.0} MiB"),
            ratio: mine / bound,
            aim: Aim::AtMost(1.0),
        }
    }
}

pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints the table as Markdown.
pub fn print(rows: &[Row]) {
    println!(
        "\n| what | measured | ceiling, same run | ratio | aim | |\n|---|---|---|---|---|---|"
    );
    for row in rows {
        let (aim, is_met) = match row.aim {
            Aim::AtLeast(least) => (format!("≥ {least}"), row.ratio >= least),
            Aim::AtMost(most) => (format!("≤ {most}"), row.ratio <= most),
        };
        let verdict = if is_met { "met" } else { "missed" };
        println!(
            "| {} | {} | {} | {:.2} | {aim} | {verdict} |",
            row.what, row.ours, row.ceiling, row.ratio
        );
    }
}
