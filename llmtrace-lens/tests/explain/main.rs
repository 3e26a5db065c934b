//! Explanations of games whose values are known, and against what shap and lime computed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod axioms;
mod faithfulness;
mod games;
mod goldens;
mod running;
mod tracing;

use llmtrace_lens::explain::{Coalition, ExplainError, Game, Method, Parts};

/// A prompt of so many parts.
fn parts(count: usize) -> Parts {
    Parts::tokens((0..count).map(|part| format!(" p{part}")))
}

/// A game on so many parts whose score is a function of what is kept.
fn game<'a>(count: usize, value: impl Fn(&Coalition) -> f64 + Send + Sync + 'a) -> Game<'a> {
    Game::new(&parts(count), move |prompt| value(prompt.kept()))
}

fn values_of(game: &Game<'_>, method: &impl Method) -> Result<Vec<f64>, ExplainError> {
    game.explain(method).map(|attribution| attribution.values())
}

#[track_caller]
fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    let gaps = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
    let largest = gaps.fold(0.0, f64::max);
    assert_eq!(found.len(), expected.len());
    assert!(largest <= tolerance, "{found:?} is not {expected:?}: off by {largest:e}");
}
