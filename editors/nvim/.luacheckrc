std = 'luajit'
max_line_length = 140
-- vim.g, vim.b, vim.bo, vim.wo and others are written to.
globals = { 'vim' }
self = false
