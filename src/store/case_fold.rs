//! Texts compared without regard to upper and lower case: of ASCII letters alone, so that both databases find the same; and
//! the members of JSON texts, which each database reads by words of its own.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::Text;

use super::Conn;

/// How a database tells letters.
#[derive(Debug, Clone, Copy)]
pub(super) struct CaseFold {
    is_postgres: bool,
}

impl CaseFold {
    pub fn of(conn: &Conn) -> Self {
        Self {
            is_postgres: matches!(conn, Conn::Postgres(_)),
        }
    }

    /// The text of a member of a JSON column, named with its table.
    pub fn member(self, column: &str, name: &str) -> String {
        match self.is_postgres {
            true => format!("({column}::json ->> '{name}')"),
            false => format!("json_extract({column}, '$.{name}')"),
        }
    }

    /// What stands before and after a JSON list of numbers, so that a query selects them.
    pub fn numbers(self) -> (&'static str, &'static str) {
        match self.is_postgres {
            true => (
                "SELECT CAST(listed.value AS BIGINT) FROM json_array_elements_text(CAST(",
                " AS JSON)) AS listed(value)",
            ),
            false => ("SELECT value FROM json_each(", ")"),
        }
    }

    /// A column, named with its table, as a pattern in lower case is compared with it (LIKE): in lower case, by the collation
    /// C; on SQLite as it is, whose LIKE does not tell upper from lower case of ASCII letters.
    pub fn lower(self, column: &'static str) -> SqlLiteral<Text> {
        match self.is_postgres {
            true => sql(&format!("lower({column} COLLATE \"C\")")),
            false => sql(column),
        }
    }
}
