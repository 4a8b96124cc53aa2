//! The names of a folder's files: of a directory, of a repository on the hub, or of the hub's cache.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A folder with more files is not a model's; the rest is not looked at.
const MAX_FILES: usize = 20_000;

/// Files of a folder; a name may have one slash, for a file in a folder below.
#[derive(Debug, Default)]
pub(super) struct Folder {
    files: BTreeSet<String>,
}

impl Folder {
    /// Lists a directory, and the directories below that may hold a model.
    pub(super) fn of_directory(dir: &Path) -> Self {
        let mut folder = Self::default();
        let mut below = Vec::new();
        for entry in list(dir) {
            let path = dir.join(&entry);
            // Follows links: the hub's cache consists of them.
            if path.is_file() {
                folder.files.insert(entry);
            } else if path.is_dir() {
                below.push(entry);
            }
        }
        for entry in below {
            let names = ["config.json", "model.onnx"].map(str::to_owned);
            let inner = if entry == "snapshots" {
                list(&dir.join(&entry))
                    .into_iter()
                    .map(|commit| format!("{commit}/config.json"))
                    .collect()
            } else {
                names.to_vec()
            };
            folder.files.extend(
                inner
                    .into_iter()
                    .map(|name| format!("{entry}/{name}"))
                    .filter(|name| dir.join(name).is_file()),
            );
        }
        folder
    }

    /// A list of files with their paths in a repository.
    #[cfg(feature = "hub")]
    pub(super) fn of_names(names: &[String]) -> Self {
        Self {
            files: names.iter().take(MAX_FILES).cloned().collect(),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains(name)
    }

    /// Names of the files at the top, in ascending order.
    pub(super) fn top(&self) -> impl Iterator<Item = &str> {
        self.files
            .iter()
            .map(String::as_str)
            .filter(|name| !name.contains('/'))
    }

    /// The folder below that holds a model, if there is one.
    pub(super) fn model_below(&self) -> Option<&str> {
        let mut folders: Vec<&str> = self
            .files
            .iter()
            .filter_map(|name| name.strip_suffix("/config.json"))
            .collect();
        // `checkpoint-1000` is later than `checkpoint-500`.
        folders.sort_by_key(|name| (name.len(), *name));
        folders.pop()
    }
}

fn list(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .take(MAX_FILES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}
