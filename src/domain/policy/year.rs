//! `[year]`: when the year of a pack begins, its claim windows, the years it is valid for, and what decides in which year
//! income counts.

use super::check::only_optional;
use super::raw::{Node, Table};
use crate::domain::ZONE;
use chrono::{Datelike, Days, NaiveDate};

crate::vocabulary! {
    /// The words of `income_by`: the date that decides in which year income counts.
    IncomeBy {
        PaidOn = "paid_on",
        InvoicedOn = "invoiced_on",
        EndedAt = "ended_at",
    }
}

/// The year of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearRule {
    /// Year Y begins on this day of calendar year Y.
    pub starts: MonthDay,
    /// The first days of the windows, in the order in which they come within a year; none: the year is one.
    pub claims: Vec<MonthDay>,
    /// Days the pack is valid for, the first included, the second not.
    pub valid_from: Option<NaiveDate>,
    pub valid_until: Option<NaiveDate>,
    pub income_by: IncomeBy,
}

impl Default for YearRule {
    /// The calendar year, income by its payment.
    fn default() -> Self {
        Self {
            starts: MonthDay { month: 1, day: 1 },
            claims: Vec::new(),
            valid_from: None,
            valid_until: None,
            income_by: IncomeBy::PaidOn,
        }
    }
}

/// A day of any year; 29 February is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonthDay {
    pub month: u32,
    pub day: u32,
}

impl std::fmt::Display for MonthDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl std::str::FromStr for MonthDay {
    type Err = NotADay;

    /// `MM-DD`.
    fn from_str(text: &str) -> Result<Self, NotADay> {
        let (month, day) = text.split_once('-').ok_or(NotADay)?;
        let two =
            |digits: &str| match digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()) {
                true => digits.parse::<u32>().map_err(|_| NotADay),
                false => Err(NotADay),
            };
        let (month, day) = (two(month)?, two(day)?);
        // Of a year that is no leap year.
        let in_any_year = NaiveDate::from_ymd_opt(2025, month, day).is_some();
        in_any_year.then_some(Self { month, day }).ok_or(NotADay)
    }
}

/// A text that is no day of every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day is written \"07-01\", and every year has it")]
pub struct NotADay;

/// Days from `first_on` to `last_on`, both included: a year of a pack or one of its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub first_on: NaiveDate,
    pub last_on: NaiveDate,
}

impl Span {
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.first_on <= day && day <= self.last_on
    }

    /// How many days it has.
    pub fn days(&self) -> i64 {
        (self.last_on - self.first_on).num_days() + 1
    }

    /// A calendar year.
    pub fn of_calendar_year(year: i32) -> Option<Self> {
        Some(Self {
            first_on: NaiveDate::from_ymd_opt(year, 1, 1)?,
            last_on: NaiveDate::from_ymd_opt(year, 12, 31)?,
        })
    }
}

/// A year, and the days of it that are looked at: all, or those of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearSpan {
    pub year: i32,
    pub span: Span,
    pub days_of_year: i64,
}

/// Why a pack has no such year or window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsMistake {
    #[error("there is no year {0}")]
    NoYear(i32),
    #[error(
        "the pack is not valid for the whole of {0}: choose a year within its [year] valid, whose \"until\" is not included"
    )]
    NotValid(i32),
    #[error("the pack has the claim windows {0}: say which")]
    ClaimMissing(String),
    #[error("the pack has no claim window {0}")]
    NoClaim(MonthDay),
}

impl YearRule {
    /// The days that a run of a year looks at. A claim is named exactly where the pack has windows, and the pack is valid for
    /// the whole year.
    pub fn of(&self, year: i32, claim: Option<MonthDay>) -> Result<YearSpan, TermsMistake> {
        let whole = self.whole(year)?.span;
        let span = match claim {
            None if self.claims.is_empty() => whole,
            None => {
                let known: Vec<String> = self.claims.iter().map(MonthDay::to_string).collect();
                return Err(TermsMistake::ClaimMissing(known.join(", ")));
            }
            Some(claim) => {
                let window = self.window(year, claim);
                window.ok_or(TermsMistake::NoClaim(claim))?
            }
        };
        Ok(YearSpan {
            year,
            span,
            days_of_year: whole.days(),
        })
    }

