use super::*;
use crate::{PriceOverrides, PriceQuery, PriceSource, Usage};

#[test]
fn what_is_wrong_is_named() {
    let check = |text: &str, expected: &str| {
        let error = PriceOverrides::from_json(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}\n{error}\n{expected}");
    };
    let entry = |more: &str| {
        format!(r#"[{{"model": "a", "input_per_mtok": 1, "output_per_mtok": 2}}, {{"model": "m", {more}}}]"#)
    };
    check("", "not JSON");
    check("[{]", "line 1 column 3");
    check(r#"{"model": "m"}"#, "must be a JSON array");
    check("[1]", "override 0 (counted from 0): expected an object, found 1");
    check(r"[{}]", "key \"model\": expected a model's name");
    check(r#"[{"model": 7}]"#, "key \"model\": expected text, found 7");
    check(r#"[{"model": "a*b"}]"#, "expected a * at the end only, found \"a*b\"");
    check(
        &entry(r#""input_per_mtok": 1"#),
        "override 1 (counted from 0), key \"output_per_mtok\": expected USD",
    );
    check(&entry(r#""input_per_mtok": "-1""#), "key \"input_per_mtok\": expected USD, not negative");
    check(&entry(r#""input_per_mtok": "1,5""#), "found \"1,5\"");
    check(&entry(r#""input_per_mtok": true"#), "found true");
    check(
        &entry(r#""input_per_mtok": 1, "output_per_mtok": 1, "cached_per_mtok": 1"#),
        "expected one of model, provider",
    );
    let with = |more: &str| entry(&format!(r#""input_per_mtok": 1, "output_per_mtok": 1, {more}"#));
    check(&with(r#""from": "2026-02-30""#), "key \"from\": expected a date such as");
    check(&with(r#""from": "2026-01-01", "to": "2026-01-01""#), "key \"to\": expected a time after \"from\"");
    check(&with(r#""service_tier": null"#), "key \"service_tier\": expected text, found null");
    check(&with(r#""days": "mon-fry""#), "key \"days\": expected days such as \"mon-fri\"");
    check(&with(r#""days": []"#), "key \"days\": expected days");
    check(&with(r#""hours": "9-17""#), "key \"hours\": expected hours in UTC such as \"01:00-04:00\"");
    check(&with(r#""hours": ["01:00-02:00", 3]"#), "key \"hours\"");
    check(&with(r#""processing": "realtime""#), "key \"processing\": expected \"batch\", found \"realtime\"");
    check(
        &with(r#""above_input_tokens": "200k""#),
        "key \"above_input_tokens\": expected a number of tokens",
    );
    check(&with(r#""web_search_per_1k": "ten""#), "key \"web_search_per_1k\": expected USD");
    check(&with(r#""priced_as": "gpt-4o""#), "key \"input_per_mtok\": expected no price of its own");
    check(&with(r#""priced_as_provider": "openai""#), "key \"priced_as\": expected a model's name beside");
    check(&entry(r#""priced_as": """#), "key \"priced_as\": expected one model's whole name");
    check(&entry(r#""priced_as": "gpt-*""#), "found \"gpt-*\"");
    assert!(
        PriceOverrides::from_file("/nonexistent/prices.json")
            .unwrap_err()
            .to_string()
            .contains("prices.json")
    );
}

#[test]
fn what_is_wrong_in_a_file_is_said_with_its_name() {
    let path = std::env::temp_dir().join(format!("llmtrace-prices-{}.json", std::process::id()));
    std::fs::write(&path, "[{}]").unwrap();
    let said = PriceOverrides::from_file(&path).unwrap_err().to_string();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(said.split_once(": "), Some((path.to_str().unwrap(), said.split_once(": ").unwrap().1)));
    assert!(said.contains("key \"model\""), "{said}");
}

#[test]
fn numbers_and_text_are_read_to_the_last_digit() {
    let check = |price: &str, expected: &str| {
        let text = format!(r#"[{{"model": "m", "input_per_mtok": {price}, "output_per_mtok": 0}}]"#);
        let prices = PriceOverrides::from_json(&text).unwrap();
        let usage = Usage::new(1_000_000, 5);
        let cost = prices.price(&PriceQuery::new("m", &usage, Timestamp::default())).unwrap();
        assert_eq!(cost.total.to_string(), expected);
    };
    check("0.15", "0.15");
    check("\"0.15\"", "0.15");
    check("1e-7", "0.0000001");
    check("3", "3");
    check("0", "0");
    check("\"0.000000000001\"", "0.000000000001");
}

#[test]
fn the_message_names_every_key() {
    let listed: Vec<&str> = KEYS_TEXT.trim_start_matches("one of ").split(", ").collect();
    let mut known: Vec<&str> = KEYS.into_iter().chain(NEEDED).chain(PRICES.map(|(key, _)| key)).collect();
    assert!(listed.iter().all(|key| known.contains(key)), "{listed:?}");
    known.retain(|key| !listed.contains(key));
    assert!(known.is_empty(), "{known:?}");
}

#[test]
fn every_price_sets_a_rate_of_its_own() {
    let usage = Usage {
        cache_write_1h_tokens: Some(1),
        input_audio_tokens: Some(2),
        cache_read_audio_tokens: Some(1),
        cache_read_image_tokens: Some(0),
        input_image_tokens: Some(1),
        cache_read_video_tokens: Some(0),
        input_video_tokens: Some(1),
        output_audio_tokens: Some(1),
        output_image_tokens: Some(1),
        web_searches: Some(1),
        file_searches: Some(1),
        rerank_searches: Some(1),
        document_pages: Some(1),
        audio_seconds: Some(1),
        ..Usage::new(100, 100).with_cache_read(2).with_cache_write(2).with_reasoning(1)
    };
    for (key, _) in PRICES {
        let text = format!(r#"[{{"model": "m", "input_per_mtok": 0, "output_per_mtok": 0, "{key}": 36}}]"#);
        let prices = PriceOverrides::from_json(&text).unwrap();
        let cost = prices.price(&PriceQuery::new("m", &usage, Timestamp::default())).unwrap();
        // One token (two of writes, where the hour's rate follows the other's), one search or page, one second.
        let expected = match key {
            "cache_read_per_mtok" | "cache_write_per_mtok" => "0.000072",
            key if key.ends_with("_1k") => "0.036",
            "audio_per_hour" => "0.01",
            _ => "0.000036",
        };
        assert_eq!(cost.total.to_string(), expected, "{key}");
    }
}

#[test]
fn every_condition_is_read() {
    let text = r#"[{"model": "m", "input_per_mtok": 1, "output_per_mtok": 0},
        {"model": "m", "days": "mon-fri", "hours": ["01:00-04:00", "06:00-10:00"], "input_per_mtok": 2, "output_per_mtok": 0},
        {"model": "m", "above_input_tokens": 2000000, "input_per_mtok": 3, "output_per_mtok": 0},
        {"model": "m", "processing": "batch", "input_per_mtok": 4, "output_per_mtok": 0},
        {"model": "m", "speed": "fast", "input_per_mtok": 5, "output_per_mtok": 0},
        {"model": "m", "inference_geo": "us", "input_per_mtok": 6, "output_per_mtok": 0},
        {"model": "bot*", "priced_as": "m"},
        {"model": "m-elsewhere", "provider": "gateway", "priced_as": "m-2", "priced_as_provider": "openai"},
        {"model": "m-2", "provider": "openai", "input_per_mtok": 7, "output_per_mtok": 0}]"#;
    let prices = PriceOverrides::from_json(text).unwrap();
    let (short, long) = (Usage::new(2_000_000, 0), Usage::new(2_000_001, 0));
    let friday: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let check = |query: PriceQuery<'_>, expected: &str| {
        let total = prices.price(&query).unwrap().total.to_string();
        assert_eq!(total, expected, "{query:?}");
    };
    let query = PriceQuery::new("m", &short, friday);
    let at = |time: &str| PriceQuery { at: time.parse().unwrap(), ..query };
    check(query, "2");
    check(at("2026-11-20T03:00:00Z"), "4");
    check(at("2026-11-20T04:00:00Z"), "2");
    check(at("2026-11-20T06:00:00Z"), "4");
    check(at("2026-11-21T06:00:00Z"), "2");
    check(PriceQuery { usage: &long, ..query }, "6.000003");
    check(query.processing("batch"), "8");
    check(query.service_tier("batch"), "8");
    check(query.speed("FAST"), "10");
    check(query.inference_geo("us"), "12");
    check(PriceQuery { model: "bot-7", ..query.inference_geo("us") }, "12");
    check(PriceQuery { model: "m-elsewhere", ..query.provider("gateway") }, "14");
}

#[test]
fn every_key_is_read() {
    let text = r#"[{"provider": "azure", "model": "m", "from": "2026-01-01", "to": "2026-02-01T12:00:00+02:00",
        "service_tier": "flex", "input_per_mtok": 1, "output_per_mtok": 10, "cache_read_per_mtok": 100,
        "cache_write_per_mtok": 1000, "cache_write_1h_per_mtok": 10000, "per_call": "0.5",
        "as_of": "2026-01-02", "note": "x"}]"#;
    let prices = PriceOverrides::from_json(text).unwrap();
    let usage = Usage {
        cache_write_1h_tokens: Some(100_000),
        ..Usage::new(1_000_000, 100_000).with_cache_read(100_000).with_cache_write(200_000)
    };
    let at = |time: &str| {
        PriceQuery::new("m", &usage, time.parse().unwrap()).provider("azure.ai.openai").service_tier("flex")
    };
    let cost = prices.price(&at("2026-02-01T09:59:59Z")).unwrap();
    assert_eq!(cost.total.to_string(), "1112.2");
    assert_eq!(cost.output.unwrap().to_string(), "1");
    assert_eq!(cost.as_of.as_deref(), Some("2026-01-02"));
    assert!(prices.price(&at("2026-02-01T10:00:00Z")).is_err());
    assert!(prices.price(&at("2025-12-31T23:59:59Z")).is_err());
}
