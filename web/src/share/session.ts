// The page's state in `sessionStorage`, so that a reload keeps the text. The browser deletes it with the tab.
import { type Shared, sharedFrom } from './link';

const KEY = 'codegaze.page';
const PAUSE_MS = 300;

export class Session {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly state: () => Shared) {
    window.addEventListener('pagehide', () => this.write());
  }

  /** `null` if nothing is stored, or if the browser stores nothing. */
  static read(): Shared | null {
    try {
      return sharedFrom(JSON.parse(sessionStorage.getItem(KEY) ?? 'null'));
    } catch {
      return null;
    }
  }

  changed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), PAUSE_MS);
  }

  private write(): void {
    clearTimeout(this.timer);
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.state()));
    } catch {
      // The text is too large for the storage, or the browser does not permit it. A stored older text would be wrong.
      try {
        sessionStorage.removeItem(KEY);
      } catch {
        // Nothing is stored.
      }
    }
  }
}
