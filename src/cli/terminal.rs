//! The abilities of the terminal, from environment variables.

use std::env;
use std::io::IsTerminal;

use super::args::ColorChoice;
use crate::view::terminal::ColorMode;
use crate::view::theme::Theme;

/// The environment variables that describe the terminal.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    pub no_color: Option<String>,
    pub colorterm: Option<String>,
    pub term: Option<String>,
    pub colorfgbg: Option<String>,
    /// Windows Terminal sets this variable. It supports all colors.
    pub wt_session: Option<String>,
    pub is_terminal: bool,
}

impl Environment {
    pub(super) fn of_stdout() -> Self {
        let var = |name| {
            env::var(name)
                .ok()
                .filter(|value: &String| !value.is_empty())
        };
        Self {
            no_color: var("NO_COLOR"),
            colorterm: var("COLORTERM"),
            term: var("TERM"),
            colorfgbg: var("COLORFGBG"),
            wt_session: var("WT_SESSION"),
            is_terminal: std::io::stdout().is_terminal(),
        }
    }

    /// `--color` decides, then `NO_COLOR` (<https://no-color.org>), then whether stdout is a terminal, then its abilities.
    pub(super) fn color(&self, choice: ColorChoice) -> ColorMode {
        match choice {
            ColorChoice::Never => ColorMode::Plain,
            ColorChoice::Always => match self.capability() {
                ColorMode::Plain => ColorMode::Ansi256,
                capable => capable,
            },
            ColorChoice::Auto if self.no_color.is_some() || !self.is_terminal => ColorMode::Plain,
            ColorChoice::Auto => self.capability(),
        }
    }

    fn capability(&self) -> ColorMode {
        if matches!(self.colorterm.as_deref(), Some("truecolor" | "24bit"))
            || self.wt_session.is_some()
        {
            return ColorMode::TrueColor;
        }
        match self.term.as_deref() {
            Some(term) if term.contains("direct") || term.contains("truecolor") => {
                ColorMode::TrueColor
            }
            Some(term)
                if term.contains("256")
                    || ["xterm", "screen", "tmux", "rxvt", "alacritty", "foot"]
                        .iter()
                        .any(|name| term.starts_with(name)) =>
            {
                ColorMode::Ansi256
            }
            _ => ColorMode::Plain,
        }
    }

    /// `COLORFGBG` is `foreground;background` in the numbers of the 16 colors; without it, a dark background is assumed.
    pub(super) fn theme(&self) -> Theme {
        let background = self
            .colorfgbg
            .as_deref()
            .and_then(|colors| colors.rsplit(';').next());
        match background.and_then(|number| number.parse::<u8>().ok()) {
            Some(7 | 15) => Theme::Light,
            _ => Theme::Dark,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_by_environment() {
        let some = |text: &str| Some(text.to_owned());
        let tty = Environment {
            is_terminal: true,
            ..Environment::default()
        };
        let cases = [
            (Environment::default(), ColorChoice::Auto, ColorMode::Plain),
            (
                Environment::default(),
                ColorChoice::Always,
                ColorMode::Ansi256,
            ),
            (
                Environment {
                    colorterm: some("truecolor"),
                    ..tty.clone()
                },
                ColorChoice::Auto,
                ColorMode::TrueColor,
            ),
            (
                Environment {
                    colorterm: some("truecolor"),
                    no_color: some("1"),
                    ..tty.clone()
                },
                ColorChoice::Auto,
                ColorMode::Plain,
            ),
            (
                Environment {
                    colorterm: some("truecolor"),
                    ..Environment::default()
                },
                ColorChoice::Auto,
                ColorMode::Plain,
            ),
            (
                Environment {
                    term: some("xterm-256color"),
                    ..tty.clone()
                },
                ColorChoice::Auto,
                ColorMode::Ansi256,
            ),
            (
                Environment {
                    term: some("xterm-256color"),
                    ..tty.clone()
                },
                ColorChoice::Never,
                ColorMode::Plain,
            ),
            (
                Environment {
                    term: some("dumb"),
                    ..tty.clone()
                },
                ColorChoice::Auto,
                ColorMode::Plain,
            ),
        ];
        for (environment, choice, expected) in cases {
            assert_eq!(
                environment.color(choice),
                expected,
                "{environment:?} {choice:?}"
            );
        }
        let light = Environment {
            colorfgbg: some("0;15"),
            ..tty.clone()
        };
        assert_eq!(light.theme(), Theme::Light);
        assert_eq!(tty.theme(), Theme::Dark);
    }
}
