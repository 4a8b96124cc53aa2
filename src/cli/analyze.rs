//! `codegaze analyze`: analyzes every input, and writes one report for each.

use std::io::{self, Write};
use std::sync::atomic::AtomicBool;

use anyhow::anyhow;

use super::args::{AnalyzeArgs, AttributionArgs, Format, ImageEncoding};
use super::error::{CliError, report_line};
use super::files::{self, Input, InputError};
use super::output::Stdout;
use super::terminal::Environment;
use super::tracking::Tracking;
use super::{models, progress};
use crate::analysis::{Analysis, AnalysisConfig, Extras, analyze};
use crate::attribution::{AttributionConfig, AttributionOptions};
use crate::model::{Model, ModelInfo};
use crate::text::document::Document;
use crate::view::csv::CsvWriter;
use crate::view::heatmap::{self, Heatmap};
use crate::view::json::{AnalysisJson, FailureJson, Image, JsonOptions, write_json};
use crate::view::markdown::write_markdown;
use crate::view::picture::RenderOptions;
use crate::view::terminal::{TerminalOptions, write_document, write_summary, write_top};
use crate::view::{AnalyzedDocument, Granularity};

/// The number of rows in the table of a Markdown report, without `--top`.
const MARKDOWN_ROWS: usize = 20;

pub(super) fn run(args: &AnalyzeArgs) -> Result<(), CliError> {
    check(args)?;
    let inputs = files::expand(&args.paths);
    let model = models::load(&args.model)?;
    let config = AnalysisConfig {
        extras: Extras {
            subwords: args.tokens || args.image.is_some(),
            matrix: args.attention || args.image.is_some(),
            relations: false,
            embedding: args.embedding,
        },
        ..AnalysisConfig::new(model.info(), resolve(&args.attribution, model.info())?)
    };
    let bar = progress::steps(inputs.len(), "analyzing");
    let tracking = Tracking::start(&args.tracking, "analyze", {
        let bar = bar.clone();
        move |text| bar.suspend(|| report_line(&format!("warning: {text}")))
    })?;
    tracking.end_on_signals()?;
    let done = analyze_all(args, &model, inputs, &config, &bar, &tracking);
    if done.as_ref().is_err_and(|error| !error.is_closed_pipe()) {
        tracking.fail();
    }
    done
}

fn analyze_all(
    args: &AnalyzeArgs,
    model: &Model,
    inputs: Vec<Result<Input, InputError>>,
    config: &AnalysisConfig,
    bar: &indicatif::ProgressBar,
    tracking: &Tracking,
) -> Result<(), CliError> {
    let mut report = Report::new(args, inputs.len()).map_err(CliError::stdout)?;
    let mut n_failed = 0;
    for input in inputs {
        let (name, done) = match input {
            Ok(input) => (input.name(), analyze_one(model, &input, args, config, bar)),
            Err(error) => (String::new(), Err(CliError::failed(error))),
        };
        if let Ok((document, analysis)) = &done {
            tracking.record(document.text().len(), analysis);
        }
        bar.suspend(|| match done {
            Ok((document, analysis)) => report.document(&name, &document, &analysis),
            Err(fault) => {
                n_failed += 1;
                let fault = fault.to_string();
                report_line(&format!("error: {fault}"));
                report.failure(&name, &fault)
            }
        })
        .map_err(CliError::stdout)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    report.finish()?;
    if n_failed > 0 {
        return Err(CliError::Reported);
    }
    Ok(())
}

/// Rejects options that have no effect in the selected format.
fn check(args: &AnalyzeArgs) -> Result<(), CliError> {
    let json_only = [
        ("--tokens", args.tokens),
        ("--attention", args.attention),
        ("--embedding", args.embedding),
        ("--image", args.image.is_some()),
    ];
    match json_only.iter().find(|(_, given)| *given) {
        Some((option, _)) if args.format != Format::Json => Err(CliError::usage(anyhow!(
            "{option} works only with JSON; add --format json"
        ))),
        _ => Ok(()),
    }
}

/// Checks the attribution settings against the model.
pub(super) fn resolve(
    args: &AttributionArgs,
    info: &ModelInfo,
) -> Result<AttributionConfig, CliError> {
    let options = AttributionOptions {
        method: args.method,
        layers: args.layers.clone(),
        heads: args.heads.clone(),
        sinks: args.sinks,
        aggregate: args.aggregate,
    };
    options.resolve(info).map_err(CliError::usage)
}

fn analyze_one(
    model: &Model,
    input: &Input,
    args: &AnalyzeArgs,
    config: &AnalysisConfig,
    bar: &indicatif::ProgressBar,
) -> Result<(Document, Analysis), CliError> {
    let document = input.read(args.input.max_bytes).map_err(CliError::failed)?;
    let cancel = AtomicBool::new(false);
    let name = input.name();
    let mut on_chunk = |done: usize, all: usize| {
        bar.set_message(progress::of_file(&name, done, all));
        bar.tick();
    };
    let analysis = analyze(model, &document, config, &cancel, &mut on_chunk)
        .map_err(|error| CliError::failed(anyhow!("{name}: {error}")))?;
    Ok((document, analysis))
}

/// Writes results one after the other in the selected format.
struct Report<'a> {
    args: &'a AnalyzeArgs,
    options: TerminalOptions,
    out: Sink,
    n_inputs: usize,
    n_written: usize,
}

