//! The properties of lines that decide where a document is cut.

use codegaze_text::ByteSpan;
use codegaze_text::lexeme::is_whitespace;
use codegaze_text::line_index::LineIndex;

#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// With the terminator; never empty.
    pub span: ByteSpan,
    /// Subwords of the line alone.
    pub cost: usize,
    /// Sum over the lines before.
    pub cost_before: usize,
    /// Columns of whitespace at the start; `None` for a blank line.
    pub indent: Option<usize>,
    /// It closes or continues the code above: `}`, `else`.
    pub continues: bool,
    /// It belongs to the line below: a comment, a decorator, an attribute.
    pub introduces: bool,
}

impl Line {
    pub fn is_blank(&self) -> bool {
        self.indent.is_none()
    }

    pub fn cost_after(&self) -> usize {
        self.cost_before.saturating_add(self.cost)
    }
}

pub(super) fn read_lines(
    text: &str,
    index: &LineIndex,
    count: &mut dyn FnMut(&str) -> usize,
) -> Vec<Line> {
    let mut cost_before = 0_usize;
    (0..index.n_lines())
        .map(|line| index.line_span(line))
        .filter(|span| !span.is_empty())
        .map(|span| {
            let content = span.of(text);
            let cost = count(content);
            let code = content.trim_start_matches(is_whitespace);
            let line = Line {
                span,
                cost,
                cost_before,
                indent: (!code.is_empty()).then(|| width(&content[..content.len() - code.len()])),
                continues: continues(code),
                introduces: ["//", "/*", "*", "# ", "#[", "@", "--"]
                    .iter()
                    .any(|sign| code.starts_with(sign)),
            };
            cost_before = cost_before.saturating_add(cost);
            line
        })
        .collect()
}

/// A tab counts as four columns: only lines of one file are compared, and those mostly agree.
fn width(indent: &str) -> usize {
    indent
        .chars()
        .map(|character| match character {
            '\t' => 4,
            '\u{feff}' | '\u{200b}' => 0,
            _ => 1,
        })
        .sum()
}

/// Whether a line of code closes or continues the code above, in the ten languages that the embedded model knows.
fn continues(code: &str) -> bool {
    const SIGNS: &[&str] = &[")", "]", "}", "{", "</", "*/", "#else", "#elif", "#endif"];
    const WORDS: &[&str] = &[
        "end", "else", "elif", "elsif", "elseif", "catch", "except", "finally", "rescue", "ensure",
        "then",
    ];
    let word_len = code
        .find(|character: char| !character.is_alphanumeric() && character != '_')
        .unwrap_or(code.len());
    SIGNS.iter().any(|sign| code.starts_with(sign)) || WORDS.contains(&&code[..word_len])
}

/// Whether a cut prefers to fall before a line with this content: true for half of all contents. FNV-1a with
/// `MurmurHash3`'s finalizer: similar lines get different hashes, and the result is the same in every process and release.
pub(super) fn is_anchor(content: &str) -> bool {
    let mut hash = content
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (hash >> 63) == 0
}
