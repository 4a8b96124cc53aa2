//! What is wanted from the inference thread, and what is most urgent.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::job::{Finished, Job, Scope};
use super::single::RawChunk;
use super::{EngineStats, Live, LiveReceiver, Phase, Reply, Served};
use crate::analysis::raw::RawChoice;
use crate::analysis::thumbnails::Thumbnails;
use codegaze_model::Model;
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;

/// Behind the engine's lock, which nobody holds for longer than it takes to look something up.
#[derive(Default)]
pub(super) struct State {
    pub served: Option<Served>,
    pub slots: HashMap<Arc<str>, Slot>,
    /// The live document that was submitted or looked at last.
    pub focused: Option<Arc<str>>,
    pub requests: VecDeque<Queued>,
    pub orders: Vec<Order>,
    pub running: Option<Running>,
    pub is_shut_down: bool,
    pub stats: EngineStats,
    /// Counts submissions, views and focuses.
    clock: u64,
}

/// A live document.
pub(super) struct Slot {
    pub document: Document,
    /// What it is analyzed under, if not under what serves everybody.
    own: Option<Served>,
    /// Changes with the version and the view: whoever holds an old one works for nobody.
    pub ticket: u64,
    /// What is looked at; `None` until somebody tells.
    pub focus: Option<ByteSpan>,
    pub due: Instant,
    /// Between two steps.
    pub job: Option<Box<Job>>,
    /// Nothing is left to do for this ticket.
    pub is_settled: bool,
    /// The focus has its analysis; the rest may wait for others.
    pub focus_is_done: bool,
    pub live: watch::Sender<Live>,
    /// When it was focused last.
    used: u64,
}

/// What the thread is at, so that it can be told to stop.
pub(super) struct Running {
    /// The live document's key; `None` for a request.
    pub key: Option<Arc<str>>,
    pub cancel: Arc<AtomicBool>,
}

pub(super) struct Queued {
    pub cancel: Arc<AtomicBool>,
    pub work: Work,
}

pub(super) enum Work {
    Analysis {
        document: Document,
        scope: Scope,
        under: Served,
        job: Option<Box<Job>>,
        reply: Reply<Finished>,
        progress: watch::Sender<(usize, usize)>,
    },
    Thumbnails {
        document: Document,
        scope: Scope,
        model: Arc<Model>,
        size: usize,
        reply: Reply<Thumbnails>,
    },
    Raw {
        document: Document,
        scope: Scope,
        model: Arc<Model>,
        choice: RawChoice,
        reply: Reply<RawChunk>,
    },
}

/// What concerns the thread's own cache.
pub(super) enum Order {
    ClearCache(oneshot::Sender<usize>),
    SetCacheBytes(usize),
}

/// What to do next.
pub(super) enum Next {
    Order(Order),
    Live {
        key: Arc<str>,
        ticket: u64,
        document: Document,
        focus: Option<ByteSpan>,
        job: Option<Box<Job>>,
        served: Served,
        cancel: Arc<AtomicBool>,
    },
    Request(Queued),
    /// Nothing before this moment, or before something is said.
    Sleep(Option<Instant>),
    End,
}

impl State {
    pub fn serve(&mut self, served: Served) {
        self.served = Some(served);
        let slots = &self.slots;
        let is_shared = |key: &Arc<str>| slots.get(key).is_none_or(|slot| slot.own.is_none());
        self.cancel_running(|key| key.is_some_and(is_shared));
        for slot in self.slots.values_mut().filter(|slot| slot.own.is_none()) {
            self.clock += 1;
            slot.restart(self.clock);
        }
    }

    pub fn submit(&mut self, key: &str, document: Document, own: Option<Served>, due: Instant) {
        self.clock += 1;
        let clock = self.clock;
        let (key, slot) = match self.slots.remove_entry(key) {
            Some((key, mut slot)) => {
                // A last edit's place stands in for what is looked at, where no client tells.
                slot.focus = edited(&slot.document, &document).or(slot.focus);
                slot.document = document;
                (key, slot)
            }
            None => (Arc::from(key), Slot::new(document)),
        };
        self.cancel_running(|running| running.is_some_and(|running| *running == key));
        let slot = self.slots.entry(Arc::clone(&key)).or_insert(slot);
        slot.own = own;
        slot.due = due;
        slot.used = clock;
        slot.restart(clock);
        self.focused = Some(key);
    }

    pub fn focus(&mut self, key: &str, span: ByteSpan) {
        self.clock += 1;
        let Some((key, mut slot)) = self.slots.remove_entry(key) else {
            return;
        };
        if slot.focus != Some(span) {
            slot.focus = Some(span);
            slot.focus_is_done = false;
        }
        slot.used = self.clock;
        self.slots.insert(Arc::clone(&key), slot);
        self.focused = Some(key);
    }

    pub fn hurry(&mut self, key: &str) {
        let now = Instant::now();
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.due = slot.due.min(now);
        if !slot.is_settled && slot.is_looked_at() {
            self.cancel_running(|running| running.is_some_and(|running| **running != *key));
        }
    }

    /// Somebody waits: a document that nobody looks at right now stops between two layers, and goes on there afterwards.
    pub fn enqueue(&mut self, queued: Queued) {
        let slots = &self.slots;
        let is_background = |key: Option<&Arc<str>>| {
            let slot = key.and_then(|key| slots.get(key));
            slot.is_some_and(|slot| !slot.is_looked_at())
        };
        self.cancel_running(is_background);
        self.requests.push_back(queued);
    }

