//! The benchmark of attribution methods: what is perfect is told so, chance is chance, and what does not fit is refused.

use std::collections::BTreeMap;

use llmtrace_lens::Model;
use llmtrace_lens::benchmark::{BuiltIn, Level, Report, Submission, Suite};

/// Rounds of chance.
const ROUNDS: u32 = 200;

fn submission(suite: &Suite, of: impl Fn(usize, bool) -> f64) -> Submission {
    let tasks = suite.tasks().iter().filter_map(|task| {
        let scores = task.truth.as_ref()?.iter().enumerate().map(|(at, is_true)| of(at, *is_true)).collect();
        Some((task.id.clone(), scores))
    });
    let mut scores: BTreeMap<String, Vec<f64>> = tasks.collect();
    for task in suite.tasks().iter().filter(|task| task.truth.is_none()) {
        scores.insert(task.id.clone(), (0..task.parts.len()).map(|at| of(at, false)).collect());
    }
    Submission { method: "mine".to_owned(), scores, seconds: BTreeMap::new() }
}

fn precisions(report: &Report) -> Vec<(Level, f64)> {
    report.rows.iter().map(|row| (row.level, row.average_precision.unwrap())).collect()
}

#[test]
fn the_truth_is_found_and_its_opposite_is_not() {
    let suite = Suite::standard().unwrap();
    let perfect = suite.judge(&submission(&suite, |_, is_true| f64::from(u8::from(is_true)))).unwrap();
    assert_eq!(precisions(&perfect), Level::ALL.map(|level| (level, 1.0)));
    for row in &perfect.rows {
        assert_eq!((row.precision_at_truth, row.precision_at_full_recall), (Some(1.0), Some(1.0)), "{row:?}");
    }
    // The sign does not matter, the order does.
    let negative = suite.judge(&submission(&suite, |_, is_true| -f64::from(u8::from(is_true)))).unwrap();
    assert_eq!(precisions(&negative), precisions(&perfect));
    let opposite = suite.judge(&submission(&suite, |_, is_true| f64::from(u8::from(!is_true)))).unwrap();
    for ((level, found), row) in precisions(&opposite).into_iter().zip(&opposite.rows) {
        assert!(found < 0.7 && row.precision_at_full_recall < Some(0.8), "{level:?} {row:?}");
    }
}

#[test]
fn chance_finds_as_many_as_there_are() {
    let suite = Suite::standard().unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let mut found = 0.0;
    for _ in 0..ROUNDS {
        let numbers: Vec<f64> = (0..2000).map(|_| random.f64()).collect();
        let mut chance = submission(&suite, |at, _| numbers[at]);
        chance.scores.retain(|task, _| task.ends_with("neurons"));
        let report = suite.judge(&chance).unwrap();
        assert_eq!(report.rows.len(), 1);
        found += report.rows[0].precision_at_truth.unwrap();
    }
    let share = {
        let tasks: Vec<&Vec<bool>> = suite
            .tasks()
            .iter()
            .filter(|task| task.level == Level::Neurons)
            .filter_map(|task| task.truth.as_ref())
            .collect();
        let shares = tasks
            .iter()
            .map(|truth| truth.iter().filter(|is_true| **is_true).count() as f64 / truth.len() as f64);
        shares.sum::<f64>() / tasks.len() as f64
    };
    let found = found / f64::from(ROUNDS);
    assert!((found - share).abs() < 0.03, "{found}, expected about {share}");
}

#[test]
fn methods_of_this_crate_find_the_circuits() {
    let suite = Suite::standard().unwrap();
    let check = |method: BuiltIn, level: Level, least: f64| {
        let report = suite.run(method).unwrap();
        let row = report.rows.iter().find(|row| row.level == level).unwrap();
        println!("{row:?}");
        assert!(row.average_precision >= Some(least), "{row:?}");
        assert!(row.seconds > Some(0.0));
    };
    check(BuiltIn::AttributionGraph, Level::Edges, 1.0);
    check(BuiltIn::AttributionGraph, Level::Neurons, 1.0);
    check(BuiltIn::Ablation, Level::Neurons, 1.0);
    check(BuiltIn::Ablation, Level::Heads, 1.0);
    check(BuiltIn::GradientXActivation, Level::Neurons, 0.9);
    check(BuiltIn::Shapley, Level::Tokens, 1.0);
    check(BuiltIn::LeaveOneOut, Level::Tokens, 1.0);
    let random = suite.run(BuiltIn::Random).unwrap();
    assert!(random.rows.iter().all(|row| row.average_precision < Some(0.85)), "{random:?}");
}

#[test]
fn shapley_values_add_up_and_lengths_of_gradients_do_not() {
    let suite = Suite::standard().unwrap();
    let completeness = |method| suite.run(method).unwrap().rows[0].completeness.unwrap();
    assert!(completeness(BuiltIn::Shapley) > 1.0 - 1e-6);
    assert!(completeness(BuiltIn::Owen) > 1.0 - 1e-6);
    assert!(completeness(BuiltIn::Random) < 0.5);
}

#[test]
fn what_does_not_fit_the_tasks_is_refused() {
    let suite = Suite::standard().unwrap();
    let whole = submission(&suite, |at, _| at as f64);
    let task = whole.scores.keys().next().unwrap().clone();
    let check = |change: &dyn Fn(&mut Submission), expected: &str| {
        let mut changed = whole.clone();
        change(&mut changed);
        let error = suite.judge(&changed).unwrap_err().to_string();
        assert!(error.starts_with("mine: ") && error.contains(expected), "{error}");
    };
    check(&|of| drop(of.scores.insert("nowhere".to_owned(), vec![])), "there is no task \"nowhere\"");
    check(&|of| of.scores.get_mut(&task).unwrap().push(1.0), "scores, expected");
    check(&|of| of.scores.get_mut(&task).unwrap()[0] = f64::NAN, "a score that is no number");
    check(&|of| drop(of.scores.remove(&task)), "is missing, as others of the");
    check(&|of| of.scores.clear(), "it scores no task");
    let error = Submission::from_json("{\"method\": 1}").unwrap_err().to_string();
    assert!(error.contains("invalid type") && error.contains("expected {\"method\": NAME"), "{error}");
}

#[test]
fn tasks_are_written_without_the_truth_and_with_their_models() {
    let suite = Suite::standard().unwrap();
    let folder = tempfile::tempdir().unwrap();
    suite.write(folder.path()).unwrap();
    let text = std::fs::read_to_string(folder.path().join("tasks.json")).unwrap();
    assert!(!text.contains("truth"));
    let tasks: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tasks = tasks.as_array().unwrap();
    assert_eq!(tasks.len(), suite.tasks().len());
    let task = &tasks[2];
    assert_eq!(task["id"], "two-step: Dallas capital: edges");
    assert_eq!(task["parts"][0], "token 0 > neuron 0.0 @0");
    for task in suite.tasks() {
        let model = Model::load(folder.path().join(&task.model)).unwrap();
        assert_eq!(
            model.run(&task.tokens).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            suite
                .model(task)
                .unwrap()
                .run(&task.tokens)
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1::<f32>()
                .unwrap(),
            "{}",
            task.id
        );
    }
}
