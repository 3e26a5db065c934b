//! What is to be done, and every refusal.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Error, Expr, ExprLit, FnArg, Lit, LitStr, Pat, Path, Token, visit_mut};

use crate::args::{self, Argument, Value};
use crate::fallback::Function;
use crate::fields::{Field, fields};

/// All that the expansion needs to know beside the function itself.
pub(crate) struct Model {
    /// The path of `__private`.
    pub(crate) private: TokenStream,
    pub(crate) name: Name,
    /// The variant of `ObservationKind`.
    pub(crate) kind: Ident,
    pub(crate) provider: Option<Expr>,
    /// The model that is asked.
    pub(crate) llm: Option<Expr>,
    pub(crate) session: Option<Expr>,
    pub(crate) user: Option<Expr>,
    pub(crate) tags: Option<Expr>,
    pub(crate) input: Option<Expr>,
    pub(crate) output: Option<Output>,
    pub(crate) usage: Option<Expr>,
    pub(crate) fields: Vec<Field>,
    pub(crate) errors_by_debug: bool,
    pub(crate) level: Level,
    pub(crate) target: TokenStream,
    pub(crate) parent: Option<Expr>,
    pub(crate) follows_from: Option<Expr>,
    /// Arguments to capture.
    pub(crate) captured: Vec<Binding>,
}

/// The span's name.
pub(crate) enum Name {
    /// A literal: the name of the callsite.
    Fixed(LitStr),
    /// Known only when the function is called; the callsite has the function's name.
    Computed(LitStr, Expr),
}

/// What is recorded in place of the return value.
pub(crate) enum Output {
    /// A closure of the return value.
    By(Expr),
    /// An expression that is evaluated before the body.
    Early(Expr),
}

/// The level of the `tracing` span.
pub(crate) enum Level {
    /// `INFO` and so on.
    Named(Ident),
    Path(TokenStream),
}

/// A name that an argument's pattern binds.
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    /// The `#[cfg]`s of its argument.
    pub(crate) cfgs: Vec<Attribute>,
}

const NAMES: [&str; 19] = [
    "name",
    "kind",
    "provider",
    "model",
    "session",
    "user",
    "tags",
    "skip",
    "skip_all",
    "input",
    "output",
    "usage",
    "fields",
    "err",
    "level",
    "target",
    "parent",
    "follows_from",
    "crate",
];

const KINDS: [(&str, &str); 10] = [
    ("generation", "Generation"),
    ("embedding", "Embedding"),
    ("agent", "Agent"),
    ("tool", "Tool"),
    ("workflow", "Workflow"),
    ("retriever", "Retriever"),
    ("reranker", "Reranker"),
    ("evaluator", "Evaluator"),
    ("guardrail", "Guardrail"),
    ("span", "Span"),
];

const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

impl Model {
    /// Reads the arguments; all that is wrong comes back as one error.
    pub(crate) fn new(arguments: TokenStream, function: &Function) -> Result<Self, Error> {
        let mut errors = Vec::new();
        if let Some(constness) = &function.sig.constness {
            let message = "#[llm_trace] cannot go on a `const fn`: a span cannot be opened at compile time";
            errors.push(Error::new_spanned(constness, message));
        }
        let bindings = bindings(&function.sig.inputs);
        let mut reader = Reader::new(function, errors);
        for argument in args::parse(arguments, &mut reader.errors) {
            let result = reader.argument(argument, &bindings);
            reader.errors.extend(result.err());
        }
        let Reader { mut model, skipped, skips_all, errors, .. } = reader;
        if !skips_all && model.input.is_none() {
            model.captured = bindings;
            model.captured.retain(|binding| !skipped.contains(&binding.ident));
        }
        let combined = errors.into_iter().reduce(|mut all, error| {
            all.combine(error);
            all
        });
        combined.map_or(Ok(model), Err)
    }
}

/// Reads one argument after the other into a [`Model`].
struct Reader<'f> {
    function: &'f Function,
    model: Model,
    seen: HashSet<String>,
    skipped: HashSet<Ident>,
    skips_all: bool,
    errors: Vec<Error>,
}

