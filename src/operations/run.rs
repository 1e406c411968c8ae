//! How every action runs: who acts, at what time, once per idempotency key, with its events in the same transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::app::{App, token};
use crate::domain::access::{Caller, Denied};
use crate::domain::fault::{FaultValue, FieldFault};
use crate::domain::state::InvalidState;
use crate::domain::{Instant, UserId};
use crate::error::{AppError, Code, Fault};
use crate::store::event::Personal;
use crate::store::{self, Conn, Lock};

/// A caller's action: who, when, under which request.
#[derive(Debug, Clone)]
pub struct Act {
    pub caller: Caller,
    pub now: Instant,
    pub request_id: String,
    pub once: Option<Once>,
}

/// Who does something: a caller over the API, or the installation's own command line, which has no account.
#[derive(Debug, Clone)]
pub enum Actor {
    Caller(Box<Act>),
    System { now: Instant },
}

impl Actor {
    pub fn now(&self) -> Instant {
        match self {
            Actor::Caller(act) => act.now,
            Actor::System { now } => *now,
        }
    }

    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Actor::Caller(act) => Some(act.caller.user_id),
            Actor::System { .. } => None,
        }
    }

    /// An event of this actor, to be filled in and appended.
    pub fn event(
        &self,
        action: &'static str,
        subject: store::event::Subject,
    ) -> store::event::NewEvent {
        match self {
            Actor::Caller(act) => act.event(action, subject),
            Actor::System { now } => store::event::NewEvent::new(*now, action, subject),
        }
    }

    /// As [`perform`]; the command line has no idempotency keys.
    pub async fn perform<T, F>(&self, app: &App, action: F) -> Result<T, AppError>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: Fn(&mut Conn) -> Result<T, AppError> + Send + 'static,
    {
        match self {
            Actor::Caller(act) => perform(app, act, action).await,
            Actor::System { .. } => app.store.write(action).await,
        }
    }
}

/// Who does something to a booking, a record or a charge: a caller, or time itself.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    Caller(&'a Act),
    /// It happens by itself at this moment.
    Time(Instant),
}

impl By<'_> {
    pub fn now(&self) -> Instant {
        match self {
            By::Caller(act) => act.now,
            By::Time(now) => *now,
        }
    }

    pub fn user_id(&self) -> Option<UserId> {
        match self {
            By::Caller(act) => Some(act.caller.user_id),
            By::Time(_) => None,
        }
    }

    /// An event of theirs, to be filled in and appended.
    pub fn event(
        &self,
        action: &'static str,
        subject: store::event::Subject,
    ) -> store::event::NewEvent {
        match self {
            By::Caller(act) => act.event(action, subject),
            By::Time(now) => store::event::NewEvent::new(*now, action, subject),
        }
    }
}

impl From<Act> for Actor {
    fn from(act: Act) -> Self {
        Actor::Caller(Box::new(act))
    }
}

/// The idempotency key of a request and the digest of what it asks.
#[derive(Debug, Clone)]
pub struct Once {
    pub key: String,
    pub fingerprint: String,
    /// Set when the stored answer was given again.
    pub replayed: Arc<AtomicBool>,
}

impl Act {
    /// Whose idempotency keys these are: the person's, or the API key's own.
    fn key_space(&self) -> String {
        match &self.caller.api_key {
            Some(key) => format!("key:{}", key.id),
            None => format!("user:{}", self.caller.user_id),
        }
    }

    /// Whether the action was done now, not given again from an earlier request.
    pub fn is_first(&self) -> bool {
        let replayed = |once: &Once| once.replayed.load(Ordering::SeqCst);
        !self.once.as_ref().is_some_and(replayed)
    }

