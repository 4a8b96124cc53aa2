//! Live documents: the version and view that each one is to be analyzed with, its state, and the task that takes its next step.

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
    /// The new version.
    pub document: Document,
    /// `None` until a model is loaded: the document waits for [`Engine::set_view`](super::Engine::set_view).
    pub view: Option<ModelAndView>,
    /// The part of the document that the last edit wrote, if it is known. It counts as the visible part until the next
    /// [`Engine::focus`](super::Engine::focus).
    pub edited: Option<ByteSpan>,
    /// The analysis starts when no newer version arrives for this long, or when it is [expedited](super::Engine::expedite).
    pub delay: Duration,
}

/// The state of a live document's analysis.
#[derive(Clone, Debug, Default)]
pub enum LivePhase {
    /// It waits for the model, for a pause in typing, or for another document.
    #[default]
    Waiting,
    /// The engine is computing it.
    Running,
    /// It is complete.
    Ready,
    /// It failed, and the engine does not try again until the document or its view changes.
    Failed(EngineError),
}

/// What is known about the latest version of a live document under its current view.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The version that was submitted last.
    pub version: i64,
    /// The state of the analysis of this version and view.
    pub phase: LivePhase,
    /// The analysis of this version and view, as far as it is computed; complete if the phase is [`LivePhase::Ready`].
    pub analysis: Option<Arc<Finished>>,
}

/// Receives the state of a live document. It ends when the document is closed.
pub type LiveReceiver = watch::Receiver<Live>;

/// A live document between two steps.
pub(super) struct LiveDocument {
    document: Document,
    view: Option<ModelAndView>,
    /// Incremented for every new version or view. Results with an older number are discarded.
    generation: u64,
    /// The part that the user looks at, if it is known.
    focus: Option<ByteSpan>,
    /// Whether the focus is scored. The rest of the document is less urgent.
    focus_is_done: bool,
    due: Instant,
    /// The plan of this version; `None` before it is computed. Another view keeps it.
    planned: Option<Arc<Planned>>,
    job: Option<Job>,
    /// Whether this generation is complete or failed.
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

    /// When the next step may begin; `None` if there is nothing to compute.
    pub fn due(&self) -> Option<Instant> {
        (!self.is_settled && self.view.is_some()).then_some(self.due)
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// Whether the part that the user looks at is not scored yet.
    pub fn is_urgent(&self) -> bool {
        !self.is_settled && self.focus.is_some() && !self.focus_is_done
    }

    /// The next step, which the thread takes. [`Self::settle`] receives it back.
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

    /// Receives a step's result, and discards it if it belongs to an older generation.
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
    /// Set when the step should stop before the next layer.
    pub cancel: Arc<AtomicBool>,
    generation: u64,
    document: Document,
    view: ModelAndView,
    focus: Option<ByteSpan>,
    /// Whether the focus was scored before this step.
    focus_was_done: bool,
    planned: Option<Arc<Planned>>,
    job: Option<Job>,
    /// The analysis after this step, if it should be published.
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
                // Planning is fast, and every later step needs the plan, so it is not cancelled.
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
