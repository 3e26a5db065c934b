//! Transcoders that are trained here: what they learn, and what is refused.

use llmtrace_lens::circuit::train::{Progress, Sparsity, Training};
use llmtrace_lens::circuit::transcoder::FeatureInput;
use llmtrace_lens::circuit::{Tracer, Transcoders};
use llmtrace_lens::handmade::{Induction, TwoStep};
use llmtrace_lens::{Model, Toy};

use crate::support::{tensors, toy_prompt, toy_states};

/// The sentences that the toys were trained on, but for those of the cities that they were not asked for.
fn sentences(model: &Model) -> Vec<Vec<u32>> {
    let mut sentences = Vec::new();
    for (state, at) in toy_states() {
        let capital = at["capital"].as_str().unwrap();
        sentences.push(format!("the capital of {state} is {capital} ."));
        for city in at["cities"].as_array().unwrap() {
            let city = city.as_str().unwrap();
            sentences.push(format!("{city} is in {state} ."));
            sentences.push(format!("the state containing {city} is {state} ."));
            if at["held_out"] != city {
                sentences.push(format!("the capital of the state containing {city} is {capital} ."));
            }
        }
    }
    sentences.iter().map(|text| model.tokenize(text).unwrap()).collect()
}

/// A training that is small enough for a test.
fn small(model: &Model) -> Training<'_> {
    Training::new(model).features(96).sparsity(Sparsity::TopK(24)).steps(150).batch(96).learning_rate(0.02)
}

#[test]
fn trained_features_carry_most_of_an_answer() {
    let model = Toy::Gelu.load().unwrap();
    let texts = sentences(&model);
    let folder = tempfile::tempdir().unwrap();
    let mut told: Vec<Progress> = Vec::new();
    let trained = small(&model).run(&texts, folder.path(), |at| told.push(*at)).unwrap();
    assert_eq!(told.len(), 3 * 150);
    for layer in &trained {
        assert!(layer.fvu < 0.1 && layer.dead < 10, "{layer:?}");
        assert!((layer.l0 - 24.0).abs() < 1e-9 && layer.features == 96, "{layer:?}");
        assert_eq!(layer.positions + layer.held_out, texts.iter().map(Vec::len).sum::<usize>());
        assert!((200..400).contains(&layer.held_out), "{layer:?}");
        let of_layer: Vec<&Progress> = told.iter().filter(|at| at.layer == layer.layer).collect();
        assert_eq!(of_layer.iter().map(|at| at.step).collect::<Vec<_>>(), (1..=150).collect::<Vec<_>>());
        assert!(of_layer[149].loss < of_layer[9].loss / 4.0, "{:?}", of_layer[9]);
    }
    let transcoders = Transcoders::load(folder.path(), &model).unwrap();
    assert_eq!((transcoders.features(0), transcoders.input()), (96, FeatureInput::MlpInput));
    let graph = Tracer::new(&model, &transcoders).trace(&toy_prompt(&model, "Dallas")).unwrap();
    let scores = graph.scores();
    assert!(scores.replacement > 0.7 && scores.completeness > 0.9, "{scores:?}");
    // Decoders have norm 1.
    let decoders = transcoders.decoders(1, &[0, 50], 1).unwrap();
    for norm in decoders.sqr().unwrap().sum(1).unwrap().to_vec1::<f32>().unwrap() {
        assert!((norm - 1.0).abs() < 1e-4, "{norm}");
    }
}

