//! Where strings, regular expressions and block comments end.

use super::{Syntax, TokenKind, Tokenizer, count_work, word_len};

/// A heredoc without an end takes a search to the end of the text, so only this many are searched for.
const MAX_LOST_HEREDOCS: usize = 16;

/// Searches are numbered for `blocked_until`: first a syntax' quotes, in the order of their table, then these.
const BLOCK_COMMENT: usize = 4;
const RAW: usize = 5;
const REGEX: usize = 6;
const TEMPLATE: usize = 7;
pub(super) const N_SEARCHES: usize = 8;

/// Words that a value may follow.
const BEFORE_VALUES: &str = "return if elsif unless while until when case and or not in of then do else typeof delete void throw new \
    await yield";

/// Where a string can end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Line,
    /// Any number of lines, unless the closing quote looks like the opening quote of another string, since while a string is
    /// being typed its closing quote is missing.
    Lines,
    Anywhere,
}

struct Quote {
    /// The same quote opens and closes the string.
    mark: &'static str,
    reach: Reach,
}

const fn quote(mark: &'static str, reach: Reach) -> Quote {
    Quote { mark, reach }
}

/// The quotes of each syntax, longer ones first. Other functions read JavaScript's templates and Rust's characters.
fn quotes(syntax: Syntax) -> &'static [Quote] {
    use Reach::{Anywhere, Line, Lines};
    const C: &[Quote] = &[
        quote("\"\"\"", Anywhere),
        quote("\"", Line),
        quote("'", Line),
    ];
    const GO: &[Quote] = &[quote("`", Anywhere), quote("\"", Line), quote("'", Line)];
    const JAVASCRIPT: &[Quote] = &[quote("`", Lines), quote("\"", Line), quote("'", Line)];
    const PHP_AND_RUBY: &[Quote] = &[quote("\"", Lines), quote("'", Lines), quote("`", Line)];
    const PYTHON: &[Quote] = &[
        quote("\"\"\"", Anywhere),
        quote("'''", Anywhere),
        quote("\"", Line),
        quote("'", Line),
    ];
    const RUST: &[Quote] = &[quote("\"", Lines)];
    match syntax {
        Syntax::C => C,
        Syntax::Go => GO,
        Syntax::JavaScript => JAVASCRIPT,
        Syntax::Php | Syntax::Ruby => PHP_AND_RUBY,
        Syntax::Python => PYTHON,
        Syntax::Rust => RUST,
    }
}

impl<'a> Tokenizer<'a> {
    pub(super) fn quote(&mut self, first: u8) {
        let end = match (self.syntax, first) {
            (Syntax::Rust, b'\'') => self.rust_char_end(),
            // `don't` between tags.
            (Syntax::JavaScript, b'\'') if self.is_after_letter() => None,
            (Syntax::JavaScript, b'`') => self.template_end().or_else(|| self.string_end()),
            (Syntax::C, b'"') => self.cpp_raw_end().or_else(|| self.string_end()),
            _ => self.string_end(),
        };
        match end {
            Some(end) => self.push_str(end),
            // An apostrophe, or a string that is being typed.
            None => self.pos += 1,
        }
    }

    fn string_end(&mut self) -> Option<usize> {
        let quotes = quotes(self.syntax).iter().enumerate();
        let mut quotes = quotes.filter(|(_, quote)| self.rest().starts_with(quote.mark));
        // Two quotes and no third may be an empty string.
        let quotes = [quotes.next(), quotes.next()];
        let mut quotes = quotes.into_iter().flatten();
        quotes.find_map(|(search, quote)| self.close(search, quote.mark, quote.reach))
    }

    fn is_after_letter(&self) -> bool {
        let before = self.text[..self.pos].chars().next_back();
        before.is_some_and(char::is_alphanumeric)
    }

    /// Past the next unescaped `close`.
    fn close(&mut self, search: usize, close: &str, reach: Reach) -> Option<usize> {
        if self.pos < self.blocked_until[search] {
            return None;
        }
        let escapes = !(self.syntax == Syntax::Go && close == "`");
        let mut at = self.pos + close.len();
        let mut lines = 0;
        while at < self.bytes.len() {
            count_work(1);
            match self.bytes[at] {
                b'\n' | b'\r' if reach == Reach::Line => break,
                b'\n' | b'\r' => lines += 1,
                b'\\' if escapes => {
                    let escaped = &self.bytes[at + 1..];
                    at += if escaped.starts_with(b"\r\n") { 2 } else { 1 };
                }
                _ if self.bytes[at..].starts_with(close.as_bytes()) => {
                    let end = at + close.len();
                    if reach != Reach::Lines || lines == 0 || self.looks_closed(end) {
                        return Some(end);
                    }
                    break;
                }
                _ => {}
            }
            at += 1;
        }
        self.blocked_until[search] = at;
        None
    }

