//! What a graph must hold whatever the model: rows sum to what they explain, and known circuits are found.

use llmtrace_lens::Model;
use llmtrace_lens::circuit::graph::{ActiveFeature, Targets};
use llmtrace_lens::circuit::{AttributionGraph, Node, Thresholds, Tracer, Transcoders};
use llmtrace_lens::handmade::{Harmful, KnownEdge, KnownNode, TwoStep};

use crate::seeded::{Seeded, neurons_in_files};

use crate::support::{fixtures, tensors, toy_prompt, values};

/// Rows sum to their targets: features to pre-activations, targets to what the model said.
#[track_caller]
fn sums(what: &str, model: &Model, graph: &AttributionGraph, tokens: &[u32]) {
    assert!(!graph.features.is_empty(), "{what}");
    for (node, feature) in graph.features.iter().enumerate() {
        let total = graph.total(node).unwrap();
        assert!((total - f64::from(feature.pre_activation)).abs() < 1e-4, "{what} {feature:?}: {total}");
    }
    let (_, cache) = model.run_with_cache(tokens, "hook_unembed").unwrap();
    let logits = values(cache.get("hook_unembed").unwrap());
    let logits = &logits[logits.len() - model.config().vocab..];
    let mean = logits.iter().sum::<f32>() / logits.len() as f32;
    for (index, target) in graph.targets.iter().enumerate() {
        let total = graph.total(graph.target(index).unwrap()).unwrap();
        let expected = logits[target.token.unwrap() as usize] - mean;
        assert!(
            (total - f64::from(expected)).abs() < 1e-4,
            "{what} {target:?}: {total}, expected {expected}"
        );
    }
}

#[test]
fn rows_sum_to_their_targets_in_every_family_with_every_kind_of_transcoder() {
    let mut families = 0;
    for entry in fixtures().join("models").read_dir().unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("config.json").exists() {
            continue;
        }
        families += 1;
        let model = Model::load(&folder).unwrap();
        let tokens = [1, 20, 33, 47, 20, 102, 9];
        for seeded in Seeded::all() {
            let written = seeded.write(&model);
            let transcoders = Transcoders::load(written.path(), &model).unwrap();
            for masked in [0, 1] {
                let graph = Tracer::new(&model, &transcoders).masked(masked).trace(&tokens).unwrap();
                sums(&format!("{} {seeded:?} {masked}", folder.display()), &model, &graph, &tokens);
            }
        }
    }
    assert!(families >= 9, "{families}");
}

/// Rows sum whatever the features are, as errors take up the rest: the error itself is held to what the files say.
#[test]
fn errors_are_what_the_files_leave_over() {
    let tokens = [1, 20, 33, 47, 20, 102, 9];
    for (family, norm) in [("gpt2", "transformer.ln_f.weight"), ("llama", "model.norm.weight")] {
        let folder = fixtures().join("models").join(family);
        let model = Model::load(&folder).unwrap();
        let (layers, width) = (model.config().layers, model.config().d_model);
        let gain = values(&tensors(folder.join("model.safetensors"))[norm]);
        let output = format!("blocks.{}.hook_mlp_out", layers - 1);
        let (_, cache) =
            model.run_with_cache(&tokens, format!("{output},ln_final.hook_scale").as_str()).unwrap();
        let scale = *values(cache.get("ln_final.hook_scale").unwrap()).last().unwrap();
        let written = values(cache.get(&output).unwrap());
        let direction: Vec<f32> = (0..width).map(|at| (at as f32).sin()).collect();
        for seeded in Seeded::all() {
            let files = seeded.write(&model);
            let transcoders = Transcoders::load(files.path(), &model).unwrap();
            let targets = Targets::Direction("any".to_owned(), direction.clone());
            let graph = Tracer::new(&model, &transcoders).masked(0).targets(targets).trace(&tokens).unwrap();
            let found =
                graph.edge(graph.target(0).unwrap(), graph.error(layers - 1, tokens.len() - 1).unwrap());
            let read = seeded.reconstructed(files.path(), &model, &tokens);
            let error: Vec<f32> =
                written[written.len() - width..].iter().zip(&read).map(|(a, b)| a - b).collect();
            let mean = if family == "gpt2" { error.iter().sum::<f32>() / width as f32 } else { 0.0 };
            let along = error.iter().zip(&gain).zip(&direction);
            let expected: f32 =
                along.map(|((error, gain), along)| (error - mean) * gain / scale * along).sum();
            assert!((found - expected).abs() < 1e-4, "{family} {seeded:?}: {found}, expected {expected}");
            assert!(expected.abs() > 0.01, "{family} {seeded:?}: {expected}");
        }
    }
}

