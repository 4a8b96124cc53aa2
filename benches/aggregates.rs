//! Compares the ways to aggregate a lexeme's subwords: `aggregates [--model NAME] [--files N] [--functions N] PATH…`,
//! where `--files` is the number of files of each language for the first table, and `--functions` that of functions for the
//! second; 0 leaves the table out.
//!
//! The paths are source files, or directories of them. Any real code will do, for example the standard libraries that are
//! installed with a language:
//!
//! - Python: `python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))'`
//! - Rust: `rustup component add rust-src`, then `$(rustc --print sysroot)/lib/rustlib/src/rust/library/std`
//! - Go: `$(go env GOROOT)/src`
//! - C, C++: `/usr/include`
//!
//! It prints two tables. The first says which share of the lexemes at level 5 has three subwords or more, beside the share of
//! all lexemes: an aggregate whose levels do not depend on length has the same share in both. The second says how the scores
//! of a function's lexemes correlate with occlusion: how much the hidden states of all other subwords change when a lexeme's
//! subwords are replaced by `<mask>`. Occlusion itself depends on length, because more subwords are masked in a longer lexeme;
//! so the table also has the correlation with the number of subwords held fixed. Files and functions are chosen evenly, so
//! that a second run prints the same.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    clippy::format_push_string,
    reason = "counts of lexemes and functions, ties of ranks, and short tables"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use codegaze::analysis::{Analysis, AnalysisConfig, AnalyzedChunk, analyze};
use codegaze::attribution::align::Alignment;
use codegaze::attribution::{Aggregate, AttributionOptions};
use codegaze::model::roberta::{AttentionSink, ForwardPlan, HiddenStates, LayerAttention};
use codegaze::model::source::{HubOptions, ModelSource};
use codegaze::model::tokenizer::Encoding;
use codegaze::model::{Device, Model, Precision};
use codegaze::text::ByteSpan;
use codegaze::text::document::Document;
use codegaze::text::language::{Language, file_language_id};
use codegaze::text::lexeme::{Lexeme, scan};
use codegaze::text::outline::outline;
use codegaze::view::levels::{HeatLevel, LevelThresholds};

/// A larger file is generated, or data.
const MAX_FILE_BYTES: u64 = 200_000;
/// Of each language, in which functions are looked for.
const FILES_WITH_FUNCTIONS: usize = 40;
/// Lexemes of this many subwords count as long.
const LONG: f32 = 3.0;
/// Subwords of a function that is occluded.
const FUNCTION_SUBWORDS: std::ops::RangeInclusive<usize> = 30..=250;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments = Arguments::parse()?;
    let source: ModelSource = arguments.model.parse()?;
    let files = source.resolve(&HubOptions::from_env(), &())?;
    let model = Model::load(&files, Device::Cpu, Precision::F32)?;
    let sources = sources(&arguments.paths)?;
    let mut out = io::stdout().lock();
    for (language, files) in &sources {
        writeln!(out, "{language}: {} files", files.len())?;
    }
    if arguments.files > 0 {
        writeln!(out, "\n{}", levels(&model, &sources, arguments.files)?)?;
    }
    if arguments.functions > 0 {
        let table = occlusion(&model, &sources, arguments.functions)?;
        writeln!(out, "\n{table}")?;
    }
    Ok(())
}

struct Arguments {
    model: String,
    functions: usize,
    /// Files of each language.
    files: usize,
    paths: Vec<PathBuf>,
}

impl Arguments {
    fn parse() -> Result<Self> {
        let mut arguments = Self {
            model: "codegaze-mini".to_owned(),
            functions: 200,
            files: 20,
            paths: Vec::new(),
        };
        let mut given = std::env::args().skip(1);
        while let Some(argument) = given.next() {
            let mut value = || given.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--model" => arguments.model = value()?,
                "--files" => arguments.files = value()?.parse()?,
                "--functions" => arguments.functions = value()?.parse()?,
                _ => arguments.paths.push(argument.into()),
            }
        }
        if arguments.paths.is_empty() {
            return Err(
                "name source files or directories; benches/aggregates.rs says where to find some"
                    .into(),
            );
        }
        Ok(arguments)
    }
}

