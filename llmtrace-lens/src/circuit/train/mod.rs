//! Training transcoders: sparse features that stand for the MLPs of a local model.
//!
//! Each layer's features learn to write what its MLP writes, from what the MLP reads, with few of them active at a time
//! (Dunefsky et al. 2024, "Transcoders Find Interpretable LLM Feature Circuits"). Gradients are in closed form and the
//! optimiser is Adam, on the CPU, so that a small model takes seconds a layer.
//!
//! ```
//! use llmtrace_lens::circuit::train::{Sparsity, Training};
//! use llmtrace_lens::circuit::{Tracer, Transcoders};
//! use llmtrace_lens::handmade::TwoStep;
//!
//! let model = TwoStep::model()?;
//! let texts = (1..=6).map(|city| vec![0, city, TwoStep::CAPITAL]).collect::<Vec<_>>();
//! let folder = std::env::temp_dir().join("two-step-transcoders");
//!
//! let training = Training::new(&model).features(16).sparsity(Sparsity::TopK(2)).steps(200);
//! let layers = training.run(&texts, &folder, |_| ())?;
//! assert_eq!(layers.len(), 2);
//!
//! let transcoders = Transcoders::load(&folder, &model)?;
//! let graph = Tracer::new(&model, &transcoders).trace(&texts[0])?;
//! println!("{:?}", graph.scores());
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adam;
mod coder;
mod feature;
mod learner;
mod outcome;
mod samples;
mod sparsity;
mod training;
mod whitening;
mod write;

pub use sparsity::Sparsity;
pub use training::{Progress, TrainedLayer, Training};
