//! Calendars as iCalendar (RFC 5545, 7986): lines of at most 75 octets that end in CR and LF, texts escaped, times in UTC.

use chrono::{DateTime, Utc};

use crate::domain::Instant;
use crate::domain::calendar_feed::{About, Event, EventStatus, Feed};
use crate::domain::closure::ClosureKind;
use crate::error::text::Language;

/// The longest line in octets, without its end.
const LINE_MAX: usize = 75;

/// A calendar; `url` is where the service is, and its host makes the events' names those of this service alone.
pub fn write(feed: &Feed, url: &str, language: Language) -> String {
    let mut out = Lines::default();
    out.line("BEGIN", "VCALENDAR");
    out.line("VERSION", "2.0");
    out.line("PRODID", "-//Yiqi//Calendar//EN");
    out.line("CALSCALE", "GREGORIAN");
    out.text("NAME", &feed.name);
    out.text("X-WR-CALNAME", &feed.name);
    out.line("REFRESH-INTERVAL;VALUE=DURATION", "PT1H");
    out.line("X-PUBLISHED-TTL", "PT1H");
    for event in &feed.events {
        write_event(&mut out, event, url, language);
    }
    out.line("END", "VCALENDAR");
    out.0
}

fn write_event(out: &mut Lines, event: &Event, url: &str, language: Language) {
    let host = url.split("//").last().unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    out.line("BEGIN", "VEVENT");
    out.line("UID", &format!("{}@{host}", event.about.uid()));
    out.line("SEQUENCE", &event.version.to_string());
    out.line("DTSTAMP", &moment(event.updated_at));
    out.line("CREATED", &moment(event.created_at));
    out.line("LAST-MODIFIED", &moment(event.updated_at));
    out.line("DTSTART", &moment(event.slot.starts_at()));
    out.line("DTEND", &moment(event.slot.ends_at()));
    out.line("STATUS", event.status.as_str());
    let is_free = event.status == EventStatus::Cancelled;
    out.line("TRANSP", if is_free { "TRANSPARENT" } else { "OPAQUE" });
    match &event.about {
        About::Busy(_) => out.text("SUMMARY", of(language, "占用", "Busy")),
        About::Closed { kind, reason, .. } => {
            let kind = closure(*kind, language);
            out.text(
                "SUMMARY",
                &format!("{}{kind}", of(language, "停用：", "Closed: ")),
            );
            if let Some(reason) = reason {
                out.text("DESCRIPTION", reason);
            }
        }
        About::Booking {
            id,
            booking_no,
            instrument,
            location,
        } => {
            out.text("SUMMARY", instrument);
            let number = of(language, "预约编号：", "Booking ");
            out.text("DESCRIPTION", &format!("{number}{booking_no}"));
            if let Some(location) = location {
                out.text("LOCATION", location);
            }
            let url = url.trim_end_matches('/');
            out.line("URL", &format!("{url}/api/v1/bookings/{id}"));
        }
    }
    out.line("END", "VEVENT");
}

const fn of<'a>(language: Language, zh: &'a str, en: &'a str) -> &'a str {
    match language {
        Language::Chinese => zh,
        Language::English => en,
    }
}

const fn closure(kind: ClosureKind, language: Language) -> &'static str {
    let (zh, en) = match kind {
        ClosureKind::Fault => ("故障", "fault"),
        ClosureKind::Maintenance => ("维护", "maintenance"),
        ClosureKind::Calibration => ("校准", "calibration"),
        ClosureKind::Holiday => ("放假", "holiday"),
        ClosureKind::Event => ("活动", "event"),
        ClosureKind::Other => ("其他", "other"),
    };
    of(language, zh, en)
}

fn moment(at: Instant) -> String {
    let at: DateTime<Utc> = at.naive_utc().and_utc();
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn text(&mut self, name: &str, text: &str) {
        let mut escaped = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '\\' | ';' | ',' => escaped.extend(['\\', letter]),
                '\n' => escaped.push_str("\\n"),
                // What ends a line, or shows as nothing, is no text.
                letter if letter.is_control() => {}
                letter => escaped.push(letter),
            }
        }
        self.line(name, &escaped);
    }

    /// A line, folded where it is too long, never within a letter.
    fn line(&mut self, name: &str, value: &str) {
        let mut octets = 0;
        for letter in name.chars().chain([':']).chain(value.chars()) {
            if octets + letter.len_utf8() > LINE_MAX {
                self.0.push_str("\r\n ");
                octets = 1;
            }
            self.0.push(letter);
            octets += letter.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_between_letters_and_texts_escaped() {
        let mut out = Lines::default();
        let text = format!("a\\b;c,d\r\n\te{}", "扫描电镜".repeat(40));
        out.text("SUMMARY", &text);
        for line in out.0.strip_suffix("\r\n").unwrap().split("\r\n") {
            assert!(line.len() <= LINE_MAX, "{line}");
        }
        let whole = out.0.replace("\r\n ", "");
        let expected = format!("SUMMARY:a\\\\b\\;c\\,d\\ne{}\r\n", "扫描电镜".repeat(40));
        assert_eq!(whole, expected);
    }
}
