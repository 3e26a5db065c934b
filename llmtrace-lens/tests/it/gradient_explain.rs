//! Explanations of a local model: those that mask tokens against Captum's and exact figures, those that read the run
//! against what the run says.

use std::path::PathBuf;

use llmtrace::testing::Recording;
use llmtrace::{agent, generation};
use llmtrace_lens::explain::{
    Attribution, Coalition, ExplainError, KernelShap, LeaveOneOut, Masking, Meaning, Owen, Parts, Shapley,
    TokenGame, trace,
};
use llmtrace_lens::gradient::{Baseline, IntegratedGradients, Target};
use llmtrace_lens::report::{Colour, Picture as _};
use llmtrace_lens::{Model, Readout};
use serde_json::Value;

use crate::support::{fixtures, model};

const TOLERANCE: f64 = 1e-5;

fn fixture(name: &str) -> PathBuf {
    fixtures().join(name)
}

fn gpt2() -> Model {
    Model::load(fixture("models/gpt2")).unwrap()
}

fn golden(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture("explain").join(name)).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn prompt() -> Vec<u32> {
    let ids = golden("captum_llm.json")["ids"].as_array().unwrap().clone();
    ids.iter().map(|id| u32::try_from(id.as_u64().unwrap()).unwrap()).collect()
}

#[track_caller]
fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "[{at}] is {found}, expected {expected}");
    }
}

fn target() -> Target {
    Target::log_probability(216)
}