    /// An event of this act, to be filled in and appended.
    pub fn event(
        &self,
        action: &'static str,
        subject: store::event::Subject,
    ) -> store::event::NewEvent {
        let mut event = store::event::NewEvent::new(self.now, action, subject);
        event.actor_user_id = Some(self.caller.user_id);
        event.actor_api_key_id = self.caller.api_key.as_ref().map(|key| key.id);
        event.actor_organization_id = Some(self.caller.organization_id);
        event.request_id = Some(self.request_id.clone());
        event
    }
}

/// Runs an action in one transaction, once per idempotency key.
///
/// The key is written with the action, so it exists exactly when the action does. The result is stored and given again for the
/// same request; another request under the same key is 422 `idempotency_key_reused`; while the first still runs, 409
/// `request_in_progress`.
pub async fn perform<T, F>(app: &App, act: &Act, action: F) -> Result<T, AppError>
where
    T: Serialize + DeserializeOwned + Send + 'static,
    F: Fn(&mut Conn) -> Result<T, AppError> + Send + 'static,
{
    let Some(once) = act.once.clone() else {
        return app.store.write(action).await;
    };
    let flag = once.replayed.clone();
    let (space, now) = (act.key_space(), act.now);
    let (replayed, result) = app.store.write(keyed(space, once, now, action)).await?;
    flag.store(replayed, Ordering::SeqCst);
    Ok(result)
}

/// As [`perform`], in a commit of its own: for imports, which may take long.
pub async fn perform_alone<T, F>(app: &App, act: &Act, action: F) -> Result<T, AppError>
where
    T: Serialize + DeserializeOwned + Send + 'static,
    F: Fn(&mut Conn) -> Result<T, AppError> + Send + 'static,
{
    let Some(once) = act.once.clone() else {
        return app.store.write_alone(action).await;
    };
    let flag = once.replayed.clone();
    let keyed = keyed(act.key_space(), once, act.now, action);
    let (replayed, result) = app.store.write_alone(keyed).await?;
    flag.store(replayed, Ordering::SeqCst);
    Ok(result)
}

/// An action of somebody who has no account yet: when, under which request.
#[derive(Debug, Clone)]
pub struct Visit {
    pub now: Instant,
    pub request_id: String,
    pub once: Option<Once>,
}

impl Visit {
    /// As [`perform`]. `whom` is the login or token the action is about: a visitor's keys are kept apart by it.
    pub async fn perform<T, F>(&self, app: &App, whom: &str, action: F) -> Result<T, AppError>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: Fn(&mut Conn) -> Result<T, AppError> + Send + 'static,
    {
        let Some(once) = self.once.clone() else {
            return app.store.write(action).await;
        };
        let flag = once.replayed.clone();
        let keyed = keyed(visitor_space(whom), once, self.now, action);
        let (replayed, result) = app.store.write(keyed).await?;
        flag.store(replayed, Ordering::SeqCst);
        Ok(result)
    }

    /// As [`find_earlier`].
    pub async fn find_earlier<T>(&self, app: &App, whom: &str) -> Result<Option<T>, AppError>
    where
        T: DeserializeOwned,
    {
        find_stored(app, visitor_space(whom), self.once.clone()).await
    }
}

fn visitor_space(whom: &str) -> String {
    format!("visitor:{}", token::hash(whom))
}

/// The stored answer of the same request, if it was done before: for actions that first prove what they change themselves, so
/// that the proof would fail the second time.
pub async fn find_earlier<T: DeserializeOwned>(
    app: &App,
    act: &Act,
) -> Result<Option<T>, AppError> {
    find_stored(app, act.key_space(), act.once.clone()).await
}

async fn find_stored<T: DeserializeOwned>(
    app: &App,
    space: String,
    once: Option<Once>,
) -> Result<Option<T>, AppError> {
    let Some(once) = once else {
        return Ok(None);
    };
    let flag = once.replayed.clone();
    let find = move |conn: &mut Conn| stored(conn, &space, &once);
    let Some(found) = app.store.read(find).await? else {
        return Ok(None);
    };
    flag.store(true, Ordering::SeqCst);
    Ok(Some(serde_json::from_str(&found)?))
}

