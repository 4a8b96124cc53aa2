local harness = require('harness')
local test, is, has, ok = harness.test, harness.is, harness.has, harness.ok

--- Opens the heatmap with the cursor on a word.
local function open(child, word, command)
  child:lua([[vim.fn.search('\\V' .. ...)]], word)
  child:cmd(command or 'Codegaze heatmap')
  child:await('the window', "return vim.bo.filetype == 'codegaze-heatmap'")
  return child:float('codegaze-heatmap')
end

--- The window's title, footer, width, height and anchor.
local function window(child)
  return child:lua([[
    local config = vim.api.nvim_win_get_config(0)
    local function text(chunks) return vim.iter(chunks):map(function(chunk) return chunk[1] end):join('') end
    local at = vim.api.nvim_win_get_position(0)
    return { title = text(config.title), footer = text(config.footer), width = config.width, height = config.height, at = at }
  ]])
end

--- What is selected, by the window's own words.
local function words(lines)
  return lines[#lines - 1] .. ' ' .. lines[#lines]
end

--- Waits until the title has a part.
local function titled(child, part)
  child:await(
    'the title has ' .. part,
    [[
    local config = vim.api.nvim_win_get_config(0)
    return vim.bo.filetype == 'codegaze-heatmap' and config.title[1][1]:find(..., 1, true) ~= nil
  ]],
    part
  )
end

--- The server's matrix with its weights as numbers, read by other means than the plugin's.
local function ask(child, params)
  local answer = child:lua(
    [[
    local params = ...
    local client = vim.lsp.get_clients({ name = 'codegaze' })[1]
    local code = vim.fn.bufnr('%')
    for _, buf in ipairs(vim.lsp.get_buffers_by_client_id(client.id)) do code = buf end
    params.textDocument = { uri = vim.uri_from_bufnr(code) }
    return assert(client:request_sync('codegaze/matrix', params, 15000, code).result)
  ]],
    params
  )
  local bytes = vim.base64.decode(answer.weights)
  local floats = require('ffi').cast('const float *', bytes)
  local n = #answer.tokens
  answer.weight = function(query, key)
    return floats[query * n + key]
  end
  return answer, bytes
end

local FUNCTIONS = table.concat({
  'import os',
  '',
  '',
  'def area(width, height):',
  '    return width * height',
  '',
  '',
  'def größe(名前):',
  '    print(os.getcwd())',
  '    return area(名前, 2)',
  '',
}, '\n')

test('heatmap: every cell has the color of its weight', function()
  local child = harness.child()
  child:edit(harness.file('matrix.py', FUNCTIONS))
  local lines = open(child, 'width', 'Codegaze! heatmap')
  local answer, keep = ask(child, { position = { line = 3, character = 10 } })
  ok(#keep == 4 * #answer.tokens * #answer.tokens, 'the matrix is square')
  local rows = child:lua([[
    local namespace = vim.api.nvim_create_namespace('codegaze.matrix')
    local rows = {}
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })) do
      local group = mark[4].hl_group
      if group:match('^CodegazeCell%w+$') then
        rows[mark[2] + 1] = rows[mark[2] + 1] or {}
        table.insert(rows[mark[2] + 1], { mark[3], mark[4].end_col, (group:gsub('^CodegazeCell', '')) })
      end
    end
    return vim.tbl_values(rows)
  ]])
  -- The last row with such marks is the scale.
  is(#rows, #answer.tokens + 1, 'rows')
  local cursors, bright, weights = 0, 0, {}
  for query = 0, #answer.tokens - 1 do
    for key = 0, #answer.tokens - 1 do
      weights[#weights + 1] = answer.weight(query, key)
    end
  end
  table.sort(weights)
  local clipped = weights[#weights - math.floor(#answer.tokens / 2)]
  for query = 1, #answer.tokens do
    local at = rows[query][1][1]
    for _, run in ipairs(rows[query]) do
      for byte = run[1], run[2] - 1, 2 do
        local key = (byte - at) / 2
        local wanted = math.floor(math.sqrt(math.min(answer.weight(query - 1, key) / clipped, 1)) * 15 + 0.5)
        if run[3] == 'Cursor' then
          cursors = cursors + 1
        else
          is(tonumber(run[3]), wanted, ('cell %d, %d'):format(query, key + 1))
        end
        bright = bright + (wanted > 7 and 1 or 0)
      end
    end
    is((rows[query][#rows[query]][2] - at) / 2, #answer.tokens, 'cells of row ' .. query)
  end
  is(cursors, 1, 'selected cells')
  ok(bright > 0, 'some cells are bright')
  has(lines, 'größe', 'labels')
end)

test('heatmap: says that the source shows another view, and applies either to the other', function()
  local child = harness.child()
  child:edit(harness.file('matrix.py', FUNCTIONS))
  open(child, 'width')
  local function note()
    return table.concat(child:float('codegaze-heatmap'), '\n'):match('The source shows another view: ([^\n]*)')
  end
  is(note(), nil, 'the views are the same at first')
  child:keys(']l')
  titled(child, 'all layers · head mean · received')
  is(note(), 'layer 5 · head mean · received.', 'another view')
  has(window(child).footer, 's show in source', 'footer')
  child:keys('S')
  titled(child, 'layer 5 · head mean · received ')
  is(note(), nil, 'the view of the source')
  child:keys('[l')
  titled(child, 'layer 4 · head mean · received')
  is(note(), 'layer 5 · head mean · received.', 'another view')
  child:keys('s')
  child:await(
    'the source has the view',
    "return vim.deep_equal((require('codegaze.status').of(vim.fn.bufnr('matrix.py')).view or {}).layers, { 4 })"
  )
  child:await(
    'one view',
    [[
    local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
    return vim.api.nvim_win_get_config(0).title[1][1]:find('layer 4', 1, true) ~= nil and not text:find('The source')
  ]]
  )
end)

test('heatmap: c changes the colors, and the scale says which they are', function()
  local child = harness.child()
  child:edit(harness.file('matrix.py', FUNCTIONS))
  local lines = open(child, 'width')
  local seen = {}
  for _, name in ipairs({ 'clipped; the greatest is', '', 'logarithmic', "each row's greatest" }) do
    has(child:float('codegaze-heatmap')[#lines - 2], name, 'the scale')
    local marks = vim.inspect(child:lua([[
      local namespace = vim.api.nvim_create_namespace('codegaze.matrix')
      return vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })
    ]]))
    ok(not seen[marks], name .. ': other colors')
    seen[marks] = true
    child:keys('c')
  end
  has(child:float('codegaze-heatmap')[#lines - 2], 'clipped', 'after the last come the first')
end)

test('heatmap: shows the function at the cursor, and with f the whole chunk', function()
  local child = harness.child()
  child:edit(harness.file('matrix.py', FUNCTIONS))
  local lines = open(child, 'width')
  local title = window(child).title
  has(title, 'def area(width, height): · lines 4–5 ·', 'title')
  has(words(lines), '“width” (line 4) attends to', 'words')
  local text = table.concat(lines, '\n')
  ok(not text:find('import', 1, true) and not text:find('größe', 1, true), 'nothing of the other function')
  child:keys('f')
  titled(child, 'chunk 1 of 1')
  has(child:float('codegaze-heatmap'), 'import', 'the whole chunk')
  has(words(child:float('codegaze-heatmap')), '“width” (line 4) attends to', 'the selection stays')
  child:keys('f')
  titled(child, 'def area')
end)

test('heatmap: the cursor moves over cells, and the code lights up', function()
  local child = harness.child()
  child:edit(harness.file('matrix.py', FUNCTIONS))
  open(child, 'width')
  child:keys('gg0')
  has(words(child:float('codegaze-heatmap')), '“def” (line 4) attends to “def” (line 4)', 'first cell')
  child:keys('3lj')
  local lines = child:float('codegaze-heatmap')
  has(words(lines), '“area” (line 4) attends to “width” (line 4)', 'after 3lj')
  local answer = ask(child, { position = { line = 3, character = 10 } })
  local index = {}
  for i, token in ipairs(answer.tokens) do
    index[token.label .. (token.range ~= vim.NIL and token.range.start.line or '')] = i - 1
  end
  has(
    lines[#lines],
    ('with %.1f %% of its attention'):format(answer.weight(index['area3'], index['width3']) * 100),
    'weight'
  )
  local marked = child:lua([[
    local found = {}
    for _, buf in ipairs(vim.api.nvim_list_bufs()) do
      if vim.bo[buf].filetype == 'python' then
        local namespace = vim.api.nvim_create_namespace('codegaze.matrix')
        for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buf, namespace, 0, -1, { details = true })) do
          found[mark[4].hl_group] = vim.api.nvim_buf_get_text(buf, mark[2], mark[3], mark[4].end_row, mark[4].end_col, {})[1]
        end
      end
    end
    return found
  ]])
  is(marked, { CodegazeLexeme = 'area', CodegazeAttendsTo = 'width' }, 'marks in the code')
  child:keys('$')
  child:keys('w')
  has(child:float('codegaze-heatmap')[#lines], 'number 1 of the', 'the heaviest of the row')
  child:keys('99j99l')
  ok(child:float('codegaze-heatmap'), 'nothing happens beyond the last cell')
end)

test('heatmap: a click selects a cell', function()
  local child = harness.child()
  child:edit(harness.file('matrix.py', FUNCTIONS))
  open(child, 'width')
  child:keys('gg0')
  local at = child:lua([[
    local position, cursor = vim.api.nvim_win_get_position(0), vim.api.nvim_win_get_cursor(0)
    return { position[1] + cursor[1], position[2] + 1 + cursor[2] }
  ]])
  -- Two rows down, and the third cell, whose second half is clicked on.
  child:lua(
    [[
    vim.o.mouse = 'a'
    local row, column = ...
    vim.api.nvim_input_mouse('left', 'press', '', 0, row, column)
  ]],
    at[1] + 2,
    at[2] + 5
  )
  child:await(
    'the cell',
    [[
    local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
    return lines[#lines - 1] == '“(” (line 4) attends to “(” (line 4)'
  ]]
  )
end)

test('heatmap: layers, heads, methods and units change', function()
  local child = harness.child()
  child:edit(harness.file('matrix.py', FUNCTIONS))
  open(child, 'width')
  local model = child:lua('return require("codegaze.status").model(vim.fn.bufnr("matrix.py"))')
  has(window(child).title, ('layer %d'):format(model.layers - 1), 'the last layer at first')
  local function cells()
    return child:lua([[
      local namespace = vim.api.nvim_create_namespace('codegaze.matrix')
      return vim.iter(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })):map(function(mark)
        return mark[4].hl_group end):totable()
    ]])
  end
  local before = cells()
  child:keys('[l')
  titled(child, ('layer %d '):format(model.layers - 2))
  ok(not vim.deep_equal(cells(), before), 'other weights')
  child:keys(']l]l')
  titled(child, 'all layers')
  child:keys(']l')
  titled(child, 'layer 0 ')
  child:keys(']h')
  titled(child, 'head max')
  child:keys(']h')
  titled(child, 'head 0')
  child:keys('[h[h')
  titled(child, 'head mean')
  child:keys('m')
  titled(child, model.methods[2])
  child:keys(('m'):rep(#model.methods - 1))
  titled(child, model.methods[1])
  child:keys('u')
  child:await(
    'subwords',
    [[
    local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
    return lines[#lines]:find('subwords', 1, true) ~= nil
  ]]
  )
  local view = child:ask('codegaze/model', { textDocument = { uri = '' } }).view
  is({ view.method, view.heads }, { 'received', 'mean' }, 'the view of everything else is as it was')
end)

test('heatmap: a large matrix is an overview that scrolls, and z makes cells large', function()
  local child = harness.child({ lines = 40, columns = 100 })
  child:edit('examples/workers.go')
  local lines = open(child, 'package', 'Codegaze! heatmap')
  has(lines, '▀', 'half blocks')
  has(lines[#lines - 2], 'rows 1–', 'what is visible')
  child:keys('G$')
  lines = child:float('codegaze-heatmap')
  local n = tonumber(lines[#lines - 2]:match('of (%d+)'))
  ok(n > 100, 'a large matrix')
  has(lines[#lines - 2], ('–%d, columns'):format(n), 'the last rows')
  has(lines[#lines - 2], ('–%d of'):format(n), 'the last columns')
  child:keys('z')
  lines = child:float('codegaze-heatmap')
  ok(not table.concat(lines):find('▀', 1, true), 'large cells')
  has(lines[#lines - 2], ('–%d of'):format(n), 'the selected cell is still visible')
  local inside = child:lua([[
    local width, height = vim.api.nvim_win_get_width(0), vim.api.nvim_win_get_height(0)
    for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -4, false)) do
      if vim.fn.strdisplaywidth(line) > width then return line end
    end
    return vim.api.nvim_buf_line_count(0) == height
  ]])
  is(inside, true, 'everything is inside the window')
  child:keys('gg0')
  has(child:float('codegaze-heatmap')[#lines - 2], 'rows 1–', 'scrolled back')
  child:lua([[vim.o.columns = 70; vim.o.lines = 24]])
  child:await(
    'it fits the smaller screen',
    [[
    local config = vim.api.nvim_win_get_config(0)
    return config.width <= 68 and config.height <= 22 and vim.api.nvim_buf_line_count(0) == config.height
  ]]
  )
  child:keys('G')
  local FIRST = "return vim.fn.line('w0', vim.fn.bufwinid('workers.go'))"
  ok(child:lua(FIRST) > 1, 'the code has been scrolled to the selected lexemes')
  child:keys('q')
  is(child:lua(FIRST), 1, 'the first line of the code after q')
end)

test('heatmap: a long file has chunks', function()
  local functions = {}
  for i = 1, 60 do
    functions[i] = ('def number_%d(a, b):\n    return a + b * %d\n'):format(i, i)
  end
  local child = harness.child()
  child:edit(harness.file('long.py', table.concat(functions, '\n')))
  open(child, 'number_1', 'Codegaze! heatmap')
  local chunks = tonumber(window(child).title:match('chunk 1 of (%d+)'))
  ok(chunks > 1, 'chunks')
  child:keys(']c')
  titled(child, 'chunk 2 of')
  child:keys('[c[c')
  titled(child, 'chunk 1 of')
end)

test('heatmap: follows edits of the code', function()
  local child = harness.child()
  child:edit(harness.file('matrix.py', FUNCTIONS))
  open(child, 'width')
  child:lua([[
    local code = vim.fn.bufnr('matrix.py')
    vim.api.nvim_buf_set_lines(code, 0, 0, false, { '# one more line', '' })
    vim.api.nvim_buf_set_text(code, 5, 4, 5, 8, { 'surface' })
  ]])
  titled(child, 'def surface(width')
  has(words(child:float('codegaze-heatmap')), '(line 6)', 'lines of the new text')
end)

test('heatmap: Return goes to the key, o to the query, q back to where one was', function()
  local child = harness.child()
  child:edit(harness.file('matrix.py', FUNCTIONS))
  open(child, 'width')
  child:keys('gg03ljq')
  is(child:lua('return vim.bo.filetype'), 'python', 'the window is closed')
  is(child:lua('return vim.api.nvim_win_get_cursor(0)'), { 4, 9 }, 'the cursor after q')
  local left = child:lua([[
    local left = 0
    for _, name in ipairs({ 'codegaze.matrix', 'codegaze.matrix.anchor' }) do
      left = left + #vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_create_namespace(name), 0, -1, {})
    end
    return left
  ]])
  is(left, 0, 'marks after q')
  open(child, 'width')
  child:keys('gg03lj<CR>')
  is(child:lua('return vim.fn.expand("<cword>")'), 'width', 'the word after Return')
  open(child, 'width')
  child:keys('gg03ljo')
  is(child:lua('return vim.fn.expand("<cword>")'), 'area', 'the word after o')
  child:keys('<C-o>')
  is(child:lua('return vim.fn.expand("<cword>")'), 'width', 'the jump is in the list')
end)

test('heatmap: closing the code closes it too', function()
  local child = harness.child()
  child:edit(harness.file('matrix.py', FUNCTIONS))
  child:cmd('split')
  open(child, 'width')
  child:lua([[
    for _, win in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(win).relative == '' then
        vim.api.nvim_win_close(win, true)
        return
      end
    end
  ]])
  vim.wait(200)
  is(child:messages(), '', 'no error')
  ok(child:lua('return #vim.api.nvim_list_wins()') <= 2, 'windows')
end)

test('heatmap: where there is nothing it says so', function()
  local child = harness.child()
  child:edit(harness.file('empty.py', '\n\n'))
  child:cmd('Codegaze heatmap')
  child:await('a message', [[return vim.fn.execute('messages'):find('only white space') ~= nil]])
end)
