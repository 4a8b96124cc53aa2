-- A second language server: a token with a type (and so a foreground) for each word and number, counted in UTF-16.
-- `nvim --clean -l base_server.lua` speaks LSP on its standard streams.

local KEYWORDS = {}
for word in ('def return for in if else class fn let pub struct func function const import from'):gmatch('%S+') do
  KEYWORDS[word] = true
end

local documents = {}

local function tokens(text)
  local data, previous_line, previous_start = {}, 0, 0
  for row, line in ipairs(vim.split(text, '\n')) do
    for start, word in line:gmatch('()([%w_]+)') do
      local column = vim.str_utfindex(line, 'utf-16', start - 1)
      local kind = KEYWORDS[word] and 0 or word:match('^%d') and 1 or 2
      local delta = row - 1 - previous_line
      vim.list_extend(data, { delta, delta == 0 and column - previous_start or column, #word, kind, 0 })
      previous_line, previous_start = row - 1, column
    end
  end
  return data
end

local handlers = {}

function handlers.initialize()
  return {
    capabilities = {
      positionEncoding = 'utf-16',
      textDocumentSync = { openClose = true, change = 1 },
      hoverProvider = true,
      semanticTokensProvider = {
        legend = { tokenTypes = { 'keyword', 'number', 'variable' }, tokenModifiers = {} },
        full = true,
      },
    },
    serverInfo = { name = 'base' },
  }
end

handlers['textDocument/didOpen'] = function(params)
  documents[params.textDocument.uri] = params.textDocument.text
end

handlers['textDocument/didChange'] = function(params)
  documents[params.textDocument.uri] = params.contentChanges[#params.contentChanges].text
end

handlers['textDocument/semanticTokens/full'] = function(params)
  return { data = tokens(documents[params.textDocument.uri] or '') }
end

handlers['textDocument/hover'] = function()
  return { contents = 'from the base server' }
end

handlers.exit = function()
  os.exit(0)
end

local function send(message)
  local body = vim.json.encode(message)
  io.stdout:write(('Content-Length: %d\r\n\r\n%s'):format(#body, body))
  io.stdout:flush()
end

while true do
  local length
  repeat
    local line = io.stdin:read('*l')
    if not line then
      os.exit(1)
    end
    length = length or tonumber(line:match('^Content%-Length: (%d+)'))
  until line == '\r' or line == ''
  local message = vim.json.decode(io.stdin:read(length))
  local handler = handlers[message.method]
  local result = handler and handler(message.params)
  if message.id then
    send({ jsonrpc = '2.0', id = message.id, result = result == nil and vim.NIL or result })
  end
end
