//! Analyses of whole documents with the embedded model: properties of all texts.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![allow(clippy::cast_precision_loss, reason = "small counts")]
#![allow(clippy::format_collect, reason = "short texts")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use codegaze_core::analysis::{
    Analysis, AnalysisConfig, AnalysisError, Extras, Pass, PassRecord, ScoredLexeme, analyze,
    assemble, plan_chunks, score_window,
};
use codegaze_core::attribution::align::Alignment;
use codegaze_core::attribution::{Aggregate, AttributionOptions, Method};
use codegaze_model::roberta::ForwardError;
use codegaze_model::source::{HubOptions, ModelSource};
use codegaze_model::{Device, Model, Precision};
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;
use codegaze_text::lexeme::{Lexeme, is_whitespace};
use proptest::prelude::*;

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let files = ModelSource::Embedded
        .resolve(&HubOptions::from_env(), &())
        .unwrap();
    Model::load(&files, Device::Cpu, Precision::F32).unwrap()
});

fn config(method: Method) -> AnalysisConfig {
    let info = MODEL.info();
    let options = AttributionOptions {
        method,
        ..AttributionOptions::default()
    };
    AnalysisConfig::new(info, options.resolve(info).unwrap())
}

fn run(text: &str, config: &AnalysisConfig) -> Analysis {
    let document = Document::new(text, 3);
    analyze(
        &MODEL,
        &document,
        config,
        &AtomicBool::new(false),
        &mut |_, _| (),
    )
    .unwrap()
}

/// Every promise of an [`Analysis`] that does not depend on the model's numbers.
fn check(text: &str, analysis: &Analysis) {
    assert_eq!(analysis.version, 3);
    let mut covered = vec![false; text.len()];
    let mut end = 0;
    for lexeme in &analysis.lexemes {
        assert!(
            end <= lexeme.span.start && !lexeme.span.is_empty(),
            "ascending, disjoint"
        );
        end = lexeme.span.end;
        assert!(
            text.get(lexeme.span.range()).is_some(),
            "on char boundaries"
        );
        assert!(lexeme.share.is_finite() && lexeme.share >= 0.0);
        covered[lexeme.span.range()].fill(true);
    }
    for (at, c) in text.char_indices() {
        assert_eq!(covered[at], !is_whitespace(c), "{c:?} at {at}");
    }
    let mut at = 0;
    for (i, chunk) in analysis.chunks.iter().enumerate() {
        assert_eq!(chunk.core.start, at, "cores partition the document");
        at = chunk.core.end;
        assert!(chunk.span.contains(chunk.core));
        assert!(chunk.n_tokens <= MODEL.info().max_tokens);
        let of_chunk = || {
            analysis
                .lexemes
                .iter()
                .filter(|lexeme| lexeme.chunk_idx == i)
        };
        let n = of_chunk().count();
        assert!(of_chunk().all(|lexeme| chunk.core.contains(lexeme.span)));
        if n > 0 {
            let sum: f32 = of_chunk().map(|lexeme| lexeme.share).sum();
            assert!((sum - 1.0).abs() < 1e-3, "shares sum to {sum}");
            let lift: f32 = of_chunk().map(|lexeme| lexeme.lift).sum();
            assert!(
                (lift / n as f32 - 1.0).abs() < 1e-3,
                "mean lift is {lift} / {n}"
            );
        }
    }
    assert_eq!(at, text.len());
    let mut ranked: Vec<_> = analysis.lexemes.iter().collect();
    ranked.sort_by_key(|lexeme| lexeme.rank);
    assert!(ranked.iter().map(|lexeme| lexeme.rank).eq(1..=ranked.len()));
    assert!(
        ranked.is_sorted_by(|a, b| a.lift >= b.lift),
        "rank 1 has the greatest lift"
    );
    let lines: f32 = analysis.lines.iter().map(|line| line.share).sum();
    assert!(
        analysis.lines.is_empty() || (lines - 1.0).abs() < 1e-3,
        "lines sum to {lines}"
    );
    for share in [analysis.sink_share, analysis.whitespace_share] {
        assert!(
            (0.0..=1.0).contains(&share) && share.is_sign_positive(),
            "{share}"
        );
    }
    for part in &analysis.unscored {
        assert!(
            text[part.span.range()].chars().all(is_whitespace),
            "only blanks are unscored"
        );
    }
}

