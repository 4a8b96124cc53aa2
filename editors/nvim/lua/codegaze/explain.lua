--- All numbers of the word under the cursor. A hover shows only the most important ones.
local client_of = require('codegaze.client')

local M = {}

--- Shows them in a floating window.
---@param buf integer
function M.open(buf)
  local client = client_of.need(buf)
  if not client then
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  client_of.request(buf, 'codegaze/explain', params, function(hover, absence, message)
    if hover then
      local lines = vim.lsp.util.convert_input_to_markdown_lines(hover.contents)
      vim.lsp.util.open_floating_preview(lines, 'markdown', { focus_id = 'codegaze.explain', border = 'rounded' })
    elseif absence == 'failed' then
      client_of.notify(message or 'the request failed', vim.log.levels.ERROR)
    elseif absence == 'nothing' then
      client_of.notify('no word here has a score')
    end
  end)
end

return M
