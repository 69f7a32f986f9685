"""The relay as a process: bytes, endings, outcomes."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleware.memory.identity import HTTP_TOKEN_VARIABLE, TRIAL_META_KEY, TRIAL_TOKEN_VARIABLE
from tests.middleware.peer import ECHO, ROOT, TIMEOUT_S, Peer, call, python, remembered, wait_for

# Copies its input to its output as it comes: what arrives is what the relay made of it in both directions.
CAT = "import os\nwhile data := os.read(0, 65536):\n while data: data = data[os.write(1, data):]"

messages = st.one_of(
    st.fixed_dictionaries(
        {"jsonrpc": st.just("2.0")},
        optional={
            "id": st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["1", "ü", 1.0, True, [], {}])),
            "method": st.one_of(
                st.sampled_from(
                    ["tools/call", "tools/list", "initialize", "notifications/cancelled", "vendor/x", "ping"]
                ),
                st.none(),
                st.just([1]),
            ),
            "params": st.one_of(
                st.none(),
                st.just([1, 2]),
                st.fixed_dictionaries(
                    {},
                    optional={
                        "name": st.one_of(st.text(), st.integers()),
                        "arguments": st.one_of(st.none(), st.dictionaries(st.text(), st.text() | st.floats())),
                        "_meta": st.one_of(st.none(), st.dictionaries(st.text(), st.integers())),
                        "requestId": st.integers(0, 3),
                    },
                ),
            ),
            "result": st.one_of(st.none(), st.just({"tools": [{"name": "t"}, 1, None]}), st.just({"tools": 3})),
            "error": st.one_of(st.none(), st.text(), st.just({"code": 2**70, "message": None})),
        },
    ),
    st.recursive(st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5),
)
lines = st.one_of(
    messages.map(lambda value: json.dumps(value).encode()),
    messages.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.lists(messages, max_size=3).map(lambda value: json.dumps(value, indent=None).encode()),
    st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"")),
    st.sampled_from([b"", b"\r", b"[" * 2000, b'{"id":1,"method":"tools/call"', b'{"id":' + b"9" * 5000 + b"}"]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(traffic=st.lists(lines, min_size=1, max_size=12))
def test_any_bytes_pass_in_both_directions_as_they_are(traffic: list[bytes], cat: Peer) -> None:
    mark = b"the end of this example"
    data = b"\n".join([*traffic, mark]) + b"\n"
    cat.send(data)
    received = b""
    while not received.endswith(mark + b"\n"):
        received += cat.line()
    assert received == data


@pytest.fixture(scope="module")
def cat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with Peer(tmp_path_factory.mktemp("cat") / "memory.db", python(CAT)) as peer:
        yield peer
        peer.finish()
        assert peer.said() == ""


def test_a_line_of_many_megabytes_passes_and_is_recorded(memory_file: Path) -> None:
    text = "ü" * 3_000_000
    with Peer(memory_file, python(ECHO)) as peer:
        sender = threading.Thread(target=peer.send, args=(call(1, "say", {"text": text}),))
        sender.start()
        answer = peer.message()
        sender.join(TIMEOUT_S)
        assert json.loads(answer["result"]["content"][0]["text"]) == {"text": text}
        peer.finish()
    ((arguments, result, *sizes),) = remembered(memory_file, "arguments_json, result_json, request_bytes, result_bytes")
    for kept, size in zip((arguments, result), sizes, strict=True):
        assert len(kept.encode()) <= 16 * 1024
        assert json.loads(kept)["practicum/cut"] == {"bytes": size}
        assert size > 3_000_000


# Answers each request with 10 MB of the shape that its tool names, as a server does that writes `result` first.
LARGE = """
import json, sys
shapes = {
    "text": '"' + "ten bytes " * 1_000_000 + '"',
    "escapes": '"' + r'\\"\\u00e9\\ud83d\\ude00\\n' * 450_000 + '"',
    "dense": "[" + ",".join('{"id":%d,"t":["a","b"],"at":{"x":0.5,"y":[[1],null]}}' % n for n in range(170_000)) + "]",
    "deep": "[" + ",".join(["[" * 90 + "1" + "]" * 90] * 55_000) + "]",
}
for line in sys.stdin.buffer:
    message = json.loads(line)
    value = shapes[message["params"]["name"]]
    assert len(value) > 9_000_000
    data = '{"result":{"structuredContent":{"v":%s},"content":[]},"id":%d}' % (value, message["id"])
    sys.stdout.buffer.write(data.encode() + b"\\n")
    sys.stdout.buffer.flush()
