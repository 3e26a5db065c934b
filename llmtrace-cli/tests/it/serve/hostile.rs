//! Traces that try to do harm: nothing runs, nothing hangs, every page answers.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::serve::server::Server;
use crate::serve::spans::{call, id, request, span, start, trace};

/// How long a page may take in a build that is not optimised, on a busy computer.
const BOUND: Duration = Duration::from_secs(60);

/// What must never stand in a page as it is.
const MARKUP: [&str; 4] = ["<script>alert", "<img src=x onerror", "<svg onload", "href=\"javascript:"];

const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'\"><svg onload=alert(3)> \
    [x](javascript:alert(4)) {{7*7}} ${7*7} \u{202e}drow\u{202c} \u{0} \u{1b}[31m & &amp; </title></textarea>";

/// The tabs of a span.
const TABS: [&str; 5] = ["messages", "raw", "attributes", "events", "scores"];

fn routes(traces: &[u64], tabs: usize) -> Vec<String> {
    let fixed = [
        "/traces",
        "/traces?q=script",
        "/traces?sort=slowest",
        "/traces?sort=costliest&limit=500",
        "/traces?q=%22%3E%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E",
        "/traces?model=%3Cscript%3Ealert%281%29%3C%2Fscript%3E",
        "/sessions",
        "/dashboard",
        "/dashboard?range=all&by=user",
        "/findings?range=all",
        "/compare",
        "/scores",
        "/dataset",
        "/dataset?kind=span",
        "/compare?a_model=gpt-4o-mini&b_since=1h",
        "/nothing/%3Cscript%3Ealert(1)%3C/script%3E",
        "/api/traces",
        "/api/sessions",
        "/api/stats",
        "/api/dashboard",
        "/api/facets",
        "/api/findings",
        "/api/dataset",
    ];
    let of_trace = move |number: &u64| {
        let trace = trace(*number);
        let tabs = TABS.iter().take(tabs).map(|tab| format!("/traces/{trace}?tab={tab}&span={}", id(1)));
        let rest = [
            format!("/traces/{trace}"),
            format!("/traces/{trace}?from=1000"),
            format!("/traces/{trace}?part=tree"),
            format!("/traces/{trace}/spans/{}", id(1)),
            format!("/compare?a={trace}"),
            format!("/compare?a={trace}&b={trace}"),
            format!("/api/compare?a={trace}&b={trace}"),
            format!("/api/traces/{trace}"),
            format!("/api/spans/{trace}/{}", id(1)),
        ];
        tabs.chain(rest).collect::<Vec<_>>()
    };
    fixed.map(str::to_owned).into_iter().chain(traces.iter().flat_map(of_trace)).collect()
}

/// Every route answers in time, and no page holds markup of the data's.
fn walk(server: &Server, traces: &[u64], tabs: usize) {
    for path in routes(traces, tabs) {
        let begun = Instant::now();
        let answer = server.get(&path);
        let expected = if path.starts_with("/nothing") { 404 } else { 200 };
        assert_eq!(answer.status, expected, "{path}: {:.500}", answer.text());
        assert!(begun.elapsed() < BOUND, "{path} took {:?}", begun.elapsed());
        if answer.header("Content-Type").starts_with("text/html") {
            let page = answer.text();
            for markup in MARKUP {
                assert!(!page.contains(markup), "{path} holds {markup}");
            }
            let shown = shown(&page);
            assert!(!shown.contains(['\u{0}', '\u{1b}', '\u{202e}']), "{path} shows what turns text around");
        } else {
            assert_eq!(answer.header("X-Content-Type-Options"), "nosniff");
            assert!(!answer.header("Content-Type").contains("html"), "{path}");
        }
    }
}

/// What stands between the tags.
fn shown(page: &str) -> String {
    page.split('<').filter_map(|piece| Some(piece.split_once('>')?.1)).collect()
}

