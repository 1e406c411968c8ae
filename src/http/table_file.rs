//! A table as a request carries it: which types it may have, and in which format it is.

use actix_web::web::Bytes;

use super::context::RequestContext;
use crate::error::AppError;
use crate::exchange::sheet::Format;

const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// What browsers beside a spreadsheet program call every file of its, a CSV too.
const EXCEL: &str = "application/vnd.ms-excel";

/// The types of a table.
pub const TABLES: &[&str] = &[CSV, XLSX, EXCEL];

/// The table that was sent.
pub fn sent(context: &RequestContext) -> Result<(Bytes, Format), AppError> {
    let bytes = context.file(TABLES)?.clone();
    let format = match context.media_type().as_str() {
        CSV => Format::Csv,
        EXCEL if !bytes.starts_with(b"PK") => Format::Csv,
        _ => Format::Xlsx,
    };
    Ok((bytes, format))
}
