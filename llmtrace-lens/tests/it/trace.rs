//! Runs of a local model in the trace of the program around them.

use std::ops::ControlFlow;
use std::time::Duration;

use candle_core::Tensor;
use llmtrace::testing::Recording;
use llmtrace::{ContentPolicy, SpanRecord, Status, agent, semconv};
use llmtrace_lens::generate::{Generation, Sampling, Stop};
use llmtrace_lens::trace::{Artifacts, Detail, names};
use llmtrace_lens::{Hooks, Model, Readout};

use crate::support::{folder, model, tensors};

const PROMPT: &str = "the capital of the state containing Dallas is";

fn toy() -> Model {
    model("gpt2")
}

/// An agent that asks its local model.
fn ask(recording: &Recording, detail: Detail) -> Generation {
    recording.run(|| {
        let span = agent!("answer", session = "session-1");
        span.in_scope(|| toy().generator().stop(Stop::after(2)).detail(detail).run(PROMPT).unwrap())
    })
}

#[test]
fn the_tree_of_a_run_at_each_detail() {
    let check = |detail: Detail, expected: &[&str]| {
        let recording = Recording::start();
        ask(&recording, detail);
        assert_eq!(recording.tree().lines().collect::<Vec<_>>(), expected, "{detail:?}");
    };
    let agent = "answer [agent]";
    let run = "  text_completion gpt2 [generation] gpt2 9->2 tokens";
    check(Detail::Off, &[agent]);
    check(Detail::Summary, &[agent, run]);
    let mut layers = vec![agent, run, "    prompt [span]", "      embed [span]"];
    for block in ["      block 0 [span]", "      block 1 [span]", "      block 2 [span]"] {
        layers.extend([block, "        attention [span]", "        mlp [span]"]);
    }
    layers.extend(["      unembed [span]", "    step 1 [span]"]);
    check(Detail::Layers, &layers);
    let step = layers[3..layers.len() - 1].to_vec();
    check(Detail::Full, &[&layers[..], &step].concat());
}

#[test]
fn a_run_is_a_generation_of_a_local_model() {
    let recording = Recording::start();
    let sampling =
        Sampling::random(7).temperature(0.5).top_k(20).top_p(0.9).min_p(0.01).repetition_penalty(1.1);
    let model = toy();
    let generator = model.generator().sampling(sampling).stop(Stop::after(3).at_text("~~"));
    let answer = recording.run(|| {
        generator.stream(PROMPT, |step| {
            if step.index == 1 {
                recording.clock().advance(Duration::from_millis(250));
            }
            ControlFlow::Continue(())
        })
    });
    let answer = answer.unwrap();
    let span = recording.span("text_completion gpt2");
    let text = |key: &str| span.attributes.get_str(key).unwrap_or("absent").to_owned();
    assert_eq!(text(semconv::OPERATION_NAME), "text_completion");
    assert_eq!(text(semconv::PROVIDER_NAME), "llmtrace.local");
    assert_eq!(text(semconv::REQUEST_MODEL), "gpt2");
    assert_eq!(text(semconv::RESPONSE_MODEL), "gpt2");
    let value = |key: &str| serde_json::to_value(span.attributes.get(key).unwrap()).unwrap();
    assert_eq!(value(semconv::RESPONSE_FINISH_REASONS), serde_json::json!(["length"]));
    assert_eq!(value(semconv::REQUEST_STOP_SEQUENCES), serde_json::json!(["~~"]));
    for (key, expected) in [
        (semconv::USAGE_INPUT_TOKENS, answer.prompt.len() as f64),
        (semconv::USAGE_OUTPUT_TOKENS, 3.0),
        (semconv::REQUEST_SEED, 7.0),
        (semconv::REQUEST_MAX_TOKENS, 3.0),
        (semconv::REQUEST_TEMPERATURE, 0.5),
        (semconv::REQUEST_TOP_K, 20.0),
        (semconv::REQUEST_TOP_P, 0.9),
        (names::REQUEST_MIN_P, 0.01),
        (names::REQUEST_REPETITION_PENALTY, 1.1),
        (names::FLOPS, answer.flops()),
        (names::MEAN_ENTROPY_BITS, answer.mean_entropy_bits()),
        (names::MEAN_LOG_PROBABILITY, answer.mean_log_probability()),
        // The clock stands still until the second token.
        (semconv::RESPONSE_TIME_TO_FIRST_CHUNK, 0.0),
    ] {
        assert_eq!(value(key).as_f64(), Some(expected), "{key}");
    }
    assert_eq!(span.duration(), Duration::from_millis(250));
    assert_eq!(span.status, Status::Ok);
    assert_eq!(span.usage().status, llmtrace::UsageStatus::Complete);
    assert_eq!(span.input[0].text(), PROMPT);
    assert_eq!(span.output[0].text(), answer.text);
    assert_eq!(span.output[0].finish_reason.as_deref(), Some("length"));
}

