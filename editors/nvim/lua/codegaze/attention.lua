--- Cursor attention: what the word under the cursor attends to, and what attends to it.
local client_of = require('codegaze.client')
local colors = require('codegaze.colors')
local config = require('codegaze.config')

local M = {}

local namespace = vim.api.nvim_create_namespace('codegaze.attention')
local PRIORITY = vim.hl.priorities.semantic_tokens + 10

local enabled = false
local timer ---@type uv.uv_timer_t?
--- Of the latest request. An answer to an older request is discarded.
local generation = 0
--- What is shown: in which buffer, of which text, for which lexeme.
local shown ---@type { buf: integer, tick: integer, range: integer[] }?

--- Okabe and Ito's orange and reddish purple: color-blind people can tell them apart by hue and lightness. One has a single
--- underline, the other a double one.
local ORANGE, PURPLE = 0xE69F00, 0xCC79A7

function M.define_groups()
  local fg = 0x000000
  local function define(name, bg, sp, underline)
    colors.define(name, {
      fg = fg,
      bg = bg,
      sp = sp,
      [underline] = true,
      ctermfg = 16,
      ctermbg = colors.cterm(bg),
      cterm = { [underline] = true },
    })
  end
  define('CodegazeAttendsTo', ORANGE, fg, 'underline')
  define('CodegazeAttendedBy', PURPLE, fg, 'underdouble')
  define('CodegazeAttendsBoth', ORANGE, fg, 'underdouble')
  local normal, dark = vim.api.nvim_get_hl(0, { name = 'Normal', link = false }), vim.o.background == 'dark'
  colors.define('CodegazeLexeme', {
    fg = colors.background(),
    bg = normal.fg or (dark and 0xFFFFFF or 0x000000),
    bold = true,
    ctermfg = dark and 16 or 231,
    ctermbg = dark and 231 or 16,
    cterm = { bold = true },
  })
  colors.define('CodegazeReadOut', { link = 'Comment' })
end

---@return boolean
function M.is_enabled()
  return enabled
end

--- Removes the marks.
---@param buf? integer of this buffer; all without it
function M.clear(buf)
  if shown and (buf == nil or buf == shown.buf) then
    if vim.api.nvim_buf_is_valid(shown.buf) then
      vim.api.nvim_buf_clear_namespace(shown.buf, namespace, 0, -1)
    end
    shown = nil
  end
end

local function percent(weight)
  return weight >= 0.0995 and ('%.0f %%'):format(weight * 100) or ('%.1f %%'):format(weight * 100)
end

