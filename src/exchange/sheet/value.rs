//! From a cell to a typed value. Spreadsheet programs rewrite what people type (2026-03-01 becomes 2026/3/1), so the
//! unambiguous spellings are accepted; what would need a guess is refused.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};

use super::MAX_CELL_CHARS;
use super::apostrophe::{NUMBER_DIGITS, looks_rounded};
use super::cell::Cell;
use crate::domain::id::MAX_SAFE_INTEGER;
use crate::domain::{Code, Fault};
use crate::domain::{Fen, Instant, NotAnInstant};

/// `is_exact`: no program can have taken the text for a number and written it in its own way.
pub(super) fn text(cell: &Cell<'_>, is_exact: bool) -> Result<String, Fault> {
    let text = match cell {
        Cell::Text(text) => text.trim().to_owned(),
        Cell::Integer(_) | Cell::Decimal(_) => digits_kept(cell.to_string())?,
        _ => return Err(Fault::request(Code::not_text)),
    };
    if !is_exact && looks_rounded(&text) {
        return Err(Fault::request(Code::digits_lost).limit(NUMBER_DIGITS));
    }
    if text.chars().nth(MAX_CELL_CHARS).is_some() {
        return Err(Fault::request(Code::text_too_long).limit(MAX_CELL_CHARS));
    }
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(Fault::request(Code::control_character));
    }
    Ok(text)
}

fn digits_kept(number: String) -> Result<String, Fault> {
    let digits = number.trim_start_matches(['-', '0', '.']);
    if digits.bytes().filter(u8::is_ascii_digit).count() > NUMBER_DIGITS {
        return Err(Fault::request(Code::digits_lost).limit(NUMBER_DIGITS));
    }
    Ok(number)
}

pub(super) fn integer(cell: &Cell<'_>) -> Result<i64, Fault> {
    let wrong = || Fault::request(Code::not_an_integer);
    match cell {
        Cell::Integer(number) => Ok(*number),
        Cell::Text(text) => {
            let text = text.trim();
            let digits = text.strip_prefix('-').unwrap_or(text);
            if !is_digits(digits) {
                return Err(wrong());
            }
            text.parse()
                .map_err(|_| Fault::request(Code::out_of_range).limit(i64::MAX))
        }
        _ => Err(wrong()),
    }
}

pub(super) fn count(cell: &Cell<'_>) -> Result<u32, Fault> {
    u32::try_from(integer(cell)?)
        .map_err(|_| Fault::request(Code::out_of_range).limit(format!("0 … {}", u32::MAX)))
}

pub(super) fn fen(cell: &Cell<'_>) -> Result<Fen, Fault> {
    let amount = integer(cell).map_err(|wrong| match wrong.code {
        Code::not_an_integer => Fault::request(Code::not_an_amount),
        _ => out_of_amounts(),
    })?;
    amount_of(amount)
}

pub(super) fn fen_of_yuan(cell: &Cell<'_>) -> Result<Fen, Fault> {
    let wrong = || Fault::request(Code::not_an_amount).limit("0.01");
    let digits = decimal(cell).map_err(|_| wrong())?;
    let (yuan, cents) = digits.split_once('.').unwrap_or((&digits, ""));
    if cents.len() > 2 {
        return Err(wrong());
    }
    let fen = format!("{yuan}{cents:0<2}");
    amount_of(fen.parse().map_err(|_| out_of_amounts())?)
}

fn amount_of(fen: i64) -> Result<Fen, Fault> {
    if (0..=MAX_SAFE_INTEGER).contains(&fen) {
        Ok(Fen::new(fen))
    } else {
        Err(out_of_amounts())
    }
}

fn out_of_amounts() -> Fault {
    Fault::request(Code::out_of_range).limit(format!("0 … {MAX_SAFE_INTEGER}"))
}

