//! A request's body: read within its size and its time, and within what the bodies of the whole process may take. Who is too
//! slow is told so (408), who comes while others fill the room is told to come again (503).

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::connection::Connection;
use crate::app::App;
use crate::error::{AppError, Code, Fault};

/// So much of each body is not counted among those of the process: there are only so many connections.
const FREE_BYTES: usize = 16 << 10;

/// A body with its share of the room for bodies, as long as it is there.
#[derive(Debug, Default)]
pub struct Body {
    pub bytes: Bytes,
    /// Given back when the body is dropped.
    _share: Option<OwnedSemaphorePermit>,
}

/// Whether a body comes with the request.
pub fn is_sent(request: &HttpRequest) -> bool {
    let headers = request.headers();
    headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length != "0")
}

/// Reads the body of a request that may send so many bytes: a file, which has its own time, or not.
pub async fn read(
    app: &App,
    request: &HttpRequest,
    payload: &mut Payload,
    is_file: bool,
) -> Result<Body, AppError> {
    if !is_sent(request) {
        return Ok(Body::default());
    }
    let (limit, seconds) = match is_file {
        true => (app.config.import_bytes_max, app.config.import_seconds_max),
        false => (app.config.body_bytes_max, app.config.body_seconds_max),
    };
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut reading = Reading {
        app,
        connection: request.conn_data::<Connection>(),
        bytes: BytesMut::with_capacity(length.unwrap_or(0).min(FREE_BYTES)),
        share: None,
        end: Instant::now() + Duration::from_secs(seconds),
    };
    while let Some(chunk) = reading.next(payload).await? {
        if reading.bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        reading.keep(&chunk)?;
    }
    Ok(Body {
        bytes: reading.bytes.freeze(),
        _share: reading.share,
    })
}

fn too_large(limit: usize) -> AppError {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    AppError::Unacceptable(Box::new(Fault::request(Code::body_too_large).limit(limit)))
}

struct Reading<'a> {
    app: &'a App,
    connection: Option<&'a Connection>,
    bytes: BytesMut,
    share: Option<OwnedSemaphorePermit>,
    end: Instant,
}

impl Reading<'_> {
    /// The next piece; while it is awaited, the connection may have to give way to another.
    async fn next(&self, payload: &mut Payload) -> Result<Option<Bytes>, AppError> {
        let pause = Duration::from_secs(self.app.config.body_pause_seconds_max);
        let end = self.end.min(Instant::now() + pause);
        if let Some(connection) = self.connection {
            connection.waits();
        }
        let next = timeout_at(end, payload.next()).await;
        if let Some(connection) = self.connection {
            connection.works();
        }
        let slow = || AppError::Unacceptable(Box::new(Fault::request(Code::request_timeout)));
        let broken = |_| AppError::Malformed(vec![Fault::request(Code::malformed_request)]);
        next.map_err(|_| slow())?.transpose().map_err(broken)
    }

    fn keep(&mut self, chunk: &[u8]) -> Result<(), AppError> {
        let counted = (self.bytes.len() + chunk.len()).saturating_sub(FREE_BYTES);
        let held = self.share.as_ref().map_or(0, |share| share.num_permits());
        let more = u32::try_from(counted.saturating_sub(held)).unwrap_or(u32::MAX);
        if more > 0 {
            let room = Arc::clone(&self.app.body_room);
            let more = room.try_acquire_many_owned(more);
            let more = more.map_err(|_| AppError::unavailable("too many large bodies at once"))?;
            match &mut self.share {
                Some(share) => share.merge(more),
                None => self.share = Some(more),
            }
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}
