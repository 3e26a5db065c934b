//! Graphs and transcoders in files: what is written, what is read, what is refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor};
use llmtrace_lens::Model;
use llmtrace_lens::circuit::graph::Targets;
use llmtrace_lens::circuit::transcoder::FeatureActivation;
use llmtrace_lens::circuit::{AttributionGraph, Node, Thresholds, Tracer, Transcoders};
use serde_json::Value;

use crate::seeded::Seeded;

use crate::support::{fixtures, tensors, values};

fn golden() -> (AttributionGraph, Value) {
    let model = Model::load(fixtures().join("models/gpt2")).unwrap();
    let folder = fixtures().join("graphs/gpt2_plt");
    let transcoders = Transcoders::load(&folder, &model).unwrap();
    let expected = tensors(folder.join("graph.safetensors"));
    let tokens: Vec<u32> =
        expected["input_ids"].to_dtype(candle_core::DType::U32).unwrap().to_vec1().unwrap();
    let targets = Targets::Likely { most: 6, probability: 0.9 };
    let graph = Tracer::new(&model, &transcoders).targets(targets).trace(&tokens).unwrap();
    let json = std::fs::read(folder.join("graph.json")).unwrap();
    (graph, serde_json::from_slice(&json).unwrap())
}

#[test]
fn the_json_has_the_nodes_and_links_of_neuronpedia_with_ids_of_their_own() {
    let (graph, expected) = golden();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.json");
    let pruned = graph.prune(Thresholds::default());
    graph.save_json(&path, "Tiny GPT-2: PLT", &pruned).unwrap();
    let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(json["metadata"]["slug"], "tiny-gpt-2-plt");
    assert_eq!(json["qParams"], expected["qParams"]);
    for key in ["prompt_tokens", "node_threshold", "schema_version"] {
        assert_eq!(json["metadata"][key], expected["metadata"][key], "{key}");
    }
    let ids: BTreeSet<String> = (0..graph.len()).map(|node| graph.node_id(node)).collect();
    assert_eq!(ids.len(), graph.len());
    // circuit-tracer's errors are called as features of layer 0 can be.
    let ours = |node: &Value| match node["feature_type"].as_str().unwrap() {
        "mlp reconstruction error" => {
            format!("err_{}_{}", node["layer"].as_str().unwrap(), node["ctx_idx"])
        }
        _ => node["node_id"].as_str().unwrap().to_owned(),
    };
    let found: BTreeMap<&str, &Value> = json["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["node_id"].as_str().unwrap(), node))
        .collect();
    let nodes = expected["nodes"].as_array().unwrap();
    assert_eq!(found.len(), nodes.len());
    for node in nodes {
        let id = ours(node);
        let found = found[id.as_str()];
        for key in
            ["feature", "layer", "ctx_idx", "feature_type", "is_target_logit", "run_idx", "reverse_ctx_idx"]
        {
            assert_eq!(found[key], node[key], "{id} {key}");
        }
        for key in ["activation", "token_prob", "influence"] {
            let (found, expected) = (found[key].as_f64(), node[key].as_f64());
            let close = found.is_some() == expected.is_some()
                && (found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-4;
            assert!(close, "{id} {key}: {found:?} {expected:?}");
        }
    }
    let links = json["links"].as_array().unwrap();
    assert_eq!(links.len(), expected["links"].as_array().unwrap().len());
    for link in links {
        for end in ["source", "target"] {
            assert!(found.contains_key(link[end].as_str().unwrap()), "{link}");
        }
        assert!(link["weight"].as_f64().unwrap() != 0.0);
    }
}

#[test]
fn what_is_asked_for_twice_is_one_target_and_what_is_not_there_is_refused() {
    let model = Model::load(fixtures().join("models/gpt2")).unwrap();
    let transcoders = Transcoders::load(fixtures().join("graphs/gpt2_plt"), &model).unwrap();
    let trace = |targets| Tracer::new(&model, &transcoders).targets(targets).trace(&[0, 20, 33]);
    let names = |targets| -> Vec<Option<u32>> {
        let graph: AttributionGraph = trace(targets).unwrap();
        graph.targets.iter().map(|target| target.token).collect()
    };
    assert_eq!(names(Targets::Tokens(vec![7, 9, 7])), [Some(7), Some(9)]);
    assert_eq!(names(Targets::Tokens(vec![])), []);
    assert_eq!(names(Targets::Direction("up".to_owned(), vec![1.0; 32])), [None]);
    assert_eq!(names(Targets::Likely { most: 3, probability: 1.0 }).len(), 3);
    for (targets, expected) in [
        (Targets::Tokens(vec![384]), "token 384 is outside the vocabulary of 384 tokens"),
        (Targets::Difference(1, 999), "token 999 is outside the vocabulary of 384 tokens"),
        (Targets::Direction("up".to_owned(), vec![1.0]), "a direction of 1 numbers was given, expected 32"),
    ] {
        assert_eq!(trace(targets).unwrap_err().to_string(), expected);
    }
    assert!(Tracer::new(&model, &transcoders).trace(&[]).is_err());
    let other = Model::load(fixtures().join("../../models/toy-relu")).unwrap();
    assert_eq!(
        Tracer::new(&other, &transcoders).trace(&[0, 20, 33]).unwrap_err().to_string(),
        "toy-relu: there are transcoders of 3 layers and width 32, expected 3 and 64"
    );
}

#[test]
fn the_tensors_are_the_graph() {
    let (graph, _) = golden();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.safetensors");
    let pruned = graph.prune(Thresholds { nodes: 0.6, edges: 0.9 });
    let nodes = graph.len();
    for more in [1, 0] {
        if more == 1 {
            graph.save_tensors(&path, &pruned).unwrap();
        } else {
            graph.save_tensors_without_constant(&path, &pruned).unwrap();
        }
        let tensors = crate::support::tensors(&path);
        assert_eq!(tensors["adjacency"].dims(), [nodes, nodes + more]);
        let adjacency: Vec<Vec<f32>> = tensors["adjacency"].to_vec2().unwrap();
        for target in graph.rows() {
            let row = &adjacency[target][..graph.sources()];
            assert!(row.iter().zip(graph.row(target)).all(|(found, edge)| (found - edge).abs() < 1e-9));
            if more == 1 {
                let constant = graph.constant(target).unwrap();
                assert!((adjacency[target][nodes] - constant).abs() < 1e-9, "{target}: {constant}");
                let sum: f64 = adjacency[target].iter().copied().map(f64::from).sum();
                assert!((sum - graph.total(target).unwrap()).abs() < 1e-9);
            }
        }
        let places: Vec<Vec<i64>> = tensors["active_features"].to_vec2().unwrap();
        assert_eq!(places.len(), graph.features.len());
        let kept: Vec<u8> = tensors["kept_edges"].flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(kept.iter().map(|kept| usize::from(*kept)).sum::<usize>(), pruned.edges.len());
        assert_eq!(tensors["logit_probs"].dims(), [graph.targets.len()]);
    }
}

#[test]
fn graphml_is_xml_and_dot_names_every_node_and_edge() {
    let (graph, _) = golden();
    let pruned = graph.prune(Thresholds::default());
    let kept = pruned.nodes.iter().filter(|kept| **kept).count();
    let xml = graph.to_graphml(&pruned);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let count = |name: &str| {
        document
            .descendants()
            .filter(|node| node.has_tag_name(("http://graphml.graphdrawing.org/xmlns", name)))
            .count()
    };
    assert_eq!((count("node"), count("edge")), (kept, pruned.edges.len()));
    let whole = graph.to_dot(&graph.prune(Thresholds { nodes: 1.0, edges: 1.0 }));
    let values = whole.split("[value=").skip(1).map(|rest| rest.split(',').next().unwrap());
    // A number of Graphviz's language has no exponent.
    assert!(values.clone().any(|value| value.parse::<f32>().unwrap().abs() < 1e-5), "{whole}");
    assert!(values.clone().all(|value| !value.contains('e')), "{whole}");
    let dot = graph.to_dot(&pruned);
    let lines = |what: &str| dot.lines().filter(|line| line.contains(what)).count();
    assert_eq!((lines(" -> \""), lines("shape=")), (pruned.edges.len(), kept));
    assert!(dot.contains("[label=\"\\\" Da\\\"\", shape=box];"), "{dot}");
}

#[test]
fn a_budget_keeps_the_most_influential_features_and_counts_what_it_leaves_out() {
    let model = Model::load(fixtures().join("models/gpt2")).unwrap();
    let transcoders = Transcoders::load(fixtures().join("graphs/gpt2_plt"), &model).unwrap();
    let tokens = [0, 20, 33, 47, 20, 102, 9];
    let tracer = Tracer::new(&model, &transcoders);
    let whole = tracer.trace(&tokens).unwrap();
    for nodes in [0, 1, 30, whole.features.len() - 1] {
        // Ranked again after each row, it is the ranking of the whole graph among those with rows.
        let graph = tracer.clone().max_feature_nodes(nodes).batches(4, 2).trace(&tokens).unwrap();
        assert_eq!((graph.features.len(), graph.active), (nodes, whole.features.len()));
        for target in graph.rows() {
            let same = match graph.node(target).unwrap() {
                Node::Feature(at) => whole.feature(at.layer, at.position, at.feature).unwrap(),
                Node::Target(target) => whole.target(target).unwrap(),
                other => panic!("{other:?}"),
            };
            assert!((graph.total(target).unwrap() - whole.total(same).unwrap()).abs() < 1e-4);
            for source in 0..graph.features.len() {
                let at = graph.features[source];
                let there = whole.feature(at.layer, at.position, at.feature).unwrap();
                assert!((graph.edge(target, source) - whole.edge(same, there)).abs() < 1e-5);
            }
        }
    }
    let direct = |node: usize| -> f64 {
        let targets = whole.targets.iter().enumerate();
        targets
            .map(|(index, target)| {
                let row = whole.row(whole.target(index).unwrap());
                target.weight * f64::from(row[node].abs())
                    / row.iter().map(|edge| f64::from(edge.abs())).sum::<f64>()
            })
            .sum()
    };
    let best = (0..whole.features.len()).max_by(|a, b| direct(*a).total_cmp(&direct(*b))).unwrap();
    let one = tracer.clone().max_feature_nodes(1).trace(&tokens).unwrap();
    assert_eq!(one.features[0], whole.features[best]);
    let error = tracer.clone().max_bytes(1000).trace(&tokens).unwrap_err().to_string();
    assert!(error.contains("more than the 1000 allowed"), "{error}");
}

#[test]
fn rows_that_wait_on_disk_make_the_same_graph() {
    let model = Model::load(fixtures().join("models/gpt2")).unwrap();
    let transcoders = Transcoders::load(fixtures().join("graphs/gpt2_plt"), &model).unwrap();
    let tokens = [0, 20, 33, 47, 20, 102, 9];
    for nodes in [0, 1, 30, usize::MAX] {
        let tracer = Tracer::new(&model, &transcoders).max_feature_nodes(nodes).batches(4, 2);
        let graph = tracer.trace(&tokens).unwrap();
        let edges = graph.rows().flat_map(|row| graph.row(row).to_vec());
        let edges: Vec<f32> = edges.collect();
        let bytes = edges.len() * size_of::<f32>();
        // Room for the graph alone, for some rows beside it, and for the graph not even.
        for room in [bytes, bytes + 10_000] {
            let again = tracer.clone().max_bytes(room).trace(&tokens).unwrap();
            assert_eq!(again.features, graph.features, "{nodes} {room}");
            // Batches are smaller too, and products of smaller batches may be rounded otherwise.
            let close = |what: &str, found: &[f32], expected: &[f32]| {
                assert_eq!(found.len(), expected.len(), "{what}");
                let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(apart < 1e-5, "{what} {nodes} {room}: {apart}");
            };
            let found: Vec<f32> = again.rows().flat_map(|row| again.row(row).to_vec()).collect();
            close("edges", &found, &edges);
            close("constants", &again.constants, &graph.constants);
            close("left out", &again.left_out, &graph.left_out);
        }
        let error = tracer.max_bytes(bytes - 1).trace(&tokens).unwrap_err().to_string();
        assert!(
            error.contains(&format!("take {bytes} bytes, more than the {} allowed", bytes - 1)),
            "{error}"
        );
    }
}

#[test]
fn activations_are_those_of_the_features_that_pass() {
    let pre = [0.5, -1.0, 2.0, 0.0, 1.5];
    for (activation, expected) in [
        (FeatureActivation::Relu, vec![(0, 0.5), (2, 2.0), (4, 1.5)]),
        (FeatureActivation::JumpRelu(vec![0.5, -2.0, 1.0, -1.0, 1.6]), vec![(1, -1.0), (2, 2.0)]),
        (FeatureActivation::TopK(2), vec![(2, 2.0), (4, 1.5)]),
        (FeatureActivation::TopK(5), vec![(0, 0.5), (1, -1.0), (2, 2.0), (4, 1.5)]),
    ] {
        assert_eq!(activation.active(&pre), expected, "{activation:?}");
    }
}

/// Transcoders of which one file has other tensors.
#[track_caller]
fn refused(change: impl Fn(&Path), expected: &str) {
    let model = Model::load(fixtures().join("models/gpt2")).unwrap();
    let folder = Seeded::all()[0].write(&model);
    change(folder.path());
    let error = Transcoders::load(folder.path(), &model).map(|_| ()).unwrap_err().to_string();
    let error = error.replace(&*folder.path().to_string_lossy(), "T");
    assert_eq!(error, expected);
}

/// Puts a tensor of this shape in a file, or takes it out.
fn tensor(folder: &Path, file: &str, name: &str, shape: Option<&[usize]>) {
    let path = folder.join(file);
    let mut tensors: HashMap<String, Tensor> = crate::support::tensors(&path);
    tensors.remove(name);
    if let Some(shape) = shape {
        let zeros = Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        tensors.insert(name.to_owned(), zeros);
    }
    candle_core::safetensors::save(&tensors, path).unwrap();
}

#[test]
fn files_that_do_not_fit_are_named_with_the_tensor_and_both_shapes() {
    let file = "layer_1.safetensors";
    refused(
        |folder| tensor(folder, file, "W_dec", Some(&[24, 31])),
        "T/layer_1.safetensors: tensor \"W_dec\" has shape [24, 31], expected [24, 32]",
    );
    refused(
        |folder| tensor(folder, file, "W_enc", Some(&[24, 16])),
        "T/layer_1.safetensors: tensor \"W_enc\" has shape [24, 16], expected [24, 32]",
    );
    refused(
        |folder| tensor(folder, file, "b_dec", None),
        "T/layer_1.safetensors: no tensor \"b_dec\", expected one of shape [32]",
    );
    refused(
        |folder| tensor(folder, file, "b_enc", Some(&[23])),
        "T/layer_1.safetensors: tensor \"b_enc\" has shape [23], expected [24]",
    );
    refused(
        |folder| std::fs::remove_file(folder.join(file)).unwrap(),
        "cannot read T/layer_1.safetensors: No such file or directory (os error 2)",
    );
    refused(
        |folder| std::fs::write(folder.join(file), [1, 2, 3]).unwrap(),
        "T/layer_1.safetensors: is 3 bytes long, too short for safetensors",
    );
    refused(
        |folder| std::fs::write(folder.join("config.yaml"), "feature_input_hook: hook_z\n").unwrap(),
        "T/config.yaml: \"hook_z\" is no hook that transcoders are known at; known: hook_resid_mid, ln2.hook_normalized, mlp.hook_in",
    );
}

#[test]
fn decoders_are_read_by_slice() {
    let model = Model::load(fixtures().join("models/llama")).unwrap();
    let folder = fixtures().join("graphs/llama_clt");
    let transcoders = Transcoders::load(&folder, &model).unwrap();
    let all = tensors(folder.join("W_dec_1.safetensors"));
    for (features, to) in [(vec![3, 4, 5, 20, 0], 2), (vec![23], 1), (vec![], 1)] {
        let found = transcoders.decoders(1, &features, to).unwrap();
        assert_eq!(found.dims(), [features.len(), 32]);
        let rows = features.iter().map(|row| all["W_dec_1"].get(*row).unwrap().get(to - 1).unwrap());
        let expected: Vec<f32> = rows.flat_map(|row| values(&row)).collect();
        assert_eq!(values(&found), expected);
    }
    let error = transcoders.decoders(2, &[0], 1).unwrap_err().to_string();
    assert_eq!(error, "features of layer 2 do not write to layer 1");
}
