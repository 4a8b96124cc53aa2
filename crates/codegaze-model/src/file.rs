//! Random access to one of a model's files, on disk or in the binary.
//!
//! Never mapped into memory: mapped pages would count as resident beside the widened weights.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::LoadError;

/// Where one file is: on disk, or in the binary.
#[derive(Clone, Debug)]
pub enum Blob {
    /// A file on disk.
    Path(PathBuf),
    /// A file that was compiled into the binary.
    Embedded {
        /// The name that messages show.
        name: &'static str,
        /// The content.
        bytes: &'static [u8],
    },
}

impl Blob {
    /// The file's name, without its directory.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Path(path) => path.file_name().unwrap_or_default().to_string_lossy(),
            Self::Embedded { name, .. } => Cow::Borrowed(name),
        }
    }

    /// The whole content of a file of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// When it is larger, cannot be read, or is not a regular file.
    pub fn read(&self, limit: u64) -> Result<Vec<u8>, LoadError> {
        ModelFile::open(self)?.read_all("file of a model", limit)
    }
}

#[derive(Debug)]
pub(super) struct ModelFile {
    /// As shown in messages: the path, or the embedded file's name.
    pub(super) name: String,
    /// Length in bytes when it was opened.
    pub(super) len: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Disk(Mutex<File>),
    Embedded(&'static [u8]),
}

impl ModelFile {
    pub(super) fn open(blob: &Blob) -> Result<Self, LoadError> {
        match blob {
            Blob::Path(path) => Self::open_path(path),
            Blob::Embedded { name, bytes } => Ok(Self {
                name: (*name).to_owned(),
                len: bytes.len() as u64,
                content: Content::Embedded(bytes),
            }),
        }
    }

    pub(super) fn open_path(path: &Path) -> Result<Self, LoadError> {
        let failed = |source| LoadError::Read {
            path: path.to_owned(),
            source,
        };
        // Before the file is opened, because opening a FIFO would wait for its writer.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is not a regular file")));
        }
        let file = File::open(path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        Ok(Self {
            name: path.display().to_string(),
            len,
            content: Content::Disk(Mutex::new(file)),
        })
    }

    /// The whole content of a small file.
    pub(super) fn read_all(
        &self,
        expected: &'static str,
        limit: u64,
    ) -> Result<Vec<u8>, LoadError> {
        if self.len > limit {
            return Err(LoadError::TooLarge {
                file: self.name.clone(),
                expected,
                len: self.len,
                limit,
            });
        }
        self.read_vec(0, self.len)
    }

    /// `len` bytes from `offset`. Allocates only what the file can fill.
    pub(super) fn read_vec(&self, offset: u64, len: u64) -> Result<Vec<u8>, LoadError> {
        let needed = offset.saturating_add(len);
        match usize::try_from(len) {
            Ok(len) if needed <= self.len => {
                let mut bytes = vec![0; len];
                self.reader(offset)
                    .read_exact(&mut bytes)
                    .map_err(|error| self.read_error(error))?;
                Ok(bytes)
            }
            _ => Err(LoadError::Truncated {
                file: self.name.clone(),
                needed,
                len: self.len,
            }),
        }
    }

    /// Up to `len` bytes of the beginning, to tell what the file is.
    pub(super) fn head(&self, len: u64) -> Result<Vec<u8>, LoadError> {
        self.read_vec(0, len.min(self.len))
    }

    pub(super) fn reader(&self, position: u64) -> FileReader<'_> {
        FileReader {
            file: self,
            position,
        }
    }

    pub(super) fn read_error(&self, source: io::Error) -> LoadError {
        LoadError::Read {
            path: PathBuf::from(&self.name),
            source,
        }
    }

    /// What the file is by its first bytes, for the usual mix-ups.
    pub(super) fn recognize(&self) -> Result<Option<Kind>, LoadError> {
        let head = self.head(64)?;
        let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let text = text.trim_start_matches('\u{feff}').trim_start();
        Ok(if head.is_empty() {
            Some(Kind::Empty)
        } else if text.starts_with("version https://git-lfs") {
            Some(Kind::LfsPointer)
        } else if text.starts_with("<!doctype") || text.starts_with("<html") {
            Some(Kind::HtmlPage)
        } else if head.starts_with(b"GGUF") {
            Some(Kind::Gguf)
        } else if head.starts_with(b"\x89HDF") {
            Some(Kind::Hdf5)
        } else if head.starts_with(b"PK\x03\x04") {
            Some(Kind::Zip)
        } else if head.get(8) == Some(&b'{') && head[4..8] == [0; 4] {
            Some(Kind::Safetensors)
        } else if text.starts_with('{') {
            Some(Kind::Json)
        } else {
            None
        })
    }

    /// Why a file of a wrong kind was refused.
    pub(super) fn wrong_content(&self, expected: &'static str) -> LoadError {
        let (found, hint) = match self.recognize() {
            Err(error) => return error,
            Ok(Some(kind)) => {
                let (found, hint) = kind.describe();
                (found.to_owned(), hint)
            }
            Ok(None) => {
                let head = self.head(8).unwrap_or_default();
                let bytes: Vec<String> = head.iter().map(|b| format!("{b:02x}")).collect();
                (
                    format!("something that begins with the bytes {}", bytes.join(" ")),
                    "download it again",
                )
            }
        };
        LoadError::WrongContent {
            file: self.name.clone(),
            found,
            expected,
            hint,
        }
    }
}

/// What a file may be instead of what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Empty,
    LfsPointer,
    HtmlPage,
    Gguf,
    Hdf5,
    Zip,
    Safetensors,
    Json,
}

impl Kind {
    /// What was found, and what to do.
    fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::Empty => ("empty", "download it again"),
            Self::LfsPointer => (
                "a Git LFS pointer",
                "run `git lfs pull` in its repository to get the file itself",
            ),
            Self::HtmlPage => (
                "an HTML page",
                "download the file itself, not the page that shows it",
            ),
            Self::Gguf => (
                "a GGUF file, which llama.cpp reads",
                "get the model's original weights",
            ),
            Self::Hdf5 => (
                "an HDF5 file, as TensorFlow writes it",
                "save the model from transformers with save_pretrained",
            ),
            Self::Zip => (
                "a zip archive",
                "if torch.save wrote it, call it pytorch_model.bin",
            ),
            Self::Safetensors => ("a safetensors file", "call it model.safetensors"),
            Self::Json => (
                "JSON text",
                "it may be a server's error message, look into it",
            ),
        }
    }
}

/// A position in a [`ModelFile`]; several may read at the same time.
#[derive(Debug)]
pub(super) struct FileReader<'f> {
    file: &'f ModelFile,
    position: u64,
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &self.file.content {
            Content::Disk(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(self.position))?;
                file.read(buffer)?
            }
            Content::Embedded(bytes) => {
                let start = usize::try_from(self.position).unwrap_or(usize::MAX);
                bytes.get(start..).unwrap_or_default().read(buffer)?
            }
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for FileReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(delta) => self.file.len.checked_add_signed(delta),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
