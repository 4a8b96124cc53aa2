//! One file from the hub into the cache, continued where an earlier transfer broke off.
//!
//! A file appears under its name only once it is whole: it grows as `blobs/<etag>.incomplete`, is compared with its announced size and SHA-256, and is
//! then renamed and linked.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use ureq::http::StatusCode;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE};

use super::cache::CacheFolder;
use super::client::{self, Client, RemoteFile};
use super::error::HubError;
use crate::source::options::DownloadProgress;

const BUFFER: usize = 64 << 10;

/// Downloads `file` unless the commit's snapshot has it.
pub(super) fn fetch(
    client: &Client,
    folder: &CacheFolder,
    commit: &str,
    file: &str,
    progress: &dyn DownloadProgress,
) -> Result<(), HubError> {
    if folder.snapshot(commit).join(file).is_file() {
        return Ok(());
    }
    let remote = client.look_up(commit, file, progress)?;
    let lock = folder.lock(&remote.etag, progress)?;
    let blob = folder.blob(&remote.etag);
    let is_whole = fs::metadata(&blob)
        .is_ok_and(|blob| blob.is_file() && remote.size.is_none_or(|size| size == blob.len()));
    if !is_whole {
        let partial = Partial::open(lock.partial.clone(), remote.sha256().is_some())?;
        let transfer = Transfer {
            client,
            remote: &remote,
            file,
            progress,
        };
        transfer.run(partial, &blob)?;
    }
    folder.link(commit, file, &remote.etag)?;
    drop(lock);
    Ok(())
}

struct Transfer<'a> {
    client: &'a Client<'a>,
    remote: &'a RemoteFile,
    file: &'a str,
    progress: &'a dyn DownloadProgress,
}

impl Transfer<'_> {
    /// Completes the partial file and renames it to `blob`. Keeps it for the next run, unless its content is wrong or the disk is full.
    fn run(&self, mut partial: Partial, blob: &Path) -> Result<(), HubError> {
        let result = self.complete(&mut partial);
        match &result {
            Err(HubError::Size { .. } | HubError::Content { .. } | HubError::DiskFull { .. }) => {
                partial.remove();
            }
            Err(_) => {}
            Ok(()) => {
                partial.rename(blob)?;
                self.progress.finish(self.file);
            }
        }
        result
    }

    fn complete(&self, partial: &mut Partial) -> Result<(), HubError> {
        let mut is_continued = partial.len > 0;
        let mut may_restart = true;
        // A server that cannot continue starts over at each attempt: only more than ever before counts as progress.
        let mut furthest = partial.len;
        let mut failures = 0;
        loop {
            let result = self.attempt(partial).and_then(|()| self.check(partial));
            let error = match result {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if partial.len > furthest {
                furthest = partial.len;
                failures = 0;
            }
            match &error {
                // The earlier transfer's bytes may be at fault: once more without them.
                HubError::Content { .. } | HubError::Size { .. } if is_continued && may_restart => {
                    partial.restart()?;
                    is_continued = false;
                    may_restart = false;
                    continue;
                }
                // Unreachable, though it has just been reached.
                HubError::Unreachable { .. } => {}
                error if error.is_transient() => {}
                _ => return Err(error),
            }
            if failures >= self.client.options.retries {
                return Err(error);
            }
            tracing::debug!(%error, file = self.file, at = partial.len, "trying again");
            self.client.pause(failures, self.progress)?;
            failures += 1;
            is_continued |= partial.len > 0;
        }
    }

    /// Requests what is missing and appends it.
    fn attempt(&self, partial: &mut Partial) -> Result<(), HubError> {
        let url = &self.remote.url;
        if self.remote.size.is_some_and(|size| partial.len > size) {
            partial.restart()?;
        }
        if self.remote.size == Some(partial.len) {
            self.progress.init(self.file, partial.len, partial.len);
            return Ok(());
        }

        let response = self.client.content(url, partial.len)?;
        let range =
            client::text(response.headers(), CONTENT_RANGE.as_str()).and_then(ContentRange::parse);
        match response.status() {
            StatusCode::PARTIAL_CONTENT
                if range.is_some_and(|range| range.start == partial.len) => {}
            // Another range, none at all, or a server that knows no ranges and sends everything: from the beginning.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                partial.restart()?;
                return Err(HubError::Interrupted {
                    url: url.clone(),
                    cause: "it did not send the requested range".to_owned(),
                });
            }
            _ => partial.restart()?,
        }

        // What the hub announced, and else this answer; both must agree.
        let length: Option<u64> = client::text(response.headers(), CONTENT_LENGTH.as_str())
            .and_then(|length| length.parse().ok());
        let found = range
            .and_then(|range| range.total)
            .filter(|_| response.status() == StatusCode::PARTIAL_CONTENT)
            .or_else(|| Some(partial.len + length?));
        let size = match (self.remote.size, found) {
            (Some(expected), Some(found)) if expected != found => {
                return Err(HubError::Size {
                    url: url.clone(),
                    expected,
                    found,
                });
            }
            (Some(size), _) | (None, Some(size)) => size,
            (None, None) => {
                return Err(HubError::Protocol {
                    url: url.clone(),
                    cause: "it does not say how long the file is".to_owned(),
                });
            }
        };

        self.progress.init(self.file, size, partial.len);
        let mut reader = response.into_body().into_reader();
        let mut buffer = vec![0; BUFFER];
        loop {
            if self.progress.is_cancelled() {
                return Err(HubError::Cancelled);
            }
            let n_read = match reader.read(&mut buffer) {
                Ok(n_read) => n_read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.client.body_error(url, &error)),
            };
            if n_read == 0 {
                break;
            }
            partial.append(&buffer[..n_read])?;
            if partial.len > size {
                break;
            }
            self.progress.update(partial.len);
        }
        match partial.len {
            len if len == size => Ok(()),
            len if len > size => Err(HubError::Size {
                url: url.clone(),
                expected: size,
                found: len,
            }),
            len => Err(HubError::Interrupted {
                url: url.clone(),
                cause: format!("{len} of {size} bytes arrived"),
            }),
        }
    }

    fn check(&self, partial: &Partial) -> Result<(), HubError> {
        let Some(expected) = self.remote.sha256() else {
            return Ok(());
        };
        let found = partial.sha256();
        if found.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        Err(HubError::Content {
            url: self.remote.url.clone(),
            expected: expected.to_owned(),
            found,
        })
    }
}

