//! What holds where config.json does not say, as transformers 5.23 has it in `configuration_*.py` of each model.

use std::path::Path;

use serde_json::{Value, json};

use super::find;
use crate::model::config::{Activation, Config, Positions, Residual};
use crate::model::fields::Fields;

/// The configuration of a model of this type, with the fewest fields that it can have, and these.
fn config(model_type: &str, fields: &Value) -> Config {
    let mut all = json!({
        "model_type": model_type, "hidden_size": 256, "intermediate_size": 96, "num_hidden_layers": 30,
        "num_attention_heads": 32, "vocab_size": 100, "max_position_embeddings": 50,
    });
    let values = all.as_object_mut().unwrap();
    values.extend(fields.as_object().unwrap().clone());
    let fields = Fields::new(Path::new("config.json"), values);
    (find(&fields).unwrap().config)(&fields).unwrap()
}

/// The frequencies of the first block and the last.
fn rotations(config: &Config) -> [&[f64]; 2] {
    let Positions::Rotary(blocks) = &config.positions else { panic!("{:?}", config.positions) };
    [&blocks[0].frequencies, &blocks[blocks.len() - 1].frequencies]
}

#[test]
fn heads_have_the_number_and_size_of_their_family() {
    let check = |model_type: &str, kv_heads: usize, head_dim: usize, scale: f64| {
        let config = config(model_type, &json!({}));
        assert_eq!((config.kv_heads, config.head_dim), (kv_heads, head_dim), "{model_type}");
        assert!((config.attention_scale - scale).abs() < 1e-12, "{model_type} {}", config.attention_scale);
    };
    let by_width = 8_f64.powf(-0.5);
    check("gpt2", 32, 8, by_width);
    check("gpt_neox", 32, 8, by_width);
    check("llama", 32, 8, by_width);
    check("mistral", 8, 8, by_width);
    check("qwen2", 32, 8, by_width);
    check("qwen3", 32, 128, 128_f64.powf(-0.5));
    check("gemma2", 4, 256, 256_f64.powf(-0.5));
    check("gemma3_text", 4, 256, 256_f64.powf(-0.5));
    // Gemma scales by query_pre_attn_scalar, whatever the size of its heads.
    assert!((config("gemma2", &json!({"head_dim": 16})).attention_scale - 1.0 / 16.0).abs() < 1e-12);
    let stated = config("gemma3_text", &json!({"query_pre_attn_scalar": 4}));
    assert!((stated.attention_scale - 0.5).abs() < 1e-12);
    let stated = config("llama", &json!({"query_pre_attn_scalar": 4}));
    assert!((stated.attention_scale - by_width).abs() < 1e-12);
}

#[test]
fn norms_and_neurons_are_those_of_their_family() {
    let check = |model_type: &str, epsilon: f64, activation: Activation, d_mlp: usize| {
        let config = config(model_type, &json!({}));
        assert_eq!((config.activation, config.d_mlp), (activation, d_mlp), "{model_type}");
        assert!((config.epsilon - epsilon).abs() < 1e-12, "{model_type} {}", config.epsilon);
    };
    // GPT-2 calls it n_inner.
    check("gpt2", 1e-5, Activation::GeluTanh, 1024);
    check("gpt_neox", 1e-5, Activation::Gelu, 96);
    for model_type in ["llama", "mistral", "qwen2", "qwen3"] {
        check(model_type, 1e-6, Activation::Silu, 96);
    }
    for model_type in ["gemma2", "gemma3_text"] {
        check(model_type, 1e-6, Activation::GeluTanh, 96);
        // Gemma 2 and 3 read hidden_activation alone: older files have another hidden_act beside it.
        let old = config(model_type, &json!({"hidden_act": "gelu"}));
        assert_eq!(old.activation, Activation::GeluTanh, "{model_type}");
    }
    assert_eq!(config("gpt_neox", &json!({})).residual, Residual::Parallel);
}

#[test]
fn windows_are_those_of_their_family() {
    let check = |model_type: &str, fields: Value, window: usize, slides: &dyn Fn(usize) -> bool| {
        let expected: Vec<Option<usize>> = (0..30).map(|layer| slides(layer).then_some(window)).collect();
        assert_eq!(config(model_type, &fields).windows, expected, "{model_type} {fields}");
    };
    let (all, none) = (&|_| true, &|_| false);
    for model_type in ["gpt2", "gpt_neox", "llama"] {
        check(model_type, json!({"sliding_window": 7}), 7, none);
    }
    check("mistral", json!({}), 4096, all);
    check("mistral", json!({"sliding_window": null}), 0, none);
    for model_type in ["qwen2", "qwen3"] {
        check(model_type, json!({"sliding_window": 7}), 7, none);
        check(model_type, json!({"use_sliding_window": true}), 4096, &|layer| layer >= 28);
        check(model_type, json!({"use_sliding_window": true, "max_window_layers": 0}), 4096, all);
        check(model_type, json!({"use_sliding_window": true, "sliding_window": null}), 0, none);
    }
    check("gemma2", json!({}), 4096, &|layer| layer % 2 == 0);
    check("gemma3_text", json!({"sliding_window": 7}), 7, &|layer| layer % 6 != 5);
    check("gemma3_text", json!({"sliding_window_pattern": 2}), 4096, &|layer| layer % 2 == 0);
}

