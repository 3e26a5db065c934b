use super::*;
use crate::Value;

fn read(headers: &[(&str, &str)]) -> Exchange {
    let mut exchange = Exchange::default();
    exchange.read_headers(headers.iter().copied());
    exchange
}

#[test]
fn what_headers_say_becomes_attributes() {
    let check = |headers: &[(&str, &str)], expected: &[(&'static str, Value)]| {
        assert_eq!(read(headers).attributes, expected.iter().cloned().collect(), "{headers:?}");
    };
    let text = |key, text: &str| (key, Value::from(text));
    let float = |key, float: f64| (key, Value::Float(float));
    check(&[("X-Request-Id", "a"), ("cf-ray", "b")], &[text(semconv::REQUEST_ID, "a")]);
    check(&[("cf-ray", "b"), ("request-id", "a")], &[text(semconv::REQUEST_ID, "a")]);
    check(&[("cf-ray", "b")], &[text(semconv::REQUEST_ID, "b")]);
    check(&[("x-amzn-RequestId", "c")], &[text(semconv::REQUEST_ID, "c")]);
    check(&[("retry-after", "20")], &[float(semconv::RETRY_AFTER, 20.0)]);
    check(&[("retry-after", "2"), ("retry-after-ms", "1500")], &[float(semconv::RETRY_AFTER, 1.5)]);
    check(&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], &[]);
    check(&[("openai-processing-ms", "1234")], &[float(semconv::SERVER_TOTAL_SECONDS, 1.234)]);
    check(&[("x-inference-provider", "groq")], &[text(semconv::UPSTREAM_PROVIDER, "groq")]);
    check(&[("authorization", "Bearer x"), ("set-cookie", "a=b"), ("x-api-key", "k"), ("date", "now")], &[]);
    check(&[("x-request-id", &"a".repeat(MAX_VALUE_BYTES + 1)), ("retry-after", "-1")], &[]);
}

#[test]
fn rate_limits_have_one_name_each() {
    let check = |headers: &[(&str, &str)], expected: &[(&str, Value)]| {
        let expected =
            expected.iter().map(|(key, value)| (format!("llmtrace.rate_limit.{key}"), value.clone()));
        assert_eq!(read(headers).attributes, expected.collect(), "{headers:?}");
    };
    let (int, float) = (Value::Int, Value::Float);
    // OpenAI.
    check(
        &[
            ("x-ratelimit-limit-requests", "10000"),
            ("x-ratelimit-remaining-tokens", "149984"),
            ("x-ratelimit-reset-requests", "6m0s"),
            ("x-ratelimit-reset-tokens", "120ms"),
        ],
        &[
            ("requests.limit", int(10_000)),
            ("tokens.remaining", int(149_984)),
            ("requests.reset", float(360.0)),
            ("tokens.reset", float(0.12)),
        ],
    );
    // Groq, Azure.
    check(&[("x-ratelimit-reset-tokens", "1m2.5s")], &[("tokens.reset", float(62.5))]);
    check(&[("x-ratelimit-limit-tokens", "-1"), ("x-ratelimit-reset-tokens", "-1")], &[]);
    // Anthropic.
    check(
        &[
            ("anthropic-ratelimit-input-tokens-limit", "50000"),
            ("anthropic-ratelimit-output-tokens-remaining", "8000"),
            ("anthropic-ratelimit-requests-reset", "2026-11-22T10:00:00Z"),
        ],
        &[
            ("input_tokens.limit", int(50_000)),
            ("output_tokens.remaining", int(8_000)),
            ("requests.reset", Value::from("2026-11-22T10:00:00Z")),
        ],
    );
    // Mistral, Cerebras.
    check(
        &[
            ("x-ratelimit-limit-tokens-minute", "500000"),
            ("x-ratelimit-limit-tokens-month", "1000000000"),
            ("x-ratelimit-remaining-req-10-second", "5"),
            ("x-ratelimit-limit-requests-day", "14400"),
        ],
        &[("tokens.limit", int(500_000)), ("requests.remaining", int(5))],
    );
    // Together, Fireworks, OpenRouter.
    check(
        &[
            ("x-ratelimit-limit", "10"),
            ("x-tokenlimit-remaining", "99"),
            ("x-ratelimit-reset", "1741305600000"),
        ],
        &[
            ("requests.limit", int(10)),
            ("tokens.remaining", int(99)),
            ("requests.reset", Value::from("1741305600000")),
        ],
    );
    check(&[("x-ratelimit-limit-tokens-prompt", "7")], &[("input_tokens.limit", int(7))]);
    check(&[("x-ratelimit-over-limit", "no"), ("x-ratelimit-limit-requests", "many")], &[]);
}