impl<'f> Reader<'f> {
    fn new(function: &'f Function, errors: Vec<Error>) -> Self {
        let ident = &function.sig.ident;
        let private = quote!(::llmtrace::__private);
        let model = Model {
            name: Name::Fixed(text_of(ident)),
            kind: Ident::new("Generation", Span::mixed_site()),
            provider: None,
            llm: None,
            session: None,
            user: None,
            tags: None,
            input: None,
            output: None,
            usage: None,
            fields: Vec::new(),
            errors_by_debug: false,
            level: Level::Named(Ident::new("INFO", Span::mixed_site())),
            target: quote!(::core::module_path!()),
            parent: None,
            follows_from: None,
            captured: Vec::new(),
            private,
        };
        Self { function, model, seen: HashSet::new(), skipped: HashSet::new(), skips_all: false, errors }
    }

    fn argument(&mut self, argument: Argument, bindings: &[Binding]) -> Result<(), Error> {
        let Argument { name, value } = argument;
        let word = name.to_string();
        if !self.seen.insert(word.clone()) {
            return Err(Error::new_spanned(&name, format!("`{word}` is given twice")));
        }
        let ident = &self.function.sig.ident;
        let model = &mut self.model;
        match word.as_str() {
            "name" => model.name = span_name(ident, expr(&name, value)?)?,
            "kind" => model.kind = kind(&expr(&name, value)?)?,
            "provider" => model.provider = Some(expr(&name, value)?),
            "model" => model.llm = Some(expr(&name, value)?),
            "session" => model.session = Some(expr(&name, value)?),
            "user" => model.user = Some(expr(&name, value)?),
            "tags" => model.tags = Some(expr(&name, value)?),
            "input" => model.input = Some(expr(&name, value)?),
            "parent" => model.parent = Some(expr(&name, value)?),
            "follows_from" => model.follows_from = Some(expr(&name, value)?),
            "output" => {
                let output = expr(&name, value)?;
                model.output = Some(if matches!(output, Expr::Closure(_)) {
                    Output::By(output)
                } else {
                    Output::Early(output)
                });
            }
            "usage" => match expr(&name, value)? {
                usage @ (Expr::Closure(_) | Expr::Path(_)) => model.usage = Some(usage),
                other => {
                    return Err(Error::new_spanned(other, "`usage` takes a closure: `usage = |ret| ...`"));
                }
            },
            "level" => model.level = level(&expr(&name, value)?)?,
            "target" => model.target = target(&expr(&name, value)?)?,
            "crate" => {
                let path = krate(&expr(&name, value)?)?;
                model.private = quote!(#path::__private);
            }
            "skip" => self.skip(&name, value, bindings)?,
            "skip_all" => {
                self.skips_all = true;
                flag(&name, &value)?;
            }
            "fields" => model.fields = fields(&name, value)?,
            "err" => model.errors_by_debug = err(value)?,
            "ret" => {
                let message = "the return value is always recorded; `output = |ret| ...` says what of it";
                return Err(Error::new_spanned(name, message));
            }
            _ => return Err(unknown(&name, &word)),
        }
        Ok(())
    }

    fn skip(&mut self, name: &Ident, value: Value, bindings: &[Binding]) -> Result<(), Error> {
        let Value::List(list, _) = value else {
            return Err(Error::new_spanned(name, "`skip` takes names of arguments: `skip(a, b)`"));
        };
        let idents = Punctuated::<Ident, Token![,]>::parse_terminated_with;
        for ident in (|input: ParseStream<'_>| idents(input, Ident::parse_any)).parse2(list)? {
            let is_self = ident == "self" && self.function.sig.receiver().is_some();
            if !is_self && !bindings.iter().any(|binding| binding.ident == ident) {
                self.errors
                    .push(Error::new_spanned(&ident, format!("there is no argument `{ident}` to skip")));
            } else if !self.skipped.insert(ident.clone()) {
                self.errors.push(Error::new_spanned(&ident, format!("`{ident}` is skipped twice")));
            }
        }
        Ok(())
    }
}

fn text_of(ident: &Ident) -> LitStr {
    LitStr::new(&ident.unraw().to_string(), ident.span())
}

fn span_name(function: &Ident, name: Expr) -> Result<Name, Error> {
    match name {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(Name::Fixed(text)),
        Expr::Lit(other) => Err(Error::new_spanned(other, "a name is a text")),
        computed => Ok(Name::Computed(text_of(function), computed)),
    }
}

fn expr(name: &Ident, value: Value) -> Result<Expr, Error> {
    match value {
        Value::Expr(expr) => Ok(expr),
        Value::None => Err(Error::new_spanned(name, format!("`{name}` takes a value: `{name} = ...`"))),
        Value::List(_, span) => Err(Error::new(span, format!("`{name}` takes a value: `{name} = ...`"))),
    }
}

fn flag(name: &Ident, value: &Value) -> Result<(), Error> {
    let message = format!("`{name}` takes no value");
    match value {
        Value::None => Ok(()),
        Value::Expr(expr) => Err(Error::new_spanned(expr, message)),
        Value::List(_, span) => Err(Error::new(*span, message)),
    }
}

fn kind(value: &Expr) -> Result<Ident, Error> {
    let names = || KINDS.map(|(name, _)| name).join(", ");
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value else {
        return Err(Error::new_spanned(value, format!("a kind is written as a text, one of {}", names())));
    };
    let word = text.value();
    match KINDS.iter().find(|(name, _)| *name == word) {
        Some((_, variant)) => Ok(Ident::new(variant, Span::mixed_site())),
        None => Err(Error::new_spanned(text, format!("unknown kind {word:?}: expected one of {}", names()))),
    }
}

fn level(value: &Expr) -> Result<Level, Error> {
    let message =
        format!("expected a level: one of {}, a number from 1 to 5, or a `Level`", LEVELS.join(", "));
    let found = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let word = text.value().to_ascii_lowercase();
            LEVELS.iter().position(|level| *level == word)
        }
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => {
            int.base10_parse::<usize>().ok().and_then(|level| level.checked_sub(1))
        }
        Expr::Path(path) => return Ok(Level::Path(path.to_token_stream())),
        _ => None,
    };
    let name = found.and_then(|at| LEVELS.get(at)).ok_or_else(|| Error::new_spanned(value, message))?;
    Ok(Level::Named(Ident::new(&name.to_ascii_uppercase(), Span::mixed_site())))
}