/// A local model costs nothing that anybody knows, whatever its folder is called.
#[test]
fn there_is_no_cost_rather_than_none() {
    let fixture = folder("gpt2");
    let copy = tempfile::tempdir().unwrap();
    let folder = copy.path().join("gpt-4o");
    std::fs::create_dir(&folder).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(fixture.join(file), folder.join(file)).unwrap();
    }
    let recording = Recording::start();
    recording.run(|| Model::load(&folder).unwrap().generator().stop(Stop::after(1)).run("a").unwrap());
    let span = recording.span("text_completion gpt-4o");
    assert_eq!(span.model(), Some("gpt-4o"));
    assert_eq!(span.cost(), None);
    assert!(span.attributes.get(semconv::USAGE_COST).is_none());
}

#[test]
fn a_text_that_is_only_read_is_told_too() {
    let recording = Recording::start();
    let model = toy();
    let mut hooks = Hooks::new().keep("blocks.1.attn.hook_pattern");
    let reading = recording.run(|| model.read(PROMPT, Readout::All, &mut hooks, Detail::Layers)).unwrap();
    let tree = recording.tree();
    let lines: Vec<&str> = tree.lines().collect();
    assert_eq!(
        lines[..3],
        ["forward gpt2 [generation] gpt2 9->0 tokens", "  embed [span]", "  block 0 [span]"]
    );
    assert_eq!((lines.len(), lines[11]), (12, "  unembed [span]"));
    let ids: Vec<u32> = reading.tokens.iter().map(|token| token.id).collect();
    let values = |logits: &Tensor| logits.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(values(&reading.logits), values(&model.run(&ids).unwrap()));
    assert_eq!(reading.cache.get("blocks.1.attn.hook_pattern").unwrap().dims(), [1, 4, 9, 9]);
    let reading = model.read(&ids, Readout::Last, &mut Hooks::new(), Detail::Off).unwrap();
    assert_eq!((reading.logits.dims(), reading.pass), (&[1, 1, 384][..], None));
    let error =
        recording.run(|| model.read("", Readout::Last, &mut Hooks::new(), Detail::Summary)).unwrap_err();
    let failed = recording.spans().into_iter().filter(|span| span.status.is_error()).collect::<Vec<_>>();
    assert_eq!((failed.len(), &failed[0].status), (1, &Status::error(error.to_string())));
}

/// What the program does with a token is its own time, and its own spans stand beside the steps.
#[test]
fn the_programs_work_between_steps_is_not_the_models() {
    let recording = Recording::start();
    let model = toy();
    let generator = model.generator().stop(Stop::after(2)).detail(Detail::Layers);
    let answer = recording.run(|| {
        generator.stream(PROMPT, |_| {
            llmtrace::tool!("look it up").in_scope(|| recording.clock().advance(Duration::from_secs(1)));
            ControlFlow::Continue(())
        })
    });
    assert_eq!(answer.unwrap().tokens.len(), 2);
    for (name, seconds) in [("prompt", 0), ("step 1", 0), ("block 2", 0), ("text_completion gpt2", 2)] {
        assert_eq!(recording.span(name).duration(), Duration::from_secs(seconds), "{name}");
    }
    let run = recording.span("text_completion gpt2").span_id;
    let tools = recording.spans().into_iter().filter(|span| span.name == "look it up");
    assert_eq!(tools.map(|span| span.parent_span_id).collect::<Vec<_>>(), [Some(run), Some(run)]);
}

