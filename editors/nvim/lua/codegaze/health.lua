--- `:checkhealth codegaze`
local M = {}

local health = vim.health

local function check_neovim()
  health.start('codegaze: Neovim')
  if vim.fn.has('nvim-0.11') == 1 then
    health.ok('Neovim ' .. tostring(vim.version()))
  else
    health.error('Neovim 0.11 or later is needed', 'Install a newer Neovim.')
  end
  if vim.o.termguicolors then
    health.ok('termguicolors is on')
  else
    health.warn(
      'termguicolors is off: the levels are the nearest of 256 colors, and the underlines may lack theirs',
      'In a terminal that has 24-bit colors, :set termguicolors'
    )
  end
  local mistakes = require('codegaze.config').mistakes()
  for _, mistake in ipairs(mistakes) do
    health.warn(mistake, ':help codegaze-options')
  end
  if #mistakes == 0 then
    health.ok('options are valid')
  end
end

local function check_server()
  health.start('codegaze: server')
  local config = vim.lsp.config.codegaze
  local cmd = config and config.cmd
  if not cmd then
    return health.error(
      'there is no configuration “codegaze”',
      'Is the plugin’s directory in runtimepath? :help codegaze-install'
    )
  end
  if not vim.lsp.is_enabled('codegaze') then
    health.warn('the server is not enabled', "vim.lsp.enable('codegaze') in init.lua")
  end
  if type(cmd) ~= 'table' then
    return health.info('the server is started by a function')
  end
  if vim.fn.executable(cmd[1]) == 0 then
    return health.error(('`%s` cannot be executed'):format(cmd[1]), {
      'cargo install --locked --path . in a clone of codegaze',
      "or vim.lsp.config('codegaze', { cmd = { '/path/to/codegaze', 'lsp', '--stdio' } })",
    })
  end
  local started, process = pcall(vim.system, { cmd[1], '--version' }, { text = true, timeout = 5000 })
  local result = started and process:wait() or nil
  if result and result.code == 0 then
    health.ok(('`%s`: %s'):format(vim.fn.exepath(cmd[1]), vim.trim(result.stdout)))
  else
    health.error(('`%s --version` failed: %s'):format(cmd[1], vim.trim(result and result.stderr or tostring(process))))
  end
end

---@param client vim.lsp.Client
local function check_model(client)
  local value = require('codegaze.client').value
  local buf = vim.lsp.get_buffers_by_client_id(client.id)[1] or 0
  local answer = client:request_sync('codegaze/model', vim.empty_dict(), 2000, buf)
  local model = answer and value(answer.result)
  if not model then
    return health.error(
      'the server did not say which model it has',
      'The log of the language servers: ' .. vim.lsp.log.get_filename()
    )
  end
  local id = value(model.id) or '(none yet)'
  if model.state == 'error' then
    health.error(('model: %s'):format(value(model.message) or model.state))
  elseif model.embedded then
    health.ok(('model: %s, the small one that is part of codegaze'):format(id))
    health.info('CodeBERT: :Codegaze model microsoft/codebert-base')
  else
    health.ok(('model: %s, %s'):format(id, model.state))
  end
end

--- Neovim itself warns of clients with different encodings; here it does no harm.
---@param client vim.lsp.Client
local function check_encodings(client)
  local others = {}
  for buf in pairs(client.attached_buffers) do
    for _, other in ipairs(vim.lsp.get_clients({ bufnr = buf })) do
      if other.offset_encoding ~= client.offset_encoding then
        others[other.name] = other.offset_encoding
      end
    end
  end
  for name, encoding in vim.spairs(others) do
    health.info(
      ('%s counts in %s, codegaze in %s; each is read in its own. To silence :checkhealth vim.lsp: :help codegaze-encoding'):format(
        name,
        encoding,
        client.offset_encoding
      )
    )
  end
end

function M.check()
  check_neovim()
  check_server()
  health.start('codegaze: running')
  local clients = vim.lsp.get_clients({ name = 'codegaze' })
  if #clients == 0 then
    return health.info('no server is running; it starts with the first file of a language in its filetypes')
  end
  for _, client in ipairs(clients) do
    health.ok(
      ('client %d, %d buffers, positions in %s'):format(
        client.id,
        vim.tbl_count(client.attached_buffers),
        client.offset_encoding
      )
    )
    if not vim.tbl_get(client.server_capabilities, 'semanticTokensProvider') then
      health.warn('the server sends no heat', 'Is features.semanticTokens off in the settings?')
    end
    check_model(client)
    check_encodings(client)
  end
end

return M
