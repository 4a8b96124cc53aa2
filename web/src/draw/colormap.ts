// The color map of matrices: cividis (Nuñez, Anderton and Renslow 2018; CC0), nearly the same for every kind of color vision.

/** `0xRRGGBB` at 0, 1/51 … 1: the same samples as in `crates/codegaze-view/src/colormap/tables.rs`. */
// biome-ignore format: a table
export const CIVIDIS: readonly number[] = [
  0x00224e, 0x002656, 0x002a5f, 0x002d68, 0x003070, 0x083370, 0x163770, 0x203a6f, 0x273e6e, 0x2e416d, 0x34456c, 0x3a486c, 0x3f4c6c,
  0x444f6c, 0x49536c, 0x4e566c, 0x535a6d, 0x575d6d, 0x5c616e, 0x60646f, 0x656870, 0x696b71, 0x6d6f72, 0x727274, 0x767676, 0x7a7a78,
  0x7e7d78, 0x838179, 0x888578, 0x8d8878, 0x928c78, 0x969077, 0x9b9476, 0xa09875, 0xa59c74, 0xaaa073, 0xafa471, 0xb5a86f, 0xbaac6d,
  0xbfb06b, 0xc4b468, 0xc9b965, 0xcfbd62, 0xd4c15f, 0xdac65b, 0xdfca57, 0xe5cf52, 0xead34c, 0xf0d846, 0xf6dd3f, 0xfce236, 0xfee838,
];

export type Rgb = readonly [red: number, green: number, blue: number];

const channels = (hex: number): Rgb => [hex >> 16, (hex >> 8) & 0xff, hex & 0xff];

/** The color of `value`, clamped to 0 … 1. NaN counts as 0. */
export function cividis(value: number): Rgb {
  const clamped = Number.isNaN(value) ? 0 : Math.min(1, Math.max(0, value));
  const place = clamped * (CIVIDIS.length - 1);
  const below = Math.floor(place);
  const from = channels(CIVIDIS[below] ?? 0);
  const to = channels(CIVIDIS[below + 1] ?? CIVIDIS[below] ?? 0);
  const mix = (channel: 0 | 1 | 2) => Math.round(from[channel] + (to[channel] - from[channel]) * (place - below));
  return [mix(0), mix(1), mix(2)];
}

/** 256 colors as RGBA bytes, to paint many cells. */
export const LUT: Uint8ClampedArray = Uint8ClampedArray.from(
  Array.from({ length: 256 }, (_, at) => [...cividis(at / 255), 255]).flat(),
);

/** The place of a weight on the scale 0 … 1: its square root, because attention is heavy-tailed. */
export function placeOnScale(weight: number, max: number): number {
  return max > 0 ? Math.sqrt(Math.min(1, Math.max(0, weight / max))) : 0;
}

/** How a weight becomes a color. */
export interface Scale {
  /** 256 colors as RGBA bytes. */
  lut: Uint8ClampedArray;
  /** 0 … 1. The scale ends at `max`, or at ±`max` if it is signed. */
  place(weight: number, max: number): number;
}

export const SEQUENTIAL: Scale = { lut: LUT, place: placeOnScale };

/** The index in `scale.lut`. */
export function shade(scale: Scale, weight: number, max: number): number {
  return Math.round(255 * scale.place(weight, max));
}
