// A link in the address bar. Once there is one it follows what is done, so that a reload brings everything back.
import { element } from '../app/dom';
import { fromFragment, type Shared, toFragment } from './link';

const PAUSE_MS = 500;
const SAID_MS = 4000;

export class AddressBar {
  private readonly button = element('share', HTMLButtonElement);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly state: () => Shared,
    private readonly say: (trouble: string) => void,
  ) {
    this.button.addEventListener('click', () => void this.share());
  }

  /** What the page was opened with. Rejects with a `LinkError`. */
  static read(): Promise<Shared | null> {
    return fromFragment(location.hash);
  }

  /** Another link was opened on this page. */
  onOpen(open: (shared: Shared) => void): void {
    window.addEventListener('hashchange', () => {
      AddressBar.read().then(
        (shared) => {
          if (shared) open(shared);
        },
        (error: Error) => this.say(`The link could not be opened: ${error.message}.`),
      );
    });
  }

  changed(): void {
    if (location.hash === '') return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.write(), PAUSE_MS);
  }

  private async write(): Promise<void> {
    // Not through `location`: that would be another page in the history, and a `hashchange`.
    history.replaceState(null, '', await toFragment(this.state()));
  }

  private async share(): Promise<void> {
    await this.write();
    let said = 'Link copied';
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      // The browser keeps the clipboard to itself.
      said = 'Link is in the address bar';
    }
    element('live', HTMLElement).textContent = said;
    const before = 'Share link';
    this.button.textContent = said;
    setTimeout(() => {
      this.button.textContent = before;
    }, SAID_MS);
  }
}
