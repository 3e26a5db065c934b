//! Interventions on features: what they do to the model, against what the graph says.

use llmtrace_lens::Model;
use llmtrace_lens::circuit::graph::ActiveFeature;
use llmtrace_lens::circuit::intervene::{Agreement, Outcome};
use llmtrace_lens::circuit::{Change, Experiment, Held, Tracer, Transcoders};

use crate::seeded::each_experiment;

use crate::support::{fixtures, toy_prompt};

/// A source added once again moves every input by its column, with all else held.
#[track_caller]
fn columns(what: &str, experiment: &Experiment<'_>) {
    let graph = experiment.graph();
    let before = experiment.run(&[], Held::Everything).unwrap();
    for (found, expected) in before.features.iter().zip(experiment.features()) {
        assert!((found.pre_activation - expected.pre_activation).abs() < 1e-4, "{what} {expected:?}");
    }
    let mut moved = 0;
    for source in (0..graph.features.len()).step_by(graph.features.len() / 6 + 1) {
        let change = Change::scale(&graph.features[source], 2.0);
        let after = experiment.run(&[change], Held::Everything).unwrap();
        for (target, (after, before)) in after.features.iter().zip(&before.features).enumerate() {
            let (found, expected) =
                (after.pre_activation - before.pre_activation, graph.edge(target, source));
            moved += usize::from(expected.abs() > 0.01);
            assert!((found - expected).abs() < 5e-4, "{what} {after:?}: {found}, expected {expected}");
        }
        for (target, (after, before)) in after.targets.iter().zip(&before.targets).enumerate() {
            let expected = f64::from(graph.edge(graph.target(target).unwrap(), source));
            let found = after - before;
            assert!((found - expected).abs() < 5e-4, "{what} target {target}: {found}, expected {expected}");
        }
    }
    assert!(moved > 0, "{what}");
}

#[test]
fn a_source_added_once_again_moves_every_input_by_its_column() {
    each_experiment(&["gpt2", "llama", "gemma2", "gemma3", "gpt_neox"], columns);
}

fn toy() -> Model {
    Model::load(fixtures().join("../../models/toy-relu")).unwrap()
}

/// The most probable token.
fn answer(model: &Model, outcome: &Outcome) -> String {
    let best = (0_u32..).zip(&outcome.logits).max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    model.token_text(best).trim().to_owned()
}

fn probability(model: &Model, outcome: &Outcome, token: &str) -> f32 {
    let token = model.tokenize(token).unwrap()[0] as usize;
    let powers: Vec<f32> = outcome.logits.iter().map(|logit| logit.exp()).collect();
    powers[token] / powers.iter().sum::<f32>()
}

const HELD: [Held; 3] = [Held::PatternsAndNorms, Held::Patterns, Held::Nothing];

#[test]
fn ablating_a_state_drops_its_capital_and_putting_another_in_gives_that_ones() {
    let model = toy();
    let neurons = Transcoders::neurons(&model).unwrap();
    let tracer = Tracer::new(&model, &neurons);
    let of = |city: &str| tracer.experiment(&toy_prompt(&model, city)).unwrap();
    let states = [
        ("Austin", of("Dallas"), of("Houston")),
        ("Sacramento", of("Oakland"), of("Fresno")),
        ("Atlanta", of("Savannah"), of("Macon")),
    ];
    for (capital, prompt, alike) in &states {
        let before = prompt.run(&[], Held::Nothing).unwrap();
        assert_eq!(answer(&model, &before), *capital);
        assert!(probability(&model, &before, capital) > 0.9);
        for (others, other, unlike) in states.iter().filter(|other| other.0 != *capital) {
            let own = prompt.telling_apart(&[alike], &[other, unlike]).unwrap();
            let theirs = other.telling_apart(&[unlike], &[prompt, alike]).unwrap();
            assert!(own.len() < prompt.features().len() / 3, "{capital}: {}", own.len());
            let ablated: Vec<Change> = own.iter().map(|feature| Change::scale(feature, 0.0)).collect();
            let swapped = prompt.taken_from(other, own.iter().chain(&theirs).copied()).unwrap();
            for held in HELD {
                let without = prompt.run(&ablated, held).unwrap();
                let swapped = prompt.run(&swapped, held).unwrap();
                assert_eq!(answer(&model, &swapped), *others, "{capital} {held:?}");
                let (was, is) = (before.targets[0], without.targets[0]);
                assert!(
                    was - is > 2.0,
                    "{capital} without what tells it from {others}, {held:?}: {was}, {is}"
                );
            }
        }
    }
}

