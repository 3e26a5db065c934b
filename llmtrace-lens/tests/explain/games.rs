//! Games whose Shapley and Owen values are known in closed form.

use llmtrace_lens::explain::{
    Coalition, Coverage, ExplainError, Game, KernelShap, LeaveOneOut, Lime, MAX_MASK_BYTES, MAX_MASKS,
    MergeTree, Method, Owen, Permutation, Shapley,
};

use super::{game, near, parts, values_of};

/// Score functions, and the Shapley values of their games.
type Known = (usize, Box<dyn Fn(&Coalition) -> f64 + Send + Sync>, Vec<f64>);

fn known() -> Vec<Known> {
    let additive = |kept: &Coalition| kept.iter().map(|part| part as f64 - 1.5).sum::<f64>() + 7.0;
    // One left glove (part 0), two right ones: a pair is worth 1. Shapley (2/3, 1/6, 1/6).
    let gloves =
        |kept: &Coalition| f64::from(u8::from(kept.contains(0) && (kept.contains(1) || kept.contains(2))));
    let majority = |kept: &Coalition| f64::from(u8::from(kept.kept() >= 3));
    // Worth 1 only with parts 0, 2 and 3 all there.
    let unanimity = |kept: &Coalition| f64::from(u8::from([0, 2, 3].iter().all(|part| kept.contains(*part))));
    // Parts 0 and 1 are worth 2 together, 2 and 3 take 1 from each other, 4 is worth 3 alone.
    let pairs = |kept: &Coalition| {
        let both = |a, b| f64::from(u8::from(kept.contains(a) && kept.contains(b)));
        2.0 * both(0, 1) - both(2, 3) + 3.0 * both(4, 4)
    };
    // The airport game: landing strips of lengths 1, 2, 4; each pays its share of what it needs.
    let airport = |kept: &Coalition| kept.iter().map(|part| [1.0, 2.0, 4.0][part]).fold(0.0, f64::max);
    vec![
        (4, Box::new(additive), vec![-1.5, -0.5, 0.5, 1.5]),
        (3, Box::new(gloves), vec![2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]),
        (5, Box::new(majority), vec![0.2; 5]),
        (5, Box::new(unanimity), vec![1.0 / 3.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]),
        (5, Box::new(pairs), vec![1.0, 1.0, -0.5, -0.5, 3.0]),
        (3, Box::new(airport), vec![1.0 / 3.0, 1.0 / 3.0 + 0.5, 1.0 / 3.0 + 0.5 + 2.0]),
        (1, Box::new(|kept: &Coalition| 2.0 * kept.kept() as f64), vec![2.0]),
    ]
}

fn check(method: &impl Method, tolerance: f64) {
    for (parts, value, expected) in known() {
        near(&values_of(&game(parts, value), method).unwrap(), &expected, tolerance);
    }
}

#[test]
fn exact_shapley_values_are_those_of_the_books() {
    check(&Shapley, 1e-12);
}

#[test]
fn kernel_shap_over_all_masks_is_exact() {
    check(&KernelShap::default(), 1e-9);
}

#[test]
fn permutations_come_near_and_say_how_near() {
    for (parts, value, expected) in known() {
        let attribution = game(parts, value).explain(&Permutation::pairs(400)).unwrap();
        for (part, expected) in attribution.parts.iter().zip(expected) {
            let error = part.standard_error.unwrap();
            assert!((part.value - expected).abs() <= 4.0 * error + 1e-12, "{attribution}");
            assert!(error < 0.03, "{attribution}");
        }
    }
}

#[test]
fn forwards_and_backwards_cancel_pairwise_interactions() {
    let pairs = |kept: &Coalition| {
        let in_all: Vec<_> = kept.iter().collect();
        in_all.windows(2).map(|pair| if pair[0] + 1 == pair[1] { 1.0 } else { 0.0 }).sum()
    };
    let attribution = game(6, pairs).explain(&Permutation::pairs(2)).unwrap();
    near(&attribution.values(), &[0.5, 1.0, 1.0, 1.0, 1.0, 0.5], 1e-12);
    assert!(attribution.parts.iter().all(|part| part.standard_error.is_some_and(|error| error < 1e-12)));
}

#[test]
fn owen_values_share_within_groups_first() {
    // Gloves, with the left glove and one right glove in a group: the group has all the power against the other.
    let gloves =
        |kept: &Coalition| f64::from(u8::from(kept.contains(0) && (kept.contains(1) || kept.contains(2))));
    let check = |merges: [[usize; 2]; 2], expected: &[f64]| {
        let owen = Owen::over(MergeTree::new(3, merges).unwrap());
        near(&values_of(&game(3, gloves), &owen).unwrap(), expected, 1e-12);
    };
    check([[0, 1], [3, 2]], &[0.75, 0.25, 0.0]);
    check([[1, 2], [0, 3]], &[0.5, 0.25, 0.25]);
    check([[0, 2], [3, 1]], &[0.75, 0.0, 0.25]);
    // Without interactions across or within groups the tree does not matter.
    let additive = |kept: &Coalition| kept.iter().map(|part| part as f64).sum();
    near(
        &values_of(&game(7, additive), &Owen::default()).unwrap(),
        &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        1e-12,
    );
}