"""


def test_results_and_requests_of_many_megabytes_need_little_memory(memory_file: Path) -> None:
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("the peak of a process's memory is read from /proc")
    shapes = ["text", "escapes", "dense", "deep"]
    with Peer(memory_file, python(LARGE)) as peer:
        for number, shape in enumerate(shapes):
            peer.send(call(number, shape, {"text": "x" * 10_000_000}))
            assert peer.line().endswith(b'"id":%d}\n' % number)
        lines = Path(f"/proc/{peer.process.pid}/status").read_text().splitlines()
        (peak,) = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")]
        peer.finish()
    assert peak < 60_000_000
    rows = remembered(memory_file, "tool_name, outcome, result_bytes, result_json")
    assert [row[:2] for row in rows] == [(shape, "result") for shape in shapes]
    assert all(json.loads(kept)["practicum/cut"] == {"bytes": size} for _, _, size, kept in rows)


def test_a_line_longer_than_any_that_is_held_passes_and_is_recorded(memory_file: Path) -> None:
    long = b'{"method":"tools/call","params":{"name":"long","arguments":{"text":"%s"}},"id":9}' % (b"z" * (65 << 20))
    with Peer(memory_file, python(CAT)) as peer:
        lines = [json.dumps(call(1, "before")).encode(), long, json.dumps(call(2, "after")).encode()]
        sender = threading.Thread(target=peer.send, args=(b"\n".join(lines) + b"\n",))
        sender.start()
        assert json.loads(peer.line())["id"] == 1
        received, size = hashlib.sha256(), 0
        while size < len(long) + 1:
            data = os.read(peer.stdout.fileno(), min(1 << 20, len(long) + 1 - size))
            received.update(data)
            size += len(data)
        assert received.digest() == hashlib.sha256(long + b"\n").digest()
        sender.join(TIMEOUT_S)
        assert json.loads(peer.line())["id"] == 2
        peer.finish()
    rows = remembered(memory_file, "tool_name, request_bytes")
    assert [name for name, _ in rows] == ["before", "long", "after"]
    assert rows[1][1] == len(long) + 1


def test_clients_may_connect_by_sockets_and_files(memory_file: Path, tmp_path: Path) -> None:
    relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "x", "--memory", str(memory_file), "--"]
    line = json.dumps(call(1, "say", {"text": "x" * 200_000})).encode() + b"\n"
    theirs, ours = socket.socketpair()
    with (
        ours,
        theirs,
        subprocess.Popen([*relay, *python(CAT)], stdin=theirs.fileno(), stdout=theirs.fileno(), cwd=ROOT) as process,
    ):
        theirs.close()
        ours.settimeout(TIMEOUT_S)

        def send() -> None:
            ours.sendall(line)
            ours.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        received = b""
        while data := ours.recv(1 << 16):
            received += data
        sender.join(TIMEOUT_S)
        assert received == line
        assert process.wait(TIMEOUT_S) == 0
    (tmp_path / "in").write_bytes(line * 3)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as sink:
        subprocess.run([*relay, *python(CAT)], stdin=source, stdout=sink, cwd=ROOT, timeout=TIMEOUT_S, check=True)
    assert (tmp_path / "out").read_bytes() == line * 3


def test_a_closed_standard_input_is_an_ended_one(memory_file: Path) -> None:
    relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "x", "--memory", str(memory_file), "--"]
    server = python("import sys; print('read', repr(sys.stdin.read()))")
    shell = ["sh", "-c", 'exec "$@" <&-', "sh", *relay, *server]
    done = subprocess.run(shell, stdout=subprocess.PIPE, cwd=ROOT, timeout=TIMEOUT_S, check=True)
    assert done.stdout == b"read ''\n"


def test_more_than_pipes_hold_waits_in_neither_direction(memory_file: Path) -> None:
    """The client reads nothing until it has sent everything; the server floods meanwhile."""
    flood = "import sys\nfor i in range(50000): print('noise', i)\nsys.stdout.flush()\nprint(len(sys.stdin.read()))"
    with Peer(memory_file, python(flood)) as peer:

        def send() -> None:
            peer.send(b"x" * 99 + b"\n", b"y" * 3_000_000)
            peer.stdin.close()

        sent = threading.Thread(target=send)
        sent.start()
        received = [peer.line() for _ in range(50001)]
        sent.join(TIMEOUT_S)
        assert received[:50000] == [f"noise {i}\n".encode() for i in range(50000)]
        assert received[50000] == b"3000100\n"
        assert peer.process.wait(TIMEOUT_S) == 0


def test_each_request_leaves_one_row_with_its_outcome(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        assert peer.call(1, "say", {"a": [1, "é"]})["id"] == 1
        assert peer.call("1", "fail")["result"]["isError"]
        assert peer.call(None, "refuse")["error"]["code"] == -32602
        peer.send(call(7, "hang"), call(8, "hang"))
        peer.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}})
        peer.call(9, "say")
        assert peer.finish() == 0
    rows = remembered(memory_file, "tool_name, outcome, error, error_code, arguments_json, jsonrpc_id")
    assert rows == [
        ("say", "result", None, None, '{"a":[1,"é"]}', "1"),
        ("fail", "tool_error", "bad date", None, "{}", '"1"'),
        ("refuse", "protocol_error", 'no such thing {"why":1}', -32602, "{}", "null"),
        ("say", "result", None, None, "{}", "9"),
        ("hang", "cancelled", None, None, "{}", "7"),
        ("hang", "no_answer", None, None, "{}", "8"),
    ]


def test_a_cancelled_call_has_its_row_while_the_session_goes_on(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        peer.send(call(7, "hang"))
        peer.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}})
        wait_for(memory_file, "SELECT outcome FROM calls", [("cancelled",)])
        assert peer.process.poll() is None


def test_calls_in_a_batch_count_each(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        peer.send([call(1, "say"), call(2, "fail"), {"jsonrpc": "2.0", "method": "x"}])
        assert [peer.message()["id"], peer.message()["id"]] == [1, 2]
        peer.finish()
    assert remembered(memory_file) == [("say", "result"), ("fail", "tool_error")]


def test_a_request_of_the_server_with_the_same_id_is_not_the_answer(memory_file: Path) -> None:
    server = """