pub(super) fn decimal(cell: &Cell<'_>) -> Result<String, Fault> {
    let text = match cell {
        Cell::Text(text) => text.trim().to_owned(),
        Cell::Integer(_) | Cell::Decimal(_) => cell.to_string(),
        _ => return Err(Fault::request(Code::not_a_decimal)),
    };
    let unsigned = text.strip_prefix('-').unwrap_or(&text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    if text.len() <= 40 && is_digits(whole) && is_digits(fraction) {
        Ok(text)
    } else {
        Err(Fault::request(Code::not_a_decimal))
    }
}

pub(super) fn truth(cell: &Cell<'_>) -> Result<bool, Fault> {
    match cell {
        Cell::Truth(truth) => return Ok(*truth),
        Cell::Text(text) => match text.trim() {
            "true" | "TRUE" | "是" => return Ok(true),
            "false" | "FALSE" | "否" => return Ok(false),
            _ => {}
        },
        _ => {}
    }
    Err(Fault::request(Code::not_a_boolean).limit("true | false | 是 | 否"))
}

pub(super) fn date(cell: &Cell<'_>) -> Result<NaiveDate, Fault> {
    let date = match cell {
        Cell::Date(date) => Some(*date),
        Cell::Wall(wall) if wall.time() == NaiveTime::MIN => Some(wall.date()),
        Cell::Text(text) => date_of(text.trim()),
        _ => None,
    };
    date.filter(|date| (1900..=2199).contains(&date.year()))
        .ok_or_else(|| Fault::request(Code::not_a_date).limit("YYYY-MM-DD"))
}

pub(super) fn instant(cell: &Cell<'_>) -> Result<Instant, Fault> {
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
    instant.ok_or_else(|| Fault::request(Code::not_an_instant).limit("2026-03-01T09:00:00+08:00"))
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
    fn code<T>(result: Result<T, Fault>) -> Option<Code> {
        result.err().map(|wrong| wrong.code)
    }

    #[test]
    fn numbers_are_plain_digits() {
        assert_eq!(integer(&"-12".into()), Ok(-12));
        for (given, refused) in [
            ("1.0", Code::not_an_integer),
            ("1,000", Code::not_an_integer),
            ("+1", Code::not_an_integer),
            ("１", Code::not_an_integer),
            ("99999999999999999999", Code::out_of_range),
        ] {
            assert_eq!(code(integer(&given.into())), Some(refused), "{given}");
        }
        assert_eq!(code(count(&"-1".into())), Some(Code::out_of_range));
        assert_eq!(decimal(&"3.5".into()), Ok("3.5".to_owned()));
        for given in ["3.", ".5", "1e3", "3,5", "-"] {
            assert_eq!(
                code(decimal(&given.into())),
                Some(Code::not_a_decimal),
                "{given}"
            );
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
            ("1.005", Code::not_an_amount),
            ("-1", Code::out_of_range),
            ("x", Code::not_an_amount),
            ("90071992547409.92", Code::out_of_range),
            ("999999999999999999999", Code::out_of_range),
        ] {
            assert_eq!(code(fen_of_yuan(&given.into())), Some(refused), "{given}");
        }
        assert_eq!(fen(&Cell::Integer(5)), Ok(Fen::new(5)));
        assert_eq!(code(fen(&"1.5".into())), Some(Code::not_an_amount));
        assert_eq!(code(fen(&"-5".into())), Some(Code::out_of_range));
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
            assert_eq!(code(date(&given.into())), Some(Code::not_a_date), "{given}");
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
            assert_eq!(
                code(instant(&given.into())),
                Some(Code::not_an_instant),
                "{given}"
            );
        }
        let wall = nine.local();
        assert_eq!(instant(&Cell::Wall(wall)), Ok(nine));
        assert_eq!(code(date(&Cell::Wall(wall))), Some(Code::not_a_date));
    }

    #[test]
    fn texts_have_bounds() {
        assert_eq!(text(&" 扫描电镜 ".into(), false), Ok("扫描电镜".to_owned()));
        assert_eq!(
            text(&Cell::Integer(25_000_872), false),
            Ok("25000872".to_owned())
        );
        assert_eq!(
            code(text(&Cell::Integer(1_234_567_890_123_456), false)),
            Some(Code::digits_lost)
        );
        assert_eq!(
            code(text(&"1.21303E+17".into(), false)),
            Some(Code::digits_lost)
        );
        assert_eq!(
            code(text(&"121303000000000000".into(), false)),
            Some(Code::digits_lost)
        );
        for exact in ["1.21303E+17", "121303000000000000"] {
            assert_eq!(text(&exact.into(), true), Ok(exact.to_owned()));
        }
        assert_eq!(text(&"1E+17".into(), false), Ok("1E+17".to_owned()));
        assert_eq!(code(text(&Cell::Truth(true), false)), Some(Code::not_text));
        assert_eq!(
            code(text(&"a\0b".into(), false)),
            Some(Code::control_character)
        );
        let long = "字".repeat(MAX_CELL_CHARS + 1);
        assert_eq!(
            code(text(&long.as_str().into(), false)),
            Some(Code::text_too_long)
        );
    }

    #[test]
    fn truths_in_both_languages() {
        for (given, means) in [("true", true), ("否", false), ("TRUE", true), ("是", true)] {
            assert_eq!(truth(&given.into()), Ok(means));
        }
        assert_eq!(code(truth(&"1".into())), Some(Code::not_a_boolean));
    }
}
