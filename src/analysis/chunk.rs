//! Structure-aware windows over a document.

use crate::text::ByteSpan;

/// A window of the document that the model reads in one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// What the model reads: the core and, in over-long blocks, context on both sides.
    pub span: ByteSpan,
    /// What is scored. The cores of a document's chunks partition it.
    pub core: ByteSpan,
}
