//! Source text cut into what matters for its structure: words, strings, marks and which brackets belong together.
//! Comments, preprocessor lines and the insides of strings are left out.
//!
//! The scan is linear: a search that fails is not made again below the place where it ended.

mod literals;

use unicode_ident::{is_xid_continue, is_xid_start};

use self::literals::RustRaw;
use super::syntax::Syntax;
use crate::ByteSpan;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    /// A string, a character, a template, a regular expression.
    Str,
    /// One byte of ASCII punctuation.
    Mark(u8),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) span: ByteSpan,
    pub(super) kind: Kind,
    /// Whether it is the first of its line.
    pub(super) first: bool,
    /// Bytes before the first token of its line.
    pub(super) indent: usize,
    /// The bracket that it opens for or closes.
    pub(super) partner: Option<usize>,
}

/// The tokens of a text.
pub(super) struct Tokens<'a> {
    pub(super) text: &'a str,
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
            conditionals: Vec::new(),
            heredocs: Vec::new(),
            n_lost_heredocs: 0,
            nests_templates: true,
            blocked_until: [0; N_SEARCHES],
        };
        tokenizer.run();
        Self {
            text,
            all: tokenizer.tokens,
            balanced: tokenizer.brackets.balanced && tokenizer.brackets.braces.is_empty(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Of a token that is there.
    pub(super) fn get(&self, at: usize) -> &Token {
        &self.all[at]
    }

    pub(super) fn mark(&self, at: usize) -> Option<u8> {
        match self.all.get(at)?.kind {
            Kind::Mark(mark) => Some(mark),
            _ => None,
        }
    }

    pub(super) fn is(&self, at: usize, mark: u8) -> bool {
        self.mark(at) == Some(mark)
    }

    /// The word at `at`, or nothing.
    pub(super) fn word(&self, at: usize) -> &'a str {
        match self.all.get(at) {
            Some(token) if token.kind == Kind::Word => token.span.of(self.text),
            _ => "",
        }
    }

    pub(super) fn is_word(&self, at: usize) -> bool {
        self.all
            .get(at)
            .is_some_and(|token| token.kind == Kind::Word)
    }

    /// Whether a word follows `at` on the same line.
    pub(super) fn names(&self, at: usize) -> bool {
        self.is_word(at + 1) && !self.all[at + 1].first
    }

    pub(super) fn is_str(&self, at: usize) -> bool {
        self.all
            .get(at)
            .is_some_and(|token| token.kind == Kind::Str)
    }

    pub(super) fn partner(&self, at: usize) -> Option<usize> {
        self.all.get(at)?.partner
    }

    /// Past the group that opens at `at`, else past the token.
    pub(super) fn after(&self, at: usize) -> usize {
        match self.partner(at) {
            Some(partner) if partner > at => partner + 1,
            _ => at + 1,
        }
    }

    /// Whether two marks stand at `at` without anything between them, such as `=>`.
    pub(super) fn is_pair(&self, at: usize, marks: [u8; 2]) -> bool {
        self.is(at, marks[0]) && self.is(at + 1, marks[1]) && self.adjoin(at)
    }

    /// Whether the next token follows at once.
    pub(super) fn adjoin(&self, at: usize) -> bool {
        match (self.all.get(at), self.all.get(at + 1)) {
            (Some(token), Some(next)) => token.span.end == next.span.start,
            _ => false,
        }
    }
}

/// Open brackets, as places in the tokens. They are matched by kind: a brace closes what was left open inside of it, and no
/// other bracket reaches past a brace.
#[derive(Default)]
struct Brackets {
    parens: Vec<usize>,
    squares: Vec<usize>,
    /// With how many of the others were open outside.
    braces: Vec<(usize, usize, usize)>,
    balanced: bool,
}

impl Brackets {
    fn open(&mut self, mark: u8, at: usize) {
        match mark {
            b'(' => self.parens.push(at),
            b'[' => self.squares.push(at),
            _ => {
                let outside = (self.parens.len(), self.squares.len());
                self.braces.push((at, outside.0, outside.1));
            }
        }
    }

