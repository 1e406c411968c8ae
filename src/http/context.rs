//! One request as a handler sees it: who asks (401), the path's ids (404), the query and the body (400), the version and
//! idempotency headers. Handlers take an [`RequestContext`], call one operation and answer with one of its methods.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderName};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::body::{self, Body};
use super::caller::{self, Claim};
use super::client_address;
use super::entity_tag::EntityTags;
use super::envelope::RequestId;
use super::json;
use super::merge_patch::MergePatch;
use super::params::Params;
use super::rate::{self, Asking};
use super::route::{self, Route};
use crate::app::App;
use crate::app::token::hex;
use crate::domain::access::{self, Caller};
use crate::domain::{Instant, SessionId};
use crate::error::text::Language;
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::{Actor, Once};
use crate::operations::run::{Reply, Run};

/// A request, read once.
pub struct RequestContext {
    pub app: App,
    pub now: Instant,
    pub language: Language,
    caller: Option<Caller>,
    request: HttpRequest,
    body: Body,
}

impl FromRequest for RequestContext {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AppError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let app = request
                .app_data::<Data<App>>()
                .map(|data| data.get_ref().clone());
            let app = app.ok_or_else(|| AppError::internal("the app is not configured"))?;
            let caller = identify(&app, &request).await?;
            let takes_file = route::of(&request).is_some_and(|route| route.takes_file);
            let body = body::read(&app, &request, &mut payload, takes_file).await?;
            let language = language(&request);
            Ok(Self {
                // A body may take its time: what it asks for happens when it is here, or a feed would have gone past it.
                now: app.clock.now(),
                app,
                language,
                caller,
                request,
                body,
            })
        })
    }
}

/// Who asks, where that makes a difference, and whether as often as this is allowed. 401, 403 and 429 before anything of the
/// body is kept.
async fn identify(app: &App, request: &HttpRequest) -> Result<Option<Caller>, AppError> {
    let (limits, now) = (rate::of(request)?, app.clock.now());
    let route = route::of(request).ok_or(AppError::NotFound)?;
    let claim = match route.ignores_caller {
        true => Ok(Claim::Nobody),
        false => caller::claim(app, request, now),
    };
    let asking = match &claim {
        Ok(Claim::Session(claims)) => Asking::Person(claims.sub),
        Ok(Claim::Key(hash)) => Asking::Key(hash),
        Ok(Claim::Nobody) | Err(_) => Asking::Visitor,
    };
    limits.count(request, &asking)?;
    if route.signs_in {
        limits.count_sign_in(request)?;
    }
    if route.is_heavy {
        limits.count_heavy(request, &asking)?;
    }
    let key = match asking {
        Asking::Key(hash) => Some(hash.to_owned()),
        Asking::Visitor | Asking::Person(_) => None,
    };
    let caller = caller::identify(app, claim?, now).await?;
    key.into_iter().for_each(|hash| limits.know(hash));
    let is_open = route.action.is_open_to_visitors();
    match &caller {
        None if !is_open => return Err(AppError::Unauthenticated(Code::unauthenticated)),
        Some(caller) if body::is_sent(request) => refuse_by_role(route, caller)?,
        _ => {}
    }
    Ok(caller)
}

/// 403 before a body is read that can only be refused. Of what a path names, whether it is there is told first (404), so
/// only a file is refused at once there.
fn refuse_by_role(route: &Route, caller: &Caller) -> Result<(), AppError> {
    let tells_absence = route.path.contains('{') && !route.takes_file;
    if tells_absence || route.action.is_open_to_visitors() {
        return Ok(());
    }
    let also = route.other_action.map(|action| access::may(caller, action));
    match access::may(caller, route.action) {
        Err(denied) if !matches!(also, Some(Ok(()))) => Err(denied.into()),
        _ => Ok(()),
    }
}

/// The language the client accepts.
pub fn language(request: &HttpRequest) -> Language {
    Language::accepted(text_header(request, &header::ACCEPT_LANGUAGE).unwrap_or_default())
}

fn text_header<'a>(request: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
}

impl RequestContext {
    /// Who asks; 401 when nobody signed in.
    pub fn caller(&self) -> Result<&Caller, AppError> {
        self.caller
            .as_ref()
            .ok_or(AppError::Unauthenticated(Code::unauthenticated))
    }

    /// The session of the caller's access token; `None` for an API key.
    pub fn session(&self) -> Result<Option<SessionId>, AppError> {
        caller::session_of(&self.app, &self.request, self.now)
    }

