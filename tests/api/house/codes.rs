//! Codes that the domain writes as words must stand in the table of errors, or clients would be told something else.

use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprLit, Lit};

use super::source::Source;

/// Complains about each `FieldFault::new(field, "code")` whose code has no status and no texts.
pub fn unknown(source: &Source) -> Vec<String> {
    let mut words = Words::default();
    words.visit_file(&source.syntax);
    words
        .0
        .into_iter()
        .filter(|(line, _)| !source.is_test_line(*line))
        .filter(|(_, word)| yiqi::error::Code::find(word).is_none())
        .map(|(line, word)| source.complaint(line, &format!("{word} is no code of error/code.rs")))
        .collect()
}

/// The codes with their lines.
#[derive(Default)]
struct Words(Vec<(usize, String)>);

impl<'ast> Visit<'ast> for Words {
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let (
            Expr::Path(called),
            Some(Expr::Lit(ExprLit {
                lit: Lit::Str(word),
                ..
            })),
        ) = (&*call.func, call.args.iter().nth(1))
        {
            let path: Vec<_> = called
                .path
                .segments
                .iter()
                .map(|part| part.ident.to_string())
                .collect();
            if path.ends_with(&["FieldFault".to_owned(), "new".to_owned()]) {
                self.0.push((word.span().start().line, word.value()));
            }
        }
        visit::visit_expr_call(self, call);
    }
}

#[test]
fn refuses_a_code_that_is_not_in_the_table() {
    for (text, complaints) in [
        ("fn f() { FieldFault::new(\"name\", \"required\"); }", 0),
        (
            "fn f() { FieldFault::new(\"name\", \"reqired\").limit(3); }",
            1,
        ),
        ("fn f() { Other::new(\"name\", \"reqired\"); }", 0),
    ] {
        let source = Source::parse("domain/a.rs", text);
        assert_eq!(unknown(&source).len(), complaints, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_spreadsheet_is_in_the_table() {
    for word in yiqi::exchange::sheet::FaultCode::ALL {
        assert!(yiqi::error::Code::find(word.as_str()).is_some(), "{word}");
    }
}
