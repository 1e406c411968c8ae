//! A look into an XLSX before it is parsed: that it is a ZIP, unpacks to a bounded size, and does not make the parser reserve
//! memory for cells that are not there.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::fault::of_file;
use super::{MAX_FILE_BYTES, MAX_UNPACKED_BYTES};
use crate::domain::{Code, Fault};

/// Excel's own files have a few dozen parts.
const MAX_PARTS: usize = 2_000;

/// The parser trusts this attribute of the shared strings and reserves memory for so many.
const COUNT_ATTRIBUTE: &str = "uniqueCount";
const MAX_SHARED_STRINGS: usize = 4_000_000;

/// What the look found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inspected {
    /// Some part speaks of merged cells; whether the sheet has any is for the parser to say.
    pub(super) mentions_merged: bool,
    /// So many digits some numbers are shown with at least: the zeros before them are no part of what their cells hold.
    pub(super) digits_shown: usize,
}

pub(super) fn inspect(bytes: &[u8]) -> Result<Inspected, Fault> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(too_large(MAX_FILE_BYTES));
    }
    if !bytes.starts_with(b"PK\x03\x04") {
        return Err(not_a_spreadsheet());
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| not_a_spreadsheet())?;
    if archive.len() > MAX_PARTS {
        return Err(too_large(MAX_PARTS));
    }
    let mut inspected = Inspected {
        mentions_merged: false,
        digits_shown: 0,
    };
    let (mut content, mut left) = (Vec::new(), MAX_UNPACKED_BYTES);
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(|_| not_a_spreadsheet())?;
        let name = part.name().map_err(|_| not_a_spreadsheet())?;
        let strings = name.to_ascii_lowercase().ends_with("sharedstrings.xml");
        let styles = name.to_ascii_lowercase().ends_with("styles.xml");
        unpack(part, left, &mut content)?;
        left -= content.len();
        let text = std::str::from_utf8(&content).ok();
        inspected.mentions_merged |= text.is_none_or(|text| text.contains("mergeCell"));
        if let Some(text) = text.filter(|_| styles) {
            inspected.digits_shown = digits_shown(text);
        }
        if strings && text.is_none_or(|text| text.contains('\0') || promises_too_much(text)) {
            return Err(not_a_spreadsheet());
        }
    }
    Ok(inspected)
}

/// Unpacks whatever the directory says about the size, but at most `left` bytes.
fn unpack(part: impl Read, left: usize, content: &mut Vec<u8>) -> Result<(), Fault> {
    content.clear();
    let bound = u64::try_from(left).unwrap_or(u64::MAX).saturating_add(1);
    let read = part.take(bound).read_to_end(content);
    if content.len() > left {
        return Err(too_large(MAX_UNPACKED_BYTES));
    }
    read.map(|_| ()).map_err(|_| not_a_spreadsheet())
}

fn promises_too_much(text: &str) -> bool {
    text.split(COUNT_ATTRIBUTE).skip(1).any(|rest| {
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || "=\"'".contains(c));
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
        let digits = digits.unwrap_or("").trim_start_matches('0');
        !digits.is_empty() && !digits.parse().is_ok_and(|n: usize| n <= MAX_SHARED_STRINGS)
    })
}

/// The longest number format of zeros alone, as `000000`.
fn digits_shown(styles: &str) -> usize {
    let formats = styles.split("formatCode").skip(1).filter_map(|rest| {
        let rest = rest.trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next()?;
        let format = rest.get(quote.len_utf8()..)?.split(quote).next()?;
        let is_zeros = format.len() > 1 && format.bytes().all(|byte| byte == b'0');
        is_zeros.then_some(format.len())
    });
    formats.max().unwrap_or(0)
}

pub(super) fn not_a_spreadsheet() -> Fault {
    of_file(Code::not_a_spreadsheet)
}

pub(super) fn too_large(limit: usize) -> Fault {
    of_file(Code::file_too_large).limit(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_of_a_billion_strings_is_not_believed() {
        for (text, too_much) in [
            ("<sst uniqueCount=\"12\">", false),
            ("<sst uniqueCount=\"4000001\">", true),
            ("<x:sst a=\"1\" uniqueCount = '99999999999999999999'>", true),
            (
                "<!-- uniqueCount=\"1\" --><sst uniqueCount=\"5000000\"/>",
                true,
            ),
            ("<sst>", false),
        ] {
            assert_eq!(promises_too_much(text), too_much, "{text}");
        }
    }

    #[test]
    fn numbers_shown_with_zeros_are_seen_in_the_styles() {
        for (text, digits) in [
            ("<numFmt numFmtId=\"164\" formatCode=\"000000\"/>", 6),
            (
                "<numFmt formatCode = '00'/><numFmt formatCode=\"0000\"/>",
                4,
            ),
            ("<numFmt formatCode=\"0\"/><numFmt formatCode=\"0.00\"/>", 0),
            ("<numFmt formatCode=\"yyyy-mm-dd\"/>", 0),
            ("formatCode", 0),
            ("", 0),
        ] {
            assert_eq!(digits_shown(text), digits, "{text}");
        }
    }

    #[test]
    fn unpacking_stops_at_its_bound() {
        let mut content = Vec::new();
        assert!(unpack(&[0_u8; 10][..], 10, &mut content).is_ok());
        let fault = unpack(std::io::repeat(0), 10, &mut content).unwrap_err();
        assert_eq!(fault.code, Code::file_too_large);
        assert_eq!(content.len(), 11);
    }
}
