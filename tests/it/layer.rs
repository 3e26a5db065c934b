//! Spans, their fields, their relations.

use std::collections::HashMap;
use std::time::Duration;

use llmtrace::testing::Recording;
use llmtrace::{
    Attributes, Capture, Message, ObservationKind, SpanExt as _, Status, Usage, Value, propagate,
};
use tracing::field::Empty;
use tracing::{Span, info_span};

fn get<'a>(attributes: &'a Attributes, key: &str) -> &'a Value {
    attributes.get(key).unwrap_or_else(|| panic!("no {key} in {attributes:?}"))
}

#[test]
fn the_tree_is_whole_and_bystanders_stay_out() {
    let recording = Recording::start();
    recording.run(|| {
        let request = info_span!("request", path = "/ask").entered();
        tracing::debug_span!("too fine").in_scope(|| {
            let agent = info_span!("agent", llmtrace.kind = "agent").entered();
            info_span!("chat", gen_ai.request.model = "m").in_scope(|| {});
            info_span!("database").in_scope(|| {});
            drop(agent);
        });
        info_span!("chat again", gen_ai.request.model = "m").in_scope(|| {});
        drop(request);
        info_span!("no llm at all").in_scope(|| {});
    });
    assert_eq!(
        recording.tree(),
        "request [span]\n  agent [agent]\n    chat [generation] m\n  chat again [generation] m\n"
    );
    let spans = recording.spans();
    assert!(spans.iter().all(|span| span.trace_id == spans[0].trace_id));
}

#[test]
fn a_plain_span_that_is_written_to_is_recorded_with_its_ancestors() {
    let recording = Recording::start();
    recording.run(|| {
        info_span!("outer").in_scope(|| {
            info_span!("inner").in_scope(|| Span::current().set_attribute("answer", 42));
            info_span!("other").in_scope(|| {});
        });
    });
    assert_eq!(recording.tree(), "outer [span]\n  inner [span]\n");
}

#[test]
fn everything_is_captured_on_request() {
    let recording = Recording::with(|builder| builder.capture(Capture::All));
    recording.run(|| info_span!("outer", port = 8080_u16).in_scope(|| info_span!("inner").in_scope(|| {})));
    assert_eq!(recording.tree(), "outer [span]\n  inner [span]\n");
    assert_eq!(get(&recording.span("outer").attributes, "port"), &Value::Int(8080));
}

#[test]
fn integers_stay_integers_and_the_last_write_wins() {
    let recording = Recording::start();
    recording.run(|| {
        let span = info_span!(
            "chat",
            gen_ai.usage.input_tokens = 512_u64,
            gen_ai.request.seed = -1_i64,
            big = u64::MAX,
            bigger = i128::MAX,
            ratio = 0.5,
            on = true,
            late = Empty,
        );
        span.record("late", 1_u32);
        span.record("late", 2_u32);
        span.set_attribute("late", 3_u8);
        span.record("late", 4_u16);
        span.set_attribute("undeclared", "kept");
    });
    let attributes = recording.span("chat").attributes;
    let check = |key, value: Value| assert_eq!(get(&attributes, key), &value, "{key}");
    check("gen_ai.usage.input_tokens", 512.into());
    check("gen_ai.request.seed", (-1).into());
    check("big", u64::MAX.into());
    check("bigger", i128::MAX.into());
    check("ratio", 0.5.into());
    check("on", true.into());
    check("late", 4.into());
    check("undeclared", "kept".into());
    let names: Vec<_> = attributes.iter().map(|(key, _)| key).filter(|key| *key == "late").collect();
    assert_eq!(names, ["late"]);
}

#[test]
fn what_span_ext_says_stands_on_the_record() {
    let recording = Recording::start();
    recording.run(|| {
        let span = info_span!("chat", gen_ai.provider.name = "openai");
        span.record_input(&[Message::user("why?")]);
        span.record_output(&[Message::assistant("because").with_finish_reason("stop")]);
        span.record_usage(Usage::new(10, 5).with_cache_read(4));
        span.record_cost(0.000_25);
        recording.clock().advance(Duration::from_millis(250));
        span.record_first_chunk();
        span.set_session("s-1");
        span.set_user("u-1");
        span.add_tag("beta");
        span.add_tag("beta");
        span.add_tag("eu");
        span.score("helpful", 0.9);
        span.record_error("rate limited");
        span.set_attribute("list", vec!["a", "b"]);
        span.set_attribute("object", serde_json::json!({"a": 1}));
    });
    let span = recording.span("chat");
    assert_eq!(span.input, [Message::user("why?")]);
    assert_eq!(span.output, [Message::assistant("because").with_finish_reason("stop")]);
    assert_eq!(span.usage(), Usage::new(10, 5).with_cache_read(4));
    assert_eq!(span.cost().unwrap().to_string(), "0.00025");
    assert_eq!(get(&span.attributes, "llmtrace.cost.source"), &"provider".into());
    assert_eq!(span.time_to_first_chunk(), Some(0.25));
    assert_eq!((span.session(), span.user()), (Some("s-1"), Some("u-1")));
    assert_eq!(get(&span.attributes, "llmtrace.tags"), &["beta", "eu"].into());
    assert_eq!((span.scores[0].name.as_str(), span.scores[0].value), ("helpful", 0.9));
    assert_eq!(span.status, Status::error("rate limited"));
    assert_eq!(span.events[0].name, "exception");
    assert_eq!(get(&span.attributes, "list"), &["a", "b"].into());
    assert_eq!(get(&span.attributes, "object"), &serde_json::json!({"a": 1}).into());
}

