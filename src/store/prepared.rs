//! How a statement is prepared once for each connection. The connection of both databases builds the text of a query anew at
//! every use, to find out whether it knows it; on the database's own connection a query is known by its type.

/// Runs a query on the connection of the database itself; the query is compiled for both.
macro_rules! on_each {
    ($conn:expr, |$inner:ident| $run:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite($inner) => $run,
            $crate::store::Conn::Postgres($inner) => $run,
        }
    };
}
pub(in crate::store) use on_each;

/// A statement of fixed text with its parameters in their order, and the types of the columns it answers.
macro_rules! statement {
    (
        $(#[$meta:meta])*
        $name:ident { $($field:ident: $type:ty),* $(,)? } answers ($($answer:ty),* $(,)?);
        $($text:literal $(($used:ident: $sql:ty))?)+
    ) => {
        $(#[$meta])*
        #[derive(Debug, diesel::query_builder::QueryId)]
        struct $name {
            $($field: $type),*
        }

        impl diesel::query_builder::Query for $name {
            type SqlType = ($($answer,)*);
        }

        impl<C> diesel::RunQueryDsl<C> for $name {}

        $crate::store::prepared::statement!(@written $name diesel::sqlite::Sqlite; $($text $(($used: $sql))?)+);
        $crate::store::prepared::statement!(@written $name diesel::pg::Pg; $($text $(($used: $sql))?)+);
    };
    (@written $name:ident $database:ty; $($text:literal $(($used:ident: $sql:ty))?)+) => {
        impl diesel::query_builder::QueryFragment<$database> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, $database>,
            ) -> diesel::QueryResult<()> {
                $(
                    out.push_sql($text);
                    $(out.push_bind_param::<$sql, _>(&self.$used)?;)?
                )+
                Ok(())
            }
        }
    };
}
pub(in crate::store) use statement;