#[test]
fn steps_say_how_their_token_was_chosen() {
    let recording = Recording::start();
    let model = toy();
    let sampling = Sampling::random(3).top_k(5);
    let generator = model.generator().sampling(sampling).stop(Stop::after(2)).detail(Detail::Layers);
    let answer = recording.run(|| generator.run(PROMPT).unwrap());
    for (span, token) in [("prompt", &answer.tokens[0]), ("step 1", &answer.tokens[1])] {
        let span = recording.span(span);
        let value = |key: &str| serde_json::to_value(span.attributes.get(key).expect(key)).unwrap();
        let choice = &token.choice;
        assert_eq!(value(names::PROBABILITY).as_f64(), Some(choice.model.probability));
        assert_eq!(value(names::FINAL_PROBABILITY).as_f64(), Some(choice.last.probability));
        assert_eq!(value(names::ENTROPY_BITS).as_f64(), Some(choice.model_entropy.bits()));
        assert_eq!(value(names::RANK).as_u64(), Some(choice.model.rank as u64));
        assert_eq!(value(names::POSITIONS).as_u64(), Some(token.positions as u64));
        assert_eq!(value(names::PIECE), token.token.spelling.as_str());
        assert_eq!(value(names::ALTERNATIVES).as_array().unwrap().len(), 10);
        assert_eq!(value(names::LAYER_SECONDS).as_array().unwrap().len(), 3);
        let filters = value(names::FILTERS);
        assert_eq!((&filters[0]["filter"], &filters[0]["left"]), (&"top_k".into(), &5.into()), "{filters}");
        assert_eq!(filters[0]["removed"], 379);
    }
}

#[test]
fn blocks_carry_their_norms_and_what_is_remarkable() {
    let recording = Recording::start();
    // One activation is made massive.
    let mut hooks = Hooks::new().on("blocks.1.hook_resid_post", |_, value: &Tensor| {
        let (_, positions, width) = value.dims3()?;
        let mut bump = vec![0f32; positions * width];
        bump[2 * width + 5] = 1e6;
        Ok(Some((value + Tensor::from_vec(bump, (1, positions, width), value.device())?)?))
    });
    recording.run(|| {
        let model = toy();
        let generator = model.generator().stop(Stop::after(1)).detail(Detail::Layers);
        generator.run_with(PROMPT, &mut hooks, |_| ControlFlow::Continue(())).unwrap()
    });
    let findings = |span: &SpanRecord| {
        span.attributes.get(names::FINDINGS).map(|found| serde_json::to_value(found).unwrap().to_string())
    };
    assert_eq!(findings(&recording.span("block 0")), None);
    let block = recording.span("block 1");
    let found = findings(&block).unwrap();
    assert!(found.contains("position 2 in dimension 5"), "{found}");
    let norm = serde_json::to_value(block.attributes.get(names::RESIDUAL_MAX_NORM).unwrap()).unwrap();
    assert!((norm.as_f64().unwrap() - 1e6).abs() < 1e3, "{norm}");
    let outliers = block.attributes.get(names::RESIDUAL_OUTLIERS).unwrap();
    assert_eq!(serde_json::to_value(outliers).unwrap(), serde_json::json!([2]));
    let whole = findings(&recording.span("text_completion gpt2")).unwrap();
    assert!(whole.contains("block 1: massive activation"), "{whole}");
}

#[test]
fn content_that_is_left_out_is_nowhere() {
    let recording = Recording::with(|builder| builder.content(ContentPolicy::Omit));
    let answer = ask(&recording, Detail::Full);
    for span in recording.spans() {
        let everything = format!("{span:?}");
        for word in ["Dallas", answer.tokens[0].token.spelling.as_str(), "final_probability"] {
            assert!(!everything.contains(word), "{word} in {everything}");
        }
    }
    let run = recording.span("text_completion gpt2");
    assert_eq!(run.usage().input_tokens, Some(9));
}

