use llmtrace::llm_trace;

#[llm_trace(modle = "gpt-4o")]
fn misspelt() {}

#[llm_trace(something_else)]
fn unknown() {}

#[llm_trace(model = "a", model = "b")]
fn twice() {}

#[llm_trace(model)]
fn valueless() {}

#[llm_trace(model =, kind = "tool")]
fn half_typed() {}

#[llm_trace(skip_all = true)]
fn flag() {}

#[llm_trace(model = "a" provider = "b")]
fn no_comma() {}

#[llm_trace(3)]
fn number() {}

#[llm_trace(kind = "chain", level = "loud", nmae = 1, skip(x))]
fn several(a: u8) -> u8 {
    a
}

fn main() {
    // The functions are there all the same.
    let _: u8 = several(1);
    misspelt();
}