--- The heaviest, with their lines and weights, for the end of the line.
local function read_out(attention, ends)
  local chunks = {}
  for _, direction in ipairs({
    { attention.attendsTo, 'attends to', 'CodegazeAttendsTo' },
    { attention.attendedBy, 'attended by', 'CodegazeAttendedBy' },
  }) do
    local words = {}
    for _, other in ipairs(ends(direction[1])) do
      if #words == 3 then
        break
      end
      local line = other.range.start.line + 1
      words[#words + 1] = ('%s (%d) %s'):format((other.text:gsub('%s+', ' ')), line, percent(other.weight))
    end
    if #words > 0 then
      chunks[#chunks + 1] = { '  ' }
      chunks[#chunks + 1] = { ' ' .. direction[2] .. ' ', direction[3] }
      chunks[#chunks + 1] = { ' ' .. table.concat(words, ', '), 'CodegazeReadOut' }
    end
  end
  return chunks
end

---@param buf integer
---@param client vim.lsp.Client
---@param attention table the server's answer
function M.show(buf, client, attention)
  M.clear()
  local options, encoding = config.get().attention, client.offset_encoding
  local function ends(list)
    return vim
      .iter(list)
      :take(options.limit)
      :filter(function(other)
        return other.weight >= options.threshold
      end)
      :totable()
  end
  local function key(range)
    return ('%d:%d'):format(range.start.line, range.start.character)
  end
  local groups, ranges = {}, {}
  for _, other in ipairs(ends(attention.attendsTo)) do
    groups[key(other.range)], ranges[key(other.range)] = 'CodegazeAttendsTo', other.range
  end
  for _, other in ipairs(ends(attention.attendedBy)) do
    local at = key(other.range)
    groups[at] = groups[at] and 'CodegazeAttendsBoth' or 'CodegazeAttendedBy'
    ranges[at] = other.range
  end
  local range = attention.lexeme.range
  ranges[key(range)] = nil -- It attends to itself as well.
  for at, other in pairs(ranges) do
    client_of.mark(buf, namespace, other, encoding, groups[at], PRIORITY)
  end
  client_of.mark(buf, namespace, range, encoding, 'CodegazeLexeme', PRIORITY + 1)

  local row, column = client_of.byte_position(buf, range.start, encoding)
  local end_row, end_column = client_of.byte_position(buf, range['end'], encoding)
  if options.read_out then
    vim.api.nvim_buf_set_extmark(buf, namespace, row, 0, {
      virt_text = read_out(attention, ends),
      virt_text_pos = 'eol',
      hl_mode = 'combine',
      priority = PRIORITY,
    })
  end
  shown = { buf = buf, tick = vim.api.nvim_buf_get_changedtick(buf), range = { row, column, end_row, end_column } }
end

--- Whether the answer that is shown is valid for a place.
local function covers(buf, row, column)
  if not shown or shown.buf ~= buf or shown.tick ~= vim.api.nvim_buf_get_changedtick(buf) then
    return false
  end
  local range = shown.range
  local after_start = row > range[1] or (row == range[1] and column >= range[2])
  local before_end = row < range[3] or (row == range[3] and column < range[4])
  return after_start and before_end
end

--- Requests the relations of the word under the cursor, and shows them if the cursor is still there when they arrive.
function M.update()
  local win = vim.api.nvim_get_current_win()
  local buf = vim.api.nvim_win_get_buf(win)
  local client = client_of.of(buf)
  if not enabled or not client then
    return M.clear()
  end
  local cursor = vim.api.nvim_win_get_cursor(win)
  if covers(buf, cursor[1] - 1, cursor[2]) then
    return
  end
  generation = generation + 1
  local asked = generation
  local params = vim.lsp.util.make_position_params(win, client.offset_encoding)
  ---@diagnostic disable-next-line: inject-field -- the server's own
  params.limit = config.get().attention.limit
  client_of.request(buf, 'codegaze/relations', params, function(attention, absence)
    if asked ~= generation or not enabled then
      return
    end
    if attention then
      M.show(buf, client, attention)
    elseif absence ~= 'later' then
      M.clear()
    end
  end)
end

local function soon()
  timer = timer or assert(vim.uv.new_timer())
  timer:start(config.get().attention.debounce_ms, 0, vim.schedule_wrap(M.update))
end

--- A document has new heat, because its text or the view changed.
---@param changed { uri: string }
function M.on_changed(changed)
  if enabled and vim.uri_to_bufnr(changed.uri) == vim.api.nvim_get_current_buf() then
    if shown then
      shown.tick = -1
    end
    soon()
  end
end

---@param on boolean
function M.enable(on)
  enabled = on
  local group = vim.api.nvim_create_augroup('codegaze.attention', {})
  if not on then
    generation = generation + 1
    if timer then
      timer:stop()
    end
    return M.clear()
  end
  vim.api.nvim_create_autocmd({ 'CursorMoved', 'CursorMovedI', 'BufEnter' }, { group = group, callback = soon })
  vim.api.nvim_create_autocmd({ 'TextChanged', 'TextChangedI' }, {
    group = group,
    callback = function(args)
      M.clear(args.buf)
      soon()
    end,
  })
  vim.api.nvim_create_autocmd('BufLeave', {
    group = group,
    callback = function(args)
      M.clear(args.buf)
    end,
  })
  M.update()
end

return M
