//! Several clients on one engine: models and views of their own, turns, raw tensors.

use super::*;
use crate::analysis::chunk::ChunkConfig;
use crate::analysis::plan_chunks;
use crate::analysis::raw::{RawAttention, RawChoice, RawHeads, raw_attention};

#[test]
fn live_documents_under_views_of_their_own() {
    let engine = Engine::start(CACHE_BYTES);
    let model = || Arc::clone(&MODEL);
    let document = Document::new(functions(3), 1);
    // Before anything serves everybody.
    let own = Served::live(model(), view(Method::Norm, "0-1", "max"));
    engine.submit_under("a", document.clone(), own, AT_ONCE);
    engine.submit("b", document.clone(), AT_ONCE);
    assert_eq!(
        settled(&engine, "a", 1).analysis.attribution.method,
        Method::Norm
    );
    let waiting = engine.watch("b").unwrap();
    assert!(matches!(waiting.borrow().phase, Phase::Waiting));

    engine.serve(model(), received());
    assert_eq!(
        settled(&engine, "b", 1).analysis.attribution.method,
        Method::Received
    );
    let kept = settled(&engine, "a", 1);
    assert_eq!(kept.analysis.attribution.method, Method::Norm);

    // The same version under another view is another analysis.
    let other = Served::live(model(), view(Method::Cls, "last", "mean"));
    engine.submit_under("a", document, other, AT_ONCE);
    assert_eq!(
        settled(&engine, "a", 1).analysis.attribution.method,
        Method::Cls
    );
}

#[test]
fn requests_need_no_model_that_serves() {
    let engine = Engine::start(CACHE_BYTES);
    let analyzed = engine.analyze_with(
        Arc::clone(&MODEL),
        Document::new(functions(1), 1),
        Scope::Document,
        received(),
        Extras::default(),
    );
    assert!(analyzed.wait().unwrap().complete);
}

#[test]
fn a_short_request_does_not_wait_for_a_long_one() {
    let engine = serving();
    let request = |text: String| {
        engine.analyze(
            Document::new(text, 1),
            Scope::Document,
            received(),
            Extras::default(),
        )
    };
    let mut long = request(functions(30));
    let progress = long.progress().unwrap();
    while progress.borrow().0 == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(request(functions(1)).wait().unwrap().complete);
    let (done, all) = *progress.borrow();
    assert!(
        done < all,
        "the long one was finished first: {done} of {all}"
    );
    assert!(long.wait().unwrap().complete);
}

#[test]
fn what_a_job_spent_leaves_out_what_the_cache_had() {
    let engine = serving();
    let request = |text: String| {
        let pending = engine.analyze(
            Document::new(text, 1),
            Scope::Document,
            received(),
            Extras::default(),
        );
        pending.wait().unwrap()
    };
    let fresh = request(functions(2));
    assert!(!fresh.spent.forward.is_zero());
    assert_eq!(fresh.spent.forward, fresh.analysis.timing.forward);
    let again = request(functions(2));
    assert_eq!(again.cached, vec![true; again.analysis.chunks.len()]);
    assert_eq!(again.spent.forward, Duration::ZERO);
    assert_eq!(again.analysis.timing.forward, fresh.analysis.timing.forward);
}

#[test]
fn raw_tensors_are_those_of_a_pass_of_its_own() {
    let engine = serving();
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
    // The second and third go on where the one before left a record.
    for choice in [
        choice(&[0, 2], RawHeads::Each(vec![1])),
        choice(&[1, 4], RawHeads::Each(vec![0, 7])),
        choice(&[5], RawHeads::Fused(HeadFusion::Mean)),
    ] {
        let found = engine
            .raw_with(
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
    let missing = engine.raw_with(
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
