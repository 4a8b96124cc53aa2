//! Progress on stderr, where a person watches.

use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::model::source::DownloadProgress;
use crate::panics::lock;

/// A bar over a known number of steps. Hidden by itself where stderr is no terminal.
pub(super) fn steps(n: usize, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(n as u64), ProgressDrawTarget::stderr_with_hz(8));
    bar.set_style(style("{msg} [{bar:24}] {pos}/{len} {eta}"));
    bar.set_message(what.to_owned());
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are fixed and tested")
        .progress_chars("━╸ ")
}

/// One bar a file, with bytes and rate.
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
            bar.set_message(file.to_owned());
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
    fn templates_are_valid() {
        let downloads = Downloads::default();
        downloads.init("model.safetensors", 100, 10);
        downloads.update(50);
        downloads.finish("model.safetensors");
        steps(3, "analyzing").inc(1);
    }
}
