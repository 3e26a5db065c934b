//! Certificates to trust beside those of the system.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

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

/// The certificates of a PEM text, in DER.
pub(crate) fn read(pem: &[u8]) -> Result<Arc<[Vec<u8>]>, CertificateError> {
    let failed = |reason: String| CertificateError { reason };
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem)
        .map(|root| root.map(|root| root.as_ref().to_vec()).map_err(|error| failed(error.to_string())))
        .collect();
    let roots = roots?;
    if roots.is_empty() { Err(failed("the text has none".to_owned())) } else { Ok(roots.into()) }
}
