//! How alike two instruments of one class are, from 0 to 100: by their names, models, makers, and what they are used for.

use std::collections::BTreeSet;

use super::text;
use super::{Document, Field};

/// What two instruments of one class have in common to begin with.
const SAME_CLASS: usize = 30;

/// Fields that are compared together, and how much each group tells.
const GROUPS: [(&[Field], usize); 4] = [
    (&[Field::Name, Field::NameEn], 3),
    (&[Field::Service, Field::Standard, Field::Functions], 2),
    (&[Field::Model], 1),
    (&[Field::Maker], 1),
];

impl Document {
    /// 100 of one that says the same. What neither says is not compared.
    pub fn likeness(&self, other: &Document) -> usize {
        if self.category.value != other.category.value {
            return 0;
        }
        let (mut told, mut whole) = (0, 0);
        for (fields, weight) in GROUPS {
            let (one, another) = (self.words(fields), other.words(fields));
            let twice_common = 2 * one.intersection(&another).count();
            let share = (twice_common * 1_000).checked_div(one.len() + another.len());
            if let Some(share) = share {
                told += weight * share;
                whole += weight * 1_000;
            }
        }
        match whole {
            0 => 100,
            _ => SAME_CLASS + (100 - SAME_CLASS) * told / whole,
        }
    }

    fn words(&self, fields: &[Field]) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let said = self
            .texts
            .iter()
            .filter(|(field, _)| fields.contains(field));
        for (_, said) in said {
            let tokens = text::tokens(said);
            text::pairs(&tokens, |[one, other]| {
                all.insert(format!("{one}{other}"));
            });
            text::words(&tokens, |word| {
                all.insert(word.to_owned());
            });
        }
        all
    }
}
