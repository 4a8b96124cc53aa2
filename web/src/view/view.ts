// How attention becomes scores, in the words of both protocols.
import type { Aggregate, Fusion, MethodName, Sinks } from '../generated/lists';

export interface View {
  model: string;
  revision: string | null;
  method: MethodName;
  layers: number[];
  heads: Fusion | number[];
  sinks: Sinks;
  aggregate: Aggregate;
}

/** Instead of the current view; a key left out is the current one. */
export interface ViewOptions {
  method?: MethodName;
  /** `null`: the method's default. */
  layers?: string | number | number[] | null;
  heads?: string | number | number[];
  sinks?: Sinks;
  aggregate?: Aggregate;
}

/** A zero-based line, and a column in UTF-16 code units. */
export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}
