local harness = require('harness')
local test, is, has, ok = harness.test, harness.is, harness.has, harness.ok

local TEXT = table.concat({
  'def größe(名前, 😀):',
  '    value = 42',
  '    other = value * 2',
  '    return value + größe(名前, other)',
  '',
}, '\n')

--- Our marks: "row:column-end" → group.
local function marks(child)
  return child:lua([[
    local found = vim.empty_dict()
    local namespace = vim.api.nvim_create_namespace('codegaze.attention')
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })) do
      if mark[4].hl_group then
        found[('%d:%d-%d'):format(mark[2], mark[3], mark[4].end_col)] = mark[4].hl_group
      end
    end
    return found
  ]])
end

--- What the marks have to be, from the server's answer for the cursor; the encoding is UTF-8, so columns are bytes.
local function expected(child, options)
  local position = child:lua([[local c = vim.api.nvim_win_get_cursor(0) return { line = c[1] - 1, character = c[2] }]])
  local answer = child:ask('codegaze/relations', { position = position, limit = options.limit })
  local found = {}
  local function key(range)
    return ('%d:%d-%d'):format(range.start.line, range.start.character, range['end'].character)
  end
  for _, direction in ipairs({ { 'attendsTo', 'CodegazeAttendsTo' }, { 'attendedBy', 'CodegazeAttendedBy' } }) do
    for i, other in ipairs(answer[direction[1]]) do
      if i <= options.limit and other.weight >= options.threshold then
        local at = key(other.range)
        found[at] = found[at] and 'CodegazeAttendsBoth' or direction[2]
      end
    end
  end
  found[key(answer.lexeme.range)] = 'CodegazeLexeme'
  return found, answer
end

local OPTIONS = { limit = 6, threshold = 0.02 }

test('attention: marks what the word attends to and what attends to it', function()
  local child = harness.child()
  child:edit(harness.file('attention.py', TEXT))
  child:cmd('Codegaze attention')
  for _, place in ipairs({ '/value', '/größe', '/other' }) do
    child:lua([[vim.fn.search((...):sub(2))]], place)
    child:cmd('doautocmd CursorMoved')
    local wanted = expected(child, OPTIONS)
    local last
    local reached = vim.wait(5000, function()
      last = marks(child)
      return vim.deep_equal(last, wanted)
    end, 20)
    ok(reached, ('marks for %s: %s, expected %s'):format(place, vim.inspect(last), vim.inspect(wanted)))
  end
  local groups = vim.tbl_values(marks(child))
  ok(vim.tbl_contains(groups, 'CodegazeLexeme'), 'the word itself')
  ok(
    vim.tbl_contains(groups, 'CodegazeAttendsTo') or vim.tbl_contains(groups, 'CodegazeAttendsBoth'),
    'what it attends to'
  )
end)

test('attention: is drawn over the heat', function()
  local child = harness.child()
  child:edit(harness.file('attention.py', TEXT))
  child:settle()
  child:lua([[vim.fn.search('größe')]])
  child:cmd('Codegaze attention on')
  child:await(
    'the word is marked',
    [[
    vim.cmd('redraw!')
    local cell = vim.api.nvim__inspect_cell(1, 0, vim.fn.screenpos(0, 1, 5).col - 1)
    return cell[2] and cell[2].bold and cell[2].background == vim.api.nvim_get_hl(0, { name = 'Normal' }).fg
  ]]
  )
end)

test('attention: says the weights at the end of the line', function()
  local child = harness.child()
  child:edit(harness.file('attention.py', TEXT))
  child:lua([[vim.api.nvim_win_set_cursor(0, { 3, 6 })]])
  child:cmd('Codegaze attention on')
  local said = child:await(
    'the read-out',
    [[
    local namespace = vim.api.nvim_create_namespace('codegaze.attention')
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })) do
      if mark[4].virt_text then
        return { row = mark[2], text = vim.iter(mark[4].virt_text):map(function(chunk) return chunk[1] end):join('') }
      end
    end
  ]]
  )
  local _, answer = expected(child, OPTIONS)
  is(said.row, 2, 'the line')
  local first = answer.attendsTo[1]
  has(said.text, ('attends to  %s (%d) '):format(first.text, first.range.start.line + 1), 'the heaviest')
  has(said.text, 'attended by', 'the other direction')
