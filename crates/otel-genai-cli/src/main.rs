//! OpenTelemetry for generative AI from the command line: run any program and see its model calls.
fn main() {}
