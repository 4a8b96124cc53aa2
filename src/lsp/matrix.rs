//! Attention matrices and single rows of them, for panels.

use std::sync::Arc;

use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::Position;

use super::custom::{
    LexemeHeat, MatrixParams, MatrixResult, MatrixToken, RelatedLexeme, RelationsParams,
    RelationsResult, ThumbnailsParams, ThumbnailsResult,
};
use super::session::{Session, Snapshot};
use crate::attribution::AttributionConfig;
use crate::engine::{EngineError, Finished, ModelAndView, Planned, Scope};
use crate::model::Model;
use crate::text::document::Document;
use crate::text::outline::{Definition, definition_at as definition_among, outline};
use crate::view::AnalyzedDocument;
use crate::view::heatmap::{Heatmap, Unit};
use crate::view::matrix::{DEFAULT_ENDS, pack_thumbnails, pack_weights, thumbnail_size};
use crate::view::options::{ViewAnswer, ViewOptions};

/// An engine's error as a protocol error.
pub(crate) fn protocol_error(error: &EngineError) -> Error {
    match error {
        EngineError::Cancelled => Error::request_cancelled(),
        EngineError::NoChunk { .. } => Error::invalid_params(error.to_string()),
        error => {
            tracing::error!(%error, "no analysis");
            let mut answer = Error::internal_error();
            answer.message = error.to_string().into();
            answer
        }
    }
}

/// The chunks of a document, for a request about it.
pub(crate) async fn plan(
    session: &Session,
    model: Arc<Model>,
    document: Document,
) -> Result<Arc<Planned>> {
    let planned = session.engine.plan(model, document);
    planned.done().await.map_err(|error| protocol_error(&error))
}

/// The model, and the session's view of it with the options of a request, checked; `None` until a model is loaded.
pub(crate) fn requested_view(
    session: &Session,
    options: Option<&ViewOptions>,
) -> Result<Option<(Arc<Model>, AttributionConfig)>> {
    let Some(ModelAndView { model, config }) = session.model_and_view() else {
        return Ok(None);
    };
    let Some(options) = options else {
        return Ok(Some((model, config.attribution.clone())));
    };
    let view = session.state().view.clone();
    let invalid = |error: &dyn std::fmt::Display| Error::invalid_params(error.to_string());
    let view = options.apply(&view).map_err(|error| invalid(&error))?;
    let attribution = view
        .resolve(model.info())
        .map_err(|error| invalid(&error))?;
    Ok(Some((model, attribution)))
}

fn scope(snapshot: &Snapshot, position: Option<Position>, chunk: Option<usize>) -> Scope {
    match (chunk, position) {
        (Some(chunk), _) => Scope::Chunk(chunk),
        (None, Some(position)) => Scope::ChunkAt(snapshot.positions().offset(position)),
        (None, None) => Scope::Chunk(0),
    }
}

/// The top-level definition that holds a byte offset.
pub(crate) fn definition_at(snapshot: &Snapshot, offset: usize) -> Option<Definition> {
    let definitions = outline(&snapshot.document);
    definition_among(&definitions, offset).copied()
}

