//! Where results go: stdout, or a file that is either whole or not there.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::Path;

use super::fault::Fault;

/// A buffered stdout whose errors name it.
pub(super) struct Stdout(BufWriter<StdoutLock<'static>>);

impl Stdout {
    pub(super) fn new() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// Flushes; an error at the very end is an error too.
    pub(super) fn finish(mut self) -> Result<(), Fault> {
        self.0.flush().map_err(Fault::stdout)
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

pub(super) fn to_stdout(bytes: &[u8]) -> Result<(), Fault> {
    let mut stdout = Stdout::new();
    stdout.write_all(bytes).map_err(Fault::stdout)?;
    stdout.finish()
}

/// [`write_file`], whose error names the file.
pub(super) fn to_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Fault> {
    write_file(path, write).map_err(|source| Fault::Output {
        target: path.display().to_string(),
        source,
    })
}

/// Writes a file through a temporary one beside it, so that no partial file is ever left. A device (such as `/dev/stdout`)
/// is written to directly.
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

/// A temporary file is readable by its owner alone; a result has the permissions of any other new file.
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
