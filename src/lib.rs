//! codegaze shows where a code model looks.
//!
//! It runs a RoBERTa-family encoder on source code, reads its attention, and maps it back to exact source ranges.
//! The data flows one way, and the modules are listed in that order:
//!
//! ```text
//! text ─► chunk ─► encoding ─► attention, layer by layer ─► subword scores ─► lexeme importance ─► views ─► LSP · HTTP · CLI
//! ```
//!
//! | layer | crate or module | contents | does not contain |
//! | --- | --- | --- | --- |
//! | L0 | [`text`] | byte spans, line index, documents, the lexeme scanner | models, files |
//! | L1 | [`model`] | tokenizer, weights, encoder, kernels, model sources | lexemes, documents |
//! | L2 | [`attribution`] | attention → subword scores → lexemes | files, threads |
//! | L3 | [`analysis`] | one document in, one [`analysis::Analysis`] out | protocols, terminals |
//! | L4 | [`engine`] | the inference thread, live documents, cache | protocols, formulas |
//! | L5 | [`view`] | an analysis as plain data and pictures | tensors |
//! | L6 | `tracking` | runs in MLflow | computation |
//! | L6 | [`lsp`] | the language server | computation |
//! | L6 | [`http`] | REST and the live WebSocket | computation |
//! | L6 | [`cli`] | arguments, files, the terminal | computation |
//!
//! L0 to L5 are separate crates, so the compiler rejects an import from a higher layer.

pub use codegaze_core::{analysis, attribution, engine, panics, prediction};
pub use codegaze_model as model;
pub use codegaze_text as text;
pub use codegaze_view as view;

#[cfg(feature = "mlflow")]
pub mod tracking;

mod files;

pub mod http;

pub mod lsp;

pub mod cli;

mod json_input;

mod off_thread;

#[cfg(all(test, feature = "ts"))]
mod typescript;
