--- Heat: the server's semantic tokens `attention1` … `attention5` as backgrounds.
---
--- Neovim draws the tokens of all servers and combines their attributes, so groups that have a background alone leave the
--- colours of the language's own server as they are.
local client_of = require('codegaze.client')
local colors = require('codegaze.colors')

local M = {}

--- One hue that colour-blind people see as well (Okabe and Ito's blue), by how much of it lies over the background.
--- Text keeps a contrast of 5:1 on all five.
local HUE = 0x0072B2
local ALPHA = { 0.08, 0.16, 0.26, 0.38, 0.52 }

M.LEVELS = #ALPHA

local CTERM = {
  dark = { 233, 234, 17, 18, 24 },
  light = { 255, 195, 153, 117, 74 },
}

function M.define_groups()
  local under = colors.background()
  local cterm = CTERM[vim.o.background] or CTERM.dark
  for level, alpha in ipairs(ALPHA) do
    colors.define('CodegazeLevel' .. level, { bg = colors.blend(HUE, under, alpha), ctermbg = cterm[level] })
    colors.define('@lsp.type.attention' .. level, { link = 'CodegazeLevel' .. level })
  end
end

local shown ---@type boolean? nil: as the option says

--- Is the heat shown?
---@return boolean
function M.is_shown()
  if shown == nil then
    shown = require('codegaze.config').get().heat
  end
  return shown
end

---@param client vim.lsp.Client
---@param buf integer
local function apply(client, buf)
  local tokens = vim.lsp.semantic_tokens
  ---@diagnostic disable-next-line: undefined-field -- since 0.12, for all buffers of a client or for all clients of a buffer
  local enable = tokens.enable
  if enable then
    enable(shown, { client_id = client.id })
  elseif shown then
    tokens.start(buf, client.id)
  else
    tokens.stop(buf, client.id)
  end
end

--- Shows or hides the heat in all buffers; other servers' tokens stay.
---@param on boolean
function M.show(on)
  shown = on
  for _, client in ipairs(vim.lsp.get_clients({ name = client_of.NAME })) do
    for _, buf in ipairs(vim.lsp.get_buffers_by_client_id(client.id)) do
      apply(client, buf)
    end
  end
end

--- Neovim starts the tokens of a buffer by itself, a tick after `LspAttach`.
---@param client vim.lsp.Client
---@param buf integer
function M.attach(client, buf)
  if M.is_shown() then
    return
  end
  vim.schedule(function()
    vim.schedule(function()
      if vim.lsp.buf_is_attached(buf, client.id) and not M.is_shown() then
        apply(client, buf)
      end
    end)
  end)
end

-- A long document's tokens can take longer than the server waits for them (its setting `deadlineMs`), and Neovim does not ask
-- again by itself before the next edit. So how long the latest answer took is remembered; if the server can have given up, it is
-- asked again when the heat is there.

---@type table<integer, { asked: integer?, took: integer?, tick: integer? }> by buffer
local requests = {}

--- An answer that took this long, in milliseconds, may say that it took too long.
---@param client vim.lsp.Client
---@return number
local function patience(client)
  local settings = client.settings.codegaze or {}
  local options = client.config.init_options or {}
  return 0.8 * (settings.deadlineMs or options.deadlineMs or 5000)
end

---@param buf integer
---@param kind 'pending'|'complete'|'cancel'
function M.on_token_request(buf, kind)
  local request = requests[buf] or {}
  requests[buf] = request
  if kind == 'pending' then
    request.asked, request.took = vim.uv.now(), nil
    request.tick = vim.api.nvim_buf_get_changedtick(buf)
  elseif kind == 'complete' and request.asked then
    request.took, request.asked = vim.uv.now() - request.asked, nil
  else
    request.asked = nil
  end
end

---@param client vim.lsp.Client
---@param changed { uri: string, version: integer, complete: boolean }
function M.on_changed(client, changed)
  local buf = vim.uri_to_bufnr(changed.uri)
  local request = requests[buf]
  if not (changed.complete and request and request.took and request.took >= patience(client)) then
    return
  end
  request.took = nil
  local refresh = vim.lsp.handlers['workspace/semanticTokens/refresh']
  if refresh and vim.api.nvim_buf_get_changedtick(buf) == request.tick then
    refresh(nil, nil, { client_id = client.id, method = 'workspace/semanticTokens/refresh' })
  end
end

---@param buf integer
function M.forget(buf)
  requests[buf] = nil
end

return M
