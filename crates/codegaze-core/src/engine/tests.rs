//! The engine with the embedded model.

mod clients;

use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::*;
use crate::analysis::analyze;
use crate::attribution::{AttributionOptions, HeadChoice, HeadFusion, LayerChoice, Method};
use codegaze_model::source::{HubOptions, ModelSource};
use codegaze_model::{Device, Precision};

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| {
    let files = ModelSource::Embedded.resolve(&HubOptions::from_env(), &());
    Arc::new(Model::load(&files.unwrap(), Device::Cpu, Precision::F32).unwrap())
});

const CACHE_BYTES: usize = 64 << 20;

fn view(method: Method, layers: &str, heads: &str) -> AttributionConfig {
    let info = MODEL.info();
    let layers: LayerChoice = layers.parse().unwrap();
    let heads: HeadChoice = heads.parse().unwrap();
    AttributionOptions {
        method,
        layers: Some(layers),
        heads,
        ..AttributionOptions::default()
    }
    .resolve(info)
    .unwrap()
}

fn received() -> AttributionConfig {
    view(Method::Received, "last", "mean")
}

fn engine(cache_bytes: usize) -> Engine {
    Engine::start(EngineConfig {
        cache_bytes,
        observer: None,
    })
}

fn live(attribution: AttributionConfig) -> ModelAndView {
    ModelAndView::live(Arc::clone(&MODEL), attribution)
}

/// A version that is analyzed without delay.
fn version(document: Document, view: Option<ModelAndView>) -> Submission {
    Submission {
        document,
        view,
        edited: None,
        delay: Duration::ZERO,
    }
}

/// Submits a version with the default view.
fn submit(engine: &Engine, key: &str, text: impl Into<Arc<str>>, number: i64) {
    let document = Document::new(text, number);
    engine.submit(key, version(document, Some(live(received()))));
}

fn plan(engine: &Engine, document: &Document) -> Arc<Planned> {
    let planned = engine.plan(Arc::clone(&MODEL), document.clone());
    planned.wait().unwrap()
}

fn analyze_once(engine: &Engine, text: impl Into<Arc<str>>) -> Pending<Finished> {
    let planned = plan(engine, &Document::new(text, 1));
    engine.analyze(&planned, Scope::Document, received(), Extras::default())
}

/// The first analysis that is published for a document.
fn first_published(live: &mut LiveReceiver) -> Arc<Finished> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        loop {
            live.changed().await.unwrap();
            if let Some(first) = live.borrow_and_update().analysis.clone() {
                return first;
            }
        }
    })
}

