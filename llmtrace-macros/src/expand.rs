//! The code that a traced function becomes.
//!
//! The body is wrapped in one future or one closure and never changed, so that `?`, `return` and panics come
//! past the end of the span like everything else.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, ReturnType, Signature, Stmt, Type};

use crate::fallback::Function;
use crate::fields::Field;
use crate::model::{Level, Model, Name, Output};
use crate::returns::{Returns, future_output, nameable};

/// The traced function.
pub(crate) fn expand(model: &Model, function: &Function) -> TokenStream {
    let Function { attrs, vis, sig, body } = function;
    let returns = Returns::new(&sig.output);
    let code = if sig.asyncness.is_some() {
        let before = before(model, sig);
        let traced = traced(model, returns, &async_body(sig, body, returns));
        let after = if returns.is_never { quote!(match #traced.await {}) } else { quote!(#traced.await) };
        quote!(#before #after)
    } else if let Some((statements, boxing, block)) = boxed_async_body(sig, body) {
        let before = before(model, sig);
        let traced = traced(model, returns, &quote!(#block));
        quote!(#(#statements)* #boxing(async move { #before #traced.await }))
    } else {
        let before = before(model, sig);
        let call = called(model, returns, sig, body);
        quote!(#before #call)
    };
    quote! {
        #(#attrs)*
        #vis #sig {
            #code
        }
    }
}

/// A name that no user's name meets.
fn own(name: &str) -> Ident {
    Ident::new(&format!("__llmtrace_{name}"), Span::mixed_site())
}

/// Opens the span and records what is known before the body runs.
fn before(model: &Model, sig: &Signature) -> TokenStream {
    let private = &model.private;
    let (span, recorder, output) = (own("span"), own("recorder"), own("output"));
    let open = open(model, sig);
    let records = records(model, &recorder);
    let record = (!records.is_empty())
        .then(|| quote!(#private::record(&#span, |#recorder: &mut #private::Recorder<'_>| { #records });));
    let follow = model.follows_from.as_ref().map(|causes| {
        quote! {
            if !#span.is_disabled() {
                #private::follow!(&#span, #causes);
            }
        }
    });
    let early = match &model.output {
        Some(Output::Early(value)) => Some(quote!(let mut #output = #private::early(&#span, || #value);)),
        _ => None,
    };
    quote! {
        let #span = #open;
        #record
        #follow
        #early
    }
}

fn open(model: &Model, sig: &Signature) -> TokenStream {
    let private = &model.private;
    let Model { target, kind, .. } = model;
    let level = match &model.level {
        Level::Named(name) => quote!(#private::tracing::Level::#name),
        Level::Path(path) => path.clone(),
    };
    let parent = model.parent.as_ref().map(|parent| quote!(parent: #parent,));
    let (name, shown) = match &model.name {
        Name::Fixed(name) => (name, quote!(#name)),
        Name::Computed(name, computed) => (name, text(private, computed)),
    };
    let mut fields = Vec::new();
    let mut set = |key: &str, value: TokenStream| {
        let key = Ident::new(key, sig.ident.span());
        fields.push(quote!({ #private::semconv::#key } = #value));
    };
    set("KIND", quote!(#private::ObservationKind::#kind.as_str()));
    set("OPERATION_NAME", quote!(#private::ObservationKind::#kind.operation_name()));
    for (key, value) in [("PROVIDER_NAME", &model.provider), ("REQUEST_MODEL", &model.llm)] {
        if let Some(value) = value {
            set(key, field_text(private, value));
        }
    }
    let named = [("Tool", "TOOL_NAME"), ("Agent", "AGENT_NAME"), ("Workflow", "WORKFLOW_NAME")];
    if let Some((_, key)) = named.iter().find(|(named, _)| kind == named) {
        set(key, shown.clone());
    }
    if matches!(model.name, Name::Computed(..)) {
        set("OTEL_NAME", shown);
    }
    fields.extend(model.fields.iter().map(|field| user_field(private, field)));
    quote! {
        #private::open(|| #private::tracing::span!(target: #target, #parent #level, #name, #(#fields),*))
    }
}

fn field_text(private: &TokenStream, value: &Expr) -> TokenStream {
    match value {
        Expr::Lit(literal) if matches!(literal.lit, syn::Lit::Str(_)) => quote!(#value),
        _ => text(private, value),
    }
}

/// The value as an `Option<&str>`; where it cannot be one, the error is at the value.
fn text(private: &TokenStream, value: &Expr) -> TokenStream {
    let span = Span::call_site().located_at(value.span());
    quote_spanned!(span=> #private::text!(#value).as_deref())
}

fn user_field(private: &TokenStream, field: &Field) -> TokenStream {
    let Field { name, sigil, value } = field;
    let value = value.clone().unwrap_or_else(|| quote!(#private::tracing::field::Empty));
    quote!(#name = #sigil #value)
}

fn records(model: &Model, recorder: &Ident) -> TokenStream {
    let private = &model.private;
    let mut records = TokenStream::new();
    for binding in &model.captured {
        let (ident, cfgs) = (&binding.ident, &binding.cfgs);
        let name = syn::ext::IdentExt::unraw(ident).to_string();
        // A name that begins with `_` is captured all the same.
        let allow = name.starts_with('_').then(|| quote!(#[allow(clippy::used_underscore_binding)]));
        records.extend(quote! {
            #(#cfgs)*
            #allow
            { #private::argument!(#recorder, #name, #ident); }
        });
    }
    if let Some(input) = &model.input {
        records.extend(quote!(#private::input!(#recorder, #private::Place::Input, #input);));
    }
    for (function, value) in [("session", &model.session), ("user", &model.user)] {
        if let Some(value) = value {
            let function = Ident::new(function, Span::mixed_site());
            let text = text(private, value);
            records.extend(quote!(#private::#function(#recorder, #text);));
        }
    }
    if let Some(tags) = &model.tags {
        let span = Span::call_site().located_at(tags.span());
        records.extend(quote_spanned!(span=> #private::labels!(#recorder, #tags);));
    }
    records
}

/// The closure that reads what came out of the body.
fn finish(model: &Model, returns: Returns) -> TokenStream {
    let private = &model.private;
    let (span, returned) = (own("span"), own("returned"));
    let mode = Ident::new(if returns.is_opaque { "opaque" } else { "typed" }, Span::mixed_site());
    let errors = match (model.errors_by_debug, returns.is_opaque) {
        (true, _) => "debug",
        // The error's type may not be known yet where the probes run.
        (false, true) => "display",
        (false, false) => "causes",
    };
    let errors = Ident::new(errors, Span::mixed_site());
    let output = match &model.output {
        None => TokenStream::new(),
        Some(Output::By(closure)) => quote!(by #closure),
        Some(Output::Early(_)) => {
            let output = own("output");
            quote!(fixed #output)
        }
    };
    let usage = &model.usage;
    quote! {
        move |#span, #returned| #private::finish!(#mode #errors, #span, #returned, { #output }, { #usage })
    }
}

fn traced(model: &Model, returns: Returns, future: &TokenStream) -> TokenStream {
    let private = &model.private;
    let span = own("span");
    let finish = finish(model, returns);
    quote!(#private::traced(#span, #future, #finish))
}

/// The body of an `async fn` as one block. The statement before it is never run; it says the type.
fn async_body(sig: &Signature, body: &TokenTree, returns: Returns) -> TokenStream {
    let (returned, span) = match &sig.output {
        _ if returns.is_never => (quote!(::core::convert::Infallible), sig.output.span()),
        ReturnType::Type(_, returned) => {
            let nameable = nameable(returned);
            (quote!(#nameable), returned.span())
        }
        ReturnType::Default => (quote!(()), sig.ident.span()),
    };
    let typed = Ident::new("__llmtrace_typed", Span::mixed_site().located_at(span));
    let edge = quote_spanned! {span=>
        #[allow(
            unknown_lints,
            unreachable_code,
            clippy::diverging_sub_expression,
            clippy::empty_loop,
            clippy::let_unit_value,
            clippy::let_with_type_underscore,
            clippy::needless_return,
            clippy::unreachable
        )]
        if false {
            let #typed: #returned = loop {};
            return #typed;
        }
    };
    quote_spanned!(body.span()=> async move { #edge #body })
}

/// The body that `async_trait` writes: statements, and at the end `Box::pin(async move { .. })`.
fn boxed_async_body(sig: &Signature, body: &TokenTree) -> Option<(Vec<Stmt>, Expr, syn::ExprAsync)> {
    sig.generics.lifetimes().find(|lifetime| lifetime.lifetime.ident == "async_trait")?;
    let block: syn::Block = syn::parse2(TokenStream::from(body.clone())).ok()?;
    let mut statements = block.stmts;
    let Some(Stmt::Expr(Expr::Call(mut call), None)) = statements.pop() else {
        return None;
    };
    match call.args.pop() {
        Some(Expr::Async(block)) if call.args.is_empty() => Some((statements, *call.func, block)),
        _ => None,
    }
}

fn called(model: &Model, returns: Returns, sig: &Signature, body: &TokenTree) -> TokenStream {
    let private = &model.private;
    let (span, inner, returned) = (own("span"), own("inner_span"), own("future"));
    if returns.is_never {
        return quote!(#private::call_forever(#span, move || -> ::core::convert::Infallible #body));
    }
    let finish = finish(model, returns);
    let after = if returns.is_future {
        let known = future_output(&sig.output).map_or_else(|| syn::parse_quote!(_), nameable);
        quote! {
            move |#inner, #returned| {
                #private::traced(#inner, #private::typed_future::<#known, _>(#returned), #finish)
            }
        }
    } else {
        quote!(move |#inner, #returned| #private::route!(#inner, #returned, #finish))
    };
    let closure = match &sig.output {
        ReturnType::Type(_, returned) if !matches!(**returned, Type::ImplTrait(_)) => {
            let returned = nameable(returned);
            quote_spanned!(body.span()=> move || -> #returned #body)
        }
        ReturnType::Type(..) => quote_spanned!(body.span()=> move || #body),
        ReturnType::Default => quote_spanned!(body.span()=> move || -> () #body),
    };
    quote!(#private::call(#span, #closure, #after))
}