#[test]
fn text_stays_text() {
    let server = Server::start(&[]);
    let mut root = span(
        [1, 1, 0],
        HOSTILE,
        &[
            ("gen_ai.conversation.id", HOSTILE.into()),
            ("user.id", HOSTILE.into()),
            ("langfuse.trace.tags", json!([HOSTILE, "__proto__"])),
            ("deployment.environment.name", HOSTILE.into()),
            ("__proto__", json!("polluted")),
            ("constructor.prototype.x", HOSTILE.into()),
            (HOSTILE, HOSTILE.into()),
            ("url.full", "javascript:alert(1)".into()),
        ],
    );
    root["status"] = json!({"code": 2, "message": HOSTILE});
    root["events"] = json!([{"name": HOSTILE, "timeUnixNano": "1", "attributes": [{"key": HOSTILE, "value": {"stringValue": HOSTILE}}]}]);
    let parts = json!([{"role": HOSTILE, "parts": [
        {"type": "text", "content": HOSTILE}, {"type": HOSTILE, "content": HOSTILE},
        {"type": "tool_call", "id": HOSTILE, "name": HOSTILE, "arguments": {"__proto__": HOSTILE, HOSTILE: HOSTILE}},
        {"type": "tool_call_response", "id": HOSTILE, "response": HOSTILE},
        {"type": "uri", "modality": "image", "uri": "javascript:alert(1)"},
        {"type": "uri", "modality": HOSTILE, "uri": "data:text/html,<script>alert(1)</script>"},
        {"type": "blob", "modality": "image", "mime_type": HOSTILE, "content": HOSTILE},
        {"type": "reasoning", "content": HOSTILE}]}]);
    let model = call([1, 2, 1], HOSTILE, [HOSTILE, HOSTILE]);
    let messages = span(
        [1, 3, 1],
        "chat",
        &[
            ("gen_ai.operation.name", "chat".into()),
            ("gen_ai.provider.name", HOSTILE.into()),
            ("gen_ai.input.messages", parts.to_string().into()),
            ("gen_ai.output.messages", parts.to_string().into()),
            ("gen_ai.system_instructions", HOSTILE.into()),
        ],
    );
    let mut sent = request(&[root, model, messages]);
    sent["resourceSpans"][0]["resource"]["attributes"] =
        json!([{"key": "service.name", "value": {"stringValue": HOSTILE}}]);
    assert_eq!(server.ingest(&sent).status, 200);
    let score = json!({"name": HOSTILE, "value": 1, "comment": HOSTILE}).to_string();
    let path = format!("/api/spans/{}/{}/scores", trace(1), id(1));
    assert_eq!(
        server.send("POST", &path, &[("Content-Type", "application/json")], score.as_bytes()).status,
        201
    );
    walk(&server, &[1], TABS.len());
    for span in [2, 3] {
        let page = server.get(&format!("/traces/{}?span={}", trace(1), id(span)));
        assert_eq!(page.status, 200);
        assert!(MARKUP.iter().all(|markup| !page.text().contains(markup)), "{span}");
    }
    let session = server.json("/api/sessions")["sessions"][0]["session"].as_str().unwrap().to_owned();
    let path = session.bytes().fold(String::new(), |path, byte| format!("{path}%{byte:02X}"));
    let page = server.get(&format!("/sessions/{path}"));
    assert_eq!(page.status, 200);
    assert!(MARKUP.iter().all(|markup| !page.text().contains(markup)));
}

#[test]
fn odd_times_and_odd_trees_have_their_pages() {
    let server = Server::start(&[]);
    let timed = |ids: [u64; 3], begin: &str, end: &str| {
        let mut span = span(ids, "timed", &[]);
        span["startTimeUnixNano"] = begin.into();
        span["endTimeUnixNano"] = end.into();
        span
    };
    let now = start().to_string();
    let largest = u64::MAX.to_string();
    let traces = [
        vec![timed([1, 1, 0], &now, "0"), timed([1, 2, 1], &now, &now)],
        vec![timed([2, 1, 0], &now, &(start() - 1_000_000_000).to_string())],
        vec![timed([3, 1, 0], "0", "0"), timed([3, 2, 1], "0", &now)],
        vec![
            timed([4, 1, 0], &largest, &largest),
            timed([4, 2, 1], &now, &largest),
            timed([4, 3, 9], "1", &largest),
        ],
        vec![span([5, 1, 1], "its own parent", &[])],
        vec![span([6, 1, 2], "a", &[]), span([6, 2, 3], "b", &[]), span([6, 3, 1], "c", &[])],
        vec![span([7, 1, 99], "an orphan", &[])],
        vec![
            span([8, 1, 0], "twice", &[]),
            span([8, 1, 0], "twice", &[]),
            span([8, 1, 0], "and otherwise", &[]),
        ],
    ];
    for spans in &traces {
        let answer = server.ingest(&request(spans));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(server.ingest(&request(spans)).status, 200);
    }
    walk(&server, &(1..=8).collect::<Vec<_>>(), 1);
    assert_eq!(server.json(&format!("/api/traces/{}", trace(8)))["spans"].as_array().unwrap().len(), 1);
}

