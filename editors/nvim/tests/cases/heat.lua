local harness = require('harness')
local test, is, ok = harness.test, harness.is, harness.ok

for _, name in ipairs({
  'LruCache.java',
  'Router.php',
  'debounce.js',
  'event_emitter.ts',
  'fibonacci.py',
  'matrix.cpp',
  'ring_buffer.c',
  'tokenizer.rs',
  'word_count.rb',
  'workers.go',
}) do
  test('heat: on the right words of ' .. name, function()
    local child = harness.child()
    child:edit('examples/' .. name)
    child:settle()
    ok(child:check_heat() > 50, 'there is heat')
  end)
end

local TEXT = table.concat({
  'def größe(名前, 😀):',
  '    """Ünïcödé: 😀😀 and e\u{301} then value."""',
  '    value = 42',
  '    return value + größe(名前, value)  # 😀 value',
  '',
}, '\n')

test('heat: the colors of another server stay, whatever it counts in', function()
  local path = harness.file('wide.py', TEXT)
  local alone = harness.child({ base = true, enable = false })
  alone:cmd('edit ' .. path)
  local both = harness.child({ base = true })
  both:edit(path)
  both:settle()
  both:check_heat()
  local encodings = both:lua([[
    local found = {}
    for _, client in ipairs(vim.lsp.get_clients({ bufnr = 0 })) do found[client.name] = client.offset_encoding end
    return found
  ]])
  is(encodings, { base = 'utf-16', codegaze = 'utf-8' }, 'encodings')
  for word, color in pairs({ ['value'] = 0xaa0000, ['def'] = 0x00aa00, ['return'] = 0x00aa00, ['42'] = 0x0000aa }) do
    alone:await(
      'the other server has colored ' .. word,
      [[
      vim.cmd('redraw!')
      local word, color = ...
      local place = vim.fn.searchpos('\\V' .. word, 'nw')
      local at = vim.fn.screenpos(0, place[1], place[2])
      return (vim.api.nvim__inspect_cell(1, at.row - 1, at.col - 1)[2] or {}).foreground == color
    ]],
      word,
      color
    )
    is(both:cell(word).foreground, color, 'foreground of ' .. word)
  end
  ok(both:cell('größe').background, 'a word that the model looks at has a background')
  is(alone:cell('größe').background, nil, 'without the server it has none')
end)

test('heat: hovers of both servers are shown', function()
  local child = harness.child({ base = true })
  child:edit(harness.file('a.py', 'def total(values):\n    return sum(values)\n'))
  child:lua([[vim.api.nvim_win_set_cursor(0, { 1, 5 }); vim.lsp.buf.hover()]])
  local text = child:await(
    'a hover',
    [[
    for _, win in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(win).relative ~= '' then
        return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(win), 0, -1, false), '\n')
      end
    end
  ]]
  )
  harness.has(text, 'from the base server', 'hover')
  harness.has(text, 'average', 'hover')
  harness.ok(not text:find('sinks', 1, true), 'the hover is short')
end)

test('heat: explain shows all numbers of a word', function()
  local child = harness.child()
  child:edit(harness.file('a.py', 'def total(values):\n    return sum(values)\n'))
  child:lua('vim.api.nvim_win_set_cursor(0, { 1, 5 })')
  child:cmd('Codegaze explain')
  local text = child:await(
    'the numbers',
    [[
    for _, win in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(win).relative ~= '' then
        return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(win), 0, -1, false), '\n')
      end
    end
  ]]
  )
  for _, part in ipairs({ 'total', 'attends to', 'attended by', 'sinks', 'subword', 'codegaze-mini' }) do
    harness.has(text, part, 'explain')
  end
end)

test('heat: the status line has the time of its own buffer', function()
  local child = harness.child()
  child:edit(harness.file('a.py', 'def total(values):\n    return sum(values)\n'))
  child:await('a time', "return require('codegaze').status(0):match('%d+ ms')")
  child:cmd('enew')
  harness.is(child:lua("return require('codegaze').status(0)"), '', 'the status of an empty buffer')
  local text = child:lua([[
    local status = require('codegaze.status')
    local client = vim.lsp.get_clients({ name = 'codegaze' })[1]
    local a = vim.fn.bufnr('a.py')
    status.on_status(client, vim.tbl_extend('force', vim.deepcopy(status.of(a)), {
      analysisMs = 123456,
      analysisUri = 'file:///somewhere/else.py',
    }))
    return status.text(a)
  ]])
  harness.ok(not text:find('123456', 1, true), 'the time of another document: ' .. text)
end)

