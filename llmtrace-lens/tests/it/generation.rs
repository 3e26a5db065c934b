//! Answers, step by step, against what transformers writes with the same models.
#![allow(clippy::cast_possible_truncation)]

use std::collections::HashMap;
use std::ops::ControlFlow;

use candle_core::Tensor;
use llmtrace_lens::generate::{FilterEffect, FinishReason, Generation, Prompt, Sampler, Sampling, Stop};
use llmtrace_lens::trace::{Artifacts, Detail};
use llmtrace_lens::{Hooks, Model, Readout};

use crate::support::{folder, ids, model, tensors, values};

/// One of each kind of position, norm and tokenizer.
const MODELS: [&str; 4] = ["gemma2", "gpt2", "gpt_neox", "llama"];
const PROMPT: &str = "the capital of the state containing Dallas is";

/// Every model with golden answers.
fn all_models() -> Vec<String> {
    let folders = folder("").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let golden = folders.filter(|folder| folder.join("step1.json").exists());
    let mut names: Vec<String> =
        golden.map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert!(names.len() >= 9, "{names:?}");
    names
}

fn expected(name: &str) -> HashMap<String, Tensor> {
    tensors(folder(name).join("expected.safetensors"))
}

#[test]
fn greedy_answers_are_those_of_transformers_at_any_detail() {
    for name in all_models() {
        let model = model(&name);
        let golden = ids(&expected(&name)["decode.greedy_ids"]);
        let prompt = ids(&expected(&name)["prompt.input_ids"]);
        let stop = Stop::after(golden.len() - prompt.len()).ignoring_end_tokens();
        let generator = model.generator().stop(stop);
        let check = |detail: Detail, prompt: Prompt<'_>| {
            let answer = generator.clone().detail(detail).run(prompt).unwrap();
            let read = answer.prompt.iter().map(|token| token.id).collect::<Vec<_>>();
            assert_eq!([read, answer.ids()].concat(), golden, "{name} {detail:?}");
            assert_eq!(answer.finish, FinishReason::MaxTokens);
        };
        check(Detail::Off, PROMPT.into());
        check(Detail::Summary, (&prompt).into());
        check(Detail::Layers, (&prompt).into());
        check(Detail::Full, PROMPT.into());
    }
}

/// Distribution, tokens removed by each filter and tokens left, of the first new token.
#[test]
fn distributions_and_what_each_filter_removed_are_those_of_transformers() {
    for name in all_models() {
        let model = model(&name);
        let text = std::fs::read_to_string(folder(&name).join("step1.json")).unwrap();
        let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
        let occurred: Vec<u32> = serde_json::from_value(golden["ids"].clone()).unwrap();
        let logits = values(&model.run_batch(&[&occurred], Readout::Last).unwrap());
        for case in golden["cases"].as_array().unwrap() {
            let what = format!("{name} {}", case["settings"]);
            let sampler = Sampler::new(sampling(&case["settings"])).unwrap();
            let choice = sampler.choose(0, &logits, &occurred).unwrap();
            let removed: serde_json::Map<String, serde_json::Value> = choice
                .filters
                .iter()
                .map(|report| match report.effect {
                    FilterEffect::Removed { tokens, .. } => {
                        (report.filter.as_str().to_owned(), tokens.into())
                    }
                    _ => (report.filter.as_str().to_owned(), 0.into()),
                })
                .collect();
            assert_eq!(serde_json::Value::from(removed), case["removed"], "{what}");
            let found = sampler.probabilities(&logits, &occurred).unwrap();
            let kept = found.iter().filter(|probability| **probability > 0.0).count();
            assert_eq!(kept as u64, case["kept"].as_u64().unwrap(), "{what}");
            assert!(choice.filters.last().is_none_or(|report| report.left == kept), "{what}");
            let probabilities: Vec<(usize, f64)> = serde_json::from_value(case["probs"].clone()).unwrap();
            assert_eq!(probabilities.len(), kept, "{what}");
            for (token, expected) in probabilities {
                assert!(
                    (found[token] - expected).abs() < 1e-5,
                    "{what} {token}: {} {expected}",
                    found[token]
                );
            }
        }
    }
}

