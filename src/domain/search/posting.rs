//! In which documents a word stands, and in which of their fields.

/// Documents in the order they came, each once.
#[derive(Debug, Default)]
pub(super) struct Postings {
    slots: Vec<u32>,
    /// For each of them the bits of the fields.
    fields: Vec<u16>,
}

impl Postings {
    /// Slots only grow, so whatever stands last is the newest.
    pub fn add(&mut self, slot: u32, field: u16) {
        match (self.slots.last(), self.fields.last_mut()) {
            (Some(last), Some(fields)) if *last == slot => *fields |= field,
            _ => {
                self.slots.push(slot);
                self.fields.push(field);
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, u16)> {
        let slots = self
            .slots
            .iter()
            .filter_map(|slot| usize::try_from(*slot).ok());
        slots.zip(self.fields.iter().copied())
    }

    /// Moves every document to its new slot; those that have none are gone. False when nothing is left.
    pub fn renumber(&mut self, slots: &[Option<u32>]) -> bool {
        let kept: Vec<(u32, u16)> = self
            .iter()
            .filter_map(|(slot, fields)| Some(((*slots.get(slot)?)?, fields)))
            .collect();
        (self.slots, self.fields) = kept.into_iter().unzip();
        self.slots.shrink_to_fit();
        self.fields.shrink_to_fit();
        !self.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_stands_once_with_all_its_fields() {
        let mut postings = Postings::default();
        for (slot, field) in [(0, 1), (0, 4), (2, 1), (5, 2)] {
            postings.add(slot, field);
        }
        assert_eq!(
            postings.iter().collect::<Vec<_>>(),
            [(0, 5), (2, 1), (5, 2)]
        );
        assert!(postings.renumber(&[Some(0), None, None, None, None, Some(1)]));
        assert_eq!(postings.iter().collect::<Vec<_>>(), [(0, 5), (1, 2)]);
        assert!(!postings.renumber(&[None, None]));
    }
}
