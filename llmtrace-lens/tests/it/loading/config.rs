//! Fields of config.json that are absurd, contradict each other, or ask for what is not computed.

use serde_json::json;

use super::{build, check_config};

const FROM_1: &str = "expected a whole number from 1 to 2147483648";

#[test]
fn counts_that_no_model_has_are_errors_of_their_field() {
    for (model, width, heads, layers) in [
        ("gpt2", "n_embd", "n_head", "n_layer"),
        ("gpt_neox", "hidden_size", "num_attention_heads", "num_hidden_layers"),
        ("llama", "hidden_size", "num_attention_heads", "num_hidden_layers"),
        ("qwen3", "hidden_size", "num_attention_heads", "num_hidden_layers"),
        ("gemma2", "hidden_size", "num_attention_heads", "num_hidden_layers"),
    ] {
        for (value, shown) in [
            (json!(0), "0"),
            (json!(-3), "-3"),
            (json!(1e30), "1e+30"),
            (json!(4.5), "4.5"),
            (json!("12"), "\"12\""),
            (json!([1]), "[1]"),
            (json!(true), "true"),
            (json!("long ".repeat(100)), "\"long long long long long long long long long long long long..."),
        ] {
            for name in [width, heads, "vocab_size"] {
                check_config(model, &json!({name: value}), &format!("\"{name}\" is {shown}, {FROM_1}"));
            }
        }
        for count in [1_000_000_000, 4097] {
            let expected = format!("{layers:?} is {count}, expected a whole number from 1 to 4096");
            check_config(model, &json!({layers: count}), &expected);
        }
        check_config(
            model,
            &json!({format!("-{heads}"): 0}),
            &match model {
                "gpt2" => "\"n_head\" or \"num_attention_heads\" is missing".to_owned(),
                _ => format!("{heads:?} is missing"),
            },
        );
    }
    check_config("gpt2", &json!({"n_head": 5}), "\"n_embd\" is 32, expected a multiple of the 5 heads");
    check_config(
        "gpt_neox",
        &json!({"num_attention_heads": 5}),
        "\"hidden_size\" is 32, expected a multiple of the 5 heads",
    );
    let kv = "\"num_key_value_heads\" is 3, expected a divisor of the 4 heads";
    check_config("llama", &json!({"num_key_value_heads": 3}), kv);
    let divided = json!({"-head_dim": 0, "num_attention_heads": 5, "num_key_value_heads": 5});
    check_config("mistral", &divided, "\"hidden_size\" is 32, expected a multiple of the 5 heads");
    check_config(
        "llama",
        &json!({"head_dim": 2_000_000_000}),
        "\"head_dim\" is 2000000000, expected at most 4096",
    );
    let alone = json!({"-head_dim": 0, "hidden_size": 2_147_483_648_u32, "num_attention_heads": 1, "num_key_value_heads": 1});
    check_config("llama", &alone, "\"head_dim\" is 2147483648, expected at most 4096");
    check_config(
        "llama",
        &json!({"vocab_size": 2_147_483_648_u32}),
        "tensor \"model.embed_tokens.weight\" has shape [384, 32], expected [2147483648, 32]",
    );
}

#[test]
fn numbers_and_names_that_no_model_has_are_errors_of_their_field() {
    for (model, name) in
        [("gpt2", "layer_norm_epsilon"), ("gpt_neox", "layer_norm_eps"), ("llama", "rms_norm_eps")]
    {
        for (value, shown) in
            [(json!(-1e-5), "-0.00001"), (json!(1e300), "1e+300"), (json!("NaN"), "\"NaN\"")]
        {
            let shown = if shown == "-0.00001" { value.to_string() } else { shown.to_owned() };
            let expected = format!("{name:?} is {shown}, expected a number from 0 on, in the range of f32");
            check_config(model, &json!({name: value}), &expected);
        }
    }
    for (name, value) in
        [("query_pre_attn_scalar", 0), ("attn_logit_softcapping", -1), ("final_logit_softcapping", 0)]
    {
        let expected = format!("{name:?} is {value}, expected a number above 0");
        check_config("gemma2", &json!({name: value}), &expected);
    }
    check_config("llama", &json!({"hidden_act": 5}), "\"hidden_act\" is 5, expected a text");
    check_config(
        "llama",
        &json!({"hidden_act": "quick_gelu"}),
        "\"hidden_act\" is \"quick_gelu\", expected gelu_new, gelu_pytorch_tanh, gelu_python_tanh, gelu_fast, gelu_accurate, gelu, gelu_python, silu, swish or relu",
    );
    for (model, name) in [
        ("llama", "tie_word_embeddings"),
        ("llama", "attention_bias"),
        ("llama", "mlp_bias"),
        ("qwen2", "use_sliding_window"),
        ("gpt_neox", "use_parallel_residual"),
        ("gpt2", "scale_attn_weights"),
    ] {
        let expected = format!("{name:?} is \"yes\", expected true or false");
        check_config(model, &json!({name: "yes"}), &expected);
    }
}