    /// All days of a year, whatever windows the pack has: what an evaluation looks at.
    pub fn whole(&self, year: i32) -> Result<YearSpan, TermsMistake> {
        let span = self.span(year).ok_or(TermsMistake::NoYear(year))?;
        if !self.covers(&span) {
            return Err(TermsMistake::NotValid(year));
        }
        Ok(YearSpan {
            year,
            span,
            days_of_year: span.days(),
        })
    }

    /// Year `year` as days; `None` beyond the calendar.
    pub fn span(&self, year: i32) -> Option<Span> {
        Some(Span {
            first_on: self.starts.of(year)?,
            last_on: self.starts.of(year.checked_add(1)?)?.pred_opt()?,
        })
    }

    /// The window that begins on `claim`, to the day before the next one or the end of the year; `None`: there is none.
    pub fn window(&self, year: i32, claim: MonthDay) -> Option<Span> {
        let span = self.span(year)?;
        let at = self.claims.iter().position(|other| *other == claim)?;
        let first_on = self.first_of(&span, claim)?;
        let last_on = match self.claims.get(at + 1) {
            Some(next) => self.first_of(&span, *next)?.pred_opt()?,
            None => span.last_on,
        };
        Some(Span { first_on, last_on })
    }

    fn first_of(&self, span: &Span, claim: MonthDay) -> Option<NaiveDate> {
        let this_year = claim.of(span.first_on.year())?;
        match span.contains(this_year) {
            true => Some(this_year),
            false => claim.of(span.first_on.year().checked_add(1)?),
        }
    }

    /// Whether the pack is valid on every day of a span.
    pub fn covers(&self, span: &Span) -> bool {
        let after = span.last_on.checked_add_days(Days::new(1));
        self.valid_from.is_none_or(|from| from <= span.first_on)
            && self
                .valid_until
                .is_none_or(|until| after.is_some_and(|after| after <= until))
    }
}

impl MonthDay {
    fn of(self, year: i32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(year, self.month, self.day)
    }
}

/// Reads `[year]`.
pub(super) fn read(node: &Node) -> Option<YearRule> {
    let table = node.table()?;
    let zone = only_optional(&table, "zone", ZONE.name());
    let usage = only_optional(&table, "usage_by", "ended_at");
    let income_by = match table.optional("income_by") {
        Some(node) => node.word(),
        None => Some(IncomeBy::PaidOn),
    };
    let starts = match table.optional("starts") {
        Some(node) => read_day(&node),
        None => Some(YearRule::default().starts),
    };
    let claims = match table.optional("claims") {
        Some(node) => read_claims(&node, starts),
        None => Some(Vec::new()),
    };
    let valid = match table.optional("valid") {
        Some(node) => read_valid(&node, starts),
        None => Some((None, None)),
    };
    table.finish();
    zone.and(usage)?;
    let (valid_from, valid_until) = valid?;
    Some(YearRule {
        starts: starts?,
        claims: claims?,
        valid_from,
        valid_until,
        income_by: income_by?,
    })
}

fn read_day(node: &Node) -> Option<MonthDay> {
    match node.text()?.parse() {
        Ok(day) => Some(day),
        Err(NotADay) => {
            let said = node.text()?;
            node.refuse((
                format!("{said:?} 不是日期：日期应写成 \"07-01\"，且每年都有这一天"),
                format!("{said:?}: {NotADay}"),
            ))
        }
    }
}

/// Windows come in the order of the year; days before the first belong to none.
fn read_claims(node: &Node, starts: Option<MonthDay>) -> Option<Vec<MonthDay>> {
    let claims = node.each(read_day)?;
    let starts = starts?;
    let place = |day: &MonthDay| (*day < starts, *day);
    let in_order = claims
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if place(a) < place(b)));
    if !in_order {
        return node.refuse((
            "申报窗口须按年度内的先后排列",
            "windows stand in the order in which they come within the year",
        ));
    }
    if claims.first().is_some_and(|first| *first != starts) {
        node.warn((
            "第一个窗口之前的日子不属于任何窗口",
            "days before the first window belong to none",
        ));
    }
    Some(claims)
}