#[expect(clippy::large_enum_variant, reason = "there is one")]
enum Sink {
    Plain(Stdout),
    Csv(CsvWriter<Stdout>),
}

impl<'a> Report<'a> {
    fn new(args: &'a AnalyzeArgs, n_inputs: usize) -> io::Result<Self> {
        let environment = Environment::of_stdout();
        let granularity = if args.lines {
            Granularity::Lines
        } else {
            Granularity::Lexemes
        };
        let out = match args.format {
            Format::Csv => Sink::Csv(CsvWriter::new(Stdout::new(), granularity)?),
            _ => Sink::Plain(Stdout::new()),
        };
        Ok(Self {
            args,
            options: TerminalOptions {
                color: environment.color(args.color),
                theme: args.theme.unwrap_or_else(|| environment.theme()),
                granularity,
                ..TerminalOptions::default()
            },
            out,
            n_inputs,
            n_written: 0,
        })
    }

    fn document(&mut self, name: &str, source: &Document, analysis: &Analysis) -> io::Result<()> {
        let document = AnalyzedDocument::new(name, source, analysis);
        self.n_written += 1;
        let out = match &mut self.out {
            Sink::Csv(csv) => return csv.write(&document.keep_top(self.args.top)),
            Sink::Plain(out) => out,
        };
        match self.args.format {
            Format::Json => {
                let document = document.keep_top(self.args.top);
                let png = self
                    .args
                    .image
                    .map(|ImageEncoding::Base64| first_matrix(&document));
                let png = png.transpose()?.flatten();
                let options = JsonOptions {
                    tokens: self.args.tokens,
                    attention: self.args.attention,
                    image: png.as_deref().map(|data| Image {
                        media_type: "image/png",
                        data,
                    }),
                };
                write_json(out, &AnalysisJson::new(&document, &options))
            }
            Format::Markdown => {
                if self.n_written > 1 {
                    writeln!(out)?;
                }
                write_markdown(out, &document, self.args.top.unwrap_or(MARKDOWN_ROWS))
            }
            Format::Text | Format::Csv => {
                if self.n_written > 1 {
                    writeln!(out)?;
                }
                let Some(n) = self.args.top else {
                    return write_document(out, &document, &self.options);
                };
                if self.n_inputs > 1 {
                    writeln!(out, "{}", crate::view::label::printable(name))?;
                }
                write_top(out, &document, n, &self.options)?;
                write_summary(out, &document, &self.options)
            }
        }
    }

    /// In JSON, a file that failed also has a document, so that each file has its line.
    fn failure(&mut self, name: &str, error: &str) -> io::Result<()> {
        match &mut self.out {
            Sink::Plain(out) if self.args.format == Format::Json => {
                write_json(out, &FailureJson::new(name, error))
            }
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<(), CliError> {
        match self.out {
            Sink::Plain(out) => out.finish(),
            // Flushed after every document.
            Sink::Csv(_) => Ok(()),
        }
    }
}

/// The matrix of the first chunk as a PNG; `None` for a text without lexemes.
fn first_matrix(document: &AnalyzedDocument<'_>) -> io::Result<Option<Vec<u8>>> {
    let chunks = &document.analysis.chunks;
    let Some(chunk) = chunks.iter().position(|chunk| chunk.matrix.is_some()) else {
        return Ok(None);
    };
    Heatmap::from_chunk(document, chunk)
        .and_then(|heatmap| heatmap::render_png(&heatmap, &RenderOptions::default()))
        .map(Some)
        .map_err(io::Error::other)
}
