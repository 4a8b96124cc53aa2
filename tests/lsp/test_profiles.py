"""The server under pytest-lsp with the capabilities that Neovim, VS Code and Emacs send."""

from pathlib import Path

import oracle
import pytest
import pytest_lsp
from conftest import SOURCE
from lsprotocol import types as lsp
from nasty import NASTY
from pygls.exceptions import JsonRpcMethodNotFound
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from session import LEGEND, ROOT, binary, unpack_tokens

# The first encoding that each client offers.
PROFILES = {"neovim": "utf-8", "visual-studio-code": "utf-16", "emacs": "utf-32"}
SOURCES = {"emoji": NASTY["emoji"], "surrogate pairs": NASTY["surrogate pairs"], "CRLF": NASTY["CRLF"], "plain": SOURCE}


@pytest_lsp.fixture(params=PROFILES, config=ClientServerConfig(server_command=[str(binary()), "lsp", "--stdio"]))
async def client(request, lsp_client: LanguageClient):
    """An initialized client, whose `profile` is the editor's name."""
    options = {"model": "embedded", "debounceMs": 0, "features": {"documentHighlight": True}}
    params = lsp.InitializeParams(capabilities=client_capabilities(request.param), workspace_folders=[], initialization_options=options)

    # Responses of these editors that pytest-lsp does not send.
    for method in ("client/registerCapability", *(f"workspace/{what}/refresh" for what in ("semanticTokens", "codeLens", "inlayHint"))):
        lsp_client.feature(method)(lambda *_: None)
    lsp_client.answer = await lsp_client.initialize_session(params)
    lsp_client.profile, lsp_client.offered = request.param, params.capabilities.general.position_encodings
    yield
    await lsp_client.shutdown_session()


async def ready(client) -> None:
    """Waits for the model. Results are null before it is loaded."""
    while True:
        model = await client.protocol.send_request_async("codegaze/model", {})
        if model.state == "ready":
            return


async def open_document(client, content: str, uri: str = "file:///profile.py", language: str = "python") -> lsp.TextDocumentIdentifier:
    item = lsp.TextDocumentItem(uri=uri, language_id=language, version=1, text=content)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
    await ready(client)
    return lsp.TextDocumentIdentifier(uri)


def encoding(client) -> str:
    return client.answer.capabilities.position_encoding or "utf-16"


@pytest.mark.asyncio
async def test_35_encoding(client):
    """The server selects the first encoding of the editor's list."""
    assert encoding(client) == PROFILES[client.profile]
    assert encoding(client) == ((client.offered or ["utf-16"])[0])


@pytest.mark.asyncio
@pytest.mark.parametrize("name", SOURCES)
async def test_35_tokens(client, name):
    """Tokens have the right columns."""
    document = await open_document(client, SOURCES[name])
    legend = client.answer.capabilities.semantic_tokens_provider.legend
    assert (list(legend.token_types), list(legend.token_modifiers)) == (LEGEND, [])
    answer = await client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(document))
    expected = [token.place() for token in oracle.tokens(SOURCES[name], encoding(client))]
    assert [token.place() for token in unpack_tokens(list(answer.data))] == expected


@pytest.mark.asyncio
async def test_40_hover_and_highlight(client):
    """A hover has the editor's format and the range of the lexeme; highlights have ranges of lexemes."""
    source = SOURCES["emoji"]
    document = await open_document(client, source)
    lexemes = {oracle.place(source, lexeme["span"], encoding(client)): lexeme for lexeme in oracle.analyze(source)["lexemes"]}
    place = max(lexemes)  # Behind the emoji of the last line.
    position = lsp.Position(place[0], place[1])
    hover = await client.text_document_hover_async(lsp.HoverParams(document, position))
    assert (hover.range.start, hover.range.end) == (position, lsp.Position(place[0], place[1] + place[2]))
    formats = client_capabilities(client.profile).text_document.hover.content_format
    assert hover.contents.kind == formats[0] and hover.contents.value
    highlights = await client.text_document_document_highlight_async(lsp.DocumentHighlightParams(document, position))
    assert highlights
    for highlight in highlights:
        start, end = highlight.range.start, highlight.range.end
        assert (start.line, start.character, end.character - start.character) in lexemes
        assert highlight.kind in (lsp.DocumentHighlightKind.Read, lsp.DocumentHighlightKind.Write)


@pytest.mark.asyncio
async def test_42_lens_and_command(client):
    """A lens' command can be run, as the editor would."""
    # A function that gets more attention than what is around it.
    document = await open_document(client, (ROOT / "examples" / "tokenizer.rs").read_text(), language="rust")
    lenses = await client.text_document_code_lens_async(lsp.CodeLensParams(document))
    assert lenses
    offered = client.answer.capabilities.execute_command_provider.commands
    assert lenses[0].command.command in offered
    params = lsp.ExecuteCommandParams(lenses[0].command.command, lenses[0].command.arguments)
    answer = await client.workspace_execute_command_async(params)
    # A client without a panel receives a page: the server writes a file and requests the client to show it.
    path = Path(answer["path"])
    assert answer["mimeType"] == "text/html" and answer["data"] is None
    assert path.read_text().startswith("<!")
    path.unlink()


@pytest.mark.asyncio
async def test_21_unknown_request(client):
    """An unknown request is an error, and the session continues."""
    with pytest.raises(JsonRpcMethodNotFound):
        await client.protocol.send_request_async("no/such", {})
    assert await client.protocol.send_request_async("codegaze/model", {})