#[test]
fn a_cut_short_tree_shares_evenly_and_sums_all_the_same() {
    let majority = |kept: &Coalition| if kept.kept() >= 5 { 8.0 } else { 0.0 };
    let attribution = game(8, majority).explain(&Owen::default().limit(4)).unwrap();
    assert!(attribution.coverage == Coverage::CutShort && attribution.spent.calls == 4, "{attribution}");
    near(&attribution.values(), &[1.0; 8], 1e-12);
    let whole = game(8, majority).explain(&Owen::default()).unwrap();
    assert!(whole.coverage == Coverage::Whole && whole.sum_gap().unwrap().abs() < 1e-12, "{whole}");
}

#[test]
fn leave_one_out_misses_what_either_of_two_can_do() {
    let either = |kept: &Coalition| f64::from(u8::from(kept.contains(0) || kept.contains(1)));
    near(&values_of(&game(3, either), &LeaveOneOut).unwrap(), &[0.0; 3], 0.0);
    near(&values_of(&game(3, either), &Shapley).unwrap(), &[0.5, 0.5, 0.0], 1e-12);
    let both = |kept: &Coalition| f64::from(u8::from(kept.contains(0) && kept.contains(1)));
    near(&values_of(&game(3, both), &LeaveOneOut).unwrap(), &[1.0, 1.0, 0.0], 0.0);
}

#[test]
fn too_many_parts_for_exactness_are_refused_before_any_call() {
    let never = |_: &Coalition| -> f64 { panic!("no call is made") };
    let error = values_of(&game(17, never), &Shapley).unwrap_err();
    assert_eq!(error, ExplainError::TooManyParts { method: "exact_shapley", parts: 17, limit: 16 });
    assert_eq!(
        error.to_string(),
        "exact_shapley takes at most 16 parts, and the prompt has 17: take sentences or segments, or another method"
    );
    assert_eq!(game(16, never).plan(&Shapley).unwrap().calls, 65_536);
    assert_eq!(values_of(&game(0, never), &Shapley), Err(ExplainError::NoParts));
}

#[test]
fn too_few_samples_are_told() {
    let additive = |kept: &Coalition| kept.kept() as f64;
    for samples in [0, 1, 5] {
        let error = values_of(&game(9, additive), &KernelShap::samples(samples)).unwrap_err();
        assert!(matches!(error, ExplainError::TooFewSamples { parts: 9, .. }), "{error}");
    }
    near(&values_of(&game(9, additive), &Lime::default().width(0.0)).unwrap(), &[0.0; 9], 1e-9);
}

#[test]
fn more_samples_than_memory_holds_are_refused_before_any_call() {
    fn check(method: &impl Method, count: usize, expected: &str) {
        let game = Game::new(&parts(count), |_| -> f64 { panic!("no call was to be made") }).max_calls(10);
        let error = game.explain(method).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(game.plan(method).unwrap_err(), error);
    }
    let most = MAX_MASKS;
    for asked in [most + 1, 1_000_000_000_000, usize::MAX / 2, usize::MAX] {
        check(
            &Lime::samples(asked),
            8,
            &format!("lime of this prompt takes at most {most} samples, not {asked}"),
        );
        check(
            &Permutation::pairs(asked),
            15,
            &format!("permutation_shapley of this prompt takes at most 32768 pairs of orders, not {asked}"),
        );
        check(
            &KernelShap::samples(asked),
            37,
            &format!("kernel_shap of this prompt takes at most {most} samples, not {asked}"),
        );
    }
    // What is held of each part of each mask is bounded too.
    let most = MAX_MASK_BYTES / 8 / 4096;
    check(
        &Lime::samples(200_000),
        4096,
        &format!("lime of this prompt takes at most {most} samples, not 200000"),
    );
    assert_eq!(KernelShap::samples(usize::MAX).design(2, 0).len(), 2, "there are no more masks");
    assert_eq!(Lime::samples(usize::MAX).design(1, 0).len(), MAX_MASKS);
}

#[test]
fn limits_that_are_never_reached_may_be_as_large_as_numbers_are() {
    let game = game(6, |kept| kept.kept() as f64);
    for method in [KernelShap::samples(usize::MAX), KernelShap::samples(62)] {
        near(&values_of(&game, &method).unwrap(), &[1.0; 6], 1e-9);
    }
    near(&values_of(&game, &Owen::default().limit(usize::MAX)).unwrap(), &[1.0; 6], 1e-12);
    let attribution = game.explain(&Shapley).unwrap();
    let error = game.judge_beside(&attribution, usize::MAX).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("judging of this prompt takes at most 30840 random attributions, not {}", usize::MAX)
    );
}

#[test]
fn trees_of_other_prompts_are_refused() {
    let owen = Owen::over(MergeTree::new(3, [[0, 1], [3, 2]]).unwrap());
    let error = values_of(&game(4, |_| 0.0), &owen).unwrap_err();
    assert_eq!(error, ExplainError::Mismatch { what: "the tree", found: 3, expected: 4 });
}
