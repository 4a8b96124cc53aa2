//! Byte-level BPE: text to ids with byte spans.

use crate::text::ByteSpan;

/// The subwords of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Vocabulary ids, [token], special subwords included.
    pub ids: Vec<u32>,
    /// UTF-8 byte spans in the encoded text, [token]; `None` for special subwords.
    pub spans: Vec<Option<ByteSpan>>,
}
