--- The window with a matrix, and the marks in the code that go with it.
local Matrix = require('codegaze.matrix.data')
local client_of = require('codegaze.client')
local layout = require('codegaze.matrix.layout')
local scaling = require('codegaze.matrix.scaling')
local ui = require('codegaze.ui')

local namespace = vim.api.nvim_create_namespace('codegaze.matrix')
local anchors = vim.api.nvim_create_namespace('codegaze.matrix.anchor')
local PRIORITY = vim.hl.priorities.semantic_tokens + 12

--- In the order in which a narrow window leaves them out, from the end.
local KEYS = {
  'hjkl move',
  ']l layer',
  ']h head',
  'm method',
  'f function',
  'z zoom',
  'u unit',
  'c colors',
  '⏎ go to',
  'g? legend',
}

---@param width integer
---@param has_other_view boolean the source shows another view
---@return string
local function footer(width, has_other_view)
  local text, close = ' ', 'q close '
  for _, key in ipairs(vim.list_extend(has_other_view and { 's show in source', 'S as in source' } or {}, KEYS)) do
    local longer = text .. key .. '  '
    if vim.fn.strdisplaywidth(longer .. close) > width then
      break
    end
    text = longer
  end
  return text .. close
end

---@class codegaze.Panel
---@field buf integer with the code
---@field win integer with the code
---@field matrix? codegaze.Matrix
---@field scaling codegaze.Scaling
---@field private coloring codegaze.Coloring
---@field selection codegaze.Selection
---@field view table what differs from the server's current view
---@field unit 'lexeme'|'subword'
---@field whole boolean
---@field chunk? integer instead of the place
---@field private float_buf? integer
---@field private float_win? integer
---@field private zoom? codegaze.Zoom nil: what fits
---@field private size codegaze.Size
---@field private picture codegaze.Picture
local Panel = {}
Panel.__index = Panel

---@param buf integer
---@param win integer
---@param position lsp.Position
---@param whole boolean
---@return codegaze.Panel
function Panel.new(buf, win, position, whole)
  local self = setmetatable({
    buf = buf,
    win = win,
    view = {},
    unit = 'lexeme',
    scaling = 'clipped',
    whole = whole,
    generation = 0,
    source_view = vim.api.nvim_win_call(win, vim.fn.winsaveview),
    selection = { query = 1, key = 1, top = 1, left = 1 },
  }, Panel)
  -- The place follows edits.
  local client = assert(client_of.of(buf))
  local row, column = client_of.byte_position(buf, position, client.offset_encoding)
  self.anchor = vim.api.nvim_buf_set_extmark(buf, anchors, row, column, { strict = false })
  return self
end

---@return boolean
function Panel:is_open()
  return self.float_win ~= nil and vim.api.nvim_win_is_valid(self.float_win)
end

---@param client vim.lsp.Client
---@return lsp.Position
function Panel:position(client)
  local mark = vim.api.nvim_buf_get_extmark_by_id(self.buf, anchors, self.anchor, {})
  local line = vim.api.nvim_buf_get_lines(self.buf, mark[1], mark[1] + 1, false)[1] or ''
  return { line = mark[1], character = vim.str_utfindex(line, client.offset_encoding, mark[2], false) }
end

--- Asks for the matrix and shows it. What is shown stays until the answer comes.
function Panel:load()
  local client = client_of.of(self.buf)
  if not client then
    return self:close()
  end
  self.generation = self.generation + 1
  local asked = self.generation
  local position = self:position(client)
  local params = {
    textDocument = vim.lsp.util.make_text_document_params(self.buf),
    unit = self.unit,
    view = next(self.view) and self.view or nil,
  }
  if self.chunk then
    params.chunk = self.chunk
  else
    params.position = position
  end
  client_of.request(self.buf, 'codegaze/matrix', params, function(answer, absence, message)
    -- The window of the code can be closed while the server computes.
    if asked ~= self.generation or not vim.api.nvim_win_is_valid(self.win) then
      return
    elseif answer then
      self:show(answer, position)
    elseif absence == 'stale' then
      self:load()
    elseif absence == 'failed' then
      client_of.notify(message or 'the matrix cannot be computed', vim.log.levels.ERROR)
    elseif absence == 'later' then
      client_of.notify('the document is still being analyzed; try again in a moment')
    elseif not self:is_open() then
      client_of.notify('there is no matrix here: the model is loading, or there is only white space')
    end
  end)
end

--- The token that the selection was on, in another matrix.
local function again(old, index, new)
  local range = old and old.tokens[index] and old.tokens[index].range
  return range and new:token_at(range.start)
end

---@param answer table
---@param position lsp.Position
function Panel:show(answer, position)
  local old, selection = self.matrix, self.selection
  if old and old.answer.chunk ~= answer.chunk then
    old = nil
  end
  local matrix = Matrix.new(answer, self.whole)
  if #matrix.tokens == 0 then
    return client_of.notify('there is only white space here')
  end
  selection.query = again(old, selection.query, matrix) or matrix:token_at(position)
  selection.key = again(old, selection.key, matrix) or matrix:heaviest(selection.query)[1]
  self.matrix = matrix
  self.coloring = scaling.color(matrix, self.scaling)
  self:draw()
