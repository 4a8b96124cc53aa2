//! What a client can set: one declaration a key, from which reading, warnings and the table in `docs/protocol.md` are made.

mod keys;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::model::Device;
use crate::text::PositionEncoding;
use crate::view::levels::{HeatLevel, LevelThresholds};
use crate::view::options::View;

pub(crate) use keys::KEYS;

/// Keys that hold others.
const SECTIONS: [&str; 3] = ["features", "hover", "highlight"];

/// Options of one session, resolved; see `docs/protocol.md`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// `auto`, `embedded`, a directory, or a hub id.
    pub model: String,
    pub device: Device,
    pub view: View,
    pub features: Features,
    /// `None`: the client's first that we have.
    pub position_encoding: Option<PositionEncoding>,
    pub thresholds: LevelThresholds,
    pub min_level: HeatLevel,
    pub hover_details: bool,
    pub highlight_limit: usize,
    pub highlight_threshold: f32,
    pub debounce: Duration,
    pub deadline: Duration,
    pub cache_bytes: usize,
    pub max_file_bytes: usize,
    pub client_commands: BTreeSet<String>,
    pub log_level: tracing::Level,
}

/// What is offered to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting")]
pub(crate) struct Features {
    pub semantic_tokens: bool,
    pub hover: bool,
    pub code_lens: bool,
    pub code_actions: bool,
    pub inlay_hints: bool,
    pub document_highlight: bool,
    pub document_color: bool,
}

impl Features {
    /// What at least one of two has.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            semantic_tokens: self.semantic_tokens || other.semantic_tokens,
            hover: self.hover || other.hover,
            code_lens: self.code_lens || other.code_lens,
            code_actions: self.code_actions || other.code_actions,
            inlay_hints: self.inlay_hints || other.inlay_hints,
            document_highlight: self.document_highlight || other.document_highlight,
            document_color: self.document_color || other.document_color,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: "auto".to_owned(),
            device: Device::default(),
            view: View::default(),
            features: Features {
                semantic_tokens: true,
                hover: true,
                code_lens: true,
                code_actions: true,
                inlay_hints: false,
                document_highlight: false,
                document_color: false,
            },
            position_encoding: None,
            thresholds: LevelThresholds::default(),
            min_level: HeatLevel::SHOWN[0],
            hover_details: false,
            highlight_limit: 5,
            highlight_threshold: 0.02,
            debounce: Duration::from_millis(150),
            deadline: Duration::from_secs(5),
            cache_bytes: 256 << 20,
            max_file_bytes: 4096 << 10,
            client_commands: BTreeSet::new(),
            log_level: tracing::Level::WARN,
        }
    }
}

impl Settings {
    /// These settings with what `given` says. A key that is left out or `null` stays; a value that does not suit its key stays
    /// too, and says so in the second result.
    #[must_use]
    pub fn with(&self, given: &Value) -> (Self, Vec<String>) {
        let mut settings = self.clone();
        let mut faults = Vec::new();
        if !given.is_object() && !given.is_null() {
            faults.push(format!("settings are an object, not {given}"));
        }
        for section in SECTIONS {
            if let Some(value) = given.get(section)
                && !value.is_object()
                && !value.is_null()
            {
                faults.push(format!("{section} is an object, not {value}"));
            }
        }
        for key in KEYS {
            let Some(value) = look_up(given, key.name).filter(|value| !value.is_null()) else {
                continue;
            };
            if let Err(expected) = (key.set)(&mut settings, value) {
                faults.push(format!("{} is {expected}, not {value}", key.name));
            }
        }
        (settings, faults)
    }

    pub fn runs(&self, command: &str) -> bool {
        self.client_commands.contains(command)
    }
}

/// `features.hover` as a member of `features`, or written as one key, as some clients send it.
fn look_up<'a>(given: &'a Value, name: &str) -> Option<&'a Value> {
    given.get(name).or_else(|| {
        let (section, key) = name.split_once('.')?;
        given.get(section)?.get(key)
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;

    /// The rows between the two marks in `docs/protocol.md`.
    fn documented() -> String {
        let page = include_str!("../../docs/protocol.md").replace("\r\n", "\n");
        let (_, rest) = page
            .split_once("<!-- settings: generated from the code -->\n")
            .unwrap();
        let (table, _) = rest.split_once("<!-- /settings -->").unwrap();
        table.to_owned()
    }

    #[test]
    fn the_documented_table_is_the_code() {
        let mut table = "| key | type | default | what |\n| --- | --- | --- | --- |\n".to_owned();
        for key in KEYS {
            let _ = writeln!(
                table,
                "| `{}` | {} | `{}` | {} |",
                key.name, key.kind, key.default, key.about
            );
        }
        assert_eq!(
            documented(),
            table,
            "docs/protocol.md should have:\n{table}"
        );
    }

    #[test]
    fn the_sections_are_those_of_the_keys() {
        let sections = KEYS
            .iter()
            .filter_map(|key| Some(key.name.split_once('.')?.0));
        let sections: BTreeSet<&str> = sections.collect();
        assert_eq!(sections, SECTIONS.into_iter().collect());
        let (_, faults) = Settings::default().with(&json!({ "features": [] }));
        assert_eq!(faults, ["features is an object, not []"]);
    }

    #[test]
    fn documented_defaults_are_the_defaults() {
        for key in KEYS {
            let mut settings = Settings::default();
            let default: Value = serde_json::from_str(key.default).unwrap();
            if !default.is_null() {
                (key.set)(&mut settings, &default).unwrap();
            }
            assert_eq!(settings, Settings::default(), "{}", key.name);
        }
    }

    #[test]
    fn both_shapes_are_read_and_faults_cost_one_key_each() {
        let (settings, faults) = Settings::default().with(&json!({
            "method": "norm",
            "layers": [0, 3],
            "heads": 2,
            "features": { "hover": false, "inlayHints": "yes" },
            "hover.details": true,
            "debounceMs": -3,
            "levelQuantiles": [0.1, 0.2, 0.3],
            "clientCommands": ["codegaze.showHeatmap"],
            "cacheMb": null,
            "style": "unknown keys are the client's own",
        }));
        assert_eq!(settings.view.method.as_str(), "norm");
        assert!(!settings.features.hover);
        assert!(settings.hover_details);
        assert!(settings.runs("codegaze.showHeatmap"));
        assert_eq!(settings.cache_bytes, Settings::default().cache_bytes);
        assert_eq!(
            faults,
            [
                "features.inlayHints is a boolean, not \"yes\"",
                "levelQuantiles is a list of five ascending numbers from 0 to 1, not [0.1,0.2,0.3]",
                "debounceMs is a whole number from 0 to 60000, not -3",
            ]
        );
    }

    #[test]
    fn no_value_makes_it_panic() {
        let values = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1e300),
            json!("\u{0}"),
            json!([[]]),
            json!({ "a": 1 }),
            json!(u64::MAX),
        ];
        for key in KEYS {
            for value in &values {
                let given = json!({ key.name: value });
                let (settings, faults) = Settings::default().with(&given);
                assert!(faults.len() <= 1, "{}: {faults:?}", key.name);
                assert!(
                    faults.is_empty() || settings == Settings::default(),
                    "{}: {value} is refused and taken",
                    key.name
                );
            }
        }
        for value in &values {
            drop(Settings::default().with(value));
        }
    }
}
