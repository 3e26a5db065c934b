//! Allocations of the calling thread: `allocations NAME CALLS` prints how many, and how many bytes, a call makes
//! in the steady state.

use std::io::Write as _;

use llmtrace_benches::subject::{self, Sink};
use llmtrace_benches::workload::Call;
use llmtrace_benches::{Result, rounds};

/// Calls after which the buffers of a subject have grown to their size.
const WARM_UP: usize = 2_000;

/// Calls between two deliveries.
const ROUND: usize = 250;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let subject = subject::find(&arguments.next().unwrap_or_default())?;
    let calls: usize = arguments.next().unwrap_or_default().parse()?;
    let delivery = (subject.start)(Sink::Noop)?;
    rounds(&subject, &*delivery, WARM_UP);
    let call = Call::default();
    let (mut count, mut bytes) = (0, 0);
    for _ in 0..calls / ROUND {
        let made = allocation_counter::measure(|| (0..ROUND).for_each(|_| (subject.call)(&call)));
        count += made.count_total;
        bytes += made.bytes_total;
        delivery.settle();
    }
    let made = (calls / ROUND * ROUND) as f64;
    writeln!(std::io::stdout(), "{} {}", count as f64 / made, bytes as f64 / made)?;
    Ok(())
}
