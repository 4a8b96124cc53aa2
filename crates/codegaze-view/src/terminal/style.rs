//! Escape sequences for heat.

use std::io::{self, Write};

use super::{ColorMode, TerminalOptions};
use crate::color::Rgb;
use crate::levels::HeatLevel;
use crate::theme::{HEAT_HUE, Theme};

const RESET: &str = "\x1b[0m";

/// xterm palette entries (background, text) of levels 1 … 5: blues that grow away from the background.
const PALETTE_DARK: [(u8, u8); 5] = [(17, 252), (18, 252), (24, 255), (25, 231), (32, 16)];
const PALETTE_LIGHT: [(u8, u8); 5] = [(189, 16), (153, 16), (117, 16), (75, 16), (33, 16)];

/// How heat is written to a terminal.
pub(super) struct Style {
    color: ColorMode,
    theme: Theme,
}

impl Style {
    pub(super) fn new(options: &TerminalOptions) -> Self {
        Self {
            color: options.color,
            theme: options.theme,
        }
    }

    /// Runs `write` between the sequences that switch a level's colors on and off.
    pub(super) fn write_heat<W: Write>(
        &self,
        w: &mut W,
        level: HeatLevel,
        write: impl FnOnce(&mut W) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(idx) = level.shown_idx() else {
            return write(w);
        };
        match self.color {
            ColorMode::Plain => return write(w),
            ColorMode::TrueColor => {
                let Rgb(br, bg, bb) = self.theme.heat(level);
                let Rgb(fr, fg, fb) = self.theme.heat_text(level);
                write!(w, "\x1b[48;2;{br};{bg};{bb};38;2;{fr};{fg};{fb}m")?;
            }
            ColorMode::Ansi256 => {
                let (background, text) = palette(self.theme)[idx];
                write!(w, "\x1b[48;5;{background};38;5;{text}m")?;
            }
        }
        write(w)?;
        w.write_all(RESET.as_bytes())
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.wrap("\x1b[1m", text)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.wrap("\x1b[2m", text)
    }

    /// The gutter's bar, in the hue of heat.
    pub(super) fn bar(&self, bar: char) -> String {
        match self.color {
            ColorMode::Plain => bar.to_string(),
            ColorMode::TrueColor => {
                // Half-way to the text's side, so that it shows on both backgrounds.
                let Rgb(r, g, b) = match self.theme {
                    Theme::Dark => HEAT_HUE.mix(Rgb(255, 255, 255), 0.25),
                    Theme::Light => HEAT_HUE,
                };
                self.wrap(&format!("\x1b[38;2;{r};{g};{b}m"), &bar.to_string())
            }
            ColorMode::Ansi256 => self.wrap("\x1b[38;5;32m", &bar.to_string()),
        }
    }

    fn wrap(&self, sequence: &str, text: &str) -> String {
        match self.color {
            ColorMode::Plain => text.to_owned(),
            ColorMode::TrueColor | ColorMode::Ansi256 => format!("{sequence}{text}{RESET}"),
        }
    }
}

fn palette(theme: Theme) -> &'static [(u8, u8); 5] {
    match theme {
        Theme::Dark => &PALETTE_DARK,
        Theme::Light => &PALETTE_LIGHT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The color cube and gray ramp of xterm.
    fn xterm(index: u8) -> Rgb {
        let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
        if let 16..=231 = index {
            let cube = index - 16;
            Rgb(step(cube / 36), step(cube / 6 % 6), step(cube % 6))
        } else {
            let grey = 8 + 10 * (index - 232);
            Rgb(grey, grey, grey)
        }
    }

    #[test]
    fn palettes_are_monotone_and_legible() {
        for theme in Theme::ALL {
            let mut last = 1.0;
            for &(background, text) in palette(theme) {
                let step = xterm(background).contrast(theme.background());
                let step = if theme == Theme::Dark {
                    xterm(background).luminance() + 1.0
                } else {
                    step
                };
                assert!(step > last, "{theme:?} {background}: {step} after {last}");
                last = step;
                let contrast = xterm(text).contrast(xterm(background));
                assert!(contrast >= 4.5, "{theme:?} {background}/{text}: {contrast}");
            }
        }
    }
}
