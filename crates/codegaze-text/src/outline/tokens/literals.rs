//! Strings of all sorts, and where they end.

use super::{Kind, Search, Syntax, Tokenizer, word_len};

/// A heredoc whose end is not found costs a search to the end of the text; more of them than this are not looked for.
const MAX_LOST_HEREDOCS: usize = 16;

/// `r#"…"#` or `r#name`, up to where.
pub(super) enum RustRaw {
    Name(usize),
    Str(usize),
}

impl<'a> Tokenizer<'a> {
    pub(super) fn quote(&mut self, quote: u8) {
        let end = match quote {
            b'\'' if self.syntax == Syntax::Rust => self.rust_char_end(),
            b'`' => self.backtick_end(),
            _ => self.string_end(quote),
        };
        match end {
            Some(end) => self.push_str(end),
            // An apostrophe, or a string that is still being typed.
            None => self.pos += 1,
        }
    }

    fn string_end(&mut self, quote: u8) -> Option<usize> {
        let is_double = quote == b'"';
        let has_triples = match self.syntax {
            Syntax::Python => true,
            // Java's text blocks.
            Syntax::C => is_double,
            _ => false,
        };
        let triple = [quote; 3];
        if has_triples && self.bytes[self.pos..].starts_with(&triple) {
            let search = if is_double {
                Search::TripleDouble
            } else {
                Search::TripleSingle
            };
            if let Some(end) = self.close(search, &triple, true) {
                return Some(end);
            }
        }
        if is_double
            && self.syntax == Syntax::C
            && let Some(end) = self.cpp_raw_end()
        {
            return Some(end);
        }
        // `don't` between tags.
        if !is_double && self.syntax == Syntax::JavaScript && self.is_after_word() {
            return None;
        }
        let (short, long) = if is_double {
            (Search::Double, Search::LongDouble)
        } else {
            (Search::Single, Search::LongSingle)
        };
        if let Some(end) = self.close(short, &[quote], false) {
            return Some(end);
        }
        match self.syntax {
            Syntax::Php | Syntax::Ruby | Syntax::Rust => self.long_end(long, quote),
            _ => None,
        }
    }