#[test]
fn what_is_told_of_a_layer_is_what_its_file_does() {
    let model = crate::support::model("gemma2");
    let texts: Vec<Vec<u32>> =
        (0..40).map(|text| (0..12).map(|at| (text * 17 + at * 5) % 250 + 3).collect()).collect();
    for input in [FeatureInput::MlpInput, FeatureInput::Normalized, FeatureInput::Stream] {
        let folder = tempfile::tempdir().unwrap();
        let training = Training::new(&model).features(48).sparsity(Sparsity::L1(0.001)).steps(120).batch(64);
        let trained = training.input(input).run(&texts, folder.path(), |_| ()).unwrap();
        let transcoders = Transcoders::load(folder.path(), &model).unwrap();
        assert_eq!(transcoders.input(), input);
        // Read from its file, as many are active as while it learnt.
        let graph = Tracer::new(&model, &transcoders).masked(0).trace(&texts[0]).unwrap();
        let active = graph.features.iter().filter(|at| at.layer == 0).count() as f64 / 12.0;
        assert!((active - trained[0].l0).abs() < 12.0, "{input:?}: {active}, {:?}", trained[0]);
        assert!(trained.iter().all(|layer| layer.fvu < 0.7), "{input:?}: {trained:?}");
        // One text of ten was kept out, and of each its first token, which this tokenizer calls special.
        assert_eq!((trained[0].positions, trained[0].held_out), (36 * 11, 4 * 11));
    }
}

#[test]
fn thresholds_come_to_the_number_of_active_features_that_is_asked() {
    let model = Toy::Gelu.load().unwrap();
    let texts = sentences(&model);
    let folder = tempfile::tempdir().unwrap();
    let check = |asked: f64, layers: &[usize]| {
        let training = small(&model).features(64).sparsity(Sparsity::JumpRelu(asked)).layers(layers.to_vec());
        let untaught = training.clone().steps(1).learning_rate(1e-6);
        let untaught = untaught.run(&texts, folder.path(), |_| ()).unwrap();
        let trained = training.run(&texts, folder.path(), |_| ()).unwrap();
        assert_eq!(trained.len(), layers.len());
        for (untaught, trained) in untaught.iter().zip(&trained) {
            assert!((trained.l0 / asked - 1.0).abs() < 0.1, "{asked}: {trained:?}");
            assert!(trained.fvu < 0.25 && untaught.fvu > 0.5, "{asked}: {trained:?}, {untaught:?}");
        }
    };
    check(8.0, &[2]);
    check(12.0, &[0, 1, 2]);
    // The file says so too: a threshold a feature, as circuit-tracer has them, and as many active where it is read.
    let thresholds = tensors(folder.path().join("layer_1.safetensors"));
    let thresholds = thresholds["activation_function.threshold"].to_vec1::<f32>().unwrap();
    assert_eq!(thresholds.len(), 64);
    assert!(thresholds.iter().all(|threshold| *threshold >= 0.0), "{thresholds:?}");
    assert!(thresholds.iter().any(|threshold| *threshold > 0.0), "{thresholds:?}");
    let transcoders = Transcoders::load(folder.path(), &model).unwrap();
    let (mut active, mut positions) = (0, 0);
    for text in texts.iter().step_by(60) {
        let graph = Tracer::new(&model, &transcoders).masked(0).trace(text).unwrap();
        active += graph.features.iter().filter(|feature| feature.layer == 1).count();
        positions += text.len();
    }
    assert!((active as f64 / positions as f64 / 12.0 - 1.0).abs() < 0.2, "{active} at {positions}");
}

#[test]
fn layers_learn_the_same_alone() {
    let model = TwoStep::model().unwrap();
    let texts: Vec<Vec<u32>> = (1..=6).map(|city| vec![0, city, TwoStep::CAPITAL]).collect();
    let training = Training::new(&model).features(12).sparsity(Sparsity::TopK(2)).steps(20);
    let (all, one) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    training.run(&texts, all.path(), |_| ()).unwrap();
    let mut told: Vec<Progress> = Vec::new();
    let trained = training.layers([1, 1]).run(&texts, one.path(), |at| told.push(*at)).unwrap();
    assert_eq!(trained.iter().map(|layer| layer.layer).collect::<Vec<_>>(), [1]);
    assert!(told.iter().all(|at| (at.layer, at.before, at.layers) == (1, 0, 1)), "{told:?}");
    let file = |folder: &tempfile::TempDir| std::fs::read(folder.path().join("layer_1.safetensors")).unwrap();
    assert_eq!(file(&all), file(&one));
    assert!(!one.path().join("layer_0.safetensors").exists());
}