/// Pieces of code, and of texts that are unusual in code.
fn any_source() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("def f(x):\n    return x\n\n\n".to_owned()),
        Just("x\t= \"🙂 e\u{301}\";\r\n".to_owned()),
        Just("\r".to_owned()),
        Just("\u{feff}\0<s>日本</s><mask>".to_owned()),
        Just("    \n\n".to_owned()),
        "[a-zA-Z0-9_ (){}.,;:=+*/'\"\n-]{0,60}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_that_is_not_whitespace_is_scored(
        text in any_source(),
        method in prop::sample::select(&Method::ALL[..]),
    ) {
        check(&text, &run(&text, &config(method)));
    }

    #[test]
    fn a_chunk_has_the_same_scores_at_any_place(above in any_source()) {
        // Functions that are large enough to be chunks of their own.
        let body = "    total = [total, value * 2 + 1, 'text']\n".repeat(14);
        let functions: String =
            (0..6).map(|i| format!("def function_{i}(value, total):\n{body}    return total\n\n\n")).collect();
        let text = format!("{above}\n\n{functions}");
        let (alone, below) = (run(&functions, &config(Method::Received)), run(&text, &config(Method::Received)));
        let scores = |text: &str, analysis: &Analysis, i: usize| {
            let chunk = &analysis.chunks[i];
            let lexemes = analysis.lexemes.iter().filter(|lexeme| lexeme.chunk_idx == i);
            let shares: Vec<f32> = lexemes.map(|lexeme| lexeme.share).collect();
            (chunk.span.of(text).to_owned(), shares)
        };
        let known: std::collections::BTreeMap<_, _> =
            (0..alone.chunks.len()).map(|i| scores(&functions, &alone, i)).collect();
        let mut n_equal = 0;
        for i in 0..below.chunks.len() {
            let (text, shares) = scores(&text, &below, i);
            if let Some(expected) = known.get(&text) {
                n_equal += 1;
                for (a, b) in shares.iter().zip(expected) {
                    prop_assert!((a - b).abs() < 1e-6);
                }
            }
        }
        prop_assert!(n_equal >= 4, "only {n_equal} chunks came back");
    }
}

#[test]
fn odd_documents() {
    let cases = [
        "",
        " ",
        "\n",
        "\r",
        "\u{feff}",
        "x",
        "\0",
        "\u{feff}x = 1\r\ny = 2\rz",
        "👩‍👩‍👧‍👦 = 'e\u{301}\u{301}'",
        "<s></s><pad><mask><unk>",
    ];
    for text in cases {
        for method in Method::ALL {
            check(text, &run(text, &config(method)));
        }
    }
    // Lines that no window holds.
    for text in ["let x = [1, 2, 3]; ".repeat(300), "a".repeat(4_000)] {
        check(&text, &run(&text, &config(Method::Received)));
    }
}

