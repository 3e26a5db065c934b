//! Inputs of heads beside the first norm of the same block: every point is visited and kept, whichever others are named.

use candle_core::Tensor;
use llmtrace_lens::{Hooks, Model, Readout, Site, Slice};

use crate::support::{close, model};

const TEXT: [u32; 7] = [5, 60, 17, 99, 120, 33, 8];
const OTHER: [u32; 7] = [9, 80, 17, 44, 101, 7, 12];

/// Inputs of heads that models of every family have.
const INPUTS: [&str; 3] = ["blocks.*.hook_q_input", "blocks.*.hook_k_input", "blocks.*.hook_v_input"];

/// What comes of the first norm.
const NORM: [Site; 3] = [Site::Ln1Scale, Site::Ln1Normalized, Site::Ln1Out];

fn models() -> impl Iterator<Item = Model> {
    ["gpt2", "llama", "gemma2", "gpt_neox", "qwen2"].into_iter().map(model)
}

/// Logits with hooks, while an input of heads is looked at or none is.
fn logits(model: &Model, hooks: Hooks<'_>, input: Option<&str>) -> Tensor {
    let mut hooks = match input {
        Some(input) => hooks.read(input, |_, _| Ok(())),
        None => hooks,
    };
    model.run_with_hooks(&TEXT, &mut hooks).unwrap().0
}

#[test]
fn the_first_norm_is_kept_for_each_head_whose_input_is_looked_at() {
    for model in models() {
        let config = model.config();
        let all = config.heads + 2 * config.kv_heads;
        let (_, plain) = model.run_with_cache(&TEXT, "blocks.*.ln1.*").unwrap();
        for input in INPUTS {
            for filter in [
                format!("blocks.*.ln1.*, {input}"),
                format!("*, {input}"),
                format!(
                    "{input}, blocks.*.ln1.hook_scale, blocks.*.ln1.hook_normalized, blocks.*.ln1.hook_out"
                ),
            ] {
                let (_, cache) = model.run_with_cache(&TEXT, filter.as_str()).unwrap();
                for layer in 0..config.layers {
                    assert!(cache.get(&input.replace('*', &layer.to_string())).is_ok());
                    for site in NORM {
                        let name = format!("blocks.{layer}.{}", site.name());
                        let width = if site == Site::Ln1Scale { 1 } else { config.d_model };
                        let once = plain.get(&name).unwrap().unsqueeze(2).unwrap();
                        let expected = once.broadcast_as((1, TEXT.len(), all, width)).unwrap();
                        let what = format!("{} {filter}: {name}", model.name());
                        close(&what, cache.get(&name).unwrap(), &expected.contiguous().unwrap(), 1e-5);
                    }
                }
            }
        }
    }
}

#[test]
fn an_input_of_one_block_leaves_the_norms_of_the_others_as_they_are() {
    let model = model("gpt2");
    let (_, cache) = model.run_with_cache(&TEXT, "blocks.0.hook_q_input, blocks.*.ln1.hook_scale").unwrap();
    assert_eq!(cache.get("blocks.0.ln1.hook_scale").unwrap().dims(), [1, 7, 12, 1]);
    assert_eq!(cache.get("blocks.1.ln1.hook_scale").unwrap().dims(), [1, 7, 1]);
}

