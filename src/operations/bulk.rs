//! Bulk: one action on several subjects, asked for at once. Each is judged and written as if it were asked for alone, in the
//! order in which they were sent, and one that is refused takes back nothing of the others. All of it is one transaction with
//! the idempotency key: a bulk that died halfway has done nothing.

use std::collections::BTreeSet;
use std::slice::from_ref;

use super::actor::Actor;
use super::run::{Outcome, Run, check_version};
use super::subject::{Subject, authorize};
use crate::domain::InstrumentId;
use crate::domain::access::Action;
use crate::error::text::Language;
use crate::error::{AppError, Code, Fault};
use crate::store::{Conn, Lock, savepoint};

/// The most items of one bulk.
pub const ITEMS_MAX: usize = 500;

/// What is asked of one subject.
#[derive(Debug, Clone)]
pub struct Item<I, B> {
    pub id: I,
    /// The version it names; none means any.
    pub version: Option<i64>,
    pub body: B,
}

/// The items of a bulk, and how their refusals are told: in which language, of which path.
#[derive(Debug, Clone)]
pub struct Bulk<I, B> {
    pub items: Vec<Item<I, B>>,
    pub language: Language,
    pub path: String,
}

/// What became of one item; no refusal: it was done.
#[derive(Debug)]
pub struct Verdict {
    pub id: i64,
    pub refusal: Option<AppError>,
}

/// What became of a bulk, in the order of its items.
#[derive(Debug)]
pub struct Verdicts {
    pub items: Vec<Verdict>,
    pub language: Language,
    pub path: String,
    pub request_id: String,
}

/// Finds the instruments that subjects stand on, to be locked before any of them is judged.
pub type FindInstruments<I> = fn(&mut Conn, &[I]) -> Result<Vec<InstrumentId>, AppError>;

/// The subjects are instruments themselves.
pub fn themselves(_: &mut Conn, ids: &[InstrumentId]) -> Result<Vec<InstrumentId>, AppError> {
    Ok(ids.to_vec())
}

impl Run<Verdicts> {
    /// Runs a single action on each item: rights, version and rules are asked as there, and the event is its own. 422 for
    /// more items than [`ITEMS_MAX`], or none.
    pub async fn each<S, B, R, F>(
        &self,
        bulk: Result<Bulk<S::Id, B>, AppError>,
        single: Action,
        instruments: FindInstruments<S::Id>,
        part: F,
    ) -> Outcome<Verdicts>
    where
        S: Subject,
        S::Id: Into<i64>,
        B: Send + 'static,
        F: Fn(&mut Conn, &Actor, S, &B) -> Result<R, AppError> + Send + 'static,
    {
        let judge = move |tx: &mut Conn, actor: &Actor, bulk: &Bulk<S::Id, B>| {
            lock(tx, instruments, bulk)?;
            let mut items = Vec::with_capacity(bulk.items.len());
            for item in &bulk.items {
                let judged = savepoint::within(tx, |tx| {
                    let subject = S::lock_and_load(tx, actor, item.id)?;
                    authorize(actor, single, &subject.ties())?;
                    check_version(item.version.as_ref().map(from_ref), &subject)?;
                    part(tx, actor, subject, &item.body)
                });
                items.push(Verdict {
                    id: item.id.into(),
                    refusal: refusal(judged?.err())?,
                });
            }
            Ok(Verdicts {
                items,
                language: bulk.language,
                path: bulk.path.clone(),
                request_id: actor.request_id.clone().unwrap_or_default(),
            })
        };
        self.alone().with(bulk.and_then(counted), judge).await
    }
}

fn counted<I, B>(bulk: Bulk<I, B>) -> Result<Bulk<I, B>, AppError> {
    let many = bulk.items.len();
    match many {
        0 => Err(AppError::refused("items", Code::required)),
        1..=ITEMS_MAX => Ok(bulk),
        _ => {
            let fault = Fault::field("items", Code::too_many).limit(ITEMS_MAX);
            Err(AppError::Refused(vec![fault.actual(many)]))
        }
    }
}

/// All instruments before their records, in the order of ids: two bulks wait for each other and do not meet, and nobody who
/// waits for an instrument keeps others from the records.
fn lock<I: Copy, B>(
    tx: &mut Conn,
    instruments: FindInstruments<I>,
    bulk: &Bulk<I, B>,
) -> Result<(), AppError> {
    let ids: Vec<I> = bulk.items.iter().map(|item| item.id).collect();
    let instruments: BTreeSet<InstrumentId> = instruments(tx, &ids)?.into_iter().collect();
    for instrument in instruments {
        Lock::Instrument(instrument).take(tx)?;
    }
    Ok(Lock::RecordsShared.take(tx)?)
}

/// The error that is an item's own; one that says nothing of the item ends the bulk.
fn refusal(error: Option<AppError>) -> Result<Option<AppError>, AppError> {
    match error {
        Some(
            ended @ (AppError::Unavailable(_)
            | AppError::Contended
            | AppError::Busy
            | AppError::TooMany { .. }
            | AppError::Internal(_)),
        ) => Err(ended),
        refused => Ok(refused),
    }
}