/// Each language's files.
fn sources(paths: &[PathBuf]) -> Result<BTreeMap<&'static str, Vec<PathBuf>>> {
    let mut found: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        collect(path, &mut found)?;
    }
    for files in found.values_mut() {
        files.sort();
    }
    Ok(found)
}

fn collect(path: &Path, found: &mut BTreeMap<&'static str, Vec<PathBuf>>) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    if metadata.is_dir() {
        for entry in path.read_dir()? {
            collect(&entry?.path(), found)?;
        }
    } else if metadata.is_file()
        && metadata.len() <= MAX_FILE_BYTES
        && Language::of_file(path).is_some()
        && let Some(language) = file_language_id(path)
    {
        found.entry(language).or_default().push(path.to_owned());
    }
    Ok(())
}

/// `n` of the items, in their order, or all.
fn evenly<T: Clone>(items: &[T], n: usize) -> Vec<T> {
    let n = n.min(items.len());
    (0..n)
        .map(|at| items[at * items.len() / n].clone())
        .collect()
}

/// `None` if it is not UTF-8.
fn document(path: &Path) -> Option<Document> {
    let document = Document::from_bytes(std::fs::read(path).ok()?).ok()?;
    Some(document.with_language(Language::of_file(path)))
}

/// The subword scores of one window, and where its subwords lie.
struct Window {
    lexemes: Vec<Lexeme>,
    alignment: Alignment,
    /// \[subword\]
    scores: Vec<f32>,
    /// Subwords, \[lexeme\].
    counts: Vec<f32>,
    core: ByteSpan,
}

impl Window {
    fn new(text: &str, chunk: &AnalyzedChunk) -> Self {
        let start = chunk.span.start;
        let local = |span: ByteSpan| ByteSpan::new(span.start - start, span.end - start);
        let subwords = chunk.subwords.as_deref().unwrap_or_default();
        let spans: Vec<Option<ByteSpan>> = subwords.iter().map(|s| s.span.map(local)).collect();
        let lexemes = scan(chunk.span.of(text));
        let alignment = Alignment::new(&spans, &lexemes);
        Self {
            counts: alignment.counts(),
            scores: subwords.iter().map(|subword| subword.score).collect(),
            core: local(chunk.core),
            lexemes,
            alignment,
        }
    }

    fn in_core(&self) -> Vec<bool> {
        let core = |lexeme: &Lexeme| self.core.contains(lexeme.span);
        self.lexemes.iter().map(core).collect()
    }
}

/// The scores of a window's lexemes.
type Score = Box<dyn Fn(&Window) -> Vec<f32>>;

/// A way to score lexemes.
struct Candidate {
    name: String,
    score: Score,
}

fn candidates() -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Aggregate::ALL
        .into_iter()
        .map(|how| Candidate {
            name: format!("`{how}`"),
            score: Box::new(move |window| window.alignment.aggregate(&window.scores, how)),
        })
        .collect();
    all.push(Candidate {
        name: "sum ÷ expected".to_owned(),
        score: Box::new(sum_by_expected),
    });
    all.push(Candidate {
        name: "rank in its count".to_owned(),
        score: Box::new(rank_within_count),
    });
    all
}

/// The sum, divided by what the regression of log sum on log count expects.
fn sum_by_expected(window: &Window) -> Vec<f32> {
    let sums = window.alignment.aggregate(&window.scores, Aggregate::Sum);
    let points: Vec<(f32, f32)> = window
        .counts
        .iter()
        .zip(&sums)
        .filter(|&(&count, &sum)| count > 0.0 && sum > 0.0)
        .map(|(count, sum)| (count.ln(), sum.ln()))
        .collect();
    let n = points.len().max(1) as f32;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f32>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f32>() / n;
    let xx: f32 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let xy = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum::<f32>();
    let slope = (xy + 1.0) / (xx + 1.0);
    let counts = sums.iter().zip(&window.counts);
    counts
        .map(|(sum, count)| {
            if *count > 0.0 {
                sum / count.powf(slope)
            } else {
                0.0
            }
        })
        .collect()
}

