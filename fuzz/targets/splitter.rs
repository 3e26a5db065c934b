//! Bytes of a streamed body, cut anywhere: the cut changes nothing.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use llmtrace::provider::StreamAssembler;
use llmtrace_fuzz::assert_sound;

fuzz_target!(|input: (Vec<u8>, &[u8])| -> Corpus {
    let (cuts, body) = input;
    if cuts.is_empty() {
        return Corpus::Reject;
    }
    let whole = StreamAssembler::detect().push(body).finish();
    assert_sound(&whole);

    let mut stream = StreamAssembler::detect();
    let mut rest = body;
    for cut in cuts.iter().cycle() {
        let (head, tail) = rest.split_at(usize::from(*cut).clamp(1, 64).min(rest.len()));
        stream.push(head);
        rest = tail;
        if rest.is_empty() {
            break;
        }
    }
    assert_eq!(stream.finish(), whole);
    Corpus::Keep
});
