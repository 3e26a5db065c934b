//! The page of a graph: all of it in one file, and nothing of the data acts.

use llmtrace_lens::circuit::write::GraphFile;

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
