//! What a hover shows of the lexeme under the pointer.
//!
//! The short card has two lines, because an editor shows it beside the language's own hover. The full card is shown on request. It
//! explains its numbers in words, for readers who are new to codegaze. It lists partners in columns, as preformatted text, which
//! every editor shows alike: some editors show the source of tables and nested lists.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::AnalyzedDocument;
use super::label::{label, printable, subword_labels, truncate};
use super::levels::HeatLevel;
use super::markdown::{code, escape, longest_run};
use super::summary::{count, percent, settings_of, times};
use codegaze_core::analysis::Analysis;
use codegaze_core::analysis::relations::{LexemeRelations, Relation};
use codegaze_core::attribution::AttributionConfig;
use codegaze_model::ModelInfo;
use codegaze_model::source::EMBEDDED_MODEL;
use codegaze_text::ByteSpan;

/// Partners listed in each direction.
const PARTNERS: usize = 5;
/// Columns of a partner's text.
const PARTNER_WIDTH: usize = 16;
/// Columns of the lexeme itself.
const LEXEME_WIDTH: usize = 48;
/// Subwords listed in the details.
const SUBWORDS: usize = 12;

/// Where an analysis came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Whether the lexeme's chunk came from the cache.
    pub cached: bool,
    /// How long the original analysis took.
    pub analysis: Duration,
}

/// How much a card says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardLength {
    /// Two lines: the numbers, and the strongest partner in each direction.
    Short,
    /// All that is known.
    Full,
}

/// How a card is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Markup {
    Markdown,
    Plain,
}

impl Markup {
    /// Source text inside a sentence.
    fn source(self, label: &str) -> String {
        match self {
            Self::Markdown => code(label),
            Self::Plain => format!("“{label}”"),
        }
    }

    fn words(self, text: &str) -> String {
        match self {
            Self::Markdown => escape(text),
            Self::Plain => text.to_owned(),
        }
    }

    /// Starts a new line in the same paragraph.
    fn line_break(self) -> &'static str {
        match self {
            Self::Markdown => "  \n",
            Self::Plain => "\n",
        }
    }

    /// Lines whose columns are aligned.
    fn columns(self, lines: &[String]) -> String {
        let lines = lines.join("\n");
        match self {
            Self::Markdown => {
                let fence = "`".repeat(longest_run(&lines, '`').max(2) + 1);
                // Some editors color a block without a language as the language of the document.
                format!("{fence}text\n{lines}\n{fence}")
            }
            Self::Plain => lines,
        }
    }
}

/// The text of a hover over one lexeme.
#[derive(Clone, Debug, PartialEq)]
pub struct HoverCard {
    /// Where the lexeme is in the document.
    pub span: ByteSpan,
    label: String,
    lift: f32,
    rank: usize,
    n_lexemes: usize,
    level: HeatLevel,
    share: f32,
    relations: Option<Relations>,
    /// The strongest partner in each direction, apart from the lexeme itself.
    strongest: Strongest,
    details: Vec<Detail>,
    settings: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Strongest {
    attends_to: Option<Partner>,
    attended_by: Option<Partner>,
}

#[derive(Clone, Debug, PartialEq)]
struct Relations {
    attends_to: Vec<Partner>,
    attended_by: Vec<Partner>,
    sink_share: f32,
}

#[derive(Clone, Debug, PartialEq)]
struct Partner {
    weight: String,
    label: String,
    /// `line 12`
    place: String,
}

/// One line of the details.
#[derive(Clone, Debug, PartialEq)]
enum Detail {
    Words(String),
    /// Labels and their scores.
    Subwords {
        shown: Vec<(String, String)>,
        n: usize,
    },
}

impl HoverCard {
    /// The card of the lexeme with this index into [`Analysis::lexemes`]; `None` if there is no such lexeme.
    #[must_use]
    pub fn new(
        document: &AnalyzedDocument<'_>,
        lexeme_idx: usize,
        relations: Option<&LexemeRelations>,
        origin: Origin,
    ) -> Option<Self> {
        let analysis = document.analysis;
        let lexeme = analysis.lexemes.get(lexeme_idx)?;
        let level = *document.levels.lexemes.get(lexeme_idx)?;
        let partners = |relations: &[Relation]| -> Vec<Partner> {
            relations
                .iter()
                .take(PARTNERS)
                .map(|relation| partner(document, relation, lexeme.span))
                .collect()
        };
        let strongest = |relations: &[Relation]| {
            let mut others = relations.iter().filter(|other| other.span != lexeme.span);
            others
                .next()
                .map(|relation| partner(document, relation, lexeme.span))
        };
        Some(Self {
            strongest: relations.map_or_else(Strongest::default, |relations| Strongest {
                attends_to: strongest(&relations.attends_to),
                attended_by: strongest(&relations.attended_by),
            }),
            span: lexeme.span,
            label: shown(document, lexeme.span, LEXEME_WIDTH),
            lift: lexeme.lift,
            rank: lexeme.rank,
            n_lexemes: analysis.lexemes.len(),
            level,
            share: lexeme.share,
            relations: relations.map(|relations| Relations {
                attends_to: partners(&relations.attends_to),
                attended_by: partners(&relations.attended_by),
                sink_share: relations.sink_share,
            }),
            details: details(document, lexeme.span, lexeme.chunk_idx, origin),
            settings: model_and_settings(&analysis.model, &analysis.attribution),
        })
    }

