//! One window: its text in, its lexemes' scores out. The result does not depend on the document around the window, so the cache can use
//! the text as a key.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pass::Pass;
use super::relations::Relations;
use super::{AnalysisConfig, AnalysisError, SubwordMatrix, SubwordScore};
use crate::attribution::Attributor;
use crate::attribution::align::Alignment;
use codegaze_model::roberta::{AttentionSink, HiddenStates, LayerAttention};
use codegaze_model::tokenizer::Encoding;
use codegaze_text::ByteSpan;
use codegaze_text::lexeme::{Lexeme, LexemeKind, scan};

/// A scored lexeme of a window's core.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowLexeme {
    /// Where it is, relative to the window's start.
    pub span: ByteSpan,
    /// What kind of lexeme it is.
    pub kind: LexemeKind,
    /// Its part of the scores of the core's lexemes, 0 … 1; the shares of a core sum to 1.
    pub share: f32,
}

/// The scores of one window. All spans are relative to its start.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredWindow {
    /// The lexemes of the core, ascending.
    pub lexemes: Vec<WindowLexeme>,
    /// The number of subwords that the model read, including special ones; 0 if the core has no lexeme.
    pub n_tokens: usize,
    /// The share of attention on special subwords, 0 … 1.
    pub sink_share: f32,
    /// The share of the scores on whitespace subwords, 0 … 1.
    pub whitespace_share: f32,
    /// The share of the scores on the context around the core, 0 … 1.
    pub context_share: f32,
    /// Every subword; `None` unless [`Extras::subwords`](super::Extras::subwords) is set.
    pub subwords: Option<Vec<SubwordScore>>,
    /// The fused matrix over all subwords; `None` unless [`Extras::matrix`](super::Extras::matrix) is set.
    pub matrix: Option<SubwordMatrix>,
    /// The partners of each of `lexemes`; `None` unless [`Extras::relations`](super::Extras::relations) is set.
    pub relations: Option<Arc<Relations>>,
    /// Sums of hidden states; `None` unless [`Extras::embedding`](super::Extras::embedding) is set.
    pub embedding: Option<WindowEmbedding>,
    /// How long tokenizing took.
    pub tokenize: Duration,
    /// How long the encoder's pass took, without attribution.
    pub forward: Duration,
    /// How long attribution took.
    pub attribute: Duration,
}

/// The sums from which the embedding of a document is computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WindowEmbedding {
    /// The last hidden state of `<s>`, \[hidden\].
    pub cls: Vec<f32>,
    /// The sum of the last hidden states of the core's subwords, \[hidden\].
    pub sum: Vec<f32>,
    /// The number of these subwords.
    pub n_subwords: usize,
}

/// Scores the lexemes of `core` in the window. No lexeme lies across an edge of the core, because context consists of whole lines
/// (see [`plan`](super::chunk::plan)).
///
/// # Errors
/// If the pass is cancelled, if the model's numbers are not finite, or if the device fails.
#[tracing::instrument(level = "debug", skip_all, fields(bytes = pass.text.len()))]
pub fn score_window(
    mut pass: Pass<'_>,
    core: ByteSpan,
    config: &AnalysisConfig,
) -> Result<ScoredWindow, AnalysisError> {
    let extras = config.extras;
    let lexemes = scan(pass.text);
    if !lexemes.iter().any(|lexeme| core.contains(lexeme.span)) {
        return Ok(ScoredWindow::blank(pass.tokenize));
    }
    let special: Vec<bool> = pass.encoding.spans.iter().map(Option::is_none).collect();
    let Forwarded {
        attributor,
        forward,
        attribute,
        last_hidden,
    } = forward(&mut pass, &special, config)?;
    let start = Instant::now();
    let scores = attributor.finish()?;
    let encoding = &pass.encoding;
    let alignment = Alignment::new(&encoding.spans, &lexemes);
    let shares = core_shares(&scores.scores, &alignment, &lexemes, core, config);
    let relations = extras.relations.then(|| {
        let relations = Relations::new(&scores.matrix, &special, &alignment, &lexemes, core);
        Arc::new(relations)
    });
    Ok(ScoredWindow {
        lexemes: shares.lexemes,
        n_tokens: encoding.ids.len(),
        sink_share: scores.sink_share,
        whitespace_share: shares.whitespace.clamp(0.0, 1.0),
        context_share: shares.context.clamp(0.0, 1.0),
        subwords: extras
            .subwords
            .then(|| score_subwords(encoding, &scores.scores)),
        relations,
        embedding: extras
            .embedding
            .then(|| embed(&last_hidden, encoding, core)),
        matrix: extras.matrix.then_some(SubwordMatrix {
            n_tokens: special.len(),
            weights: scores.matrix,
        }),
        tokenize: pass.tokenize,
        forward,
        attribute: attribute + start.elapsed(),
    })
}

