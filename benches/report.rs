//! The table, printed as it is measured: medians, their ratio to the ceiling of the same run, the aim, and the processor time of one
//! request where it is measured.

/// One line of the table.
pub struct Row {
    pub what: String,
    pub ours: String,
    pub ceiling: String,
    /// Ours ÷ ceiling.
    pub ratio: f64,
    pub aim: Aim,
    /// Processor time of one request, ours and the ceiling's.
    pub processor: Option<String>,
}

/// What the ratio should be.
#[derive(Clone, Copy)]
pub enum Aim {
    AtLeast(f64),
    /// The aim, and what is tolerable below it.
    AtLeastElse(f64, f64),
    AtMost(f64),
    /// Shown for comparison.
    None,
}

impl Aim {
    /// The aim in words and whether it is met.
    fn judge(self, ratio: f64) -> (String, &'static str) {
        let verdict = |is_met: bool| if is_met { "met" } else { "missed" };
        match self {
            Aim::AtLeast(least) => (format!("≥ {least}"), verdict(ratio >= least)),
            Aim::AtLeastElse(aim, least) if ratio < aim && ratio >= least => {
                (format!("≥ {aim}, at least {least}"), "missed, at least met")
            }
            Aim::AtLeastElse(aim, least) => {
                (format!("≥ {aim}, at least {least}"), verdict(ratio >= aim))
            }
            Aim::AtMost(most) => (format!("≤ {most}"), verdict(ratio <= most)),
            Aim::None => ("–".to_owned(), "–"),
        }
    }
}

impl Row {
    fn new(what: &str, ours: String, ceiling: String, ratio: f64, aim: Aim) -> Row {
        Row {
            what: what.to_owned(),
            ours,
            ceiling,
            ratio,
            aim,
            processor: None,
        }
    }

    /// Both in things per second: more is better.
    pub fn rate(what: &str, unit: &str, ours: &[f64], ceiling: &[f64], aim: f64) -> Row {
        let (mine, theirs) = (median(ours), median(ceiling));
        let told = |figure: f64| format!("{figure:.0} {unit}/s");
        Row::new(
            what,
            told(mine),
            told(theirs),
            mine / theirs,
            Aim::AtLeast(aim),
        )
    }

    /// Both in seconds: less is better.
    pub fn time(what: &str, ours: &[f64], ceiling: &[f64], aim: f64) -> Row {
        let (mine, theirs) = (median(ours), median(ceiling));
        let told = |figure: f64| format!("{figure:.2} s");
        Row::new(
            what,
            told(mine),
            told(theirs),
            mine / theirs,
            Aim::AtMost(aim),
        )
    }

    /// Both in seconds, for comparison.
    pub fn beside(what: &str, ours: &[f64], theirs: &[f64]) -> Row {
        Row {
            aim: Aim::None,
            ..Row::time(what, ours, theirs, 1.0)
        }
    }

    /// Memory in MiB against a bound.
    pub fn memory(what: &str, peaks: &[f64], bound: f64) -> Row {
        let mine = median(peaks);
        let told = |figure: f64| format!("{figure:.0} MiB");
        Row::new(
            what,
            told(mine),
            told(bound),
            mine / bound,
            Aim::AtMost(1.0),
        )
    }

    /// Seconds against a bound in milliseconds.
    pub fn milliseconds(what: &str, seconds: f64, bound: f64) -> Row {
        let mine = seconds * 1e3;
        let told = |figure: f64| format!("{figure:.2} ms");
        Row::new(
            what,
            told(mine),
            told(bound),
            mine / bound,
            Aim::AtMost(1.0),
        )
    }

    pub fn processor(mut self, told: String) -> Row {
        self.processor = Some(told);
        self
    }
}

pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Begins the table, in Markdown.
pub fn print_head() {
    println!(
        "| what | measured | ceiling or bound | ratio | aim | | processor time a request |\n|---|---|---|---|---|---|---|"
    );
}

pub fn print(row: &Row) {
    let (aim, verdict) = row.aim.judge(row.ratio);
    let processor = row.processor.as_deref().unwrap_or("–");
    println!(
        "| {} | {} | {} | {:.2} | {aim} | {verdict} | {processor} |",
        row.what, row.ours, row.ceiling, row.ratio
    );
}
