//! Which neurons of the toy stand for which state: those that fire for its cities and hardly for others.

use std::error::Error;

use llmtrace_lens::circuit::graph::ActiveFeature;
use llmtrace_lens::{Hooks, Model, Readout};
use serde_json::Value;

/// What the toy was trained on.
const FACTS: &str = include_str!("../../llmtrace-lens/models/toy-relu/facts.json");
/// A neuron stands for a state if it fires so many times as strongly for its cities as for those of other states, on average.
const TIMES: f32 = 2.0;

/// States, their capitals and their cities, the first of which stands in no two-hop sentence that the toy was trained on.
pub(crate) struct States(Vec<State>);

/// One of them.
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) capital: String,
    pub(crate) cities: Vec<String>,
}

/// Mean activations `[layer][position][neuron]` in the prompts of some cities.
type Means = Vec<Vec<Vec<f32>>>;

/// How strongly each neuron fires for each state.
pub(crate) struct Firing(Vec<Means>);

impl States {
    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        let facts: Value = serde_json::from_str(FACTS)?;
        let states = facts["states"].as_object().ok_or("no states")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let state = |(name, state): (&String, &Value)| {
            let cities = state["cities"].as_array().map(|cities| cities.iter().map(text).collect());
            State { name: name.clone(), capital: text(&state["capital"]), cities: cities.unwrap_or_default() }
        };
        Ok(Self(states.iter().map(state).collect()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &State> {
        self.0.iter()
    }

    /// The place of a state among them.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|state| state.name == name)
    }

    /// Runs the prompts of all cities but the first of each state.
    pub(crate) fn firing(
        &self,
        model: &Model,
        prompt: impl Fn(&str) -> String,
    ) -> Result<Firing, Box<dyn Error>> {
        let mut means = Vec::new();
        for state in &self.0 {
            let prompts: Result<Vec<Vec<u32>>, _> =
                state.cities.iter().skip(1).map(|city| model.tokenize(&prompt(city))).collect();
            let prompts = prompts?;
            let prompts: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
            let mut hooks = Hooks::new().keep("blocks.*.mlp.hook_post");
            let (_, cache) = model.run_batch_with_hooks(&prompts, Readout::Last, &mut hooks)?;
            let layers = 0..model.config().layers;
            let layers: Result<Means, Box<dyn Error>> =
                layers.map(|layer| Ok(cache.get(&format!("post{layer}"))?.mean(0)?.to_vec2()?)).collect();
            means.push(layers?);
        }
        Ok(Firing(means))
    }
}

impl Firing {
    /// Whether a neuron stands for a state where it is active.
    pub(crate) fn stands_for(&self, state: usize, at: &ActiveFeature) -> bool {
        let of = |means: &Means| means[at.layer][at.position][at.feature];
        let all: f32 = self.0.iter().map(of).sum();
        let own = self.0.get(state).map_or(0.0, of);
        own > 0.0 && own >= TIMES * (all - own) / (self.0.len() - 1) as f32
    }
}