    /// Whether the quote before `end` looks like a closing one.
    fn looks_closed(&self, end: usize) -> bool {
        let after = self.text[end..].trim_start_matches([' ', '\t']);
        let closes = after.is_empty()
            || after.starts_with([
                '\n', '\r', ')', ',', ';', '.', ']', '}', '?', ':', '+', '=', '|', '&',
            ]);
        closes && !matches!(self.bytes[end - 2], b'(' | b'[' | b'{' | b'=' | b',')
    }

    /// `None` for a lifetime or a label.
    fn rust_char_end(&self) -> Option<usize> {
        let after = &self.rest()[1..];
        let mut characters = after.char_indices();
        let (_, first) = characters.next()?;
        if first == '\\' {
            // Of `'\''` and `'\u{1F600}'`; the longest is twelve bytes.
            let (_, _) = characters.next()?;
            let (at, _) = characters.take(10).find(|&(_, c)| c == '\'')?;
            return Some(self.pos + 1 + at + 1);
        }
        let (at, second) = characters.next()?;
        (second == '\'').then_some(self.pos + 1 + at + 1)
    }

    /// Past the next `close`, in which nothing is escaped; `skip` bytes are before it.
    fn raw_end(&mut self, search: usize, skip: usize, close: &str) -> Option<usize> {
        if self.pos < self.blocked_until[search] {
            return None;
        }
        let found = self.rest()[skip..].find(close);
        count_work(found.unwrap_or(self.rest().len()));
        let Some(at) = found else {
            self.blocked_until[search] = self.bytes.len();
            return None;
        };
        Some(self.pos + skip + at + close.len())
    }

    /// Reads `r"…"`, `br#"…"#` or `r#name` here, whose first word has `len` bytes, if it is one.
    pub(super) fn rust_raw(&mut self, len: usize) -> bool {
        let (prefix, after) = self.rest().split_at(len);
        let inner = after.trim_start_matches('#');
        let n_hashes = after.len() - inner.len();
        let start = len + n_hashes;
        // rustc allows no more hashes.
        if !matches!(prefix, "r" | "br" | "cr") || n_hashes > 255 {
            return false;
        }
        if n_hashes == 1 && prefix == "r" && word_len(inner) > 0 {
            self.push(self.pos + start + word_len(inner), TokenKind::Word);
            return true;
        }
        if !inner.starts_with('"') {
            return false;
        }
        let end = self.raw_end(RAW, start + 1, &format!("\"{}", "#".repeat(n_hashes)));
        end.is_some_and(|end| {
            self.push_str(end);
            true
        })
    }

    /// `R"delimiter(…)delimiter"`, whose prefix has been read.
    fn cpp_raw_end(&mut self) -> Option<usize> {
        let prefix = self.tokens.last()?.span;
        let is_prefix = matches!(prefix.of(self.text), "R" | "LR" | "uR" | "UR" | "u8R");
        if prefix.end != self.pos || !is_prefix {
            return None;
        }
        let inner = &self.rest()[1..];
        let n_delimiter = inner.bytes().take(17).position(|byte| byte == b'(')?;
        let close = format!("){}\"", &inner[..n_delimiter]);
        self.raw_end(RAW, 1 + n_delimiter, &close)
    }

    /// The end of a JavaScript template whose `${…}` may hold code with templates.
    fn template_end(&mut self) -> Option<usize> {
        if self.pos < self.blocked_until[TEMPLATE] {
            return None;
        }
        // Braces open in each `${…}` that is open; templates and code alternate.
        let mut code: Vec<usize> = Vec::new();
        let mut n_templates = 1;
        let mut at = self.pos + 1;
        while n_templates > 0 && at < self.bytes.len() {
            count_work(1);
            let in_template = n_templates > code.len();
            match self.bytes[at] {
                b'\\' => at += 1,
                b'`' if in_template => n_templates -= 1,
                b'`' => n_templates += 1,
                b'$' if in_template && self.bytes.get(at + 1) == Some(&b'{') => {
                    code.push(0);
                    at += 1;
                }
                b'{' if !in_template => *code.last_mut()? += 1,
                b'}' if !in_template && code.last() == Some(&0) => {
                    code.pop();
                }
                b'}' if !in_template => *code.last_mut()? -= 1,
                _ => {}
            }
            at += 1;
        }
        if n_templates > 0 {
            // From now on, templates end at the next backtick.
            self.blocked_until[TEMPLATE] = self.bytes.len();
            return None;
        }
        let is_long = self.bytes[self.pos..at].contains(&b'\n');
        if is_long && !self.looks_closed(at) {
            self.blocked_until[TEMPLATE] = at - 1;
            return None;
        }
        Some(at)
    }

