local harness = require('harness')
local test, is, has, ok = harness.test, harness.is, harness.has, harness.ok

local function complete(child, text)
  return child:lua([[return vim.fn.getcompletion(..., 'cmdline')]], text)
end

local function said(child, part)
  child:await('a message with ' .. part, [[return vim.fn.execute('messages'):find(..., 1, true) ~= nil]], part)
  child:messages()
end

test('commands: complete, with what the model has', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  is(complete(child, 'Codegaze '), {
    'aggregate',
    'attention',
    'explain',
    'export',
    'head',
    'heatmap',
    'info',
    'layer',
    'legend',
    'method',
    'model',
    'toggle',
  }, 'subcommands')
  is(complete(child, 'Codegaze he'), { 'head', 'heatmap' }, 'subcommands with he')
  is(complete(child, 'vertical Codegaze! to'), { 'toggle' }, 'after modifiers and a bang')
  is(complete(child, 'Codegaze toggle '), { 'on', 'off' }, 'toggle')
  is(complete(child, 'Codegaze layer '), { 'default', 'last', 'all', '0', '1', '2', '3', '4', '5' }, 'layers')
  is(complete(child, 'Codegaze head '), { 'mean', 'max', '0', '1', '2', '3', '4', '5', '6', '7' }, 'heads')
  is(complete(child, 'Codegaze method r'), { 'received', 'rollout' }, 'methods')
  is(complete(child, 'Codegaze aggregate '), { 'sum', 'mean', 'max', 'first', 'corrected' }, 'aggregates')
  is(complete(child, 'Codegaze model micro')[1], 'microsoft/codebert-base', 'models')
  is(
    complete(child, 'Codegaze model ' .. harness.root .. '/crates/codegaze-mini/m'),
    { harness.root .. '/crates/codegaze-mini/model/' },
    'directories'
  )
  is(
    vim.list_slice(complete(child, 'Codegaze export '), 1, 6),
    { 'svg', 'png', 'html', 'json', 'matrix', 'source' },
    'formats'
  )
  is(complete(child, 'Codegaze info '), {}, 'nothing')
end)

test('commands: without a server they say what to do', function()
  local child = harness.child({ enable = false })
  child:cmd('edit ' .. harness.root .. '/examples/fibonacci.py')
  for _, command in ipairs({ 'heatmap', 'attention', 'layer 1', 'layer', 'model auto', 'export svg', 'explain', 'info' }) do
    child:cmd('Codegaze ' .. command)
    said(child, "vim.lsp.enable('codegaze')")
  end
  child:cmd('Codegaze legend')
  has(child:float('codegaze-legend'), 'how much the model attends', 'the legend needs no server')
end)

test('commands: wrong words are named', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  child:cmd('Codegaze')
  said(child, 'aggregate, attention, explain, export, head')
  child:try('Codegaze frobnicate')
  said(child, '“frobnicate” is unknown')
  child:try('Codegaze toggle perhaps')
  said(child, 'toggle takes no “perhaps”')
  child:try('Codegaze export svg a.svg b.svg')
  said(child, 'export takes no “b.svg”')
  child:try('Codegaze layer 77')
  said(child, '77')
  child:try('Codegaze method astrology')
  said(child, 'received, cls')
  child:try('Codegaze aggregate median')
  said(child, 'sum, mean, max, first, corrected')
  child:try('Codegaze model no/such-model@here')
  child:await('an error', [[return vim.fn.execute('messages'):find('no/such-model', 1, true) ~= nil]])
end)

