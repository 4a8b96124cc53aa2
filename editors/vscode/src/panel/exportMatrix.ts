// The matrix that the panel draws, as data.
import type { MatrixResult } from '../../../../web/src/generated/live';
import { describeView } from '../../../../web/src/view/words';
import type { Drawn } from './headings';

/** 32-bit floats in base64, little-endian. */
function floats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
}

/** Lines and columns count from 1, as the editor shows them. */
export function matrixData(name: string, result: MatrixResult, { from, to, first, last }: Drawn): object {
  const n = result.tokens.length;
  const weights = floats(result.weights);
  return {
    format: 'codegaze.matrix/1',
    document: name,
    lines: { first, last },
    chunk: result.chunk + 1,
    chunks: result.chunks,
    unit: result.unit,
    view: result.view,
    description: describeView(result.view),
    sinkShare: result.sinkShare,
    words: result.tokens.slice(from, to).map(({ label, range, score }) => ({
      text: label,
      line: range ? range.start.line + 1 : null,
      column: range ? range.start.character + 1 : null,
      score,
    })),
    /** [query][key]: rows attend to columns. */
    weights: Array.from({ length: to - from }, (_, row) =>
      Array.from(weights.subarray((from + row) * n + from, (from + row) * n + to)),
    ),
  };
}