#[test]
fn the_state_alone_drops_the_capital_and_twice_another_state_gives_its_capital() {
    let model = toy();
    let neurons = Transcoders::neurons(&model).unwrap();
    let tracer = Tracer::new(&model, &neurons);
    let of = |city: &str| tracer.experiment(&toy_prompt(&model, city)).unwrap();
    let [dallas, houston, oakland, fresno] = ["Dallas", "Houston", "Oakland", "Fresno"].map(of);
    // The last layer turns the state into its capital: it is left alone.
    let state = |features: Vec<ActiveFeature>| features.into_iter().filter(|feature| feature.layer < 2);
    let texas = state(dallas.telling_apart(&[&houston], &[&oakland, &fresno]).unwrap());
    let california = state(oakland.telling_apart(&[&fresno], &[&dallas, &houston]).unwrap());
    let ablated: Vec<Change> = texas.map(|feature| Change::scale(&feature, 0.0)).collect();
    let twice = california.map(|feature| Change::set(&feature, 2.0 * feature.activation));
    let swapped: Vec<Change> = ablated.iter().copied().chain(twice).collect();
    for held in HELD {
        let without = dallas.run(&ablated, held).unwrap();
        assert_ne!(answer(&model, &without), "Austin", "{held:?}");
        assert!(probability(&model, &without, "Austin") < 0.2, "{held:?}");
        assert_eq!(answer(&model, &dallas.run(&swapped, held).unwrap()), "Sacramento", "{held:?}");
    }
}

#[test]
fn features_of_prompts_of_another_length_cannot_be_taken() {
    let model = toy();
    let neurons = Transcoders::neurons(&model).unwrap();
    let tracer = Tracer::new(&model, &neurons);
    let long = tracer.experiment(&toy_prompt(&model, "Dallas")).unwrap();
    let short = tracer.experiment(&model.tokenize("Dallas is in").unwrap()).unwrap();
    let expected = "the prompts have 8 and 3 tokens: features can be compared where positions are the same";
    assert_eq!(long.taken_from(&short, []).unwrap_err().to_string(), expected);
    assert_eq!(long.telling_apart(&[], &[&short]).unwrap_err().to_string(), expected);
}

#[test]
fn features_above_that_are_set_to_what_they_were_leave_direct_effects_alone() {
    let check = |what: &str, after: &Outcome, experiment: &Experiment<'_>, lower: &[Change]| {
        let direct = experiment.run(lower, Held::Everything).unwrap();
        let whole = experiment.run(lower, Held::PatternsAndNorms).unwrap();
        let mut answered = 0.0_f64;
        for ((after, direct), whole) in after.targets.iter().zip(&direct.targets).zip(&whole.targets) {
            assert!((after - direct).abs() < 2e-3, "{what}: {after}, expected {direct}");
            answered = answered.max((whole - direct).abs());
        }
        assert!(answered > 0.01, "{what}: {answered}");
    };
    let below = |experiment: &Experiment<'_>| -> Vec<Change> {
        let features = experiment.features().iter().filter(|feature| feature.layer == 0);
        features.step_by(3).map(|feature| Change::scale(feature, 3.0)).collect()
    };
    each_experiment(&["gpt2", "gemma2"], |what, experiment| {
        let lower = below(experiment);
        let above = experiment.features().iter().filter(|feature| feature.layer > 0);
        let above = above.map(|feature| Change::scale(feature, 1.0));
        let changes: Vec<Change> = lower.iter().copied().chain(above).collect();
        let after = experiment.run_features(&changes, Held::PatternsAndNorms).unwrap();
        check(what, &after, experiment, &lower);
    });
    // The model's MLPs answer, and each of their neurons is put back.
    let model = toy();
    let neurons = Transcoders::neurons(&model).unwrap();
    let experiment = Tracer::new(&model, &neurons).experiment(&toy_prompt(&model, "Dallas")).unwrap();
    let lower = below(&experiment);
    let mut changes = lower.clone();
    for (layer, position) in (1..3).flat_map(|layer| (0..8).map(move |position| (layer, position))) {
        changes.extend((0..512).map(|feature| Change::Scale { layer, position, feature, by: 1.0 }));
    }
    check("toy", &experiment.run(&changes, Held::PatternsAndNorms).unwrap(), &experiment, &lower);
}

