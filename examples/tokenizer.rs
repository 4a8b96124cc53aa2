//! A calculator's tokenizer: an iterator that borrows from its input and names the place of an error.

use std::{fmt, iter::Peekable, str::CharIndices};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'a> {
    Number(f64),
    Name(&'a str),
    Operator(char),
}

#[derive(Debug, PartialEq)]
pub struct UnexpectedChar {
    pub found: char,
    pub offset: usize,
}

impl fmt::Display for UnexpectedChar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unexpected {:?} at byte {}", self.found, self.offset)
    }
}

impl std::error::Error for UnexpectedChar {}

pub struct Tokens<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl<'a> Tokens<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            chars: text.char_indices().peekable(),
        }
    }

    fn take_while(&mut self, start: usize, accept: impl Fn(char) -> bool) -> &'a str {
        let mut end = start;
        while let Some((at, c)) = self.chars.next_if(|&(_, c)| accept(c)) {
            end = at + c.len_utf8();
        }
        &self.text[start..end]
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Token<'a>, UnexpectedChar>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        let &(offset, found) = self.chars.peek()?;
        Some(match found {
            '0'..='9' => {
                let digits = self.take_while(offset, |c| c.is_ascii_digit() || c == '.');
                digits
                    .parse()
                    .map(Token::Number)
                    .map_err(|_| UnexpectedChar { found, offset })
            }
            'a'..='z' | 'A'..='Z' => {
                Ok(Token::Name(self.take_while(offset, char::is_alphanumeric)))
            }
            '+' | '-' | '*' | '/' | '(' | ')' => {
                self.chars.next();
                Ok(Token::Operator(found))
            }
            _ => {
                self.chars.next();
                Err(UnexpectedChar { found, offset })
            }
        })
    }
}
