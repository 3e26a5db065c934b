//! Models of every family against what transformers and TransformerLens compute from the same files.

use std::collections::HashMap;
use std::path::Path;

use candle_core::Tensor;
use llmtrace_lens::{Filter, HookPoint, Model, Readout};

use crate::support::{golden_models, ids, tensors};

const TOLERANCE: f32 = 1e-4;

/// The folder with one of its config files under the name that is loaded.
fn with_config(folder: &Path, config: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in folder.read_dir().unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    std::fs::copy(folder.join(config), copy.path().join("config.json")).unwrap();
    copy
}

fn expected(folder: &Path, file: &str) -> HashMap<String, Tensor> {
    tensors(folder.join(file))
}

#[track_caller]
fn close(what: &str, found: &Tensor, expected: &Tensor) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let [found, expected]: [Vec<f32>; 2] =
        [found, expected].map(|tensor| tensor.flatten_all().unwrap().to_vec1().unwrap());
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let masked = *expected < -1e30 && *found < -1e30;
        assert!(
            masked || (found - expected).abs() <= TOLERANCE,
            "{what}[{at}] is {found}, expected {expected}"
        );
    }
}

#[test]
fn hidden_states_attention_and_logits_are_those_of_transformers_in_both_spellings_of_the_config() {
    for folder in golden_models() {
        let values = expected(&folder, "expected.safetensors");
        for config in ["config.json", "config.v4.json"] {
            let copy = with_config(&folder, config);
            let model = Model::load(copy.path()).unwrap();
            for input in ["prompt", "long"] {
                let what = |name: &str| format!("{} {config} {input}.{name}", folder.display());
                let tokens = ids(&values[&format!("{input}.input_ids")]);
                let (logits, cache) = model.run_with_cache(&tokens, Filter::all()).unwrap();
                close(&what("logits"), &logits, &values[&format!("{input}.logits")]);
                let layers = model.config().layers;
                for layer in 0..layers {
                    close(
                        &what("hidden"),
                        cache.get(&format!("resid_pre{layer}")).unwrap(),
                        &values[&format!("{input}.hidden_states.{layer}")],
                    );
                    let pattern = cache.get(&format!("blocks.{layer}.attn.hook_pattern")).unwrap();
                    close(&what("attention"), pattern, &values[&format!("{input}.attentions.{layer}")]);
                }
                close(
                    &what("final"),
                    cache.get("ln_final.hook_out").unwrap(),
                    &values[&format!("{input}.hidden_states.{layers}")],
                );
                close(&what("unseen"), &model.run(&tokens).unwrap(), &logits);
                let last = model.run_batch(&[&tokens], Readout::Last).unwrap();
                close(&what("last"), &last, &logits.narrow(1, tokens.len() - 1, 1).unwrap());
            }
        }
    }
}

#[test]
fn every_hook_point_has_the_value_that_transformer_lens_has_there() {
    for folder in golden_models().iter().filter(|folder| folder.join("tl_cache.safetensors").exists()) {
        let model = Model::load(folder).unwrap();
        let tokens = ids(&expected(folder, "expected.safetensors")["prompt.input_ids"]);
        let (_, cache) = model.run_with_cache(&tokens, Filter::all()).unwrap();
        let values = expected(folder, "tl_cache.safetensors");
        assert!(values.len() > 16 * model.config().layers, "{}", values.len());
        for (name, value) in &values {
            // TransformerLens has heads before positions there, and nowhere else.
            let by_head = name.ends_with("_normed");
            let value = if by_head { value.transpose(1, 2).unwrap() } else { value.clone() };
            close(&format!("{} {name}", folder.display()), cache.get(name).unwrap(), &value);
        }
    }
}

#[test]
fn cached_generation_is_that_of_transformers_and_equals_the_uncached_one() {
    for folder in golden_models() {
        let model = Model::load(&folder).unwrap();
        let values = expected(&folder, "expected.safetensors");
        let greedy = ids(&values["decode.greedy_ids"]);
        let prompt = ids(&values["prompt.input_ids"]);
        let mut session = model.session();
        let mut logits = session.read(&prompt).unwrap();
        for at in prompt.len()..greedy.len() {
            let best = logits.flatten_all().unwrap().argmax(0).unwrap().to_scalar::<u32>().unwrap();
            assert_eq!(best, greedy[at], "{} at {at}", folder.display());
            close("uncached", &logits, &model.run_batch(&[&greedy[..at]], Readout::Last).unwrap());
            logits = session.read(&[best]).unwrap();
        }
        assert_eq!(session.positions(), greedy.len());
    }
}

#[test]
fn each_point_replaced_by_its_own_value_changes_nothing() {
    for folder in golden_models() {
        let model = Model::load(&folder).unwrap();
        let tokens = ids(&expected(&folder, "expected.safetensors")["prompt.input_ids"]);
        let plain = model.run(&tokens).unwrap();
        let costly = "blocks.*.hook_q_input, blocks.*.hook_k_input, blocks.*.hook_v_input, blocks.*.attn.hook_result, blocks.*.hook_mlp_in";
        for points in [Filter::all(), Filter::new(costly)] {
            let mut seen: Vec<HookPoint> = Vec::new();
            let mut hooks = llmtrace_lens::Hooks::new().on(points, |moment, value| {
                seen.push(moment.point);
                Ok(Some(value.copy()?))
            });
            let (logits, _) = model.run_with_hooks(&tokens, &mut hooks).unwrap();
            drop(hooks);
            close("replaced", &logits, &plain);
            assert!(seen.len() >= 5 * model.config().layers, "{seen:?}");
        }
    }
}