/// What the graph foretells by its edges is what its features do when they are run.
#[test]
fn the_features_run_with_patterns_and_norms_held_are_the_graphs_arithmetic() {
    let check = |what: &str, experiment: &Experiment<'_>| {
        let graph = experiment.graph();
        let before = experiment.run_features(&[], Held::PatternsAndNorms).unwrap();
        let mut largest = 0.0_f64;
        for node in (0..graph.features.len()).step_by(graph.features.len() / 4 + 1) {
            for by in [0.0, 1.5] {
                let change = [Change::scale(&graph.features[node], by)];
                let after = experiment.run_features(&change, Held::PatternsAndNorms).unwrap();
                let foretold = experiment.foretold(node, f64::from(by));
                for ((foretold, after), before) in foretold.iter().zip(&after.targets).zip(&before.targets) {
                    let moved = after - before;
                    largest = largest.max(moved.abs());
                    assert!(
                        (moved - foretold).abs() < 2e-3,
                        "{what} {node} {by}: {moved}, expected {foretold}"
                    );
                }
            }
        }
        assert!(largest > 0.01, "{what}: {largest}");
    };
    each_experiment(&["gpt2", "llama", "gemma2", "gemma3", "gpt_neox"], check);
    let model = toy();
    let neurons = Transcoders::neurons(&model).unwrap();
    check("toy", &Tracer::new(&model, &neurons).experiment(&toy_prompt(&model, "Dallas")).unwrap());
}

#[test]
fn a_report_holds_the_graph_to_what_the_model_does() {
    let model = toy();
    let neurons = Transcoders::neurons(&model).unwrap();
    for (city, count) in [("Dallas", 12), ("Dallas", 60), ("Oakland", 40), ("Savannah", 40)] {
        let experiment = Tracer::new(&model, &neurons).experiment(&toy_prompt(&model, city)).unwrap();
        let report = experiment.validate(count).unwrap();
        assert_eq!(report.nodes.len(), count);
        let of = |agreement: &Agreement| agreement.correlation.unwrap();
        let (direct, total) = (of(&report.direct), of(&report.total));
        assert!(direct > 0.999_99 && report.direct.largest_error < 1e-3, "{city}: {:?}", report.direct);
        assert!(report.direct.largest_change > 1.0);
        assert!(total >= 0.99, "{city}: {:?}", report.total);
        // What norms and attention do besides is not in the graph, and the report says so; most of it is the norms'.
        let (free, with_norms) = (of(&report.free), of(&report.with_norms));
        assert!(free < 0.95, "{city}: {:?}", report.free);
        assert!(with_norms >= 0.9 && with_norms > free + 0.05, "{city}: {:?}", report.with_norms);
        let told = report.told();
        assert_eq!(
            told[0],
            format!("{count} features were ablated one by one, and the changes of the targets compared")
        );
        assert!(told[1].ends_with(&format!("correlate with {total:.3}")), "{told:?}");
        assert!(told[3].ends_with(&format!("correlate with {with_norms:.3}")), "{told:?}");
    }
}

#[test]
fn features_that_are_not_there_cannot_be_changed() {
    let model = toy();
    let neurons = Transcoders::neurons(&model).unwrap();
    let experiment = Tracer::new(&model, &neurons).experiment(&toy_prompt(&model, "Dallas")).unwrap();
    for (change, expected) in [
        (
            Change::Set { layer: 3, position: 1, feature: 0, to: 1.0 },
            "there is no layer 3: there are 3, from 0",
        ),
        (
            Change::Set { layer: 0, position: 1, feature: 512, to: 1.0 },
            "layer 0 has 512 features, and no 512",
        ),
        (Change::Set { layer: 0, position: 99, feature: 0, to: 1.0 }, "there is no position 99: there are 8"),
    ] {
        assert_eq!(experiment.run(&[change], Held::Nothing).unwrap_err().to_string(), expected);
    }
}
