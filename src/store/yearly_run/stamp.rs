//! The stamp of what freezes read by its time: the present, or the second after the newest freeze. Who writes by it holds
//! `Lock::RecordsShared`, so no freeze is under way, and no row can come to lie before a freeze that did not see it.

use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Timestamp;
use diesel::sqlite::Sqlite;

use crate::domain::Instant;
use crate::store::schema::{evaluation, subsidy_run_freeze};
use crate::store::{Conn, Result};

/// The stamp of what is written now, asked for in a statement of its own.
pub fn after_freezes(conn: &mut Conn, now: Instant) -> Result<Instant> {
    let of_evaluations: Option<Instant> = evaluation::table
        .select(diesel::dsl::max(evaluation::frozen_at))
        .get_result(conn)?;
    let of_runs: Option<Instant> = subsidy_run_freeze::table
        .select(diesel::dsl::max(subsidy_run_freeze::frozen_at))
        .get_result(conn)?;
    let newest = of_evaluations.max(of_runs);
    Ok(newest.map_or(now, |at| now.max(at.plus_seconds(1))))
}

/// The same stamp as a value within the statement that writes it.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct AfterFreezes(pub Instant);

impl Expression for AfterFreezes {
    type SqlType = Timestamp;
}

impl<T> AppearsOnTable<T> for AfterFreezes {}

impl<T> SelectableExpression<T> for AfterFreezes {}

impl<G> ValidGrouping<G> for AfterFreezes {
    type IsAggregate = is_aggregate::Never;
}

impl QueryFragment<Pg> for AfterFreezes {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("greatest(");
        out.push_bind_param::<Timestamp, _>(&self.0)?;
        out.push_sql(
            ", (SELECT max(frozen_at) + interval '1 second' FROM evaluation), \
             (SELECT max(frozen_at) + interval '1 second' FROM subsidy_run_freeze))",
        );
        Ok(())
    }
}

impl QueryFragment<Sqlite> for AfterFreezes {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("max(");
        out.push_bind_param::<Timestamp, _>(&self.0)?;
        out.push_sql(
            ", coalesce((SELECT datetime(max(frozen_at), '+1 second') FROM evaluation), ''), \
             coalesce((SELECT datetime(max(frozen_at), '+1 second') FROM subsidy_run_freeze), ''))",
        );
        Ok(())
    }
}
