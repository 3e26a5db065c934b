//! An odd answer, and what drove it: at the beginning of a document a small model that comes with `llmtrace-lens` is right about
//! 143 of 144 cities, and says that the capital of the state containing Baltimore is Helena.
//!
//! The program asks the words, the activations and the neurons, each beside a city of the same state that is answered
//! rightly, and tries out on the model what it found. No network, no files to fetch.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use llmtrace_lens::circuit::graph::{ActiveFeature, Targets};
use llmtrace_lens::circuit::{AttributionGraph, Change, Experiment, Held, Thresholds, Tracer, Transcoders};
use llmtrace_lens::explain::{Shapley, TokenGame};
use llmtrace_lens::gradient::Target;
use llmtrace_lens::patching::{Along, Metric, Patching};
use llmtrace_lens::{Model, Readout, Site, Toy};

#[path = "support/states.rs"]
mod states;

const ODD: &str = "Helena";
const RIGHT: &str = "Annapolis";
const CITY: &str = "Baltimore";
/// A city of the same state.
const BESIDE: &str = "Frederick";

fn prompt(city: &str) -> String {
    format!("<|endoftext|> the capital of the state containing {city} is")
}

fn main() -> Result<(), Box<dyn Error>> {
    let model = Toy::Relu.load()?;
    what_it_says(&model)?;
    words(&model)?;
    activations(&model)?;
    neurons(&model)
}

/// The odd answer among its neighbours.
fn what_it_says(model: &Model) -> Result<(), Box<dyn Error>> {
    let (mut right, mut all) = (0, 0);
    for state in states::states()? {
        for city in &state.cities {
            all += 1;
            right += usize::from(said(model, &logits(model, &prompt(city))?).starts_with(&state.capital));
        }
    }
    println!(
        "{right} of {all} cities are answered rightly. One is not, though the model knows both facts:\n"
    );
    for text in [
        &prompt(CITY),
        &prompt(BESIDE),
        &format!("<|endoftext|> {CITY} is in"),
        "<|endoftext|> the capital of Maryland is",
        "the capital of the state containing Baltimore is",
    ] {
        println!("  {text:65} {}", said(model, &logits(model, text)?));
    }
    Ok(())
}

/// Which words.
fn words(model: &Model) -> Result<(), Box<dyn Error>> {
    let target = Target::logit_difference(model.token_id(ODD)?, model.token_id(RIGHT)?);
    let mask = model.token_id("<unk>")?;
    let explained = |city: &str| {
        let tokens = model.tokenize(&prompt(city))?;
        Ok::<_, Box<dyn Error>>(TokenGame::new(model, &tokens, &target, mask).game().explain(&Shapley)?)
    };
    let (here, beside) = (explained(CITY)?, explained(BESIDE)?);
    println!("\nWhat each word does to logit({ODD}) - logit({RIGHT}) (Shapley values):\n");
    println!("  {:24} {CITY:>10} {BESIDE:>10}", "");
    for (here, beside) in here.parts.iter().zip(&beside.parts) {
        let [word, other] = [here, beside].map(|part| part.text.trim());
        let word = if word == other { word.to_owned() } else { format!("{word} / {other}") };
        println!("  {word:24} {:>+10.2} {:>+10.2}", here.value, beside.value);
    }
    let [masked_here, masked_beside] = [&here, &beside].map(|city| city.base_value.unwrap_or_default());
    println!("  {:24} {masked_here:>+10.2} {masked_beside:>+10.2}", "with all words masked");
    println!("  {:24} {:>+10.2} {:>+10.2}", "all together", here.full_value, beside.full_value);
    Ok(())
}

/// Where the right answer is lost.
fn activations(model: &Model) -> Result<(), Box<dyn Error>> {
    let (clean, corrupted) = (model.tokenize(&prompt(BESIDE))?, model.tokenize(&prompt(CITY))?);
    let metric = Metric::logit_difference(model.token_id(RIGHT)?, model.token_id(ODD)?);
    let mut patching = Patching::new(model, &clean, &corrupted, metric)?;
    let stream = patching.sweep(Site::ResidPre, Along::Positions)?;
    println!("\n{BESIDE}'s run put into {CITY}'s, one place at a time: how much of {RIGHT} comes back\n");
    for (place, share) in stream.strongest(3) {
        let what = format!("the stream before layer {} at {:?}", place[0], stream.axes[1].labels[place[1]]);
        println!("  {what:55} {:4.0} %", share * 100.0);
    }
    for (place, share) in patching.sweep(Site::Z, Along::Heads)?.strongest(2) {
        let what = format!("the output of head {} of layer {}", place[1], place[0]);
        println!("  {what:55} {:4.0} %", share * 100.0);
    }
    Ok(())
}

