//! HTTP clients and client crates that need more than an attribute (features `reqwest-middleware` and
//! `aws-sdk-bedrockruntime`).

#[cfg(feature = "aws-sdk-bedrockruntime")]
mod bedrock;
#[cfg(feature = "reqwest-middleware")]
mod recognise;
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest_middleware;
