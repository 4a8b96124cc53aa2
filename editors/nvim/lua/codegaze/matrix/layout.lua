--- A matrix as lines of text and marks: no window, no state.
---
--- Zoomed in, a cell is two characters wide and has its own labels. The overview has half a character's height a cell, so that
--- cells are square there too, and two rows share a line.
local cells = require('codegaze.matrix.cells')

local M = {}

local MAX_ROW_LABEL, MAX_COLUMN_LABEL = 16, 10
--- Below the cells: the scale and two lines of words.
local FOOT = 3
local HALF = '▀'

---@alias codegaze.Zoom 'cells'|'overview'

---@class codegaze.Size
---@field zoom codegaze.Zoom
---@field label integer characters left of the cells
---@field header integer lines above them
---@field rows integer that fit
---@field columns integer that fit
---@field width integer
---@field height integer

---@class codegaze.Selection
---@field query integer
---@field key integer
---@field top integer first row shown
---@field left integer first column shown

---@class codegaze.Picture
---@field lines string[]
---@field marks { [1]: integer, [2]: integer, [3]: integer, [4]: string }[] row, start, end, group; from 0, in bytes
---@field starts integer[] where a line's cells begin, in bytes

--- A label in one line, without characters that move what follows.
---@param label string
---@return string
function M.clean(label)
  return (label:gsub('%s+', ' '):gsub('%c', '·'))
end

local width_of = vim.fn.strdisplaywidth

