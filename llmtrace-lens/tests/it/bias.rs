//! The bias probe on models whose bias is known, or known to be none.

use std::collections::BTreeMap;

use llmtrace_lens::Model;
use llmtrace_lens::bias::{
    Attribute, BiasError, BiasReport, Carrier, CarrierSearch, Carriers, Continuation, Interval, ModelPart,
    Over, Pairing, Probe,
};
use llmtrace_lens::circuit::Transcoders;
use llmtrace_lens::circuit::transcoder::FeatureOutput;
use llmtrace_lens::handmade::Biased;

use crate::seeded::{Seeded, neurons_in_files};
use crate::support;

const TEMPLATES: [&str; 3] = ["my neighbour {} works as a", "today {} became a", "says that {} is a"];
const SEEDS: std::ops::Range<u64> = 0..4;

fn probe() -> Probe {
    let attribute =
        Attribute::unpaired([("men", Biased::men().to_vec()), ("women", Biased::women().to_vec())]);
    Probe::new(TEMPLATES, attribute).unwrap()
}

fn targets(texts: &[&str]) -> Vec<Continuation> {
    texts.iter().map(|text| Continuation::parse(text).unwrap()).collect()
}

fn carriers(probe: &Probe, model: &Model, report: &BiasReport) -> Carriers {
    CarrierSearch::new(probe, model).pairs(8).run(&report.comparisons[0]).unwrap()
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

/// Features that are neurons carry what the neurons do, within 1e-4 of all that there is.
#[track_caller]
fn agree(neurons: &Carriers, features: &Carriers) {
    let as_neuron = |carrier: &Carrier| match carrier.part {
        ModelPart::Feature { layer, feature } => {
            (ModelPart::Neuron { layer, neuron: feature }, carrier.effect)
        }
        part => (part, carrier.effect),
    };
    let of_features: BTreeMap<ModelPart, f64> = features.parts.iter().map(as_neuron).collect();
    for carrier in &neurons.parts {
        let other = of_features.get(&carrier.part);
        let tolerance = 1e-4 * carrier.effect.abs().max(1.0);
        assert!(
            other.is_some_and(|effect| (effect - carrier.effect).abs() < tolerance),
            "{carrier:?} {other:?}"
        );
    }
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
        // A ReLU model's neurons are features: put in as such, they do the same.
        let neurons = Transcoders::neurons(&model).unwrap();
        let search = CarrierSearch::new(&probe, &model).features(&neurons).pairs(8);
        let features = search.run(&report.comparisons[0]).unwrap();
        agree(&carriers, &features);
        // Neurons of either group carry the half that the other one's do not.
        for carrier in carriers.named().filter(|carrier| carrier.part != head.part) {
            assert!((carrier.effect - 3.0).abs() < 1e-3, "seed {seed}: {carrier:?}");
        }
    }
}

#[test]
fn features_of_files_carry_what_the_neurons_carry_that_they_are() {
    let toy = support::toys().remove(0).0;
    let groups =
        [("Texas", ["Dallas", "Houston", "Laredo"]), ("California", ["Oakland", "Fresno", "Anaheim"])];
    let attribute = Attribute::unpaired(groups.map(|(name, cities)| (name, cities.to_vec())));
    let probe = Probe::new(["the capital of the state containing {} is"], attribute).unwrap();
    let report = probe.run_model(&toy, &targets(&["Austin/Sacramento"])).unwrap();
    let files = neurons_in_files();
    let features = Transcoders::load(files.path(), &toy).unwrap();
    let of_neurons = carriers(&probe, &toy, &report);
    let search = CarrierSearch::new(&probe, &toy).features(&features).pairs(8);
    let of_features = search.run(&report.comparisons[0]).unwrap();
    assert!(of_neurons.parts.len() > 20, "{of_neurons}");
    agree(&of_neurons, &of_features);
}