#[test]
fn sessions_and_users_pass_down() {
    let recording = Recording::start();
    recording.run(|| {
        info_span!("agent", llmtrace.kind = "agent", session.id = "s", user.id = 7).in_scope(|| {
            info_span!("plain").in_scope(|| info_span!("chat", gen_ai.request.model = "m").in_scope(|| {}));
        });
    });
    let chat = recording.span("chat");
    assert_eq!((chat.session(), chat.user()), (Some("s"), Some("7")));
}

#[test]
fn events_become_span_events_and_their_llm_fields_attributes() {
    let recording = Recording::start();
    recording.run(|| {
        tracing::info!("outside");
        info_span!("chat", gen_ai.request.model = "m").in_scope(|| {
            info_span!("http").in_scope(|| tracing::warn!(attempt = 2, "retrying"));
            tracing::debug!("too fine");
            tracing::info!(gen_ai.response.id = "r-1", note = "x");
        });
    });
    let chat = recording.span("chat");
    let names: Vec<_> = chat.events.iter().map(|event| &*event.name).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[0], "retrying");
    assert_eq!(get(&chat.events[0].attributes, "attempt"), &2.into());
    assert_eq!(get(&chat.events[0].attributes, "level"), &"WARN".into());
    assert_eq!(get(&chat.attributes, "gen_ai.response.id"), &"r-1".into());
    assert_eq!(get(&chat.events[1].attributes, "note"), &"x".into());
}

#[test]
fn explicit_parents_roots_and_links_are_kept() {
    let recording = Recording::start();
    recording.run(|| {
        let parent = info_span!("parent", llmtrace.kind = "workflow");
        let other = info_span!("other", llmtrace.kind = "workflow").entered();
        let child = info_span!(parent: &parent, "child", llmtrace.kind = "tool");
        child.follows_from(&*other);
        let root = info_span!(parent: None, "root", llmtrace.kind = "tool");
        drop((child, root));
    });
    let (parent, other) = (recording.span("parent"), recording.span("other"));
    let (child, root) = (recording.span("child"), recording.span("root"));
    assert_eq!(child.parent_span_id, Some(parent.span_id));
    assert_eq!((child.links[0].trace_id, child.links[0].span_id), (other.trace_id, other.span_id));
    assert_eq!(root.parent_span_id, None);
    assert_ne!(root.trace_id, other.trace_id);
}

#[test]
fn trace_context_crosses_processes() {
    let (here, there) = (Recording::start(), Recording::start());
    let mut headers = HashMap::new();
    let sent = here.run(|| {
        let span = info_span!("client", llmtrace.kind = "tool");
        propagate::inject(&span, &mut headers);
        (span.trace_id().unwrap(), span.span_id().unwrap())
    });
    there.run(|| {
        let span = info_span!("server", llmtrace.kind = "agent");
        span.set_parent_context(&propagate::extract(&headers).unwrap());
        span.in_scope(|| info_span!("chat", gen_ai.request.model = "m").in_scope(|| {}));
    });
    let (server, chat) = (there.span("server"), there.span("chat"));
    assert_eq!((server.trace_id, server.parent_span_id), (sent.0, Some(sent.1)));
    assert!(server.parent_is_remote && server.is_local_root());
    assert_eq!((chat.trace_id, chat.parent_span_id), (sent.0, Some(server.span_id)));
}

#[test]
fn spans_that_no_layer_sees_take_everything_and_do_nothing() {
    for span in [Span::none(), info_span!("chat", gen_ai.request.model = "m")] {
        span.record_usage(Usage::new(1, 1));
        span.record_error("x");
        span.set_attribute("a", 1);
        assert_eq!((span.trace_id(), span.span_id()), (None, None));
        let mut headers = HashMap::new();
        propagate::inject(&span, &mut headers);
        assert!(headers.is_empty());
    }
}

#[test]
fn user_code_that_panics_while_it_is_recorded_changes_nothing() {
    struct Bomb;
    impl std::fmt::Display for Bomb {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("boom")
        }
    }
    impl serde::Serialize for Bomb {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("boom")
        }
    }
    let recording = Recording::start();
    recording.run(|| {
        let span = info_span!("chat", gen_ai.request.model = "m");
        span.record_error(&Bomb);
        span.record_response(&Bomb);
        span.set_attribute("after", 1);
    });
    assert_eq!(get(&recording.span("chat").attributes, "after"), &1.into());
}

#[test]
fn user_code_that_traces_while_it_is_recorded_is_traced() {
    struct Chatty;
    impl std::fmt::Display for Chatty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            info_span!("inside", llmtrace.kind = "tool").in_scope(|| tracing::info!("hello"));
            f.write_str("chatty")
        }
    }
    let recording = Recording::start();
    // Of one subscriber alone, `tracing` would ask while it lets nothing through whether it wants "inside".
    let _other = Recording::start();
    recording.run(|| {
        // `tracing` itself lets nothing through while it hands the fields of a new span to its subscriber.
        info_span!("chat", gen_ai.request.model = %Chatty).in_scope(|| Span::current().record_error(&Chatty));
    });
    assert_eq!(recording.spans().len(), 2);
    assert_eq!(recording.span("chat").status, Status::error("chatty"));
}

#[test]
fn names_and_states_for_opentelemetry_bridges_are_honoured() {
    let recording = Recording::start();
    recording.run(|| {
        info_span!(
            "genai.chat",
            otel.name = "chat m",
            otel.status_code = "ERROR",
            otel.status_description = "quota",
            gen_ai.operation.name = "chat",
        );
    });
    let span = recording.span("chat m");
    assert_eq!((span.kind, span.status), (ObservationKind::Generation, Status::error("quota")));
}
