//! Files that are missing, odd or broken.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::check;
use crate::support::folder;

/// A safetensors file with this header and so many bytes after it.
fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn files_that_are_missing_or_odd_are_named() {
    let remove = |name: &'static str| move |folder: &Path| fs::remove_file(folder.join(name)).unwrap();
    let write = |name: &'static str, text: &'static str| {
        move |folder: &Path| fs::write(folder.join(name), text).unwrap()
    };
    check("gpt2", remove("config.json"), "cannot read config.json: No such file or directory (os error 2)");
    check(
        "gpt2",
        remove("model.safetensors"),
        "FOLDER: has neither model.safetensors nor model.safetensors.index.json; only safetensors files can be read",
    );
    check(
        "gpt2",
        |folder| {
            fs::remove_file(folder.join("model.safetensors")).unwrap();
            fs::create_dir(folder.join("model.safetensors")).unwrap();
        },
        "model.safetensors: is no file",
    );
    check(
        "gpt2",
        write("config.json", ""),
        "config.json: is no JSON: EOF while parsing a value at line 1 column 0",
    );
    check("gpt2", write("config.json", "[]"), "config.json: is no JSON object");
    check(
        "gpt2",
        write("config.json", "{\"layer_norm_epsilon\": NaN}"),
        "config.json: is no JSON: expected value at line 1 column 24",
    );
    check("gpt2", write("config.json", "{}"), "config.json: \"model_type\" is missing");
    check(
        "gpt2",
        write("config.json", "{\"model_type\": 5}"),
        "config.json: \"model_type\" is 5, expected a text",
    );
    check(
        "gpt2",
        write("config.json", "{\"model_type\": \"mamba\"}"),
        "config.json: model_type \"mamba\" is not known; known: gpt2, gpt_neox, llama, mistral, qwen2, qwen3, gemma2, gemma3_text, gemma3",
    );
    check(
        "gpt2",
        |folder| fs::File::create(folder.join("config.json")).unwrap().set_len(33 << 20).unwrap(),
        "config.json: is 34603008 bytes long, expected at most 33554432",
    );
    check(
        "gpt2",
        write("adapter_config.json", "{}"),
        "adapter_config.json: says that weights are added to the model's, which is not computed: merge them first",
    );
    check(
        "gpt2",
        write("tokenizer.json", "{}"),
        "tokenizer.json: is no tokenizer: Model missing. at line 1 column 2",
    );
    check(
        "gpt2",
        write("generation_config.json", "{\"eos_token_id\": \"end\"}"),
        "generation_config.json: \"eos_token_id\" is \"end\", expected a token id or a list of them",
    );
}

#[test]
fn tokenizers_that_the_library_gives_up_on_are_errors() {
    let change = |change: fn(&mut Value)| {
        move |folder: &Path| {
            let path = folder.join("tokenizer.json");
            let mut tokenizer: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            change(&mut tokenizer);
            fs::write(path, tokenizer.to_string()).unwrap();
        }
    };
    let expected = "tokenizer.json: is no tokenizer: the tokenizer library gives up on it";
    // A token that the template has and the vocabulary has not.
    let template = |tokenizer: &mut Value| {
        tokenizer["post_processor"] = json!({
            "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<none>", "type_id": 0}}],
            "pair": [], "special_tokens": {},
        });
    };
    check("llama", change(template), expected);
}

