//! The result of a step of a task.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::EngineError;
use crate::panics;

/// How a step ended.
pub(super) enum Outcome {
    /// The task has more steps to take.
    Unfinished,
    /// The task has its result.
    Complete,
    /// The step stopped between two layers, because its result is no longer needed or more urgent work arrived.
    Cancelled,
    Failed(EngineError),
}

impl Outcome {
    /// Runs a step, which returns whether it was the last one. A panic in it ends only this task.
    pub fn of(step: impl FnOnce() -> Result<bool, EngineError>) -> Self {
        let caught = catch_unwind(AssertUnwindSafe(step));
        let done = caught.unwrap_or_else(|panic| {
            let message = panics::message(&*panic);
            Err(EngineError::Panicked { message })
        });
        match done {
            Ok(false) => Self::Unfinished,
            Ok(true) => Self::Complete,
            Err(EngineError::Cancelled) => Self::Cancelled,
            Err(error) => Self::Failed(error),
        }
    }
}
