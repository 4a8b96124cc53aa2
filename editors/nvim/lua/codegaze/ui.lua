--- Small floating windows, built from lines of colored pieces.
local M = {}

local namespace = vim.api.nvim_create_namespace('codegaze.ui')

---@alias codegaze.Chunk [string, string?] text and highlight group
---@alias codegaze.Line string|codegaze.Chunk[]

--- Fills a buffer.
---@param buf integer
---@param lines codegaze.Line[]
function M.fill(buf, lines)
  local texts, marks = {}, {}
  for i, line in ipairs(lines) do
    local text = ''
    for _, chunk in ipairs(type(line) == 'string' and { { line } } or line) do
      if chunk[2] then
        marks[#marks + 1] = { i - 1, #text, #text + #chunk[1], chunk[2] }
      end
      text = text .. chunk[1]
    end
    texts[i] = text
  end
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, texts)
  vim.bo[buf].modifiable = false
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  for _, mark in ipairs(marks) do
    vim.api.nvim_buf_set_extmark(buf, namespace, mark[1], mark[2], { end_col = mark[3], hl_group = mark[4] })
  end
  return texts
end

--- A buffer that is never saved, and that is deleted with its window.
---@param name string
---@return integer
function M.scratch(name)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].filetype = 'codegaze-' .. name
  vim.bo[buf].modifiable = false
  return buf
end

--- Makes `keys` close a window.
---@param buf integer
---@param win integer
function M.close_with(buf, win, keys)
  for _, key in ipairs(keys) do
    vim.keymap.set('n', key, function()
      if vim.api.nvim_win_is_valid(win) then
        vim.api.nvim_win_close(win, true)
      end
    end, { buffer = buf, nowait = true, desc = 'Close' })
  end
end

---@class codegaze.FloatOptions
---@field name string
---@field title string
---@field corner? boolean at the bottom right, without focus

--- Shows lines in a window that `q` and `<Esc>` close.
---@param lines codegaze.Line[]
---@param opts codegaze.FloatOptions
---@return integer win, integer buf
function M.float(lines, opts)
  local buf = M.scratch(opts.name)
  local texts = M.fill(buf, lines)
  local width = vim.fn.strdisplaywidth(opts.title) + 2
  for _, text in ipairs(texts) do
    width = math.max(width, vim.fn.strdisplaywidth(text))
  end
  width = math.min(width, vim.o.columns - 4)
  local height = math.min(#texts, vim.o.lines - vim.o.cmdheight - 4)
  local win = vim.api.nvim_open_win(buf, not opts.corner, {
    relative = 'editor',
    anchor = opts.corner and 'SE' or 'NW',
    row = opts.corner and vim.o.lines - vim.o.cmdheight - 1 or math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
    col = opts.corner and vim.o.columns or math.max(0, math.floor((vim.o.columns - width) / 2)),
    width = width,
    height = height,
    style = 'minimal',
    border = 'rounded',
    title = ' ' .. opts.title .. ' ',
    focusable = not opts.corner,
    noautocmd = opts.corner,
  })
  vim.wo[win].wrap = false
  M.close_with(buf, win, { 'q', '<Esc>' })
  return win, buf
end

return M
