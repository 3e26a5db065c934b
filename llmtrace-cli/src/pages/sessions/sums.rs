//! What a session comes to, as figures.

use llmtrace::Usd;
use maud::Markup;

use crate::pages::components::figure::{self, Exactness};
use crate::store::sessions::SessionRow;

/// The cost, with its mark.
pub(super) fn cost(amount: Option<Usd>, is_lower_bound: bool) -> Markup {
    figure::cost(amount, if is_lower_bound { Exactness::AtLeast } else { Exactness::Exact })
}

/// The cost of a session.
pub(super) fn cost_of(session: &SessionRow) -> Markup {
    cost(session.cost, session.is_cost_lower_bound)
}
