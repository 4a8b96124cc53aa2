//! The keys.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::Settings;
use crate::model::Device;
use crate::text::PositionEncoding;
use crate::view::levels::HeatLevel;

/// One setting: its name on the wire, what the documentation says of it, and how a value is taken.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "a test holds the documentation to it")
)]
pub(crate) struct Key {
    pub name: &'static str,
    pub kind: &'static str,
    /// As JSON.
    pub default: &'static str,
    pub about: &'static str,
    /// An error says what was expected.
    pub set: fn(&mut Settings, &Value) -> Result<(), &'static str>,
}

pub(crate) const KEYS: &[Key] = &[
    Key {
        name: "model",
        kind: "string",
        default: r#""auto""#,
        about: "`auto` (CodeBERT if it is in the hub's cache, otherwise the embedded model), `embedded`, a directory, or a hub id such as `microsoft/codebert-base`",
        set: |settings, value| {
            let name = value.as_str().filter(|name| !name.contains('\0'));
            name.ok_or("a string")?.clone_into(&mut settings.model);
            Ok(())
        },
    },
    Key {
        name: "device",
        kind: "string",
        default: r#""cpu""#,
        about: "`cpu`, `candle-cpu`, `cuda` or `metal`, as on the command line",
        set: |settings, value| {
            const EXPECTED: &str = "cpu, candle-cpu, cuda or metal";
            let name = value.as_str().ok_or(EXPECTED)?;
            settings.device = Device::from_str(name).map_err(|_| EXPECTED)?;
            Ok(())
        },
    },
    Key {
        name: "method",
        kind: "string",
        default: r#""received""#,
        about: "`received`, `cls`, `rollout` or `norm`",
        set: |settings, value| settings.view.set_method(value),
    },
    Key {
        name: "layers",
        kind: "string, number or list",
        default: "null",
        about: "`last`, `all`, a number, a range such as `0-5`, or a list; `null`: the method's default",
        set: |settings, value| settings.view.set_layers(value),
    },
    Key {
        name: "heads",
        kind: "string, number or list",
        default: r#""mean""#,
        about: "`mean`, `max`, a number, a range or a list",
        set: |settings, value| settings.view.set_heads(value),
    },
    Key {
        name: "sinks",
        kind: "string",
        default: r#""drop""#,
        about: "what happens to attention on `<s>` and `</s>`: `drop` or `keep`",
        set: |settings, value| settings.view.set_sinks(value),
    },
    Key {
        name: "aggregate",
        kind: "string",
        default: r#""sum""#,
        about: "how the scores of its subwords become a lexeme's score: `sum`, `mean` or `max`",
        set: |settings, value| settings.view.set_aggregate(value),
    },
    Key {
        name: "features.semanticTokens",
        kind: "boolean",
        default: "true",
        about: "show heat as semantic tokens",
        set: |settings, value| flag(&mut settings.features.semantic_tokens, value),
    },
    Key {
        name: "features.hover",
        kind: "boolean",
        default: "true",
        about: "show numbers in the hover",
        set: |settings, value| flag(&mut settings.features.hover, value),
    },
    Key {
        name: "features.codeLens",
        kind: "boolean",
        default: "true",
        about: "show a line above each top-level definition",
        set: |settings, value| flag(&mut settings.features.code_lens, value),
    },
    Key {
        name: "features.codeActions",
        kind: "boolean",
        default: "true",
        about: "offer to show or export a heatmap, and to switch the view",
        set: |settings, value| flag(&mut settings.features.code_actions, value),
    },
    Key {
        name: "features.inlayHints",
        kind: "boolean",
        default: "false",
        about: "show each line's share at its end",
        set: |settings, value| flag(&mut settings.features.inlay_hints, value),
    },
    Key {
        name: "features.documentHighlight",
        kind: "boolean",
        default: "false",
        about: "highlight what the lexeme under the cursor attends to; editors mix this with the language's own highlights",
        set: |settings, value| flag(&mut settings.features.document_highlight, value),
    },
    Key {
        name: "features.documentColor",
        kind: "boolean",
        default: "false",
        about: "show swatches on levels 4 and 5, for editors without semantic tokens, such as Helix",
        set: |settings, value| flag(&mut settings.features.document_color, value),
    },
    Key {
        name: "positionEncoding",
        kind: "string",
        default: r#""auto""#,
        about: "`utf-8`, `utf-16`, `utf-32`, or `auto` (the first that the client offers); read at `initialize` only",
        set: |settings, value| {
            settings.position_encoding = match value.as_str() {
                Some("auto") => None,
                Some("utf-8") => Some(PositionEncoding::Utf8),
                Some("utf-16") => Some(PositionEncoding::Utf16),
                Some("utf-32") => Some(PositionEncoding::Utf32),
                _ => return Err("auto, utf-8, utf-16 or utf-32"),
            };
            Ok(())
        },
    },
    Key {
        name: "levelQuantiles",
        kind: "five numbers",
        default: "[0.5, 0.65, 0.78, 0.88, 0.95]",
        about: "where levels 1 to 5 begin, as quantiles of lift in the document",
        set: |settings, value| {
            const EXPECTED: &str = "a list of five ascending numbers from 0 to 1";
            let numbers = value.as_array().ok_or(EXPECTED)?;
            let numbers: Vec<f32> = numbers
                .iter()
                .filter_map(Value::as_f64)
                .map(narrow)
                .collect();
            let quantiles: [f32; 5] = numbers.try_into().map_err(|_| EXPECTED)?;
            let is_in_range = quantiles.iter().all(|q| (0.0..=1.0).contains(q));
            if !is_in_range || !quantiles.is_sorted() {
                return Err(EXPECTED);
            }
            settings.thresholds.quantiles = quantiles;
            Ok(())
        },
    },
    Key {
        name: "minLevel",
        kind: "1 … 5",
        default: "1",
        about: "the lowest level that is sent as a semantic token",
        set: |settings, value| {
            let level = whole(value, 1, 5, "a level from 1 to 5")?;
            let level = u8::try_from(level).ok().and_then(HeatLevel::new);
            settings.min_level = level.ok_or("a level from 1 to 5")?;
            Ok(())
        },
    },
    Key {
        name: "hover.details",
        kind: "boolean",
        default: "false",
        about: "show subwords, chunk and timing in the hover",
        set: |settings, value| flag(&mut settings.hover_details, value),
    },
    Key {
        name: "highlight.limit",
        kind: "number",
        default: "5",
        about: "how many lexemes are highlighted in each direction, at most 8",
        set: |settings, value| {
            settings.highlight_limit = whole(value, 1, 8, "a whole number from 1 to 8")?;
            Ok(())
        },
    },
    Key {
        name: "highlight.threshold",
        kind: "number",
        default: "0.02",
        about: "lower weights are not highlighted",
        set: |settings, value| {
            let threshold = value.as_f64().filter(|x| (0.0..=1.0).contains(x));
            settings.highlight_threshold = narrow(threshold.ok_or("a number from 0 to 1")?);
            Ok(())
        },
    },
    Key {
        name: "debounceMs",
        kind: "number",
        default: "150",
        about: "an edit is analyzed after this pause, or at once if a request needs the analysis",
        set: |settings, value| {
            let ms = whole(value, 0, 60_000, "a whole number from 0 to 60000")?;
            settings.debounce = Duration::from_millis(ms as u64);
            Ok(())
        },
    },
    Key {
        name: "deadlineMs",
        kind: "number",
        default: "5000",
        about: "how long a request waits for its analysis",
        set: |settings, value| {
            let ms = whole(value, 1, 600_000, "a whole number from 1 to 600000")?;
            settings.deadline = Duration::from_millis(ms as u64);
            Ok(())
        },
    },
    Key {
        name: "cacheMb",
        kind: "number",
        default: "256",
        about: "memory for the results of chunks",
        set: |settings, value| {
            let mb = whole(value, 0, 65_536, "a whole number from 0 to 65536")?;
            settings.cache_bytes = mb << 20;
            Ok(())
        },
    },
    Key {
        name: "maxFileKb",
        kind: "number",
        default: "4096",
        about: "larger documents are not analyzed",
        set: |settings, value| {
            let kb = whole(value, 1, 1 << 20, "a whole number from 1 to 1048576")?;
            settings.max_file_bytes = kb << 10;
            Ok(())
        },
    },
    Key {
        name: "clientCommands",
        kind: "list of strings",
        default: "[]",
        about: "commands that the client runs itself; see above",
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
    Key {
        name: "logLevel",
        kind: "string",
        default: r#""warn""#,
        about: "`error`, `warn`, `info`, `debug` or `trace`, on stderr",
        set: |settings, value| {
            const EXPECTED: &str = "error, warn, info, debug or trace";
            let name = value
                .as_str()
                .filter(|name| !name.is_empty() && name.chars().all(char::is_alphabetic));
            settings.log_level = name.and_then(|name| name.parse().ok()).ok_or(EXPECTED)?;
            Ok(())
        },
    },
];

fn flag(flag: &mut bool, value: &Value) -> Result<(), &'static str> {
    *flag = value.as_bool().ok_or("a boolean")?;
    Ok(())
}

fn whole(
    value: &Value,
    min: usize,
    max: usize,
    expected: &'static str,
) -> Result<usize, &'static str> {
    let number = value.as_u64().and_then(|n| usize::try_from(n).ok());
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or(expected)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "weights and quantiles are f32 elsewhere too"
)]
fn narrow(number: f64) -> f32 {
    number as f32
}
