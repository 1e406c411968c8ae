//! One mistake at a time in the text of a pack: where its members stand, and how each of them is broken by machine.

/// A broken pack: where its one mistake stands, and words of which one names the member.
pub struct Broken {
    pub kind: &'static str,
    pub pack: &'static str,
    pub text: String,
    pub line: usize,
    pub names: Vec<String>,
}

/// One `key = value` of a pack, in a table or in an inline one.
struct Member {
    line: usize,
    section: String,
    key: String,
    value: String,
    /// The bytes of the key and of the value in their line.
    key_at: usize,
    value_at: usize,
    /// Whether it begins its line.
    first: bool,
}

/// One text in a list.
struct Item {
    line: usize,
    value: String,
    at: usize,
    /// What stands right before and after it.
    alone: bool,
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The end of the value that begins a text: a string, a bracketed value or a bare word.
fn end_of(text: &str) -> usize {
    let (mut depth, mut quoted) = (0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            _ if quoted => continue,
            '[' | '{' => depth += 1,
            ']' | '}' if depth > 0 => depth -= 1,
            ']' | '}' | ',' | ' ' | '#' if depth == 0 => return at,
            _ => continue,
        }
        if depth == 0 && !quoted {
            return at + letter.len_utf8();
        }
    }
    text.len()
}

/// What a line holds before its comment.
fn code(line: &str) -> &str {
    let mut quoted = false;
    for (at, letter) in line.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

fn members(text: &str) -> Vec<Member> {
    let (mut found, mut section) = (Vec::new(), String::new());
    for (number, line) in text.lines().enumerate() {
        let line = code(line);
        if line.starts_with('[') {
            section = line.trim().trim_matches(['[', ']']).to_owned();
            continue;
        }
        for (at, _) in line.match_indices(" = ") {
            if line[..at].matches('"').count() % 2 == 1 {
                continue;
            }
            let key_at = line[..at]
                .rfind(|letter| !is_word(letter))
                .map_or(0, |end| end + 1);
            let value_at = at + 3;
            let value = &line[value_at..];
            found.push(Member {
                line: number + 1,
                section: section.clone(),
                key: line[key_at..at].to_owned(),
                value: value[..end_of(value)].to_owned(),
                key_at,
                value_at,
                first: key_at == 0,
            });
        }
    }
    found
}

fn items(text: &str) -> Vec<Item> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = code(line);
        let mut quotes = line.match_indices('"').map(|(at, _)| at);
        while let (Some(from), Some(to)) = (quotes.next(), quotes.next()) {
            let before = line[..from].trim_end();
            if before.ends_with('[') || before.ends_with(',') {
                let alone = before.ends_with('[') && line[to + 1..].starts_with(']');
                found.push(Item {
                    line: number + 1,
                    value: line[from + 1..to].to_owned(),
                    at: from,
                    alone,
                });
            }
        }
    }
    found
}

