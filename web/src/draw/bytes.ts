// Decodes numbers from base64.

/** The bytes of a base64 text. */
export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

/** Decodes little-endian f32 on machines of either byte order. */
export function floatsOf(base64: string): Float32Array {
  const bytes = bytesOf(base64);
  if (bytes.length % 4 !== 0) throw new RangeError(`${bytes.length} bytes are not a list of f32`);
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(4 * at, true));
}
