//! Reading the store for an answer, within a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::app::App;
use super::problem::Problem;
use crate::store::error::StoreError;

/// Reads at a time; each has a connection.
pub(crate) const MAX_READS: usize = 6;

/// How long an answer waits for its turn to read.
const WAIT: Duration = Duration::from_secs(10);

/// How long reading for one answer may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Time between two attempts to interrupt a read: a new query may have begun.
const AGAIN: Duration = Duration::from_millis(50);

/// The connection that reads, while it does.
type Reading = Mutex<Option<InterruptHandle>>;

impl App {
    /// Reads the store on a thread that may wait; what takes too long is interrupted.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = timeout(WAIT, Arc::clone(&self.reads).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Problem::busy("too many requests read at once; try again", 1));
        };
        let (app, reading) = (Arc::clone(self), Arc::new(Reading::default()));
        let slot = Arc::clone(&reading);
        let task = tokio::task::spawn_blocking(move || {
            let done = app.store.read(|connection| {
                set(&slot, Some(connection.get_interrupt_handle()));
                let done = read(connection);
                // From here on, the connection is another's.
                set(&slot, None);
                done
            });
            drop(turn);
            done
        });
        within_limit(task, &reading).await
    }
}

async fn within_limit<T>(
    mut task: JoinHandle<Result<T, StoreError>>,
    reading: &Reading,
) -> Result<T, Problem> {
    let mut wait = LIMIT;
    loop {
        match timeout(wait, &mut task).await {
            Ok(Ok(Ok(answer))) => return Ok(answer),
            Ok(Ok(Err(_))) if wait == AGAIN => return Err(too_long()),
            Ok(Ok(Err(error))) => return Err(error.into()),
            Ok(Err(_)) => return Err(Problem::broken("the answer could not be made")),
            Err(_) => {
                wait = AGAIN;
                if let Some(reading) = &*reading.lock().unwrap_or_else(PoisonError::into_inner) {
                    reading.interrupt();
                }
            }
        }
    }
}

fn set(reading: &Reading, handle: Option<InterruptHandle>) {
    *reading.lock().unwrap_or_else(PoisonError::into_inner) = handle;
}

fn too_long() -> Problem {
    let detail =
        format!("reading took longer than {} s; ask for less, such as a shorter time", LIMIT.as_secs());
    Problem::busy(detail, 1)
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Closed => Self::busy(error.to_string(), 1),
            StoreError::Search(_) => {
                Self { parameter: Some("q".to_owned()), ..Self::wrong(error.to_string()) }
            }
            StoreError::Unknown(_) => Self::missing(error.to_string()),
            _ => Self::broken(error.to_string()),
        }
    }
}
