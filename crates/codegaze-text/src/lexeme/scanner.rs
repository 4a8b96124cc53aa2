//! A scanner for source text of any language.
//!
//! It has no grammar. It must guess where strings are, by these rules:
//!
//! - `"…"`, `'…'` and `` `…` `` are strings when they close on the same line; a backslash escapes the character after it.
//! - `"""…"""`, `'''…'''`, `` `…` `` and Rust's `r#"…"#` may span lines, outside of comments.
//! - `'` does not open a string after a word (`don't`, `users'`), unless the word is a prefix such as `b` or `f`. It does not open
//!   one either if its partner is before a word or a backslash, because that partner is an opening quote:
//!   `<'a>(x: &'a str)`. Such a `'` belongs to the word after it, a lifetime or a label.
//! - A comment starts at `//`, at a `#` before a space, or at `/*`. The words in it are lexemes.
//!
//! A wrong guess changes the kinds of lexemes, and rarely their spans.
//!
//! The scan is linear. It reads lexemes once, from left to right, with a bounded number of characters ahead; only the search for
//! a closing mark goes further. A search that succeeds opens a string or a comment, inside which the scanner does not search for
//! that mark again. A search that fails blocks all searches for the same mark up to where it ended. So the scanner searches each
//! place at most twice for each mark.

use super::cluster::{
    continues_word, extenders_len, is_whitespace, starts_word, symbol_len, word_len,
};
use super::mark::{escape_len, operator_len};
use super::{Lexeme, LexemeKind};
use crate::ByteSpan;

/// The lexemes of a text.
#[must_use]
pub fn scan(text: &str) -> Vec<Lexeme> {
    let mut scanner = Scanner {
        text,
        pos: 0,
        limit: text.len(),
        lexemes: Vec::new(),
        string: None,
        comment_end: 0,
        blocked_until: [0; N_MARKS],
    };
    while scanner.pos < text.len() {
        scanner.step();
    }
    scanner.lexemes
}

/// A closing mark that the scanner searches for.
#[derive(Clone, Copy)]
enum Mark {
    Double,
    Single,
    Backtick,
    TripleDouble,
    TripleSingle,
    MultilineBacktick,
    Raw,
    BlockComment,
}
const N_MARKS: usize = 8;

#[derive(Clone, Copy)]
struct OpenString {
    /// Where the closing quote starts and ends.
    close: ByteSpan,
    has_escapes: bool,
}

