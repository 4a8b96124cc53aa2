//! The command-line arguments, declared for clap.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use super::files::DEFAULT_MAX_BYTES;
use super::tracking::TrackingArgs;
use crate::attribution::{Aggregate, HeadChoice, LayerChoice, Method, SelectError, Sinks};
use crate::model::source::ModelSource;
use crate::model::task::TaskKind;
use crate::model::{Device, Mode, ModelOptions, Precision};
use crate::prediction::{MAX_TOP, Normalize, UnitKind};
use crate::text::named::{Named, UnknownName};
use crate::view::colormap::Colormap;
use crate::view::heatmap::Unit;
use crate::view::picture::{PictureKind, Scale};
use crate::view::theme::Theme;

const EXAMPLES: &str = "\
Examples:
  codegaze analyze src/main.rs                 shade a file by the attention it receives
  cat a.py | codegaze analyze - --top 10       the ten most attended lexemes
  codegaze analyze src --format json > all.jsonl
  codegaze predict a.py --at 3:12              what the model expects at a word
  codegaze heatmap a.py --out a.png            the query × key matrix as a picture
  codegaze attention a.py --out a.safetensors  the raw tensors
  codegaze analyze a.py --model microsoft/codebert-base
";

/// See where a code model looks: attention maps of CodeBERT and other RoBERTa-family models, for whole files, offline.
#[derive(Debug, Parser)]
#[command(name = "codegaze", version, about, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct Arguments {
    /// Log to stderr: -v logs steps, -vv also chunks, -vvv everything
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Shade source code by the attention that it receives
    Analyze(AnalyzeArgs),
    /// Ask what the model predicts: labels of a classifier, or the text at each masked word (docs/PREDICTIONS.md)
    Predict(PredictArgs),
    /// Export the raw attention tensors of one chunk
    Attention(AttentionArgs),
    /// Draw the attention matrix of a chunk, or the shaded source, as a picture or a page
    Heatmap(HeatmapArgs),
    /// Run the language server
    Lsp(LspArgs),
    /// Run the HTTP server: REST, live heat over a WebSocket, and a page (docs/http.md)
    Serve(ServeArgs),
    /// List, download and describe models
    Models(ModelsArgs),
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

/// Which model, and where it runs.
#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    /// The model: `embedded`, a directory, a file of weights, or a Hugging Face id such as microsoft/codebert-base or owner/name@revision
    #[arg(long, short, default_value = "embedded", value_name = "MODEL")]
    pub model: ModelSource,
    /// A model that supplies what is missing beside the weights: configuration, tokenizer
    #[arg(long, value_name = "MODEL")]
    pub base: Option<ModelSource>,
    /// Where the model runs
    #[arg(long, default_value_t, value_name = "DEVICE", value_parser = named::<Device>())]
    pub device: Device,
    /// The arithmetic of the model's linear layers
    #[arg(long, default_value_t, value_name = "PRECISION", value_parser = named::<Precision>())]
    pub precision: Precision,
    #[command(flatten)]
    pub task: TaskArgs,
}

/// Which parts of the weights are used, where names and shapes do not decide.
#[derive(Debug, Default, Args)]
pub(super) struct TaskArgs {
    /// The task head to use, if the model has several
    #[arg(long, value_name = "TASK", value_parser = named::<TaskKind>())]
    pub task: Option<TaskKind>,
    /// What stands before the names of the encoder's tensors, if the model has several encoders
    #[arg(long, value_name = "PREFIX")]
    pub encoder_prefix: Option<String>,
    #[command(flatten)]
    pub input: ModelInputArgs,
}

/// What a model reads.
#[derive(Debug, Default, Args)]
pub(super) struct ModelInputArgs {
    /// What stands before a text
    #[arg(long, default_value_t, value_parser = named::<Mode>())]
    pub mode: Mode,
    /// The most subwords of one pass, special ones included, if fewer than the model can read [default: the model's]
    #[arg(long, value_name = "N")]
    pub window: Option<usize>,
}

impl TaskArgs {
    pub fn options(&self) -> ModelOptions {
        ModelOptions {
            task: self.task,
            encoder_prefix: self.encoder_prefix.clone(),
            mode: self.input.mode,
            window: self.input.window,
        }
    }
}

/// How attention becomes scores.
#[derive(Debug, Args)]
pub(super) struct AttributionArgs {
    /// How attention becomes scores
    #[arg(long, default_value_t, value_parser = named::<Method>())]
    pub method: Method,
    /// The layers: last, all, a number from 0, a range 0-5, or a list 0,2,4-6 [default: last; for rollout, alti and globenc: all]
    #[arg(long)]
    pub layers: Option<LayerChoice>,
    /// The heads: mean, max, a number from 0, a range, or a list
    #[arg(long, default_value = "mean")]
    pub heads: HeadChoice,
    /// What happens to attention on <s> and </s>
    #[arg(long, default_value_t, value_parser = named::<Sinks>())]
    pub sinks: Sinks,
    /// How the scores of a lexeme's subwords become one
    #[arg(long, default_value_t, value_parser = named::<Aggregate>())]
    pub aggregate: Aggregate,
}

