//! What does not compile, and what is said of it.

#[test]
fn refusals_point_at_the_guilty_token() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
