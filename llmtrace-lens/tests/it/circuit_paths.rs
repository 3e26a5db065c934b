//! Paths and supernodes: how an answer came, told in a few words.

use llmtrace_lens::Toy;
use llmtrace_lens::circuit::graph::Targets;
use llmtrace_lens::circuit::{AttributionGraph, Speaks, Supernode, Thresholds, Tracer, Transcoders};
use llmtrace_lens::handmade::TwoStep;

fn two_step(city: u32) -> AttributionGraph {
    let model = TwoStep::model().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let targets = Targets::Difference(TwoStep::capital(city).unwrap(), TwoStep::CAPITAL);
    Tracer::new(&model, &neurons).targets(targets).trace(&[0, city, TwoStep::CAPITAL]).unwrap()
}

#[test]
fn the_two_paths_of_the_two_step_circuit_share_the_answer_as_their_weights_say() {
    for city in 1..=6 {
        let graph = two_step(city);
        let pruned = graph.prune(Thresholds::default());
        let state = TwoStep::state(city).unwrap();
        let detector = graph.feature(0, 1, city as usize - 1).unwrap();
        let asker = graph.feature(1, 2, state).unwrap();
        let (from, question, target) =
            (graph.token(1).unwrap(), graph.token(2).unwrap(), graph.target(0).unwrap());
        // 3 from the city's neuron and 2 from the question.
        let paths = graph.paths(&pruned, 10);
        let found: Vec<(&[usize], f64, bool)> =
            paths.iter().map(|path| (path.nodes.as_slice(), path.share, path.supports)).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].0, found[0].2), (&[from, detector, asker, target][..], true));
        assert_eq!((found[1].0, found[1].2), (&[question, asker, target][..], true));
        assert!((found[0].1 - 0.6).abs() < 1e-6 && (found[1].1 - 0.4).abs() < 1e-6, "{found:?}");
        let supernodes = [
            Supernode { label: "the state".to_owned(), nodes: vec![detector] },
            Supernode { label: "say a capital".to_owned(), nodes: vec![asker] },
        ];
        let named = graph.named_paths(&paths, &supernodes);
        let label = graph.node_label(from);
        assert_eq!(named[0].steps[..3], [label.as_str(), "the state", "say a capital"]);
        assert!((named[0].share - 0.6).abs() < 1e-6 && named[0].speaks() == Speaks::For, "{named:?}");
        let against = llmtrace_lens::circuit::Path { supports: false, ..paths[1].clone() };
        let mixed = graph.named_paths(&[paths[1].clone(), against.clone()], &[]);
        assert_eq!((mixed.len(), mixed[0].speaks()), (1, Speaks::Both), "{mixed:?}");
        assert_eq!(graph.named_paths(&[against], &[])[0].speaks(), Speaks::Against);
    }
}

#[test]
fn a_summary_says_what_is_kept_and_tells_the_strongest_way() {
    let model = TwoStep::model().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let graph = two_step(3);
    let pruned = graph.prune(Thresholds::default());
    let state = TwoStep::state(3).unwrap();
    let asker = graph.feature(1, 2, state).unwrap();
    let groups = [Supernode { label: "say a capital".to_owned(), nodes: vec![asker] }];
    let summary = graph.summary(&pruned, &groups, 5).with_effects(&model, &neurons, 1).unwrap();
    // The city's and the question's words, the city's neuron, the one that answers, and the target.
    assert_eq!(
        (summary.nodes.all, summary.nodes.kept),
        (graph.len(), pruned.nodes.iter().filter(|kept| **kept).count())
    );
    assert_eq!(
        (summary.kinds.features, summary.kinds.errors, summary.kinds.tokens, summary.kinds.targets),
        (2, 0, 3, 1)
    );
    assert_eq!(summary.edges.kept, pruned.edges.len());
    assert_eq!((summary.replacement, summary.completeness), (1.0, 1.0));
    let detector = graph.node_label(graph.feature(0, 1, 2).unwrap());
    let from = graph.node_label(graph.token(1).unwrap());
    let told = summary.strongest_path().unwrap();
    assert!(told.starts_with(&format!("{from} -> {detector} -> say a capital -> \"")), "{told}");
    assert!(!told.contains("-> ->"), "{told}");
    assert_eq!(summary.supernodes[0].nodes, [graph.node_id(asker)]);
    // All of the answer comes through the neuron that says it, and it says the capital.
    assert!((summary.features[0].share - 1.0).abs() < 1e-6, "{:?}", summary.features);
    assert_eq!(summary.features[0].id, graph.node_id(asker));
    assert_eq!(summary.features[0].promoted[0].token.id, TwoStep::capital(3).unwrap());
}

