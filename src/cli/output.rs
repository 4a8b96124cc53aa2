//! Writes results to stdout or to a file.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::Path;

use anyhow::anyhow;

use super::error::CliError;
use crate::files::write_file;

/// Buffered stdout.
pub(super) struct Stdout(BufWriter<StdoutLock<'static>>);

impl Stdout {
    pub(super) fn new() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// Flushes, so that an error at the end is reported.
    pub(super) fn finish(mut self) -> Result<(), CliError> {
        self.0.flush().map_err(CliError::stdout)
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

pub(super) fn to_stdout(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = Stdout::new();
    stdout.write_all(bytes).map_err(CliError::stdout)?;
    stdout.finish()
}

/// Refuses an `--out` that is one of the files that were read.
pub(super) fn check_not_input(out: &Path, input: &Path) -> Result<(), CliError> {
    let real = |path: &Path| path.canonicalize().ok().filter(|path| path.is_file());
    if real(out).is_some_and(|out| Some(out) == real(input)) {
        return Err(CliError::usage(anyhow!(
            "{}: --out would overwrite the input; choose another name",
            out.display()
        )));
    }
    Ok(())
}

/// Writes a file; the error names it.
pub(super) fn to_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), CliError> {
    write_file(path, write).map_err(|source| CliError::Output {
        target: path.display().to_string(),
        source,
    })
}
