//! What a client can set. `keys` declares each setting once; reading, the warnings, the table in `docs/protocol.md` and VS Code's
//! settings follow from that, or are compared with it by tests.

mod keys;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::features::FeatureSet;
use super::models::ModelRequest;
use crate::attribution::AttributionOptions;
use crate::model::{Device, Mode, Precision};
use crate::view::levels::{HeatLevel, LevelThresholds};
use crate::view::position::Encoding;

use keys::keys;

/// Keys whose values hold other keys.
const SECTIONS: [&str; 3] = ["features", "hover", "highlight"];

/// Options of one session, resolved; see `docs/protocol.md`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// `auto`, `embedded`, a directory, or a hub id.
    pub model: String,
    pub device: Device,
    pub precision: Precision,
    pub mode: Mode,
    /// The most subwords of one pass; 0 stands for the model's own.
    pub window: usize,
    pub view: AttributionOptions,
    pub features: FeatureSet,
    /// `None`: the first of the client's list that the server supports.
    pub position_encoding: Option<Encoding>,
    pub thresholds: LevelThresholds,
    pub min_level: HeatLevel,
    pub hover_details: bool,
    /// Lexemes of a lower level have no hover.
    pub hover_level: HeatLevel,
    pub highlight_limit: usize,
    pub highlight_threshold: f32,
    pub debounce: Duration,
    pub deadline: Duration,
    pub cache_bytes: usize,
    pub max_file_bytes: usize,
    pub client_commands: BTreeSet<String>,
    pub log_level: tracing::Level,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: "auto".to_owned(),
            device: Device::default(),
            precision: Precision::default(),
            mode: Mode::default(),
            window: 0,
            view: AttributionOptions::default(),
            features: FeatureSet::default(),
            position_encoding: None,
            thresholds: LevelThresholds::default(),
            min_level: HeatLevel::SHOWN[0],
            hover_details: false,
            hover_level: HeatLevel::NONE,
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
    /// These settings, changed by `given`. A key that is left out or `null` keeps its value. So does a key whose new value is
    /// invalid; the second result describes each such fault.
    #[must_use]
    pub fn with(&self, given: &Value) -> (Self, Vec<String>) {
        let mut settings = self.clone();
        let mut faults = Vec::new();
        if !given.is_object() && !given.is_null() {
            faults.push(format!("settings must be an object, not {given}"));
        }
        for section in SECTIONS {
            if let Some(value) = given.get(section)
                && !value.is_object()
                && !value.is_null()
            {
                faults.push(format!("{section} must be an object, not {value}"));
            }
        }
        for key in keys() {
            let Some(value) = look_up(given, &key.name).filter(|value| !value.is_null()) else {
                continue;
            };
            if let Err(expected) = key.set(&mut settings, value) {
                faults.push(format!("{} must be {expected}, not {value}", key.name));
            }
        }
        (settings, faults)
    }

    /// The model that the settings name, and how it is loaded.
    pub fn model_request(&self) -> ModelRequest {
        ModelRequest {
            name: self.model.clone(),
            device: self.device,
            precision: self.precision,
            mode: self.mode,
            window: (self.window > 0).then_some(self.window),
        }
    }

    pub fn runs(&self, command: &str) -> bool {
        self.client_commands.contains(command)
    }
}

