//! The grammar of the arguments: `name`, `name = value`, `name(tokens)`, separated by commas.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Expr, LitStr, Token, parenthesized};

/// One argument as it is written.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// What follows an argument's name.
pub(crate) enum Value {
    None,
    Expr(Expr),
    List(TokenStream, Span),
}

/// Reads all arguments; what does not parse goes to `errors` and is stepped over.
pub(crate) fn parse(arguments: TokenStream, errors: &mut Vec<Error>) -> Vec<Argument> {
    let all = |input: ParseStream<'_>| {
        let mut found = Vec::new();
        while !input.is_empty() {
            match one(input) {
                Ok(argument) => found.push(argument),
                Err(error) => {
                    errors.push(error);
                    step_over(input);
                }
            }
            if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                errors.push(input.error("expected `,`"));
                step_over(input);
            }
        }
        Ok(found)
    };
    match all.parse2(arguments) {
        Ok(found) => found,
        Err(error) => {
            errors.push(error);
            Vec::new()
        }
    }
}

fn one(input: ParseStream<'_>) -> syn::Result<Argument> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        let name = Ident::new("name", text.span());
        return Ok(Argument { name, value: Value::Expr(syn::parse_quote!(#text)) });
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected an argument such as `model = \"gpt-4o-mini\"`"));
    }
    let name = input.call(Ident::parse_any)?;
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(Error::new_spanned(&name, format!("`{name} =` needs a value")));
        }
        Value::Expr(input.parse()?)
    } else if input.peek(syn::token::Paren) {
        let content;
        let paren = parenthesized!(content in input);
        Value::List(content.parse()?, paren.span.join())
    } else {
        Value::None
    };
    Ok(Argument { name, value })
}

/// Goes on to the next comma.
fn step_over(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _ = input.parse::<proc_macro2::TokenTree>();
    }
}
