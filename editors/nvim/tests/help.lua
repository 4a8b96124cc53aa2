-- Is the help well-formed: no tag twice, no link to nowhere, no line that is too long?
--   nvim --clean -l help.lua DIRECTORY, where codegaze.txt is

local directory = arg[1]
vim.cmd.helptags(directory)
vim.opt.rtp:append(vim.fs.dirname(directory))

local own = {}
for line in io.lines(directory .. '/tags') do
  own[line:match('^[^\t]+')] = true
end
local all = {}
for _, file in ipairs(vim.api.nvim_get_runtime_file('doc/tags', true)) do
  for line in io.lines(file) do
    all[line:match('^[^\t]+')] = true
  end
end

local problems, number, example = {}, 0, false
for line in io.lines(directory .. '/codegaze.txt') do
  number = number + 1
  if example and line:match('^%S') then
    example = false
  end
  if not example then
    for link in line:gmatch('|([^%s|]+)|') do
      if not own[link] and not all[link] then
        problems[#problems + 1] = ('line %d: |%s| leads nowhere'):format(number, link)
      end
    end
    if vim.fn.strdisplaywidth(line) > 78 then
      problems[#problems + 1] = ('line %d is longer than 78 columns'):format(number)
    end
  end
  example = example or line:match('%f[%S]>%l*$') ~= nil
end
-- Every subcommand is described.
vim.opt.rtp:prepend(vim.fs.dirname(vim.fs.dirname(vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p'))))
for _, name in ipairs(require('codegaze.commands').names()) do
  if not own[':Codegaze-' .. name] then
    problems[#problems + 1] = (':Codegaze %s is not described'):format(name)
  end
end
if #problems > 0 then
  io.stderr:write(table.concat(problems, '\n') .. '\n')
  vim.cmd('cquit 1')
end
