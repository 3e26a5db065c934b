//! All that can be seen of one prompt, put together.

mod pictures;