import sys
sys.stdin.readline()
print('{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}', flush=True)
sys.stdin.readline()
print('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}', flush=True)
sys.stdin.read()
"""
    with Peer(memory_file, python(server)) as peer:
        assert peer.call(1, "ask")["method"] == "sampling/createMessage"
        peer.send({"jsonrpc": "2.0", "id": 1, "result": {"content": "the client's answer"}})
        assert peer.message()["result"] == {"content": []}
        peer.finish()
    assert remembered(memory_file, "outcome, result_json") == [("result", '{"content":[]}')]


def test_the_exit_code_and_the_last_half_line_are_the_servers(memory_file: Path) -> None:
    server = "import sys; sys.stdin.readline(); sys.stdout.write('half'); sys.stdout.flush(); sys.exit(5)"
    with Peer(memory_file, python(server)) as peer:
        peer.send({"jsonrpc": "2.0", "method": "x"})
        assert peer.line() == b"half"
        assert peer.line() == b""
        assert peer.process.wait(TIMEOUT_S) == 5


def test_the_last_half_line_stands_before_the_errors_of_the_relay(memory_file: Path) -> None:
    server = "import sys; sys.stdin.readline(); sys.stdout.write('half'); sys.stdout.flush(); sys.exit(5)"
    with Peer(memory_file, python(server)) as peer:
        peer.send(call(1, "x"))
        assert peer.line() == b"half\n"
        assert peer.message()["id"] == 1
        assert peer.line() == b""
        assert peer.process.wait(TIMEOUT_S) == 5


def test_a_last_answer_without_its_newline_is_the_answer(memory_file: Path) -> None:
    answer = '{"jsonrpc":"2.0","id":1,"result":{}}'
    server = f"import sys; sys.stdin.readline(); sys.stdout.write({answer!r}); sys.stdout.flush(); sys.exit(5)"
    with Peer(memory_file, python(server)) as peer:
        peer.send(call(1, "x"))
        assert peer.line() == answer.encode()
        assert peer.line() == b""
    assert remembered(memory_file) == [("x", "result")]


def test_the_end_of_input_reaches_the_server_after_the_last_half_line(memory_file: Path) -> None:
    server = "import sys; data = sys.stdin.read(); sys.stdout.write(data[::-1]); sys.exit(6)"
    with Peer(memory_file, python(server)) as peer:
        peer.send(b"one\ntwo")
        assert peer.finish() == 6
        assert peer.stdout.read() == b"owt\neno"


def test_a_server_that_dies_in_a_call_leaves_it_without_an_answer(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        peer.call(1, "say")
        error = peer.call(2, "kill")["error"]
        assert peer.line() == b""
        assert peer.process.wait(TIMEOUT_S) == 128 + signal.SIGKILL
    assert error["message"].startswith("the server 'peer' ended (signal SIGKILL) before it answered; start it again")
    assert remembered(memory_file, "tool_name, outcome, error") == [
        ("say", "result", None),
        ("kill", "no_answer", error["message"]),
    ]


@pytest.mark.parametrize("ending", ["sys.exit(3)", "os.close(1); sys.stdin.read()"])
def test_a_server_that_dies_owes_each_pending_request_but_the_cancelled_an_error(
    memory_file: Path, ending: str
) -> None:
    server = f"import os, sys\nfor line in sys.stdin:\n if 'last' in line: {ending}"
    ids = [1, "1", None, 2.5, "ü", 1]
    with Peer(memory_file, python(server), name="files") as peer:
        peer.send(*({"jsonrpc": "2.0", "id": identifier, "method": "vendor/x"} for identifier in ids))
        peer.send(call(7, "cancelled"))
        peer.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}})
        peer.send([call(8, "asked"), {"jsonrpc": "2.0", "id": 9, "result": {}}], call("z", "last"))
        answers = []
        while line := peer.line():
            answers.append(json.loads(line))
        peer.process.wait(TIMEOUT_S)
    assert sorted(json.dumps(answer["id"]) for answer in answers) == sorted(map(json.dumps, [*ids, 8, "z"]))
    assert {answer["error"]["code"] for answer in answers} == {-32000}
    (message,) = {answer["error"]["message"] for answer in answers}
    how = "ended (exit code 3)" if "exit" in ending else "closed its output"
    assert message == (
        f"the server 'files' {how} before it answered; start it again, or run its command by itself to see why"
    )
    assert sorted(remembered(memory_file, "tool_name, outcome, error")) == [
        ("asked", "no_answer", message),
        ("cancelled", "cancelled", None),
        ("last", "no_answer", message),
    ]


def test_a_server_that_cannot_start_answers_the_handshake_with_the_reason(memory_file: Path) -> None:
    with Peer(memory_file, python("import sys; sys.stdin.readline(); sys.exit(4)")) as peer:
        peer.send({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}})
        assert "exit code 4" in peer.message()["error"]["message"]
        assert peer.process.wait(TIMEOUT_S) == 1


@pytest.mark.parametrize(("code", "answers"), [(0, 0), (1, 1)])
def test_a_server_that_ends_in_order_after_its_client_owes_nothing(memory_file: Path, code: int, answers: int) -> None:
    with Peer(memory_file, python(f"import sys; print('up', flush=True); sys.stdin.read(); sys.exit({code})")) as peer:
        peer.send(call(1, "x"))
        assert peer.line() == b"up\n"
        assert peer.finish() == code
        assert peer.stdout.read().count(b"error") == answers
    assert [error is not None for (error,) in remembered(memory_file, "error")] == [bool(answers)]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["/no/such/command"], ["/no/such/command", "No such file"]),
        (["/dev/null"], ["/dev/null", "ermission denied"]),
        (python("raise SystemExit(3)"), ["SystemExit(3)", "exit code 3"]),
        (python("pass"), ["exit code 0"]),
    ],
)
def test_a_command_that_cannot_run_or_dies_at_once_is_said_in_one_line(
    memory_file: Path, command: list[str], expected: list[str]
) -> None:
    with Peer(memory_file, command) as peer:
        assert peer.process.wait(TIMEOUT_S) == 1
        said = peer.said()
        assert peer.line() == b""
    assert said.count("\n") == 1
    assert all(part in said for part in ["'peer'", *expected])


def test_a_server_that_dies_at_once_is_told_from_one_whose_input_ended(memory_file: Path) -> None:
    relay = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "x", "--memory", str(memory_file), "--"]
    for script, expected in (("exit 3", 1), ("read line; exit 3", 3)):
        done = subprocess.run(
            [*relay, "sh", "-c", script], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, timeout=TIMEOUT_S
        )
        assert done.returncode == expected
        assert done.stderr.count(b"exit code 3") == 1


def test_a_command_that_does_not_exist_leaves_no_memory_behind(memory_file: Path) -> None:
    with Peer(memory_file, ["/no/such/command"]) as peer:
        peer.process.wait(TIMEOUT_S)
    assert not memory_file.exists()


def test_the_servers_standard_error_is_ours(memory_file: Path) -> None:
    with Peer(memory_file, python("import sys; sys.stderr.write('a log line\\n'); sys.stdin.read(); print()")) as peer:
        peer.finish()
        assert peer.said() == "a log line\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_reaches_the_server(memory_file: Path, number: signal.Signals) -> None:
    server = f"""
