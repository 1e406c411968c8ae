//! Entity tags (RFC 9110 §8.8.3) as `If-Match` and `If-None-Match` list them: `"v3"`, `W/"v3", "v4"`, `*`.

use actix_web::http::header::{HeaderMap, HeaderName};

/// The tags of a header, or any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityTags {
    Any,
    /// With their quotes, and whether each is a weak one.
    Listed(Vec<(bool, String)>),
}

/// What a header says is no list of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTags;

impl EntityTags {
    /// The tags that a request names in a header, on one line or on several (RFC 9110 §5.3); `None` without it.
    pub fn sent(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, NoTags> {
        let lines: Vec<_> = headers
            .get_all(name)
            .map(|line| String::from_utf8_lossy(line.as_bytes()))
            .collect();
        match lines.is_empty() {
            true => Ok(None),
            false => Self::parse(&lines.join(",")).map(Some).ok_or(NoTags),
        }
    }

    /// The tags of a header's value, among which elements may be empty (§5.6.1.2); `None` where one is not in quotes.
    fn parse(value: &str) -> Option<Self> {
        if value.trim() == "*" {
            return Some(EntityTags::Any);
        }
        let (mut tags, mut rest) = (Vec::new(), behind_commas(value));
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
            if !after.is_empty() && !after.starts_with(',') {
                return None;
            }
            rest = behind_commas(after);
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
        Some(strong.filter_map(|(_, tag)| version_of(tag)).collect())
    }
}

fn behind_commas(list: &str) -> &str {
    list.trim_start_matches([',', ' ', '\t']).trim_end()
}

/// The version whose tag this is, sign by sign: `"v03"` is nobody's.
fn version_of(tag: &str) -> Option<i64> {
    let digits = tag.strip_prefix("\"v")?.strip_suffix('"')?;
    let version: i64 = digits.parse().ok()?;
    (version.to_string() == digits).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderValue, IF_MATCH};

    #[test]
    fn lists_are_read_and_what_has_no_quotes_is_no_tag() {
        let versions = |value: &str| EntityTags::parse(value).unwrap().versions();
        assert_eq!(versions("\"v3\""), Some(vec![3]));
        assert_eq!(versions(" \"v3\" , \"v4\",\"a,b\""), Some(vec![3, 4]));
        assert_eq!(versions(",\"v3\", ,\t\"v4\" ,"), Some(vec![3, 4]));
        assert_eq!(versions("W/\"v3\""), Some(vec![]));
        assert_eq!(versions("W/\"v3\", \"v4\""), Some(vec![4]));
        assert_eq!(versions("\"v03\", \"v+3\", \"3\", \"v\""), Some(vec![]));
        assert_eq!(versions("*"), None);
        for wrong in [
            "v3",
            "3",
            "",
            ",",
            "\"v3",
            "\"v3\" \"v4\"",
            "\"v3\",v4",
            "w/\"v3\"",
            "W/ \"v3\"",
            "*, \"v3\"",
            "\"v3\", *",
            "\"v 3\"",
        ] {
            assert_eq!(EntityTags::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let sent = |lines: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_MATCH, HeaderValue::from_bytes(line).unwrap());
            }
            EntityTags::sent(&headers, &IF_MATCH).map(|tags| tags.map(|tags| tags.versions()))
        };
        assert_eq!(sent(&[]), Ok(None));
        assert_eq!(
            sent(&[b"\"v3\"", b"W/\"v4\", \"v5\""]),
            Ok(Some(Some(vec![3, 5])))
        );
        assert_eq!(sent(&[b"*"]), Ok(Some(None)));
        assert_eq!(sent(&[b"*", b"*"]), Err(NoTags));
        // Of another maker, and none of ours.
        assert_eq!(sent(&[b"\"v\xe4\", \"v3\""]), Ok(Some(Some(vec![3]))));
    }

    #[test]
    fn readers_know_weak_tags_too() {
        let known = EntityTags::parse("W/\"v3\", \"x\"").unwrap();
        assert!(known.names("\"v3\"") && known.names("W/\"x\"") && !known.names("\"v4\""));
        assert!(EntityTags::Any.names("\"v9\""));
    }
}
