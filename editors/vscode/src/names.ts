// Names that package.json declares and code uses; a test holds the two together.
import type { Level } from '../../../web/src/view/heat';

export const COMMANDS = {
  toggle: 'codegaze.toggle',
  selectStyle: 'codegaze.selectStyle',
  toggleCursorAttention: 'codegaze.toggleCursorAttention',
  turnOff: 'codegaze.turnOff',
  explain: 'codegaze.explain',
  nextHotWord: 'codegaze.nextHotWord',
  previousHotWord: 'codegaze.previousHotWord',
  showHeatmap: 'codegaze.showHeatmap',
  exportHeatmap: 'codegaze.exportHeatmap',
  selectView: 'codegaze.selectView',
  selectModel: 'codegaze.selectModel',
  downloadModel: 'codegaze.downloadModel',
  selectMethod: 'codegaze.selectMethod',
  selectLayer: 'codegaze.selectLayer',
  selectHead: 'codegaze.selectHead',
  selectAggregate: 'codegaze.selectAggregate',
  showLegend: 'codegaze.showLegend',
  showWalkthrough: 'codegaze.showWalkthrough',
  clearCache: 'codegaze.clearCache',
  restart: 'codegaze.restart',
  showLog: 'codegaze.showLog',
  report: 'codegaze.report',
} as const;

/** Commands that the server may put into its code lenses, hovers and code actions. */
export const CLIENT_COMMANDS: readonly string[] = [
  COMMANDS.explain,
  COMMANDS.showHeatmap,
  COMMANDS.selectView,
  COMMANDS.exportHeatmap,
];

/** Settings that the server reads. */
export const SERVER_SETTINGS: readonly string[] = [
  'model',
  'device',
  'precision',
  'mode',
  'window',
  'method',
  'layers',
  'heads',
  'sinks',
  'aggregate',
  'levelQuantiles',
  'minLevel',
  'hover.details',
  'hover.minLevel',
  'highlight.limit',
  'highlight.threshold',
  'debounceMs',
  'deadlineMs',
  'cacheMb',
  'maxFileKb',
  'logLevel',
  'features.semanticTokens',
  'features.hover',
  'features.codeLens',
  'features.codeActions',
  'features.inlayHints',
  'features.documentHighlight',
  'features.documentColor',
];

/** Settings whose default in VS Code is not the server's, so that the server has to know them. */
export const OWN_DEFAULTS: readonly string[] = ['features.semanticTokens', 'hover.minLevel'];

export { LEVELS, type Level, STYLES, type Style } from '../../../web/src/view/heat';

export const COLORS = {
  background: (level: Level) => `codegaze.level${level}Background`,
  line: (level: Level) => `codegaze.level${level}Underline`,
  border: (level: Level) => `codegaze.level${level}Border`,
  underline: 'codegaze.underline',
  ruler: 'codegaze.overviewRuler',
  query: 'codegaze.queryBorder',
  attendsTo: 'codegaze.attendsToBorder',
  attendedBy: 'codegaze.attendedByBorder',
} as const;

/** Contexts that menus ask for. */
export const CONTEXTS = {
  active: 'codegaze.active',
  running: 'codegaze.running',
  /** The heatmap was opened: a step of the walkthrough. */
  heatmapShown: 'codegaze.heatmapShown',
} as const;

export const PANEL_TYPE = 'codegaze.heatmap';
export const WALKTHROUGH = 'codegaze.codegaze#start';
