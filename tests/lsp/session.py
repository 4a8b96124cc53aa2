"""A session with the language server: its start, documents that client and server edit, and unpacked results."""

import dataclasses
import json
import os
import time
from pathlib import Path

from client import CONTENT_MODIFIED, Client, Pending, ResponseError
from plaintext import Position, Text, to_position, to_range

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_file())
LANGUAGES = {
    ".c": "c",
    ".cpp": "cpp",
    ".go": "go",
    ".java": "java",
    ".js": "javascript",
    ".php": "php",
    ".py": "python",
    ".rb": "ruby",
    ".rs": "rust",
    ".ts": "typescript",
}
LEGEND = [f"attention{level}" for level in range(1, 6)]


def binary() -> Path:
    """The program under test: the environment's CODEGAZE, or the release build."""
    path = Path(os.environ.get("CODEGAZE") or ROOT / "target" / "release" / "codegaze").resolve()
    if not path.exists():
        raise SystemExit(f"{path} does not exist: run `cargo build --release`, or set CODEGAZE")
    return path


def capabilities(encodings: list[str] | None = None, **parts) -> dict:
    """The capabilities of a client that supports everything. `parts` replaces sections, and None removes one."""
    full = {
        "general": {} if encodings is None else {"positionEncodings": encodings},
        "window": {"workDoneProgress": True, "showMessage": {}, "showDocument": {"support": True}},
        "workspace": {
            "configuration": True,
            "didChangeConfiguration": {"dynamicRegistration": True},
            "workspaceFolders": True,
            "semanticTokens": {"refreshSupport": True},
            "codeLens": {"refreshSupport": True},
            "inlayHint": {"refreshSupport": True},
        },
        "textDocument": {
            "hover": {"contentFormat": ["markdown", "plaintext"]},
            "semanticTokens": {
                "requests": {"full": True, "range": True},
                "tokenTypes": LEGEND,
                "tokenModifiers": [],
                "formats": ["relative"],
            },
            "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "refactor", "source"]}}},
            "codeLens": {},
            "documentHighlight": {},
            "colorProvider": {},
            "inlayHint": {},
        },
        "experimental": {"codegaze": {"status": True, "heatmapChanged": True}},
    }
    return {key: value for key, value in {**full, **parts}.items() if value is not None}


class Server(Client):
    """`codegaze lsp --stdio`, and requests to it."""

    def __init__(self, *arguments, **options):
        super().__init__([binary(), "lsp", *(arguments or ("--stdio",))], **options)
        self.encoding = "utf-16"
        self.capabilities: dict = {}

    def initialize(
        self,
        encodings: list[str] | None = None,
        options: dict | None = None,
        client: dict | None = None,
        *,
        wait: bool = True,
        **params,
    ) -> dict:
        """Starts with the embedded model, and waits until it is loaded."""
        result = self.call(
            "initialize",
            {
                "processId": os.getpid(),
                "clientInfo": {"name": "drivers"},
                "rootUri": None,
                "capabilities": capabilities(encodings) if client is None else client,
                "initializationOptions": {"model": "embedded", "debounceMs": 0, **(options or {})},
                **params,
            },
        )
        self.capabilities = result["capabilities"]
        self.encoding = self.capabilities.get("positionEncoding", "utf-16")
        self.notify("initialized", {})
        if wait:
            self.wait_model()
        return result

    def wait_model(self, state: str = "ready", timeout: float = 30) -> dict:
        end = time.monotonic() + timeout
        while (model := self.call("codegaze/model", {}))["state"] != state:
            assert time.monotonic() < end, f"the model is not {state} after {timeout} s: {model}"
            time.sleep(0.005)
        return model

    def open(self, content: str, uri: str = "file:///document.py", language: str = "python", version: int = 1) -> "Document":
        document = Document(self, uri, language, Text(content), version)
        document.open()
        return document

    def open_example(self, path: Path) -> "Document":
        return self.open(path.read_bytes().decode(), path.as_uri(), LANGUAGES[path.suffix])

    def info(self) -> dict:
        return self.command("codegaze.server.info")


