//! Several clients on one engine: documents with their own models and views, turns, raw tensors.

use super::*;
use crate::analysis::chunk::ChunkConfig;
use crate::analysis::raw::{RawChoice, RawHeads, raw_attention};
use crate::analysis::{Pass, plan_chunks};
use crate::attribution::Fusion;

#[test]
fn every_live_document_has_its_own_view() {
    let engine = engine(CACHE_BYTES);
    let document = Document::new(functions(3), 1);
    let norm = live(view(Method::Norm, "0-1", "max"));
    engine.submit("a", version(document.clone(), Some(norm)));
    engine.submit("b", version(document.clone(), None));
    let method = |key| settled(&engine, key, 1).analysis.attribution.method;
    assert_eq!(method("a"), Method::Norm);
    let waiting = engine.watch("b").unwrap();
    assert!(matches!(waiting.borrow().phase, LivePhase::Waiting));

    engine.set_view("b", live(received()));
    assert_eq!(method("b"), Method::Received);
    assert_eq!(method("a"), Method::Norm);

    // The same version with another view is another analysis.
    let cls = live(view(Method::Cls, "last", "mean"));
    engine.submit("a", version(document, Some(cls)));
    assert_eq!(method("a"), Method::Cls);
    // Setting the view of a document that is not open has no effect.
    engine.set_view("c", live(received()));
    assert!(engine.watch("c").is_none());
}

#[test]
fn a_short_request_does_not_wait_for_a_long_one() {
    let engine = engine(CACHE_BYTES);
    let mut long = analyze_once(&engine, functions(30));
    let progress = long.progress().unwrap();
    while progress.borrow().0 == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(analyze_once(&engine, functions(1)).wait().unwrap().complete);
    let (done, all) = *progress.borrow();
    assert!(
        done < all,
        "the long one was finished first: {done} of {all}"
    );
    assert!(long.wait().unwrap().complete);
}

#[test]
fn the_time_of_a_job_excludes_cached_chunks() {
    let engine = engine(CACHE_BYTES);
    let request = |text: String| analyze_once(&engine, text).wait().unwrap();
    let fresh = request(functions(2));
    assert!(!fresh.spent.forward.is_zero());
    assert_eq!(fresh.spent.forward, fresh.analysis.timing.forward);
    let again = request(functions(2));
    assert_eq!(again.cached, vec![true; again.analysis.chunks.len()]);
    assert_eq!(again.spent.forward, Duration::ZERO);
    assert_eq!(again.analysis.timing.forward, fresh.analysis.timing.forward);
}

#[test]
fn raw_tensors_equal_those_of_a_separate_pass() {
    let engine = engine(CACHE_BYTES);
    let document = Document::new(functions(8), 1);
    let planned = plan(&engine, &document);
    let chunks = plan_chunks(
        &MODEL,
        &document,
        &ChunkConfig::new(MODEL.info().max_code_subwords()),
    );
    assert_eq!(planned.chunks(), chunks);
    assert!(chunks.len() > 1);
    let choice = |layers: &[usize], heads| RawChoice {
        layers: layers.to_vec(),
        heads,
        hidden_states: false,
    };
    // The second and third pass continue from the record of the pass before.
    for choice in [
        choice(&[0, 2], RawHeads::Each(vec![1])),
        choice(&[1, 4], RawHeads::Each(vec![0, 7])),
        choice(&[5], RawHeads::Fused(Fusion::Mean)),
    ] {
        let read = engine.raw(&planned, Scope::Chunk(1), choice.clone());
        let [found] = &read.wait().unwrap()[..] else {
            panic!("one chunk was requested");
        };
        let cancel = AtomicBool::new(false);
        let pass = Pass::new(&MODEL, planned.text(1), &cancel);
        let expected = raw_attention(pass, &chunks[1], choice).unwrap();
        assert_eq!(found.raw.attentions_shape(), expected.attentions_shape());
        for (found, expected) in found.raw.attentions.iter().zip(&expected.attentions) {
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
        assert_eq!(found.raw.input_ids, expected.input_ids);
        assert_eq!(found.chunk_idx, 1);
        assert_eq!(found.chunk, chunks[1]);
    }
    assert_eq!(engine.stats().resumed, 2);
    let missing = engine.raw(
        &planned,
        Scope::Chunk(99),
        choice(&[0], RawHeads::Each(vec![0])),
    );
    assert!(matches!(
        missing.wait(),
        Err(EngineError::NoChunk { chunk: 99, .. })
    ));
}

#[test]
fn raw_tensors_of_a_document_are_those_of_its_nonblank_chunks() {
    let engine = engine(CACHE_BYTES);
    let text = format!("{}{}", functions(4), "\n".repeat(5000));
    let planned = plan(&engine, &Document::new(text, 1));
    let n_chunks = planned.chunks().len();
    let full: Vec<usize> = (0..n_chunks).filter(|&at| !planned.is_blank(at)).collect();
    assert!(full.len() > 1 && full.len() < n_chunks);
    let choice = RawChoice {
        layers: vec![0],
        heads: RawHeads::Each(vec![0]),
        hidden_states: false,
    };
    let read = engine.raw(&planned, Scope::Document, choice.clone());
    let read = read.wait().unwrap();
    let numbers: Vec<usize> = read.iter().map(|chunk| chunk.chunk_idx).collect();
    assert_eq!(numbers, full);
    for chunk in &read {
        assert_eq!(chunk.raw.n_tokens, chunk.chunk.n_subwords + 2);
    }
    let last = engine.raw(&planned, Scope::Chunk(n_chunks - 1), choice);
    assert_eq!(last.wait().unwrap(), []);
}

#[test]
fn a_version_is_cut_once_and_each_chunk_is_tokenized_once() {
    let engine = engine(CACHE_BYTES);
    let document = Document::new(functions(8), 1);
    let planned = plan(&engine, &document);
    let extras = Extras::default();
    let analyze = || {
        let done = engine.analyze(&planned, Scope::Document, received(), extras);
        done.wait().unwrap()
    };
    let n_chunks = planned.chunks().len() as u64;
    let counted = engine.stats().counted;
    let finished = analyze();
    let stats = engine.stats();
    assert_eq!(stats.plans, 1);
    assert_eq!(stats.passes, n_chunks);
    assert_eq!(stats.counted, counted, "scoring counts nothing");
    assert_eq!(finished.spent.chunk, finished.analysis.timing.chunk);

    // The first analysis counts the time for the plan.
    assert_eq!(analyze().spent.chunk, Duration::ZERO);
    // A live document of the same version uses the plan, and so do requests about the document while it is open.
    engine.submit("a", version(document.clone(), Some(live(received()))));
    settled(&engine, "a", 1);
    drop(planned);
    engine.set_view("a", live(view(Method::Cls, "last", "mean")));
    settled(&engine, "a", 1);
    let planned = plan(&engine, &document);
    let _ = engine.thumbnails(&planned, Scope::Chunk(0), 16).wait();
    assert_eq!(engine.stats().plans, 1);

    // Another version is cut again, but lines that did not change are not tokenized again.
    let counted = engine.stats().counted;
    let edited = document.text().replace("first[3] + second * 5", "first[3]");
    submit(&engine, "a", edited, 2);
    settled(&engine, "a", 2);
    let stats = engine.stats();
    assert_eq!(stats.plans, 2);
    assert!(
        stats.counted - counted < 8,
        "{} texts",
        stats.counted - counted
    );
}
