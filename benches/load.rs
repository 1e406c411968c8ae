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
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_nodelay(true).unwrap();
                let mut buffer = Vec::with_capacity(16 * 1024);
                while start.elapsed() < lasting {
                    let bytes = request(number.fetch_add(1, Ordering::Relaxed));
                    stream.write_all(&bytes).unwrap();
                    let counter = if read_answer(&mut stream, &mut buffer) == expected {
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

/// Reads one answer whole; its status.
fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> u16 {
    buffer.clear();
    let mut chunk = [0_u8; 8192];
    loop {
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the server hung up");
        buffer.extend_from_slice(&chunk[..read]);
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end]).unwrap();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().unwrap())
        });
        if buffer.len() >= end + 4 + length.unwrap_or(0) {
            return head[9..12].parse().unwrap();
        }
    }
}

/// A request without a body.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// A JSON request of somebody who is signed in.
pub fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
