//! What is made of gradients, against Captum's, Nanda's and Abnar's figures recomputed with torch.

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::Tensor;
use llmtrace_lens::explain::TokenGame;
use llmtrace_lens::gradient::{Baseline, IntegratedGradients, Target};
use llmtrace_lens::handmade::{KnownNode, TwoStep};
use llmtrace_lens::{Model, Readout, RunError, Site};

use crate::support::{fixtures, folder, ids, tensors, values_f64};

const TOLERANCE: f64 = 1e-5;

fn gpt2() -> PathBuf {
    folder("gpt2")
}

fn goldens() -> HashMap<String, Tensor> {
    tensors(gpt2().join("analysis_more.safetensors"))
}

#[track_caller]
fn close(what: &str, found: &[f64], expected: &Tensor) {
    let expected = values_f64(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let scale = expected.abs().max(1.0);
        assert!(
            (found - expected).abs() <= TOLERANCE * scale,
            "{what}[{at}] is {found}, expected {expected}"
        );
    }
}

#[test]
fn saliency_is_that_of_torch() {
    let (model, goldens) = (Model::load(gpt2()).unwrap(), goldens());
    let tokens = ids(&goldens["ids"]);
    for (name, target) in [("logit", Target::logit(216)), ("log_prob", Target::log_probability(216))] {
        let gradient = model.gradient(&tokens, &target).unwrap();
        close(name, &values_f64(gradient.embeddings()), &goldens[&format!("gradient.{name}")]);
        let golden = &goldens[&format!("gradient_l2.{name}")];
        close(name, &gradient.norms().unwrap().concat(), golden);
        let golden = &goldens[&format!("gradient_x_input.{name}")];
        let embeddings = model.embeddings(&tokens).unwrap();
        close(name, &gradient.times(&embeddings).unwrap().concat(), golden);
    }
}

#[test]
fn integrated_gradients_are_those_of_captum() {
    let (model, goldens) = (Model::load(gpt2()).unwrap(), goldens());
    let tokens = ids(&goldens["ids"]);
    for (name, target) in [("logit", Target::logit(216)), ("log_prob", Target::log_probability(216))] {
        for (start, baseline) in [("token_0", Baseline::Token(0)), ("zero", Baseline::Zero)] {
            let found =
                model.integrated_gradients(&tokens, &target, &IntegratedGradients::new(baseline)).unwrap();
            let golden = |key: &str| &goldens[&format!("ig.{name}.{start}.{key}")];
            close("attributions", &values_f64(&found.attributions), golden("attributions"));
            close("by position", &found.by_position().unwrap(), golden("by_position"));
            close("value", &[found.value], golden("f_input"));
            close("baseline value", &[found.baseline_value], golden("f_baseline"));
            let delta = found.delta().unwrap();
            assert!(delta.abs() < 2e-5, "{name} {start}: {delta}");
        }
    }
    let captum = fixtures().join("explain/ig.safetensors");
    let captum = tensors(captum);
    for steps in [20, 50, 300] {
        let method = IntegratedGradients::new(Baseline::Token(0)).steps(steps);
        let found = model.integrated_gradients(&tokens, &Target::logit(216), &method).unwrap();
        close("captum", &values_f64(&found.attributions), &captum[&format!("lig_gausslegendre_{steps}")]);
    }
}

#[test]
fn integrated_gradients_sum_to_what_the_target_gained_in_every_family() {
    let folder = gpt2().parent().unwrap().to_owned();
    for entry in folder.read_dir().unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("expected.safetensors").exists() {
            continue;
        }
        let model = Model::load(&folder).unwrap();
        let values = tensors(folder.join("expected.safetensors"));
        let tokens = ids(&values["prompt.input_ids"]);
        let mut cases = vec![
            (Target::log_probability(9), Baseline::Token(3), 50),
            (Target::continuation(&[9, 4]), Baseline::Token(3), 50),
        ];
        if folder.ends_with("qwen2") || folder.ends_with("gemma2") {
            // Near the mean embedding, which is short, a norm turns fast: it takes more steps there.
            cases.push((Target::log_probability(9), Baseline::Mean, 250));
        }
        for (target, baseline, steps) in cases {
            let method = IntegratedGradients::new(baseline).steps(steps);
            let found = model.integrated_gradients(&tokens, &target, &method).unwrap();
            let (gained, delta) = (found.value - found.baseline_value, found.delta().unwrap());
            let what = format!("{} {target} {baseline}: {gained}, {delta}", folder.display());
            assert!(gained.abs() > 1e-3, "{what}");
            assert!(delta.abs() < 2e-3 * gained.abs().max(1.0), "{what}");
            assert_eq!(found.by_position().unwrap().len(), tokens.len());
        }
    }
}

#[test]
fn rollout_is_that_of_torch() {
    let (model, goldens) = (Model::load(gpt2()).unwrap(), goldens());
    let found = model.attention_rollout(&ids(&goldens["ids"])).unwrap();
    assert_eq!(found.dims(), goldens["rollout"].dims());
    close("rollout", &values_f64(&found), &goldens["rollout"]);
}

