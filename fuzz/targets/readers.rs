//! JSON of an API's own words, read as each API's request and response.
#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use llmtrace::provider::{self, Api};
use llmtrace_fuzz::{assert_sound, value};

fuzz_target!(|input: &[u8]| -> Corpus {
    // Real bodies come as they are, made ones from the bytes.
    let body = match serde_json::from_slice(input) {
        Ok(body) => body,
        Err(_) => match value(&mut Unstructured::new(input)) {
            Ok(body) => body,
            Err(_) => return Corpus::Reject,
        },
    };
    for exchange in provider::read_request(&body).iter().chain(&provider::read_response(&body)) {
        assert_sound(exchange);
    }
    for api in Api::ALL {
        let mut call = provider::read_request_as(*api, &body);
        assert_sound(&call);
        let response = provider::read_response_as(*api, &body);
        assert_sound(&response);
        call.merge(response);
    }
    Corpus::Keep
});
