//! Every picture of a report, of made-up values of a small model that answers "Austin".
//!
//! ```text
//! cargo run -p llmtrace-lens --no-default-features --example pictures              in the terminal
//! cargo run -p llmtrace-lens --no-default-features --example pictures report.html  as a page, with pictures/*.svg beside it
//! ```

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::path::Path;

use llmtrace_lens::report::{
    AttentionGrid, AttributedPrompt, Axis, CircuitKind, CircuitLink, CircuitMap, CircuitNode, CircuitWay,
    Colour, FactLine, GenerationStep, GenerationTable, Heatmap, LayerBars, LensCell, LogitLensTable, Measure,
    Page, PictureError, Scale, Section, TokenStrip,
};

const PROMPT: [&str; 9] =
    ["<s>", "the", " capital", " of", " the", " state", " containing", " Dallas", " is"];

fn main() -> Result<(), Box<dyn Error>> {
    let page = page()?;
    if let Some(path) = std::env::args().nth(1) {
        page.write(&path)?;
        page.write_svgs(Path::new(&path).with_file_name("pictures"))?;
        return Ok(());
    }
    let variable = |name| std::env::var(name).ok();
    let width = variable("COLUMNS").and_then(|columns| columns.parse().ok()).unwrap_or(100);
    let colour = Colour::of_terminal(variable("NO_COLOR").as_deref(), variable("COLORTERM").as_deref());
    print!("{}", page.to_terminal(width, colour));
    Ok(())
}

fn page() -> Result<Page, PictureError> {
    Ok(Page::new("How the model gets from Dallas to Austin")
        .lead("A model of three layers was asked: “the capital of the state containing Dallas is”. It was never told the answer.")
        .section(Section::new("In short", "").picture(facts()))
        .section(
            Section::new(
                "What the model would say after each layer",
                "Each column is a word of the prompt, each row a layer; read down the last column to see the answer form. \
                 A cell shows the word that the model would say if it stopped there; the stronger its colour, the surer it is.",
            )
            .picture(logit_lens()?),
        )
        .section(
            Section::new(
                "Where each head looks",
                "Every small square is one attention head: rows are the words that look, columns the words looked at. \
                 Choose a head to see it large; a cell of strong colour takes most of the attention.",
            )
            .picture(attention()?),
        )
        .section(
            Section::new(
                "Where the answer lives",
                "At one layer and one word at a time, the model's inner state was replaced by that of a run with Oakland \
                 in place of Dallas. Blue cells carry the fact: changing them moves the answer from Austin to Sacramento.",
            )
            .picture(patching()?),
        )
        .section(
            Section::new(
                "Which words moved the answer",
                "Words were left out, in all combinations, to see how much each one adds to the answer Austin. \
                 A blue word with a plus made Austin more likely, a red one with a minus less likely.",
            )
            .picture(attribution()),
        )
        .section(
            Section::new(
                "How expected the prompt was",
                "Each word has the probability that the model gave it before it saw it. \
                 Faint words surprised the model; under each stands what it thought likelier.",
            )
            .picture(strip()),
        )
        .section(
            Section::new(
                "How the words became the answer",
                "Read it from the bottom up: words make features active, features make other features active, and those make \
                 the answer likelier. Blue lines add, red and broken ones take away; the stronger, the more.",
            )
            .picture(circuit()?),
        )
        .section(
            Section::new(
                "How the answer was written",
                "One row for each word that the model wrote. \
                 Rank 1 is its first choice; entropy is 0 where it was certain, and 1 bit is the doubt of a coin.",
            )
            .picture(generation()),
        )
        .section(
            Section::new(
                "Where the time went, and how loud each layer is",
                "Attention and the MLP are the two halves of a layer. \
                 A norm that suddenly grows is a sign of a state that few numbers dominate.",
            )
            .picture(times()?)
            .picture(norms()?),
        )
        .foot("Made-up values in the shape of the demo model's. llmtrace lens report --seed 7"))
}

fn facts() -> FactLine {
    FactLine::new("In short")
        .fact("Austin", "the model's answer")
        .fact("97.8 %", "its probability")
        .fact("Texas", "what the second layer says first")
        .fact("L0H2", "the head that looks from “is” back to “Dallas”")
        .fact("4.2 ms", "for the whole prompt, on one core")
}