    fn is_after_word(&self) -> bool {
        self.text[..self.pos]
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric)
    }

    /// Past the next unescaped `close`, on this line or anywhere.
    fn close(&mut self, search: Search, close: &[u8], over_lines: bool) -> Option<usize> {
        if !self.may_search(search) {
            return None;
        }
        let mut at = self.pos + close.len();
        while at < self.bytes.len() {
            match self.bytes[at] {
                b'\n' | b'\r' if !over_lines => break,
                b'\\' => {
                    let escaped = &self.bytes[at + 1..];
                    at += if escaped.starts_with(b"\r\n") { 2 } else { 1 };
                }
                _ if self.bytes[at..].starts_with(close) => return Some(at + close.len()),
                _ => {}
            }
            at += 1;
        }
        self.block(search, at);
        None
    }

    /// The end of a string over several lines, if what closes it does not look as if it opened another.
    fn long_end(&mut self, search: Search, quote: u8) -> Option<usize> {
        let end = self.close(search, &[quote], true)?;
        if self.looks_closed(end) {
            return Some(end);
        }
        self.block(search, end - 1);
        None
    }

    fn looks_closed(&self, end: usize) -> bool {
        let after = self.text[end..].trim_start_matches([' ', '\t']);
        let closes = after.is_empty()
            || after.starts_with([
                '\n', '\r', ')', ',', ';', '.', ']', '}', '?', ':', '+', '=', '|', '&',
            ]);
        let before = self.bytes[end - 2];
        closes && !matches!(before, b'(' | b'[' | b'{' | b'=' | b',')
    }

    fn rust_char_end(&mut self) -> Option<usize> {
        let after = &self.rest()[1..];
        if after.starts_with('\\') {
            return self.close(Search::Single, b"'", false);
        }
        let character = after.chars().next()?.len_utf8();
        // Else a lifetime or a label.
        after[character..]
            .starts_with('\'')
            .then_some(self.pos + 1 + character + 1)
    }

    /// `r"…"`, `br#"…"#`, `r#name`, whose first word has `len` bytes.
    pub(super) fn rust_raw(&mut self, len: usize) -> Option<RustRaw> {
        let (prefix, after) = self.rest().split_at(len);
        if !matches!(prefix, "r" | "br" | "cr") {
            return None;
        }
        let inner = after.trim_start_matches('#');
        let n_hashes = after.len() - inner.len();
        let start = self.pos + len + n_hashes;
        if n_hashes == 1 && prefix == "r" {
            let name = word_len(inner);
            if name > 0 {
                return Some(RustRaw::Name(start + name));
            }
        }
        // rustc allows no more hashes.
        if !inner.starts_with('"') || n_hashes > 255 || !self.may_search(Search::Raw) {
            return None;
        }
        let close = format!("\"{}", "#".repeat(n_hashes));
        let Some(at) = inner[1..].find(&close) else {
            self.block(Search::Raw, self.bytes.len());
            return None;
        };
        Some(RustRaw::Str(start + 1 + at + close.len()))
    }

    /// `R"delimiter(…)delimiter"`, whose prefix is behind.
    fn cpp_raw_end(&mut self) -> Option<usize> {
        let prefix = self.tokens.last()?;
        let is_raw = prefix.span.end == self.pos
            && matches!(prefix.span.of(self.text), "R" | "LR" | "uR" | "UR" | "u8R");
        if !is_raw || !self.may_search(Search::Raw) {
            return None;
        }
        let inner = &self.rest()[1..];
        let delimiter = inner.bytes().take(17).position(|byte| byte == b'(')?;
        let close = format!("){}\"", &inner[..delimiter]);
        let Some(at) = inner.find(&close) else {
            self.block(Search::Raw, self.bytes.len());
            return None;
        };
        Some(self.pos + 1 + at + close.len())
    }

    fn backtick_end(&mut self) -> Option<usize> {
        match self.syntax {
            Syntax::JavaScript if self.nests_templates => {
                if !self.may_search(Search::LongBacktick) {
                    return None;
                }
                let Some(end) = self.template_end() else {
                    // From now on, up to the next backtick.
                    self.nests_templates = false;
                    return self.long_end(Search::LongBacktick, b'`');
                };
                let is_long = self.bytes[self.pos..end].contains(&b'\n');
                if is_long && !self.looks_closed(end) {
                    self.block(Search::LongBacktick, end - 1);
                    return None;
                }
                Some(end)
            }
            Syntax::JavaScript => self.long_end(Search::LongBacktick, b'`'),
            Syntax::Go if self.may_search(Search::Backtick) => {
                let Some(len) = self.rest()[1..].find('`') else {
                    self.block(Search::Backtick, self.bytes.len());
                    return None;
                };
                Some(self.pos + len + 2)
            }
            Syntax::Php | Syntax::Ruby => self.close(Search::Backtick, b"`", false),
            _ => None,
        }
    }

    /// The end of a template whose `${…}` may hold code with templates.
    fn template_end(&self) -> Option<usize> {
        // Braces open in each `${…}` that is open; templates and code alternate.
        let mut code: Vec<usize> = Vec::new();
        let mut n_templates = 1;
        let mut at = self.pos + 1;
        while at < self.bytes.len() {
            let in_template = n_templates > code.len();
            match self.bytes[at] {
                b'\\' => at += 1,
                b'`' if in_template => {
                    n_templates -= 1;
                    if n_templates == 0 {
                        return Some(at + 1);
                    }
                }
                b'`' => n_templates += 1,
                b'$' if in_template && self.bytes.get(at + 1) == Some(&b'{') => {
                    code.push(0);
                    at += 1;
                }
                b'{' if !in_template => {
                    if let Some(depth) = code.last_mut() {
                        *depth += 1;
                    }
                }
                b'}' if !in_template => match code.last_mut() {
                    Some(0) => {
                        code.pop();
                    }
                    Some(depth) => *depth -= 1,
                    None => {}
                },
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// The end of a regular expression, if `/` starts one here.
    pub(super) fn regex_end(&mut self) -> Option<usize> {
        let next = self.byte(1)?;
        let starts = match self.syntax {
            // Not the `/` of `</b>`.
            Syntax::JavaScript => {
                !self.is_after_value() && self.bytes[..self.pos].last() != Some(&b'<')
            }
            Syntax::Ruby => !self.is_after_value() || self.is_argument(next),
            _ => false,
        };
        if !starts || !self.may_search(Search::Regex) {
            return None;
        }
        let mut at = self.pos + 1;
        let mut in_class = false;
        while let Some(&byte) = self.bytes.get(at) {
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
        self.block(Search::Regex, at);
        None
    }

    /// Ruby: whether a mark after a word and a space, but not before one, starts an argument: `puts /x/`.
    fn is_argument(&self, next: u8) -> bool {
        let is_after_word = self
            .tokens
            .last()
            .is_some_and(|last| last.kind == Kind::Word && last.span.end < self.pos);
        is_after_word && !next.is_ascii_whitespace() && next != b'='
    }

    /// Takes Ruby's `%w[…]`, `%(…)` or `?x` here, if it is one.
    pub(super) fn ruby_literal(&mut self, mark: u8) -> bool {
        let Some(next) = self.byte(1) else {
            return false;
        };
        if self.is_after_value() && !(mark == b'%' && self.is_argument(next)) {
            return false;
        }
        if mark == b'?' {
            let after = &self.rest()[1..];
            let len = after.chars().next().map_or(1, char::len_utf8);
            let is_char = !after.starts_with(char::is_whitespace) && word_len(after) <= len;
            if is_char {
                self.push_str(self.pos + 1 + len);
            }
            return is_char;
        }
        let skip = if b"wWiIqQrxs".contains(&next) { 2 } else { 1 };
        let Some(open) = self.byte(skip) else {
            return false;
        };
        let close = match open {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b'<' => b'>',
            b'|' | b'!' | b'/' | b'-' => open,
            _ => return false,
        };
        if !self.may_search(Search::Percent) {
            return false;
        }
        let mut depth = 0;
        let mut at = self.pos + skip + 1;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\\' => at += 1,
                _ if byte == close && depth == 0 => {
                    self.push_str(at + 1);
                    return true;
                }
                _ if byte == close => depth -= 1,
                _ if byte == open => depth += 1,
                _ => {}
            }
            at += 1;
        }
        self.block(Search::Percent, self.bytes.len());
        false
    }

    /// Ruby's `=begin` … `=end`, or a mark.
    pub(super) fn ruby_comment(&mut self) {
        if self.rest().starts_with("=begin") && self.may_search(Search::BlockComment) {
            if let Some(len) = self.rest().find("\n=end") {
                self.skip_to(self.pos + len + "\n=end".len());
                return self.skip_line();
            }
            self.block(Search::BlockComment, self.bytes.len());
        }
        self.mark(b'=');
    }

    /// Takes the `<<~WORD` or `<<<WORD` here, if it is one; what it stands for begins on the next line.
    pub(super) fn heredoc(&mut self) -> bool {
        let after = &self.rest()[2..];
        let after = match self.syntax {
            Syntax::Php => after
                .strip_prefix('<')
                .map(|after| after.trim_start_matches(' ')),
            // Without a sign it may be a shift.
            Syntax::Ruby => match after.strip_prefix(['~', '-']) {
                Some(after) => Some(after),
                None if self.is_after_value() => None,
                None => {
                    Some(after).filter(|after| after.starts_with(|c: char| c.is_ascii_uppercase()))
                }
            },
            _ => None,
        };
        let Some(after) = after else {
            return false;
        };
        let word = after.strip_prefix(['"', '\'', '`']).unwrap_or(after);
        let n_quotes = after.len() - word.len();
        let len = word_len(word);
        if len == 0 || self.n_lost_heredocs >= MAX_LOST_HEREDOCS {
            return false;
        }
        let quoted = n_quotes > 0 && word[len..].starts_with(['"', '\'', '`']);
        self.heredocs.push(&word[..len]);
        let end = self.text.len() - word.len() + len + usize::from(quoted);
        self.push_str(end);
        true
    }

    /// Goes past the line that `word` starts, to what follows on it.
    pub(super) fn skip_heredoc(&mut self, word: &'a str) {
        let mut at = self.pos;
        while at < self.bytes.len() {
            let line = &self.text[at..];
            let indented = line.trim_start_matches([' ', '\t']);
            let ends = indented
                .strip_prefix(word)
                .is_some_and(|after| !after.starts_with(|c: char| c == '_' || c.is_alphanumeric()));
            if ends {
                self.skip_to(self.text.len() - indented.len() + word.len());
                self.fresh = false;
                return;
            }
            at += line.find('\n').map_or(line.len(), |len| len + 1);
        }
        self.n_lost_heredocs += 1;
    }
}
