--- The server of a buffer: sends requests, and converts the positions of its answers.
local M = {}

M.NAME = 'codegaze'

---@param message string
---@param level? integer
function M.notify(message, level)
  vim.notify('codegaze: ' .. message, level or vim.log.levels.INFO)
end

---@param buf? integer
---@return integer
function M.resolve(buf)
  return (buf == nil or buf == 0) and vim.api.nvim_get_current_buf() or buf
end

--- The client of a buffer, if the server is attached to it.
---@param buf? integer
---@return vim.lsp.Client?
function M.of(buf)
  return vim.lsp.get_clients({ name = M.NAME, bufnr = M.resolve(buf) })[1]
end

--- The client of a buffer; without one, the user is told what to do.
---@param buf? integer
---@return vim.lsp.Client?
function M.need(buf)
  local client = M.of(buf)
  if not client then
    M.notify(
      "the server is not attached to this buffer; vim.lsp.enable('codegaze') attaches it, :checkhealth codegaze finds out",
      vim.log.levels.WARN
    )
  end
  return client
end

--- nil for nil and for JSON's null: versions of Neovim return one or the other.
function M.value(x)
  if x == vim.NIL then
    return nil
  end
  return x
end

---@alias codegaze.Absence 'stale'|'later'|'nothing'|'failed'

--- Sends a request, and calls back with the answer, or with nil and the reason:
--- the text has changed (`stale`), the analysis takes longer (`later`), there is nothing (`nothing`), an error (`failed`).
---@param buf integer
---@param method string
---@param params table
---@param done fun(result: table?, absence: codegaze.Absence?, message: string?)
---@return boolean asked
function M.request(buf, method, params, done)
  local client = M.of(buf)
  if not client then
    return false
  end
  local asked_at = vim.api.nvim_buf_get_changedtick(buf)
  local sent = client:request(method, params, function(err, result)
    if not vim.api.nvim_buf_is_valid(buf) or vim.api.nvim_buf_get_changedtick(buf) ~= asked_at then
      return done(nil, 'stale')
    end
    if err then
      local later = err.code == vim.lsp.protocol.ErrorCodes.ContentModified
      return done(nil, later and 'later' or 'failed', err.message)
    end
    result = M.value(result)
    return done(result, result == nil and 'nothing' or nil)
  end, buf)
  return sent
end

--- Runs a command of the server; an error is shown.
---@param buf integer
---@param command string
---@param argument table
---@param done fun(result: any)
---@return boolean asked
function M.execute(buf, command, argument, done)
  local client = M.need(buf)
  if not client then
    return false
  end
  client:exec_cmd(
    { title = command, command = command, arguments = { argument } },
    { bufnr = buf },
    function(err, result)
      if err then
        M.notify(err.message, vim.log.levels.ERROR)
      else
        done(M.value(result))
      end
    end
  )
  return true
end

--- A position of the server's as (row, byte column), both from 0.
---@param buf integer
---@param position lsp.Position
---@param encoding string
---@return integer row, integer column
function M.byte_position(buf, position, encoding)
  local line = vim.api.nvim_buf_get_lines(buf, position.line, position.line + 1, false)[1] or ''
  return position.line, vim.str_byteindex(line, encoding, position.character, false)
end

--- Marks a range of the server's.
---@param buf integer
---@param namespace integer
---@param range lsp.Range
---@param encoding string
---@param group string
---@param priority integer
function M.mark(buf, namespace, range, encoding, group, priority)
  local row, column = M.byte_position(buf, range.start, encoding)
  local end_row, end_column = M.byte_position(buf, range['end'], encoding)
  vim.api.nvim_buf_set_extmark(buf, namespace, row, column, {
    end_row = end_row,
    end_col = end_column,
    hl_group = group,
    priority = priority,
    strict = false,
  })
end

return M
