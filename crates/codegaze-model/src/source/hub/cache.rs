//! The cache on disk, as Python's `huggingface_hub` lays it out, so that each finds what the other fetched:
//!
//! ```text
//! models--owner--name/blobs/<etag>                      contents
//!                     snapshots/<commit>/config.json    symbolic links to them
//!                     refs/main                         the commit of a branch or tag
//! .locks/models--owner--name/<etag>.lock                held while a blob is written
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use hf_hub::{Cache, CacheRepo};

use super::error::HubError;
use super::reference::ModelRef;
use crate::source::files::ModelFiles;
use crate::source::folder::Folder;
use crate::source::layout::{self, Layout};
use crate::source::names::is_hub_id;
use crate::source::options::{DownloadProgress, HubOptions};

/// How long a lock's holder may bring no new byte.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);
const LOCK_POLL: Duration = Duration::from_millis(50);

/// How many commits a message lists.
const MAX_LISTED: usize = 5;

/// One model's folder in the cache.
#[derive(Debug)]
pub(super) struct CacheFolder<'a> {
    model: ModelRef<'a>,
    repo: CacheRepo,
    /// `models--owner--name`
    root: PathBuf,
    locks: PathBuf,
}

impl<'a> CacheFolder<'a> {
    pub(super) fn new(model: ModelRef<'a>, options: &HubOptions) -> Self {
        let repo = model.repo();
        let name = repo.folder_name();
        Self {
            model,
            root: options.cache.join(&name),
            locks: options.cache.join(".locks").join(name),
            repo: Cache::new(options.cache.clone()).repo(repo),
        }
    }

    /// The model's files, if they are all there; else what is missing, to read on after "which has".
    pub(super) fn files(&self) -> Result<ModelFiles, String> {
        let Some(commit) = self.commit() else {
            return Err(self.without_ref());
        };
        let dir = self.snapshot(&commit);
        let layout = check(&dir)?;
        Ok(layout.files(self.model.id.to_owned(), Some(commit), &dir))
    }

    /// What to say where the cache does not know the revision's commit: a cache that was copied without `refs/`, or filled by
    /// commit, may still have the model.
    fn without_ref(&self) -> String {
        let revision = self.model.revision;
        let commits = names(&self.root.join("snapshots")).unwrap_or_default();
        let whole = commits
            .into_iter()
            .filter(|commit| check(&self.snapshot(commit)).is_ok());
        let mut whole: Vec<String> = whole.collect();
        whole.sort_unstable();
        let Some(first) = whole.first() else {
            return format!("nothing of revision {revision:?}");
        };
        let id = self.model.id;
        let (what, name) = match whole.len() {
            1 => ("commit", "it"),
            _ => ("commits", "one"),
        };
        let more = match whole.len().saturating_sub(MAX_LISTED) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let listed = whole[..whole.len().min(MAX_LISTED)].join(", ");
        format!(
            "{what} {listed}{more}, but not which commit revision {revision:?} stands for (name {name}: {id}@{first})"
        )
    }

    /// The commit that the revision stood for when it was last fetched.
    fn commit(&self) -> Option<String> {
        if is_commit(self.model.revision) {
            return Some(self.model.revision.to_owned());
        }
        read_ref(&self.root.join("refs").join(self.model.revision))
    }

    /// Notes the commit that the revision stands for.
    pub(super) fn set_commit(&self, commit: &str) -> Result<(), HubError> {
        if self.commit().as_deref() == Some(commit) {
            return Ok(());
        }
        self.repo
            .create_ref(commit)
            .map_err(HubError::cache(&self.root.join("refs")))
    }

    /// The directory of a commit's files.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.repo.pointer_path(commit)
    }

    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.repo.blob_path(etag)
    }

    /// Waits for the right to write a blob, as long as its present holder makes progress.
    pub(super) fn lock(
        &self,
        etag: &str,
        progress: &dyn DownloadProgress,
    ) -> Result<BlobLock, HubError> {
        let path = self.locks.join(format!("{etag}.lock"));
        let blobs = self.root.join("blobs");
        for dir in [&self.locks, &blobs] {
            fs::create_dir_all(dir).map_err(HubError::cache(dir))?;
        }
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(HubError::cache(&path))?;

        let partial = self.blob(&format!("{etag}.incomplete"));
        let size = || fs::metadata(&partial).map_or(0, |metadata| metadata.len());
        let mut seen = (size(), Instant::now());
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    return Ok(BlobLock {
                        _file: lock,
                        partial,
                    });
                }
                // Some network file systems have no locks: a file of our own cannot be continued, but no other process writes to it.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    let own = format!("{etag}.{}.incomplete", std::process::id());
                    return Ok(BlobLock {
                        _file: lock,
                        partial: self.blob(&own),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(HubError::cache(&path)(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            if progress.is_cancelled() {
                return Err(HubError::Cancelled);
            }
            let now = size();
            if now != seen.0 {
                seen = (now, Instant::now());
            } else if seen.1.elapsed() > LOCK_PATIENCE {
                let after = LOCK_PATIENCE;
                return Err(HubError::Locked { path, after });
            }
            thread::sleep(LOCK_POLL);
        }
    }

    /// Makes a whole blob a file of the commit.
    pub(super) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<(), HubError> {
        let dir = self.snapshot(commit);
        let pointer = dir.join(file);
        fs::create_dir_all(&dir).map_err(HubError::cache(&dir))?;
        // A link whose blob was removed.
        if pointer.is_symlink() && !pointer.exists() {
            fs::remove_file(&pointer).map_err(HubError::cache(&pointer))?;
        }
        // Files lie directly in the snapshot: two levels below the model's folder.
        let target = Path::new("..").join("..").join("blobs").join(etag);
        match symlink(&target, &pointer) {
            Ok(()) => Ok(()),
            Err(_) if pointer.exists() => Ok(()),
            // No symbolic links here (Windows, without the right to make them): huggingface_hub moves the blob, too.
            Err(_) => fs::rename(self.blob(etag), &pointer).map_err(HubError::cache(&pointer)),
        }
    }
}

/// The right to write a blob; ends when dropped, or when the process does.
pub(super) struct BlobLock {
    _file: File,
    /// Where the blob grows until it is whole.
    pub(super) partial: PathBuf,
}

#[cfg(unix)]
fn symlink(target: &Path, pointer: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, pointer)
}