#[test]
fn a_run_that_fails_is_an_error_and_leaves_no_span_open() {
    let recording = Recording::start();
    let mut hooks =
        Hooks::new().on("blocks.1.hook_attn_out", |_, value: &Tensor| Ok(Some(value.narrow(1, 0, 1)?)));
    let error = recording.run(|| {
        let model = toy();
        let generator = model.generator().detail(Detail::Full);
        generator.run_with(PROMPT, &mut hooks, |_| ControlFlow::Continue(())).unwrap_err()
    });
    let span = recording.span("text_completion gpt2");
    assert_eq!(span.status, Status::error(error.to_string()));
    let usage = span.usage();
    assert_eq!((usage.input_tokens, usage.output_tokens), (Some(9), Some(0)));
    assert_eq!(usage.status, llmtrace::UsageStatus::Interrupted);
    // Up to the part that failed, and nothing twice.
    let tree = recording.tree();
    let parts: Vec<&str> = tree.lines().skip(1).map(|line| line.trim().trim_end_matches(" [span]")).collect();
    assert_eq!(parts, ["prompt", "embed", "block 0", "attention", "mlp", "block 1", "attention"]);
}

#[test]
fn a_run_that_never_began_says_whose_it_was() {
    let recording = Recording::start();
    let model = toy();
    let generator = model.generator().sampling(Sampling::random(1).top_p(7.0));
    let error = recording.run(|| generator.run(PROMPT)).unwrap_err();
    let span = recording.span("text_completion gpt2");
    assert_eq!(span.status, Status::error(error.to_string()));
    assert_eq!(span.attributes.get_str(semconv::PROVIDER_NAME), Some("llmtrace.local"));
    assert_eq!(serde_json::to_value(span.attributes.get(semconv::REQUEST_TOP_P)).unwrap(), 7.0);
}

#[test]
fn tensors_go_to_a_file_to_which_the_span_refers() {
    let folder = tempfile::tempdir().unwrap();
    let run = |max_bytes: usize| {
        let model = toy();
        let artifacts = Artifacts::in_folder(folder.path().join("tensors")).max_bytes(max_bytes);
        let generator = model.generator().stop(Stop::after(2)).artifacts(artifacts);
        let mut hooks = Hooks::new().keep("hook_embed, blocks.*.hook_resid_post");
        generator.run_with(PROMPT, &mut hooks, |_| ControlFlow::Continue(())).unwrap()
    };
    let recording = Recording::start();
    let answer = recording.run(|| run(1 << 20));
    let span = recording.span("text_completion gpt2");
    let artifact = answer.artifact.as_ref().unwrap();
    assert_eq!(span.attributes.get_str(names::ARTIFACT_PATH), artifact.path.to_str());
    assert_eq!(
        artifact.path.file_stem().unwrap().to_str().unwrap(),
        format!("{}-{}", span.trace_id, span.span_id)
    );
    let file = tensors(&artifact.path);
    let told = serde_json::to_value(span.attributes.get(names::ARTIFACT_TENSORS).unwrap()).unwrap();
    assert_eq!(told.as_array().unwrap().len(), file.len());
    for tensor in &artifact.tensors {
        assert_eq!(file[&tensor.name].dims(), tensor.shape, "{}", tensor.name);
    }
    let prompt = answer.prompt.len();
    assert_eq!(file["step.0/blocks.2.hook_resid_post"].dims(), [1, prompt, 32]);
    assert_eq!(file["step.1/hook_embed"].dims(), [1, 1, 32]);
    assert_eq!(file["tokens"].to_vec1::<u32>().unwrap().len(), prompt + 2);
    let log_probabilities = file["log_probabilities"].to_vec1::<f32>().unwrap();
    assert!((f64::from(log_probabilities[1]) - answer.tokens[1].choice.model.log_probability).abs() < 1e-6);
    // Without a listener there is a file all the same; what does not fit is counted.
    let (small, again) = (run(prompt * 32 * 4), run(0));
    let (small, again) = (small.artifact.unwrap(), again.artifact.unwrap());
    assert_ne!(small.path, again.path);
    assert_eq!((small.omitted, small.tensors.len()), (7, 4));
    assert_eq!((again.omitted, again.tensors.len()), (8, 3));
}
