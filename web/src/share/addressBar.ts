// The link in the address bar. Once the user has shared or opened a link, the address follows every change.
import { element } from '../app/dom';
import { fromFragment, isLink, type Shared, toFragment } from './link';

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

  /** The state in the page's address. Rejects with a `LinkError`. */
  static read(): Promise<Shared | null> {
    return fromFragment(location.hash);
  }

  /** Calls `open` when the user opens another link on this page. */
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
    // Any other fragment is not ours to replace: the text must not get into the address unless the user shares it.
    if (!isLink(location.hash)) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.write(), PAUSE_MS);
  }

  private async write(): Promise<void> {
    // Setting `location` would add a page to the history and fire `hashchange`.
    history.replaceState(null, '', await toFragment(this.state()));
  }

  private async share(): Promise<void> {
    await this.write();
    let said = 'Link copied';
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      // The browser does not permit writing to the clipboard.
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
