--- How weights become colors: the scalings of the page and of the VS Code panel, in their order.
local M = {}

---@alias codegaze.Scaling 'clipped'|'full'|'log'|'rows'

---@type codegaze.Scaling[]
M.NAMES = { 'clipped', 'full', 'log', 'rows' }

--- Logarithmic colors begin at the greatest weight divided by this.
local LOG_FACTOR = 1000

--- Where clipped colors end: half as many cells as there are rows have a greater weight. So a head in which every row has one great
--- weight keeps its range, and five great weights in thirty rows do not make the rest of the matrix dark.
---@param matrix codegaze.Matrix
---@return number
local function clipped_end(matrix)
  local n, weights = #matrix.tokens, {}
  for query = 1, n do
    for key = 1, n do
      weights[#weights + 1] = matrix:weight(query, key)
    end
  end
  table.sort(weights)
  local found = weights[#weights - math.floor(n / 2)] or 0
  return found > 0 and found or matrix.max
end

---@class codegaze.Coloring
---@field scaling codegaze.Scaling
---@field last string where the scale ends, in words
---@field place fun(query: integer, key: integer): number a cell's place on the scale, 0 … 1

---@param matrix codegaze.Matrix
---@param scaling codegaze.Scaling
---@return codegaze.Coloring
function M.color(matrix, scaling)
  local last = scaling == 'clipped' and clipped_end(matrix) or matrix.max
  local row_ends = {}
  local function place(query, key)
    local weight, to = matrix:weight(query, key), last
    if scaling == 'rows' then
      row_ends[query] = row_ends[query] or matrix:weight(query, matrix:heaviest(query)[1])
      to = row_ends[query]
    end
    if weight <= 0 or to <= 0 then
      return 0
    end
    local part = math.min(weight / to, 1)
    -- The square root, as in the pictures: most weights are small.
    return scaling == 'log' and math.max(0, 1 + math.log(part) / math.log(LOG_FACTOR)) or math.sqrt(part)
  end
  local words = {
    clipped = last < matrix.max and ('%.2g, clipped; the greatest is %.2g'):format(last, matrix.max)
      or ('%.2g'):format(last),
    full = ('%.2g'):format(last),
    log = ('%.2g, logarithmic'):format(last),
    rows = "each row's greatest",
  }
  return { scaling = scaling, last = words[scaling], place = place }
end

return M
