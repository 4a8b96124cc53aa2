-- Drives an embedded Neovim as a person would, and looks at its cells: see nvim.py.
local plan = vim.json.decode(table.concat(vim.fn.readfile(arg[1]), '\n'))
local failures, checks = 0, 0
local SECOND_FG = 0xff0000

local child = vim.fn.jobstart({
  vim.v.progpath, '--embed', '--headless', '--clean', '-n', '--cmd', 'set lines=90 columns=160',
}, { rpc = true })

--- Runs Lua in the child; the code sees its arguments as `...`.
local function lua(code, ...)
  return vim.rpcrequest(child, 'nvim_exec_lua', code, { ... })
end

local function check(name, ok, detail)
  checks = checks + 1
  if ok then
    io.stdout:write('ok - ', name, '\n')
  else
    failures = failures + 1
    io.stdout:write('NOT OK - ', name, detail and (': ' .. (type(detail) == 'string' and detail or vim.json.encode(detail))) or '', '\n')
  end
  return ok
end

--- Asks until the answer is true; the last answer is returned either way.
local function eventually(ask, timeout)
  local answer
  local ok = vim.wait(timeout or 15000, function()
    answer = ask()
    return answer
  end, 50)
  return ok, answer
end

lua([[
  vim.o.termguicolors = true
  vim.o.wrap = false
  vim.o.showtabline = 0
  vim.o.shortmess = vim.o.shortmess .. 'I'
  vim.cmd('NoMatchParen')
  vim.api.nvim_set_hl(0, '@lsp.type.variable', { fg = '#ff0000' })

  _G.errors = {}
  local notify = vim.notify
  vim.notify = function(message, level, ...)
    if level and level >= vim.log.levels.WARN then table.insert(_G.errors, message) end
    return notify(message, level, ...)
  end

  function _G.client(name) return vim.lsp.get_clients({ name = name, bufnr = 0 })[1] end

  --- Where a client's tokens lie: line, start, length in bytes, and the digit of the group that they are drawn by.
  function _G.marks(name, bufnr)
    local found = {}
    local namespace = vim.api.nvim_get_namespaces()['nvim.lsp.semantic_tokens:' .. client(name).id]
    vim.cmd('redraw!')
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(bufnr or 0, namespace, 0, -1, { details = true })) do
      local level = mark[4].hl_group:match('^@lsp%.type%.attention(%d)')
      table.insert(found, { mark[2], mark[3], mark[4].end_col - mark[3], tonumber(level) or 0 })
    end
    table.sort(found, function(a, b) return a[1] ~= b[1] and a[1] < b[1] or a[1] == b[1] and a[2] < b[2] end)
    return found
  end

  --- What a byte of the buffer looks like on the screen.
  function _G.cell(line, column)
    local place = vim.fn.screenpos(0, line + 1, column + 1)
    local cell = vim.api.nvim__inspect_cell(1, place.row - 1, place.col - 1)
    return { char = cell[1], fg = cell[2].foreground, bg = cell[2].background }
  end

  --- Cells whose background is not that of their lexeme's level, and words whose foreground is not the other server's.
  function _G.wrong_cells(tokens)
    vim.cmd('redraw!')
    local wrong, hot, n_both = {}, {}, 0
    for _, token in ipairs(tokens) do
      local line, start, length, level = unpack(token)
      local bg = vim.api.nvim_get_hl(0, { name = '@lsp.type.attention' .. level }).bg
      for column = start, start + length - 1 do
        hot[line .. ' ' .. column] = true
        if cell(line, column).bg ~= bg then table.insert(wrong, { line, column, 'background', cell(line, column).bg or vim.NIL }) end
      end
    end
    for number, text in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
      for start, word in text:gmatch('()([%a_][%w_]*)') do
        local seen = cell(number - 1, start - 1)
        if seen.fg ~= 0xff0000 then table.insert(wrong, { number - 1, start - 1, 'foreground', seen.fg or vim.NIL }) end
        if hot[(number - 1) .. ' ' .. (start - 1)] then n_both = n_both + 1
        elseif number > 1 and seen.bg then table.insert(wrong, { number - 1, start - 1, 'no heat', seen.bg }) end
      end
    end
    return { wrong = wrong, both = n_both }
  end
]])

-- What a person has in init.lua, and another server beside it.
lua('assert(loadstring(...))()', plan.snippet)
lua(
  [[vim.lsp.config('second', { cmd = ..., filetypes = vim.lsp.config.codegaze.filetypes, capabilities = { general = { positionEncodings = { 'utf-16' } } } })
  vim.lsp.enable('second')]],
  plan.second
)

local function edit(path)
  lua([[vim.cmd.edit(...)]], path)
  return eventually(function() return lua([[return client('codegaze') ~= nil and client('second') ~= nil and client('codegaze').initialized == true]]) end)
end

local function shows(name, tokens, timeout)
  local ok = eventually(function() return vim.deep_equal(lua([[return marks('codegaze')]]), tokens) end, timeout)
  return check(name, ok, ok or { got = vim.list_slice(lua([[return marks('codegaze')]]), 1, 5), expected = vim.list_slice(tokens, 1, 5) })
end