fn read_valid(
    node: &Node,
    starts: Option<MonthDay>,
) -> Option<(Option<NaiveDate>, Option<NaiveDate>)> {
    let table: Table = node.table()?;
    let day = |name| match table.optional(name) {
        Some(node) => super::check::read_date(&node).map(Some),
        None => Some(None),
    };
    let (from, until) = (day("from"), day("until"));
    for (name, said) in [("from", from), ("until", until)] {
        if let (Some(Some(said)), Some(starts)) = (said, starts)
            && let Some(node) = table.optional(name)
        {
            warn_of_part_of_a_year(&node, said, starts);
        }
    }
    table.finish();
    let (from, until) = (from?, until?);
    if let (Some(from), Some(until)) = (from, until)
        && from >= until
    {
        return node.refuse((
            "from 须早于 until（until 不含在内）",
            "\"from\" must be before \"until\", which is not included",
        ));
    }
    Some((from, until))
}

/// A run is of a whole year, so a pack that begins or ends within one cannot be run for it.
fn warn_of_part_of_a_year(node: &Node, said: NaiveDate, starts: MonthDay) {
    let year = said.year();
    let begins = starts.of(year);
    if begins == Some(said) {
        return;
    }
    let next = match begins.is_some_and(|begins| said < begins) {
        true => begins,
        false => starts.of(year.saturating_add(1)),
    };
    let next = next.map(|day| day.to_string()).unwrap_or_default();
    node.warn((
        format!("{said} 在年度之中：此年度不完整，不能计算（until 不含在内）；整年写成 \"{next}\""),
        format!("{said} is within a year, which then cannot be run (\"until\" is not included); whole years are written \"{next}\""),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn rule(starts: &str, claims: &[&str]) -> YearRule {
        YearRule {
            starts: starts.parse().unwrap(),
            claims: claims.iter().map(|claim| claim.parse().unwrap()).collect(),
            valid_from: Some(day("2021-01-01")),
            valid_until: Some(day("2023-01-01")),
            ..YearRule::default()
        }
    }

    #[test]
    fn a_year_runs_to_the_day_before_the_next() {
        let span = rule("07-01", &[]).span(2025).unwrap();
        assert_eq!(span.first_on, day("2025-07-01"));
        assert_eq!(span.last_on, day("2026-06-30"));
        assert_eq!(span.days(), 365);
        assert_eq!(YearRule::default().span(2024).unwrap().days(), 366);
        assert_eq!(YearRule::default().span(i32::MAX), None);
    }

    #[test]
    fn windows_part_the_year() {
        let half = rule("07-01", &["07-01", "01-01"]);
        let window = |claim: &str| half.window(2025, claim.parse().unwrap());
        let first = window("07-01").unwrap();
        assert_eq!(
            (first.first_on, first.last_on),
            (day("2025-07-01"), day("2025-12-31"))
        );
        let second = window("01-01").unwrap();
        assert_eq!(
            (second.first_on, second.last_on),
            (day("2026-01-01"), day("2026-06-30"))
        );
        assert_eq!(window("02-01"), None);
    }

    #[test]
    fn validity_covers_whole_years() {
        let rule = rule("01-01", &[]);
        for (year, valid) in [(2020, false), (2021, true), (2022, true), (2023, false)] {
            assert_eq!(rule.covers(&rule.span(year).unwrap()), valid, "{year}");
        }
    }

    #[test]
    fn what_is_no_day_of_every_year_is_refused() {
        for text in ["02-29", "13-01", "1-1", "0101", "01-32", "", "01-01-01"] {
            assert_eq!(text.parse::<MonthDay>(), Err(NotADay), "{text}");
        }
    }
}