/// Finds `features.hover` as a member of `features`, or as one key, as some clients send it.
fn look_up<'a>(given: &'a Value, name: &str) -> Option<&'a Value> {
    given.get(name).or_else(|| {
        let (section, key) = name.split_once('.')?;
        given.get(section)?.get(key)
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::lsp::features::Feature;

    #[test]
    fn the_documented_table_is_the_code() {
        let mut table = "| key | type | default | what |\n| --- | --- | --- | --- |\n".to_owned();
        for key in keys() {
            let _ = writeln!(
                table,
                "| `{}` | {} | `{}` | {} |",
                key.name,
                key.documented_type(),
                key.default().to_string().replace(',', ", "),
                key.documented()
            );
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/protocol.md");
        let page = fs::read_to_string(path).unwrap().replace("\r\n", "\n");
        let (_, rest) = page
            .split_once("<!-- settings: generated from the code -->\n")
            .unwrap();
        let (documented, after) = rest.split_once("<!-- /settings -->").unwrap();
        if std::env::var_os("UPDATE_LISTS").is_some() {
            let start = &page[..page.len() - rest.len()];
            fs::write(path, format!("{start}{table}<!-- /settings -->{after}")).unwrap();
            return;
        }
        assert_eq!(
            documented, table,
            "the table of settings in docs/protocol.md is outdated: run `just generate`"
        );
    }

    #[test]
    fn the_sections_are_those_of_the_keys() {
        let names: Vec<String> = keys().map(|key| key.name).collect();
        let sections = names
            .iter()
            .filter_map(|name| Some(name.split_once('.')?.0));
        let sections: BTreeSet<&str> = sections.collect();
        assert_eq!(sections, SECTIONS.into_iter().collect());
        let (_, faults) = Settings::default().with(&json!({ "features": [] }));
        assert_eq!(faults, ["features must be an object, not []"]);
    }

    #[test]
    fn defaults_are_valid_and_change_nothing() {
        for key in keys() {
            let mut settings = Settings::default();
            let default = key.default();
            if !default.is_null() {
                key.set(&mut settings, &default).unwrap();
            }
            assert_eq!(settings, Settings::default(), "{}", key.name);
        }
    }

    #[test]
    fn every_listed_name_is_taken_and_read_back() {
        for key in keys() {
            for name in key.names() {
                let (settings, faults) = Settings::default().with(&json!({ &key.name: name }));
                assert!(faults.is_empty(), "{faults:?}");
                assert_eq!(key.value(&settings), json!(name), "{}", key.name);
            }
        }
    }

    /// Settings that the extension decides: see `serverSettings` in `editors/vscode/src/settings.ts`.
    const NOT_IN_VS_CODE: [&str; 2] = ["positionEncoding", "clientCommands"];

    /// VS Code shows heat as decorations: semantic tokens of a second server would replace the language's own colors. Its hovers
    /// appear without a request of the user, and it shows fewer levels, because its text has colors of its own.
    const OTHER_DEFAULTS_IN_VS_CODE: [&str; 3] =
        ["features.semanticTokens", "hover.minLevel", "minLevel"];

    #[test]
    fn vs_codes_settings_have_the_same_types_and_defaults() {
        let manifest = include_str!("../../editors/vscode/package.json");
        let manifest: Value = serde_json::from_str(manifest).unwrap();
        let sections = manifest["contributes"]["configuration"].as_array().unwrap();
        let property = |name: &str| {
            let mut properties = sections.iter().map(|section| &section["properties"]);
            properties.find_map(|all| all.get(format!("codegaze.{name}")))
        };
        for key in keys() {
            let name = key.name.as_str();
            if NOT_IN_VS_CODE.contains(&name) {
                assert_eq!(property(name), None, "{name}");
                continue;
            }
            let property = property(name).unwrap_or_else(|| panic!("{name} is missing"));
            if OTHER_DEFAULTS_IN_VS_CODE.contains(&name) {
                assert_ne!(property["default"], key.default(), "{name}");
            } else {
                assert_eq!(property["default"], key.default(), "{name}");
            }
            for (constraint, value) in key.json_schema().as_object().unwrap() {
                assert_eq!(
                    property.get(constraint),
                    Some(value),
                    "{name}: {constraint}"
                );
            }
            if let Some(listed) = property.get("enum") {
                assert_eq!(listed, &json!(key.names()), "{name}");
            }
        }
    }

    #[test]
    fn both_shapes_are_read_and_faults_cost_one_key_each() {
        let (settings, faults) = Settings::default().with(&json!({
            "method": "norm",
            "layers": [0, 3],
            "heads": 2,
            "sinks": "flood",
            "features": { "hover": false, "inlayHints": "yes" },
            "hover.details": true,
            "debounceMs": -3,
            "levelQuantiles": [0.1, 0.2, 0.3],
            "clientCommands": ["codegaze.showHeatmap"],
            "cacheMb": null,
            "style": "unknown keys are the client's own",
        }));
        assert_eq!(settings.view.method.as_str(), "norm");
        assert!(!settings.features.contains(Feature::Hover));
        assert!(settings.hover_details);
        assert!(settings.runs("codegaze.showHeatmap"));
        assert_eq!(settings.cache_bytes, Settings::default().cache_bytes);
        assert_eq!(
            faults,
            [
                "sinks must be one of drop, keep, not \"flood\"",
                "levelQuantiles must be a list of five ascending numbers from 0 to 1, not [0.1,0.2,0.3]",
                "debounceMs must be a whole number from 0 to 60000, not -3",
                "features.inlayHints must be a boolean, not \"yes\"",
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
        for key in keys() {
            for value in &values {
                let given = json!({ &key.name: value });
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
            let _ = Settings::default().with(value);
        }
    }
}
