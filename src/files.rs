//! Writes files that are complete or absent, never partial.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes a temporary file in the same directory and renames it. Writes to a device, such as `/dev/stdout`, directly. A symbolic
/// link stays, and the file that it points to is written.
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
    let target = link_target(path)?;
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // The error of tempfile has the name of the temporary file, which says nothing to a user.
    let temporary = tempfile::Builder::new()
        .prefix(".codegaze-")
        .tempfile_in(directory)
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no directory {}", directory.display()),
            ),
            kind => kind.into(),
        })?;
    let mut buffered = BufWriter::new(temporary);
    write(&mut buffered)?;
    let temporary = buffered
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    set_permissions(&temporary)?;
    temporary.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// Where a chain of symbolic links leads, whether or not a file is there; any other path is its own target.
fn link_target(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MAX_LINKS: usize = 40;
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        if !target.is_symlink() {
            return Ok(target);
        }
        let link = fs::read_link(&target)?;
        target = target.parent().unwrap_or(Path::new("")).join(link);
    }
    Err(io::Error::other("too many symbolic links"))
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
