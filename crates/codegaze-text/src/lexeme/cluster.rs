//! Which characters make words, and which belong to the character before them.

use unicode_ident::{is_xid_continue, is_xid_start};

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Whether a character separates lexemes: Unicode's `White_Space`, the byte order mark and the zero-width space.
#[must_use]
pub fn is_whitespace(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{feff}' | '\u{200b}')
}

pub(super) fn starts_word(character: char) -> bool {
    is_xid_start(character) || matches!(character, '_' | '$')
}

pub(super) fn continues_word(character: char) -> bool {
    is_xid_continue(character) || character == '$'
}

/// The length of the word that `text` starts with. It includes joiners inside the word, which Persian and Hindi use.
pub(super) fn word_len(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, character)) = chars.next() {
        let joins = matches!(character, ZERO_WIDTH_NON_JOINER | ZERO_WIDTH_JOINER)
            && chars.peek().is_some_and(|&(_, next)| continues_word(next));
        if !joins && !continues_word(character) {
            return at;
        }
    }
    text.len()
}

/// The length of the extenders that `text` starts with, which belong to the character before it: combining marks, variation
/// selectors, skin tones, tags, keycaps.
pub(super) fn extenders_len(text: &str) -> usize {
    text.find(|character| !extends(character))
        .unwrap_or(text.len())
}

/// The length of the symbol that `text` starts with: a base with its extenders, a pair of regional indicators, or several of these
/// joined by U+200D. A run of control characters is one symbol. This approximates Unicode's extended grapheme clusters (UAX #29)
/// without their tables.
pub(super) fn symbol_len(text: &str) -> usize {
    let mut chars = text.chars();
    let Some(base) = chars.next() else {
        return 0;
    };
    if base.is_control() {
        return text
            .find(|character: char| !character.is_control() || is_whitespace(character))
            .unwrap_or(text.len());
    }
    let mut len = base.len_utf8();
    if let Some(second) = chars.next()
        && is_regional_indicator(base)
        && is_regional_indicator(second)
    {
        len += second.len_utf8();
    }
    loop {
        len += extenders_len(&text[len..]);
        if !text[len..].starts_with(ZERO_WIDTH_JOINER) {
            return len;
        }
        len += ZERO_WIDTH_JOINER.len_utf8();
        match text[len..].chars().next() {
            Some(next) if !next.is_ascii() && !is_whitespace(next) && !starts_word(next) => {
                len += next.len_utf8();
            }
            _ => return len,
        }
    }
}

fn is_regional_indicator(character: char) -> bool {
    ('\u{1f1e6}'..='\u{1f1ff}').contains(&character)
}

fn extends(character: char) -> bool {
    if character.is_ascii() {
        return false;
    }
    let is_listed = matches!(
        character,
        '\u{fe00}'..='\u{fe0f}' // variation selectors
            | '\u{20d0}'..='\u{20f0}' // marks for symbols, the keycap among them
            | '\u{1f3fb}'..='\u{1f3ff}' // skin tones
            | '\u{e0020}'..='\u{e007f}' // tags, in the flags of regions
            | '\u{e0100}'..='\u{e01ef}' // more variation selectors
    );
    // A character that may continue a word but not start one is a mark, except for digits, connectors and middle dots.
    let is_mark = is_xid_continue(character)
        && !is_xid_start(character)
        && !character.is_numeric()
        && !matches!(
            character,
            '\u{b7}'
                | '\u{387}'
                | '\u{30fb}'
                | '\u{ff65}'
                | '\u{200c}'
                | '\u{200d}'
                | '\u{203f}'
                | '\u{2040}'
                | '\u{2054}'
                | '\u{fe33}'
                | '\u{fe34}'
                | '\u{fe4d}'..='\u{fe4f}' | '\u{ff3f}'
        );
    is_listed || is_mark
}
