//! How an action runs: role, idempotency key, lock, load, rights, the body's fault, version, then the action's own part,
//! all in one transaction. An action's file holds what is particular to it and nothing else.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::actor::{Actor, Once};
use super::subject::{Subject, Ties, authorize};
use crate::app::{App, token};
use crate::domain::InstrumentId;
use crate::domain::access::{Action, Denied};
use crate::domain::state::InvalidState;
use crate::error::{AppError, Code, Fault};
use crate::store::event::Personal;
pub use crate::store::idempotency::Reply;
use crate::store::{self, Conn, FirstLocks};

/// One action somebody asks for, before it is run. `T` is what it brings about.
#[derive(Debug, Clone)]
pub struct Run<T> {
    pub app: App,
    pub actor: Actor,
    pub action: Action,
    /// The versions the request names, one of which must be the present one; none means any.
    pub versions: Option<Vec<i64>>,
    /// How the route answers; kept under an idempotency key, in the action's own transaction.
    render: fn(&T) -> Result<Reply, AppError>,
    /// In a commit of its own.
    is_alone: bool,
    /// Taken back when it is done.
    is_dry: bool,
    /// A right of their own by which others do a part of the action.
    other_action: Option<Action>,
}

/// What became of a request.
#[derive(Debug)]
pub enum Done<T> {
    Now(T),
    /// The same request was done before: its answer.
    Earlier(Reply),
}

pub type Outcome<T> = Result<Done<T>, AppError>;

/// How a change that was sent as `B` is read beside the subject as it stands: what it shall say, and which of the fields that
/// were sent are at fault, told after the version.
pub type ReadChange<S, B, C> = fn(&S, &B) -> Result<(C, Vec<Fault>), AppError>;

impl<T> Done<T> {
    /// What was done, for entrances that have no idempotency keys.
    pub fn now(self) -> Result<T, AppError> {
        match self {
            Done::Now(done) => Ok(done),
            Done::Earlier(_) => Err(AppError::internal("an answer kept for nobody")),
        }
    }
}

/// The role alone, before anything of the body is read.
pub fn may(actor: &Actor, action: Action) -> Result<(), AppError> {
    authorize(actor, action, &Ties::Nobody)
}

/// Whether the actor may do the action to this subject, as it stands: 404, 403 or nothing.
pub async fn admit<S: Subject>(
    app: &App,
    actor: &Actor,
    action: Action,
    id: S::Id,
) -> Result<(), AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| authorize(&actor, action, &S::load(conn, &actor, id)?.ties()))
        .await
}

