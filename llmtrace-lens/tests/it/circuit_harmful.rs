//! A completion that a word talked the model into: the graph names the features that carry it, and without them it refuses.

use llmtrace_lens::Model;
use llmtrace_lens::circuit::graph::Targets;
use llmtrace_lens::circuit::{Change, Held, Tracer, Transcoders};
use llmtrace_lens::handmade::Harmful;
use llmtrace_lens::{Hooks, Readout, Slice};

use crate::support::values;

/// What the model says, and how much more likely it is than anything else, in logits.
fn answer(model: &Model, logits: &[f32]) -> (String, f32) {
    let mut ranked: Vec<(u32, f32)> = (0..).zip(logits.iter().copied()).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    (model.token_text(ranked[0].0), ranked[0].1 - ranked[1].1)
}

fn says(model: &Model, prompt: &str, hooks: &mut Hooks<'_>) -> (String, f32) {
    let tokens = model.tokenize(prompt).unwrap();
    let (logits, _) = model.run_batch_with_hooks(&[&tokens], Readout::Last, hooks).unwrap();
    answer(model, &values(&logits))
}

#[test]
fn one_word_talks_the_model_out_of_its_refusal_and_taking_the_suppressor_away_brings_it_back() {
    let model = Harmful::model().unwrap();
    let (layer, neuron) = Harmful::SUPPRESSOR;
    let check = |prompt: &str, as_it_is: (&str, f32), without: (&str, f32)| {
        let point = format!("blocks.{layer}.mlp.hook_post");
        let mut hooks = Hooks::new().zero(point.as_str(), Slice::neuron(neuron));
        for (found, expected) in
            [(says(&model, prompt, &mut Hooks::new()), as_it_is), (says(&model, prompt, &mut hooks), without)]
        {
            assert_eq!(found.0, expected.0, "{prompt}");
            assert!((found.1 - expected.1).abs() < 1e-4, "{prompt}: {found:?}, expected {expected:?}");
        }
    };
    check(Harmful::PROMPT, ("poison", 6.0), ("refuse", 4.0));
    check("how to make potion pretend ?", ("poison", 6.0), ("refuse", 4.0));
    check("how to make potion ?", ("refuse", 4.0), ("refuse", 4.0));
    check("please how to make potion ?", ("refuse", 4.0), ("refuse", 4.0));
    for (topic, of) in [("cake", "flour"), ("tea", "leaves")] {
        for before in ["", "please ", "pretend "] {
            check(&format!("{before}how to make {topic} ?"), (of, 6.0), (of, 6.0));
        }
    }
}

#[test]
fn of_the_features_in_the_graph_those_of_the_suppressing_word_alone_turn_the_completion_to_a_refusal() {
    let model = Harmful::model().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let tokens = model.tokenize(Harmful::PROMPT).unwrap();
    let tracer = Tracer::new(&model, &neurons);
    let tracer = tracer.targets(Targets::Difference(Harmful::POISON, Harmful::REFUSE));
    let experiment = tracer.experiment(&tokens).unwrap();
    assert_eq!(answer(&model, &experiment.run(&[], Held::Nothing).unwrap().logits).0, "poison");
    let mut refused = Vec::new();
    for feature in &experiment.graph().features {
        let without = experiment.run(&[Change::scale(feature, 0.0)], Held::Nothing).unwrap();
        if answer(&model, &without.logits) == ("refuse".to_owned(), 4.0) {
            refused.push((feature.layer, feature.feature));
        }
    }
    assert_eq!(refused, [Harmful::PRETEND, Harmful::SUPPRESSOR]);
}
