-- All tests, or those whose names contain the argument:
--   CODEGAZE_DIR=… nvim --clean --headless -l tests/run.lua [part of a name]
-- CODEGAZE_DIR is the directory of the program `codegaze`. `run.sh` gets everything that is needed.

local here = vim.fs.dirname(vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p'))
package.path = here .. '/?.lua;' .. package.path

local harness = require('harness')
assert(
  vim.fn.executable((vim.env.CODEGAZE_DIR or '') .. '/codegaze') == 1,
  'CODEGAZE_DIR has to name the directory of the program codegaze'
)
for _, group in ipairs({ 'units', 'startup', 'heat', 'attention', 'matrix', 'commands', 'health' }) do
  dofile(('%s/cases/%s.lua'):format(here, group))
end
local failed = harness.run(arg[1])
vim.cmd(failed > 0 and 'cquit 1' or 'qall!')