    pub fn close(&mut self, key: &str) {
        self.slots.remove(key);
        if self.focused.as_deref() == Some(key) {
            self.focused = None;
        }
        self.cancel_running(|running| running.is_some_and(|running| **running == *key));
    }

    pub fn watch(&self, key: &str) -> Option<LiveReceiver> {
        Some(self.slots.get(key)?.live.subscribe())
    }

    pub fn shut_down(&mut self) {
        self.is_shut_down = true;
        self.cancel_running(|_| true);
    }

    fn cancel_running(&self, is_meant: impl FnOnce(Option<&Arc<str>>) -> bool) {
        if let Some(running) = &self.running
            && is_meant(running.key.as_ref())
        {
            running.cancel.store(true, Ordering::Relaxed);
        }
    }

    /// What somebody looks at comes first, then requests, then the rest of the focused document, then the others, the latest
    /// used first.
    pub fn next(&mut self, now: Instant) -> Next {
        if self.is_shut_down {
            return Next::End;
        }
        if let Some(order) = self.orders.pop() {
            return Next::Order(order);
        }
        let focused = self.focused.clone();
        let urgent = focused.as_ref().filter(|key| {
            self.slots
                .get(*key)
                .is_some_and(|slot| self.is_ready(slot, now) && slot.is_looked_at())
        });
        if let Some(next) = urgent.and_then(|key| self.take(&Arc::clone(key))) {
            return next;
        }
        while let Some(queued) = self.requests.pop_front() {
            if queued.cancel.load(Ordering::Relaxed) {
                continue; // nobody waits for it
            }
            self.running = Some(Running {
                key: None,
                cancel: Arc::clone(&queued.cancel),
            });
            return Next::Request(queued);
        }
        let ready = self
            .slots
            .iter()
            .filter(|(_, slot)| self.is_ready(slot, now));
        let latest = ready.max_by_key(|(key, slot)| (focused.as_ref() == Some(key), slot.used));
        let latest = latest.map(|(key, _)| Arc::clone(key));
        if let Some(next) = latest.and_then(|key| self.take(&key)) {
            return next;
        }
        let waiting = self.slots.values().filter(|slot| self.has_work(slot));
        Next::Sleep(waiting.map(|slot| slot.due).min())
    }

    /// What a document is analyzed under; `None` until a model serves.
    fn under(&self, slot: &Slot) -> Option<Served> {
        slot.own.as_ref().or(self.served.as_ref()).cloned()
    }

    fn has_work(&self, slot: &Slot) -> bool {
        !slot.is_settled && (slot.own.is_some() || self.served.is_some())
    }

    fn is_ready(&self, slot: &Slot, now: Instant) -> bool {
        self.has_work(slot) && slot.due <= now
    }

    fn take(&mut self, key: &Arc<str>) -> Option<Next> {
        let served = self.under(self.slots.get(key)?)?;
        let slot = self.slots.get_mut(key)?;
        let cancel = Arc::new(AtomicBool::new(false));
        self.running = Some(Running {
            key: Some(Arc::clone(key)),
            cancel: Arc::clone(&cancel),
        });
        if slot.job.is_none() {
            slot.publish(Phase::Running, None);
        }
        Some(Next::Live {
            key: Arc::clone(key),
            ticket: slot.ticket,
            document: slot.document.clone(),
            focus: slot.focus,
            job: slot.job.take(),
            served,
            cancel,
        })
    }

    /// The slot, if it still wants what was begun under `ticket`.
    pub fn wanted(&mut self, key: &str, ticket: u64) -> Option<&mut Slot> {
        self.slots.get_mut(key).filter(|slot| slot.ticket == ticket)
    }
}

impl Slot {
    fn new(document: Document) -> Self {
        Self {
            live: watch::Sender::default(),
            own: None,
            ticket: 0,
            focus: None,
            due: Instant::now(),
            job: None,
            is_settled: false,
            focus_is_done: false,
            used: 0,
            document,
        }
    }

    /// Everything from the beginning, for a new version or view.
    fn restart(&mut self, ticket: u64) {
        self.ticket = ticket;
        self.job = None;
        self.is_settled = false;
        self.focus_is_done = false;
        self.publish(Phase::Waiting, None);
    }

    pub fn publish(&self, phase: Phase, analysis: Option<Arc<Finished>>) {
        self.live.send_replace(Live {
            version: self.document.version(),
            phase,
            analysis,
        });
    }

    /// Somebody looks at a part that is not scored yet. A document that nobody has looked at may wait for requests.
    fn is_looked_at(&self) -> bool {
        self.focus.is_some() && !self.focus_is_done
    }
}

/// The part of `new` that is not in `old`: what lies between their common beginning and end. `None` if they are equal.
fn edited(old: &Document, new: &Document) -> Option<ByteSpan> {
    let (old, new) = (old.text().as_bytes(), new.text().as_bytes());
    if old == new {
        return None;
    }
    let same = |(a, b): &(&u8, &u8)| a == b;
    let before = old.iter().zip(new).take_while(same).count();
    let after = old[before..]
        .iter()
        .rev()
        .zip(new[before..].iter().rev())
        .take_while(same)
        .count();
    Some(ByteSpan::new(before, new.len() - after))
}
