//! `#[test]` with a time limit. Both test binaries import it by `#[macro_use(test)]`, so that it stands for the language's
//! own wherever `#[test]` is written, also where another macro writes it.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// `fn name() { … }` becomes a test that gives the same function to `crate::time_limit::run`.
#[proc_macro_attribute]
pub fn test(_: TokenStream, function: TokenStream) -> TokenStream {
    let name = name_of(function.clone());
    let marker = "#[::core::prelude::v1::test]";
    let call = format!("crate::time_limit::run(module_path!(), stringify!({name}), {name});");
    let mut tokens: Vec<TokenTree> = function.into_iter().collect();
    // The attributes, `fn name()` and its block; only the block is the inner function's as well.
    let Some(block) = tokens.pop() else {
        return TokenStream::new();
    };
    let mut body: TokenStream = parsed(&format!("fn {name}()"));
    body.extend([block]);
    body.extend(parsed(&call));
    let mut test = parsed(marker);
    test.extend(tokens);
    test.extend([TokenTree::Group(Group::new(Delimiter::Brace, body))]);
    test
}

/// The word after `fn`.
fn name_of(function: TokenStream) -> String {
    let mut words = function
        .into_iter()
        .skip_while(|token| token.to_string() != "fn");
    words.next();
    words
        .next()
        .map(|name| name.to_string())
        .unwrap_or_default()
}

fn parsed(text: &str) -> TokenStream {
    text.parse().unwrap_or_default()
}
