//! Databases of many rows, filled in a few statements that repeat a row of the service's own with other numbers.

use std::collections::HashMap;

use chrono::{NaiveDateTime, SubsecRound, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use yiqi::store::{Conn, Database};

use crate::fleet::{Direct, Fleet, Node};
use crate::sample::Sample;
use crate::world::{
    Backend, COMPANY, ENGINEER, MANAGER, OTHER_COMPANY, OTHER_HOST, PEOPLE, Person,
};
use crate::{given, lists_rows};

/// Bookings lie on so many instruments: fifty rows each at the smallest size.
pub const INSTRUMENTS: usize = 20;
pub const FEW: usize = 100;

/// What the lists are asked for.
pub struct Filled {
    names: HashMap<&'static str, String>,
    tokens: HashMap<&'static str, String>,
}

impl Filled {
    /// The query with its `{names}` filled in.
    pub fn named(&self, query: &str) -> String {
        let replaced = |query: String, (name, value): (&&str, &String)| {
            query.replace(&format!("{{{name}}}"), value)
        };
        self.names.iter().fold(query.to_owned(), replaced)
    }

    pub fn token(&self, person: Person) -> &str {
        &self.tokens[person.login]
    }
}

/// Fills in the rows and says what the lists are asked for.
pub type Fill = fn(&Filling) -> HashMap<&'static str, String>;

/// A database to fill with so many rows.
pub struct Filling {
    pub backend: Backend,
    pub url: String,
    /// Consecutive ids.
    pub instruments: Vec<i64>,
    pub organizations: HashMap<&'static str, i64>,
    pub users: HashMap<&'static str, i64>,
    pub size: usize,
    pub now: NaiveDateTime,
}

/// A database filled by `fill`, and a server that started on it.
pub fn start(backend: Backend, fill: Fill, size: usize) -> Option<(Fleet, Filled)> {
    let number = |id: String| id.parse::<i64>().unwrap();
    let (mut fleet, (mut filling, tokens)) = Fleet::start(backend, 1, |direct: &Direct| {
        let world = &direct.world;
        let insert = |_| number(given::instrument(world).insert().to_string());
        let user = |person: Person| number(world.user_id(person).to_string());
        let unit = |code| (code, number(world.organization_id(code).to_string()));
        let token = |person: &Person| (person.login, direct.token(*person));
        let filling = Filling {
            backend,
            url: String::new(),
            instruments: (0..INSTRUMENTS).map(insert).collect(),
            organizations: [COMPANY, OTHER_COMPANY, OTHER_HOST].map(unit).into(),
            users: [ENGINEER, MANAGER]
                .map(|person| (person.login, user(person)))
                .into(),
            size,
            now: Utc::now().naive_utc().trunc_subsecs(0),
        };
        (filling, PEOPLE.iter().map(token).collect::<HashMap<_, _>>())
    })?;
    filling.url.clone_from(&fleet.url);
    lists_rows::write_samples(&filling, |person| fleet.client(0, &tokens[person.login]));
    // Nobody else writes while it is filled.
    fleet.nodes.clear();
    let names = fill(&filling);
    filling.execute("ANALYZE");
    fleet.nodes.push(Node::start(&fleet.url));
    Some((fleet, Filled { names, tokens }))
}

impl Filling {
    pub fn execute(&self, statement: &str) {
        let database: Database = self.url.parse().unwrap();
        let mut conn: Conn = database.connect().unwrap();
        let done = conn.batch_execute(statement);
        done.unwrap_or_else(|error| panic!("{error}: {statement}"));
    }

    /// The newest row of a table, as the service wrote it.
    pub fn sample(&self, table: &'static str, condition: &str) -> Sample {
        Sample::newest(self.backend, &self.url, table, condition)
    }

    /// `size` rows like the sample, numbered `i` from 0, but for these expressions.
    pub fn repeat(&self, sample: &Sample, changed: &[(&str, &str)]) {
        let table = sample.table;
        let (columns, expressions) = sample.columns_and_expressions(changed);
        let last = self.size - 1;
        let series = match self.backend {
            Backend::Sqlite => format!(
                "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT i FROM n)"
            ),
            Backend::Postgres => {
                format!("(SELECT i FROM generate_series(0::bigint, {last}) AS s(i))")
            }
        };
        let insert =
            format!("INSERT INTO {table} ({columns}) SELECT {expressions} FROM {series} AS n");
        match self.backend {
            Backend::Sqlite => self.execute_without_triggers(table, &insert),
            Backend::Postgres => self.execute(&insert),
        }
    }

    /// SQLite's guards of overlap look at all that an instrument has before, which a million rows would wait hours for.
    fn execute_without_triggers(&self, table: &str, statement: &str) {
        let conn = rusqlite::Connection::open(self.url.trim_start_matches("sqlite:")).unwrap();
        let of_table =
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?";
        let triggers: Vec<(String, String)> = conn
            .prepare(of_table)
            .unwrap()
            .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for (name, _) in &triggers {
            conn.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        self.execute(statement);
        for (_, definition) in &triggers {
            conn.execute_batch(definition).unwrap();
        }
    }

    /// So many units after a moment, in SQL.
    pub fn after(&self, moment: NaiveDateTime, amount: &str, unit: &str) -> String {
        match self.backend {
            Backend::Sqlite => format!("datetime('{moment}', ({amount}) || ' {unit}')"),
            Backend::Postgres => format!("timestamp '{moment}' + ({amount}) * interval '1 {unit}'"),
        }
    }

    /// Whether row `i` is the `of`th of its group: a hundred rows at every size.
    pub fn is_few(&self, of: usize) -> String {
        format!("i % {} = {of}", self.size / FEW)
    }

    /// When row `i` was changed: a second after the row before it, the last ten minutes ago.
    pub fn changed_at(&self) -> String {
        let first = self.now - TimeDelta::seconds(self.seconds() + 600);
        self.after(first, "i", "second")
    }

    fn seconds(&self) -> i64 {
        i64::try_from(self.size).unwrap()
    }

    /// Half hours that follow each other on every instrument, the last yesterday.
    pub fn slots(&self) -> NaiveDateTime {
        let turns = i64::try_from(self.size / INSTRUMENTS).unwrap();
        self.now - TimeDelta::minutes(turns * 30 + 24 * 60)
    }
}
