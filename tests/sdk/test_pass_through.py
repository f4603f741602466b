"""Calls that are passed on as they are, by OpenAI's SDK and a WebSocket."""

import http.client
import json
import socket
import threading

import openai
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

from gateway import Gateway
from mock import Answer, Provider

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300


class Realtime:
    """A provider's WebSocket: echoes, and ends a response when it is told."""

    def __init__(self):
        self.seen = []
        self._server = serve(
            self._serve, "127.0.0.1", 0, compression="deflate",
            select_subprotocol=lambda _, offered: next(
                (name for name in offered if name == "realtime"), None),
        )
        self.port = self._server.socket.getsockname()[1]
        threading.Thread(
            target=self._server.serve_forever, daemon=True
        ).start()

    def _serve(self, connection):
        self.seen.append(connection.request)
        connection.send(json.dumps({"type": "session.created"}))
        for message in connection:
            if message == "done":
                connection.send(json.dumps({
                    "type": "response.done",
                    "response": {"usage": {
                        "total_tokens": 30,
                        "input_tokens": 10,
                        "output_tokens": 20,
                    }},
                }))
            else:
                connection.send(message)

    def close(self):
        self._server.shutdown()


@pytest.fixture(scope="module")
def backend():
    provider = Provider("pass-through")
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def realtime():
    server = Realtime()
    yield server
    server.close()


@pytest.fixture(scope="module")
def nginx(backend, realtime):
    http = f"""
    llm_provider openai {{
        url http://127.0.0.1:{backend.port}/v1;
        api_key provider-key;
    }}
    llm_provider live {{
        format openai;
        url http://127.0.0.1:{realtime.port}/v1;
        api_key provider-key;
    }}
    llm_upstream alias {{ model live/gpt-realtime as=talker; }}
    llm_limit_zone $remote_addr zone=few:64k rate=2/h count=requests;
"""
    server = """
    llm_pass_through on;
    location /v1/ { llm_pass openai; }
    location /live/v1/ { llm_pass live; }
    location /alias/v1/ { llm_pass alias; }
    location /ruled/v1/ { llm_allow_models good; llm_pass live; }
    location /few/v1/ { llm_limit zone=few; llm_pass live; }
    location /closed/v1/ { llm_pass_through images; llm_pass live; }
"""
    gateway = Gateway(http, server)
    yield gateway
    bad = gateway.stop()
    assert not bad, "\n".join(bad)


@pytest.fixture
def client(nginx, backend):
    backend.reset()
    with openai.OpenAI(
        base_url=nginx.url("/v1"), api_key="client", max_retries=0
    ) as one:
        yield one


def logged(nginx, before):
    """The lines of the access log after so many."""
    for _ in range(500):
        lines = nginx.access_log()[before:]
        if lines:
            return [json.loads(line) for line in lines]
        threading.Event().wait(0.01)
    raise AssertionError("nothing was logged")


def test_images(client, backend, nginx):
    before = len(nginx.access_log())
    backend.answer(Answer({
        "created": 1,
        "data": [{"b64_json": "AAAA"}],
        "usage": {"input_tokens": 10, "output_tokens": 20,
                  "total_tokens": 30, "input_tokens_details":
                  {"text_tokens": 10, "image_tokens": 0}},
    }))
    got = client.images.generate(model="gpt-image-1", prompt="a cat")
    assert got.data[0].b64_json == "AAAA"
    assert got.usage.total_tokens == 30
    assert backend.request.path == "/v1/images/generations"
    assert backend.request.headers["authorization"] == "Bearer provider-key"
    line = logged(nginx, before)[0]
    assert (line["model"], line["prompt"], line["completion"]) == (
        "gpt-image-1", "10", "20")


def test_image_edits(client, backend):
    backend.answer(Answer({"created": 1, "data": [{"url": "http://x/"}]}))
    client.images.edit(
        model="gpt-image-1", prompt="a hat", image=("cat.png", PNG)
    )
    assert PNG in backend.request.body
    assert b"gpt-image-1" in backend.request.body


def test_transcription(client, backend, nginx):
    before = len(nginx.access_log())
    backend.answer(Answer({"text": "hello"}))
    got = client.audio.transcriptions.create(
        model="whisper-1", file=("a.mp3", PNG)
    )
    assert got.text == "hello"
    assert PNG in backend.request.body
    assert logged(nginx, before)[0]["model"] == "whisper-1"


def test_transcription_in_events(client, backend):
    backend.answer(Answer([
        b'data: {"type":"transcript.text.delta","delta":"hel"}\n\n',
        b'data: {"type":"transcript.text.done","text":"hello","usage":'
        b'{"type":"tokens","input_tokens":3,"output_tokens":2,'
        b'"total_tokens":5}}\n\n',
    ]))
    events = list(client.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=("a.mp3", PNG), stream=True
    ))
    assert [e.type for e in events] == [
        "transcript.text.delta", "transcript.text.done"]


def test_speech(client, backend):
    backend.answer(Answer(PNG, headers={"Content-Type": "audio/mpeg"}))
    got = client.audio.speech.create(
        model="tts-1", voice="alloy", input="hello"
    )
    assert got.content == PNG
    assert got.response.headers["content-type"] == "audio/mpeg"


