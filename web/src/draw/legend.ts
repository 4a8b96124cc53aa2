// The scales of colors and of lines.
import { LUT } from './colormap';

/** Paints the scale from left to right. `lut`: 256 colors as RGBA bytes. */
export function drawScale(canvas: HTMLCanvasElement, lut: Uint8ClampedArray = LUT): void {
  canvas.width = 256;
  canvas.height = 1;
  const image = new ImageData(new Uint8ClampedArray(lut), 256, 1);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** A line that grows from left to right: thickness is proportional to weight. */
export function drawThickness(canvas: HTMLCanvasElement, color: string): void {
  canvas.width = 256;
  canvas.height = 12;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.fillStyle = color;
  context.beginPath();
  context.moveTo(0, 5.75);
  context.lineTo(256, 4);
  context.lineTo(256, 8);
  context.lineTo(0, 6.25);
  context.fill();
}
