// A line of text next to the pointer, or next to the cell that the keyboard walks to.

export interface TipColors {
  foreground: string;
  background: string;
  muted: string;
  fontFamily: string;
}

const DISTANCE = 14;
const EDGE = 4;

export class Tip {
  private readonly box = document.createElement('div');

  /** The tip is inside `parent` for the parent's styles, but its place is relative to the window. */
  constructor(parent: HTMLElement) {
    this.box.className = 'matrix-tip';
    this.box.hidden = true;
    // The panes say the same in a sentence that screen readers announce.
    this.box.setAttribute('aria-hidden', 'true');
    Object.assign(this.box.style, {
      position: 'fixed',
      zIndex: '10',
      maxWidth: `calc(100vw - ${2 * EDGE}px)`,
      padding: '3px 8px',
      borderRadius: '4px',
      fontSize: '13px',
      lineHeight: '1.4',
      overflowWrap: 'anywhere',
      pointerEvents: 'none',
    });
    parent.append(this.box);
  }

  /** Next to the point (`x`, `y`) of the window, and inside the window. */
  show(text: string, x: number, y: number, colors: TipColors): void {
    const { box } = this;
    box.textContent = text;
    Object.assign(box.style, {
      color: colors.foreground,
      background: colors.background,
      border: `1px solid ${colors.muted}`,
      fontFamily: colors.fontFamily,
      // Measured where all of the window is free.
      left: '0',
      top: '0',
    });
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const isRoomBelow = y + DISTANCE + height + EDGE <= clientHeight;
    const top = isRoomBelow ? y + DISTANCE : y - DISTANCE - height;
    box.style.left = `${Math.max(EDGE, Math.min(x + DISTANCE, clientWidth - width - EDGE))}px`;
    box.style.top = `${Math.max(EDGE, top)}px`;
  }

  hide(): void {
    this.box.hidden = true;
  }
}