fn logit_lens() -> Result<LogitLensTable, PictureError> {
    let layer = |best: [(&str, f32); 9]| {
        best.map(|(token, p)| {
            let rest = (1.0 - p) / 4.0;
            let others = [" is", " Texas", " Austin", " Sacramento", " the"]
                .into_iter()
                .filter(|other| *other != token);
            let top = std::iter::once((token, p)).chain(others.map(|other| (other, rest)));
            LensCell::new(-p * p.log2() - (1.0 - p) * (rest / 4.0).max(1e-9).log2(), top.take(5))
        })
    };
    let embed = [
        ("<s>", 0.31),
        ("the", 0.42),
        (" capital", 0.36),
        (" of", 0.4),
        (" the", 0.42),
        (" state", 0.39),
        (" containing", 0.33),
        (" Dallas", 0.47),
        (" is", 0.38),
    ];
    let first = [
        ("the", 0.44),
        (" capital", 0.37),
        (" of", 0.81),
        (" the", 0.62),
        (" state", 0.41),
        (" containing", 0.66),
        (" Fresno", 0.08),
        (" is", 0.58),
        (" Austin", 0.21),
    ];
    let second = [
        ("the", 0.52),
        (" capital", 0.45),
        (" of", 0.97),
        (" the", 0.88),
        (" state", 0.83),
        (" containing", 0.94),
        (" Tucson", 0.06),
        (" is", 0.93),
        (" Texas", 0.64),
    ];
    let last = [
        ("the", 0.55),
        (" capital", 0.5),
        (" of", 0.995),
        (" the", 0.93),
        (" state", 0.96),
        (" containing", 0.98),
        (" Tucson", 0.06),
        (" is", 0.98),
        (" Austin", 0.978),
    ];
    LogitLensTable::new("Best guess by layer and position", &PROMPT)
        .answer(" Austin")
        .layer("embedding", layer(embed))?
        .layer("after layer 0", layer(first))?
        .layer("after layer 1", layer(second))?
        .layer("after layer 2", layer(last))
}

/// Looks at one token by most of the attention, and a little at all before.
fn pattern(looks: impl Fn(usize) -> usize, share: f32) -> Vec<f32> {
    let count = PROMPT.len();
    let cell = |row: usize, column: usize| match looks(row).min(row) {
        _ if column > row => 0.0,
        target if target == column => share + (1.0 - share) / (row + 1) as f32,
        _ => (1.0 - share) / (row + 1) as f32,
    };
    (0..count * count).map(|at| cell(at / count, at % count)).collect()
}

fn attention() -> Result<AttentionGrid, PictureError> {
    let heads = [
        pattern(|row| row.saturating_sub(1), 0.94),
        pattern(|_| 0, 0.55),
        pattern(|row| if row == 8 { 7 } else { row }, 0.96),
        pattern(|row| row, 0.3),
        pattern(|row| row.saturating_sub(2), 0.4),
        pattern(|_| 0, 0.9),
        pattern(|row| if row >= 7 { 2 } else { 0 }, 0.7),
        pattern(|row| row, 0.0),
        pattern(|row| if row >= 7 { 5 } else { 1 }, 0.5),
        pattern(|_| 0, 0.97),
        pattern(|row| if row == 4 { 2 } else { 0 }, 0.88),
        pattern(|row| if row == 4 { 2 } else { 0 }, 0.8),
    ];
    Ok(AttentionGrid::new("Attention", &PROMPT, [3, 4], heads.concat())?
        .note(0, 0, "previous token 0.95")
        .note(0, 2, "is → Dallas 0.97")
        .note(2, 2, "induction 0.96")
        .note(2, 3, "induction 0.95")
        .show_first(0, 2))
}

fn patching() -> Result<Heatmap, PictureError> {
    let mut moved = vec![0.0; 4 * PROMPT.len()];
    let known =
        [(7, 17.7), (8, 0.1), (9 + 6, -0.4), (9 + 7, 2.4), (9 + 8, 15.2), (18 + 7, 0.3), (18 + 8, 17.5)];
    for (at, value) in known.into_iter().chain([(2, -0.2), (9 + 2, -0.7), (27 + 8, 17.8)]) {
        moved[at] = value;
    }
    let layers = Axis::named("before", ["layer 0", "layer 1", "layer 2", "unembedding"]);
    Ok(Heatmap::new(
        "Residual stream patched from Oakland's run",
        layers,
        Axis::tokens("position", PROMPT),
        moved,
    )?
    .scale(Scale::Centred)
    .value_is("change of logit(Sacramento) − logit(Austin)")
    .mark(0, 7)
    .mark(2, 8))
}

fn attribution() -> AttributedPrompt {
    let values = [0.0, 0.03, 2.31, 0.12, -0.06, 1.18, 0.44, 6.87, -0.92];
    let prompt = AttributedPrompt::new("Shapley values of the words", "log-probability of Austin");
    let prompt =
        PROMPT.iter().zip(values).skip(1).fold(prompt, |prompt, (word, value)| prompt.part(*word, value));
    prompt
        .ends(-9.99, -0.022)
        .method("Exact Shapley values of 8 words, 256 calls; words left out are deleted")
}