    /// 0 … 5.
    #[must_use]
    pub fn level(&self) -> HeatLevel {
        self.level
    }

    /// As Markdown.
    #[must_use]
    pub fn markdown(&self, length: CardLength) -> String {
        self.render(Markup::Markdown, length)
    }

    /// As plain text.
    #[must_use]
    pub fn plain(&self, length: CardLength) -> String {
        self.render(Markup::Plain, length)
    }

    fn render(&self, markup: Markup, length: CardLength) -> String {
        match length {
            CardLength::Short => self.short(markup),
            CardLength::Full => self.full(markup),
        }
    }

    fn short(&self, markup: Markup) -> String {
        let strongest = [
            ("attends most to", &self.strongest.attends_to),
            ("attended most by", &self.strongest.attended_by),
        ];
        let partners: Vec<String> = strongest
            .into_iter()
            .filter_map(|(direction, partner)| {
                let Partner {
                    weight,
                    label,
                    place,
                } = partner.as_ref()?;
                let label = markup.source(label);
                Some(format!("{direction} {label} ({place}, {weight})"))
            })
            .collect();
        let mut lines = vec![format!(
            "{} · {} the average attention · rank {} of {} · level {}",
            self.name(markup),
            times(self.lift),
            self.rank,
            self.n_lexemes,
            self.level.get()
        )];
        if !partners.is_empty() {
            lines.push(partners.join(" · "));
        }
        lines.join(markup.line_break())
    }

    fn full(&self, markup: Markup) -> String {
        let lexeme = markup.source(&self.label);
        let mut paragraphs = vec![
            self.headline(markup),
            format!(
                "The model attends to {lexeme} {} an average lexeme here. Its share of the chunk is {}.",
                comparison(self.lift),
                small_percent(self.share)
            ),
        ];
        if let Some(relations) = &self.relations {
            paragraphs.push(markup.columns(&relations.lines()));
            let start = markup.source("<s>");
            let end = markup.source("</s>");
            paragraphs.push(format!(
                "Each percentage is a part of the attending lexeme's attention. Another {} of the attention of {lexeme} goes to the special subwords {start} and {end} (sinks).",
                small_percent(relations.sink_share)
            ));
        }
        let details: Vec<String> = self
            .details
            .iter()
            .map(|detail| format!("- {}", detail.line(markup)))
            .collect();
        paragraphs.push(details.join("\n"));
        paragraphs.push(markup.words(&self.settings));
        paragraphs.join("\n\n")
    }

    fn name(&self, markup: Markup) -> String {
        match markup {
            Markup::Markdown => format!("**{}**", code(&self.label)),
            Markup::Plain => self.label.clone(),
        }
    }

    fn headline(&self, markup: Markup) -> String {
        format!(
            "{} · {} average · rank {} of {} · {} level {}",
            self.name(markup),
            times(self.lift),
            self.rank,
            self.n_lexemes,
            bar(self.level),
            self.level.get()
        )
    }
}

impl Relations {
    /// Both directions side by side.
    fn lines(&self) -> Vec<String> {
        let left = column("attends to", &self.attends_to);
        let right = column("attended by", &self.attended_by);
        let width = left.iter().map(|line| line.width()).max().unwrap_or(0);
        (0..left.len().max(right.len()))
            .map(|i| {
                let left = left.get(i).map_or("", String::as_str);
                let right = right.get(i).map_or("", String::as_str);
                // Padded by display width: `{:<width$}` counts characters.
                let pad = width - left.width();
                format!("{left}{:pad$}   {right}", "").trim_end().to_owned()
            })
            .collect()
    }
}

/// A heading, then one line for each partner.
fn column(head: &str, partners: &[Partner]) -> Vec<String> {
    let weight = partners.iter().map(|partner| partner.weight.width()).max();
    let text = partners.iter().map(|partner| partner.label.width()).max();
    let (weight, text) = (weight.unwrap_or(0), text.unwrap_or(0));
    let mut lines = vec![head.to_owned()];
    lines.extend(partners.iter().map(|partner| {
        let pad = text - partner.label.width();
        format!(
            "{:>weight$}  {}{:pad$}  {}",
            partner.weight, partner.label, "", partner.place
        )
    }));
    if partners.is_empty() {
        lines.push("nothing".to_owned());
    }
    lines
}

impl Detail {
    fn line(&self, markup: Markup) -> String {
        match self {
            Self::Words(text) => markup.words(text),
            Self::Subwords { shown, n } => {
                let subwords: Vec<String> = shown
                    .iter()
                    .map(|(label, score)| format!("{} {score}", markup.source(label)))
                    .collect();
                let more = match n - shown.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("{}: {}{more}", count(*n, "subword"), subwords.join(", "))
            }
        }
    }
}

/// What a hover shows where there are no numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingCard<'a> {
    /// The first model is being loaded.
    Loading {
        /// The name of the model.
        model: &'a str,
    },
    /// This version of the text is being analyzed.
    Analyzing,
    /// This part of the text has no scores.
    NotScored {
        /// Why, as a phrase.
        reason: &'a str,
    },
}

