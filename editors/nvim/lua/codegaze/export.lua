--- Writes heatmaps to files; the server draws and writes them.
local client_of = require('codegaze.client')

local M = {}

M.FORMATS = { 'svg', 'png', 'html', 'json' }
M.KINDS = { 'matrix', 'source' }

---@class codegaze.Export
---@field format? string default: by the path's ending, else svg
---@field kind? string default: matrix
---@field path? string default: the document's name, in the current directory
---@field range? lsp.Range default: the whole document; for a matrix, the chunk at the cursor
---@field force? boolean replace a file

---@param buf integer
---@param export codegaze.Export
function M.write(buf, export)
  local client = client_of.need(buf)
  if not client then
    return
  end
  local format = export.format
  if not format and export.path then
    local ending = export.path:match('%.(%w+)$')
    format = vim.tbl_contains(M.FORMATS, ending) and ending or nil
  end
  format = format or 'svg'
  local path = export.path
  if not path then
    local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buf), ':t')
    path = ('%s.heatmap.%s'):format(name ~= '' and name or 'untitled', format)
  end
  path = vim.fn.fnamemodify(vim.fn.expand(path), ':p')
  if vim.uv.fs_stat(path) and not export.force then
    return client_of.notify(('%s exists; :Codegaze! export replaces it'):format(path), vim.log.levels.ERROR)
  end
  local kind = export.kind or 'matrix'
  local range = export.range
  if not range and kind == 'matrix' and vim.api.nvim_get_current_buf() == buf then
    local position = vim.lsp.util.make_position_params(0, client.offset_encoding).position
    range = { start = position, ['end'] = position }
  end
  client_of.execute(buf, 'codegaze.server.heatmap', {
    uri = vim.uri_from_bufnr(buf),
    format = format,
    kind = kind,
    range = format ~= 'json' and range or nil,
    theme = vim.o.background,
    path = path,
  }, function()
    client_of.notify('wrote ' .. path)
  end)
end

--- Lets the user choose a format.
---@param buf integer
---@param range lsp.Range
function M.ask(buf, range)
  vim.ui.select(M.FORMATS, { prompt = 'codegaze: export as' }, function(format)
    if format then
      M.write(buf, { format = format, range = range })
    end
  end)
end

return M
