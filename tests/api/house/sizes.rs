//! How long files and functions are, test code apart: the tail is refused, the middle reported beside its aim.

use std::io::Write;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::source::Source;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

pub fn complaints(source: &Source) -> Vec<String> {
    let lines = source.production_line_count();
    let long_file = (lines > FILE_LINES_MAX).then(|| {
        let what = format!("{lines} lines, at most {FILE_LINES_MAX}");
        source.complaint(1, &what)
    });
    let long_functions = functions(source)
        .into_iter()
        .filter(|function| function.lines > FUNCTION_LINES_MAX)
        .map(|function| {
            let Function { name, lines, line } = function;
            let what = format!("fn {name} has {lines} lines, at most {FUNCTION_LINES_MAX}");
            source.complaint(line, &what)
        });
    long_file.into_iter().chain(long_functions).collect()
}

/// One line past the capture of test output, so that every run shows where the house stands.
pub fn report(sources: &[Source]) {
    let files = sources.iter().map(Source::production_line_count).collect();
    let functions = sources
        .iter()
        .flat_map(functions)
        .map(|function| function.lines)
        .collect();
    let line = format!(
        "house: {}; {}",
        summary("lines per file", files, "110, 300, 500"),
        summary("per function", functions, "12, 35, 70"),
    );
    // A closed stderr is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn summary(what: &str, mut sizes: Vec<usize>, aim: &str) -> String {
    sizes.sort_unstable();
    let at = |percent: usize| {
        sizes
            .get((sizes.len() * percent / 100).min(sizes.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0)
    };
    format!(
        "{what} median {}, 90% {}, most {} (aim {aim})",
        at(50),
        at(90),
        at(100)
    )
}

struct Function {
    name: String,
    lines: usize,
    line: usize,
}

fn functions(source: &Source) -> Vec<Function> {
    let mut found = Functions(Vec::new());
    found.visit_file(&source.syntax);
    let mut functions = found.0;
    functions.retain(|function| !source.is_test_line(function.line));
    functions
}

struct Functions(Vec<Function>);

impl Functions {
    fn note(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let line = signature.span().start().line;
        self.0.push(Function {
            name: signature.ident.to_string(),
            lines: body.span().end().line - line + 1,
            line,
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.note(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.note(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.note(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[test]
fn refuses_long_files_and_functions_but_not_long_tests() {
    let body = "    go();\n".repeat(69);
    let function = |head: &str| Source::parse("a.rs", &format!("{head} {{\n{body}}}\n"));
    for head in ["fn f()", "impl S { fn f()", "trait T { fn f()"] {
        let close = "}".repeat(head.matches('{').count());
        let text = format!("{head} {{\n{body}}}\n{close}");
        assert_eq!(complaints(&Source::parse("a.rs", &text)).len(), 1, "{head}");
    }
    assert!(complaints(&function("#[test] fn f()")).is_empty());
    let shorter = body.replacen("    go();\n", "", 1);
    assert!(complaints(&Source::parse("a.rs", &format!("fn f() {{\n{shorter}}}"))).is_empty());

    let constants = |count| "const A: u8 = 1;\n".repeat(count);
    assert_eq!(complaints(&Source::parse("a.rs", &constants(501))).len(), 1);
    assert!(complaints(&Source::parse("a.rs", &constants(500))).is_empty());
    let tested = format!(
        "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
        constants(400),
        constants(400)
    );
    assert!(complaints(&Source::parse("a.rs", &tested)).is_empty());
}
