//! What the toy was trained on.

use std::collections::BTreeMap;
use std::error::Error;

use serde_json::Value;

const FACTS: &str = include_str!("../../llmtrace-lens/models/toy-relu/facts.json");

/// A state, its capital and six of its cities; the first stands in no sentence with the capital.
pub(crate) struct State {
    pub(crate) capital: String,
    pub(crate) cities: Vec<String>,
}

/// All 24, by their names.
pub(crate) fn states() -> Result<Vec<State>, Box<dyn Error>> {
    let facts: Value = serde_json::from_str(FACTS)?;
    let states: BTreeMap<String, Value> = serde_json::from_value(facts["states"].clone())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let state = |state: &Value| {
        let cities = state["cities"].as_array().map(|cities| cities.iter().map(text).collect());
        State { capital: text(&state["capital"]), cities: cities.unwrap_or_default() }
    };
    Ok(states.values().map(state).collect())
}