#[derive(Debug, Args)]
pub(super) struct InputArgs {
    /// Reject larger files
    #[arg(long, default_value_t = DEFAULT_MAX_BYTES, value_name = "BYTES")]
    pub max_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Shaded source, or a table, for people
    Text,
    /// One document on each line (docs/JSON.md, docs/PREDICTIONS.md)
    Json,
    /// One lexeme in each row
    Csv,
    /// A report with tables
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ImageEncoding {
    Base64,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct AnalyzeArgs {
    /// Files, directories (respecting .gitignore), or - for standard input
    #[arg(required = true, value_hint = ValueHint::AnyPath, value_name = "FILE")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub attribution: AttributionArgs,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub tracking: TrackingArgs,
    #[arg(long, short, value_enum, default_value = "text")]
    pub format: Format,
    /// Show a table of the N most attended lexemes (with --lines: lines) instead of the source
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// Show scores by line instead of by lexeme
    #[arg(long)]
    pub lines: bool,
    /// JSON: add every subword with its id and score
    #[arg(long)]
    pub tokens: bool,
    /// JSON: add each chunk's fused attention matrix
    #[arg(long)]
    pub attention: bool,
    /// JSON: add the embedding of the text (the <s> vector, and the mean over code subwords)
    #[arg(long)]
    pub embedding: bool,
    /// JSON: add the heatmap of the first chunk as a PNG
    #[arg(long, value_enum, value_name = "ENCODING")]
    pub image: Option<ImageEncoding>,
    #[arg(long, value_enum, default_value = "auto")]
    pub color: ColorChoice,
    /// The terminal's background, if codegaze detects it wrongly
    #[arg(long, value_parser = named::<Theme>())]
    pub theme: Option<Theme>,
}

/// A place in a text: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub line: u32,
    pub column: u32,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| part.parse::<u32>().ok().filter(|number| *number > 0);
        text.split_once(':')
            .and_then(|(line, column)| {
                Some(Self {
                    line: number(line)?,
                    column: number(column)?,
                })
            })
            .ok_or_else(|| "a place is LINE:COLUMN, both counted from 1, such as 3:12".to_owned())
    }
}

#[derive(Debug, Args)]
pub(super) struct PredictArgs {
    /// Files, directories (respecting .gitignore), or - for standard input
    #[arg(required_unless_present = "mask", conflicts_with = "mask", value_hint = ValueHint::AnyPath, value_name = "FILE")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub input: InputArgs,
    /// What a classifier of texts reads at once
    #[arg(long, default_value_t, value_parser = named::<UnitKind>())]
    pub by: UnitKind,
    /// The number of texts that are listed at a masked word
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = top_parser())]
    pub top: usize,
    /// Only the word, or a classifier's definition, at this place; both numbers count from 1
    #[arg(long, value_name = "LINE:COLUMN", conflicts_with = "mask")]
    pub at: Option<Place>,
    /// Fill each <mask> of this text instead of reading files
    #[arg(long, value_name = "TEXT")]
    pub mask: Option<String>,
    /// What is done to a text before the model reads it [default: what the task head was trained on]
    #[arg(long, value_parser = named::<Normalize>())]
    pub normalize: Option<Normalize>,
    #[arg(long, short, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(super) struct AttentionArgs {
    /// A file, or - for standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub input: InputArgs,
    /// The layers: last, all, a number from 0, a range 0-5, or a list 0,2,4-6
    #[arg(long, default_value = "all")]
    pub layers: LayerChoice,
    /// The heads: all, a number from 0, a range or a list (each head separately); mean or max (all heads fused)
    #[arg(long, default_value = "all")]
    pub heads: RawHeadChoice,
    /// The output file: X.safetensors, X.npz or X.json
    #[arg(long, short, value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
    /// Add the hidden states [layer + 1, token, hidden]
    #[arg(long)]
    pub hidden_states: bool,
    /// The number of the chunk, from 0
    #[arg(long, default_value_t = 0, value_name = "K")]
    pub chunk: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LabelChoice {
    Auto,
    #[value(alias = "on")]
    All,
    #[value(alias = "off")]
    None,
}

#[derive(Debug, Args)]
pub(super) struct HeatmapArgs {
    /// A file, or - for standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub attribution: AttributionArgs,
    #[command(flatten)]
    pub input: InputArgs,
    /// The output file: X.png, X.svg or X.html
    #[arg(long, short, value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
    /// What is drawn
    #[arg(long, default_value_t, value_parser = named::<PictureKind>())]
    pub kind: PictureKind,
    /// What each row and column represents
    #[arg(long, default_value_t = Unit::Subword, value_parser = named::<Unit>())]
    pub unit: Unit,
    /// Width of the picture in pixels
    #[arg(long, value_name = "PIXELS")]
    pub size: Option<u32>,
    /// Dots per inch, for text and lines
    #[arg(long, default_value_t = 96)]
    pub dpi: u32,
    #[arg(long, default_value_t, value_parser = named::<Colormap>())]
    pub colormap: Colormap,
    /// Token labels: all, none, or (auto) as many as fit
    #[arg(
        long,
        value_enum,
        default_value = "auto",
        num_args = 0..=1,
        default_missing_value = "all"
    )]
    pub labels: LabelChoice,
    /// How weights become colors
    #[arg(long, default_value_t, value_parser = named::<Scale>())]
    pub scale: Scale,
    #[arg(long, default_value_t, value_parser = named::<Theme>())]
    pub theme: Theme,
    /// The number of the chunk, from 0
    #[arg(long, default_value_t = 0, value_name = "K")]
    pub chunk: usize,
}