import os, signal, time
def leave(number, frame): os.write(1, b"got %d\\n" % number); os._exit(9)
signal.signal({int(number)}, leave)
os.write(1, b"ready\\n")
while True: time.sleep(60)
"""
    with Peer(memory_file, python(server)) as peer:
        assert peer.line() == b"ready\n"
        peer.process.send_signal(number)
        assert peer.line() == f"got {int(number)}\n".encode()
        assert peer.process.wait(TIMEOUT_S) == 9


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
script = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", script])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", ["SIGTERM", "the client vanishes"])
def test_a_server_that_will_not_end_is_killed_with_what_it_started(memory_file: Path, how: str) -> None:
    with Peer(memory_file, python(STUBBORN)) as peer:
        processes = [psutil.Process(int(pid)) for pid in peer.line().split()]
        if how == "SIGTERM":
            peer.process.terminate()
        else:
            peer.stdin.close()
            peer.stdout.close()
        peer.process.wait(TIMEOUT_S)
        _, alive = psutil.wait_procs(processes, TIMEOUT_S)
        assert not alive


def test_a_client_that_vanishes_leaves_its_calls_without_an_answer(memory_file: Path) -> None:
    with Peer(memory_file, python(ECHO)) as peer:
        peer.call(1, "say")
        peer.send(call(2, "hang"))
        peer.stdout.close()
        peer.process.wait(TIMEOUT_S)
    assert remembered(memory_file) == [("say", "result"), ("hang", "no_answer")]


def test_standard_output_and_error_may_be_one_pipe(memory_file: Path) -> None:
    command = [sys.executable, "-I", "-m", "learner", "proxy", "--name", "x", "--memory", str(memory_file), "--"]
    server = python("import sys; sys.stdin.read(); sys.stdout.write('x' * 300000)")
    done = subprocess.run(
        [*command, *server], input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, timeout=TIMEOUT_S
    )
    assert done.stdout == b"x" * 300000


def test_a_trial_is_recorded_and_never_reaches_the_server(memory_file: Path) -> None:
    server = """
