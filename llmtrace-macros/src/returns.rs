//! What a function returns, as far as it can be read off its signature.

use syn::visit_mut::VisitMut;
use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeImplTrait, TypeParamBound, visit_mut};

/// What the signature promises.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Returns {
    /// `impl Future`: it is wrapped, and what follows is said of its output.
    pub(crate) is_future: bool,
    /// `impl Stream`, or a `Result` or `Option` of one: its type may change.
    pub(crate) is_opaque: bool,
    /// `!`.
    pub(crate) is_never: bool,
}

impl Returns {
    pub(crate) fn new(output: &ReturnType) -> Self {
        let ReturnType::Type(_, returned) = output else {
            return Self { is_future: false, is_opaque: false, is_never: false };
        };
        let promised = trait_of(returned, &["Future"]);
        let out = promised.map_or(Some(&**returned), |last| output_of(&last.arguments));
        Self {
            is_future: promised.is_some(),
            is_opaque: out.is_some_and(is_stream),
            is_never: matches!(&**returned, Type::Never(_)),
        }
    }
}

/// The type with `_` for each `impl Trait`, which cannot be written inside a body.
pub(crate) fn nameable(returned: &Type) -> Type {
    struct Eraser;
    impl VisitMut for Eraser {
        fn visit_type_mut(&mut self, found: &mut Type) {
            if matches!(found, Type::ImplTrait(_)) {
                *found = syn::parse_quote!(_);
            } else {
                visit_mut::visit_type_mut(self, found);
            }
        }
    }
    let mut returned = returned.clone();
    Eraser.visit_type_mut(&mut returned);
    returned
}

/// The last segment of the one trait that an `impl Trait` promises beside auto traits and lifetimes.
fn trait_of<'a>(returned: &'a Type, names: &[&str]) -> Option<&'a syn::PathSegment> {
    let Type::ImplTrait(TypeImplTrait { bounds, .. }) = returned else {
        return None;
    };
    let mut found = None;
    for bound in bounds {
        if let TypeParamBound::Trait(bound) = bound {
            let last = bound.path.segments.last()?;
            let is_auto = ["Send", "Sync", "Unpin"].iter().any(|auto| last.ident == auto);
            if names.iter().any(|name| last.ident == name) && found.is_none() {
                found = Some(last);
            } else if !is_auto {
                return None;
            }
        }
    }
    found
}

/// What an `impl Future` promises to give.
pub(crate) fn future_output(output: &ReturnType) -> Option<&Type> {
    let ReturnType::Type(_, returned) = output else {
        return None;
    };
    output_of(&trait_of(returned, &["Future"])?.arguments)
}

fn output_of(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
        _ => None,
    })
}

fn is_stream(returned: &Type) -> bool {
    let streams = ["Stream", "TryStream"];
    if trait_of(returned, &streams).is_some() {
        return true;
    }
    let Type::Path(path) = returned else {
        return false;
    };
    let Some(last) = path.path.segments.last() else {
        return false;
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return false;
    };
    let is_carrier = last.ident == "Option" || last.ident.to_string().ends_with("Result");
    is_carrier
        && matches!(arguments.args.first(), Some(GenericArgument::Type(first)) if trait_of(first, &streams).is_some())
}