impl<T: Send + 'static> Run<T> {
    pub fn new(
        app: &App,
        actor: Actor,
        action: Action,
        versions: Option<Vec<i64>>,
        render: fn(&T) -> Result<Reply, AppError>,
    ) -> Self {
        Self {
            app: app.clone(),
            actor,
            action,
            versions,
            render,
            is_alone: false,
            is_dry: false,
            other_action: None,
        }
    }

    /// Others do a part of it by a right of their own; which part, its subject says.
    pub fn or(self, other_action: Option<Action>) -> Self {
        Self {
            other_action,
            ..self
        }
    }

    /// Perhaps only to tell what it would do: under the same rights, body and refusals, then taken back. No key is used.
    pub fn dry(mut self, is_dry: bool) -> Self {
        if is_dry {
            self.actor.once = None;
        }
        Self { is_dry, ..self }
    }

    /// As [`Run::new`], for entrances that have no idempotency keys.
    pub fn direct(app: &App, actor: &Actor, action: Action) -> Self {
        let nobody = |_: &T| Err(AppError::internal("an answer kept for nobody"));
        Self::new(app, actor.clone(), action, None, nobody)
    }

    /// The same request; of a visitor's, its keys are kept apart by the login or token it is about.
    pub fn about(&self, whom: &str) -> Self {
        let (actor, versions) = (self.actor.clone().about(whom), self.versions.clone());
        Self {
            is_alone: self.is_alone,
            is_dry: self.is_dry,
            other_action: self.other_action,
            ..Self::new(&self.app, actor, self.action, versions, self.render)
        }
    }

    /// The answer kept for the same request, before work outside the transaction is done again.
    pub async fn earlier(&self) -> Result<Option<Reply>, AppError> {
        let Some(once) = self.actor.once.clone() else {
            return Ok(None);
        };
        let space = self.actor.key_space(&once);
        let find = move |conn: &mut Conn| kept(conn, &space, &once);
        self.app.store.read(find).await
    }

    /// What expensive work gives, which no transaction waits for and which is not done again for a kept answer. The request's
    /// twin may have been done while the work was refused: then its answer counts, too.
    pub async fn prepare<P>(&self, work: impl Future<Output = Result<P, AppError>>) -> Outcome<P> {
        if let Some(reply) = self.earlier().await? {
            return Ok(Done::Earlier(reply));
        }
        match work.await {
            Ok(ready) => Ok(Done::Now(ready)),
            Err(refusal) => match self.earlier().await? {
                Some(reply) => Ok(Done::Earlier(reply)),
                None => Err(refusal),
            },
        }
    }

    /// The same in a commit of its own: for imports, which may take long.
    pub fn alone(&self) -> Self {
        let (actor, versions) = (self.actor.clone(), self.versions.clone());
        Self {
            is_alone: true,
            is_dry: self.is_dry,
            ..Self::new(&self.app, actor, self.action, versions, self.render)
        }
    }

    /// Runs the action on a subject: `part` gets it as it stands under its lock.
    ///
    /// Whoever lacks the role, or whose body is malformed, is refused from a reading: no lock is taken for them.
    pub async fn on<S, B, F>(&self, id: S::Id, body: Result<B, AppError>, part: F) -> Outcome<T>
    where
        S: Subject,
        B: Send + 'static,
        F: Fn(&mut Conn, &Actor, S, &B) -> Result<T, AppError> + Send + 'static,
    {
        let versions = self.versions.clone();
        self.locked(id, body, move |tx, actor, subject: S, body| {
            check_version(versions.as_deref(), &subject)?;
            part(tx, actor, subject, body)
        })
        .await
    }

    /// As [`Run::on`] for a change of what the subject says. What was sent can be read only beside it: `read` answers what it
    /// shall say, where a fault has the rank of the body's, and which of the fields that were sent are read-only.
    pub async fn change<S, B, C, R, F>(
        &self,
        id: S::Id,
        sent: Result<B, AppError>,
        read: R,
        part: F,
    ) -> Outcome<T>
    where
        S: Subject,
        B: Send + 'static,
        R: Fn(&mut Conn, &Actor, &S, &B) -> Result<(C, Vec<Fault>), AppError> + Send + 'static,
        F: Fn(&mut Conn, &Actor, S, &C) -> Result<T, AppError> + Send + 'static,
    {
        let versions = self.versions.clone();
        self.locked(id, sent, move |tx, actor, subject: S, sent| {
            let (change, read_only) = read(tx, actor, &subject, sent)?;
            check_version(versions.as_deref(), &subject)?;
            AppError::refuse_all(read_only)?;
            part(tx, actor, subject, &change)
        })
        .await
    }

    async fn locked<S, B, F>(&self, id: S::Id, body: Result<B, AppError>, part: F) -> Outcome<T>
    where
        S: Subject,
        B: Send + 'static,
        F: Fn(&mut Conn, &Actor, S, &B) -> Result<T, AppError> + Send + 'static,
    {
        let (actor, rights) = (self.actor.clone(), (self.action, self.other_action));
        let body = match body {
            Ok(body) => body,
            Err(fault) => return self.refuse::<S>(id, fault).await,
        };
        if authorize_either(&actor, rights, &Ties::Nobody).is_err() {
            self.admit::<S>(id).await?;
        }
        self.once(None, move |tx| {
            let subject = S::lock_and_load(tx, &actor, id)?;
            authorize_either(&actor, rights, &subject.ties())?;
            part(tx, &actor, subject, &body)
        })
        .await
    }

    /// Refuses a malformed request to a subject: by the rights, else by its fault.
    pub async fn refuse<S: Subject>(&self, id: S::Id, fault: AppError) -> Outcome<T> {
        self.admit::<S>(id).await?;
        Err(fault)
    }

    async fn admit<S: Subject>(&self, id: S::Id) -> Result<(), AppError> {
        let (actor, rights) = (self.actor.clone(), (self.action, self.other_action));
        let ask = move |conn: &mut Conn| {
            authorize_either(&actor, rights, &S::load(conn, &actor, id)?.ties())
        };
        self.app.store.read(ask).await
    }

    /// Runs an action for which the role decides, or whose part asks further rights of what the body names.
    pub async fn with<B, F>(&self, body: Result<B, AppError>, part: F) -> Outcome<T>
    where
        B: Send + 'static,
        F: Fn(&mut Conn, &Actor, &B) -> Result<T, AppError> + Send + 'static,
    {
        self.with_locks(None, body, part).await
    }

    /// As [`Run::with`]; `Lock::Instrument` and `Lock::RecordsShared` are held when the part begins.
    pub async fn with_records_of<B, F>(
        &self,
        instrument: InstrumentId,
        body: Result<B, AppError>,
        part: F,
    ) -> Outcome<T>
    where
        B: Send + 'static,
        F: Fn(&mut Conn, &Actor, &B) -> Result<T, AppError> + Send + 'static,
    {
        self.with_locks(Some(instrument), body, part).await
    }

    async fn with_locks<B, F>(
        &self,
        records_of: Option<InstrumentId>,
        body: Result<B, AppError>,
        part: F,
    ) -> Outcome<T>
    where
        B: Send + 'static,
        F: Fn(&mut Conn, &Actor, &B) -> Result<T, AppError> + Send + 'static,
    {
        may(&self.actor, self.action)?;
        let (actor, body) = (self.actor.clone(), body?);
        self.once(records_of, move |tx| part(tx, &actor, &body))
            .await
    }

    /// Runs `part` in one transaction, once for each idempotency key.
    ///
    /// The key is written with the action, so it exists exactly when the action does. Another request under the same key is
    /// 422 `idempotency_key_reused`; while the first still runs, 409 `request_in_progress`.
    async fn once<F>(&self, records_of: Option<InstrumentId>, part: F) -> Outcome<T>
    where
        F: Fn(&mut Conn) -> Result<T, AppError> + Send + 'static,
    {
        let Some(once) = self.actor.once.clone() else {
            let locks = FirstLocks {
                idempotency: None,
                records_of,
            };
            return self.write(locks, part).await.map(Done::Now);
        };
        let (space, now, render) = (self.actor.key_space(&once), self.actor.now, self.render);
        let locks = FirstLocks {
            idempotency: Some(lock_number(&space, &once.key)),
            records_of,
        };
        let keyed = move |tx: &mut Conn| {
            if let Some(reply) = kept(tx, &space, &once)? {
                return Ok(Done::Earlier(reply));
            }
            let done = part(tx)?;
            let (key, fingerprint) = (&once.key, &once.fingerprint);
            store::idempotency::insert(tx, &space, key, fingerprint, &render(&done)?, now)?;
            Ok(Done::Now(done))
        };
        self.write(locks, keyed).await
    }

    async fn write<D, F>(&self, locks: FirstLocks, part: F) -> Result<D, AppError>
    where
        D: Send + 'static,
        F: Fn(&mut Conn) -> Result<D, AppError> + Send + 'static,
    {
        let store = &self.app.store;
        if !self.is_dry {
            return store.write_locked(locks, self.is_alone, part).await;
        }
        let told = Arc::new(Mutex::new(None));
        let tells = Arc::clone(&told);
        let taken_back = move |tx: &mut Conn| {
            let done = part(tx)?;
            *tells.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            Err(AppError::internal("a dry run is taken back"))
        };
        let outcome = store.write_locked(locks, self.is_alone, taken_back).await;
        let told = told.lock().unwrap_or_else(PoisonError::into_inner).take();
        told.map_or(outcome, Ok)
    }
}

