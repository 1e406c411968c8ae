//! One route as the table says it: where, which action, what goes in and what comes out. The table itself is `routes`.

use std::future::Future;

use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::web;
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::answer::Answer;
use super::context::RequestContext;
use super::names;
use crate::domain::access::Action;
use crate::error::{AppError, Code, Fault};

/// Where the contract's routes begin.
pub const BASE: &str = "/api/v1";

/// A JSON schema by its name, with those it refers to.
pub type NamedSchema = fn() -> Described;

/// The schema of a value, where it is spelt out.
pub type PlainSchema = fn() -> RefOr<Schema>;

/// A name, its schema, and the schemas it refers to by theirs.
pub type Described = (String, RefOr<Schema>, Vec<(String, RefOr<Schema>)>);

/// One route: where, who may, what goes in and what comes out.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    /// Its name is the operationId; its roles and scope apply.
    pub action: Action,
    pub summary: &'static str,
    /// A part of it that others do, by a right of their own.
    pub other_action: Option<Action>,
    pub parameters: &'static [&'static str],
    /// Those of them that must be sent.
    pub required_parameters: &'static [&'static str],
    /// Those of them that are words of a list.
    pub words: Vec<(&'static str, PlainSchema)>,
    pub body: Option<NamedSchema>,
    pub answer: (u16, Option<NamedSchema>),
    /// What a dry run answers, where that is not what is answered otherwise.
    pub dry_answer: Option<NamedSchema>,
    /// The file that it answers, where that is none of the formats of a table.
    pub answer_file: Option<&'static str>,
    /// The body is a file of one of these types, not JSON.
    pub files: &'static [&'static str],
    pub takes_file: bool,
    /// `If-Match` is required.
    pub needs_version: bool,
    /// `If-Match` means nothing here: what is made or ended has no version.
    pub ignores_version: bool,
    /// The answer is the same whoever asks: a token that is sent along is not looked at.
    pub ignores_caller: bool,
    /// Done once per idempotency key, although no account is needed.
    pub is_once_for_visitors: bool,
    /// Nothing in the body must be said, but something.
    pub needs_body: bool,
    /// What is made is several things, which have no place in common.
    pub makes_several: bool,
    /// Whether the answer has an `ETag`, where its shape does not say so by a version.
    pub has_etag: Option<bool>,
    /// What it answers besides: it proves a password or a token itself, which may be wrong, its owner's access ended, or
    /// guessed too often.
    pub proof_statuses: &'static [u16],
    /// A password or a token is tried out, which one address does only so often.
    pub signs_in: bool,
    /// It takes long or much memory, so one caller does it only so often.
    pub is_heavy: bool,
    pub(super) handler: Box<dyn Fn() -> actix_web::Route + Send + Sync>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {BASE}{} ({})", self.method, self.path, self.action)
    }
}

/// The schema of a shape, found by its type.
fn schema_of<T: ToSchema + PartialSchema>() -> Described {
    let mut referred = Vec::new();
    T::schemas(&mut referred);
    (T::name().into_owned(), T::schema(), referred)
}

impl Route {
    fn new<H, F>(
        method: Method,
        path: &'static str,
        action: Action,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Fn(RequestContext) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + 'static,
    {
        let by_method = method.clone();
        let is_read = method == Method::GET;
        Self {
            method,
            path,
            action,
            summary,
            other_action: None,
            parameters: &[],
            required_parameters: &[],
            words: Vec::new(),
            body: None,
            answer: (200, None),
            dry_answer: None,
            answer_file: None,
            files: &[],
            takes_file: false,
            needs_version: false,
            ignores_version: false,
            ignores_caller: false,
            is_once_for_visitors: false,
            needs_body: false,
            makes_several: false,
            has_etag: None,
            proof_statuses: &[],
            signs_in: false,
            is_heavy: false,
            handler: Box::new(move || {
                let route = web::route().guard(asks(by_method.clone()));
                let handler = handler.clone();
                route.to(move |context| answered(handler.clone(), context, (action, is_read)))
            }),
        }
    }

    /// Others come here by a right of their own.
    pub fn also(mut self, action: Action) -> Self {
        self.other_action = Some(action);
        self
    }

    /// The query parameters it knows; every other one is refused.
    pub fn parameters(mut self, names: &'static [&'static str]) -> Self {
        self.parameters = names;
        self
    }

