//! How a score function is asked: how often, how many at a time, within which budget, and what becomes of failures.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use llmtrace::Rates;
use llmtrace_lens::explain::{
    self, Attribution, ExplainError, Game, KernelShap, LeaveOneOut, Lime, Masking, Method, Owen, Parts,
    Permutation, Scored, Shapley,
};

fn words() -> Parts {
    Parts::words("the capital of the state containing Dallas is")
}

#[test]
fn each_prompt_is_scored_once_whatever_is_asked() {
    let seen = Mutex::new(HashSet::new());
    let game = Game::new(&words(), |prompt| {
        assert!(seen.lock().unwrap().insert(prompt.kept().clone()), "scored again: {prompt}");
        prompt.len() as f64
    });
    let mut calls = 0;
    let mut explain = |attribution: Attribution| calls += attribution.spent.calls;
    explain(game.explain(&Permutation::pairs(4)).unwrap());
    explain(game.explain(&Lime::samples(100)).unwrap());
    explain(game.explain(&Owen::default()).unwrap());
    explain(game.explain(&KernelShap::default()).unwrap());
    assert_eq!((calls, game.spent().calls), (256, 256));
    assert_eq!(game.explain(&Shapley).unwrap().spent.calls, 0);
    drop(game);
    assert_eq!(seen.into_inner().unwrap().len(), 256);
}

/// Calls that are planned, and that are made.
fn both(game: &Game<'_>, method: &impl Method) -> (u64, u64) {
    let planned = game.plan(method).unwrap().calls;
    (planned, game.explain(method).unwrap().spent.calls)
}

#[test]
fn plans_bound_the_calls() {
    let check = |method: &dyn Fn(&Game<'_>) -> (u64, u64), expected: u64| {
        let game = Game::new(&words(), |prompt| prompt.len() as f64);
        let (planned, made) = method(&game);
        assert_eq!(planned, expected);
        assert!(made <= planned, "{made} calls, {planned} planned");
    };
    check(&|game| both(game, &Shapley), 256);
    check(&|game| both(game, &KernelShap::default()), 256);
    check(&|game| both(game, &KernelShap::samples(100)), 102);
    check(&|game| both(game, &LeaveOneOut), 10);
    check(&|game| both(game, &Permutation::pairs(1)), 16);
    check(&|game| both(game, &Owen::default().limit(30)), 30);
    check(&|game| both(game, &Lime::samples(2)), 3);
}

#[test]
fn a_budget_stops_a_method_before_its_first_call() {
    let game = Game::new(&words(), |prompt| prompt.len() as f64).max_calls(40);
    let error = game.explain(&Shapley).unwrap_err();
    assert_eq!(error, ExplainError::Budget { method: "exact_shapley".to_owned(), planned: 256, left: 40 });
    assert_eq!(error.to_string(), "exact_shapley may need 256 calls, and 40 of the budget are left");
    assert_eq!(game.spent().calls, 0);
    assert_eq!(game.explain(&LeaveOneOut).unwrap().spent.calls, 10);
    let error = game.explain(&KernelShap::samples(60)).unwrap_err();
    assert!(matches!(error, ExplainError::Budget { left: 30, .. }), "{error}");
    // What is known costs nothing.
    assert_eq!(game.explain(&LeaveOneOut).unwrap().spent.calls, 0);
}

#[test]
fn a_failure_says_which_mask_and_a_second_try_goes_on_from_there() {
    let is_down = AtomicUsize::new(1);
    let game = Game::new(&Parts::words("one two three"), |prompt| {
        if prompt.contains("two") && !prompt.contains("one") && is_down.load(Ordering::Relaxed) == 1 {
            return Err("429 Too Many Requests");
        }
        Ok(prompt.len() as f64)
    });
    let game = game.threads(1);
    let error = game.explain(&Shapley).unwrap_err();
    assert_eq!(
        error,
        ExplainError::Score { kept: vec!["two".to_owned()], message: "429 Too Many Requests".to_owned() }
    );
    assert_eq!(
        error.to_string(),
        "the score function failed with the parts [two] kept: 429 Too Many Requests"
    );
    let before = game.spent().calls;
    is_down.store(0, Ordering::Relaxed);
    game.explain(&Shapley).unwrap();
    assert_eq!(game.spent().calls, 8 + 1, "8 masks, one of them twice; {before} before");
}

#[test]
fn scores_must_be_finite() {
    let error =
        explain::leave_one_out(&Parts::words("one two"), |prompt| 1.0 / prompt.len() as f64).unwrap_err();
    assert!(matches!(&error, ExplainError::NotFinite { kept, .. } if kept.is_empty()), "{error}");
    assert_eq!(error.to_string(), "the score is inf with the parts [] kept; scores must be finite");
}

#[test]
fn a_panic_of_the_score_function_reaches_the_caller() {
    for threads in [1, 3] {
        let game = Game::new(&words(), |prompt| if prompt.kept().kept() == 1 { panic!("mine") } else { 1.0 });
        let game = game.threads(threads);
        let panic = catch_unwind(AssertUnwindSafe(|| game.explain(&Shapley))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"mine"));
        assert_eq!(game.values(&[llmtrace_lens::explain::Coalition::full(8)]), Ok(vec![1.0]), "it goes on");
    }
}

#[test]
fn so_many_prompts_are_scored_at_a_time_and_no_more() {
    let (inside, most, together) = (Mutex::new(0), AtomicUsize::new(0), Condvar::new());
    let score = |_: &explain::Masked<'_>| {
        let mut now = inside.lock().unwrap();
        *now += 1;
        most.fetch_max(*now, Ordering::Relaxed);
        together.notify_all();
        // Waits until three are inside at once, which has to happen.
        let mut now = together.wait_while(now, |_| most.load(Ordering::Relaxed) < 3).unwrap();
        *now -= 1;
        1.0
    };
    Game::new(&Parts::words("a b c d"), score).threads(3).values(&all_of(4)).unwrap();
    assert_eq!(most.load(Ordering::Relaxed), 3);
}

