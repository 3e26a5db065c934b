//! What goes in comes out: OTLP in, pages and JSON out.

use serde_json::{Value, json};

use crate::serve::server::{Server, wait_for};
use crate::serve::spans::{call, id, request, span, start, trace};
use crate::support::{Folder, Span, lines};

const DOCUMENT: &str = include_str!("../../../src/serve/api/openapi.json");
const ROUTES: &str = include_str!("../../../src/serve/api/mod.rs");

/// An agent that calls a model and a tool, twice, in a session.
fn agent(number: u64) -> Vec<Value> {
    let mut root = span(
        [number, 1, 0],
        "answer",
        &[
            ("gen_ai.operation.name", "invoke_agent".into()),
            ("gen_ai.conversation.id", "session 1/2".into()),
            ("user.id", "ann".into()),
            ("langfuse.trace.tags", json!(["blue", "v2"])),
        ],
    );
    root["endTimeUnixNano"] = (start() + 900_000_000).to_string().into();
    let mut tool = span(
        [number, 3, 1],
        "execute_tool search",
        &[("gen_ai.operation.name", "execute_tool".into()), ("gen_ai.tool.name", "search".into())],
    );
    tool["status"] = json!({"code": 2, "message": "the index is away"});
    vec![
        root,
        call([number, 2, 1], "gpt-4o-mini", ["Why is the sky blue?", "It scatters."]),
        tool,
        call([number, 4, 1], "nobody-knows-this-model", ["And at night?", "It does not."]),
    ]
}

fn with_agents(count: u64) -> Server {
    let server = Server::start(&[]);
    for number in 1..=count {
        assert_eq!(server.ingest(&request(&agent(number))).status, 200);
    }
    server
}

#[test]
fn spans_are_there_as_soon_as_they_are_acknowledged() {
    let server = with_agents(3);
    let list = server.json("/api/traces");
    let traces = list["traces"].as_array().unwrap();
    assert_eq!(traces.len(), 3);
    let found = &traces[0];
    let expected = json!({"name": "answer", "service": "shop", "spans": 4, "errors": 1, "status": "ok", "calls": 2,
        "input_tokens": 2_000, "output_tokens": 100, "cost_usd": 0.00018, "cost_is_lower_bound": true,
        "unpriced_calls": 1, "session": "session 1/2", "user": "ann", "tags": ["blue", "v2"],
        "models": ["gpt-4o-mini", "nobody-knows-this-model"], "duration_ms": 899.0});
    for (name, value) in expected.as_object().unwrap() {
        match (value.as_f64(), found[name].as_f64()) {
            (Some(expected), Some(found)) => assert!((expected - found).abs() < 1e-9, "{name}: {found}"),
            _ => assert_eq!(&found[name], value, "{name}"),
        }
    }
    let one = server.json(&format!("/api/traces/{}", trace(1)));
    let spans = one["spans"].as_array().unwrap();
    let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["answer", "chat gpt-4o-mini", "execute_tool search", "chat nobody-knows-this-model"]);
    assert_eq!(spans[1]["output"][0]["parts"][0]["content"], "It scatters.");
    assert_eq!(spans[2]["status_message"], "the index is away");
    let session = server.json("/api/sessions/session%201%2F2");
    assert_eq!((&session["session"]["traces"], session["traces"].as_array().unwrap().len()), (&json!(3), 3));
    let page = server.get("/traces").text();
    assert!(page.contains("Why is the sky blue?") && page.contains("gpt-4o-mini"), "{page}");
    let page = server.get(&format!("/traces/{}?span={}", trace(1), id(2))).text();
    assert!(page.contains("Why is the sky blue?") && page.contains("It scatters."), "{page}");
}

