//! Live documents: what is wanted for each, what is known of it, and the task that takes its next step.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::job::{Finished, Job};
use super::outcome::Outcome;
use super::plan::{Planned, Scope};
use super::worker::WorkerContext;
use super::{EngineError, ModelAndView};
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;

/// A new version of a live document.
#[derive(Clone)]
pub struct Submission {
    pub document: Document,
    /// `None` until a model is loaded: the document waits for [`Engine::set_view`](super::Engine::set_view).
    pub view: Option<ModelAndView>,
    /// The part of the document that the last edit wrote, if it is known. It counts as what the user looks at until
    /// [`Engine::focus`](super::Engine::focus) says more.
    pub edited: Option<ByteSpan>,
    /// The analysis starts after this time without a newer version, or when it is [expedited](super::Engine::expedite).
    pub delay: Duration,
}

/// How far a live document's analysis is.
#[derive(Clone, Debug, Default)]
pub enum LivePhase {
    /// For the model, for a pause in typing, or for another document.
    #[default]
    Waiting,
    Running,
    Ready,
    Failed(EngineError),
}

/// What is known about the latest version of a live document under its current view.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// Of the document that was submitted last.
    pub version: i64,
    pub phase: LivePhase,
    /// Of that version and view; complete if the phase is [`LivePhase::Ready`].
    pub analysis: Option<Arc<Finished>>,
}

/// How a live document is watched; ends when the document is closed.
pub type LiveReceiver = watch::Receiver<Live>;

/// A live document between two steps.
pub(super) struct LiveDocument {
    document: Document,
    view: Option<ModelAndView>,
    /// Incremented on every new version or view; results with an older number are discarded.
    generation: u64,
    /// What the user looks at, if it is known.
    focus: Option<ByteSpan>,
    /// The focus is scored; the rest may wait for others.
    focus_is_done: bool,
    due: Instant,
    /// Of this version, once it is made; kept when the view changes.
    planned: Option<Arc<Planned>>,
    job: Option<Job>,
    /// Nothing is left to do for this generation.
    is_settled: bool,
    published: watch::Sender<Live>,
    /// The value of the schedule's clock at the last submission or focus.
    pub last_used: u64,
}

impl LiveDocument {
    pub fn new(document: Document) -> Self {
        Self {
            document,
            view: None,
            generation: 0,
            focus: None,
            focus_is_done: false,
            due: Instant::now(),
            planned: None,
            job: None,
            is_settled: false,
            published: watch::Sender::default(),
            last_used: 0,
        }
    }

    pub fn submit(&mut self, submission: Submission, generation: u64, now: Instant) {
        self.document = submission.document;
        self.planned = None;
        self.view = submission.view;
        self.focus = submission.edited.or(self.focus);
        self.due = now + submission.delay;
        self.restart(generation);
    }

    pub fn set_view(&mut self, view: ModelAndView, generation: u64) {
        self.view = Some(view);
        self.restart(generation);
    }

    fn restart(&mut self, generation: u64) {
        self.generation = generation;
        self.job = None;
        self.is_settled = false;
        self.focus_is_done = false;
        self.publish(LivePhase::Waiting, None);
    }

    pub fn set_focus(&mut self, span: ByteSpan) {
        if self.focus != Some(span) {
            self.focus = Some(span);
            self.focus_is_done = false;
        }
    }

    pub fn expedite(&mut self, now: Instant) {
        self.due = self.due.min(now);
    }

    pub fn watch(&self) -> LiveReceiver {
        self.published.subscribe()
    }

    /// When its next step may be taken; `None` if it has none.
    pub fn due(&self) -> Option<Instant> {
        (!self.is_settled && self.view.is_some()).then_some(self.due)
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// Whether the user waits for it: the part that the user looks at is not scored yet.
    pub fn is_urgent(&self) -> bool {
        !self.is_settled && self.focus.is_some() && !self.focus_is_done
    }

    /// The next step, for the thread to take; [`Self::settle`] takes it back.
    pub fn begin(&mut self, key: Arc<str>) -> Option<LiveTask> {
        let view = self.view.clone()?;
        if self.job.is_none() {
            self.publish(LivePhase::Running, None);
        }
        Some(LiveTask {
            key,
            generation: self.generation,
            document: self.document.clone(),
            view,
            focus: self.focus,
            focus_was_done: self.focus_is_done,
            planned: self.planned.clone(),
            job: self.job.take(),
            snapshot: None,
            cancel: Arc::default(),
        })
    }

    /// Takes a step's result, unless it belongs to an older generation.
    pub fn settle(&mut self, task: LiveTask, outcome: Outcome) {
        if task.generation != self.generation {
            return;
        }
        self.planned.clone_from(&task.planned);
        match outcome {
            Outcome::Failed(error) => {
                tracing::error!(%error, "analysis failed");
                self.is_settled = true;
                self.publish(LivePhase::Failed(error), None);
            }
            Outcome::Complete => {
                self.is_settled = true;
                self.publish(LivePhase::Ready, task.snapshot);
            }
            Outcome::Unfinished | Outcome::Cancelled => {
                // The focus may have moved during the step.
                self.focus_is_done = self.focus == task.focus && task.focus_is_done();
                self.job = task.job;
                if task.snapshot.is_some() {
                    self.publish(LivePhase::Running, task.snapshot);
                }
            }
        }
    }

    fn publish(&self, phase: LivePhase, analysis: Option<Arc<Finished>>) {
        self.published.send_replace(Live {
            version: self.document.version(),
            phase,
            analysis,
        });
    }
}

/// One step of a live document: cuts it into chunks, or scores one of them.
pub(super) struct LiveTask {
    pub key: Arc<str>,
    /// Raised when the step is to stop before the next layer.
    pub cancel: Arc<AtomicBool>,
    generation: u64,
    document: Document,
    view: ModelAndView,
    focus: Option<ByteSpan>,
    /// Before this step.
    focus_was_done: bool,
    planned: Option<Arc<Planned>>,
    job: Option<Job>,
    /// The analysis as it is after the step, if it is time to show it.
    snapshot: Option<Arc<Finished>>,
}

impl LiveTask {
    pub fn step(&mut self, context: &mut WorkerContext) -> Outcome {
        Outcome::of(|| self.advance(context))
    }

    fn advance(&mut self, context: &mut WorkerContext) -> Result<bool, EngineError> {
        let job = match &mut self.job {
            Some(job) => {
                job.step(self.focus, context, &self.cancel)?;
                job
            }
            none => {
                // Planning is not cancelled: the next step of a document that has to wait begins after it.
                let never = AtomicBool::new(false);
                let ModelAndView { model, config } = &self.view;
                let planned = context.plan(model, &self.document, &never)?;
                self.planned = Some(Arc::clone(&planned));
                let config = Arc::clone(config);
                none.insert(Job::new(planned, config, Scope::Document, context)?)
            }
        };
        let is_complete = job.is_done(None);
        let (n_done, _) = job.progress();
        let is_first_sight =
            self.focus.is_some() && job.is_done(self.focus) && !self.focus_was_done;
        if is_complete || is_first_sight || n_done > 0 && context.publish_is_due() {
            let finished = job.assemble();
            context.published();
            if is_complete {
                context.observe(&finished);
            }
            self.snapshot = Some(Arc::new(finished));
        }
        Ok(is_complete)
    }

    fn focus_is_done(&self) -> bool {
        self.job.as_ref().is_some_and(|job| job.is_done(self.focus))
    }
}
