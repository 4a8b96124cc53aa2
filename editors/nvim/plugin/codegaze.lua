-- What Neovim runs at start-up: a command and autocommands. Modules are loaded when the server attaches or a command is used.

if vim.g.loaded_codegaze then
  return
end
vim.g.loaded_codegaze = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.api.nvim_echo({ { 'codegaze needs Neovim 0.11 or later', 'WarningMsg' } }, true, {})
  return
end

vim.api.nvim_create_user_command('Codegaze', function(opts)
  require('codegaze.commands').run(opts)
end, {
  nargs = '*',
  bang = true,
  desc = 'Where the code model looks',
  complete = function(lead, line, column)
    return require('codegaze.commands').complete(lead, line, column)
  end,
})

vim.api.nvim_create_autocmd('LspAttach', {
  group = vim.api.nvim_create_augroup('codegaze', {}),
  desc = 'Prepare a buffer for the codegaze server',
  callback = function(args)
    local client = vim.lsp.get_client_by_id(args.data.client_id)
    if client and client.name == 'codegaze' then
      require('codegaze.attach').attach(client, args.buf)
    end
  end,
})