/// The text with a line changed.
fn with_line(text: &str, number: usize, change: impl Fn(&str) -> String) -> String {
    let lines = text.lines().enumerate().map(|(at, line)| {
        if at + 1 == number {
            change(line)
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// A line with so many bytes replaced.
fn spliced(line: &str, at: usize, length: usize, new: &str) -> String {
    format!("{}{new}{}", &line[..at], &line[at + length..])
}

/// Breaks one pack, mistake by mistake.
pub struct Breaker {
    pack: &'static str,
    text: &'static str,
    pub broken: Vec<Broken>,
}

/// What people may say in their own words.
const FREE: [&str; 6] = ["title", "issuer", "document_no", "name", "code", "id"];

impl Breaker {
    pub fn new(pack: &'static str, text: &'static str) -> Self {
        Self {
            pack,
            text,
            broken: Vec::new(),
        }
    }

    fn push(&mut self, kind: &'static str, text: String, line: usize, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        self.broken.push(Broken {
            kind,
            pack: self.pack,
            text,
            line,
            names,
        });
    }

    /// Each member by itself: its key, its value, its type, its absence.
    pub fn members(&mut self) {
        for member in members(self.text) {
            let Member {
                line,
                key,
                value,
                key_at,
                value_at,
                ..
            } = &member;
            if value == "[" {
                continue;
            }
            let changed = |new: &str| {
                with_line(self.text, *line, |old| {
                    spliced(old, *value_at, value.len(), new)
                })
            };
            let renamed = format!("{key}x");
            let key_text = with_line(self.text, *line, |old| {
                spliced(old, *key_at, key.len(), &renamed)
            });
            let names_are_free = member.section == "pools" || is_sum(self.text, &member);
            let mut made = Vec::new();
            if !names_are_free {
                made.push(("a key misspelt", key_text, vec![renamed.as_str()]));
            }
            let scalar = value.starts_with('"');
            if scalar && !FREE.contains(&key.as_str()) && !value.starts_with("\"reported.") {
                let wrong = format!("{}x", value.trim_matches('"'));
                made.push((
                    "a word misspelt",
                    changed(&format!("\"{wrong}\"")),
                    vec![key.as_str()],
                ));
            }
            if value != "true" && value != "false" {
                made.push((
                    "a boolean in its place",
                    changed("true"),
                    vec![key.as_str()],
                ));
            }
            made.push(("a float in its place", changed("1.5"), vec![key.as_str()]));
            if !value.starts_with('[') {
                made.push(("a list in its place", changed("[7]"), vec![key.as_str()]));
            } else if value != "[" {
                made.push((
                    "a text in place of a list",
                    changed("\"7\""),
                    vec![key.as_str()],
                ));
            }
            if !value.starts_with('{') {
                made.push((
                    "a table in its place",
                    changed("{ x = 7 }"),
                    vec![key.as_str(), "\"x\""],
                ));
            }
            if value.starts_with('[') && value.ends_with(']') {
                made.push(("an empty list", changed("[]"), vec![key.as_str()]));
            }
            // A parameter's bounds may be whole numbers or texts.
            let is_either = member.section.starts_with("parameters.");
            if scalar
                && !is_either
                && value[1..].starts_with(|letter: char| letter.is_ascii_digit())
            {
                let bare = value.trim_matches('"').split('-').next().unwrap_or("0");
                let bare = bare
                    .split('.')
                    .next()
                    .unwrap_or("0")
                    .trim_start_matches('0');
                let bare = if bare.is_empty() { "0" } else { bare };
                made.push((
                    "a decimal without quotes",
                    changed(bare),
                    vec![key.as_str()],
                ));
            }
            if value.starts_with(|letter: char| letter.is_ascii_digit()) {
                let text = format!("\"{}\"", value.replace('_', ""));
                if !is_either {
                    made.push(("a number as text", changed(&text), vec![key.as_str()]));
                }
                made.push(("a number below zero", changed("-1"), vec![key.as_str()]));
                made.push((
                    "a number beyond 64 bits",
                    changed("99999999999999999999"),
                    vec![key.as_str()],
                ));
            }
            for (kind, text, names) in made {
                self.broken.push(Broken {
                    kind,
                    pack: self.pack,
                    text,
                    line: *line,
                    names: names.into_iter().map(str::to_owned).collect(),
                });
            }
        }
    }

    /// The words in lists: misspelt, twice, or a number instead.
    pub fn items(&mut self) {
        for Item {
            line,
            value,
            at,
            alone,
        } in items(self.text)
        {
            let changed = |new: &str| {
                with_line(self.text, line, |old| {
                    spliced(old, at, value.len() + 2, new)
                })
            };
            let wrong = format!("{value}x");
            let misspelt = changed(&format!("\"{wrong}\""));
            let twice = changed(&format!("\"{value}\", \"{value}\""));
            let other = changed("true");
            self.push(
                "a word of a list misspelt",
                misspelt,
                line,
                &[wrong.trim_start_matches('$')],
            );
            self.push(
                "a word of a list of another type",
                other,
                line,
                &["boolean", "true"],
            );
            if !alone || value.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
                self.push(
                    "a word of a list twice",
                    twice,
                    line,
                    &[&value, "[1]", "two metrics", "pair"],
                );
            }
        }
    }

    /// The tables: their names, a foreign key in each, one of them twice.
    pub fn tables(&mut self) {
        let inline: Vec<Member> = members(self.text);
        for (number, line) in self.text.lines().enumerate() {
            let header = code(line).trim();
            if !header.starts_with('[') || header.starts_with("[[") && header.contains('=') {
                continue;
            }
            let foreign = with_line(self.text, number + 1, |old| {
                format!("{old}\ncolour = \"red\"")
            });
            let named = !["[metrics.", "[parameters."]
                .iter()
                .any(|start| header.starts_with(start));
            let of_names = header == "[pools]";
            if !of_names {
                self.push("a foreign key", foreign, number + 2, &["colour"]);
            }
            let name = header.trim_matches(['[', ']']).to_owned();
            if named {
                let wrong = format!("{name}x");
                let text = with_line(self.text, number + 1, |old| old.replacen(&name, &wrong, 1));
                self.push("a table's name misspelt", text, number + 1, &[&wrong]);
            }
            if !header.starts_with("[[") {
                let text = format!("{}\n{header}\n", self.text.trim_end());
                let line = text.lines().count();
                self.push("a table twice", text, line, &["duplicate", &name]);
            }
            let bare = with_line(self.text, number + 1, |old| {
                old.replacen(']', "", 1).replacen(']', "", 1)
            });
            self.push("a table's bracket forgotten", bare, number + 1, &[""]);
        }
        for member in inline
            .iter()
            .filter(|member| member.value.starts_with("{ "))
        {
            if member.section == "pools" || member.key == "sum" {
                continue;
            }
            let text = with_line(self.text, member.line, |old| {
                spliced(old, member.value_at, 2, "{ colour = \"red\", ")
            });
            self.push("a foreign key", text, member.line, &["colour"]);
        }
    }

    /// What is no TOML: quotes, signs and commas that are missing or typed with a Chinese keyboard.
    pub fn syntax(&mut self) {
        for member in members(self.text) {
            let Member {
                line,
                key,
                value,
                value_at,
                ..
            } = &member;
            let changed = |new: &str| {
                with_line(self.text, *line, |old| {
                    spliced(old, *value_at, value.len(), new)
                })
            };
            let word = value.trim_matches('"');
            let mut made = vec![
                (
                    "an equals sign forgotten",
                    with_line(self.text, *line, |old| spliced(old, value_at - 3, 3, " ")),
                ),
                ("a value forgotten", changed("")),
            ];
            if value.starts_with('"') {
                made.push(("a quote not closed", changed(&format!("\"{word}"))));
                made.push(("a quote not opened", changed(&format!("{word}\""))));
                made.push(("Chinese quotes", changed(&format!("“{word}”"))));
            }
            if value.starts_with('[') && value.ends_with(']') {
                made.push(("a list not closed", changed(&value[..value.len() - 1])));
            }
            if value.starts_with('{') && value.ends_with('}') {
                made.push(("a table not closed", changed(&value[..value.len() - 1])));
            }
            if value.contains(", ") {
                made.push(("a Chinese comma", changed(&value.replacen(", ", "，", 1))));
                made.push(("a comma forgotten", changed(&value.replacen(", ", " ", 1))));
            }
            if member.first {
                let twice = with_line(self.text, *line, |old| format!("{old}\n{}", code(old)));
                if value.starts_with('"') || value.ends_with(']') || value.ends_with('}') {
                    self.push("a key twice", twice, line + 1, &["duplicate", key]);
                }
            }
            for (kind, text) in made {
                self.push(kind, text, *line, &[""]);
            }
        }
    }

    /// Each member that a table cannot do without, taken away: the line is that of the table.
    pub fn absences(&mut self) {
        for member in members(self.text) {
            let Member {
                line, key, section, ..
            } = &member;
            if !needed(section, key, member.first) {
                continue;
            }
            if !member.first {
                let text = with_line(self.text, *line, |old| {
                    let end = member.value_at + member.value.len();
                    let after = old[end..].strip_prefix(", ").unwrap_or(&old[end..]);
                    let before = &old[..member.key_at];
                    let before = if after.starts_with(" }") {
                        before.trim_end_matches(", ")
                    } else {
                        before
                    };
                    format!("{before}{after}")
                });
                self.push("a member taken away", text, *line, &[key]);
                continue;
            }
            if member.value == "[" {
                continue;
            }
            let head = self.text.lines().take(*line).collect::<Vec<_>>();
            let header = head
                .iter()
                .rposition(|line| line.starts_with('['))
                .map_or(1, |at| at + 1);
            let kept = self.text.lines().enumerate();
            let kept = kept.filter(|(at, _)| at + 1 != *line).map(|(_, line)| line);
            let text = kept.collect::<Vec<_>>().join("\n") + "\n";
            self.push("a member taken away", text, header, &[key]);
        }
    }

    /// A mistake told by hand: `from` (once in the pack) becomes `to`; it stands where `at` first does afterwards.
    pub fn by_hand(&mut self, kind: &'static str, from: &str, to: &str, at: &str, names: &[&str]) {
        assert_eq!(
            self.text.matches(from).count(),
            1,
            "{kind}: {from:?} once in {}",
            self.pack
        );
        let text = self.text.replace(from, to);
        let found = text.find(at).unwrap_or_else(|| panic!("{kind}: no {at:?}"));
        let line = text[..found].matches('\n').count() + 1;
        self.push(kind, text, line, names);
    }
}

/// Whether a member's key is a metric's name in a weighted sum.
fn is_sum(text: &str, member: &Member) -> bool {
    let line = text.lines().nth(member.line - 1).unwrap_or_default();
    line.starts_with("sum = ") && !member.first
}

/// Whether a table cannot do without a member.
fn needed(section: &str, key: &str, first: bool) -> bool {
    let own: &[&str] = match section {
        "" => &["code", "version", "title", "issuer"],
        "registration" => &["threshold_fen", "report_within_working_days"],
        "requests" => &["answer_within_working_days"],
        "grades" if first => &["thresholds"],
        "grades" => &["excellent", "good", "pass", "share"],
        "scores" if first => &["id", "max", "shape", "value", "full_at", "per"],
        "scores" => &["metric", "each", "per"],
        "awards" if first => &["recipient", "per", "base"],
        "awards" => &[
            "do",
            "rate",
            "max_fen",
            "min_fen",
            "fen",
            "by",
            "how",
            "of",
            "unit_fen",
            "direction",
            "rest",
            "excellent",
            "good",
            "pass",
            "fail",
        ],
        _ if section.starts_with("metrics.") => {
            &["of", "classes", "value_fen_from", "general", "special"]
        }
        _ => &[],
    };
    own.contains(&key)
}
