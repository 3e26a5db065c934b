//! Tensors that are missing, too many, or of another shape or type.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};

use super::{build, check, check_config, load, tensors_of};

const MODELS: [&str; 9] =
    ["gemma2", "gemma3", "gpt2", "gpt_neox", "llama", "llama3", "mistral", "qwen2", "qwen3"];

#[test]
fn every_tensor_of_every_family_is_named_where_it_is_missing_or_of_another_shape() {
    for model in MODELS {
        let mut names: Vec<String> = tensors_of(model).into_keys().collect();
        names.sort();
        for name in names {
            let without = build(model, &json!({}), |tensors| drop(tensors.remove(&name))).unwrap_err();
            let expected = format!("no tensor \"{name}\"");
            assert!(without.starts_with(&expected), "{model}: {without}, expected {expected}");
            let mut found = Vec::new();
            let wrong = build(model, &json!({}), |tensors| {
                let tensor = tensors.get_mut(&name).unwrap();
                *tensor = tensor.unsqueeze(0).unwrap();
                found = tensor.dims().to_vec();
            });
            let expected =
                format!("tensor {name:?} has shape {found:?}, expected {:?}", found.get(1..).unwrap());
            assert_eq!(wrong.err(), Some(expected), "{model}");
        }
        let one = Tensor::zeros(1, DType::F32, &Device::Cpu).unwrap();
        let more = build(model, &json!({}), |tensors| drop(tensors.insert("model.gate".to_owned(), one)));
        let expected =
            "tensor \"model.gate\" of shape [1] is not in the model that config.json describes".to_owned();
        assert_eq!(more.err(), Some(expected), "{model}");
    }
}

#[test]
fn tensors_that_config_json_rules_out_or_calls_for_are_errors() {
    let unknown = |name: &str, shape: &str| {
        format!("tensor {name:?} of shape {shape} is not in the model that config.json describes")
    };
    let missing = |name: &str, shape: &str| format!("no tensor {name:?}, expected one of shape {shape}");
    let head = "no tensor \"lm_head.weight\", expected one of shape [384, 32]: \"tie_word_embeddings\" is not true in config.json";
    check_config("llama3", &json!({"tie_word_embeddings": false}), head);
    check_config("llama3", &json!({"-tie_word_embeddings": 0}), head);
    check_config("gpt2", &json!({"tie_word_embeddings": false}), head);
    check_config("gemma2", &json!({"tie_word_embeddings": false}), head);
    for model in ["gpt2", "gemma2", "gemma3"] {
        build(model, &json!({"-tie_word_embeddings": 0}), |_| {}).unwrap();
    }
    let key = "model.layers.0.self_attn.q_proj.bias";
    check_config("llama", &json!({"attention_bias": true}), &missing(key, "[32]"));
    check_config("qwen3", &json!({"attention_bias": true}), &missing(key, "[64]"));
    check_config("llama", &json!({"mlp_bias": true}), &missing("model.layers.0.mlp.up_proj.bias", "[80]"));
    let neox = "gpt_neox.layers.0.attention.dense.bias";
    check_config("gpt_neox", &json!({"attention_bias": false}), &unknown(neox, "[32]"));
    let bias = |name: &str| {
        let name = name.to_owned();
        |tensors: &mut HashMap<String, Tensor>| {
            drop(tensors.insert(name, Tensor::zeros(32, DType::F32, &Device::Cpu).unwrap()));
        }
    };
    for model in ["llama", "mistral"] {
        assert_eq!(build(model, &json!({}), bias(key)).err(), Some(unknown(key, "[32]")));
    }
    // Layers that config.json does not count would be left out silently.
    let layer = "model.layers.2.input_layernorm.weight";
    check_config("llama", &json!({"num_hidden_layers": 2}), &unknown(layer, "[32]"));
    let wide = build("llama", &json!({}), |tensors| {
        let norm = tensors.get_mut("model.norm.weight").unwrap();
        *norm = norm.to_dtype(DType::F64).unwrap();
    });
    wide.unwrap();
    let f64s = |folder: &Path| {
        let mut tensors = tensors_of("llama");
        let norm = tensors.get_mut("model.norm.weight").unwrap();
        *norm = norm.to_dtype(DType::F64).unwrap();
        candle_core::safetensors::save(&tensors, folder.join("model.safetensors")).unwrap();
    };
    check(
        "llama",
        f64s,
        "model.safetensors: tensor \"model.norm.weight\" is F64; F32, F16 and BF16 can be read",
    );
}

#[test]
fn an_unembedding_that_is_there_is_read_even_where_the_config_ties_it() {
    let logits = |fields: Value| {
        let model = build("llama", &fields, |_| {}).unwrap();
        model.run(&[1, 5, 9]).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    assert_eq!(logits(json!({"tie_word_embeddings": true})), logits(json!({})));
}

#[test]
fn a_token_that_only_the_tokenizer_knows_is_an_error_when_it_is_used() {
    let model = load("llama", |folder| {
        let path = folder.join("tokenizer.json");
        let mut tokenizer: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let token = json!({"id": 384, "content": "<new>", "special": true, "normalized": false, "single_word": false, "lstrip": false, "rstrip": false});
        tokenizer["added_tokens"].as_array_mut().unwrap().push(token);
        fs::write(path, tokenizer.to_string()).unwrap();
    });
    let model = model.unwrap();
    let tokens = model.tokenize("a<new>").unwrap();
    assert!(tokens.contains(&384), "{tokens:?}");
    let error = model.run(&tokens).unwrap_err().to_string();
    assert_eq!(error, "token 384 is outside the vocabulary of 384 tokens");
}
