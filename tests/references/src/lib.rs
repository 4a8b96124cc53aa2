//! Tests that compare codegaze with libraries of other authors: candle-transformers, resvg, jsonschema.
//!
//! The libraries take minutes to compile, so `cargo test` leaves this package out. Run `cargo test -p codegaze-references`.
