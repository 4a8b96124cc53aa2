// The page's state in the fragment of its address, which browsers do not send to a server.

import { clean, type Settings } from '../app/settings';
import { isLanguage, type LanguageId } from '../editor/languages';

export interface Shared {
  text: string;
  language: LanguageId;
  settings: Settings;
}

/** A link that the page cannot open, with the reason. */
export class LinkError extends Error {
  override name = 'LinkError';
}

const KEY = 's1=';
/** The limit of an unpacked link: a small link must not become a large text. */
const MAX_BYTES = 4 << 20;

function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

async function collect(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (let { done, value } = await reader.read(); !done && value; { done, value } = await reader.read()) {
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw new LinkError(`the link holds more than ${limit >> 20} MB of text`);
    }
    parts.push(value);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** `#s1=…` */
export async function toFragment(shared: Shared): Promise<string> {
  const json = new Blob([JSON.stringify(shared)]);
  const packed = json.stream().pipeThrough(new CompressionStream('deflate-raw'));
  return `#${KEY}${toBase64Url(await collect(packed, Number.POSITIVE_INFINITY))}`;
}

/** Whether a fragment is a link of this page. */
export const isLink = (fragment: string): boolean => fragment.startsWith(`#${KEY}`);

/** `null` if the fragment is not a link of this page. Throws a `LinkError` if the link is damaged. */
export async function fromFragment(fragment: string): Promise<Shared | null> {
  if (!isLink(fragment)) return null;
  const packed = fragment.slice(KEY.length + 1);
  let value: unknown;
  try {
    const bytes = new Blob([fromBase64Url(packed)]);
    const json = await collect(bytes.stream().pipeThrough(new DecompressionStream('deflate-raw')), MAX_BYTES);
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    if (error instanceof LinkError) throw error;
    throw new LinkError('the link is damaged; it was probably cut when it was copied');
  }
  const shared = sharedFrom(value);
  if (!shared) throw new LinkError('the link holds no text');
  return shared;
}

/** The page's state from any value. `null` if the value has no text. */
export function sharedFrom(value: unknown): Shared | null {
  if (typeof value !== 'object' || value === null || !('text' in value) || typeof value.text !== 'string') return null;
  const { text, language, settings } = value as { text: string; language?: unknown; settings?: unknown };
  return {
    text,
    language: typeof language === 'string' && isLanguage(language) ? language : 'text',
    settings: clean(settings),
  };
}
