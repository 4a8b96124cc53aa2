//! The engine of codegaze: a document and a model in, an analysis out, and the thread that computes it.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`attribution`] | attention → one score for each subword → lexemes; one file for each method |
//! | [`analysis`] | one document in, one [`analysis::Analysis`] out; synchronous, and pure given a model |
//! | [`engine`] | the inference thread: live documents, requests, the cache |
//! | [`panics`] | locks and messages after a panic |

pub mod attribution;

pub mod analysis;

pub mod engine;

pub mod panics;
