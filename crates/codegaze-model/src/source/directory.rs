//! A model in a local directory.

use std::fs;
use std::io;
use std::path::Path;

use super::error::SourceError;
use super::files::ModelFiles;
use super::layout::Layout;

pub(super) fn files(dir: &Path) -> Result<ModelFiles, SourceError> {
    // Tells a directory that does not exist from one that may not be read.
    fs::read_dir(dir).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SourceError::NoDirectory { path: dir.into() },
        _ => SourceError::Unreadable {
            path: dir.into(),
            source,
        },
    })?;
    let layout = Layout::choose(|name| dir.join(name).is_file()).map_err(|missing| {
        SourceError::Incomplete {
            path: dir.into(),
            missing,
        }
    })?;
    Ok(layout.files(dir.display().to_string(), None, dir))
}
