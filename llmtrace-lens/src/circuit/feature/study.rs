//! Features against a text.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use super::card::{Context, FeatureCard};
use super::effects::{effects, lengths};
use super::tally::{Place, Tallies, Tally};
use super::windows::{Window, Windows};
use crate::circuit::error::CircuitError;
use crate::circuit::graph::{input, input_site};
use crate::circuit::label::Labels;
use crate::circuit::transcoder::{FeatureReader, Transcoders};
use crate::hooks::{Filter, HookPoint, Hooks};
use crate::model::{Model, Readout};

/// Tokens before and after the place where a feature is most active, in a context.
const BEFORE: usize = 24;
const AFTER: usize = 12;

/// Features whose decoders are read at once.
const TOGETHER: usize = 4096;

type Progress<'a> = Box<dyn FnMut(usize, usize) + 'a>;

/// Looks for features in a text: where they are most active, how often and how strongly, and what they make likelier.
///
/// The text is read line by line, twice: to count, and to show the best places. What is kept does not grow with the text: the
/// encoders of the layers that are looked at, and a few hundred bytes for each feature that was active.
///
/// ```no_run
/// use llmtrace_lens::Toy;
/// use llmtrace_lens::circuit::Transcoders;
/// use llmtrace_lens::circuit::feature::{Chosen, FeatureStudy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = Toy::Relu.load()?;
/// let neurons = Transcoders::neurons(&model)?;
/// for card in FeatureStudy::new(&model, &neurons).read("text.txt", &Chosen::These(vec![(1, 181)]))? {
///     println!("{:.1} % of the tokens, {:?}", 100.0 * card.density, card.promoted);
/// }
/// # Ok(())
/// # }
/// ```
pub struct FeatureStudy<'a> {
    model: &'a Model,
    transcoders: &'a Transcoders,
    labels: Labels,
    window: usize,
    contexts: usize,
    words: usize,
    progress: Progress<'a>,
}

/// Which features are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chosen {
    /// These, by layer and number.
    These(Vec<(usize, usize)>),
    /// Those that write the most over the text: the sum of the sizes of their activations times the length of what they write.
    Strongest {
        /// How many.
        count: usize,
        /// Of which layers.
        layers: Range<usize>,
    },
}

/// The features that are looked for, by layer.
type Readers = BTreeMap<usize, FeatureReader>;

impl<'a> FeatureStudy<'a> {
    /// With windows of 128 tokens, 5 contexts and 10 tokens of each kind for a feature.
    pub fn new(model: &'a Model, transcoders: &'a Transcoders) -> Self {
        Self {
            model,
            transcoders,
            labels: Labels::default(),
            window: 128,
            contexts: 5,
            words: 10,
            progress: Box::new(|_, _| {}),
        }
    }

