--- The view of all documents (method, layers, heads, aggregate) and the model.
local client_of = require('codegaze.client')
local lists = require('codegaze.lists')
local status = require('codegaze.status')

local M = {}

--- Models that are known to work; any RoBERTa encoder does.
M.MODELS = {
  'auto',
  'embedded',
  'microsoft/codebert-base',
  'microsoft/graphcodebert-base',
  'microsoft/unixcoder-base',
  'huggingface/CodeBERTa-small-v1',
}

---@param words string[]
---@param count integer
local function numbered(words, count)
  for i = 0, count - 1 do
    words[#words + 1] = tostring(i)
  end
  return words
end

---@param list { name: string, text: string }[]
local function names(list)
  return vim.tbl_map(function(entry)
    return entry.name
  end, list)
end

--- What may be asked for, by the name of the subcommand.
---@type table<string, fun(buf: integer): string[]>
M.choices = {
  layer = function(buf)
    return numbered({ 'default', 'last', 'all' }, (status.model(buf) or {}).layers or 0)
  end,
  head = function(buf)
    return numbered(names(lists.FUSIONS), (status.model(buf) or {}).heads or 0)
  end,
  method = function(buf)
    return (status.model(buf) or {}).methods or {}
  end,
  aggregate = function()
    return names(lists.AGGREGATES)
  end,
  model = function()
    return vim.deepcopy(M.MODELS)
  end,
}

local KEYS = { layer = 'layers', head = 'heads', method = 'method', aggregate = 'aggregate' }

--- A view in words.
---@param view table
---@return string
function M.describe(view)
  local function list(x)
    return type(x) == 'table' and table.concat(x, ', ') or tostring(x)
  end
  local text = '%s: method %s, layers %s, heads %s, aggregate %s'
  return text:format(view.model, view.method, list(view.layers), list(view.heads), view.aggregate)
end

--- What a value means, if a list explains it.
---@param what string
---@param value string
---@return string?
function M.explain(what, value)
  local list = ({ aggregate = lists.AGGREGATES, head = lists.FUSIONS })[what] or {}
  for _, entry in ipairs(list) do
    if entry.name == value then
      return entry.text
    end
  end
end

---@param buf integer
---@param what 'layer'|'head'|'method'|'aggregate'|'model'
---@param value string
function M.set(buf, what, value)
  if what == 'model' then
    -- A directory is looked for from where the user is, and not from where the server was started.
    local path = vim.fn.expand(value)
    if not vim.tbl_contains(M.MODELS, value) and vim.fn.isdirectory(path) == 1 then
      value = vim.fn.fnamemodify(path, ':p')
    end
    client_of.execute(buf, 'codegaze.server.setModel', { model = value }, function(model)
      if model and model.state == 'ready' and model.id then
        client_of.notify('the model is ' .. model.id)
      else
        client_of.notify(client_of.value(model and model.message) or ('loading ' .. value))
      end
    end)
    return
  end
  local argument = { [KEYS[what]] = (what == 'layer' and value == 'default') and vim.NIL or value }
  client_of.execute(buf, 'codegaze.server.setView', argument, function(view)
    if view then
      client_of.notify(M.describe(view))
    end
  end)
end

--- Lets the user choose.
---@param buf integer
---@param what 'layer'|'head'|'method'|'aggregate'|'model'
function M.ask(buf, what)
  if not client_of.need(buf) then
    return
  end
  local function format_item(value)
    local text = M.explain(what, value)
    return text and ('%s: %s'):format(value, text) or value
  end
  vim.ui.select(M.choices[what](buf), { prompt = 'codegaze: ' .. what, format_item = format_item }, function(choice)
    if choice then
      M.set(buf, what, choice)
    end
  end)
end

---@param buf integer
function M.ask_what(buf)
  vim.ui.select({ 'method', 'layer', 'head', 'aggregate', 'model' }, { prompt = 'codegaze: change the' }, function(what)
    if what then
      M.ask(buf, what)
    end
  end)
end

return M