/// A lexeme's place among those of its window that have as many subwords, 0 … 1; of a single one ½.
fn rank_within_count(window: &Window) -> Vec<f32> {
    let means = window.alignment.aggregate(&window.scores, Aggregate::Mean);
    let mut classes: BTreeMap<u32, Vec<f32>> = BTreeMap::new();
    let class = |count: f32| count.round().clamp(1.0, 6.0) as u32;
    for (&count, &mean) in window.counts.iter().zip(&means) {
        classes.entry(class(count)).or_default().push(mean);
    }
    let place = |(&count, &mean): (&f32, &f32)| {
        let others = &classes[&class(count)];
        let below = others.iter().filter(|&&other| other < mean).count() as f32;
        let same = others.iter().filter(|&&other| other == mean).count() as f32;
        (below + same / 2.0) / others.len() as f32
    };
    window.counts.iter().zip(&means).map(place).collect()
}

fn analysis(model: &Model, document: &Document) -> Result<Analysis> {
    let attribution = AttributionOptions::default().resolve(model.info())?;
    let mut config = AnalysisConfig::new(model.info(), attribution);
    config.extras.subwords = true;
    Ok(analyze(
        model,
        document,
        &config,
        &AtomicBool::new(false),
        &mut |_, _| (),
    )?)
}

fn windows(document: &Document, analysis: &Analysis) -> Vec<Window> {
    let scored = analysis.chunks.iter().filter(|chunk| chunk.n_tokens > 0);
    scored
        .map(|chunk| Window::new(document.text(), chunk))
        .collect()
}

/// The lifts of a document's lexemes.
fn lifts(windows: &[Window], candidate: &Candidate) -> Vec<f32> {
    let mut lifts = Vec::new();
    for window in windows {
        let scores = (candidate.score)(window);
        let inside = scores.iter().zip(window.in_core());
        let inside: Vec<f32> = inside.filter(|(_, core)| *core).map(|(s, _)| *s).collect();
        let sum: f32 = inside.iter().sum();
        lifts.extend(inside.iter().map(|score| score * inside.len() as f32 / sum));
    }
    lifts
}

#[derive(Clone, Default)]
struct Long {
    n: usize,
    n_long: usize,
}

impl Long {
    fn add(&mut self, is_long: bool) {
        self.n += 1;
        self.n_long += usize::from(is_long);
    }

    fn share(&self) -> f64 {
        self.n_long as f64 / self.n.max(1) as f64
    }
}

/// The table of long lexemes at level 5.
fn levels(
    model: &Model,
    sources: &BTreeMap<&'static str, Vec<PathBuf>>,
    n_files: usize,
) -> Result<String> {
    let candidates = candidates();
    let names: Vec<&str> = candidates.iter().map(|c| c.name.as_str()).collect();
    let mut table = format!(
        "| language | lexemes | all | {} |\n| --- | ---: | ---: |{}\n",
        names.join(" | "),
        " ---: |".repeat(names.len())
    );
    let mut total = vec![Long::default(); candidates.len() + 1];
    for (language, files) in sources {
        let mut of_language = vec![Long::default(); candidates.len() + 1];
        for file in &evenly(files, n_files) {
            let Some(document) = document(file) else {
                continue;
            };
            let windows = windows(&document, &analysis(model, &document)?);
            let counts = windows.iter().flat_map(|window| {
                let core = window.in_core();
                let counts = window.counts.iter().zip(core);
                counts
                    .filter(|(_, core)| *core)
                    .map(|(count, _)| *count >= LONG - 0.01)
            });
            let is_long: Vec<bool> = counts.collect();
            for (at, long) in of_language.iter_mut().enumerate() {
                let levels = match at.checked_sub(1) {
                    None => vec![HeatLevel::MAX; is_long.len()],
                    Some(at) => {
                        LevelThresholds::default().levels(&lifts(&windows, &candidates[at]))
                    }
                };
                let shown = is_long.iter().zip(levels);
                for (&is_long, _) in shown.filter(|(_, level)| *level == HeatLevel::MAX) {
                    long.add(is_long);
                }
            }
        }
        for (total, long) in total.iter_mut().zip(&of_language) {
            total.n += long.n;
            total.n_long += long.n_long;
        }
        table += &row(language, &of_language);
    }
    table += &row("all", &total);
    Ok(table)
}

