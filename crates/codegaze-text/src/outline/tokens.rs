//! Source text cut into words, strings, marks and pairs of brackets. It omits comments, preprocessor
//! lines and the contents of strings.
//!
//! The scan is linear: a search for a closing mark that fails blocks all searches for the same mark up to where it ended.

mod literals;

#[cfg(test)]
use std::cell::Cell;

use unicode_ident::{is_xid_continue, is_xid_start};

use super::Scope;
use super::syntax::Syntax;
use crate::ByteSpan;

#[cfg(test)]
thread_local! {
    /// Tokens that were read and bytes that were searched, to test that the work is linear.
    pub(super) static WORK: Cell<usize> = const { Cell::new(0) };
}

fn count_work(n: usize) {
    #[cfg(test)]
    WORK.set(WORK.get() + n);
    #[cfg(not(test))]
    let _ = n;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Number,
    /// A string, a character, a template or a regular expression.
    Str,
    /// One byte of ASCII punctuation.
    Mark(u8),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) span: ByteSpan,
    kind: TokenKind,
    /// Whether it is the first token of its line.
    pub(super) first: bool,
    /// Bytes of whitespace at the start of its line.
    pub(super) indent: usize,
    /// The other bracket of its pair.
    partner: Option<usize>,
}

/// The tokens of a text. Methods that take an index accept any index unless they say otherwise.
pub(super) struct Tokens<'a> {
    text: &'a str,
    all: Vec<Token>,
    /// Whether every brace has a partner.
    pub(super) balanced: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str, syntax: Syntax) -> Self {
        let mut tokenizer = Tokenizer {
            text,
            bytes: text.as_bytes(),
            syntax,
            pos: 0,
            line_start: 0,
            fresh: true,
            indent: 0,
            tokens: Vec::with_capacity(text.len() / 4),
            brackets: Brackets::default(),
            heredocs: Vec::new(),
            n_lost_heredocs: 0,
            blocked_until: [0; literals::N_SEARCHES],
        };
        tokenizer.run();
        Self {
            text,
            all: tokenizer.tokens,
            balanced: !tokenizer.brackets.unopened && tokenizer.brackets.braces.is_empty(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Panics if there is no such token.
    pub(super) fn get(&self, at: usize) -> &Token {
        count_work(1);
        &self.all[at]
    }

    fn kind(&self, at: usize) -> Option<TokenKind> {
        count_work(1);
        Some(self.all.get(at)?.kind)
    }

    pub(super) fn mark(&self, at: usize) -> Option<u8> {
        match self.kind(at)? {
            TokenKind::Mark(mark) => Some(mark),
            _ => None,
        }
    }

    pub(super) fn is(&self, at: usize, mark: u8) -> bool {
        self.mark(at) == Some(mark)
    }

    /// The word at `at`, or an empty string.
    pub(super) fn word(&self, at: usize) -> &'a str {
        if self.is_word(at) {
            self.all[at].span.of(self.text)
        } else {
            ""
        }
    }

    pub(super) fn is_word(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Word)
    }

    pub(super) fn is_str(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Str)
    }

    /// Whether a word follows `at` on the same line.
    pub(super) fn names(&self, at: usize) -> bool {
        self.is_word(at + 1) && !self.all[at + 1].first
    }

    pub(super) fn partner(&self, at: usize) -> Option<usize> {
        self.all.get(at)?.partner
    }

    /// The token after the group that opens at `at`, or after the token.
    pub(super) fn after(&self, at: usize) -> usize {
        match self.partner(at) {
            Some(partner) if partner > at => partner + 1,
            _ => at + 1,
        }
    }

    /// Whether two marks stand at `at` without a space, such as `=>`.
    pub(super) fn is_pair(&self, at: usize, marks: [u8; 2]) -> bool {
        self.is(at, marks[0]) && self.is(at + 1, marks[1]) && self.adjoin(at)
    }

    /// Whether the next token follows without a space.
    pub(super) fn adjoin(&self, at: usize) -> bool {
        match (self.all.get(at), self.all.get(at + 1)) {
            (Some(token), Some(next)) => token.span.end == next.span.start,
            _ => false,
        }
    }

    /// The indentation of a scope's own lines: that of the first line in it.
    pub(super) fn indent_of(&self, scope: Scope) -> usize {
        let first = (scope.start..scope.end).find(|&at| self.get(at).first);
        first.map_or(0, |at| self.get(at).indent)
    }

    /// Whether the token starts a line that is not indented by more than `indent`.
    pub(super) fn is_at_margin(&self, at: usize, indent: usize) -> bool {
        let token = self.get(at);
        token.first && token.indent <= indent
    }
}

