//! Two facts put together, and how: a small model that comes with `llmtrace-lens` knows that Dallas is in Texas and that the capital
//! of Texas is Austin. It was never told the two in one sentence, and yet it answers `the capital of the state containing Dallas is`.
//!
//! The program draws the attribution graph of the answer, finds the neurons that stand for Texas between the city and the
//! capital, takes them away, and puts California's in their place. No network, no files to fetch.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use llmtrace_lens::analysis::Reading;
use llmtrace_lens::circuit::graph::ActiveFeature;
use llmtrace_lens::circuit::intervene::Outcome;
use llmtrace_lens::circuit::{Change, Experiment, Held, Supernode, Thresholds, Tracer, Transcoders};
use llmtrace_lens::patching::Metric;
use llmtrace_lens::{Model, Toy};

#[path = "support/states.rs"]
mod states;

use states::{Firing, State, States};

fn prompt(city: &str) -> String {
    format!("the capital of the state containing {city} is")
}

fn main() -> Result<(), Box<dyn Error>> {
    let model = Toy::Relu.load()?;
    let neurons = Transcoders::neurons(&model)?; // with ReLU they are exact features
    let tracer = Tracer::new(&model, &neurons);
    let states = States::read()?;
    let firing = states.firing(&model, prompt)?;
    let texas = states.place("Texas").ok_or("no Texas")?;

    let dallas = ask(&model, &tracer, "Dallas")?;
    println!("{} {}\n", prompt("Dallas"), said(&model, &dallas.run(&[], Held::Nothing)?));
    lens(&model, &prompt("Dallas"))?;
    graph(&dallas, &firing, texas);

    println!("\nTried out on the model:");
    let [oakland, houston] = ["Oakland", "Houston"].map(|city| ask(&model, &tracer, city));
    for (what, changes) in [
        ("as it is", Vec::new()),
        ("without Texas", taken_away(&dallas, &firing, texas)),
        ("California's from Oakland instead", put_in(&dallas, &oakland?)),
        ("Texas's from Houston instead", put_in(&dallas, &houston?)),
    ] {
        println!("  {what:34} {}", said(&model, &dallas.run(&changes, Held::Patterns)?));
    }
    everywhere(&model, &tracer, &states, &firing)?;

    let trust = dallas.validate(12)?;
    let [direct, total, free] =
        [trust.direct, trust.total, trust.free].map(|agreement| agreement.correlation.unwrap_or(f64::NAN));
    println!(
        "\nThe graph against the model, its 12 strongest neurons taken away one by one: direct effects correlate by"
    );
    println!(
        "{direct:.3}, whole effects by {total:.3} with patterns and norms held, by {free:.3} with nothing held."
    );
    Ok(())
}

/// The prompt of a city, traced.
fn ask<'m>(model: &Model, tracer: &Tracer<'m>, city: &str) -> Result<Experiment<'m>, Box<dyn Error>> {
    Ok(tracer.experiment(&model.tokenize(&prompt(city))?)?)
}

/// The most probable next token and its probability.
fn said(model: &Model, outcome: &Outcome) -> String {
    let best = (0_u32..).zip(&outcome.logits).max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |best| best.0);
    let probability = Metric::probability(best).of(&outcome.logits);
    format!("{} ({probability:.3})", model.token_text(best))
}

/// What the model would say after each layer, were it the last.
fn lens(model: &Model, prompt: &str) -> Result<(), Box<dyn Error>> {
    println!("What it would say at the last word after each layer:");
    let reading = Reading::new(model, &model.tokenize(prompt)?)?;
    for row in reading.logit_lens().points("blocks.*.hook_resid_post").last().read()?.rows {
        if let Some(best) = row.cells.last().and_then(|cell| cell.best()) {
            println!("  {:8} {:12} {:.3}", row.label, best.token.text, best.probability);
        }
    }
    Ok(())
}