#[test]
fn caps_hold_where_nothing_is_said_and_not_where_null_is() {
    let caps = |model_type: &str, fields: Value| {
        let config = config(model_type, &fields);
        (config.attention_softcap, config.logit_softcap)
    };
    assert_eq!(caps("gemma2", json!({})), (Some(50.0), Some(30.0)));
    let null = json!({"attn_logit_softcapping": null, "final_logit_softcapping": null});
    assert_eq!(caps("gemma2", null), (None, None));
    assert_eq!(caps("gemma3_text", json!({})), (None, None));
    // Llama has no such fields, and transformers does not look at them.
    assert_eq!(caps("llama", json!({"attn_logit_softcapping": 5})), (None, None));
}

#[test]
fn rotations_are_those_of_their_family() {
    let check = |model_type: &str, fields: Value, expected: [(f64, usize); 2]| {
        let mut fields = fields;
        fields["head_dim"] = json!(8);
        let config = config(model_type, &fields);
        for (found, (theta, rotated)) in rotations(&config).into_iter().zip(expected) {
            assert_eq!(2 * found.len(), rotated, "{model_type} {fields}");
            for (pair, frequency) in found.iter().enumerate() {
                let expected = theta.powf(-2.0 * pair as f64 / rotated as f64);
                assert!((frequency - expected).abs() < 1e-12, "{model_type} {fields} {frequency} {expected}");
            }
        }
    };
    for model_type in ["llama", "mistral", "qwen2", "qwen3", "gemma2"] {
        check(model_type, json!({}), [(1e4, 8); 2]);
        check(model_type, json!({"rope_theta": 5e5}), [(5e5, 8); 2]);
        check(model_type, json!({"rope_theta": 5e5, "rope_parameters": {"rope_theta": 1e6}}), [(1e6, 8); 2]);
        check(model_type, json!({"rope_parameters": {"rope_type": "default"}}), [(1e4, 8); 2]);
    }
    // The first block of Gemma 3 has a window; with 30 blocks the last has none.
    check("gemma3_text", json!({}), [(1e4, 8), (1e6, 8)]);
    check("gemma3_text", json!({"rope_theta": 5e5, "rope_local_base_freq": 3e3}), [(3e3, 8), (5e5, 8)]);
    check("gpt_neox", json!({}), [(1e4, 2); 2]);
    check("gpt_neox", json!({"rotary_emb_base": 5e5, "rotary_pct": 1.0}), [(5e5, 8); 2]);
}

#[test]
fn an_odd_share_of_a_head_is_rounded_up() {
    let neox = config("gpt_neox", &json!({"hidden_size": 640, "rotary_pct": 0.25}));
    // 5 of 20 dimensions: frequencies at 0, 2/5 and 4/5 (`torch.arange(0, dim, 2) / dim`).
    let expected = [1.0, 1e4_f64.powf(-0.4), 1e4_f64.powf(-0.8)];
    let found = rotations(&neox)[0];
    assert_eq!(found.len(), expected.len());
    assert!(
        found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12),
        "{found:?}"
    );
}

#[test]
fn llama3_scaling_falls_back_on_the_models_own_context() {
    let scaling = json!({"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4});
    let mut stated = scaling.clone();
    stated["original_max_position_embeddings"] = json!(50);
    let [left_out, stated] =
        [scaling, stated].map(|scaling| config("llama", &json!({"head_dim": 16, "rope_scaling": scaling})));
    assert_eq!(left_out.positions, stated.positions);
}

#[test]
fn gemma_3_with_images_says_of_its_language_model_what_is_unlike_the_default() {
    // As config.json of google/gemma-3-4b-it has it.
    let mut values = json!({
        "model_type": "gemma3",
        "text_config": {
            "hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text", "num_hidden_layers": 34,
            "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024,
        },
    });
    let fields = Fields::new(Path::new("config.json"), values.as_object_mut().unwrap());
    let config = (find(&fields).unwrap().config)(&fields).unwrap();
    assert_eq!((config.heads, config.kv_heads, config.head_dim), (8, 4, 256));
    assert_eq!((config.vocab, config.context, config.layers), (262_208, 131_072, 34));
    assert_eq!(config.windows[4..6], [Some(1024), None]);
    assert!((rotations(&config)[0][0] - 1.0).abs() < 1e-12);
    let Positions::Rotary(blocks) = &config.positions else { panic!("{:?}", config.positions) };
    assert!((blocks[5].frequencies[0] - 0.125).abs() < 1e-12);
}
