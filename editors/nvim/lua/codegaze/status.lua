--- The model's state: for the status line, for completion, and for the note at the first run.
local client_of = require('codegaze.client')

local M = {}

---@class codegaze.Status
---@field state 'loading'|'ready'|'downloading'|'error'
---@field message? string
---@field model? string
---@field embedded boolean
---@field percent? integer
---@field analysisMs? number of the latest analysis
---@field analysisUri? string the document of that analysis
---@field view? table

---@type table<integer, codegaze.Status> by client
local statuses = {}
---@type table<integer, number> how long the latest analysis took, by buffer
local times = {}
---@type table<integer, table> the latest answer to codegaze/model, by client
local models = {}

--- Redraws what shows the status.
function M.changed()
  vim.cmd.redrawstatus({ bang = true })
  vim.api.nvim_exec_autocmds('User', { pattern = 'CodegazeStatus', modeline = false })
end

---@param client vim.lsp.Client
function M.ask(client)
  client:request('codegaze/model', vim.empty_dict(), function(err, model)
    model = client_of.value(model)
    if err or not model then
      return
    end
    models[client.id] = model
    if not statuses[client.id] then
      M.on_status(client, {
        state = model.state,
        message = model.message,
        model = model.id,
        embedded = model.embedded,
        view = model.view,
      })
    end
  end)
end

---@param client vim.lsp.Client
---@param status codegaze.Status
function M.on_status(client, status)
  local old = statuses[client.id]
  for key, value in pairs(status) do
    status[key] = client_of.value(value)
  end
  statuses[client.id] = status
  if status.analysisMs and status.analysisUri then
    times[vim.uri_to_bufnr(status.analysisUri)] = status.analysisMs
  end
  if old and (old.model ~= status.model or old.state ~= status.state) then
    M.ask(client)
  end
  if status.state == 'error' and not (old and old.message == status.message) then
    client_of.notify(status.message or 'the model cannot be used', vim.log.levels.ERROR)
  end
  if status.state == 'ready' then
    require('codegaze.note').first_run(status)
  end
  M.changed()
end

--- The status of a buffer's server.
---@param buf? integer
---@return codegaze.Status?
function M.of(buf)
  local client = client_of.of(buf)
  return client and statuses[client.id]
end

--- The model of a buffer's server: the latest answer, or requested now.
---@param buf? integer
---@return table?
function M.model(buf)
  local client = client_of.of(buf)
  if not client then
    return nil
  end
  local known = models[client.id]
  if not known or known.layers == 0 then
    local answer = client:request_sync('codegaze/model', vim.empty_dict(), 500, client_of.resolve(buf))
    known = answer and client_of.value(answer.result) or known
    models[client.id] = known
  end
  return known
end

--- The text has no percent sign, which would start an item of the status line.
---@param buf? integer
---@return string
function M.text(buf)
  buf = client_of.resolve(buf)
  if not package.loaded['codegaze.attach'] or not client_of.of(buf) then
    return ''
  end
  local status = M.of(buf)
  if not status then
    return 'codegaze: starting'
  elseif status.state == 'downloading' then
    return ('codegaze: downloading %s'):format(status.percent and status.percent .. ' of 100' or '…')
  elseif status.state ~= 'ready' then
    return 'codegaze: ' .. status.state
  end
  local parts = { status.model or 'codegaze' }
  if not require('codegaze.heat').is_shown() then
    parts[#parts + 1] = 'hidden'
  elseif times[buf] then
    parts[#parts + 1] = ('%.0f ms'):format(times[buf])
  end
  return table.concat(parts, ' ')
end

return M
