//! Operators, and escapes inside strings.

use super::cluster::{is_whitespace, symbol_len};

/// Operators and marks of more than one character in the languages that the embedded model knows, longest first.
const OPERATORS: &[&str] = &[
    "<?php", // opens the file
    ">>>=",  //
    "===", "!==", "<=>", "**=", "//=", "<<=", ">>=", ">>>", "&&=", "||=", "??=", "...", "..=",
    "->*", "?->", "&^=", "<<~", "<<<", "<?=", "///", "//!", "/**", //
    "==", "!=", "<=", ">=", "->", "=>", "::", ":=", "&&", "||", "??", "?.", "?:", "**", "//", "<<",
    ">>", "..", "++", "--", "|>", "<-", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "~=", "@=",
    ".=", "=~", "!~", "&.", "&^", "/*", "*/", "##", "</", "/>",
];

/// A run of four or more of one of these is a ruler, as in `// ------`.
const RULER: &str = "-=#*/~+.";

/// The length of an escape: a backslash and what it escapes, as in `\n`, `\x41`, `\u0041`, `\u{41}`, `\101`.
pub(super) fn escape_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let n_digits = |from: usize, max: usize, is_digit: fn(&u8) -> bool| {
        bytes
            .iter()
            .skip(from)
            .take(max)
            .take_while(|&byte| is_digit(byte))
            .count()
    };
    match bytes.get(1) {
        None => 1,
        Some(b'u') if bytes.get(2) == Some(&b'{') => {
            let n_digits = n_digits(3, 8, u8::is_ascii_hexdigit);
            if bytes.get(3 + n_digits) == Some(&b'}') {
                4 + n_digits
            } else {
                2
            }
        }
        Some(b'x') => 2 + n_digits(2, 2, u8::is_ascii_hexdigit),
        Some(b'u') => 2 + n_digits(2, 4, u8::is_ascii_hexdigit),
        Some(b'U') => 2 + n_digits(2, 8, u8::is_ascii_hexdigit),
        Some(b'0'..=b'7') => 1 + n_digits(1, 3, |byte| matches!(byte, b'0'..=b'7')),
        Some(_) => match text[1..].chars().next() {
            Some(escaped) if !is_whitespace(escaped) && !escaped.is_control() => {
                1 + symbol_len(&text[1..])
            }
            _ => 1,
        },
    }
}

/// The length of the ruler or of the longest operator here, else of one character.
pub(super) fn operator_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    if RULER.as_bytes().contains(&bytes[0]) {
        let run = bytes.iter().take_while(|&&byte| byte == bytes[0]).count();
        if run >= 4 {
            return run;
        }
    }
    if text.starts_with("/**/") {
        return 2;
    }
    OPERATORS
        .iter()
        .find(|operator| text.starts_with(**operator))
        .map_or(1, |operator| operator.len())
}