fn sampling(settings: &serde_json::Value) -> Sampling {
    let mut sampling = Sampling::random(0);
    sampling.repetition_penalty = settings["repetition_penalty"].as_f64();
    sampling.temperature = settings["temperature"].as_f64();
    sampling.top_k = settings["top_k"].as_u64().map(|k| k as usize);
    sampling.top_p = settings["top_p"].as_f64();
    sampling.min_p = settings["min_p"].as_f64();
    sampling
}

/// What each step says of its token, against a pass over the whole text without a cache.
#[test]
fn every_step_says_what_an_uncached_pass_says() {
    for name in MODELS {
        let model = model(name);
        let sampling = Sampling::random(5).temperature(1.5);
        let answer = model
            .generator()
            .sampling(sampling)
            .stop(Stop::after(12).ignoring_end_tokens())
            .run(PROMPT)
            .unwrap();
        let mut text: Vec<u32> = answer.prompt.iter().map(|token| token.id).collect();
        for token in &answer.tokens {
            let logits = values(&model.run_batch(&[&text], Readout::Last).unwrap());
            let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = logits.iter().map(|logit| f64::from(logit - greatest).exp()).sum();
            let own = logits[token.token.id as usize];
            let log_probability = f64::from(own - greatest) - sum.ln();
            let found = &token.choice;
            assert!((found.model.log_probability - log_probability).abs() < 1e-4, "{name}: {found:?}");
            assert_eq!(found.model.rank, 1 + logits.iter().filter(|logit| **logit > own).count(), "{name}");
            assert_eq!(found.alternatives.len(), 10);
            assert!(found.alternatives.windows(2).all(|pair| pair[0].logit >= pair[1].logit));
            text.push(token.token.id);
        }
        assert!(answer.tokens.iter().any(|token| token.choice.model.rank > 1), "{name}: nothing was drawn");
    }
}

/// Tokens have their places in the text, the pieces of a stream make the text, and both are what the tokenizer says.
#[test]
fn the_text_is_whole_and_every_token_has_its_place() {
    for name in ["gpt2", "llama"] {
        let model = model(name);
        // A hot draw from a byte-level vocabulary: bytes that are no text, special tokens, characters in parts.
        for seed in 0..3 {
            let generator = model
                .generator()
                .sampling(Sampling::random(seed).temperature(3.0))
                .stop(Stop::after(40).ignoring_end_tokens());
            let mut streamed = String::new();
            let answer = generator
                .stream(PROMPT, |step| {
                    streamed.push_str(step.text);
                    ControlFlow::Continue(())
                })
                .unwrap();
            assert_eq!(streamed, answer.text, "{name} {seed}");
            let tokenizer = model.tokenizer().unwrap();
            let prompt: Vec<u32> = answer.prompt.iter().map(|token| token.id).collect();
            let whole = tokenizer.decode(&[prompt.clone(), answer.ids()].concat(), true).unwrap();
            assert_eq!(tokenizer.decode(&prompt, true).unwrap() + &answer.text, whole, "{name} {seed}");
            let mut end = 0;
            for token in answer.tokens.iter().map(|token| &token.token) {
                assert!(
                    token.bytes.start == end || token.bytes.start < token.bytes.end,
                    "{name} {seed} {token:?}"
                );
                assert!(answer.text.get(token.bytes.clone()).is_some(), "{name} {seed} {token:?}");
                end = end.max(token.bytes.end);
            }
            assert_eq!(end, answer.text.len(), "{name} {seed}");
        }
    }
}

#[test]
fn places_of_the_prompt_are_those_of_its_words() {
    let answer = model("llama").generator().stop(Stop::after(1)).run(PROMPT).unwrap();
    let words: Vec<&str> =
        answer.prompt.iter().map(|token| &answer.prompt_text[token.bytes.clone()]).collect();
    assert_eq!(words[..4], ["", "the", " capital", " of"]);
    let ids: Vec<u32> = answer.prompt.iter().map(|token| token.id).collect();
    let as_tokens = model("llama").generator().stop(Stop::after(1)).run(&ids).unwrap();
    assert_eq!((as_tokens.prompt_text, as_tokens.prompt), (answer.prompt_text, answer.prompt));
}