/// Waits until the analysis of `version` is complete, or fails after a timeout.
fn settled(engine: &Engine, key: &str, version: i64) -> Arc<Finished> {
    let live = engine.watch(key).unwrap();
    for _ in 0..3000 {
        let now = live.borrow().clone();
        match (now.phase, now.analysis) {
            (LivePhase::Ready, Some(analysis)) if now.version == version => return analysis,
            (LivePhase::Failed(error), _) => panic!("{error}"),
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    panic!("no analysis within half a minute");
}

/// `n` different functions.
fn functions(n: usize) -> String {
    let mut text = String::new();
    for at in 0..n {
        let _ = writeln!(text, "def function_{at}(first, second):");
        for line in 0..12 {
            let _ = writeln!(
                text,
                "    value_{line} = first[{at}] + second * {line} - other_{at}(first)"
            );
        }
        text.push_str("    return value_0\n\n\n");
    }
    text
}

#[test]
fn a_live_document_has_the_analysis_of_the_command_line() {
    let engine = engine(CACHE_BYTES);
    let document = Document::new(functions(6), 1);
    let view = live(received());
    engine.submit("a", version(document.clone(), Some(view.clone())));
    let live = settled(&engine, "a", 1);
    let cancel = AtomicBool::new(false);
    let expected = analyze(&MODEL, &document, &view.config, &cancel, &mut |_, _| ()).unwrap();
    assert!(live.analysis.chunks.len() > 1, "the document needs chunks");
    assert_eq!(live.analysis.lexemes.len(), expected.lexemes.len());
    for (a, b) in live.analysis.lexemes.iter().zip(&expected.lexemes) {
        assert_eq!(a.span, b.span);
        assert!((a.lift - b.lift).abs() < 1e-4, "{a:?} is not {b:?}");
    }
}

#[test]
fn an_edit_runs_the_model_on_its_chunk_only_and_its_undo_does_not_run_it() {
    let engine = engine(CACHE_BYTES);
    let text = functions(20);
    submit(&engine, "a", text.clone(), 1);
    let before = settled(&engine, "a", 1);
    let passes = engine.stats().passes;
    let edited = text.replace("first[10] + second * 5", "first[10] + second * 55");
    submit(&engine, "a", edited, 2);
    let after = settled(&engine, "a", 2);
    assert_eq!(engine.stats().passes - passes, 1, "one chunk was touched");
    assert_eq!(after.cached.iter().filter(|&&cached| !cached).count(), 1);
    submit(&engine, "a", text, 3);
    let undone = settled(&engine, "a", 3);
    assert_eq!(engine.stats().passes - passes, 1, "undo is known");
    assert!(undone.cached.iter().all(|&cached| cached));
    assert_eq!(undone.analysis.lexemes, before.analysis.lexemes);
}

#[test]
fn the_focus_comes_first() {
    let engine = engine(CACHE_BYTES);
    let text = functions(30);
    let at = text.find("function_25").unwrap();
    engine.submit("a", version(Document::new(text, 1), None));
    engine.focus("a", ByteSpan::new(at, at + 10));
    let mut watched = engine.watch("a").unwrap();
    engine.set_view("a", live(received()));
    let first = first_published(&mut watched);
    assert!(!first.complete, "the first sight is not the whole");
    assert!(
        first.analysis.lexeme_at(at + 1).is_some(),
        "the focus is scored"
    );
    assert!(settled(&engine, "a", 1).complete);
}

#[test]
fn an_edit_is_the_focus_until_the_client_sets_one() {
    let engine = engine(CACHE_BYTES);
    let text = functions(30);
    let at = text.find("function_25").unwrap();
    let edit = |number, edited| {
        let submission = Submission {
            edited,
            ..version(Document::new(text.clone(), number), None)
        };
        engine.submit("a", submission);
    };
    edit(1, None);
    edit(2, Some(ByteSpan::new(at, at + 10)));
    // A version without a known edit keeps the focus.
    edit(3, None);
    let mut watched = engine.watch("a").unwrap();
    engine.set_view("a", live(received()));
    let first = first_published(&mut watched);
    assert!(!first.complete, "the first sight is not the whole");
    assert!(
        first.analysis.lexeme_at(at + 1).is_some(),
        "the edited part is scored"
    );
    assert!(settled(&engine, "a", 3).complete);
}

#[test]
fn another_view_needs_no_new_pass() {
    let engine = engine(CACHE_BYTES);
    let document = Document::new(functions(4), 1);
    engine.submit("a", version(document.clone(), Some(live(received()))));
    settled(&engine, "a", 1);
    let views = [
        view(Method::Received, "0", "3"),
        view(Method::Received, "0-2,5", "max"),
        view(Method::Norm, "last", "mean"),
        view(Method::Rollout, "all", "mean"),
        view(Method::Cls, "4", "mean"),
    ];
    for attribution in views {
        let before = engine.stats();
        let view = live(attribution.clone());
        engine.set_view("a", view.clone());
        let live = settled(&engine, "a", 1);
        assert_eq!(live.analysis.attribution, attribution);
        let after = engine.stats();
        assert_eq!(
            after.resumed - before.resumed,
            after.passes - before.passes,
            "all were scored from records"
        );
        let cancel = AtomicBool::new(false);
        let expected = analyze(&MODEL, &document, &view.config, &cancel, &mut |_, _| ()).unwrap();
        for (a, b) in live.analysis.lexemes.iter().zip(&expected.lexemes) {
            assert!(
                (a.lift - b.lift).abs() < 1e-3,
                "{attribution:?}: {a:?} is not {b:?}"
            );
        }
    }
}

#[test]
fn each_device_has_separate_results() {
    let engine = engine(CACHE_BYTES);
    let document = Document::new(functions(1), 1);
    let files = ModelSource::Embedded.resolve(&HubOptions::from_env(), &());
    let reference = Model::load(&files.unwrap(), Device::CandleCpu, Precision::F32).unwrap();
    assert_eq!(reference.info().fingerprint, MODEL.info().fingerprint);
    for (n_before, model) in [Arc::clone(&MODEL), Arc::new(reference)]
        .into_iter()
        .enumerate()
    {
        let device = model.info().device;
        let planned = engine.plan(model, document.clone()).wait().unwrap();
        let request = engine.analyze(&planned, Scope::Document, received(), Extras::default());
        assert_eq!(request.wait().unwrap().analysis.model.device, device);
        let stats = engine.stats();
        assert_eq!(stats.passes, n_before as u64 + 1, "{device} ran the model");
        assert_eq!((stats.cache.hits, stats.resumed), (0, 0), "{device}");
    }
}

#[test]
fn a_panic_ends_only_its_request() {
    let engine = engine(CACHE_BYTES);
    let document = Document::new("def f(x): return x", 1);
    let broken = AttributionConfig {
        heads: HeadFusion::Heads(vec![999]),
        ..received()
    };
    let planned = plan(&engine, &document);
    let done = engine
        .analyze(&planned, Scope::Document, broken.clone(), Extras::default())
        .wait();
    assert!(
        matches!(done, Err(EngineError::Panicked { .. })),
        "{done:?}"
    );
    let whole = analyze_once(&engine, document.text());
    assert!(!whole.wait().unwrap().analysis.lexemes.is_empty());
    // A live document also fails, and recovers with the next view.
    engine.submit("a", version(document, Some(live(received()))));
    settled(&engine, "a", 1);
    engine.set_view("a", live(broken));
    let watched = engine.watch("a").unwrap();
    for _ in 0..3000 {
        if matches!(watched.borrow().phase, LivePhase::Failed(_)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(matches!(watched.borrow().phase, LivePhase::Failed(_)));
    engine.set_view("a", live(received()));
    settled(&engine, "a", 1);
    assert_eq!(engine.stats().panics, 2);
}

#[test]
fn a_request_without_a_receiver_is_cancelled() {
    let engine = engine(CACHE_BYTES);
    let long = analyze_once(&engine, functions(400));
    while engine.stats().passes == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(long);
    let short = analyze_once(&engine, functions(1)).wait().unwrap();
    assert!(short.complete);
    let passes = engine.stats().passes;
    assert!(passes < 300, "the long one went on: {passes} passes");
}

#[test]
fn one_chunk_of_a_document() {
    let engine = engine(CACHE_BYTES);
    let document = Document::new(functions(8), 1);
    let planned = plan(&engine, &document);
    let chunk = |scope| {
        let extras = Extras {
            subwords: true,
            matrix: true,
            ..Extras::default()
        };
        engine.analyze(&planned, scope, received(), extras).wait()
    };
    let at = document.text().find("function_5").unwrap();
    let found = chunk(Scope::ChunkAt(at)).unwrap();
    assert_eq!(found.analysis.chunks.len(), 1);
    assert!(found.analysis.lexeme_at(at).is_some());
    assert!(found.analysis.chunks[0].matrix.is_some());
    assert_eq!(
        chunk(Scope::Chunk(found.first_chunk))
            .unwrap()
            .analysis
            .lexemes,
        found.analysis.lexemes
    );
    let last = chunk(Scope::ChunkAt(usize::MAX)).unwrap();
    assert_eq!(last.first_chunk + 1, last.n_chunks);
    assert!(matches!(
        chunk(Scope::Chunk(99)),
        Err(EngineError::NoChunk { chunk: 99, .. })
    ));
    let thumbnails = engine
        .thumbnails(&planned, Scope::ChunkAt(at), 16)
        .wait()
        .unwrap();
    let info = MODEL.info();
    assert_eq!(thumbnails.chunk_idx, found.first_chunk);
    assert_eq!(
        thumbnails.cells.len(),
        info.n_layers * info.n_heads * 16 * 16
    );
    assert!(
        engine
            .thumbnails(&plan(&engine, &Document::new("", 1)), Scope::Chunk(0), 16)
            .wait()
            .is_err()
    );
}

#[test]
fn a_small_cache_forgets_and_stays_small() {
    let engine = engine(1 << 20);
    submit(&engine, "a", functions(20), 1);
    settled(&engine, "a", 1);
    // The thread publishes the cache's statistics before it takes the next step, so they are current after this request.
    let _ = engine.clear_cache().blocking_recv();
    let stats = engine.stats();
    assert!(stats.cache.evictions > 0);
    assert!(stats.cache.bytes <= 1 << 20);
}

#[test]
fn a_closed_document_is_forgotten() {
    let engine = engine(CACHE_BYTES);
    submit(&engine, "a", functions(200), 1);
    let mut live = engine.watch("a").unwrap();
    engine.close("a");
    assert!(engine.watch("a").is_none());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        // The loop ends when the sender is dropped.
        while live.changed().await.is_ok() {}
    });
}

#[test]
fn the_latest_version_wins() {
    let engine = engine(CACHE_BYTES);
    let text = functions(40);
    for number in 1..=50 {
        let text = text.replace("def function_20", &format!("def function_{number}_20"));
        submit(&engine, "a", text, number);
    }
    let live = settled(&engine, "a", 50);
    assert!(live.document.text().contains("function_50_20"));
    assert_eq!(live.analysis.version, 50);
}

#[test]
fn cache_controls_apply_in_their_order() {
    let engine = engine(CACHE_BYTES);
    submit(&engine, "a", functions(2), 1);
    settled(&engine, "a", 1);
    // The thread is busy while both limits arrive. The later one applies.
    let busy = analyze_once(&engine, functions(20));
    engine.set_cache_bytes(0);
    engine.set_cache_bytes(CACHE_BYTES);
    busy.wait().unwrap();
    let _ = engine.clear_cache().blocking_recv();
    analyze_once(&engine, functions(1)).wait().unwrap();
    let stats = engine.stats().cache;
    assert_eq!(stats.limit_bytes, CACHE_BYTES);
    assert!(stats.entries > 0);
}
