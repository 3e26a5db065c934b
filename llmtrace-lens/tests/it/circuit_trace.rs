//! Graphs in the trace of the program that asks for them.

use llmtrace::testing::Recording;
use llmtrace::{ContentPolicy, Message, SpanExt as _, SpanRecord, Value, generation};
use llmtrace_lens::circuit::write::GraphFile;
use llmtrace_lens::circuit::{GRAPH_BYTES, Labels, Thresholds, Tracer, Transcoders};
use llmtrace_lens::trace::{Artifacts, names};
use llmtrace_lens::{Model, Toy};

use crate::support::{fixtures, model, tensors, toy_prompt};

fn figure(span: &SpanRecord, key: &str) -> Option<f64> {
    span.attributes.get(key).and_then(Value::as_f64)
}

fn toy() -> (Model, Transcoders, Vec<u32>) {
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let tokens = toy_prompt(&model, "Dallas");
    (model, neurons, tokens)
}

const GRAPH: &str = "attribution graph toy-relu";

#[test]
fn a_graph_is_a_span_of_what_it_explains() {
    let (model, neurons, tokens) = toy();
    let recording = Recording::start();
    let graph = recording.run(|| {
        let answer = generation!("answer");
        answer.record_output(&[Message::assistant("Austin")]);
        let graph = Tracer::new(&model, &neurons).of_span(&answer).trace(&tokens).unwrap();
        graph.record_on(&answer, &graph.prune(Thresholds { nodes: 0.5, edges: 0.5 }), &[]);
        graph
    });
    assert_eq!(recording.tree(), format!("answer [generation]\n  {GRAPH} [evaluator]\n"));
    let check = |name: &str, thresholds: Thresholds| {
        let span = recording.span(name);
        let pruned = graph.prune(thresholds);
        let json = span.attributes.get_str(names::GRAPH).unwrap();
        let file: GraphFile = serde_json::from_str(json).unwrap();
        let expected = graph.graph_file("toy-relu", &pruned);
        let ids = |file: &GraphFile| -> Vec<String> {
            file.nodes.iter().map(|node| node.node_id.clone()).collect()
        };
        assert_eq!(
            (ids(&file), &file.metadata.prompt),
            (ids(&expected), &expected.metadata.prompt),
            "{name}"
        );
        assert_eq!(file.links.len(), expected.links.len());
        for (key, expected) in [
            (names::GRAPH_NODES, expected.nodes.len() as f64),
            (names::GRAPH_EDGES, expected.links.len() as f64),
            (names::GRAPH_ACTIVE_FEATURES, graph.active as f64),
            (names::GRAPH_REPLACEMENT, 1.0),
            (names::GRAPH_COMPLETENESS, 1.0),
            (names::GRAPH_SIZE, json.len() as f64),
        ] {
            assert!((figure(&span, key).unwrap() - expected).abs() < 1e-9, "{name} {key}");
        }
        let path = span.attributes.get_str(names::GRAPH_PATH).unwrap();
        assert!(path.starts_with('"') && path.ends_with(" -> \"Austin\""), "{path}");
        assert!(span.attributes.get(names::GRAPH_FORETOLD_HELD).is_none());
    };
    check(GRAPH, Thresholds::default());
    check("answer", Thresholds { nodes: 0.5, edges: 0.5 });
    assert_eq!(recording.span("answer").output[0].text(), "Austin");
    let span = recording.span(GRAPH);
    assert!(span.output[0].text().contains(span.attributes.get_str(names::GRAPH_PATH).unwrap()));
    assert_eq!(span.input[0].text(), "the capital of the state containing Dallas is");
}

#[test]
fn a_span_calls_features_what_they_were_said_to_mean() {
    let (model, neurons, tokens) = toy();
    let recording = Recording::start();
    let labels = Labels::default().with(2, 325, "say Austin");
    let graph = recording.run(|| Tracer::new(&model, &neurons).labels(labels).trace(&tokens).unwrap());
    let span = recording.span(GRAPH);
    let file: GraphFile = serde_json::from_str(span.attributes.get_str(names::GRAPH).unwrap()).unwrap();
    let labelled = file.nodes.iter().filter(|node| node.clerp == "say Austin");
    assert!(labelled.clone().count() > 0 && labelled.clone().all(|node| node.js_node_id == "2_325-0"));
    assert!(span.output[0].text().contains("say Austin"), "{}", span.output[0].text());
    assert_eq!(graph.labels.of(2, 325), Some("say Austin"));
}