test('heat: follows edits, and undo brings the old one back', function()
  local child = harness.child()
  child:edit(harness.file('edit.py', TEXT .. TEXT:gsub('größe', 'second')))
  child:settle()
  child:check_heat()
  local before = child:ask('codegaze/heatmap', {}).data
  child:keys('ggOimport os<Esc>jcwclass<Esc>G')
  child:keys('othird = "😀" + str(os)<Esc>')
  child:settle()
  child:check_heat()
  ok(not vim.deep_equal(child:ask('codegaze/heatmap', {}).data, before), 'the heat has changed')
  child:keys('uuu')
  child:settle()
  child:check_heat()
  is(child:ask('codegaze/heatmap', {}).data, before, 'the heat after undo')
end)

test('heat: a burst of edits ends with the heat of the last text', function()
  local child = harness.child()
  child:edit('examples/workers.go')
  for i = 1, 40 do
    child:lua('vim.api.nvim_buf_set_lines(0, 2, 2, false, { ... })', ('var burst%d = %d'):format(i, i))
  end
  child:settle()
  child:check_heat()
end)

test('heat: two buffers in two windows', function()
  local child = harness.child({ base = true, lines = 70 })
  child:edit('examples/fibonacci.py')
  child:settle()
  child:cmd('vsplit')
  child:edit('examples/tokenizer.rs')
  child:settle()
  child:check_heat()
  child:cmd('wincmd w')
  is(child:lua('return vim.bo.filetype'), 'python', 'the other window')
  child:check_heat()
end)

test('heat: toggles everywhere, and leaves the other server alone', function()
  local child = harness.child({ base = true })
  child:edit('examples/fibonacci.py')
  child:settle()
  ok(child:cell('def fibonacci').background, 'heat at first')
  child:cmd('Codegaze toggle')
  is(child:cell('def fibonacci').background, nil, 'no heat after toggle')
  -- The other server answers when it likes.
  for _ = 1, 100 do
    if child:cell('def fibonacci').foreground == 0x00aa00 then
      break
    end
    vim.wait(50)
  end
  is(child:cell('def fibonacci').foreground, 0x00aa00, 'the other server’s color')
  harness.has(child:lua("return require('codegaze').status()"), 'hidden', 'status')
  child:cmd('edit ' .. harness.root .. '/examples/workers.go')
  child:await('the server is attached', "return #vim.lsp.get_clients({ name = 'codegaze', bufnr = 0 }) == 1")
  vim.wait(1500)
  local tokens = child:lua([[
    vim.cmd('redraw!')
    local id = vim.lsp.get_clients({ name = 'codegaze' })[1].id
    return #vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_create_namespace('nvim.lsp.semantic_tokens:' .. id), 0, -1, {})
  ]])
  is(tokens, 0, 'heat in a new buffer')
  child:cmd('Codegaze toggle on')
  child:settle()
  child:check_heat()
  child:cmd('bprevious')
  child:settle()
  child:check_heat()
end)

test('heat: a server that ends and is started again', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  child:settle()
  local first = child:lua([[
    local client = vim.lsp.get_clients({ name = 'codegaze' })[1]
    client:stop()
    return client.id
  ]])
  child:await('the server ends', "return #vim.lsp.get_clients({ name = 'codegaze' }) == 0")
  is(child:cell('def fibonacci').background, nil, 'no heat without a server')
  is(child:lua("return require('codegaze').status()"), '', 'status without a server')
  child:lua("vim.lsp.enable('codegaze')")
  child:await(
    'another server',
    "return (vim.lsp.get_clients({ name = 'codegaze' })[1] or { id = ... }).id ~= ...",
    first
  )
  child:edit('examples/fibonacci.py')
  child:settle()
  child:check_heat()
  child:cmd('Codegaze attention on')
  child:cmd('Codegaze info')
  child:await('info', "return vim.bo.filetype == 'codegaze-info'")
end)

test('heat: a server that is killed leaves an editor that works', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  child:settle()
  child:cmd('Codegaze attention on')
  child:lua([[
    for _, process in ipairs(vim.api.nvim_get_proc_children(vim.fn.getpid())) do
      local info = vim.api.nvim_get_proc(process)
      if info and info.name:find('codegaze') then vim.uv.kill(process, 'sigkill') end
    end
  ]])
  child:await('the server is gone', "return #vim.lsp.get_clients({ name = 'codegaze' }) == 0")
  child:messages()
  child:keys('jwA  # more<Esc>')
  child:cmd('Codegaze heatmap')
  harness.has(child:messages(), 'the server is not attached', 'what is said')
end)

test('heat: a document that takes longer than the server waits gets its heat all the same', function()
  local child = harness.child({ enable = false })
  child:lua([[
    vim.lsp.config('codegaze', { init_options = { deadlineMs = 40 } })
    vim.lsp.enable('codegaze')
  ]])
  local functions = {}
  for i = 1, 300 do
    functions[i] = ('def number_%d(a, b):\n    return a + b * %d\n\n'):format(i, i)
  end
  child:edit(harness.file('long.py', table.concat(functions)))
  for _ = 1, 2 do
    child:settle()
    child:check_heat()
    child:keys('ggOimport os<Esc>')
  end
end)

