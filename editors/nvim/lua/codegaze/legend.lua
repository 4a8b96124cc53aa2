--- What the colors mean.
local M = {}

--- The five levels, as one line of pieces.
---@return codegaze.Line
function M.ramp()
  local line = { { 'little ' } }
  for level = 1, require('codegaze.heat').LEVELS do
    line[#line + 1] = { (' %d '):format(level), 'CodegazeLevel' .. level }
  end
  line[#line + 1] = { ' much' }
  return line
end

---@param view table?
local function lines(view)
  local scale = { { ' 0 ' } }
  for step = 0, require('codegaze.matrix.cells').STEPS - 1 do
    scale[#scale + 1] = { ' ', 'CodegazeCell' .. step }
  end
  scale[#scale + 1] = { ' a high quantile of the weights; c in its window changes this' }
  local aggregate = view and require('codegaze.view').explain('aggregate', view.aggregate)
  return {
    { { 'Heat', 'Title' }, { ': how much the model attends to a lexeme, in this document' } },
    vim.list_extend({ { ' ' } }, M.ramp()),
    (' No background: level %d or less. Hover (K) has numbers.'):format(require('codegaze.config').min_level() - 1),
    (' Lexemes of several subwords: %s.'):format(aggregate or 'see :help :Codegaze-aggregate'),
    '',
    { { ':Codegaze attention', 'Title' }, { ': the word under the cursor …' } },
    { { ' ' }, { ' attends to ', 'CodegazeAttendsTo' }, { ' these' } },
    { { ' ' }, { ' is attended by ', 'CodegazeAttendedBy' }, { ' these' } },
    { { ' ' }, { ' both ', 'CodegazeAttendsBoth' } },
    '',
    { { ':Codegaze heatmap', 'Title' }, { ': a row attends, a column is attended to' } },
    scale,
    '',
    'Attention says where a model looks, not why it decides.',
  }
end

function M.open()
  local status = require('codegaze.status').of()
  require('codegaze.ui').float(lines(status and status.view), { name = 'legend', title = 'codegaze: legend' })
end

return M
