"""A raw client of a language server: the server's process, its pipes, frames, and a record of open requests in both directions.

It keeps the protocol's promises itself and holds the server to them: `close` fails if a request was not answered exactly once, if the
server wrote anything but frames to stdout, or if it panicked.
"""

import collections
import dataclasses
import json
import os
import re
import select
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
SERVER_NOT_INITIALIZED, CONTENT_MODIFIED, REQUEST_CANCELLED = -32002, -32801, -32800

LARGEST_FRAME = 1 << 28
HEADER = re.compile(rb"Content-Length: (\d+)\r\n(?:Content-Type: [^\r\n]+\r\n)?\r\n\Z")


class Violation(AssertionError):
    """The server violated the protocol."""


class ResponseError(Exception):
    """The server responded with an error."""

    def __init__(self, method: str, error: dict):
        super().__init__(f"{method}: {error}")
        self.code = error["code"]
        self.error = error


class Timeout(AssertionError):
    """The server did not do something in time."""


@dataclasses.dataclass
class Refusal:
    """A response to a request of the server: this error."""

    code: int
    message: str = "refused"


# No response to a request of the server.
SILENCE = object()

# The responses to requests of the server: a result, a function from the parameters to a result, a Refusal or SILENCE. Others are errors.
ANSWERS = {
    "workspace/configuration": lambda params: [None] * len(params["items"]),
    "client/registerCapability": None,
    "client/unregisterCapability": None,
    "window/workDoneProgress/create": None,
    "window/showMessageRequest": None,
    "workspace/semanticTokens/refresh": None,
    "workspace/codeLens/refresh": None,
    "workspace/inlayHint/refresh": None,
}


@dataclasses.dataclass
class Message:
    """A request or notification of the server."""

    method: str
    params: object
    at: float
    id: object = None


class Pending:
    """A request to the server, and its response after it arrives."""

    def __init__(self, client: "Client", request_id: object, method: str):
        self.client, self.id, self.method = client, request_id, method
        self.sent_at = time.monotonic()
        self.answered_at: float | None = None
        self.answer: dict | None = None
        self.taken = False

    def wait(self, timeout: float = 20) -> dict:
        """The complete response, which can be an error."""
        self.taken = True
        self.client.wait_until(lambda: self.answer is not None, timeout, f"answer to {self.method} (id {self.id!r})")
        return self.answer

    def result(self, timeout: float = 20):
        answer = self.wait(timeout)
        if "error" in answer:
            raise ResponseError(self.method, answer["error"])
        return answer["result"]

    def error_code(self, timeout: float = 20) -> int | None:
        return self.wait(timeout).get("error", {}).get("code")

    def cancel(self) -> None:
        self.client.notify("$/cancelRequest", {"id": self.id})

    @property
    def seconds(self) -> float:
        """The time from the request to its response."""
        return self.answered_at - self.sent_at