fn all_of(parts: usize) -> Vec<explain::Coalition> {
    (0..1_usize << parts)
        .map(|bits| explain::Coalition::of(parts, (0..parts).filter(|part| bits >> part & 1 == 1)))
        .collect()
}

#[test]
fn progress_counts_up_to_the_calls() {
    let reports = Mutex::new(Vec::new());
    let game = Game::new(&Parts::words("a b c"), |prompt| prompt.len() as f64)
        .on_progress(|progress| reports.lock().unwrap().push((progress.done, progress.calls)));
    game.values(&all_of(3)).unwrap();
    drop(game);
    let mut reports = reports.into_inner().unwrap();
    reports.sort_unstable();
    assert_eq!(reports, (1..=8).map(|done| (done, 8)).collect::<Vec<_>>());
}

#[test]
fn cost_is_estimated_before_and_counted_after() {
    let rates = || Rates::per_mtok("1".parse().unwrap(), "10".parse().unwrap());
    let game = Game::new(&Parts::words("aaaa bbbb"), |prompt| {
        Scored::new(prompt.len() as f64).tokens(prompt.len() as u64, 2)
    });
    let game = game.rates(rates()).framing_tokens(3).answer_tokens(2);
    // The masked prompts have 0, 4, 4 and 9 bytes: 5 tokens, and 3 beside each.
    let plan = game.plan(&Shapley).unwrap();
    assert_eq!((plan.calls, plan.input_tokens, plan.output_tokens), (4, 17, Some(8)));
    assert!((plan.usd.unwrap() - 97e-6).abs() < 1e-15);
    assert_eq!(
        plan.to_string(),
        "exact_shapley of 2 parts, masked parts deleted: at most 4 calls, about 17 input tokens, at most 8 output tokens, \
         about $0.000097"
    );
    let spent = game.explain(&Shapley).unwrap().spent;
    assert_eq!((spent.calls, spent.input_tokens, spent.output_tokens), (4, Some(17), Some(8)));
    assert!((spent.usd.unwrap() - 97e-6).abs() < 1e-15);
    let again = game.explain(&Shapley).unwrap().spent;
    assert_eq!((again.calls, again.input_tokens, again.usd), (0, None, None));
}

#[test]
fn what_nobody_counted_is_absent() {
    let spent = explain::shapley(&Parts::words("a b"), |prompt| prompt.len() as f64).unwrap().spent;
    assert_eq!((spent.calls, spent.input_tokens, spent.output_tokens, spent.usd), (4, None, None, None));
    let unpriced =
        Game::new(&Parts::words("a b"), |_| Scored::new(1.0).tokens(1, 1)).model("a model of nobody's");
    assert_eq!(unpriced.explain(&LeaveOneOut).unwrap().spent.usd, None);
    let priced =
        Game::new(&Parts::words("a b"), |_| Scored::new(1.0).tokens(1_000_000, 0)).model("gpt-4o-mini");
    assert!((priced.explain(&LeaveOneOut).unwrap().spent.usd.unwrap() - 4.0 * 0.15).abs() < 1e-9);
    assert_eq!(priced.plan(&Shapley).unwrap().usd, None, "nobody said how long answers are");
}

#[test]
fn a_result_states_everything_and_comes_back_from_json() {
    let parts = Parts::words("Dallas is in Texas").replacing_with("[MASK]");
    let game = Game::new(&parts, |prompt| if prompt.contains("Texas") { 2.0 } else { 0.5 }).seed(3);
    let attribution = game.explain(&Permutation::pairs(2)).unwrap();
    let json = serde_json::to_value(&attribution).unwrap();
    assert_eq!(json["method"], "permutation_shapley");
    assert_eq!(json["masking"], serde_json::json!({"convention": "replace", "with": "[MASK]"}));
    assert_eq!((&json["seed"], &json["coverage"]), (&3.into(), &"sampled".into()));
    assert_eq!((json["base_value"].as_f64(), json["full_value"].as_f64()), (Some(0.5), Some(2.0)));
    assert_eq!(json["sum_gap"].as_f64(), Some(0.0));
    let texas = &json["parts"][3];
    assert_eq!((&texas["label"], &texas["text"]), (&"Texas".into(), &"Texas".into()));
    assert_eq!(texas["ranges"], serde_json::json!([{"start": 13, "end": 18}]));
    assert_eq!((texas["value"].as_f64(), texas["standard_error"].as_f64()), (Some(1.5), Some(0.0)));
    assert!(json["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0));
    let back: Attribution = serde_json::from_value(json).unwrap();
    assert_eq!(back, attribution);
    assert_eq!(back.masking, Masking::Replace { with: "[MASK]".to_owned() });
    assert_eq!(attribution.top(1)[0].part.label, "Texas");
    assert_eq!(attribution.bottom(2).len(), 2);
}

#[test]
fn one_part_is_the_whole_change() {
    let parts = Parts::segments([("system", "Answer in Texan.")]);
    let score = |prompt: &explain::Masked<'_>| prompt.len() as f64;
    for attribution in [
        explain::shapley(&parts, score),
        explain::kernel_shap(&parts, score),
        explain::owen(&parts, score),
        explain::permutation(&parts, score),
        explain::leave_one_out(&parts, score),
    ] {
        let attribution = attribution.unwrap();
        assert_eq!(attribution.values(), [16.0], "{attribution}");
    }
}
