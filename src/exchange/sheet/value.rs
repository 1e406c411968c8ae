//! From a cell to a typed value. Spreadsheet programs rewrite what people type (2026-03-01 becomes 2026/3/1), so the
//! unambiguous spellings are accepted; what would need a guess is refused.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};

use super::MAX_CELL_CHARS;
use super::cell::Cell;
use super::fault::FaultCode;
use crate::domain::id::MAX_SAFE_INTEGER;
use crate::domain::{Fen, Instant, NotAnInstant};

/// Why a cell does not hold what its column wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) code: FaultCode,
    pub(super) limit: Option<String>,
    pub(super) did_you_mean: Option<&'static str>,
}

impl Wrong {
    pub(super) fn new(code: FaultCode) -> Self {
        Self {
            code,
            limit: None,
            did_you_mean: None,
        }
    }

    fn limit(self, limit: impl ToString) -> Self {
        let limit = Some(limit.to_string());
        Self { limit, ..self }
    }
}

/// Numbers keep so many digits in a spreadsheet; longer ones must be entered as text.
const NUMBER_DIGITS: usize = 15;

pub(super) fn text(cell: &Cell<'_>) -> Result<String, Wrong> {
    let text = match cell {
        Cell::Text(text) => text.trim().to_owned(),
        Cell::Integer(_) | Cell::Decimal(_) => digits_kept(cell.to_string())?,
        _ => return Err(Wrong::new(FaultCode::NotText)),
    };
    if is_scientific(&text) {
        return Err(Wrong::new(FaultCode::DigitsLost).limit(NUMBER_DIGITS));
    }
    if text.chars().nth(MAX_CELL_CHARS).is_some() {
        return Err(Wrong::new(FaultCode::TextTooLong).limit(MAX_CELL_CHARS));
    }
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(Wrong::new(FaultCode::ControlCharacter));
    }
    Ok(text)
}

/// Whether the text is what Excel leaves of a long number when it saves CSV: `1.21303E+17`.
fn is_scientific(text: &str) -> bool {
    text.split_once("E+").is_some_and(|(digits, exponent)| {
        let parts = digits.split_once('.');
        parts.is_some_and(|(whole, rest)| whole.len() == 1 && is_digits(whole) && is_digits(rest))
            && exponent.len() == 2
            && is_digits(exponent)
    })
}

fn digits_kept(number: String) -> Result<String, Wrong> {
    let digits = number.trim_start_matches(['-', '0', '.']);
    if digits.bytes().filter(u8::is_ascii_digit).count() > NUMBER_DIGITS {
        return Err(Wrong::new(FaultCode::DigitsLost).limit(NUMBER_DIGITS));
    }
    Ok(number)
}

pub(super) fn integer(cell: &Cell<'_>) -> Result<i64, Wrong> {
    let wrong = || Wrong::new(FaultCode::NotAnInteger);
    match cell {
        Cell::Integer(number) => Ok(*number),
        Cell::Text(text) => {
            let text = text.trim();
            let digits = text.strip_prefix('-').unwrap_or(text);
            if !is_digits(digits) {
                return Err(wrong());
            }
            text.parse()
                .map_err(|_| Wrong::new(FaultCode::OutOfRange).limit(i64::MAX))
        }
        _ => Err(wrong()),
    }
}

pub(super) fn count(cell: &Cell<'_>) -> Result<u32, Wrong> {
    u32::try_from(integer(cell)?)
        .map_err(|_| Wrong::new(FaultCode::OutOfRange).limit(format!("0 … {}", u32::MAX)))
}

pub(super) fn fen(cell: &Cell<'_>) -> Result<Fen, Wrong> {
    let amount = integer(cell).map_err(|wrong| match wrong.code {
        FaultCode::NotAnInteger => Wrong::new(FaultCode::NotAnAmount),
        _ => out_of_amounts(),
    })?;
    amount_of(amount)
}

