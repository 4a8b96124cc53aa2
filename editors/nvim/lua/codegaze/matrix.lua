--- The heatmap of a function in a floating window: one at a time.
local client_of = require('codegaze.client')

local M = {}

local panel ---@type codegaze.Panel?

---@class codegaze.MatrixOptions
---@field whole? boolean the whole chunk instead of the function at the cursor
---@field position? lsp.Position default: the cursor's

--- Opens the heatmap for a buffer that is in a window.
---@param buf integer
---@param opts? codegaze.MatrixOptions
function M.open(buf, opts)
  opts = opts or {}
  local client = client_of.need(buf)
  if not client then
    return
  end
  local win = vim.api.nvim_get_current_buf() == buf and vim.api.nvim_get_current_win() or vim.fn.bufwinid(buf)
  if win == -1 then
    return client_of.notify('the document is in no window', vim.log.levels.WARN)
  end
  M.close()
  local position = opts.position or vim.lsp.util.make_position_params(win, client.offset_encoding).position
  panel = require('codegaze.matrix.panel').new(buf, win, position, opts.whole or false)
  panel:load()
end

function M.close()
  if panel then
    panel:close()
    panel = nil
  end
end

--- There is new heat, of another text or by another view.
---@param changed { uri: string }
function M.on_changed(changed)
  if panel and panel:is_open() and vim.uri_to_bufnr(changed.uri) == panel.buf then
    panel:load()
  end
end

return M
