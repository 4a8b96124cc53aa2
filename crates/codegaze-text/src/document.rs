//! A text with its language and version, and edits to it.

use std::sync::Arc;

use super::language::Language;
use super::line_index::LineIndex;
use super::{ByteSpan, PositionEncoding, WideLineCol};

/// Why bytes are not source text, or why an edit is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The bytes are not UTF-8.
    #[error(
        "not UTF-8: no valid character at byte {offset}{}; {}",
        looks_like.map(|format| format!(", looks like {format}")).unwrap_or_default(),
        next_step(*looks_like)
    )]
    NotUtf8 {
        /// Byte offset at which the first invalid character starts.
        offset: usize,
        /// The format that the first bytes point to.
        looks_like: Option<&'static str>,
    },
    /// The bytes are UTF-8, but mostly NUL.
    #[error(
        "binary: {n_nul} of the first {n_bytes} bytes are NUL{}; {}",
        looks_like.map(|format| format!(", looks like {format}")).unwrap_or_default(),
        next_step(looks_like.or(Some("data")))
    )]
    Binary {
        /// NUL bytes among the first `n_bytes`.
        n_nul: usize,
        /// Bytes that were examined.
        n_bytes: usize,
        /// The format that the first bytes point to.
        looks_like: Option<&'static str>,
    },
    /// An edit's version is not above the document's.
    #[error(
        "edit to version {got} refused: the document is at version {current}, and versions must increase"
    )]
    StaleVersion {
        /// The document's version.
        current: i64,
        /// The edit's version.
        got: i64,
    },
}

const UTF_16: &str = "UTF-16 text";
const UTF_32: &str = "UTF-32 text";

fn next_step(looks_like: Option<&'static str>) -> &'static str {
    match looks_like {
        Some(UTF_16) => "convert it, for example with `iconv -f UTF-16 -t UTF-8`",
        Some(UTF_32) => "convert it, for example with `iconv -f UTF-32 -t UTF-8`",
        Some(_) => "give source text instead",
        None => {
            "convert it to UTF-8, for example with `iconv -f ISO-8859-1 -t UTF-8`, or exclude it"
        }
    }
}

/// One change to a document, as in the Language Server Protocol's `TextDocumentContentChangeEvent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Start and end, in the client's code units; `None` replaces the whole text.
    pub range: Option<(WideLineCol, WideLineCol)>,
    /// The text that replaces the range.
    pub text: String,
}

/// A text, its line index, its language and its version. A clone shares text and index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    text: Arc<str>,
    index: Arc<LineIndex>,
    language: Option<Language>,
    version: i64,
}

