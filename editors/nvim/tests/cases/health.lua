local harness = require('harness')
local test, has, ok = harness.test, harness.has, harness.ok

local function checkhealth(child)
  child:cmd('checkhealth codegaze')
  return child:await(
    'the report',
    [[
    local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
    return vim.bo.filetype == 'checkhealth' and text:find('running', 1, true) and text
  ]]
  )
end

test('health: all is well', function()
  local child = harness.child({ base = true })
  child:edit('examples/fibonacci.py')
  local report = checkhealth(child)
  for _, part in ipairs({
    'OK Neovim 0.',
    'OK termguicolors is on',
    'OK options are valid',
    '/codegaze`: codegaze 0.',
    'buffers, positions in utf-8',
    'model: codegaze-mini, the small one',
    ':Codegaze model microsoft/codebert-base',
    'base counts in utf-16, codegaze in utf-8',
  }) do
    has(report, part, 'report')
  end
  ok(not report:find('ERROR') and not report:find('WARNING'), 'nothing is wrong:\n' .. report)
end)

test('health: what is wrong is named', function()
  local child = harness.child({
    vars = 'let g:codegaze = {"heet": v:true, "min_level": 9, "attention": {"limit": "six"}} | set notermguicolors',
  })
  child:lua([[vim.lsp.config('codegaze', { cmd = { 'no-such-codegaze', 'lsp', '--stdio' } })]])
  local report = checkhealth(child)
  for _, part in ipairs({
    'vim.g.codegaze.min_level is 9, not a level from 1 to 5',
    'termguicolors is off',
    'vim.g.codegaze.heet is not an option',
    'vim.g.codegaze.attention.limit is a string, not a number',
    'ERROR `no-such-codegaze` cannot be executed',
    'no server is running',
  }) do
    has(report, part, 'report')
  end
end)
