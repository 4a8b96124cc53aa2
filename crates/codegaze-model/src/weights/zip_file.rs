//! The zip file that holds the tensors of a `pytorch_model.bin`.

use std::io::{self, BufReader, Read};

use zip::{ZipArchive, result::ZipError};

use crate::LoadError;
use crate::file::ModelFile;

/// Runs `read` on the decompressed content of an entry.
pub(super) fn with_entry<T>(
    file: &ModelFile,
    entry: usize,
    read: impl FnOnce(&mut dyn Read) -> T,
) -> Result<T, LoadError> {
    let mut archive = open(file)?;
    let mut content = archive
        .by_index(entry)
        .map_err(|error| zip_error(file, error.to_string()))?;
    Ok(read(&mut content))
}

pub(super) fn open(
    file: &ModelFile,
) -> Result<ZipArchive<BufReader<impl Read + io::Seek + '_>>, LoadError> {
    ZipArchive::new(BufReader::new(file.reader(0))).map_err(|error| match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            file.read_error(error)
        }
        error => zip_error(file, format!("{error}; it may be truncated")),
    })
}

pub(super) fn zip_error(file: &ModelFile, cause: String) -> LoadError {
    LoadError::Malformed {
        file: file.name.clone(),
        format: "a zip written by torch.save",
        cause,
    }
}