impl Document {
    /// A document of unknown language.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>, version: i64) -> Self {
        let text = text.into();
        let index = Arc::new(LineIndex::new(&text));
        Self {
            text,
            index,
            language: None,
            version,
        }
    }

    /// The same document in another language; `None` means that the language is unknown.
    #[must_use]
    pub fn with_language(self, language: Option<Language>) -> Self {
        Self { language, ..self }
    }

    /// A file's bytes as a document of version 0 and of unknown language. A byte order mark stays part of the text, so that
    /// spans are offsets in the file; a few NUL bytes are accepted.
    ///
    /// # Errors
    /// [`TextError::NotUtf8`]; [`TextError::Binary`] for valid UTF-8 that is mostly NUL bytes, such as UTF-16 without a
    /// byte order mark.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, TextError> {
        let text = String::from_utf8(bytes).map_err(|error| TextError::NotUtf8 {
            offset: error.utf8_error().valid_up_to(),
            looks_like: guess_format(error.as_bytes()),
        })?;
        refuse_nul_heavy(text.as_bytes())?;
        Ok(Self::new(text, 0))
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the lines of [`text`](Self::text) start and end.
    #[must_use]
    pub fn index(&self) -> &LineIndex {
        &self.index
    }

    /// `None` if the language is unknown.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        self.language
    }

    /// Increases with every edit.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Applies edits in order, each to the result of the one before. Positions out of range clamp (see
    /// [`LineIndex::offset_at`]); a range whose end comes before its start is reversed, as in
    /// `vscode-languageserver-textdocument`. The language stays the same.
    ///
    /// Returns the part of the new text that contains all edits, which is empty if text was only removed. Returns `None` without
    /// edits, and if the whole text was replaced, because it is not known where the text differs.
    ///
    /// # Errors
    /// [`TextError::StaleVersion`] if `version` is not above the document's. The document then stays the same.
    pub fn apply_edits(
        &mut self,
        edits: &[Edit],
        encoding: PositionEncoding,
        version: i64,
    ) -> Result<Option<ByteSpan>, TextError> {
        if version <= self.version {
            return Err(TextError::StaleVersion {
                current: self.version,
                got: version,
            });
        }
        self.version = version;
        // Edits before a replacement of the whole text have no effect.
        let first = edits.iter().rposition(|edit| edit.range.is_none());
        let mut text = match first {
            Some(first) => {
                self.index = Arc::new(LineIndex::new(&edits[first].text));
                edits[first].text.clone()
            }
            None if edits.is_empty() => return Ok(None),
            None => String::from(&*self.text),
        };
        let mut edited: Option<ByteSpan> = None;
        for edit in &edits[first.map_or(0, |first| first + 1)..] {
            let Some((start, end)) = edit.range else {
                continue; // cannot happen after the last replacement of the whole text
            };
            let start = self.index.offset_at(&text, start, encoding);
            let end = self.index.offset_at(&text, end, encoding);
            let span = ByteSpan::new(start.min(end), start.max(end));
            text.replace_range(span.range(), &edit.text);
            Arc::make_mut(&mut self.index).replace(&text, span, edit.text.len());
            let written = ByteSpan::new(span.start, span.start + edit.text.len());
            edited = Some(match edited {
                Some(before) => hull(after_replacement(before, span, edit.text.len()), written),
                None => written,
            });
        }
        self.text = text.into();
        Ok(edited)
    }
}

/// Where `span` is after `replaced` became `len` bytes long. A span that touches `replaced` grows to the whole replacement.
fn after_replacement(span: ByteSpan, replaced: ByteSpan, len: usize) -> ByteSpan {
    let moved = |at: usize, inside: usize| {
        if at <= replaced.start {
            at
        } else if at >= replaced.end {
            at - replaced.len() + len
        } else {
            inside
        }
    };
    ByteSpan::new(
        moved(span.start, replaced.start),
        moved(span.end, replaced.start + len),
    )
}

/// The smallest span that contains both.
fn hull(a: ByteSpan, b: ByteSpan) -> ByteSpan {
    ByteSpan::new(a.start.min(b.start), a.end.max(b.end))
}

/// NUL bytes are valid UTF-8, and some source files have a few. A file that consists mostly of them is not source text.
fn refuse_nul_heavy(bytes: &[u8]) -> Result<(), TextError> {
    const N_LOOKED_AT: usize = 8192;
    // In fewer bytes, the share of NUL bytes means nothing: "a\0" is text.
    const N_ENOUGH: usize = 32;
    let head = &bytes[..bytes.len().min(N_LOOKED_AT)];
    let count_nul = |bytes: &mut dyn Iterator<Item = &u8>| bytes.filter(|&&byte| byte == 0).count();
    let n_nul = count_nul(&mut head.iter());
    if head.len() < N_ENOUGH || n_nul * 10 < head.len() * 3 {
        return Ok(());
    }
    // In UTF-16 most characters of source code have one NUL byte, always the same of the two.
    let n_even = count_nul(&mut head.iter().step_by(2));
    let one_sided = n_even.min(n_nul - n_even) * 20 < n_nul;
    Err(TextError::Binary {
        n_nul,
        n_bytes: head.len(),
        looks_like: guess_format(bytes).or(one_sided.then_some(UTF_16)),
    })
}

