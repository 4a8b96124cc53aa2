--- What the server says about itself.
local client_of = require('codegaze.client')

local M = {}

local function mebibytes(bytes)
  return ('%.1f MiB'):format(bytes / 1048576)
end

local function ms(value)
  return value and ('%.1f ms'):format(value) or '–'
end

---@param info table
---@return codegaze.Line[]
function M.lines(info)
  local value, model = client_of.value, info.model
  local lines = {
    { { 'codegaze ' .. info.version, 'Title' } },
    '',
    ('Model      %s%s'):format(value(model.id) or '(loading)', model.embedded and ' (embedded)' or ''),
    ('Revision   %s'):format(value(model.revision) or '–'),
    ('Asked for  %s'):format(model.requested),
    ('State      %s%s'):format(model.state, value(model.message) and ': ' .. model.message or ''),
    ('Shape      %d layers × %d heads, hidden size %d, %d positions'):format(
      model.layers,
      model.heads,
      model.hiddenSize,
      model.maxTokens
    ),
    ('Runs on    %s in %s'):format(model.device, model.precision),
  }
  if value(model.view) then
    lines[#lines + 1] = ('View       %s'):format(require('codegaze.view').describe(model.view):gsub('^[^:]*: ', ''))
  end
  for _, note in ipairs(value(model.notes) or {}) do
    lines[#lines + 1] = 'Note       ' .. note
  end
  local cache = model.cache
  vim.list_extend(lines, {
    ('Cache      %s of %s in %d entries, %d hits, %d misses'):format(
      mebibytes(cache.bytes),
      mebibytes(cache.limitBytes),
      cache.entries,
      cache.hits,
      cache.misses
    ),
    ('Latest     %s'):format(ms(value(info.engine.lastAnalysisMs))),
    ('Passes     %d, cancelled %d'):format(info.engine.passes, info.engine.cancelled),
    ('Positions  %s'):format(info.positionEncoding),
    '',
    { { 'Documents', 'Title' } },
  })
  for _, document in ipairs(info.documents) do
    lines[#lines + 1] = (' %s: %s, version %d, bytes: %d, chunks: %d'):format(
      vim.fn.fnamemodify(vim.uri_to_fname(document.uri), ':~:.'),
      document.state,
      document.version,
      document.bytes,
      document.chunks
    )
  end
  return lines
end

---@param buf integer
function M.open(buf)
  client_of.execute(buf, 'codegaze.server.info', vim.empty_dict(), function(info)
    require('codegaze.ui').float(M.lines(info), { name = 'info', title = 'codegaze: info' })
  end)
end

return M
