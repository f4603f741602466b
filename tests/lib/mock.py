"""A provider that answers what a test says, and remembers what it was asked."""

import http.client
import json
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """One answer. `body`: JSON (any object but bytes), bytes, or, for a
    stream, a list of pieces, each sent as a chunk of its own. `cut`: the
    connection breaks instead of ending the body."""

    body: object = b""
    status: int = 200
    headers: dict = field(default_factory=dict)
    cut: bool = False

    def content_type(self):
        if isinstance(self.body, list):
            return "text/event-stream"
        return "application/json"


@dataclass
class Request:
    method: str
    path: str
    headers: dict       # names in lower case
    body: bytes

    def json(self):
        return json.loads(self.body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        provider = self.server.provider
        answer = provider._next(
            Request(
                self.command,
                self.path,
                {k.lower(): v for k, v in self.headers.items()},
                body,
            )
        )
        self._send(answer)

    do_GET = do_PUT = do_DELETE = do_POST

    def _send(self, answer):
        self.send_response(answer.status)
        headers = {"Content-Type": answer.content_type(), **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)

        if isinstance(answer.body, list):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in answer.body:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            if answer.cut:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")
            return

        body = answer.body
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.cut:
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    tls = None

    def get_request(self):
        connection, address = super().get_request()
        if self.tls:
            # Shaken hands with when it is read, in a thread of its own.
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def handle_error(self, request, client_address):
        """A gateway that hangs up is no news: its clients do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Provider:
    """`name` is that of its API's format, and of the gateway's provider.
    `tls`: an ssl.SSLContext, for https."""

    def __init__(self, name, tls=None):
        self.name = name
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.tls = tls
        self._server.provider = self
        self.port = self._server.server_address[1]
        self._lock = threading.Lock()
        self.reset()
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        ).start()

    def reset(self):
        with self._lock:
            self.requests = []
            self._answers = []

    def answer(self, *answers):
        """The next answers, in their order; the last one is repeated."""
        with self._lock:
            self._answers = [
                a if isinstance(a, Answer) else Answer(a) for a in answers
            ]

    def _next(self, request):
        with self._lock:
            self.requests.append(request)
            if not self._answers:
                return Answer({"error": "the test has set no answer"}, 418)
            if len(self._answers) == 1:
                return self._answers[0]
            return self._answers.pop(0)

    @property
    def request(self):
        """The one request that came."""
        assert len(self.requests) == 1, self.requests
        return self.requests[0]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Relay(Provider):
    """Asks the server at the port `to`, and remembers what it was asked
    itself."""

    def __init__(self, name, to):
        self.to = to
        super().__init__(name)

    def _next(self, request):
        with self._lock:
            self.requests.append(request)
        connection = http.client.HTTPConnection("127.0.0.1", self.to)
        try:
            connection.request(
                request.method, request.path, request.body, request.headers
            )
            answer = connection.getresponse()
            kind = answer.getheader("Content-Type")
            return Answer(
                answer.read(), answer.status, {"Content-Type": kind}
            )
        finally:
            connection.close()