#[test]
fn attribution_patching_is_that_of_torch() {
    let (model, goldens) = (Model::load(gpt2()).unwrap(), goldens());
    let [clean, corrupt] = ["ids", "corrupt_ids"].map(|name| ids(&goldens[name]));
    let target = Target::logit_difference(216, 28);
    let found = model.attribution_patching(&corrupt, &clean, &target).unwrap();
    close("metric", &[found.source_value, found.value], &goldens["metric"]);
    for (name, site) in
        [("resid_pre", Site::ResidPre), ("attn_out", Site::AttnOut), ("mlp_out", Site::MlpOut)]
    {
        close(name, &values_f64(found.at(site).unwrap()), &goldens[&format!("attribution_patch.{name}")]);
    }
    let heads = found.at(Site::Z).unwrap();
    let by_position = heads.transpose(1, 2).unwrap();
    close("z by position", &values_f64(&by_position), &goldens["attribution_patch.z_by_pos"]);
    close("z", &values_f64(&heads.sum(1).unwrap()), &goldens["attribution_patch.z"]);
    assert!(found.at(Site::Pattern).is_none());
}

#[test]
fn gradients_through_a_circuit_built_by_hand_are_the_products_of_its_edges() {
    let model = TwoStep::model().unwrap();
    for city in 1..=6 {
        let tokens = [0, city, TwoStep::CAPITAL];
        let capital = TwoStep::capital(city).unwrap();
        let points = "blocks.*.mlp.hook_post, blocks.*.mlp.hook_pre, blocks.*.attn.hook_pattern";
        let found = model.gradient_at(&tokens, &Target::logit(capital), points).unwrap();
        let at = |name: &str, index: [usize; 2]| {
            let value = found.points().get(name).unwrap().squeeze(0).unwrap();
            f64::from(value.to_vec2::<f32>().unwrap()[index[0]][index[1]])
        };
        // From the last edge to the first: each neuron passes on what it is given times the weight before it.
        let mut expected = 1.0;
        for edge in TwoStep::edges(city).iter().rev() {
            let KnownNode::Neuron { layer, position, neuron } = edge.from else { continue };
            expected *= edge.weight;
            for site in ["hook_post", "hook_pre"] {
                let gradient = at(&format!("blocks.{layer}.mlp.{site}"), [position, neuron]);
                assert!((gradient - expected).abs() < 1e-3, "{city} {edge:?} {site}: {gradient}, {expected}");
            }
        }
        let gained = model.attribution_patching(&[0, 7, 7], &tokens, &Target::logit(capital)).unwrap();
        assert!(gained.source_value - gained.value > 11.0, "{gained:?}");
        let game = TokenGame::new(&model, &tokens, &Target::logit(capital), 0);
        let integrated = game.integrated_gradients(&IntegratedGradients::new(Baseline::Token(0))).unwrap();
        let strongest: Vec<usize> = integrated.top(2).iter().map(|part| part.part.ranges[0].start).collect();
        assert!(!strongest.contains(&0), "{integrated}");
    }
}

#[test]
fn a_continuation_has_the_sum_of_its_tokens_log_probabilities() {
    let model = Model::load(gpt2()).unwrap();
    let prompt = ids(&goldens()["ids"]);
    let continuation = [5, 99, 7];
    let mut whole = prompt.clone();
    let mut expected = 0.0;
    for token in continuation {
        let logits = values_f64(&model.run_batch(&[&whole], Readout::Last).unwrap());
        let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
        expected += logits[token as usize] - sum.ln();
        whole.push(token);
    }
    let found = model.log_probability(&prompt, &continuation).unwrap();
    assert!((found - expected).abs() < 1e-5, "{found}, {expected}");
    let gradient = model.gradient(&prompt, &Target::continuation(&continuation)).unwrap();
    assert!((gradient.values()[0] - expected).abs() < 1e-5);
    let scores = model.score(&[&prompt[..], &whole[..prompt.len()]][..], &Target::logit(5).at(2)).unwrap();
    assert!((scores[0] - scores[1]).abs() < 1e-12, "{scores:?}");
}

#[test]
fn prompts_that_do_not_fit_are_refused() {
    let model = Model::load(gpt2()).unwrap();
    let check = |found: Result<(), RunError>, expected: &str| {
        assert_eq!(found.unwrap_err().to_string(), expected);
    };
    let target = Target::logit(1);
    check(
        model.attribution_patching(&[1, 2], &[1], &target).map(drop),
        "sequences of 2 and 1 tokens cannot be run as one batch",
    );
    let two: [&[u32]; 2] = [&[1], &[2]];
    check(
        model.integrated_gradients(&two[..], &target, &IntegratedGradients::default()).map(drop),
        "integrated gradients take one prompt, not 2",
    );
    let outside = IntegratedGradients::new(Baseline::Token(70_000));
    check(
        model.integrated_gradients(&[1], &target, &outside).map(drop),
        &format!("token 70000 is outside the vocabulary of {} tokens", model.config().vocab),
    );
    for steps in [10_001, 1_000_000_000_000, usize::MAX] {
        let many = IntegratedGradients::default().steps(steps);
        let expected =
            format!("integrated gradients take at most 10000 steps, not {steps}: 50 to 300 are usual");
        check(model.integrated_gradients(&[1], &target, &many).map(drop), &expected);
        let game = TokenGame::new(&model, &[1], &target, 0);
        let error = game.integrated_gradients(&many).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("integrated_gradients of this prompt takes at most 10000 steps, not {steps}")
        );
    }
    check(model.attention_rollout(&[]).map(drop), "there is no token to run");
    check(model.log_probability(&[1], &[]).map(drop), "the continuation has no token");
}
