//! Changes of documents that cannot be read. Later edits must not be applied to a text that lacks one, so the transport passes a
//! notice to the server in the place of the change.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_lsp::jsonrpc::Request;
use tower_lsp::ls_types::DidChangeTextDocumentParams;

/// The notification to the server. Clients do not send it.
pub(crate) const CHANGE_LOST: &str = "codegaze/changeLost";
const DID_CHANGE: &str = "textDocument/didChange";

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct ChangeLost {
    /// `None` if the message does not tell which document it was about.
    pub uri: Option<String>,
}

impl ChangeLost {
    /// If `raw`, the beginning of a message that is not JSON or too long, is a change.
    pub fn of_raw(raw: &[u8]) -> Option<Self> {
        let method = format!("\"{DID_CHANGE}\"");
        find(raw, method.as_bytes())?;
        Some(Self { uri: uri_in(raw) })
    }

    /// If `request` is a change with invalid parameters.
    pub fn of_invalid(method: &str, params: &Value) -> Option<Self> {
        if method != DID_CHANGE {
            return None;
        }
        let is_valid = DidChangeTextDocumentParams::deserialize(params).is_ok();
        (!is_valid).then(|| Self::of_change(params))
    }

    /// The notice about a change whose handler panicked.
    pub fn of_panicked(method: &str, params: &Value) -> Option<Self> {
        (method == DID_CHANGE).then(|| Self::of_change(params))
    }

    fn of_change(params: &Value) -> Self {
        let uri = params.pointer("/textDocument/uri").and_then(Value::as_str);
        Self {
            uri: uri.map(ToOwned::to_owned),
        }
    }

    pub fn request(&self) -> Request {
        Request::build(CHANGE_LOST)
            .params(serde_json::json!(self))
            .finish()
    }
}

/// The value of the first key `"uri"`. Inside of a JSON string, its quotes would be escaped.
fn uri_in(raw: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"\"uri\"";
    let rest = &raw[find(raw, KEY)? + KEY.len()..];
    let rest = rest.trim_ascii_start().strip_prefix(b":")?;
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<String>();
    values.next()?.ok()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_that_is_not_json_names_its_document() {
        let lost = |raw: &str| ChangeLost::of_raw(raw.as_bytes());
        let uri = Some("file:///a\"b.py".to_owned());
        let change = r#"{"method": "textDocument/didChange", "params": {"textDocument": {"uri" : "file:///a\"b.py", "version"#;
        assert_eq!(lost(change), Some(ChangeLost { uri }));
        let cut = r#"{"method":"textDocument/didChange","params":{"textDocument":{"u"#;
        assert_eq!(lost(cut), Some(ChangeLost::default()));
        let hover =
            r#"{"method":"textDocument/hover","params":{"textDocument":{"uri":"file:///a.py"}"#;
        assert_eq!(lost(hover), None);
    }

    #[test]
    fn invalid_parameters_of_a_change_name_its_document() {
        let lost = |method: &str, params: &Value| ChangeLost::of_invalid(method, params);
        let document = json!({ "uri": "file:///a.py", "version": 2 });
        let valid = json!({ "textDocument": document, "contentChanges": [{ "text": "" }] });
        assert_eq!(lost(DID_CHANGE, &valid), None);
        let invalid = json!({ "textDocument": document, "contentChanges": [{ "text": 1 }] });
        assert_eq!(lost("textDocument/hover", &invalid), None);
        let uri = Some("file:///a.py".to_owned());
        assert_eq!(lost(DID_CHANGE, &invalid), Some(ChangeLost { uri }));
        assert_eq!(lost(DID_CHANGE, &json!([])), Some(ChangeLost::default()));
    }
}