test('commands: layer, head, method and aggregate change the heat of everything', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  child:settle()
  local seen = { child:ask('codegaze/heatmap', {}).data }
  for _, step in ipairs({
    {
      'layer 0',
      'layers 0',
      function(view)
        return vim.deep_equal(view.layers, { 0 })
      end,
    },
    {
      'layer all',
      'layers 0, 1, 2, 3, 4, 5',
      function(view)
        return #view.layers == 6
      end,
    },
    {
      'head 7',
      'heads 7',
      function(view)
        return vim.deep_equal(view.heads, { 7 })
      end,
    },
    {
      'head 0 2',
      'heads 0, 2',
      function(view)
        return vim.deep_equal(view.heads, { 0, 2 })
      end,
    },
    {
      'head max',
      'heads max',
      function(view)
        return view.heads == 'max'
      end,
    },
    {
      'method rollout',
      'method rollout',
      function(view)
        return view.method == 'rollout'
      end,
    },
    {
      'aggregate max',
      'aggregate max',
      function(view)
        return view.aggregate == 'max'
      end,
    },
    {
      'layer default',
      'method rollout',
      function(view)
        return #view.layers == 6
      end,
    },
  }) do
    child:cmd('Codegaze ' .. step[1])
    said(child, step[2])
    local heat = child:ask('codegaze/heatmap', {})
    ok(step[3](heat.view), step[1] .. ': the view is ' .. vim.inspect(heat.view))
    if step[1] ~= 'layer default' then
      for _, other in ipairs(seen) do
        ok(not vim.deep_equal(heat.data, other), step[1] .. ': other heat')
      end
    end
    seen[#seen + 1] = heat.data
    child:await_heat()
  end
end)

test('commands: without a value one chooses', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  child:lua([[vim.ui.select = function(items, opts, done) vim.g.asked = opts.prompt; done(items[4]) end]])
  child:cmd('Codegaze layer')
  said(child, 'layers 0')
  is(child:lua('return vim.g.asked'), 'codegaze: layer', 'prompt')
  child:lua([[
    vim.ui.select = function(items, opts, done) vim.g.asked = opts.format_item(items[2]); done(items[2]) end
  ]])
  child:cmd('Codegaze aggregate')
  said(child, 'aggregate mean')
  has(child:lua('return vim.g.asked'), 'mean: The mean over the subwords', 'the choices are explained')
end)

test('commands: model loads a directory, and says which is used', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  child:cmd('cd ' .. harness.root .. '/crates/codegaze-mini')
  child:cmd('Codegaze model model/')
  child:await(
    'the model of the directory',
    [[
    local model = require('codegaze.status').model(0)
    return model.source == 'directory' and model.state == 'ready'
  ]]
  )
  child:settle()
  child:check_heat()
  child:cmd('Codegaze model embedded')
  child:await(
    'the embedded model',
    [[
    local model = require('codegaze.status').model(0)
    return model.source == 'embedded' and model.state == 'ready'
  ]]
  )
  child:cmd('Codegaze model ' .. harness.root .. '/docs/')
  child:await('an error that names the directory', [[return vim.fn.execute('messages'):find('docs') ~= nil]])
end)

test('commands: export writes every format, and no file twice', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  local directory = vim.fn.tempname()
  vim.fn.mkdir(directory, 'p')
  child:cmd('cd ' .. directory)
  for format, signature in pairs({ svg = '<svg', png = '\137PNG', html = '<!DOCTYPE html>', json = '{' }) do
    child:cmd('Codegaze export ' .. format)
    said(child, 'wrote ')
    local file = assert(io.open(('%s/fibonacci.py.heatmap.%s'):format(directory, format), 'rb'))
    has(file:read(400):lower(), signature:lower(), format)
    file:close()
  end
  child:cmd('Codegaze export source shaded.svg')
  said(child, 'shaded.svg')
  has(vim.fn.readfile(directory .. '/shaded.svg'), 'fibonacci', 'the source')
  child:try('Codegaze export source shaded.svg')
  said(child, 'exists; :Codegaze! export replaces it')
  child:cmd('Codegaze! export source shaded.svg')
  said(child, 'wrote ')
end)

test('commands: info and legend', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  child:settle()
  child:cmd('Codegaze info')
  child:await('the window', "return vim.bo.filetype == 'codegaze-info'")
  local info = table.concat(child:float('codegaze-info'), '\n')
  for _, part in ipairs({ 'codegaze-mini (embedded)', '6 layers × 8 heads', 'fibonacci.py: ready', 'utf-8' }) do
    has(info, part, 'info')
  end
  child:keys('q')
  child:cmd('Codegaze legend')
  has(child:float('codegaze-legend'), 'several subwords: Corrected for length', 'legend')
  local groups = child:lua([[
    local found = {}
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_create_namespace('codegaze.ui'), 0, -1, { details = true })) do
      found[mark[4].hl_group] = true
    end
    return vim.tbl_keys(found)
  ]])
  for _, group in ipairs({
    'CodegazeLevel1',
    'CodegazeLevel5',
    'CodegazeAttendsTo',
    'CodegazeAttendedBy',
    'CodegazeCell0',
    'CodegazeCell15',
  }) do
    ok(vim.tbl_contains(groups, group), group .. ' is in the legend')
  end
  child:keys('q')
  is(child:lua('return vim.bo.filetype'), 'python', 'the window is closed')
end)

test('commands: code actions and lenses open the heatmap', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  child:lua([[vim.fn.search('remembered(n')]])
  child:lua([[
    vim.lsp.buf.code_action({ apply = true, filter = function(action) return action.title:find('show the heatmap') ~= nil end })
  ]])
  child:await('the heatmap', "return vim.bo.filetype == 'codegaze-heatmap'")
  has(child:lua('return vim.api.nvim_win_get_config(0).title[1][1]'), 'def remembered(n: int)', 'the place')
  child:keys('q')
  child:edit('examples/tokenizer.rs')
  child:lua('vim.lsp.codelens.refresh({ bufnr = 0 })')
  child:await('lenses', 'return #vim.lsp.codelens.get(0) > 0')
  child:lua([[
    vim.ui.select = function(items, _, done) done(items[1], 1) end
    vim.api.nvim_win_set_cursor(0, { vim.lsp.codelens.get(0)[1].range.start.line + 1, 0 })
    vim.lsp.codelens.run()
  ]])
  child:await('the heatmap', "return vim.bo.filetype == 'codegaze-heatmap'")
end)
