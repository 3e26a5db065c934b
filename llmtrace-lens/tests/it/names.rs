//! Names of TransformerLens 3 and 4 stand for what they stand for there, whatever parts a model has.

use candle_core::{D, Tensor};
use llmtrace_lens::Filter;

use crate::support::{close, folder, ids, model, tensors};

fn unknown(name: &str, closest: &str) -> String {
    format!("no hook point {name:?} in this model; did you mean {closest:?}?")
}

/// The point of each model that is kept under a name, or what is said where it has none.
fn check(name: &str, expected: &[(&str, &str)]) {
    for (family, expected) in expected {
        let model = model(family);
        let found = match model.run_with_cache(&[5, 60, 17], name) {
            Err(error) => error.to_string(),
            Ok((_, cache)) => {
                assert_eq!(cache.len(), 1, "{family} {name}");
                assert!(cache.get(name).is_ok(), "{family} {name}");
                cache.iter().next().unwrap().0.to_string()
            }
        };
        assert_eq!(&found, expected, "{name} of {family}");
    }
}

#[test]
fn what_attention_and_mlp_write_is_named_apart_from_what_they_add() {
    check(
        "blocks.1.attn.hook_out",
        &[
            ("gpt2", "blocks.1.hook_attn_out"),
            ("llama", "blocks.1.hook_attn_out"),
            ("gemma2", "blocks.1.attn.hook_out"),
            ("gemma3", "blocks.1.attn.hook_out"),
        ],
    );
    check(
        "blocks.1.attn.hook_hidden_states",
        &[("gpt2", "blocks.1.hook_attn_out"), ("gemma2", "blocks.1.attn.hook_out")],
    );
    check(
        "blocks.1.mlp.hook_out",
        &[
            ("gpt_neox", "blocks.1.hook_mlp_out"),
            ("qwen3", "blocks.1.hook_mlp_out"),
            ("gemma2", "blocks.1.mlp.hook_out"),
            ("gemma3", "blocks.1.mlp.hook_out"),
        ],
    );
    let attention = unknown("blocks.1.ln1_post.hook_out", "blocks.1.ln1.hook_out");
    check("blocks.1.ln1_post.hook_out", &[("gemma2", "blocks.1.ln1_post.hook_out"), ("gpt2", &attention)]);
    let mlp = unknown("blocks.1.ln2_post.hook_out", "blocks.1.ln2.hook_out");
    check("blocks.1.ln2_post.hook_out", &[("gemma3", "blocks.1.ln2_post.hook_out"), ("llama", &mlp)]);
    let short = unknown("out1", "hook_embed").split(';').next().unwrap().to_owned();
    check("out1", &[("gemma2", &short), ("gpt2", &short)]);
}

#[test]
fn what_is_written_becomes_what_is_added_through_the_norm_after_it() {
    for family in ["gemma2", "gemma3"] {
        let model = model(family);
        let golden = tensors(folder(family).join("tl_cache.safetensors"));
        let tokens = ids(&tensors(folder(family).join("expected.safetensors"))["prompt.input_ids"]);
        let filter = Filter::new("*.attn.hook_out, *.mlp.hook_out, *.hook_result");
        let (_, cache) = model.run_with_cache(&tokens, filter).unwrap();
        assert_eq!(cache.len(), 3 * model.config().layers);
        for layer in 0..model.config().layers {
            let kept = |name: &str| cache.get(&format!("blocks.{layer}.{name}")).unwrap();
            for (written, norm) in [("attn.hook_out", "ln1_post"), ("mlp.hook_out", "ln2_post")] {
                let golden = |what: &str| &golden[&format!("blocks.{layer}.{norm}.hook_{what}")];
                let quotient: Tensor = kept(written).broadcast_div(golden("scale")).unwrap();
                close(&format!("{family} {layer} {written}"), &quotient, golden("normalized"), 1e-4);
            }
            let heads = kept("attn.hook_result").sum(D::Minus2).unwrap();
            close(&format!("{family} {layer} heads"), &heads, kept("attn.hook_out"), 1e-5);
        }
    }
}

#[test]
fn branches_of_an_mlp_are_named_by_what_it_has() {
    check(
        "blocks.0.mlp.in.hook_out",
        &[
            ("gpt2", "blocks.0.mlp.hook_pre"),
            ("gpt_neox", "blocks.0.mlp.hook_pre"),
            ("llama", "blocks.0.mlp.hook_pre_linear"),
            ("gemma3", "blocks.0.mlp.hook_pre_linear"),
        ],
    );
    let gate = unknown("blocks.0.mlp.gate.hook_out", "blocks.0.mlp.in.hook_out");
    check(
        "blocks.0.mlp.gate.hook_out",
        &[("llama", "blocks.0.mlp.hook_pre"), ("gemma2", "blocks.0.mlp.hook_pre"), ("gpt2", &gate)],
    );
}

#[test]
fn a_pattern_chooses_points_that_cost_extra_work_by_any_of_their_own_names() {
    let model = model("llama");
    let chosen = |filter: &str| -> Vec<String> {
        let (_, cache) = model.run_with_cache(&[5, 60], filter).unwrap();
        cache.iter().map(|(point, _)| point.to_string()).collect()
    };
    for (pattern, expected) in [
        ("blocks.*.hook_q_input", "hook_q_input"),
        ("blocks.*.attn.q.hook_in", "hook_q_input"),
        ("*.attn.k.hook_in", "hook_k_input"),
        ("blocks.*.attn.v.hook_in", "hook_v_input"),
        ("*.hook_mlp_in", "hook_mlp_in"),
        ("*hook_result", "attn.hook_result"),
        ("*.attn.hook_in", "ln1.hook_out"),
    ] {
        let expected: Vec<String> =
            (0..model.config().layers).map(|layer| format!("blocks.{layer}.{expected}")).collect();
        assert_eq!(chosen(pattern), expected, "{pattern}");
    }
    let swept = chosen("*.hook_in");
    assert!(swept.contains(&"blocks.1.hook_resid_pre".to_owned()), "{swept:?}");
    assert!(!swept.iter().any(|point| point.ends_with("_input")), "{swept:?}");
}