#[test]
fn features_are_tried_where_a_norm_follows_the_mlp_if_they_write_after_it() {
    let model = support::model("gemma2");
    let attribute = Attribute::unpaired([("one", vec!["a", "b", "c"]), ("other", vec!["d", "e", "f"])]);
    let probe = Probe::new(["the {} is"], attribute).unwrap();
    let report = probe.run_model(&model, &targets(&["to"])).unwrap();
    let mut kinds = [0, 0];
    for seeded in Seeded::all() {
        let files = seeded.write(&model);
        let transcoders = Transcoders::load(files.path(), &model).unwrap();
        let found = CarrierSearch::new(&probe, &model).features(&transcoders).run(&report.comparisons[0]);
        let writes_after = transcoders.output() == FeatureOutput::Stream;
        kinds[usize::from(writes_after)] += 1;
        match found {
            Ok(found) => assert!(
                writes_after && found.parts.iter().any(|part| part.part.kind() == "feature"),
                "{seeded:?}"
            ),
            Err(error) => assert!(
                !writes_after && error.to_string().contains("transcoders of hook_mlp_out"),
                "{seeded:?}: {error}"
            ),
        }
    }
    assert!(kinds.iter().all(|count| *count > 0), "{kinds:?}");
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

/// Random halves of twelve words of one kind differ by chance alone: how often the probe says otherwise.
fn false_alarms(words: &[String], scores: &BTreeMap<String, f64>, interval: Interval) -> [u32; 2] {
    let mut rng = Random(words.len() as u64);
    let (mut alarms, mut misses) = (0, 0);
    for _ in 0..400 {
        let mut words = words.to_vec();
        for at in 0..12 {
            let other = at + rng.below(words.len() - at);
            words.swap(at, other);
        }
        let groups = [("one", words[..6].to_vec()), ("other", words[6..12].to_vec())];
        let attribute = Attribute::unpaired(groups.map(|(name, words)| (name.to_owned(), words)));
        let probe = Probe::new(["{}"], attribute).unwrap().interval(interval);
        let report = probe.run(|word| scores[word]).unwrap();
        alarms += u32::from(report.comparisons[0].is_established);
        misses += u32::from(!report.comparisons[0].bounds.unwrap().contains(0.0));
    }
    [alarms, misses]
}

/// Numbers that look random (Knuth's MMIX generator).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn scored(model: &Model, template: &str, words: &[String], target: &str) -> BTreeMap<String, f64> {
    let target = Continuation::parse(target).unwrap();
    let score = |word: &String| target.score(model, &template.replace("{}", word)).unwrap();
    words.iter().map(|word| (word.clone(), score(word))).collect()
}

/// Of 400, 20 are expected at 5 %; 7 and 33 are three standard deviations away.
#[test]
fn false_alarms_come_as_often_as_they_may() {
    let names: Vec<String> = Biased::men().iter().chain(Biased::women()).map(ToString::to_string).collect();
    let control = scored(&Biased::control(5).unwrap(), TEMPLATES[0], &names, "doctor/nurse");
    let [alarms, misses] = false_alarms(&names, &control, Interval::Student);
    assert!((7..=33).contains(&alarms) && (7..=33).contains(&misses), "{alarms} {misses}");

    // Cities of a trained model: those of one state are far above all others, and intervals of so few hold nothing less for it.
    let (toy, facts) = (support::toys().remove(0).0, facts());
    let scores = scored(&toy, "the capital of the state containing {} is", &facts, "Austin");
    let [alarms, _] = false_alarms(&facts, &scores, Interval::Student);
    assert!((7..=33).contains(&alarms), "{alarms}");
}

/// The cities that the toy knows.
fn facts() -> Vec<String> {
    let cities =
        support::toy_states().into_values().flat_map(|state| state["cities"].as_array().unwrap().clone());
    cities.map(|city| city.as_str().unwrap().to_owned()).collect()
}

#[test]
fn targets_of_several_tokens_are_summed_up() {
    let model = Biased::model(1).unwrap();
    let probe = probe();
    let report = probe.run_model(&model, &targets(&["doctor is nurse"])).unwrap();
    let prompt = model.tokenize(&TEMPLATES[1].replace("{}", "Dan")).unwrap();
    let ids = ["doctor", "is", "nurse"].map(|word| model.token_id(word).unwrap());
    let expected = model.log_probability(&prompt, &ids).unwrap();
    assert!((report.scores[0].values[0][3][1] - expected).abs() < 1e-6);
    let found = CarrierSearch::new(&probe, &model).neurons(4).run(&report.comparisons[0]).unwrap();
    assert!((found.difference - report.comparisons[0].difference).abs() < 1e-5, "{found}");
    assert_eq!((found.pairs, found.left_out, found.units), (36, 0, 12));
    let mut strongest: Vec<ModelPart> = found.parts.iter().take(5).map(|carrier| carrier.part).collect();
    strongest.sort();
    assert_eq!(strongest, put_there(), "{found}");
}