/// A file format by its first bytes. If one prefix begins with another one, the longer one comes first.
fn guess_format(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"\xff\xfe\0\0", UTF_32),
        (b"\0\0\xfe\xff", UTF_32),
        (b"\xff\xfe", UTF_16),
        (b"\xfe\xff", UTF_16),
        (b"\x7fELF", "an ELF executable"),
        (b"MZ", "a Windows executable"),
        (b"\xcf\xfa\xed\xfe", "a Mach-O executable"),
        (
            b"\xca\xfe\xba\xbe",
            "a Java class file or Mach-O executable",
        ),
        (b"\0asm", "a WebAssembly module"),
        (b"!<arch>\n", "a static library"),
        (b"\x89PNG", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"GIF8", "a GIF image"),
        (b"%PDF", "a PDF document"),
        (b"\x1f\x8b", "gzip data"),
        (b"BZh", "bzip2 data"),
        (b"\xfd7zXZ", "xz data"),
        (b"\x28\xb5\x2f\xfd", "zstd data"),
        (b"PK\x03\x04", "a zip archive"),
        (b"SQLite format 3\0", "an SQLite database"),
    ];
    MAGIC
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map(|&(_, format)| format)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{ENCODINGS, any_text};

    #[test]
    fn bytes_that_are_text() {
        let long_line = "x".repeat(1 << 20);
        for text in ["", "a\0b\0", "\u{feff}let x;", "\r\n", &long_line] {
            let document = Document::from_bytes(text.into()).unwrap();
            assert_eq!(document.text(), text);
            assert_eq!(document.version(), 0);
        }
    }

    #[test]
    fn edits_keep_the_language() {
        let mut document = Document::new("x", 1).with_language(Some(Language::Go));
        document
            .apply_edits(&[edit(None, "y")], PositionEncoding::Utf8, 2)
            .unwrap();
        assert_eq!(document.language(), Some(Language::Go));
        assert_eq!(Document::new("x", 1).language(), None);
    }

    #[test]
    fn bytes_that_are_not() {
        let utf_16: Vec<u8> = "fn main() { println!(); }"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let with_bom = [b"\xff\xfe".as_slice(), &utf_16].concat();
        let table: &[(&[u8], &str)] = &[
            (
                b"caf\xe9 = 1",
                "not UTF-8: no valid character at byte 3; convert it to UTF-8, for example with `iconv -f ISO-8859-1 -t UTF-8`, or exclude it",
            ),
            (
                b"\xff\xfea\0",
                "not UTF-8: no valid character at byte 0, looks like UTF-16 text; convert it, for example with `iconv -f UTF-16 -t UTF-8`",
            ),
            (
                b"\x89PNG\r\n\x1a\n",
                "not UTF-8: no valid character at byte 0, looks like a PNG image; give source text instead",
            ),
            (
                &utf_16,
                "binary: 25 of the first 50 bytes are NUL, looks like UTF-16 text; convert it, for example with `iconv -f UTF-16 -t UTF-8`",
            ),
            (
                &with_bom,
                "not UTF-8: no valid character at byte 0, looks like UTF-16 text; convert it, for example with `iconv -f UTF-16 -t UTF-8`",
            ),
            (
                &[0; 9000],
                "binary: 8192 of the first 8192 bytes are NUL; give source text instead",
            ),
        ];
        for (bytes, message) in table {
            let error = Document::from_bytes(bytes.to_vec()).unwrap_err();
            assert_eq!(error.to_string(), *message);
        }
    }

    fn at(line: u32, col: u32) -> WideLineCol {
        WideLineCol { line, col }
    }

    fn edit(range: Option<(WideLineCol, WideLineCol)>, text: &str) -> Edit {
        Edit {
            range,
            text: text.to_owned(),
        }
    }

    #[test]
    fn edits_apply_in_order() {
        let mut document = Document::new("let x = '😀';\r\nok", 1);
        let edits = [
            // The emoji has two code units.
            edit(Some((at(0, 9), at(0, 11))), "ab"),
            // A reversed range means the same as a forward one.
            edit(Some((at(1, 2), at(1, 0))), "done"),
            // A range past the end means the end.
            edit(Some((at(9, 9), at(9, 9))), "\n"),
        ];
        let edited = document
            .apply_edits(&edits, PositionEncoding::Utf16, 2)
            .unwrap();
        assert_eq!(document.text(), "let x = 'ab';\r\ndone\n");
        let edited = edited.map(|edited| edited.of(document.text()));
        assert_eq!(edited, Some("ab';\r\ndone\n"));
        assert_eq!(document.version(), 2);

        let edits = [
            edit(Some((at(0, 0), at(0, 3))), "lost"),
            edit(None, "a\rb"),
            edit(Some((at(1, 0), at(1, 0))), "\n"),
        ];
        let edited = document
            .apply_edits(&edits, PositionEncoding::Utf16, 3)
            .unwrap();
        assert_eq!(document.text(), "a\r\nb");
        assert_eq!(edited, Some(ByteSpan::new(2, 3)));
        assert_eq!(document.index(), &LineIndex::new("a\r\nb"));
    }

    #[test]
    fn a_version_that_does_not_increase_is_refused() {
        let mut document = Document::new("x", 5);
        for got in [5, 4, i64::MIN] {
            let before = document.clone();
            let error = document
                .apply_edits(&[edit(None, "y")], PositionEncoding::Utf8, got)
                .unwrap_err();
            assert_eq!(error, TextError::StaleVersion { current: 5, got });
            assert_eq!(document, before);
        }
        let edited = document
            .apply_edits(&[], PositionEncoding::Utf8, 6)
            .unwrap();
        assert_eq!(edited, None);
        assert_eq!((document.text(), document.version()), ("x", 6));
    }

    /// Edits as fractions of the char boundaries of the text at that time.
    type Script = Vec<Vec<(f64, f64, String, bool)>>;

    fn any_script() -> impl Strategy<Value = Script> {
        let whole = prop::bool::weighted(0.1);
        let edit = (0.0..1.0_f64, 0.0..1.0_f64, any_text(), whole);
        prop::collection::vec(prop::collection::vec(edit, 0..4), 0..5)
    }

    proptest! {
        #[test]
        fn a_random_edit_script_gives_the_full_text(text in any_text(), script in any_script()) {
            for encoding in ENCODINGS {
                let mut document = Document::new(text.clone(), 0);
                let mut full = text.clone();
                for (batch, version) in script.iter().zip(1..) {
                    let mut edits = Vec::new();
                    for (from, to, inserted, whole) in batch {
                        if *whole {
                            full.clone_from(inserted);
                            edits.push(Edit { range: None, text: inserted.clone() });
                            continue;
                        }
                        let index = LineIndex::new(&full);
                        let boundaries: Vec<usize> =
                            (0..=full.len()).filter(|&at| index.clamp(at) == at).collect();
                        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                        let pick = |share: f64| boundaries[(share * boundaries.len() as f64) as usize];
                        let (from, to) = (pick(*from), pick(*to));
                        // `from` may come after `to`: a reversed range means the same.
                        let range = (index.position(&full, from, encoding), index.position(&full, to, encoding));
                        edits.push(Edit { range: Some(range), text: inserted.clone() });
                        full.replace_range(from.min(to)..from.max(to), inserted);
                    }
                    let before = document.clone();
                    let edited = document.apply_edits(&edits, encoding, version).unwrap();
                    prop_assert_eq!(document.text(), &full);
                    let is_whole = edits.iter().any(|edit| edit.range.is_none());
                    prop_assert!(edited.is_some() || is_whole || edits.is_empty());
                    if let Some(edited) = edited.filter(|_| !is_whole) {
                        let (before, after) = (before.text(), &full[edited.end..]);
                        prop_assert_eq!(&before[..edited.start], &full[..edited.start]);
                        prop_assert!(before[edited.start..].ends_with(after));
                    }
                    prop_assert_eq!(document.index(), &LineIndex::new(&full));
                    prop_assert_eq!(document.version(), version);
                }
            }
        }
    }
}
