"""Fixtures: servers, whose violations of the protocol fail a test at its end."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from session import Document, Server, binary  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--soak-seconds", type=int, default=60, help="how long the soak lasts; 600 is the whole of it")


def pytest_configure(config):
    binary()


@pytest.fixture
def start():
    """Starts servers. Each must have responded to every request when the test ends."""
    servers: list[Server] = []

    def start_server(*arguments, **options) -> Server:
        servers.append(Server(*arguments, **options))
        return servers[-1]

    yield start_server
    try:
        for server in servers:
            if server.process.stdin.closed:
                continue  # The test closed it.
            if server.is_alive():
                server.close()
            elif faults := server.faults():
                raise AssertionError("; ".join(faults))
    finally:
        for server in servers:
            server.kill()


@pytest.fixture
def raw(start) -> Server:
    """A started server that is not initialized."""
    return start()


@pytest.fixture
def server(raw) -> Server:
    """A server with the embedded model and UTF-16."""
    raw.initialize()
    return raw


SOURCE = """import os


class Store:
    def __init__(self, path):
        self.path = path
        self.items = {}

    def load(self, name):
        with open(os.path.join(self.path, name)) as file:
            return file.read()


def total(values):
    result = 0
    for value in values:
        result += value
    return result
"""


@pytest.fixture
def document(server) -> Document:
    return server.open(SOURCE)
