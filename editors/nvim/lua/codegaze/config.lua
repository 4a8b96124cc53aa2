--- The options in `vim.g.codegaze`, read whenever they are needed.
local M = {}

---@class codegaze.Options
---@field heat? boolean show the heat in new buffers
---@field min_level? integer the lowest of the five levels that has a background
---@field attention? codegaze.AttentionOptions
---@field first_run_note? boolean explain the colors and the embedded model, once

---@class codegaze.AttentionOptions
---@field enabled? boolean follow the cursor from the start
---@field debounce_ms? integer wait for the cursor to rest
---@field limit? integer lexemes in each direction
---@field threshold? number weights below are not marked
---@field read_out? boolean say the weights at the end of the line

M.defaults = {
  heat = true,
  min_level = 3,
  attention = {
    enabled = false,
    debounce_ms = 120,
    limit = 6,
    threshold = 0.02,
    read_out = true,
  },
  first_run_note = true,
}

function M.get()
  local options = vim.g.codegaze
  return vim.tbl_deep_extend('force', M.defaults, type(options) == 'table' and options or {})
end

--- The lowest level that has a background. A value that is not a level counts as the default.
---@return integer
function M.min_level()
  local level = M.get().min_level
  return vim.list_contains({ 1, 2, 3, 4, 5 }, level) and level or M.defaults.min_level
end

--- Says what is wrong with `vim.g.codegaze`, one text a mistake.
---@return string[]
function M.mistakes()
  local found = {}
  local function compare(options, defaults, prefix)
    if type(options) ~= 'table' then
      found[#found + 1] = ('%s is a %s, not a table'):format(prefix, type(options))
      return
    end
    for key, value in vim.spairs(options) do
      local name, default = prefix .. '.' .. key, defaults[key]
      if default == nil then
        found[#found + 1] = ('%s is not an option of codegaze'):format(name)
      elseif type(value) ~= type(default) then
        found[#found + 1] = ('%s is a %s, not a %s'):format(name, type(value), type(default))
      elseif type(value) == 'table' then
        compare(value, default, name)
      end
    end
  end
  if vim.g.codegaze ~= nil then
    compare(vim.g.codegaze, M.defaults, 'vim.g.codegaze')
    local level = M.get().min_level
    if type(level) == 'number' and level ~= M.min_level() then
      found[#found + 1] = ('vim.g.codegaze.min_level is %s, not a level from 1 to 5'):format(level)
    end
  end
  return found
end

return M