test('heat: at first, about a fifth of all words have a background', function()
  local child = harness.child({ vars = 'let g:codegaze = {"first_run_note": v:false}' })
  child:edit('examples/tokenizer.rs')
  child:settle()
  local shown = child:check_heat()
  local all = #child:ask('codegaze/heatmap', {}).data / 5
  ok(shown > 0 and shown < 0.5 * all, ('%d of %d words of level 1 or more have a background'):format(shown, all))
  is(child:lua("return vim.api.nvim_get_hl(0, { name = '@lsp.type.attention2' })"), vim.empty_dict(), 'level 2')
end)

test('colors: keep the contrast of every color of the default color scheme', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  for _, background in ipairs({ 'dark', 'light' }) do
    child:cmd('set background=' .. background)
    local found = child:lua([[
      local colors = require('codegaze.colors')
      local function contrast(a, b)
        local x, y = colors.luminance(a) + 0.05, colors.luminance(b) + 0.05
        return math.max(x, y) / math.min(x, y)
      end
      local normal = vim.api.nvim_get_hl(0, { name = 'Normal', link = false }).bg
      local tokens, wrong, steps = {}, {}, {}
      -- The groups of syntax and of tree-sitter: those that are drawn on the editor's background.
      for name in pairs(vim.api.nvim_get_hl(0, {})) do
        local group = vim.api.nvim_get_hl(0, { name = name, link = false })
        if group.fg and not group.bg and not group.reverse and contrast(group.fg, normal) >= 4.5 then
          tokens[group.fg] = name
        end
      end
      for level = 1, 5 do
        local heat = vim.api.nvim_get_hl(0, { name = 'CodegazeLevel' .. level }).bg
        for color, name in pairs(tokens) do
          if contrast(color, heat) < 4.5 then
            wrong[#wrong + 1] = ('%s on level %d: %.2f'):format(name, level, contrast(color, heat))
          end
        end
      end
      return { tokens = vim.tbl_count(tokens), wrong = wrong }
    ]])
    ok(found.tokens >= 6, ('%s has %d colors'):format(background, found.tokens))
    is(found.wrong, {}, background)
  end
end)

test('colors: follow the color scheme and the background', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  child:settle()
  local function levels()
    return child:lua([[
      local colors, normal = require('codegaze.colors'), vim.api.nvim_get_hl(0, { name = 'Normal' })
      local found = {}
      local function contrast(a, b)
        local x, y = colors.luminance(a) + 0.05, colors.luminance(b) + 0.05
        return math.max(x, y) / math.min(x, y)
      end
      for level = 1, 5 do
        local group = vim.api.nvim_get_hl(0, { name = 'CodegazeLevel' .. level })
        found[level] = {
          bg = group.bg,
          alone = group.fg == nil and group.bold == nil and group.underline == nil,
          under = contrast(group.bg, normal.bg or (vim.o.background == 'dark' and 0 or 0xffffff)),
          text = contrast(group.bg, normal.fg or (vim.o.background == 'dark' and 0xffffff or 0)),
        }
      end
      return found
    ]])
  end
  local seen = {}
  for _, command in ipairs({
    'set background=dark',
    'set background=light',
    'colorscheme habamax',
    'colorscheme morning',
    'colorscheme quiet',
  }) do
    child:cmd(command)
    local found = levels()
    for level = 1, 5 do
      ok(found[level].alone, command .. ': only a background')
      ok(level == 1 or found[level].under > found[level - 1].under, command .. ': more heat, more contrast')
      ok(
        found[level].text >= 4.5,
        ('%s: text on level %d has a contrast of %.1f'):format(command, level, found[level].text)
      )
    end
    ok(not seen[found[3].bg], command .. ': other colors')
    seen[found[3].bg] = true
    child:check_heat()
  end
end)

test('colors: what the user defines stays', function()
  local child = harness.child()
  child:cmd('highlight CodegazeLevel3 guibg=#123456')
  child:edit('examples/fibonacci.py')
  child:settle()
  is(child:lua("return vim.api.nvim_get_hl(0, { name = 'CodegazeLevel3' }).bg"), 0x123456, 'defined before')
  child:cmd('highlight CodegazeLevel4 guibg=#654321')
  child:cmd('set background=light')
  child:check_heat()
  is(child:lua("return vim.api.nvim_get_hl(0, { name = 'CodegazeLevel4' }).bg"), 0x654321, 'defined after')
end)
