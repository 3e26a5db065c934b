//! Two versions of a model: what was changed is found, and nothing where nothing was.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use llmtrace_lens::circuit::Transcoders;
use llmtrace_lens::handmade::{Edit, Induction, TwoStep};
use llmtrace_lens::version_diff::{AnswerStatus, Comparison, VersionDiff, WeightStatus, linear_cka};
use llmtrace_lens::{Model, Toy};
use serde_json::Value;

use crate::seeded::Seeded;
use crate::support::{fixtures, model, tensors};

/// Prompts of the toys: Texas and three other states, in each form that they know.
const PROMPTS: [&str; 12] = [
    "the capital of the state containing Dallas is",
    "the capital of the state containing Waco is",
    "the capital of the state containing Oakland is",
    "the capital of the state containing Savannah is",
    "the capital of Texas is",
    "the capital of California is",
    "the capital of Georgia is",
    "Dallas is in",
    "Oakland is in",
    "the state containing Dallas is",
    "the state containing Houston is",
    "the state containing Miami is",
];

const CITIES: [&str; 6] = ["Dallas", "Houston", "Oakland", "Fresno", "Tampa", "Miami"];

fn toys(after: Toy) -> VersionDiff {
    let (before, after) = (Toy::Relu.load().unwrap(), after.load().unwrap());
    Comparison::new(&before, &after).unwrap().run(&PROMPTS).unwrap()
}

/// The toy, saved and loaded again with each number as `dtype` has it.
fn rounded(toy: Toy, dtype: DType) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(toy.name());
    for file in ["config.json", "tokenizer.json"] {
        std::fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    let tensors = candle_core::safetensors::load(from.join("model.safetensors"), &Device::Cpu).unwrap();
    let tensors = tensors.into_iter().map(|(name, tensor)| (name, tensor.to_dtype(dtype).unwrap())).collect();
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    Model::load(folder.path()).unwrap()
}

#[track_caller]
fn nothing(diff: &VersionDiff, status: WeightStatus) {
    assert!(!diff.changed(), "{diff}");
    assert!(diff.weights.iter().all(|weight| weight.status <= status), "{:?}", diff.weights);
    assert!(diff.to_string().contains("Nothing changed"), "{diff}");
    assert!(diff.parts.is_empty() && diff.neurons.is_empty());
}

#[test]
fn a_copy_has_not_changed() {
    let diff = toys(Toy::Relu);
    nothing(&diff, WeightStatus::Same);
    assert!(
        diff.answers.iter().all(|answer| answer.status == AnswerStatus::Same && answer.divergence == 0.0)
    );
    assert!(diff.layers.iter().all(|layer| layer.least_cosine >= 1.0 && layer.largest_divergence == 0.0));
}

#[test]
fn rounding_is_no_change() {
    let check = |toy: Toy, dtype: DType, seed: u64| {
        let (before, after) = (toy.load().unwrap(), rounded(toy, dtype));
        let diff = Comparison::new(&before, &after).unwrap().seed(seed).run(&PROMPTS[..5]).unwrap();
        nothing(&diff, WeightStatus::Rounded);
        assert!(diff.weights.iter().any(|weight| weight.relative > 0.0));
    };
    check(Toy::Relu, DType::BF16, 0);
    check(Toy::Relu, DType::BF16, 1);
    check(Toy::Relu, DType::F16, 2);
    check(Toy::Gelu, DType::BF16, 3);
}

