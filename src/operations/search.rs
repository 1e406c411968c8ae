//! The node's index of instruments follows the trail: built from the database when there is none, then what each event may
//! have changed is read anew. Whoever searches looks first whether something happened since.

use std::collections::BTreeSet;

use crate::app::App;
use crate::app::search::Search;
use crate::domain::access::Action;
use crate::domain::search::Index;
use crate::domain::{InstrumentId, OrganizationId, ServiceId};
use crate::error::AppError;
use crate::store::event::Event;
use crate::store::search::NamesOfCodes;
use crate::store::{self, Conn};

/// So many events are looked at together.
const BATCH: i64 = 2_000;

/// So many instruments are read together when the index is built.
const BUILT_TOGETHER: usize = 2_000;

/// Builds the index, or brings it to the end of the trail; answers how many instruments were read.
pub async fn refresh(app: &App) -> Result<usize, AppError> {
    let place = app.search.place();
    let is_behind = move |conn: &mut Conn| match place {
        Some(place) => Ok::<_, AppError>(!store::trail::list_after(conn, place, 1)?.is_empty()),
        None => Ok(true),
    };
    if !app.store.read(is_behind).await? {
        return Ok(0);
    }
    let node = app.clone();
    app.store
        .read_snapshot(move |conn: &mut Conn| catch_up(&node.search, conn))
        .await
}

/// As [`refresh`], on a connection that somebody has.
pub(super) fn catch_up(search: &Search, conn: &mut Conn) -> Result<usize, AppError> {
    if let Some(place) = search.place()
        && store::trail::list_after(conn, place, 1)?.is_empty()
    {
        return Ok(0);
    }
    let mut names = search.follow();
    let mut count = 0;
    while let Some(place) = search.place() {
        let events = store::trail::list_after(conn, place, BATCH)?;
        let Some((last, _)) = events.last() else {
            return Ok(count);
        };
        if events.iter().any(|(_, event)| is_of_everything(event)) {
            break;
        }
        let mut changed = BTreeSet::new();
        for (_, event) in &events {
            changed.extend(instruments_of(conn, event)?);
        }
        let changed: Vec<InstrumentId> = changed.into_iter().collect();
        let documents = store::search::list_documents(conn, &names, &changed)?;
        search.take_in(&changed, &documents, *last);
        count += changed.len();
    }
    count += build(search, &mut names, conn)?;
    Ok(count)
}

/// Reads every instrument. The place is read first, so that nothing between is missed.
fn build(search: &Search, names: &mut NamesOfCodes, conn: &mut Conn) -> Result<usize, AppError> {
    let place = store::trail::newest_place(conn)?;
    *names = NamesOfCodes::read(conn)?;
    let ids = store::search::list_all_ids(conn)?;
    let mut index = Index::default();
    for some in ids.chunks(BUILT_TOGETHER) {
        for document in store::search::list_documents(conn, names, some)? {
            index.put(&document);
        }
    }
    let count = index.count_instruments();
    search.replace(index, place);
    Ok(count)
}

/// Whether an event may have changed what any instrument says.
fn is_of_everything(event: &Event) -> bool {
    event.action == Action::ReferenceLoad.as_str()
}

/// Whether an event of a unit may have changed its name.
fn changes_texts(event: &Event) -> bool {
    event.action.starts_with("organization_") || event.action == Action::ProvinceImport.as_str()
}

/// The instruments that may say something else after an event.
fn instruments_of(conn: &mut Conn, event: &Event) -> Result<Vec<InstrumentId>, AppError> {
    let id = event.subject_id;
    Ok(match event.subject_type.as_str() {
        "instrument" => InstrumentId::try_from(id).ok().into_iter().collect(),
        "service" => match ServiceId::try_from(id) {
            Ok(service) => store::search::find_of_service(conn, service)?
                .into_iter()
                .collect(),
            Err(_) => Vec::new(),
        },
        "organization" if !changes_texts(event) => Vec::new(),
        "organization" => match OrganizationId::try_from(id) {
            Ok(unit) => store::search::list_of_unit(conn, unit)?,
            Err(_) => Vec::new(),
        },
        "province" => store::search::list_of_event(conn, event.id.number())?,
        _ => Vec::new(),
    })
}