#[test]
fn pairs_and_templates_are_units_where_they_are_asked_for() {
    let check =
        |attribute: Attribute, templates: usize, over: Over, expected: (Over, Pairing, [usize; 2])| {
            let templates = (0..templates).map(|at| format!("{at} {{}}"));
            let probe = Probe::new(templates, attribute).unwrap().over(over);
            let report = probe.run(|prompt| prompt.len() as f64).unwrap();
            let found = &report.comparisons[0];
            assert_eq!((found.over, found.pairing, found.units), expected);
        };
    let two = || Attribute::paired([("men", vec!["he", "uncle"]), ("women", vec!["she", "aunt"])]);
    let uneven = || Attribute::unpaired([("a", vec!["x"]), ("b", vec!["y", "z"])]);
    check(two(), 1, Over::Larger, (Over::Terms, Pairing::Paired, [2, 2]));
    check(two(), 5, Over::Larger, (Over::Templates, Pairing::Paired, [5, 5]));
    check(two(), 5, Over::Terms, (Over::Terms, Pairing::Paired, [2, 2]));
    check(uneven(), 1, Over::Larger, (Over::Terms, Pairing::Unpaired, [1, 2]));
    check(uneven(), 1, Over::Templates, (Over::Templates, Pairing::Paired, [1, 1]));
}

#[test]
fn the_word_that_asks_is_what_the_difference_needs() {
    let model = Biased::model(2).unwrap();
    let target = Continuation::parse("doctor/nurse").unwrap();
    let found = probe().words("men", "women", |prompt| target.score(&model, prompt)).unwrap();
    assert_eq!(found.len(), TEMPLATES.len());
    for words in found {
        assert!((words.top(1)[0].value - 6.0).abs() < 1e-3 && words.top(1)[0].part.label == "a", "{words}");
        let others = words.parts.iter().filter(|part| part.part.label != "a");
        assert!(others.into_iter().all(|part| part.value.abs() < 1e-3), "{words}");
    }
}

#[test]
fn what_cannot_be_probed_is_refused() {
    let said = |result: Result<String, BiasError>, expected: &str| {
        let found = result.unwrap_err().to_string();
        assert!(found.contains(expected), "{found}");
    };
    let groups = || Attribute::unpaired([("a", vec!["Adam"]), ("b", vec!["Ben"])]);
    let new = |templates: &[&str]| Probe::new(templates.to_vec(), groups()).map(|_| String::new());
    said(new(&[]), "no template");
    said(new(&["a"]), "has no {}");
    said(new(&["{}", "{}"]), "twice");
    let probe = Probe::new(["{} is a"], groups()).unwrap();
    let shown = |report: BiasReport| report.to_string();
    said(probe.run(|_| f64::NAN).map(shown), "\"Adam is a\" is NaN");
    said(probe.run(|_| Err::<f64, _>("no network")).map(shown), "\"Adam is a\": no network");
    said(probe.run_each(&[] as &[&str], |_, _| 1.0).map(shown), "no target");
    said(probe.words("a", "c", |_| 1.0).map(|_| String::new()), "no group \"c\"; there are a, b");
    let model = Biased::model(0).unwrap();
    said(probe.run_model(&model, &targets(&["lawyer"])).map(shown), "has no \"lawyer\"");
    let unknown = Attribute::unpaired([("a", vec!["Adam"]), ("b", vec!["Zoe"])]);
    let probe = Probe::new(["{} is a"], unknown).unwrap();
    said(probe.run_model(&model, &targets(&["nurse"])).map(shown), "the term of \"Zoe is a\"");
    for text in ["", "a/", "a/b/c"] {
        said(Continuation::parse(text).map(|_| String::new()), "neither a text such as doctor");
    }
}
