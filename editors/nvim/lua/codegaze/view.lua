--- The view of all documents (method, layers, heads) and the model.
local client_of = require('codegaze.client')
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

--- What may be asked for, by the name of the subcommand.
---@type table<string, fun(buf: integer): string[]>
M.choices = {
  layer = function(buf)
    return numbered({ 'default', 'last', 'all' }, (status.model(buf) or {}).layers or 0)
  end,
  head = function(buf)
    return numbered({ 'mean', 'max' }, (status.model(buf) or {}).heads or 0)
  end,
  method = function(buf)
    return (status.model(buf) or {}).methods or {}
  end,
  model = function()
    return vim.deepcopy(M.MODELS)
  end,
}

local KEYS = { layer = 'layers', head = 'heads', method = 'method' }

--- A view in words.
---@param view table
---@return string
function M.describe(view)
  local function list(x)
    return type(x) == 'table' and table.concat(x, ', ') or tostring(x)
  end
  return ('%s: method %s, layers %s, heads %s'):format(view.model, view.method, list(view.layers), list(view.heads))
end

---@param buf integer
---@param what 'layer'|'head'|'method'|'model'
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
---@param what 'layer'|'head'|'method'|'model'
function M.ask(buf, what)
  if not client_of.need(buf) then
    return
  end
  vim.ui.select(M.choices[what](buf), { prompt = 'codegaze: ' .. what }, function(choice)
    if choice then
      M.set(buf, what, choice)
    end
  end)
end

---@param buf integer
function M.ask_what(buf)
  vim.ui.select({ 'method', 'layer', 'head', 'model' }, { prompt = 'codegaze: change the' }, function(what)
    if what then
      M.ask(buf, what)
    end
  end)
end

return M
