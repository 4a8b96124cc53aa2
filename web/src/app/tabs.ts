// Tabs in the pattern of the ARIA guide: Tab stops once, and arrow keys move and choose.
import { element } from './dom';
import { PANES, type Pane } from './settings';

export class Tabs {
  private readonly tabs = PANES.map((pane) => ({
    pane,
    tab: element(`tab-${pane}`, HTMLButtonElement),
    panel: element(`pane-${pane}`, HTMLElement),
  }));

  constructor(onChoose: (pane: Pane) => void) {
    for (const [at, { pane, tab }] of this.tabs.entries()) {
      tab.addEventListener('click', () => onChoose(pane));
      tab.addEventListener('keydown', ({ key }) => {
        const n = this.tabs.length;
        const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: n - 1 }[key];
        const next = to === undefined ? undefined : this.tabs[(to + n) % n];
        if (!next) return;
        next.tab.focus();
        onChoose(next.pane);
      });
    }
  }

  show(chosen: Pane): void {
    for (const { pane, tab, panel } of this.tabs) {
      const isChosen = pane === chosen;
      tab.setAttribute('aria-selected', String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      panel.hidden = !isChosen;
    }
  }

  focus(pane: Pane): void {
    this.tabs.find((each) => each.pane === pane)?.tab.focus();
  }
}