end

---@param name codegaze.Scaling
function Panel:set_scaling(name)
  self.scaling = name
  self.coloring = scaling.color(self.matrix, name)
  self:draw()
end

--- Room for the window: beside the code if there is some, else over its right part.
function Panel:room()
  local info = vim.fn.getwininfo(self.win)[1]
  local code = 0
  for _, line in ipairs(vim.api.nvim_buf_get_lines(self.buf, info.topline - 1, info.botline, false)) do
    code = math.max(code, vim.fn.strdisplaywidth(line))
  end
  local beside = vim.o.columns - (info.wincol - 1 + info.textoff + code) - 4
  local width = math.max(beside, math.floor(vim.o.columns * 0.6), math.min(vim.o.columns - 2, 40))
  return math.min(width, vim.o.columns - 2), math.max(6, vim.o.lines - vim.o.cmdheight - 4)
end

--- A definition's first line that is not an attribute or a decorator.
---@param buf integer
---@param range lsp.Range
---@return string
local function first_line(buf, range)
  local lines = vim.tbl_map(vim.trim, vim.api.nvim_buf_get_lines(buf, range.start.line, range['end'].line + 1, false))
  for _, line in ipairs(lines) do
    if not line:match('^[@#]') then
      return line
    end
  end
  return lines[1] or ''
end

--- Layers, heads and method of a view, in a few words.
---@param view table
---@return string
function Panel:describe(view)
  local function list(x)
    return type(x) == 'table' and table.concat(x, ',') or tostring(x)
  end
  local is_all = #view.layers > 1 and #view.layers == (self:model().layers or 0)
  local layers = is_all and 'all layers' or 'layer ' .. list(view.layers)
  return ('%s · head %s · %s'):format(layers, list(view.heads), view.method)
end

--- The view of the heat, if it is not the one of the matrix.
---@return string?
function Panel:source_differs()
  local status = require('codegaze.status').of(self.buf)
  local source = status and status.view and self:describe(status.view)
  return source ~= self:describe(self.matrix.answer.view) and source or nil
end

---@return string
function Panel:title()
  local view, definition = self.matrix.answer.view, client_of.value(self.matrix.answer.definition)
  local what
  if definition and not self.whole then
    what = first_line(self.buf, definition)
    what = ('%s · %s'):format(vim.fn.strcharpart(what, 0, 40), self.matrix:lines(definition))
  else
    what = ('chunk %d of %d'):format(self.matrix.answer.chunk + 1, self.matrix.answer.chunks)
  end
  return (' %s · %s '):format(what, self:describe(view))
end

--- Makes the view of the matrix the view of the heat.
function Panel:show_in_source()
  local view = self.matrix.answer.view
  local argument = { method = view.method, layers = view.layers, heads = view.heads }
  client_of.execute(self.buf, 'codegaze.server.setView', argument, function()
    self:show_source_view()
  end)
end

--- Makes the view of the heat the view of the matrix.
function Panel:show_source_view()
  self.view = {}
  self:load()
end

---@return table
function Panel:model()
  return require('codegaze.status').model(self.buf) or {}
end

function Panel:open_window(config)
  self.float_buf = ui.scratch('heatmap')
  self.float_win = vim.api.nvim_open_win(self.float_buf, true, config)
  local options = vim.wo[self.float_win]
  options.wrap, options.cursorline, options.scrolloff, options.sidescrolloff = false, false, 0, 0
  require('codegaze.matrix.keys').map(self, self.float_buf)
  local group = vim.api.nvim_create_augroup('codegaze.matrix', {})
  vim.api.nvim_create_autocmd('WinClosed', {
    group = group,
    pattern = { tostring(self.float_win), tostring(self.win) },
    callback = vim.schedule_wrap(function()
      self:close()
    end),
  })
  vim.api.nvim_create_autocmd({ 'VimResized', 'ColorScheme' }, {
    group = group,
    callback = vim.schedule_wrap(function()
      if self:is_open() then
        self:draw()
      end
    end),
  })
  vim.api.nvim_create_autocmd('CursorMoved', {
    group = group,
    buffer = self.float_buf,
    callback = function()
      self:follow_cursor()
    end,
  })
end