    /// What features mean, for their cards.
    pub fn labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }

    /// The most tokens that are run at once: a longer line goes on in another window.
    pub fn window(mut self, tokens: usize) -> Self {
        self.window = tokens;
        self
    }

    /// How many places are shown for a feature.
    pub fn contexts(mut self, places: usize) -> Self {
        self.contexts = places;
        self
    }

    /// How many tokens that a feature makes likelier are shown, and how many that it makes less likely.
    pub fn words(mut self, tokens: usize) -> Self {
        self.words = tokens;
        self
    }

    /// Tells how many bytes are read, of how many; the text is read twice.
    pub fn progress(mut self, tell: impl FnMut(usize, usize) + 'a) -> Self {
        self.progress = Box::new(tell);
        self
    }

    /// Reads a text file, whose lines are passages of their own, and says what it shows of the chosen features: those that were
    /// asked for in their order, or the strongest first.
    ///
    /// # Errors
    /// The file cannot be read, is no UTF-8 or has no text; there is no such feature; the transcoders are not this model's; the
    /// model has no tokenizer or cannot be run.
    pub fn read(mut self, text: impl AsRef<Path>, chosen: &Chosen) -> Result<Vec<FeatureCard>, CircuitError> {
        let text = text.as_ref();
        self.transcoders.check(self.model)?;
        let readers = self.readers(chosen)?;
        let mut tallies = Tallies::new();
        let mut tokens = 0;
        let mut windows = Windows::open(self.model, text, self.window)?;
        while let Some(window) = windows.next()? {
            tokens += (window.tokens.len() - window.masked) as u64;
            for (layer, active) in self.active(&readers, &window)? {
                self.count(layer, &window, &active, &mut tallies);
            }
            let [done, all] = windows.progress();
            (self.progress)(done, 2 * all);
        }
        if tokens == 0 {
            return Err(CircuitError::Input(format!("{} has no text", text.display())));
        }
        drop(readers);
        let features = match chosen {
            Chosen::These(features) => features.clone(),
            Chosen::Strongest { count, .. } => self.strongest(&tallies, *count)?,
        };
        let mut cards = Vec::with_capacity(features.len());
        let mut places = Vec::with_capacity(features.len());
        for feature in features {
            let tally = tallies.get(&feature).cloned().unwrap_or_default();
            cards.push(self.card(feature, &tally, tokens)?);
            places.push(tally.best);
        }
        drop(tallies);
        self.show(text, &mut cards, &places)?;
        Ok(cards)
    }

    fn readers(&self, chosen: &Chosen) -> Result<Readers, CircuitError> {
        let device = self.model.device();
        match chosen {
            Chosen::These(features) if features.is_empty() => {
                Err(CircuitError::Input("no feature was asked for".to_owned()))
            }
            Chosen::These(features) => self.readers_of(features),
            Chosen::Strongest { layers, .. } => {
                let known = 0..self.transcoders.layers();
                if layers.is_empty() || layers.end > known.end {
                    return Err(CircuitError::Input(format!(
                        "there are no features of layers {layers:?}: there are layers {known:?}"
                    )));
                }
                let reader = |layer| Ok((layer, FeatureReader::all(self.transcoders, layer, device)?));
                layers.clone().map(reader).collect()
            }
        }
    }

    fn readers_of(&self, features: &[(usize, usize)]) -> Result<Readers, CircuitError> {
        let mut layers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (layer, feature) in features {
            layers.entry(*layer).or_default().push(*feature);
        }
        let reader = |(layer, features): (usize, Vec<usize>)| {
            Ok((layer, FeatureReader::of(self.transcoders, layer, features, self.model.device())?))
        };
        layers.into_iter().map(reader).collect()
    }

    /// What is active in a window: for each layer that is looked at, by position.
    #[expect(clippy::type_complexity, reason = "features and activations, by position, by layer")]
    fn active(
        &self,
        readers: &Readers,
        window: &Window,
    ) -> Result<Vec<(usize, Vec<Vec<(usize, f32)>>)>, CircuitError> {
        let config = self.model.config();
        let site = input_site(config, self.transcoders.input());
        let points = readers.keys().map(|layer| HookPoint::block(*layer, site).to_string());
        let filter = Filter::new(&points.collect::<Vec<_>>().join(","));
        let mut hooks = Hooks::new().keep(filter);
        let (_, cache) = self.model.run_batch_with_hooks(&[&window.tokens], Readout::Last, &mut hooks)?;
        let read = |(layer, reader): (&usize, &FeatureReader)| {
            let read = input(&cache, config, *layer, self.transcoders.input())?;
            Ok((*layer, reader.active(&read)?))
        };
        readers.iter().map(read).collect()
    }

    fn count(&self, layer: usize, window: &Window, active: &[Vec<(usize, f32)>], tallies: &mut Tallies) {
        for (position, active) in active.iter().enumerate().skip(window.masked) {
            for (feature, activation) in active {
                let place = Place { activation: *activation, window: window.number, position };
                tallies.entry((layer, *feature)).or_default().add(place, self.contexts);
            }
        }
    }

    /// The features that write the most, the strongest first.
    fn strongest(&self, tallies: &Tallies, count: usize) -> Result<Vec<(usize, usize)>, CircuitError> {
        let mut strengths: Vec<(f64, (usize, usize))> = Vec::new();
        for layer in 0..self.transcoders.layers() {
            let active: Vec<(usize, f64)> = tallies
                .range((layer, 0)..(layer + 1, 0))
                .map(|((_, feature), tally)| (*feature, tally.size))
                .collect();
            for together in active.chunks(TOGETHER) {
                let features: Vec<usize> = together.iter().map(|(feature, _)| *feature).collect();
                let lengths = lengths(self.model, self.transcoders, layer, &features)?;
                let strength = together.iter().zip(lengths);
                strengths.extend(
                    strength.map(|((feature, size), length)| (size * f64::from(length), (layer, *feature))),
                );
            }
        }
        strengths.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        Ok(strengths.into_iter().take(count).map(|(_, feature)| feature).collect())
    }

    fn card(
        &self,
        (layer, feature): (usize, usize),
        tally: &Tally,
        tokens: u64,
    ) -> Result<FeatureCard, CircuitError> {
        let [promoted, suppressed] = effects(self.model, self.transcoders, layer, feature, self.words)?;
        let active = tally.active;
        Ok(FeatureCard {
            layer,
            feature,
            label: self.labels.of(layer, feature).map(str::to_owned),
            active,
            tokens,
            density: active as f64 / tokens as f64,
            mean: (active > 0).then(|| tally.sum / active as f64),
            largest: tally.largest,
            histogram: (active > 0).then(|| tally.histogram.clone()),
            promoted,
            suppressed,
            contexts: Vec::new(),
        })
    }

    /// Reads the text again, for the best places of each card.
    fn show(
        &mut self,
        text: &Path,
        cards: &mut [FeatureCard],
        places: &[Vec<Place>],
    ) -> Result<(), CircuitError> {
        // By window: the card, and its place.
        let mut wanted: BTreeMap<u64, Vec<(usize, Place)>> = BTreeMap::new();
        for (card, places) in places.iter().enumerate() {
            for place in places {
                wanted.entry(place.window).or_default().push((card, *place));
            }
        }
        let features: Vec<(usize, usize)> = cards.iter().map(|card| (card.layer, card.feature)).collect();
        let readers = self.readers_of(&features)?;
        let mut found: Vec<Vec<(Place, Context)>> = vec![Vec::new(); cards.len()];
        let mut windows = Windows::open(self.model, text, self.window)?;
        while let Some(window) = windows.next()? {
            if wanted.is_empty() {
                break;
            }
            if let Some(here) = wanted.remove(&window.number) {
                let active: BTreeMap<_, _> = self.active(&readers, &window)?.into_iter().collect();
                for (card, place) in here {
                    let Some((layer, feature)) = features.get(card) else { continue };
                    let active = active.get(layer).map(Vec::as_slice).unwrap_or_default();
                    let context = self.context(&window, place, *feature, active);
                    if let Some(found) = found.get_mut(card) {
                        found.push((place, context));
                    }
                }
            }
            let [done, all] = windows.progress();
            (self.progress)(all + done, 2 * all);
        }
        let [_, all] = windows.progress();
        (self.progress)(2 * all, 2 * all);
        for (card, mut found) in cards.iter_mut().zip(found) {
            // Windows come in their order, so equal places keep it.
            found.sort_by(|a, b| b.0.activation.total_cmp(&a.0.activation));
            card.contexts = found.into_iter().map(|(_, context)| context).collect();
        }
        Ok(())
    }

    /// The tokens around a place, with what the feature was at each.
    fn context(
        &self,
        window: &Window,
        place: Place,
        feature: usize,
        active: &[Vec<(usize, f32)>],
    ) -> Context {
        let from = place.position.saturating_sub(BEFORE);
        let positions = from..(place.position + AFTER + 1).min(window.tokens.len());
        let at = |position: usize| -> f32 {
            let here = active.get(position).filter(|_| position >= window.masked);
            let found = here.into_iter().flatten().find(|(number, _)| *number == feature);
            found.map_or(0.0, |(_, activation)| *activation)
        };
        Context {
            line: window.line,
            tokens: self.model.token_texts(window.tokens.get(positions.clone()).unwrap_or_default()),
            activations: positions.map(at).collect(),
            at: place.position - from,
        }
    }
}

impl fmt::Debug for FeatureStudy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeatureStudy")
            .field("model", &self.model.name())
            .field("window", &self.window)
            .field("contexts", &self.contexts)
            .field("words", &self.words)
            .finish_non_exhaustive()
    }
}