fn row(language: &str, long: &[Long]) -> String {
    let base = long[0].share();
    let mut row = format!("| {language} | {} | {:.1} % |", long[0].n, 100.0 * base);
    for at_top in &long[1..] {
        let share = at_top.share();
        row += &format!(" {:.1} % ({:.2} ×) |", 100.0 * share, share / base);
    }
    row + "\n"
}

/// The last hidden states of a text, [token][hidden].
fn hidden(model: &Model, ids: &[u32]) -> Result<Vec<Vec<f32>>> {
    struct Last(Vec<f32>);
    impl AttentionSink for Last {
        fn attention(&mut self, _: LayerAttention<'_>) -> std::ops::ControlFlow<()> {
            std::ops::ControlFlow::Continue(())
        }
        fn hidden_state(&mut self, _: usize, values: &[f32]) {
            values.clone_into(&mut self.0);
        }
    }
    let mut last = Last(Vec::new());
    let plan = ForwardPlan {
        hidden_states: HiddenStates::Last,
        ..ForwardPlan::default()
    };
    let encoding = Encoding {
        ids: ids.to_vec(),
        spans: vec![None; ids.len()],
    };
    model.forward(&encoding, &plan, &mut last, &AtomicBool::new(false))?;
    let size = model.info().hidden_size;
    Ok(last.0.chunks_exact(size).map(<[f32]>::to_vec).collect())
}

/// What masking each lexeme changes in the other subwords: the mean over them of ‖h − h′‖ ÷ ‖h‖.
fn effects(model: &Model, window: &Window, encoding: &Encoding, mask: u32) -> Result<Vec<f32>> {
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|x| x * x).sum::<f32>().sqrt();
    let before = hidden(model, &encoding.ids)?;
    let mut effects = Vec::with_capacity(window.lexemes.len());
    for lexeme in &window.lexemes {
        let lies_on = |span: &Option<ByteSpan>| span.is_some_and(|s| s.overlap(lexeme.span) > 0);
        let masked: Vec<bool> = encoding.spans.iter().map(lies_on).collect();
        let ids = encoding.ids.iter().zip(&masked);
        let ids: Vec<u32> = ids
            .map(|(&id, &masked)| if masked { mask } else { id })
            .collect();
        let after = hidden(model, &ids)?;
        let (mut sum, mut n) = (0.0, 0.0_f32);
        for (at, (h, other)) in before.iter().zip(&after).enumerate() {
            if encoding.spans[at].is_some() && !masked[at] {
                sum += norm(&mut h.iter().zip(other).map(|(a, b)| a - b))
                    / norm(&mut h.iter().copied());
                n += 1.0;
            }
        }
        effects.push(sum / n.max(1.0));
    }
    Ok(effects)
}

