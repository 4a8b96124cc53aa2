//! `codegaze predict`: what the model's task head answers about every input.

use std::io::{self, Write};
use std::sync::atomic::AtomicBool;

use anyhow::anyhow;

use super::args::{Format, PredictArgs};
use super::error::{CliError, report_line};
use super::files::{self, Input};
use super::output::Stdout;
use super::{models, progress};
use crate::model::Model;
use crate::model::task::TaskKind;
use crate::prediction::{
    Prediction, PredictionError, PredictionOptions, fill_masks, predict, predict_pair,
};
use crate::text::document::Document;
use crate::text::{PositionEncoding, WideLineCol};
use crate::view::json::write_json;
use crate::view::prediction::{
    FailureJson, FilledJson, Predicted, PredictionJson, expected, write_csv, write_markdown,
    write_text,
};

pub(super) fn run(args: &PredictArgs) -> Result<(), CliError> {
    if let Some(text) = &args.mask {
        return fill(args, text);
    }
    let inputs = files::expand(&args.paths);
    let model = models::load(&args.model)?;
    // Before any file is read: it is the same for all.
    let task = model.task().map_err(CliError::failed)?;
    let bar = progress::steps(inputs.len(), "predicting");
    let mut report = Report::new(args);
    let mut n_failed = 0;
    let mut failed = |report: &mut Report<'_>, name: &str, fault: &CliError| {
        n_failed += 1;
        report_line(&format!("error: {fault}"));
        report.failure(name, &fault.to_string())
    };
    if task.kind == TaskKind::Pair {
        let pair: Vec<Input> = inputs
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(CliError::failed)?;
        let [first, second] = pair.as_slice() else {
            return Err(CliError::usage(anyhow!(
                "the model compares two texts, and {} are named; name two files",
                pair.len()
            )));
        };
        let documents = [read(first, args)?, read(second, args)?];
        let done = predict_pair(
            &model,
            [&documents[0], &documents[1]],
            &options(args, &documents[0])?,
            &AtomicBool::new(false),
            &mut |_, _| bar.tick(),
        );
        bar.finish_and_clear();
        let name = format!("{} and {}", first.name(), second.name());
        let prediction = done.map_err(|error| CliError::failed(anyhow!("{name}: {error}")))?;
        report
            .document(&name, &documents[0], &model, &prediction)
            .map_err(CliError::stdout)?;
        return report.out.finish();
    }
    for input in inputs {
        let (name, done) = match input {
            Ok(input) => (input.name(), one(&model, &input, args, &bar)),
            Err(error) => (String::new(), Err(CliError::failed(error))),
        };
        bar.suspend(|| match &done {
            Ok((document, prediction)) => report.document(&name, document, &model, prediction),
            Err(fault) => failed(&mut report, &name, fault),
        })
        .map_err(CliError::stdout)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    report.out.finish()?;
    if n_failed > 0 {
        return Err(CliError::Reported);
    }
    Ok(())
}

fn read(input: &Input, args: &PredictArgs) -> Result<Document, CliError> {
    input.read(args.input.max_bytes).map_err(CliError::failed)
}

fn one(
    model: &Model,
    input: &Input,
    args: &PredictArgs,
    bar: &indicatif::ProgressBar,
) -> Result<(Document, Prediction), CliError> {
    let document = read(input, args)?;
    let name = input.name();
    let mut on_step = |done: usize, all: usize| {
        bar.set_message(progress::of_file(&name, done, all));
        bar.tick();
    };
    let cancel = AtomicBool::new(false);
    let prediction = predict(
        model,
        &document,
        &options(args, &document)?,
        &cancel,
        &mut on_step,
    )
    .map_err(|error| CliError::failed(anyhow!("{name}: {error}")))?;
    Ok((document, prediction))
}

fn options(args: &PredictArgs, document: &Document) -> Result<PredictionOptions, CliError> {
    let at = args.at.map(|place| {
        let position = WideLineCol {
            line: place.line - 1,
            col: place.column - 1,
        };
        let index = document.index();
        if position.line as usize >= index.n_lines() {
            return Err(CliError::usage(anyhow!(
                "--at: line {} is behind the end: the text has {} lines",
                place.line,
                index.n_lines()
            )));
        }
        Ok(index.offset_at(document.text(), position, PositionEncoding::Utf32))
    });
    Ok(PredictionOptions {
        by: args.by,
        top: args.top,
        normalize: args.normalize,
        at: at.transpose()?,
    })
}

/// `--mask`: fills the masks of a text that the command line has.
fn fill(args: &PredictArgs, text: &str) -> Result<(), CliError> {
    if !matches!(args.format, Format::Text | Format::Json) {
        return Err(CliError::usage(anyhow!(
            "--mask writes text or JSON; choose --format text or json"
        )));
    }
    let model = models::load(&args.model)?;
    let options = PredictionOptions {
        top: args.top,
        ..PredictionOptions::default()
    };
    let found =
        fill_masks(&model, text, &options, &AtomicBool::new(false)).map_err(
            |error| match error {
                PredictionError::NoMaskInText => CliError::usage(error),
                error => CliError::failed(error),
            },
        )?;
    let mut out = Stdout::new();
    if args.format == Format::Json {
        write_json(&mut out, &FilledJson::new(text, &found)).map_err(CliError::stdout)?;
    } else {
        for (i, candidates) in found.iter().enumerate() {
            writeln!(out, "mask {}: {}", i + 1, expected(candidates)).map_err(CliError::stdout)?;
        }
    }
    out.finish()
}

/// Writes results one after the other in the selected format.
struct Report<'a> {
    args: &'a PredictArgs,
    out: Stdout,
    n_written: usize,
}

impl<'a> Report<'a> {
    fn new(args: &'a PredictArgs) -> Self {
        Self {
            args,
            out: Stdout::new(),
            n_written: 0,
        }
    }

    fn document(
        &mut self,
        name: &str,
        source: &Document,
        model: &Model,
        prediction: &Prediction,
    ) -> io::Result<()> {
        let predicted = Predicted {
            name,
            source,
            model: model.info(),
            prediction,
        };
        let is_first = self.n_written == 0;
        self.n_written += 1;
        let out = &mut self.out;
        match self.args.format {
            Format::Json => write_json(out, &PredictionJson::new(&predicted)),
            Format::Csv => write_csv(out, &predicted, is_first),
            Format::Text | Format::Markdown => {
                if !is_first {
                    writeln!(out)?;
                }
                match self.args.format {
                    Format::Markdown => write_markdown(out, &predicted),
                    _ => write_text(out, &predicted),
                }
            }
        }
    }

    /// In JSON, a file that failed also has a document, so that each file has its line.
    fn failure(&mut self, name: &str, error: &str) -> io::Result<()> {
        if self.args.format == Format::Json {
            return write_json(&mut self.out, &FailureJson::new(name, error));
        }
        Ok(())
    }
}
