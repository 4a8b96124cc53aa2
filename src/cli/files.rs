//! Finds and reads input files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::text::document::{Document, TextError};
use crate::text::language::{Language, file_language_id, script_language_id};

/// The default of `--max-bytes`. Larger files are errors.
pub(super) const DEFAULT_MAX_BYTES: u64 = 16 << 20;

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: no such file; check the path, or write - for standard input", path.display())]
    Missing { path: PathBuf },
    #[error("{}: no source files in this directory, apart from ignored ones; name a file", path.display())]
    NoSources { path: PathBuf },
    #[error("{}: is a directory; name a file in it", path.display())]
    Directory { path: PathBuf },
    #[error("{}: larger than {max_bytes} bytes; raise --max-bytes to read it", path.display())]
    TooLarge { path: PathBuf, max_bytes: u64 },
    #[error("{}: {source}", path.display())]
    Text { path: PathBuf, source: TextError },
    #[error("{source}")]
    Walk { source: ignore::Error },
}

/// One thing to analyze.
#[derive(Clone, Debug)]
pub(super) enum Input {
    Stdin,
    File(PathBuf),
}

impl Input {
    pub(super) fn from_path(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            Self::Stdin
        } else {
            Self::File(path.to_owned())
        }
    }

    /// The name in reports: the path as given, or `-`.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Reads at most `max_bytes`. A pipe that was named, as by `<(git show HEAD:a.py)`, is read to its end.
    pub(super) fn read(&self, max_bytes: u64) -> Result<Document, InputError> {
        let (path, bytes) = match self {
            Self::Stdin => {
                let path = PathBuf::from("-");
                let bytes = read_limited(io::stdin().lock(), &path, max_bytes)?;
                (path, bytes)
            }
            Self::File(path) => {
                let at = |source| InputError::Io {
                    path: path.clone(),
                    source,
                };
                let metadata = fs::metadata(path).map_err(|source| missing(path, source))?;
                if metadata.is_dir() {
                    return Err(InputError::Directory { path: path.clone() });
                }
                let file = File::open(path).map_err(at)?;
                (path.clone(), read_limited(file, path, max_bytes)?)
            }
        };
        match Document::from_bytes(bytes) {
            Ok(document) => {
                let language = Language::of_file(&path).or_else(|| {
                    let first_line = document.text().lines().next()?;
                    Language::from_id(script_language_id(first_line)?)
                });
                Ok(document.with_language(language))
            }
            Err(source) => Err(InputError::Text { path, source }),
        }
    }
}

fn missing(path: &Path, source: io::Error) -> InputError {
    let path = path.to_owned();
    if source.kind() == io::ErrorKind::NotFound {
        InputError::Missing { path }
    } else {
        InputError::Io { path, source }
    }
}

fn read_limited(reader: impl Read, path: &Path, max_bytes: u64) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::new();
    let path = path.to_owned();
    match reader
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
    {
        Ok(n) if n as u64 > max_bytes => Err(InputError::TooLarge { path, max_bytes }),
        Ok(_) => Ok(bytes),
        Err(source) => Err(InputError::Io { path, source }),
    }
}

/// The files that are meant: files as named, and of directories the source files and scripts that `.gitignore` does not leave
/// out, in order of their paths.
pub(super) fn expand(paths: &[PathBuf]) -> Vec<Result<Input, InputError>> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut inputs);
        } else {
            inputs.push(Ok(Input::from_path(path)));
        }
    }
    inputs
}

/// Whether a file's name or, if it has no extension, its first line says that it is source code.
fn is_source(path: &Path) -> bool {
    file_language_id(path).is_some() || path.extension().is_none() && is_script(path)
}

fn is_script(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(256).read_to_end(&mut start));
    let first_line = start.split(|&byte| byte == b'\n').next();
    let first_line = first_line.and_then(|line| std::str::from_utf8(line).ok());
    read.is_ok() && first_line.is_some_and(|line| script_language_id(line).is_some())
}

/// The walker's message for a system's error names the path twice.
fn walk_error(error: ignore::Error) -> InputError {
    let kind = error.io_error().map(io::Error::kind);
    match (kind, path_of(&error)) {
        (Some(kind), Some(path)) => InputError::Io {
            path: path.to_owned(),
            source: kind.into(),
        },
        _ => InputError::Walk { source: error },
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        _ => None,
    }
}

fn walk(folder: &Path, inputs: &mut Vec<Result<Input, InputError>>) {
    let walk = WalkBuilder::new(folder)
        .require_git(false)
        .sort_by_file_path(Path::cmp)
        .build();
    let before = inputs.len();
    for entry in walk {
        match entry {
            Ok(entry) => {
                let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
                if is_file && is_source(entry.path()) {
                    inputs.push(Ok(Input::File(entry.into_path())));
                }
            }
            Err(error) => inputs.push(Err(walk_error(error))),
        }
    }
    if inputs.len() == before {
        inputs.push(Err(InputError::NoSources {
            path: folder.to_owned(),
        }));
    }
}