/// Open brackets. A brace closes the other brackets inside it, and no other bracket reaches past a brace.
#[derive(Default)]
struct Brackets {
    /// Each open bracket and its token.
    open: Vec<(u8, usize)>,
    /// The braces among them, as indices into `open`.
    braces: Vec<usize>,
    /// Whether a brace closed without an open one.
    unopened: bool,
}

impl Brackets {
    fn open(&mut self, mark: u8, at: usize) {
        if mark == b'{' {
            self.braces.push(self.open.len());
        }
        self.open.push((mark, at));
    }

    /// The bracket that `mark` closes.
    fn close(&mut self, mark: u8) -> Option<usize> {
        let height = if mark == b'}' {
            self.unopened |= self.braces.is_empty();
            self.braces.pop()?
        } else {
            let opening = if mark == b')' { b'(' } else { b'[' };
            let floor = self.braces.last().map_or(0, |brace| brace + 1);
            let inside = &self.open[floor..];
            // One bracket of the other kind may have been left open.
            let mut latest = inside.iter().rev().take(2);
            let above = latest.position(|&(open, _)| open == opening)?;
            self.open.len() - 1 - above
        };
        let (_, at) = self.open[height];
        self.open.truncate(height);
        Some(at)
    }
}

struct Tokenizer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    syntax: Syntax,
    pos: usize,
    line_start: usize,
    /// Whether this line has no token yet.
    fresh: bool,
    indent: usize,
    tokens: Vec<Token>,
    brackets: Brackets,
    /// Words that end the heredocs that start after this line.
    heredocs: Vec<&'a str>,
    n_lost_heredocs: usize,
    /// By search, where the next one may start.
    blocked_until: [usize; literals::N_SEARCHES],
}