#[test]
fn interventions_on_the_first_norm_are_made_whether_inputs_are_looked_at_or_not() {
    type Case = fn(&'static str) -> Hooks<'static>;
    let cases: [Case; 4] = [
        |points| Hooks::new().zero(points, Slice::all()),
        |points| Hooks::new().scale(points, 0.5, Slice::positions_from(3)),
        |points| Hooks::new().scale(points, 3.0, Slice::neuron(0)),
        |points| Hooks::new().on(points, |_, value| Ok(Some((value + 1.0)?))),
    ];
    for model in models() {
        let plain = logits(&model, Hooks::new(), None);
        for points in ["blocks.1.ln1.hook_scale", "blocks.*.ln1.hook_normalized", "blocks.0.ln1.hook_out"] {
            for (at, case) in cases.iter().enumerate() {
                if at == 0 && points.ends_with("scale") {
                    continue;
                }
                let expected = logits(&model, case(points), None);
                let moved = (&expected - &plain).unwrap().abs().unwrap().max_all().unwrap();
                assert!(moved.to_scalar::<f32>().unwrap() > 1e-4, "case {at} at {points} moves nothing");
                for input in INPUTS {
                    let what = format!("{} case {at} at {points} beside {input}", model.name());
                    close(&what, &logits(&model, case(points), Some(input)), &expected, 1e-4);
                }
            }
        }
    }
}

#[test]
fn heads_of_the_first_norm_are_those_of_queries_then_of_keys_then_of_values() {
    // Of this model neither the norm nor the heads have a bias: what is scaled before is scaled after.
    let model = model("llama");
    let (heads, shared) = (model.config().heads, model.config().kv_heads);
    assert!(shared < heads);
    for (first, count, after) in [
        (0, heads, "blocks.1.attn.hook_q"),
        (heads, shared, "blocks.1.attn.hook_k"),
        (heads + shared, shared, "blocks.1.attn.hook_v"),
    ] {
        for head in 0..count {
            let expected = logits(&model, Hooks::new().scale(after, 4.0, Slice::head(head)), None);
            for (before, factor) in [("blocks.1.ln1.hook_scale", 0.25), ("blocks.1.ln1.hook_out", 4.0)] {
                let hooks = Hooks::new().scale(before, factor, Slice::head(first + head));
                let found = logits(&model, hooks, Some("blocks.1.hook_k_input"));
                close(&format!("head {} of {before}, {after}", first + head), &found, &expected, 1e-4);
            }
        }
    }
    let mut outside = Hooks::new()
        .keep("blocks.1.hook_v_input")
        .zero("blocks.1.ln1.hook_out", Slice::head(heads + 2 * shared));
    let error = model.run_with_hooks(&TEXT, &mut outside).unwrap_err();
    assert_eq!(error.to_string(), "at blocks.1.ln1.hook_out: there are 8 heads, and none is number 8");
}

#[test]
fn all_points_at_once_patched_with_their_own_values_change_nothing() {
    for model in models() {
        let costly = model.hook_points().filter(|point| point.site().is_costly());
        let costly: Vec<String> = costly.map(|point| point.to_string()).collect();
        let everything = format!("*, {}", costly.join(","));
        let keep = || Hooks::new().keep(everything.as_str());
        let (plain, cache) = model.run_batch_with_hooks(&[&TEXT, &OTHER], Readout::All, &mut keep()).unwrap();
        assert_eq!(cache.len(), model.hook_points().count(), "{}", model.name());
        let mut hooks = keep().patch(everything.as_str(), &cache, Slice::all());
        let (found, _) = model.run_batch_with_hooks(&[&TEXT, &OTHER], Readout::All, &mut hooks).unwrap();
        close(model.name(), &found, &plain, 2e-5);
    }
}

#[test]
fn a_value_kept_without_inputs_of_heads_is_refused_where_they_are_looked_at() {
    let model = model("gpt2");
    let (_, other) = model.run_with_cache(&OTHER, "blocks.0.ln1.hook_out").unwrap();
    let mut hooks =
        Hooks::new().keep("blocks.0.hook_q_input").patch("blocks.0.ln1.hook_out", &other, Slice::all());
    let error = model.run_with_hooks(&TEXT, &mut hooks).unwrap_err();
    assert_eq!(
        error.to_string(),
        "at blocks.0.ln1.hook_out: the other run's value has shape [1, 7, 32], \
         which does not fit this run's [1, 7, 12, 32]: look at inputs of heads (hook_q_input) in both runs or in neither"
    );
}

#[test]
fn a_value_by_position_is_not_taken_for_one_by_head() {
    let model = model("gpt2");
    let text: Vec<u32> = (1..=12).collect();
    let (_, other) = model.run_with_cache(&text, "blocks.0.ln1.hook_out").unwrap();
    let other = other.get("blocks.0.ln1.hook_out").unwrap();
    assert_eq!(other.dims(), [1, 12, 32]);
    let mut hooks =
        Hooks::new().keep("blocks.0.hook_q_input").replace("blocks.0.ln1.hook_out", other, Slice::all());
    let error = model.run_with_hooks(&text, &mut hooks).unwrap_err();
    assert_eq!(
        error.to_string(),
        "at blocks.0.ln1.hook_out: its value has shape [1, 12, 12, 32], which [1, 12, 32] cannot fill"
    );
}