#[test]
fn a_changed_fact_is_found_where_it_was_trained() {
    let diff = toys(Toy::Houston);
    let weights: Vec<&str> = diff.changed_weights().map(|weight| weight.name.as_str()).collect();
    assert_eq!(weights.len(), 4, "{weights:?}");
    assert!(weights.iter().all(|name| name.starts_with("blocks.2.mlp.")), "{weights:?}");
    for answer in &diff.answers {
        let texas = ["Dallas is", "Waco is", "of Texas is"].iter().any(|end| answer.prompt.ends_with(end))
            && answer.prompt.contains("capital");
        assert_eq!(answer.status == AnswerStatus::Changed, texas, "{answer:?}");
        if texas {
            assert_eq!((answer.before.text.trim(), answer.after.text.trim()), ("Austin .", "Houston ."));
            assert!(answer.before.first() > 0.5 && answer.before.first_by_other < 0.1, "{answer:?}");
        }
    }
    // No head was trained, nothing before the last block drifts, and its MLP carries all of it.
    assert_eq!(diff.changed_heads().count(), 0);
    assert!(diff.heads.iter().all(|head| head.output == 0.0 && head.pattern == 0.0));
    let drifted: Vec<&str> = diff.changed_layers().map(|layer| layer.label.as_str()).collect();
    assert_eq!(drifted, ["L2"]);
    assert!(diff.neurons_changed.0 > 0 && diff.neurons.iter().all(|neuron| neuron.layer == 2));
    for part in &diff.parts {
        let expected = if part.part == "MLP of L2" { 1.0 } else { 0.0 };
        assert!((part.effect - expected).abs() < 1e-4, "{part:?}");
    }
    let strongest = &diff.neurons[0];
    assert!(strongest.effect.unwrap() > 0.05, "{strongest:?}");
}

/// What is found between the model by hand and a version of it.
fn by_hand(edit: Edit) -> VersionDiff {
    let (before, after) = (TwoStep::model().unwrap(), TwoStep::edited(edit).unwrap());
    let prompts = CITIES.map(|city| format!("{city} capital"));
    Comparison::new(&before, &after).unwrap().answer_tokens(1).run(&prompts).unwrap()
}

#[track_caller]
fn carried_by(diff: &VersionDiff, part: &str) {
    for found in &diff.parts {
        let expected = if found.part == part { 1.0 } else { 0.0 };
        assert!((found.effect - expected).abs() < 1e-6, "{found:?}");
    }
}

#[test]
fn a_changed_head_is_found_exactly() {
    let diff = by_hand(Edit::Head);
    let heads: Vec<(usize, usize)> = diff.changed_heads().map(|head| (head.layer, head.head)).collect();
    assert_eq!(heads, [TwoStep::MOVING_HEAD]);
    assert!((diff.heads[0].effect.unwrap() - 1.0).abs() < 1e-6 && diff.heads[0].pattern == 0.0);
    assert_eq!(diff.neurons_changed, (0, 14), "neurons that read another state are themselves the same");
    let weights: Vec<&str> = diff.changed_weights().map(|weight| weight.name.as_str()).collect();
    assert_eq!(weights, ["blocks.1.attn.W_O"]);
    assert!(diff.answers.iter().all(|answer| answer.status == AnswerStatus::Changed));
    carried_by(&diff, "attention of L1");
}

#[test]
fn a_changed_neuron_is_found_exactly() {
    let diff = by_hand(Edit::Neuron);
    assert_eq!(diff.changed_heads().count(), 0, "the head that copies another state is itself the same");
    assert!(diff.heads.iter().any(|head| head.with_inputs > 0.1));
    assert_eq!(diff.neurons_changed.0, 1);
    let neuron = &diff.neurons[0];
    assert_eq!((neuron.layer, neuron.neuron, neuron.place.token.as_str()), (0, 0, "Dallas"));
    assert!((neuron.effect.unwrap() - 1.0).abs() < 1e-6, "{neuron:?}");
    let weights: Vec<&str> = diff.changed_weights().map(|weight| weight.name.as_str()).collect();
    assert_eq!(weights, ["blocks.0.mlp.W_out"]);
    let changed: Vec<&str> = diff.changed_answers().map(|answer| answer.prompt.as_str()).collect();
    assert_eq!(changed, ["Dallas capital"]);
    let answer = &diff.answers[0];
    assert_eq!((answer.before.text.trim(), answer.after.text.trim()), ("Austin", "Sacramento"));
    carried_by(&diff, "MLP of L0");
}