/// The results of the model's pass.
struct Forwarded<'a> {
    attributor: Attributor<'a>,
    forward: Duration,
    /// The part of the pass's time that attribution took.
    attribute: Duration,
    /// [token, hidden]; empty unless an embedding is requested.
    last_hidden: Vec<f32>,
}

fn forward<'a>(
    pass: &mut Pass<'_>,
    special: &'a [bool],
    config: &'a AnalysisConfig,
) -> Result<Forwarded<'a>, AnalysisError> {
    let mut plan = config.attribution.plan();
    if config.extras.embedding {
        plan.hidden_states = HiddenStates::Last;
    }
    let mut sink = WindowSink {
        attributor: Attributor::new(&config.attribution, special),
        attribute: Duration::ZERO,
        last_hidden: Vec::new(),
    };
    let start = Instant::now();
    pass.forward(&plan, &mut sink)?;
    let passed = start.elapsed();
    Ok(Forwarded {
        attributor: sink.attributor,
        forward: passed.saturating_sub(sink.attribute),
        attribute: sink.attribute,
        last_hidden: sink.last_hidden,
    })
}

/// How a window's scores are divided.
struct CoreShares {
    /// The lexemes of the core.
    lexemes: Vec<WindowLexeme>,
    whitespace: f32,
    context: f32,
}

fn core_shares(
    scores: &[f32],
    alignment: &Alignment,
    lexemes: &[Lexeme],
    core: ByteSpan,
    config: &AnalysisConfig,
) -> CoreShares {
    // The shares of whitespace and context are always sums of scores, whatever the aggregate of lexemes is.
    let (sums, whitespace) = alignment.sum(scores);
    let mass = alignment.aggregate(scores, config.attribution.aggregate);
    let (mut scored, mut inside, mut outside) = (Vec::new(), 0.0_f32, 0.0_f32);
    for ((lexeme, &mass), sum) in lexemes.iter().zip(&mass).zip(&sums) {
        if core.contains(lexeme.span) {
            inside += mass;
            scored.push(WindowLexeme {
                span: lexeme.span,
                kind: lexeme.kind,
                share: mass,
            });
        } else {
            outside += sum;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "lexemes of one window")]
    let even = 1.0 / scored.len() as f32;
    for lexeme in &mut scored {
        // If all mass is on whitespace and context, the lexemes have equal shares.
        lexeme.share = if inside > 0.0 {
            lexeme.share / inside
        } else {
            even
        };
    }
    CoreShares {
        lexemes: scored,
        whitespace,
        context: outside,
    }
}

fn score_subwords(encoding: &Encoding, scores: &[f32]) -> Vec<SubwordScore> {
    let columns = encoding.ids.iter().zip(&encoding.spans).zip(scores);
    columns
        .map(|((&id, &span), &score)| SubwordScore { id, span, score })
        .collect()
}

impl ScoredWindow {
    /// The size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let matrix = self.matrix.as_ref().map_or(&[][..], |m| &m.weights);
        let embedding = self.embedding.as_ref().map_or(0, |e| e.cls.len());
        size_of::<Self>()
            + size_of_val(&self.lexemes[..])
            + self.subwords.as_ref().map_or(0, |s| size_of_val(&s[..]))
            + size_of_val(matrix)
            + self.relations.as_ref().map_or(0, |r| r.bytes())
            + 2 * embedding * size_of::<f32>()
    }

    /// The result for a window without a lexeme to score, which the model does not read.
    fn blank(tokenize: Duration) -> Self {
        Self {
            lexemes: Vec::new(),
            n_tokens: 0,
            sink_share: 0.0,
            whitespace_share: 0.0,
            context_share: 0.0,
            subwords: None,
            matrix: None,
            relations: None,
            embedding: None,
            tokenize,
            forward: Duration::ZERO,
            attribute: Duration::ZERO,
        }
    }
}

/// Sends attention to the attributor, measures its time, and keeps the last hidden state.
struct WindowSink<'a> {
    attributor: Attributor<'a>,
    attribute: Duration,
    /// [token, hidden]
    last_hidden: Vec<f32>,
}

impl AttentionSink for WindowSink<'_> {
    fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()> {
        let start = Instant::now();
        let flow = self.attributor.attention(attention);
        self.attribute += start.elapsed();
        flow
    }

    fn hidden_state(&mut self, _index: usize, values: &[f32]) {
        values.clone_into(&mut self.last_hidden);
    }
}

fn embed(last_hidden: &[f32], encoding: &Encoding, core: ByteSpan) -> WindowEmbedding {
    let hidden = last_hidden.len() / encoding.ids.len();
    let mut embedding = WindowEmbedding {
        cls: last_hidden[..hidden].to_vec(),
        sum: vec![0.0; hidden],
        n_subwords: 0,
    };
    for (span, vector) in encoding.spans.iter().zip(last_hidden.chunks_exact(hidden)) {
        if span.is_some_and(|span| core.contains(span)) {
            embedding.n_subwords += 1;
            for (sum, x) in embedding.sum.iter_mut().zip(vector) {
                *sum += x;
            }
        }
    }
    embedding
}