#[test]
fn rotations_that_are_not_known_are_errors() {
    for kind in ["yarn", "dynamic", "longrope", "su", "mrope", "proportional"] {
        let expected = format!("is {kind:?}, expected default, linear or llama3");
        let new = json!({"rope_parameters": {"rope_type": kind, "factor": 2.0}});
        check_config("llama", &new, &format!("\"rope_type\" {expected}"));
        let old = json!({"-rope_parameters": 0, "rope_scaling": {"type": kind, "factor": 2.0}});
        check_config("qwen2", &old, &format!("\"type\" {expected}"));
        let nested = json!({"rope_parameters": {"full_attention": {"rope_type": kind}}});
        check_config("gemma3", &nested, &format!("\"rope_type\" {expected}"));
    }
    let llama = |parameters: serde_json::Value, expected: &str| {
        check_config("llama", &json!({"rope_parameters": parameters}), expected);
    };
    llama(json!(["linear"]), "\"rope_parameters\" is [\"linear\"], expected an object");
    llama(json!({"rope_type": 3}), "\"rope_type\" is 3, expected a text");
    llama(json!({"rope_type": "linear"}), "\"factor\" of the rotation is missing");
    llama(json!({"rope_type": "linear", "factor": -2}), "\"factor\" is -2, expected a number above 0");
    llama(
        json!({"rope_type": "linear", "factor": 1e-308}),
        "\"rope_theta\" and its scaling give a frequency that is no number",
    );
    llama(json!({"rope_theta": 0}), "\"rope_theta\" is 0, expected a number above 0");
    llama(
        json!({"partial_rotary_factor": 0.5}),
        "\"partial_rotary_factor\" is not 1: this family rotates whole heads",
    );
    let both = json!({"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4});
    llama(both, "\"high_freq_factor\" is 4, expected more than low_freq_factor, 4");
    let by_kind = json!({"full_attention": {"rope_theta": 1e4}});
    llama(by_kind, "\"full_attention\" is a rotation by kind of block, which this family has not");
    let flat = json!({"rope_parameters": {"rope_theta": 1e4}});
    check_config(
        "gemma3",
        &flat,
        "\"rope_parameters\" has neither \"full_attention\" nor \"sliding_attention\"",
    );
    let twice = json!({"rope_scaling": {"rope_type": "linear", "factor": 8}});
    check_config("gemma3", &twice, "\"rope_scaling\" is given beside \"rope_parameters\"");
    for (share, expected) in [
        (json!(2), "\"partial_rotary_factor\" is 2, expected a number from 0 to 1"),
        (json!(0), "\"partial_rotary_factor\" is 0: 0 of 8 dimensions of a head cannot be rotated in pairs"),
    ] {
        check_config("gpt_neox", &json!({"rope_parameters": {"partial_rotary_factor": share}}), expected);
    }
}

#[test]
fn windows_that_contradict_each_other_are_errors() {
    let kinds = |kinds: &[&str]| json!({"layer_types": kinds});
    let (full, sliding) = ("full_attention", "sliding_attention");
    let unused = "\"sliding_window\" is missing or not used, but blocks have a window";
    check_config("qwen2", &kinds(&[full, full, sliding]), unused);
    check_config("gemma2", &json!({"sliding_window": null}), unused);
    check_config("qwen2", &kinds(&[full]), "\"layer_types\" has 1 entries, expected 3");
    check_config(
        "qwen2",
        &json!({"layer_types": full}),
        "\"layer_types\" is \"full_attention\", expected a list",
    );
    check_config(
        "qwen2",
        &kinds(&[full, full, "linear_attention"]),
        "\"layer_types\" is \"linear_attention\", expected full_attention or sliding_attention",
    );
    let by_block = |model: &str| format!("\"layer_types\" differs by block, which {model} cannot");
    check_config("mistral", &kinds(&[full, sliding, full]), &by_block("mistral"));
    check_config("llama", &kinds(&[full, sliding, full]), &by_block("llama"));
    build("mistral", &kinds(&[sliding; 3]), |_| {}).unwrap();
    for window in [json!(0), json!(-1), json!("wide")] {
        let expected =
            format!("\"sliding_window\" is {window}, expected a whole number from 1 to 2147483648");
        check_config("mistral", &json!({"sliding_window": window}), &expected);
    }
}

#[test]
fn what_is_not_computed_is_refused_and_what_says_that_it_is_absent_is_not() {
    for (name, value, problem) in [
        ("quantization_config", json!({"bits": 4}), "quantized weights cannot be read"),
        ("add_cross_attention", json!(true), "attention to another model's text is not computed"),
        ("use_bidirectional_attention", json!(true), "attention to later positions is not computed"),
        ("use_bidirectional_attention", json!("all"), "attention to later positions is not computed"),
        ("attn_output_gate", json!(true), "gates of attention are not computed"),
        ("num_experts", json!(8), "mixtures of experts are not computed"),
        ("num_local_experts", json!(8), "mixtures of experts are not computed"),
    ] {
        for model in ["gpt2", "gpt_neox", "mistral", "gemma3"] {
            check_config(
                model,
                &json!({name: value}),
                &format!("{name:?} is {value}, expected none: {problem}"),
            );
        }
        build("gpt2", &json!({name: null}), |_| {}).unwrap();
        build("gpt2", &json!({name: false}), |_| {}).unwrap();
    }
    check_config(
        "gpt2",
        &json!({"scale_attn_by_inverse_layer_idx": true}),
        "\"scale_attn_by_inverse_layer_idx\" is true, expected false: scales by block are not computed",
    );
}

#[test]
fn a_run_that_memory_has_no_room_for_is_refused() {
    let model = build("llama", &json!({"max_position_embeddings": 1 << 20}), |_| {}).unwrap();
    let error = model.run(&vec![5; 40_000]).unwrap_err().to_string();
    assert!(error.contains("sequences of 40000 tokens after 0 have 6400000000 attention scores"), "{error}");
}
