//! Models, hook points, methods and circuits, as a program that uses the crate sees them.
#![cfg(feature = "model")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod analysis;
mod analysis_attention;
mod analysis_handmade;
mod analysis_shown;
mod analysis_toy;
mod bias;
mod circuit_exact;
mod circuit_files;
mod circuit_goldens;
mod circuit_harmful;
mod circuit_interventions;
mod circuit_paths;
mod generation;
mod goldens;
mod gradient;
mod gradient_explain;
mod gradient_methods;
mod handmade;
mod inspect;
mod interventions;
mod interventions_everywhere;
mod loading;
mod origin;
mod patching;
mod patching_toy;
mod seeded;
mod support;
mod tokens;
mod trace;
