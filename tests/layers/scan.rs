//! Finds every path and every macro call in Rust source, without a compiler: enough to judge what a module imports.

/// A path such as `crate::model::Model` or `std::fs::read`, with `self` and `super` resolved against the module it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// One-based.
    pub line: usize,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A path of a `use`, or one of at least two segments in code.
    Path(Vec<String>),
    /// `name!`
    Macro(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `::`
    Colons,
    Sign(char),
}

/// All paths and macro calls of a file that is the module `module`: `["text", "lexeme"]` for `src/text/lexeme.rs`.
pub fn scan(source: &str, module: &[String]) -> Vec<Found> {
    let tokens = tokens(&without_text(source));
    let mut scanner = Scanner {
        tokens: &tokens,
        at: 0,
        module: module.to_vec(),
        open: Vec::new(),
        found: Vec::new(),
    };
    scanner.file();
    scanner.found
}

/// The source with comments, strings and characters blanked, line by line as before.
fn without_text(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut i = 0;
    while i < chars.len() {
        let end = text_end(&chars, i);
        if end == i {
            out.push(chars[i]);
            i += 1;
            continue;
        }
        // A blank keeps `a/**/b` two words.
        out.push(' ');
        out.extend(chars[i..end].iter().filter(|&&c| c == '\n'));
        i = end;
    }
    out
}

/// The end of the comment or literal that starts at `i`, or `i` if none does.
fn text_end(chars: &[char], i: usize) -> usize {
    let rest = &chars[i..];
    let after_word = i > 0 && is_word(chars[i - 1]);
    match rest {
        ['/', '/', ..] => i + rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment_end(chars, i),
        ['"', ..] => quoted_end(chars, i + 1, '"'),
        ['b' | 'c', '"', ..] if !after_word => quoted_end(chars, i + 2, '"'),
        ['b', '\'', ..] if !after_word => quoted_end(chars, i + 2, '\''),
        ['\'', '\\', ..] => quoted_end(chars, i + 1, '\''),
        // Else it is a lifetime.
        ['\'', _, '\'', ..] => i + 3,
        ['r', ..] if !after_word => raw_end(chars, i, 1),
        ['b' | 'c', 'r', ..] if !after_word => raw_end(chars, i, 2),
        _ => i,
    }
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    while i < chars.len() {
        match chars[i..] {
            ['/', '*', ..] => (depth, i) = (depth + 1, i + 2),
            ['*', '/', ..] => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn quoted_end(chars: &[char], mut i: usize, quote: char) -> usize {
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            c if c == quote => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// The end of `r"…"` or `r#"…"#`, whose prefix has `prefix` letters; `r#word` is no literal.
fn raw_end(chars: &[char], start: usize, prefix: usize) -> usize {
    let hashes = chars[start + prefix..]
        .iter()
        .take_while(|&&c| c == '#')
        .count();
    let open = start + prefix + hashes;
    if chars.get(open) != Some(&'"') {
        return start;
    }
    let closing: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', hashes))
        .collect();
    chars[open + 1..]
        .windows(closing.len())
        .position(|window| window == closing)
        .map_or(chars.len(), |at| open + 1 + at + closing.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tokens(source: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    for (line_idx, line) in source.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let (token, length) = if is_word(first) {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            } else if rest.starts_with("::") {
                (Token::Colons, 2)
            } else {
                (Token::Sign(first), first.len_utf8())
            };
            tokens.push((line_idx + 1, token));
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

struct Scanner<'a> {
    tokens: &'a [(usize, Token)],
    at: usize,
    /// The module at hand, inline ones included.
    module: Vec<String>,
    /// For every open brace, whether it opened an inline module.
    open: Vec<bool>,
    found: Vec<Found>,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|(_, token)| token)
    }

    fn word(&self, ahead: usize) -> Option<String> {
        match self.peek(ahead) {
            Some(Token::Word(word)) => Some(word.clone()),
            _ => None,
        }
    }

    fn is_sign(&self, ahead: usize, sign: char) -> bool {
        self.peek(ahead) == Some(&Token::Sign(sign))
    }

    fn file(&mut self) {
        while let Some(token) = self.peek(0).cloned() {
            match token {
                Token::Word(word) if word == "use" => {
                    self.at += 1;
                    self.use_tree(&[]);
                }
                Token::Word(word) if word == "mod" && self.is_sign(2, '{') => {
                    self.module.extend(self.word(1));
                    self.open.push(true);
                    self.at += 3;
                }
                Token::Word(_) => self.path(),
                Token::Sign('{') => {
                    self.open.push(false);
                    self.at += 1;
                }
                Token::Sign('}') => {
                    if self.open.pop() == Some(true) {
                        self.module.pop();
                    }
                    self.at += 1;
                }
                Token::Colons | Token::Sign(_) => self.at += 1,
            }
        }
    }

    /// The rest of a `use` after `prefix`: every leaf is a path; a glob is the path before it.
    fn use_tree(&mut self, prefix: &[String]) {
        let mut path = prefix.to_vec();
        loop {
            match self.peek(0).cloned() {
                Some(Token::Word(word)) if word == "as" => self.at += 2,
                Some(Token::Word(word)) => {
                    // `r#type`
                    let raw = word == "r" && self.is_sign(1, '#');
                    path.push(word);
                    self.at += 1;
                    if raw {
                        path.pop();
                        self.at += 1;
                    }
                }
                Some(Token::Colons) => self.at += 1,
                Some(Token::Sign('*')) => {
                    path.push("*".to_owned());
                    self.at += 1;
                }
                Some(Token::Sign('{')) => {
                    self.at += 1;
                    while self.peek(0).is_some() && !self.is_sign(0, '}') {
                        self.use_tree(&path);
                        if self.is_sign(0, ',') {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                _ => break,
            }
        }
        // `a::{self}` is `a`.
        if path.len() > 1 && path.last().is_some_and(|word| word == "self") {
            path.pop();
        }
        self.add(path);
    }

    /// A word of code, and the path that it starts.
    fn path(&mut self) {
        let start = self.at;
        let mut path: Vec<String> = self.word(0).into_iter().collect();
        self.at += 1;
        while self.peek(0) == Some(&Token::Colons) {
            let Some(word) = self.word(1) else { break };
            path.push(word);
            self.at += 2;
        }
        if self.is_sign(0, '!') && !self.is_sign(1, '=') {
            let name = path.last().cloned().unwrap_or_default();
            self.found.push(Found {
                line: self.tokens[start].0,
                what: What::Macro(name),
            });
        }
        if path.len() > 1 {
            self.add(path);
        }
    }

    fn add(&mut self, path: Vec<String>) {
        let line = self.tokens[self.at.saturating_sub(1)].0;
        let path = absolute(path, &self.module);
        self.found.push(Found {
            line,
            what: What::Path(path),
        });
    }
}

/// `super::b` in `crate::a::c` is `crate::a::b`; other paths stay.
fn absolute(path: Vec<String>, module: &[String]) -> Vec<String> {
    let relative = path
        .iter()
        .take_while(|word| matches!(word.as_str(), "self" | "super"))
        .count();
    if relative == 0 {
        return path;
    }
    let up = path[..relative]
        .iter()
        .filter(|word| *word == "super")
        .count();
    let base = &module[..module.len().saturating_sub(up)];
    std::iter::once("crate".to_owned())
        .chain(base.iter().cloned())
        .chain(path.into_iter().skip(relative))
        .collect()
}
