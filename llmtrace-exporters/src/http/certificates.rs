//! Certificates to trust beside those of the system.

use std::fmt;
use std::sync::Arc;

use reqwest::Certificate;

/// The text holds no certificate that can be read.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("no certificate: {reason}; expected PEM, which begins with -----BEGIN CERTIFICATE-----")]
pub struct CertificateError {
    reason: String,
}

impl fmt::Debug for CertificateError {
    /// The message: it is what a `main` that returns the error shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The certificates of a PEM text.
pub(crate) fn read(pem: &[u8]) -> Result<Arc<[Certificate]>, CertificateError> {
    let roots = Certificate::from_pem_bundle(pem);
    let roots = roots.map_err(|error| CertificateError { reason: error.to_string() })?;
    if roots.is_empty() {
        return Err(CertificateError { reason: "the text has none".to_owned() });
    }
    Ok(roots.into())
}
