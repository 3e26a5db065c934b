//! What docs/questions.md says of the toy: two facts put together, and an odd answer.

use llmtrace_lens::circuit::graph::{ActiveFeature, Targets};
use llmtrace_lens::circuit::intervene::Outcome;
use llmtrace_lens::circuit::{Change, Experiment, Held, Tracer, Transcoders};
use llmtrace_lens::patching::Metric;
use llmtrace_lens::{Model, Toy};
use serde_json::Value;

use crate::support::toy_states;

fn answer(model: &Model, outcome: &Outcome) -> (String, f64) {
    let best = (0_u32..).zip(&outcome.logits).max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    (model.token_text(best), Metric::probability(best).of(&outcome.logits))
}

/// The capital and the cities of each state, the city that stands in no two-hop sentence first.
fn states() -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let state = |state: &Value| {
        (text(&state["capital"]), state["cities"].as_array().unwrap().iter().map(text).collect())
    };
    toy_states().values().map(state).collect()
}

/// Without a graph: only its features are asked.
fn tracer<'m>(model: &'m Model, neurons: &'m Transcoders) -> Tracer<'m> {
    Tracer::new(model, neurons).max_feature_nodes(0)
}

#[test]
fn putting_the_next_state_in_gives_its_capital_for_most_cities_that_stand_in_no_two_hop_sentence() {
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let tracer = tracer(&model, &neurons);
    let of = |city: &String| {
        let prompt = format!("the capital of the state containing {city} is");
        tracer.experiment(&model.tokenize(&prompt).unwrap()).unwrap()
    };
    let cities: Vec<(String, Experiment<'_>, Experiment<'_>)> =
        states().iter().map(|(capital, cities)| (capital.clone(), of(&cities[0]), of(&cities[1]))).collect();
    let (mut lost, mut silenced, mut swapped) = (0, 0, 0);
    for (place, (capital, city, alike)) in cities.iter().enumerate() {
        let (other_capital, other, unlike) = &cities[(place + 1) % cities.len()];
        assert_eq!(answer(&model, &city.run(&[], Held::Nothing).unwrap()).0, *capital);
        let own = city.telling_apart(&[alike], &[other, unlike]).unwrap();
        let theirs = other.telling_apart(&[unlike], &[city, alike]).unwrap();
        let without = |layers: usize| {
            let gone = own.iter().filter(|at| at.layer < layers).map(|at| Change::scale(at, 0.0));
            answer(&model, &city.run(&gone.collect::<Vec<_>>(), Held::Nothing).unwrap()).0
        };
        lost += usize::from(without(2) != *capital);
        silenced += usize::from(without(3) != *capital);
        let changes = city.taken_from(other, own.into_iter().chain(theirs)).unwrap();
        let instead = answer(&model, &city.run(&changes, Held::Nothing).unwrap()).0;
        swapped += usize::from(instead == *other_capital);
    }
    assert_eq!((lost, silenced, swapped, cities.len()), (10, 17, 20, 24));
}

#[test]
fn one_city_of_all_is_answered_wrongly_at_the_beginning_of_a_document_as_what_says_its_capital_hardly_fires()
{
    let model = Toy::Relu.load().unwrap();
    let neurons = Transcoders::neurons(&model).unwrap();
    let [odd, right] = ["Helena", "Annapolis"].map(|word| model.token_id(word).unwrap());
    let tracer = tracer(&model, &neurons).targets(Targets::Difference(odd, right));
    let of = |city: &str| {
        let prompt = format!("<|endoftext|> the capital of the state containing {city} is");
        tracer.experiment(&model.tokenize(&prompt).unwrap()).unwrap()
    };
    let run = |experiment: &Experiment<'_>, changes: &[Change]| {
        answer(&model, &experiment.run(changes, Held::Nothing).unwrap())
    };
    let mut wrong = Vec::new();
    for (capital, cities) in states() {
        wrong.extend(cities.into_iter().filter(|city| run(&of(city), &[]).0 != capital));
    }
    assert_eq!(wrong, ["Baltimore"]);
    let [baltimore, frederick, rockville, bethesda, hagerstown] =
        ["Baltimore", "Frederick", "Rockville", "Bethesda", "Hagerstown"].map(of);
    let [billings, missoula, dallas, oakland] = ["Billings", "Missoula", "Dallas", "Oakland"].map(of);
    let unlike = [&billings, &missoula, &dallas, &oakland];
    let maryland = frederick.telling_apart(&[&rockville, &bethesda, &hagerstown], &unlike).unwrap();
    let places: Vec<(usize, usize)> = maryland.iter().map(|at| (at.layer, at.feature)).collect();
    assert_eq!(places, [(2, 173), (2, 353)]);
    for ActiveFeature { layer, position, feature, activation, .. } in &maryland {
        assert!(baltimore.activation(*layer, *position, *feature) < activation / 3.0);
    }
    let odd_one = run(&baltimore, &[]);
    assert!(odd_one.0 == "Helena" && (0.5..0.6).contains(&odd_one.1), "{odd_one:?}");
    let as_there = run(&baltimore, &baltimore.taken_from(&frederick, maryland).unwrap());
    assert!(as_there.0 == "Annapolis" && as_there.1 > 0.95, "{as_there:?}");
}
