//! The settings: each is declared here once, with its documentation and how a value is read. Its default is the one of
//! [`Settings::default`].

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::Settings;
use crate::attribution::{Aggregate, Method, Sinks};
use crate::lsp::features::{self, Feature};
use crate::model::{Device, Mode, Precision};
use crate::text::named::Named;
use crate::view::levels::{HeatLevel, LevelThresholds};
use crate::view::options::Field;
use crate::view::position::Encoding;

/// One setting.
pub(crate) struct Key {
    /// As it is on the wire.
    pub name: String,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "tests compare the documentation")
    )]
    about: &'static str,
    kind: ValueKind,
}

/// What a value may be, and the field that it sets. `get` reads the field back, so that a default is written in
/// [`Settings::default`] only.
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "tests compare the documentation with `get` and `what`"
    )
)]
#[derive(Clone, Copy)]
enum ValueKind {
    Feature(Feature),
    Boolean(fn(&mut Settings) -> &mut bool),
    /// A whole number, `min` and `max` included.
    Whole {
        min: usize,
        max: usize,
        get: fn(&Settings) -> usize,
        set: fn(&mut Settings, usize),
    },
    /// One of a few names. `set` receives only names that are listed.
    OneOf {
        names: fn() -> Vec<&'static str>,
        get: fn(&Settings) -> String,
        set: fn(&mut Settings, &str) -> Option<()>,
    },
    Other {
        what: &'static str,
        get: fn(&Settings) -> Value,
        /// An error says what is expected.
        set: fn(&mut Settings, &Value) -> Result<(), &'static str>,
    },
}

impl Key {
    /// Stores `value`, or returns what is expected instead of it.
    pub fn set(&self, settings: &mut Settings, value: &Value) -> Result<(), String> {
        match self.kind {
            ValueKind::Feature(feature) => {
                let is_on = value.as_bool().ok_or("a boolean")?;
                settings.features = settings.features.with(feature, is_on);
            }
            ValueKind::Boolean(field) => *field(settings) = value.as_bool().ok_or("a boolean")?,
            ValueKind::Whole { min, max, set, .. } => {
                let number = value.as_u64().and_then(|n| usize::try_from(n).ok());
                let number = number.filter(|number| (min..=max).contains(number));
                let expected = || format!("a whole number from {min} to {max}");
                set(settings, number.ok_or_else(expected)?);
            }
            ValueKind::OneOf { names, set, .. } => {
                let name = value.as_str().filter(|name| names().contains(name));
                name.and_then(|name| set(settings, name)).ok_or_else(|| {
                    match names().as_slice() {
                        [only] => (*only).to_owned(),
                        names => format!("one of {}", names.join(", ")),
                    }
                })?;
            }
            ValueKind::Other { set, .. } => set(settings, value)?,
        }
        Ok(())
    }
}

/// What the documentation and the editors' settings are compared with.
#[cfg(test)]
impl Key {
    pub fn default(&self) -> Value {
        self.value(&Settings::default())
    }

    /// The value that `settings` have for this key, as a client would write it.
    pub fn value(&self, settings: &Settings) -> Value {
        match self.kind {
            ValueKind::Feature(feature) => json!(settings.features.contains(feature)),
            ValueKind::Boolean(field) => json!(*field(&mut settings.clone())),
            ValueKind::Whole { get, .. } => json!(get(settings)),
            ValueKind::OneOf { get, .. } => json!(get(settings)),
            ValueKind::Other { get, .. } => get(settings),
        }
    }

    /// What the documentation says of it. `{names}` stands for the names that are accepted.
    pub fn documented(&self) -> String {
        let names: Vec<String> = self
            .names()
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let list = match names.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            names => names.concat(),
        };
        self.about.replace("{names}", &list)
    }

    pub fn documented_type(&self) -> String {
        match self.kind {
            ValueKind::Feature(_) | ValueKind::Boolean(_) => "boolean".to_owned(),
            ValueKind::Whole { min, max, .. } => format!("{min} … {max}"),
            ValueKind::OneOf { .. } => "string".to_owned(),
            ValueKind::Other { what, .. } => what.to_owned(),
        }
    }

    /// The names that are accepted, if only a few are.
    pub fn names(&self) -> Vec<&'static str> {
        match self.kind {
            ValueKind::OneOf { names, .. } => names(),
            _ => Vec::new(),
        }
    }

    /// What a JSON schema has to say of the value.
    pub fn json_schema(&self) -> Value {
        match self.kind {
            ValueKind::Feature(_) | ValueKind::Boolean(_) => json!({ "type": "boolean" }),
            ValueKind::Whole { min, max, .. } => {
                json!({ "type": "integer", "minimum": min, "maximum": max })
            }
            ValueKind::OneOf { names, .. } => json!({ "type": "string", "enum": names() }),
            ValueKind::Other { .. } => json!({}),
        }
    }
}