pub(super) fn fen_of_yuan(cell: &Cell<'_>) -> Result<Fen, Wrong> {
    let wrong = || Wrong::new(FaultCode::NotAnAmount).limit("0.01");
    let digits = decimal(cell).map_err(|_| wrong())?;
    let (yuan, cents) = digits.split_once('.').unwrap_or((&digits, ""));
    if cents.len() > 2 {
        return Err(wrong());
    }
    let fen = format!("{yuan}{cents:0<2}");
    amount_of(fen.parse().map_err(|_| out_of_amounts())?)
}

fn amount_of(fen: i64) -> Result<Fen, Wrong> {
    if (0..=MAX_SAFE_INTEGER).contains(&fen) {
        Ok(Fen::new(fen))
    } else {
        Err(out_of_amounts())
    }
}

fn out_of_amounts() -> Wrong {
    Wrong::new(FaultCode::OutOfRange).limit(format!("0 … {MAX_SAFE_INTEGER}"))
}

pub(super) fn decimal(cell: &Cell<'_>) -> Result<String, Wrong> {
    let text = match cell {
        Cell::Text(text) => text.trim().to_owned(),
        Cell::Integer(_) | Cell::Decimal(_) => cell.to_string(),
        _ => return Err(Wrong::new(FaultCode::NotADecimal)),
    };
    let unsigned = text.strip_prefix('-').unwrap_or(&text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    if text.len() <= 40 && is_digits(whole) && is_digits(fraction) {
        Ok(text)
    } else {
        Err(Wrong::new(FaultCode::NotADecimal))
    }
}

pub(super) fn truth(cell: &Cell<'_>) -> Result<bool, Wrong> {
    match cell {
        Cell::Truth(truth) => return Ok(*truth),
        Cell::Text(text) => match text.trim() {
            "true" | "TRUE" | "是" => return Ok(true),
            "false" | "FALSE" | "否" => return Ok(false),
            _ => {}
        },
        _ => {}
    }
    Err(Wrong::new(FaultCode::NotABoolean).limit("true | false | 是 | 否"))
}

pub(super) fn date(cell: &Cell<'_>) -> Result<NaiveDate, Wrong> {
    let date = match cell {
        Cell::Date(date) => Some(*date),
        Cell::Wall(wall) if wall.time() == NaiveTime::MIN => Some(wall.date()),
        Cell::Text(text) => date_of(text.trim()),
        _ => None,
    };
    date.filter(|date| (1900..=2199).contains(&date.year()))
        .ok_or_else(|| Wrong::new(FaultCode::NotADate).limit("YYYY-MM-DD"))
}

pub(super) fn instant(cell: &Cell<'_>) -> Result<Instant, Wrong> {
    let instant = match cell {
        Cell::Wall(wall) => Some(*wall).filter(in_years).map(Instant::at_local),
        Cell::Text(text) => {
            let text = text.trim();
            match text.parse::<Instant>() {
                Err(NotAnInstant::Unparsable) => {
                    wall_of(text).filter(in_years).map(Instant::at_local)
                }
                parsed => parsed.ok(),
            }
        }
        _ => None,
    };
    instant.ok_or_else(|| Wrong::new(FaultCode::NotAnInstant).limit("2026-03-01T09:00:00+08:00"))
}

fn in_years(wall: &NaiveDateTime) -> bool {
    (1900..=2199).contains(&wall.year())
}

fn date_of(text: &str) -> Option<NaiveDate> {
    let mark = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.split(mark);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    NaiveDate::from_ymd_opt(
        i32::try_from(small(year)?).ok()?,
        small(month)?,
        small(day)?,
    )
}

fn wall_of(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let mut parts = time.trim_start().split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parts.next().unwrap_or("0");
    if parts.next().is_some() || minute.len() != 2 {
        return None;
    }
    date_of(date)?.and_hms_opt(small(hour)?, small(minute)?, small(second)?)
}

fn small(digits: &str) -> Option<u32> {
    (is_digits(digits) && digits.len() <= 4)
        .then(|| digits.parse().ok())
        .flatten()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use FaultCode::*;

    fn code<T>(result: Result<T, Wrong>) -> Option<FaultCode> {
        result.err().map(|wrong| wrong.code)
    }

    #[test]
    fn numbers_are_plain_digits() {
        assert_eq!(integer(&"-12".into()), Ok(-12));
        for (given, refused) in [
            ("1.0", NotAnInteger),
            ("1,000", NotAnInteger),
            ("+1", NotAnInteger),
            ("１", NotAnInteger),
            ("99999999999999999999", OutOfRange),
        ] {
            assert_eq!(code(integer(&given.into())), Some(refused), "{given}");
        }
        assert_eq!(code(count(&"-1".into())), Some(OutOfRange));
        assert_eq!(decimal(&"3.5".into()), Ok("3.5".to_owned()));
        for given in ["3.", ".5", "1e3", "3,5", "-"] {
            assert_eq!(code(decimal(&given.into())), Some(NotADecimal), "{given}");
        }
    }

    #[test]
    fn yuan_become_fen_exactly() {
        for (given, amount) in [
            ("199999.99", 19_999_999),
            ("200000", 20_000_000),
            ("0.1", 10),
            ("90071992547409.91", MAX_SAFE_INTEGER),
        ] {
            assert_eq!(fen_of_yuan(&given.into()), Ok(Fen::new(amount)), "{given}");
        }
        for (given, refused) in [
            ("1.005", NotAnAmount),
            ("-1", OutOfRange),
            ("x", NotAnAmount),
            ("90071992547409.92", OutOfRange),
            ("999999999999999999999", OutOfRange),
        ] {
            assert_eq!(code(fen_of_yuan(&given.into())), Some(refused), "{given}");
        }
        assert_eq!(fen(&Cell::Integer(5)), Ok(Fen::new(5)));
        assert_eq!(code(fen(&"1.5".into())), Some(NotAnAmount));
        assert_eq!(code(fen(&"-5".into())), Some(OutOfRange));
    }

    #[test]
    fn dates_and_moments_in_the_spellings_of_spreadsheets() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let nine: Instant = "2026-03-01T09:00:00+08:00".parse().unwrap();
        for given in ["2026-03-01", "2026/3/1", " 2026-3-1 "] {
            assert_eq!(date(&given.into()), Ok(day), "{given}");
        }
        for given in [
            "2026-02-30",
            "01.03.2026",
            "3/1/2026",
            "2026-03",
            "0999-01-01",
            "46082",
        ] {
            assert_eq!(code(date(&given.into())), Some(NotADate), "{given}");
        }
        for given in [
            "2026-03-01T01:00:00Z",
            "2026-03-01 09:00",
            "2026/3/1 9:00",
            "2026-03-01T09:00:00",
        ] {
            assert_eq!(instant(&given.into()), Ok(nine), "{given}");
        }
        for given in [
            "2026-03-01",
            "2026-03-01T09:00:00.5Z",
            "9999-01-01T00:00:00Z",
            "2026/3/1 9",
            "9:00",
        ] {
            assert_eq!(code(instant(&given.into())), Some(NotAnInstant), "{given}");
        }
        let wall = nine.local();
        assert_eq!(instant(&Cell::Wall(wall)), Ok(nine));
        assert_eq!(code(date(&Cell::Wall(wall))), Some(NotADate));
    }

    #[test]
    fn texts_have_bounds() {
        assert_eq!(text(&" 扫描电镜 ".into()), Ok("扫描电镜".to_owned()));
        assert_eq!(text(&Cell::Integer(25_000_872)), Ok("25000872".to_owned()));
        assert_eq!(
            code(text(&Cell::Integer(1_234_567_890_123_456))),
            Some(DigitsLost)
        );
        assert_eq!(code(text(&"1.21303E+17".into())), Some(DigitsLost));
        assert_eq!(text(&"1E+17".into()), Ok("1E+17".to_owned()));
        assert_eq!(code(text(&Cell::Truth(true))), Some(NotText));
        assert_eq!(code(text(&"a\0b".into())), Some(ControlCharacter));
        let long = "字".repeat(MAX_CELL_CHARS + 1);
        assert_eq!(code(text(&long.as_str().into())), Some(TextTooLong));
    }

    #[test]
    fn truths_in_both_languages() {
        for (given, means) in [("true", true), ("否", false), ("TRUE", true), ("是", true)] {
            assert_eq!(truth(&given.into()), Ok(means));
        }
        assert_eq!(code(truth(&"1".into())), Some(NotABoolean));
    }
}