#[test]
fn features_above_a_change_are_active_otherwise() {
    let check = |edit: Edit, expected: &[(usize, usize)]| {
        let (before, after) = (TwoStep::model().unwrap(), TwoStep::edited(edit).unwrap());
        let neurons = Transcoders::neurons(&before).unwrap();
        let comparison = Comparison::new(&before, &after).unwrap().answer_tokens(1).features(&neurons);
        let diff = comparison.run(&["Dallas capital"]).unwrap();
        let mut found: Vec<_> = diff.features.iter().map(|change| (change.layer, change.feature)).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{diff}");
        assert_eq!(diff.features_changed, Some((expected.len(), 14)));
        for change in &diff.features {
            assert!((change.before - change.after).abs() > 0.5 && change.written > 0.1, "{change:?}");
            assert_eq!(change.place.token.trim(), "capital", "{change:?}");
        }
        assert!(diff.to_string().contains("Features that are active otherwise"), "{diff}");
        assert!(diff.page().unwrap().to_html().contains("Which features"));
    };
    // Texas comes as California: the neuron that says Austin is silent, and the one of Sacramento speaks.
    check(Edit::Head, &[(1, 0), (1, 1)]);
    check(Edit::Neuron, &[(1, 0), (1, 1)]);
}

/// Gemma 2, whose norms after attention and MLP make what these write as large as it is, with their outputs so many times as large; and,
/// where it is `changed`, the first head and the first neuron of the first block writing more than they did.
fn gemma(times: f64, changed: bool) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let from = fixtures().join("models/gemma2");
    for file in ["config.json", "tokenizer.json"] {
        std::fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    let mut tensors = tensors(from.join("model.safetensors"));
    for (name, width) in [("self_attn.o_proj", 8), ("mlp.down_proj", 1)] {
        let weight = tensors.get_mut(&format!("model.layers.0.{name}.weight")).unwrap();
        let (_, columns) = weight.dims2().unwrap();
        let factors = (0..columns).map(|column| if changed && column < width { 3.0_f32 } else { 1.0 });
        let factors = Tensor::from_vec(factors.collect::<Vec<_>>(), (1, columns), &Device::Cpu).unwrap();
        *weight = (weight.broadcast_mul(&factors).unwrap() * times).unwrap();
    }
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    Model::load(folder.path()).unwrap()
}

#[test]
fn what_a_norm_takes_away_again_is_no_change() {
    let found = [1.0, 16.0].map(|times| {
        let (before, after) = (gemma(times, false), gemma(times, true));
        let diff = Comparison::new(&before, &after).unwrap().run(&["a b c", "the cat"]).unwrap();
        let heads = diff.heads.iter().map(|head| (format!("L{}H{}", head.layer, head.head), head.output));
        let neurons = diff
            .neurons
            .iter()
            .map(|neuron| (format!("L{}N{}", neuron.layer, neuron.neuron), neuron.written));
        heads.chain(neurons).collect::<BTreeMap<String, f64>>()
    });
    let [plain, larger] = &found;
    assert!(plain["L0H0"] > 1e-3 && plain["L0N0"] > 1e-3, "{plain:?}");
    assert_eq!(plain.keys().collect::<Vec<_>>(), larger.keys().collect::<Vec<_>>());
    for (name, share) in plain {
        assert!((share - larger[name]).abs() <= 0.02 * share + 1e-5, "{name}: {share}, {}", larger[name]);
    }
}

