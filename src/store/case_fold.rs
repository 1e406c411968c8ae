//! Texts compared without regard to upper and lower case: of ASCII letters alone, so that both databases find the same.

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

    /// A column, named with its table, in lower case. SQLite changes ASCII letters only; PostgreSQL does in the collation C.
    pub fn lower(self, column: &'static str) -> SqlLiteral<Text> {
        let collation = if self.is_postgres {
            " COLLATE \"C\""
        } else {
            ""
        };
        sql(&format!("lower({column}{collation})"))
    }
}