#[test]
fn large_traces_have_their_pages() {
    let server = Server::start(&[]);
    let deep: Vec<_> = (1..=10_000).map(|own| span([1, own, own - 1], "deep", &[])).collect();
    let wide: Vec<_> = (1..=100_000).map(|own| span([2, own, u64::from(own > 1)], "wide", &[])).collect();
    let long = "lorem ipsum dolor <script>alert(1)</script> ".repeat(10_000_000 / 44);
    let calls = vec![call([3, 1, 0], "gpt-4o-mini", [&long, &long])];
    let many: Vec<Value> = (0..3_000)
        .map(|n| json!({"role": "user", "parts": [{"type": "text", "content": n.to_string()}]}))
        .collect();
    let chat = vec![span(
        [4, 1, 0],
        "chat",
        &[
            ("gen_ai.operation.name", "chat".into()),
            ("gen_ai.input.messages", json!(many).to_string().into()),
        ],
    )];
    for spans in [deep, calls, chat] {
        let answer = server.ingest(&request(&spans));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for spans in wide.chunks(20_000) {
        assert_eq!(server.ingest(&request(spans)).status, 200);
    }
    walk(&server, &[1, 2, 3, 4], 2);
    let (begun, mut after, mut spans) = (Instant::now(), Some("0".to_owned()), 0);
    while let Some(first) = after {
        let page = server.json(&format!("/api/traces/{}?after={first}", trace(2)));
        spans += page["spans"].as_array().unwrap().len();
        after = page["after"].as_str().map(str::to_owned);
    }
    assert_eq!(spans, 100_000);
    assert!(begun.elapsed() < BOUND, "the whole trace took {:?}", begun.elapsed());
    let page = server.get(&format!("/traces/{}", trace(2)));
    assert!(page.body.len() < 4 << 20, "{}", page.body.len());
    let page = server.get(&format!("/traces/{}", trace(3)));
    assert!(page.body.len() < 1 << 20, "{}", page.body.len());
}

/// A node of a graph: a token of layer `E`, an answer of layer 9, or a feature.
fn node(name: &str, layer: &str, position: u64) -> Value {
    let kind = match layer {
        "E" => "embedding",
        "9" => "logit",
        _ => "cross layer transcoder",
    };
    json!({"node_id": name, "feature": 1, "layer": layer, "ctx_idx": position, "feature_type": kind,
        "jsNodeId": name, "clerp": name, "token_prob": 0.5})
}

/// A graph of a token, two features and an answer, and these links.
fn graph(links: &[[&str; 2]]) -> Value {
    let nodes =
        [node("token", "E", 0), node(HOSTILE, "0", 0), node("__proto__", "1", 0), node("answer", "9", 0)];
    let link = |[source, target]: &[&str; 2]| json!({"source": source, "target": target, "weight": 1});
    json!({"metadata": {"slug": HOSTILE, "scan": HOSTILE, "prompt_tokens": [HOSTILE], "prompt": HOSTILE},
        "qParams": {"__proto__": {"a": 1}, "supernodes": [[HOSTILE, HOSTILE], []]},
        "nodes": nodes, "links": links.iter().map(link).collect::<Vec<_>>()})
}

/// A graph of more than 10 MB: each feature is fed by all of the layer below, and the lowest layer by the highest.
fn large_graph() -> Value {
    const LAYERS: usize = 6;
    const WIDTH: usize = 150;
    let mut graph = graph(&[]);
    let name = |layer: usize, at: usize| format!("{}_a_feature_with_a_long_name_{at}", layer % LAYERS);
    let mut links = vec![json!({"source": "token", "target": name(0, 0), "weight": 1})];
    for (layer, at) in (0..LAYERS * WIDTH).map(|number| (number / WIDTH, number % WIDTH)) {
        graph["nodes"].as_array_mut().unwrap().push(node(&name(layer, at), &layer.to_string(), 0));
        let link = |from| json!({"source": name(layer, from), "target": name(layer + 1, at), "weight": -0.5});
        links.extend((0..WIDTH).map(link));
        links.push(json!({"source": name(layer, at), "target": "answer", "weight": 1}));
    }
    graph["links"] = links.into();
    assert!(graph.to_string().len() > 10 << 20, "{}", graph.to_string().len());
    graph
}

/// The page of a graph answers in time with these words and runs nothing; there is a picture, or a sentence why there is none.
#[track_caller]
fn check_graph(server: &Server, number: u64, attribute: Value, [status, drawn]: [u16; 2], words: &str) {
    let attributes =
        [("gen_ai.operation.name", "text_completion".into()), ("llmtrace.lens.graph", attribute)];
    assert_eq!(server.ingest(&request(&[span([number, 1, 0], HOSTILE, &attributes)])).status, 200);
    let path = format!("/traces/{}/spans/{}/graph", trace(number), id(1));
    let begun = Instant::now();
    for (end, expected) in [("", status), (".json", status), (".svg", drawn)] {
        let answer = server.get(&format!("{path}{end}"));
        let (kind, text) = (answer.header("Content-Type"), answer.text());
        let shown = text.split("<main").last().unwrap_or_default();
        assert_eq!(answer.status, expected, "{end}: {shown:.500}");
        assert_eq!(answer.header("X-Content-Type-Options"), "nosniff", "{end}");
        assert_eq!(kind.contains("html"), end.is_empty() || expected != 200, "{end} is {kind}");
        let is_data = kind.contains("json");
        assert!(is_data || MARKUP.iter().all(|markup| !text.contains(markup)), "{end}: {shown:.2000}");
        let is_said = end.is_empty() || expected != 200;
        assert!(!is_said || shown.contains(words), "{end}: {words:?} is not in {shown:.2000}");
    }
    assert!(begun.elapsed() < BOUND, "{words}: {:?}", begun.elapsed());
    assert_eq!(server.get(&format!("/traces/{}?span={}", trace(number), id(1))).status, 200);
}

#[test]
fn graphs_that_do_harm_have_their_pages() {
    let server = Server::start(&[]);
    let altered = |alter: fn(&mut Value)| {
        let mut graph = graph(&[["token", "answer"]]);
        alter(&mut graph);
        Value::from(graph.to_string())
    };
    let shown = |links: &[[&str; 2]]| Value::from(graph(links).to_string());
    let whole = [["token", HOSTILE], [HOSTILE, "__proto__"], ["__proto__", "answer"]];
    let (drawn, wrong, none) = ([200, 200], [200, 404], [404, 404]);
    let no_json = "no graph's JSON";
    let cases: Vec<(Value, [u16; 2], &str)> = vec![
        (shown(&whole), drawn, "id=\"circuit\""),
        (shown(&[["a", "b"], ["token", "nobody"], ["", "answer"]]), drawn, "id=\"circuit\""),
        (shown(&[whole[1], ["__proto__", HOSTILE], whole[2]]), drawn, "id=\"circuit\""),
        (shown(&[["answer", "answer"], ["answer", "token"], ["token", "answer"]]), drawn, "id=\"circuit\""),
        (large_graph().to_string().into(), drawn, "id=\"circuit\""),
        ("".into(), wrong, no_json),
        ("not JSON <script>alert(1)</script>".into(), wrong, no_json),
        (shown(&whole).as_str().unwrap()[..400].into(), wrong, no_json),
        ("[".repeat(100_000).into(), wrong, no_json),
        ("[[], []]".into(), wrong, no_json),
        (altered(|graph| graph["nodes"] = json!({})), wrong, no_json),
        (altered(|graph| graph["links"][0]["weight"] = HOSTILE.into()), wrong, no_json),
        (altered(|graph| graph["links"][0]["weight"] = json!(1e300)), wrong, "number out of range"),
        (altered(|graph| graph["links"][0]["weight"] = json!(-3.4e38)), drawn, "id=\"circuit\""),
        (altered(|graph| graph["nodes"][0]["layer"] = json!([1])), wrong, no_json),
        (altered(|graph| graph["nodes"][1]["layer"] = HOSTILE.into()), drawn, "id=\"circuit\""),
        (altered(|graph| graph["nodes"][0]["ctx_idx"] = json!(-1)), wrong, no_json),
        (
            altered(|graph| graph["nodes"][0]["ctx_idx"] = json!(u64::MAX)),
            wrong,
            "but the prompt has 1 tokens",
        ),
        (altered(|graph| graph["nodes"] = json!([])), wrong, "there is no answer to explain"),
        (
            altered(|graph| graph["nodes"] = json!(vec![node("answer", "9", 0); 20_001])),
            wrong,
            "at most 20000 can be shown",
        ),
        (json!(7), none, "has no attribute llmtrace.lens.graph that is a text"),
        (json!([HOSTILE]), none, "has no attribute llmtrace.lens.graph that is a text"),
    ];
    for (number, (attribute, statuses, words)) in (1..).zip(cases) {
        check_graph(&server, number, attribute, statuses, words);
    }
}
