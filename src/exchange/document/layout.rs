//! Where every line of a document stands: A4 pages, lines broken to the width, headings of tables repeated on every page.

use super::font::Typeface;
use super::{Block, Cell, Document, Table};

pub const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 50.0;
const BOTTOM: f32 = 60.0;
const BODY: f32 = 10.5;
const SMALL: f32 = 9.0;
const TITLE: f32 = 17.0;
const LEADING: f32 = 1.55;
const PADDING: f32 = 3.0;

/// A text at its place, from the left and from the foot of the page.
#[derive(Debug)]
pub struct Line {
    pub at: (f32, f32),
    pub size: f32,
    pub text: String,
}

/// A page: its texts, and the horizontal rules between rows.
#[derive(Debug, Default)]
pub struct Page {
    pub lines: Vec<Line>,
    /// From, to, height.
    pub rules: Vec<(f32, f32, f32)>,
}

/// Puts every block on pages.
pub fn pages(document: &Document, face: &Typeface<'_>) -> Vec<Page> {
    let mut layout = Layout {
        face,
        full: Vec::new(),
        page: Page::default(),
        y: PAGE.1 - MARGIN,
    };
    let title = document.title.as_str();
    for text in layout.broken(title, TITLE, PAGE.0 - 2.0 * MARGIN) {
        let x = (PAGE.0 - layout.measured(&text, TITLE)) / 2.0;
        layout.line(x, TITLE, text);
    }
    layout.y -= BODY;
    for block in &document.blocks {
        match block {
            Block::Heading(text) => layout.paragraph(text, 13.0, 0.0),
            Block::Paragraph(text) => layout.paragraph(text, BODY, 0.0),
            Block::Facts(facts) => {
                for (name, value) in facts {
                    layout.paragraph(&format!("{name}：{value}"), BODY, 0.0);
                }
            }
            Block::Table(table) if !table.is_detail => layout.table(table),
            Block::Table(_) => {}
        }
    }
    layout.finish(&document.number)
}

struct Layout<'a> {
    face: &'a Typeface<'a>,
    full: Vec<Page>,
    page: Page,
    y: f32,
}

impl Layout<'_> {
    fn measured(&self, text: &str, size: f32) -> f32 {
        text.chars()
            .map(|letter| self.face.width(letter, size))
            .sum()
    }

    /// A text in lines no wider than `width`.
    fn broken(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for part in text.lines() {
            let (mut line, mut taken) = (String::new(), 0.0);
            for letter in part.chars() {
                let wide = self.face.width(letter, size);
                if taken + wide > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    taken = 0.0;
                }
                line.push(letter);
                taken += wide;
            }
            lines.push(line);
        }
        lines
    }

    fn next_page(&mut self) {
        self.full.push(std::mem::take(&mut self.page));
        self.y = PAGE.1 - MARGIN;
    }

    fn line(&mut self, x: f32, size: f32, text: String) {
        if self.y - size * LEADING < BOTTOM {
            self.next_page();
        }
        self.y -= size * LEADING;
        let at = (x, self.y);
        self.page.lines.push(Line { at, size, text });
    }

    fn paragraph(&mut self, text: &str, size: f32, indent: f32) {
        for text in self.broken(text, size, PAGE.0 - 2.0 * MARGIN - indent) {
            self.line(MARGIN + indent, size, text);
        }
        self.y -= size * 0.3;
    }

    fn table(&mut self, table: &Table) {
        self.y -= BODY;
        self.paragraph(&table.name, 12.0, 0.0);
        let whole: f32 = table.columns.iter().map(|column| column.width).sum();
        let scale = (PAGE.0 - 2.0 * MARGIN) / whole.max(1.0);
        let widths: Vec<f32> = table.columns.iter().map(|it| it.width * scale).collect();
        let captions = table
            .columns
            .iter()
            .map(|it| Cell::Text(it.caption.clone()));
        let captions: Vec<Cell> = captions.collect();
        self.row(&captions, &widths, None);
        for row in &table.rows {
            self.row(row, &widths, Some(&captions));
        }
        self.y -= BODY;
    }

    /// A row, on the next page when it does not fit, there below the captions again.
    fn row(&mut self, cells: &[Cell], widths: &[f32], captions: Option<&[Cell]>) {
        let parts = cells.iter().zip(widths);
        let parts =
            parts.map(|(cell, width)| self.broken(&cell.printed(), SMALL, width - 2.0 * PADDING));
        let parts: Vec<Vec<String>> = parts.collect();
        let mut lines = 1.0_f32;
        for part in &parts {
            let count = part.iter().fold(0.0, |count, _| count + 1.0);
            lines = lines.max(count);
        }
        let height = lines * SMALL * 1.35 + 2.0 * PADDING;
        if self.y - height < BOTTOM {
            self.next_page();
            if let Some(captions) = captions {
                self.row(captions, widths, None);
            }
        }
        let mut left = MARGIN;
        for ((cell, texts), width) in cells.iter().zip(parts).zip(widths) {
            let mut y = self.y - PADDING;
            for text in texts {
                y -= SMALL * 1.35;
                let x = match cell.is_number() {
                    true => left + width - PADDING - self.measured(&text, SMALL),
                    false => left + PADDING,
                };
                let at = (x, y + SMALL * 0.25);
                self.page.lines.push(Line {
                    at,
                    size: SMALL,
                    text,
                });
            }
            left += width;
        }
        self.y -= height;
        self.page.rules.push((MARGIN, PAGE.0 - MARGIN, self.y));
    }

    fn finish(mut self, number: &str) -> Vec<Page> {
        self.full.push(std::mem::take(&mut self.page));
        let count = self.full.len();
        let mut full = std::mem::take(&mut self.full);
        for (page, at) in full.iter_mut().zip(1..) {
            let text = format!("{number}　第 {at} 页，共 {count} 页");
            let x = (PAGE.0 - self.measured(&text, SMALL)) / 2.0;
            let at = (x, 32.0);
            page.lines.push(Line {
                at,
                size: SMALL,
                text,
            });
        }
        full
    }
}
