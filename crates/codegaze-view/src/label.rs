//! Source text in one line, with visible replacements for invisible characters and for control characters, which a terminal would
//! interpret.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use codegaze_text::ByteSpan;

/// Stands for a line feed.
pub const NEWLINE: &str = "⏎";
/// Stands for a tab.
pub const TAB: &str = "⇥";
/// Stands for a subword without text.
pub const EMPTY: &str = "∅";

/// Names of the controls whose pictures (␀ …) most typefaces lack, from U+2400.
const CONTROLS: [&str; 34] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR",
    "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC",
    "FS", "GS", "RS", "US", "SP", "DEL",
];

/// The abbreviation that a control picture stands for: `␍` is CR.
#[must_use]
pub fn control_name(picture: char) -> Option<&'static str> {
    let control = u32::from(picture).checked_sub(0x2400)?;
    CONTROLS.get(usize::try_from(control).ok()?).copied()
}

/// The replacement of a character that is invisible or not safe to show; `None` for all others.
///
/// Controls become their Unicode control pictures (a carriage return ␍, NUL ␀), a line feed ⏎, a tab ⇥. Characters that
/// are invisible or reorder their neighbors (byte order mark, bidirectional controls, zero-width, tags: see "Trojan
/// Source", Boucher & Anderson 2021) become their code point in ‹›. Joiners and variation selectors stay,
/// because emoji and many scripts need them.
#[must_use]
pub fn stand_in(c: char) -> Option<String> {
    Some(match c {
        '\n' => NEWLINE.to_owned(),
        '\t' => TAB.to_owned(),
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c))?.to_string(),
        '\x7f' => "␡".to_owned(),
        '\u{feff}' => "‹BOM›".to_owned(),
        '\u{80}'..='\u{a0}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202f}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => format!("‹U+{:04X}›", u32::from(c)),
        _ => return None,
    })
}

/// `text` with every invisible or unsafe character replaced by its [`stand_in`]. Spaces stay.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match stand_in(c) {
            Some(shown) => out.push_str(&shown),
            None => out.push(c),
        }
    }
    out
}

/// As [`printable`], but line breaks and tabs stay: for a text that is shown with its lines.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_break = c == '\n' || c == '\t' || c == '\r' && rest.peek() == Some(&'\n');
        match stand_in(c).filter(|_| !is_break) {
            Some(shown) => out.push_str(&shown),
            None => out.push(c),
        }
    }
    out
}

/// `text` as a label: [`printable`], with spaces as `·`, a leading combining mark or joiner on `◌`, and an empty text as ∅.
#[must_use]
pub fn label(text: &str) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let shown = printable(text).replace(' ', "·");
    match shown.chars().next() {
        Some(first) if first.width() == Some(0) => format!("◌{shown}"),
        _ => shown,
    }
}

/// One label for each subword of a chunk.
///
/// Special subwords (no span) are `<s>` at the start and `</s>` after it. Where one character takes several subwords,
/// the first shows it and the others count on: `🙂`, `🙂₂`, `🙂₃`.
#[must_use]
pub fn subword_labels(text: &str, spans: &[Option<ByteSpan>]) -> Vec<String> {
    let mut labels = Vec::with_capacity(spans.len());
    let mut last: Option<ByteSpan> = None;
    let mut nth = 1;
    for (idx, &span) in spans.iter().enumerate() {
        let Some(span) = span else {
            labels.push(special(idx).to_owned());
            last = None;
            continue;
        };
        let mut shown = label(text.get(span.range()).unwrap_or_default());
        nth = if last == Some(span) && !span.is_empty() {
            nth + 1
        } else {
            1
        };
        if nth > 1 {
            shown.push_str(&subscript(nth));
        }
        labels.push(shown);
        last = Some(span);
    }
    labels
}

/// The exact source text of each subword; `<s>` and `</s>` for special ones.
#[must_use]
pub fn subword_texts<'a>(text: &'a str, spans: &[Option<ByteSpan>]) -> Vec<&'a str> {
    let texts = spans.iter().enumerate();
    texts
        .map(|(idx, span)| match span {
            Some(span) => text.get(span.range()).unwrap_or_default(),
            None => special(idx),
        })
        .collect()
}

fn special(idx: usize) -> &'static str {
    if idx == 0 { "<s>" } else { "</s>" }
}

fn subscript(number: usize) -> String {
    number
        .to_string()
        .chars()
        .map(|digit| {
            let value = digit.to_digit(10).unwrap_or(0);
            char::from_u32(0x2080 + value).unwrap_or(digit)
        })
        .collect()
}

/// At most `max_width` terminal columns of `text`. A longer text ends with `…`.
#[must_use]
pub fn truncate(text: &str, max_width: usize) -> String {
    if text.width() <= max_width {
        return text.to_owned();
    }
    // The width of a whole prefix, not the sum over its characters: emoji sequences are narrower or wider than that.
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if out.width() + 1 > max_width {
            out.pop();
            break;
        }
    }
    if max_width > 0 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_show_what_the_source_has() {
        for (text, shown) in [
            ("return", "return"),
            (" return", "·return"),
            ("    ", "····"),
            ("\r\n\t", "␍⏎⇥"),
            ("\0\x1b[31m\x7f", "␀␛[31m␡"),
            ("\u{feff}#", "‹BOM›#"),
            ("a\u{202e}b", "a‹U+202E›b"),
            ("\u{301}", "◌\u{301}"),
            ("é", "é"),
            ("日本", "日本"),
            ("", "∅"),
            ("\u{e0041}", "‹U+E0041›"),
        ] {
            assert_eq!(label(text), shown, "{text:?}");
        }
    }

    #[test]
    fn a_text_keeps_its_lines_and_tabs_alone() {
        let text = "a\tb\r\nc\rd\n\x1b[2J \u{202e}é";
        assert_eq!(printable_lines(text), "a\tb\r\nc␍d\n␛[2J ‹U+202E›é");
    }

    #[test]
    fn subwords_of_one_character_count_on() {
        let text = "🙂x<s>";
        let emoji = Some(ByteSpan::new(0, 4));
        let spans = [
            None,
            emoji,
            emoji,
            emoji,
            Some(ByteSpan::new(4, 5)),
            Some(ByteSpan::new(5, 5)),
            Some(ByteSpan::new(5, 8)),
            None,
        ];
        assert_eq!(
            subword_labels(text, &spans),
            ["<s>", "🙂", "🙂₂", "🙂₃", "x", "∅", "<s>", "</s>"]
        );
    }

    #[test]
    fn truncation_counts_columns() {
        assert_eq!(truncate("abcdef", 6), "abcdef");
        assert_eq!(truncate("abcdef", 5), "abcd…");
        assert_eq!(truncate("日本語", 5), "日本…");
        assert_eq!(truncate("日本語", 4), "日…");
        assert_eq!(truncate("abc", 0), "");
    }

    proptest! {
        #[test]
        fn no_control_or_bidi_character_survives(text in any::<String>(), width in 0usize..20) {
            let shown = label(&text);
            prop_assert!(!shown.chars().any(|c| c.is_control() || stand_in(c).is_some()));
            prop_assert!(truncate(&shown, width).width() <= width);
        }
    }
}
