//! How much one client may ask in a minute: without sign-in by address, signed in by person or key, less for signing in and
//! for what is heavy. Each answer says how much is left of the limit nearest its end. Counted in this process alone.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Data;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::client_address;
use crate::config::{Config, Networks};
use crate::domain::UserId;
use crate::error::{AppError, Code};

/// The seconds that each limit is for.
const WINDOW_SECONDS: u32 = 60;

/// After so many questions, those who have not asked for a while are forgotten.
const FORGOTTEN_AFTER: u32 = 10_000;

/// API keys that were found good and are counted by themselves; when there are more, all prove themselves anew.
const KEYS_KNOWN_MAX: usize = 10_000;

/// Whom a limit is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Client {
    Address(Option<IpAddr>),
    Person(UserId),
    /// By its hash.
    Key(String),
    /// By the hash of what was typed.
    Login(u64),
}

type Limiter =
    RateLimiter<Client, HashMapStateStore<Client>, MonotonicClock, StateInformationMiddleware>;

/// One limit; without a limiter it is off.
struct Policy {
    name: &'static str,
    quota: u32,
    limiter: Option<Limiter>,
    asked: AtomicU32,
}

/// What is left of a limit.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    name: &'static str,
    quota: u32,
    remaining: u32,
    /// The seconds in which so many may be asked.
    seconds: u32,
}

impl Policy {
    fn new(name: &'static str, quota: u32, is_on: bool) -> Self {
        let limit = NonZeroU32::new(quota).filter(|_| is_on);
        let limiter = limit.map(|quota| {
            let quota = Quota::per_minute(quota);
            RateLimiter::hashmap_with_clock(quota, MonotonicClock)
                .with_middleware::<StateInformationMiddleware>()
        });
        Self {
            name,
            quota,
            limiter,
            asked: AtomicU32::new(0),
        }
    }

    /// Counts one request: what is left afterwards, or how long to wait.
    fn count(&self, client: &Client) -> Result<Option<Left>, Left> {
        let Some(limiter) = &self.limiter else {
            return Ok(None);
        };
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGOTTEN_AFTER == FORGOTTEN_AFTER - 1 {
            limiter.retain_recent();
        }
        let left = |remaining, seconds| Left {
            name: self.name,
            quota: self.quota,
            remaining,
            seconds,
        };
        match limiter.check_key(client) {
            Ok(found) => Ok(Some(left(found.remaining_burst_capacity(), WINDOW_SECONDS))),
            Err(not_yet) => {
                let wait = not_yet.wait_time_from(limiter.clock().now());
                // Whole seconds, the begun one with them.
                let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
                Err(left(0, seconds.saturating_add(1)))
            }
        }
    }
}

impl Left {
    /// Whether less of this one is left, in parts of the whole.
    fn is_nearer_its_end_than(&self, other: &Left) -> bool {
        let part = |left: &Left, whole: &Left| u64::from(left.remaining) * u64::from(whole.quota);
        part(self, other) < part(other, self)
    }

    /// Tells it in the headers of an answer.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let (name, quota) = (self.name, self.quota);
        let policy = format!("\"{name}\";q={quota};w={WINDOW_SECONDS}");
        let left = format!("\"{name}\";r={};t={}", self.remaining, self.seconds);
        for (header, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(header), value);
            }
        }
    }
}

/// All limits of a server.
pub struct RateLimits {
    address: Policy,
    caller: Policy,
    sign_in_address: Policy,
    sign_in_login: Policy,
    heavy: Policy,
    trusted: Networks,
    good_keys: Mutex<std::collections::HashSet<String>>,
}

impl std::fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RateLimits")
    }
}

/// Who asks, as far as that is known before the database is.
#[derive(Debug)]
pub enum Asking<'a> {
    Visitor,
    Person(UserId),
    /// By the hash of an API key, which may be no key.
    Key(&'a str),
}

impl RateLimits {
    pub fn of(config: &Config) -> Result<Self, AppError> {
        let is_on = config.rate_limits == "on";
        let policy = |name, quota| Policy::new(name, quota, is_on);
        let trusted = config.trusted_proxies.parse::<Networks>();
        Ok(Self {
            address: policy("address", config.rate_address),
            caller: policy("caller", config.rate_caller),
            sign_in_address: policy("sign-in", config.rate_sign_in_address),
            sign_in_login: policy("sign-in", config.rate_sign_in_login),
            heavy: policy("heavy", config.rate_heavy),
            trusted: trusted.map_err(AppError::internal)?,
            good_keys: Mutex::default(),
        })
    }