def test_files(client, backend):
    a_file = {"id": "f-1", "object": "file", "bytes": 3, "created_at": 1,
              "filename": "a.jsonl", "purpose": "batch",
              "status": "processed"}
    backend.answer(
        Answer(a_file),
        Answer({"object": "list", "data": [a_file], "has_more": False}),
        Answer(b"abc", headers={"Content-Type": "application/octet-stream"}),
        Answer({"id": "f-1", "object": "file", "deleted": True}),
        Answer({"error": {"message": "No such File", "code": None,
                          "type": "invalid_request_error"}}, 404),
    )
    assert client.files.create(
        file=("a.jsonl", b"abc" * 100000), purpose="batch"
    ).id == "f-1"
    assert [f.id for f in client.files.list(purpose="batch")] == ["f-1"]
    assert client.files.content("f-1").content == b"abc"
    assert client.files.delete("f-1").deleted
    with pytest.raises(openai.NotFoundError, match="No such File"):
        client.files.retrieve("f-2")
    assert [(r.method, r.path) for r in backend.requests] == [
        ("POST", "/v1/files"),
        ("GET", "/v1/files?purpose=batch"),
        ("GET", "/v1/files/f-1/content"),
        ("DELETE", "/v1/files/f-1"),
        ("GET", "/v1/files/f-2"),
    ]


def test_moderations(client, backend):
    backend.answer(Answer({"id": "m", "model": "omni", "results": []}))
    assert client.moderations.create(input="hi", model="omni").id == "m"


def test_an_answer_that_breaks_off_does_not_look_whole(nginx, backend):
    for body, headers in (
        (b"x" * 100000, {"Content-Type": "application/octet-stream"}),
        ([b"x" * 1000], {"Content-Type": "application/octet-stream"}),
    ):
        backend.reset()
        backend.answer(Answer(body, headers=headers, cut=True))
        connection = http.client.HTTPConnection("127.0.0.1", nginx.port,
                                                timeout=10)
        connection.request("GET", "/v1/files/f-1/content")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            connection.getresponse().read()
        connection.close()


def test_an_upload_is_not_held_back(nginx):
    """Its first bytes are there before its last have been sent."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        gateway = Gateway(
            f"""
    llm_provider slow {{
        format openai;
        url http://127.0.0.1:{port}/v1;
    }}
""",
            "    location /v1/ { llm_pass_through files; llm_pass slow; }\n",
        )
        try:
            with socket.create_connection(
                    ("127.0.0.1", gateway.port), 10) as one:
                one.sendall(
                    b"POST /v1/files HTTP/1.1\r\nHost: a\r\n"
                    b"Content-Type: application/octet-stream\r\n"
                    b"Content-Length: 10\r\n\r\nfirst")
                listener.settimeout(10)
                peer, _ = listener.accept()
                with peer:
                    peer.settimeout(10)
                    got = b""
                    while not got.endswith(b"first"):
                        got += peer.recv(4096)
                    one.sendall(b"-last")
                    while not got.endswith(b"first-last"):
                        got += peer.recv(4096)
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                                 b"\r\n{}")
                    one.settimeout(10)
                    answer = b""
                    while not answer.endswith(b"{}"):
                        answer += one.recv(4096)
        finally:
            bad = gateway.stop()
            assert not bad, "\n".join(bad)


def dial(nginx, path, **options):
    return connect(
        f"ws://127.0.0.1:{nginx.port}{path}", open_timeout=10, **options
    )


def test_realtime(nginx, realtime):
    realtime.seen.clear()
    before = len(nginx.access_log())
    with dial(
        nginx, "/live/v1/realtime?model=gpt-realtime",
        additional_headers={"Authorization": "Bearer client-key",
                            "OpenAI-Beta": "realtime=v1"},
        subprotocols=["realtime", "openai-insecure-api-key.client-key"],
    ) as ws:
        assert json.loads(ws.recv(10)) == {"type": "session.created"}
        for message in ("hello", "x" * 300000, b"\x00\xff" * 1000):
            ws.send(message)
            assert ws.recv(10) == message
        for _ in range(2):
            ws.send("done")
            assert json.loads(ws.recv(10))["type"] == "response.done"
        assert ws.subprotocol == "realtime"
    (seen,) = realtime.seen
    assert seen.path == "/v1/realtime?model=gpt-realtime"
    assert seen.headers["Authorization"] == "Bearer provider-key"
    assert seen.headers["OpenAI-Beta"] == "realtime=v1"
    assert seen.headers["Sec-WebSocket-Protocol"] == "realtime"
    assert "Sec-WebSocket-Extensions" not in seen.headers
    line = logged(nginx, before)[0]
    assert line["status"] == "101"
    assert (line["model"], line["prompt"], line["completion"]) == (
        "gpt-realtime", "20", "40")


def test_realtime_by_an_alias(nginx, realtime):
    realtime.seen.clear()
    with dial(nginx, "/alias/v1/realtime?x=1&model=talker") as ws:
        ws.recv(10)
    assert realtime.seen[0].path == "/v1/realtime?x=1&model=gpt-realtime"


@pytest.mark.parametrize("path, status", [
    ("/ruled/v1/realtime?model=bad", 403),
    ("/ruled/v1/realtime", 403),
    ("/ruled/v1/realtime?model=good&mod%65l=bad", 400),
    ("/closed/v1/realtime?model=good", 404),
])
def test_realtime_is_refused(nginx, path, status):
    with pytest.raises(InvalidStatus) as error:
        dial(nginx, path)
    assert error.value.response.status_code == status


def test_realtime_is_limited(nginx):
    for _ in range(2):
        with dial(nginx, "/few/v1/realtime?model=good") as ws:
            ws.recv(10)
    with pytest.raises(InvalidStatus) as error:
        dial(nginx, "/few/v1/realtime?model=good")
    assert error.value.response.status_code == 429


def test_a_realtime_client_that_vanishes(nginx, realtime):
    """The provider's connection goes with it."""
    before = len(nginx.access_log())
    ws = dial(nginx, "/live/v1/realtime?model=gpt-realtime")
    ws.recv(10)
    ws.socket.close()
    assert logged(nginx, before)[0]["status"] == "101"
