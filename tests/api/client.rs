//! A thin blocking HTTP client whose answers can be asked what they are: `client.post(…).expect_code(409, "slot_taken")`.

use std::ops::Index;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use ureq::http::{HeaderMap, Method};

use crate::document::{self, Exchange};

/// One caller of one server. Clones share the connections.
#[derive(Clone)]
pub struct Client {
    base: String,
    token: Option<String>,
    language: Option<String>,
    agent: ureq::Agent,
}

impl Client {
    /// An anonymous caller of `http://host:port`.
    pub fn new(base: impl Into<String>) -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(Duration::from_secs(60)))
            .max_idle_connections_per_host(64)
            .max_idle_connections(64)
            // The server closes a connection that idles for five seconds, perhaps just when it is used again.
            .max_idle_age(Duration::from_secs(2));
        Client {
            base: base.into(),
            token: None,
            language: None,
            agent: config.build().new_agent(),
        }
    }

    /// The same server for the bearer of this token.
    pub fn with_token(&self, token: impl Into<String>) -> Client {
        let token = Some(token.into());
        Client {
            token,
            ..self.clone()
        }
    }

    /// The same caller, preferring this language.
    pub fn in_language(&self, language: &str) -> Client {
        let language = Some(language.to_owned());
        Client {
            language,
            ..self.clone()
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send()
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send()
    }

    pub fn post(&self, path: &str, body: impl Serialize) -> Answer {
        self.request(Method::POST, path).json(body).send()
    }

    pub fn put(&self, path: &str, body: impl Serialize) -> Answer {
        self.request(Method::PUT, path).json(body).send()
    }

    pub fn patch(&self, path: &str, body: impl Serialize) -> Answer {
        self.request(Method::PATCH, path).json(body).send()
    }

    /// A request with headers or a body of its own; [`Request::send`] sends it. Letters outside ASCII and blanks in the
    /// path are percent-encoded.
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        let mut headers = Vec::new();
        if let Some(token) = &self.token {
            headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
        }
        if let Some(language) = &self.language {
            headers.push(("Accept-Language".to_owned(), language.clone()));
        }
        Request {
            agent: &self.agent,
            method,
            url: format!("{}{}", self.base, encoded(path)),
            headers,
            body: None,
        }
    }
}

fn encoded(path: &str) -> String {
    let letters = path.bytes().map(|byte| match byte.is_ascii_graphic() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    letters.collect()
}

#[must_use = "a request does nothing before it is sent"]
pub struct Request<'a> {
    agent: &'a ureq::Agent,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request<'_> {
    /// `Idempotency-Key`, `If-Match` and others.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn json(self, body: impl Serialize) -> Self {
        let bytes = serde_json::to_vec(&body).expect("a JSON body");
        self.bytes("application/json", bytes)
    }

    pub fn bytes(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", content_type)
    }

    #[track_caller]
    pub fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.url);
        self.try_send()
            .unwrap_or_else(|error| panic!("{asked}: {error}"))
    }

    /// For servers that may die in between: an error means that no whole answer came.
    pub fn try_send(self) -> Result<Answer, ureq::Error> {
        let asked = format!("{} {}", self.method, self.url);
        let (method, url) = (self.method.clone(), self.url.clone());
        let sent = self.sent();
        let mut response = self.response()?;
        let bytes = response
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_to_vec()?;
        let answer = Answer {
            asked,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            bytes,
        };
        let sent = sent
            .as_ref()
            .map(|(media_type, body)| (media_type.as_str(), &body[..]));
        answer.check_documented(method.as_str(), &url, sent);
        Ok(answer)
    }

    /// The type and bytes of the body.
    fn sent(&self) -> Option<(String, Vec<u8>)> {
        let is_type = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-type");
        let (_, media_type) = self.headers.iter().find(is_type)?;
        Some((media_type.clone(), self.body.clone()?))
    }

    fn response(self) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let forced = match self.method {
            Method::GET => Some(self.agent.get(&self.url).force_send_body()),
            Method::DELETE => Some(self.agent.delete(&self.url).force_send_body()),
            _ => None,
        };
        let request = ureq::http::Request::builder();
        let request = request.method(self.method).uri(self.url);
        let headers = self.headers.iter();
        match (forced, self.body) {
            // These have no body by custom, but a server must stand one.
            (Some(forced), Some(body)) => headers
                .fold(forced, |it, (k, v)| it.header(k, v))
                .send(body),
            (Some(_), None) => self.agent.run(
                headers
                    .fold(request, |it, (k, v)| it.header(k, v))
                    .body(())?,
            ),
            (None, body) => {
                let request = headers.fold(request, |it, (k, v)| it.header(k, v));
                self.agent.run(request.body(body.unwrap_or_default())?)
            }
        }
    }
}

