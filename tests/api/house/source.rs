//! One file of `src` as the rules see it: its text, its syntax, its tokens in a row, and which lines are test code.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A token with its line. `::` and `->` are one token; delimiters are tokens of their own; literals have no text.
pub struct Token {
    pub text: String,
    pub line: usize,
    pub is_word: bool,
}

pub struct Source {
    /// Below `src`, with `/`: `http/booking.rs`.
    pub path: String,
    pub text: String,
    pub syntax: syn::File,
    pub tokens: Vec<Token>,
    test_lines: Vec<RangeInclusive<usize>>,
}

impl Source {
    pub fn parse(path: &str, text: &str) -> Source {
        let complain = |error| panic!("src/{path} does not parse: {error}");
        let syntax = syn::parse_file(text).unwrap_or_else(complain);
        let mut tokens = Vec::new();
        flatten(text.parse().expect("what parses has tokens"), &mut tokens);
        let mut tests = TestLines::default();
        tests.visit_file(&syntax);
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            syntax,
            tokens,
            test_lines: tests.0,
        }
    }

    /// The top folder or file: `http`, `main`.
    pub fn room(&self) -> &str {
        let top = self.path.split('/').next().unwrap_or_default();
        top.strip_suffix(".rs").unwrap_or(top)
    }

    /// The module path below the crate: `["http", "booking"]`; nothing for the crate's roots.
    pub fn module(&self) -> Vec<String> {
        let whole = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let path = whole.strip_suffix("/mod").unwrap_or(whole);
        match path {
            "lib" | "main" => Vec::new(),
            _ => path.split('/').map(str::to_owned).collect(),
        }
    }

    pub fn is_test_line(&self, line: usize) -> bool {
        self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    pub fn production_line_count(&self) -> usize {
        (1..=self.text.lines().count())
            .filter(|&line| !self.is_test_line(line))
            .count()
    }

    /// The tokens outside test code.
    pub fn production_tokens(&self) -> Vec<&Token> {
        let is_production = |token: &&Token| !self.is_test_line(token.line);
        self.tokens.iter().filter(is_production).collect()
    }

    pub fn complaint(&self, line: usize, what: &str) -> String {
        format!("src/{}:{line}: {what}", self.path)
    }
}

/// Every file of `src`, by path. A file declared as `#[cfg(test)] mod …;` is test code as a whole.
pub fn sources() -> Vec<Source> {
    let root = package_path("src");
    let mut paths = Vec::new();
    collect_rust_files(&root, &mut paths);
    paths.sort();
    assert!(!paths.is_empty(), "no source below {}", root.display());
    let mut all: Vec<Source> = paths
        .iter()
        .map(|path| {
            let below = path.strip_prefix(&root).expect("found below it");
            let text = fs::read_to_string(path).expect("a source file is text");
            Source::parse(&below.to_string_lossy().replace('\\', "/"), &text)
        })
        .collect();
    let test_modules: Vec<Vec<String>> = all.iter().flat_map(test_modules).collect();
    for source in &mut all {
        let module = source.module();
        if test_modules.iter().any(|test| module.starts_with(test)) {
            source.test_lines = vec![1..=usize::MAX];
        }
    }
    all
}

/// A file of the package as text.
pub fn package_file(name: &str) -> String {
    let path = package_path(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn package_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn collect_rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect_rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn test_modules(source: &Source) -> Vec<Vec<String>> {
    let declared = source.syntax.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() && is_test_only(&module.attrs) => {
            Some(module.ident.to_string())
        }
        _ => None,
    });
    declared
        .map(|name| [source.module(), vec![name]].concat())
        .collect()
}

/// `#[test]`, `#[cfg(test)]` or `#[cfg(all(test, …))]`.
fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string().replace(' ', "");
            condition == "test" || condition.starts_with("all(test,")
        }
        _ => false,
    })
}

#[derive(Default)]
struct TestLines(Vec<RangeInclusive<usize>>);

impl TestLines {
    fn note(&mut self, attributes: &[syn::Attribute], item: &impl Spanned) {
        if is_test_only(attributes) {
            let span = item.span();
            self.0.push(span.start().line..=span.end().line);
        }
    }
}

impl<'ast> Visit<'ast> for TestLines {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Mod(it) => self.note(&it.attrs, it),
            syn::Item::Fn(it) => self.note(&it.attrs, it),
            syn::Item::Impl(it) => self.note(&it.attrs, it),
            syn::Item::Use(it) => self.note(&it.attrs, it),
            syn::Item::Struct(it) => self.note(&it.attrs, it),
            syn::Item::Const(it) => self.note(&it.attrs, it),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.note(&function.attrs, function);
        visit::visit_impl_item_fn(self, function);
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let mut joins_previous = false;
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: String, line, is_word| {
            tokens.push(Token {
                text,
                line,
                is_word,
            })
        };
        let mut is_joint = false;
        match tree {
            TokenTree::Ident(word) => push(word.to_string(), line, true),
            TokenTree::Literal(_) => push(String::new(), line, false),
            TokenTree::Punct(punct) => {
                is_joint = punct.spacing() == Spacing::Joint;
                match (tokens.last_mut(), punct.as_char()) {
                    (Some(last), ':') if joins_previous && last.text == ":" => last.text.push(':'),
                    (Some(last), '>') if joins_previous && last.text == "-" => last.text.push('>'),
                    (_, sign) => tokens.push(Token {
                        text: sign.to_string(),
                        line,
                        is_word: false,
                    }),
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(open.to_owned(), line, false);
                flatten(group.stream(), tokens);
                tokens.push(Token {
                    text: close.to_owned(),
                    line: group.span_close().start().line,
                    is_word: false,
                });
            }
        }
        joins_previous = is_joint;
    }
}