    /// The bracket that `mark` closes.
    fn close(&mut self, mark: u8) -> Option<usize> {
        let (parens, squares) = match self.braces.last() {
            Some(&(_, parens, squares)) => (parens, squares),
            None => (0, 0),
        };
        if mark == b'}' {
            let Some((at, ..)) = self.braces.pop() else {
                self.balanced = false;
                return None;
            };
            self.parens.truncate(parens);
            self.squares.truncate(squares);
            return Some(at);
        }
        let (own, outside, other) = match mark {
            b')' => (&mut self.parens, parens, &mut self.squares),
            _ => (&mut self.squares, squares, &mut self.parens),
        };
        if own.len() <= outside {
            return None;
        }
        let at = own.pop()?;
        while other.last().is_some_and(|&inside| inside > at) {
            other.pop();
        }
        Some(at)
    }
}

/// What is searched for ahead.
#[derive(Clone, Copy)]
enum Search {
    Double,
    Single,
    Backtick,
    LongDouble,
    LongSingle,
    LongBacktick,
    TripleDouble,
    TripleSingle,
    Raw,
    BlockComment,
    Regex,
    Percent,
}
const N_SEARCHES: usize = 12;

struct Tokenizer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    syntax: Syntax,
    pos: usize,
    line_start: usize,
    /// No token on this line yet.
    fresh: bool,
    indent: usize,
    tokens: Vec<Token>,
    brackets: Brackets,
    /// Braces that were open at each `#if` that is open.
    conditionals: Vec<usize>,
    /// Words that end the heredocs that start after this line.
    heredocs: Vec<&'a str>,
    n_lost_heredocs: usize,
    /// Whether `${…}` in a template may hold templates.
    nests_templates: bool,
    /// By `Search`.
    blocked_until: [usize; N_SEARCHES],
}

impl<'a> Tokenizer<'a> {
    fn run(&mut self) {
        self.brackets.balanced = true;
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

    fn has_slash_comments(&self) -> bool {
        !matches!(self.syntax, Syntax::Python | Syntax::Ruby)
    }

    fn step(&mut self) {
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
            b'%' | b'?' if self.syntax == Syntax::Ruby && self.ruby_literal(byte) => {}
            b'=' if self.syntax == Syntax::Ruby && self.pos == self.line_start => {
                self.ruby_comment();
            }
            b'_' | b'$' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.word(),
            _ if byte.is_ascii_graphic() => self.mark(byte),
            _ => self.pos += 1,
        }
    }

    fn push(&mut self, end: usize, kind: Kind) {
        if self.fresh {
            self.indent = self.pos - self.line_start;
        }
        self.tokens.push(Token {
            span: ByteSpan::new(self.pos, end),
            kind,
            first: self.fresh,
            indent: self.indent,
            partner: None,
        });
        self.fresh = false;
    }

    /// A string up to `end`, over several lines if need be.
    fn push_str(&mut self, end: usize) {
        self.push(end, Kind::Str);
        self.skip_to(end);
        // What follows on the last line belongs to the line where the string began.
        self.fresh = false;
    }

