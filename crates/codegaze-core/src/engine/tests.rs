//! The engine with the embedded model.

mod clients;

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::*;
use crate::analysis::analyze;
use crate::attribution::{HeadChoice, HeadFusion, LayerChoice, Method, Sinks};
use codegaze_model::Device;
use codegaze_model::source::{HubOptions, ModelSource};

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| {
    let files = ModelSource::Embedded.resolve(&HubOptions::from_env(), &());
    Arc::new(Model::load(&files.unwrap(), Device::Cpu).unwrap())
});

const AT_ONCE: Duration = Duration::ZERO;
const CACHE_BYTES: usize = 64 << 20;

fn view(method: Method, layers: &str, heads: &str) -> AttributionConfig {
    let info = MODEL.info();
    let layers: LayerChoice = layers.parse().unwrap();
    let heads: HeadChoice = heads.parse().unwrap();
    AttributionConfig::resolve(
        method,
        Some(&layers),
        &heads,
        Sinks::Drop,
        info.n_layers,
        info.n_heads,
    )
    .unwrap()
}

fn received() -> AttributionConfig {
    view(Method::Received, "last", "mean")
}

fn serving() -> Engine {
    let engine = Engine::start(CACHE_BYTES);
    engine.serve(Arc::clone(&MODEL), received());
    engine
}

/// Waits for the analysis of `version` to be complete; a test that hangs is a test that fails.
fn settled(engine: &Engine, key: &str, version: i64) -> Arc<Finished> {
    let live = engine.watch(key).unwrap();
    for _ in 0..3000 {
        let now = live.borrow().clone();
        match (now.phase, now.analysis) {
            (Phase::Ready, Some(analysis)) if now.version == version => return analysis,
            (Phase::Failed(error), _) => panic!("{error}"),
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    panic!("no analysis within half a minute");
}

/// `n` functions, none like another.
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
    let engine = serving();
    let document = Document::new(functions(6), 1);
    engine.submit("a", document.clone(), AT_ONCE);
    let live = settled(&engine, "a", 1);
    let config = engine.served().unwrap().config;
    let cancel = AtomicBool::new(false);
    let expected = analyze(&MODEL, &document, &config, &cancel, &mut |_, _| ()).unwrap();
    assert!(live.analysis.chunks.len() > 1, "the document needs chunks");
    assert_eq!(live.analysis.lexemes.len(), expected.lexemes.len());
    for (a, b) in live.analysis.lexemes.iter().zip(&expected.lexemes) {
        assert_eq!(a.span, b.span);
        assert!((a.lift - b.lift).abs() < 1e-4, "{a:?} is not {b:?}");
    }
}

#[test]
fn an_edit_runs_the_model_on_its_chunk_alone_and_undo_on_nothing() {
    let engine = serving();
    let text = functions(20);
    engine.submit("a", Document::new(text.clone(), 1), AT_ONCE);
    let before = settled(&engine, "a", 1);
    let passes = engine.stats().passes;
    let edited = text.replace("first[10] + second * 5", "first[10] + second * 55");
    engine.submit("a", Document::new(edited, 2), AT_ONCE);
    let after = settled(&engine, "a", 2);
    assert_eq!(engine.stats().passes - passes, 1, "one chunk was touched");
    assert_eq!(after.cached.iter().filter(|&&cached| !cached).count(), 1);
    engine.submit("a", Document::new(text, 3), AT_ONCE);
    let undone = settled(&engine, "a", 3);
    assert_eq!(engine.stats().passes - passes, 1, "undo is known");
    assert!(undone.cached.iter().all(|&cached| cached));
    assert_eq!(undone.analysis.lexemes, before.analysis.lexemes);
}

#[test]
fn what_is_looked_at_comes_first() {
    let engine = Engine::start(CACHE_BYTES);
    let text = functions(30);
    let at = text.find("function_25").unwrap();
    engine.submit("a", Document::new(text, 1), AT_ONCE);
    engine.focus("a", ByteSpan::new(at, at + 10));
    let mut live = engine.watch("a").unwrap();
    engine.serve(Arc::clone(&MODEL), received());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let first = runtime.unwrap().block_on(async {
        loop {
            live.changed().await.unwrap();
            if let Some(first) = live.borrow_and_update().analysis.clone() {
                return first;
            }
        }
    });
    assert!(!first.complete, "the first sight is not the whole");
    assert!(
        first.analysis.lexeme_at(at + 1).is_some(),
        "what is looked at is there"
    );
    assert!(settled(&engine, "a", 1).complete);
}

#[test]
fn another_view_needs_no_new_pass() {
    let engine = serving();
    let document = Document::new(functions(4), 1);
    engine.submit("a", document.clone(), AT_ONCE);
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
        engine.serve(Arc::clone(&MODEL), attribution.clone());
        let live = settled(&engine, "a", 1);
        assert_eq!(live.analysis.attribution, attribution);
        let after = engine.stats();
        assert_eq!(
            after.resumed - before.resumed,
            after.passes - before.passes,
            "all were scored from records"
        );
        let config = engine.served().unwrap().config;
        let cancel = AtomicBool::new(false);
        let expected = analyze(&MODEL, &document, &config, &cancel, &mut |_, _| ()).unwrap();
        for (a, b) in live.analysis.lexemes.iter().zip(&expected.lexemes) {
            assert!(
                (a.lift - b.lift).abs() < 1e-3,
                "{attribution:?}: {a:?} is not {b:?}"
            );
        }
    }
}