class Client:
    def __init__(self, command: Sequence, *, env: dict | None = None, answers: dict | object = None):
        """`answers` adds to ANSWERS. SILENCE responds to nothing."""
        self.answers = answers if answers is SILENCE else {**ANSWERS, **(answers or {})}
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            bufsize=0,
        )
        self.started_at = time.monotonic()
        os.set_blocking(self.process.stdin.fileno(), False)
        self.changed = threading.Condition()
        self.writing = threading.Lock()
        self.may_read = threading.Event()
        self.may_read.set()
        self.ids = 0
        self.asked: dict[object, Pending] = {}
        self.notifications: list[Message] = []
        self.requests: list[Message] = []
        self.anonymous: list[dict] = []  # answers with the id null: to messages whose id could not be read
        self.violations: list[str] = []
        self.stderr: list[str] = []
        self.n_bytes_read = 0
        self.stdout_closed = False
        self.threads = [threading.Thread(target=target, daemon=True) for target in (self._read_stdout, self._read_stderr)]
        for thread in self.threads:
            thread.start()

    # Sending.

    def send_bytes(self, data: bytes, timeout: float = 20) -> None:
        """Writes while the server reads, and fails if it stops reading."""
        end = time.monotonic() + timeout
        with self.writing:
            rest = memoryview(data)
            while rest:
                if not select.select([], [self.process.stdin], [], max(0, end - time.monotonic()))[1]:
                    raise Timeout(f"the server read nothing for {timeout} s; {len(rest)} bytes are left")
                try:
                    rest = rest[os.write(self.process.stdin.fileno(), rest) :]
                except BlockingIOError:
                    continue

    def send_body(self, body: bytes) -> None:
        self.send_bytes(frame(body))

    def send(self, message: object) -> None:
        self.send_body(encode(message))

    def notify(self, method: str, params: object = None) -> None:
        self.send(notification(method, params))

    def expect(self, method: str, request_id: object = None) -> Pending:
        """Records a request that the caller sends in another way."""
        with self.changed:
            if request_id is None:
                self.ids += 1
                request_id = self.ids
            assert request_id not in self.asked, f"the id {request_id!r} is used"
            pending = self.asked[request_id] = Pending(self, request_id, method)
        return pending

    def request(self, method: str, params: object = None, request_id: object = None) -> Pending:
        pending = self.expect(method, request_id)
        self.send(request(pending.id, method, params))
        return pending

    def call(self, method: str, params: object = None, timeout: float = 20):
        return self.request(method, params).result(timeout)

    def command(self, name: str, argument: dict | None = None, timeout: float = 20):
        return self.call("workspace/executeCommand", command(name, argument), timeout)

    # Receiving.

    def pause_reading(self) -> None:
        """Stops reading the server's output, except for a read that has begun."""
        self.may_read.clear()

    def resume_reading(self) -> None:
        self.may_read.set()

    def wait_until(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        with self.changed:
            met = self.changed.wait_for(lambda: condition() or self.stdout_closed, timeout)
            if condition():
                return
        if met:
            raise Timeout(f"the server ended before: {what}; stderr: {self.stderr[-5:]}")
        raise Timeout(f"not within {timeout} s: {what}")

    def wait_notification(
        self, method: str, accept: Callable[[dict], bool] = lambda _: True, *, since: int = 0, timeout: float = 20
    ) -> Message:
        """The first notification of this method, from index `since` on."""

        def found() -> list[Message]:
            return [message for message in self.notifications[since:] if message.method == method and accept(message.params)]

        self.wait_until(lambda: bool(found()), timeout, f"notification {method}")
        return found()[0]

    def sent_by_server(self, method: str) -> list[Message]:
        with self.changed:
            return [message for message in self.notifications + self.requests if message.method == method]

    def unanswered(self) -> list[Pending]:
        with self.changed:
            return [pending for pending in self.asked.values() if pending.answer is None]

    def _read_stdout(self) -> None:
        stdout, buffer = self.process.stdout.fileno(), bytearray()
        while True:
            self.may_read.wait()
            data = os.read(stdout, 1 << 16)
            if not data:
                break
            self.n_bytes_read += len(data)
            buffer += data
            while (body := self._take_frame(buffer)) is not None:
                self._receive(body)
        with self.changed:
            if buffer:
                self.violations.append(f"stdout ends within a frame: {bytes(buffer[:200])!r}")
            self.stdout_closed = True
            self.changed.notify_all()

    def _take_frame(self, buffer: bytearray) -> bytes | None:
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(buffer) > 1000:
                self._violate(f"not a frame on stdout: {bytes(buffer[:200])!r}")
                buffer.clear()
            return None
        end += 4
        header = HEADER.match(bytes(buffer[:end]))
        if header is None or int(header[1]) > LARGEST_FRAME:
            self._violate(f"not a frame on stdout: {bytes(buffer[:200])!r}")
            buffer.clear()
            return None
        length = int(header[1])
        if len(buffer) < end + length:
            return None
        body = bytes(buffer[end : end + length])
        del buffer[: end + length]
        return body

    def _violate(self, what: str) -> None:
        with self.changed:
            self.violations.append(what)
            self.changed.notify_all()

    def _receive(self, body: bytes) -> None:
        at = time.monotonic()
        try:
            message = json.loads(body)
        except ValueError:
            return self._violate(f"not JSON: {body[:200]!r}")
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            return self._violate(f"not JSON-RPC 2.0: {body[:200]!r}")
        if "method" not in message:
            return self._receive_answer(message, at)
        received = Message(message["method"], message.get("params"), at, message.get("id"))
        with self.changed:
            (self.requests if "id" in message else self.notifications).append(received)
            self.changed.notify_all()
        if "id" in message:
            self._answer(received)

    def _receive_answer(self, message: dict, at: float) -> None:
        with self.changed:
            if ("result" in message) == ("error" in message) or "id" not in message:
                self.violations.append(f"neither request nor answer: {message}")
            elif message["id"] is None:
                self.anonymous.append(message)
            elif (pending := self.asked.get(message["id"])) is None or type(pending.id) is not type(message["id"]):
                self.violations.append(f"an answer that nobody asked for: {message}")
            elif pending.answer is not None:
                self.violations.append(f"a second answer to {pending.method}: {pending.answer}, then {message}")
            else:
                pending.answer, pending.answered_at = message, at
            self.changed.notify_all()

    def _answer(self, message: Message) -> None:
        if self.answers is SILENCE:
            return
        answer = self.answers.get(message.method, Refusal(METHOD_NOT_FOUND, message.method))
        if callable(answer):
            answer = answer(message.params)
        if answer is SILENCE:
            return
        reply = {"error": {"code": answer.code, "message": answer.message}} if isinstance(answer, Refusal) else {"result": answer}
        try:
            self.send({"jsonrpc": "2.0", "id": message.id, **reply})
        except (BrokenPipeError, ValueError):
            pass  # The server ended, which is for others to judge.

    def _read_stderr(self) -> None:
        for line in self.process.stderr:
            self.stderr.append(line.decode(errors="replace").rstrip())

    # The process.

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def wait_exit(self, timeout: float) -> int:
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Timeout(f"the server still runs after {timeout} s") from None

    def close(self, *, timeout: float = 5, owes_answers: bool = False) -> None:
        """Ends the session as the protocol requires, and fails if the server violated the protocol."""
        try:
            if self.is_alive():
                self.resume_reading()
                self.call("shutdown", timeout=timeout)
                self.notify("exit")
            code = self.wait_exit(timeout)
            for thread in self.threads:
                thread.join(timeout)
            faults = self.faults(owes_answers)
            if code != 0:
                faults.append(f"the server ended with {code}")
        finally:
            self.kill()
        if faults:
            raise Violation("; ".join(faults) + f"; stderr: {self.stderr[-5:]}")

    def faults(self, owes_answers: bool = False) -> list[str]:
        """The violations of the protocol so far."""
        with self.changed:
            faults = list(self.violations)
            open_ids = [pending for pending in self.asked.values() if pending.answer is None]
            unread = [pending for pending in self.asked.values() if not pending.taken]
        if open_ids and not owes_answers:
            faults.append("never answered: " + ", ".join(f"{pending.method} (id {pending.id!r})" for pending in open_ids[:5]))
        if unread:
            faults.append("nobody looked at the answer to: " + ", ".join(pending.method for pending in unread[:5]))
        faults += [f"panic: {line}" for line in self.stderr if "panicked at" in line]
        return faults

    def kill(self) -> None:
        if self.is_alive():
            self.process.kill()
        self.process.wait()
        self.may_read.set()
        for thread in self.threads:
            thread.join(5)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind, error, traceback) -> None:
        if kind is None:
            self.close()
        else:
            self.kill()


def encode(message: object) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def notification(method: str, params: object = None) -> dict:
    message = {"jsonrpc": "2.0", "method": method}
    return message if params is None else {**message, "params": params}


def request(request_id: object, method: str, params: object = None) -> dict:
    return {"id": request_id, **notification(method, params)}


def command(name: str, argument: dict | None = None) -> dict:
    """The parameters of `workspace/executeCommand`."""
    return {"command": name, "arguments": [] if argument is None else [argument]}


def counts(messages: list[Message]) -> collections.Counter:
    return collections.Counter(message.method for message in messages)