end)

test('attention: goes with an edit, with the buffer, and when it is switched off', function()
  local child = harness.child()
  child:edit(harness.file('attention.py', TEXT))
  child:lua([[vim.api.nvim_win_set_cursor(0, { 3, 6 })]])
  child:cmd('Codegaze attention on')
  local SHOWN = [[
    return #vim.api.nvim_buf_get_extmarks(..., vim.api.nvim_create_namespace('codegaze.attention'), 0, -1, {}) > 0
  ]]
  local buf = child:lua('return vim.api.nvim_get_current_buf()')
  child:await('marks', SHOWN, buf)
  -- In one go, so that no answer can come between.
  local after_edit = child:lua([[
    vim.api.nvim_buf_set_lines(0, 0, 0, false, { '# new' })
    vim.cmd('doautocmd TextChanged')
    return #vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_create_namespace('codegaze.attention'), 0, -1, {})
  ]])
  is(after_edit, 0, 'marks right after an edit')
  child:await('marks of the new text', SHOWN, buf)
  child:cmd('enew!')
  is(child:lua(SHOWN, buf), false, 'marks in a buffer that was left')
  child:cmd('buffer ' .. buf)
  child:await('marks again', SHOWN, buf)
  child:cmd('Codegaze attention off')
  is(child:lua(SHOWN, buf), false, 'marks when off')
  child:keys('j')
  vim.wait(400)
  is(child:lua(SHOWN, buf), false, 'marks after a move when off')
end)

test('attention: an answer to an older question is dropped', function()
  local child = harness.child()
  child:edit(harness.file('attention.py', TEXT))
  -- The answer is held back while the text changes, then while the cursor moves on.
  local shown = child:lua([[
    local client = vim.lsp.get_clients({ name = 'codegaze' })[1]
    local attention = require('codegaze.attention')
    local real, held = client.request, {}
    client.request = function(self, method, params, handler, buf)
      if method ~= 'codegaze/relations' then return real(self, method, params, handler, buf) end
      held[#held + 1] = handler
      return true, 1
    end
    local function answer(line)
      local range = { start = { line = line, character = 4 }, ['end'] = { line = line, character = 9 } }
      return { lexeme = { range = range }, attendsTo = {}, attendedBy = {} }
    end
    local function count()
      return #vim.api.nvim_buf_get_extmarks(0, vim.api.nvim_create_namespace('codegaze.attention'), 0, -1, {})
    end
    vim.api.nvim_win_set_cursor(0, { 2, 5 })
    attention.enable(true)
    vim.api.nvim_buf_set_lines(0, 0, 0, false, { '# new' })
    held[1](nil, answer(1))
    local after_edit = count()
    attention.update()
    vim.api.nvim_win_set_cursor(0, { 4, 5 })
    attention.update()
    held[2](nil, answer(2))
    local after_move = count()
    held[3](nil, answer(3))
    client.request = nil
    return { after_edit, after_move, count() > 0, #held }
  ]])
  is(shown, { 0, 0, true, 3 }, 'marks after an edit, after a move, for the right answer; requests')
end)

test('attention: its colors are apart without hue', function()
  local child = harness.child()
  child:edit('examples/fibonacci.py')
  local groups = child:lua([[
    local found, luminance = {}, require('codegaze.colors').luminance
    for _, name in ipairs({ 'AttendsTo', 'AttendedBy', 'AttendsBoth' }) do
      local group = vim.api.nvim_get_hl(0, { name = 'Codegaze' .. name })
      group.text = (luminance(group.bg) + 0.05) / (luminance(group.fg) + 0.05)
      found[name] = group
    end
    return found
  ]])
  ok(groups.AttendsTo.underline and not groups.AttendsTo.underdouble, 'one underline')
  ok(groups.AttendedBy.underdouble and not groups.AttendedBy.underline, 'a double underline')
  for name, group in pairs(groups) do
    ok(group.text >= 4.5, name .. ' is readable')
  end
end)