#[test]
fn shares_of_all_paths_sum_to_one() {
    let graph = two_step(3);
    let all = graph.prune(Thresholds { nodes: 1.0, edges: 1.0 });
    let sum: f64 = graph.paths(&all, 1000).iter().map(|path| path.share).sum();
    assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    let few = graph.paths(&all, 1);
    assert_eq!(few.len(), 1);
}

#[test]
fn features_that_are_one_over_positions_or_write_alike_are_proposed_together() {
    let model = Toy::Relu.load().unwrap();
    let tokens = model.tokenize("the capital of the state containing Dallas is").unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let graph = Tracer::new(&model, &neurons).trace(&tokens).unwrap();
    let pruned = graph.prune(Thresholds { nodes: 1.0, edges: 1.0 });
    let kinds = |cosine: f32| {
        let groups = graph.propose_supernodes(&neurons, &pruned, cosine).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        assert!(groups.iter().all(|group| group.nodes.len() > 1));
        assert!(groups.iter().flat_map(|group| &group.nodes).all(|node| seen.insert(*node)), "a node twice");
        let key = |node: &usize| (graph.features[*node].layer, graph.features[*node].feature);
        let one = groups.iter().all(|group| group.nodes.iter().all(|node| key(node) == key(&group.nodes[0])));
        (groups, one)
    };
    // Nothing is more alike than 1: the same feature alone.
    let (strict, one) = kinds(1.1);
    assert!(one && !strict.is_empty());
    let (loose, one) = kinds(0.7);
    assert!(!one && loose.iter().map(|group| group.nodes.len()).sum::<usize>() > 2);
    let file = graph.graph_file("dallas", &pruned).with_supernodes(&graph, &strict);
    assert_eq!(file.query.supernodes.len(), strict.len());
    assert_eq!(file.query.supernodes[0][0], strict[0].label);
    assert_eq!(file.query.supernodes[0].len(), strict[0].nodes.len() + 1);
}

#[test]
fn the_graph_of_the_toy_shows_the_state_between_the_city_and_its_capital() {
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let tracer = Tracer::new(&model, &neurons);
    let ask = |city: &str| model.tokenize(&format!("the capital of the state containing {city} is")).unwrap();
    let graph = tracer.trace(&ask("Dallas")).unwrap();
    assert_eq!(graph.targets[0].name.trim(), "Austin");
    let active = |city: &str, layer: usize, feature: usize| {
        let graph = tracer.trace(&ask(city)).unwrap();
        graph.feature(layer, graph.tokens.len() - 1, feature).is_some()
    };
    let influence = graph.influence();
    let mut order: Vec<usize> = (0..graph.features.len()).collect();
    order.sort_by(|a, b| influence.of(*b).total_cmp(&influence.of(*a)));
    let last = graph.tokens.len() - 1;
    // Neurons that fire at the end for another city of Texas, and for none of two other states.
    let texas = order.iter().take(20).map(|node| graph.features[*node]).filter(|at| {
        at.layer < 2
            && at.position == last
            && active("Houston", at.layer, at.feature)
            && !["Oakland", "Savannah"].iter().any(|city| active(city, at.layer, at.feature))
    });
    let texas: Vec<_> = texas.collect();
    assert!(!texas.is_empty());
}