    /// The query parameters it cannot do without.
    pub fn requires(mut self, names: &'static [&'static str]) -> Self {
        self.required_parameters = names;
        self
    }

    /// A query parameter is a word of this list.
    pub fn words<T: PartialSchema>(mut self, parameter: &'static str) -> Self {
        self.words.push((parameter, T::schema));
        self
    }

    /// The JSON body it takes.
    pub fn takes<T: ToSchema + PartialSchema>(mut self) -> Self {
        self.body = Some(schema_of::<T>);
        self
    }

    /// The file types it takes.
    pub fn takes_file(mut self, types: &'static [&'static str]) -> Self {
        self.files = types;
        self.takes_file = true;
        self
    }

    /// The status and shape it answers.
    pub fn answers<T: ToSchema + PartialSchema>(mut self, status: u16) -> Self {
        self.answer = (status, Some(schema_of::<T>));
        self
    }

    /// The status it answers, without a JSON body.
    pub fn answers_status(mut self, status: u16) -> Self {
        self.answer = (status, None);
        self
    }

    /// It answers a file of this type.
    pub fn answers_file(mut self, media_type: &'static str) -> Self {
        self.answer_file = Some(media_type);
        self
    }

    /// The shape a dry run answers with 200, beside the usual answer.
    pub fn foretells<T: ToSchema + PartialSchema>(mut self) -> Self {
        self.dry_answer = Some(schema_of::<T>);
        self
    }

    /// `If-Match` must be sent.
    pub fn needs_version(mut self) -> Self {
        self.needs_version = true;
        self
    }

    /// Nothing here has a version that `If-Match` could name.
    pub fn ignores_version(mut self) -> Self {
        self.ignores_version = true;
        self
    }

    /// Somebody without an account does it, once per idempotency key as well.
    pub fn once_for_visitors(mut self) -> Self {
        self.is_once_for_visitors = true;
        self
    }

    /// What it changes may be one thing or another, but something.
    pub fn needs_body(mut self) -> Self {
        self.needs_body = true;
        self
    }

    /// What is made is several things, so no `Location` names it.
    pub fn makes_several(mut self) -> Self {
        self.makes_several = true;
        self
    }

    /// The answer has an `ETag`, or none, whatever its shape looks like.
    pub fn has_etag(mut self, has: bool) -> Self {
        self.has_etag = Some(has);
        self
    }

    /// It refuses with one of these statuses, too: it proves a password or a token itself, or reads what may not be computed yet.
    pub fn proves(mut self, statuses: &'static [u16]) -> Self {
        self.proof_statuses = statuses;
        self
    }

    /// Counted among the attempts to sign in from an address.
    pub fn signs_in(mut self) -> Self {
        self.signs_in = true;
        self
    }

    /// Counted among the imports, exports and runs of a caller.
    pub fn heavy(mut self) -> Self {
        self.is_heavy = true;
        self
    }

    /// Who asks makes no difference, so an old token is no obstacle.
    pub fn ignores_caller(mut self) -> Self {
        self.ignores_caller = true;
        self
    }
}

/// What a handler answers, with names beside its ids. What was done is answered whether or not they can be read; who asks for
/// a booking knows them, and nothing is asked of the database for it that need not be.
async fn answered<H, F>(
    handler: H,
    context: RequestContext,
    (action, is_read): (Action, bool),
) -> Answer
where
    H: Fn(RequestContext) -> F,
    F: Future<Output = Answer>,
{
    if action == Action::BookingRequest {
        return handler(context).await;
    }
    let reader = context.caller().map(|caller| caller.organization_id);
    let app = context.app.clone();
    names::add(&app, (reader.ok(), is_read), handler(context).await).await
}

macro_rules! methods {
    ($($name:ident = $method:ident),+) => {$(
        pub(super) fn $name<H, F>(path: &'static str, action: Action, summary: &'static str, handler: H) -> Route
        where
            H: Fn(RequestContext) -> F + Clone + Send + Sync + 'static,
            F: Future<Output = Answer> + 'static,
        {
            Route::new(Method::$method, path, action, summary, handler)
        }
    )+};
}
methods!(
    get = GET,
    post = POST,
    put = PUT,
    patch = PATCH,
    delete = DELETE
);

/// HEAD is answered as GET is, without the body.
fn asks(method: Method) -> impl Guard {
    guard::fn_guard(move |asked| {
        let sent = &asked.head().method;
        *sent == method || (*sent == Method::HEAD && method == Method::GET)
    })
}

/// A path beside the table that is read and nothing else.
pub(super) fn read_only<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .app_data(ReadOnly)
        .route(web::route().guard(asks(Method::GET)).to(handler))
        .default_service(web::route().to(method_not_allowed))
}

struct ReadOnly;

/// The answer to a method that a path has not.
pub(super) async fn method_not_allowed() -> Answer {
    Err(AppError::Unacceptable(Box::new(Fault::request(
        Code::method_not_allowed,
    ))))
}

/// The methods that a path has, as `Allow` tells them; none where there is no such path.
pub fn allowed(request: &HttpRequest) -> Option<String> {
    let known: Vec<&str> = match request.app_data::<Methods>() {
        Some(Methods(routes)) => routes.iter().map(|route| route.method.as_str()).collect(),
        None => request.app_data::<ReadOnly>().map(|ReadOnly| vec!["GET"])?,
    };
    let with_head = known.into_iter().flat_map(|method| match method {
        "GET" => vec!["GET", "HEAD"],
        other => vec![other],
    });
    Some(with_head.collect::<Vec<_>>().join(", "))
}

/// The routes of one path, kept with its resource.
pub(super) struct Methods(pub Vec<&'static Route>);

/// The route that serves a request.
pub fn of(request: &HttpRequest) -> Option<&'static Route> {
    let Methods(routes) = request.app_data::<Methods>()?;
    let method = match request.method() {
        &Method::HEAD => &Method::GET,
        other => other,
    };
    let mut routes = routes.iter().copied();
    routes.find(|route| route.method == method)
}
