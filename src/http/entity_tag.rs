//! Entity tags (RFC 9110 §8.8.3) as `If-Match` and `If-None-Match` list them: `"v3"`, `W/"v3", "v4"`, `*`.

/// The tags of a header, or any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityTags {
    Any,
    /// With their quotes, and whether each is a weak one.
    Listed(Vec<(bool, String)>),
}

impl EntityTags {
    /// The tags of a header's value; `None` where one is not in quotes.
    pub fn parse(value: &str) -> Option<Self> {
        if value.trim() == "*" {
            return Some(EntityTags::Any);
        }
        let (mut tags, mut rest) = (Vec::new(), value.trim());
        while !rest.is_empty() {
            let (is_weak, quoted) = match rest.strip_prefix("W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
            let is_plain = |letter: char| letter > ' ' && letter != '\u{7f}';
            if !tag.chars().all(is_plain) {
                return None;
            }
            tags.push((is_weak, format!("\"{tag}\"")));
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return None,
            };
        }
        (!tags.is_empty()).then_some(EntityTags::Listed(tags))
    }

    /// Whether a tag is among them, weak ones too: for reading.
    pub fn names(&self, tag: &str) -> bool {
        let tag = tag.trim_start_matches("W/");
        match self {
            EntityTags::Any => true,
            EntityTags::Listed(tags) => tags.iter().any(|(_, known)| known == tag),
        }
    }

    /// The versions that a change may be made to: those of the strong tags `"v3"`. None: to any.
    pub fn versions(&self) -> Option<Vec<i64>> {
        let EntityTags::Listed(tags) = self else {
            return None;
        };
        let strong = tags.iter().filter(|(is_weak, _)| !is_weak);
        let versions = strong.filter_map(|(_, tag)| {
            let digits = tag.strip_prefix("\"v")?.strip_suffix('"')?;
            digits.parse().ok()
        });
        Some(versions.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_what_has_no_quotes_is_no_tag() {
        let versions = |value: &str| EntityTags::parse(value).unwrap().versions();
        assert_eq!(versions("\"v3\""), Some(vec![3]));
        assert_eq!(versions(" \"v3\" , \"v4\",\"a,b\""), Some(vec![3, 4]));
        assert_eq!(versions("W/\"v3\""), Some(vec![]));
        assert_eq!(versions("*"), None);
        for wrong in [
            "v3",
            "3",
            "",
            "\"v3",
            "\"v3\" \"v4\"",
            "\"v3\",v4",
            "w/\"v3\"",
            "*, \"v3\"",
        ] {
            assert_eq!(EntityTags::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn readers_know_weak_tags_too() {
        let known = EntityTags::parse("W/\"v3\", \"x\"").unwrap();
        assert!(known.names("\"v3\"") && known.names("W/\"x\"") && !known.names("\"v4\""));
        assert!(EntityTags::Any.names("\"v9\""));
    }
}