#[derive(Debug, Args)]
pub(super) struct LspArgs {
    /// Use stdin and stdout (the default)
    #[arg(long, conflicts_with = "socket")]
    pub stdio: bool,
    /// Connect to a client that listens on this port of 127.0.0.1
    #[arg(long, value_name = "PORT")]
    pub socket: Option<u16>,
    /// End when this process ends
    #[arg(
        long = "clientProcessId",
        alias = "client-process-id",
        value_name = "PID"
    )]
    pub client_process_id: Option<u32>,
    /// Append the log to a file instead of writing it to stderr
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub log_file: Option<PathBuf>,
    #[command(flatten)]
    pub tracking: TrackingArgs,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The address to listen on; an address other than loopback needs --allow-remote
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// The port; 0 selects a free one, which stderr reports
    #[arg(long, default_value_t = 8001)]
    pub port: u16,
    /// A model to serve, as in the other commands; repeatable. The first one is the default [default: embedded]
    #[arg(long, short, value_name = "MODEL")]
    pub model: Vec<ModelSource>,
    /// A model that supplies what is missing beside the weights of directories and files: configuration, tokenizer
    #[arg(long, value_name = "MODEL")]
    pub base: Option<ModelSource>,
    /// Where the models run
    #[arg(long, default_value_t, value_name = "DEVICE", value_parser = named::<Device>())]
    pub device: Device,
    /// The arithmetic of the models' linear layers
    #[arg(long, default_value_t, value_name = "PRECISION", value_parser = named::<Precision>())]
    pub precision: Precision,
    #[command(flatten)]
    pub input: ModelInputArgs,
    /// Accept other machines, which must send the bearer token in the environment variable `CODEGAZE_TOKEN`
    #[arg(long)]
    pub allow_remote: bool,
    /// Another name of this server that clients can use in the Host header; repeatable
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// The origin of a page that can use this server, such as <https://example.org>; repeatable
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,
    /// Reject larger requests
    #[arg(long, default_value_t = 8 << 20, value_name = "BYTES")]
    pub max_body: usize,
    /// The maximum number of concurrent requests; the server rejects further ones
    #[arg(long, default_value_t = 128, value_name = "N", value_parser = count_parser())]
    pub queue: usize,
    /// The maximum time of a request
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// The maximum number of live connections; the server rejects further ones
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = count_parser())]
    pub live: usize,
    /// Memory for cached results
    #[arg(long, default_value_t = 256, value_name = "MB")]
    pub cache_mb: usize,
    #[command(flatten)]
    pub tracking: TrackingArgs,
}

#[derive(Debug, Args)]
pub(super) struct ModelsArgs {
    #[command(subcommand)]
    pub command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelsCommand {
    /// List the models on this machine
    List,
    /// Download a model from the hub into its cache
    Download { model: ModelSource },
    /// Print the directory that holds a model
    Path { model: ModelSource },
    /// Describe a model
    Info {
        #[arg(default_value = "embedded")]
        model: ModelSource,
        /// A model that supplies what is missing beside the weights: configuration, tokenizer
        #[arg(long, value_name = "MODEL")]
        base: Option<ModelSource>,
        #[command(flatten)]
        task: TaskArgs,
        #[arg(long)]
        json: bool,
    },
}

/// From 1 to [`MAX_TOP`].
fn top_parser() -> impl TypedValueParser<Value = usize> {
    clap::value_parser!(u64)
        .range(1..=MAX_TOP as u64)
        .map(|count| usize::try_from(count).unwrap_or(MAX_TOP))
}

/// From 1 to 65,536.
fn count_parser() -> impl TypedValueParser<Value = usize> {
    clap::value_parser!(u32)
        .range(1..=65_536)
        .map(|count| count as usize)
}

/// Accepts the names of `T`, each with its phrase in the long help.
fn named<T>() -> impl TypedValueParser<Value = T>
where
    T: Named + FromStr<Err = UnknownName> + Send + Sync,
{
    let values = T::ALL
        .iter()
        .map(|value| PossibleValue::new(value.as_str()).help(value.about()));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<T>())
}

/// The heads of a raw export; `None` means all heads, separately.
#[derive(Clone, Debug)]
pub(super) struct RawHeadChoice(pub Option<HeadChoice>);

impl FromStr for RawHeadChoice {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        if text == "all" {
            return Ok(Self(None));
        }
        text.parse().map(|choice| Self(Some(choice)))
    }
}
