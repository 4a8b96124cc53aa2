//! Byte-level pre-tokenization: a text becomes pieces within which merges happen,
//! and each byte of a piece a printable char, of which the vocabulary is made.
//! Radford et al. 2019, §2.2; <https://github.com/openai/gpt-2/blob/master/src/encoder.py>.

use std::sync::LazyLock;

use tokenizers::models::bpe::BPE;
use tokenizers::utils::SysRegex;
use tokenizers::{Model as _, Token};

/// GPT-2's pattern without its lookahead `\s+(?!\S)`, which [`next_piece`] replaces: without the lookahead, matching takes linear time.
static PIECE: LazyLock<SysRegex> = LazyLock::new(|| {
    SysRegex::new(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+")
        .expect("the pattern is constant and valid")
});

/// Appends the bytes that the chars of a subword's name stand for. A char that stands for no byte is itself.
pub(super) fn push_bytes(name: &str, bytes: &mut Vec<u8>) {
    let chars = byte_chars();
    for c in name.chars() {
        let byte = chars.iter().position(|of_byte| *of_byte == c);
        match byte.and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[derive(Debug)]
pub(super) struct ByteLevel {
    /// The char of each byte; `None` for one that the vocabulary lacks. Such bytes are dropped, as the reference does.
    chars: [Option<char>; 256],
}

impl ByteLevel {
    pub(super) fn new(bpe: &BPE) -> Self {
        let mut chars = byte_chars().map(Some);
        if bpe.unk_token.is_none() {
            for slot in &mut chars {
                *slot = slot.filter(|c| bpe.token_to_id(c.encode_utf8(&mut [0; 4])).is_some());
            }
        }
        Self { chars }
    }

    /// Calls `yields` with each subword's id and its bytes, from start to end. Together these cover the text,
    /// except for pieces whose bytes the vocabulary lacks.
    pub(super) fn for_each_subword(
        &self,
        bpe: &BPE,
        text: &str,
        mut yields: impl FnMut(u32, usize, usize),
    ) {
        let mut chars = String::new();
        // The byte of the text that each char stands for.
        let mut sources = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let end = start + next_piece(&text[start..]);
            chars.clear();
            sources.clear();
            for (offset, byte) in text.as_bytes()[start..end].iter().enumerate() {
                if let Some(c) = self.chars[usize::from(*byte)] {
                    chars.push(c);
                    sources.push(start + offset);
                }
            }
            // Dropped bytes belong to the subword before them, or to the piece's first.
            let source = |i: usize| match i {
                0 => start,
                i => sources.get(i).copied().unwrap_or(end),
            };
            let mut n_chars = 0;
            for Token { id, offsets, .. } in tokenize(bpe, &chars) {
                let first = n_chars;
                n_chars += chars[offsets.0..offsets.1].chars().count();
                yields(id, source(first), source(n_chars));
            }
            start = end;
        }
    }
}

fn tokenize(bpe: &BPE, chars: &str) -> Vec<Token> {
    bpe.tokenize(chars)
        .expect("fails only for an unknown token outside of the vocabulary, which loading refuses")
}

/// The length in bytes of the first piece of a text that is not empty.
fn next_piece(text: &str) -> usize {
    // The pattern matches at every char.
    let end = PIECE
        .find_iter(text)
        .next()
        .map_or(text.len(), |(_, end)| end);
    // `\s+(?!\S)`: of the whitespace before a word, the last char is the next piece's.
    match text[..end].chars().next_back() {
        Some(last) if last.is_whitespace() && end < text.len() && end > last.len_utf8() => {
            end - last.len_utf8()
        }
        _ => end,
    }
}

/// `bytes_to_unicode` of GPT-2: printable Latin-1 stays as it is, the other bytes follow from U+0100.
fn byte_chars() -> [char; 256] {
    let mut next = 0x100_u32;
    std::array::from_fn(|byte| {
        let c = match u8::try_from(byte).map(char::from) {
            Ok(c @ ('!'..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{ff}')) => return c,
            _ => char::from_u32(next),
        };
        next += 1;
        c.expect("at most 68 chars from U+0100, all of which exist")
    })
}