#[test]
fn every_architecture_is_compared_with_itself() {
    for name in ["gpt2", "llama", "gemma2", "gpt_neox", "qwen3"] {
        let model = model(name);
        for seeded in Seeded::all() {
            let written = seeded.write(&model);
            let transcoders = Transcoders::load(written.path(), &model).unwrap();
            let comparison = Comparison::new(&model, &model).unwrap().features(&transcoders);
            let diff = comparison.run(&["a b c", "the cat"]).unwrap();
            assert!(!diff.changed(), "{name}: {diff}");
            assert!(diff.limits.head > 0.0 && diff.weights.len() > 10, "{name}");
            let all = transcoders.layers() * transcoders.features(0);
            assert_eq!(diff.features_changed, Some((0, all)), "{name} {seeded:?}");
        }
    }
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let check = |before: &Model, after: &Model, expected: &[&str]| {
        let error = Comparison::new(before, after).unwrap_err().to_string();
        assert!(expected.iter().all(|part| error.contains(part)), "{error}");
    };
    let (relu, gelu, hand) =
        (Toy::Relu.load().unwrap(), Toy::Gelu.load().unwrap(), TwoStep::model().unwrap());
    check(&relu, &gelu, &["toy-relu and toy-gelu have different shapes", "d_mlp 512 and 256"]);
    check(&relu, &hand, &["layers 3 and 2", "vocab 202 and 11"]);
    check(&hand, &Induction::model().unwrap(), &["different shapes"]);
    let other = other_words();
    check(&relu, &other, &["read texts differently", "\"Dallas\"", "need the same tokenizer"]);
    let run = |prompts: &[&str]| Comparison::new(&relu, &relu).unwrap().run(prompts).unwrap_err().to_string();
    assert!(run(&[]).contains("no prompt to compare the models on"));
    assert!(run(&["the", ""]).contains("the prompt \"\" has no token"));
}

/// The toy with the ids of Dallas and Houston exchanged in its tokenizer.
fn other_words() -> Model {
    let folder = tempfile::tempdir().unwrap();
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/toy-relu");
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    let text = std::fs::read_to_string(from.join("tokenizer.json")).unwrap();
    let mut tokenizer: Value = serde_json::from_str(&text).unwrap();
    let vocab = tokenizer["model"]["vocab"].as_object_mut().unwrap();
    let (dallas, houston) = (vocab["Dallas"].clone(), vocab["Houston"].clone());
    vocab.insert("Dallas".to_owned(), houston);
    vocab.insert("Houston".to_owned(), dallas);
    std::fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    Model::load(folder.path()).unwrap()
}

#[test]
fn cka_of_known_representations() {
    let check = |x: &[[f32; 2]], y: &[[f32; 2]], expected: Option<f64>| {
        let [x, y] = [x, y].map(|rows| {
            Tensor::from_vec(rows.as_flattened().to_vec(), (rows.len(), 2), &Device::Cpu).unwrap()
        });
        let found = linear_cka(&x, &y).unwrap();
        assert!(
            match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
                (found, expected) => found == expected,
            },
            "{found:?}, expected {expected:?}"
        );
    };
    let corners = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]];
    check(&corners, &corners, Some(1.0));
    check(&corners, &corners.map(|[x, y]| [3.0 - 5.0 * y, 5.0 * x]), Some(1.0));
    // One of two independent columns: |X'Y|² = 16, |X'X| = 4 sqrt 2, |Y'Y| = 4.
    check(&corners, &corners.map(|[x, _]| [x, 0.0]), Some(1.0 / 2f64.sqrt()));
    check(&corners.map(|[x, _]| [x, 0.0]), &corners.map(|[_, y]| [0.0, y]), Some(0.0));
    check(&corners, &[[7.0, 7.0]; 4], None);
    // Fewer things than dimensions: the same by products of rows.
    check(&[[1.0, 0.0], [-1.0, 0.0]], &[[0.0, 3.0], [0.0, -3.0]], Some(1.0));
}

#[test]
fn a_change_serializes_and_is_a_page() {
    let diff = toys(Toy::Houston);
    let json = serde_json::to_value(&diff).unwrap();
    assert_eq!(json["answers"][0]["status"], "changed");
    assert_eq!(json["weights"][0]["status"], "changed");
    assert!(json["limits"]["head"].as_f64().unwrap() > 0.0);
    let page = diff.page().unwrap().to_html();
    assert!(
        page.contains("Austin . → Houston .") && page.contains("MLP of L2") && page.contains("Which neurons")
    );
    assert!(!page.contains("Which heads"), "none changed");
    assert!(by_hand(Edit::Head).page().unwrap().to_html().contains("Which heads"));
}
