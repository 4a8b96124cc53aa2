//! Some clients write URIs that the library's parser refuses, with raw spaces, brackets or letters beyond ASCII. They are
//! percent-encoded when they arrive, and restored as the client wrote them when they are sent back.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::str::FromStr;

use lru::LruCache;
use serde_json::Value;
use tower_lsp::ls_types::Uri;

/// How many such URIs are remembered; the least recently used is forgotten first.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Keys whose strings are URIs.
const KEYS: [&str; 6] = [
    "uri",
    "rootUri",
    "scopeUri",
    "targetUri",
    "newUri",
    "analysisUri",
];

pub(super) struct Uris {
    /// By the encoded URI, the URI as the client wrote it.
    written: LruCache<String, String>,
}

impl Default for Uris {
    fn default() -> Self {
        Self {
            written: LruCache::new(REMEMBERED),
        }
    }
}

impl Uris {
    /// Percent-encodes URIs that the parser would refuse. Returns the URIs of this message that need not be restored in a response to
    /// it, although another message spelled them differently.
    pub fn normalize(&mut self, value: &mut Value) -> Vec<String> {
        let mut as_written = Vec::new();
        each_uri(value, &mut |uri| {
            if Uri::from_str(uri).is_ok() {
                if self.written.contains(uri) {
                    as_written.push(uri.clone());
                }
                return;
            }
            let encoded = percent_encode(uri);
            if Uri::from_str(&encoded).is_ok() {
                let written = std::mem::replace(uri, encoded.clone());
                self.written.put(encoded, written);
            } else {
                tracing::warn!(uri, "not a URI");
            }
        });
        as_written
    }

    /// Replaces encoded URIs with what the client wrote, except those that it wrote so itself.
    pub fn restore(&mut self, value: &mut Value, as_written: &[String]) {
        if self.written.is_empty() {
            return;
        }
        each_uri(value, &mut |uri| {
            if !as_written.contains(uri)
                && let Some(written) = self.written.get(uri.as_str())
            {
                uri.clone_from(written);
            }
        });
    }
}

fn each_uri(value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(uri) if KEYS.contains(&key.as_str()) => visit(uri),
                    value => each_uri(value, visit),
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                // Skips the packed integers of a result, which are many.
                if value.is_object() || value.is_array() {
                    each_uri(value, visit);
                }
            }
        }
        _ => {}
    }
}

/// Escapes every byte that a URI may not contain (RFC 3986, section 2), and a `%` that does not begin an escape.
fn percent_encode(uri: &str) -> String {
    const RESERVED: &[u8] = b":/?#@!$&'()*+,;=-._~";
    let bytes = uri.as_bytes();
    let mut encoded = String::with_capacity(uri.len() + 16);
    let mut fragments = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        // A URI has one fragment, so a second `#` is escaped.
        if byte == b'#' {
            fragments += 1;
        }
        let is_escape = byte == b'%'
            && bytes
                .get(at + 1..at + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let is_plain = byte.is_ascii_alphanumeric() || RESERVED.contains(&byte) || is_escape;
        if is_plain && !(byte == b'#' && fragments > 1) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn uris_are_restored_as_the_client_wrote_them() {
        let mut uris = Uris::default();
        for uri in [
            "file:///a b.rs",
            "file:///{x}/[id].tsx",
            "file:///naïve/日本.py",
            "file:///100%/a.c",
            "file:///u/C#/F#/a.py",
            "file:///c%3A/x.rs",
            "untitled:Untitled-1",
            "vscode-notebook-cell:/a.ipynb#X12sZmlsZQ%3D%3D",
            "git:/a.rs?%7B%22ref%22%3A%22%22%7D",
        ] {
            let mut params = json!({ "textDocument": { "uri": uri }, "list": [{ "uri": uri }] });
            uris.normalize(&mut params);
            let inside = params["textDocument"]["uri"].as_str().unwrap();
            assert!(Uri::from_str(inside).is_ok(), "{inside}");
            assert_eq!(params["list"][0]["uri"], inside);
            let mut answer = json!([{ "uri": inside, "data": [1, 2, 3] }]);
            uris.restore(&mut answer, &[]);
            assert_eq!(answer[0]["uri"], uri);
        }
    }

    #[test]
    fn a_response_repeats_the_spelling_of_its_request() {
        let mut uris = Uris::default();
        let mut opened = json!({ "uri": "file:///a b.py" });
        assert_eq!(uris.normalize(&mut opened), [""; 0]);
        let mut asked = json!({ "uri": "file:///a%20b.py" });
        let as_written = uris.normalize(&mut asked);
        let mut response = asked.clone();
        uris.restore(&mut response, &as_written);
        assert_eq!(response["uri"], "file:///a%20b.py");
        uris.restore(&mut response, &[]);
        assert_eq!(response["uri"], "file:///a b.py");
    }

    #[test]
    fn strings_that_are_not_uris_stay_unchanged() {
        let mut uris = Uris::default();
        let mut params = json!({ "uri": "no scheme", "other": "a b" });
        uris.normalize(&mut params);
        assert_eq!(params, json!({ "uri": "no scheme", "other": "a b" }));
    }
}
