--- The keys of the heatmap's window.
local M = {}

--- The element of a list some steps after (or before) one, around the end.
local function beside(list, current, step)
  local at = 1
  for i, value in ipairs(list) do
    if value == current then
      at = i
    end
  end
  return list[(at - 1 + step) % #list + 1]
end

--- The text before the numbers 0 … count - 1.
local function choices(words, count)
  local list = vim.deepcopy(words)
  for i = 0, count - 1 do
    list[#list + 1] = i
  end
  return list
end

--- What was asked for last, whether it has been answered or not: keys may come faster than answers.
local function asked(panel, key)
  return panel.view[key] or panel.matrix.answer.view[key]
end

--- One layer or head; `several` stands for any other choice.
local function one(choice, several)
  if type(choice) == 'table' then
    return #choice == 1 and choice[1] or several
  end
  return choice
end

---@param panel codegaze.Panel
local function layer(panel, step)
  local layers = choices({ 'all' }, panel:model().layers or 0)
  panel.view.layers = beside(layers, one(asked(panel, 'layers'), 'all'), step)
  panel:load()
end

---@param panel codegaze.Panel
local function head(panel, step)
  local heads = choices({ 'mean', 'max' }, panel:model().heads or 0)
  panel.view.heads = beside(heads, one(asked(panel, 'heads'), 'mean'), step)
  panel:load()
end

---@param panel codegaze.Panel
local function method(panel)
  panel.view.method = beside(panel:model().methods or { 'received' }, asked(panel, 'method'), 1)
  panel:load()
end

---@param panel codegaze.Panel
local function chunk(panel, step)
  local wanted = (panel.chunk or panel.matrix.answer.chunk) + step
  if wanted >= 0 and wanted < panel.matrix.answer.chunks then
    panel.whole, panel.chunk = true, wanted
    panel.selection = { query = 1, key = 1, top = 1, left = 1 }
    panel:load()
  end
end

---@param panel codegaze.Panel
---@param buf integer
function M.map(panel, buf)
  local function map(keys, description, action)
    for _, key in ipairs(type(keys) == 'table' and keys or { keys }) do
      vim.keymap.set('n', key, function()
        if panel.matrix then
          action(vim.v.count1)
        end
      end, { buffer = buf, nowait = true, desc = description })
    end
  end
  local function move(keys, description, rows, columns)
    map(keys, description, function(count)
      panel:select(panel.selection.query + rows * count, panel.selection.key + columns * count)
    end)
  end
  move({ 'h', '<Left>' }, 'The key before', 0, -1)
  move({ 'l', '<Right>' }, 'The next key', 0, 1)
  move({ 'k', '<Up>' }, 'The query above', -1, 0)
  move({ 'j', '<Down>' }, 'The query below', 1, 0)
  move({ '<C-u>', '<PageUp>' }, 'Ten queries up', -10, 0)
  move({ '<C-d>', '<PageDown>' }, 'Ten queries down', 10, 0)
  map({ '0', '^', '<Home>' }, 'The first key', function()
    panel:select(panel.selection.query, 1)
  end)
  map({ '$', '<End>' }, 'The last key', function()
    panel:select(panel.selection.query, #panel.matrix.tokens)
  end)
  map('gg', 'The first query', function()
    panel:select(1, panel.selection.key)
  end)
  map('G', 'The last query', function()
    panel:select(#panel.matrix.tokens, panel.selection.key)
  end)
  map('w', 'The heaviest key of the row', function()
    panel:select(panel.selection.query, panel.matrix:heaviest(panel.selection.query)[1])
  end)
  map(']l', 'The next layer', function(count)
    layer(panel, count)
  end)
  map('[l', 'The layer before', function(count)
    layer(panel, -count)
  end)
  map(']h', 'The next head', function(count)
    head(panel, count)
  end)
  map('[h', 'The head before', function(count)
    head(panel, -count)
  end)
  map(']c', 'The next chunk', function(count)
    chunk(panel, count)
  end)
  map('[c', 'The chunk before', function(count)
    chunk(panel, -count)
  end)
  map('m', 'The next method', function()
    method(panel)
  end)
  map('s', 'Show this view in the source', function()
    panel:show_in_source()
  end)
  map('S', 'Show the view of the source here', function()
    panel:show_source_view()
  end)
  map('u', 'Lexemes or subwords', function()
    panel.unit = panel.unit == 'lexeme' and 'subword' or 'lexeme'
    panel:load()
  end)
  map('f', 'The function or the whole chunk', function()
    panel.whole, panel.chunk = not panel.whole, nil
    panel:load()
  end)
  map('c', 'Other colors', function(count)
    panel:set_scaling(beside(require('codegaze.matrix.scaling').NAMES, panel.scaling, count))
  end)
  map('z', 'Large cells or the overview', function()
    panel:toggle_zoom()
  end)
  map('<CR>', 'Go to the key in the code', function()
    panel:jump(panel.selection.key)
  end)
  map('o', 'Go to the query in the code', function()
    panel:jump(panel.selection.query)
  end)
  map('g?', 'What the colors mean', function()
    require('codegaze.legend').open()
  end)
  map({ 'q', '<Esc>' }, 'Close', function()
    panel:close()
  end)
end

return M