    /// The route's action as this request asks for it. `render` says how the route answers what was done.
    pub fn run<T: Send + 'static>(
        &self,
        render: fn(&T) -> Result<Reply, AppError>,
    ) -> Result<Run<T>, AppError> {
        self.run_as(self.actor_and_key(&self.body.bytes).0, render)
    }

    /// As [`RequestContext::run`] for a body with passwords: nothing is kept from which they could be guessed.
    pub fn run_with_password<T: Send + 'static>(
        &self,
        render: fn(&T) -> Result<Reply, AppError>,
    ) -> Result<Run<T>, AppError> {
        let sealed = self.app.keys.sealed(&self.body.bytes)?;
        self.run_as(self.actor_and_key(sealed.as_bytes()).0, render)
    }

    /// A malformed key or version is a fault of the body's rank: [`RequestContext::body`] tells it in its place.
    fn run_as<T: Send + 'static>(
        &self,
        actor: Actor,
        render: fn(&T) -> Result<Reply, AppError>,
    ) -> Result<Run<T>, AppError> {
        let route = route::of(&self.request).ok_or(AppError::NotFound)?;
        let versions = self.versions().unwrap_or_default();
        let run = Run::new(&self.app, actor, route.action, versions, render);
        Ok(run.or(route.other_action))
    }

    fn actor_and_key(&self, body: &[u8]) -> (Actor, Result<(), AppError>) {
        let actor = match &self.caller {
            Some(caller) => Actor::caller_at(caller.clone(), self.now),
            None => Actor::visitor(self.now),
        };
        let (once, fault) = match self.once(body) {
            Ok(once) => (once, Ok(())),
            Err(fault) => (None, Err(fault)),
        };
        let actor = actor.under(self.request_id(), once);
        (actor.from_address(self.address()), fault)
    }

    /// The body as JSON of a known shape, or what is wrong with the request, to be told when the rights have been asked:
    /// parameters, the key, the body, then the version.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, AppError> {
        self.well_formed(self.json())
    }

    /// As [`RequestContext::body`]; an empty body is the shape's default.
    pub fn body_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, AppError> {
        self.well_formed(self.json_or_default())
    }

    /// As [`RequestContext::body`] for a request without one.
    pub fn no_body(&self) -> Result<(), AppError> {
        self.well_formed(Ok(()))
    }

    /// A change of something, to be read beside what it changes; or what is wrong with the request.
    pub fn patch(&self) -> Result<MergePatch, AppError> {
        self.params()?;
        self.once(&[])?;
        self.expect_type(&["application/merge-patch+json", "application/json"])?;
        let version_fault = match self.required_versions() {
            Err(AppError::Precondition(code)) => Some(code),
            Err(fault) => return Err(fault),
            Ok(_) => None,
        };
        Ok(MergePatch::new(
            json::parse(&self.body.bytes)?,
            version_fault,
        ))
    }

    fn well_formed<T>(&self, body: Result<T, AppError>) -> Result<T, AppError> {
        self.params()?;
        self.once(&[])?;
        let body = body?;
        match route::of(&self.request) {
            Some(route) if route.needs_version => self.required_versions()?,
            _ => self.versions()?,
        };
        Ok(body)
    }

    /// Who asks for something that changes nothing, and so has no idempotency key.
    pub fn reader(&self) -> Actor {
        let actor = match &self.caller {
            Some(caller) => Actor::caller_at(caller.clone(), self.now),
            None => Actor::visitor(self.now),
        };
        actor
            .under(self.request_id(), None)
            .from_address(self.address())
    }

    /// Where the request comes from, through the proxies that are trusted.
    fn address(&self) -> Option<IpAddr> {
        let trusted = self.app.config.trusted_proxies.parse().ok()?;
        client_address::of(&self.request, &trusted)
    }

    /// Who acts, when, under which request, and its idempotency key.
    pub fn actor(&self) -> Result<Actor, AppError> {
        self.params()?;
        let (actor, fault) = self.actor_and_key(&self.body.bytes);
        fault.map(|()| actor)
    }

    /// The id in the path; anything that is no id does not exist.
    pub fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, AppError> {
        self.request
            .match_info()
            .get(name)
            .and_then(|text| text.parse().ok())
            .ok_or(AppError::NotFound)
    }

    /// The body as JSON of a known shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, AppError> {
        self.params()?;
        self.expect_type(&["application/json", "application/merge-patch+json"])?;
        json::parse(&self.body.bytes)
    }

    /// The body as JSON of a known shape; an empty body is the shape's default.
    pub fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, AppError> {
        if self.body.bytes.is_empty() {
            Ok(T::default())
        } else {
            self.json()
        }
    }

    /// As [`RequestContext::body`] for a file of one of these types.
    pub fn file(&self, types: &[&'static str]) -> Result<&Bytes, AppError> {
        self.well_formed(self.expect_type(types).map(|()| &self.body.bytes))
    }

    /// The media type without its parameters, in lower case.
    pub fn media_type(&self) -> String {
        let whole = text_header(&self.request, &header::CONTENT_TYPE).unwrap_or_default();
        whole
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase()
    }

    /// Whatever has a body has no unknown query parameters either: they are refused with it.
    fn expect_type(&self, types: &[&'static str]) -> Result<(), AppError> {
        self.params()?;
        let actual = self.media_type();
        if types.contains(&actual.as_str()) {
            return Ok(());
        }
        let fault = Fault::request(Code::unsupported_media_type)
            .limit(types.join(", "))
            .actual(actual);
        Err(AppError::Unacceptable(Box::new(fault)))
    }

    /// The query parameters; unknown ones are refused. Asking for the body or the act asks this too.
    pub fn params(&self) -> Result<Params, AppError> {
        let known = route::of(&self.request)
            .map(|route| route.parameters)
            .unwrap_or_default();
        Params::parse(self.request.query_string(), known)
    }

    /// Which page of a list in the order of its keys is asked for: after this key, and one row more than it has at most, which
    /// says whether there is another.
    pub fn page<K: DeserializeOwned>(&self) -> Result<(Option<K>, i64), AppError> {
        let params = self.params()?;
        Ok((params.cursor()?, params.limit()? + 1))
    }

    /// The versions in `If-Match`, when some are sent; none also for `*`, which any version matches, and where the route has
    /// no version that they could name.
    pub fn versions(&self) -> Result<Option<Vec<i64>>, AppError> {
        if route::of(&self.request).is_some_and(|route| route.ignores_version) {
            return Ok(None);
        }
        let sent = EntityTags::sent(self.request.headers(), &header::IF_MATCH);
        let tags = sent.map_err(|_| {
            let fault = Fault::field("If-Match", Code::invalid_entity_tag);
            AppError::Malformed(vec![fault])
        })?;
        match tags.and_then(|tags| tags.versions()) {
            // Weak tags and those of others match nothing.
            Some(none) if none.is_empty() => Err(AppError::Precondition(Code::version_mismatch)),
            versions => Ok(versions),
        }
    }

    /// As [`RequestContext::versions`]; 428 without `If-Match`.
    pub fn required_versions(&self) -> Result<Option<Vec<i64>>, AppError> {
        if self.request.headers().contains_key(&header::IF_MATCH) {
            self.versions()
        } else {
            Err(AppError::Precondition(Code::version_required))
        }
    }

    /// The path asked.
    pub fn path(&self) -> &str {
        self.request.path()
    }

    /// The id under which this request is logged.
    pub fn request_id(&self) -> String {
        self.request
            .extensions()
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default()
    }

    fn once(&self, body: &[u8]) -> Result<Option<Once>, AppError> {
        let Some(header) = self.request.headers().get("idempotency-key") else {
            return Ok(None);
        };
        let key = header.to_str().ok().filter(|key| {
            (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
        });
        let key = key.ok_or_else(|| {
            AppError::Malformed(vec![Fault::field(
                "Idempotency-Key",
                Code::invalid_idempotency_key,
            )])
        })?;
        let mut digest = Sha256::new();
        for part in [
            self.request.method().as_str(),
            self.request.uri().to_string().as_str(),
        ] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        digest.update(body);
        Ok(Some(Once {
            key: key.to_owned(),
            fingerprint: hex(&digest.finalize()),
            space: None,
        }))
    }

    /// Counts an attempt to prove who somebody is by this login: 429 when it comes too often.
    pub fn count_login(&self, login: &str) -> Result<(), AppError> {
        rate::of(&self.request)?.count_login(&self.request, login)
    }

    /// A header's text, for handlers that note where a request came from.
    pub fn header(&self, name: &HeaderName) -> Option<String> {
        text_header(&self.request, name).map(str::to_owned)
    }
}

impl std::fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestContext")
            .field("caller", &self.caller)
            .field("request", &self.request.uri())
            .finish_non_exhaustive()
    }
}