#[test]
fn a_panic_ends_its_request_and_nothing_else() {
    let engine = serving();
    let document = Document::new("def f(x): return x", 1);
    let broken = AttributionConfig {
        heads: HeadFusion::Heads(vec![999]),
        ..received()
    };
    let done = engine
        .analyze(
            document.clone(),
            Scope::Document,
            broken.clone(),
            Extras::default(),
        )
        .wait();
    assert!(
        matches!(done, Err(EngineError::Panicked { .. })),
        "{done:?}"
    );
    let whole = engine.analyze(
        document.clone(),
        Scope::Document,
        received(),
        Extras::default(),
    );
    assert!(!whole.wait().unwrap().analysis.lexemes.is_empty());
    // The same in a live document: it fails, and recovers with the next view.
    engine.submit("a", document, AT_ONCE);
    settled(&engine, "a", 1);
    engine.serve(Arc::clone(&MODEL), broken);
    let live = engine.watch("a").unwrap();
    for _ in 0..3000 {
        if matches!(live.borrow().phase, Phase::Failed(_)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(matches!(live.borrow().phase, Phase::Failed(_)));
    engine.serve(Arc::clone(&MODEL), received());
    settled(&engine, "a", 1);
    assert_eq!(engine.stats().panics, 2);
}

#[test]
fn a_request_that_nobody_awaits_is_given_up() {
    let engine = Engine::start(CACHE_BYTES);
    let request = |text: String| {
        engine.analyze(
            Document::new(text, 1),
            Scope::Document,
            received(),
            Extras::default(),
        )
    };
    assert!(matches!(
        request(functions(1)).wait(),
        Err(EngineError::NoModel)
    ));
    engine.serve(Arc::clone(&MODEL), received());
    let long = request(functions(400));
    while engine.stats().passes == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(long);
    let short = request(functions(1)).wait().unwrap();
    assert!(short.complete);
    let passes = engine.stats().passes;
    assert!(passes < 300, "the long one went on: {passes} passes");
}

#[test]
fn one_chunk_of_a_document() {
    let engine = serving();
    let document = Document::new(functions(8), 1);
    let chunk = |scope| {
        let extras = Extras {
            subwords: true,
            matrix: true,
            ..Extras::default()
        };
        engine
            .analyze(document.clone(), scope, received(), extras)
            .wait()
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
        .thumbnails(document.clone(), Scope::ChunkAt(at), 16)
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
            .thumbnails(Document::new("", 1), Scope::Chunk(0), 16)
            .wait()
            .is_err()
    );
}

#[test]
fn a_small_cache_forgets_and_stays_small() {
    let engine = Engine::start(1 << 20);
    engine.serve(Arc::clone(&MODEL), received());
    engine.submit("a", Document::new(functions(20), 1), AT_ONCE);
    settled(&engine, "a", 1);
    // What the thread tells of its cache comes with its next look at what is wanted.
    drop(engine.clear_cache().blocking_recv());
    let stats = engine.stats();
    assert!(stats.cache.evictions > 0);
    assert!(stats.cache.bytes <= 1 << 20);
}

#[test]
fn a_closed_document_is_forgotten() {
    let engine = serving();
    engine.submit("a", Document::new(functions(200), 1), AT_ONCE);
    let mut live = engine.watch("a").unwrap();
    engine.close("a");
    assert!(engine.watch("a").is_none());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        // Ends, since nobody will send any more.
        while live.changed().await.is_ok() {}
    });
}

#[test]
fn the_latest_version_wins() {
    let engine = serving();
    let text = functions(40);
    for version in 1..=50 {
        let text = text.replace("def function_20", &format!("def function_{version}_20"));
        engine.submit("a", Document::new(text, version), AT_ONCE);
    }
    let live = settled(&engine, "a", 50);
    assert!(live.document.text().contains("function_50_20"));
    assert_eq!(live.analysis.version, 50);
}
