//! Where every line of a document stands: A4 pages, lines broken to the width, headings of tables repeated on every page.

use super::font::Typeface;
use super::{Block, Cell, Document, Table};
use crate::error::text::Language;

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
                let colon = match document.language {
                    Language::Chinese => "：",
                    Language::English => ": ",
                };
                for (name, value) in facts {
                    layout.paragraph(&format!("{name}{colon}{value}"), BODY, 0.0);
                }
            }
            Block::Table(table) if !table.is_detail => layout.table(table),
            Block::Table(_) => {}
        }
    }
    layout.finish(&document.number, document.language)
}

/// Words of one-byte signs, and every other sign by itself.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|letter: char| !letter.is_ascii_graphic());
        let length = match word.unwrap_or(rest.len()) {
            0 => first.len_utf8(),
            length => length,
        };
        let (piece, after) = rest.split_at(length);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// What goes to the next line before a sign that must not begin one: the sign before it, or the whole word or number.
fn carried(line: &mut String, next: &str) -> String {
    let closes = next.starts_with(|first| "，。；：、）》”’！？％,.;:)%".contains(first));
    let last = pieces(line).pop().unwrap_or_default().len();
    let kept = line.len().saturating_sub(last);
    match closes && kept > 0 {
        true => line.split_off(kept),
        false => String::new(),
    }
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

    /// A text in lines no wider than `width`: words stay whole where they can, and no line begins with a closing sign.
    fn broken(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for part in text.lines() {
            let (mut line, mut taken) = (String::new(), 0.0);
            for piece in pieces(part) {
                let wide = self.measured(piece, size);
                if taken + wide > width && !line.is_empty() {
                    let carried = carried(&mut line, piece);
                    lines.push(line.trim_end().to_owned());
                    taken = self.measured(&carried, size);
                    line = carried;
                }
                if wide > width {
                    self.cut(piece, size, width, (&mut line, &mut taken), &mut lines);
                } else if !(line.is_empty() && piece == " ") {
                    line.push_str(piece);
                    taken += wide;
                }
            }
            lines.push(line);
        }
        lines
    }

    /// A word that is wider than the line goes on in the next.
    fn cut(
        &self,
        word: &str,
        size: f32,
        width: f32,
        (line, taken): (&mut String, &mut f32),
        lines: &mut Vec<String>,
    ) {
        for letter in word.chars() {
            let wide = self.face.width(letter, size);
            if *taken + wide > width && !line.is_empty() {
                lines.push(std::mem::take(line));
                *taken = 0.0;
            }
            line.push(letter);
            *taken += wide;
        }
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
        if !table.name.is_empty() {
            self.paragraph(&table.name, 12.0, 0.0);
        }
        let whole: f32 = table.columns.iter().map(|column| column.width).sum();
        let scale = (PAGE.0 - 2.0 * MARGIN) / whole.max(1.0);
        let widths: Vec<f32> = table.columns.iter().map(|it| it.width * scale).collect();
        let captions = table
            .columns
            .iter()
            .map(|it| Cell::Text(it.caption.clone()));
        let captions: Vec<Cell> = captions.collect();
        self.page.rules.push((MARGIN, PAGE.0 - MARGIN, self.y));
        let is_right = |at: usize| {
            let mut cells = table.rows.iter().filter_map(|row| row.get(at));
            cells.any(Cell::is_number)
        };
        let widths: Vec<(f32, bool)> = (0..)
            .zip(widths)
            .map(|(at, width)| (width, is_right(at)))
            .collect();
        self.row(&captions, &widths, None);
        for row in &table.rows {
            self.row(row, &widths, Some(&captions));
        }
        self.y -= BODY;
    }

    /// A row, on the next page when it does not fit, there below the captions again.
    /// A column has its width, and numbers stand at its right end.
    fn row(&mut self, cells: &[Cell], widths: &[(f32, bool)], captions: Option<&[Cell]>) {
        let parts = cells.iter().zip(widths);
        let parts = parts
            .map(|(cell, (width, _))| self.broken(&cell.printed(), SMALL, width - 2.0 * PADDING));
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
        for (texts, (width, is_right)) in parts.into_iter().zip(widths) {
            let mut y = self.y - PADDING;
            for text in texts {
                y -= SMALL * 1.35;
                let x = match is_right {
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

    fn finish(mut self, number: &str, language: Language) -> Vec<Page> {
        self.full.push(std::mem::take(&mut self.page));
        let count = self.full.len();
        let mut full = std::mem::take(&mut self.full);
        for (page, at) in full.iter_mut().zip(1..) {
            let text = match language {
                Language::Chinese => format!("{number}　第 {at} 页，共 {count} 页"),
                Language::English => format!("{number}   page {at} of {count}"),
            };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closing_sign_takes_the_word_before_it_along() {
        for (line, next, left, taken) in [
            ("得 18 分（满分 18", "）", "得 18 分（满分 ", "18"),
            ("得满分", "，", "得满", "分"),
            ("得满分", "分", "得满分", ""),
            ("18", "）", "18", ""),
        ] {
            let mut kept = line.to_owned();
            assert_eq!(carried(&mut kept, next), taken, "{line}");
            assert_eq!(kept, left);
        }
    }

    #[test]
    fn words_and_numbers_are_whole_pieces() {
        let said = pieces("满分 18）yuan 元");
        assert_eq!(said, ["满", "分", " ", "18", "）", "yuan", " ", "元"]);
    }
}
