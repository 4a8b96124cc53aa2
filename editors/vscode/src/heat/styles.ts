// Decoration types of the three styles.
import * as vscode from 'vscode';
import { COLORS, LEVELS, type Level, type Style } from '../names';

/** Typing at a decoration's edge does not widen it: the new letter has no heat yet. */
const rangeBehavior = vscode.DecorationRangeBehavior.ClosedClosed;

/** Levels differ by the kind of line, not by color alone. */
const LINES: Record<Level, string> = {
  1: '1px dotted',
  2: '1px dashed',
  3: '1px solid',
  4: '2px solid',
  5: '3px solid',
};
const FRAMES: Record<Level, string> = { 1: 'dotted', 2: 'dotted', 3: 'dashed', 4: 'solid', 5: 'solid' };

const OPACITY = { half: '0.7', far: '0.4' };

function ofLevel(style: Style, level: Level): vscode.DecorationRenderOptions {
  if (style === 'underline') {
    const [width = '', kind = ''] = LINES[level].split(' ');
    return {
      borderWidth: `0 0 ${width} 0`,
      borderStyle: kind,
      borderColor: new vscode.ThemeColor(COLORS.underline),
      rangeBehavior,
    };
  }
  return {
    // The backgrounds keep the contrast of the text. So they differ little in lightness, and the lines show the level to readers who
    // do not see the hue. In light themes, where any background would cost contrast, there are only lines.
    backgroundColor: new vscode.ThemeColor(COLORS.background(level)),
    // One pixel at the bottom of the line: more would cover underscores.
    borderWidth: '0 0 1px 0',
    borderStyle: 'solid',
    borderColor: new vscode.ThemeColor(COLORS.line(level)),
    // Outside the word's box: a border inside it hides underscores.
    outlineWidth: level === 5 ? '2px' : '1px',
    outlineStyle: FRAMES[level],
    outlineColor: new vscode.ThemeColor(COLORS.border(level)),
    rangeBehavior,
  };
}

/** The decoration types of one style. */
export interface HeatTypes extends vscode.Disposable {
  /** Marks in the overview ruler. */
  readonly ruler: vscode.TextEditorDecorationType;
  readonly levels: ReadonlyMap<Level, vscode.TextEditorDecorationType>;
  readonly dimmed: { half: vscode.TextEditorDecorationType; far: vscode.TextEditorDecorationType } | null;
}

export function createHeatTypes(style: Style): HeatTypes {
  const create = vscode.window.createTextEditorDecorationType;
  const levels = new Map<Level, vscode.TextEditorDecorationType>();
  if (style === 'background' || style === 'underline') {
    for (const level of LEVELS) levels.set(level, create(ofLevel(style, level)));
  }
  const dimmed =
    style === 'spotlight'
      ? { half: create({ opacity: OPACITY.half, rangeBehavior }), far: create({ opacity: OPACITY.far, rangeBehavior }) }
      : null;
  const ruler = create({
    overviewRulerColor: new vscode.ThemeColor(COLORS.ruler),
    overviewRulerLane: vscode.OverviewRulerLane.Right,
    rangeBehavior,
  });
  return {
    ruler,
    levels,
    dimmed,
    dispose() {
      ruler.dispose();
      for (const type of levels.values()) type.dispose();
      dimmed?.half.dispose();
      dimmed?.far.dispose();
    },
  };
}