    /// Counts a request before anything is looked up for it: 429 beyond the limit. A key counts as itself once it was found
    /// good; until then by its address, so that guessing keys is no way around the limit.
    pub fn count(&self, request: &HttpRequest, asking: &Asking<'_>) -> Result<(), AppError> {
        let counted = match asking {
            Asking::Person(user) => self.caller.count(&Client::Person(*user)),
            Asking::Key(hash) if self.keys().contains(*hash) => {
                self.caller.count(&Client::Key((*hash).to_owned()))
            }
            Asking::Visitor | Asking::Key(_) => self.address.count(&self.address_of(request)),
        };
        note(request, counted)
    }

    /// Remembers a key that was found good.
    pub fn know(&self, key_hash: String) {
        let mut keys = self.keys();
        if keys.len() >= KEYS_KNOWN_MAX {
            keys.clear();
        }
        keys.insert(key_hash);
    }

    /// An attempt to sign in from this address.
    pub fn count_sign_in(&self, request: &HttpRequest) -> Result<(), AppError> {
        let address = self.address_of(request);
        note(request, self.sign_in_address.count(&address))
    }

    /// An attempt to sign in with this login, whether or not anybody has it.
    pub fn count_login(&self, request: &HttpRequest, login: &str) -> Result<(), AppError> {
        let mut hash = DefaultHasher::new();
        crate::domain::account::login_key(login).hash(&mut hash);
        let login = Client::Login(hash.finish());
        note(request, self.sign_in_login.count(&login))
    }

    /// An import, an export or a run.
    pub fn count_heavy(&self, request: &HttpRequest, asking: &Asking<'_>) -> Result<(), AppError> {
        let client = match asking {
            Asking::Person(user) => Client::Person(*user),
            Asking::Key(hash) => Client::Key((*hash).to_owned()),
            Asking::Visitor => self.address_of(request),
        };
        note(request, self.heavy.count(&client))
    }

    fn address_of(&self, request: &HttpRequest) -> Client {
        Client::Address(client_address::of(request, &self.trusted))
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, std::collections::HashSet<String>> {
        let locked = self.good_keys.lock();
        locked.unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Keeps the limit nearest its end with the request, for the headers of its answer; 429 at the end.
fn note(request: &HttpRequest, counted: Result<Option<Left>, Left>) -> Result<(), AppError> {
    use actix_web::HttpMessage;
    let (left, refused) = match counted {
        Ok(None) => return Ok(()),
        Ok(Some(left)) => (left, Ok(())),
        Err(left) => {
            let refused = AppError::TooMany {
                code: Code::too_many_requests,
                retry_after_seconds: left.seconds,
            };
            (left, Err(refused))
        }
    };
    let mut kept = request.extensions_mut();
    let nearest = kept.get::<Left>();
    if refused.is_err() || nearest.is_none_or(|nearest| left.is_nearer_its_end_than(nearest)) {
        kept.insert(left);
    }
    refused
}

/// The limits of the server that got the request.
pub fn of(request: &HttpRequest) -> Result<&RateLimits, AppError> {
    let limits = request.app_data::<Data<RateLimits>>();
    limits
        .map(Data::get_ref)
        .ok_or_else(|| AppError::internal("the limits are not configured"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_quota_the_wait_is_told() {
        let policy = Policy::new("heavy", 6, true);
        let (one, other) = (Client::Login(1), Client::Login(2));
        for remaining in (0..6).rev() {
            let left = policy.count(&one).unwrap().unwrap();
            assert_eq!((left.remaining, left.seconds), (remaining, 60));
        }
        let refused = policy.count(&one).unwrap_err();
        assert_eq!((refused.remaining, refused.seconds), (0, 10));
        assert!(policy.count(&other).is_ok());
        let mut headers = HeaderMap::new();
        refused.tell(&mut headers);
        assert_eq!(
            headers.get("ratelimit-policy").unwrap(),
            "\"heavy\";q=6;w=60"
        );
        assert_eq!(headers.get("ratelimit").unwrap(), "\"heavy\";r=0;t=10");
    }

    #[test]
    fn a_limit_can_be_off() {
        for policy in [Policy::new("a", 0, true), Policy::new("a", 1, false)] {
            for _ in 0..9 {
                assert!(policy.count(&Client::Login(1)).unwrap().is_none());
            }
        }
    }

    #[test]
    fn the_nearest_its_end_is_told() {
        let left = |quota, remaining| Left {
            name: "a",
            quota,
            remaining,
            seconds: 60,
        };
        assert!(left(6, 3).is_nearer_its_end_than(&left(1200, 1199)));
        assert!(!left(6, 5).is_nearer_its_end_than(&left(1200, 3)));
    }
}