#[test]
fn answers_end_where_they_are_told_to() {
    let model = model("gpt2");
    let run = |stop: Stop| model.generator().stop(stop).run(PROMPT).unwrap();
    let whole = run(Stop::after(10));
    let check = |stop: Stop, finish: FinishReason, tokens: usize, text: &str| {
        let answer = run(stop.clone());
        assert_eq!(
            (&answer.finish, answer.tokens.len(), answer.text.as_str()),
            (&finish, tokens, text),
            "{stop:?}"
        );
        assert!(answer.tokens.iter().all(|token| token.token.bytes.end <= answer.text.len()));
    };
    check(Stop::after(3), FinishReason::MaxTokens, 3, &whole.text[..whole.tokens[2].token.bytes.end]);
    let third = whole.tokens[3].token.id;
    let at = whole.ids().iter().position(|id| *id == third).unwrap();
    let end = whole.tokens[at].token.bytes.end;
    check(Stop::after(10).at_token(third), FinishReason::Token { token: third }, at + 1, &whole.text[..end]);
    // A text that lies across two tokens at least.
    let text = &whole.text[1..5];
    assert!(whole.tokens.iter().all(|token| !(token.token.bytes.start <= 1 && token.token.bytes.end >= 5)));
    let found = whole.text.find(text).unwrap();
    let last = whole.tokens.iter().position(|token| token.token.bytes.end >= found + text.len()).unwrap();
    check(
        Stop::after(10).at_text(text),
        FinishReason::Text { text: text.to_owned() },
        last + 1,
        &whole.text[..found],
    );
    let mut steps = 0;
    let answer = model.generator().stream(PROMPT, |_| {
        steps += 1;
        if steps == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let answer = answer.unwrap();
    assert_eq!((answer.finish, answer.tokens.len(), steps), (FinishReason::Caller, 2, 2));
    // The model has 64 positions, which the last token need not fit into.
    let full = run(Stop::after(1_000).ignoring_end_tokens());
    assert_eq!((full.finish, full.prompt.len() + full.tokens.len()), (FinishReason::Context, 65));
}

#[test]
fn a_model_reads_and_writes_no_more_than_its_context() {
    for name in ["gpt2", "llama", "gemma2", "gpt_neox"] {
        let model = model(name);
        let context = model.config().context;
        let tokens = vec![5; context];
        let error = model.run(&vec![5; context + 1]).unwrap_err().to_string();
        let expected = format!("{} positions are more than the {context} that the model has", context + 1);
        assert!(error.contains(&expected), "{name}: {error}");
        let full = model.generator().stop(Stop::after(9).ignoring_end_tokens()).run(&tokens[2..]).unwrap();
        assert_eq!((full.finish, full.tokens.len()), (FinishReason::Context, 3), "{name}");
    }
}

#[test]
fn the_models_own_end_token_ends_an_answer_unless_it_is_ignored() {
    let model = model("gpt2");
    assert_eq!(model.end_tokens(), [0]);
    let to_the_end = |stop: Stop| {
        let mut hooks = Hooks::new().on("hook_unembed", |_, value: &Tensor| {
            let mut bias = vec![0f32; value.elem_count()];
            bias[0] = 1e3;
            Ok(Some((value + Tensor::from_vec(bias, value.dims(), value.device())?)?))
        });
        model.generator().stop(stop).run_with(PROMPT, &mut hooks, |_| ControlFlow::Continue(())).unwrap()
    };
    let answer = to_the_end(Stop::after(4));
    assert_eq!(
        (answer.finish.clone(), answer.ids(), answer.text.as_str()),
        (FinishReason::Token { token: 0 }, vec![0], "")
    );
    let answer = to_the_end(Stop::after(4).ignoring_end_tokens());
    assert_eq!((answer.finish.clone(), answer.ids()), (FinishReason::MaxTokens, vec![0; 4]));
}

#[test]
fn hooks_are_live_in_every_step() {
    for name in MODELS {
        let model = model(name);
        let ablate = || Hooks::new().on("blocks.1.attn.hook_z", |_, value| Ok(Some(value.zeros_like()?)));
        let answer = model
            .generator()
            .stop(Stop::after(6))
            .run_with(PROMPT, &mut ablate(), |_| ControlFlow::Continue(()))
            .unwrap();
        let mut text: Vec<u32> = answer.prompt.iter().map(|token| token.id).collect();
        for token in &answer.tokens {
            let (logits, _) = model.run_batch_with_hooks(&[&text], Readout::Last, &mut ablate()).unwrap();
            let best = logits.flatten_all().unwrap().argmax(0).unwrap().to_scalar::<u32>().unwrap();
            assert_eq!(best, token.token.id, "{name}");
            text.push(best);
        }
        let plain = model.generator().stop(Stop::after(6)).run(PROMPT).unwrap();
        let differs =
            |(a, b): (&llmtrace_lens::generate::GeneratedToken, &llmtrace_lens::generate::GeneratedToken)| {
                (a.choice.model.log_probability - b.choice.model.log_probability).abs() > 1e-3
            };
        assert!(answer.tokens.iter().zip(&plain.tokens).any(differs), "{name}: the hook did nothing");
    }
}

#[test]
fn steps_hand_out_what_hooks_keep_and_count_what_it_takes() {
    let model = model("llama");
    let mut hooks = Hooks::new().keep("blocks.*.hook_resid_post");
    let mut shapes = Vec::new();
    let answer = model.generator().stop(Stop::after(3)).run_with(PROMPT, &mut hooks, |step| {
        shapes.push(step.cache.get("blocks.2.hook_resid_post").unwrap().dims().to_vec());
        ControlFlow::Continue(())
    });
    let answer = answer.unwrap();
    let prompt = answer.prompt.len();
    assert_eq!(shapes, [[1, prompt, 32], [1, 1, 32], [1, 1, 32]]);
    let (first, last) = (&answer.tokens[0].memory, &answer.tokens[2].memory);
    // Three blocks; keys and values of two heads of eight numbers of four bytes.
    assert_eq!(first.kv_cache_bytes, prompt * 3 * 2 * 2 * 8 * 4);
    assert_eq!(last.kv_cache_bytes, (prompt + 2) * 3 * 2 * 2 * 8 * 4);
    assert_eq!((first.kept_bytes, last.kept_bytes), (prompt * 3 * 32 * 4, 3 * 32 * 4));
    assert_eq!(answer.memory().kept_bytes, first.kept_bytes);
    assert_eq!(answer.tokens[0].positions, prompt);
    assert!(
        answer.tokens[0].flops > answer.tokens[1].flops && answer.tokens[2].flops > answer.tokens[1].flops
    );
    assert!(answer.time >= answer.time_to_first_token && answer.time >= answer.forward());
    assert!(answer.tokens.iter().all(|token| token.pass.is_none()));
}

#[test]
fn times_of_the_blocks_are_taken_where_they_are_asked_for() {
    let model = model("gpt_neox");
    let answer = model.generator().stop(Stop::after(2)).detail(Detail::Layers).run(PROMPT).unwrap();
    for token in &answer.tokens {
        let report = token.pass.as_ref().unwrap();
        assert_eq!(report.blocks.len(), 3);
        let sum: std::time::Duration = report.blocks.iter().map(|block| block.time).sum();
        assert!(report.embed + sum + report.unembed <= token.forward, "{report:?}");
        for block in &report.blocks {
            assert!(!block.attention.is_zero() && !block.mlp.is_zero(), "{block:?}");
            assert!(block.attention + block.mlp <= block.time, "{block:?}");
        }
    }
    assert_eq!(answer.layer_seconds().len(), 3);
}

#[test]
fn a_seed_gives_one_answer_whatever_the_threads() {
    let model = model("gpt2");
    let run = |seed: u64, threads: usize| -> Generation {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let sampling = Sampling::random(seed).temperature(1.2).top_k(50).top_p(0.95);
        pool.install(|| {
            model
                .generator()
                .sampling(sampling)
                .stop(Stop::after(24).ignoring_end_tokens())
                .run(PROMPT)
                .unwrap()
        })
    };
    let one = run(1, 1);
    for threads in [1, 2, 4] {
        let other = run(1, threads);
        assert_eq!(one.ids(), other.ids());
        assert_eq!(one.text, other.text);
    }
    assert_ne!(one.ids(), run(2, 1).ids());
}

#[test]
fn a_model_without_a_tokenizer_answers_in_tokens() {
    let copy = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(folder("gpt2").join(file), copy.path().join(file)).unwrap();
    }
    let model = Model::load(copy.path()).unwrap();
    let golden = ids(&expected("gpt2")["decode.greedy_ids"]);
    let generator = model.generator().stop(Stop::after(2).ignoring_end_tokens().at_text("a"));
    let answer = generator.run(&golden[..9]).unwrap();
    assert_eq!((answer.ids(), answer.text.as_str()), (golden[9..11].to_vec(), ""));
    assert!(answer.tokens.iter().all(|token| token.token.spelling.is_empty() && token.token.bytes == (0..0)));
    let error = generator.run("a").unwrap_err().to_string();
    assert!(error.ends_with("has no tokenizer.json: give token ids, not a text"), "{error}");
}

/// Files on the hub keep the settings of whoever saved them last.
#[test]
fn prompts_are_neither_cut_nor_padded() {
    let copy = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(folder("gpt2").join(file), copy.path().join(file)).unwrap();
    }
    let text = std::fs::read_to_string(folder("gpt2").join("tokenizer.json")).unwrap();
    let mut tokenizer: serde_json::Value = serde_json::from_str(&text).unwrap();
    tokenizer["truncation"] =
        serde_json::json!({"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0});
    tokenizer["padding"] = serde_json::json!({"strategy": {"Fixed": 20}, "direction": "Left",
        "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<|endoftext|>"});
    std::fs::write(copy.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let answer = Model::load(copy.path()).unwrap().generator().stop(Stop::after(1)).run(PROMPT).unwrap();
    let read: Vec<u32> = answer.prompt.iter().map(|token| token.id).collect();
    assert_eq!(read, ids(&expected("gpt2")["prompt.input_ids"]));
}

#[test]
fn an_answer_is_written_as_json() {
    let sampling = Sampling::random(1).top_k(3);
    let model = model("gpt2");
    let generator = model.generator().sampling(sampling).stop(Stop::after(2)).detail(Detail::Layers);
    let json = serde_json::to_value(generator.run(PROMPT).unwrap()).unwrap();
    for path in [
        "/model",
        "/sampling/draw/seed",
        "/sampling/top_k",
        "/stop/max_tokens",
        "/prompt/0/id",
        "/prompt/0/bytes/start",
        "/text",
        "/finish/kind",
        "/time_to_first_token_seconds",
        "/tokens/1/token/spelling",
        "/tokens/1/choice/model/log_probability",
        "/tokens/1/choice/final/rank",
        "/tokens/1/choice/model_entropy/bits",
        "/tokens/1/choice/alternatives/0/final_probability",
        "/tokens/1/choice/filters/0/effect/removed/mass",
        "/tokens/1/choice/filters/0/effect/removed/most_probable/0",
        "/tokens/1/forward_seconds",
        "/tokens/1/memory/kv_cache_bytes",
        "/tokens/1/pass/blocks/2/attention_seconds",
    ] {
        assert!(json.pointer(path).is_some(), "{path} is not in {json:#}");
    }
}

#[test]
fn what_cannot_be_answered_is_refused_with_a_reason() {
    let model = model("gpt2");
    let check = |found: Result<Generation, llmtrace_lens::generate::GenerateError>, expected: &str| {
        assert_eq!(found.unwrap_err().to_string(), expected);
    };
    let generator = model.generator();
    check(generator.run(""), "there is no token to run");
    check(generator.run(&[1, 384]), "token 384 is outside the vocabulary of 384 tokens");
    check(
        generator.clone().stop(Stop::after(0)).run("a"),
        "max_tokens is 0: allowed are whole numbers from 1",
    );
    check(
        generator.clone().sampling(Sampling::random(0).top_p(2.0)).run("a"),
        "top_p is 2: allowed are numbers from 0 to 1",
    );
    let hook = |_, value: &Tensor| Ok(Some((value * f64::NAN)?));
    let mut hooks = Hooks::new().on("hook_unembed", hook);
    check(
        generator.run_with("a", &mut hooks, |_| ControlFlow::Continue(())),
        "step 0: the logit of token 0 is NaN: there is no distribution to choose from",
    );
    // Artifacts that cannot be written change nothing.
    let artifacts = Artifacts::in_folder(folder("gpt2").join("config.json"));
    let answer = generator.clone().stop(Stop::after(2)).artifacts(artifacts).run("a").unwrap();
    assert_eq!((answer.tokens.len(), answer.artifact), (2, None));
}