@dataclasses.dataclass
class Token:
    """The heat of one lexeme."""

    line: int
    start: int
    length: int
    level: int
    thousandths: int | None = None

    def place(self) -> tuple[int, int, int, int]:
        return self.line, self.start, self.length, self.level


def unpack_tokens(data: list[int]) -> list[Token]:
    """Unpacks the result of `textDocument/semanticTokens`."""
    return [Token(line, start, length, kind + 1) for line, start, length, kind, modifiers in _unpack(data) if not modifiers]


def unpack_heatmap(data: list[int]) -> list[Token]:
    """Unpacks the result of `codegaze/heatmap`."""
    return [Token(*numbers) for numbers in _unpack(data)]


def _unpack(data: list[int]):
    assert len(data) % 5 == 0, f"{len(data)} numbers"
    line = start = 0
    for i in range(0, len(data), 5):
        delta_line, delta_start, *rest = data[i : i + 5]
        line += delta_line
        start = delta_start if delta_line else start + delta_start
        yield line, start, *rest


class Document:
    """A document that is open in a server, with the text that the server must have."""

    def __init__(self, server: Server, uri: str, language: str, text: Text, version: int = 1):
        self.server, self.uri, self.language, self.text, self.version = server, uri, language, text, version

    @property
    def identifier(self) -> dict:
        return {"uri": self.uri}

    def params(self, position: Position | None = None, **more) -> dict:
        place = {} if position is None else {"position": to_position(position)}
        return {"textDocument": self.identifier, **place, **more}

    def open(self) -> None:
        item = {"uri": self.uri, "languageId": self.language, "version": self.version, "text": self.text.content}
        self.server.notify("textDocument/didOpen", {"textDocument": item})

    def close(self) -> None:
        self.server.notify("textDocument/didClose", {"textDocument": self.identifier})

    def change(self, *changes: tuple[Position, Position, str] | str) -> None:
        """Edits, each a replacement (start, end, text) of the result of the one before. A string replaces the whole text."""
        events = []
        for change in changes:
            if isinstance(change, str):
                self.text = Text(change)
                events.append({"text": change})
            else:
                start, end, new = change
                self.text = self.text.replaced(start, end, new, self.server.encoding)
                events.append({"range": to_range(start, end), "text": new})
        self.version += 1
        params = {"textDocument": {"uri": self.uri, "version": self.version}, "contentChanges": events}
        self.server.notify("textDocument/didChange", params)

    def request(self, method: str, **params) -> Pending:
        return self.server.request(method, self.params(**params))

    def call(self, method: str, *, timeout: float = 20, **params):
        """Repeats the request while the server responds that the content was modified, like clients do."""
        end = time.monotonic() + timeout
        while True:
            try:
                return self.request(method, **params).result(timeout)
            except ResponseError as error:
                if error.code != CONTENT_MODIFIED or time.monotonic() > end:
                    raise

    def tokens(self) -> list[Token]:
        return unpack_tokens(self.call("textDocument/semanticTokens/full")["data"])

    def heatmap(self, **params) -> dict:
        return self.call("codegaze/heatmap", **params)

    def heat(self) -> list[Token]:
        return unpack_heatmap(self.heatmap()["data"])

    def analysis(self, **options) -> dict:
        """The whole analysis, in the format of the command line."""
        answer = self.server.command("codegaze.server.heatmap", {"uri": self.uri, "format": "json", **options}, 30)
        assert answer["mimeType"] == "application/json" and answer["encoding"] == "utf8" and answer["path"] is None
        return {"version": answer["version"], **json.loads(answer["data"])}

    def assert_text(self) -> None:
        """The server has the same text, by its hash."""
        analysis = self.analysis()
        assert analysis["version"] == self.version, f"{self.uri}: version {analysis['version']} instead of {self.version}"
        server = analysis["document"]
        assert server["bytes"] == len(self.text.content.encode()), f"{self.uri}: {server} instead of {self.text.content[:500]!r}"
        assert server["sha256"] == self.text.sha256(), f"{self.uri}: another text than {self.text.content[:500]!r}"