/// The action under its key: what it answers, and whether that is the stored answer of an earlier request.
fn keyed<T, F>(
    space: String,
    once: Once,
    now: Instant,
    action: F,
) -> impl Fn(&mut Conn) -> Result<(bool, T), AppError> + Send + 'static
where
    T: Serialize + DeserializeOwned + Send + 'static,
    F: Fn(&mut Conn) -> Result<T, AppError> + Send + 'static,
{
    move |tx| {
        if let Some(stored) = earlier(tx, &space, &once)? {
            return Ok((true, serde_json::from_str(&stored)?));
        }
        let result = action(tx)?;
        store::idempotency::insert(
            tx,
            &space,
            &once.key,
            &once.fingerprint,
            serde_json::to_string(&result)?,
            now,
        )?;
        Ok((false, result))
    }
}

fn earlier(tx: &mut Conn, space: &str, once: &Once) -> Result<Option<String>, AppError> {
    if !Lock::Idempotency(lock_number(space, &once.key)).try_take(tx)? {
        return Err(AppError::conflict(Code::request_in_progress));
    }
    stored(tx, space, once)
}

fn stored(conn: &mut Conn, space: &str, once: &Once) -> Result<Option<String>, AppError> {
    match store::idempotency::find(conn, space, &once.key)? {
        Some((fingerprint, _)) if fingerprint != once.fingerprint => {
            Err(AppError::Refused(vec![Fault::field(
                "Idempotency-Key",
                Code::idempotency_key_reused,
            )]))
        }
        Some((_, result)) => Ok(Some(result)),
        None => Ok(None),
    }
}

/// The advisory number of a text in its space.
pub fn lock_number(space: &str, key: &str) -> i64 {
    let digest = Sha256::digest(format!("{space} {key}").as_bytes());
    digest
        .iter()
        .take(7)
        .fold(0, |number, byte| (number << 8) | i64::from(*byte))
}

impl From<Denied> for AppError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Hidden => AppError::NotFound,
            other => AppError::Denied(Code::find(other.as_str()).unwrap_or(Code::forbidden)),
        }
    }
}

impl From<FaultValue> for serde_json::Value {
    fn from(told: FaultValue) -> Self {
        match told {
            FaultValue::Number(number) => number.into(),
            FaultValue::Text(text) => text.into(),
        }
    }
}

impl From<FieldFault> for Fault {
    fn from(fault: FieldFault) -> Self {
        let mut entry = Fault::field(
            fault.field,
            Code::find(fault.code).unwrap_or(Code::invalid_value),
        );
        entry.limit = fault.limit.map(Into::into);
        entry.actual = fault.actual.map(Into::into);
        entry
    }
}

impl From<Vec<FieldFault>> for AppError {
    fn from(faults: Vec<FieldFault>) -> Self {
        AppError::Refused(faults.into_iter().map(Into::into).collect())
    }
}

impl From<InvalidState> for AppError {
    fn from(invalid: InvalidState) -> Self {
        AppError::conflict(Code::invalid_state)
            .with("state", invalid.state)
            .with("allowed", invalid.allowed)
    }
}

/// Names, addresses and free text of an event, with the salt that keeps their digest from being guessed.
pub fn personal(content: impl Serialize) -> Result<Personal, AppError> {
    let (salt, content) = (token::random_token(""), serde_json::to_string(&content)?);
    let digest = token::hash(&format!("{salt}{content}"));
    Ok(Personal {
        salt,
        content,
        digest,
    })
}

/// 412 when the version sent is not the present one; a version not sent passes.
pub fn same_version(sent: Option<i64>, present: i64) -> Result<(), AppError> {
    match sent {
        Some(sent) if sent != present => Err(AppError::Precondition(Code::version_mismatch)),
        _ => Ok(()),
    }
}
