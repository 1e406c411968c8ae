//! Who acts, when, under which request: a person, an API key, the installation itself, or a visitor without an account.

use std::net::IpAddr;

use crate::app::token;
use crate::domain::access::{Action, Caller, Role};
use crate::domain::{Instant, UserId};
use crate::error::{AppError, Code};
use crate::store::event::{NewEvent, Subject};

/// Whoever does an action.
#[derive(Debug, Clone)]
pub struct Actor {
    pub who: Who,
    pub now: Instant,
    /// The request it is part of; none for what time and the command line do.
    pub request_id: Option<String>,
    /// Where it comes from; none for what does not come by network.
    pub address: Option<IpAddr>,
    /// Present when the request is to be done once, however often it is sent.
    pub once: Option<Once>,
}

#[derive(Debug, Clone)]
pub enum Who {
    Person(Box<Caller>),
    ApiKey(Box<Caller>),
    /// The installation's own command line without a named person, its jobs, and time.
    System,
    /// Somebody without an account, or not signed in.
    Visitor,
}

/// The idempotency key of a request and the digest of what it asks.
#[derive(Debug, Clone)]
pub struct Once {
    pub key: String,
    pub fingerprint: String,
    /// Whose keys these are; set by what a visitor's request is about.
    pub space: Option<String>,
}

impl Actor {
    pub fn caller_at(caller: Caller, now: Instant) -> Self {
        let who = match caller.api_key {
            Some(_) => Who::ApiKey(Box::new(caller)),
            None => Who::Person(Box::new(caller)),
        };
        Self::at(who, now)
    }

    pub fn system(now: Instant) -> Self {
        Self::at(Who::System, now)
    }

    pub fn visitor(now: Instant) -> Self {
        Self::at(Who::Visitor, now)
    }

    fn at(who: Who, now: Instant) -> Self {
        Self {
            who,
            now,
            request_id: None,
            address: None,
            once: None,
        }
    }

    /// Under this request.
    pub fn under(mut self, request_id: String, once: Option<Once>) -> Self {
        self.request_id = Some(request_id);
        self.once = once;
        self
    }

    /// From this network address.
    pub fn from_address(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// A visitor's keys are kept apart by the login or token the request is about.
    pub fn about(mut self, whom: &str) -> Self {
        if let Some(once) = &mut self.once {
            once.space = Some(format!("visitor:{}", token::hash(whom)));
        }
        self
    }

    /// The person or key; 401 for everybody else.
    pub fn caller(&self) -> Result<&Caller, AppError> {
        match &self.who {
            Who::Person(caller) | Who::ApiKey(caller) => Ok(caller),
            Who::System | Who::Visitor => Err(AppError::Unauthenticated(Code::unauthenticated)),
        }
    }

    /// The province, the auditors and the installation itself see what is not published.
    pub fn sees_drafts(&self) -> bool {
        match &self.who {
            Who::Person(caller) | Who::ApiKey(caller) => {
                caller.has(Role::PlatformAdmin) || caller.has(Role::Auditor)
            }
            Who::System => true,
            Who::Visitor => false,
        }
    }

    pub fn user_id(&self) -> Option<UserId> {
        self.caller().ok().map(|caller| caller.user_id)
    }

    /// Whose idempotency keys these are: the person's, the API key's own, or those of what a visitor asks about.
    pub(super) fn key_space(&self, once: &Once) -> String {
        match (&self.who, &once.space) {
            (Who::ApiKey(caller), _) if caller.api_key.is_some() => {
                let key = caller.api_key.as_ref().map(|key| key.id.number());
                format!("key:{}", key.unwrap_or_default())
            }
            (Who::Person(caller) | Who::ApiKey(caller), _) => format!("user:{}", caller.user_id),
            (_, Some(space)) => space.clone(),
            (_, None) => "visitor".to_owned(),
        }
    }

    /// An event of this actor, to be filled in and appended.
    pub fn event(&self, action: Action, subject: Subject) -> NewEvent {
        let mut event = NewEvent::new(self.now, action, subject);
        if let Ok(caller) = self.caller() {
            event.actor_user_id = Some(caller.user_id);
            event.actor_api_key_id = caller.api_key.as_ref().map(|key| key.id);
            event.actor_organization_id = Some(caller.organization_id);
        }
        event.request_id.clone_from(&self.request_id);
        event
    }
}
