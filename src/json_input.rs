//! JSON as clients write it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// Parses JSON in which a string may have half of a surrogate pair: JavaScript writes `"\ud83d"` where an edit cuts an emoji in
/// half. Such a half becomes U+FFFD, which has the same length in UTF-16.
///
/// # Errors
/// If the text is invalid JSON for another reason.
pub(crate) fn from_slice<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    let error = match serde_json::from_slice(json) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match with_whole_pairs(json) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(json) => serde_json::from_slice(&json),
    }
}

/// Replaces every escape of half a surrogate pair. Backslashes appear only in strings of JSON.
fn with_whole_pairs(json: &[u8]) -> Cow<'_, [u8]> {
    let mut replaced = Vec::new();
    let mut at = 0;
    while at < json.len() {
        if json[at] != b'\\' {
            at += 1;
            continue;
        }
        at += match escape_at(json, at) {
            // Another escape, which may be of a backslash.
            None => 2,
            Some(0xD800..=0xDBFF) if matches!(escape_at(json, at + 6), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                replaced.push(at);
                6
            }
            Some(_) => 6,
        };
    }
    if replaced.is_empty() {
        return Cow::Borrowed(json);
    }
    let mut whole = json.to_vec();
    for at in replaced {
        whole[at..at + 6].copy_from_slice(b"\\ufffd");
    }
    Cow::Owned(whole)
}

/// The code unit of the `\uXXXX` at `at`.
fn escape_at(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_one_replacement_character() {
        for (json, text) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\uD83Dx\ude00""#, "\u{fffd}x\u{fffd}"),
            (r#""\ude00\ud83d\ude00\ud83d""#, "\u{fffd}😀\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\\ud83d \ud83d""#, "\\ud83d \u{fffd}"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
        ] {
            assert_eq!(from_slice::<String>(json.as_bytes()).unwrap(), text);
        }
    }

    #[test]
    fn other_errors_stay() {
        for json in [
            r#""\ud83d"#,
            r#"{"a":"\ud83d",}"#,
            r#""\u12""#,
            "\"\\",
            "\"\\ud8",
        ] {
            assert!(from_slice::<serde_json::Value>(json.as_bytes()).is_err());
        }
    }
}
