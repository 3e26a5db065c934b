//! The questions: circuits built by hand, and the toys' two-hop facts.

use llmtrace_lens::handmade::{Brackets, Induction, KnownNode, TwoStep};
use llmtrace_lens::{LoadError, Model, Toy};

use super::task::{Asked, Kind, Task};
use crate::failure::Failure;

/// Every task.
pub(super) fn all() -> Result<Vec<Task>, Failure> {
    let mut tasks = induction()?;
    tasks.extend(two_step()?);
    tasks.extend(brackets()?);
    for toy in [Toy::Relu, Toy::Gelu] {
        tasks.extend(of_toy(toy)?);
    }
    Ok(tasks)
}

/// A prompt, another one that ends otherwise, and both answers.
struct Pair {
    prompt: Vec<u32>,
    contrast: Vec<u32>,
    answer: u32,
    wrong: u32,
    mask: u32,
}

impl Pair {
    fn task(
        &self,
        model: &Model,
        name: &str,
        kind: Kind,
        candidates: Vec<String>,
        truth: Vec<usize>,
    ) -> Task {
        let asked = Asked {
            name: format!("{}/{}/{name}", model.name(), kind.name()),
            model: model.name().to_owned(),
            kind,
            prompt: self.prompt.clone(),
            contrast: self.contrast.clone(),
            answer: self.answer,
            wrong: self.wrong,
            mask: self.mask,
            candidates,
        };
        Task { asked, model: model.clone(), truth }
    }

    fn tokens(&self, model: &Model, name: &str, truth: &[usize]) -> Task {
        let candidates = (0..self.prompt.len()).map(|position| format!("token {position}")).collect();
        self.task(model, name, Kind::Tokens, candidates, truth.to_vec())
    }

    fn heads(&self, model: &Model, name: &str, truth: &[(usize, usize)]) -> Task {
        let (layers, heads) = (model.config().layers, model.config().heads);
        let all = (0..layers).flat_map(|layer| (0..heads).map(move |head| format!("head {layer}.{head}")));
        let truth = truth.iter().map(|(layer, head)| layer * heads + head).collect();
        self.task(model, name, Kind::Heads, all.collect(), truth)
    }
}

/// What followed a letter follows it again: the letter's first place, what stood there after it, and the letter itself.
fn induction() -> Result<Vec<Task>, Failure> {
    let model = Induction::model().map_err(|error| wrong(&error))?;
    let mut tasks = Vec::new();
    for (name, prompt, place) in [
        ("early", vec![0, 1, 2, 3, 4, 5, 1], 1),
        ("middle", vec![0, 3, 7, 4, 9, 5, 8, 4], 3),
        ("late", vec![0, 9, 3, 1, 5, 6, 11, 6], 5),
    ] {
        let mut contrast = prompt.clone();
        let (answer, last) = (prompt.get(place + 1).copied().unwrap_or(0), prompt.len() - 1);
        // Another letter at the first place: nothing is repeated.
        if let Some(letter) = contrast.get_mut(place) {
            *letter = 10;
        }
        let pair = Pair { prompt, contrast, answer, wrong: 10, mask: 0 };
        tasks.push(pair.tokens(&model, name, &[place, place + 1, last]));
        tasks.push(pair.heads(&model, name, &[Induction::PREVIOUS_TOKEN_HEAD, Induction::INDUCTION_HEAD]));
    }
    Ok(tasks)
}

/// From a city to its state to that state's capital.
fn two_step() -> Result<Vec<Task>, Failure> {
    let model = TwoStep::model().map_err(|error| wrong(&error))?;
    let mut tasks = Vec::new();
    for city in [1, 3, 5] {
        let other = if city == 5 { 1 } else { city + 2 };
        let (Some(answer), Some(against)) = (TwoStep::capital(city), TwoStep::capital(other)) else {
            continue;
        };
        let prompt = vec![0, city, TwoStep::CAPITAL];
        let contrast = vec![0, other, TwoStep::CAPITAL];
        let pair = Pair { prompt, contrast, answer, wrong: against, mask: 0 };
        let name = model.token_text(city);
        tasks.push(pair.tokens(&model, &name, &[1, 2]));
        tasks.push(pair.heads(&model, &name, &[TwoStep::MOVING_HEAD]));
        let edges = edges(&model);
        let named = |node: KnownNode| match node {
            KnownNode::Token { position } => format!("token {position}"),
            KnownNode::Neuron { layer, position, neuron } => format!("neuron {layer}.{position}.{neuron}"),
            KnownNode::Logit { .. } => "answer".to_owned(),
        };
        let known: Vec<String> = TwoStep::edges(city)
            .iter()
            .map(|edge| format!("{} -> {}", named(edge.from), named(edge.to)))
            .collect();
        let truth = (0..edges.len()).filter(|at| edges.get(*at).is_some_and(|edge| known.contains(edge)));
        let truth = truth.collect();
        tasks.push(pair.task(&model, &name, Kind::Edges, edges, truth));
    }
    Ok(tasks)
}