#[test]
fn filters_choose_and_pages_follow_each_other() {
    let server = with_agents(5);
    let count =
        |query: &str| server.json(&format!("/api/traces?{query}"))["traces"].as_array().unwrap().len();
    let check = |query: &str, expected: usize| assert_eq!(count(query), expected, "{query}");
    check("model=gpt-4o-mini", 5);
    check("model=other", 0);
    check("q=scatters", 5);
    check("q=%22sky+blue%22&kind=tool", 5);
    check("status=error", 0);
    check("tag=v2&user=ann&session=session+1%2F2&service=shop", 5);
    check("min_cost=0.0001&max_cost=0.01&min_ms=1&max_ms=10000&min_tokens=2100", 5);
    check("min_tokens=2101", 0);
    check("since=1h", 5);
    check("until=2026-01-01", 0);
    check("model=&q=", 5);
    let mut path = "/api/traces?limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = server.json(&path);
        seen.extend(page["traces"].as_array().unwrap().iter().map(|trace| trace["trace_id"].to_string()));
        let Some(after) = page["after"].as_str() else { break };
        path = format!("/api/traces?limit=2&after={after}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
}

#[test]
fn arguments_are_shown_in_the_order_in_which_they_came() {
    let server = Server::start(&[]);
    let arguments = r#"{"to": "ann", "subject": "hi", "body": "…", "cc": {"zoe": 1, "ben": 2}}"#;
    let message = format!(
        r#"[{{"role": "assistant", "parts": [{{"type": "tool_call", "id": "1", "name": "mail", "arguments": {arguments}}}]}}]"#
    );
    let model = span(
        [1, 1, 0],
        "chat",
        &[("gen_ai.operation.name", "chat".into()), ("gen_ai.output.messages", message.into())],
    );
    let tool = span(
        [1, 2, 1],
        "execute_tool mail",
        &[("gen_ai.operation.name", "execute_tool".into()), ("gen_ai.tool.call.arguments", arguments.into())],
    );
    assert_eq!(server.ingest(&request(&[model, tool])).status, 200);
    for number in [1, 2] {
        let page = server.get(&format!("/traces/{}?span={}", trace(1), id(number))).text();
        let shown = page.split("<pre class=\"json\">").nth(1).unwrap();
        let places =
            ["to", "subject", "body", "cc", "zoe", "ben"].map(|name| shown.find(&format!("{name}&quot;:")));
        assert!(places.is_sorted() && places[0].is_some(), "{places:?} {shown:.500}");
    }
}

#[test]
fn wrong_parameters_are_named_with_what_would_be_right() {
    let server = with_agents(1);
    let check = |path: &str, parameter: &str, expected: &str| {
        let answer = server.get(path);
        assert_eq!(
            (answer.status, answer.header("Content-Type")),
            (400, "application/problem+json"),
            "{path}"
        );
        let problem = answer.json();
        assert_eq!(problem["parameter"], parameter, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(expected), "{path}: {problem}");
    };
    check("/api/traces?limit=0", "limit", "1 to 500");
    check("/api/traces?limit=501", "limit", "found \"501\"");
    check("/api/traces?sort=best", "sort", "newest, oldest");
    check("/api/traces?status=good", "status", "running");
    check("/api/traces?kind=thing", "kind", "generation");
    check("/api/traces?since=yesterday", "since", "2026-11-22");
    check("/api/traces?since=2026-02-02&until=2026-02-01", "until", "after since");
    check("/api/traces?min_cost=cheap", "min_cost", "0.05");
    check("/api/traces?min_ms=-1", "min_ms", "1500");
    check("/api/traces?max_ms=nan", "max_ms", "1500");
    check("/api/traces?min_tokens=1.5", "min_tokens", "whole number");
    check("/api/traces?score=%3E1", "score", "helpful");
    check("/api/traces?after=x", "after", "gave as after");
    check("/api/traces?modle=a", "modle", "model");
    check("/api/traces?model=a&model=b", "model", "once");
    check("/api/traces/xyz", "trace_id", "32 hex digits");
    check(&format!("/api/spans/{}/1", trace(1)), "span_id", "16 hex digits");
    check("/api/stats?by=colour", "by", "session");
    check("/api/dashboard?by=day", "by", "model, provider, service or user");
    check("/api/facets?facet=colour", "facet", "environment");
    check("/api/findings?severity=bad", "severity", "warning");
    check("/api/dataset?span=x", "span", "full stop");
    check("/api/compare?a=x&b=y", "a", "32 hex digits");
    check("/api/compare?a_since=then", "a_since", "2026-11-22");
    check("/api/live?x=1", "x", "no parameter");
    let page = server.get("/traces?limit=0&part=rows");
    assert_eq!((page.status, page.header("Content-Type")), (400, "text/html; charset=utf-8"));
    assert!(page.text().contains("limit: expected a number from 1 to 500"), "{}", page.text());
    for path in [
        format!("/api/traces/{}", trace(9)),
        format!("/api/spans/{}/{}", trace(1), id(9)),
        "/api/sessions/x".into(),
    ] {
        assert_eq!(server.get(&path).status, 404, "{path}");
    }
    let long = format!("/api/traces?q={}", "x".repeat(10_000));
    assert_eq!(server.get(&long).status, 400);
}

#[test]
fn spans_are_judged_and_exported() {
    let server = with_agents(2);
    let path = format!("/api/spans/{}/{}/scores", trace(1), id(2));
    let json = ("Content-Type", "application/json");
    let added = server.send("POST", &path, &[json], br#"{"name":"helpful","value":0.5,"comment":"so so"}"#);
    assert_eq!(added.status, 201, "{}", added.text());
    assert_eq!(added.json(), json!({"name": "helpful", "value": 0.5, "comment": "so so"}));
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let added = server.send("POST", &path, &[form], b"name=kind&value=1&comment=");
    let back = format!("/traces/{}?span={}&tab=scores", trace(1), id(2));
    assert_eq!((added.status, added.header("Location")), (303, back.as_str()));
    let check = |body: &str, status: u16, parameter: &str| {
        let answer = server.send("POST", &path, &[json], body.as_bytes());
        assert_eq!(
            (answer.status, answer.json()["parameter"].as_str().unwrap_or("")),
            (status, parameter),
            "{body}"
        );
    };
    check("{}", 400, "name");
    check(r#"{"name":" ","value":1}"#, 400, "name");
    check(r#"{"name":"a"}"#, 400, "value");
    check(r#"{"name":"a","value":"high"}"#, 400, "value");
    check(r#"{"name":"a","value":"inf"}"#, 400, "value");
    check(r#"{"name":"a","value":{}}"#, 400, "value");
    check(r#"{"name":"a","value":1,"mood":1}"#, 400, "mood");
    check("[]", 400, "");
    let unknown = format!("/api/spans/{}/{}/scores", trace(9), id(2));
    assert_eq!(server.send("POST", &unknown, &[json], br#"{"name":"a","value":1}"#).status, 404);
    let found = server.json("/api/traces?score=helpful%3E%3D0.5");
    assert_eq!(found["traces"].as_array().unwrap().len(), 1);
    let dataset = |query: &str| -> Vec<Value> {
        let answer = server.get(&format!("/api/dataset?{query}"));
        assert_eq!((answer.status, answer.header("Content-Type")), (200, "application/x-ndjson"), "{query}");
        answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(dataset("").len(), 4);
    assert_eq!(dataset("limit=3").len(), 3);
    assert_eq!(server.get("/api/dataset?limit=3").header("llmtrace-is-cut"), "true");
    assert_eq!(server.get("/api/dataset?limit=4").header("llmtrace-is-cut"), "false");
    assert_eq!(dataset("kind=tool").len(), 2);
    let judged = dataset("score=helpful");
    assert_eq!(judged.len(), 1);
    assert_eq!(judged[0]["output"][0]["parts"][0]["content"], "It scatters.");
    assert_eq!(judged[0]["scores"][0]["value"], 0.5);
    let chosen = format!("span={}.{}&span={}.{}", trace(2), id(3), trace(1), id(1));
    let names: Vec<_> = dataset(&chosen).iter().map(|line| line["name"].to_string()).collect();
    assert_eq!(names, ["\"execute_tool search\"", "\"answer\""]);
}

#[test]
fn spans_that_cannot_be_kept_are_told_of() {
    let server = Server::start(&[]);
    let mut torn = call([1, 2, 1], "gpt-4o-mini", ["a", "b"]);
    torn["spanId"] = "".into();
    let answer = server.ingest(&request(&[call([1, 1, 0], "gpt-4o-mini", ["a", "b"]), torn]));
    assert_eq!(answer.status, 200);
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "1");
    assert!(partial["errorMessage"].as_str().unwrap().contains("no span id"), "{partial}");
    assert_eq!(server.json("/api/traces")["traces"][0]["spans"], 1);
}

#[test]
fn files_are_read_once_and_followed() {
    let folder = Folder::new();
    let line = |trace: u64| lines([Span::call([trace, 1, 0], [0, 10], [5, 5])]);
    let file = folder.file("app.jsonl", [line(1), "no span\n".to_owned(), line(2)].concat());
    let server = Server::start_in(folder, &[], &["--follow", &file]);
    let count = |server: &Server| server.json("/api/traces")["traces"].as_array().unwrap().len();
    wait_for("what is there is read", || count(&server) == 2);
    std::fs::write(&file, [line(1), "no span\n".to_owned(), line(2), line(3)].concat()).unwrap();
    wait_for("what is appended is read", || count(&server) == 3);
    let (code, folder) = server.stop();
    assert_eq!(code, 0);
    let again = Server::start_in(folder, &[], &[&file]);
    let spans = |server: &Server| {
        let list = server.json("/api/traces");
        list["traces"].as_array().unwrap().iter().map(|trace| trace["spans"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((count(&again), spans(&again)), (3, 3));
    assert_eq!(again.ingest(&request(&agent(7))).status, 200);
    assert_eq!((count(&again), spans(&again)), (4, 7));
}

#[test]
fn changes_are_told_as_they_come() {
    use std::io::{BufRead as _, BufReader, Write as _};

    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream.write_all(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut events = BufReader::new(stream)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("data: ").map(|number| number.trim().parse::<u64>().unwrap()));
    let first = events.next().unwrap();
    assert_eq!(server.ingest(&request(&agent(1))).status, 200);
    assert!(events.next().unwrap() > first);
    assert_eq!(server.stop().0, 0);
    assert_eq!(events.next(), None);
}

#[test]
fn every_route_answers_as_it_is_described() {
    let server = with_agents(3);
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    assert_eq!(server.json("/api/openapi.json"), document);
    let paths = document["paths"].as_object().unwrap();
    let routes = ROUTES.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")?.split('"').next());
    for route in routes {
        assert!(paths.contains_key(route), "{route} is not described");
    }
    for (path, methods) in paths {
        let Some(described) = methods.get("get") else { continue };
        let parameters = described["parameters"].as_array().cloned().unwrap_or_default();
        let mut url = path
            .replace("{trace_id}", &trace(1))
            .replace("{span_id}", &id(2))
            .replace("{session}", "session%201%2F2");
        for (parameter, sign) in parameters
            .iter()
            .filter(|one| one.get("example").is_some())
            .zip(["?"].iter().chain(std::iter::repeat(&"&")))
        {
            let example = &parameter["example"];
            let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            url = format!("{url}{sign}{}={example}", parameter["name"].as_str().unwrap());
        }
        let content = described["responses"]["200"]["content"].as_object().unwrap();
        let (kind, media) = content.iter().next().unwrap();
        if kind == "text/event-stream" {
            continue;
        }
        let answer = server.get(&url);
        assert_eq!(
            (answer.status, answer.header("Content-Type")),
            (200, kind.as_str()),
            "{url}: {}",
            answer.text()
        );
        if let Some(schema) = media.get("schema") {
            for line in answer.text().lines() {
                validate(&document, schema, &serde_json::from_str(line).unwrap(), &url);
            }
        }
        if path == "/api/compare" {
            let url = format!("{path}?a={}&b={}", trace(1), trace(2));
            let schema = json!({"$ref": "#/components/schemas/TraceComparison"});
            validate(&document, &schema, &server.json(&url), &url);
        }
        let wrong = server.get(&format!("{path}?surely-unknown=1"));
        if path != "/healthz" && path != "/api/openapi.json" {
            let problem = json!({"$ref": "#/components/schemas/Problem"});
            assert_eq!(wrong.status, 400, "{path}");
            validate(&document, &problem, &wrong.json(), path);
        }
    }
}

fn validate(document: &Value, schema: &Value, answer: &Value, what: &str) {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}