#[test]
fn the_neurons_of_a_relu_model_leave_no_error() {
    let model = Model::load(fixtures().join("../../models/toy-relu")).unwrap();
    let tokens = model.tokenize("the capital of the state containing Dallas is").unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let graph = Tracer::new(&model, &neurons).trace(&tokens).unwrap();
    sums("toy-relu", &model, &graph, &tokens);
    for target in graph.rows() {
        for layer in 0..graph.layers {
            for position in 0..tokens.len() {
                let edge = graph.edge(target, graph.error(layer, position).unwrap());
                assert!(edge.abs() < f32::MIN_POSITIVE, "{layer} {position}: {edge}");
            }
        }
    }
    let scores = graph.scores();
    assert!(
        (scores.replacement - 1.0).abs() < 1e-12 && (scores.completeness - 1.0).abs() < 1e-12,
        "{scores:?}"
    );
    let gelu = Model::load(fixtures().join("../../models/toy-gelu")).unwrap();
    let error = Transcoders::neurons(&gelu).unwrap_err().to_string();
    assert!(error.starts_with("toy-gelu: its MLP has another activation than ReLU"), "{error}");
}

/// The rows that known edges lead to have these edges and no others, and nothing is left over.
#[track_caller]
fn exactly(what: &str, graph: &AttributionGraph, edges: &[KnownEdge]) {
    let node = |known: KnownNode| match known {
        KnownNode::Token { position } => graph.token(position).unwrap(),
        KnownNode::Neuron { layer, position, neuron } => graph.feature(layer, position, neuron).unwrap(),
        KnownNode::Logit { .. } => graph.target(0).unwrap(),
    };
    let known: Vec<(usize, usize, f64)> =
        edges.iter().map(|edge| (node(edge.to), node(edge.from), edge.weight)).collect();
    for (target, ..) in &known {
        for source in 0..graph.sources() {
            let found = f64::from(graph.edge(*target, source));
            let expected =
                known.iter().find(|edge| (edge.0, edge.1) == (*target, source)).map_or(0.0, |edge| edge.2);
            assert!(
                (found - expected).abs() < 1e-5,
                "{what}: {:?} to {:?} is {found}, expected {expected}",
                graph.node(source),
                graph.node(*target)
            );
        }
    }
    let scores = graph.scores();
    assert_eq!((scores.replacement, scores.completeness), (1.0, 1.0), "{what}");
    assert!(matches!(graph.node(graph.target(0).unwrap()), Some(Node::Target(0))));
}

#[test]
fn the_known_edges_of_models_built_by_hand_are_recovered_exactly() {
    let check = |model: &Model, prompt: &str, targets: Targets, edges: &[KnownEdge]| {
        let neurons = Transcoders::neurons(model).unwrap();
        let tokens = model.tokenize(prompt).unwrap();
        let graph = Tracer::new(model, &neurons).targets(targets).trace(&tokens).unwrap();
        exactly(prompt, &graph, edges);
    };
    let two_step = TwoStep::model().unwrap();
    for city in 1..=6 {
        let prompt = format!("{} capital", two_step.token_text(city));
        let targets = Targets::Difference(TwoStep::capital(city).unwrap(), TwoStep::CAPITAL);
        check(&two_step, &prompt, targets, &TwoStep::edges(city));
    }
    let targets = Targets::Difference(Harmful::POISON, Harmful::REFUSE);
    check(&Harmful::model().unwrap(), Harmful::PROMPT, targets, &Harmful::edges());
}

#[test]
fn neurons_in_files_are_the_neurons() {
    let model = Model::load(fixtures().join("../../models/toy-relu")).unwrap();
    let tokens = toy_prompt(&model, "Dallas");
    let files = neurons_in_files();
    let read = Transcoders::load(files.path(), &model).unwrap();
    let found = Tracer::new(&model, &read).trace(&tokens).unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let expected = Tracer::new(&model, &neurons).trace(&tokens).unwrap();
    assert_eq!(found.features.len(), expected.features.len());
    for (found, expected) in found.features.iter().zip(&expected.features) {
        let key = |at: &ActiveFeature| (at.layer, at.position, at.feature);
        assert_eq!(key(found), key(expected));
        assert!((found.activation - expected.activation).abs() < 1e-4, "{found:?} {expected:?}");
    }
    for target in expected.rows() {
        for (found, expected) in found.row(target).iter().zip(expected.row(target)) {
            assert!((found - expected).abs() < 1e-4, "row {target}: {found} {expected}");
        }
    }
    assert_eq!(found.prune(Thresholds::default()).edges, expected.prune(Thresholds::default()).edges);
}
