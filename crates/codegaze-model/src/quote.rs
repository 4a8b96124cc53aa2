//! Texts from files in messages: escaped and cut, so that they can be shown in a terminal, an editor or a page.

use std::fmt::Write as _;

/// Names of tensors and of files are shorter.
const MAX_NAME: usize = 120;

/// Long enough for a sentence with a path and some names.
const MAX_TEXT: usize = 600;

/// A name that a file contains. Control characters, bidirectional marks and other invisible characters become escapes such as
/// `\u{1b}`; what is longer than 120 characters is cut.
#[must_use]
pub fn quote(name: &str) -> String {
    escape(name, MAX_NAME)
}

/// As [`quote`], for a sentence that may contain text from a file, such as a parser's message; cut at 600 characters.
#[must_use]
pub fn quote_text(text: &str) -> String {
    escape(text, MAX_TEXT)
}

/// The path of a file, escaped; cut at 600 characters.
pub(crate) fn quote_path(path: &std::path::Path) -> String {
    quote_text(&path.display().to_string())
}

/// Several names, of which the first ones are shown.
pub(crate) fn quote_list<S: AsRef<str>>(names: &[S]) -> String {
    const SHOWN: usize = 8;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| quote(name.as_ref()))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        // Writing into a string does not fail.
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

fn escape(text: &str, max_chars: usize) -> String {
    let mut shown = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == max_chars {
            shown.push('…');
            break;
        }
        // `escape_debug` knows which characters are printable. It also escapes quotes and backslashes, which are harmless here.
        if matches!(c, '"' | '\'' | '\\') {
            shown.push(c);
        } else {
            shown.extend(c.escape_debug());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_invisible_characters_are_escaped() {
        let hostile = "a\u{1b}[2J\0\n\u{202e}\u{200b}\u{feff}\u{9b}b";
        let shown = quote(hostile);
        assert_eq!(
            shown,
            "a\\u{1b}[2J\\0\\n\\u{202e}\\u{200b}\\u{feff}\\u{9b}b"
        );
        assert_eq!(quote("encoder.\"ö\"\\x"), "encoder.\"ö\"\\x");
    }

    #[test]
    fn long_names_are_cut() {
        let shown = quote(&"x".repeat(1 << 20));
        assert_eq!(shown.chars().count(), 121);
        assert!(shown.ends_with("x…"));
        assert_eq!(quote_list(&["a"; 10]), "a, a, a, a, a, a, a, a and 2 more");
    }
}