/// The table of correlations with occlusion.
fn occlusion(
    model: &Model,
    sources: &BTreeMap<&'static str, Vec<PathBuf>>,
    n_functions: usize,
) -> Result<String> {
    let Some(mask) = model.tokenizer().mask_id() else {
        return Ok("The model has no mask.".to_owned());
    };
    let mut by_language: Vec<Vec<Document>> = Vec::new();
    for files in sources.values() {
        let all: Vec<Document> = evenly(files, FILES_WITH_FUNCTIONS)
            .iter()
            .flat_map(|file| functions(model, file))
            .collect();
        by_language.push(all);
    }
    by_language.sort_by_key(Vec::len);
    let mut chosen = Vec::new();
    let n_languages = by_language.len();
    for (at, functions) in by_language.into_iter().enumerate() {
        chosen.extend(evenly(
            &functions,
            (n_functions - chosen.len()) / (n_languages - at),
        ));
    }
    let candidates = candidates();
    let mut rows: Vec<(String, Vec<f64>, Vec<f64>)> = candidates
        .iter()
        .map(|candidate| candidate.name.as_str())
        .chain(["number of subwords", "bytes", "position", "random"])
        .map(|name| (name.to_owned(), Vec::new(), Vec::new()))
        .collect();
    let mut random = 1_u64;
    for document in &chosen {
        let windows = windows(document, &analysis(model, document)?);
        let [window] = windows.as_slice() else {
            continue;
        };
        let encoding = model.tokenizer().encode(document.text());
        let effects = ranks(&effects(model, window, &encoding, mask)?);
        let mut scores: Vec<Vec<f32>> = candidates.iter().map(|c| (c.score)(window)).collect();
        scores.push(window.counts.clone());
        scores.push(window.lexemes.iter().map(|l| l.span.len() as f32).collect());
        scores.push((0..window.lexemes.len()).map(|at| at as f32).collect());
        scores.push(
            (0..window.lexemes.len())
                .map(|_| xorshift(&mut random))
                .collect(),
        );
        let counts = ranks(&window.counts);
        for (row, scores) in rows.iter_mut().zip(&scores) {
            let scores = ranks(scores);
            let (xy, xz, yz) = (
                correlation(&scores, &effects),
                correlation(&scores, &counts),
                correlation(&effects, &counts),
            );
            row.1.push(xy);
            let partial = (xy - xz * yz) / ((1.0 - xz * xz) * (1.0 - yz * yz)).sqrt();
            if partial.is_finite() {
                row.2.push(partial);
            }
        }
    }
    let mut table = format!(
        "Spearman's correlation with occlusion, mean over {} functions ± its standard error:\n\n\
         | score | correlation | number of subwords held fixed |\n| --- | ---: | ---: |\n",
        rows.first().map_or(0, |row| row.1.len())
    );
    for (name, whole, partial) in rows {
        let partial = if name == "number of subwords" {
            "–".to_owned()
        } else {
            mean(&partial)
        };
        table += &format!("| {name} | {} | {partial} |\n", mean(&whole));
    }
    Ok(table)
}

/// A file's functions of a size that one window holds.
fn functions(model: &Model, file: &Path) -> Vec<Document> {
    let Some(document) = document(file) else {
        return Vec::new();
    };
    let definitions = outline(&document).into_iter();
    definitions
        .map(|definition| definition.span.of(document.text()))
        .filter(|text| FUNCTION_SUBWORDS.contains(&model.tokenizer().count(text)))
        .map(|text| Document::new(text, 0).with_language(document.language()))
        .collect()
}

fn xorshift(state: &mut u64) -> f32 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 40) as f32
}

/// Ranks from 0; equal values share the mean of their ranks.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for same in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let first = order.iter().position(|at| *at == same[0]).unwrap_or(0);
        let rank = first as f64 + (same.len() - 1) as f64 / 2.0;
        for &at in same {
            ranks[at] = rank;
        }
    }
    ranks
}

/// Pearson's; 0 if one of the two is constant.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let products = |x: &[f64], mean_x: f64, y: &[f64], mean_y: f64| -> f64 {
        x.iter()
            .zip(y)
            .map(|(x, y)| (x - mean_x) * (y - mean_y))
            .sum()
    };
    let spread = products(a, mean_a, a, mean_a) * products(b, mean_b, b, mean_b);
    if spread > 0.0 {
        products(a, mean_a, b, mean_b) / spread.sqrt()
    } else {
        0.0
    }
}

fn mean(values: &[f64]) -> String {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    format!("{mean:.3} ± {:.3}", (variance / n).sqrt())
}
