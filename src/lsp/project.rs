//! Settings of a project, in `.codegaze.toml`. The client's settings override them.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tower_lsp::ls_types::{InitializeParams, Uri};

use super::settings::Settings;

const FILE: &str = ".codegaze.toml";
/// A longer file is not read.
const LIMIT: u64 = 64 << 10;

/// Why a project's settings were not read.
#[derive(Debug, thiserror::Error)]
enum ProjectError {
    #[error("{}: {source}; the project's settings are ignored", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: more than 64 KiB; the project's settings are ignored", path.display())]
    TooLong { path: PathBuf },
    #[error("{}: {reason}; the project's settings are ignored", path.display())]
    Syntax { path: PathBuf, reason: String },
}

/// `settings`, overridden by those of the project, and the faults of the latter.
pub(crate) fn overlay(settings: &Settings, params: &InitializeParams) -> (Settings, Vec<String>) {
    match of_first_folder(params) {
        Ok(given) => {
            let (settings, faults) = settings.with(&given.unwrap_or_default());
            let named = |fault| format!("{FILE}: {fault}");
            (settings, faults.into_iter().map(named).collect())
        }
        Err(error) => (settings.clone(), vec![error.to_string()]),
    }
}

/// `None` without a folder or a file in it.
fn of_first_folder(params: &InitializeParams) -> Result<Option<Value>, ProjectError> {
    #[expect(deprecated, reason = "older clients name their one folder so")]
    let root = params.root_uri.as_ref();
    let folders = params.workspace_folders.as_deref().unwrap_or_default();
    let uri = folders.first().map(|folder| &folder.uri).or(root);
    let is_file = |uri: &&Uri| uri.scheme().as_str().eq_ignore_ascii_case("file");
    let Some(folder) = uri.filter(is_file).and_then(Uri::to_file_path) else {
        return Ok(None);
    };
    read(&folder)
}

fn read(folder: &Path) -> Result<Option<Value>, ProjectError> {
    let path = folder.join(FILE);
    // Reading a pipe would block.
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let mut text = String::new();
    let read =
        std::fs::File::open(&path).and_then(|file| file.take(LIMIT + 1).read_to_string(&mut text));
    if let Err(source) = read {
        return Err(ProjectError::Read { path, source });
    }
    if text.len() as u64 > LIMIT {
        return Err(ProjectError::TooLong { path });
    }
    let mut settings: Value = toml::from_str(&text).map_err(|error| ProjectError::Syntax {
        path,
        reason: error.message().to_owned() + &line_of(&text, error.span()),
    })?;
    if let Some(model) = settings.get_mut("model") {
        make_absolute(model, folder);
    }
    Ok(Some(settings))
}

fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let before = span.and_then(|span| text.get(..span.start));
    before.map_or_else(String::new, |before| {
        format!(" in line {}", before.matches('\n').count() + 1)
    })
}

/// Resolves `./model` against the project, not against the server's directory.
fn make_absolute(model: &mut Value, folder: &Path) {
    if let Some(relative) = model.as_str().filter(|model| model.starts_with("./")) {
        *model = folder.join(&relative[2..]).to_string_lossy().into();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_projects_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        assert_eq!(read(folder.path()).unwrap(), None);
        let text =
            "method = \"norm\"\nlayers = [0, 3]\nmodel = \"./tiny\"\n[features]\nhover = false\n";
        fs::write(&file, text).unwrap();
        let model = folder.path().join("tiny");
        let expected = json!({
            "method": "norm",
            "layers": [0, 3],
            "model": model.to_str().unwrap(),
            "features": { "hover": false },
        });
        assert_eq!(read(folder.path()).unwrap(), Some(expected));
        fs::write(&file, "").unwrap();
        assert_eq!(read(folder.path()).unwrap(), Some(json!({})));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        for (bytes, part) in [
            (b"method = \"cls\"\nheads = = 1\n".to_vec(), "line 2"),
            (b"method = \"\xff\"".to_vec(), "UTF-8"),
            (vec![b'#'; 70_000], "64 KiB"),
        ] {
            fs::write(&file, bytes).unwrap();
            let error = read(folder.path()).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(FILE), "{error}");
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
    }
}