fn names<T: Named>() -> Vec<&'static str> {
    T::ALL.iter().map(|value| value.as_str()).collect()
}

/// All settings.
pub(crate) fn keys() -> impl Iterator<Item = Key> {
    let features = features::TABLE.iter().map(|row| Key {
        name: format!("features.{}", row.key),
        about: row.about,
        kind: ValueKind::Feature(row.feature),
    });
    let others = KEYS.iter().map(|&(name, about, kind)| Key {
        name: name.to_owned(),
        about,
        kind,
    });
    others.chain(features)
}

/// Name, documentation and kind of each setting that is not a feature.
const KEYS: &[(&str, &str, ValueKind)] = &[
    (
        "model",
        "`auto` (CodeBERT if it is in the hub's cache, otherwise the embedded model), `embedded`, a directory, or a hub id such as `microsoft/codebert-base`",
        ValueKind::Other {
            what: "string",
            get: |settings| json!(settings.model),
            set: |settings, value| {
                let name = value.as_str().filter(|name| !name.contains('\0'));
                name.ok_or("a string")?.clone_into(&mut settings.model);
                Ok(())
            },
        },
    ),
    (
        "device",
        "{names}, as on the command line",
        ValueKind::OneOf {
            names: names::<Device>,
            get: |settings| settings.device.to_string(),
            set: |settings, name| {
                settings.device = name.parse().ok()?;
                Some(())
            },
        },
    ),
    (
        "precision",
        "the arithmetic of the model's linear layers: {names}",
        ValueKind::OneOf {
            names: names::<Precision>,
            get: |settings| settings.precision.to_string(),
            set: |settings, name| {
                settings.precision = name.parse().ok()?;
                Some(())
            },
        },
    ),
    (
        "mode",
        "what stands before a text: {names}; `encoder-only` is for UniXcoder",
        ValueKind::OneOf {
            names: names::<Mode>,
            get: |settings| settings.mode.to_string(),
            set: |settings, name| {
                settings.mode = name.parse().ok()?;
                Some(())
            },
        },
    ),
    (
        "window",
        "the most subwords of one pass, at least 32, if fewer than the model can read; 0 stands for the model's own",
        ValueKind::Whole {
            min: 0,
            max: 1 << 20,
            get: |settings| settings.window,
            set: |settings, window| settings.window = window,
        },
    ),
    (
        "method",
        "how attention becomes scores: {names}",
        ValueKind::OneOf {
            names: names::<Method>,
            get: |settings| settings.view.method.to_string(),
            set: |settings, name| {
                settings.view.method = name.parse().ok()?;
                Some(())
            },
        },
    ),
    (
        "layers",
        "`last`, `all`, a number, a range such as `0-5`, or a list; `null`: the method's default",
        ValueKind::Other {
            what: "string, number or list",
            get: |settings| json!(settings.view.layers.as_ref().map(ToString::to_string)),
            set: |settings, value| {
                settings.view.layers = Some(Field::new(value.clone()).layers()?);
                Ok(())
            },
        },
    ),
    (
        "heads",
        "`mean`, `max`, a number, a range or a list",
        ValueKind::Other {
            what: "string, number or list",
            get: |settings| json!(settings.view.heads.to_string()),
            set: |settings, value| {
                settings.view.heads = Field::new(value.clone()).heads()?;
                Ok(())
            },
        },
    ),
    (
        "sinks",
        "what happens to attention on `<s>` and `</s>`: {names}",
        ValueKind::OneOf {
            names: names::<Sinks>,
            get: |settings| settings.view.sinks.to_string(),
            set: |settings, name| {
                settings.view.sinks = name.parse().ok()?;
                Some(())
            },
        },
    ),
    (
        "aggregate",
        "how the scores of its subwords become a lexeme's score: {names}",
        ValueKind::OneOf {
            names: names::<Aggregate>,
            get: |settings| settings.view.aggregate.to_string(),
            set: |settings, name| {
                settings.view.aggregate = name.parse().ok()?;
                Some(())
            },
        },
    ),
    (
        "positionEncoding",
        "`utf-8`, `utf-16`, `utf-32`, or `auto` (the first that the client offers); read at `initialize` only",
        ValueKind::OneOf {
            names: || vec!["auto", "utf-8", "utf-16", "utf-32"],
            get: |settings| {
                let encoding = settings.position_encoding;
                encoding.map_or("auto", Encoding::as_str).to_owned()
            },
            set: |settings, name| {
                settings.position_encoding = match name {
                    "auto" => None,
                    "utf-8" => Some(Encoding::Utf8),
                    "utf-16" => Some(Encoding::Utf16),
                    "utf-32" => Some(Encoding::Utf32),
                    _ => return None,
                };
                Some(())
            },
        },
    ),
    (
        "levelQuantiles",
        "where levels 1 to 5 begin, as quantiles of lift in the document",
        ValueKind::Other {
            what: "five numbers",
            get: |settings| settings.thresholds.quantiles.map(decimal).to_vec().into(),
            set: |settings, value| {
                let numbers = value.as_array().ok_or(LevelThresholds::EXPECTED)?;
                let numbers = numbers.iter().filter_map(Value::as_f64).map(narrow);
                settings.thresholds = LevelThresholds::new(&numbers.collect::<Vec<f32>>())?;
                Ok(())
            },
        },
    ),
    (
        "minLevel",
        "the lowest level that is sent as a semantic token",
        ValueKind::Whole {
            min: 1,
            max: 5,
            get: |settings| settings.min_level.get().into(),
            set: |settings, level| {
                let level = u8::try_from(level).ok().and_then(HeatLevel::new);
                settings.min_level = level.expect("1 to 5 are levels");
            },
        },
    ),
    (
        "hover.details",
        "show all numbers in every hover, as `codegaze/explain` does",
        ValueKind::Boolean(|settings| &mut settings.hover_details),
    ),
    (
        "hover.minLevel",
        "lexemes of a lower level have no hover",
        ValueKind::Whole {
            min: 0,
            max: 5,
            get: |settings| settings.hover_level.get().into(),
            set: |settings, level| {
                let level = u8::try_from(level).ok().and_then(HeatLevel::new);
                settings.hover_level = level.expect("0 to 5 are levels");
            },
        },
    ),
    (
        "highlight.limit",
        "how many lexemes are highlighted in each direction",
        ValueKind::Whole {
            min: 1,
            max: 8,
            get: |settings| settings.highlight_limit,
            set: |settings, limit| settings.highlight_limit = limit,
        },
    ),
    (
        "highlight.threshold",
        "lower weights are not highlighted",
        ValueKind::Other {
            what: "number",
            get: |settings| decimal(settings.highlight_threshold),
            set: |settings, value| {
                let threshold = value.as_f64().filter(|x| (0.0..=1.0).contains(x));
                settings.highlight_threshold = narrow(threshold.ok_or("a number from 0 to 1")?);
                Ok(())
            },
        },
    ),
    (
        "debounceMs",
        "an edit is analyzed after this pause, or at once if a request needs the analysis",
        ValueKind::Whole {
            min: 0,
            max: 60_000,
            get: |settings| milliseconds(settings.debounce),
            set: |settings, ms| settings.debounce = Duration::from_millis(ms as u64),
        },
    ),
    (
        "deadlineMs",
        "how long a request waits for its analysis",
        ValueKind::Whole {
            min: 1,
            max: 600_000,
            get: |settings| milliseconds(settings.deadline),
            set: |settings, ms| settings.deadline = Duration::from_millis(ms as u64),
        },
    ),
    (
        "cacheMb",
        "memory for the results of chunks",
        ValueKind::Whole {
            min: 0,
            max: 65_536,
            get: |settings| settings.cache_bytes >> 20,
            set: |settings, mb| settings.cache_bytes = mb << 20,
        },
    ),
    (
        "maxFileKb",
        "larger documents are not analyzed",
        ValueKind::Whole {
            min: 1,
            max: 1 << 20,
            get: |settings| settings.max_file_bytes >> 10,
            set: |settings, kb| settings.max_file_bytes = kb << 10,
        },
    ),
    (
        "clientCommands",
        "commands that the client runs itself; see above",
        ValueKind::Other {
            what: "list of strings",
            get: |settings| json!(settings.client_commands),
            set: |settings, value| {
                const EXPECTED: &str = "a list of strings";
                let names = value.as_array().ok_or(EXPECTED)?;
                let names: Option<BTreeSet<String>> = names
                    .iter()
                    .map(|name| name.as_str().map(ToOwned::to_owned))
                    .collect();
                settings.client_commands = names.ok_or(EXPECTED)?;
                Ok(())
            },
        },
    ),
    (
        "logLevel",
        "{names}, on stderr",
        ValueKind::OneOf {
            names: || vec!["error", "warn", "info", "debug", "trace"],
            get: |settings| settings.log_level.to_string().to_lowercase(),
            set: |settings, name| {
                settings.log_level = name.parse().ok()?;
                Some(())
            },
        },
    ),
];

fn milliseconds(duration: Duration) -> usize {
    usize::try_from(duration.as_millis()).unwrap_or(usize::MAX)
}

/// As the fewest digits that read back as the same `f32`.
fn decimal(number: f32) -> Value {
    json!(number.to_string().parse::<f64>().ok())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "weights and quantiles are f32 elsewhere too"
)]
fn narrow(number: f64) -> f32 {
    number as f32
}
