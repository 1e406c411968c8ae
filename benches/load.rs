//! A small load generator: connections that each send a request, read its answer, and send the next, for a while. It runs on
//! the same cores as the server it measures.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Answers by status, and how long it took.
pub struct Outcome {
    pub expected: usize,
    pub other: usize,
    pub seconds: f64,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.expected as f64 / self.seconds
    }
}

/// `connections` at once send what `request` writes for a running number, and count answers of status `expected`.
pub fn run(
    address: &str,
    connections: usize,
    lasting: Duration,
    expected: u16,
    request: impl Fn(usize) -> Vec<u8> + Sync,
) -> Outcome {
    let (hits, misses, number) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let mut connection = Connection::open(address);
                while start.elapsed() < lasting {
                    let bytes = request(number.fetch_add(1, Ordering::Relaxed));
                    let counter = if connection.ask(&bytes).status == expected {
                        &hits
                    } else {
                        &misses
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    Outcome {
        expected: hits.into_inner(),
        other: misses.into_inner(),
        seconds: start.elapsed().as_secs_f64(),
    }
}

/// One connection, on which requests follow each other. It waits as long as an answer takes.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Connection {
    pub fn open(address: &str) -> Connection {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        }
    }

    /// Sends one request and reads its answer whole.
    pub fn ask(&mut self, request: &[u8]) -> Answer {
        self.stream.write_all(request).unwrap();
        self.buffer.clear();
        let mut chunk = [0_u8; 8192];
        loop {
            let read = self.stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the server hung up");
            self.buffer.extend_from_slice(&chunk[..read]);
            if let Some(answer) = self.whole() {
                return answer;
            }
        }
    }

    /// The answer, when all of it has come.
    fn whole(&self) -> Option<Answer> {
        let mut windows = self.buffer.windows(4);
        let body = windows.position(|window| window == b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&self.buffer[..body]).unwrap();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().unwrap())
        });
        let end = body + length.unwrap_or(0);
        (self.buffer.len() >= end).then(|| Answer {
            status: head[9..12].parse().unwrap(),
            body: self.buffer[body..end].to_vec(),
        })
    }
}

/// A request of somebody who is signed in, or of a visitor.
pub fn get_as(path: &str, token: Option<&str>) -> Vec<u8> {
    let bearer = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    let bearer = bearer.unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{bearer}\r\n").into_bytes()
}

/// A request without a body.
pub fn get(path: &str) -> Vec<u8> {
    get_as(path, None)
}

/// A JSON request of somebody who is signed in.
pub fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    post_file(path, token, "application/json", body.as_bytes())
}

/// A file from somebody who is signed in.
pub fn post_file(path: &str, token: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: {media_type}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
