// The light or dark theme, and its colors for canvases.
import type { ArcsTheme } from '../draw/arcsView';
import type { PictureStyle } from '../draw/pictures';

const CHOICES = ['system', 'light', 'dark'] as const;
export type ColorChoice = (typeof CHOICES)[number];

const KEY = 'codegaze.theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');

/** The stored choice. `system` if the browser stores nothing. */
function remembered(): ColorChoice {
  try {
    return CHOICES.find((choice) => choice === localStorage.getItem(KEY)) ?? 'system';
  } catch {
    return 'system';
  }
}

export class Colors {
  choice: ColorChoice = remembered();
  private readonly listeners: (() => void)[] = [];

  constructor() {
    system.addEventListener('change', () => this.apply());
    this.apply();
  }

  get isDark(): boolean {
    return this.choice === 'system' ? system.matches : this.choice === 'dark';
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  choose(choice: ColorChoice): void {
    this.choice = choice;
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // The choice lasts until the page is closed.
    }
    this.apply();
  }

  drawing(): ArcsTheme {
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(name).trim();
    return {
      foreground: color('--foreground'),
      muted: color('--muted'),
      background: color('--surface'),
      focus: color('--focus'),
      fontFamily: color('--mono'),
      attendsTo: color('--attends-to'),
      attendedBy: color('--attended-by'),
    };
  }

  picture(): PictureStyle {
    const { foreground, muted, background, focus } = this.drawing();
    return { foreground, muted, background, accent: focus, fontFamily: 'DejaVu Sans Mono, Menlo, Consolas, monospace' };
  }

  private apply(): void {
    document.documentElement.dataset.theme = this.isDark ? 'dark' : 'light';
    for (const listener of this.listeners) listener();
  }
}

export const isColorChoice = (value: string): value is ColorChoice => CHOICES.some((choice) => choice === value);
