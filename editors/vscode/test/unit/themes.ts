// Token colors of VS Code's default themes (extensions/theme-defaults of VS Code 1.100), and how contrast is measured.

export const DEFAULT_THEMES: Record<string, { kind: 'dark' | 'light'; background: string; tokens: string[] }> = {
  'Dark Modern': {
    kind: 'dark',
    background: '#1F1F1F',
    tokens:
      '#000080 #4EC9B0 #4FC1FF #569CD6 #646695 #6796E6 #6A9955 #808080 #9CDCFE #B5CEA8 #C586C0 #C8C8C8 #CCCCCC #CE9178 #D16969 #D4D4D4 #D7BA7D #DCDCAA #F44747'.split(
        ' ',
      ),
  },
  'Dark+': {
    kind: 'dark',
    background: '#1E1E1E',
    tokens:
      '#000080 #4EC9B0 #4FC1FF #569CD6 #646695 #6796E6 #6A9955 #808080 #9CDCFE #B5CEA8 #C586C0 #C8C8C8 #CE9178 #D16969 #D4D4D4 #D7BA7D #DCDCAA #F44747'.split(
        ' ',
      ),
  },
  'Light Modern': {
    kind: 'light',
    background: '#FFFFFF',
    tokens:
      '#000000 #000080 #0000FF #001080 #0070C1 #008000 #0451A5 #098658 #267F99 #3B3B3B #795E26 #800000 #811F3F #A31515 #AF00DB #CD3131 #D16969 #E50000 #EE0000'.split(
        ' ',
      ),
  },
  'Light+': {
    kind: 'light',
    background: '#FFFFFF',
    tokens:
      '#000000 #000080 #0000FF #001080 #0070C1 #008000 #0451A5 #098658 #267F99 #795E26 #800000 #811F3F #A31515 #AF00DB #CD3131 #D16969 #E50000 #EE0000'.split(
        ' ',
      ),
  },
};

const channels = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

/** `#RRGGBB` or `#RRGGBBAA`, drawn over a background. */
export function over(color: string, background: string): string {
  const alpha = color.length > 7 ? Number.parseInt(color.slice(7), 16) / 255 : 1;
  const below = channels(background);
  const mixed = channels(color).map((value, at) => Math.round(alpha * value + (1 - alpha) * (below[at] ?? 0)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/** WCAG 2's relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = channels(hex)
    .map((value) => value / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG 2's contrast ratio. */
export function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}
