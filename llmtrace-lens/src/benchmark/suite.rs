//! The tasks, and how answers to them are measured.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Instant;

use super::built_in::BuiltIn;
use super::error::BenchmarkError;
use super::measure::found;
use super::part::{Level, Part, Place};
use super::report::{Report, Row, mean};
use super::submission::Submission;
use super::task::{Answer, Task};
use crate::explain::{Attribution, Coalition, TokenGame};
use crate::handmade::{Brackets, Harmful, Induction, KnownEdge, TwoStep};
use crate::model::{Model, ModelBuilder};
use crate::toy::Toy;

/// Tasks and the models that they are about.
#[derive(Debug)]
pub struct Suite {
    tasks: Vec<Task>,
    models: BTreeMap<String, Model>,
    /// The same, to be written.
    builders: BTreeMap<String, ModelBuilder>,
}

/// Prompts of the induction model: after the last letter comes what came after it before.
const REPEATS: [&str; 4] = ["a b c d e a", "c f a b k f", "h i j k g d e h", "e a b e"];
/// Texts of the bracket counter, and whether one of its positions is below zero.
const UNBALANCED: [(&str, bool); 3] = [("( (", false), ("( ( ) (", false), (") (", true)];
/// Prompts of the toy whose truth is not known.
const CITIES: [&str; 3] = ["Dallas", "Oakland", "Tampa"];

impl Suite {
    /// The tasks that methods are compared by: tokens, heads, neurons and edges of four models built by hand, and prompts of the
    /// `ReLU` toy.
    ///
    /// # Errors
    /// A model cannot be made.
    pub fn standard() -> Result<Self, BenchmarkError> {
        let mut suite = Self { tasks: Vec::new(), models: BTreeMap::new(), builders: BTreeMap::new() };
        let builders = [
            ("two-step", TwoStep::builder()?),
            ("induction", Induction::builder()?),
            ("brackets", Brackets::builder()?),
            ("harmful", Harmful::builder()?),
            ("toy", Toy::Relu.builder()?),
        ];
        for (name, builder) in builders {
            suite.models.insert(name.to_owned(), builder.build()?);
            suite.builders.insert(name.to_owned(), builder);
        }
        for city in 1..=6 {
            let answer = Answer { token: TwoStep::capital(city).unwrap_or_default(), against: None };
            suite.circuit(
                "two-step",
                &[0, city, TwoStep::CAPITAL],
                answer,
                &TwoStep::edges(city),
                &[TwoStep::MOVING_HEAD],
            );
        }
        let tokens = suite.tokens("harmful", Harmful::PROMPT)?;
        let answer = Answer { token: Harmful::POISON, against: Some(Harmful::REFUSE) };
        let heads = [Harmful::TOPIC_HEAD, Harmful::PRETEND_HEAD];
        suite.circuit("harmful", &tokens, answer, &Harmful::edges(), &heads);
        for prompt in REPEATS {
            suite.induction(prompt)?;
        }
        for (text, has_dip) in UNBALANCED {
            let tokens = suite.tokens("brackets", text)?;
            let answer = Answer { token: 4, against: Some(3) };
            let heads = [Brackets::COUNTING_HEAD, Brackets::DIP_HEAD];
            suite.heads(
                "brackets",
                &tokens,
                answer,
                heads.get(..1 + usize::from(has_dip)).unwrap_or_default(),
            );
        }
        for city in CITIES {
            let tokens = suite.tokens("toy", &format!("the capital of the state containing {city} is"))?;
            let likeliest = suite.likeliest("toy", &tokens)?;
            suite.push(
                "toy",
                &tokens,
                Answer { token: likeliest, against: None },
                Level::Tokens,
                positions(&tokens),
                None,
            );
        }
        Ok(suite)
    }

    /// What is asked.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// The model of a task.
    pub fn model(&self, task: &Task) -> Option<&Model> {
        self.models.get(&task.model)
    }