#[test]
fn the_span_of_an_experiment_says_how_far_its_graph_may_be_trusted() {
    let (model, neurons, tokens) = toy();
    let recording = Recording::start();
    let validation = recording.run(|| {
        let experiment = Tracer::new(&model, &neurons).experiment(&tokens).unwrap();
        experiment.validate(5).unwrap()
    });
    let span = recording.span(GRAPH);
    for (key, expected) in [
        (names::GRAPH_FORETOLD_HELD, validation.total.correlation),
        (names::GRAPH_FORETOLD_FREE, validation.free.correlation),
        (names::GRAPH_FORETOLD_WITH_NORMS, validation.with_norms.correlation),
        (names::GRAPH_ABLATED, Some(5.0)),
    ] {
        assert!(expected.is_some() && figure(&span, key) == expected, "{key}: {expected:?} {span:?}");
    }
}

#[test]
fn without_content_there_are_figures_and_no_words() {
    let (model, neurons, tokens) = toy();
    let recording = Recording::with(|builder| builder.content(ContentPolicy::Omit));
    recording.run(|| Tracer::new(&model, &neurons).trace(&tokens).unwrap());
    let span = recording.span(GRAPH);
    assert_eq!(figure(&span, names::GRAPH_REPLACEMENT), Some(1.0));
    let all = format!("{span:?}");
    assert!(!all.contains("Dallas") && !all.contains("Austin"), "{all}");
}

#[test]
fn a_graph_that_is_too_large_for_an_attribute_is_in_the_files_beside_the_trace() {
    let model = model("gpt2");
    let transcoders = Transcoders::load(fixtures().join("graphs/gpt2_plt"), &model).unwrap();
    let tokens = [0, 20, 33, 47, 20, 102, 9, 20, 33, 47, 20, 102];
    let folder = tempfile::tempdir().unwrap();
    let whole = Thresholds { nodes: 1.0, edges: 1.0 };
    let check = |artifacts: Artifacts, is_whole: bool| {
        let recording = Recording::start();
        let tracer = Tracer::new(&model, &transcoders).told(whole).artifacts(artifacts);
        let graph = recording.run(|| tracer.trace(&tokens).unwrap());
        let span = recording.span("attribution graph gpt2");
        let size = figure(&span, names::GRAPH_SIZE).unwrap();
        assert!(size > GRAPH_BYTES as f64 && span.attributes.get(names::GRAPH).is_none(), "{size}");
        let json = span.attributes.get_str(names::GRAPH_FILE).unwrap();
        let file: GraphFile = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
        assert_eq!(Some(file.nodes.len() as f64), figure(&span, names::GRAPH_NODES));
        let path = span.attributes.get_str(names::ARTIFACT_PATH);
        assert_eq!(path.is_some(), is_whole);
        assert_eq!(figure(&span, names::ARTIFACT_OMITTED), (!is_whole).then_some(1.0));
        if let Some(path) = path {
            let adjacency = &tensors(std::path::PathBuf::from(path))["adjacency"];
            assert_eq!(adjacency.dims(), [graph.len(), graph.len() + 1]);
        }
    };
    let place = folder.path().join("tensors");
    check(Artifacts::in_folder(&place), true);
    check(Artifacts::in_folder(&place).max_bytes(1000), false);
}

#[test]
fn what_fails_is_said_and_changes_no_result() {
    let (model, neurons, tokens) = toy();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let recording = Recording::start();
    let plain = Tracer::new(&model, &neurons);
    let graph = recording.run(|| {
        plain.trace(&[9999]).unwrap_err();
        plain.clone().artifacts(Artifacts::in_folder(&file)).trace(&tokens).unwrap()
    });
    let tree = recording.tree();
    assert!(tree.starts_with(&format!("{GRAPH} [evaluator] error: ")) && tree.contains("9999"), "{tree}");
    let problems: Vec<String> = recording
        .spans()
        .iter()
        .filter_map(|span| span.attributes.get_str(names::ARTIFACT_ERROR).map(str::to_owned))
        .collect();
    assert!(matches!(&problems[..], [problem] if problem.contains("file")), "{problems:?}");
    // Nobody listens.
    let silent = plain.trace(&tokens).unwrap();
    silent.record_on(&tracing::Span::none(), &silent.prune(Thresholds::default()), &[]);
    assert_eq!(silent.features, graph.features);
}
