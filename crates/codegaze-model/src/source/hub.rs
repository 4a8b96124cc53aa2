//! A model from the Hugging Face hub, through the cache that its other clients share.
//!
//! `hf-hub` gives the cache's layout and the names of repositories. The requests are ours (see `client.rs`): hf-hub 0.5 has no timeouts, hands the token on
//! to the CDN that the hub redirects to, and takes a file for complete whose transfer broke off.

mod cache;
mod client;
pub(crate) mod error;
mod reference;
mod transfer;

use std::collections::HashSet;

pub use cache::{CachedModel, list_cached};
pub use error::HubError;

use super::files::ModelFiles;
use super::layout::{self, Layout};
use super::options::{DownloadProgress, HubOptions};
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
) -> Result<ModelFiles, HubError> {
    let model = ModelRef::new(id, revision);
    match CacheFolder::new(model, options).files() {
        Ok(files) => Ok(files),
        Err(missing) if options.offline => Err(offline(model, missing, options)),
        Err(_) => download(id, revision, options, progress),
    }
}

/// Brings what is missing of the revision's current commit into the cache.
pub(super) fn download(
    id: &str,
    revision: Option<&str>,
    options: &HubOptions,
    progress: &dyn DownloadProgress,
) -> Result<ModelFiles, HubError> {
    let model = ModelRef::new(id, revision);
    let folder = CacheFolder::new(model, options);
    if options.offline {
        return folder
            .files()
            .map_err(|missing| offline(model, missing, options));
    }

    let client = Client::new(model, options)?;
    let listing = client.listing(progress)?;
    let names: HashSet<&str> = listing.files.iter().map(String::as_str).collect();
    let layout =
        Layout::choose(|name| names.contains(name)).map_err(|missing| HubError::Incomplete {
            model: model.to_string(),
            missing,
            has: error::excerpt(&listing.files),
        })?;

    let commit = listing.commit.as_str();
    for file in layout.names() {
        fetch(&client, &folder, commit, file, progress)?;
    }
    if let Some(index) = layout.index() {
        let path = folder.snapshot(commit).join(index);
        let shards = layout::shards(&path).map_err(|cause| HubError::Index {
            path: path.clone(),
            cause,
        })?;
        for shard in shards {
            if !names.contains(shard.as_str()) {
                let cause = format!("{model} has no {shard}, which it names");
                return Err(HubError::Index { path, cause });
            }
            fetch(&client, &folder, commit, &shard, progress)?;
        }
    }
    // Last: whoever finds the reference finds the whole model.
    folder.set_commit(commit)?;
    Ok(layout.files(
        id.to_owned(),
        Some(commit.to_owned()),
        &folder.snapshot(commit),
    ))
}

fn offline(model: ModelRef, missing: String, options: &HubOptions) -> HubError {
    HubError::Offline {
        model: model.to_string(),
        cache: options.cache.clone(),
        missing,
    }
}
