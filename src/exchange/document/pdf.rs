//! A document as PDF: its pages, and the glyphs they use embedded, so that it looks alike everywhere and its text can be copied.

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::Document;
use super::font::{Font, FontError, Typeface};
use super::layout::{self, PAGE, Page};
use crate::error::text::Language;

const CATALOG: Ref = Ref::new(1);
const TREE: Ref = Ref::new(2);
const FONT: Ref = Ref::new(3);
const GLYPHS: Ref = Ref::new(4);
const DESCRIPTOR: Ref = Ref::new(5);
const OUTLINES: Ref = Ref::new(6);
const UNICODE: Ref = Ref::new(7);
const INFO: Ref = Ref::new(8);
/// The first page; each has its content behind it.
const FIRST: i32 = 9;
const FONT_NAME: Name<'_> = Name(b"YIQIAA+Notice");
const IDENTITY: SystemInfo<'_> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

pub fn write(document: &Document, font: &Font) -> Result<Vec<u8>, FontError> {
    let mut face = font.typeface()?;
    let pages = layout::pages(document, &face);
    let mut pdf = Pdf::new();
    let language = match document.language {
        Language::Chinese => "zh-CN",
        Language::English => "en",
    };
    pdf.catalog(CATALOG).pages(TREE).lang(TextStr(language));
    pdf.document_info(INFO).title(TextStr(&document.title));
    let numbers = pages.iter().zip((FIRST..).step_by(2));
    let kids: Vec<Ref> = numbers.clone().map(|(_, at)| Ref::new(at)).collect();
    let count = i32::try_from(kids.len()).unwrap_or(i32::MAX);
    pdf.pages(TREE).kids(kids).count(count);
    for (page, at) in numbers {
        let content = Ref::new(at + 1);
        let mut written = pdf.page(Ref::new(at));
        written.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1));
        written.parent(TREE).contents(content);
        written.resources().fonts().pair(Name(b"F"), FONT);
        written.finish();
        pdf.stream(content, &contents(page, &mut face));
    }
    write_font(&mut pdf, &face)?;
    Ok(pdf.finish())
}

fn contents(page: &Page, face: &mut Typeface<'_>) -> Vec<u8> {
    let mut content = Content::new();
    content.set_line_width(0.4);
    for (from, to, y) in &page.rules {
        content.move_to(*from, *y).line_to(*to, *y).stroke();
    }
    for line in &page.lines {
        content.begin_text().set_font(Name(b"F"), line.size);
        content.next_line(line.at.0, line.at.1);
        content.show(Str(&face.encode(&line.text))).end_text();
    }
    content.finish().into_vec()
}

fn write_font(pdf: &mut Pdf, face: &Typeface<'_>) -> Result<(), FontError> {
    let part = face.part()?;
    let measures = face.measures();
    pdf.type0_font(FONT)
        .base_font(FONT_NAME)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(GLYPHS)
        .to_unicode(UNICODE);
    let mut glyphs = pdf.cid_font(GLYPHS);
    glyphs.subtype(match part.is_compact {
        true => CidFontType::Type0,
        false => CidFontType::Type2,
    });
    glyphs.base_font(FONT_NAME).system_info(IDENTITY);
    glyphs.font_descriptor(DESCRIPTOR).default_width(1000.0);
    if !part.is_compact {
        glyphs.cid_to_gid_map_predefined(Name(b"Identity"));
    }
    let mut widths = glyphs.widths();
    for (number, (_, width)) in face.used() {
        widths.same(*number, *number, *width);
    }
    widths.finish();
    glyphs.finish();
    let [left, low, right, high] = measures.bounds;
    let mut descriptor = pdf.font_descriptor(DESCRIPTOR);
    descriptor
        .name(FONT_NAME)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(left, low, right, high))
        .italic_angle(0.0)
        .ascent(measures.ascent)
        .descent(measures.descent)
        .cap_height(measures.ascent)
        .stem_v(80.0);
    match part.is_compact {
        true => descriptor.font_file3(OUTLINES),
        false => descriptor.font_file2(OUTLINES),
    };
    descriptor.finish();
    let mut outlines = pdf.stream(OUTLINES, &part.bytes);
    if part.is_compact {
        outlines.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
    }
    outlines.finish();
    let mut unicode = UnicodeCmap::<u16>::new(Name(b"Yiqi-UCS"), IDENTITY);
    for (number, (letter, _)) in face.used() {
        unicode.pair(*number, *letter);
    }
    pdf.cmap(UNICODE, &unicode.finish());
    Ok(())
}
