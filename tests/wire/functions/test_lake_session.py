"""The session below the storage SDK: errors arrive as what they are, and connections are kept."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest

from functions.adapters.lake_session import LakeSession


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    with RequestsTransport(session=LakeSession(), connection_timeout=5, read_timeout=0.2) as transport:
        yield transport


def test_an_address_that_refuses_is_a_request_that_was_never_sent(transport: RequestsTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ServiceRequestError):
        transport.send(HttpRequest("GET", f"http://127.0.0.1:{port}/"))


def test_silence_after_a_request_is_a_reply_that_did_not_come(transport: RequestsTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ServiceResponseTimeoutError):
        transport.send(HttpRequest("GET", f"http://127.0.0.1:{silent.getsockname()[1]}/"))


def test_a_connection_that_is_cut_after_a_request_is_a_reply_that_did_not_come(transport: RequestsTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        cut = threading.Thread(target=lambda: server.accept()[0].close())
        cut.start()
        with pytest.raises((ServiceResponseError, ServiceRequestError)):
            transport.send(HttpRequest("GET", f"http://127.0.0.1:{server.getsockname()[1]}/"))
        cut.join()


def test_requests_go_over_one_connection_with_their_headers_and_body(transport: RequestsTransport) -> None:
    seen: list[tuple[int, str | None, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.client_address[1], self.headers["x-ms-version"], body))
            self.send_response(202)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    for body in (b"one", b""):
        request = HttpRequest(
            "PATCH", f"http://127.0.0.1:{server.server_port}/a", headers={"x-ms-version": "2"}, content=body
        )
        answer = transport.send(request)
        assert (answer.status_code, answer.read(), answer.headers["content-LENGTH"]) == (202, b"ok", "2")
    server.shutdown()
    server.server_close()
    assert [(version, body) for _, version, body in seen] == [("2", b"one"), ("2", b"")]
    assert len({port for port, _, _ in seen}) == 1
