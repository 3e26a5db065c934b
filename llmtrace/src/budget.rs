//! Limits that a program sets for itself.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tracing::Span;

use crate::pipeline::Pipeline;
use crate::span::with_layer;
use crate::{CostValue, SpanRecord, TraceId, Usd};

/// A limit on what the process, a session or a trace may use, in US dollars or in tokens.
///
/// It counts what calls have used once they have ended. It stops nothing by itself: an agent loop asks
/// [`check`](Budget::check) and stops itself.
///
/// ```
/// use llmtrace::Budget;
///
/// let budget = Budget::usd(0.50);
/// let tracing = llmtrace::builder().budget(budget.clone()).install()?;
/// while !budget.check().is_exhausted() {
///     // one more step of the agent
/// #   break;
/// }
/// # Ok::<(), llmtrace::InstallError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: Limit,
    per: Per,
    spent: Mutex<Ledger>,
    pipeline: OnceLock<Weak<Pipeline>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Usd(Usd),
    Tokens(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Per {
    Process,
    Session,
    Trace,
}

#[derive(Debug, Default)]
struct Ledger {
    accounts: HashMap<String, Spent>,
    order: VecDeque<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spent {
    usd: Usd,
    tokens: u64,
    unpriced_calls: u64,
}

/// What is left of a [`Budget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Remaining {
    limit: Limit,
    spent: Spent,
}

/// Most sessions or traces that a budget keeps apart; beyond, the oldest is forgotten.
const MAX_ACCOUNTS: usize = 10_000;

/// How long [`Budget::check`] waits for the worker to read the calls that have ended.
const SETTLE: Duration = Duration::from_secs(1);

impl Budget {
    fn new(limit: Limit) -> Self {
        let (spent, pipeline) = (Mutex::default(), OnceLock::new());
        Self(Arc::new(Inner { limit, per: Per::Process, spent, pipeline }))
    }

    /// So many US dollars for the whole process. An amount that is not finite counts as 0.
    pub fn usd(limit: impl CostValue) -> Self {
        Self::new(Limit::Usd(limit.to_usd().unwrap_or(Usd::ZERO)))
    }

    /// So many tokens, input and output together, for the whole process.
    pub fn tokens(limit: u64) -> Self {
        Self::new(Limit::Tokens(limit))
    }

    /// The same limit for each session (`gen_ai.conversation.id`).
    pub fn per_session(self) -> Self {
        Self(Arc::new(Inner {
            limit: self.0.limit,
            per: Per::Session,
            spent: Mutex::default(),
            pipeline: OnceLock::new(),
        }))
    }

    /// The same limit for each trace.
    pub fn per_trace(self) -> Self {
        Self(Arc::new(Inner {
            limit: self.0.limit,
            per: Per::Trace,
            spent: Mutex::default(),
            pipeline: OnceLock::new(),
        }))
    }

    /// What is left: for the process, or for the session or the trace of the current span.
    ///
    /// Waits until the calls that have ended are counted: a moment once the price table is loaded, and never more
    /// than a second.
    pub fn check(&self) -> Remaining {
        let scope = || with_layer(&Span::current(), |layer, key| layer.0.scope(key)).flatten();
        let account = match self.0.per {
            Per::Process => Some(String::new()),
            Per::Session => scope().and_then(|(session, _)| session).map(|session| session.to_string()),
            Per::Trace => scope().map(|(_, trace)| trace.to_string()),
        };
        self.remaining(account.as_deref())
    }

    /// What is left for a session.
    pub fn check_session(&self, session: &str) -> Remaining {
        self.remaining(Some(session))
    }

    /// What is left for a trace.
    pub fn check_trace(&self, trace: TraceId) -> Remaining {
        self.remaining(Some(&trace.to_string()))
    }

    fn remaining(&self, account: Option<&str>) -> Remaining {
        if let Some(pipeline) = self.0.pipeline.get().and_then(Weak::upgrade) {
            pipeline.settle(SETTLE);
        }
        let ledger = self.0.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = account.and_then(|account| ledger.accounts.get(account)).copied().unwrap_or_default();
        Remaining { limit: self.0.limit, spent }
    }

    /// Ties the budget to the pipeline that feeds it.
    pub(crate) fn attach(&self, pipeline: &Arc<Pipeline>) {
        // A budget that is given to two builders settles with the first.
        let _ = self.0.pipeline.set(Arc::downgrade(pipeline));
    }

    /// Counts an ended span.
    pub(crate) fn spend(&self, record: &SpanRecord) {
        let (usage, cost) = (record.usage(), record.cost());
        let is_call = record.kind.is_model_call();
        if !is_call && cost.is_none() {
            return;
        }
        let account = match self.0.per {
            Per::Process => String::new(),
            Per::Session => match record.session() {
                Some(session) => session.to_owned(),
                None => return,
            },
            Per::Trace => record.trace_id.to_string(),
        };
        let mut ledger = self.0.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = ledger.account(account);
        spent.usd += cost.unwrap_or(Usd::ZERO);
        let tokens = usage.total().or(usage.input_tokens).or(usage.output_tokens).unwrap_or(0);
        spent.tokens = spent.tokens.saturating_add(tokens);
        spent.unpriced_calls += u64::from(cost.is_none());
    }
}

impl Ledger {
    fn account(&mut self, name: String) -> &mut Spent {
        if !self.accounts.contains_key(&name) {
            if self.order.len() >= MAX_ACCOUNTS
                && let Some(oldest) = self.order.pop_front()
            {
                self.accounts.remove(&oldest);
            }
            self.order.push_back(name.clone());
        }
        self.accounts.entry(name).or_default()
    }
}

impl Remaining {
    /// Whether nothing is left.
    pub fn is_exhausted(&self) -> bool {
        match self.limit {
            Limit::Usd(limit) => self.spent.usd >= limit,
            Limit::Tokens(limit) => self.spent.tokens >= limit,
        }
    }

    /// US dollars left, never below 0; `None` if the limit is in tokens.
    pub fn usd(&self) -> Option<Usd> {
        match self.limit {
            Limit::Usd(limit) => Some((limit - self.spent.usd).max(Usd::ZERO)),
            Limit::Tokens(_) => None,
        }
    }

    /// Tokens left, never below 0; `None` if the limit is in US dollars.
    pub fn tokens(&self) -> Option<u64> {
        match self.limit {
            Limit::Usd(_) => None,
            Limit::Tokens(limit) => Some(limit.saturating_sub(self.spent.tokens)),
        }
    }

    /// US dollars spent by the calls that have a cost.
    pub fn spent_usd(&self) -> Usd {
        self.spent.usd
    }

    /// Tokens used by the calls that stated them.
    pub fn spent_tokens(&self) -> u64 {
        self.spent.tokens
    }

    /// Calls without a cost: if there are any, more was spent than is known.
    pub fn unpriced_calls(&self) -> u64 {
        self.spent.unpriced_calls
    }
}
