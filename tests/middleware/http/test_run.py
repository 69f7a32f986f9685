"""`learner proxy --http` as a process: its start, its end, and what it refuses to start with."""

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.middleware.peer import ROOT, TIMEOUT_S, call, python, remembered, wait_for

# Prints its port, then answers every POST: a call of "hang" never, any other at once.
REMOTE = """
import http.server, json, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): pass
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if message["params"]["name"] == "hang": time.sleep(600)
        text = self.headers.get("X-Key", "")
        result = {"content": [{"type": "text", "text": text}]}
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def command(memory: Path, *arguments: str) -> list[str]:
    learner = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "x", "--memory", str(memory)]
    return [*learner, *arguments]


@contextmanager
def remote() -> Iterator[str]:
    with subprocess.Popen(python(REMOTE), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
        finally:
            process.kill()


@contextmanager
def relay(
    memory: Path, *arguments: str, under: Sequence[str] = (), **environment: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        [*under, *command(memory, "--http", "127.0.0.1:0", *arguments)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    ) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            found = re.search(r"x is served at (http://\S+)", said)
            assert found is not None, said
            yield process, found[1]
        finally:
            process.kill()


def post(url: str, message: object, **headers: str) -> tuple[int, bytes]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, json.dumps(message).encode(), names)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_end_it_ends_and_has_recorded_everything(memory_file: Path, number: signal.Signals) -> None:
    with remote() as server, relay(memory_file, "--url", server) as (process, url):
        assert post(url, call(1, "say"))[0] == 200
        with subprocess.Popen(
            python(f"import urllib.request as u; u.urlopen({url!r}, {json.dumps(call(2, 'hang')).encode()!r})"),
            stderr=subprocess.DEVNULL,
        ) as hanging:
            # The second call has passed when the memory knows of it.
            wait_for(memory_file, "SELECT count(*) FROM open_calls", [(1,)])
            process.send_signal(number)
            assert process.wait(TIMEOUT_S) == 0
            hanging.wait(TIMEOUT_S)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert sorted(remembered(memory_file)) == [("hang", "no_answer"), ("say", "result")]


def test_what_its_parent_ignores_does_not_end_it(memory_file: Path) -> None:
    nohup = ["/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh"]
    with remote() as server, relay(memory_file, "--url", server, under=nohup) as (process, url):
        process.send_signal(signal.SIGHUP)
        for number in range(20):  # one of them would still be answered by a relay that is about to end
            assert post(url, call(number, "say"))[0] == 200
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0


def test_header_values_come_from_the_environment_and_are_written_nowhere(memory_file: Path) -> None:
    with remote() as server:
        arguments = (
            "--url",
            f"{server}?key=s3cret-query",
            "--header",
            "X-Key=KEY_OF_MINE",
            "--header",
            "X-Other=OTHER",
        )
        with relay(memory_file, *arguments, KEY_OF_MINE="s3cret-key", OTHER="o") as (process, url):
            status, body = post(url, call(1, "say"))
            assert (status, b"s3cret-key" in body) == (200, True)
            process.terminate()
            process.wait(TIMEOUT_S)
    data = b"".join(path.read_bytes() for path in memory_file.parent.glob("memory.db*"))
    assert b"s3cret-query" not in data
    assert remembered(memory_file) == [("say", "result")]


def test_a_token_that_is_set_is_asked_for(memory_file: Path) -> None:
    with remote() as server, relay(memory_file, "--url", server, PRACTICUM_HTTP_TOKEN="s3cret") as (_, url):
        assert post(url, call(1, "say"))[0] == 401
        assert post(url, call(1, "say"), Authorization="Bearer s3cret")[0] == 200


def test_more_connections_than_there_are_descriptors_are_said_in_one_line_and_waited_for(memory_file: Path) -> None:
    few = ["/bin/sh", "-c", 'ulimit -n 40; exec "$@"', "sh"]
    with remote() as server, relay(memory_file, "--url", server, under=few) as (process, url):
        post(url, call(0, "say"))
        wait_for(memory_file, "SELECT count(*) FROM calls", [(1,)])  # it is open, and needs no descriptor more
        address = ("127.0.0.1", int(url.split(":")[2].split("/")[0]))
        with ExitStack() as connections:
            for _ in range(60):
                connections.enter_context(socket.create_connection(address, TIMEOUT_S))
            assert process.stderr is not None
            assert "Too many open files" in process.stderr.readline()
        assert post(url, call(1, "say"))[0] == 200
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    "text",
    [
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\nX: y\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\x00\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX: s3cret" + b"x" * (1 << 19),
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Accept: application/json, text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\ns3cret\r\n",
    ],
    ids=["newline", "null", "long", "chunk"],
)
@pytest.mark.parametrize("behind", ["--url", "--"])
def test_what_is_no_request_is_refused_and_nothing_of_it_is_said(behind: str, text: bytes, memory_file: Path) -> None:
    with remote() as server, relay(memory_file, behind, server if behind == "--url" else "cat") as (process, url):
        address = ("127.0.0.1", int(url.split(":")[2].split("/")[0]))
        with socket.create_connection(address, TIMEOUT_S) as connection:
            connection.sendall(text)
            assert connection.recv(12).endswith(b" 400")
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--url", "no url", "--http", "127.0.0.1:0"], 2, "--url"),
        (["--url", "ftp://x/y", "--http", "127.0.0.1:0"], 2, "whole URL"),
        (["--url", "http://x/", "--http", "8000"], 2, "HOST:PORT"),
        (["--url", "http://x/", "--http", "0.0.0.0:0"], 2, "PRACTICUM_HTTP_TOKEN"),
        (["--url", "http://x/", "--http", "127.0.0.1:99999"], 2, "HOST:PORT"),
        (["--url", "http://x/", "--http", "127.0.0.1:0", "--header", "X=NOT_SET"], 2, "NOT_SET"),
        (["--url", "http://x/", "--http", "127.0.0.1:0", "--header", "X: value"], 2, "NAME=VARIABLE"),
        (["--url", "http://x/", "--http", "127.0.0.1:0", "--header", "X Y=HOME"], 2, "NAME=VARIABLE"),
        (["--url", "http://x y/", "--http", "127.0.0.1:0"], 2, "whole URL"),
        (["--url", "http://x/", "--http", "203.0.113.1:0"], 2, "PRACTICUM_HTTP_TOKEN"),
        (["--url", "http://x/", "--", "cat"], 2, "either"),
        (["--header", "X=Y", "--", "cat"], 2, "--url"),
        (["--allow-host", "x", "--", "cat"], 2, "--http"),
        ([], 2, "either"),
        (["--name", " ", "--", "cat"], 2, "name"),
    ],
)
def test_what_cannot_mean_anything_is_said_in_one_line(
    arguments: list[str], code: int, said: str, memory_file: Path
) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PRACTICUM_HTTP_TOKEN"}
    done = subprocess.run(
        command(memory_file, *arguments), capture_output=True, text=True, cwd=ROOT, timeout=TIMEOUT_S, env=environment
    )
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not memory_file.exists()


def test_an_address_that_is_taken_is_said_in_one_line(memory_file: Path) -> None:
    with remote() as server:
        port = server.split(":")[2].split("/")[0]
        arguments = command(memory_file, "--url", server, "--http", f"127.0.0.1:{port}")
        done = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, timeout=TIMEOUT_S)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}: {os.strerror(errno.EADDRINUSE)}; choose" in done.stderr
