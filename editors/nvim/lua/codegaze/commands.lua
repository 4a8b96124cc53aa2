--- `:Codegaze`
local client_of = require('codegaze.client')

local M = {}

---@class codegaze.Subcommand
---@field run fun(buf: integer, args: string[], bang: boolean)
---@field complete? fun(buf: integer, lead: string, args: string[]): string[]

local ON_OFF = { on = true, off = false }

--- The state that an argument asks for, or the other one without it; nil if it asks for neither.
---@param argument string?
---@param now boolean
---@return boolean?
local function switch(argument, now)
  if argument == nil then
    return not now
  end
  return ON_OFF[argument]
end

local function on_off()
  return { 'on', 'off' }
end

local function wrong(name, argument)
  client_of.notify(('%s takes no “%s”; see :help :Codegaze-%s'):format(name, argument, name), vim.log.levels.ERROR)
end

local function toggle(_, args)
  local heat = require('codegaze.heat')
  local shown = switch(args[1], heat.is_shown())
  if shown == nil then
    return wrong('toggle', args[1])
  end
  heat.show(shown)
  require('codegaze.status').changed()
  client_of.notify(shown and 'the heat is shown' or 'the heat is hidden')
end

local function attention(buf, args)
  local module = require('codegaze.attention')
  local on = switch(args[1], module.is_enabled())
  if on == nil then
    return wrong('attention', args[1])
  end
  if not on or client_of.need(buf) then
    module.enable(on)
    client_of.notify(on and 'the word under the cursor shows its attention' or 'cursor attention is off')
  end
end

--- layer, head, method, aggregate, model
local function choice(what)
  return {
    run = function(buf, args)
      local view = require('codegaze.view')
      if args[1] then
        view.set(buf, what, table.concat(args, what == 'model' and ' ' or ','))
      else
        view.ask(buf, what)
      end
    end,
    complete = function(buf, lead)
      local words = require('codegaze.view').choices[what](buf)
      return what == 'model' and vim.list_extend(words, vim.fn.getcompletion(lead, 'dir')) or words
    end,
  }
end

local function export(buf, args, bang)
  local module = require('codegaze.export')
  local wanted = { force = bang } ---@type codegaze.Export
  for _, arg in ipairs(args) do
    if vim.tbl_contains(module.FORMATS, arg) then
      wanted.format = arg
    elseif vim.tbl_contains(module.KINDS, arg) then
      wanted.kind = arg
    elseif wanted.path then
      return wrong('export', arg)
    else
      wanted.path = arg
    end
  end
  module.write(buf, wanted)
end

---@type table<string, codegaze.Subcommand>
M.subcommands = {
  toggle = { run = toggle, complete = on_off },
  attention = { run = attention, complete = on_off },
  explain = {
    run = function(buf)
      require('codegaze.explain').open(buf)
    end,
  },
  heatmap = {
    run = function(buf, _, bang)
      require('codegaze.matrix').open(buf, { whole = bang })
    end,
  },
  layer = choice('layer'),
  head = choice('head'),
  method = choice('method'),
  aggregate = choice('aggregate'),
  model = choice('model'),
  export = {
    run = export,
    complete = function(_, lead)
      local module = require('codegaze.export')
      local words = vim.list_extend(vim.deepcopy(module.FORMATS), module.KINDS)
      return vim.list_extend(words, vim.fn.getcompletion(lead, 'file'))
    end,
  },
  info = {
    run = function(buf)
      require('codegaze.info').open(buf)
    end,
  },
  legend = {
    run = function()
      require('codegaze.attach').prepare()
      require('codegaze.legend').open()
    end,
  },
}

---@return string[]
function M.names()
  local names = vim.tbl_keys(M.subcommands)
  table.sort(names)
  return names
end

---@param opts vim.api.keyset.create_user_command.command_args
function M.run(opts)
  local args = vim.deepcopy(opts.fargs)
  local name = table.remove(args, 1)
  local subcommand = name and M.subcommands[name]
  if not subcommand then
    local problem = name and ('“%s” is unknown; use one of '):format(name) or ''
    local level = name and vim.log.levels.ERROR or vim.log.levels.INFO
    return client_of.notify(problem .. table.concat(M.names(), ', '), level)
  end
  subcommand.run(vim.api.nvim_get_current_buf(), args, opts.bang)
end

---@param lead string
---@param line string
---@param column integer
---@return string[]
function M.complete(lead, line, column)
  local words = vim.split(line:sub(1, column), '%s+', { trimempty = true })
  if lead ~= '' then
    table.remove(words)
  end
  -- What comes before: modifiers, the command, and then the subcommand.
  while words[1] and not words[1]:match('^Codegaze!?$') do
    table.remove(words, 1)
  end
  table.remove(words, 1)
  local found
  if #words == 0 then
    found = M.names()
  else
    local subcommand = M.subcommands[words[1]]
    found = subcommand and subcommand.complete and subcommand.complete(vim.api.nvim_get_current_buf(), lead, words)
      or {}
  end
  return vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, found)
end

return M