    /// The end of a regular expression, if `/` starts one here.
    pub(super) fn regex_end(&mut self) -> Option<usize> {
        // The `/` of `</b>` does not start a regular expression.
        let may_start = matches!(self.syntax, Syntax::JavaScript | Syntax::Ruby)
            && !self.is_after_value()
            && !self.text[..self.pos].ends_with('<');
        if !may_start || self.pos < self.blocked_until[REGEX] {
            return None;
        }
        let mut at = self.pos + 1;
        let mut in_class = false;
        while let Some(&byte) = self.bytes.get(at) {
            count_work(1);
            match byte {
                b'\n' | b'\r' => break,
                b'\\' if !matches!(self.bytes.get(at + 1), Some(b'\n' | b'\r')) => at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => return Some(at + 1),
                _ => {}
            }
            at += 1;
        }
        self.blocked_until[REGEX] = at;
        None
    }

    /// Whether the token before is a value, so that `/` divides it.
    fn is_after_value(&self) -> bool {
        let Some(last) = self.tokens.last() else {
            return false;
        };
        match last.kind {
            TokenKind::Word => !BEFORE_VALUES
                .split_ascii_whitespace()
                .any(|word| word == last.span.of(self.text)),
            TokenKind::Number | TokenKind::Str | TokenKind::Mark(b')' | b']' | b'}') => true,
            TokenKind::Mark(_) => false,
        }
    }

    /// Skips the `/* … */` here, if it ends.
    pub(super) fn block_comment(&mut self) -> bool {
        let fresh = self.fresh;
        let end = self.raw_end(BLOCK_COMMENT, 2, "*/");
        end.is_some_and(|end| {
            self.skip_to(end);
            self.fresh |= fresh;
            true
        })
    }

    /// Skips Ruby's `=begin` … `=end` here, if it is one.
    pub(super) fn ruby_comment(&mut self) -> bool {
        if self.pos != self.line_start || !self.rest().starts_with("=begin") {
            return false;
        }
        let end = self.raw_end(BLOCK_COMMENT, 0, "\n=end");
        end.is_some_and(|end| {
            self.skip_to(end);
            self.skip_line();
            true
        })
    }

    /// Reads `<<~WORD` or `<<<WORD` here, if it is one. Its text starts on the next line.
    pub(super) fn heredoc(&mut self) -> bool {
        let after = &self.rest()[2..];
        let after = match self.syntax {
            Syntax::Php => after
                .strip_prefix('<')
                .map(|after| after.trim_start_matches(' ')),
            // Without a sign it can be a shift.
            Syntax::Ruby => after.strip_prefix(['~', '-']).or_else(|| {
                let is_name = after.starts_with(|c: char| c.is_ascii_uppercase());
                (is_name && !self.is_after_value()).then_some(after)
            }),
            _ => None,
        };
        let Some(after) = after else {
            return false;
        };
        let word = after.trim_start_matches(['"', '\'', '`']);
        let len = word_len(word);
        if len == 0 || self.n_lost_heredocs >= MAX_LOST_HEREDOCS {
            return false;
        }
        self.heredocs.push(&word[..len]);
        let tail = word[len..].strip_prefix(['"', '\'', '`']);
        let tail = tail.filter(|_| word.len() < after.len());
        self.push_str(self.text.len() - tail.unwrap_or(&word[len..]).len());
        true
    }

    /// Past the line that `word` starts, up to what follows it.
    pub(super) fn skip_heredoc(&mut self, word: &'a str) {
        let mut at = self.pos;
        while at < self.bytes.len() {
            let line = &self.text[at..];
            count_work(1);
            let indented = line.trim_start_matches([' ', '\t']);
            let after = indented.strip_prefix(word);
            if after
                .is_some_and(|after| !after.starts_with(|c: char| c == '_' || c.is_alphanumeric()))
            {
                self.skip_to(self.text.len() - indented.len() + word.len());
                self.fresh = false;
                return;
            }
            at += line.find('\n').map_or(line.len(), |len| len + 1);
        }
        self.n_lost_heredocs += 1;
    }
}