for _, file in ipairs(plan.files) do
  local name = vim.fs.basename(file.path)
  check(name .. ': both servers attach', edit(file.path), lua([[return _G.errors]]))
  shows(name .. ': heat where the command line says', file.tokens)
  eventually(function() return #lua([[return marks('second')]]) > 0 end)
  local seen
  eventually(function() -- A first screen is drawn more than once.
    seen = lua([[return wrong_cells(...)]], file.tokens)
    return #seen.wrong == 0
  end, 3000)
  check(name .. ': backgrounds on the right words, the other server’s foregrounds intact', #seen.wrong == 0 and seen.both > 5, seen)

  -- Typed at the end of the first line, then undone.
  vim.rpcrequest(child, 'nvim_input', 'ggA' .. plan.typed .. '<Esc>')
  shows(name .. ': heat after typing', file.edited)
  lua([[vim.cmd('silent undo')]])
  shows(name .. ': heat after undo', file.tokens)
end

check('encodings are those that each server chose', vim.deep_equal(lua([[return { client('codegaze').offset_encoding, client('second').offset_encoding }]]), { 'utf-8', 'utf-16' }))

-- Hover: both servers in one window.
edit(plan.files[1].path)
local token = plan.files[1].tokens[1]
lua([[vim.api.nvim_win_set_cursor(0, { (...) + 1, select(2, ...) }); vim.lsp.buf.hover()]], token[1], token[2])
local _, hover = eventually(function()
  return lua([[
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= '' then
        return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), '\n')
      end
    end
    return false]])
end)
hover = hover or ''
check('hover shows both servers', hover:find('said by the second server', 1, true) and hover:find('average', 1, true) and hover:find('rank', 1, true), hover)
lua([[vim.cmd('silent! fclose!')]])

-- Commands.
local heatmap = lua([[
  local answer
  client('codegaze'):exec_cmd({ title = 'heatmap', command = 'codegaze.server.heatmap', arguments = { { uri = vim.uri_from_bufnr(0), format = 'svg' } } },
    { bufnr = 0 }, function(err, result) answer = err and { error = err } or { mimeType = result.mimeType, head = result.data:sub(1, 5) } end)
  vim.wait(10000, function() return answer end)
  return answer or 'no answer'
]])
check('a command by exec_cmd', heatmap.mimeType == 'image/svg+xml' and heatmap.head:sub(1, 1) == '<', heatmap)

local function set_view(options)
  return lua([[
    local answer
    client('codegaze'):exec_cmd({ title = 'view', command = 'codegaze.server.setView', arguments = { ... } }, { bufnr = 0 },
      function(err, result) answer = err and { error = err } or result end)
    vim.wait(10000, function() return answer end)
    return answer or 'no answer'
  ]], options)
end
check('setView answers with the view', set_view({ method = 'rollout' }).method == 'rollout')
shows('heat follows the view by itself', plan.files[1].rollout)
set_view({ method = 'received', layers = vim.NIL })
shows('heat follows the view back', plan.files[1].tokens)

-- Code lenses, in a file with a definition that differs from the rest.
lua([[vim.cmd.edit(...)]], vim.iter(plan.files):find(function(file) return file.path:find('word_count%.rb$') end).path)
eventually(function() return lua([[return client('codegaze') ~= nil]]) end)
lua([[vim.lsp.codelens.refresh({ bufnr = 0 })]])
local _, lenses = eventually(function()
  local found = lua([[return vim.iter(vim.lsp.codelens.get(0)):map(function(lens) return { lens.range.start.line, lens.command.title, lens.command.command } end):totable()]])
  return #found > 0 and found
end, 5000)
check('code lenses', lenses and lenses[1][2]:find('%%') and lenses[1][3]:find('^codegaze%.server%.'), lenses or 'none')
lua([[vim.cmd.edit(...)]], plan.files[1].path)

-- Two buffers: an edit of one leaves the other as it is.
lua([[vim.cmd.vsplit(...)]], plan.files[2].path)
eventually(function() return lua([[return client('codegaze') ~= nil]]) end)
shows('the second buffer has its own heat', plan.files[2].tokens)
vim.rpcrequest(child, 'nvim_input', 'ggA' .. plan.typed .. '<Esc>')
shows('and its own edits', plan.files[2].edited)
lua([[vim.cmd.wincmd('p')]])
shows('the first buffer is as it was', plan.files[1].tokens)
check('one server for both', lua([[return #vim.lsp.get_clients({ name = 'codegaze' })]]) == 1)

-- Restart.
local before = lua([[return client('codegaze').id]])
lua([[vim.lsp.enable('codegaze', false); vim.lsp.stop_client(vim.lsp.get_clients({ name = 'codegaze' }))]])
check('the server stops', eventually(function() return lua([[return #vim.lsp.get_clients({ name = 'codegaze' }) == 0]]) end))
lua([[vim.lsp.enable('codegaze')]])
check('another one starts', eventually(function() return lua([[return client('codegaze') ~= nil and client('codegaze').id ~= ... and client('codegaze').initialized == true]], before) end))
shows('and shows the same heat', plan.files[1].tokens)

local errors = lua([[return _G.errors]])
check('nobody was warned', #errors == 0, errors)
check('no error message', lua([[return vim.v.errmsg]]) == '', lua([[return vim.v.errmsg]]))

vim.rpcnotify(child, 'nvim_command', 'qa!')
local ended = vim.fn.jobwait({ child }, 5000)[1]
check('Neovim ends', ended == 0, tostring(ended))
io.stdout:write(('%d checks, %d failed\n'):format(checks, failures))
os.exit(failures == 0 and 0 or 1)