#[test]
fn extras_are_present_when_requested() {
    let text = "def area(r):\n    return 3.14 * r ** 2\n";
    let mut config = config(Method::Received);
    config.extras = Extras {
        subwords: true,
        matrix: true,
        relations: false,
        embedding: true,
    };
    let analysis = run(text, &config);
    let chunk = &analysis.chunks[0];
    let (subwords, matrix) = (
        chunk.subwords.as_ref().unwrap(),
        chunk.matrix.as_ref().unwrap(),
    );
    assert_eq!(subwords.len(), chunk.n_tokens);
    assert_eq!(matrix.weights.len(), chunk.n_tokens * chunk.n_tokens);
    assert!((subwords.iter().map(|subword| subword.score).sum::<f32>() - 1.0).abs() < 1e-4);
    // The scores from the matrix: drop the special columns, renormalize, take the column means.
    let n = chunk.n_tokens;
    let mut expected = vec![0.0; n];
    for row in matrix.weights.chunks_exact(n).skip(1).take(n - 2) {
        let kept: f32 = row[1..n - 1].iter().sum();
        for (sum, weight) in expected.iter_mut().zip(row).skip(1).take(n - 2) {
            *sum += weight / kept / (n - 2) as f32;
        }
    }
    for (subword, expected) in subwords.iter().zip(expected) {
        assert!((subword.score - expected).abs() < 1e-5);
    }
    let embedding = analysis.embedding.unwrap();
    assert_eq!((embedding.cls.len(), embedding.mean.len()), (256, 256));
    assert_ne!(embedding.cls, embedding.mean);
}

#[test]
fn an_analysis_can_be_cancelled() {
    let document = Document::new("x = 1\n".repeat(2_000), 0);
    let cancel = AtomicBool::new(false);
    let mut n_chunks = 0;
    let result = analyze(
        &MODEL,
        &document,
        &config(Method::Received),
        &cancel,
        &mut |done, _| {
            n_chunks = done;
            if done == 2 {
                cancel.store(true, Ordering::Relaxed);
            }
        },
    );
    assert!(
        matches!(result, Err(AnalysisError::Forward(ForwardError::Cancelled))),
        "{result:?}"
    );
    assert_eq!(n_chunks, 2);
}

#[test]
fn missing_windows_are_unscored() {
    let text = "def f(a):\n    return [a, 1, 2, 3]\n\n\n".repeat(100);
    let document = Document::new(text, 1);
    let config = config(Method::Received);
    let chunks = plan_chunks(&MODEL, &document, &config.chunk);
    let cancel = AtomicBool::new(false);
    let window = |i: usize| {
        let chunk = chunks[i];
        let text = chunk.span.of(document.text());
        let pass = Pass::new(&MODEL, text, &cancel);
        let window = score_window(pass, chunk.core_in_span(), &config).unwrap();
        (chunk, Arc::new(window))
    };
    let analysis = assemble(&document, MODEL.info(), &config, &[window(1), window(3)]);
    let spans: Vec<_> = analysis.unscored.iter().map(|part| part.span).collect();
    let end = document.text().len();
    let gap = |a: usize, b: usize| codegaze_text::ByteSpan::new(a, b);
    let expected = [
        gap(0, chunks[1].core.start),
        gap(chunks[1].core.end, chunks[3].core.start),
        gap(chunks[3].core.end, end),
    ];
    assert_eq!(spans, expected);
}

#[test]
fn a_record_gives_the_same_scores_as_a_pass() {
    let text = "def f(items):\n    total = 0\n    for item in items:\n        total += item.price\n    return total\n";
    let core = codegaze_text::ByteSpan::new(0, text.len());
    let never = AtomicBool::new(false);
    let mut record = PassRecord::default();
    let layers = ["1", "last", "0-2,4", "all"];
    for method in Method::ALL {
        for layers in layers {
            let mut config = config(method);
            config.attribution.layers = layers
                .parse::<codegaze_core::attribution::LayerChoice>()
                .unwrap()
                .resolve(MODEL.info().n_layers)
                .unwrap();
            let pass = || Pass::new(&MODEL, text, &never);
            let whole = score_window(pass(), core, &config).unwrap();
            let known = record.n_layers();
            let recorded = score_window(pass().recorded(&mut record), core, &config).unwrap();
            assert!(record.n_layers() >= known, "a record only grows");
            for (a, b) in whole.lexemes.iter().zip(&recorded.lexemes) {
                assert_eq!(a.span, b.span);
                let close = (a.share - b.share).abs() <= 1e-5;
                assert!(close, "{method} over {layers}: {a:?} is not {b:?}");
            }
        }
    }
    assert_eq!(record.n_layers(), MODEL.info().n_layers);
}

