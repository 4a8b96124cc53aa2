//! The text that a model reads, and the way back to the document.

use codegaze_text::ByteSpan;

use super::Normalize;

/// A part of a document as a model reads it, with a monotone map from its offsets to those of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// What the model reads.
    pub text: String,
    start: usize,
    /// The offset in the part of each byte of `text` and of its end; `None` if they are equal.
    offsets: Option<Vec<usize>>,
}

impl SourceText {
    /// The text of `span`, normalized.
    #[must_use]
    pub fn new(document: &str, span: ByteSpan, normalize: Normalize) -> Self {
        let part = span.of(document);
        let (text, offsets) = match normalize {
            Normalize::None => (part.to_owned(), None),
            Normalize::Whitespace => {
                let (text, offsets) = collapse(part);
                (text, Some(offsets))
            }
        };
        Self {
            text,
            start: span.start,
            offsets,
        }
    }

    /// Where a span of `text` is in the document.
    #[must_use]
    pub fn in_document(&self, span: ByteSpan) -> ByteSpan {
        let at = |offset: usize| {
            let part = self.offsets.as_ref().map_or(offset, |all| all[offset]);
            self.start + part
        };
        ByteSpan::new(at(span.start), at(span.end))
    }
}

/// `' '.join(text.split())` of Python, and the offset in `text` of each byte of the result and of its end. A space's is the end of the
/// word before it.
fn collapse(text: &str) -> (String, Vec<usize>) {
    let mut out = String::with_capacity(text.len());
    let mut offsets = Vec::with_capacity(text.len() + 1);
    let mut end = 0;
    let words = text
        .split(is_python_whitespace)
        .filter(|word| !word.is_empty());
    for word in words {
        // A word is a part of the text.
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        if !out.is_empty() {
            out.push(' ');
            offsets.push(end);
        }
        out.push_str(word);
        end = start + word.len();
        offsets.extend(start..end);
    }
    offsets.push(end);
    (out, offsets)
}

/// What `str.split()` splits at: Unicode's whitespace and the four separators U+001C to U+001F.
fn is_python_whitespace(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_collapses_as_in_python_and_spans_come_back() {
        let document = "x = 0\n\n  def\u{a0} f(é):\u{1c}\t\n    return é \n";
        let span = ByteSpan::new(6, document.len());
        let source = SourceText::new(document, span, Normalize::Whitespace);
        assert_eq!(source.text, "def f(é): return é");
        for word in ["def", "f(é):", "return"] {
            let start = source.text.find(word).unwrap();
            let found = source.in_document(ByteSpan::new(start, start + word.len()));
            assert_eq!(found.of(document), word);
        }
        let whole = source.in_document(ByteSpan::new(0, source.text.len()));
        assert_eq!(whole.of(document), document[6..].trim());
        // Monotone: no offset goes back.
        let offsets = source.offsets.unwrap();
        assert!(offsets.is_sorted());
    }

    #[test]
    fn a_text_as_it_is_keeps_its_offsets() {
        let source = SourceText::new("a  b", ByteSpan::new(1, 4), Normalize::None);
        assert_eq!(source.text, "  b");
        assert_eq!(source.in_document(ByteSpan::new(2, 3)), ByteSpan::new(3, 4));
    }
}
