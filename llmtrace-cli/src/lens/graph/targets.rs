//! What a graph is to explain, as a person writes it.

use llmtrace_lens::Model;
use llmtrace_lens::circuit::graph::Targets;

use crate::failure::Failure;
use crate::lens::input::token;

/// Reads `Austin,Houston`, `Austin-Sacramento` or `#17`; a token that has a `-` or a `,` in it is meant before the two beside it.
pub(super) fn read(model: &Model, text: &str) -> Result<Targets, Failure> {
    let only = match token(model, text) {
        Ok(id) => return Ok(Targets::Tokens(vec![id])),
        Err(error) => error,
    };
    let pair = text.match_indices('-').find_map(|(at, dash)| {
        let (one, other) = (text.get(..at)?, text.get(at + dash.len()..)?);
        Some((token(model, one.trim()).ok()?, token(model, other.trim()).ok()?))
    });
    if let Some((one, other)) = pair {
        if one == other {
            return Err(Failure::Wrong(format!("{text:?} is one token less itself: expected two tokens")));
        }
        return Ok(Targets::Difference(one, other));
    }
    if !text.contains(',') {
        return Err(only);
    }
    let tokens: Result<Vec<u32>, Failure> = text.split(',').map(|part| token(model, part.trim())).collect();
    Ok(Targets::Tokens(tokens?))
}
