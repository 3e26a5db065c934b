//! All that can be seen of one prompt, put together.

mod error;
mod explaining;
mod inspected;
mod inspection;
mod page;
mod pictures;
mod sections;

pub use error::InspectError;
pub use inspected::{Beside, Inspected};
pub use inspection::{Inspection, Stage};