/// A file on its way.
struct Partial {
    file: File,
    path: PathBuf,
    len: u64,
    hash: Sha256,
}

impl Partial {
    /// Opens the file where an earlier transfer left it; empty, if what it holds could not be verified in the end.
    fn open(path: PathBuf, verifiable: bool) -> Result<Self, HubError> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(!verifiable)
            .open(&path)
            .map_err(HubError::cache(&path))?;
        let mut hash = Sha256::new();
        // Leaves the file's position at its end.
        let len = file
            .metadata()
            .and_then(|metadata| io::copy(&mut (&mut file).take(metadata.len()), &mut hash))
            .map_err(HubError::cache(&path))?;
        Ok(Self {
            file,
            path,
            len,
            hash,
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), HubError> {
        self.file
            .write_all(bytes)
            .map_err(HubError::cache(&self.path))?;
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn restart(&mut self) -> Result<(), HubError> {
        if self.len == 0 {
            return Ok(());
        }
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(HubError::cache(&self.path))?;
        self.hash = Sha256::new();
        self.len = 0;
        Ok(())
    }

    fn sha256(&self) -> String {
        let digest = self.hash.clone().finalize();
        digest.iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn rename(self, blob: &Path) -> Result<(), HubError> {
        // The name must not outlive the content in a power failure.
        self.file.sync_all().map_err(HubError::cache(&self.path))?;
        drop(self.file);
        fs::rename(&self.path, blob).map_err(HubError::cache(blob))
    }

    fn remove(self) {
        drop(self.file);
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a partial file");
        }
    }
}

/// `bytes 100-199/200`; RFC 9110, 14.4.
#[derive(Clone, Copy)]
struct ContentRange {
    start: u64,
    total: Option<u64>,
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (start, _) = range.split_once('-')?;
        Some(Self {
            start: start.parse().ok()?,
            total: total.parse().ok(),
        })
    }
}