impl<'a> PendingCard<'a> {
    /// Why the text at `offset` has no scores; `None` if the analysis does not report a reason.
    #[must_use]
    pub fn unscored_at(analysis: &'a Analysis, offset: usize) -> Option<Self> {
        let part = analysis
            .unscored
            .iter()
            .find(|part| part.span.start <= offset && offset < part.span.end)?;
        Some(Self::NotScored {
            reason: &part.reason,
        })
    }

    /// The text as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        self.render(Markup::Markdown)
    }

    /// The text without markup.
    #[must_use]
    pub fn plain(&self) -> String {
        self.render(Markup::Plain)
    }

    fn render(self, markup: Markup) -> String {
        match self {
            Self::Loading { model } => format!(
                "codegaze: the model {} is loading. The attention appears when it is ready.",
                markup.source(&printable(model))
            ),
            Self::Analyzing => {
                "codegaze: this text is being analyzed. Its attention appears in a moment."
                    .to_owned()
            }
            Self::NotScored { reason } => {
                format!(
                    "codegaze: not scored: {}.",
                    markup.words(&printable(reason))
                )
            }
        }
    }
}

/// [`settings_of`], with a note if the model is the embedded one.
fn model_and_settings(model: &ModelInfo, attribution: &AttributionConfig) -> String {
    let settings = settings_of(model, attribution);
    if model.id == EMBEDDED_MODEL {
        format!("small embedded model {settings}")
    } else {
        settings
    }
}

fn shown(document: &AnalyzedDocument<'_>, span: ByteSpan, width: usize) -> String {
    truncate(&label(document.slice(span)), width)
}

fn partner(document: &AnalyzedDocument<'_>, relation: &Relation, lexeme: ByteSpan) -> Partner {
    Partner {
        weight: small_percent(relation.weight),
        label: shown(document, relation.span, PARTNER_WIDTH),
        place: if relation.span == lexeme {
            "itself".to_owned()
        } else {
            format!("line {}", document.line_number(relation.span.start))
        },
    }
}

fn details(
    document: &AnalyzedDocument<'_>,
    lexeme: ByteSpan,
    chunk_idx: usize,
    origin: Origin,
) -> Vec<Detail> {
    let mut details = Vec::new();
    let analysis = document.analysis;
    if let Some(chunk) = analysis.chunks.get(chunk_idx) {
        let subwords: Vec<_> = chunk
            .subwords
            .iter()
            .flatten()
            .filter(|subword| subword.span.is_some_and(|span| span.overlap(lexeme) > 0))
            .collect();
        if !subwords.is_empty() {
            let spans: Vec<_> = subwords.iter().map(|subword| subword.span).collect();
            // A subword that crosses the lexeme's border is shown as a whole.
            let shown = subword_labels(document.text(), &spans)
                .into_iter()
                .zip(&subwords)
                .take(SUBWORDS)
                .map(|(label, subword)| {
                    let label = truncate(&label, PARTNER_WIDTH);
                    (label, format!("{:.2} %", subword.score * 100.0))
                })
                .collect();
            details.push(Detail::Subwords {
                shown,
                n: subwords.len(),
            });
        }
        let first = document.line_number(chunk.span.start);
        let last = document.line_number(chunk.span.end.saturating_sub(1).max(chunk.span.start));
        let which = match analysis.chunks.len() {
            1 => "the only chunk".to_owned(),
            n => format!("chunk {chunk_idx} of 0–{}", n - 1),
        };
        details.push(Detail::Words(format!(
            "{which}: lines {first}–{last}, {}",
            count(chunk.n_tokens, "subword")
        )));
        details.push(Detail::Words(format!(
            "sinks took {} of the chunk's attention; whitespace has {} of its scores, and the context around the chunk {}",
            percent(chunk.sink_share),
            percent(chunk.whitespace_share),
            percent(chunk.context_share)
        )));
    }
    let millis = origin.analysis.as_secs_f64() * 1000.0;
    details.push(Detail::Words(if origin.cached {
        format!("from the cache; the original analysis took {millis:.1} ms")
    } else {
        format!("analyzed in {millis:.1} ms")
    }));
    details
}

/// `3.2× as much as to`.
fn comparison(lift: f32) -> String {
    let times = times(lift);
    if times == "1.0×" {
        "about as much as to".to_owned()
    } else {
        format!("{times} as much as to")
    }
}

/// As [`percent`], except that a share above 0 is never rounded to `0.0 %`.
fn small_percent(share: f32) -> String {
    if share > 0.0 && share < 0.000_5 {
        "< 0.1 %".to_owned()
    } else {
        percent(share)
    }
}

/// The level without color: `▰▰▰▰▱`.
fn bar(level: HeatLevel) -> String {
    (0..HeatLevel::MAX.get())
        .map(|step| if step < level.get() { '▰' } else { '▱' })
        .collect()
}

#[cfg(test)]
mod tests;
