--- The server's answer to codegaze/matrix, and the part of it that is shown.
local client_of = require('codegaze.client')

---@class codegaze.MatrixToken
---@field label string
---@field range lsp.Range?
---@field score number

---@class codegaze.Matrix
---@field answer table
---@field tokens codegaze.MatrixToken[] those shown: both axes
---@field max number the greatest weight that is shown: where the colors end
---@field private bytes string
---@field private size integer
---@field private indices integer[]
local Matrix = {}
Matrix.__index = Matrix

--- A little-endian IEEE 754 single. Weights are finite and not negative.
---@param bytes string
---@param at integer from 1
---@return number
local function float(bytes, at)
  local b1, b2, b3, b4 = bytes:byte(at, at + 3)
  local exponent = (b4 % 128) * 2 + math.floor(b3 / 128)
  local fraction = ((b3 % 128) * 256 + b2) * 256 + b1
  if exponent == 0 then
    return math.ldexp(fraction, -149)
  end
  return math.ldexp(fraction + 0x800000, exponent - 150)
end

local function before(a, b)
  return a.line < b.line or (a.line == b.line and a.character < b.character)
end

local function inside(range, outer)
  return not before(range.start, outer.start) and not before(outer['end'], range['end'])
end

--- One answer's matrix.
---@param answer table
---@param whole boolean the whole chunk, or only the definition that was asked about
---@return codegaze.Matrix
function Matrix.new(answer, whole)
  local definition = not whole and client_of.value(answer.definition) or nil
  local self = setmetatable({
    answer = answer,
    tokens = {},
    max = answer.max,
    bytes = vim.base64.decode(answer.weights),
    size = #answer.tokens,
    indices = {},
  }, Matrix)
  for i, token in ipairs(answer.tokens) do
    local range = client_of.value(token.range)
    if not definition or (range and inside(range, definition)) then
      self.indices[#self.indices + 1] = i - 1
      self.tokens[#self.tokens + 1] = { label = token.label, range = range, score = token.score }
    end
  end
  if definition and #self.tokens == 0 then
    return Matrix.new(answer, true)
  end
  if definition then
    self.max = 0
    for query = 1, #self.tokens do
      self.max = math.max(self.max, self:weight(query, self:heaviest(query)[1]))
    end
  end
  return self
end

---@param query integer from 1
---@param key integer from 1
---@return number
function Matrix:weight(query, key)
  return float(self.bytes, 4 * (self.indices[query] * self.size + self.indices[key]) + 1)
end

--- The keys of a row, heaviest first.
---@param query integer
---@return integer[]
function Matrix:heaviest(query)
  local keys, weights = {}, {}
  for key = 1, #self.tokens do
    keys[key], weights[key] = key, self:weight(query, key)
  end
  table.sort(keys, function(a, b)
    if weights[a] ~= weights[b] then
      return weights[a] > weights[b]
    end
    return a < b
  end)
  return keys
end

--- The lines of the tokens, from 1, and those of the definition if it has more: a definition can be longer than the model's window.
---@param definition lsp.Range
---@return string
function Matrix:lines(definition)
  local function words(first, last)
    return first == last and tostring(first) or ('%d–%d'):format(first, last)
  end
  -- A range that ends at the start of a line does not have this line.
  local function last_of(range)
    return range['end'].line + (range['end'].character > 0 and 1 or 0)
  end
  local first, last = math.huge, 0
  for _, token in ipairs(self.tokens) do
    if token.range then
      first = math.min(first, token.range.start.line + 1)
      last = math.max(last, last_of(token.range), first)
    end
  end
  local wanted_first, wanted_last = definition.start.line + 1, last_of(definition)
  local text = (first == last and 'line ' or 'lines ') .. words(first, last)
  local is_cut = first > wanted_first or last < wanted_last
  return is_cut and ('%s of %s'):format(text, words(wanted_first, wanted_last)) or text
end

--- The token at a position, or the last one before it.
---@param position lsp.Position
---@return integer
function Matrix:token_at(position)
  local found = 1
  for i, token in ipairs(self.tokens) do
    if token.range then
      if before(position, token.range.start) then
        break
      end
      found = i
    end
  end
  return found
end

return Matrix
