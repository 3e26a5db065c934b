//! Measures of faithfulness on games where they are known.

use llmtrace_lens::explain::{
    Attribution, Better, Coalition, ExplainError, Faithfulness, Game, LeaveOneOut, Owen, Parts, Shapley,
};

use super::{game, near, parts};

const WEIGHTS: [f64; 10] = [4.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, -5.0];

fn additive() -> Game<'static> {
    game(10, |kept: &Coalition| kept.iter().map(|part| WEIGHTS[part]).sum())
}

fn attribution(values: &[f64]) -> Attribution {
    Attribution::new("by hand", &parts(values.len()), values).unwrap()
}

fn values(faithfulness: &Faithfulness) -> Vec<f64> {
    faithfulness.measures().iter().map(|(_, measure)| measure.value.unwrap()).collect()
}

#[test]
fn of_an_additive_game_the_measures_are_sums() {
    // Rationales are the top 1, 2, 3 and 4 parts: the others have no value above 0. Without them 4, 7, 9, 10 are lost of
    // a score of 5; with nothing else the score is 4, 7, 9, 10. Then the curves over all parts.
    let judged = additive().judge(&attribution(&WEIGHTS)).unwrap();
    near(&values(&judged), &[7.5, -2.5, -3.25, 8.25, 1.0], 1e-12);
    for (name, measure) in judged.measures() {
        assert!(measure.sigmas().unwrap() > 1.0, "{name} is better than chance: {judged}");
    }
}

#[test]
fn the_wrong_way_round_is_worse_than_chance() {
    let judged = additive().judge(&attribution(&WEIGHTS.map(|weight| -weight))).unwrap();
    // The only rationale is the part that lowers the score.
    near(&values(&judged)[..2], &[-5.0, 10.0], 1e-12);
    near(&values(&judged)[4..], &[-1.0], 1e-12);
    for (name, measure) in judged.measures() {
        assert!(measure.sigmas().unwrap() < -1.0, "{name}: {judged}");
    }
}

#[test]
fn chance_is_seeded_and_as_large_as_asked() {
    let run = |seed, rankings| {
        let game =
            Game::new(&parts(10), |prompt| prompt.kept().iter().map(|part| WEIGHTS[part]).sum::<f64>());
        game.seed(seed).judge_beside(&attribution(&WEIGHTS), rankings).unwrap()
    };
    assert_eq!(run(1, 20), run(1, 20));
    assert_ne!(run(1, 20).deletion, run(2, 20).deletion);
    assert_eq!(run(1, 20).rankings, 20);
    let many = run(1, 400).comprehensiveness;
    // Each of four dealt parts above 0 adds 0.5 on average, and a rationale has 2.5 of them on average.
    assert!((many.random_mean.unwrap() - 1.25).abs() < 0.5, "{many:?}");
    let none = run(1, 0).deletion;
    assert_eq!((none.random_mean, none.random_spread, none.sigmas()), (None, None, None));
    let one = run(1, 1).deletion;
    assert!(one.random_mean.is_some() && one.random_spread.is_none());
}

#[test]
fn what_has_no_order_has_no_tau() {
    let judged = additive().judge(&attribution(&[1.0; 10])).unwrap();
    assert_eq!(judged.tau_leave_one_out.value, None);
    assert_eq!(judged.tau_leave_one_out.better, Better::Higher);
    assert!(judged.comprehensiveness.value.is_some());
}

#[test]
fn judging_uses_what_explaining_asked() {
    let game = additive();
    let shapley = game.explain(&Shapley).unwrap();
    assert_eq!(game.plan_judgement(&shapley).unwrap().calls, 0);
    assert_eq!(game.judge(&shapley).unwrap().spent.calls, 0);
    let fresh = additive();
    let planned = fresh.plan_judgement(&shapley).unwrap();
    assert_eq!(fresh.judge(&shapley).unwrap().spent.calls, planned.calls);
    assert_eq!(planned.method, "judging exact_shapley");
}

#[test]
fn attributions_of_other_prompts_are_refused() {
    let found = additive().judge(&attribution(&[1.0, 2.0])).unwrap_err();
    assert_eq!(found, ExplainError::Mismatch { what: "the attribution", found: 2, expected: 10 });
    let found = Attribution::new("by hand", &parts(2), &[1.0]).unwrap_err();
    assert_eq!(found, ExplainError::Mismatch { what: "the attribution", found: 1, expected: 2 });
}

#[test]
fn a_redundant_pair_shows_what_each_method_sees() {
    let parts = Parts::words("Texas or Dallas or rain");
    let game = Game::new(&parts, |prompt| prompt.contains("Texas") || prompt.contains("Dallas"));
    let owen = game.explain(&Owen::default()).unwrap();
    let one_out = game.explain(&LeaveOneOut).unwrap();
    let of = |attribution: &Attribution| {
        game.judge_beside(attribution, 50).unwrap().comprehensiveness.value.unwrap()
    };
    assert!(of(&owen) > of(&one_out), "{owen}\n{one_out}");
}

#[test]
fn the_table_says_which_way_is_better() {
    let table = additive().judge(&attribution(&WEIGHTS)).unwrap().to_string();
    assert!(table.starts_with("faithfulness of by hand, beside 10 random attributions\n"), "{table}");
    for (name, better) in [("comprehensiveness", "higher"), ("sufficiency", "lower"), ("deletion", "lower")] {
        let line = table.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(line.ends_with(&format!("({better} is better)")), "{line}");
    }
}
