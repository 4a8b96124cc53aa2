local harness = require('harness')
local test, is, ok = harness.test, harness.is, harness.ok

package.path = harness.plugin .. '/lua/?.lua;' .. harness.plugin .. '/lua/?/init.lua;' .. package.path

local function token(label, line, character)
  return {
    label = label,
    range = line and {
      start = { line = line, character = character },
      ['end'] = { line = line, character = character + #label },
    },
    score = 0,
  }
end

--- An answer as the server gives it.
local function answer(tokens, weights, definition)
  local ffi = require('ffi')
  local floats = ffi.new('float[?]', #weights, weights)
  return {
    tokens = tokens,
    weights = vim.base64.encode(ffi.string(floats, 4 * #weights)),
    max = math.max(unpack(weights)),
    definition = definition,
    unit = 'lexeme',
    view = { layers = { 0 }, heads = 'mean', method = 'received' },
  }
end

test('units: weights are read as IEEE 754 singles', function()
  local Matrix = require('codegaze.matrix.data')
  local values = { 0, 1, 0.5, 0.1, 1 / 3, 1e-10, 1.17549435e-38, 1e-45, 0.99999994 }
  local tokens = {}
  for i = 1, 3 do
    tokens[i] = token('t', 0, i)
  end
  local matrix = Matrix.new(answer(tokens, values), true)
  local float = require('ffi').typeof('float')
  for i, value in ipairs(values) do
    local read = matrix:weight(math.ceil(i / 3), (i - 1) % 3 + 1)
    is(read, tonumber(float(value)), 'value ' .. i)
  end
end)

test('units: a definition is the part of the matrix that lies in it', function()
  local Matrix = require('codegaze.matrix.data')
  local tokens = { token('<s>'), token('a', 0, 0), token('b', 2, 0), token('c', 2, 4), token('d', 5, 0) }
  local weights = {}
  for i = 1, 25 do
    weights[i] = i
  end
  local definition = { start = { line = 2, character = 0 }, ['end'] = { line = 3, character = 0 } }
  local part = Matrix.new(answer(tokens, weights, definition), false)
  is({ part.tokens[1].label, part.tokens[2].label, #part.tokens }, { 'b', 'c', 2 }, 'tokens')
  is({ part:weight(1, 1), part:weight(1, 2), part:weight(2, 1) }, { 13, 14, 18 }, 'weights')
  is(part:heaviest(1), { 2, 1 }, 'heaviest')
  is(part.max, 19, 'the greatest weight that is shown')
  is(part:token_at({ line = 2, character = 6 }), 2, 'the token before a place')
  local whole = Matrix.new(answer(tokens, weights, definition), true)
  is({ #whole.tokens, whole:weight(1, 1) }, { 5, 1 }, 'whole')
  is(#Matrix.new(answer(tokens, weights, vim.NIL), false).tokens, 5, 'without a definition')
end)

test('units: a few great weights do not make the rest of a matrix dark', function()
  local Matrix, scaling = require('codegaze.matrix.data'), require('codegaze.matrix.scaling')
  local tokens, weights = {}, {}
  for i = 1, 30 do
    tokens[i] = token('t', 0, i)
  end
  for i = 1, 900 do
    weights[i] = i <= 5 and 1 or 0.01 * (i % 4 + 1) / 4
  end
  local matrix = Matrix.new(answer(tokens, weights), true)
  local function place(name, query, key)
    return math.floor(100 * scaling.color(matrix, name).place(query, key) + 0.5)
  end
  is({ place('full', 1, 1), place('full', 2, 1) }, { 100, 10 }, 'full range: the square root')
  is({ place('clipped', 1, 1), place('clipped', 2, 1) }, { 100, 100 }, 'clipped')
  is({ place('rows', 1, 7), place('rows', 2, 1) }, { 10, 100 }, 'per row')
  is({ place('log', 1, 1), place('log', 2, 1) }, { 100, 33 }, 'logarithmic: a hundredth is at a third')
  is(scaling.color(matrix, 'clipped').last, '0.01, clipped; the greatest is 1', 'where the colors end')
  is(scaling.color(Matrix.new(answer({ token('t') }, { 0 }), true), 'log').place(1, 1), 0, 'no weight')
end)

test('units: the lines that are drawn are named, and those of a longer definition', function()
  local Matrix = require('codegaze.matrix.data')
  local tokens = { token('b', 2, 0), token('c', 4, 0) }
  local function lines(first, last)
    local definition = { start = { line = first, character = 0 }, ['end'] = { line = last, character = 0 } }
    return Matrix.new(answer(tokens, { 1, 1, 1, 1 }, definition), false):lines(definition)
  end
  is(lines(2, 5), 'lines 3–5', 'all')
  is(lines(2, 900), 'lines 3–5 of 3–900', 'a part')
end)

test('units: a matrix is laid out inside any space, and cells are found again', function()
  local Matrix, layout = require('codegaze.matrix.data'), require('codegaze.matrix.layout')
  local scaling = require('codegaze.matrix.scaling')
  local tokens, weights = {}, {}
  for i = 1, 37 do
    tokens[i] = token(({ 'x', 'größe', 'a_very_long_identifier_indeed', '名前', '"two\nlines"' })[i % 5 + 1], i, 0)
  end
  for i = 1, 37 * 37 do
    weights[i] = (i % 11) / 11
  end
  local matrix = Matrix.new(answer(tokens, weights), true)
  local coloring = scaling.color(matrix, 'clipped')
  for _, zoom in ipairs({ 'cells', 'overview' }) do
    for _, space in ipairs({ { 20, 8 }, { 40, 12 }, { 60, 30 }, { 200, 100 } }) do
      local size = layout.measure(matrix, zoom, space[1], space[2])
      for _, cell in ipairs({ { 1, 1 }, { 37, 37 }, { 20, 3 }, { 2, 36 } }) do
        local what = ('%s in %d × %d at %d, %d'):format(zoom, space[1], space[2], cell[1], cell[2])
        local selection = { query = cell[1], key = cell[2], top = 1, left = 1 }
        layout.follow(selection, size, 37)
        local picture = layout.draw(matrix, coloring, selection, size)
        is(#picture.lines, size.height, what .. ': lines')
        for i = 1, #picture.lines - 3 do
          ok(vim.fn.strdisplaywidth(picture.lines[i]) <= size.width, what .. ': width of line ' .. i)
        end
        for _, mark in ipairs(picture.marks) do
          ok(mark[3] <= #picture.lines[mark[1] + 1], what .. ': marks are inside')
        end
        local line, column = layout.place(picture, selection, size)
        local query, key = layout.cell_at(picture, selection, size, line, column)
        ok(query == cell[1] or (zoom == 'overview' and query == cell[1] - 1), what .. ': row')
        is(key, cell[2], what .. ': column')
      end
      is(
        layout.cell_at(layout.draw(matrix, coloring, { query = 1, key = 1, top = 1, left = 1 }, size), {}, size, 1, 0),
        nil,
        'no cell'
      )
    end
  end
end)

test('units: colors are mixed, and mapped to 256', function()
  local colors = require('codegaze.colors')
  is(colors.blend(0xffffff, 0x000000, 0.5), 0x808080, 'half of white')
  is(colors.blend(0x0072b2, 0x123456, 0), 0x123456, 'nothing')
  is(colors.blend(0x0072b2, 0x123456, 1), 0x0072b2, 'all')
  is({ colors.cterm(0xff0000), colors.cterm(0x000000), colors.cterm(0x5f87af) }, { 196, 16, 67 }, 'the cube')
  is(colors.cterm(0x767676), 243, 'the greys')
  is({ colors.readable_on(0xffee00), colors.readable_on(0x00224e) }, { 0x000000, 0xffffff }, 'readable')
  local last = -1
  for _, color in ipairs(colors.CIVIDIS) do
    ok(colors.luminance(color) > last, 'cividis becomes lighter')
    last = colors.luminance(color)
  end
end)
