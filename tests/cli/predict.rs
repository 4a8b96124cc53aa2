//! `codegaze predict` and `codegaze models info`, from outside.

use super::{FIBONACCI, file, fixture, run, succeed};
use serde_json::Value;
use tempfile::TempDir;

#[track_caller]
fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(arguments)).unwrap()
}

/// The message of a command that must fail in one line, with its exit code.
#[track_caller]
fn fail(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    (output.status.code().unwrap(), message)
}

fn checkpoint(name: &str) -> String {
    fixture("task_heads")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn the_embedded_model_says_what_it_expects() {
    let text = succeed(&["predict", FIBONACCI, "--at", "6:5", "--top", "2"]);
    assert!(
        text.contains("fibonacci") && text.contains("bits"),
        "{text}"
    );
    assert!(
        text.contains("It does not say that the code is wrong."),
        "{text}"
    );
    let found = json(&[
        "predict", FIBONACCI, "--at", "6:5", "--top", "2", "--format", "json",
    ]);
    assert_eq!(found["schema"], "codegaze.prediction/1");
    let [lexeme] = found["masked"].as_array().unwrap().as_slice() else {
        panic!("{found}")
    };
    assert_eq!(lexeme["text"], "fibonacci");
    assert_eq!(lexeme["candidates"].as_array().unwrap().len(), 2);
    let bits = lexeme["surprise"].as_f64().unwrap();
    assert!((lexeme["probability"].as_f64().unwrap().log2() + bits).abs() < 1e-6);
}

#[test]
fn a_classifier_labels_each_definition() {
    let model = checkpoint("linevul");
    let found = json(&["predict", FIBONACCI, "--model", &model, "--format", "json"]);
    let units = found["units"].as_array().unwrap();
    assert_eq!(units[0]["name"], "fibonacci");
    assert_eq!(units[0]["labels"][1]["label"], "vulnerable");
    let decisive = usize::try_from(units[0]["decisive"].as_u64().unwrap()).unwrap();
    assert_eq!(units[0]["windows"][decisive]["labels"], units[0]["labels"]);
    let text = succeed(&["predict", FIBONACCI, "--model", &model]);
    assert!(
        text.contains("vulnerable") && text.contains("window by window"),
        "{text}"
    );
    let table = succeed(&["predict", FIBONACCI, "--model", &model, "--format", "csv"]);
    assert_eq!(table.lines().count(), 1 + 2 * units.len());
    let text = succeed(&[
        "predict",
        FIBONACCI,
        "--model",
        &checkpoint("defect"),
        "--format",
        "markdown",
    ]);
    assert!(
        text.contains("| defective ") && text.contains("--normalize whitespace"),
        "{text}"
    );
}

#[test]
fn two_files_are_compared() {
    let model = checkpoint("clone");
    let found = json(&[
        "predict", FIBONACCI, FIBONACCI, "--model", &model, "--format", "json",
    ]);
    assert_eq!(found["task"]["kind"], "pair");
    let (code, message) = fail(&["predict", FIBONACCI, "--model", &model]);
    assert_eq!(code, 2);
    assert!(message.contains("name two files"), "{message}");
}

#[test]
fn masks_are_filled() {
    let found = json(&[
        "predict",
        "--mask",
        "for i in <mask>(10):",
        "--top",
        "3",
        "--format",
        "json",
    ]);
    assert_eq!(found["masks"][0].as_array().unwrap().len(), 3);
    let (code, message) = fail(&["predict", "--mask", "for i"]);
    assert_eq!(code, 2);
    assert!(message.contains("write <mask>"), "{message}");
}

#[test]
fn labels_with_control_characters_are_escaped() {
    let directory = TempDir::new().unwrap();
    for entry in std::fs::read_dir(checkpoint("sequence")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, directory.path().join(path.file_name().unwrap())).unwrap();
    }
    let config = directory.path().join("config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        text.replace("\"0\":\"kind 0\"", "\"0\":\"\\u001b[2J\\u202e\""),
    )
    .unwrap();
    let model = directory.path().to_str().unwrap();
    for arguments in [
        vec!["predict", FIBONACCI, "--model", model],
        vec!["models", "info", model],
    ] {
        let text = succeed(&arguments);
        assert!(
            !text.contains(['\u{1b}', '\u{202e}']) && text.contains("[2J"),
            "{text}"
        );
    }
}

#[test]
fn what_cannot_be_predicted_is_one_line_with_the_next_step() {
    let directory = TempDir::new().unwrap();
    let blank = file(&directory, "blank.py", " \n\t\n");
    let encoder = fixture("sharded").to_str().unwrap().to_owned();
    for (arguments, expected) in [
        (
            vec!["predict", FIBONACCI, "--at", "7:2"],
            "choose a position on a word",
        ),
        (
            vec!["predict", FIBONACCI, "--at", "7000:2"],
            "is behind the end",
        ),
        (vec!["predict", blank.as_str()], "add some code"),
        (
            vec!["predict", FIBONACCI, "--model", &encoder],
            "use a checkpoint with lm_head or classifier",
        ),
        (
            vec!["predict", FIBONACCI, "--task", "token"],
            "it has lm_head (masked)",
        ),
    ] {
        let (_, message) = fail(&arguments);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn models_info_names_the_task_head() {
    let found = json(&["models", "info", "--json"]);
    assert_eq!(
        (&found["task"], &found["task_head"]),
        (&"masked".into(), &"lm_head".into())
    );
    assert_eq!(found["notes"], serde_json::json!([]));
    let found = json(&["models", "info", &checkpoint("linevul"), "--json"]);
    assert_eq!(found["encoder_prefix"], "encoder.roberta.");
    assert_eq!(found["head_layout"], "linevul");
    assert_eq!(
        found["labels"],
        serde_json::json!(["not vulnerable", "vulnerable"])
    );
    let found = json(&[
        "models",
        "info",
        fixture("sharded").to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(found["task"], Value::Null);
}
