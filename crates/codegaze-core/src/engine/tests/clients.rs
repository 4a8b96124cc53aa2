//! Several clients on one engine: documents with their own models and views, turns, raw tensors.

use super::*;
use crate::analysis::chunk::ChunkConfig;
use crate::analysis::plan_chunks;
use crate::analysis::raw::{RawAttention, RawChoice, RawHeads, raw_attention};
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

    // The same version under another view is another analysis.
    let cls = live(view(Method::Cls, "last", "mean"));
    engine.submit("a", version(document, Some(cls)));
    assert_eq!(method("a"), Method::Cls);
    // A document that is not open has no view to set.
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
fn what_a_job_spent_leaves_out_what_the_cache_had() {
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
    let info = MODEL.info();
    let chunks = plan_chunks(
        &MODEL,
        &document,
        &ChunkConfig::new(info.max_code_subwords()),
    );
    assert!(chunks.len() > 1);
    let choice = |layers: &[usize], heads| RawChoice {
        layers: layers.to_vec(),
        heads,
        hidden_states: false,
    };
    // The second and third continue from the record of the one before.
    for choice in [
        choice(&[0, 2], RawHeads::Each(vec![1])),
        choice(&[1, 4], RawHeads::Each(vec![0, 7])),
        choice(&[5], RawHeads::Fused(Fusion::Mean)),
    ] {
        let found = engine
            .raw(
                Arc::clone(&MODEL),
                document.clone(),
                Scope::Chunk(1),
                choice.clone(),
            )
            .wait()
            .unwrap();
        let cancel = std::sync::atomic::AtomicBool::new(false);
        let expected: RawAttention =
            raw_attention(&MODEL, &document, &chunks[1], choice, None, &cancel).unwrap();
        assert_eq!(found.raw.attentions_shape(), expected.attentions_shape());
        for (found, expected) in found.raw.attentions.iter().zip(&expected.attentions) {
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
        assert_eq!(found.raw.input_ids, expected.input_ids);
        assert_eq!((found.chunk_idx, found.n_chunks), (1, chunks.len()));
        assert_eq!(found.chunk, chunks[1]);
    }
    assert_eq!(engine.stats().resumed, 2);
    let missing = engine.raw(
        Arc::clone(&MODEL),
        document,
        Scope::Chunk(99),
        choice(&[0], RawHeads::Each(vec![0])),
    );
    assert!(matches!(
        missing.wait(),
        Err(EngineError::NoChunk { chunk: 99, .. })
    ));
}
