--- What a configuration may call. Everything else is reached by `:Codegaze`.
local M = {}

--- The model and its state in a few characters, for a status line; empty in buffers without the server.
---@param buf? integer default: the current buffer
---@return string
function M.status(buf)
  return require('codegaze.status').text(buf)
end

--- Optional: options may as well be set as `vim.g.codegaze`, and the server started with `vim.lsp.enable('codegaze')`.
---@param opts? codegaze.Options
function M.setup(opts)
  vim.g.codegaze = vim.tbl_deep_extend('force', vim.g.codegaze or {}, opts or {})
  vim.lsp.enable('codegaze')
end

return M