#[cfg(windows)]
fn symlink(target: &Path, pointer: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, pointer)
}

#[cfg(not(any(unix, windows)))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The layout of a snapshot that holds a whole model; else what is missing.
fn check(dir: &Path) -> Result<Layout, String> {
    let layout =
        Layout::choose(&Folder::of_directory(dir)).map_err(|missing| missing.to_string())?;
    if let Some(index) = layout.index() {
        let shards = layout::shards(&dir.join(index))
            .map_err(|cause| format!("an {index} that cannot be used ({cause})"))?;
        if let Some(shard) = shards.iter().find(|shard| !dir.join(shard).is_file()) {
            return Err(format!("no {shard}, which {index} names"));
        }
    }
    Ok(layout)
}

/// What may name a commit and become a directory: a whole hash, or what a mirror without git has in its place.
pub(super) fn is_commit_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A whole commit, not the beginning of one.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn read_ref(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let commit = text.trim();
    is_commit_name(commit).then(|| commit.to_owned())
}

/// One commit of a model in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedModel {
    /// `owner/name`
    pub id: String,
    /// `None` when no file of the model is whole yet.
    pub commit: Option<String>,
    /// The branches and tags that stood for this commit when they were last fetched.
    pub refs: Vec<String>,
    /// Bytes of its files, links followed; before the first commit, the bytes that have arrived.
    pub bytes: u64,
    /// What the model lacks to be loaded, to read on after "it has"; `None` when it is complete.
    pub missing: Option<String>,
    /// The directory of its files.
    pub path: PathBuf,
}

/// The models in the cache by id and commit. A cache that is not there yet is empty.
///
/// # Errors
///
/// [`HubError::Cache`] when the cache cannot be listed.
pub fn list_cached(options: &HubOptions) -> Result<Vec<CachedModel>, HubError> {
    let mut models = Vec::new();
    for name in names(&options.cache).map_err(HubError::cache(&options.cache))? {
        let Some(id) = name.strip_prefix("models--") else {
            continue;
        };
        let id = id.replace("--", "/");
        if !is_hub_id(&id) {
            continue;
        }
        let root = options.cache.join(&name);
        let mut refs = Vec::new();
        collect_refs(&root.join("refs"), "", &mut refs);
        refs.sort();

        let snapshots = root.join("snapshots");
        let commits = names(&snapshots).map_err(HubError::cache(&snapshots))?;
        for commit in &commits {
            let path = snapshots.join(commit);
            let refs = refs.iter().filter(|(_, target)| target == commit);
            models.push(CachedModel {
                id: id.clone(),
                commit: Some(commit.clone()),
                refs: refs.map(|(name, _)| name.clone()).collect(),
                bytes: size(&path),
                missing: check(&path).err(),
                path,
            });
        }
        if commits.is_empty() {
            models.push(CachedModel {
                id,
                commit: None,
                refs: Vec::new(),
                bytes: size(&root.join("blobs")),
                missing: Some("no whole file yet".to_owned()),
                path: root,
            });
        }
    }
    Ok(models)
}

/// The names in a directory, in order; an empty list if the directory does not exist.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// The bytes of a directory's own files, links followed.
fn size(dir: &Path) -> u64 {
    let names = names(dir).unwrap_or_default();
    let sizes = names.iter().map(|name| match fs::metadata(dir.join(name)) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        _ => 0,
    });
    sizes.sum()
}

/// Reads `refs/`, where `refs/pr/1` is a directory within a directory, as (name, commit).
fn collect_refs(dir: &Path, prefix: &str, refs: &mut Vec<(String, String)>) {
    for name in names(dir).unwrap_or_default() {
        let path = dir.join(&name);
        let name = format!("{prefix}{name}");
        if let Some(commit) = read_ref(&path) {
            refs.push((name, commit));
        } else if path.is_dir() && !path.is_symlink() {
            collect_refs(&path, &format!("{name}/"), refs);
        }
    }
}
