//! Lists of what has two sides, a host and a using unit: usage records and charges. Which branches drive such a list, what the
//! caller reaches of a row and how a page is read is the same for both; each has filters of its own besides.

/// The list of a table. Its `Filter` has `hosts`, the named units and a `limit`; its `List` gets a page, and needs besides:
/// `few`, the places of all rows where something of its own leaves few; `is_filtered_besides`, whether filters of its own narrow
/// the rows; `narrowed_besides`, a query narrowed by them. `instrument` is absent where no role reaches rows by instrument.
macro_rules! two_sided_list {
    (
        $row:ident of $table:ident,
        host: $host:ident,
        unit: $unit:ident in $units:ident
        $(, instrument: $instrument:ident)?
    ) => {
        type Backend = <Conn as Connection>::Backend;
        type Query<'a> = $table::BoxedQuery<'a, Backend>;
        type Condition = Box<
            dyn BoxableExpression<$table::table, Backend, SqlType = diesel::sql_types::Bool>,
        >;

        struct List<'a> {
            filter: &'a Filter,
            reach: &'a Reach,
            drive: Drive,
        }

        impl List<'_> {
            fn page(&self, conn: &mut Conn, range: Range) -> Result<Found<$row>> {
                let limit = self.filter.limit;
                let Some(keys) = self.few(conn, range)? else {
                    let branches = &self.drive.branches;
                    return walk(conn, self, branches, self.is_filtered(), range, limit);
                };
                let ids: Vec<i64> = first(keys, range, limit).into_iter().map(Key::id).collect();
                if ids.is_empty() {
                    return Ok(Found::all(Vec::new()));
                }
                let mut rows: Vec<$row> = $table::table
                    .filter($table::id.eq_any(ids))
                    .select($row::as_select())
                    .load(conn)?;
                rows.sort_by_key(|row| self.key(row, range));
                Ok(Found::all(rows))
            }

            /// The branches alone do not say what the caller may see.
            fn is_reach_asked(&self) -> bool {
                self.drive.is_reach_asked || self.drive.managed.is_some()
            }

            fn is_host_asked(&self) -> bool {
                !self.filter.hosts.is_empty() && self.drive.driver != Driver::Hosts
            }

            fn is_unit_asked(&self) -> bool {
                !self.filter.$units.is_empty() && self.drive.driver != Driver::Units
            }

            /// A condition beside those of the branches narrows the rows.
            fn is_filtered(&self) -> bool {
                let by_side = self.is_host_asked() || self.is_unit_asked();
                self.is_reach_asked() || by_side || self.is_filtered_besides()
            }

            /// The conditions beside those of the branch, hidden from the choice of an index.
            fn narrowed<'q>(&self, mut query: Query<'q>) -> Query<'q> {
                if self.is_reach_asked() {
                    query = query.filter(visible(self.reach));
                }
                if self.is_host_asked() {
                    let hosts = self.filter.hosts.clone();
                    query = query.filter(hidden!($table.$host).eq_any(hosts));
                }
                if self.is_unit_asked() {
                    let units = self.filter.$units.clone();
                    query = query.filter(hidden!($table.$unit).eq_any(units));
                }
                self.narrowed_besides(query)
            }
        }

        impl Ordered for List<'_> {
            type Branch = Branch;
            type Row = $row;

            fn nth(
                &self,
                conn: &mut Conn,
                branch: Branch,
                range: Range,
                skipped: i64,
            ) -> Result<Option<Key>> {
                let query = in_range!(driven(branch), $table, range);
                Ok(load_keys!(query.limit(1).offset(skipped), $table, range, conn).pop())
            }

            fn keys(
                &self,
                conn: &mut Conn,
                branch: Branch,
                range: Range,
                limit: i64,
            ) -> Result<Vec<Key>> {
                let query = in_range!(self.narrowed(driven(branch)), $table, range);
                Ok(load_keys!(query.limit(limit), $table, range, conn))
            }

            fn rows(
                &self,
                conn: &mut Conn,
                branch: Branch,
                range: Range,
                limit: i64,
            ) -> Result<Vec<$row>> {
                let query = in_range!(self.narrowed(driven(branch)), $table, range);
                Ok(query.limit(limit).select($row::as_select()).load(conn)?)
            }

            fn key(&self, row: &$row, range: Range) -> Key {
                range.key(row.updated_at, row.id.number())
            }
        }

        /// The rows of a branch.
        fn driven<'a>(branch: Branch) -> Query<'a> {
            let query = $table::table.into_boxed();
            match branch {
                Branch::Everything => query,
                Branch::Host(host) => query.filter($table::$host.eq(host)),
                Branch::Unit(unit) => query.filter($table::$unit.eq(unit)),
                Branch::Instrument(instrument) => {
                    $crate::store::two_sided::of_instrument!(query, instrument, $table $(, $instrument)?)
                }
            }
        }

        /// What the roles reach, of one row.
        fn visible(reach: &Reach) -> Condition {
            let mut condition: Condition = Box::new($table::id.eq(0));
            if let Some(host) = reach.host {
                condition = Box::new(condition.or(hidden!($table.$host).eq(host)));
            }
            if let Some(region) = reach.region {
                let hosts = $crate::store::drive::hosts_within!(region);
                condition = Box::new(condition.or(hidden!($table.$host).eq_any(hosts)));
            }
            if let Some(unit) = own_unit(reach) {
                condition = Box::new(condition.or(hidden!($table.$unit).eq(unit)));
            }
            $(if let Some((host, user)) = reach.managed {
                let managed = hidden!($table.$host)
                    .eq(host)
                    .and(hidden!($table.$instrument).eq_any(managed_by!(user)));
                condition = Box::new(condition.or(managed));
            })?
            condition
        }
    };
}

/// The rows of an instrument; none where a table knows no instruments.
macro_rules! of_instrument {
    ($query:expr, $of:expr, $table:ident, $instrument:ident) => {
        $query.filter($table::$instrument.eq($of))
    };
    ($query:expr, $of:expr, $table:ident) => {{
        let _ = $of;
        $query.filter($table::id.eq(0))
    }};
}

pub(super) use {of_instrument, two_sided_list};