    /// Writes `tasks.json`, without the truth, and the folders of the models, as Hugging Face writes them.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn write(&self, folder: impl AsRef<Path>) -> io::Result<()> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder)?;
        for (name, builder) in &self.builders {
            builder.save(folder.join(name))?;
        }
        std::fs::write(folder.join("tasks.json"), serde_json::to_vec_pretty(&self.tasks)?)
    }

    /// Lets a method of this crate score every task that it can.
    ///
    /// # Errors
    /// It fails on one.
    pub fn run(&self, method: BuiltIn) -> Result<Report, BenchmarkError> {
        let mut submission = Submission {
            method: method.as_str().to_owned(),
            scores: BTreeMap::new(),
            seconds: BTreeMap::new(),
        };
        for task in self.tasks.iter().filter(|task| method.scores_level(task.level)) {
            let Some(model) = self.model(task) else { continue };
            let began = Instant::now();
            let scores = method.scores(model, task)?;
            submission.seconds.insert(task.id.clone(), began.elapsed().as_secs_f64());
            submission.scores.insert(task.id.clone(), scores);
        }
        self.judge(&submission)
    }

    /// Measures a method's scores.
    ///
    /// # Errors
    /// They do not fit the tasks, or a model cannot be run.
    pub fn judge(&self, submission: &Submission) -> Result<Report, BenchmarkError> {
        submission.check(self)?;
        let mut report = Report::default();
        for level in Level::ALL {
            let of_level = self.tasks.iter().filter(|task| task.level == level);
            let scored: Vec<(&Task, &Vec<f64>)> =
                of_level.filter_map(|task| Some((task, submission.scores.get(&task.id)?))).collect();
            if !scored.is_empty() {
                report.rows.push(self.row(&submission.method, level, &scored, &submission.seconds)?);
            }
        }
        Ok(report)
    }

    fn row(
        &self,
        method: &str,
        level: Level,
        scored: &[(&Task, &Vec<f64>)],
        seconds: &BTreeMap<String, f64>,
    ) -> Result<Row, BenchmarkError> {
        let found: Vec<_> =
            scored.iter().filter_map(|(task, scores)| found(scores, task.truth.as_deref()?)).collect();
        let mut faithful = Vec::new();
        if level == Level::Tokens {
            for (task, scores) in scored {
                faithful.extend(self.faithfulness(method, task, scores)?);
            }
        }
        let of = |at: usize| mean(faithful.iter().map(|figures| figures.get(at).copied().flatten()));
        Ok(Row {
            method: method.to_owned(),
            level,
            tasks: scored.len(),
            average_precision: mean(found.iter().map(|found| Some(found.average_precision))),
            precision_at_truth: mean(found.iter().map(|found| Some(found.precision_at_truth))),
            precision_at_full_recall: mean(found.iter().map(|found| Some(found.precision_at_full_recall))),
            comprehensiveness: of(0),
            sufficiency: of(1),
            deletion: of(2),
            insertion: of(3),
            completeness: of(4),
            seconds: mean(scored.iter().map(|(task, _)| seconds.get(&task.id).copied())),
        })
    }

    /// Comprehensiveness, sufficiency, deletion, insertion, completeness.
    fn faithfulness(
        &self,
        method: &str,
        task: &Task,
        scores: &[f64],
    ) -> Result<Option<[Option<f64>; 5]>, BenchmarkError> {
        let Some(model) = self.model(task) else { return Ok(None) };
        let prompt = TokenGame::new(model, &task.tokens, &task.answer.target(), task.mask);
        let game = prompt.game();
        let judged = game.judge_beside(&Attribution::new(method, prompt.parts(), scores)?, 0)?;
        let all =
            game.values(&[Coalition::of(scores.len(), []), Coalition::of(scores.len(), 0..scores.len())])?;
        let gained = all.iter().rev().copied().reduce(|full, masked| full - masked).unwrap_or_default();
        let gap = (scores.iter().sum::<f64>() - gained).abs();
        let completeness = (gained != 0.0).then(|| (1.0 - gap / gained.abs()).max(0.0));
        let measures = [judged.comprehensiveness, judged.sufficiency, judged.deletion, judged.insertion];
        let [one, two, three, four] = measures.map(|measure| measure.value);
        Ok(Some([one, two, three, four, completeness]))
    }

    /// Tasks about a circuit of tokens, neurons and heads: one for each level.
    fn circuit(
        &mut self,
        model: &str,
        tokens: &[u32],
        answer: Answer,
        edges: &[KnownEdge],
        heads: &[(usize, usize)],
    ) {
        let known: Vec<(Place, Place)> =
            edges.iter().map(|edge| (edge.from.into(), edge.to.into())).collect();
        let is_known = |place: &Place| known.iter().any(|(from, to)| from == place || to == place);
        let (neurons, edges) = self
            .models
            .get(model)
            .map(|model| (neurons(model, tokens), possible_edges(model, tokens)))
            .unwrap_or_default();
        for (level, parts) in [(Level::Tokens, positions(tokens)), (Level::Neurons, neurons)] {
            let truth =
                parts.iter().map(|part| matches!(part, Part::Node(place) if is_known(place))).collect();
            self.push(model, tokens, answer, level, parts, Some(truth));
        }
        let truth = edges
            .iter()
            .map(|part| matches!(part, Part::Edge(from, to) if known.contains(&(*from, *to))))
            .collect();
        self.push(model, tokens, answer, Level::Edges, edges, Some(truth));
        self.heads(model, tokens, answer, heads);
    }

    fn heads(&mut self, model: &str, tokens: &[u32], answer: Answer, known: &[(usize, usize)]) {
        let Some(config) = self.models.get(model).map(Model::config) else { return };
        let all = (0..config.layers).flat_map(|layer| (0..config.heads).map(move |head| (layer, head)));
        let (parts, truth) = all
            .map(|(layer, head)| (Part::Node(Place::Head { layer, head }), known.contains(&(layer, head))))
            .unzip();
        self.push(model, tokens, answer, Level::Heads, parts, Some(truth));
    }

    fn induction(&mut self, prompt: &str) -> Result<(), BenchmarkError> {
        let tokens = self.tokens("induction", prompt)?;
        let last = tokens.len().saturating_sub(1);
        let before = tokens.iter().position(|token| tokens.last() == Some(token)).unwrap_or_default();
        let answer = Answer { token: tokens.get(before + 1).copied().unwrap_or_default(), against: None };
        let parts = positions(&tokens);
        let truth = (0..tokens.len()).map(|at| [before, before + 1, last].contains(&at)).collect();
        self.push("induction", &tokens, answer, Level::Tokens, parts, Some(truth));
        self.heads(
            "induction",
            &tokens,
            answer,
            &[Induction::PREVIOUS_TOKEN_HEAD, Induction::INDUCTION_HEAD],
        );
        Ok(())
    }

    fn push(
        &mut self,
        model: &str,
        tokens: &[u32],
        answer: Answer,
        level: Level,
        parts: Vec<Part>,
        truth: Option<Vec<bool>>,
    ) {
        let Some(known) = self.models.get(model) else { return };
        let texts: Vec<String> = tokens.iter().map(|token| known.token_text(*token)).collect();
        let words: Vec<&str> = texts.iter().map(String::as_str).filter(|text| *text != "<bos>").collect();
        let words = words.join(" ");
        self.tasks.push(Task {
            id: format!("{model}: {words}: {}", level.as_str()),
            model: model.to_owned(),
            tokens: tokens.to_vec(),
            texts,
            answer,
            mask: 0,
            level,
            parts,
            truth,
        });
    }

    fn tokens(&self, model: &str, text: &str) -> Result<Vec<u32>, BenchmarkError> {
        Ok(self.models.get(model).map(|model| model.tokenize(text)).transpose()?.unwrap_or_default())
    }

    fn likeliest(&self, model: &str, tokens: &[u32]) -> Result<u32, BenchmarkError> {
        let Some(model) = self.models.get(model) else { return Ok(0) };
        let logits = model.run_batch(&[tokens], crate::model::Readout::Last)?;
        Ok(logits.flatten_all()?.argmax(0)?.to_scalar()?)
    }
}

