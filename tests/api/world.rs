//! The world of a test: a database of its own (a copy of a migrated, seeded template), a server in this process, a clock that
//! stands still until a test moves it, and people who sign in. `app.as_company().post(…)` speaks real HTTP.

use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use yiqi::app::App;
use yiqi::app::token::{Claims, TokenKeys};
use yiqi::clock::Clock;
use yiqi::config::Config;
use yiqi::domain::organization::OrganizationState;
use yiqi::domain::{Instant, Minutes, OrganizationId, Uscc, UserId};
use yiqi::error::AppError;
use yiqi::store::organization::NewOrganization;
use yiqi::store::user::NewUser;
use yiqi::store::{self, Conn, Store, migration};

use crate::client::Client;
pub use crate::people::*;
pub use crate::template::{Template, empty_database, remove_database};

/// Every test's clock stands here at first: a Monday morning.
pub const NOW: &str = "2026-03-02T09:00:00+08:00";

/// The password of everybody in the template.
pub const PASSWORD: &str = "correct-horse-9";

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Runs a test on both databases: `both! { fn name(app: &TestApp) { … } }` makes `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! both {
    ($($(#[$meta:meta])* fn $name:ident($app:ident: &TestApp) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "not every test needs everything its file imports")]
            use super::*;

            fn story($app: &$crate::world::TestApp) $body

            #[test]
            fn sqlite() {
                $crate::world::TestApp::run($crate::world::Backend::Sqlite, story);
            }

            #[test]
            fn postgres() {
                $crate::world::TestApp::run($crate::world::Backend::Postgres, story);
            }
        }
    )+};
}

/// The application without a server: its store, clock and people.
pub struct World {
    pub app: App,
    pub backend: Backend,
    runtime: tokio::runtime::Runtime,
}

/// A running service with a database of its own.
pub struct TestApp {
    world: World,
    pub base: String,
    pub url: String,
    handle: ServerHandle,
    server: Option<JoinHandle<()>>,
    owns_database: bool,
}

impl std::ops::Deref for TestApp {
    type Target = World;
    fn deref(&self) -> &World {
        &self.world
    }
}

impl TestApp {
    /// Makes a world, runs the story in it, and clears it away.
    pub fn run(backend: Backend, story: impl FnOnce(&TestApp)) {
        if let Some(app) = TestApp::start(backend) {
            story(&app);
        }
    }

    /// `None` when there is no PostgreSQL and none is required.
    pub fn start(backend: Backend) -> Option<TestApp> {
        TestApp::start_with(backend, |_| ())
    }

    /// On other settings than the tests'.
    pub fn start_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Option<TestApp> {
        let url = copy_of_template(backend)?;
        let mut settings = config(&url);
        change(&mut settings);
        let clock = Clock::fixed(NOW.parse().unwrap());
        let mut app = TestApp::with(backend, &url, clock, settings);
        app.owns_database = true;
        Some(app)
    }

    /// Another node, or a service on a database that the test keeps itself.
    pub fn on(backend: Backend, url: &str, clock: Clock) -> TestApp {
        TestApp::with(backend, url, clock, config(url))
    }

    fn with(backend: Backend, url: &str, clock: Clock, settings: Config) -> TestApp {
        let store = open_store(url.parse().unwrap(), 4);
        let keys = TokenKeys::parse(KEYS).unwrap();
        let app = App::new(store, clock, settings, keys);
        let world = World::new(app, backend);
        let (base, handle, server) = serve(&world.app);
        TestApp {
            world,
            base,
            url: url.to_owned(),
            handle,
            server: Some(server),
            owns_database: false,
        }
    }

    /// Somebody who is not signed in.
    pub fn visitor(&self) -> Client {
        Client::new(&self.base).in_language("en")
    }

    /// A person with a fresh session.
    pub fn as_person(&self, person: Person) -> Client {
        self.visitor().with_token(self.token(person))
    }

    pub fn as_admin(&self) -> Client {
        self.as_person(ADMIN)
    }

    /// The host's administrator.
    pub fn as_host(&self) -> Client {
        self.as_person(HOST)
    }

    /// The company's administrator.
    pub fn as_company(&self) -> Client {
        self.as_person(BOSS)
    }

    /// A company that has nothing to do with the first.
    pub fn as_stranger(&self) -> Client {
        self.as_person(STRANGER)
    }
}

/// Any error of a query that a test makes by hand, of whichever room.
#[derive(Debug)]
pub struct Failed(Box<dyn std::error::Error + Send + Sync>);

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl World {
    pub fn new(app: App, backend: Backend) -> World {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        World {
            app,
            backend,
            runtime,
        }
    }

    /// Runs an operation without HTTP.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Reads from the store.
    pub fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Conn) -> Result<T, Failed> + Send + 'static,
    ) -> T {
        self.block_on(self.app.store.read(query)).unwrap()
    }

    /// Writes to the store, past every rule but the database's own.
    pub fn write<T: Send + 'static>(
        &self,
        action: impl Fn(&mut Conn) -> Result<T, Failed> + Send + 'static,
    ) -> T {
        let action =
            move |tx: &mut Conn| action(tx).map_err(|Failed(error)| AppError::Internal(error));
        self.block_on(self.app.store.write(action)).unwrap()
    }

    /// Waits until every committed event is settled: on PostgreSQL the trail holds back what is younger than the oldest open
    /// transaction of the whole cluster, and the tests beside this one have some.
    pub fn settle(&self) {
        use diesel::prelude::*;
        use yiqi::store::schema::event::dsl::*;
        let newest: Option<(i64, i64)> = self.read(|conn| {
            let newest_first = event.order((epoch.desc(), transaction_id.desc()));
            let places = newest_first.select((epoch, transaction_id));
            Ok(places
                .first(conn)
                .optional()
                .map_err(store::StoreError::from)?)
        });
        let horizon = || self.read(|conn| Ok(store::trail::settled_below(conn)?));
        let began = std::time::Instant::now();
        while horizon().is_some_and(|horizon| newest >= Some(horizon)) {
            assert!(began.elapsed().as_secs() < 60, "a transaction stays open");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// Tells everybody what happened so far; answers how many notices that made.
    pub fn tell(&self) -> usize {
        self.settle();
        let told = yiqi::jobs::notice::tick(&self.app, self.now());
        self.block_on(told).unwrap()
    }

    pub fn now(&self) -> Instant {
        self.app.clock.now()
    }

    pub fn advance(&self, minutes: i64) {
        self.app.clock.advance(Minutes::new(minutes));
    }

    /// An access token of a fresh session, valid for a year of the test's clock.
    pub fn token(&self, person: Person) -> String {
        let now = self.now();
        let user = self.user_id(person);
        let end = now.plus(Minutes::new(400 * 24 * 60));
        let session = self.write(move |tx| Ok(store::session::insert(tx, user, None, now, end)?));
        let claims = Claims {
            sub: user,
            sid: session,
            iat: now.unix_seconds(),
            exp: end.unix_seconds(),
        };
        self.app.keys.sign(&claims).unwrap()
    }

    pub fn user_id(&self, person: Person) -> UserId {
        self.read(move |conn| Ok(store::user::find_password(conn, person.login)?.unwrap().0))
    }

    pub fn organization_id(&self, uscc: &'static str) -> OrganizationId {
        self.read(move |conn| {
            Ok(
                store::organization::find_by_uscc(conn, &Uscc::parse(uscc).unwrap())?
                    .unwrap()
                    .id,
            )
        })
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let stopped = self.handle.stop(false);
        self.world.runtime.block_on(stopped);
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
        self.app.store.drain();
        if self.owns_database {
            remove_database(self.backend, &self.url);
        }
    }
}

/// Opens a database as a service with few connections does.
pub fn open_store(database: store::Database, connections: u32) -> Store<AppError> {
    Store::open(database, connections, Duration::from_secs(10)).unwrap()
}

/// What signs the tokens of every test, also those of started processes.
pub const KEYS: &str = "test:dGVzdC10ZXN0LXRlc3QtdGVzdC10ZXN0LXRlc3QtdGVzdC10ZXN0";

/// The settings of tests: as shipped, but passwords hash quickly and nobody asks too often.
pub fn config(url: &str) -> Config {
    let environment = [
        ("YIQI_DATABASE_URL", url),
        ("YIQI_PASSWORD_MEMORY_KIB", "64"),
        ("YIQI_WORKERS", "1"),
        ("YIQI_RATE_LIMITS", "off"),
    ];
    let environment = environment
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Config::merge(None, &environment).unwrap()
}

fn serve(app: &App) -> (String, ServerHandle, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    let app = app.clone();
    let server = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = yiqi::http::server::serve(&app, listener).unwrap();
            sender.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    (base, receiver.recv().unwrap(), server)
}

/// A copy of the migrated, seeded, peopled template.
pub fn copy_of_template(backend: Backend) -> Option<String> {
    static TEMPLATE: Template = Template::new(fill);
    TEMPLATE.copy(backend)
}

/// Fills an empty database with what every test begins with.
pub fn fill(_: Backend, url: &str) {
    let database: store::Database = url.parse().unwrap();
    migration::migrate(&database, true).unwrap();
    let keys = TokenKeys::parse(KEYS).unwrap();
    let app = App::new(
        open_store(database, 1),
        Clock::fixed(NOW.parse().unwrap()),
        config(url),
        keys,
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        yiqi::cli::seed::load(&app).await.unwrap();
        let password_hash = yiqi::operations::password::hash(&app, PASSWORD.to_owned())
            .await
            .unwrap();
        let now = app.clock.now();
        app.store
            .write(move |tx| populate(tx, &password_hash, now))
            .await
            .unwrap();
    });
    app.store.drain();
}

fn populate(tx: &mut Conn, password_hash: &str, now: Instant) -> Result<(), AppError> {
    for (facts, is_sme) in organizations() {
        let new = NewOrganization {
            facts,
            uscc_confirmed: true,
            is_sme,
            state: OrganizationState::Verified,
            now,
        };
        let id = store::organization::insert(tx, &new)?;
        for person in PEOPLE
            .iter()
            .filter(|person| person.organization == new.facts.uscc.as_str())
        {
            let user = NewUser {
                organization_id: id,
                login: person.login.to_owned(),
                name: person
                    .login
                    .split('@')
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                phone: None,
                password_hash: password_hash.to_owned(),
                roles: person.roles.to_vec(),
                now,
            };
            store::user::insert(tx, &user)?;
        }
    }
    Ok(())
}
