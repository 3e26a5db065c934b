//! Real responses, in the folder that `LLMTRACE_FIXTURES` names, priced by the program and by the SDK.

use std::path::PathBuf;
use std::time::Instant;

use llmtrace::provider::read_response;
use llmtrace::{BundledPrices, PriceQuery, PriceSource as _, UsageStatus, semconv};
use serde_json::{Value, json};

use crate::support::run;

fn rows() -> Option<Vec<Value>> {
    let named = std::env::var_os("LLMTRACE_FIXTURES").map(PathBuf::from);
    let folder =
        named.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/fixtures").into());
    let path = folder.join("usages/real_usages.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no {}", path.display());
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The cost as text, as the SDK computes it.
fn cost(row: &Value, prices: &BundledPrices) -> Option<String> {
    let exchange = read_response(&row["body"])?;
    if let Some(cost) = exchange.stated_cost {
        return Some(cost.to_string());
    }
    if exchange.usage.status != UsageStatus::Complete {
        return None;
    }
    let stated = |key| exchange.attributes.get_str(key);
    let at = row["timestamp"].as_str()?.parse().ok()?;
    let query = PriceQuery::new(exchange.response_model.as_deref()?, &exchange.usage, at)
        .provider(row["provider"].as_str())
        .service_tier(exchange.service_tier.as_deref())
        .speed(stated(semconv::SPEED))
        .inference_geo(stated(semconv::INFERENCE_GEO));
    prices.price(&query).ok().map(|cost| cost.total.to_string())
}

#[test]
fn every_row_is_answered_in_order_as_the_sdk_prices_it() {
    let Some(rows) = rows() else { return };
    let input = rows.iter().enumerate().map(|(id, row)| {
        let line =
            json!({"id": id, "provider": row["provider"], "at": row["timestamp"], "response": row["body"]});
        format!("{line}\n")
    });
    let input: String = input.collect();
    let started = Instant::now();
    let run = run(&["price", "--lines"], input);
    println!("{} rows in {:?}", rows.len(), started.elapsed());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let answers = run.json_lines();
    assert_eq!(answers.len(), rows.len());
    let prices = BundledPrices::new();
    let (mut priced, mut as_oracle) = (0, 0);
    for (id, ((row, answer), line)) in rows.iter().zip(&answers).zip(run.out.lines()).enumerate() {
        assert_eq!(answer["id"], json!(id));
        assert!(answer["api"].is_string(), "of no known API: {row}");
        let expected = cost(row, &prices);
        let shown = expected.clone().unwrap_or_else(|| "null".to_owned());
        assert!(line.contains(&format!("\"cost_usd\":{shown},")), "{shown}: {line}");
        priced += usize::from(expected.is_some());
        as_oracle += usize::from(expected.is_some() && expected.as_deref() == row["cost_usd"].as_str());
    }
    println!("{priced} priced, {as_oracle} of them digit by digit as the oracle");
    assert!(priced >= 1_129 && as_oracle >= 1_110, "{priced}, {as_oracle}");
}
