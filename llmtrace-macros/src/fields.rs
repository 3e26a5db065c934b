//! The fields that the user adds, in the syntax of `tracing::span!`.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, LitStr, Token};

use crate::args::Value;

/// A field that the user adds.
pub(crate) struct Field {
    pub(crate) name: TokenStream,
    /// `%` or `?`.
    pub(crate) sigil: Option<TokenStream>,
    /// Without a value, the field is declared and stays empty.
    pub(crate) value: Option<TokenStream>,
}

/// Fields in the syntax of `tracing::span!`; a name alone becomes an empty field, as in `tracing::instrument`.
pub(crate) fn fields(name: &Ident, value: Value) -> Result<Vec<Field>, Error> {
    let Value::List(list, _) = value else {
        return Err(Error::new_spanned(name, "`fields` takes a list: `fields(key = value, other = %value)`"));
    };
    let all = Punctuated::<Field, Token![,]>::parse_terminated_with;
    let fields = (|input: ParseStream<'_>| all(input, field)).parse2(list)?;
    Ok(fields.into_iter().collect())
}

fn field(input: ParseStream<'_>) -> syn::Result<Field> {
    let before = sigil(input)?;
    let name = if input.peek(syn::token::Brace) {
        input.parse::<syn::ExprBlock>()?.into_token_stream()
    } else if input.peek(LitStr) {
        input.parse::<LitStr>()?.into_token_stream()
    } else {
        Punctuated::<Ident, Token![.]>::parse_separated_nonempty_with(input, Ident::parse_any)?
            .into_token_stream()
    };
    if before.is_some() {
        return Ok(Field { value: Some(name.clone()), name, sigil: before });
    }
    if !input.peek(Token![=]) {
        return Ok(Field { name, sigil: None, value: None });
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Error::new_spanned(name, "this field needs a value"));
    }
    Ok(Field { name, sigil: sigil(input)?, value: Some(input.parse::<Expr>()?.into_token_stream()) })
}

fn sigil(input: ParseStream<'_>) -> syn::Result<Option<TokenStream>> {
    Ok(if input.peek(Token![%]) {
        Some(input.parse::<Token![%]>()?.into_token_stream())
    } else if input.peek(Token![?]) {
        Some(input.parse::<Token![?]>()?.into_token_stream())
    } else {
        None
    })
}