struct Scanner<'a> {
    text: &'a str,
    pos: usize,
    /// Where the next lexeme must end at the latest: the end of the string at `pos`, or of the text.
    limit: usize,
    lexemes: Vec<Lexeme>,
    string: Option<OpenString>,
    /// `pos` is in a comment while it is below this.
    comment_end: usize,
    /// By `Mark`: searches that start below this would fail.
    blocked_until: [usize; N_MARKS],
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.pos..self.limit]
    }

    fn push(&mut self, len: usize, kind: LexemeKind) {
        // Combining marks belong to the character before them.
        let end = self.pos + len + extenders_len(&self.text[self.pos + len..]);
        let kind = match self.string {
            Some(string) if self.pos < string.close.start => LexemeKind::StringPiece,
            _ => kind,
        };
        self.lexemes.push(Lexeme {
            span: ByteSpan::new(self.pos, end),
            kind,
        });
        self.pos = end;
    }

    fn step(&mut self) {
        if let Some(OpenString { close, .. }) = self.string
            && self.pos >= close.start
        {
            self.push(close.len(), LexemeKind::Delimiter);
            self.string = None;
            self.limit = self.text.len();
            return;
        }
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return;
        };
        if is_whitespace(first) {
            self.pos += first.len_utf8();
        } else if starts_word(first) {
            self.push(word_with_contraction_len(rest), LexemeKind::Identifier);
        } else if let Some(len) = self.number_len() {
            self.push(len, LexemeKind::Number);
        } else if !first.is_ascii() || first.is_ascii_control() {
            self.push(symbol_len(rest), LexemeKind::Other);
        } else if extenders_len(&rest[1..]) > 0 && !matches!(first, '"' | '\'' | '`') {
            // A keycap, or an operator under a combining mark, which makes it another symbol.
            self.push(symbol_len(rest), LexemeKind::Other);
        } else if let Some(string) = self.string {
            let len = match first {
                '\\' if string.has_escapes => escape_len(rest),
                '@' => self.sigil_len().unwrap_or(1),
                _ => operator_len(rest),
            };
            self.push(len, LexemeKind::StringPiece);
        } else {
            self.mark(first);
        }
    }

    /// ASCII punctuation outside of strings.
    fn mark(&mut self, first: char) {
        match first {
            '"' | '`' => {
                if !self.open_string(first) {
                    self.push(1, LexemeKind::Delimiter);
                }
            }
            '\'' => self.apostrophe(),
            '@' => match self.sigil_len() {
                Some(len) => self.push(len, LexemeKind::Identifier),
                None => self.push(operator_len(self.rest()), LexemeKind::Operator),
            },
            _ => {
                let len = operator_len(self.rest());
                self.note_comment(&self.rest()[..len]);
                let is_delimiter = len == 1
                    && matches!(
                        first,
                        '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | ':' | '.' | '\\'
                    );
                self.push(
                    len,
                    if is_delimiter {
                        LexemeKind::Delimiter
                    } else {
                        LexemeKind::Operator
                    },
                );
            }
        }
    }

    fn previous_char(&self) -> Option<char> {
        self.text[..self.pos].chars().next_back()
    }

    fn is_after_word(&self) -> bool {
        self.previous_char().is_some_and(continues_word)
    }

    /// `@name` and `@@name`: decorators, annotations, Ruby's variables; but not the `@` of `a@b`.
    fn sigil_len(&self) -> Option<usize> {
        let rest = self.rest();
        let n_signs = if rest.starts_with("@@") { 2 } else { 1 };
        let name = &rest[n_signs..];
        let is_sigil = name.starts_with(starts_word) && !self.is_after_word();
        is_sigil.then(|| n_signs + word_len(name))
    }

    /// `1_000`, `0xFF_u8`, `3.14e-10f32`, `.5`, `1.`, `1'000`; but `1..2`, `1.foo()` and `t.0.1` end at the dot.
    fn number_len(&self) -> Option<usize> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digit_at = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let previous = self.previous_char();
        if bytes.first() == Some(&b'.') {
            let is_member = previous.is_some_and(|previous| {
                continues_word(previous) || matches!(previous, ')' | ']' | '.')
            });
            if is_member || !digit_at(1) {
                return None;
            }
        } else if !rest.starts_with(char::is_numeric) || !rest.starts_with(continues_word) {
            return None;
        }
        let after_dot =
            previous == Some('.') && self.lexemes.last().is_some_and(|last| last.span.len() == 1);
        let radix_prefixed = matches!(bytes, [b'0', b'x' | b'X', ..]);
        let mut fraction_allowed = !after_dot && !radix_prefixed;
        let mut len = 0;
        loop {
            let part = word_len(&rest[len..]);
            len += part;
            let exponent = if radix_prefixed { b'p' } else { b'e' };
            let ends_in_exponent = part >= 1
                && bytes[len - 1].eq_ignore_ascii_case(&exponent)
                && len >= 2
                && matches!(bytes[len - 2], b'0'..=b'9' | b'_' | b'.');
            match bytes.get(len) {
                Some(b'+' | b'-') if ends_in_exponent && digit_at(len + 1) => len += 1,
                // C++ groups digits with apostrophes.
                Some(b'\'') if len > 0 && digit_at(len - 1) && digit_at(len + 1) => len += 1,
                Some(b'.') if fraction_allowed => {
                    fraction_allowed = false;
                    let after = &rest[len + 1..];
                    let is_exponent = after.starts_with(['e', 'E'])
                        && after[1..]
                            .trim_start_matches(['+', '-'])
                            .starts_with(|c: char| c.is_ascii_digit());
                    // The dot of `1. ` ends a sentence; in `1.)` it belongs to the number.
                    let ends_here = after
                        .chars()
                        .next()
                        .is_none_or(|c| c == '.' || is_whitespace(c) || continues_word(c));
                    if !digit_at(len + 1) && !is_exponent && ends_here {
                        return Some(len);
                    }
                    len += 1;
                }
                _ => return Some(len),
            }
        }
    }

    fn apostrophe(&mut self) {
        if self.is_after_word() && !self.is_after_string_prefix() {
            return self.push(1, LexemeKind::Delimiter);
        }
        let after = &self.rest()[1..];
        let name_len = if after.starts_with(starts_word) {
            word_len(after)
        } else {
            0
        };
        let is_reference = matches!(self.previous_char(), Some('<' | '&'))
            && name_len > 0
            && !after[name_len..].starts_with('\'');
        if is_reference || !self.open_string('\'') {
            let kind = if name_len > 0 {
                LexemeKind::Identifier
            } else {
                LexemeKind::Delimiter
            };
            self.push(1 + name_len, kind);
        }
    }

    fn is_after_string_prefix(&self) -> bool {
        self.lexemes.last().is_some_and(|last| {
            last.span.end == self.pos && is_string_prefix(last.span.of(self.text))
        })
    }

    /// Opens the string that starts with the quote here, if there is one.
    fn open_string(&mut self, quote: char) -> bool {
        let in_comment = self.pos < self.comment_end;
        let triple = match quote {
            '"' => Some(("\"\"\"", Mark::TripleDouble)),
            '\'' => Some(("'''", Mark::TripleSingle)),
            _ => None,
        };
        if let Some((triple, mark)) = triple
            && !in_comment
            && self.rest().starts_with(triple)
            && let Some(close) = self.find_close(mark, triple, 3, true)
        {
            return self.enter(3, close, true);
        }
        if quote == '"' && !in_comment && self.open_raw_string() {
            return true;
        }
        let (one, mark) = match quote {
            '"' => ("\"", Mark::Double),
            '\'' => ("'", Mark::Single),
            _ => ("`", Mark::Backtick),
        };
        if let Some(close) = self.find_close(mark, one, 1, false) {
            let after = self.text[close.end..].chars().next();
            let opens_another =
                quote == '\'' && after.is_some_and(|after| continues_word(after) || after == '\\');
            if !opens_another {
                return self.enter(1, close, true);
            }
            self.blocked_until[mark as usize] = close.start;
            return false;
        }
        if quote == '`'
            && !in_comment
            && let Some(close) = self.find_close(Mark::MultilineBacktick, one, 1, true)
        {
            return self.enter(1, close, true);
        }
        false
    }

    /// Opens Rust's `r#"…"#`, whose `r` and `#` have been read.
    fn open_raw_string(&mut self) -> bool {
        // rustc allows 255; a smaller limit keeps the look back cheap.
        const MAX_HASHES: usize = 8;
        let behind = &self.text.as_bytes()[..self.pos];
        let n_hashes = behind
            .iter()
            .rev()
            .take(MAX_HASHES)
            .take_while(|&&byte| byte == b'#')
            .count();
        if n_hashes == 0 || behind[..self.pos - n_hashes].last() != Some(&b'r') {
            return false;
        }
        let close = format!("\"{}", "#".repeat(n_hashes));
        if self.blocked_until[Mark::Raw as usize] > self.pos {
            return false;
        }
        let inner = self.pos + 1;
        let Some(at) = self.text[inner..].find(&close) else {
            self.blocked_until[Mark::Raw as usize] = self.text.len();
            return false;
        };
        let close = ByteSpan::new(inner + at, inner + at + close.len());
        self.enter(1, close, false)
    }

    fn enter(&mut self, opening_len: usize, close: ByteSpan, has_escapes: bool) -> bool {
        self.push(opening_len, LexemeKind::Delimiter);
        self.string = Some(OpenString { close, has_escapes });
        self.limit = close.start;
        true
    }

    /// The next unescaped `close` after `skip` bytes: on this line, or on any line if `multiline`.
    fn find_close(
        &mut self,
        mark: Mark,
        close: &str,
        skip: usize,
        multiline: bool,
    ) -> Option<ByteSpan> {
        if self.pos < self.blocked_until[mark as usize] {
            return None;
        }
        let bytes = self.text.as_bytes();
        let mut at = self.pos + skip;
        while at < bytes.len() {
            match bytes[at] {
                b'\n' | b'\r' if !multiline => break,
                b'\\' if !matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) => at += 1,
                _ if bytes[at..].starts_with(close.as_bytes()) => {
                    return Some(ByteSpan::new(at, at + close.len()));
                }
                _ => {}
            }
            at += 1;
        }
        self.blocked_until[mark as usize] = at;
        None
    }

    /// Records where the comment ends that `operator` opens here, if it opens one.
    fn note_comment(&mut self, operator: &str) {
        if self.pos < self.comment_end {
            return;
        }
        let after = &self.text[self.pos + operator.len()..];
        let is_line_comment = operator.starts_with("//")
            || operator.starts_with('#')
                && after.chars().next().is_none_or(is_whitespace)
                && self.previous_char().is_none_or(is_whitespace);
        if is_line_comment {
            let len = after.find(['\n', '\r']).unwrap_or(after.len());
            self.comment_end = self.pos + operator.len() + len;
        } else if operator.starts_with("/*")
            && self.pos >= self.blocked_until[Mark::BlockComment as usize]
        {
            if let Some(len) = after.find("*/") {
                self.comment_end = self.pos + operator.len() + len;
            } else {
                self.blocked_until[Mark::BlockComment as usize] = self.text.len();
            }
        }
    }
}

/// `b'x'`, `rb'…'`, `L'x'`, `u8'x'`, Python's `f'…'`.
fn is_string_prefix(word: &str) -> bool {
    word.len() <= 2 && word.chars().all(|c| "bBrRuUfFtTcL8".contains(c))
}

/// The length of a word with its English contraction: `don't`, `it's`.
fn word_with_contraction_len(text: &str) -> usize {
    let len = word_len(text);
    let Some(after) = text[len..].strip_prefix('\'') else {
        return len;
    };
    if is_string_prefix(&text[..len]) {
        return len;
    }
    let suffix = ["t", "s", "re", "ve", "ll", "d", "m"]
        .into_iter()
        .find(|suffix| {
            after
                .strip_prefix(suffix)
                .is_some_and(|rest| !rest.starts_with(|c| continues_word(c) || c == '\''))
        });
    len + suffix.map_or(0, |suffix| 1 + suffix.len())
}
