//! What is read of the toy models: the state before its capital, the heads that repeat, the neurons that speak.

use llmtrace_lens::Model;
use llmtrace_lens::analysis::{InductionTest, LogitLens, Reading, Target};

use crate::support::toys;

const PROMPT: &str = "the capital of the state containing Dallas is";

fn lens(model: &Model) -> LogitLens {
    let points = format!(
        "blocks.*.hook_resid_pre, blocks.*.hook_resid_mid, blocks.{}.hook_resid_post",
        model.config().layers - 1
    );
    let tokens = model.tokenize(PROMPT).unwrap();
    Reading::new(model, &tokens).unwrap().logit_lens().points(points.as_str()).top(3).read().unwrap()
}

#[test]
fn the_lens_reads_what_torch_reads_at_every_layer() {
    for (model, expected) in toys() {
        for row in lens(&model).rows {
            let last = model.config().layers - 1;
            let label = if row.label == format!("{last}_post") { "final_post" } else { &row.label };
            let said = row.cells.iter().map(|cell| cell.best().unwrap().token.text.clone());
            let words: Vec<String> =
                serde_json::from_value(expected["lens"]["top_1"][label].clone()).unwrap();
            assert_eq!(said.collect::<Vec<_>>(), words, "{} {label}", model.name());
            let guesses = &row.cells.last().unwrap().top;
            for (guess, expected) in
                guesses.iter().zip(expected["lens"]["last_position"][label].as_array().unwrap())
            {
                assert_eq!(expected["id"], guess.token.id, "{} {label}", model.name());
                for (found, name) in [(guess.logit, "logit"), (guess.probability, "prob")] {
                    let expected = expected[name].as_f64().unwrap();
                    assert!((f64::from(found) - expected).abs() < 1e-4, "{label} {name} {found} {expected}");
                }
            }
        }
    }
}

#[test]
fn the_state_is_said_before_its_capital() {
    // The other toy takes the step without saying it: models/README.md.
    let (model, _) = toys().swap_remove(0);
    let lens = lens(&model);
    let said: Vec<&str> =
        (0..lens.rows.len()).map(|row| lens.last(row).unwrap().best().unwrap().token.text.as_str()).collect();
    let first = |word: &str| said.iter().position(|said| *said == word).unwrap();
    assert!(first("Texas") < first("Austin"), "{said:?}");
    assert_eq!(said.last(), Some(&"Austin"));
    let position = *lens.positions.last().unwrap();
    let settled = lens.settled(model.token_id("Austin").unwrap(), position).unwrap();
    assert!(settled > first("Texas"), "{said:?}");
}

#[test]
fn induction_heads_are_found_by_their_score() {
    for (model, expected) in toys() {
        let words =
            (model.token_id("Texas").unwrap()..).take_while(|id| (*id as usize) < model.config().vocab);
        let report = InductionTest::new(&model).among(words).length(12).sequences(24).seed(7).run().unwrap();
        let mut heads = 0;
        for (layer, scores) in expected["heads"]["induction"].as_array().unwrap().iter().enumerate() {
            for (head, score) in scores.as_array().unwrap().iter().enumerate() {
                let (score, name) = (score.as_f64().unwrap(), format!("{} L{layer}H{head}", model.name()));
                let found = f64::from(report.attention.head(layer, head).unwrap().induction.unwrap());
                // Other sequences than torch's.
                assert!((found - score).abs() < 0.15, "{name}: {found}, torch {score}");
                heads += usize::from(score > 0.6);
            }
        }
        assert!(heads > 0);
        assert!(report.attention.induction_heads(0.45).len() >= heads, "{report}");
        assert!(report.accuracy > 0.9, "{report}");
        assert!(report.repeated_loss < 1.0 && report.first_loss > 3.0, "{report}");
    }
}

#[test]
fn attributions_of_the_answer_are_complete_and_reach_the_neurons() {
    for (model, expected) in toys() {
        let tokens = model.tokenize(PROMPT).unwrap();
        let reading = Reading::new(&model, &tokens).unwrap();
        let [token, against] = ["Austin", "Sacramento"].map(|word| model.token_id(word).unwrap());
        let answer = reading.attribute(Target::Difference { token, against }).unwrap();
        for attribution in [answer.components(), answer.heads(), answer.neurons(40), answer.sources(2, 0)] {
            let attribution = attribution.unwrap();
            assert!(attribution.gap.abs() < 1e-4, "{attribution}");
            assert!(attribution.logit > 1.0, "{attribution}");
        }
        for (layer, known) in expected["neurons_at_is"].as_array().unwrap().iter().enumerate() {
            let point = format!("blocks.{layer}.mlp.hook_post");
            let values: Vec<Vec<f32>> =
                reading.cache().get(&point).unwrap().squeeze(0).unwrap().to_vec2().unwrap();
            let active = values.last().unwrap().iter().filter(|value| **value > 0.0).count();
            assert_eq!(known["active"], active, "{} {layer}", model.name());
        }
    }
}
