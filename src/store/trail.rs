//! The order of the trail: epoch, transaction, id. Says which events are settled, so that none can still appear before one
//! that was read; readers and consumers of the trail go by it.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::event::Event;
use super::schema::event;
use super::{Conn, Result};
use crate::domain::{EventId, Instant};

/// Where a reader of the trail stands: behind this event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub epoch: i64,
    pub transaction_id: i64,
    pub event_id: i64,
}

#[derive(QueryableByName)]
struct Settled {
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = BigInt)]
    transaction_id: i64,
}

/// Below this epoch and transaction nothing appears any more; `None` where one writer commits in the order of ids.
pub fn settled_below(conn: &mut Conn) -> Result<Option<(i64, i64)>> {
    let Conn::Postgres(postgres) = conn else {
        return Ok(None);
    };
    let answer: Settled = diesel::sql_query(
        "SELECT epoch, txid_snapshot_xmin(txid_current_snapshot()) AS transaction_id FROM trail",
    )
    .get_result(postgres)?;
    Ok(Some((answer.epoch, answer.transaction_id)))
}

/// When the newest event happened, where one machine stamps them all.
pub fn newest_moment(conn: &mut Conn) -> Result<Option<Instant>> {
    if matches!(conn, Conn::Postgres(_)) {
        return Ok(None);
    }
    let newest = event::table
        .order(event::id.desc())
        .select(event::happened_at);
    Ok(newest.first(conn).optional()?)
}

/// The place of an event. An id that no event has stands for the last event before it.
pub fn place_of(conn: &mut Conn, after: EventId) -> Result<Option<Place>> {
    let place: Option<(i64, i64)> = event::table
        .filter(event::id.le(after))
        .select((event::epoch, event::transaction_id))
        .order(event::id.desc())
        .first(conn)
        .optional()?;
    Ok(place.map(|(epoch, transaction_id)| Place {
        epoch,
        transaction_id,
        event_id: after.number(),
    }))
}

/// Whether an event is settled.
macro_rules! is_settled {
    ($settled:expr) => {{
        let (epoch, transaction): (i64, i64) = $settled;
        diesel::dsl::sql::<diesel::sql_types::Bool>("(event.epoch, event.transaction_id) < (")
            .bind::<diesel::sql_types::BigInt, _>(epoch)
            .sql(", ")
            .bind::<diesel::sql_types::BigInt, _>(transaction)
            .sql(")")
    }};
}

/// Whether an event stands behind a place: one comparison of rows, for which PostgreSQL finds the beginning in the index.
macro_rules! is_behind {
    ($place:expr) => {{
        let place: $crate::store::trail::Place = $place;
        diesel::dsl::sql::<diesel::sql_types::Bool>(
            "(event.epoch, event.transaction_id, event.id) > (",
        )
        .bind::<diesel::sql_types::BigInt, _>(place.epoch)
        .sql(", ")
        .bind::<diesel::sql_types::BigInt, _>(place.transaction_id)
        .sql(", ")
        .bind::<diesel::sql_types::BigInt, _>(place.event_id)
        .sql(")")
    }};
}
pub(in crate::store) use {is_behind, is_settled};

/// The settled events behind a place, in order, each with its own place.
pub fn list_after(conn: &mut Conn, after: Place, limit: i64) -> Result<Vec<(Place, Event)>> {
    let settled = settled_below(conn)?;
    let columns = (event::epoch, event::transaction_id, Event::as_select());
    let query = event::table.select(columns).limit(limit).into_boxed();
    let query = match settled {
        Some(settled) => query
            .filter(is_settled!(settled))
            .filter(is_behind!(after))
            .order((event::epoch, event::transaction_id, event::id)),
        None => query
            .filter(event::id.gt(after.event_id))
            .order(event::id.asc()),
    };
    let rows: Vec<(i64, i64, Event)> = query.load(conn)?;
    let placed = rows.into_iter().map(|(epoch, transaction_id, event)| {
        let event_id = event.id.number();
        let place = Place {
            epoch,
            transaction_id,
            event_id,
        };
        (place, event)
    });
    Ok(placed.collect())
}

/// Behind every event that is settled.
pub fn newest_place(conn: &mut Conn) -> Result<Place> {
    let settled = settled_below(conn)?;
    let columns = (event::epoch, event::transaction_id, event::id);
    let query = event::table.select(columns).limit(1).into_boxed();
    let query = match settled {
        Some(settled) => query.filter(is_settled!(settled)).order((
            event::epoch.desc(),
            event::transaction_id.desc(),
            event::id.desc(),
        )),
        None => query.order(event::id.desc()),
    };
    let newest: Option<(i64, i64, EventId)> = query.first(conn).optional()?;
    let (epoch, transaction_id, event_id) = newest.map_or((0, 0, 0), |(epoch, transaction, id)| {
        (epoch, transaction, id.number())
    });
    Ok(Place {
        epoch,
        transaction_id,
        event_id,
    })
}

/// No transaction of this cluster is as young as one that the present epoch tells of: the database was restored here.
const IS_FOREIGN: &str = "COALESCE((SELECT max(event.transaction_id) FROM event \
    WHERE event.epoch = trail.epoch) >= txid_snapshot_xmax(txid_current_snapshot()), FALSE)";

#[derive(QueryableByName)]
struct Foreign {
    #[diesel(sql_type = Bool)]
    is_foreign: bool,
}

/// Whether the trail was written in another cluster, so that its order cannot go on as it is.
pub fn is_foreign(conn: &mut Conn) -> Result<bool> {
    let Conn::Postgres(postgres) = conn else {
        return Ok(false);
    };
    let question = format!("SELECT {IS_FOREIGN} AS is_foreign FROM trail");
    let answer: Foreign = diesel::sql_query(question).get_result(postgres)?;
    Ok(answer.is_foreign)
}

/// Begins the next epoch if the trail was written in another cluster. Waits for those who write events, so that none of the
/// old epoch appears later.
pub fn raise_epoch(conn: &mut Conn) -> Result<()> {
    if let Conn::Postgres(postgres) = conn {
        postgres.batch_execute("LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE")?;
        let raise = format!("UPDATE trail SET epoch = epoch + 1 WHERE {IS_FOREIGN}");
        diesel::sql_query(raise).execute(postgres)?;
    }
    Ok(())
}
