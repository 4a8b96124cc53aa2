-- Real Neovims, driven over RPC, with the plugin in their runtimepath and the real server in their PATH.

local M = {}

M.plugin =
  vim.fs.dirname(vim.fs.dirname(vim.fs.normalize(vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p'))))
M.root = vim.fs.dirname(vim.fs.dirname(M.plugin))

local cases, children = {}, {}

--- Registers a test.
---@param name string
---@param body fun()
function M.test(name, body)
  cases[#cases + 1] = { name = name, body = body }
end

---@class Child
---@field channel integer
local Child = {}
Child.__index = Child

---@class ChildOptions
---@field state? string XDG_STATE_HOME of another child
---@field vars? string Vimscript that runs before plugins are loaded
---@field enable? boolean start the server for files (default: true)
---@field base? boolean start the second server as well
---@field rtp? boolean have the plugin in 'runtimepath' (default: true)
---@field columns? integer
---@field lines? integer

--- A Neovim that knows nothing of this machine's user.
---@param opts? ChildOptions
---@return Child
function M.child(opts)
  opts = opts or {}
  local home = vim.fn.tempname()
  vim.fn.mkdir(home, 'p')
  local env = {
    HOME = home,
    PATH = vim.env.CODEGAZE_DIR .. ':' .. vim.env.PATH,
    XDG_CONFIG_HOME = home .. '/config',
    XDG_DATA_HOME = home .. '/data',
    XDG_STATE_HOME = opts.state or home .. '/state',
    XDG_CACHE_HOME = home .. '/cache',
    HF_HOME = home .. '/hub',
    HF_HUB_OFFLINE = '1',
    LANG = 'C.UTF-8',
  }
  local command = { vim.v.progpath, '--embed', '--headless', '--clean', '-n' }
  for _, setting in ipairs({
    ('set lines=%d columns=%d termguicolors shortmess+=I'):format(opts.lines or 50, opts.columns or 140),
    -- Looking for a Python takes seconds, and backgrounds are only to be looked for where we put them.
    'let g:loaded_python3_provider = 0 | let g:loaded_matchparen = 1',
    opts.rtp == false and '' or 'set rtp^=' .. M.plugin,
    opts.vars or 'let g:codegaze = {"first_run_note": v:false, "min_level": 1}',
  }) do
    vim.list_extend(command, { '--cmd', setting })
  end
  local channel = vim.fn.jobstart(command, { rpc = true, env = env, clear_env = false })
  assert(channel > 0, 'Neovim does not start')
  local child = setmetatable({ channel = channel, home = home, state = env.XDG_STATE_HOME }, Child)
  children[#children + 1] = child
  -- The first call makes Neovim keep what a cell's attributes come from, and forget those that it has drawn.
  child:lua('vim.api.nvim__inspect_cell(1, 0, 0)')
  if opts.base then
    child:lua(
      [[
      local nvim, script = ...
      vim.lsp.config('base', { cmd = { nvim, '--clean', '--headless', '-l', script }, filetypes = { 'python', 'rust', 'go' } })
      vim.lsp.enable('base')
      vim.api.nvim_set_hl(0, '@lsp.type.variable', { fg = '#aa0000' })
      vim.api.nvim_set_hl(0, '@lsp.type.keyword', { fg = '#00aa00' })
      vim.api.nvim_set_hl(0, '@lsp.type.number', { fg = '#0000aa' })
    ]],
      vim.v.progpath,
      M.plugin .. '/tests/base_server.lua'
    )
  end
  if opts.enable ~= false then
    child:lua("vim.lsp.enable('codegaze')")
  end
  return child
end

--- Runs Lua in the child; `...` are the arguments.
---@param code string
---@return any
function Child:lua(code, ...)
  return vim.rpcrequest(self.channel, 'nvim_exec_lua', code, { ... })
end

---@param command string
function Child:cmd(command)
  self:lua('vim.cmd(...)', command)
end

--- The same for a command that fails.
---@param command string
function Child:try(command)
  self:lua('pcall(vim.cmd, ...)', command)
end

--- Types keys, and waits until Neovim has processed them.
---@param keys string
function Child:keys(keys)
  vim.rpcrequest(self.channel, 'nvim_input', vim.api.nvim_replace_termcodes(keys, true, true, true))
  vim.rpcrequest(self.channel, 'nvim_eval', '1')
end

--- Waits until Lua in the child returns a true value, and returns it. An error names what was awaited.
---@param what string
---@param code string
---@return any
function Child:await(what, code, ...)
  local args, last = { ... }, nil
  local ok = vim.wait(15000, function()
    last = self:lua(code, unpack(args))
    return last and last ~= vim.NIL
  end, 20)
  if not ok then
    error(('%s: not within 15 s; messages: %s'):format(what, self:lua('return vim.fn.execute("messages")')), 2)
  end
  return last
end

--- Asks the server.
---@param method string
---@param params table
---@return any
function Child:ask(method, params)
  return self:lua(
    [[
    local method, params = ...
    local client = vim.lsp.get_clients({ name = 'codegaze' })[1]
    params.textDocument = params.textDocument or { uri = vim.uri_from_bufnr(0) }
    local answer = assert(client:request_sync(method, params, 15000, vim.api.nvim_get_current_buf()))
    assert(not answer.err, vim.inspect(answer.err))
    return answer.result
  ]],
    method,
    params
  )
end

--- Edits a file and waits until it is attached and analyzed.
---@param path string relative to the project
function Child:edit(path)
  self:cmd('edit ' .. (path:match('^/') and path or M.root .. '/' .. path))
  self:await(
    'the server is attached and ready',
    [[
    local status = package.loaded['codegaze.attach'] and require('codegaze.status').of(0)
    return status and status.state == 'ready'
  ]]
  )
end

--- Waits until the tokens that are drawn are those of the text as it is.
function Child:settle()
  self:await(
    'the tokens are up to date',
    [[
    vim.cmd('redraw!')
    local client = vim.lsp.get_clients({ name = 'codegaze', bufnr = 0 })[1]
    local highlighter = vim.lsp.semantic_tokens.__STHighlighter.active[vim.api.nvim_get_current_buf()]
    local state = client and highlighter and highlighter.client_state[client.id]
    return state and state.current_result.version == vim.lsp.util.buf_versions[vim.api.nvim_get_current_buf()]
  ]]
  )
  self:cmd('redraw!')
end

--- The heat on the screen against the server's answer, cell by cell: for each visible character, the level that its background
--- is of. Returns what is wrong, and how many lexemes have a level.
---@return { wrong: string, count: integer }
function Child:compare_heat()
  local heat = self:ask('codegaze/heatmap', {})
  M.is(heat.complete, true, 'the whole document has heat')
  return self:lua(
    [[
    local data, encoding = ...
    local expected, line, start, count = {}, 0, 0, 0
    local lowest = require('codegaze.config').min_level()
    for i = 1, #data, 5 do
      start = data[i] > 0 and data[i + 1] or start + data[i + 1]
      line = line + data[i]
      local text = vim.api.nvim_buf_get_lines(0, line, line + 1, true)[1]
      local from = vim.str_byteindex(text, encoding, start, true)
      local to = vim.str_byteindex(text, encoding, start + data[i + 2], true)
      if data[i + 3] >= lowest then
        for byte = from, to - 1 do
          expected[line .. ':' .. byte] = data[i + 3]
        end
        count = count + 1
      end
    end
    local level_of = {}
    for level = 1, 5 do
      level_of[vim.api.nvim_get_hl(0, { name = 'CodegazeLevel' .. level }).bg] = level
    end
    vim.cmd('redraw!')
    local wrong = {}
    for line = vim.fn.line('w0'), vim.fn.line('w$') do
      local text = vim.fn.getline(line)
      for _, byte in ipairs(vim.str_utf_pos(text)) do
        local place = vim.fn.screenpos(0, line, byte)
        if place.row > 0 and not text:sub(byte, byte):match('[%s%z]') then
          local cell = vim.api.nvim__inspect_cell(1, place.row - 1, place.col - 1)
          local bg = cell[2] and cell[2].background
          local level = level_of[bg or -1]
          if level ~= expected[line - 1 .. ':' .. byte - 1] then
            wrong[#wrong + 1] = ('%d:%d %s has %s, not %s'):format(
              line, byte, text:sub(byte, byte + 10), tostring(level), tostring(expected[line - 1 .. ':' .. byte - 1]))
          end
        end
      end
    end
    return { wrong = table.concat(wrong, '\n', 1, math.min(#wrong, 5)), count = count }
  ]],
    heat.data,
    heat.encoding
  )
end

--- Fails unless the heat on the screen is right; returns how many lexemes have a level.
---@return integer
function Child:check_heat()
  local found = self:compare_heat()
  M.is(found.wrong, '', 'backgrounds')
  return found.count
end

--- Waits until the heat on the screen is right: after a change of the view, whose tokens are asked for later.
function Child:await_heat()
  local found
  vim.wait(5000, function()
    found = self:compare_heat()
    return found.wrong == ''
  end, 50)
  M.is(found.wrong, '', 'backgrounds')
end

--- Foreground and background of the first character of a text on the screen.
---@param pattern string plain text, searched for in the buffer
---@return { foreground?: integer, background?: integer }
function Child:cell(pattern)
  return self:lua(
    [[
    vim.cmd('redraw!')
    local place = vim.fn.searchpos('\\V' .. ..., 'nw')
    assert(place[1] > 0, 'the text is not there')
    local at = vim.fn.screenpos(0, place[1], place[2])
    local cell = vim.api.nvim__inspect_cell(1, at.row - 1, at.col - 1)
    return cell[2] or vim.empty_dict()
  ]],
    pattern
  )
end

--- The messages since the last call.
---@return string
function Child:messages()
  local text = self:lua([[local text = vim.fn.execute('messages'); vim.cmd('messages clear'); return text]])
  return vim.trim(text)
end

--- The lines of the floating window with a filetype; nil without one.
---@param filetype string
---@return string[]?
function Child:float(filetype)
  local lines = self:lua(
    [[
    for _, win in ipairs(vim.api.nvim_list_wins()) do
      local buf = vim.api.nvim_win_get_buf(win)
      if vim.bo[buf].filetype == ... and vim.api.nvim_win_get_config(win).relative ~= '' then
        return vim.api.nvim_buf_get_lines(buf, 0, -1, false)
      end
    end
  ]],
    filetype
  )
  return lines ~= vim.NIL and lines or nil
end

function Child:stop()
  vim.fn.jobstop(self.channel)
  vim.fn.jobwait({ self.channel }, 5000)
end

--- Fails unless two values are equal.
function M.is(actual, expected, what)
  if not vim.deep_equal(actual, expected) then
    error(('%s: %s, expected %s'):format(what, vim.inspect(actual), vim.inspect(expected)), 2)
  end
end

--- Fails unless a text has a part.
function M.has(text, part, what)
  text = type(text) == 'table' and table.concat(text, '\n') or tostring(text)
  if not text:find(part, 1, true) then
    error(('%s: there is no “%s” in\n%s'):format(what, part, text), 2)
  end
end

function M.ok(condition, what)
  if not condition then
    error(what, 2)
  end
end

--- A file of its own for a test.
---@param name string
---@param text string
---@return string path
function M.file(name, text)
  local path = vim.fn.tempname() .. '/' .. name
  vim.fn.mkdir(vim.fs.dirname(path), 'p')
  local file = assert(io.open(path, 'wb'))
  file:write(text)
  file:close()
  return path
end

--- Runs the tests whose names have `filter` in them.
---@param filter? string
---@return integer failed
function M.run(filter)
  local failed, ran = 0, 0
  for _, case in ipairs(cases) do
    if not filter or case.name:find(filter, 1, true) then
      ran = ran + 1
      local start = vim.uv.hrtime()
      local ok, err = xpcall(case.body, debug.traceback)
      for _, child in ipairs(children) do
        child:stop()
      end
      children = {}
      io.stdout:write(
        ('%s %s (%.1f s)\n'):format(ok and 'ok    ' or 'FAILED', case.name, (vim.uv.hrtime() - start) / 1e9)
      )
      if not ok then
        failed = failed + 1
        io.stdout:write('       ' .. tostring(err):gsub('\n', '\n       ') .. '\n')
      end
      io.stdout:flush()
    end
  end
  io.stdout:write(('%d of %d passed\n'):format(ran - failed, ran))
  return ran == 0 and 1 or failed
end

return M
