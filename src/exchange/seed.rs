//! The tables a new installation starts with: regions, instrument categories, public holidays, disciplines, test services.
//! Each as typed rows in the order of the file, with the file's SHA-256.

use std::io::Read;

use super::sheet::{Column, Kind, Row, Stream};
use crate::domain::{Code, Fault};
use crate::operations::reference::{Category, Discipline, Holiday, Region, TestItem};

/// The rows and the SHA-256 in hexadecimal of a file, or everything that is wrong with it.
pub type Table<T> = Result<(Vec<T>, String), Vec<Fault>>;

const CODE: Column = Column::plain("code", Kind::Text).required();
const PARENT: Column = Column::plain("parent", Kind::Text);
const NAME: Column = Column::plain("name", Kind::Text).required();

pub fn regions(input: impl Read) -> Table<Region> {
    const COLUMNS: &[Column] = &[
        CODE,
        PARENT,
        Column::plain("level", Kind::Text).required(),
        NAME,
        Column::plain("gbt2260", Kind::Integer).required(),
    ];
    rows(input, COLUMNS, |row| {
        let (code, parent, name) = (row.text("code"), row.text("parent"), row.text("name"));
        let (level, gbt2260) = (row.word("level"), zero_or_one(row, "gbt2260"));
        Some(Region {
            code: code?,
            parent,
            level: level?,
            name: name?,
            gbt2260: gbt2260?,
        })
    })
}

pub fn categories(input: impl Read) -> Table<Category> {
    rows(input, &[CODE, PARENT, NAME], |row| {
        let (code, parent, name) = (row.text("code"), row.text("parent"), row.text("name"));
        Some(Category {
            code: code?,
            parent,
            name: name?,
        })
    })
}

/// The holidays that ship with the program.
pub fn shipped_holidays() -> Table<Holiday> {
    holidays(&include_bytes!("../../seeds/public_holidays.csv")[..])
}

pub fn holidays(input: impl Read) -> Table<Holiday> {
    const COLUMNS: &[Column] = &[
        Column::plain("date", Kind::Date).required(),
        Column::plain("kind", Kind::Text).required(),
        Column::plain("festival", Kind::Text).required(),
    ];
    rows(input, COLUMNS, |row| {
        let (date, kind, festival) = (row.date("date"), row.word("kind"), row.text("festival"));
        Some(Holiday {
            holiday_on: date?,
            kind: kind?,
            festival: festival?,
        })
    })
}

pub fn subjects(input: impl Read) -> Table<Discipline> {
    rows(input, &[CODE, NAME], |row| {
        let (code, name) = (row.text("code"), row.text("name"));
        Some(Discipline {
            code: code?,
            name: name?,
        })
    })
}

pub fn test_services(input: impl Read) -> Table<TestItem> {
    const COLUMNS: &[Column] = &[
        Column::plain("test_item", Kind::Text).required(),
        Column::plain("condition", Kind::Text).required(),
        Column::plain("unit_price_fen", Kind::Fen).required(),
        Column::plain("code", Kind::Text),
        Column::plain("method_standard", Kind::Text),
    ];
    rows(input, COLUMNS, |row| {
        let (test_item, condition) = (row.text("test_item"), row.text("condition"));
        let (price, code) = (row.fen("unit_price_fen"), row.text("code"));
        let method_standard = row.text("method_standard");
        Some(TestItem {
            name: test_item?,
            test_condition: condition?,
            code,
            method_standard,
            price_fen: price?,
        })
    })
}

fn rows<T>(
    input: impl Read,
    columns: &'static [Column],
    each: fn(&mut Row<'_>) -> Option<T>,
) -> Table<T> {
    let (rows, sha256) = Stream::open(input, columns, each)?.collect_all()?;
    Ok((rows.into_iter().map(|row| row.value).collect(), sha256))
}

fn zero_or_one(row: &mut Row<'_>, name: &str) -> Option<bool> {
    match row.integer(name)? {
        0 => Some(false),
        1 => Some(true),
        _ => {
            row.refuse(name, Code::out_of_range);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fen;
    use crate::domain::calendar::DayKind;

    #[test]
    fn the_seeds_of_the_package_are_whole() {
        let (regions, _) = regions(&include_bytes!("../../seeds/regions.csv")[..]).unwrap();
        assert_eq!(regions.len(), 235);
        assert_eq!(regions.iter().filter(|r| !r.gbt2260).count(), 23);
        let (categories, _) =
            categories(&include_bytes!("../../seeds/instrument_categories.csv")[..]).unwrap();
        assert_eq!(categories.len(), 15 + 93 + 631);
        let (holidays, _) =
            holidays(&include_bytes!("../../seeds/public_holidays.csv")[..]).unwrap();
        let workdays = holidays.iter().filter(|h| h.kind == DayKind::Workday);
        assert_eq!((holidays.len(), workdays.count()), (322, 59));
        let (subjects, _) = subjects(&include_bytes!("../../seeds/subjects.csv")[..]).unwrap();
        assert_eq!(subjects.len(), 62);
        let (services, _) =
            test_services(&include_bytes!("../../seeds/test_services.csv")[..]).unwrap();
        assert_eq!(services.len(), 48);
        assert_eq!(services.iter().filter(|s| s.code.is_none()).count(), 3);
        assert_eq!(services[0].price_fen, Fen::new(120_000));
    }

    #[test]
    fn a_flag_is_zero_or_one() {
        let faults = regions(&b"code,parent,level,name,gbt2260\n1,,city,X,2\n"[..]).unwrap_err();
        let seen = (faults[0].row(), faults[0].name(), faults[0].code);
        assert_eq!(seen, (2, "gbt2260", Code::out_of_range));
    }
}
