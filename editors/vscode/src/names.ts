// Names that package.json declares and code uses; a test holds the two together.
import type { Level } from '../../../web/src/view/heat';

export const COMMANDS = {
  toggle: 'codegaze.toggle',
  selectStyle: 'codegaze.selectStyle',
  toggleCursorAttention: 'codegaze.toggleCursorAttention',
  showHeatmap: 'codegaze.showHeatmap',
  exportHeatmap: 'codegaze.exportHeatmap',
  selectView: 'codegaze.selectView',
  selectModel: 'codegaze.selectModel',
  selectMethod: 'codegaze.selectMethod',
  selectLayer: 'codegaze.selectLayer',
  selectHead: 'codegaze.selectHead',
  showLegend: 'codegaze.showLegend',
  showWalkthrough: 'codegaze.showWalkthrough',
  clearCache: 'codegaze.clearCache',
  restart: 'codegaze.restart',
  showLog: 'codegaze.showLog',
  report: 'codegaze.report',
} as const;

/** Commands that the server may put into its code lenses, hovers and code actions. */
export const CLIENT_COMMANDS: readonly string[] = [COMMANDS.showHeatmap, COMMANDS.selectView, COMMANDS.exportHeatmap];

export { LEVELS, type Level, STYLES, type Style } from '../../../web/src/view/heat';

export const COLORS = {
  background: (level: Level) => `codegaze.level${level}Background`,
  border: (level: Level) => `codegaze.level${level}Border`,
  underline: 'codegaze.underline',
  query: 'codegaze.queryBorder',
  attendsTo: 'codegaze.attendsToBorder',
  attendedBy: 'codegaze.attendedByBorder',
} as const;

/** Contexts that menus ask for. */
export const CONTEXTS = { active: 'codegaze.active', running: 'codegaze.running' } as const;

export const PANEL_TYPE = 'codegaze.heatmap';
export const WALKTHROUGH = 'codegaze.codegaze#start';
