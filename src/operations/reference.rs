//! Loading the tables every installation starts with. Loading a file again changes nothing; a newer file changes what
//! differs and adds what is new, and leaves one event with the file's digest.

use chrono::Datelike;
use serde_json::json;

use crate::app::App;
use crate::domain::access::Action;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Run, may};
use crate::store::event::Subject;
use crate::store::{self, Lock};

pub use crate::store::reference::{
    Category, Counts, Discipline, Holiday, Reference, Region, TestItem,
};

/// The advisory number of seeding: two nodes that seed at once wait for each other.
const SEEDING: i64 = 1;

/// A file's rows with its name and its SHA-256 in hexadecimal.
#[derive(Debug, Clone)]
pub struct ReferenceFile<R> {
    pub name: &'static str,
    pub sha256: String,
    pub rows: Vec<R>,
}

/// Loads one file in one transaction and tells what changed. The calendar in force is the caller's to load again.
pub async fn load<R>(app: &App, file: ReferenceFile<R>) -> Result<Counts, AppError>
where
    R: Reference + Send + 'static,
{
    let actor = Actor::system(app.clock.now());
    let run = Run::direct(app, &actor, Action::ReferenceLoad).alone();
    let done = run.with(Ok(file), |tx, actor, file| {
        Lock::Job(SEEDING).take(tx)?;
        let counts = R::load(tx, &file.rows)?;
        if counts.inserted + counts.updated > 0 {
            let event = actor
                .event(Action::ReferenceLoad, Subject::new("reference", 0))
                .after(json!({"file": file.name, "sha256": file.sha256, "counts": counts}))?;
            store::event::append(tx, &event)?;
        }
        Ok(counts)
    });
    done.await?.now()
}

/// The holidays of a release, without the years that an officer keeps.
pub async fn released_holidays(app: &App, all: Vec<Holiday>) -> Result<Vec<Holiday>, AppError> {
    let kept = app.store.read(store::calendar::list_kept_years).await?;
    let is_free = |day: &Holiday| !kept.contains(&i64::from(day.holiday_on.year()));
    Ok(all.into_iter().filter(is_free).collect())
}

/// The classes of instruments.
pub async fn list_categories(app: &App, actor: &Actor) -> Result<Vec<Category>, AppError> {
    may(actor, Action::CategoryList)?;
    Ok(app.store.read(store::reference::list_categories).await?)
}

/// The disciplines, for whoever may see the classes.
pub async fn list_subjects(app: &App, actor: &Actor) -> Result<Vec<Discipline>, AppError> {
    may(actor, Action::CategoryList)?;
    Ok(app.store.read(store::reference::list_subjects).await?)
}

/// The administrative regions.
pub async fn list_regions(app: &App, actor: &Actor) -> Result<Vec<Region>, AppError> {
    may(actor, Action::RegionList)?;
    Ok(app.store.read(store::reference::list_regions).await?)
}