impl<'a> Tokenizer<'a> {
    fn run(&mut self) {
        if self.syntax == Syntax::Php {
            self.skip_html();
        } else if self.text.starts_with("#!") && !self.text.starts_with("#![") {
            self.skip_line();
        }
        while self.pos < self.bytes.len() {
            self.step();
        }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.pos + ahead).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.pos..]
    }

    fn step(&mut self) {
        count_work(1);
        let byte = self.bytes[self.pos];
        match byte {
            b'\n' | b'\r' => self.end_line(),
            b'#' => self.hash(),
            b'/' => self.slash(),
            b'"' | b'\'' | b'`' => self.quote(byte),
            b'0'..=b'9' => self.number(),
            b'?' if self.syntax == Syntax::Php && self.byte(1) == Some(b'>') => {
                self.pos += 2;
                self.skip_html();
            }
            b'<' if self.byte(1) == Some(b'<') && self.heredoc() => {}
            b'=' if self.syntax == Syntax::Ruby && self.ruby_comment() => {}
            b'_' | b'$' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.word(),
            _ if byte.is_ascii_graphic() => self.mark(byte),
            _ => self.pos += 1,
        }
    }

    fn push(&mut self, end: usize, kind: TokenKind) {
        if self.fresh {
            let before = &self.bytes[self.line_start..self.pos];
            let is_space = |byte: &&u8| byte.is_ascii_whitespace();
            self.indent = before.iter().take_while(is_space).count();
        }
        self.tokens.push(Token {
            span: ByteSpan::new(self.pos, end),
            kind,
            first: self.fresh,
            indent: self.indent,
            partner: None,
        });
        self.fresh = false;
        self.pos = end;
    }

    /// A string up to `end`. The text after it on its last line belongs to the line on which the string starts.
    fn push_str(&mut self, end: usize) {
        let start = self.pos;
        self.push(end, TokenKind::Str);
        self.pos = start;
        self.skip_to(end);
        self.fresh = false;
    }

    fn mark(&mut self, mark: u8) {
        let at = self.tokens.len();
        self.push(self.pos + 1, TokenKind::Mark(mark));
        match mark {
            b'(' | b'[' | b'{' => self.brackets.open(mark, at),
            b')' | b']' | b'}' => {
                if let Some(open) = self.brackets.close(mark) {
                    self.tokens[open].partner = Some(at);
                    self.tokens[at].partner = Some(open);
                }
            }
            _ => {}
        }
    }

    /// Skips the text before `end`.
    fn skip_to(&mut self, end: usize) {
        let skipped = &self.bytes[self.pos..end];
        if let Some(at) = skipped.iter().rposition(|&b| b == b'\n' || b == b'\r') {
            self.line_start = self.pos + at + 1;
            self.fresh = true;
        }
        self.pos = end;
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        self.pos += rest.find(['\n', '\r']).unwrap_or(rest.len());
    }

    fn end_line(&mut self) {
        self.pos += if self.rest().starts_with("\r\n") {
            2
        } else {
            1
        };
        self.line_start = self.pos;
        self.fresh = true;
        for end in std::mem::take(&mut self.heredocs) {
            self.skip_heredoc(end);
        }
    }

    fn hash(&mut self) {
        match self.syntax {
            Syntax::Python | Syntax::Ruby => self.skip_line(),
            Syntax::Php if self.byte(1) != Some(b'[') => self.skip_php_comment(),
            Syntax::C if self.fresh => self.directive(),
            _ => self.mark(b'#'),
        }
    }

    /// A line for C's preprocessor.
    fn directive(&mut self) {
        self.skip_line();
        while self.bytes[..self.pos].ends_with(b"\\") && self.pos < self.bytes.len() {
            self.end_line();
            self.skip_line();
        }
    }

    fn slash(&mut self) {
        let has_comments = !matches!(self.syntax, Syntax::Python | Syntax::Ruby);
        match self.byte(1) {
            Some(b'/') if self.syntax == Syntax::Php => self.skip_php_comment(),
            Some(b'/') if has_comments => self.skip_line(),
            Some(b'*') if has_comments && self.block_comment() => {}
            _ => match self.regex_end() {
                Some(end) => self.push_str(end),
                None => self.mark(b'/'),
            },
        }
    }

    /// To the line's end, or to where PHP ends.
    fn skip_php_comment(&mut self) {
        let rest = self.rest();
        let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
        self.pos += line.find("?>").unwrap_or(line.len());
    }

    fn skip_html(&mut self) {
        let html = self.rest().split("<?").next().unwrap_or_default();
        self.skip_to(self.pos + html.len());
        for opening in ["<?", "php"] {
            if self.rest().starts_with(opening) {
                self.pos += opening.len();
            }
        }
    }

    fn word(&mut self) {
        let rest = self.rest();
        let len = word_len(rest);
        if len == 0 {
            // A symbol outside of ASCII.
            self.pos += rest.chars().next().map_or(1, char::len_utf8);
        } else if self.syntax == Syntax::Ruby
            && self.pos == self.line_start
            && &rest[..len] == "__END__"
        {
            self.pos = self.bytes.len();
        } else if self.syntax != Syntax::Rust || !self.rust_raw(len) {
            self.push(self.pos + len, TokenKind::Word);
        }
    }

    fn number(&mut self) {
        let rest = self.rest();
        let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        self.push(self.pos + len.unwrap_or(rest.len()), TokenKind::Number);
    }
}

fn word_len(text: &str) -> usize {
    let continues = |c: char| is_xid_continue(c) || c == '$';
    match text.chars().next() {
        Some(first) if is_xid_start(first) || matches!(first, '_' | '$') => {
            text.find(|c| !continues(c)).unwrap_or(text.len())
        }
        _ => 0,
    }
}