import os, sys
print(os.environ.get("PRACTICUM_TRIAL_TOKEN"), flush=True)
for line in sys.stdin: print(line, end="", flush=True)
"""
    meta = {TRIAL_META_KEY: {"token": "right", "uid": "trial-1"}, "other": 1}
    forged = {TRIAL_META_KEY: {"token": "wrong", "uid": "trial-2"}}
    with Peer(memory_file, python(server), environment={TRIAL_TOKEN_VARIABLE: "right"}) as peer:
        assert peer.line() == b"None\n"
        assert peer.call(1, "say", _meta=meta)["params"]["_meta"] == {"other": 1}
        assert peer.call(2, "say", _meta=forged)["params"]["_meta"] == {}
        peer.finish()
    assert remembered(memory_file, "trial_uid") == [("trial-1",), (None,)]


def test_what_is_meant_for_the_relay_is_not_told_to_the_server(memory_file: Path) -> None:
    server = python("import os; print(sorted(name for name in os.environ if 'PRACTICUM_' in name), flush=True)")
    environment = {TRIAL_TOKEN_VARIABLE: "t", HTTP_TOKEN_VARIABLE: "t"}
    with Peer(memory_file, server, environment=environment) as peer:
        assert b"TOKEN" not in peer.line()


def test_without_the_token_nothing_is_taken_out(memory_file: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != TRIAL_TOKEN_VARIABLE}
    line = json.dumps(call(1, "say", _meta={TRIAL_META_KEY: {"token": "", "uid": "u"}})).encode() + b"\n"
    with Peer(memory_file, python(CAT), environment=environment) as peer:
        peer.send(line)
        assert peer.line() == line
        peer.finish()
    assert remembered(memory_file, "trial_uid") == [(None,)]


def test_a_server_that_dies_within_a_long_answer_leaves_its_half_and_the_error(memory_file: Path) -> None:
    begin = '{"id":1,"result":{"content":["'
    half = begin.encode() + b"x" * 1_000_000
    script = (
        f"import os, sys; sys.stdin.readline(); print({begin!r} + 'x' * 1_000_000, end='', flush=True); os._exit(3)"
    )
    with Peer(memory_file, python(script)) as peer:
        peer.send(call(1, "t"))
        assert peer.line() == half + b"\n"
        assert "exit code 3" in peer.message()["error"]["message"]
        assert peer.finish() == 3
    assert remembered(memory_file) == [("t", "no_answer")]
