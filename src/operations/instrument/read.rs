//! Reading entries: one, its versions, and those that a caller or visitor may see.

use super::context::InstrumentContext;
use super::find::{Asked, list_all_ranked, narrowed};
use super::{Entry, inside};
use crate::app::App;
use crate::domain::access::{self, Action, Reach};
use crate::domain::search::Matches;
use crate::domain::{Instant, InstrumentId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{admit, may};
use crate::operations::subject::{Subject, Ties, authorize};
use crate::store::instrument::{Changed, Filter, Instrument, SortField};
use crate::store::{self, Conn};

/// The entry, when this caller or visitor may see it; 404 otherwise. The host, its administration and the auditors see all
/// of it.
pub async fn get(app: &App, actor: &Actor, id: InstrumentId) -> Result<Entry, AppError> {
    let actor = actor.clone();
    let find = move |conn: &mut Conn| {
        let InstrumentContext { instrument, ties } = InstrumentContext::load(conn, &actor, id)?;
        authorize(&actor, Action::InstrumentGet, &Ties::Instrument(ties))?;
        let is_inside = actor.caller().is_ok_and(|caller| {
            access::may_on_instrument(caller, Action::InstrumentGet, &ties).is_ok()
        });
        let inside = is_inside.then(|| inside(conn, id)).transpose()?;
        Ok(Entry { instrument, inside })
    };
    app.store.read(find).await
}

/// Which versions of an entry are asked for: newest first, below one of them.
#[derive(Debug, Clone, Copy)]
pub struct Versions {
    pub below: Option<i64>,
    pub limit: i64,
}

/// The versions of an entry, newest first.
pub async fn list_versions(
    app: &App,
    actor: &Actor,
    id: InstrumentId,
    asked: Result<Versions, AppError>,
) -> Result<Vec<Instrument>, AppError> {
    admit::<InstrumentContext>(app, actor, Action::InstrumentVersionList, id).await?;
    let Versions { below, limit } = asked?;
    let find = move |conn: &mut Conn| Ok(store::instrument::list_versions(conn, id, below, limit)?);
    app.store.read(find).await
}

/// What changed of these entries after a place, in the order of (`updated_at`, `id`).
pub async fn list_changed(
    app: &App,
    actor: &Actor,
    filter: Filter,
    after: (Instant, i64),
) -> Result<Changed, AppError> {
    let filter = within_reach(actor, Action::InstrumentList, filter);
    read(app, filter, move |conn, filter, _| {
        Ok(store::instrument::list_changed(conn, &filter, after)?)
    })
    .await
}

/// The entries for a table: those of which the caller sees all.
pub async fn export(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<Instrument>, AppError> {
    may(actor, Action::InstrumentExport)?;
    let filter = Filter {
        is_public: false,
        ..within_reach(actor, Action::InstrumentExport, filter?)
    };
    if filter.sort.field == SortField::Distance {
        let fault = Fault::field("sort", Code::invalid_value);
        return Err(AppError::Malformed(vec![fault.actual("distance")]));
    }
    let (node, on) = (app.clone(), actor.now.local_date());
    read(app, filter, move |conn, filter, found| {
        match filter.sort.field.is_ranked() {
            true => list_all_ranked(&node.search, conn, &filter, &found, on),
            false => Ok(store::instrument::list_all(conn, filter)?),
        }
    })
    .await
}

/// A search waits for the others, so that it takes no connection from short questions.
async fn read<T: Send + 'static>(
    app: &App,
    filter: Filter,
    find: impl FnOnce(&mut Conn, Filter, Matches) -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    let (is_search, node) = (filter.is_search(), app.clone());
    let find = move |conn: &mut Conn| {
        let (filter, found) = narrowed(&node.search, conn, filter, &Asked::default())?;
        find(conn, filter, found)
    };
    match is_search {
        true => app.store.read_search(find).await,
        false => app.store.read(find).await,
    }
}

/// Beside what is public: what the caller reaches by the action. A visitor reaches nothing.
pub(super) fn within_reach(actor: &Actor, action: Action, filter: Filter) -> Filter {
    let caller = actor.caller().ok();
    let caller = caller.filter(|caller| access::may(caller, action).is_ok());
    Filter {
        reach: caller.map_or_else(Reach::default, |caller| Reach::of(caller, action)),
        ..filter
    }
}
