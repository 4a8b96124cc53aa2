//! A model in a local directory, or in one file of it.

use std::fs;
use std::io;
use std::path::Path;

use super::error::SourceError;
use super::files::{ModelFiles, WeightFiles};
use super::folder::Folder;
use super::layout::{CONFIG, Layout, TokenizerLayout, WeightsLayout};
use super::missing::Missing;
use crate::LoadError;
use crate::file::{Blob, ModelFile};
use crate::roberta::RobertaConfig;

/// The files of the model at `path`: a directory, or a file of weights whose directory has the rest.
pub(super) fn files(path: &Path) -> Result<ModelFiles, LoadError> {
    let (dir, file) = split(path)?;
    let folder = Folder::of_directory(dir);
    let id = path.display().to_string();
    if let Some(weights) = file {
        let incomplete = |missing| incomplete(dir, missing);
        if !folder.has(CONFIG) {
            return Err(incomplete(Missing::new(
                super::missing::Part::Config,
                &folder,
            )));
        }
        let tokenizer = TokenizerLayout::choose(&folder).map_err(incomplete)?;
        let (tokenizer, tokenizer_settings) = tokenizer.files(dir);
        return Ok(ModelFiles {
            id,
            revision: None,
            config: Blob::Path(dir.join(CONFIG)),
            tokenizer,
            tokenizer_settings,
            weights,
        });
    }
    let layout = Layout::choose(&folder).map_err(|missing| {
        // A model of another type does not need the files that are missing.
        other_type(dir).unwrap_or_else(|| incomplete(dir, missing))
    })?;
    Ok(layout.files(id, None, dir))
}

/// As [`files`], with what is missing beside the weights from another model.
pub(super) fn files_on_base(path: &Path, base: ModelFiles) -> Result<ModelFiles, LoadError> {
    let (dir, file) = split(path)?;
    let folder = Folder::of_directory(dir);
    let weights = match file {
        Some(weights) => weights,
        None => WeightsLayout::choose(&folder)
            .map_err(|missing| incomplete(dir, missing))?
            .files(dir),
    };
    let config = if folder.has(CONFIG) {
        Blob::Path(dir.join(CONFIG))
    } else {
        base.config
    };
    let (tokenizer, tokenizer_settings) = match TokenizerLayout::choose(&folder) {
        Ok(tokenizer) => tokenizer.files(dir),
        Err(_) => (base.tokenizer, base.tokenizer_settings),
    };
    Ok(ModelFiles {
        id: path.display().to_string(),
        revision: None,
        config,
        tokenizer,
        tokenizer_settings,
        weights,
    })
}

/// The directory, and the weights if `path` is a file.
fn split(path: &Path) -> Result<(&Path, Option<WeightFiles>), LoadError> {
    if path.is_file() {
        let weights = WeightFiles::Single(Blob::Path(path.to_owned()));
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        return Ok((dir.unwrap_or(Path::new(".")), Some(weights)));
    }
    // Tells a directory that does not exist from one that may not be read.
    fs::read_dir(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SourceError::NoDirectory { path: path.into() },
        _ => SourceError::Unreadable {
            path: path.into(),
            source,
        },
    })?;
    Ok((path, None))
}

fn incomplete(dir: &Path, missing: Missing) -> LoadError {
    LoadError::Source(SourceError::Incomplete {
        path: dir.into(),
        missing,
    })
}

/// What `config.json` says against the model, if it can be read.
fn other_type(dir: &Path) -> Option<LoadError> {
    let file = ModelFile::open_path(&dir.join(CONFIG)).ok()?;
    let bytes = file.read_all(CONFIG, crate::MAX_CONFIG_BYTES).ok()?;
    match RobertaConfig::parse(&bytes, &file.name) {
        Err(error @ (LoadError::ModelType { .. } | LoadError::Config { .. })) => Some(error),
        _ => None,
    }
}