--- Draws everything again.
function Panel:draw()
  local width, height = self:room()
  local source = self:source_differs()
  local note = source and ('The source shows another view: %s.'):format(source)
  height = height - (note and 1 or 0)
  local size, fits
  if self.zoom then
    size = layout.measure(self.matrix, self.zoom, width, height)
  else
    size, fits = layout.measure(self.matrix, 'cells', width, height)
    if not fits then
      size = layout.measure(self.matrix, 'overview', width, height)
    end
  end
  if not self:is_open() then
    self.selection.top = self.selection.query - math.floor(size.rows / 2)
    self.selection.left = self.selection.key - math.floor(size.columns / 2)
  end
  layout.follow(self.selection, size, #self.matrix.tokens)
  local picture = layout.draw(self.matrix, self.coloring, self.selection, size, note)
  self.size, self.picture = size, picture
  local title = self:title()
  local wanted = math.max(size.width, vim.fn.strdisplaywidth(title))
  for _, line in ipairs(picture.lines) do
    wanted = math.max(wanted, vim.fn.strdisplaywidth(line))
  end
  wanted = math.min(math.max(wanted, 60), width)
  local config = {
    relative = 'editor',
    anchor = 'NE',
    row = 0,
    col = vim.o.columns,
    width = wanted,
    height = size.height + (note and 1 or 0),
    style = 'minimal',
    border = 'rounded',
    title = title,
    footer = footer(wanted, note ~= nil),
    footer_pos = 'right',
    zindex = 60,
  }
  if self:is_open() then
    vim.api.nvim_win_set_config(self.float_win, config)
  else
    self:open_window(config)
  end
  vim.bo[self.float_buf].modifiable = true
  vim.api.nvim_buf_set_lines(self.float_buf, 0, -1, false, picture.lines)
  vim.bo[self.float_buf].modifiable = false
  vim.api.nvim_buf_clear_namespace(self.float_buf, namespace, 0, -1)
  for _, mark in ipairs(picture.marks) do
    vim.api.nvim_buf_set_extmark(self.float_buf, namespace, mark[1], mark[2], { end_col = mark[3], hl_group = mark[4] })
  end
  local line, column = layout.place(picture, self.selection, size)
  vim.api.nvim_win_set_cursor(self.float_win, { line, column })
  self:mark_code()
end

--- Lights up the two lexemes in the code, and brings them into view: the one that has changed, if both have no room.
function Panel:mark_code()
  local client = client_of.of(self.buf)
  if not client then
    return
  end
  vim.api.nvim_buf_clear_namespace(self.buf, namespace, 0, -1)
  local parts = { { self.selection.query, 'CodegazeLexeme' }, { self.selection.key, 'CodegazeAttendsTo' } }
  if self.last_query ~= self.selection.query then
    parts = { parts[2], parts[1] }
  end
  self.last_query = self.selection.query
  for _, part in ipairs(parts) do
    local range = self.matrix.tokens[part[1]].range
    if range then
      client_of.mark(
        self.buf,
        namespace,
        range,
        client.offset_encoding,
        part[2],
        PRIORITY + (part[2] == 'CodegazeLexeme' and 1 or 0)
      )
      self:reveal(range.start.line + 1)
    end
  end
end

---@param line integer
function Panel:reveal(line)
  vim.api.nvim_win_call(self.win, function()
    if line < vim.fn.line('w0') or line > vim.fn.line('w$') then
      local half = math.floor(vim.api.nvim_win_get_height(0) / 2)
      vim.fn.winrestview({ lnum = line, col = 0, topline = math.max(1, line - half) })
    end
  end)
end

---@param query integer
---@param key integer
function Panel:select(query, key)
  local n = #self.matrix.tokens
  self.selection.query = math.max(1, math.min(query, n))
  self.selection.key = math.max(1, math.min(key, n))
  self:draw()
end

function Panel:toggle_zoom()
  self.zoom = self.size.zoom == 'cells' and 'overview' or 'cells'
  self:draw()
end

--- The cursor was moved by a click or by a motion that is not ours.
function Panel:follow_cursor()
  local cursor = vim.api.nvim_win_get_cursor(self.float_win)
  local line, column = layout.place(self.picture, self.selection, self.size)
  if cursor[1] == line and cursor[2] == column then
    return
  end
  local query, key = layout.cell_at(self.picture, self.selection, self.size, cursor[1], cursor[2])
  self:select(query or self.selection.query, key or self.selection.key)
end

--- Moves the cursor to a lexeme in the code.
---@param index integer
function Panel:jump(index)
  local range, client = self.matrix.tokens[index].range, client_of.of(self.buf)
  if not range or not client then
    return client_of.notify('a special subword is nowhere in the code')
  end
  local row, column = client_of.byte_position(self.buf, range.start, client.offset_encoding)
  local win = self.win
  self:close()
  vim.api.nvim_set_current_win(win)
  vim.cmd.normal({ "m'", bang = true })
  vim.api.nvim_win_set_cursor(win, { row + 1, column })
end

function Panel:close()
  if self.closed then
    return
  end
  self.closed = true
  self.generation = self.generation + 1
  pcall(vim.api.nvim_del_augroup_by_name, 'codegaze.matrix')
  if self:is_open() then
    vim.api.nvim_win_close(self.float_win, true)
  end
  if vim.api.nvim_buf_is_valid(self.buf) then
    vim.api.nvim_buf_clear_namespace(self.buf, namespace, 0, -1)
    vim.api.nvim_buf_del_extmark(self.buf, anchors, self.anchor)
  end
  if vim.api.nvim_win_is_valid(self.win) and vim.api.nvim_win_get_buf(self.win) == self.buf then
    vim.api.nvim_win_call(self.win, function()
      vim.fn.winrestview(self.source_view)
    end)
  end
end

return Panel
