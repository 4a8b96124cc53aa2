//! Writes files that are complete or absent, never partial.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a temporary file in the same folder and renames it. Writes to a device, such as `/dev/stdout`, directly.
pub(crate) fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let is_special =
        fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    if is_special {
        let mut device = BufWriter::new(OpenOptions::new().write(true).open(path)?);
        write(&mut device)?;
        return device.flush();
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let temporary = tempfile::Builder::new()
        .prefix(".codegaze-")
        .tempfile_in(folder)?;
    let mut buffered = BufWriter::new(temporary);
    write(&mut buffered)?;
    let temporary = buffered
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    set_permissions(&temporary)?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Only its owner can read a temporary file. A result gets the permissions of other new files.
#[cfg(unix)]
fn set_permissions(file: &tempfile::NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_permissions(_file: &tempfile::NamedTempFile) -> io::Result<()> {
    Ok(())
}
