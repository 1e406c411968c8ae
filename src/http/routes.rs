//! The table of contents: every route of the service, grouped by noun. The server, the OpenAPI document and the tests of bad
//! input are all made from this one table.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::answer::Answer;
use super::context::RequestContext;
use super::{
    account, api_key, availability, booking, booking_rules, charge, closure, evaluation, event,
    exemption, instrument, member, organization, policy, quote, reference, related_party, review,
    service, session, stats, subsidy, tariff, usage,
};
use crate::domain::access::Action;
use crate::error::{AppError, Code, Fault};

/// Where the contract's routes begin.
pub const BASE: &str = "/api/v1";

/// A JSON schema by its name, with those it refers to.
pub type NamedSchema = fn() -> Described;

/// A name, its schema, and the schemas it refers to by theirs.
pub type Described = (String, RefOr<Schema>, Vec<(String, RefOr<Schema>)>);

/// One route: where, who may, what goes in and what comes out.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    /// `noun_verb`: the operationId.
    pub operation: &'static str,
    pub summary: &'static str,
    /// The action whose roles and scope apply; `None`: open to visitors.
    pub action: Option<Action>,
    /// A part of it that others do, by a right of their own.
    pub other_action: Option<Action>,
    pub parameters: &'static [&'static str],
    pub body: Option<NamedSchema>,
    pub answer: (u16, Option<NamedSchema>),
    /// The body is a file of one of these types, not JSON.
    pub files: &'static [&'static str],
    pub takes_file: bool,
    /// `If-Match` is required.
    pub needs_version: bool,
    /// `If-Match` means nothing here: what is made or ended has no version.
    pub ignores_version: bool,
    /// The answer is the same whoever asks: a token that is sent along is not looked at.
    pub ignores_caller: bool,
    handler: Box<dyn Fn() -> actix_web::Route + Send + Sync>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {BASE}{} ({})",
            self.method, self.path, self.operation
        )
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
        operation: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Fn(RequestContext) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + 'static,
    {
        let by_method = method.clone();
        Self {
            method,
            path,
            operation,
            summary,
            action: None,
            other_action: None,
            parameters: &[],
            body: None,
            answer: (200, None),
            files: &[],
            takes_file: false,
            needs_version: false,
            ignores_version: false,
            ignores_caller: false,
            handler: Box::new(move || web::method(by_method.clone()).to(handler.clone())),
        }
    }

    /// Only callers whose role allows this action.
    pub fn action(mut self, action: Action) -> Self {
        self.action = Some(action);
        self
    }

    /// As [`Route::action`], for those whom another right brings here.
    pub fn also(mut self, action: Action) -> Self {
        self.other_action = Some(action);
        self
    }

    /// The query parameters it knows; every other one is refused.
    pub fn parameters(mut self, names: &'static [&'static str]) -> Self {
        self.parameters = names;
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

    /// Who asks makes no difference, so an old token is no obstacle.
    pub fn ignores_caller(mut self) -> Self {
        self.ignores_caller = true;
        self
    }
}

macro_rules! methods {
    ($($name:ident = $method:ident),+) => {$(
        pub(super) fn $name<H, F>(path: &'static str, operation: &'static str, summary: &'static str, handler: H) -> Route
        where
            H: Fn(RequestContext) -> F + Clone + Send + Sync + 'static,
            F: Future<Output = Answer> + 'static,
        {
            Route::new(Method::$method, path, operation, summary, handler)
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

/// Every route, in the order of the contract.
pub fn table() -> Vec<Route> {
    let nouns = [
        account::routes(),
        session::routes(),
        api_key::routes(),
        organization::routes(),
        member::routes(),
        related_party::routes(),
        reference::routes(),
        instrument::routes(),
        service::routes(),
        exemption::routes(),
        booking_rules::routes(),
        closure::routes(),
        availability::routes(),
        booking::routes(),
        usage::routes(),
        review::routes(),
        tariff::routes(),
        quote::routes(),
        charge::routes(),
        policy::routes(),
        evaluation::routes(),
        subsidy::routes(),
        stats::routes(),
        event::routes(),
    ];
    nouns.into_iter().flatten().collect()
}

static ALL: LazyLock<Vec<Route>> = LazyLock::new(table);

/// The table, made once.
pub fn all() -> &'static [Route] {
    &ALL
}

/// The routes of one path, kept with its resource.
struct Methods(Vec<&'static Route>);

/// The route that serves a request.
pub fn of(request: &HttpRequest) -> Option<&'static Route> {
    let Methods(routes) = request.app_data::<Methods>()?;
    routes
        .iter()
        .copied()
        .find(|route| route.method == *request.method())
}

/// Registers the table, in one scope for each first word of a path, so that a request is held against few patterns. Paths
/// without a variable come first, so that `/bookings/check` is no booking's id.
pub fn configure(config: &mut ServiceConfig) {
    let mut nouns: BTreeMap<&str, BTreeMap<(usize, &str), Vec<&'static Route>>> = BTreeMap::new();
    for route in all() {
        let path = route.path.trim_start_matches('/');
        let (noun, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
        let paths = nouns.entry(noun).or_default();
        let order = (rest.matches('{').count(), rest);
        paths.entry(order).or_default().push(route);
    }
    for (noun, paths) in nouns {
        let mut scope = web::scope(&format!("{BASE}/{noun}"));
        for ((_, path), routes) in paths {
            let mut resource = web::resource(path);
            for route in &routes {
                resource = resource.route((route.handler)());
            }
            let resource = resource.app_data(Methods(routes));
            scope = scope.service(resource.default_service(web::route().to(method_not_allowed)));
        }
        config.service(scope);
    }
}

async fn method_not_allowed() -> Answer {
    Err(AppError::Unacceptable(Box::new(Fault::request(
        Code::method_not_allowed,
    ))))
}

/// The answer to every path that no route has.
pub async fn not_found() -> Answer {
    Err(AppError::NotFound)
}
