//! `llmtrace lens graph`: its files against circuit-tracer's, and what it says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::{Folder, Run, run};

const DALLAS: &str = "the capital of the state containing Dallas is";
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../llmtrace-lens/tests/fixtures");
const SCHEMA: &str = include_str!("../fixtures/attribution_graph.schema.json");

/// Runs the command, which must do what it is asked for.
fn graph(arguments: &[&str]) -> Run {
    let run = run(&[&["lens", "graph"], arguments].concat(), "");
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
    run
}

/// Numbers of any kind as f64.
fn numbers(file: &SafeTensors<'_>, name: &str) -> Vec<f64> {
    let tensor = file.tensor(name).unwrap();
    let data = tensor.data();
    let of = |size: usize, read: &dyn Fn(&[u8]) -> f64| data.chunks_exact(size).map(read).collect();
    match tensor.dtype() {
        safetensors::Dtype::F32 => of(4, &|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))),
        safetensors::Dtype::I64 => of(8, &|b| i64::from_le_bytes(b.try_into().unwrap()) as f64),
        safetensors::Dtype::I32 => of(4, &|b| f64::from(i32::from_le_bytes(b.try_into().unwrap()))),
        safetensors::Dtype::U8 | safetensors::Dtype::BOOL => of(1, &|b| f64::from(b[0])),
        other => panic!("{name} is {other:?}"),
    }
}

