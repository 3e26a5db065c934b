//! A model, from the hub to a folder.

use std::fmt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use candle_core::Device;

use super::arriving::Arriving;
use super::cache::{CONFIG, Cache, INDEX, WEIGHTS};
use super::client::{Client, is_failure};
use super::env::Environment;
use super::error::HubError;
use super::listing::{Entry, Listing};
use super::name;
use crate::model::{Model, shards};

type OnProgress<'a> = Box<dyn FnMut(&Progress) + Send + 'a>;

/// A model of the hub that is to lie in a folder.
pub struct Download<'a> {
    model: String,
    revision: String,
    pub(super) environment: Environment,
    most_bytes: u64,
    on_progress: OnProgress<'a>,
}

/// How far a download is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The file that is being downloaded.
    pub file: String,
    /// Bytes of the model that are there, over all its files that are known so far.
    pub done_bytes: u64,
    /// Bytes that these files have.
    pub total_bytes: u64,
}

const HUB: &str = "https://huggingface.co";
const BRANCH: &str = "main";
/// What a model may have at most unless [`Download::most_bytes`] says otherwise: 256 GiB, more than fits most computers.
const MOST_BYTES: u64 = 256 << 30;
/// The longest list of files that is read, in bytes.
const LONGEST_LISTING: usize = 16 << 20;
/// The longest file beside the weights: four times the largest tokenizer.
const LONGEST_SETTINGS: u64 = 128 << 20;
/// How often a file that breaks off is gone on with.
const ATTEMPTS: u32 = 5;
/// The pause before the first of these; each further one is as much longer.
const PAUSE: Duration = Duration::from_millis(200);
/// What is read beside the weights where it is there. An adapter is downloaded so that loading can refuse it.
const SETTINGS: [&str; 3] = ["generation_config.json", "tokenizer.json", "adapter_config.json"];

impl Model {
    /// Downloads a model of the hub, `owner/name`, where the cache does not have it yet, and loads it. Feature `hub`.
    ///
    /// # Errors
    /// As for [`Download::load_on`].
    pub fn download(model: &str) -> Result<Self, HubError> {
        Download::new(model)?.load_on(&Device::Cpu)
    }
}

impl<'a> Download<'a> {
    /// The branch `main` of a model, `owner/name`, to where the environment says.
    ///
    /// # Errors
    /// The text is no name of a model.
    pub fn new(model: &str) -> Result<Self, HubError> {
        Ok(Self {
            model: name::model(model)?,
            revision: BRANCH.to_owned(),
            environment: Environment::now(),
            most_bytes: MOST_BYTES,
            on_progress: Box::new(|_| {}),
        })
    }

    /// Another branch, a tag, or a commit. A commit that is in the cache needs no network.
    ///
    /// # Errors
    /// The text is no name of a revision.
    pub fn revision(self, revision: &str) -> Result<Self, HubError> {
        Ok(Self { revision: name::revision(revision)?, ..self })
    }