fn target(value: &Expr) -> Result<TokenStream, Error> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) | Expr::Path(_) | Expr::Macro(_) => {
            Ok(value.to_token_stream())
        }
        _ => Err(Error::new_spanned(value, "a target is a text or a constant")),
    }
}

fn krate(value: &Expr) -> Result<Path, Error> {
    syn::parse2(value.to_token_stream())
        .map_err(|_| Error::new_spanned(value, "`crate` takes the path of llmtrace: `crate = my::llmtrace`"))
}

fn err(value: Value) -> Result<bool, Error> {
    let message = "`err` takes `Debug` or `Display`: `err(Debug)`";
    match value {
        Value::None => Ok(false),
        Value::Expr(expr) => Err(Error::new_spanned(expr, message)),
        Value::List(list, span) => match syn::parse2::<Ident>(list.clone()) {
            Ok(by) if by == "Debug" => Ok(true),
            Ok(by) if by == "Display" => Ok(false),
            _ if list.is_empty() => Err(Error::new(span, message)),
            _ => Err(Error::new_spanned(list, message)),
        },
    }
}

fn unknown(name: &Ident, word: &str) -> Error {
    let nearest = NAMES.iter().map(|known| (distance(word, known), known)).min();
    let hint = match nearest {
        Some((distance, known)) if distance <= 2.max(word.len() / 3) => format!(": did you mean `{known}`?"),
        _ => format!(": expected one of {}", NAMES.join(", ")),
    };
    Error::new_spanned(name, format!("unknown argument `{word}`{hint}"))
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let best = (corner + usize::from(x != y)).min(*cell + 1).min(left + 1);
            corner = *cell;
            *cell = best;
            left = best;
        }
        row[0] = i + 1;
    }
    row.last().copied().unwrap_or(0)
}

/// The names that the arguments bind, in order.
fn bindings(inputs: &Punctuated<FnArg, Token![,]>) -> Vec<Binding> {
    struct Names(Vec<Ident>);
    impl VisitMut for Names {
        fn visit_pat_mut(&mut self, pattern: &mut Pat) {
            if let Pat::Ident(binding) = pattern {
                self.0.push(binding.ident.clone());
            }
            visit_mut::visit_pat_mut(self, pattern);
        }
    }
    let mut bindings = Vec::new();
    for input in inputs {
        if let FnArg::Typed(argument) = input {
            let mut names = Names(Vec::new());
            names.visit_pat_mut(&mut argument.pat.as_ref().clone());
            let cfgs: Vec<Attribute> =
                argument.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
            bindings.extend(names.0.into_iter().map(|ident| Binding { ident, cfgs: cfgs.clone() }));
        }
    }
    bindings
}
