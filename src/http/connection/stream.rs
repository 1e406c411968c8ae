//! The bytes of one connection: how long a client may take over the head of a request, over its answer and over the next
//! request, and what it is told in place of the framework's empty answers. Bodies have times of their own, in `body`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::unparsed::{self, Head};
use super::{Admitted, Connection};

/// From a head's first byte to its last.
const HEAD_MAX: Duration = Duration::from_secs(10);

/// Without any byte between an answer and the next request. The framework closes after 5 seconds where it can tell.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// Without a single byte of an answer taken.
const STALL_MAX: Duration = Duration::from_secs(30);

/// What a client still sends after it was told that nothing more is read.
const LINGER_MAX: Duration = Duration::from_secs(1);

/// A connection's bytes, within its times.
#[derive(Debug)]
pub struct Stream {
    /// Both are there until the stream is dropped.
    io: Option<TcpStream>,
    admitted: Option<Admitted>,
    timer: Pin<Box<Sleep>>,
    head: Head,
    is_stalled: bool,
    /// Our answer in place of an empty one, as far as it is not sent.
    answer: Vec<u8>,
    was_unparsed: bool,
}

impl Stream {
    pub fn new(io: TcpStream, admitted: Admitted) -> Self {
        Self {
            io: Some(io),
            admitted: Some(admitted),
            timer: Box::pin(timer()),
            head: Head::default(),
            is_stalled: false,
            answer: Vec::new(),
            was_unparsed: false,
        }
    }

    /// For the requests that come by it.
    pub fn connection(&self) -> Option<Connection> {
        self.admitted.as_ref().map(|Admitted(known)| known.clone())
    }

    fn is_in_request(&self) -> bool {
        let admitted = self.admitted.as_ref();
        admitted.is_some_and(|Admitted(connection)| connection.is_in_request())
    }

    fn restart(&mut self, time: Duration) {
        self.timer.as_mut().reset(Instant::now() + time);
    }

    /// The socket, unless another connection needs the room.
    fn open(&mut self, cx: &Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        if let Some(Admitted(connection)) = &self.admitted {
            connection.link.waker.register(cx.waker());
            if connection.gives_way() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        let open = self.io.as_mut().map(Pin::new);
        open.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Pending until the time is over; then an error, which closes the connection.
    fn poll_time<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn hear(&mut self, bytes: &[u8]) {
        if self.is_in_request() || bytes.is_empty() {
            return;
        }
        if self.head.take(bytes) {
            self.restart(HEAD_MAX);
        }
    }

    /// The outcome of a write: without progress, time runs.
    fn wrote<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_stalled = false;
            self.restart(IDLE_MAX);
            return written;
        }
        if !std::mem::replace(&mut self.is_stalled, true) {
            self.restart(STALL_MAX);
        }
        self.poll_time(cx)
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.answer.is_empty() {
            let answer = std::mem::take(&mut self.answer);
            let written = self.open(cx)?.poll_write(cx, &answer);
            self.answer = answer;
            let count = ready!(self.wrote(cx, written))?;
            self.answer.drain(..count);
        }
        Poll::Ready(Ok(()))
    }
}

#[allow(clippy::disallowed_methods, reason = "the time a client has")]
fn timer() -> Sleep {
    sleep_until(Instant::now() + IDLE_MAX)
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = this.open(cx)?.poll_read(cx, buffer);
        if read.is_ready() {
            this.hear(buffer.filled().get(before..).unwrap_or_default());
            return read;
        }
        match this.is_in_request() {
            true => Poll::Pending,
            false => this.poll_time(cx),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_answer(cx))?;
        if let Some(answer) = unparsed::in_place_of(bytes, &this.head) {
            this.answer = answer;
            this.was_unparsed = true;
            return match this.poll_answer(cx)? {
                // The rest goes out with the flush.
                Poll::Ready(()) | Poll::Pending => Poll::Ready(Ok(bytes.len())),
            };
        }
        this.head.end();
        let written = this.open(cx)?.poll_write(cx, bytes);
        this.wrote(cx, written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_answer(cx))?;
        let flushed = this.open(cx)?.poll_flush(cx);
        if !this.is_in_request() && this.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_answer(cx))?;
        this.open(cx)?.poll_shutdown(cx)
    }
}

impl Drop for Stream {
    /// Who still sends while it is refused would find its connection reset and the answer lost: it is listened to a little
    /// longer.
    fn drop(&mut self) {
        let (Some(io), Some(admitted)) = (self.io.take(), self.admitted.take()) else {
            return;
        };
        let runtime = tokio::runtime::Handle::try_current();
        if let (true, Ok(runtime)) = (self.was_unparsed, runtime) {
            runtime.spawn(async move {
                let _ = timeout(LINGER_MAX, linger(io)).await;
                drop(admitted);
            });
        }
    }
}

async fn linger(mut io: TcpStream) -> io::Result<()> {
    std::future::poll_fn(|cx| Pin::new(&mut io).poll_shutdown(cx)).await?;
    let mut rest = [0; 4096];
    loop {
        io.readable().await?;
        match io.try_read(&mut rest) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
