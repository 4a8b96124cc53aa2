// How attention becomes scores, in the words of both protocols.

export const METHOD_NAMES = ['received', 'cls', 'rollout', 'norm'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];

export interface View {
  model: string;
  revision: string | null;
  method: MethodName;
  layers: number[];
  heads: 'mean' | 'max' | number[];
  sinks: 'drop' | 'keep';
  aggregate: 'sum' | 'mean' | 'max';
}

/** Instead of the current view; a key left out is the current one. */
export interface ViewOptions {
  method?: MethodName;
  /** `null`: the method's default. */
  layers?: string | number | number[] | null;
  heads?: string | number | number[];
  sinks?: 'drop' | 'keep';
  aggregate?: 'sum' | 'mean' | 'max';
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