/// The installation's own bookkeeping: leases, places of consumers, what time does, what is forgotten. Nobody asks for it, so no
/// right of a person is exercised and no answer is kept.
pub async fn work<T, F>(app: &App, part: F) -> Result<T, AppError>
where
    T: Send + 'static,
    F: Fn(&mut Conn) -> Result<T, AppError> + Send + 'static,
{
    app.store.write(part).await
}

/// As [`work`], in a commit of its own: for what may take long.
pub async fn work_alone<T, F>(app: &App, part: F) -> Result<T, AppError>
where
    T: Send + 'static,
    F: Fn(&mut Conn) -> Result<T, AppError> + Send + 'static,
{
    app.store.write_alone(part).await
}

/// The answer kept under a key; 422 when it is another request's.
pub(super) fn kept(conn: &mut Conn, space: &str, once: &Once) -> Result<Option<Reply>, AppError> {
    match store::idempotency::find(conn, space, &once.key)? {
        Some((fingerprint, _)) if fingerprint != once.fingerprint => {
            Err(AppError::Refused(vec![Fault::field(
                "Idempotency-Key",
                Code::idempotency_key_reused,
            )]))
        }
        Some((_, reply)) => Ok(Some(reply)),
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
            other => AppError::Denied(other.code()),
        }
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

/// By the first right, or else by the other one; who has neither is told why not the first.
fn authorize_either(
    actor: &Actor,
    (action, other): (Action, Option<Action>),
    ties: &Ties,
) -> Result<(), AppError> {
    authorize(actor, action, ties).or_else(|denied| match other {
        Some(other) => authorize(actor, other, ties).map_err(|_| denied),
        None => Err(denied),
    })
}

/// 412 when the subject has another version than those sent.
pub(super) fn check_version(sent: Option<&[i64]>, subject: &impl Subject) -> Result<(), AppError> {
    match subject.version() {
        Some(present) => same_version(sent, present),
        None => Ok(()),
    }
}

/// 412 when the present version is none of those sent; where none is sent, every one passes.
fn same_version(sent: Option<&[i64]>, present: i64) -> Result<(), AppError> {
    match sent {
        Some(sent) if !sent.contains(&present) => {
            Err(AppError::Precondition(Code::version_mismatch))
        }
        _ => Ok(()),
    }
}
