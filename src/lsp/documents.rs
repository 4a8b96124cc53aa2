//! The open documents, as the client sees them.

use std::collections::HashMap;
use std::sync::Arc;

use tower_lsp::ls_types::{TextDocumentContentChangeEvent, TextDocumentItem, Uri};

use super::keys::document_key;
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
    /// As the client sent it when it opened the document.
    pub uri: Uri,
    /// In `Documents` and in the engine.
    pub key: Arc<str>,
    pub document: Document,
    pub client_version: i32,
    /// A change was lost, so the text is not the client's. The next full text ends this.
    pub is_outdated: bool,
}

/// By [`document_key`].
#[derive(Default)]
pub(crate) struct Documents {
    open: HashMap<Arc<str>, OpenDocument>,
    /// The last version.
    clock: i64,
}

impl Documents {
    /// The document at `uri`, unless its text is outdated.
    pub fn get(&self, uri: &Uri) -> Option<&OpenDocument> {
        let open = self.open.get(&document_key(uri.as_str()))?;
        (!open.is_outdated).then_some(open)
    }

    /// All documents whose text is the client's.
    pub fn iter(&self) -> impl Iterator<Item = &OpenDocument> {
        self.open.values().filter(|open| !open.is_outdated)
    }

    pub fn open(&mut self, item: TextDocumentItem) -> &OpenDocument {
        self.clock += 1;
        let key = document_key(item.uri.as_str());
        let opened = OpenDocument {
            uri: item.uri,
            key: Arc::clone(&key),
            document: Document::new(item.text, self.clock)
                .with_language(Language::from_id(&item.language_id)),
            client_version: item.version,
            is_outdated: false,
        };
        self.open.remove(&key);
        self.open.entry(key).or_insert(opened)
    }

    /// The changed document, and the part of it that the changes wrote, if that is known. `None` for a document that is not open or
    /// stays outdated.
    pub fn change(
        &mut self,
        uri: &Uri,
        client_version: i32,
        mut changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Option<(&OpenDocument, Option<ByteSpan>)> {
        let Some(open) = self.open.get_mut(&document_key(uri.as_str())) else {
            let uri = uri.as_str();
            tracing::warn!(uri, "a change of a document that is not open");
            return None;
        };
        if open.is_outdated {
            let full_text = changes.iter().rposition(|change| change.range.is_none())?;
            changes.drain(..full_text);
            open.is_outdated = false;
        }
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
                uri = uri.as_str(),
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

    /// The key of the document, if it was open.
    pub fn close(&mut self, uri: &Uri) -> Option<Arc<str>> {
        let open = self.open.remove(&document_key(uri.as_str()))?;
        Some(open.key)
    }

    /// Marks the document at `uri` as outdated, or all documents if it is not known which one a lost change was about. Returns those
    /// that were not outdated before.
    pub fn set_outdated(&mut self, uri: Option<&str>) -> Vec<OpenDocument> {
        let key = uri.map(document_key);
        let affected = self
            .open
            .values_mut()
            .filter(|open| key.as_ref().is_none_or(|key| *key == open.key))
            .filter(|open| !open.is_outdated);
        affected
            .map(|open| {
                open.is_outdated = true;
                open.clone()
            })
            .collect()
    }
}
