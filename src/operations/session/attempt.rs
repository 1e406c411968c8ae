//! How often a password may be tried: each trial is counted before it is looked at and taken back when it was right, so that
//! guesses sent at once are no more than guesses sent in turn. Counted by login and place; a slower limit holds for a login in
//! all places that it never signed in from, so that nobody is locked out by somebody elsewhere.

use std::net::{IpAddr, Ipv6Addr};

use serde_json::json;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::{Instant, Minutes, SessionId, UserId};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::password;
use crate::operations::run::{lock_number, personal, work};
use crate::store::event::Subject;
use crate::store::session::{self, Failures};
use crate::store::{self, Conn, Lock};

/// How long a failure counts in all places together.
const COUNTED_EVERYWHERE: Minutes = Minutes::new(60);

/// How long a place is known from which a login signed in.
const KNOWN: Minutes = Minutes::new(-30 * 24 * 60);

/// Where a password is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At a network address; none where there is no network.
    Address(Option<IpAddr>),
    /// In a session that stands already: nobody else's trials count there.
    Session(SessionId),
}

impl Place {
    pub fn of(actor: &Actor) -> Self {
        Self::Address(actor.address)
    }

    /// How the place is written. One caller has a whole /64 of IPv6, so that counts as one address.
    fn key(self) -> String {
        match self {
            Self::Session(id) => format!("{}{id}", session::SESSION_PLACE),
            Self::Address(None) => "nowhere".to_owned(),
            Self::Address(Some(address)) => match address.to_canonical() {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => {
                    let [a, b, c, d, ..] = address.segments();
                    format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
                }
            },
        }
    }
}

/// A password that somebody says is a login's, with the account that has this login, and its hash.
#[derive(Debug, Clone)]
pub struct Trial {
    pub login: String,
    pub password: String,
    pub known: Option<(UserId, String)>,
}

/// A trial that was counted and was right: to be taken back.
#[derive(Debug, Clone)]
pub struct Attempt {
    login: String,
    place: String,
}

/// Tries a password: none where it is wrong, which is told in the trail when the login is somebody's. 429 `locked_out` after
/// too many wrong ones, for the right one too.
pub async fn prove(
    app: &App,
    actor: &Actor,
    place: Place,
    trial: Trial,
) -> Result<Option<Attempt>, AppError> {
    let attempt = Attempt {
        login: trial.login,
        place: place.key(),
    };
    let counted = count(app, attempt.clone(), place, actor.now).await?;
    let (user, stored) = trial.known.unzip();
    if password::verify(app, trial.password, stored).await? {
        return Ok(Some(attempt));
    }
    if let Some(user) = user {
        let actor = actor.clone();
        work(app, move |tx| {
            append_failed(tx, &actor, user, (&attempt.place, counted))
        })
        .await?;
    }
    Ok(None)
}

/// Counts one trial; whether it was the last one before the lock.
async fn count(app: &App, attempt: Attempt, place: Place, now: Instant) -> Result<bool, AppError> {
    let most = i64::from(app.config.login_failures_max);
    let most_everywhere = i64::from(app.config.login_failures_everywhere_max);
    let lock = Minutes::new(i64::from(app.config.login_locked_minutes));
    work(app, move |tx| {
        let Attempt { login, place: key } = &attempt;
        lock_login(tx, login)?;
        let recent = now.plus(Minutes::new(-COUNTED_EVERYWHERE.number()));
        session::delete_failures_of_before(tx, login, (recent, now), now.plus(KNOWN))?;
        let here = session::find_failures_at(tx, login, key)?;
        refuse_until(here.as_ref().and_then(|here| here.locked_until), now)?;
        let is_known = here
            .as_ref()
            .is_some_and(|here| here.succeeded_at.is_some());
        if matches!(place, Place::Address(_)) && !is_known {
            let everywhere = session::find_failures(tx, login)?;
            let full = everywhere.filter(|(failures, _)| *failures >= most_everywhere);
            refuse_until(full.map(|(_, first)| first.plus(COUNTED_EVERYWHERE)), now)?;
        }
        let failures = next(here.as_ref());
        let is_last = failures >= most;
        let locked_until = is_last.then(|| now.plus(lock));
        session::update_failures(tx, (login, key), failures, locked_until, now)?;
        Ok(is_last)
    })
    .await
}

/// A lock that has ended begins a new count.
fn next(here: Option<&Failures>) -> i64 {
    match here {
        Some(here) if here.locked_until.is_none() => here.failures + 1,
        _ => 1,
    }
}

fn refuse_until(until: Option<Instant>, now: Instant) -> Result<(), AppError> {
    match until {
        Some(until) if now < until => {
            let seconds = until.unix_seconds() - now.unix_seconds();
            Err(AppError::TooMany {
                code: Code::locked_out,
                retry_after_seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
            })
        }
        _ => Ok(()),
    }
}

/// Trials of one login wait for each other while they are counted.
fn lock_login(tx: &mut Conn, login: &str) -> Result<(), AppError> {
    Ok(Lock::Login(lock_number("login", login)).take(tx)?)
}

/// A right password ends the count of its place, which is known from now on.
pub fn take_back(tx: &mut Conn, attempt: &Attempt, now: Instant) -> Result<(), AppError> {
    lock_login(tx, &attempt.login)?;
    session::update_succeeded(tx, (&attempt.login, &attempt.place), now)?;
    Ok(())
}

fn append_failed(
    tx: &mut Conn,
    actor: &Actor,
    user: UserId,
    (place, is_locked): (&str, bool),
) -> Result<(), AppError> {
    let account = store::user::get(tx, user)?;
    let mut event = actor
        .event(Action::SessionRefuse, Subject::new("user", user))
        .after(json!({ "locked": is_locked }))?
        .personal(personal(json!({ "place": place }))?);
    event.organization_id = account.organization_id;
    store::event::append(tx, &event)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_a_session() {
        let key = |address: &str| Place::Address(address.parse().ok()).key();
        assert_eq!(key("203.0.113.7"), "203.0.113.7");
        assert_eq!(key("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2::9"));
        assert_ne!(key("2001:db8:1:2::9"), key("2001:db8:1:3::9"));
        assert_eq!(key(""), "nowhere");
        let session = Place::Session(7.try_into().unwrap()).key();
        assert!(session.starts_with(session::SESSION_PLACE));
    }
}
