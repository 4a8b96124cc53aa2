//! Colors of shaded source on dark and light backgrounds.

use codegaze_text::named_enum;

use super::color::Rgb;
use super::levels::HeatLevel;

named_enum! {
    /// The background of shaded source.
    #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename_all = "lowercase"))]
    #[derive(Default)]
    pub enum Theme as "theme" {
        #[default]
        Light = "light", "on white";
        Dark = "dark", "on dark gray";
    }
}

/// The hue of heat: Okabe and Ito's blue, which color-blind readers can distinguish from both backgrounds.
pub const HEAT_HUE: Rgb = Rgb::hex(0x0000_72B2);

/// Opacity of [`HEAT_HUE`] over the background at levels 1 … 5: monotone on dark and on light.
pub const HEAT_ALPHA: [f32; 5] = [0.08, 0.16, 0.26, 0.38, 0.52];

impl Theme {
    /// The background.
    #[must_use]
    pub fn background(self) -> Rgb {
        match self {
            Self::Dark => Rgb::hex(0x001E_1E1E),
            Self::Light => Rgb::hex(0x00FF_FFFF),
        }
    }

    /// The color of text.
    #[must_use]
    pub fn text(self) -> Rgb {
        match self {
            Self::Dark => Rgb::hex(0x00D4_D4D4),
            Self::Light => Rgb::hex(0x001F_1F1F),
        }
    }

    /// The color of line numbers, subtitles and tick labels.
    #[must_use]
    pub fn muted(self) -> Rgb {
        match self {
            Self::Dark => Rgb::hex(0x009A_9A9A),
            Self::Light => Rgb::hex(0x0063_6363),
        }
    }

    /// The color of frames and ticks.
    #[must_use]
    pub fn rule(self) -> Rgb {
        match self {
            Self::Dark => Rgb::hex(0x0055_5555),
            Self::Light => Rgb::hex(0x00B8_B8B8),
        }
    }

    /// The background of a level; at level 0, the background of the theme.
    #[must_use]
    pub fn heat(self, level: HeatLevel) -> Rgb {
        level.shown_idx().map_or(self.background(), |idx| {
            HEAT_HUE.over(self.background(), HEAT_ALPHA[idx])
        })
    }

    /// The color of text that is legible on [`Theme::heat`] of the same level.
    #[must_use]
    pub fn heat_text(self, level: HeatLevel) -> Rgb {
        match (self, level.get()) {
            (Self::Dark, 4 | 5) => Rgb::hex(0x00FF_FFFF),
            (Self::Light, 4 | 5) => Rgb::hex(0x0000_0000),
            _ => self.text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_grows_monotonically_and_its_text_stays_legible() {
        for theme in Theme::ALL {
            let mut last = 1.0;
            assert!(theme.text().contrast(theme.background()) >= 7.0);
            assert!(theme.muted().contrast(theme.background()) >= 4.5);
            for level in HeatLevel::SHOWN {
                let heat = theme.heat(level);
                let step = heat.contrast(theme.background());
                assert!(
                    step > last + 0.04,
                    "{theme:?} {level:?}: {step} after {last}"
                );
                last = step;
                let text = theme.heat_text(level).contrast(heat);
                assert!(text >= 5.0, "{theme:?} {level:?}: text contrast {text}");
            }
        }
    }
}
