--- The lists of names that Rust declares. `UPDATE_LISTS=1 cargo test --test lists` writes this file.
local M = {}

--- How all heads of a layer become one.
M.FUSIONS = {
  { name = 'mean', text = 'Their mean' },
  { name = 'max', text = 'The greatest of them, cell by cell' },
}

--- How the scores of a lexeme’s subwords become one.
M.AGGREGATES = {
  { name = 'sum', text = 'The sum over the subwords; long names score higher' },
  { name = 'mean', text = 'The mean over the subwords; long names score lower' },
  { name = 'max', text = 'The subword that gets most' },
  { name = 'first', text = 'The first subword' },
  { name = 'corrected', text = 'Corrected for length: the sum, compared with lexemes of as many subwords' },
}

return M
