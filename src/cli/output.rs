//! Writes results to stdout or to a file.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::Path;

use super::error::CliError;
use crate::files::write_file;

/// Buffered stdout.
pub(super) struct Stdout(BufWriter<StdoutLock<'static>>);

impl Stdout {
    pub(super) fn new() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// Flushes, so that an error at the end is not lost.
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
