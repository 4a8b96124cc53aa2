// The color scale with numbers.
import { type Scale, SEQUENTIAL } from './colormap';
import { percent, signedPercent } from './matrix';

/** Paints the scale from left to right. */
export function drawScale(canvas: HTMLCanvasElement, scale: Scale = SEQUENTIAL): void {
  canvas.width = 256;
  canvas.height = 1;
  const image = new ImageData(new Uint8ClampedArray(scale.lut), 256, 1);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** Weights at 0, ¼, ½, ¾ and 1 of the scale, which goes by the square root. */
export function ticks(max: number): string[] {
  return [0, 0.25, 0.5, 0.75, 1].map((place) => percent(max * place * place));
}

/** Differences from one end of the scale over 0 to the other. */
export function signedTicks(max: number): string[] {
  return [-1, -0.5, 0, 0.5, 1].map((place) => signedPercent(Math.sign(place) * max * place * place));
}
