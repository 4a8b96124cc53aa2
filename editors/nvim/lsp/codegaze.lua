---@brief
---
--- codegaze shows where a RoBERTa-family code model (CodeBERT and its relatives) looks: the backgrounds of the lexemes
--- that it attends to, beside the colors of the language's own server.

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
  capabilities = { experimental = { codegaze = { status = true, heatmapChanged = true } } },
  init_options = {
    clientCommands = { 'codegaze.showHeatmap', 'codegaze.selectView', 'codegaze.exportHeatmap' },
  },
}
