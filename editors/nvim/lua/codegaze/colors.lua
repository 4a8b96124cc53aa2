--- Colors as numbers 0xRRGGBB, and the highlight groups that follow the color scheme.
local M = {}

--- Samples of cividis (Nuñez, Anderton and Renslow 2018) at 0, 1/15 … 1.
M.CIVIDIS = {
  0x00224E,
  0x002C65,
  0x0C3570,
  0x283E6E,
  0x3C496C,
  0x4A546C,
  0x585E6D,
  0x666970,
  0x727374,
  0x7E7E78,
  0x8D8878,
  0x9C9576,
  0xB0A571,
  0xC9B965,
  0xE1CC55,
  0xFEE838,
}

--- `alpha` of `color` over `under`.
---@param color integer
---@param under integer
---@param alpha number
---@return integer
function M.blend(color, under, alpha)
  local mixed = 0
  for shift = 16, 0, -8 do
    local a = bit.band(bit.rshift(color, shift), 255)
    local b = bit.band(bit.rshift(under, shift), 255)
    mixed = mixed * 256 + math.floor(a * alpha + b * (1 - alpha) + 0.5)
  end
  return mixed
end

--- WCAG's relative luminance, 0 … 1.
---@param color integer
---@return number
function M.luminance(color)
  local sum = 0
  for i, weight in ipairs({ 0.2126, 0.7152, 0.0722 }) do
    local c = bit.band(bit.rshift(color, 24 - 8 * i), 255) / 255
    sum = sum + weight * (c <= 0.03928 and c / 12.92 or ((c + 0.055) / 1.055) ^ 2.4)
  end
  return sum
end

--- Black or white, whichever is easier to read on a color.
---@param color integer
---@return integer
function M.readable_on(color)
  return M.luminance(color) > 0.179 and 0x000000 or 0xFFFFFF
end

--- The nearest of the 216 colors and 24 greys that every terminal of 256 colors has.
---@param color integer
---@return integer
function M.cterm(color)
  local best, distance = 16, math.huge
  local rgb = { bit.rshift(color, 16), bit.band(bit.rshift(color, 8), 255), bit.band(color, 255) }
  local function try(index, r, g, b)
    local d = (r - rgb[1]) ^ 2 + (g - rgb[2]) ^ 2 + (b - rgb[3]) ^ 2
    if d < distance then
      best, distance = index, d
    end
  end
  local steps = { 0, 95, 135, 175, 215, 255 }
  local cube = {}
  for i = 1, 3 do
    local nearest = 1
    for s = 2, 6 do
      if math.abs(steps[s] - rgb[i]) < math.abs(steps[nearest] - rgb[i]) then
        nearest = s
      end
    end
    cube[i] = nearest
  end
  try(16 + 36 * (cube[1] - 1) + 6 * (cube[2] - 1) + cube[3] - 1, steps[cube[1]], steps[cube[2]], steps[cube[3]])
  for i = 0, 23 do
    local grey = 8 + 10 * i
    try(232 + i, grey, grey, grey)
  end
  return best
end

--- The editor's background; black or white if the terminal's own background is used.
---@return integer
function M.background()
  local normal = vim.api.nvim_get_hl(0, { name = 'Normal', link = false })
  return normal.bg or (vim.o.background == 'dark' and 0x000000 or 0xFFFFFF)
end

---@type table<string, vim.api.keyset.highlight> what was defined here last, by group
local defined = {}

local ATTRIBUTES = { 'fg', 'bg', 'sp', 'bold', 'italic', 'underline', 'underdouble', 'reverse', 'link' }

--- Defines a group, unless the user or the color scheme defined it. An earlier definition from here is replaced, because
--- `:set background` does not always clear it.
---@param name string
---@param definition vim.api.keyset.highlight
function M.define(name, definition)
  local current = vim.api.nvim_get_hl(0, { name = name })
  local ours, empty = defined[name] or {}, true
  local same = true
  for _, attribute in ipairs(ATTRIBUTES) do
    empty = empty and not current[attribute]
    same = same and (current[attribute] or false) == (ours[attribute] or false)
  end
  if empty or same then
    defined[name] = definition
    vim.api.nvim_set_hl(0, name, definition)
  end
end

return M
