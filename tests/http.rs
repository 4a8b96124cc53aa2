//! The HTTP server as its clients see it: real requests to the real router on a loopback port.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![allow(
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "tables of cases"
)]
#![allow(clippy::format_push_string, reason = "short texts")]
#![allow(clippy::float_cmp, reason = "counts")]

#[path = "support/http_server.rs"]
mod http_server;

#[path = "http/analyze.rs"]
mod analyze;
#[path = "http/attention.rs"]
mod attention;
#[path = "http/availability.rs"]
mod availability;
#[path = "http/errors.rs"]
mod errors;
#[path = "http/exchange.rs"]
mod exchange;
#[path = "http/guards.rs"]
mod guards;
#[path = "http/live.rs"]
mod live;
#[path = "http/live_closing.rs"]
mod live_closing;
#[path = "http/load.rs"]
mod load;
#[path = "http/pages.rs"]
mod pages;
#[path = "http/raw.rs"]
mod raw;
#[path = "http/source.rs"]
mod source;

use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use codegaze::analysis::{Analysis, AnalysisConfig, Extras, analyze as analyze_document};
use codegaze::attribution::{AttributionOptions, Method, Sinks};
use codegaze::model::source::{HubOptions, ModelSource};
use codegaze::model::{Device, Model, Precision};
use codegaze::text::document::Document;
use http_server::Server;
use serde_json::Value;

/// With what everybody starts with.
static SERVER: LazyLock<Server> = LazyLock::new(|| Server::ready(|_| ()));

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| {
    let files = ModelSource::Embedded.resolve(&HubOptions::from_env(), &());
    Arc::new(Model::load(&files.unwrap(), Device::Cpu, Precision::F32).unwrap())
});

const CODE: &str = "def add(first, second):\n    return first + second  # 😀\n";

/// `n` functions, none like another; thirty are several chunks.
fn functions(n: usize) -> String {
    let mut text = String::new();
    for at in 0..n {
        let _ = writeln!(text, "def function_{at}(first, second):");
        for line in 0..12 {
            let _ = writeln!(
                text,
                "    value_{line} = first[{at}] + second * {line} - other_{at}(first)"
            );
        }
        text.push_str("    return value_0\n\n\n");
    }
    text
}

/// What the library says of a text.
fn expected(text: &str, method: Method, layers: &str, heads: &str, sinks: Sinks) -> Analysis {
    let info = MODEL.info();
    let options = AttributionOptions {
        method,
        layers: Some(layers.parse().unwrap()),
        heads: heads.parse().unwrap(),
        sinks,
        ..AttributionOptions::default()
    };
    let attribution = options.resolve(info);
    let config = AnalysisConfig {
        extras: Extras {
            subwords: true,
            matrix: true,
            relations: false,
            embedding: true,
        },
        ..AnalysisConfig::new(info, attribution.unwrap())
    };
    let document = Document::new(text, 0);
    let cancel = AtomicBool::new(false);
    analyze_document(&MODEL, &document, &config, &cancel, &mut |_, _| ()).unwrap()
}

/// Numbers of any nesting, flat.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap_or_else(|| panic!("{number}"))],
    }
}

#[track_caller]
fn assert_close(found: &Value, expected: &[f32]) {
    let found = numbers(found);
    assert_eq!(found.len(), expected.len());
    for (at, (found, &expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - f64::from(expected)).abs();
        assert!(difference < 1e-5, "number {at} is {found}, not {expected}");
    }
}
