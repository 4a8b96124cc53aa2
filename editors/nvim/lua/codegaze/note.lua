--- The note at the first run: what one sees, and that the model is the small one.
local M = {}

--- Where it is remembered that the note was shown.
---@return string
function M.path()
  return vim.fs.joinpath(vim.fn.stdpath('state') --[[@as string]], 'codegaze', 'first-run')
end

local function remember()
  local path = M.path()
  if vim.fn.mkdir(vim.fs.dirname(path), 'p') == 0 then
    return
  end
  local file = io.open(path, 'w')
  if file then
    file:write('The note about the colors and the model was shown. Remove this file to see it again.\n')
    file:close()
  end
end

---@param status codegaze.Status
local function lines(status)
  local text = {
    'A background says how much the model attends to a word:',
    vim.list_extend({ { ' ' } }, require('codegaze.legend').ramp()),
  }
  if status.embedded then
    vim.list_extend(text, {
      '',
      'This is the small model that is part of codegaze. For CodeBERT',
      '(500 MB, downloaded once):',
      { { ' :Codegaze model microsoft/codebert-base', 'Identifier' } },
    })
  end
  return vim.list_extend(text, {
    '',
    { { ':Codegaze legend', 'Identifier' }, { ' explains more, ' }, { ':help codegaze', 'Identifier' }, { ' all.' } },
  })
end

local shown = false

---@param status codegaze.Status
function M.first_run(status)
  if shown or not require('codegaze.config').get().first_run_note or vim.uv.fs_stat(M.path()) then
    return
  end
  shown = true
  remember()
  local win = require('codegaze.ui').float(lines(status), { name = 'note', title = 'codegaze', corner = true })
  local function close()
    if vim.api.nvim_win_is_valid(win) then
      vim.api.nvim_win_close(win, true)
    end
  end
  vim.api.nvim_create_autocmd({ 'InsertEnter', 'CmdlineLeave' }, { once = true, callback = vim.schedule_wrap(close) })
  vim.defer_fn(close, 60000)
end

return M
