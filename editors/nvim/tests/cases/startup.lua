local harness = require('harness')
local test, is, has, ok = harness.test, harness.is, harness.has, harness.ok

local LOADED = [[
  return vim.tbl_filter(function(name) return vim.startswith(name, 'codegaze') end, vim.tbl_keys(package.loaded))
]]

test('start-up: nothing is required before it is needed', function()
  local child = harness.child()
  is(child:lua('return vim.fn.exists(":Codegaze")'), 2, 'the command')
  is(child:lua('return vim.g.loaded_codegaze'), true, 'the plugin')
  is(child:lua(LOADED), {}, 'modules')
  child:cmd('edit ' .. harness.file('notes.txt', 'no code'))
  is(child:lua(LOADED), {}, 'modules, after a file of another type')
  is(child:lua("return require('codegaze').status()"), '', 'status without a server')
end)

test('start-up: vim.lsp.enable is all that is needed', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  is(child:lua([[return vim.lsp.get_clients({ bufnr = 0 })[1].name]]), 'codegaze', 'client')
  child:settle()
  ok(child:check_heat() > 50, 'there is heat')
  has(child:lua("return require('codegaze').status()"), 'codegaze-mini ', 'status')
  is(child:messages(), '', 'messages')
end)

test('start-up: setup takes options and enables the server', function()
  local child = harness.child({ enable = false })
  child:lua("require('codegaze').setup({ heat = false })")
  child:edit('examples/fibonacci.py')
  child:await('the heat is hidden', "return require('codegaze').status():find('hidden') ~= nil")
end)

test('start-up: one server serves files of different projects', function()
  local child = harness.child()
  for _, name in ipairs({ 'one', 'two' }) do
    local path = harness.file('main.py', 'def ' .. name .. '():\n    return 1\n')
    vim.fn.mkdir(vim.fs.dirname(path) .. '/.git')
    child:edit(path)
  end
  is(child:lua("return #vim.lsp.get_clients({ name = 'codegaze' })"), 1, 'processes')
  is(child:lua("return vim.tbl_count(vim.lsp.get_clients({ name = 'codegaze' })[1].attached_buffers)"), 2, 'buffers')
end)

test('first run: a note explains the colors and the model, once', function()
  local child = harness.child({ vars = 'let g:codegaze = {}' })
  child:edit('examples/fibonacci.py')
  local text = table.concat(child:float('codegaze-note') or {}, '\n')
  has(text, 'the small model', 'the note')
  has(text, ':Codegaze model microsoft/codebert-base', 'the note')
  has(text, 'much', 'the ramp')
  is(child:lua('return vim.bo.filetype'), 'python', 'the note does not take the focus')
  child:keys('i')
  child:await('typing removes the note', [[return #vim.api.nvim_list_wins() == 1]])

  local again = harness.child({ vars = 'let g:codegaze = {}', state = child.state })
  again:edit('examples/fibonacci.py')
  is(again:float('codegaze-note'), nil, 'the second time')
end)

test('status line: shows the model and how long the analysis took', function()
  local child = harness.child()
  child:lua([[vim.o.statusline = "%f %{v:lua.require'codegaze'.status()}"; vim.o.laststatus = 2]])
  child:edit('examples/fibonacci.py')
  child:await(
    'the time',
    [[
    vim.cmd('redraw!')
    local row = ''
    for column = 1, vim.o.columns do
      row = row .. vim.fn.screenstring(vim.o.lines - 1, column)
    end
    return row:match('fibonacci%.py codegaze%-mini %d+ ms') ~= nil
  ]]
  )
  local said = child:lua([[
    local status = require('codegaze.status')
    local client = vim.lsp.get_clients({ name = 'codegaze' })[1]
    local texts = {}
    for _, one in ipairs({
      { state = 'loading', embedded = true },
      { state = 'downloading', embedded = true, percent = 45, model = 'codegaze-mini' },
      { state = 'downloading', embedded = true, percent = vim.NIL },
      { state = 'error', embedded = true, message = 'no such model' },
    }) do
      client.handlers['codegaze/status'](nil, one)
      texts[#texts + 1] = status.text()
    end
    return texts
  ]])
  is(said, {
    'codegaze: loading',
    'codegaze: downloading 45 of 100',
    'codegaze: downloading …',
    'codegaze: error',
  }, 'states')
  has(child:messages(), 'no such model', 'an error is said')
end)

test('install: the README’s recipes for plugin managers', function()
  -- What lazy.nvim and vim.pack run: the directory is added when plugins have long been loaded.
  local child = harness.child({ rtp = false, enable = false })
  local readme = table.concat(vim.fn.readfile(harness.plugin .. '/README.md'), '\n')
  local recipes = 0
  for name, field in
    readme:gmatch("function%((plugin)%)\n%s+vim%.opt%.rtp:append%(plugin%.(%w+) %.%. '/editors/nvim'%)")
  do
    is(name, 'plugin', 'the parameter')
    recipes = recipes + 1
    ok(field == 'dir' or field == 'path', 'the field ' .. field)
  end
  is(recipes, 2, 'recipes')
  is(child:lua('return vim.fn.exists(":Codegaze")'), 0, 'the command before')
  child:lua(
    [[
    vim.opt.rtp:append(... .. '/editors/nvim')
    vim.cmd.runtime({ 'plugin/codegaze.lua', bang = true })
    vim.lsp.enable('codegaze')
  ]],
    harness.root
  )
  child:edit('examples/fibonacci.py')
  child:settle()
  child:check_heat()
end)

test('install: as a package', function()
  local child = harness.child({ rtp = false, enable = false })
  local start = child.home .. '/data/nvim/site/pack/codegaze/start'
  vim.fn.mkdir(start, 'p')
  assert(vim.uv.fs_symlink(harness.plugin, start .. '/codegaze'))
  child:cmd('set packpath^=' .. child.home .. '/data/nvim/site')
  child:cmd('packloadall!')
  child:lua("vim.lsp.enable('codegaze')")
  child:edit('examples/fibonacci.py')
  child:settle()
  child:check_heat()
end)
