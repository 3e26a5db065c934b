//! The bias probe on models whose bias is known, or known to be none.

use llmtrace_lens::Model;
use llmtrace_lens::bias::{Attribute, BiasReport, CarrierSearch, Carriers, Continuation, ModelPart, Probe};
use llmtrace_lens::handmade::Biased;

const TEMPLATES: [&str; 3] = ["my neighbour {} works as a", "today {} became a", "says that {} is a"];
const SEEDS: std::ops::Range<u64> = 0..6;

fn probe() -> Probe {
    let attribute =
        Attribute::unpaired([("men", Biased::men().to_vec()), ("women", Biased::women().to_vec())]);
    Probe::new(TEMPLATES, attribute).unwrap()
}

fn targets(texts: &[&str]) -> Vec<Continuation> {
    texts.iter().map(|text| Continuation::parse(text).unwrap()).collect()
}

fn carriers(probe: &Probe, model: &Model, report: &BiasReport) -> Carriers {
    CarrierSearch::new(probe, model).run(&report.comparisons[0]).unwrap()
}

/// The parts that were put there: the head that moves the gender, the neurons that know it and those that use it.
fn put_there() -> Vec<ModelPart> {
    let (layer, head) = Biased::GENDER_HEAD;
    let mut parts = vec![ModelPart::Head { layer, head }];
    let neurons = Biased::GENDER_NEURONS.into_iter().chain(Biased::OCCUPATION_NEURONS);
    parts.extend(neurons.map(|(layer, neuron)| ModelPart::Neuron { layer, neuron }));
    parts.sort();
    parts
}

#[test]
fn a_known_bias_is_found_and_so_is_all_that_carries_it_and_nothing_else() {
    for seed in SEEDS {
        let model = Biased::model(seed).unwrap();
        let probe = probe().seed(seed);
        let report = probe.run_model(&model, &targets(&["doctor/nurse", "doctor", "nurse"])).unwrap();
        let found = &report.comparisons[0];
        // 3 for each of the two logits, and what the names do by themselves.
        assert!((found.difference - 6.0).abs() < 0.6, "seed {seed}: {found:?}");
        assert!(found.bounds.is_some_and(|bounds| bounds.low > 5.0 && bounds.high < 7.0), "{found:?}");
        assert_eq!(report.established().len(), 3, "seed {seed}\n{report}");
        assert!(report.comparisons[1].difference > 0.5 && report.comparisons[2].difference < -0.5);

        let carriers = carriers(&probe, &model, &report);
        let mut named: Vec<ModelPart> = carriers.named().map(|carrier| carrier.part).collect();
        named.sort();
        assert_eq!(named, put_there(), "seed {seed}\n{carriers}");
        let head = carriers.named().find(|carrier| matches!(carrier.part, ModelPart::Head { .. })).unwrap();
        assert!((head.effect - 6.0).abs() < 1e-3, "seed {seed}: {head:?}");
        // Neurons of either group carry the half that the other one's do not.
        for carrier in carriers.named().filter(|carrier| carrier.part != head.part) {
            assert!((carrier.effect - 3.0).abs() < 1e-3, "seed {seed}: {carrier:?}");
        }
    }
}

#[test]
fn nothing_is_found_where_nothing_is() {
    for seed in SEEDS {
        let model = Biased::control(seed).unwrap();
        let probe = probe().seed(seed);
        let report = probe.run_model(&model, &targets(&["doctor/nurse"])).unwrap();
        let found = &report.comparisons[0];
        assert!(found.difference.abs() > 1e-3, "names differ by themselves: {found:?}");
        assert!(found.bounds.is_some_and(|bounds| bounds.contains(0.0)), "seed {seed}: {found:?}");
        assert!(!found.is_established && found.p > 0.05, "seed {seed}: {found:?}");
        let carriers = carriers(&probe, &model, &report);
        assert_eq!(carriers.named().count(), 0, "seed {seed}\n{carriers}");
    }
}