#[test]
fn shapley_values_of_the_model_are_those_of_its_recorded_scores() {
    let (model, golden) = (gpt2(), golden("shapley_exact.json"));
    let game = TokenGame::new(&model, &prompt(), &target(), 0);
    let scores = game.game();
    let masks: Vec<Coalition> = golden["masks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mask| Coalition::of(9, (0..9).filter(|part| mask[*part] == 1)))
        .collect();
    near(&scores.values(&masks).unwrap(), &numbers(&golden["values"]), TOLERANCE);
    let found = scores.explain(&Shapley).unwrap();
    near(&found.values(), &numbers(&golden["shapley"]), TOLERANCE);
    near(&scores.explain(&KernelShap::default()).unwrap().values(), &found.values(), 1e-9);
    assert_eq!(found.spent.calls, 0, "every mask was scored before");
    assert_eq!(found.masking, Masking::TokenId { id: 0 });
    let labels: Vec<_> = found.parts.iter().map(|part| part.part.label.as_str()).collect();
    assert_eq!(labels, ["the", " capital", " of", " the", " state", " containing", " Da", "llas", " is"]);
}

#[test]
fn leave_one_out_is_feature_ablation_of_captum() {
    let (model, golden) = (gpt2(), golden("captum_llm.json"));
    let game = TokenGame::new(&model, &prompt(), &target(), 0);
    let found = game.game().explain(&LeaveOneOut).unwrap();
    near(&found.values(), &numbers(&golden["leave_one_out_logprob"]), TOLERANCE);
    near(&found.values(), &numbers(&golden["captum"]["FeatureAblation"]["seq_attr"]), TOLERANCE);
    assert_eq!((found.spent.calls, found.spent.input_tokens), (11, Some(99)));
}

#[test]
fn a_batch_scores_its_prompts_as_each_alone_would_be() {
    let model = gpt2();
    let text = "the capital of the state containing Dallas is";
    let encoding = model.tokenizer().unwrap().encode(text, true).unwrap();
    let offsets = encoding.get_offsets().iter().map(|(from, to)| *from..*to);
    let tokens = encoding.get_ids().iter().copied().zip(offsets);
    let words = Parts::words(text).with_token_ids(tokens, 0);
    let target = Target::continuation(&[216, 4]);
    for parts in [words.clone(), words.deleting().keeping(|part| part.label == "the")] {
        let game = TokenGame::of_parts(&model, parts.clone(), &target);
        let masks: Vec<Coalition> =
            (0..parts.len()).map(|part| Coalition::full(parts.len()).without(part)).collect();
        let found = game.game().values(&masks).unwrap();
        let alone = |mask: &Coalition| model.log_probability(parts.mask(mask).ids(), &[216, 4]).unwrap();
        near(&found, &masks.iter().map(alone).collect::<Vec<_>>(), TOLERANCE);
        assert!(game.game().explain(&Owen::default()).unwrap().sum_gap().unwrap().abs() < 1e-9);
    }
}

#[test]
fn methods_that_read_the_run_say_what_the_run_says() {
    let model = gpt2();
    let tokens = prompt();
    let game = TokenGame::new(&model, &tokens, &target(), 0);
    let check = |found: Attribution, method: &str, masking: &str, runs: u64, values: &[f64]| {
        assert_eq!((found.method.as_str(), found.masking.to_string().as_str()), (method, masking));
        assert_eq!((found.spent.calls, found.spent.input_tokens), (runs, Some(runs * 9)));
        near(&found.values(), values, TOLERANCE);
        near(&[found.full_value], &model.score(&tokens, &target()).unwrap(), TOLERANCE);
        found
    };
    let gradient = model.gradient(&tokens, &target()).unwrap();
    check(game.saliency().unwrap(), "saliency", "nothing masked", 1, &gradient.norms().unwrap()[0]);
    let embeddings = model.embeddings(&tokens).unwrap();
    let product = gradient.times(&embeddings).unwrap();
    let found = game.gradient_x_input().unwrap();
    let found = check(found, "gradient_x_input", "compared with embeddings of zeros", 2, &product[0]);
    near(&[found.base_value.unwrap()], &[-7.383_517_3], TOLERANCE);
    for (baseline, masking) in [
        (Baseline::Token(0), "tokens of masked parts replaced by id 0"),
        (Baseline::Zero, "compared with embeddings of zeros"),
    ] {
        let method = IntegratedGradients::new(baseline);
        let expected = model.integrated_gradients(&tokens, &target(), &method).unwrap();
        let found = game.integrated_gradients(&method).unwrap();
        let found = check(found, "integrated_gradients", masking, 52, &expected.by_position().unwrap());
        near(&[found.sum_gap().unwrap()], &[-expected.delta().unwrap()], 1e-12);
        assert!(found.to_string().contains("gap"), "{found}");
    }
    let shares = model.attention_rollout(&tokens).unwrap().get(2).unwrap().get(8).unwrap();
    let shares: Vec<f64> = shares.to_vec1::<f32>().unwrap().into_iter().map(f64::from).collect();
    near(&[shares.iter().sum()], &[1.0], TOLERANCE);
    check(game.attention_rollout().unwrap(), "attention_rollout", "nothing masked", 2, &shares);
}

#[test]
fn values_say_what_they_are_and_share_out_what_they_can() {
    let (model, recording) = (gpt2(), Recording::start());
    let game = TokenGame::new(&model, &prompt(), &target(), 0);
    let mut all = Vec::new();
    recording.run(|| {
        // A parent of this test's own: other tests, without a subscriber, meet spans without one first.
        let answer = generation!("answer");
        let game = game.clone().of_span(&answer);
        all.push(game.saliency().unwrap());
        all.push(game.attention_rollout().unwrap());
        all.push(game.gradient_x_input().unwrap());
        all.push(game.integrated_gradients(&IntegratedGradients::default().steps(2)).unwrap());
        all.push(game.game().explain(&LeaveOneOut).unwrap());
    });
    let expected = [
        (Meaning::GradientLength, "gradient_length", false),
        (Meaning::AttentionShare, "attention_share", false),
        (Meaning::Change, "change", true),
        (Meaning::Change, "change", true),
        (Meaning::Change, "change", true),
    ];
    for (found, (meaning, name, shares_out)) in all.iter().zip(expected) {
        let json = serde_json::to_value(found).unwrap();
        assert_eq!((found.meaning, json["meaning"].as_str()), (meaning, Some(name)), "{found}");
        for field in ["base_value", "sum_gap"] {
            assert_eq!(json.get(field).is_some_and(Value::is_number), shares_out, "{field}: {json}");
        }
        assert_eq!((found.base_value.is_some(), found.sum_gap().is_some()), (shares_out, shares_out));
        let back: Attribution = serde_json::from_value(json).unwrap();
        assert_eq!(&back, found);
        let table = found.to_string();
        assert_eq!(table.contains("all masked") && table.contains("gap"), shares_out, "{table}");
        let picture = found.picture("title", "log-probability of x (nats)").to_terminal(400, Colour::None);
        assert_eq!(picture.contains("Without the parts"), shares_out, "{picture}");
        assert_eq!(picture.contains("raised it"), shares_out, "{picture}");

        let span = recording.span(&format!("explain by {}", found.method));
        assert_eq!(span.attributes.get_str(trace::MEANING), Some(name));
        for attribute in [trace::BASE_VALUE, trace::SUM_GAP] {
            assert_eq!(
                span.attributes.get(attribute).is_some(),
                shares_out,
                "{attribute} of {}",
                found.method
            );
        }
        assert!(span.attributes.get(trace::FULL_VALUE).is_some());
    }
    let drawn = |at: usize| all[at].picture("", "log-probability of x (nats)").to_terminal(400, Colour::None);
    let length =
        "length of the gradient of the log-probability of x (nats), per unit of embedding; the bluer";
    assert!(drawn(0).contains(length), "{}", drawn(0));
    assert!(drawn(1).contains("share of attention in the last position, 0 to 1"), "{}", drawn(1));
    assert!(!drawn(0).contains('+') && !drawn(1).contains('+'), "{} {}", drawn(0), drawn(1));
}

#[test]
fn tokens_that_the_tokenizer_adds_stay_and_are_no_parts() {
    let (model, text, is) = (model("llama"), "the cat is", Target::log_probability(5));
    let ids = model.tokenize(text).unwrap();
    assert_eq!(model.token_text(ids[0]), "<s>");
    let labels = |game: &TokenGame<'_>| game.parts().labels().map(str::to_owned).collect::<Vec<_>>();
    let (game, whole) =
        (TokenGame::of_text(&model, text, &is, 0).unwrap(), TokenGame::new(&model, &ids, &is, 0));
    let words = labels(&game);
    assert!(words.len() == ids.len() - 1 && !words.iter().any(|word| word.contains("<s>")), "{words:?}");
    assert_eq!(labels(&whole)[0], "<s>", "of ids alone nobody knows who put them there");
    let none = Coalition::empty(words.len());
    let masked: Vec<u32> = std::iter::once(ids[0]).chain(words.iter().map(|_| 0)).collect();
    assert_eq!(game.parts().mask(&none).ids(), masked);
    assert_eq!(labels(&TokenGame::of_text(&model, "", &is, 0).unwrap()), ["<s>"], "there is no other");
    assert_eq!(labels(&TokenGame::of_text(&gpt2(), "the", &is, 0).unwrap()), ["the"]);

    // What is compared with has the token too, so that the parts share the whole change out.
    let exact = game.game().explain(&Shapley).unwrap();
    let steps = IntegratedGradients::new(Baseline::Token(0)).steps(100);
    let integrated = game.integrated_gradients(&steps).unwrap();
    near(&[integrated.base_value.unwrap()], &[exact.base_value.unwrap()], TOLERANCE);
    near(&[integrated.sum_gap().unwrap()], &[0.0], 1e-3);
    let zeros = game.integrated_gradients(&IntegratedGradients::default().steps(2)).unwrap();
    let product = game.gradient_x_input().unwrap();
    near(&[product.base_value.unwrap()], &[zeros.base_value.unwrap()], TOLERANCE);
    let of_all = whole.gradient_x_input().unwrap();
    assert!((product.base_value.unwrap() - of_all.base_value.unwrap()).abs() > 1e-3);
    near(&product.values(), &of_all.values()[1..], 1e-12);
    let (shares, of_all) = (game.attention_rollout().unwrap(), whole.attention_rollout().unwrap());
    near(&shares.values(), &of_all.values()[1..], 1e-12);
}

#[test]
fn runs_beyond_the_bound_are_refused_before_the_first() {
    let model = gpt2();
    // A token that is not there: a run would fail in other words.
    let game = |runs: u64| TokenGame::new(&model, &[1, 70_000], &target(), 0).max_runs(runs);
    let check = |found: Result<Attribution, ExplainError>, method: &str, planned: u64| {
        let (method, left) = (method.to_owned(), planned - 1);
        assert_eq!(found.unwrap_err(), ExplainError::Budget { method, planned, left });
    };
    check(game(0).saliency(), "saliency", 1);
    check(game(1).gradient_x_input(), "gradient_x_input", 2);
    check(game(51).integrated_gradients(&IntegratedGradients::default()), "integrated_gradients", 52);
    check(game(1).attention_rollout(), "attention_rollout", 2);
    check(game(3).game().explain(&Shapley), "exact_shapley", 4);
    assert!(matches!(game(2).gradient_x_input(), Err(ExplainError::Model { .. })));

    let game = TokenGame::new(&model, &prompt(), &target(), 0);
    let calls = game.game().max_calls(11);
    let attribution = calls.explain(&LeaveOneOut).unwrap();
    let planned = calls.plan_judgement(&attribution).unwrap().calls;
    let expected = ExplainError::Budget { method: "judging leave_one_out".to_owned(), planned, left: 0 };
    assert_eq!(calls.judge(&attribution).unwrap_err(), expected);
}

#[test]
fn explanations_stand_below_the_span_that_they_explain() {
    let (model, recording) = (gpt2(), Recording::start());
    recording.run(|| {
        let answer = generation!("answer");
        let game = TokenGame::new(&model, &prompt(), &target(), 0).of_span(&answer);
        agent!("elsewhere").in_scope(|| {
            game.saliency().unwrap();
            game.gradient_x_input().unwrap();
            game.integrated_gradients(&IntegratedGradients::default().steps(2)).unwrap();
            game.attention_rollout().unwrap();
            let calls = game.game();
            calls.judge(&calls.explain(&LeaveOneOut).unwrap()).unwrap();
        });
    });
    assert_eq!(
        recording.tree(),
        "\
answer [generation]
  explain by saliency [evaluator]
  explain by gradient_x_input [evaluator]
  explain by integrated_gradients [evaluator]
  explain by attention_rollout [evaluator]
  explain by leave_one_out [evaluator]
  judge leave_one_out [evaluator]
elsewhere [agent]
"
    );
}

#[test]
fn numbers_of_tokens_are_added_up_over_the_parts_they_belong_to() {
    let model = gpt2();
    let tokens = prompt();
    let by_token = TokenGame::new(&model, &tokens, &target(), 0).saliency().unwrap().values();
    let places = [0..3, 3..11, 11..14, 14..18, 18..24, 24..35, 35..38, 38..42, 42..45];
    let text = "the capital of the state containing Dallas is";
    let words = Parts::words(text).with_token_ids(tokens.iter().copied().zip(places), 0);
    let words = words.keeping(|part| part.label == "is");
    let found = TokenGame::of_parts(&model, words, &target()).saliency().unwrap();
    assert_eq!(found.parts.last().unwrap().text, "Dallas");
    let mut expected = by_token[..6].to_vec();
    expected.push(by_token[6] + by_token[7]);
    near(&found.values(), &expected, 1e-12);
}

#[test]
fn what_cannot_be_run_is_an_error_of_the_explanation() {
    let model = gpt2();
    let game = TokenGame::new(&model, &[1, 70_000], &target(), 0);
    let expected = "the model cannot be run: token 70000 is outside the vocabulary of 384 tokens";
    assert_eq!(game.saliency().unwrap_err().to_string(), expected);
    assert!(matches!(game.game().explain(&LeaveOneOut), Err(ExplainError::Score { .. })));
    let none = TokenGame::new(&model, &[], &target(), 0);
    assert_eq!(none.attention_rollout().unwrap_err(), ExplainError::NoParts);
    let text = TokenGame::of_parts(&model, Parts::words("no ids"), &target());
    assert!(matches!(text.game().explain(&LeaveOneOut), Err(ExplainError::Score { .. })));
    assert!(model.run_batch(&[&[1]], Readout::Last).is_ok());
}
