---@brief
---
--- codegaze shows where a RoBERTa-family code model (CodeBERT and its relatives) looks. It is meant to run beside the
--- language's own server.
---
--- Install it with `cargo install --locked --path .` in a clone of its repository.
---
--- The heat comes as semantic tokens `attention1` … `attention5`, which have no colors by themselves. A background leaves the
--- colors of other servers as they are:
---
--- ```lua
--- for level, bg in ipairs({ '#12212d', '#112938', '#103346', '#0d3f59', '#0b4b6f' }) do
---   vim.api.nvim_set_hl(0, '@lsp.type.attention' .. level, { bg = bg })
--- end
--- ```
---
--- Hover, code lenses and code actions have the numbers. `:LspCodegazeExport [svg|png|html|json]` writes the heatmap of the
--- buffer to a file in the current directory.

---@type vim.lsp.Config
return {
  cmd = { 'codegaze', 'lsp', '--stdio' },
  filetypes = {
    'c',
    'cpp',
    'go',
    'java',
    'javascript',
    'javascriptreact',
    'php',
    'python',
    'ruby',
    'rust',
    'typescript',
    'typescriptreact',
  },
  -- No root_markers: the server reads no files, and a process for each project would hold a model each.
  on_attach = function(client, bufnr)
    vim.api.nvim_buf_create_user_command(bufnr, 'LspCodegazeExport', function(opts)
      local format = opts.args ~= '' and opts.args or 'svg'
      local name = vim.fs.basename(vim.api.nvim_buf_get_name(bufnr)) .. '.heatmap.' .. format
      client:exec_cmd({
        title = 'Export the heatmap',
        command = 'codegaze.server.heatmap',
        arguments = { { uri = vim.uri_from_bufnr(bufnr), format = format, path = vim.fs.joinpath(vim.uv.cwd(), name) } },
      }, { bufnr = bufnr })
    end, {
      desc = 'Export the heatmap of the buffer',
      nargs = '?',
      complete = function()
        return { 'svg', 'png', 'html', 'json' }
      end,
    })
  end,
}