#[test]
fn a_cancelled_pass_keeps_what_it_computed() {
    struct StopAt<'a>(usize, &'a AtomicBool);
    impl codegaze_model::roberta::AttentionSink for StopAt<'_> {
        fn attention(
            &mut self,
            attention: codegaze_model::roberta::LayerAttention<'_>,
        ) -> std::ops::ControlFlow<()> {
            if attention.layer_idx == self.0 {
                self.1.store(true, Ordering::Relaxed);
            }
            std::ops::ControlFlow::Continue(())
        }
    }
    let text = "def f(x):\n    return x + 1\n";
    let plan = codegaze_model::roberta::ForwardPlan {
        layers: (0..MODEL.info().n_layers).collect(),
        ..Default::default()
    };
    let cancel = AtomicBool::new(false);
    let mut record = PassRecord::default();
    let forward = |record: &mut PassRecord, last, cancel| {
        let pass = Pass::new(&MODEL, text, cancel);
        pass.recorded(record)
            .forward(&plan, &mut StopAt(last, cancel))
    };
    let stopped = forward(&mut record, 2, &cancel);
    assert!(matches!(stopped, Err(ForwardError::Cancelled)));
    // The inputs of layers 0 to 3: layer 2 ran to its end, layer 3 did not begin.
    assert_eq!(record.n_layers(), 4);
    let never = AtomicBool::new(false);
    forward(&mut record, usize::MAX, &never).unwrap();
    let mut whole = PassRecord::default();
    forward(&mut whole, usize::MAX, &never).unwrap();
    assert_eq!(record, whole);
}

/// Over the examples in ten languages: the share of lexemes of three subwords or more, of all lexemes and of those at the top,
/// where level 5 begins.
fn shares_of_long_lexemes(aggregate: Aggregate) -> (f64, f64) {
    let mut config = config(Method::Received);
    config.attribution.aggregate = aggregate;
    config.extras.subwords = true;
    let (mut all, mut top) = ((0.0, 0.0), (0.0, 0.0));
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    for example in std::fs::read_dir(examples).unwrap() {
        let text = std::fs::read_to_string(example.unwrap().path()).unwrap();
        let analysis = run(&text, &config);
        let lexemes: Vec<Lexeme> = analysis
            .lexemes
            .iter()
            .map(|&ScoredLexeme { span, kind, .. }| Lexeme { span, kind })
            .collect();
        // Each subword is counted in the chunk that scores it.
        let chunks = analysis.chunks.iter();
        let spans: Vec<Option<ByteSpan>> = chunks
            .flat_map(|chunk| {
                let spans = chunk.subwords.iter().flatten().map(|subword| subword.span);
                spans.filter(|span| span.is_some_and(|span| chunk.core.contains(span)))
            })
            .collect();
        let counts = Alignment::new(&spans, &lexemes).counts();
        let mut lifts: Vec<f32> = analysis.lexemes.iter().map(|l| l.lift).collect();
        lifts.sort_by(f32::total_cmp);
        let cut = lifts[lifts.len() * 95 / 100];
        for (lexeme, count) in analysis.lexemes.iter().zip(counts) {
            let is_long = f64::from(u8::from(count > 2.99));
            all = (all.0 + is_long, all.1 + 1.0);
            if lexeme.lift > cut {
                top = (top.0 + is_long, top.1 + 1.0);
            }
        }
    }
    (all.0 / all.1, top.0 / top.1)
}

#[test]
fn the_top_of_the_default_is_not_explained_by_the_number_of_subwords() {
    let (all, top) = shares_of_long_lexemes(Aggregate::default());
    // The examples are small: their top has few lexemes.
    assert!(top < 1.5 * all && all < 2.0 * top, "{top} of {all}");
    // What it corrects.
    let (all, top) = shares_of_long_lexemes(Aggregate::Sum);
    assert!(top > 5.0 * all, "{top} of {all}");
    let (_, top) = shares_of_long_lexemes(Aggregate::Mean);
    assert!(top < 0.01, "{top}");
}
