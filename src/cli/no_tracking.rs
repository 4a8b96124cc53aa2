//! Replaces `tracking` in a build without the feature `mlflow`: no arguments, and nothing is recorded.

use clap::Args;

use super::error::CliError;
use crate::analysis::Analysis;
use crate::engine::Observer;

#[derive(Debug, Args)]
pub(super) struct TrackingArgs {}

pub(super) struct Tracking;

impl Tracking {
    #[expect(clippy::unnecessary_wraps, reason = "the signature of `tracking`")]
    pub(super) fn start(
        _: &TrackingArgs,
        _: &'static str,
        _: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, CliError> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "the signature of `tracking`")]
    pub(super) fn record(&self, _: usize, _: &Analysis) {}

    #[expect(clippy::unused_self, reason = "the signature of `tracking`")]
    pub(super) fn fail(&self) {}

    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "the signature of `tracking`"
    )]
    pub(super) fn end_on_signals(&self) -> Result<(), CliError> {
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "the signature of `tracking`")]
    pub(super) fn observer(&self) -> Option<Observer> {
        None
    }
}
