//! What evaluations and subsidy runs share in the database: how they are listed, and guarded moves from state to state,
//! written once for both tables.

use crate::domain::Instant;

/// Which runs to list. No years mean all.
#[derive(Debug, Clone)]
pub struct Filter {
    pub years: Vec<i64>,
    /// Only what everybody may see; in the order of change also what was published and then thrown away.
    pub only_published: bool,
    pub place: PageStart,
    pub limit: i64,
}

/// Where a list begins, and in which order it goes on.
#[derive(Debug, Clone, Copy)]
pub enum PageStart {
    /// Oldest first, after this id.
    After(i64),
    /// In the order of (`updated_at`, `id`), after this change.
    Changed(Instant, i64),
}

/// The functions of one table of runs. Needs the imports of a store file, its table and its row.
macro_rules! runs {
    ($table:ident, $id:ty, $row:ty) => {
        pub fn get(conn: &mut Conn, id: $id) -> Result<$row> {
            Ok($table::table
                .find(id)
                .select(<$row>::as_select())
                .first(conn)?)
        }

        pub fn list(conn: &mut Conn, filter: &run::Filter) -> Result<Vec<$row>> {
            let mut query = $table::table
                .limit(filter.limit)
                .select(<$row>::as_select())
                .into_boxed();
            if !filter.years.is_empty() {
                query = query.filter($table::year.eq_any(filter.years.clone()));
            }
            let public = $table::state.eq_any([RunState::Published, RunState::Final]);
            match filter.place {
                run::PageStart::After(id) => {
                    if filter.only_published {
                        query = query.filter(public);
                    }
                    query = query.filter($table::id.gt(id)).order($table::id);
                }
                run::PageStart::Changed(moment, id) => {
                    if filter.only_published {
                        query = query.filter(public.or($table::published_at.is_not_null()));
                    }
                    let same = $table::updated_at.eq(moment).and($table::id.gt(id));
                    query = query
                        .filter($table::updated_at.gt(moment).or(same))
                        .order(($table::updated_at, $table::id));
                }
            }
            Ok(query.load(conn)?)
        }

        /// Says why a running run ended without a result. False when it no longer runs.
        pub fn update_to_failed(
            conn: &mut Conn,
            id: $id,
            failure: &str,
            now: Instant,
        ) -> Result<bool> {
            let running = $table::table
                .filter($table::id.eq(id))
                .filter($table::state.eq(RunState::Running));
            let changed = diesel::update(running)
                .set((
                    $table::state.eq(RunState::Failed),
                    $table::failure.eq(failure),
                    $table::version.eq($table::version + 1),
                    $table::updated_at.eq(now),
                ))
                .execute(conn)?;
            Ok(changed == 1)
        }

        /// Runs of which nothing was heard since `silent_since`, oldest first.
        pub fn list_silent(conn: &mut Conn, silent_since: Instant) -> Result<Vec<$id>> {
            Ok($table::table
                .filter($table::state.eq(RunState::Running))
                .filter($table::updated_at.lt(silent_since))
                .select($table::id)
                .order($table::id)
                .load(conn)?)
        }

        /// Moves a run to a state, noting who published or finalized it. `Contended` when `present` is no longer what
        /// stands there. Violates the table's rule that one run of a year is final.
        pub fn update_state(
            conn: &mut Conn,
            present: &$row,
            state: RunState,
            by: Option<UserId>,
            now: Instant,
        ) -> Result<()> {
            let unchanged = $table::table
                .filter($table::id.eq(present.id))
                .filter($table::version.eq(present.version))
                .filter($table::state.eq(present.state));
            let row = diesel::update(unchanged);
            let moved = (
                $table::state.eq(state),
                $table::version.eq(present.version + 1),
                $table::updated_at.eq(now),
            );
            let published = ($table::published_by.eq(by), $table::published_at.eq(now));
            let finalized = ($table::finalized_by.eq(by), $table::finalized_at.eq(now));
            let changed = match state {
                RunState::Published => row.set((moved, published)).execute(conn)?,
                RunState::Final => row.set((moved, finalized)).execute(conn)?,
                _ => row.set(moved).execute(conn)?,
            };
            match changed {
                1 => Ok(()),
                _ => Err(StoreError::Contended),
            }
        }
    };
}
pub(in crate::store) use runs;
