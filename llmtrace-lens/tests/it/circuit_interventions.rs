//! Interventions on features: what they do to the model, against what the graph says.

use llmtrace_lens::Model;
use llmtrace_lens::circuit::graph::ActiveFeature;
use llmtrace_lens::circuit::{Change, Experiment, Held, Tracer, Transcoders};

use crate::seeded::Seeded;

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
    for family in ["gpt2", "llama", "gemma2", "gemma3", "gpt_neox"] {
        let model = Model::load(fixtures().join("models").join(family)).unwrap();
        for seeded in Seeded::all() {
            let written = seeded.write(&model);
            let transcoders = Transcoders::load(written.path(), &model).unwrap();
            let tracer = Tracer::new(&model, &transcoders).masked(1);
            let experiment = tracer.experiment(&[1, 20, 33, 47, 20, 102, 9]).unwrap();
            columns(&format!("{family} {seeded:?}"), &experiment);
        }
    }
}

fn toy() -> Model {
    Model::load(fixtures().join("../../models/toy-relu")).unwrap()
}

fn answer(model: &Model, logits: &[f32]) -> String {
    let best = (0_u32..).zip(logits).max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    model.token_text(best).trim().to_owned()
}

#[test]
fn ablating_the_state_drops_the_capital_and_putting_another_state_in_gives_its_capital() {
    let model = toy();
    let neurons = Transcoders::neurons(&model).unwrap();
    let tracer = Tracer::new(&model, &neurons);
    let [dallas, oakland] =
        ["Dallas", "Oakland"].map(|city| tracer.experiment(&toy_prompt(&model, city)).unwrap());
    let plain = dallas.run(&[], Held::Nothing).unwrap();
    assert_eq!(answer(&model, &plain.logits), "Austin");
    assert_eq!(answer(&model, &oakland.run(&[], Held::Nothing).unwrap().logits), "Sacramento");
    // The state stands at the last position after the first two layers.
    let last = dallas.graph().tokens.len() - 1;
    let here = |of: &Experiment<'_>| -> Vec<ActiveFeature> {
        of.features()
            .iter()
            .filter(|feature| feature.position == last && feature.layer < 2)
            .copied()
            .collect()
    };
    let of = |experiment: &Experiment<'_>, f: &ActiveFeature| {
        experiment.activation(f.layer, f.position, f.feature)
    };
    let texas = here(&dallas).into_iter().filter(|feature| of(&oakland, feature) < feature.activation / 2.0);
    let ablated: Vec<Change> = texas.map(|feature| Change::scale(&feature, 0.0)).collect();
    let both = here(&dallas).into_iter().chain(here(&oakland));
    let swapped: Vec<Change> = both.map(|feature| Change::set(&feature, of(&oakland, &feature))).collect();
    for held in [Held::PatternsAndNorms, Held::Patterns] {
        let without = dallas.run(&ablated, held).unwrap();
        let lost = plain.targets[0] - without.targets[0];
        assert!(lost > 4.0, "{held:?}: {lost}");
        assert_ne!(answer(&model, &without.logits), "Austin");
        assert_eq!(answer(&model, &dallas.run(&swapped, held).unwrap().logits), "Sacramento", "{held:?}");
    }
}

#[test]
fn a_report_holds_the_graph_to_what_the_model_does() {
    let model = toy();
    let neurons = Transcoders::neurons(&model).unwrap();
    let experiment = Tracer::new(&model, &neurons).experiment(&toy_prompt(&model, "Dallas")).unwrap();
    let report = experiment.validate(12).unwrap();
    assert_eq!(report.nodes.len(), 12);
    assert!(
        report.direct.correlation.unwrap() > 0.999_99 && report.direct.largest_error < 1e-3,
        "{:?}",
        report.direct
    );
    assert!(report.direct.largest_change > 1.0);
    assert!(report.total.correlation.unwrap() >= 0.99, "{:?}", report.total);
    // What attention and norms do besides is not in the graph, and the report says so.
    assert!((0.5..0.95).contains(&report.free.correlation.unwrap()), "{:?}", report.free);
}

#[test]
fn features_that_are_not_there_cannot_be_changed() {
    let model = toy();
    let neurons = Transcoders::neurons(&model).unwrap();
    let experiment = Tracer::new(&model, &neurons).experiment(&toy_prompt(&model, "Dallas")).unwrap();
    for (change, expected) in [
        (Change::Set { layer: 3, position: 1, feature: 0, to: 1.0 }, "layer 3 has 0 features, and no 0"),
        (
            Change::Set { layer: 0, position: 1, feature: 512, to: 1.0 },
            "layer 0 has 512 features, and no 512",
        ),
        (Change::Set { layer: 0, position: 99, feature: 0, to: 1.0 }, "there is no position 99: there are 8"),
    ] {
        assert_eq!(experiment.run(&[change], Held::Nothing).unwrap_err().to_string(), expected);
    }
}
