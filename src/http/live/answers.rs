//! Answers to questions about the live document.

use std::sync::Arc;

use super::super::app::App;
use super::super::body::off_thread;
use super::super::error::ApiError;
use super::super::position::{Position, Positions, Range};
use super::document::Snapshot;
use super::messages::{
    ChunkSummary, DefinitionSummary, LexemeHeat, LineSummary, MatrixResult, MatrixToken,
    RelatedLexeme, RelationsResult, SummaryResult, ThumbnailsResult, TopSummary,
};
use crate::analysis::ScoredLexeme;
use crate::engine::{Finished, LivePhase, ModelAndView, Scope};
use crate::text::outline::{definition_at, outline};
use crate::view::AnalyzedDocument;
use crate::view::definitions::{definition_heats, line_heats};
use crate::view::heatmap::{Heatmap, Unit};
use crate::view::levels::HeatLevel;
use crate::view::matrix::{DEFAULT_ENDS, pack_thumbnails, pack_weights, thumbnail_size};
use crate::view::options::{ViewAnswer, ViewOptions};

/// The most attended lexemes of a summary.
const TOP: usize = 20;

/// Which matrix is wanted.
pub(super) struct MatrixQuestion {
    pub position: Option<Position>,
    pub chunk: Option<usize>,
    pub model: Option<String>,
    pub view: Option<ViewOptions>,
    pub unit: Unit,
}

/// One chunk's matrix; `None` where nothing but whitespace stands.
pub(super) async fn matrix(
    app: &App,
    snapshot: Snapshot,
    question: MatrixQuestion,
) -> Result<Option<MatrixResult>, ApiError> {
    let ModelAndView { model, config } =
        snapshot.under(app, question.model.as_deref(), question.view.as_ref())?;
    if snapshot.document.text().is_empty() {
        return Ok(None);
    }
    let planned = app.engine.plan(model, snapshot.document.clone());
    let pending = app.engine.analyze(
        &planned.done().await?,
        snapshot.scope(question.chunk, question.position),
        config.attribution.clone(),
        Heatmap::EXTRAS,
    );
    let finished = pending.done().await?;
    off_thread(move || {
        let Some(heatmap) = heatmap(&finished, question.unit)? else {
            return Ok(None);
        };
        let positions = snapshot.positions();
        let analysis = &finished.analysis;
        let definition = question.position.and_then(|position| {
            let definitions = outline(&snapshot.document);
            definition_at(&definitions, positions.offset(position)).copied()
        });
        Ok(Some(MatrixResult {
            version: snapshot.document.version(),
            view: ViewAnswer::new(&analysis.model, &analysis.attribution),
            chunk: finished.first_chunk,
            chunks: finished.n_chunks,
            range: positions.range(analysis.chunks[0].core),
            definition: definition.map(|definition| positions.range(definition.span)),
            unit: question.unit,
            max: heatmap.max(),
            weights: pack_weights(&heatmap.weights),
            tokens: heatmap
                .tokens
                .into_iter()
                .map(|token| MatrixToken {
                    label: token.label,
                    range: token.span.map(|span| positions.range(span)),
                    score: token.score,
                })
                .collect(),
            sink_share: analysis.sink_share,
        }))
    })
    .await
}

/// `None` for a chunk without lexemes.
fn heatmap(finished: &Finished, unit: Unit) -> Result<Option<Heatmap>, ApiError> {
    let document = AnalyzedDocument::new("text", &finished.document, &finished.analysis);
    Ok(Heatmap::of_first(&document, unit)?)
}

/// All layers' and heads' maps of one chunk, in small.
pub(super) async fn thumbnails(
    app: &App,
    snapshot: Snapshot,
    (chunk, position): (Option<usize>, Option<Position>),
    model: Option<&str>,
    size: Option<usize>,
) -> Result<Option<ThumbnailsResult>, ApiError> {
    let ModelAndView { model, .. } = snapshot.under(app, model, None)?;
    if snapshot.document.text().is_empty() {
        return Ok(None);
    }
    let size = thumbnail_size(size);
    let scope = snapshot.scope(chunk, position);
    let planned = app.engine.plan(model, snapshot.document.clone());
    let planned = planned.done().await?;
    let pending = app.engine.thumbnails(&planned, scope, size);
    let drawn = pending.done().await?;
    Ok(pack_thumbnails(&drawn).map(|cells| ThumbnailsResult {
        version: snapshot.document.version(),
        chunk: drawn.chunk_idx,
        layers: drawn.n_layers,
        heads: drawn.n_heads,
        size: drawn.size,
        cells,
    }))
}

/// The live analysis of the snapshot's version, once it is whole: ranks and levels are of the whole.
async fn whole(snapshot: &mut Snapshot) -> Result<Arc<Finished>, ApiError> {
    loop {
        let now = snapshot.live.borrow_and_update().clone();
        let asked = &snapshot.model_and_view;
        let is_other = |finished: &Arc<Finished>| {
            finished.analysis.attribution != asked.config.attribution
                || !Arc::ptr_eq(&finished.analysis.model, asked.model.info())
        };
        if now.version != snapshot.document.version() || now.analysis.as_ref().is_some_and(is_other)
        {
            return Err(ApiError::Superseded);
        }
        if let LivePhase::Failed(error) = now.phase {
            return Err(error.into());
        }
        if let Some(finished) = now.analysis.filter(|finished| finished.complete) {
            return Ok(finished);
        }
        if snapshot.live.changed().await.is_err() {
            return Err(ApiError::Superseded);
        }
    }
}

