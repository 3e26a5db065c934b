//! What Shapley's axioms ask of every method that claims them, on random games.

use fastrand::Rng;
use llmtrace_lens::explain::{
    Coalition, Coverage, Game, KernelShap, Lime, Method, Owen, Permutation, Shapley,
};

use super::{game, near, parts, values_of};

/// Scores of every choice of parts, drawn at random.
fn random_scores(parts: usize, seed: u64) -> Vec<f64> {
    let mut rng = Rng::with_seed(seed);
    (0..1_usize << parts).map(|_| rng.f64() * 10.0 - 5.0).collect()
}

fn bits(kept: &Coalition) -> usize {
    kept.iter().map(|part| 1 << part).sum()
}

/// The first `parts` parts play a random game; the one after them adds nothing, the two last are alike.
fn random_game(parts: usize, seed: u64) -> Game<'static> {
    let scores = random_scores(parts, seed);
    game(parts + 3, move |kept| {
        let played = scores[bits(kept) & ((1 << parts) - 1)];
        let alike = usize::from(kept.contains(parts + 1)) + usize::from(kept.contains(parts + 2));
        played + [0.0, 1.0, 5.0][alike] * (1.0 + played / 10.0)
    })
}

/// Checks efficiency, and where asked the null part and the symmetry of the last two.
fn check(method: &impl Method, parts: usize, seed: u64, tolerance: f64) {
    let game = random_game(parts, seed);
    let attribution = game.explain(method).unwrap();
    assert!(attribution.sum_gap().unwrap().abs() <= tolerance, "{attribution}");
    let values = attribution.values();
    near(&values[parts..=parts], &[0.0], tolerance);
    near(&values[parts + 1..parts + 2], &values[parts + 2..], tolerance);
}

#[test]
fn exact_values_hold_the_axioms() {
    for (seed, parts) in (0..20).zip((1..=6).cycle()) {
        check(&Shapley, parts, seed, 1e-9);
        check(&KernelShap::default(), parts, seed, 1e-9);
    }
}

#[test]
fn full_kernel_shap_is_exact_shapley_on_random_games() {
    for parts in 1..11 {
        let scores = random_scores(parts, parts as u64);
        let game = game(parts, |kept| scores[bits(kept)]);
        let exact = values_of(&game, &Shapley).unwrap();
        near(&values_of(&game, &KernelShap::default()).unwrap(), &exact, 1e-9);
    }
}

#[test]
fn sampled_methods_sum_to_the_change_and_leave_null_parts_alone() {
    for seed in 0..10 {
        let game = random_game(5, seed);
        for attribution in [
            game.explain(&Permutation::pairs(3)).unwrap(),
            game.explain(&KernelShap::samples(60)).unwrap(),
            game.explain(&Owen::default()).unwrap(),
            game.explain(&Owen::default().limit(20)).unwrap(),
        ] {
            assert!(attribution.sum_gap().unwrap().abs() < 1e-9, "{attribution}");
        }
        near(&game.explain(&Permutation::pairs(3)).unwrap().values()[5..6], &[0.0], 1e-9);
        near(&game.explain(&Owen::default()).unwrap().values()[5..6], &[0.0], 1e-9);
    }
}

#[test]
fn sampled_kernel_shap_nears_the_exact_values_with_more_samples() {
    let scores = random_scores(10, 5);
    let game = game(10, |kept| scores[bits(kept)]);
    let exact = values_of(&game, &Shapley).unwrap();
    let error = |samples| {
        let attribution = game.explain(&KernelShap::samples(samples)).unwrap();
        assert_eq!(attribution.coverage == Coverage::Whole, samples >= 1022, "{samples}");
        let found = attribution.values();
        found.iter().zip(&exact).map(|(found, exact)| (found - exact).abs()).fold(0.0, f64::max)
    };
    let (few, many, all) = (error(60), error(900), error(1022));
    assert!(few > many && many > 1e-6 && all < 1e-9, "{few} {many} {all}");
}

#[test]
fn the_seed_alone_decides() {
    let scores = random_scores(9, 1);
    let run = |seed, threads| {
        let game = Game::new(&parts(9), |prompt| scores[bits(prompt.kept())]).seed(seed).threads(threads);
        [
            values_of(&game, &Permutation::pairs(3)).unwrap(),
            values_of(&game, &KernelShap::samples(90)).unwrap(),
            values_of(&game, &Lime::samples(60)).unwrap(),
            values_of(&game, &Owen::default().limit(40)).unwrap(),
        ]
    };
    assert_eq!(run(7, 1), run(7, 8));
    let (these, others) = (run(7, 4), run(8, 4));
    for method in 0..3 {
        assert_ne!(these[method], others[method]);
    }
    assert_eq!(these[3], others[3], "Owen values draw nothing");
}

#[test]
fn lime_finds_a_linear_model_but_for_its_ridge() {
    let linear = |kept: &Coalition| 1.0 + kept.iter().map(|part| part as f64).sum::<f64>();
    let attribution = game(6, linear).explain(&Lime::default()).unwrap();
    let fit = attribution.fit.unwrap();
    near(&attribution.values(), &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 0.05);
    near(&[fit.intercept, fit.local_prediction, fit.r2], &[1.0, 16.0, 1.0], 0.05);
    let few = game(6, linear).explain(&Lime::default().features(2)).unwrap();
    assert_eq!(few.values().iter().filter(|value| **value != 0.0).count(), 2);
    assert!(few.top(2).iter().all(|part| ["p4", "p5"].contains(&part.text.trim())), "{few}");
}
