//! Real `yiqi serve` processes on one database: for races between nodes and for `kill -9`. They run on the system's clock.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use yiqi::app::App;
use yiqi::app::token::TokenKeys;
use yiqi::clock::Clock;

use yiqi::store::Conn;

use crate::client::Client;
use crate::world::{
    Backend, Failed, KEYS, Person, World, config, copy_of_template, open_store, remove_database,
};

/// One running server.
pub struct Node {
    pub process: Child,
    pub base: String,
}

impl Node {
    /// Starts a server and waits until it is ready.
    pub fn start(url: &str) -> Node {
        for _ in 0..5 {
            // The port is free at this moment; another process may take it in between, so the start is tried again.
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let mut node = Node::spawn(url, port);
            if node.becomes_ready() {
                return node;
            }
            node.kill();
        }
        panic!("no server became ready on {url}");
    }

    fn spawn(url: &str, port: u16) -> Node {
        let listen = format!("127.0.0.1:{port}");
        // A file that may not grow is an error there, not the end of the process.
        let process = Command::new("sh")
            .args([
                "-c",
                "trap '' XFSZ; exec \"$0\" serve",
                env!("CARGO_BIN_EXE_yiqi"),
            ])
            .env("YIQI_DATABASE_URL", url)
            .env("YIQI_LISTEN", &listen)
            .env("YIQI_SECRET", KEYS)
            .env("YIQI_LOG", "warn")
            .env("YIQI_RATE_LIMITS", "off")
            .env("YIQI_JOB_INTERVAL_SECONDS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Node {
            process,
            base: format!("http://{listen}"),
        }
    }

    fn becomes_ready(&mut self) -> bool {
        let visitor = Client::new(&self.base);
        let patience = Instant::now() + Duration::from_secs(30);
        while Instant::now() < patience && self.process.try_wait().unwrap().is_none() {
            let answer = visitor
                .request(ureq::http::Method::GET, "/health/ready")
                .try_send();
            if answer.is_ok_and(|answer| answer.status == 200) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// `kill -9`: no goodbye, nothing flushed.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// The same while others use the node.
    pub fn kill_by_id(&self) {
        kill_process(Pid::from_child(&self.process), Signal::KILL).unwrap();
    }

    /// SIGTERM, and whether the server ended well by itself.
    pub fn stop(&mut self) -> bool {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        self.process.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A database with servers on it.
pub struct Fleet {
    pub backend: Backend,
    pub url: String,
    pub nodes: Vec<Node>,
}

impl Fleet {
    /// Prepares a database, then starts `nodes` servers. `None` without PostgreSQL where none is required.
    pub fn start<T>(
        backend: Backend,
        nodes: usize,
        prepare: impl FnOnce(&Direct) -> T,
    ) -> Option<(Fleet, T)> {
        let url = copy_of_template(backend)?;
        let prepared = Direct::with(backend, &url, prepare);
        let nodes = (0..nodes).map(|_| Node::start(&url)).collect();
        Some((
            Fleet {
                backend,
                url,
                nodes,
            },
            prepared,
        ))
    }

    /// Looks at or changes the database itself, while no server writes to it.
    pub fn direct<T>(&self, work: impl FnOnce(&Direct) -> T) -> T {
        Direct::with(self.backend, &self.url, work)
    }

    /// A client of the node that is next in turn.
    pub fn client(&self, turn: usize, token: &str) -> Client {
        Client::new(&self.nodes[turn % self.nodes.len()].base)
            .in_language("en")
            .with_token(token)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.nodes.clear();
        remove_database(self.backend, &self.url);
    }
}

/// The database without a server, on the system's clock.
pub struct Direct {
    pub world: World,
}

impl Direct {
    fn with<T>(backend: Backend, url: &str, work: impl FnOnce(&Direct) -> T) -> T {
        let store = open_store(url.parse().unwrap(), 2);
        let app = App::new(
            store,
            Clock::system(),
            config(url),
            TokenKeys::parse(KEYS).unwrap(),
        );
        let direct = Direct {
            world: World::new(app, backend),
        };
        let answer = work(&direct);
        direct.world.app.store.drain();
        answer
    }

    pub fn token(&self, person: Person) -> String {
        self.world.token(person)
    }

    pub fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Conn) -> Result<T, Failed> + Send + 'static,
    ) -> T {
        self.world.read(query)
    }
}
