//! A database that is made once in a run and copied for every test that begins with what is in it.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::postgres::Postgres;
use crate::scratch;
use crate::world::Backend;

/// What `fill` puts into the database at an address, which is SQLite's file not made yet, or an empty PostgreSQL database.
/// When it returns, nobody may be connected.
pub struct Template {
    fill: fn(Backend, &str),
    sqlite: OnceLock<PathBuf>,
    postgres: OnceLock<String>,
}

/// Tells the files of this run apart.
static COUNT: AtomicU32 = AtomicU32::new(0);

impl Template {
    pub const fn new(fill: fn(Backend, &str)) -> Template {
        Template {
            fill,
            sqlite: OnceLock::new(),
            postgres: OnceLock::new(),
        }
    }

    /// The address of a new copy. `None` when there is no PostgreSQL and none is required.
    pub fn copy(&self, backend: Backend) -> Option<String> {
        match backend {
            Backend::Sqlite => {
                let template = self.sqlite.get_or_init(|| {
                    let file = new_file();
                    (self.fill)(backend, &format!("sqlite:{}", file.display()));
                    file
                });
                let copy = new_file();
                std::fs::copy(template, &copy).unwrap();
                Some(format!("sqlite:{}", copy.display()))
            }
            Backend::Postgres => {
                let postgres = Postgres::shared()?;
                let template = self.postgres.get_or_init(|| {
                    let url = postgres.create_database(None);
                    (self.fill)(backend, &url);
                    url
                });
                Some(postgres.create_database(Some(template)))
            }
        }
    }
}

/// An address at which nothing is yet (SQLite) or an empty database (PostgreSQL).
pub fn empty_database(backend: Backend) -> Option<String> {
    match backend {
        Backend::Sqlite => Some(format!("sqlite:{}", new_file().display())),
        Backend::Postgres => Some(Postgres::shared()?.create_database(None)),
    }
}

/// Clears away a database that is no longer needed.
pub fn remove_database(backend: Backend, url: &str) {
    match backend {
        Backend::Sqlite => {
            let file = url.trim_start_matches("sqlite:");
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{file}{suffix}"));
            }
        }
        Backend::Postgres => {
            if let Some(postgres) = Postgres::shared() {
                postgres.drop_database(url);
            }
        }
    }
}

fn new_file() -> PathBuf {
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    scratch::folder().join(format!("{number}.sqlite"))
}