    /// Another folder for the downloads of all models.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.environment.folder = Some(folder.into());
        self
    }

    /// Another hub.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.environment.endpoint = Some(url.into());
        self
    }

    /// Another token; it is sent to the hub alone.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.environment.token = Some(token.into());
        self
    }

    /// Downloads nothing: what is in the cache is all there is.
    pub fn offline(mut self) -> Self {
        self.environment.offline = true;
        self
    }

    /// What the model's files may have together; 256 GiB unless it is said.
    pub fn most_bytes(self, most_bytes: u64) -> Self {
        Self { most_bytes, ..self }
    }

    /// Calls a function as bytes arrive.
    pub fn on_progress(self, on_progress: impl FnMut(&Progress) + Send + 'a) -> Self {
        Self { on_progress: Box::new(on_progress), ..self }
    }

    /// The folder with the model's files, downloaded where the cache does not have them.
    ///
    /// Of a branch or a tag the hub is asked for its commit; where it cannot be reached, the commit of the last time is used. It
    /// may be called within an async runtime, whose thread it keeps until it is done.
    ///
    /// # Errors
    /// There is no such model, it is not for this user or has no safetensors files, the hub cannot be reached or sends other
    /// bytes than it states, the files are too large, or the cache cannot be written.
    pub fn run(self) -> Result<PathBuf, HubError> {
        // A thread of its own, as an async runtime does not bear another one on its threads.
        let done = thread::scope(|scope| scope.spawn(|| self.folder_of_files()).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// The same, loaded on a device, with the model's name in place of the folder's.
    ///
    /// # Errors
    /// As for [`run`](Self::run) and [`Model::load_on`].
    pub fn load_on(self, device: &Device) -> Result<Model, HubError> {
        let name = self.model.clone();
        Ok(Model::load_on(self.run()?, device)?.named(&name))
    }

    fn folder_of_files(mut self) -> Result<PathBuf, HubError> {
        let all = self.environment.folder.clone().ok_or(HubError::NoFolder)?;
        let cache = Cache::of(&all, &self.model);
        if let Some(folder) = cache.whole(&self.revision)
            && (self.environment.offline || name::is_commit(&self.revision))
        {
            return Ok(folder);
        }
        if self.environment.offline {
            return Err(HubError::Offline { model: self.model, revision: self.revision, folder: all });
        }
        let endpoint = self.environment.endpoint.clone().unwrap_or_else(|| HUB.to_owned());
        let client = Client::new(&endpoint, self.environment.token.as_deref())?;
        let listing = match self.listing(&client) {
            Err(error @ HubError::Network { .. }) => return cache.whole(&self.revision).ok_or(error),
            listing => listing?,
        };
        self.files(&client, &cache, &listing)?;
        if !name::is_commit(&self.revision) {
            cache.refer(&self.revision, &listing.commit)?;
        }
        Ok(cache.snapshot(&listing.commit))
    }

    /// The files of the revision, as the hub states them.
    fn listing(&self, client: &Client) -> Result<Listing, HubError> {
        let revision = self.revision.replace('/', "%2F");
        let url = client.url(&format!("/api/models/{}/revision/{revision}?blobs=true", self.model));
        let (status, answer) = client.read(&url, LONGEST_LISTING)?;
        if status != 200 {
            return Err(self.refused(&url, status));
        }
        Listing::read(&answer).map_err(|problem| HubError::Answer { url, problem })
    }

    /// What a status says that is not the answer.
    fn refused(&self, url: &str, status: u16) -> HubError {
        let (model, known) = (self.model.clone(), self.environment.token.is_some());
        let endpoint = self.environment.endpoint.clone().unwrap_or_else(|| HUB.to_owned());
        match status {
            // Without a token the hub does not say which models it has.
            401 if !known => HubError::NotFound { endpoint, model, revision: self.revision.clone(), known },
            404 => HubError::NotFound { endpoint, model, revision: self.revision.clone(), known },
            401 | 403 => HubError::Refused { endpoint, model, status },
            status if is_failure(status) => {
                HubError::Network { url: url.to_owned(), problem: format!("the answer is {status}") }
            }
            status => HubError::Answer { url: url.to_owned(), problem: format!("the answer is {status}") },
        }
    }

    /// Downloads what a model is read from: settings first, as an index says which weights there are.
    fn files(&mut self, client: &Client, cache: &Cache, listing: &Listing) -> Result<(), HubError> {
        let mut settings = vec![self.needed(client, listing, CONFIG)?];
        for name in SETTINGS {
            settings.extend(self.entry(client, listing, name)?);
        }
        let weights = self.entry(client, listing, WEIGHTS)?;
        if weights.is_none() {
            settings.push(self.needed(client, listing, INDEX)?);
        }
        if let Some(large) = settings.iter().find(|entry| entry.size > LONGEST_SETTINGS) {
            let problem =
                format!("{} has {} bytes, expected at most {LONGEST_SETTINGS}", large.name, large.size);
            return Err(HubError::Answer { url: self.shown(client), problem });
        }
        self.all(client, cache, &listing.commit, &settings)?;
        let weights = match weights {
            Some(weights) => vec![weights],
            None => self.shards(client, listing, &cache.snapshot(&listing.commit).join(INDEX))?,
        };
        let bytes = settings.iter().chain(&weights).fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
        if bytes > self.most_bytes {
            return Err(HubError::TooLarge { model: self.model.clone(), bytes, most: self.most_bytes });
        }
        self.all(client, cache, &listing.commit, &weights)
    }

    /// The files that an index names.
    fn shards(&self, client: &Client, listing: &Listing, index: &Path) -> Result<Vec<Entry>, HubError> {
        let mut names: Vec<String> = shards(index)?.into_values().collect();
        names.sort_unstable();
        names.dedup();
        let right = |name: &String| Path::new(name).extension().is_some_and(|end| end == "safetensors");
        if let Some(wrong) = names.iter().find(|name| !right(name)) {
            let problem = format!("{INDEX} names {wrong:?}, expected a safetensors file");
            return Err(HubError::Answer { url: self.shown(client), problem });
        }
        names.iter().map(|name| self.needed(client, listing, name)).collect()
    }

    fn needed(&self, client: &Client, listing: &Listing, name: &str) -> Result<Entry, HubError> {
        self.entry(client, listing, name)?.ok_or_else(|| HubError::NoFile {
            model: self.model.clone(),
            revision: self.revision.clone(),
            missing: name.to_owned(),
        })
    }

    fn entry(&self, client: &Client, listing: &Listing, name: &str) -> Result<Option<Entry>, HubError> {
        listing.entry(name).map_err(|problem| HubError::Answer { url: self.shown(client), problem })
    }

    fn shown(&self, client: &Client) -> String {
        client.url(&format!("/{}", self.model))
    }

    /// Brings files into a commit: those that the cache has by a link alone.
    fn all(
        &mut self,
        client: &Client,
        cache: &Cache,
        commit: &str,
        entries: &[Entry],
    ) -> Result<(), HubError> {
        let total_bytes = entries.iter().fold(0, |sum: u64, entry| sum.saturating_add(entry.size));
        let mut progress = Progress { file: String::new(), done_bytes: 0, total_bytes };
        for entry in entries {
            progress.file.clone_from(&entry.name);
            let before = progress.done_bytes;
            let blob = cache.blob(entry.hash.digits());
            let there = blob.metadata().is_ok_and(|about| about.is_file() && about.len() == entry.size);
            if !there {
                let url = client.url(&format!("/{}/resolve/{commit}/{}", self.model, entry.name));
                self.fetch(client, &url, entry, &blob, &mut progress)?;
            }
            progress.done_bytes = before.saturating_add(entry.size);
            (self.on_progress)(&progress);
            cache.link(entry.hash.digits(), commit, &entry.name)?;
        }
        Ok(())
    }

    /// Downloads one file; where it breaks off, it is gone on with.
    fn fetch(
        &mut self,
        client: &Client,
        url: &str,
        entry: &Entry,
        blob: &Path,
        progress: &mut Progress,
    ) -> Result<(), HubError> {
        let before = progress.done_bytes;
        let mut file = Arriving::new(entry, blob)?;
        let mut broken = String::new();
        for attempt in 0..ATTEMPTS {
            thread::sleep(PAUSE * attempt);
            let from = file.go_on();
            let streamed = client.stream(url, from, |status, bytes| {
                file.take(status, bytes, url)?;
                progress.done_bytes = before.saturating_add(file.done());
                (self.on_progress)(progress);
                Ok(())
            });
            broken = match streamed {
                Ok((200 | 206, None)) if file.is_whole() => return file.keep(url, blob),
                Ok((200 | 206, None)) => format!("it ends after {} of {} bytes", file.done(), entry.size),
                Ok((200 | 206, Some(problem))) | Err(HubError::Network { problem, .. }) => problem,
                Ok((status, _)) if is_failure(status) => format!("the answer is {status}"),
                Ok((status, _)) => return Err(self.refused(url, status)),
                Err(error) => return Err(error),
            };
        }
        Err(HubError::Network { url: url.to_owned(), problem: broken })
    }
}

impl fmt::Debug for Download<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is nobody's business.
        f.debug_struct("Download")
            .field("model", &self.model)
            .field("revision", &self.revision)
            .field("folder", &self.environment.folder)
            .finish_non_exhaustive()
    }
}