fn circuit() -> Result<CircuitMap, PictureError> {
    use CircuitKind::{Answer, Error, Feature, Token};
    let words = PROMPT.iter().enumerate().map(|(at, word)| (word.trim(), Token, at, 0, 0.1));
    let rest = [
        ("a capital", Feature, 2, 1, 0.35),
        ("in Texas", Feature, 7, 1, 0.6),
        ("a city", Feature, 7, 1, 0.1),
        ("Texas", Feature, 8, 2, 0.75),
        ("not explained", Error, 8, 2, 0.05),
        ("say a capital", Feature, 8, 2, 0.4),
        ("say Austin", Feature, 8, 3, 0.9),
        ("Austin", Answer, 8, 4, 0.0),
        ("Houston", Answer, 8, 4, 0.0),
    ];
    let node = |(name, kind, column, row, influence): (&str, _, _, _, _)| CircuitNode {
        name: name.to_owned(),
        kind,
        column,
        row,
        influence,
    };
    let nodes: Vec<CircuitNode> = words.chain(rest).map(node).collect();
    let links = [
        (2, 9, 1.1),
        (7, 10, 1.9),
        (7, 11, 0.7),
        (4, 9, 0.3),
        (10, 12, 1.8),
        (11, 12, -0.3),
        (5, 12, 0.2),
        (9, 14, 1.2),
        (12, 15, 1.7),
        (13, 15, 0.2),
        (14, 15, 0.9),
        (15, 16, 2.6),
        (14, 16, 0.6),
        (7, 16, -0.4),
        (11, 17, 0.8),
        (12, 17, 0.5),
        (15, 17, -1.1),
    ];
    let links = links.map(|(from, to, weight)| CircuitLink { from, to, weight });
    let way = |steps: &[&str], share, supports| CircuitWay {
        steps: steps.iter().map(|step| (*step).to_owned()).collect(),
        share,
        supports,
    };
    let rows = ["words", "layer 0", "layer 1", "layer 2", "answers"].map(str::to_owned).to_vec();
    Ok(CircuitMap::new("Words, features, answers", PROMPT.len(), rows, nodes, links.to_vec())?.ways([
        way(&["Dallas", "in Texas", "Texas", "say Austin", "Austin"], 0.31, true),
        way(&["capital", "a capital", "say a capital", "say Austin", "Austin"], 0.17, true),
        way(&["Dallas", "Austin"], 0.09, false),
        way(&["Dallas", "a city", "Texas", "say Austin", "Austin"], 0.04, false),
    ]))
}

fn strip() -> TokenStrip {
    let strip = TokenStrip::new("Probability of each word", Measure::Probability).token(PROMPT[0], f32::NAN);
    let rest = [
        (0.55, ["", ""]),
        (0.5, [" city", " state"]),
        (0.995, ["", ""]),
        (0.93, [" Ohio", " Texas"]),
        (0.96, [" city", " country"]),
        (0.98, [" of", ""]),
        (0.04, [" Tucson", " Fresno"]),
        (0.98, ["", ""]),
    ];
    PROMPT.iter().skip(1).zip(rest).fold(strip, |strip, (token, (p, others))| {
        let others = others.into_iter().filter(|other| !other.is_empty());
        strip.token(token, p).alternatives(others.map(|other| (other, 0.06)))
    })
}

fn generation() -> GenerationTable {
    GenerationTable::new("Two steps at temperature 0.8")
        .step(
            GenerationStep::new(" Austin", 0.978, 0.131, 1)
                .alternatives([(" Houston", 0.009), (" Texas", 0.006), (" Dallas", 0.002)])
                .removed("top-k 50", 151)
                .removed("top-p 0.95", 49),
        )
        .step(
            GenerationStep::new(" .", 0.91, 0.34, 1)
                .alternatives([(" and", 0.04), ("\n", 0.03)])
                .removed("top-k 50", 151)
                .removed("top-p 0.95", 47),
        )
        .step(
            GenerationStep::new("\n", 0.27, 1.62, 2)
                .alternatives([(" the", 0.41), (" <eos>", 0.2)])
                .removed("top-k 50", 151),
        )
}

fn times() -> Result<LayerBars, PictureError> {
    LayerBars::new("Time", "ms", ["attention", "MLP", "other"])
        .bar("embedding", [0.0, 0.0, 0.08])?
        .bar("layer 0", [0.92, 0.41, 0.06])?
        .bar("layer 1", [0.71, 0.4, 0.05])?
        .bar("layer 2", [0.69, 0.44, 0.05])?
        .bar("unembedding", [0.0, 0.0, 0.39])
}

fn norms() -> Result<LayerBars, PictureError> {
    LayerBars::new("Norm of the residual stream at the last position", "", ["norm"])
        .bar("embedding", [1.9])?
        .bar("after layer 0", [5.2])?
        .bar("after layer 1", [9.8])?
        .bar("after layer 2", [21.4])
}