/// What Neuronpedia takes: its schema, ids of their own, links between nodes that are there.
#[track_caller]
fn check_file(path: &Path) -> Value {
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(&file).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let nodes = file["nodes"].as_array().unwrap();
    let ids: BTreeSet<&str> = nodes.iter().map(|node| node["node_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), nodes.len(), "an id twice");
    for link in file["links"].as_array().unwrap() {
        assert!(["source", "target"].iter().all(|end| ids.contains(link[end].as_str().unwrap())), "{link}");
    }
    for group in file["qParams"]["supernodes"].as_array().unwrap() {
        let members = &group.as_array().unwrap()[1..];
        assert!(members.iter().all(|id| ids.contains(id.as_str().unwrap())), "{group}");
    }
    file
}

struct Golden {
    model: String,
    transcoders: String,
    bytes: Vec<u8>,
}

impl Golden {
    fn of(graph: &str, model: &str) -> Self {
        let folder = PathBuf::from(FIXTURES).join("graphs").join(graph);
        Self {
            model: format!("{FIXTURES}/models/{model}"),
            bytes: std::fs::read(folder.join("graph.safetensors")).unwrap(),
            transcoders: folder.to_str().unwrap().to_owned(),
        }
    }

    /// Traces the golden's prompt into these files, with its targets.
    fn trace(&self, outs: &[&Path], more: &[&str]) -> Value {
        let golden = SafeTensors::deserialize(&self.bytes).unwrap();
        let ids: Vec<String> = numbers(&golden, "input_ids").iter().map(|id| format!("{id:.0}")).collect();
        let ids = ids.join(",");
        let mut arguments = vec![self.model.as_str(), "--tokens", &ids, "--transcoders", &self.transcoders];
        arguments.extend(["--max-targets", "6", "--target-probability", "0.9", "--json"]);
        for out in outs {
            arguments.extend(["--out", out.to_str().unwrap()]);
        }
        arguments.extend(more);
        graph(&arguments).json()
    }
}

#[test]
fn the_files_hold_what_circuit_tracer_computes() {
    let folder = Folder::new();
    for (name, model) in [("gpt2_plt", "gpt2"), ("llama_clt", "llama")] {
        let case = Golden::of(name, model);
        let (tensors, json) = (folder.path("graph.safetensors"), folder.path("graph.json"));
        for more in [&[][..], &["--no-constant"]] {
            let summary = case.trace(&[&tensors, &json], more);
            let written = std::fs::read(&tensors).unwrap();
            let written = SafeTensors::deserialize(&written).unwrap();
            let golden = SafeTensors::deserialize(&case.bytes).unwrap();
            let count = |name: &str| numbers(&golden, name).len();
            let nodes = count("node_influence");
            let width = nodes + usize::from(more.is_empty());
            assert_eq!(written.tensor("adjacency").unwrap().shape(), [nodes, width]);
            let (found, expected) = (numbers(&written, "adjacency"), numbers(&golden, "adjacency_matrix"));
            let largest = expected.iter().fold(0.0_f64, |largest, edge| largest.max(edge.abs()));
            for (place, expected) in expected.iter().enumerate() {
                let found = found[place / nodes * width + place % nodes];
                assert!((found - expected).abs() <= 1e-5 * largest, "{name} {place}: {found}, {expected}");
            }
            for (ours, theirs) in [
                ("active_features", "active_features"),
                ("influence", "node_influence"),
                ("kept_nodes", "node_mask_0.8"),
                ("kept_edges", "edge_mask_0.98"),
                ("logit_tokens", "logit_token_ids"),
            ] {
                let (found, expected) = (numbers(&written, ours), numbers(&golden, theirs));
                assert_eq!(found.len(), expected.len(), "{name} {ours}");
                let gap = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(gap < 1e-5, "{name} {ours}: {gap}");
            }
            let meta = std::fs::read(Path::new(&case.transcoders).join("meta.json")).unwrap();
            let meta: Value = serde_json::from_slice(&meta).unwrap();
            let close = |ours: &Value, theirs: &str| {
                let gap = ours.as_f64().unwrap() - meta[theirs].as_f64().unwrap();
                assert!(gap.abs() < 1e-5, "{name} {theirs}: {ours}");
            };
            close(&summary["replacement"], "replacement_score");
            close(&summary["completeness"], "completeness_score");
            close(&summary["nodes"]["kept"], "kept_nodes");
            close(&summary["edges"]["kept"], "kept_edges");
            close(&summary["active_features"], "n_active");
            let file = check_file(&json);
            assert_eq!(file["metadata"]["slug"], "graph");
            assert_eq!(file["nodes"].as_array().unwrap().len() as u64, meta["kept_nodes"].as_u64().unwrap());
        }
    }
}

#[test]
fn ids_are_unique_where_names_might_meet() {
    let folder = Folder::new();
    let out = folder.path("Graph of ALL.json");
    let to = out.to_str().unwrap();
    let whole = ["--node-threshold", "1", "--edge-threshold", "1", "--out", to];
    // Errors beside features of layer 0, one token again and again, every token a target, a difference, one node.
    let case = Golden::of("gpt2_plt", "gpt2");
    case.trace(&[&out], &["--node-threshold", "1", "--edge-threshold", "1"]);
    assert_eq!(check_file(&out)["metadata"]["slug"], "graph-of-all");
    let clt = Golden::of("llama_clt", "llama");
    let again = ["--tokens", "0,7,7,7,7,7,0,7", "--transcoders", &clt.transcoders, "--max-targets", "500"];
    let probable = ["--target-probability", "1"];
    graph(&[&[clt.model.as_str()], &again[..], &probable, &whole].concat());
    let file = check_file(&out);
    assert!(
        file["nodes"].as_array().unwrap().iter().filter(|node| node["feature_type"] == "logit").count() > 300
    );
    for more in
        [["--targets", "Austin-Sacramento"], ["--targets", "Austin,Houston,Austin"], ["--max-features", "0"]]
    {
        graph(&[&["toy", "--prompt", DALLAS], &more[..], &whole].concat());
        check_file(&out);
    }
    let strict = ["--node-threshold", "0", "--edge-threshold", "0", "--out", to];
    graph(&[&["toy", "--prompt", DALLAS], &strict[..]].concat());
    check_file(&out);
}

#[test]
fn a_person_reads_the_ways_of_the_answer_and_how_far_to_trust_them() {
    let folder = Folder::new();
    let out = folder.path("dallas.dot");
    let arguments = ["toy", "--prompt", DALLAS, "--out", out.to_str().unwrap(), "--validate", "12"];
    let said = graph(&arguments).out;
    for part in [
        DALLAS,
        "Austin 9",
        "1.000 replacement",
        "1.000 completeness",
        "0 errors, 8 tokens, 1 target",
        "\"Dallas\" -> ",
        " -> \"Austin\"",
        "What the graph foretells, and what is",
        "12 features ablated",
        "Supernodes: of one label, or writing alike",
        "dallas.dot",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    assert!(std::fs::read_to_string(&out).unwrap().starts_with("digraph"));
    let found = graph(&[&arguments[..], &["--json"]].concat()).json();
    assert_eq!(found["targets"][0]["name"].as_str().map(str::trim), Some("Austin"));
    assert_eq!(found["validation"]["nodes"].as_array().map(Vec::len), Some(12));
    assert!(found["validation"]["total"]["correlation"].as_f64().unwrap() > 0.99);
    let strongest = &found["features"][0]["promoted"];
    assert_eq!(strongest[0]["text"].as_str().map(str::trim), Some("Austin"), "{strongest}");
    assert_eq!(found["files"][0], out.to_str().unwrap());
    let shares: f64 =
        found["paths"].as_array().unwrap().iter().map(|path| path["share"].as_f64().unwrap()).sum();
    assert!(shares > 0.2 && shares <= 1.0, "{shares}");
    let difference = graph(&[&arguments[..], &["--json", "--targets", "Austin-Sacramento"]].concat()).json();
    assert_eq!(difference["targets"][0]["probability"], Value::Null);
    assert_eq!(difference["targets"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_page_and_the_json_tell_what_features_make_likelier() {
    let folder = Folder::new();
    let (page, json) = (folder.path("dallas.html"), folder.path("dallas.json"));
    let files = ["--out", page.to_str().unwrap(), "--out", json.to_str().unwrap()];
    graph(&[&["toy", "--prompt", DALLAS], &files[..]].concat());
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("<title>Why “Austin”?") && html.contains("default-src 'none'"));
    for foreign in ["src=\"http", "href=\"http", "@import"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    let file = check_file(&json);
    let features = file["metadata"]["features"].as_object().unwrap();
    let shown = file["nodes"].as_array().unwrap().iter().filter(|node| !node["activation"].is_null());
    for node in shown {
        let known = &features[node["jsNodeId"].as_str().unwrap()];
        assert!(known["promoted"].as_array().is_some_and(|words| words.len() == 8), "{node}: {known}");
    }
    assert_eq!(features["2_325-0"]["promoted"][0].as_str().map(str::trim), Some("Austin"));
}

#[test]
fn a_text_tells_how_often_and_where_features_are_active() {
    let folder = Folder::new();
    let (text, json) = (folder.path("text.txt"), folder.path("dallas.json"));
    std::fs::write(&text, "the capital of Texas is Austin .\nMiami is in Florida .\n").unwrap();
    let files = ["--text", text.to_str().unwrap(), "--out", json.to_str().unwrap()];
    graph(&[&["toy", "--prompt", DALLAS], &files[..]].concat());
    let file = check_file(&json);
    let says_austin = &file["metadata"]["features"]["2_325-0"];
    let density = says_austin["density"].as_f64().unwrap();
    assert!(density > 0.0 && density < 0.5, "{density}");
    let best = &says_austin["contexts"][0];
    let tokens: Vec<&str> =
        best["tokens"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().trim()).collect();
    assert_eq!(tokens, ["the", "capital", "of", "Texas", "is", "Austin", "."]);
    let activations: Vec<f64> =
        best["activations"].as_array().unwrap().iter().map(|a| a.as_f64().unwrap()).collect();
    let most = (0..tokens.len()).max_by(|a, b| activations[*a].total_cmp(&activations[*b])).unwrap();
    assert_eq!(tokens[most], "is", "{best}");
    assert_eq!(says_austin["promoted"].as_array().map(Vec::len), Some(8));
}

#[test]
fn what_cannot_be_drawn_is_said_on_one_line() {
    let folder = Folder::new();
    let empty = folder.path("").to_str().unwrap().to_owned();
    let plt = format!("{FIXTURES}/graphs/gpt2_plt");
    let check = |arguments: &[&str], said: &[&str]| {
        let run = run(&[&["lens", "graph"], arguments].concat(), "");
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        for said in said {
            assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
        }
    };
    let ask = ["--prompt", DALLAS];
    let to = ["--out", "x.json"];
    check(&["toy", "--prompt", DALLAS], &["--out"]);
    check(&["toy", "--out", "x.json"], &["--prompt", "--tokens"]);
    check(&[&["toy"], &ask[..], &["--out", "x.txt"]].concat(), &["x.txt", ".html", ".safetensors"]);
    check(
        &[&["toy-gelu"], &ask[..], &to].concat(),
        &["toy-gelu", "ReLU", "--transcoders DIR", "train-transcoder"],
    );
    check(
        &[&["toy", "--transcoders", "/nonexistent"], &ask[..], &to].concat(),
        &["/nonexistent is not there", "layer_0.safetensors"],
    );
    check(&[&["toy", "--transcoders", &empty], &ask[..], &to].concat(), &["layer_0.safetensors"]);
    check(&[&["toy", "--transcoders", &plt], &ask[..], &to].concat(), &["W_enc", "[24, 32]", "64"]);
    check(&[&["toy", "--node-threshold", "1.5"], &ask[..], &to].concat(), &["--node-threshold", "0 to 1"]);
    check(&[&["toy", "--edge-threshold", "NaN"], &ask[..], &to].concat(), &["--edge-threshold", "0 to 1"]);
    check(&[&["toy", "--targets", "Gotham"], &ask[..], &to].concat(), &["Gotham"]);
    check(&[&["toy", "--targets", "Austin,Gotham"], &ask[..], &to].concat(), &["Gotham"]);
    check(&[&["toy", "--targets", "Austin-Austin"], &ask[..], &to].concat(), &["two tokens"]);
    check(&[&["toy", "--targets", "#999"], &ask[..], &to].concat(), &["999", "202"]);
    let text = |file: &str, out: &str, said: &[&str]| {
        check(&[&["toy", "--text", file], &ask[..], &["--out", out]].concat(), said);
    };
    text("/nonexistent", "/tmp/x.json", &["/nonexistent"]);
    text("/nonexistent", "/tmp/x.dot", &["--text", ".html and .json"]);
    check(&["toy", "--tokens", "1,999", "--out", "x.json"], &["999", "202"]);
    for file in ["x.html", "x.json", "x.safetensors", "x.graphml", "x.dot"] {
        let out = format!("/nonexistent/{file}");
        check(&[&["toy"], &ask[..], &["--out", &out]].concat(), &["cannot write", &out, "No such file"]);
    }
}