---@param text string
---@param width integer
---@return string
local function shorten(text, width)
  if width_of(text) <= width then
    return text
  end
  local kept, used = {}, 1
  for _, character in ipairs(vim.fn.split(text, '\\zs')) do
    used = used + width_of(character)
    if used > width then
      break
    end
    kept[#kept + 1] = character
  end
  return table.concat(kept) .. '…'
end

local function to_the_right(text, width)
  text = shorten(text, width)
  return (' '):rep(width - width_of(text)) .. text
end

---@param zoom codegaze.Zoom
---@return integer characters a cell is wide, integer rows a line has
local function shape(zoom)
  if zoom == 'cells' then
    return 2, 1
  end
  return 1, 2
end

--- How a matrix is laid out in a space; the size is what it needs of that.
---@param matrix codegaze.Matrix
---@param zoom codegaze.Zoom
---@param width integer
---@param height integer
---@return codegaze.Size size, boolean fits everything is visible
function M.measure(matrix, zoom, width, height)
  local n, longest = #matrix.tokens, 1
  for _, token in ipairs(matrix.tokens) do
    longest = math.max(longest, width_of(M.clean(token.label)))
  end
  local across, per_line = shape(zoom)
  local label = math.min(longest * per_line + per_line - 1, MAX_ROW_LABEL, math.max(4, math.floor(width / 4)))
  local header = math.min(longest, MAX_COLUMN_LABEL, math.max(1, math.floor(height / 4)))
  local columns = math.max(1, math.min(n, math.floor((width - label - 1) / across)))
  local lines = math.max(1, math.min(math.ceil(n / per_line), height - header - FOOT))
  local rows = math.min(n, lines * per_line)
  return {
    zoom = zoom,
    label = label,
    header = header,
    rows = rows,
    columns = columns,
    width = label + 1 + columns * across,
    height = header + lines + FOOT,
  },
    columns == n and rows == n
end

--- Scrolls so that the selected cell is visible.
---@param selection codegaze.Selection
---@param size codegaze.Size
---@param n integer
function M.follow(selection, size, n)
  local function scroll(first, at, visible)
    first = math.max(at - visible + 1, math.min(first, at))
    return math.max(1, math.min(first, n - visible + 1))
  end
  selection.top = scroll(selection.top, selection.query, size.rows)
  selection.left = scroll(selection.left, selection.key, size.columns)
end

local function header(matrix, selection, size, lines, marks)
  local across = shape(size.zoom)
  local labels = {}
  for column = 0, size.columns - 1 do
    local characters = vim.fn.split(M.clean(matrix.tokens[selection.left + column].label), '\\zs')
    if #characters > size.header then
      characters[size.header] = '…'
    end
    labels[column] = vim.list_slice(characters, 1, size.header)
  end
  for row = 1, size.header do
    local text = (' '):rep(size.label + 1)
    for column = 0, size.columns - 1 do
      local label = labels[column]
      local character = label[row - size.header + #label] or ' '
      if width_of(character) > across then
        character = '·'
      end
      local start = #text
      text = text .. character .. (' '):rep(across - width_of(character))
      if selection.left + column == selection.key then
        marks[#marks + 1] = { #lines, start, #text, 'CodegazeAxis' }
      end
    end
    lines[#lines + 1] = text
  end
end

--- Neighbors of one color become one mark.
local function paint(marks, row, start, bytes, groups)
  local from = 1
  for i = 2, #groups + 1 do
    if groups[i] ~= groups[from] then
      marks[#marks + 1] = { row, start + (from - 1) * bytes, start + (i - 1) * bytes, groups[from] }
      from = i
    end
  end
end

--- Where the second of a pair of labels begins, in bytes; in the middle if it was cut off.
local function lower_name(names, lower)
  return vim.endswith(names, ' ' .. lower) and #names - #lower
    or vim.str_byteindex(names, 'utf-32', vim.str_utfindex(names, 'utf-32') - 1)
end

local function body(matrix, coloring, selection, size, lines, marks, starts)
  local _, per_line = shape(size.zoom)
  local function label(row)
    return M.clean(matrix.tokens[row].label)
  end
  local function step(row, column)
    if row == selection.query and column == selection.key then
      return 'Cursor'
    end
    return cells.step(coloring.place(row, column))
  end
  local last = selection.top + size.rows - 1
  for row = selection.top, last, per_line do
    local lower = per_line == 2 and row < last and row + 1 or nil
    local names = to_the_right(lower and label(row) .. ' ' .. label(lower) or label(row), size.label)
    local text = names .. ' '
    local start, groups = #text, {}
    for column = selection.left, selection.left + size.columns - 1 do
      if per_line == 1 then
        groups[#groups + 1] = cells.group(step(row, column))
      else
        groups[#groups + 1] = cells.pair(step(row, column), lower and step(lower, column))
      end
    end
    if row == selection.query then
      marks[#marks + 1] = { #lines, 0, lower and lower_name(names, label(lower)) - 1 or #names, 'CodegazeAxis' }
    elseif lower == selection.query then
      marks[#marks + 1] = { #lines, lower_name(names, label(lower)), #names, 'CodegazeAxis' }
    end
    local cell = per_line == 1 and '  ' or HALF
    paint(marks, #lines, start, #cell, groups)
    lines[#lines + 1] = text .. cell:rep(size.columns)
    starts[#lines] = start
  end
end

local function scale(matrix, coloring, selection, size, lines, marks)
  local text = '0 '
  for step = 0, cells.STEPS - 1 do
    marks[#marks + 1] = { #lines, #text, #text + 1, cells.group(step) }
    text = text .. ' '
  end
  text = text .. ' ' .. coloring.last
  local n, hidden = #matrix.tokens, {}
  for _, part in ipairs({ { 'rows', selection.top, size.rows }, { 'columns', selection.left, size.columns } }) do
    if part[3] < n then
      hidden[#hidden + 1] = ('%s %d–%d'):format(part[1], part[2], part[2] + part[3] - 1)
    end
  end
  if #hidden > 0 then
    text = text .. ('  %s of %d'):format(table.concat(hidden, ', '), n)
  end
  lines[#lines + 1] = text
end

---@param token codegaze.MatrixToken
local function named(token)
  local label = '“' .. M.clean(token.label) .. '”'
  return token.range and ('%s (line %d)'):format(label, token.range.start.line + 1) or label
end

--- The selected cell in words.
---@param matrix codegaze.Matrix
---@param selection codegaze.Selection
---@return string[]
function M.words(matrix, selection)
  local weight, rank = matrix:weight(selection.query, selection.key), 1
  for key = 1, #matrix.tokens do
    if matrix:weight(selection.query, key) > weight then
      rank = rank + 1
    end
  end
  return {
    ('%s attends to %s'):format(named(matrix.tokens[selection.query]), named(matrix.tokens[selection.key])),
    ('with %.1f %% of its attention: number %d of the %d %ss here'):format(
      weight * 100,
      rank,
      #matrix.tokens,
      matrix.answer.unit
    ),
  }
end

---@param matrix codegaze.Matrix
---@param coloring codegaze.Coloring
---@param selection codegaze.Selection
---@param size codegaze.Size
---@param note? string a line more than the size has
---@return codegaze.Picture
function M.draw(matrix, coloring, selection, size, note)
  local lines, marks, starts = {}, {}, {}
  header(matrix, selection, size, lines, marks)
  body(matrix, coloring, selection, size, lines, marks, starts)
  scale(matrix, coloring, selection, size, lines, marks)
  lines[#lines + 1] = note
  vim.list_extend(lines, M.words(matrix, selection))
  return { lines = lines, marks = marks, starts = starts }
end

--- Where a cell is in a picture: (line from 1, byte column).
---@param picture codegaze.Picture
---@param selection codegaze.Selection
---@param size codegaze.Size
---@return integer line, integer column
function M.place(picture, selection, size)
  local _, per_line = shape(size.zoom)
  local line = size.header + 1 + math.floor((selection.query - selection.top) / per_line)
  local bytes = size.zoom == 'cells' and 2 or #HALF
  return line, picture.starts[line] + (selection.key - selection.left) * bytes
end

--- The cell at a place of a picture; nil outside. In the overview it is the upper one.
---@param picture codegaze.Picture
---@param selection codegaze.Selection
---@param size codegaze.Size
---@param line integer
---@param column integer
---@return integer? query, integer? key
function M.cell_at(picture, selection, size, line, column)
  local start = picture.starts[line]
  if not start or column < start then
    return nil
  end
  local _, per_line = shape(size.zoom)
  local bytes = size.zoom == 'cells' and 2 or #HALF
  local key = selection.left + math.min(math.floor((column - start) / bytes), size.columns - 1)
  return selection.top + (line - size.header - 1) * per_line, key
end

return M
