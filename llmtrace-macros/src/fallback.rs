//! Items that cannot be traced are handed back as they came.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Error, Item, Signature, TraitItem, Visibility};

/// A function with its body unread.
pub(crate) struct Function {
    /// Attributes, those at the beginning of the body included.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The body in its braces.
    pub(crate) body: TokenTree,
}

/// The function, or what to expand to instead: the item, with an error if it is certainly not a function.
pub(crate) fn function(item: &TokenStream) -> Result<Function, TokenStream> {
    if let Ok(function) = parse_function.parse2(item.clone()) {
        return Ok(function);
    }
    let what = "#[llm_trace] goes on functions and methods";
    if let Ok(TraitItem::Fn(function)) = syn::parse2::<TraitItem>(item.clone()) {
        let message = "#[llm_trace] needs a body: put it on the function of each impl";
        return Err(refuse(&Error::new_spanned(&function.sig, message), item));
    }
    match syn::parse2::<Item>(item.clone()) {
        // Half-typed code, or syntax from a later Rust: rustc says what is wrong.
        Err(_) | Ok(Item::Fn(_) | Item::Verbatim(_)) => Err(item.clone()),
        Ok(_) => {
            let first = item.clone().into_iter().find(|tree| matches!(tree, TokenTree::Ident(_)));
            Err(refuse(&Error::new_spanned(first, what), item))
        }
    }
}

/// The item as it came, and the errors.
pub(crate) fn refuse(error: &Error, item: &TokenStream) -> TokenStream {
    let error = error.to_compile_error();
    quote!(#item #error)
}

fn parse_function(input: ParseStream<'_>) -> syn::Result<Function> {
    let mut attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    let sig = input.parse()?;
    let body: TokenTree = input.parse()?;
    let TokenTree::Group(group) = &body else {
        return Err(Error::new_spanned(body, "expected a body"));
    };
    if !input.is_empty() || group.delimiter() != proc_macro2::Delimiter::Brace {
        return Err(input.error("expected a body"));
    }
    let split =
        |body: ParseStream<'_>| Ok((body.call(Attribute::parse_inner)?, body.parse::<TokenStream>()?));
    let (inner, rest) = split.parse2(group.stream())?;
    if inner.is_empty() {
        return Ok(Function { attrs, vis, sig, body });
    }
    attrs.extend(inner.into_iter().map(|attr| Attribute { style: syn::AttrStyle::Outer, ..attr }));
    let mut stripped = proc_macro2::Group::new(proc_macro2::Delimiter::Brace, rest.into_token_stream());
    stripped.set_span(group.span());
    Ok(Function { attrs, vis, sig, body: stripped.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_typed_code_comes_back_as_it_was() {
        let check = |code: &str| {
            let item: TokenStream = code.parse().unwrap();
            let instead = function(&item).err().expect(code);
            assert_eq!(instead.to_string(), item.to_string());
        };
        check("");
        check("async");
        check("pub fn");
        check("fn ask(question: ) -> u8 { 1 }");
        check("fn ask(question: &str) -> { 1 }");
        check("fn ask(question: &str) -> Result<u8, {}");
        check("fn ask(question: &str) 1");
    }

    #[test]
    fn a_body_that_does_not_parse_is_kept_for_rustc() {
        let function = function(&"fn ask() { #![allow(dead_code)] client. }".parse().unwrap()).ok().unwrap();
        assert_eq!(function.body.to_string(), "{ client . }");
        assert_eq!(function.attrs.len(), 1);
    }
}
