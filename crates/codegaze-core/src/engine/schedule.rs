//! All work of the inference thread, and which of it is most urgent.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::oneshot;

use super::live::{LiveDocument, LiveTask};
use super::outcome::Outcome;
use super::request::RequestTask;
use super::{EngineError, EngineStats, LiveReceiver, ModelAndView, Submission};
use codegaze_text::ByteSpan;

/// The state behind the engine's lock, which is held only for a look-up.
#[derive(Default)]
pub(super) struct Schedule {
    documents: HashMap<Arc<str>, LiveDocument>,
    /// The live document that was submitted or focused last.
    focused: Option<Arc<str>>,
    requests: VecDeque<RequestTask>,
    controls: VecDeque<Control>,
    running: Option<Running>,
    is_shut_down: bool,
    stats: EngineStats,
    /// The number of submissions, views and focuses so far.
    clock: u64,
}

/// The running step, so that it can be cancelled.
struct Running {
    /// The live document's key; `None` for a request.
    key: Option<Arc<str>>,
    cancel: Arc<AtomicBool>,
}

/// A change of the thread's cache. Controls come before all other work, in the order in which they were sent.
pub(super) enum Control {
    ClearCache(oneshot::Sender<usize>),
    SetCacheBytes(usize),
}

/// What the thread does next.
pub(super) enum Next {
    Control(Control),
    Live(Box<LiveTask>),
    Request(RequestTask),
    End,
}

/// Calls of clients.
impl Schedule {
    pub fn submit(&mut self, key: &str, submission: Submission) {
        self.cancel_running(|running| running == Some(key));
        let (key, mut live) = match self.documents.remove_entry(key) {
            Some(entry) => entry,
            None => (
                Arc::from(key),
                LiveDocument::new(submission.document.clone()),
            ),
        };
        let generation = self.tick();
        live.submit(submission, generation, Instant::now());
        live.last_used = generation;
        self.documents.insert(Arc::clone(&key), live);
        self.focused = Some(key);
    }

    pub fn set_view(&mut self, key: &str, view: ModelAndView) {
        let generation = self.tick();
        if let Some(live) = self.documents.get_mut(key) {
            live.set_view(view, generation);
            self.cancel_running(|running| running == Some(key));
        }
    }

    pub fn focus(&mut self, key: &str, span: ByteSpan) {
        let now = self.tick();
        if let Some((key, mut live)) = self.documents.remove_entry(key) {
            live.set_focus(span);
            live.last_used = now;
            self.documents.insert(Arc::clone(&key), live);
            self.focused = Some(key);
        }
    }

    /// Ends the document's delay. If it is urgent, it also cancels the running step of another document.
    pub fn expedite(&mut self, key: &str, now: Instant) {
        let Some(live) = self.documents.get_mut(key) else {
            return;
        };
        live.expedite(now);
        if live.is_urgent() {
            self.cancel_running(|running| running.is_some_and(|running| running != key));
        }
    }

    /// Adds a request. If a document that is not urgent is running, its step stops before the next layer and continues there later.
    pub fn enqueue(&mut self, task: RequestTask) {
        let documents = &self.documents;
        self.cancel_running(|running| {
            let live = running.and_then(|key| documents.get(key));
            live.is_some_and(|live| !live.is_urgent())
        });
        self.requests.push_back(task);
    }

    pub fn close(&mut self, key: &str) {
        self.documents.remove(key);
        if self.focused.as_deref() == Some(key) {
            self.focused = None;
        }
        self.cancel_running(|running| running == Some(key));
    }

    pub fn watch(&self, key: &str) -> Option<LiveReceiver> {
        Some(self.documents.get(key)?.watch())
    }

    pub fn control(&mut self, control: Control) {
        self.controls.push_back(control);
    }

    pub fn shut_down(&mut self) {
        self.is_shut_down = true;
        self.cancel_running(|_| true);
    }

    pub fn stats(&self) -> EngineStats {
        EngineStats {
            queued: self.requests.len(),
            ..self.stats
        }
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Cancels the running step if `applies` to the key of its document, which is `None` for a request.
    fn cancel_running(&self, applies: impl FnOnce(Option<&str>) -> bool) {
        if let Some(running) = &self.running
            && applies(running.key.as_deref())
        {
            running.cancel.store(true, Ordering::Relaxed);
        }
    }
}

/// Calls of the inference thread.
impl Schedule {
    /// The next work, in this order: the focused document while it is urgent, requests, the rest of the focused document, the other
    /// documents from the last used to the first used. `None` if there is nothing to do now.
    pub fn next(&mut self, now: Instant) -> Option<Next> {
        self.running = None;
        if self.is_shut_down {
            return Some(Next::End);
        }
        if let Some(control) = self.controls.pop_front() {
            return Some(Next::Control(control));
        }
        if let Some(key) = self.urgent(now) {
            return self.begin_live(&key);
        }
        if let Some(request) = self.begin_request() {
            return Some(request);
        }
        let key = self.latest(now)?;
        self.begin_live(&key)
    }

    /// When the next delay of a document ends.
    pub fn next_due(&self) -> Option<Instant> {
        self.documents.values().filter_map(LiveDocument::due).min()
    }

    fn urgent(&self, now: Instant) -> Option<Arc<str>> {
        let key = self.focused.as_ref()?;
        let live = self.documents.get(key)?;
        (live.is_due(now) && live.is_urgent()).then(|| Arc::clone(key))
    }

    fn latest(&self, now: Instant) -> Option<Arc<str>> {
        let due = self.documents.iter().filter(|(_, live)| live.is_due(now));
        let is_focused = |key| self.focused.as_ref() == Some(key);
        let latest = due.max_by_key(|(key, live)| (is_focused(key), live.last_used));
        latest.map(|(key, _)| Arc::clone(key))
    }

    fn begin_live(&mut self, key: &Arc<str>) -> Option<Next> {
        let task = self.documents.get_mut(key)?.begin(Arc::clone(key))?;
        self.running = Some(Running {
            key: Some(Arc::clone(key)),
            cancel: Arc::clone(&task.cancel),
        });
        Some(Next::Live(Box::new(task)))
    }

    fn begin_request(&mut self) -> Option<Next> {
        while let Some(task) = self.requests.pop_front() {
            if !task.is_cancelled() {
                self.running = Some(Running {
                    key: None,
                    cancel: Arc::clone(&task.cancel),
                });
                return Some(Next::Request(task));
            }
        }
        None
    }

    /// Updates the counts. The thread calls this before it publishes the result that they belong to.
    pub fn update_stats(&mut self, update: impl FnOnce(&mut EngineStats)) {
        update(&mut self.stats);
    }

    pub fn settle_live(&mut self, task: LiveTask, outcome: Outcome) {
        self.count(&outcome);
        if let Some(live) = self.documents.get_mut(&task.key) {
            live.settle(task, outcome);
        }
    }

    /// Puts an unfinished request at the end of the queue, and answers any other.
    pub fn settle_request(&mut self, task: RequestTask, outcome: Outcome) {
        self.count(&outcome);
        match outcome {
            Outcome::Unfinished => self.requests.push_back(task),
            Outcome::Complete => task.answer(None),
            Outcome::Cancelled => task.answer(Some(EngineError::Cancelled)),
            Outcome::Failed(error) => task.answer(Some(error)),
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Cancelled => self.stats.cancelled += 1,
            Outcome::Failed(EngineError::Panicked { .. }) => self.stats.panics += 1,
            _ => {}
        }
    }
}
