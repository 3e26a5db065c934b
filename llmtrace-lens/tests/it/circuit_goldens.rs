//! Attribution graphs against those that circuit-tracer computes from the same model and transcoders.

use std::collections::HashMap;

use candle_core::{DType, Tensor};
use llmtrace_lens::Model;
use llmtrace_lens::circuit::graph::Targets;
use llmtrace_lens::circuit::{AttributionGraph, Thresholds, Tracer, Transcoders};

use crate::support::{fixtures, tensors};

const GOLDENS: [(&str, &str); 2] = [("gpt2_plt", "gpt2"), ("llama_clt", "llama")];

struct Golden {
    model: Model,
    transcoders: Transcoders,
    values: HashMap<String, Tensor>,
}

impl Golden {
    fn load((graph, model): (&str, &str)) -> Self {
        let model = Model::load(fixtures().join("models").join(model)).unwrap();
        let folder = fixtures().join("graphs").join(graph);
        let transcoders = Transcoders::load(&folder, &model).unwrap();
        let values = tensors(folder.join("graph.safetensors"));
        Self { model, transcoders, values }
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.values[name].to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    fn ids(&self, name: &str) -> Vec<u32> {
        self.values[name].to_dtype(DType::U32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    fn tracer(&self) -> Tracer<'_> {
        let targets = Targets::Likely { most: 6, probability: 0.9 };
        Tracer::new(&self.model, &self.transcoders).targets(targets)
    }

    fn graph(&self) -> AttributionGraph {
        self.tracer().trace(&self.ids("input_ids")).unwrap()
    }
}

#[test]
fn active_features_and_edges_are_those_of_circuit_tracer() {
    for golden in GOLDENS {
        let case = Golden::load(golden);
        let graph = case.graph();
        let expected: Vec<Vec<u32>> =
            case.values["active_features"].to_dtype(DType::U32).unwrap().to_vec2().unwrap();
        let found: Vec<Vec<u32>> = graph
            .features
            .iter()
            .map(|node| [node.layer, node.position, node.feature].map(|n| u32::try_from(n).unwrap()).to_vec())
            .collect();
        assert_eq!(found, expected, "{golden:?}");
        for (node, activation) in graph.features.iter().zip(case.floats("activation_values")) {
            assert!((node.activation - activation).abs() < 1e-4, "{golden:?} {node:?}: {activation}");
        }
        let tokens: Vec<u32> = graph.targets.iter().map(|target| target.token.unwrap()).collect();
        assert_eq!(tokens, case.ids("logit_token_ids"));
        let nodes = graph.len();
        let adjacency = case.floats("adjacency_matrix");
        assert_eq!(adjacency.len(), nodes * nodes);
        let largest = adjacency.iter().fold(0.0_f32, |largest, edge| largest.max(edge.abs()));
        let mut worst = 0.0_f32;
        for (at, expected) in adjacency.iter().enumerate() {
            worst = worst.max((graph.edge(at / nodes, at % nodes) - expected).abs());
        }
        assert!(worst <= 1e-5 * largest, "{golden:?}: {worst} of {largest}");
        for feature in 0..graph.features.len() {
            let (total, expected) =
                (graph.total(feature).unwrap(), f64::from(graph.features[feature].pre_activation));
            assert!((total - expected).abs() < 1e-4, "{golden:?} {:?}: {total}", graph.features[feature]);
        }
    }
}

#[test]
fn influence_kept_sets_and_scores_are_those_of_circuit_tracer() {
    for golden in GOLDENS {
        let case = Golden::load(golden);
        let graph = case.graph();
        let nodes = graph.len();
        let influence = graph.influence();
        for (node, expected) in case.floats("node_influence").into_iter().enumerate() {
            assert!((influence.of(node) - f64::from(expected)).abs() < 1e-5, "{golden:?} {node}: {expected}");
        }
        for (found, expected) in influence.cumulative().iter().zip(case.floats("cumulative_scores")) {
            assert!(
                (found - f64::from(expected)).abs() < 1e-4 || expected > 0.9999,
                "{golden:?}: {found} {expected}"
            );
        }
        let pruned = graph.prune(Thresholds::default());
        let kept: Vec<u32> = pruned.nodes.iter().map(|kept| u32::from(*kept)).collect();
        assert_eq!(kept, case.ids("node_mask_0.8"), "{golden:?}");
        let mut edges = vec![0; nodes * nodes];
        for (target, source) in &pruned.edges {
            edges[target * nodes + source] = 1;
        }
        assert_eq!(edges, case.ids("edge_mask_0.98"), "{golden:?}");
        let folder = fixtures().join("graphs").join(golden.0).join("meta.json");
        let meta: serde_json::Value = serde_json::from_slice(&std::fs::read(folder).unwrap()).unwrap();
        let scores = graph.scores();
        for (found, key) in
            [(scores.replacement, "replacement_score"), (scores.completeness, "completeness_score")]
        {
            assert!((found - meta[key].as_f64().unwrap()).abs() < 1e-5, "{golden:?} {key}: {found}");
        }
    }
}