/// The graph, told by the groups that its neurons fall into.
fn graph(experiment: &Experiment<'_>, firing: &Firing, state: usize) {
    let graph = experiment.graph();
    let pruned = graph.prune(Thresholds::default());
    let city = graph.tokens.len() - 2;
    let group = |label: &str, is: &dyn Fn(usize, usize, bool) -> bool| {
        let belongs = |node: &usize| {
            let at = &graph.features[*node];
            pruned.nodes[*node] && is(at.layer, at.position, firing.stands_for(state, at))
        };
        Supernode { label: label.to_owned(), nodes: (0..graph.features.len()).filter(belongs).collect() }
    };
    let last = graph.layers - 1;
    let groups = [
        group("a capital is asked for", &|_, position, _| position < city),
        group("Texas", &|layer, position, stands| position >= city && stands && layer < last),
        group("say Austin", &|layer, position, stands| position >= city && stands && layer == last),
    ];
    let kept = (0..graph.features.len()).filter(|node| pruned.nodes[*node]).count();
    println!(
        "\nIts graph: {} neurons are active, {kept} carry most of the answer. Among them:",
        graph.active
    );
    for group in &groups {
        let names: Vec<String> = group.nodes.iter().map(|node| graph.node_label(*node)).collect();
        println!("  {:22} {}", group.label, names.join(", "));
    }
    println!("\nHow the answer came, with shares of all influence on it:");
    for path in graph.named_paths(&graph.paths(&pruned, 200), &groups).iter().take(6) {
        let steps: Vec<&str> = path.steps.iter().map(|step| step.trim_start_matches("-> ")).collect();
        println!("  {:5.1} %  {}", path.share * 100.0, steps.join(" -> "));
    }
}

/// The neurons of all but the last layer that stand for a state at the last word, taken away.
fn taken_away(experiment: &Experiment<'_>, firing: &Firing, state: usize) -> Vec<Change> {
    let of_state = before_the_end(experiment).filter(|at| firing.stands_for(state, at));
    of_state.map(|at| Change::scale(at, 0.0)).collect()
}

/// The neurons of all but the last layer at the last word, each as strong as in the other run.
fn put_in(experiment: &Experiment<'_>, other: &Experiment<'_>) -> Vec<Change> {
    let as_there = |at: &ActiveFeature| Change::set(at, other.activation(at.layer, at.position, at.feature));
    before_the_end(experiment).chain(before_the_end(other)).map(as_there).collect()
}

fn before_the_end<'e>(experiment: &'e Experiment<'_>) -> impl Iterator<Item = &'e ActiveFeature> {
    let graph = experiment.graph();
    let (layers, steps) = (graph.layers, graph.tokens.len());
    experiment.features().iter().filter(move |at| at.layer + 1 < layers && at.position + 2 >= steps)
}

/// The same for the city of each state that stands in no sentence with a capital.
fn everywhere(
    model: &Model,
    tracer: &Tracer<'_>,
    states: &States,
    firing: &Firing,
) -> Result<(), Box<dyn Error>> {
    let all: Vec<&State> = states.iter().collect();
    let experiments: Result<Vec<_>, Box<dyn Error>> =
        all.iter().map(|state| ask(model, tracer, &state.cities[0])).collect();
    let experiments = experiments?;
    let (mut lost, mut swapped, mut ahead) = (0, 0, 0);
    for (place, experiment) in experiments.iter().enumerate() {
        let next = (place + 1) % all.len();
        let without = experiment.run(&taken_away(experiment, firing, place), Held::Patterns)?;
        lost += usize::from(!said(model, &without).starts_with(&all[place].capital));
        let instead = experiment.run(&put_in(experiment, &experiments[next]), Held::Patterns)?;
        swapped += usize::from(said(model, &instead).starts_with(&all[next].capital));
        let [own, other] = [&all[place], &all[next]].map(|state| model.token_id(&state.capital));
        ahead += usize::from(Metric::logit_difference(other?, own?).of(&instead.logits) > 0.0);
    }
    println!("\nThe same for one city of each state that stands in no sentence with a capital:");
    println!("  without its state, another answer               {lost} of {}", all.len());
    println!("  with the next state's, that one's capital       {swapped} of {}", all.len());
    println!("  or at least that one's before its own           {ahead} of {}", all.len());
    Ok(())
}
