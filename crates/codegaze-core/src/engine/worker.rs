//! The inference thread: one chunk at a time, then a look at what is wanted now. A panic ends the job that it happened in, and
//! nothing else.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::cache::Cache;
use super::counts::Counts;
use super::job::{Job, Scope, Tools};
use super::observer::Observer;
use super::single::{maps, raw};
use super::state::{Next, Order, Queued, Work};
use super::{EngineError, Phase, Reply, Served, Shared};
use crate::analysis::AnalysisError;
use codegaze_model::roberta::ForwardError;
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;

/// A long document is put together anew at most this often while it grows.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);

pub(super) fn run(shared: &Shared, cache_bytes: usize, observer: Option<Observer>) {
    let mut tools = Tools {
        cache: Cache::new(cache_bytes),
        counts: Counts::default(),
        passes: 0,
        resumed: 0,
        observer,
    };
    let mut published = Instant::now();
    loop {
        match next(shared, &tools) {
            Next::End => return,
            Next::Sleep(_) => {}
            Next::Order(Order::ClearCache(reply)) => drop(reply.send(tools.cache.clear())),
            Next::Order(Order::SetCacheBytes(limit)) => tools.cache.set_limit(limit),
            Next::Request(queued) => request(shared, queued, &mut tools),
            Next::Live {
                key,
                ticket,
                document,
                focus,
                job,
                served,
                cancel,
            } => {
                let step = AssertUnwindSafe(|| {
                    live_step(document, focus, job, served, &mut tools, &cancel)
                });
                let done = catch_unwind(step).unwrap_or_else(|panic| Err(panicked(&*panic)));
                count(shared, &tools);
                settle(shared, &key, ticket, focus, done, &tools, &mut published);
            }
        }
    }
}

/// Sleeps until there is something to do.
fn next(shared: &Shared, tools: &Tools) -> Next {
    count(shared, tools);
    let mut state = shared.lock();
    state.running = None;
    loop {
        let now = Instant::now();
        state = match state.next(now) {
            Next::Sleep(None) => shared
                .wake
                .wait(state)
                .unwrap_or_else(std::sync::PoisonError::into_inner),
            Next::Sleep(Some(until)) => {
                let wait = until.saturating_duration_since(now);
                let woken = shared.wake.wait_timeout(state, wait);
                woken.unwrap_or_else(std::sync::PoisonError::into_inner).0
            }
            next => return next,
        };
    }
}

/// Publishes what was done: before the result of it, so that who has seen the one sees the other.
fn count(shared: &Shared, tools: &Tools) {
    let mut state = shared.lock();
    state.stats.cache = tools.cache.stats();
    state.stats.passes = tools.passes;
    state.stats.resumed = tools.resumed;
}

type Stepped = Result<Box<Job>, (Option<Box<Job>>, EngineError)>;

/// Plans the document, or scores one chunk of it.
fn live_step(
    document: Document,
    focus: Option<ByteSpan>,
    job: Option<Box<Job>>,
    served: Served,
    tools: &mut Tools,
    cancel: &AtomicBool,
) -> Stepped {
    let Some(mut job) = job else {
        let Served { model, config } = served;
        // To the end, also for a document that has to wait: it goes on there.
        let never = AtomicBool::new(false);
        let job = Job::plan(document, model, config, Scope::Document, tools, &never);
        return Ok(Box::new(job));
    };
    match job.step(focus, tools, cancel) {
        Ok(()) => Ok(job),
        Err(error) => Err((Some(job), error.into())),
    }
}

/// Publishes what there is to see, and puts the job back if more is to do.
fn settle(
    shared: &Shared,
    key: &str,
    ticket: u64,
    focus: Option<ByteSpan>,
    done: Stepped,
    tools: &Tools,
    published: &mut Instant,
) {
    let (job, error) = match done {
        Ok(job) => (Some(job), None),
        Err((job, error)) => (job, Some(error)),
    };
    let is_cancelled = matches!(error, Some(EngineError::Cancelled));
    let is_complete = error.is_none() && job.as_ref().is_some_and(|job| job.is_done(None));
    let focus_is_done = job.as_ref().is_some_and(|job| job.is_done(focus));
    // Assembling takes milliseconds in long documents: not under the lock.
    let mut assembled = None;
    if let (Some(job), None) = (&job, &error) {
        let (n_done, _) = job.progress();
        let is_first_sight = focus.is_some() && focus_is_done && !was_seen(shared, key, ticket);
        let is_time = n_done > 0 && published.elapsed() >= PUBLISH_EVERY;
        if is_complete || is_first_sight || is_time {
            *published = Instant::now();
            let finished = job.assemble();
            if is_complete {
                tools.observe(&finished);
            }
            assembled = Some(Arc::new(finished));
        }
    }
    let mut state = shared.lock();
    state.stats.cancelled += u64::from(is_cancelled);
    state.stats.panics += u64::from(matches!(error, Some(EngineError::Panicked { .. })));
    let Some(slot) = state.wanted(key, ticket) else {
        return; // a newer version, another view, or closed
    };
    match error {
        Some(error) if !is_cancelled => {
            tracing::error!(%error, "analysis failed");
            slot.is_settled = true;
            slot.publish(Phase::Failed(error), None);
        }
        _ => {
            // The focus may have moved while the chunk was computed.
            slot.focus_is_done = focus_is_done && slot.focus == focus;
            if is_complete {
                slot.is_settled = true;
                slot.publish(Phase::Ready, assembled);
            } else {
                slot.job = job;
                if assembled.is_some() {
                    slot.publish(Phase::Running, assembled);
                }
            }
        }
    }
}

