//! How a command fails: one line on stderr, and an exit code.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::view::label::printable;

/// Why a command did not do all that it was asked for.
#[derive(Debug)]
pub(super) enum CliError {
    /// The arguments are invalid: exit code 2.
    Usage(anyhow::Error),
    /// The command failed: exit code 1.
    Failed(anyhow::Error),
    /// Some files failed, and each failure was already reported: exit code 1.
    Reported,
    /// stdout or an output file cannot be written.
    Output { target: String, source: io::Error },
}

impl CliError {
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    pub(super) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self::Failed(error.into())
    }

    pub(super) fn stdout(source: io::Error) -> Self {
        Self::Output {
            target: "standard output".to_owned(),
            source,
        }
    }

    /// The reader of the output stopped early, as `head` does: that is success.
    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) | Self::Reported | Self::Output { .. } => ExitCode::FAILURE,
        }
    }

    pub(super) fn report(&self) {
        if !matches!(self, Self::Reported) {
            report_line(&format!("error: {self}"));
        }
    }
}

/// A line for a person, on stderr. Names of files may hold escape codes, which the terminal must not obey.
pub(super) fn report_line(text: &str) {
    use io::Write;
    let one_line = printable(&text.replace(['\n', '\r'], " "));
    // When stderr is closed, there is no place left for a message.
    let _ = writeln!(io::stderr(), "{one_line}");
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) | Self::Failed(error) => write!(f, "{error}"),
            Self::Reported => f.write_str("some files failed"),
            Self::Output { target, source } => {
                let advice = match source.kind() {
                    io::ErrorKind::NotFound => "create the directory first",
                    io::ErrorKind::StorageFull => "free some space or choose another place",
                    _ => "choose another place",
                };
                write!(f, "cannot write {target}: {source}; {advice}")
            }
        }
    }
}