#[test]
fn a_seed_makes_the_files() {
    let model = TwoStep::model().unwrap();
    let texts: Vec<Vec<u32>> = (1..=6).map(|city| vec![0, city, TwoStep::CAPITAL]).collect();
    let files = |seed: u64| {
        let folder = tempfile::tempdir().unwrap();
        let training = Training::new(&model).features(12).sparsity(Sparsity::TopK(2)).steps(20).seed(seed);
        training.run(&texts, folder.path(), |_| ()).unwrap();
        ["layer_0.safetensors", "layer_1.safetensors", "config.yaml"]
            .map(|name| std::fs::read(folder.path().join(name)).unwrap())
    };
    let first = files(1);
    assert_eq!(first, files(1));
    assert_ne!(first[0], files(2)[0]);
    let config = String::from_utf8(first[2].clone()).unwrap();
    assert!(
        config.contains("feature_input_hook: mlp.hook_in\nfeature_output_hook: hook_mlp_out\n"),
        "{config}"
    );
}

#[test]
fn an_mlp_that_writes_nothing_has_nothing_to_learn() {
    let model = Induction::model().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let training = Training::new(&model).features(4).sparsity(Sparsity::L1(0.1)).steps(10);
    let trained = training.run(&[vec![0, 1, 2, 1]], folder.path(), |_| ()).unwrap();
    assert!(trained.iter().all(|layer| layer.fvu == 0.0 && layer.loss.is_finite()), "{trained:?}");
    assert_eq!((trained[0].positions, trained[0].held_out), (3, 0));
}

#[test]
fn a_training_that_cannot_be_is_refused() {
    let model = TwoStep::model().unwrap();
    let texts = vec![vec![0, 1, TwoStep::CAPITAL]];
    let check = |training: Training<'_>, texts: &[Vec<u32>], expected: &str| {
        let folder = tempfile::tempdir().unwrap();
        let error = training.run(texts, folder.path().join("out"), |_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, expected {expected}");
        assert!(!folder.path().join("out").exists(), "{expected}");
    };
    let new = || Training::new(&model);
    check(new().features(0), &texts, "0 features learns nothing: give 1 or more");
    check(new().features(usize::MAX), &texts, "do not fit into memory: give ");
    check(new().steps(0), &texts, "0 steps learns nothing: give 1 or more");
    check(new().batch(0), &texts, "0 positions a step");
    check(new().learning_rate(f64::NAN), &texts, "give one above 0");
    check(
        new().features(8).sparsity(Sparsity::TopK(9)),
        &texts,
        "9 of 8 features cannot be active: give 1 to 8",
    );
    check(new().sparsity(Sparsity::TopK(0)), &texts, "give 1 to");
    check(new().sparsity(Sparsity::L1(-1.0)), &texts, "activations cannot cost -1: give 0 or more");
    check(
        new().features(8).sparsity(Sparsity::JumpRelu(8.5)),
        &texts,
        "8.5 of 8 features cannot be active on average: give a number above 0, 8 at most",
    );
    check(new().sparsity(Sparsity::JumpRelu(0.0)), &texts, "give a number above 0");
    check(new().sparsity(Sparsity::JumpRelu(f64::NAN)), &texts, "give a number above 0");
    check(new().layers([0, 2]), &texts, "there is no layer 2 among 2: give 0 to 1");
    check(new().input(FeatureInput::Normalized), &texts, "read the MLP's input");
    check(new(), &[], "there is nothing to learn from");
    check(new(), &[vec![0]], "there is nothing to learn from");
    check(new().max_positions(1), &texts, "there is nothing to learn from");
    let folder = tempfile::tempdir().unwrap();
    let error = new().run(&[vec![0, 99]], folder.path(), |_| ()).unwrap_err().to_string();
    assert!(error.contains("99"), "{error}");
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = new().run(&texts, &file, |_| ()).unwrap_err().to_string();
    assert!(error.starts_with("cannot write "), "{error}");
}
