//! What is told to a client whose request could not be read as one: a problem document with an id, as everywhere, in place of
//! the framework's answer, which has neither body nor id.

use serde_json::Value;

use crate::error::text::Language;
use crate::error::{AppError, Code, Fault};
use crate::http::envelope::{new_request_id, shown};
use crate::http::problem;

/// What is kept of a head, to say where the request went and in which language its client reads.
const HEAD_KEPT: usize = 4096;

/// A longer first line is more than the framework takes as an address.
const LINE_MAX: usize = 65_000;

/// The longest answer of the framework without a body.
const EMPTY_ANSWER_MAX: usize = 512;

/// The head of a request, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Head {
    kept: Vec<u8>,
    first_line: usize,
    first_line_ended: bool,
}

impl Head {
    /// Takes what has come; whether it is the beginning.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        let is_first = self.first_line == 0;
        let room = HEAD_KEPT.saturating_sub(self.kept.len());
        self.kept
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if !self.first_line_ended {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            self.first_line += end.map_or(bytes.len(), |end| end + 1);
            self.first_line_ended = end.is_some();
        }
        is_first
    }

    /// What comes next is another one.
    pub(super) fn end(&mut self) {
        self.kept.clear();
        (self.first_line, self.first_line_ended) = (0, false);
    }

    /// The path, without what may be secret in it and in its query.
    fn path(&self) -> String {
        let text = String::from_utf8_lossy(&self.kept);
        let target = text.split_ascii_whitespace().nth(1).unwrap_or("/");
        let path = target.split('?').next().unwrap_or_default();
        shown(path).chars().take(200).collect()
    }

    fn language(&self) -> Language {
        let text = String::from_utf8_lossy(&self.kept);
        let sent = text.lines().skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_it = name.eq_ignore_ascii_case("accept-language");
            is_it.then(|| Language::accepted(value))
        });
        sent.unwrap_or_default()
    }
}

/// Our answer when the last of what is written is one of the framework's own; what stands before it goes along.
pub(super) fn in_place_of(written: &[u8], head: &Head) -> Option<Vec<u8>> {
    if !written.ends_with(b"\r\n\r\n") {
        return None;
    }
    let from = written.len().saturating_sub(EMPTY_ANSWER_MAX);
    let tail = written.get(from..)?;
    let begin = from + tail.windows(7).rposition(|seven| seven == b"HTTP/1.")?;
    let (before, bare) = written.split_at_checked(begin)?;
    let bare = std::str::from_utf8(bare).ok()?.to_ascii_lowercase();
    // Each of our own has an id.
    if bare.contains("x-request-id") || !bare.contains("content-length: 0") {
        return None;
    }
    let fault = match bare.split(' ').nth(1)? {
        "400" | "431" if head.first_line > LINE_MAX => Code::uri_too_long,
        "400" => Code::malformed_request,
        "408" => Code::request_timeout,
        "431" => Code::headers_too_large,
        _ => return None,
    };
    let error = match fault {
        Code::malformed_request => AppError::Malformed(vec![Fault::request(fault)]),
        _ => AppError::Unacceptable(Box::new(Fault::request(fault))),
    };
    let mut whole = before.to_vec();
    whole.extend_from_slice(&answer(&error, head));
    Some(whole)
}

/// What a client is told for whom there is no room.
pub fn overfull() -> Vec<u8> {
    let error = AppError::unavailable("too many connections");
    answer(&error, &Head::default())
}

fn answer(error: &AppError, head: &Head) -> Vec<u8> {
    let id = new_request_id();
    let document = problem::document(error, head.language(), &head.path(), &id);
    let status = document.get("status").and_then(Value::as_u64);
    let status = status.unwrap_or(400);
    tracing::debug!(id, status, "answered what is no request");
    let body = document.to_string();
    let retry = match error {
        AppError::Unavailable(_) => "Retry-After: 1\r\n",
        _ => "",
    };
    let head = format!(
        "HTTP/1.1 {status} Refused\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\nX-Request-Id: {id}\r\n\
         X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n{retry}Connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: Sat, 28 Nov 2026 10:00:00 GMT\r\n\r\n";

    fn told(written: &str, head: &[u8]) -> Option<String> {
        let mut known = Head::default();
        known.take(head);
        let answer = in_place_of(written.as_bytes(), &known)?;
        Some(String::from_utf8(answer).unwrap())
    }

    #[test]
    fn an_empty_answer_becomes_a_problem_document() {
        let answer = told(BARE, b"GET /a?secret=1 HTTP/1.1\r\nAccept-Language: en\r\n").unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(
            answer.contains("\"code\":\"malformed_request\""),
            "{answer}"
        );
        assert!(answer.contains("\"instance\":\"/a\"") && !answer.contains("secret"));
        assert!(answer.contains("X-Request-Id: ") && answer.contains("\"request_id\":"));
        let chinese = told(&BARE.replace("400", "431"), b"").unwrap();
        assert!(
            chinese.contains("headers_too_large") && chinese.contains('请'),
            "{chinese}"
        );
        let long = [b"GET /".to_vec(), vec![b'a'; 70_000]].concat();
        assert!(told(BARE, &long).unwrap().contains("uri_too_long"));
        assert!(
            told(&BARE.replace("400", "408"), b"")
                .unwrap()
                .contains("request_timeout")
        );
    }

    #[test]
    fn a_calendars_token_is_not_told() {
        for target in [
            "/api/v1/calendars/secret.ics",
            "/api/v1/calendars/secret.ics?secret=1",
            "/api/v1/calendars/secret/more",
            "/api/v1/%63alenda%72s/secret.ics",
            "/api/v1/calendars%2Fsecret.ics",
            "/API/V1/Calendars/secret.ics",
            "//api//v1//calendars//secret.ics",
            "http://yiqi.example/api/v1/calendars/secret.ics",
        ] {
            let head = format!("GET {target} HTTP/1.1\r\nContent-Length: x\r\n");
            let answer = told(BARE, head.as_bytes()).unwrap();
            assert!(
                answer.contains("\"instance\":\"/api/v1/calendars/\""),
                "{answer}"
            );
            assert!(!answer.contains("secret"), "{answer}");
        }
        let other = told(BARE, b"GET /api/v1/calendar-tokens/7%2 HTTP/1.1\r\n").unwrap();
        assert!(other.contains("\"/api/v1/calendar-tokens/7%2\""), "{other}");
    }

    #[test]
    fn our_own_answers_go_out_as_they_are() {
        let own = BARE.replace("date:", "x-request-id: a\r\ndate:");
        assert_eq!(told(&own, b""), None);
        assert_eq!(
            told(&BARE.replace("400 Bad Request", "204 No Content"), b""),
            None
        );
        assert_eq!(told("{\"a\":1}", b""), None);
        // What was answered before goes along.
        let two =
            format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-request-id: a\r\n\r\n{{}}{BARE}");
        assert!(told(&two, b"").unwrap().starts_with("HTTP/1.1 200 OK"));
    }
}