#[test]
fn broken_safetensors_files_are_named_with_what_is_broken() {
    let file = |bytes: Vec<u8>, expected: &str| {
        let write = |folder: &Path| fs::write(folder.join("model.safetensors"), &bytes).unwrap();
        check("gpt2", write, &format!("model.safetensors: {expected}"));
    };
    let whole = fs::read(folder("gpt2").join("model.safetensors")).unwrap();
    file(Vec::new(), "is 0 bytes long, too short for safetensors");
    file(
        u64::MAX.to_le_bytes().to_vec(),
        "is 8 bytes long, but its header claims 18446744073709551615: the file is cut off or no safetensors file",
    );
    file(
        whole[..100].to_vec(),
        "is 100 bytes long, but its header claims 3720: the file is cut off or no safetensors file",
    );
    file(
        whole[..whole.len() - 1].to_vec(),
        "tensor \"transformer.wte.weight\" ends at byte 213776, but the file has 213775: it is cut off",
    );
    file([whole.as_slice(), &[0]].concat(), "is 213777 bytes long, but its tensors end at byte 213776");
    file(
        safetensors("[]", 0),
        "is no safetensors file: invalid type: sequence, expected an object of tensors at line 1 column 0",
    );
    let tensor = |name: &str, dtype: &str, shape: &str, range: &str| {
        format!("{{\"{name}\": {{\"dtype\": \"{dtype}\", \"shape\": {shape}, \"data_offsets\": {range}}}}}")
    };
    file(
        safetensors(&tensor("a", "F99", "[1]", "[0, 4]"), 4),
        "is no safetensors file: tensor \"a\": unknown variant `F99`, expected one of `BOOL`, `F4`, `F6_E2M3`, `F6_E3M2`, `U8`, `I8`, `F8_E5M2`, `F8_E4M3`, `F8_E8M0`, `F8_E4M3FNUZ`, `F8_E5M2FNUZ`, `I16`, `U16`, `F16`, `BF16`, `I32`, `U32`, `F32`, `C64`, `F64`, `I64`, `U64` at line 1 column 21",
    );
    file(
        safetensors(&tensor("a", "F32", "[-1]", "[0, 4]"), 4),
        "is no safetensors file: tensor \"a\": invalid value: integer `-1`, expected usize at line 1 column 35",
    );
    file(
        safetensors(&tensor("a", "F32", "[2]", "[0, 4]"), 4),
        "tensor \"a\" of F32 [2] has 8 bytes, but lies from 0 to 4",
    );
    file(
        safetensors(&tensor("a", "F32", "[1]", "[4, 0]"), 4),
        "tensor \"a\" of F32 [1] has 4 bytes, but lies from 4 to 0",
    );
    file(
        safetensors(&tensor("a", "F32", "[1000000000000]", "[0, 4000000000000]"), 4),
        "tensor \"a\" ends at byte 4000000000093, but the file has 97: it is cut off",
    );
    file(
        safetensors(&tensor("a", "F32", "[4294967296, 4294967296]", "[0, 0]"), 0),
        "tensor \"a\" of F32 [4294967296, 4294967296] has no size in bytes",
    );
    file(safetensors(&tensor("a", "F32", "[1]", "[4, 8]"), 8), "bytes 69 to 73 belong to no tensor");
    let two = |first: &str, second: &str| {
        format!("{}, {}", first.trim_end_matches('}').to_owned() + "}", second.trim_start_matches('{'))
    };
    let a = tensor("a", "F32", "[1]", "[0, 4]");
    file(safetensors(&two(&a, &tensor("a", "F32", "[1]", "[4, 8]")), 8), "has two tensors \"a\"");
    file(
        safetensors(&two(&a, &tensor("b", "F32", "[1]", "[2, 6]")), 6),
        "tensors \"a\" and \"b\" lie on the same bytes",
    );
}

#[test]
fn shards_hold_what_their_index_says() {
    let index = |change: fn(&mut Map<String, Value>)| {
        move |folder: &Path| {
            let path = folder.join("model.safetensors.index.json");
            let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            change(index["weight_map"].as_object_mut().unwrap());
            fs::write(path, index.to_string()).unwrap();
        }
    };
    let sharded = |change: fn(&mut Map<String, Value>), expected: &str| {
        check("qwen2/sharded", index(change), &format!("model.safetensors.index.json: {expected}"));
    };
    sharded(
        |map| drop(map.insert("extra".to_owned(), json!("third.safetensors"))),
        "\"weight_map\" names \"third.safetensors\", which is not in the folder",
    );
    sharded(
        |map| drop(map.insert("extra".to_owned(), json!("model-00001-of-00002.safetensors"))),
        "\"weight_map\" has tensor \"extra\" in \"model-00001-of-00002.safetensors\", which has none",
    );
    sharded(
        |map| drop(map.insert("extra".to_owned(), json!("../model.safetensors"))),
        "\"weight_map\" gives no file name for \"extra\", but \"../model.safetensors\"",
    );
    sharded(
        |map| drop(map.insert("extra".to_owned(), json!(3))),
        "\"weight_map\" gives no file name for \"extra\", but 3",
    );
    let write = |text: &'static str| {
        move |folder: &Path| fs::write(folder.join("model.safetensors.index.json"), text).unwrap()
    };
    check("qwen2/sharded", write("{}"), "model.safetensors.index.json: has no object \"weight_map\"");
    check(
        "qwen2/sharded",
        write("{\"weight_map\": {}}"),
        "FOLDER: no tensor \"model.embed_tokens.weight\", expected one of shape [384, 32]",
    );
    let [first, second] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    check(
        "qwen2/sharded",
        |folder| assert!(fs::copy(folder.join(first), folder.join(second)).is_ok()),
        &format!("{second}: has a tensor \"model.embed_tokens.weight\", as {first} has"),
    );
}
