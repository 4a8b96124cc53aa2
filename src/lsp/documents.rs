//! The open documents, as the client sees them.

use std::collections::HashMap;
use std::sync::Arc;

use tower_lsp::ls_types::{TextDocumentContentChangeEvent, TextDocumentItem, Uri};

use super::proto::wire_range;
use crate::text::ByteSpan;
use crate::text::document::{Document, Edit};
use crate::text::language::Language;
use crate::view::live::Change;
use crate::view::position::Encoding;

/// One open document. Its text is numbered by the server, since a client's versions can jump, and fall when it opens the
/// document again.
#[derive(Clone)]
pub(crate) struct OpenDocument {
    /// As the client sent it.
    pub uri: Uri,
    pub document: Document,
    pub client_version: i32,
}

/// By URI, which is compared as a string.
#[derive(Default)]
pub(crate) struct Documents {
    open: HashMap<Arc<str>, OpenDocument>,
    /// The last version.
    clock: i64,
}

impl Documents {
    pub fn get(&self, uri: &str) -> Option<&OpenDocument> {
        self.open.get(uri)
    }

    pub fn iter(&self) -> impl Iterator<Item = &OpenDocument> {
        self.open.values()
    }

    pub fn open(&mut self, item: TextDocumentItem) -> &OpenDocument {
        self.clock += 1;
        let key: Arc<str> = item.uri.as_str().into();
        let opened = OpenDocument {
            uri: item.uri,
            document: Document::new(item.text, self.clock)
                .with_language(Language::from_id(&item.language_id)),
            client_version: item.version,
        };
        self.open.remove(&key);
        self.open.entry(key).or_insert(opened)
    }

    /// The changed document, and the part of it that the changes wrote, if that is known. `None` for a document that is not open.
    pub fn change(
        &mut self,
        uri: &str,
        client_version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Option<(&OpenDocument, Option<ByteSpan>)> {
        let open = self.open.get_mut(uri)?;
        self.clock += 1;
        let edits: Vec<Edit> = changes
            .into_iter()
            .map(|change| {
                let range = change.range.map(wire_range);
                let text = change.text;
                Change { range, text }.into()
            })
            .collect();
        if client_version <= open.client_version {
            tracing::warn!(
                uri,
                client_version,
                "the version does not increase; the change is applied"
            );
        }
        let edited = open
            .document
            .apply_edits(&edits, encoding.into(), self.clock)
            .expect("the versions of the server increase");
        open.client_version = client_version;
        Some((open, edited))
    }

    /// Whether it was open.
    pub fn close(&mut self, uri: &str) -> bool {
        self.open.remove(uri).is_some()
    }
}
