//! `codegaze models`, and loading a model for the other commands.

use std::io::Write;

use anyhow::anyhow;
use serde_json::json;

use super::args::{ModelArgs, ModelsArgs, ModelsCommand, TaskArgs};
use super::error::CliError;
use super::output::{self, Stdout};
use super::progress::Downloads;
use crate::model::source::{HubOptions, ModelFiles, ModelSource};
use crate::model::task::TaskLayout;
use crate::model::{Device, LoadError, Model, Precision};

/// Finds and loads a model. A hub model that is not in the cache is downloaded.
pub(super) fn load(args: &ModelArgs) -> Result<Model, CliError> {
    let source = on_base(args.model.clone(), args.base.as_ref())?;
    let files = source
        .resolve(&HubOptions::from_env(), &Downloads::default())
        .map_err(CliError::failed)?;
    Model::load_with(&files, args.device, args.precision, &args.task.options())
        .map_err(CliError::failed)
}

/// The model, with what is missing beside its weights from `base`.
pub(super) fn on_base(
    model: ModelSource,
    base: Option<&ModelSource>,
) -> Result<ModelSource, CliError> {
    match base {
        Some(base) => model.on_base(base.clone()).map_err(CliError::usage),
        None => Ok(model),
    }
}

pub(super) fn run(args: ModelsArgs) -> Result<(), CliError> {
    match args.command {
        ModelsCommand::List => list(),
        ModelsCommand::Download { model } => {
            let files = model
                .download(&HubOptions::from_env(), &Downloads::default())
                .map_err(CliError::failed)?;
            print_path(&model, &files)
        }
        ModelsCommand::Path { model } => {
            let cached_only = HubOptions {
                offline: true,
                ..HubOptions::from_env()
            };
            let files = model.resolve(&cached_only, &()).map_err(CliError::failed)?;
            print_path(&model, &files)
        }
        ModelsCommand::Info {
            model,
            base,
            task,
            json,
        } => info(model, base, task, json),
    }
}

fn print_path(model: &ModelSource, files: &ModelFiles) -> Result<(), CliError> {
    let path = files.directory().ok_or_else(|| {
        CliError::failed(anyhow!(
            "{model}: the model is part of the program and has no directory"
        ))
    })?;
    output::to_stdout(format!("{}\n", path.display()).as_bytes())
}

/// Prints one row for each model: id, revision, size, whether it is complete.
fn list() -> Result<(), CliError> {
    let mut rows = vec![[
        "MODEL".to_owned(),
        "REVISION".to_owned(),
        "SIZE".to_owned(),
        "STATE".to_owned(),
    ]];
    if cfg!(feature = "embedded") {
        rows.push([
            ModelSource::Embedded.to_string(),
            "-".to_owned(),
            "-".to_owned(),
            "embedded".to_owned(),
        ]);
    }
    rows.extend(cached_rows()?);
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut out = Stdout::new();
    for [model, revision, size, state] in &rows {
        writeln!(
            out,
            "{model:<0$}  {revision:<1$}  {size:>2$}  {state}",
            widths[0], widths[1], widths[2]
        )
        .map_err(CliError::stdout)?;
    }
    out.finish()
}

#[cfg(feature = "hub")]
fn cached_rows() -> Result<Vec<[String; 4]>, CliError> {
    use crate::model::source::hub::list_cached;

    let cached = list_cached(&HubOptions::from_env()).map_err(CliError::failed)?;
    Ok(cached
        .into_iter()
        .map(|model| {
            let commit = model.commit.unwrap_or_default();
            let short = commit.get(..8).unwrap_or(&commit);
            [
                model.id,
                [&model.refs.join(","), short].join(" ").trim().to_owned(),
                indicatif::HumanBytes(model.bytes).to_string(),
                model.missing.map_or_else(
                    || "complete".to_owned(),
                    |file| format!("incomplete: {file} is missing"),
                ),
            ]
        })
        .collect())
}

#[cfg(not(feature = "hub"))]
#[expect(clippy::unnecessary_wraps, reason = "as with the hub")]
fn cached_rows() -> Result<Vec<[String; 4]>, CliError> {
    Ok(Vec::new())
}

/// Loads the model, so that the description is that of the model that would run.
fn info(
    model: ModelSource,
    base: Option<ModelSource>,
    task: TaskArgs,
    as_json: bool,
) -> Result<(), CliError> {
    let model = load(&ModelArgs {
        model,
        base,
        device: Device::default(),
        precision: Precision::default(),
        task,
    })?;
    let (info, config) = (model.info(), model.config());
    let task = model.task();
    // A model without a head is usual; a head that contradicts the configuration is worth a note.
    let fault = task
        .as_ref()
        .err()
        .filter(|error| !matches!(error, LoadError::NoTaskHead { .. }));
    let notes: Vec<String> = info
        .notes
        .iter()
        .cloned()
        .chain(fault.map(ToString::to_string))
        .collect();
    let of_task =
        |fact: fn(&TaskLayout) -> serde_json::Value| task.as_ref().map_or(json!(null), fact);
    let facts = [
        ("id", json!(info.id)),
        ("revision", json!(info.revision)),
        ("layers", json!(info.n_layers)),
        ("heads", json!(info.n_heads)),
        ("hidden_size", json!(info.hidden_size)),
        ("intermediate_size", json!(config.intermediate_size)),
        ("max_tokens", json!(info.max_tokens)),
        ("vocab_size", json!(config.vocab_size)),
        ("parameters", json!(config.n_parameters())),
        ("precision", json!(info.precision.as_str())),
        ("fingerprint", json!(format!("{:016x}", info.fingerprint))),
        ("encoder_prefix", json!(info.encoder_prefix)),
        ("task", of_task(|task| json!(task.kind.as_str()))),
        ("task_head", of_task(|task| json!(task.module))),
        ("head_layout", of_task(|task| json!(task.layout.as_str()))),
        (
            "activation",
            of_task(|task| json!(task.activation.as_str())),
        ),
        ("labels", of_task(|task| json!(task.labels))),
        ("notes", json!(notes)),
    ];
    if as_json {
        let facts: serde_json::Map<_, _> = facts
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        return output::to_stdout(format!("{}\n", serde_json::Value::Object(facts)).as_bytes());
    }
    let mut text = String::new();
    for (name, value) in facts {
        let value = match value {
            // Nothing stands before the names.
            serde_json::Value::String(value) if value.is_empty() => "-".to_owned(),
            serde_json::Value::Array(notes) if notes.is_empty() => "-".to_owned(),
            serde_json::Value::String(value) => crate::model::quote(&value),
            serde_json::Value::Null => "-".to_owned(),
            serde_json::Value::Array(values) => shown(&values),
            other => other.to_string(),
        };
        text.extend([format!("{name:<18} "), value, "\n".to_owned()]);
    }
    output::to_stdout(text.as_bytes())
}

/// The first of some texts; a classifier can have a hundred thousand labels.
fn shown(values: &[serde_json::Value]) -> String {
    const SHOWN: usize = 20;
    let mut texts: Vec<String> = values
        .iter()
        .filter_map(serde_json::Value::as_str)
        .take(SHOWN)
        .map(crate::model::quote_text)
        .collect();
    if values.len() > SHOWN {
        texts.push(format!("and {} more", values.len() - SHOWN));
    }
    texts.join("; ")
}
