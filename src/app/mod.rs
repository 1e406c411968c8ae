//! What every room needs at hand: the store, the clock, the settings, the signing keys and the calendar.

pub mod hashing;
pub mod search;
pub mod table_work;
pub mod token;
pub mod work;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::calendar::Calendar;
use crate::domain::evaluation::Inputs;
use crate::domain::search::Synonyms;
use crate::domain::{ApiKeyId, Instant};
use crate::error::{AppError, Code};
use crate::store::{Store, calendar, migration, stats, trail};
use hashing::Hashing;
use search::Search;
use table_work::TableWork;
use token::TokenKeys;
use work::Work;

/// Cheap to clone; one per process.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

#[derive(Debug)]
pub struct Parts {
    pub store: Store<AppError>,
    pub clock: Clock,
    pub config: Config,
    pub keys: TokenKeys,
    pub hashing: Hashing,
    pub tables: TableWork,
    /// Room, in bytes, for what comes with requests.
    pub body_room: Arc<Semaphore>,
    /// The open figures last computed of a year, and when. Whoever computes some holds the lock.
    pub year_stats: tokio::sync::Mutex<BTreeMap<i32, (Instant, Arc<stats::Document>)>>,
    /// What instruments are found by.
    pub search: Search,
    /// The inputs that a subsidy run was just graded by, for its sharing out, which follows. Whoever finds them there by their digest
    /// takes them.
    pub graded_inputs: Mutex<Option<(String, Inputs)>>,
    /// Uses of API keys that are not written down yet.
    pub key_uses: Mutex<BTreeMap<ApiKeyId, Instant>>,
    /// Accepted and answered; it goes on, and the stop waits for it.
    pub work: Work,
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    pub fn new(store: Store<AppError>, clock: Clock, config: Config, keys: TokenKeys) -> Self {
        let (threads, waiting) = (config.password_threads, config.password_queue_max);
        let synonyms = config.synonyms().unwrap_or_else(|error| {
            tracing::error!(%error, "instruments are searched without synonyms");
            Synonyms::default()
        });
        Self(Arc::new(Parts {
            hashing: Hashing::new(threads, waiting),
            tables: TableWork::default(),
            graded_inputs: Mutex::default(),
            body_room: Arc::new(Semaphore::new(config.bodies_bytes_max)),
            store,
            clock,
            config,
            keys,
            year_stats: tokio::sync::Mutex::default(),
            search: Search::new(synonyms),
            key_uses: Mutex::default(),
            work: Work::default(),
        }))
    }

    /// Opens the database of the settings.
    pub fn open(config: Config, clock: Clock, keys: TokenKeys) -> Result<Self, AppError> {
        config.synonyms().map_err(AppError::internal)?;
        let database = config.database().map_err(AppError::internal)?;
        let read_limit = Duration::from_secs(config.read_seconds_max.into());
        let store = Store::open(database, config.database_connections, read_limit)?;
        Ok(Self::new(store, clock, config, keys))
    }

    /// Makes sure that the database has this program's schema, and that its trail goes on here: in time, and in order.
    pub async fn prepare(&self) -> Result<(), AppError> {
        if !self.store.read(migration::is_current).await? {
            return Err(AppError::unavailable(
                "the database schema is not this program's; run `yiqi migrate`",
            ));
        }
        if let Some(moment) = self.store.read(trail::newest_moment).await? {
            self.clock.go_on_from(moment);
        }
        if self.store.read(trail::is_foreign).await? {
            self.store.write(|tx| Ok(trail::raise_epoch(tx)?)).await?;
            tracing::info!(
                "the database was restored from another cluster: the trail begins an epoch"
            );
        }
        Ok(())
    }

    /// The Chinese font of PDFs, read anew, as it is some 20 MB; 409 `pdf_font_missing` where there is none.
    pub fn read_pdf_font(&self) -> Result<Vec<u8>, AppError> {
        std::fs::read(&self.config.pdf_font).map_err(|error| {
            tracing::warn!(font = %self.config.pdf_font, %error, "the font of PDFs cannot be read");
            AppError::conflict(Code::pdf_font_missing)
        })
    }

    /// Working days and public holidays, as they are now.
    pub async fn calendar(&self) -> Result<Arc<Calendar>, AppError> {
        Ok(self.store.read(calendar::get).await?)
    }
}
