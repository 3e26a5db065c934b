//! What every exporter over HTTP can be told, and how it is one.

/// Gives a tuple struct around an `HttpExporter` the options of delivery, and makes it an [`Exporter`](llmtrace::Exporter).
macro_rules! delivers_over_http {
    ($exporter:ident) => {
        impl $exporter {
            /// Where requests go.
            pub fn endpoint(&self) -> &$crate::http::endpoint::Endpoint {
                &self.0.settings.endpoint
            }

            /// What of the options cannot be sent as it was asked for.
            pub(crate) fn problem(&self) -> Option<&str> {
                self.0.settings.problem.as_deref()
            }

            /// Sends a header with every request, such as a key. Values are never shown. A name or a value that no
            /// header may have, and a header that says how the body is sent, such as `content-type`, is said when the
            /// exporter starts, and nothing is sent then.
            pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
                self.0.settings.set_header(name.as_ref(), value.as_ref());
                self
            }

            /// Compresses requests.
            pub fn gzip(mut self) -> Self {
                self.0.settings.is_compressed = true;
                self
            }

            /// The longest time that one request may take, from connecting to the end of the answer. Default: 10 s.
            pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
                self.0.settings.timeout = timeout;
                self
            }

            /// How long a batch is tried again before it is dropped, where there is no [`spool`](Self::spool). Default:
            /// 5 minutes.
            pub fn retry_for(mut self, time: std::time::Duration) -> Self {
                self.0.settings.retry_for = time;
                self
            }

            /// How long to wait before a batch is tried again: at first, and at most. Waits double, and chance takes up
            /// to half of each. Default: 1 s, 30 s.
            pub fn retry_waits(mut self, first: std::time::Duration, longest: std::time::Duration) -> Self {
                self.0.set_waits(first, longest);
                self
            }

            /// Trusts certificates beside those of the system, given as PEM.
            ///
            /// # Errors
            ///
            /// The text holds no certificate.
            pub fn root_certificates(
                mut self,
                pem: &[u8],
            ) -> Result<Self, $crate::http::certificates::CertificateError> {
                self.0.settings.roots = $crate::http::certificates::read(pem)?;
                Ok(self)
            }

            /// Keeps what cannot be delivered in a directory, at most `max_bytes` of it, and delivers it, oldest first,
            /// as soon as the server takes it; so does the next process that names the directory. What does not fit is
            /// counted as dropped. A span comes twice, under the same ids, where the process was killed between
            /// delivery and note.
            ///
            /// # Errors
            ///
            /// The directory cannot be made or written to, is a link or no directory, or is on a file system without
            /// locks.
            pub fn spool(
                self,
                dir: impl AsRef<std::path::Path>,
                max_bytes: u64,
            ) -> Result<Self, $crate::spool::error::SpoolError> {
                Ok(Self(self.0.with_spool(dir.as_ref(), max_bytes)?))
            }
        }

        impl llmtrace::Exporter for $exporter {
            fn name(&self) -> &str {
                self.0.name()
            }

            fn start(&mut self, context: llmtrace::ExportContext) {
                self.0.start(context);
            }

            fn export(&mut self, batch: &[llmtrace::SpanRecord]) -> Result<(), llmtrace::ExportError> {
                self.0.export(batch)
            }

            fn idle(&mut self) -> Option<std::time::Duration> {
                self.0.idle()
            }

            fn flush(&mut self) -> Result<(), llmtrace::ExportError> {
                self.0.flush()
            }
        }

        impl std::fmt::Debug for $exporter {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

pub(crate) use delivers_over_http;
