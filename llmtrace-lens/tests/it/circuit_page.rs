//! The page of a graph: all of it in one file, and nothing of the data acts.

use llmtrace_lens::Toy;
use llmtrace_lens::circuit::write::GraphFile;
use llmtrace_lens::circuit::{Thresholds, Tracer, Transcoders};

use crate::support::toy_prompt;

/// A graph of one token and one answer, everything in it called `name`.
fn graph(name: &str, position: usize) -> String {
    serde_json::json!({
        "metadata": {"slug": name, "scan": name, "prompt_tokens": [name], "prompt": name},
        "nodes": [
            {"node_id": "E_1_0", "feature": null, "layer": "E", "ctx_idx": 0, "feature_type": "embedding", "jsNodeId": "x", "clerp": name},
            {"node_id": "2_1_0", "feature": 1, "layer": 2, "ctx_idx": position, "feature_type": "logit", "jsNodeId": "y", "clerp": null},
        ],
        "links": [{"source": "E_1_0", "target": "2_1_0", "weight": -1.0}, {"source": "E_1_0", "target": "gone", "weight": 1.0}],
    })
    .to_string()
}

#[test]
fn names_never_act_and_nothing_is_loaded() {
    for name in ["</script><script>alert(1)</script>", "\" onload=\"x", "a\u{2028}\u{202e}b"] {
        let page = GraphFile::read(&graph(name, 0)).unwrap().page();
        assert_eq!(page.matches("</script>").count(), 2, "{name}");
        assert!(!page.contains("<script>alert") && !page.contains("\" onload=\"x"), "{name}");
        assert!(page.contains("default-src 'none'; script-src 'sha256-") && !page.contains("unsafe-inline"));
        assert!(
            page.contains("<svg") && page.contains("against"),
            "the figures stand there without a script"
        );
    }
}

#[test]
fn what_is_no_graph_says_why() {
    let check = |text: &str, expected: &str| {
        let error = GraphFile::read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("[", "no graph's JSON");
    check("{\"metadata\": {}}", "missing field");
    check(&graph("a", 3), "stands at position 3, but the prompt has 1 tokens");
    check(&graph("a", 0).replace("\"logit\"", "\"other\""), "no answer to explain");
}

/// Links that are pruned away are still a part of what enters a node.
#[test]
fn ways_have_the_same_shares_in_the_page_as_in_the_graph() {
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let graph = Tracer::new(&model, &neurons).trace(&toy_prompt(&model, "Dallas")).unwrap();
    let pruned = graph.prune(Thresholds { nodes: 0.7, edges: 0.8 });
    let page = graph.graph_file("dallas", &pruned).page();
    let (_, ways) = page.split_once("<ol").unwrap();
    let shown =
        ways.split("<b>").skip(1).map_while(|rest| rest.split('%').next()?.trim().parse::<f64>().ok());
    let shown: Vec<f64> = shown.take(12).collect();
    let expected: Vec<f64> = graph.paths(&pruned, 12).iter().map(|path| path.share * 100.0).collect();
    assert_eq!(shown.len(), 12, "{ways}");
    for (shown, expected) in shown.iter().zip(&expected) {
        assert!((shown - expected).abs() <= 0.06 * expected.max(1.0), "{shown}, expected {expected}");
    }
}