pub(crate) async fn matrix(
    session: &Session,
    snapshot: &Snapshot,
    params: &MatrixParams,
) -> Result<Option<MatrixResult>> {
    let Some((model, attribution)) = requested_view(session, params.view.as_ref())? else {
        return Ok(None);
    };
    let scope = scope(snapshot, params.position, params.chunk);
    let document = snapshot.document.clone();
    if document.text().is_empty() {
        return Ok(None);
    }
    let planned = plan(session, model, document).await?;
    let pending = session
        .engine
        .analyze(&planned, scope, attribution, Heatmap::EXTRAS);
    let finished = pending
        .done()
        .await
        .map_err(|error| protocol_error(&error))?;
    let Some(heatmap) = draw(snapshot, &finished, params.unit)? else {
        return Ok(None);
    };
    let positions = snapshot.positions();
    let analysis = &finished.analysis;
    let definition = params
        .position
        .and_then(|position| definition_at(snapshot, positions.offset(position)));
    Ok(Some(MatrixResult {
        uri: snapshot.uri.clone(),
        version: snapshot.client_version,
        view: ViewAnswer::new(&analysis.model, &analysis.attribution),
        chunk: finished.first_chunk,
        chunks: finished.n_chunks,
        range: positions.range(analysis.chunks[0].core),
        definition: definition.map(|definition| positions.range(definition.span)),
        unit: params.unit,
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
}

/// `None` for a chunk without lexemes.
fn draw(snapshot: &Snapshot, finished: &Finished, unit: Unit) -> Result<Option<Heatmap>> {
    let document = AnalyzedDocument::new(snapshot.key(), &finished.document, &finished.analysis);
    Heatmap::of_first(&document, unit).map_err(|error| {
        let mut answer = Error::internal_error();
        answer.message = error.to_string().into();
        answer
    })
}

pub(crate) async fn thumbnails(
    session: &Session,
    snapshot: &Snapshot,
    params: &ThumbnailsParams,
) -> Result<Option<ThumbnailsResult>> {
    let Some(ModelAndView { model, .. }) = session.model_and_view() else {
        return Ok(None);
    };
    let scope = scope(snapshot, params.position, params.chunk);
    let size = thumbnail_size(params.size);
    let document = snapshot.document.clone();
    if document.text().is_empty() {
        return Ok(None);
    }
    let planned = plan(session, model, document).await?;
    let pending = session.engine.thumbnails(&planned, scope, size);
    let drawn = pending
        .done()
        .await
        .map_err(|error| protocol_error(&error))?;
    Ok(pack_thumbnails(&drawn).map(|cells| ThumbnailsResult {
        version: snapshot.client_version,
        chunk: drawn.chunk_idx,
        layers: drawn.n_layers,
        heads: drawn.n_heads,
        size: drawn.size,
        cells,
    }))
}

pub(crate) async fn relations(
    session: &Session,
    snapshot: &Snapshot,
    params: &RelationsParams,
) -> Result<Option<RelationsResult>> {
    let positions = snapshot.positions();
    let offset = positions.offset(params.position);
    let place = crate::text::ByteSpan::new(offset, offset);
    // Rank and level are of the whole document; the place comes first all the same.
    session.engine.focus(snapshot.key(), place);
    let Some(seen) = session.analyzed(snapshot, None).await? else {
        return Ok(None);
    };
    let analysis = &seen.finished.analysis;
    let Some(lexeme_idx) = analysis.lexeme_at(offset) else {
        return Ok(None);
    };
    let lexeme = analysis.lexemes[lexeme_idx];
    let Some(ModelAndView { model, .. }) = session.model_and_view() else {
        return Ok(None);
    };
    if !Arc::ptr_eq(model.info(), &analysis.model) {
        return Err(Error::content_modified()); // another model was loaded meanwhile
    }
    let planned = plan(session, model, snapshot.document.clone()).await?;
    let pending = session.engine.analyze(
        &planned,
        Scope::ChunkAt(lexeme.span.start),
        analysis.attribution.clone(),
        Heatmap::EXTRAS,
    );
    let finished = pending
        .done()
        .await
        .map_err(|error| protocol_error(&error))?;
    let Some(matrix) = draw(snapshot, &finished, Unit::Lexeme)? else {
        return Ok(None);
    };
    let Some(at) = matrix
        .tokens
        .iter()
        .position(|token| token.span == Some(lexeme.span))
    else {
        return Ok(None);
    };
    let limit = params.limit.unwrap_or(DEFAULT_ENDS);
    let text = snapshot.document.text();
    let ends = |heaviest: Vec<(usize, f32)>| -> Vec<RelatedLexeme> {
        heaviest
            .into_iter()
            .filter_map(|(other, weight)| {
                let span = matrix.tokens[other].span?;
                Some(RelatedLexeme {
                    range: positions.range(span),
                    text: span.of(text).to_owned(),
                    weight,
                })
            })
            .collect()
    };
    Ok(Some(RelationsResult {
        version: snapshot.client_version,
        view: seen.view(),
        chunk: finished.first_chunk,
        lexeme: LexemeHeat {
            range: positions.range(lexeme.span),
            text: lexeme.span.of(text).to_owned(),
            level: seen.levels.lexemes[lexeme_idx].get(),
            share: lexeme.share,
            lift: lexeme.lift,
            rank: lexeme.rank,
        },
        attends_to: ends(matrix.attends_to(at, limit)),
        attended_by: ends(matrix.attended_by(at, limit)),
    }))
}