/// Which neurons, and whether it is they.
fn neurons(model: &Model) -> Result<(), Box<dyn Error>> {
    let neurons = Transcoders::neurons(model)?; // with ReLU they are exact features
    let targets = Targets::Difference(model.token_id(ODD)?, model.token_id(RIGHT)?);
    let tracer = Tracer::new(model, &neurons).targets(targets);
    let of = |city: &str| Ok::<_, Box<dyn Error>>(tracer.experiment(&model.tokenize(&prompt(city))?)?);
    let (here, beside) = (of(CITY)?, of(BESIDE)?);
    let cities = [of("Rockville")?, of("Bethesda")?, of("Hagerstown")?];
    let [billings, missoula, dallas, oakland] =
        [of("Billings")?, of("Missoula")?, of("Dallas")?, of("Oakland")?];
    let elsewhere = [&dallas, &oakland];
    // What cities of one state share with each other and with no city of another.
    let maryland = beside.telling_apart(&cities.each_ref(), &[&billings, &missoula, &dallas, &oakland])?;
    let montana =
        billings.telling_apart(&[&missoula], &[elsewhere.as_slice(), &cities.each_ref()].concat())?;

    println!("\nThe strongest ways of {CITY}'s graph:\n");
    let graph = here.graph();
    for path in graph.paths(&graph.prune(Thresholds::default()), 6) {
        let steps = path.nodes.iter().map(|node| graph.node_label(*node));
        let steps: Vec<String> = steps.map(|step| step.trim_start_matches("-> ").to_owned()).collect();
        let side = if path.supports { "for" } else { "against" };
        println!("  {:4.1} % {side:8} {}", path.share * 100.0, steps.join(" -> "));
    }
    table(&here, &beside, &maryland, &montana);
    tried_out(model, [&here, &beside], &maryland, &montana)
}

/// What the groups of neurons add at the end, city beside city.
fn table(
    here: &Experiment<'_>,
    beside: &Experiment<'_>,
    maryland: &[ActiveFeature],
    montana: &[ActiveFeature],
) {
    let columns = [here, beside].map(|city| added(city.graph(), maryland, montana));
    let rows = [
        &format!("{} neurons that cities of Maryland share", maryland.len()),
        &format!("{} neurons that cities of Montana share", montana.len()),
        "neurons before the city: the question's",
        "other neurons",
        "words without a neuron between, and biases",
        "all together",
    ];
    println!("\nWhat is added to logit({ODD}) - logit({RIGHT}) at the end, by the attribution graph:\n");
    println!("  {:44} {CITY:>10} {BESIDE:>10}", "");
    for (place, what) in rows.iter().enumerate() {
        println!("  {what:44} {:>+10.2} {:>+10.2}", columns[0][place], columns[1][place]);
    }
    println!();
    for at in maryland {
        let found = here.activation(at.layer, at.position, at.feature);
        let (layer, neuron, expected) = (at.layer, at.feature, at.activation);
        println!("  L{layer} F{neuron} of Maryland fires {found:.2}, and {expected:.2} with {BESIDE}");
    }
}

/// What becomes of the answers when those neurons are changed.
fn tried_out(
    model: &Model,
    [here, beside]: [&Experiment<'_>; 2],
    maryland: &[ActiveFeature],
    montana: &[ActiveFeature],
) -> Result<(), Box<dyn Error>> {
    let gone = montana.iter().map(|at| Change::scale(at, 0.0)).collect();
    println!("\nTried out on the model:\n");
    for (city, changed, changes) in [
        (here, format!("{CITY} as it is"), Vec::new()),
        (
            here,
            format!("{CITY}, Maryland's neurons as with {BESIDE}"),
            here.taken_from(beside, maryland.iter().copied())?,
        ),
        (here, format!("{CITY} without Montana's neurons"), gone),
        (
            beside,
            format!("{BESIDE}, Maryland's neurons as with {CITY}"),
            beside.taken_from(here, maryland.iter().copied())?,
        ),
    ] {
        println!("  {changed:55} {}", said(model, &city.run(&changes, Held::Nothing)?.logits));
    }
    Ok(())
}

/// What the target gets from neurons of the right state, of the odd one, of the question, from others, from all else, and in all.
fn added(graph: &AttributionGraph, right: &[ActiveFeature], odd: &[ActiveFeature]) -> [f64; 6] {
    let target = graph.target(0).unwrap_or_default();
    let city = graph.tokens.len() - 2;
    let key = |at: &ActiveFeature| (at.layer, at.position, at.feature);
    let mut sums = [0.0; 6];
    for (node, at) in graph.features.iter().enumerate() {
        let is = |group: &[ActiveFeature]| group.iter().any(|other| key(other) == key(at));
        let place = match at.position < city {
            _ if is(right) => 0,
            _ if is(odd) => 1,
            true => 2,
            false => 3,
        };
        sums[place] += f64::from(graph.edge(target, node));
    }
    sums[5] = graph.total(target).unwrap_or(f64::NAN);
    sums[4] = sums[5] - sums[..4].iter().sum::<f64>();
    sums
}

fn logits(model: &Model, prompt: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let tokens = model.tokenize(prompt)?;
    Ok(model.run_batch(&[&tokens], Readout::Last)?.flatten_all()?.to_vec1()?)
}

/// The most probable next token and its probability.
fn said(model: &Model, logits: &[f32]) -> String {
    let best = (0_u32..).zip(logits).max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |best| best.0);
    format!("{} ({:.3})", model.token_text(best), Metric::probability(best).of(logits))
}
