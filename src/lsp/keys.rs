//! The key of a document: one for all spellings of its URI. Clients escape a drive's colon or a parenthesis in one message and not
//! in the next, and the protocol asks servers to accept both.

use std::sync::Arc;

use tower_lsp::ls_types::Uri;

/// The URI with every escape decoded, and with the scheme and a Windows drive in lower case.
pub(crate) fn document_key(uri: &str) -> Arc<str> {
    let bytes = decoded(uri);
    // A path that is not UTF-8 has one spelling.
    let Ok(mut key) = String::from_utf8(bytes) else {
        return uri.into();
    };
    if let Some(scheme) = key.find(':') {
        key[..scheme].make_ascii_lowercase();
    }
    let drive = "file:///".len();
    let is_drive = |path: &str| {
        let path = path.as_bytes();
        path.first().is_some_and(u8::is_ascii_alphabetic) && path.get(1) == Some(&b':')
    };
    if key.starts_with("file:///") && is_drive(&key[drive..]) {
        key[drive..=drive].make_ascii_lowercase();
    }
    key.into()
}

/// The name of the document's file, or of what the URI names.
pub(crate) fn file_name(uri: &Uri) -> String {
    let path = decoded(uri.path().as_str());
    let path = String::from_utf8_lossy(&path);
    let name = path.trim_end_matches('/').rsplit('/').next();
    name.unwrap_or_default().to_owned()
}

fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        let escaped = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn all_spellings_of_a_uri_have_one_key() {
        for spellings in [
            &[
                "file:///c%3A/x/a.py",
                "file:///c:/x/a.py",
                "FILE:///C:/x/a.py",
            ][..],
            &["file:///t/%28auth%29/l.py", "file:///t/(auth)/l.py"],
            &["file:///t/caf%C3%A9.py", "file:///t/caf%c3%a9.py"],
            &["file:///t/a b.py", "file:///t/a%20b.py"],
            &["file:///t/[id].py", "file:///t/%5Bid%5D.py"],
        ] {
            for spelling in spellings {
                assert_eq!(document_key(spelling), document_key(spellings[0]));
            }
        }
    }

    #[test]
    fn different_documents_have_different_keys() {
        let uris = [
            "file:///t/a.py",
            "file:///t/A.py",
            "file:///t/a%2.py",
            "file:///t/%FF.py",
            "untitled:Untitled-1",
            "git:/t/a.py?%7B%22ref%22%3A%22%22%7D",
        ];
        let keys: std::collections::BTreeSet<_> = uris.map(document_key).into();
        assert_eq!(keys.len(), uris.len());
    }

    #[test]
    fn a_documents_name_is_the_end_of_its_path() {
        for (uri, name) in [
            ("file:///home/me/a%20b.py", "a b.py"),
            ("untitled:Untitled-1", "Untitled-1"),
            ("git:/t/a.py?ref", "a.py"),
            ("file:///dir/", "dir"),
        ] {
            assert_eq!(file_name(&Uri::from_str(uri).unwrap()), name);
        }
    }
}
