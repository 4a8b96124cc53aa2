-- What is on the pictures: run by screenshots.sh inside the Neovim that is photographed.

vim.o.termguicolors = true
vim.o.number = true
vim.o.laststatus = 2
vim.o.ruler = false
vim.o.showcmd = false
vim.o.statusline = " %f%=%{v:lua.require'codegaze'.status()}  %l,%c "
vim.g.codegaze = { first_run_note = vim.env.SCENE == 'note' }
vim.lsp.enable('codegaze')
vim.cmd.edit('examples/fibonacci.py')

local function await(condition)
  assert(vim.wait(20000, condition, 50), 'the scene does not come about')
end

local scenes = {}

local function titled(part)
  await(function()
    return vim.bo.filetype == 'codegaze-heatmap'
      and vim.api.nvim_win_get_config(0).title[1][1]:find(part, 1, true) ~= nil
  end)
end

local function press(keys)
  vim.api.nvim_feedkeys(vim.keycode(keys), 'xt', false)
end

--- A head of the embedded model that looks at names.
function scenes.heatmap()
  vim.fn.search('2 else re')
  vim.fn.search('remembered')
  vim.cmd('Codegaze heatmap')
  titled('layer')
  press((']l'):rep(4))
  press((']h'):rep(5))
  titled('layer 2 · head 3')
end

function scenes.attention()
  vim.fn.search('a + b')
  vim.cmd('silent Codegaze attention on')
end

function scenes.legend()
  vim.cmd('Codegaze legend')
end

function scenes.note() end

vim.schedule(function()
  await(function()
    return require('codegaze').status():find(' ms') ~= nil
  end)
  vim.wait(500)
  scenes[vim.env.SCENE]()
  vim.wait(1000)
  vim.cmd.echo('""')
  vim.cmd('redraw!')
  vim.fn.writefile({}, vim.env.SCENE_DONE)
end)
