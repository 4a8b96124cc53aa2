// Signed differences: vermilion below zero, blue above (two of Okabe and Ito's colors, distinct for every kind of color
// vision), neutral in the middle. Colors far from zero differ from the background in lightness, so they are readable without hue.
import type { Rgb, Scale } from './colormap';

/** `0xRRGGBB` at −1, −2/3 … 1. */
const ON_LIGHT: readonly number[] = [0x7a2e00, 0xc85a0a, 0xf4b58a, 0xf5f5f5, 0x9cc6e6, 0x1f7ab8, 0x003a66];
const ON_DARK: readonly number[] = [0xffcfa3, 0xe0782e, 0x75401c, 0x202020, 0x1b4d73, 0x4aa0dc, 0xb5dcff];

const channel = (hex: number, at: 0 | 1 | 2) => (hex >> (16 - 8 * at)) & 0xff;

/** The color of `place`, 0 … 1. */
function mixed(anchors: readonly number[], place: number): Rgb {
  const at = place * (anchors.length - 1);
  const below = Math.min(anchors.length - 2, Math.floor(at));
  const from = anchors[below] ?? 0;
  const to = anchors[below + 1] ?? 0;
  const mix = (which: 0 | 1 | 2) =>
    Math.round(channel(from, which) + (channel(to, which) - channel(from, which)) * (at - below));
  return [mix(0), mix(1), mix(2)];
}

// With 256 colors, zero would lie between two of them. The first color is repeated instead, so that zero has the color 128.
const lut = (anchors: readonly number[]) =>
  Uint8ClampedArray.from(
    Array.from({ length: 256 }, (_, at) => [...mixed(anchors, Math.max(0, at - 1) / 254), 255]).flat(),
  );

/** The place of a difference on the scale: zero is in the middle, and both sides use the square root, as weights do. */
export function placeOnSigned(difference: number, max: number): number {
  const part = max > 0 ? Math.min(1, Math.abs(difference) / max) : 0;
  return (128 + 127 * Math.sign(difference) * Math.sqrt(part)) / 255;
}

const scales = {
  light: { lut: lut(ON_LIGHT), place: placeOnSigned },
  dark: { lut: lut(ON_DARK), place: placeOnSigned },
} satisfies Record<string, Scale>;

export function diverging(isDark: boolean): Scale {
  return isDark ? scales.dark : scales.light;
}
