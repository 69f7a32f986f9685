"""What lies between us and a remote server: certificates, proxies, and networks that say nothing."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from middleware.errors import UpstreamError
from middleware.http import upstream as upstreams
from middleware.http.upstream import Upstream
from tests.middleware.http.near import run
from tests.middleware.peer import Peer, python, remembered

# Answers every call, over TLS where it is given a certificate and its key; prints its port.
REMOTE = """
import http.server, json, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        result = {"content": [{"type": "text", "text": self.headers.get("Via", "")}]}
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if sys.argv[1:]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[1:])
    # The handshake is the handler's, so that one that is refused does not end the server.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.handle_error = lambda *args: None
print(server.server_port, flush=True)
server.serve_forever()
"""

# A proxy: it opens tunnels (CONNECT), and passes on requests that name a whole URL. It prints its port, then what it is
# asked for.
PROXY = """
import socket, socketserver, threading
from urllib.parse import urlsplit
def pump(source, sink):
    while data := source.recv(65536): sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        head = b""
        while b"\\r\\n\\r\\n" not in head: head += self.request.recv(65536)
        method, target, _ = head.split(b"\\r\\n")[0].decode().split()
        print(method, target, flush=True)
        parts = urlsplit("//" + target if method == "CONNECT" else target)
        with socket.create_connection((parts.hostname, parts.port)) as server:
            if method == "CONNECT": self.request.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
            else: server.sendall(head.replace(b"\\r\\n", b"\\r\\nVia: a proxy\\r\\n", 1))
            thread = threading.Thread(target=pump, args=(self.request, server), daemon=True)
            thread.start()
            pump(server, self.request)
            thread.join()
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    def handle_error(self, *args): pass
with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
"""


@contextmanager
def started(script: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    with subprocess.Popen([*python(script), *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for this machine that is signed by itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    made = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*made, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    return certificate, key


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_certificate_that_is_not_trusted_is_refused_and_said_in_one_line(
    memory_file: Path, certificate: tuple[str, str]
) -> None:
    with started(REMOTE, *certificate) as (_, port):
        peer = Peer(memory_file, options=["--url", f"https://localhost:{port}/mcp"])
        with peer:
            message = peer.call(1, "say")["error"]["message"]
            assert "its certificate is not trusted (self-signed certificate)" in message
            assert "SSL_CERT_FILE" in message
            assert peer.finish() == 0
            said = peer.said()
            assert (said.count("\n"), "not trusted" in said) == (1, True)
    assert len(remembered(memory_file)) == 1


def test_a_certificate_that_the_environment_trusts_is_trusted(memory_file: Path, certificate: tuple[str, str]) -> None:
    with started(REMOTE, *certificate) as (_, port):
        options = ["--url", f"https://localhost:{port}/mcp"]
        with Peer(memory_file, options=options, environment={"SSL_CERT_FILE": certificate[0]}) as peer:
            assert "result" in peer.call(1, "say")
            assert peer.finish() == 0
            assert peer.said() == ""


def test_a_proxy_that_the_environment_names_is_used(memory_file: Path) -> None:
    with started(REMOTE) as (_, port), started(PROXY) as (proxy, proxy_port):
        url = f"http://127.0.0.1:{port}/mcp"
        environment = {"http_proxy": f"http://127.0.0.1:{proxy_port}"}
        with Peer(memory_file, options=["--url", url], environment=environment) as peer:
            assert peer.call(1, "say")["result"]["content"][0]["text"] == "a proxy"
            assert proxy.stdout is not None
            assert proxy.stdout.readline() == f"POST {url}\n"
        environment["no_proxy"] = "127.0.0.1"
        with Peer(memory_file, options=["--url", url], environment=environment) as peer:
            assert peer.call(1, "say")["result"]["content"][0]["text"] == ""


def test_a_proxy_opens_a_tunnel_to_a_server_that_speaks_tls(memory_file: Path, certificate: tuple[str, str]) -> None:
    with started(REMOTE, *certificate) as (_, port), started(PROXY) as (proxy, proxy_port):
        environment = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy_port}", "SSL_CERT_FILE": certificate[0]}
        options = ["--url", f"https://localhost:{port}/mcp"]
        with Peer(memory_file, options=options, environment=environment) as peer:
            assert "result" in peer.call(1, "say")
            assert proxy.stdout is not None
            assert proxy.stdout.readline() == f"CONNECT localhost:{port}\n"


def test_a_proxy_that_is_not_there_is_named_without_its_password(memory_file: Path) -> None:
    environment = {"http_proxy": "http://me:s3cret@127.0.0.1:1"}
    with Peer(memory_file, options=["--url", "http://127.0.0.1:2/mcp"], environment=environment) as peer:
        message = peer.call(1, "say")["error"]["message"]
        assert "through the proxy http://127.0.0.1:1: Connection refused" in message
        assert "s3cret" not in message


def test_a_server_that_does_not_take_the_connection_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstreams, "_CONNECT_S", 0.2)

    async def scenario() -> None:
        with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
            listening.bind(("127.0.0.1", 0))
            listening.listen(0)
            address = listening.getsockname()
            for one in (first, second):  # nobody accepts them, and there is room for no more
                one.setblocking(False)
                one.connect_ex(address)
            upstream = Upstream("silent", f"http://127.0.0.1:{address[1]}/mcp", {})
            with pytest.raises(UpstreamError, match=r"no connection within 0\.2 s"):
                await upstream.request("POST", [], b"{}")
            await upstream.close()

    run(scenario)
