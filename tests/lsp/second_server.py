"""Another language server, which runs beside codegaze. It colors every word, shows a hover, and counts in UTF-16."""

import json
import re
import sys

WORD = re.compile(r"[A-Za-z_]\w*")
LINE_END = re.compile("\r\n|\n|\r")
documents: dict[str, str] = {}


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def tokens(text: str) -> list[int]:
    """Tokens that mark every word as a variable."""
    data, line_before = [], 0
    for number, line in enumerate(LINE_END.split(text)):
        start_before = 0
        for word in WORD.finditer(line):
            start = units(line[: word.start()])
            data += [number - line_before, start - start_before, units(word[0]), 0, 0]
            line_before, start_before = number, start
    return data


def answer(method: str, params: dict) -> object:
    if method == "initialize":
        legend = {"tokenTypes": ["variable"], "tokenModifiers": []}
        return {
            "capabilities": {
                "positionEncoding": "utf-16",
                "textDocumentSync": {"openClose": True, "change": 1},
                "semanticTokensProvider": {"legend": legend, "full": True},
                "hoverProvider": True,
            }
        }
    if method == "textDocument/semanticTokens/full":
        return {"data": tokens(documents[params["textDocument"]["uri"]])}
    if method == "textDocument/hover":
        return {"contents": {"kind": "markdown", "value": "said by the second server"}}
    return None


def note(method: str, params: dict) -> None:
    if method == "textDocument/didOpen":
        documents[params["textDocument"]["uri"]] = params["textDocument"]["text"]
    elif method == "textDocument/didChange":
        documents[params["textDocument"]["uri"]] = params["contentChanges"][-1]["text"]
    elif method == "exit":
        sys.exit(0)


def main() -> None:
    while True:
        length = None
        while line := sys.stdin.buffer.readline().strip():
            if line.startswith(b"Content-Length"):
                length = int(line.split(b":")[1])
        if length is None:
            return
        message = json.loads(sys.stdin.buffer.read(length))
        if "method" not in message:
            continue
        if "id" not in message:
            note(message["method"], message.get("params"))
            continue
        result = answer(message["method"], message.get("params"))
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()
        sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
