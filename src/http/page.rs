//! What can be printed is answered as pages where the client asks for them.

use super::answer::Answer;
use super::context::RequestContext;
use crate::error::AppError;
use crate::exchange::document::{Document, Format, PageFormat};
use crate::exchange::yearly_run;

/// JSON unless pages are asked for.
pub fn asked(context: &RequestContext) -> Result<PageFormat, AppError> {
    let asked = context.params()?.one("format")?;
    Ok(asked.unwrap_or(PageFormat::Json))
}

/// 200 with the document as PDF; 409 `pdf_font_missing` where the server has no Chinese font.
pub async fn answer(context: &RequestContext, document: Document, name: &str) -> Answer {
    let (app, format) = (&context.app, Format::Pdf);
    let bytes = yearly_run::write(app, document, format, context.now).await?;
    context.download(format.media_type(), name, bytes)
}
