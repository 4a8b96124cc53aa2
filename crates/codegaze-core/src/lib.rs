//! From a document and a model to an analysis, and the thread that computes it.
//!
//! | module | contents |
//! | --- | --- |
//! | [`attribution`] | attention → one score for each subword → one for each lexeme; each method is one file of `attribution/methods/` |
//! | [`analysis`] | [`analysis::analyze`]: one document in, one [`analysis::Analysis`] out; synchronous and deterministic |
//! | [`effect`] | signed scores: what a number rests on which the model computes |
//! | [`engine`] | [`engine::Engine`]: the inference thread with live documents, requests and the cache |
//! | [`prediction`] | what a model's task head answers: labels of units, texts at masked places |
//! | [`panics`] | locks that a panic poisoned, and the messages of panics |
//!
//! The scores of `received` are computed in `attribution/methods/received.rs`, those of `rollout` in
//! `attribution/methods/rollout.rs`. Data flows from [`attribution`] to [`analysis`] to [`engine`], and never back.
//!
//! Notation: \[query, key\] is a row-major matrix with one row for each query; \[token\] has one value for each subword, including
//! special ones. Layers, heads, chunks and subwords count from 0. Spans are UTF-8 bytes.

#![warn(missing_docs)]

pub mod attribution;

pub mod analysis;

pub mod effect;

pub mod engine;

pub mod panics;

pub mod prediction;
