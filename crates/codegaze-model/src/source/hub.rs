//! A model from the Hugging Face hub, through the cache that its other clients share.
//!
//! `hf-hub` gives the cache's layout and the names of repositories. The requests are ours (see `client.rs`): hf-hub 0.5 has no timeouts, hands the token on
//! to the CDN that the hub redirects to, and takes a file for complete whose transfer broke off.

mod cache;
mod client;
pub(crate) mod error;
mod reference;
mod transfer;

pub use cache::{CachedModel, list_cached};
pub use error::HubError;

use super::files::ModelFiles;
use super::folder::Folder;
use super::layout::{self, CONFIG, Layout};
use super::options::{DownloadProgress, HubOptions};
use crate::LoadError;
use crate::file::ModelFile;
use crate::roberta::RobertaConfig;
use crate::tokenizer::Tokenizer;
use cache::CacheFolder;
use client::Client;
use reference::ModelRef;
use transfer::fetch;

/// The model's files from the cache, without a network request if they are all there; else as [`download`].
pub(super) fn resolve(
    id: &str,
    revision: Option<&str>,
    options: &HubOptions,
    progress: &dyn DownloadProgress,
) -> Result<ModelFiles, LoadError> {
    let model = ModelRef::new(id, revision);
    match CacheFolder::new(model, options).files() {
        Ok(files) => Ok(files),
        Err(missing) if options.offline => Err(offline(model, missing, options).into()),
        Err(_) => download(id, revision, options, progress),
    }
}

/// Brings what is missing of the revision's current commit into the cache: the configuration, then the tokenizer, then the weights.
/// Each is checked before the next is requested, so that a model which codegaze does not support is not downloaded whole.
pub(super) fn download(
    id: &str,
    revision: Option<&str>,
    options: &HubOptions,
    progress: &dyn DownloadProgress,
) -> Result<ModelFiles, LoadError> {
    let model = ModelRef::new(id, revision);
    let folder = CacheFolder::new(model, options);
    if options.offline {
        return Ok(folder
            .files()
            .map_err(|missing| offline(model, missing, options))?);
    }

    let client = Client::new(model, options)?;
    let listing = client.listing(progress)?;
    let listed = Folder::of_names(&listing.files);
    let commit = listing.commit.as_str();
    let snapshot = folder.snapshot(commit);
    if listed.has(CONFIG) {
        fetch(&client, &folder, commit, CONFIG, progress)?;
        let file = ModelFile::open_path(&snapshot.join(CONFIG))?;
        let bytes = file.read_all(CONFIG, crate::MAX_CONFIG_BYTES)?;
        RobertaConfig::parse(&bytes, &file.name)?;
    }
    let layout = Layout::choose(&listed).map_err(|missing| HubError::Incomplete {
        model: model.to_string(),
        missing,
        has: error::excerpt(&listing.files),
    })?;
    for file in layout.tokenizer() {
        fetch(&client, &folder, commit, file, progress)?;
    }
    let files = layout.files(id.to_owned(), Some(commit.to_owned()), &snapshot);
    Tokenizer::load(&files.tokenizer, &files.tokenizer_settings)?;

    fetch(&client, &folder, commit, layout.weights(), progress)?;
    if let Some(index) = layout.index() {
        let path = snapshot.join(index);
        let shards = layout::shards(&path).map_err(|cause| HubError::Index {
            path: path.clone(),
            cause,
        })?;
        for shard in shards {
            if !listed.has(&shard) {
                let cause = format!("{model} has no {shard}, which it names");
                return Err(HubError::Index { path, cause }.into());
            }
            fetch(&client, &folder, commit, &shard, progress)?;
        }
    }
    // Last: a program that finds the reference finds the whole model.
    folder.set_commit(commit)?;
    Ok(files)
}

fn offline(model: ModelRef, missing: String, options: &HubOptions) -> HubError {
    HubError::Offline {
        model: model.to_string(),
        cache: options.cache.clone(),
        missing,
    }
}
