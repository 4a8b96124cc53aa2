// Labels of words, as they fit.

const LENGTH = 20;

export function shorten(label: string, length = LENGTH): string {
  const chars = [...label];
  return chars.length > length ? `${chars.slice(0, length - 1).join('')}…` : label;
}