/// What a server answered. `body` is null when it is not JSON; `bytes` is always there.
#[derive(Debug)]
pub struct Answer {
    asked: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// What the API document does not say is a mistake of the document or of the answer.
    fn check_documented(&self, method: &str, url: &str, sent: Option<(&str, &[u8])>) {
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        let mistake = document::mistake(&Exchange {
            method,
            path: &format!("/{path}"),
            sent,
            status: self.status,
            media_type: self.header("content-type").unwrap_or_default(),
            headers: document::HEADERS
                .into_iter()
                .filter(|name| self.header(name).is_some())
                .collect(),
            body: &self.body,
        });
        assert_eq!(
            mistake,
            None,
            "{} is not as documented: {}",
            self.asked,
            self.text()
        );
    }

    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{} answered {}",
            self.asked,
            self.text()
        );
        self
    }

    /// A problem document with this status and code.
    #[track_caller]
    pub fn expect_code(self, status: u16, code: &str) -> Self {
        let answer = self.expect_status(status);
        let told = (answer.header("content-type"), answer["code"].as_str());
        let expected = (Some("application/problem+json"), Some(code));
        assert_eq!(
            told,
            expected,
            "{} answered {}",
            answer.asked,
            answer.text()
        );
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `id` of what was made or read.
    #[track_caller]
    pub fn id(&self) -> i64 {
        let id = self["id"].as_i64();
        id.unwrap_or_else(|| panic!("{} answered without id: {}", self.asked, self.text()))
    }

    /// The `ETag`, to be sent back as `If-Match`.
    #[track_caller]
    pub fn etag(&self) -> &str {
        let tag = self.header("etag");
        tag.unwrap_or_else(|| panic!("{} answered without ETag: {}", self.asked, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A field of the JSON body; null when it is absent.
impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, field: &str) -> &Value {
        &self.body[field]
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    use serde_json::json;

    use super::*;

    /// A server that answers with what it was asked; `/409` in the path is the status it answers with.
    fn echo() -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap());
            }
        });
        Client::new(base)
    }

    fn answer(mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let length = head.iter().find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        let status = head[0]
            .split(['/', ' '])
            .find_map(|part| part.parse::<u16>().ok());
        let told = json!({ "id": 7, "code": "slot_taken", "head": head, "body": String::from_utf8_lossy(&body) });
        let _ = write!(
            stream,
            "HTTP/1.1 {} Fine\r\nContent-Type: application/problem+json\r\nETag: \"v3\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{told}",
            status.unwrap_or(200),
            told.to_string().len()
        );
    }

    fn says(answer: &Answer, line: &str) -> bool {
        let head = answer["head"].as_array().unwrap().iter();
        head.filter_map(Value::as_str)
            .any(|given| given.eq_ignore_ascii_case(line))
    }

    #[test]
    fn sends_what_it_is_told() {
        let client = echo();
        let answer = client
            .with_token("abc")
            .in_language("en")
            .get("/a?q=电 b")
            .expect_status(200);
        assert!(
            says(&answer, "GET /a?q=%E7%94%B5%20b HTTP/1.1"),
            "{answer:?}"
        );
        assert!(says(&answer, "Authorization: Bearer abc") && says(&answer, "Accept-Language: en"));
        assert_eq!((answer.id(), answer.etag()), (7, "\"v3\""));

        let body = json!({ "a": 1 });
        for answer in [
            client.post("/a", &body),
            client.put("/a", &body),
            client.patch("/a", &body),
        ] {
            assert!(
                says(&answer, "Content-Type: application/json"),
                "{answer:?}"
            );
            assert_eq!(answer["body"], body.to_string());
        }
        assert!(says(&client.delete("/a"), "DELETE /a HTTP/1.1"));
        assert!(says(
            &client.request(Method::POST, "/a").send(),
            "Content-Length: 0"
        ));

        for method in [Method::GET, Method::DELETE, Method::POST] {
            let request = client.request(method, "/a").header("Idempotency-Key", "k");
            let answer = request.bytes("text/csv", "x,y").send();
            assert!(says(&answer, "Idempotency-Key: k") && says(&answer, "Content-Type: text/csv"));
            assert_eq!(answer["body"], "x,y");
        }
    }

    fn panics(action: impl FnOnce() -> Answer) -> bool {
        catch_unwind(AssertUnwindSafe(action)).is_err()
    }

    #[test]
    fn a_refusal_is_an_answer_and_a_silent_server_an_error() {
        let client = echo();
        client.get("/409").expect_code(409, "slot_taken");
        assert!(panics(|| client.get("/409").expect_code(409, "other")));
        assert!(panics(|| client.get("/500").expect_status(200)));
        let nobody = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        assert!(
            Client::new(format!("http://{nobody}"))
                .request(Method::GET, "/")
                .try_send()
                .is_err()
        );
    }
}
