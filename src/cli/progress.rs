//! Progress bars on stderr.

use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::model::source::DownloadProgress;
use crate::panics::lock;
use crate::view::label::printable;

/// A bar over a known number of steps. It is hidden if stderr is not a terminal.
pub(super) fn steps(n: usize, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(n as u64), ProgressDrawTarget::stderr_with_hz(8));
    bar.set_style(style("{msg} [{bar:24}] {pos}/{len} {eta}"));
    bar.set_message(what.to_owned());
    bar
}

/// What a bar says about one file: its name, which must not send escape codes, and how many of its chunks are done.
pub(super) fn of_file(name: &str, done: usize, all: usize) -> String {
    format!("{} {done}/{all}", printable(name))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are fixed and tested")
        .progress_chars("━╸ ")
}

/// One bar for each file, with bytes and rate.
#[derive(Default)]
pub(super) struct Downloads {
    bar: Mutex<Option<ProgressBar>>,
}

impl Downloads {
    fn with_bar(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        act(&mut lock(&self.bar));
    }
}

impl DownloadProgress for Downloads {
    fn init(&self, file: &str, total: u64, done: u64) {
        self.with_bar(|slot| {
            let bar =
                ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
            bar.set_style(style(
                "{msg} [{bar:24}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            ));
            bar.set_message(printable(file));
            bar.set_position(done);
            bar.reset_eta();
            *slot = Some(bar);
        });
    }

    fn update(&self, done: u64) {
        self.with_bar(|slot| {
            if let Some(bar) = slot {
                bar.set_position(done);
            }
        });
    }

    fn finish(&self, _file: &str) {
        self.with_bar(|slot| {
            if let Some(bar) = slot.take() {
                bar.finish();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_send_no_escape_codes() {
        let message = of_file("a\u{1b}]0;title\u{7}.py", 1, 2);
        assert_eq!(message, "a␛]0;title␇.py 1/2");
    }

    #[test]
    fn templates_are_valid() {
        let downloads = Downloads::default();
        downloads.init("model.safetensors", 100, 10);
        downloads.update(50);
        downloads.finish("model.safetensors");
        steps(3, "analyzing").inc(1);
    }
}