/// Whether the focus of this ticket was published before.
fn was_seen(shared: &Shared, key: &str, ticket: u64) -> bool {
    let mut state = shared.lock();
    state
        .wanted(key, ticket)
        .is_none_or(|slot| slot.focus_is_done)
}

/// One step of a request. Those that take several take turns, a chunk each.
fn request(shared: &Shared, Queued { cancel, work }: Queued, tools: &mut Tools) {
    match work {
        Work::Analysis {
            document,
            scope,
            under,
            job,
            reply,
            progress,
        } => {
            let kept = (document.clone(), under.clone());
            let step = AssertUnwindSafe(|| -> Stepped {
                let Served { model, config } = under;
                let mut job = job.unwrap_or_else(|| {
                    Box::new(Job::plan(document, model, config, scope, tools, &cancel))
                });
                // A plan that was hurried is none.
                if cancel.load(Ordering::Relaxed) {
                    return Err((None, EngineError::Cancelled));
                }
                match job.step(None, tools, &cancel) {
                    Ok(()) => Ok(job),
                    Err(error) => Err((None, error.into())),
                }
            });
            let stepped = catch_unwind(step).unwrap_or_else(|panic| Err(panicked(&*panic)));
            count(shared, tools);
            match stepped {
                Ok(job) => {
                    progress.send_replace(job.progress());
                    if job.is_done(None) {
                        let done = fenced(|| finish(&job));
                        if let Ok(finished) = &done {
                            tools.observe(finished);
                        }
                        answer(shared, reply, done);
                    } else {
                        let (document, under) = kept;
                        let work = Work::Analysis {
                            document,
                            scope,
                            under,
                            job: Some(job),
                            reply,
                            progress,
                        };
                        shared.lock().requests.push_back(Queued { cancel, work });
                    }
                }
                Err((_, error)) => answer(shared, reply, Err(error)),
            }
        }
        Work::Thumbnails {
            document,
            scope,
            model,
            size,
            reply,
        } => {
            let work = || maps(&document, scope, &model, size, tools, &cancel);
            let done = fenced(work);
            count(shared, tools);
            answer(shared, reply, done);
        }
        Work::Raw {
            document,
            scope,
            model,
            choice,
            reply,
        } => {
            let done = fenced(|| raw(&document, scope, &model, choice, tools, &cancel));
            count(shared, tools);
            answer(shared, reply, done);
        }
    }
}

/// A panic as an error.
fn fenced<T>(work: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(&*panic).1))
}

fn finish(job: &Job) -> Result<super::Finished, EngineError> {
    let finished = job.assemble();
    match finished.scope {
        Scope::Chunk(chunk) if finished.analysis.chunks.is_empty() => Err(EngineError::NoChunk {
            chunk,
            n_chunks: finished.n_chunks,
        }),
        _ => Ok(finished),
    }
}

/// Hands a result over, and counts what went wrong.
fn answer<T>(shared: &Shared, reply: Reply<T>, done: Result<T, EngineError>) {
    let mut state = shared.lock();
    match done {
        Err(EngineError::Cancelled) => state.stats.cancelled += 1,
        Err(EngineError::Panicked { .. }) => state.stats.panics += 1,
        _ => {}
    }
    // Nobody may be waiting any more.
    drop(reply.send(done));
}

fn panicked(panic: &(dyn Any + Send)) -> (Option<Box<Job>>, EngineError) {
    let message = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown panic".to_owned());
    (None, EngineError::Panicked { message })
}

impl From<AnalysisError> for EngineError {
    fn from(error: AnalysisError) -> Self {
        match error {
            AnalysisError::Forward(ForwardError::Cancelled) => Self::Cancelled,
            error => Self::Analysis(Arc::new(error)),
        }
    }
}

impl From<ForwardError> for EngineError {
    fn from(error: ForwardError) -> Self {
        AnalysisError::from(error).into()
    }
}
