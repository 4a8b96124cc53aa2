"""A server that violates the protocol in a selected way, which the client must detect. Only for test_client.py."""

import json
import os
import sys
import time


def write(message: dict) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    sys.stdout.buffer.flush()


def read() -> dict:
    length = 0
    while line := sys.stdin.buffer.readline().strip():
        length = int(line.split(b":")[1])
    return json.loads(sys.stdin.buffer.read(length)) if length else sys.exit(1)


def misbehave(how: str, message: dict) -> None:
    answer = {"id": message["id"], "result": how}
    if how == "twice":
        write(answer)
        write(answer)
    elif how == "stranger":
        write({**answer, "id": 12345})
        write(answer)
    elif how == "text id":
        write({**answer, "id": str(message["id"])})
    elif how == "both":
        write({**answer, "error": {"code": 1, "message": "and an error"}})
    elif how == "print":
        print("hello", flush=True)
        write(answer)
    elif how == "version":
        write({**answer, "jsonrpc": "1.0"})
    elif how == "panic":
        print("thread 'main' panicked at src/main.rs:1", file=sys.stderr, flush=True)
        write(answer)
    elif how == "close stderr":
        os.close(2)
        write(answer)
    elif how == "deaf":
        sys.stdin.close()
        time.sleep(60)
    elif how == "ask":
        write({"id": 1, "method": "client/registerCapability", "params": {}})
        write({"id": "two", "method": "unknown/request"})
        replies = [read(), read()]
        write({**answer, "result": replies})
    elif how != "silent":
        write(answer)


while True:
    message = read()
    if message["method"] == "exit":
        sys.exit(0)
    misbehave(message["method"], message)
