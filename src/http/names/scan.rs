//! Where in a JSON text names belong: behind each id whose field says what it is of. The text is this program's own, without
//! blanks between its signs.

use super::{Kind, named};

/// Where a name is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Behind the id.
    pub end: usize,
    pub kind: Kind,
    /// The field of the name.
    pub name: String,
    /// The one id, none where it is null, or those of a list.
    pub ids: Vec<i64>,
    pub is_list: bool,
    /// The organizations of the booking it stands in, which may telephone.
    pub sides: Vec<i64>,
}

/// Fields whose content is told as it was.
const KEPT: [&str; 2] = ["before", "after"];

/// An object or a list that is not closed yet.
#[derive(Default)]
struct Open<'a> {
    fields: Vec<&'a str>,
    own: Vec<Place>,
    /// Places within it, closed before it.
    inner: Vec<Place>,
}

impl Open<'_> {
    /// The places of an object that ends: of its own fields those whose names are not there already.
    fn close(mut self) -> Vec<Place> {
        let sides = self.sides();
        let fields = self.fields;
        self.own
            .retain(|place| !fields.contains(&place.name.as_str()));
        let mut all = self.own;
        all.append(&mut self.inner);
        if !sides.is_empty() {
            for place in &mut all {
                place.sides.clone_from(&sides);
            }
        }
        all
    }

    /// Of a booking its host and its using unit.
    fn sides(&self) -> Vec<i64> {
        if !self.fields.contains(&"booked_by") {
            return Vec::new();
        }
        let sides = ["host_organization_name", "organization_name"];
        let of_side = |place: &&Place| sides.contains(&place.name.as_str());
        let own = self.own.iter().filter(of_side);
        own.flat_map(|place| place.ids.iter().copied()).collect()
    }
}

/// All places, in the order of the text.
pub fn places(text: &str) -> Vec<Place> {
    let (mut open, mut at) = (vec![Open::default()], 0);
    let mut kept_within: Option<usize> = None;
    while let Some(sign) = text.as_bytes().get(at) {
        at += 1;
        match sign {
            b'{' | b'[' => open.push(Open::default()),
            b'}' | b']' => {
                let closed = open.pop().map(Open::close).unwrap_or_default();
                if kept_within == Some(open.len()) {
                    kept_within = None;
                }
                if let Some(outer) = open.last_mut() {
                    outer.inner.extend(closed);
                }
            }
            b'"' => {
                let end = end_of_text(text, at);
                let field = text.get(at..end).unwrap_or_default();
                at = end + 1;
                let Some(value) = text.get(at..).and_then(|rest| rest.strip_prefix(':')) else {
                    continue;
                };
                at += 1;
                if kept_within.is_some() {
                    continue;
                }
                if KEPT.contains(&field) && value.starts_with(['{', '[']) {
                    kept_within = Some(open.len());
                }
                if let Some(object) = open.last_mut() {
                    object.fields.push(field);
                    object.own.extend(place(field, value, at));
                }
            }
            _ => {}
        }
    }
    let mut all: Vec<Place> = open.into_iter().flat_map(Open::close).collect();
    all.sort_by_key(|place| place.end);
    all
}

/// The position of the quote that ends a text which begins here.
fn end_of_text(text: &str, begin: usize) -> usize {
    let mut is_escaped = false;
    let rest = text.get(begin..).unwrap_or_default().bytes();
    let is_end = |sign: u8| {
        let ends = sign == b'"' && !is_escaped;
        is_escaped = sign == b'\\' && !is_escaped;
        ends
    };
    let length = rest.into_iter().position(is_end);
    length.map_or(text.len(), |length| begin + length)
}

/// The place behind the value of a field, which begins at `at`.
fn place(field: &str, value: &str, at: usize) -> Option<Place> {
    let (kind, name) = named(field)?;
    let is_list = value.starts_with('[');
    let (ids, length) = if let Some(list) = value.strip_prefix('[') {
        let (list, _) = list.split_once(']')?;
        let numbers = list.split(',').filter(|number| !number.is_empty());
        let ids: Option<Vec<i64>> = numbers.map(|number| number.parse().ok()).collect();
        (ids?, list.len() + 2)
    } else if value.starts_with("null") {
        (Vec::new(), "null".len())
    } else {
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        (vec![value.get(..digits)?.parse().ok()?], digits)
    };
    Some(Place {
        end: at + length,
        kind,
        name,
        ids,
        is_list,
        sides: Vec::new(),
    })
}
