// The lists of names that Rust declares. `UPDATE_LISTS=1 cargo test --test lists` writes this file.

/** How attention becomes scores. */
export const METHOD_NAMES = ['received', 'cls', 'rollout', 'norm', 'alti', 'globenc'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];

/** For people: the name of a method, and what a score is. */
export const METHODS: Record<MethodName, { name: string; what: string }> = {
  received: { name: 'Attention received', what: 'What a word receives from all others, on average' },
  cls: { name: 'Attention from <s>', what: 'What a word receives from <s>, the start of the sequence' },
  rollout: { name: 'Rollout', what: 'Attention followed through all layers' },
  norm: { name: 'Norm-weighted', what: 'Attention weighted by the norm of what it carries' },
  alti: { name: 'ALTI', what: 'How close what a word contributes comes to the whole, followed through all layers' },
  globenc: { name: 'GlobEnc', what: 'The norm of what a word contributes, followed through all layers' },
};

/** How all heads of a layer become one. */
export const FUSIONS = ['mean', 'max'] as const;
export type Fusion = (typeof FUSIONS)[number];

/** What happens to attention on special subwords. */
export const SINKS = ['drop', 'keep'] as const;
export type Sinks = (typeof SINKS)[number];

/** How the scores of a lexeme’s subwords become one. */
export const AGGREGATES = ['sum', 'mean', 'max', 'first', 'corrected'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** What a view uses if it names no aggregate. */
export const DEFAULT_AGGREGATE: Aggregate = 'corrected';

/** For people: how each aggregate works. */
export const AGGREGATE_TEXTS: Record<Aggregate, string> = {
  sum: 'The sum over the subwords; long names score higher',
  mean: 'The mean over the subwords; long names score lower',
  max: 'The subword that gets most',
  first: 'The first subword',
  corrected: 'Corrected for length: the sum, compared with lexemes of as many subwords',
};

/** What a row and a column of a matrix stand for. */
export const UNITS = ['subword', 'lexeme'] as const;
export type Unit = (typeof UNITS)[number];