/// Every edge that a model of two blocks can have between tokens, neurons and the answer in a prompt of three tokens.
fn edges(model: &Model) -> Vec<String> {
    const STEPS: usize = 3;
    let neurons = model.config().d_mlp;
    let nodes = |layer: usize| {
        (0..STEPS)
            .flat_map(move |at| (0..neurons).map(move |neuron| (at, format!("neuron {layer}.{at}.{neuron}"))))
    };
    let tokens = || (0..STEPS).map(|at| (at, format!("token {at}")));
    let answer = || std::iter::once((STEPS - 1, "answer".to_owned()));
    let sources: Vec<(usize, usize, String)> = tokens()
        .map(|(at, name)| (0, at, name))
        .chain(nodes(0).map(|(at, name)| (1, at, name)))
        .chain(nodes(1).map(|(at, name)| (2, at, name)))
        .collect();
    let targets = nodes(0).map(|(at, name)| (1, at, name)).chain(nodes(1).map(|(at, name)| (2, at, name)));
    let targets = targets.chain(answer().map(|(at, name)| (3, at, name)));
    let mut edges = Vec::new();
    for (to_depth, to_at, to) in targets {
        let before = sources.iter().filter(|(depth, at, _)| *depth < to_depth && *at <= to_at);
        edges.extend(before.map(|(.., from)| format!("{from} -> {to}")));
    }
    edges
}

/// Whether brackets are balanced: two heads count.
fn brackets() -> Result<Vec<Task>, Failure> {
    let model = Brackets::model().map_err(|error| wrong(&error))?;
    // The contrast is balanced, and what is put back is the place where the depth was below zero.
    let pair =
        Pair { prompt: vec![0, 1, 2, 2, 1], contrast: vec![0, 1, 1, 2, 2], answer: 4, wrong: 3, mask: 0 };
    Ok(vec![pair.heads(&model, "dip", &[Brackets::COUNTING_HEAD, Brackets::DIP_HEAD])])
}

/// Which capital it is depends on the city alone.
fn of_toy(toy: Toy) -> Result<Vec<Task>, Failure> {
    const PAIRS: [(&str, &str, &str, &str); 3] = [
        ("Dallas", "Austin", "Oakland", "Sacramento"),
        ("Oakland", "Sacramento", "Dallas", "Austin"),
        ("Savannah", "Atlanta", "Dallas", "Austin"),
    ];
    let model = toy.load().map_err(|error| wrong(&error))?;
    let failed = |error: &dyn std::fmt::Display| Failure::Wrong(error.to_string());
    let prompt = |city: &str| model.tokenize(&format!("the capital of the state containing {city} is"));
    let mut tasks = Vec::new();
    for (city, capital, other, against) in PAIRS {
        let (prompt, contrast) = (prompt(city), prompt(other));
        let token = |text: &str| model.token_id(&format!(" {text}")).or_else(|_| model.token_id(text));
        let pair = Pair {
            prompt: prompt.map_err(|error| failed(&error))?,
            contrast: contrast.map_err(|error| failed(&error))?,
            answer: token(capital).map_err(|error| failed(&error))?,
            wrong: token(against).map_err(|error| failed(&error))?,
            mask: token("<unk>").map_err(|error| failed(&error))?,
        };
        let differs: Vec<usize> = pair
            .prompt
            .iter()
            .zip(&pair.contrast)
            .enumerate()
            .filter(|(_, (token, other))| token != other)
            .map(|(at, _)| at)
            .collect();
        tasks.push(pair.tokens(&model, city, &differs));
    }
    Ok(tasks)
}

fn wrong(error: &LoadError) -> Failure {
    Failure::Wrong(error.to_string())
}
