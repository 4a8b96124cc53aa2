--- The commands that the server leaves to us, in its code lenses and code actions.
local client_of = require('codegaze.client')

local M = {}

---@param action fun(buf: integer, range: lsp.Range)
local function on_definition(action)
  return function(command)
    local argument = command.arguments[1]
    action(vim.uri_to_bufnr(argument.uri), argument.range)
  end
end

function M.register()
  vim.lsp.commands['codegaze.showHeatmap'] = on_definition(function(buf, range)
    require('codegaze.matrix').open(buf, { position = range.start })
  end)
  vim.lsp.commands['codegaze.exportHeatmap'] = on_definition(function(buf, range)
    require('codegaze.export').ask(buf, range)
  end)
  vim.lsp.commands['codegaze.selectView'] = function(_, context)
    require('codegaze.view').ask_what(client_of.resolve(context and context.bufnr))
  end
end

return M
