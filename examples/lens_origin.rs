//! Who wrote this? Four models, each an author with habits of their own, read texts; a classifier learns from texts of known
//! origin to tell them apart, and says how sure it is. A fifth author, whom it never met, is not taken for one of them.
//!
//! Works offline. The authors are models built by hand; yours are loaded with `Model::load`.

use llmtrace_lens::handmade::Author;
use llmtrace_lens::origin::{Candidates, Evidence, OriginClassifier, OriginError, Training};

type Error = Box<dyn std::error::Error>;

const NAMES: [&str; 4] = ["ada", "ben", "cai", "dee"];
/// Words of a text.
const WORDS: usize = 60;

fn main() -> Result<(), Error> {
    let authors = [1, 2, 3, 4].map(Author::new);
    let models = authors.map(Author::model).into_iter().collect::<Result<Vec<_>, _>>()?;
    let candidates = Candidates::new(NAMES.into_iter().zip(&models))?;
    let read = |author: Author, number| candidates.read(&author.text(number, WORDS));

    // Forty texts of each are learned from.
    let mut corpus: Vec<(&str, Evidence)> = Vec::new();
    for (name, author) in NAMES.into_iter().zip(authors) {
        for number in 0..40 {
            corpus.push((name, read(author, number)?));
        }
    }
    let classifier = OriginClassifier::train(&candidates, &corpus, Training::default())?;
    let report = classifier.report();
    println!(
        "Learned from {} texts of {WORDS} words, each judged by what was learned from the others:",
        report.texts
    );
    println!(
        "{:.1} % right; an origin said for {:.1} %, of these {:.1} % right; confidence off by {:.1} % in the mean\n",
        100.0 * report.accuracy,
        100.0 * report.answered,
        100.0 * report.accuracy_of_answered.unwrap_or_default(),
        100.0 * report.calibration_error
    );

    // New texts: two of authors that are known, one of a stranger, one that is short.
    let shown = |who: &str, text: &str| -> Result<(), OriginError> {
        let verdict = classifier.judge(&candidates.read(text)?)?;
        let start: String = text.chars().take(48).collect();
        println!("{who}: \"{start}...\"");
        let said = verdict.origin.as_deref().unwrap_or(verdict.why.as_str());
        println!("   {said}, confidence {:.2}, typicality {:.3}", verdict.confidence, verdict.typicality);
        Ok(())
    };
    shown("by ben", &authors[1].text(1000, WORDS))?;
    shown("by dee", &authors[3].text(1000, WORDS))?;
    let stranger = Author::new(5);
    shown("by a stranger", &stranger.text(1000, WORDS))?;
    shown("by ben, short", &authors[1].text(1001, 8))?;

    let mut unknown = 0;
    for number in 0..100 {
        let verdict = classifier.judge(&read(stranger, number)?)?;
        unknown += u32::from(verdict.origin.is_none());
    }
    println!("\nOf 100 texts by the stranger, {unknown} are said to be of unknown origin.");
    Ok(())
}
