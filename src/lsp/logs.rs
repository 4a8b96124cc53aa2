//! The logs of the server, on stderr or in a file. The level can be changed while it runs.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

static FILTER: OnceLock<(Level, reload::Handle<LevelFilter, Registry>)> = OnceLock::new();

/// `least` is the level of the command line. Settings can raise it.
///
/// # Errors
/// When the file cannot be opened.
pub fn init_logs(least: Level, file: Option<&Path>) -> io::Result<()> {
    let (filter, handle) = reload::Layer::new(LevelFilter::from_level(least));
    let layer = fmt::layer()
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE);
    let layer = match file {
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            layer.with_writer(file).boxed()
        }
        None => layer.with_writer(io::stderr).boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .init();
    // A process has one subscriber, so this is the only call.
    let _ = FILTER.set((least, handle));
    Ok(())
}

/// Has no effect if `init_logs` was not called, as in tests.
pub(super) fn set_log_level(level: Level) {
    if let Some((least, handle)) = FILTER.get() {
        let level = level.max(*least);
        // Fails only if the subscriber was dropped.
        let _ = handle.modify(|filter| *filter = LevelFilter::from_level(level));
    }
}