#[test]
fn durations_are_seconds() {
    let check = |text: &str, expected: Option<f64>| {
        let read = seconds(text);
        let is_same = read.zip(expected).map_or(read == expected, |(a, b)| (a - b).abs() < 1e-9);
        assert!(is_same, "{text}: {read:?}");
    };
    check("0", Some(0.0));
    check("1.5", Some(1.5));
    check("1s", Some(1.0));
    check("1h2m3.25s", Some(3_723.25));
    check("1d", Some(86_400.0));
    check("17ms", Some(0.017));
    check("1741305600", None);
    check("5 minutes", None);
    check("s", None);
    check("1.2.3s", None);
    check("2026-11-22T10:00:00Z", None);
    check("", None);
    check("5µ", None);
}

#[test]
fn bedrock_counts_stand_in_for_a_body_without_any() {
    let counts = [
        ("X-Amzn-Bedrock-Input-Token-Count", "10"),
        ("X-Amzn-Bedrock-Output-Token-Count", "5"),
        ("X-Amzn-Bedrock-Cache-Read-Input-Token-Count", "100"),
        ("X-Amzn-Bedrock-Cache-Write-Input-Token-Count", "20"),
        ("X-Amzn-Bedrock-Service-Tier", "priority"),
        ("X-Amzn-Bedrock-Invocation-Latency", "250"),
    ];
    let exchange = read(&counts);
    assert_eq!(exchange.usage, Usage::new(130, 5).with_cache_read(100).with_cache_write(20));
    assert_eq!(exchange.service_tier.as_deref(), Some("priority"));
    assert_eq!(exchange.attributes.get(semconv::SERVER_TOTAL_SECONDS), Some(&Value::Float(0.25)));
    let mut stated = Exchange { usage: Usage::new(1, 2), ..Exchange::default() };
    stated.read_headers(counts);
    assert_eq!(stated.usage, Usage::new(1, 2));
    let half = read(&counts[..1]).usage;
    assert_eq!((half.status, half.input_tokens, half.output_tokens), (UsageStatus::Partial, Some(10), None));
    let cut = Usage { status: UsageStatus::Interrupted, ..Usage::default() };
    let mut interrupted = Exchange { usage: cut.clone(), ..Exchange::default() };
    interrupted.read_headers(counts);
    assert_eq!(interrupted.usage, cut);
}

#[test]
fn a_cost_is_one_that_is_known() {
    let check = |text: &str, expected: Option<&str>| {
        let cost = read(&[("x-litellm-response-cost", text)]).stated_cost;
        assert_eq!(cost.map(|cost| cost.to_string()).as_deref(), expected, "{text}");
    };
    check("0.0025", Some("0.0025"));
    check("3.45e-05", Some("0.0000345"));
    check("0.0", None);
    check("None", None);
    check("NaN", None);
    let mut stated = Exchange { stated_cost: "1".parse().ok(), ..Exchange::default() };
    stated.read_headers([("x-litellm-response-cost", "2")]);
    assert_eq!(stated.stated_cost.map(|cost| cost.to_string()).as_deref(), Some("1"));
}

#[test]
fn a_header_names_the_kind_of_an_error_that_the_body_does_not() {
    let error = |kind: Option<&str>| ApiError { kind: kind.map(str::to_owned), ..ApiError::default() };
    let check = |before: Option<&str>, after: &str| {
        let mut exchange = Exchange { error: Some(error(before)), ..Exchange::default() };
        exchange.read_headers([("x-amzn-errortype", "ThrottlingException:http://internal.amazon.com/")]);
        assert_eq!(exchange.error, Some(error(Some(after))));
    };
    check(None, "ThrottlingException");
    check(Some("own"), "own");
    assert_eq!(read(&[("x-amzn-errortype", "ThrottlingException")]).error, None);
}

#[cfg(feature = "http")]
#[test]
fn header_maps_are_headers() {
    let mut map = http::HeaderMap::new();
    map.insert("Request-Id", http::HeaderValue::from_static("req_2"));
    map.insert("retry-after", http::HeaderValue::from_static("3"));
    let mut exchange = Exchange::default();
    exchange.read_headers(&map);
    assert_eq!(exchange.attributes.get_str(semconv::REQUEST_ID), Some("req_2"));
    assert_eq!(exchange.attributes.get(semconv::RETRY_AFTER), Some(&Value::Float(3.0)));
}
