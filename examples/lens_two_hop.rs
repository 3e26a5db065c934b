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

fn prompt(city: &str) -> String {
    format!("the capital of the state containing {city} is")
}

fn main() -> Result<(), Box<dyn Error>> {
    let model = Toy::Relu.load()?;
    let neurons = Transcoders::neurons(&model)?; // with ReLU they are exact features
    let tracer = Tracer::new(&model, &neurons);
    let of = |city: &str| Ok::<_, Box<dyn Error>>(tracer.experiment(&model.tokenize(&prompt(city))?)?);
    let (dallas, houston, oakland, fresno) = (of("Dallas")?, of("Houston")?, of("Oakland")?, of("Fresno")?);

    println!("{} {}\n", prompt("Dallas"), said(&model, &dallas.run(&[], Held::Nothing)?));
    lens(&model, &prompt("Dallas"))?;

    // What cities of Texas share with each other and not with cities of California, and the other way round.
    let texas = dallas.telling_apart(&[&houston], &[&oakland, &fresno])?;
    let california = oakland.telling_apart(&[&fresno], &[&dallas, &houston])?;
    graph(&dallas, &texas);

    println!("\nTried out on the model:");
    let both = || texas.iter().chain(&california).copied();
    for (what, changes) in [
        ("as it is", Vec::new()),
        ("without Texas", without(&dallas, &texas)),
        ("California's from Oakland instead", dallas.taken_from(&oakland, both())?),
        ("Texas's from Houston instead", dallas.taken_from(&houston, both())?),
    ] {
        println!("  {what:34} {}", said(&model, &dallas.run(&changes, Held::Nothing)?));
    }
    // No graph is drawn of these.
    everywhere(&model, &Tracer::new(&model, &neurons).max_feature_nodes(0))?;

    println!("\nThe graph against the model, its 12 strongest neurons taken away one by one:");
    for line in dallas.validate(12)?.told() {
        println!("  {line}");
    }
    Ok(())
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
fn graph(experiment: &Experiment<'_>, texas: &[ActiveFeature]) {
    let graph = experiment.graph();
    let pruned = graph.prune(Thresholds::default());
    let (city, last) = (graph.tokens.len() - 2, graph.layers - 1);
    let kept = || (0..graph.features.len()).filter(|node| pruned.nodes[*node]);
    let group = |label: &str, is: &dyn Fn(&ActiveFeature) -> bool| {
        let nodes = kept().filter(|node| is(&graph.features[*node])).collect();
        Supernode { label: label.to_owned(), nodes }
    };
    let groups = [
        group("a capital is asked for", &|at| at.position < city),
        group("Texas", &|at| texas.contains(at) && at.layer < last),
        group("say Austin", &|at| texas.contains(at) && at.layer == last),
    ];
    println!(
        "\nIts graph: {} neurons are active, {} carry most of the answer. Among them:",
        graph.active,
        kept().count()
    );
    for group in &groups {
        let names: Vec<String> = group.nodes.iter().map(|node| graph.node_label(*node)).collect();
        println!("  {:22} {}", group.label, names.join(", "));
    }
    let paths = graph.named_paths(&graph.paths(&pruned, 200), &groups);
    let from = graph.node_label(graph.token(city).unwrap_or_default());
    println!("\nWays from the city to the answer, with shares of all influence on it:");
    for path in paths.iter().filter(|path| path.steps.first() == Some(&from)).take(5) {
        let steps: Vec<&str> = path.steps.iter().map(|step| step.trim_start_matches("-> ")).collect();
        println!("  {:5.1} %  {}", path.share * 100.0, steps.join(" -> "));
    }
}

/// Takes away the neurons that stand for a state; those of the last layer, which say its capital, stay.
fn without(experiment: &Experiment<'_>, state: &[ActiveFeature]) -> Vec<Change> {
    let last = experiment.graph().layers - 1;
    state.iter().filter(|at| at.layer < last).map(|at| Change::scale(at, 0.0)).collect()
}

/// The same for the city of each state that stands in no sentence with a capital, and the next state.
fn everywhere(model: &Model, tracer: &Tracer<'_>) -> Result<(), Box<dyn Error>> {
    let states = states::states()?;
    let mut cities = Vec::new();
    for state in &states {
        let [city, alike] = [&state.cities[0], &state.cities[1]].map(|city| model.tokenize(&prompt(city)));
        cities.push([tracer.experiment(&city?)?, tracer.experiment(&alike?)?]);
    }
    let (mut lost, mut silenced, mut swapped) = (0, 0, 0);
    for (place, [city, alike]) in cities.iter().enumerate() {
        let next = (place + 1) % states.len();
        let [other, unlike] = &cities[next];
        let own = city.telling_apart(&[alike], &[other, unlike])?;
        let theirs = other.telling_apart(&[unlike], &[city, alike])?;
        let gone = city.run(&without(city, &own), Held::Nothing)?;
        lost += usize::from(!said(model, &gone).starts_with(&states[place].capital));
        let all: Vec<Change> = own.iter().map(|at| Change::scale(at, 0.0)).collect();
        let gone = city.run(&all, Held::Nothing)?;
        silenced += usize::from(!said(model, &gone).starts_with(&states[place].capital));
        let changes = city.taken_from(other, own.into_iter().chain(theirs))?;
        let instead = city.run(&changes, Held::Nothing)?;
        swapped += usize::from(said(model, &instead).starts_with(&states[next].capital));
    }
    println!("\nThe same for one city of each state that stands in no sentence with a capital:");
    let all = states.len();
    println!("  without its state, another answer                    {lost} of {all}");
    println!("  without what says its capital either                 {silenced} of {all}");
    println!("  with the next state's of both, that one's capital    {swapped} of {all}");
    Ok(())
}
