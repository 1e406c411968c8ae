//! Progress of long work on standard error; nothing is shown where that is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::exchange::sheet::Reading;
use crate::operations::yearly_run::RunPhase;

/// A spinner with what is being done and since when; it clears itself when dropped.
#[derive(Debug)]
pub struct Spinner(ProgressBar);

/// Shows that `what` is being done.
pub fn show(what: &str) -> Spinner {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    Spinner(bar)
}

/// A bar over a file of so many bytes, to be wrapped around its reader.
pub fn over_bytes(what: &str, bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}")
    {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

/// A bar over the rows of a table, and a spinner while they are stored: the table comes in as a whole or not at all.
#[derive(Debug)]
pub struct Rows {
    what: &'static str,
    bar: ProgressBar,
}

/// A bar over the phases of a yearly run, with the present one and the percentage.
#[derive(Debug)]
pub struct Phases(ProgressBar);

/// Shows how far a yearly run is.
pub fn over_phases() -> Phases {
    Phases(percentage())
}

fn percentage() -> ProgressBar {
    let bar = ProgressBar::new(100);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent} % {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

impl Phases {
    pub fn tell(&self, phase: RunPhase) {
        self.0.set_message(phase.as_str());
        self.0.set_position(phase.percent().unsigned_abs());
    }
}

/// A bar over work that tells its percentage.
#[derive(Debug, Clone)]
pub struct Percent(ProgressBar);

/// Shows how much of `what` is done.
pub fn over_percent(what: &str) -> Percent {
    let bar = percentage();
    bar.set_message(what.to_owned());
    Percent(bar)
}

impl Percent {
    pub fn set(&self, percent: u64) {
        self.0.set_position(percent);
    }
}

impl Drop for Percent {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Phases {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Shows that a table of `what` is being read.
pub fn over_rows(what: &'static str) -> Rows {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} rows {eta}") {
        bar.set_style(style);
    }
    bar.set_message(format!("reading {what}"));
    Rows { what, bar }
}

impl Rows {
    pub fn told(&self, reading: Reading) {
        let of = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.bar.set_length(of(reading.rows));
        self.bar.set_position(of(reading.rows_done));
    }

    /// All rows are read.
    pub fn store(self) -> Spinner {
        let rows = self.bar.position();
        self.bar.finish_and_clear();
        show(&format!("checking and storing {rows} {}", self.what))
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