fn positions(tokens: &[u32]) -> Vec<Part> {
    (0..tokens.len()).map(|position| Part::Node(Place::Token { position })).collect()
}

fn neurons(model: &Model, tokens: &[u32]) -> Vec<Part> {
    places(model, tokens).map(Part::Node).collect()
}

fn places(model: &Model, tokens: &[u32]) -> impl Iterator<Item = Place> + use<> {
    let (layers, positions, neurons) = (model.config().layers, tokens.len(), model.config().d_mlp);
    (0..layers).flat_map(move |layer| {
        (0..positions).flat_map(move |position| {
            (0..neurons).map(move |neuron| Place::Neuron { layer, position, neuron })
        })
    })
}

/// Every edge that could be: from tokens and neurons to neurons of later blocks at the same or a later position, and to the answer.
fn possible_edges(model: &Model, tokens: &[u32]) -> Vec<Part> {
    let tokens_then = (0..tokens.len()).map(|position| Place::Token { position });
    let sources: Vec<Place> = tokens_then.chain(places(model, tokens)).collect();
    let targets: Vec<Place> = places(model, tokens).chain([Place::Answer]).collect();
    let comes_before = |from: &Place, to: &Place| match (from, to) {
        (_, Place::Answer) => true,
        (Place::Token { position }, Place::Neuron { position: later, .. }) => position <= later,
        (Place::Neuron { layer, position, .. }, Place::Neuron { layer: next, position: later, .. }) => {
            layer < next && position <= later
        }
        _ => false,
    };
    let pairs = sources.iter().flat_map(|from| targets.iter().map(move |to| (*from, *to)));
    pairs.filter(|(from, to)| comes_before(from, to)).map(|(from, to)| Part::Edge(from, to)).collect()
}