    fn mark(&mut self, mark: u8) {
        let at = self.tokens.len();
        self.push(self.pos + 1, Kind::Mark(mark));
        self.pos += 1;
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

    /// Goes on at `end`, having left out what is before.
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
        self.pos += 1;
        if self.bytes[self.pos - 1] == b'\r' && self.byte(0) == Some(b'\n') {
            self.pos += 1;
        }
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

    /// A line for C's preprocessor. Braces may be opened in each branch of a conditional, to be closed once after it: only
    /// those of the last count.
    fn directive(&mut self) {
        let name = self.rest()[1..].trim_start_matches([' ', '\t']);
        if name.starts_with("if") {
            self.conditionals.push(self.brackets.braces.len());
        } else if name.starts_with("el") {
            if let Some(&n_open) = self.conditionals.last() {
                self.brackets.braces.truncate(n_open);
            }
        } else if name.starts_with("endif") {
            self.conditionals.pop();
        }
        loop {
            self.skip_line();
            let continues = self.bytes[..self.pos].ends_with(b"\\");
            if !continues || self.pos >= self.bytes.len() {
                return;
            }
            self.end_line();
        }
    }

    fn slash(&mut self) {
        if self.has_slash_comments() {
            match self.byte(1) {
                Some(b'/') if self.syntax == Syntax::Php => return self.skip_php_comment(),
                Some(b'/') => return self.skip_line(),
                Some(b'*') if self.may_search(Search::BlockComment) => {
                    if let Some(len) = self.rest()[2..].find("*/") {
                        let fresh = self.fresh;
                        self.skip_to(self.pos + 2 + len + 2);
                        self.fresh |= fresh;
                        return;
                    }
                    self.block(Search::BlockComment, self.bytes.len());
                }
                _ => {}
            }
        }
        match self.regex_end() {
            Some(end) => self.push_str(end),
            None => self.mark(b'/'),
        }
    }

    /// To the line's end, or to where PHP ends.
    fn skip_php_comment(&mut self) {
        let rest = self.rest();
        let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
        self.pos += line.find("?>").unwrap_or(line.len());
    }

    fn skip_html(&mut self) {
        let len = self.rest().find("<?").map_or(self.rest().len(), |at| {
            let opening = &self.rest()[at + 2..];
            at + 2 + if opening.starts_with("php") { 3 } else { 0 }
        });
        self.skip_to(self.pos + len);
    }

    fn word(&mut self) {
        let rest = self.rest();
        let mut len = word_len(rest);
        if len == 0 {
            // A symbol outside of ASCII.
            self.pos += rest.chars().next().map_or(1, char::len_utf8);
            return;
        }
        if self.syntax == Syntax::Rust
            && let Some(end) = self.rust_raw(len)
        {
            return match end {
                RustRaw::Name(end) => {
                    self.push(end, Kind::Word);
                    self.pos = end;
                }
                RustRaw::Str(end) => self.push_str(end),
            };
        }
        if self.syntax == Syntax::Ruby {
            if self.pos == self.line_start && &rest[..len] == "__END__" {
                self.pos = self.bytes.len();
                return;
            }
            // `$"` and its like are variables.
            if &rest[..len] == "$" && rest[1..].starts_with(['"', '\'', '`']) {
                len = 2;
            }
        }
        self.push(self.pos + len, Kind::Word);
        self.pos += len;
    }

    fn number(&mut self) {
        let mut len = 1;
        loop {
            let next = self.byte(len + 1);
            let is_digit = next.is_some_and(|next| next.is_ascii_alphanumeric());
            len += match self.byte(len) {
                Some(b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => 1,
                Some(b'.') if next.is_some_and(|next| next.is_ascii_digit()) => 2,
                // C++ groups digits with apostrophes.
                Some(b'\'') if self.syntax == Syntax::C && is_digit => 2,
                _ => break,
            };
        }
        self.push(self.pos + len, Kind::Number);
        self.pos += len;
    }

    /// Whether what stands before is a value, so that `/` divides it.
    fn is_after_value(&self) -> bool {
        let Some(last) = self.tokens.last() else {
            return false;
        };
        match last.kind {
            Kind::Word => !BEFORE_VALUES.contains(&last.span.of(self.text)),
            Kind::Number | Kind::Str | Kind::Mark(b')' | b']' | b'}') => true,
            Kind::Mark(_) => false,
        }
    }

    fn may_search(&self, search: Search) -> bool {
        self.pos >= self.blocked_until[search as usize]
    }

    fn block(&mut self, search: Search, until: usize) {
        self.blocked_until[search as usize] = until;
    }
}

/// Words that no value ends with.
const BEFORE_VALUES: &[&str] = &[
    "return", "if", "elsif", "unless", "while", "until", "when", "case", "and", "or", "not", "in",
    "of", "then", "do", "else", "typeof", "delete", "void", "throw", "new", "await", "yield",
];

fn word_len(text: &str) -> usize {
    let continues = |c: char| is_xid_continue(c) || c == '$';
    match text.chars().next() {
        Some(first) if is_xid_start(first) || matches!(first, '_' | '$') => {
            text.find(|c| !continues(c)).unwrap_or(text.len())
        }
        _ => 0,
    }
}
