--- Heat: the server's semantic tokens `attention1` … `attention5` as backgrounds.
---
--- Neovim draws the tokens of all servers and combines their attributes, so groups that have a background alone leave the
--- colors of the language's own server as they are.
local client_of = require('codegaze.client')
local colors = require('codegaze.colors')

local M = {}

--- A blue, which color-blind people can see, and its opacity over the background at each level. Every color of text of the default
--- color scheme that has a contrast of 4.5:1 on the background has it on all five levels; a test measures this.
local HUE = { dark = 0x002A80, light = 0x80D8FF }
local ALPHA = { 0.2, 0.4, 0.6, 0.8, 1 }

M.LEVELS = #ALPHA

local CTERM = {
  dark = { 233, 234, 17, 18, 19 },
  light = { 255, 195, 153, 117, 81 },
}

function M.define_groups()
  local under = colors.background()
  local cterm, hue = CTERM[vim.o.background] or CTERM.dark, HUE[vim.o.background] or HUE.dark
  local lowest = require('codegaze.config').min_level()
  for level, alpha in ipairs(ALPHA) do
    colors.define('CodegazeLevel' .. level, { bg = colors.blend(hue, under, alpha), ctermbg = cterm[level] })
    if level >= lowest then
      colors.define('@lsp.type.attention' .. level, { link = 'CodegazeLevel' .. level })
    end
  end
end

local shown ---@type boolean? nil: as the option says

--- Whether the heat is shown.
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

--- Neovim starts the tokens of a buffer itself, one tick after `LspAttach`.
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

return M