/// One lexeme's row and column; `None` where there is none.
pub(super) async fn relations(
    app: &App,
    mut snapshot: Snapshot,
    position: Position,
    limit: Option<usize>,
) -> Result<Option<RelationsResult>, ApiError> {
    let whole = whole(&mut snapshot).await?;
    let analysis = &whole.analysis;
    let offset = snapshot.positions().offset(position);
    let Some(lexeme_idx) = analysis.lexeme_at(offset) else {
        return Ok(None);
    };
    let lexeme = analysis.lexemes[lexeme_idx];
    let model = Arc::clone(&snapshot.model_and_view.model);
    let planned = app.engine.plan(model, snapshot.document.clone());
    let pending = app.engine.analyze(
        &planned.done().await?,
        Scope::ChunkAt(lexeme.span.start),
        analysis.attribution.clone(),
        Heatmap::EXTRAS,
    );
    let finished = pending.done().await?;
    let limit = limit.unwrap_or(DEFAULT_ENDS);
    off_thread(move || {
        let Some(matrix) = heatmap(&finished, Unit::Lexeme)? else {
            return Ok(None);
        };
        let mut tokens = matrix.tokens.iter();
        let Some(at) = tokens.position(|token| token.span == Some(lexeme.span)) else {
            return Ok(None);
        };
        let text = snapshot.document.text();
        let positions = snapshot.positions();
        let ends = |heaviest: Vec<(usize, f32)>| -> Vec<RelatedLexeme> {
            let ends = heaviest.into_iter().filter_map(|(other, weight)| {
                let span = matrix.tokens[other].span?;
                Some(RelatedLexeme {
                    range: positions.range(span),
                    text: span.of(text).to_owned(),
                    weight,
                })
            });
            ends.collect()
        };
        let document = AnalyzedDocument::new("text", &snapshot.document, &whole.analysis);
        let level = document.lexemes().nth(lexeme_idx);
        let level = level.map_or(HeatLevel::NONE, |(_, level)| level);
        Ok(Some(RelationsResult {
            version: snapshot.document.version(),
            view: ViewAnswer::new(&whole.analysis.model, &whole.analysis.attribution),
            chunk: finished.first_chunk,
            lexeme: describe(text, positions, &lexeme, level),
            attends_to: ends(matrix.attends_to(at, limit)),
            attended_by: ends(matrix.attended_by(at, limit)),
        }))
    })
    .await
}

fn describe(
    text: &str,
    positions: Positions<'_>,
    lexeme: &ScoredLexeme,
    level: HeatLevel,
) -> LexemeHeat {
    LexemeHeat {
        range: positions.range(lexeme.span),
        text: lexeme.span.of(text).to_owned(),
        level: level.get(),
        share: lexeme.share,
        lift: lexeme.lift,
        rank: lexeme.rank,
    }
}

/// What lines, definitions and chunks get.
pub(super) async fn summary(mut snapshot: Snapshot) -> Result<Option<SummaryResult>, ApiError> {
    let whole = whole(&mut snapshot).await?;
    off_thread(move || Ok(Some(summarize(&snapshot, &whole)))).await
}

fn summarize(snapshot: &Snapshot, whole: &Finished) -> SummaryResult {
    let analysis = &whole.analysis;
    let text = snapshot.document.text();
    let positions = snapshot.positions();
    let document = AnalyzedDocument::new("text", &snapshot.document, analysis);
    let definitions = outline(&snapshot.document);
    let range = |span| -> Range { positions.range(span) };
    SummaryResult {
        version: snapshot.document.version(),
        view: ViewAnswer::new(&analysis.model, &analysis.attribution),
        lines: line_heats(&document, HeatLevel::NONE)
            .into_iter()
            .map(|heat| LineSummary {
                line: heat.line,
                share: heat.share,
                lift: heat.lift,
                level: heat.level.get(),
            })
            .collect(),
        definitions: definition_heats(&document, &definitions)
            .into_iter()
            .map(|heat| DefinitionSummary {
                range: range(heat.definition.span),
                name: heat.definition.name.of(text).to_owned(),
                share: heat.share,
                title: heat.title(),
                top: heat.top.map(|top| TopSummary {
                    range: range(top.span),
                    label: top.label,
                    lift: top.lift,
                }),
            })
            .collect(),
        chunks: analysis
            .chunks
            .iter()
            .zip(&whole.cached)
            .map(|(chunk, &cached)| ChunkSummary {
                range: range(chunk.core),
                tokens: chunk.n_tokens,
                sink_share: chunk.sink_share,
                whitespace_share: chunk.whitespace_share,
                cached,
            })
            .collect(),
        top: document
            .top(TOP)
            .into_iter()
            .map(|(lexeme, level)| describe(text, positions, lexeme, level))
            .collect(),
        sink_share: analysis.sink_share,
        whitespace_share: analysis.whitespace_share,
    }
}
