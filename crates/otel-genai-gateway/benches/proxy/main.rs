//! Measures the gateway against a bare proxy.

fn main() {}
