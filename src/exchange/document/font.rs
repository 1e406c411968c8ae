//! A font from a file: which glyph a character has, how wide it is, and the part of the font that a document needs.

use std::collections::BTreeMap;

use subsetter::GlyphRemapper;
use ttf_parser::{Face, RawFace, Tag, fonts_in_collection, name_id};

/// Why a font cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FontError {
    #[error("the font cannot be read")]
    Unreadable(#[from] ttf_parser::FaceParsingError),
    #[error("the font has no Chinese characters")]
    NotChinese,
    #[error("no part can be taken of the font")]
    Subset(#[from] subsetter::Error),
}

/// A font as bytes; of a collection the face for simplified Chinese.
#[derive(Debug)]
pub struct Font {
    bytes: Vec<u8>,
    index: u32,
}

impl Font {
    pub fn new(bytes: Vec<u8>) -> Result<Self, FontError> {
        let faces = fonts_in_collection(&bytes).unwrap_or(1);
        let is_simplified = |index: &u32| {
            Face::parse(&bytes, *index).is_ok_and(|face| {
                let mut names = face.names().into_iter();
                names.any(|name| {
                    name.name_id == name_id::FAMILY
                        && name.to_string().is_some_and(|it| it.ends_with(" SC"))
                })
            })
        };
        let index = (0..faces).find(is_simplified).unwrap_or(0);
        Face::parse(&bytes, index)?
            .glyph_index('补')
            .ok_or(FontError::NotChinese)?;
        Ok(Self { bytes, index })
    }

    /// The face to measure and write with.
    pub fn typeface(&self) -> Result<Typeface<'_>, FontError> {
        Ok(Typeface {
            font: self,
            face: Face::parse(&self.bytes, self.index)?,
            remapper: GlyphRemapper::new(),
            used: BTreeMap::new(),
        })
    }
}

/// A font while a document is written with it: it remembers which glyphs were used.
pub struct Typeface<'a> {
    font: &'a Font,
    face: Face<'a>,
    remapper: GlyphRemapper,
    /// By its number in the part that is embedded: the character, and the width in thousandths.
    used: BTreeMap<u16, (char, f32)>,
}

/// Of the whole font, in thousandths of its size.
#[derive(Debug, Clone, Copy)]
pub struct Measures {
    pub ascent: f32,
    pub descent: f32,
    pub bounds: [f32; 4],
}

/// What is embedded.
#[derive(Debug)]
pub struct Part {
    pub bytes: Vec<u8>,
    /// Outlines in the compact font format, not TrueType's.
    pub is_compact: bool,
}

impl std::fmt::Debug for Typeface<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Typeface").finish_non_exhaustive()
    }
}

impl Typeface<'_> {
    fn thousandths(&self, units: f32) -> f32 {
        units * 1000.0 / f32::from(self.face.units_per_em())
    }

    /// Of a character at a size. What the font lacks is as wide as its empty box.
    pub fn width(&self, letter: char, size: f32) -> f32 {
        let glyph = self.face.glyph_index(letter).unwrap_or_default();
        let advance = f32::from(self.face.glyph_hor_advance(glyph).unwrap_or_default());
        self.thousandths(advance) * size / 1000.0
    }

    /// A text as numbers of glyphs, two bytes each.
    pub fn encode(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for letter in text.chars() {
            let glyph = self.face.glyph_index(letter).unwrap_or_default();
            let number = self.remapper.remap(glyph.0);
            let width = self.width(letter, 1000.0);
            self.used.entry(number).or_insert((letter, width));
            bytes.extend(number.to_be_bytes());
        }
        bytes
    }

    pub fn used(&self) -> &BTreeMap<u16, (char, f32)> {
        &self.used
    }

    pub fn measures(&self) -> Measures {
        let bounds = self.face.global_bounding_box();
        let sides = [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max];
        Measures {
            ascent: self.thousandths(f32::from(self.face.ascender())),
            descent: self.thousandths(f32::from(self.face.descender())),
            bounds: sides.map(|side| self.thousandths(f32::from(side))),
        }
    }

    /// The glyphs that were used.
    pub fn part(&self) -> Result<Part, FontError> {
        let font = subsetter::subset(&self.font.bytes, self.font.index, &self.remapper)?;
        let raw = RawFace::parse(&font, 0)?;
        let outlines = raw.table(Tag::from_bytes(b"CFF "));
        let outlines = outlines.map(<[u8]>::to_vec);
        Ok(match outlines {
            Some(bytes) => Part {
                bytes,
                is_compact: true,
            },
            None => Part {
                bytes: font,
                is_compact: false,
            },
        })
    }
}
