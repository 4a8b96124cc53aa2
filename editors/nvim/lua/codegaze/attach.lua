--- What happens when the server attaches to a buffer.
local M = {}

local function define_groups()
  require('codegaze.heat').define_groups()
  require('codegaze.attention').define_groups()
  require('codegaze.matrix.cells').define_groups()
end

local function is_ours(id)
  local client = vim.lsp.get_client_by_id(id)
  return client ~= nil and client.name == 'codegaze'
end

local ready = false

--- Called once in a session.
function M.prepare()
  if ready then
    return
  end
  ready = true
  define_groups()
  local group = vim.api.nvim_create_augroup('codegaze.session', {})
  vim.api.nvim_create_autocmd('ColorScheme', { group = group, callback = define_groups })
  vim.api.nvim_create_autocmd('OptionSet', { group = group, pattern = 'background', callback = define_groups })
  vim.api.nvim_create_autocmd('LspDetach', {
    group = group,
    callback = function(args)
      if is_ours(args.data.client_id) then
        require('codegaze.attention').clear(args.buf)
        require('codegaze.status').changed()
      end
    end,
  })
  require('codegaze.lens').register()
  if require('codegaze.config').get().attention.enabled then
    require('codegaze.attention').enable(true)
  end
end

--- Called once for each process of the server.
---@param client vim.lsp.Client
local function listen(client)
  if client.handlers['codegaze/status'] then
    return
  end
  client.handlers['codegaze/status'] = function(_, status)
    require('codegaze.status').on_status(client, status)
  end
  client.handlers['codegaze/heatmapChanged'] = function(_, changed)
    require('codegaze.attention').on_changed(changed)
    require('codegaze.matrix').on_changed(changed)
  end
  require('codegaze.status').ask(client)
end

---@param client vim.lsp.Client
---@param buf integer
function M.attach(client, buf)
  M.prepare()
  listen(client)
  require('codegaze.heat').attach(client, buf)
end

return M
