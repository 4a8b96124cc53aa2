--- The colors of a matrix's cells.
local colors = require('codegaze.colors')

local M = {}

M.STEPS = #colors.CIVIDIS

--- Groups for two cells one above the other, made when they are first needed.
---@type table<string, true>
local pairs_made = {}

function M.define_groups()
  pairs_made = {}
  for step, color in ipairs(colors.CIVIDIS) do
    colors.define('CodegazeCell' .. step - 1, {
      fg = colors.readable_on(color),
      bg = color,
      ctermfg = colors.cterm(colors.readable_on(color)),
      ctermbg = colors.cterm(color),
    })
  end
  colors.define('CodegazeCellCursor', { fg = 0x000000, bg = 0xFF6EB4, bold = true, ctermfg = 16, ctermbg = 205 })
  colors.define('CodegazeAxis', { bold = true, reverse = true, cterm = { bold = true, reverse = true } })
end

--- The color at a place of the scale, 0 … 1.
---@param place number
---@return integer
function M.step(place)
  return math.floor(place * (M.STEPS - 1) + 0.5)
end

---@param step integer|'Cursor'
---@return string
function M.group(step)
  return 'CodegazeCell' .. step
end

--- The group of an upper half block: the upper cell is its foreground, the lower one its background.
---@param upper integer|'Cursor'
---@param lower integer|'Cursor'|nil nil: there is none
---@return string
function M.pair(upper, lower)
  local name = ('CodegazeCells_%s_%s'):format(upper, lower or 'None')
  if not pairs_made[name] then
    pairs_made[name] = true
    local top = vim.api.nvim_get_hl(0, { name = M.group(upper), link = false })
    local bottom = lower and vim.api.nvim_get_hl(0, { name = M.group(lower), link = false }) or {}
    vim.api.nvim_set_hl(0, name, { fg = top.bg, bg = bottom.bg, ctermfg = top.ctermbg, ctermbg = bottom.ctermbg })
  end
  return name
end

return M
