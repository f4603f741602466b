"""The client APIs, as far as it takes to ask a question in each of them and
to read the answer, whole or as a stream. No SDK is needed: tests/sdk has those.
"""

import base64
import http.client
import json
import re
import struct
import zlib
from dataclasses import dataclass, field

TIMEOUT = 20
JSON = {"Content-Type": "application/json"}


def bearer(key):
    return {"authorization": "Bearer " + key}


# A client's own key, which no provider is to see.
CLIENT = bearer("client-key")

# Who passes nginx's auth_basic.
USER, PASSWORD = "alice", "wonderland"
BASIC = {
    "authorization": "Basic "
    + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
}


@dataclass
class Reply:
    status: int
    headers: dict           # names in lower case
    body: bytes

    def json(self):
        return json.loads(self.body)


def request(port, method, path, body=b"", headers=None, tls=None):
    """One request on a connection of its own."""
    if tls:
        connection = http.client.HTTPSConnection(
            "localhost", port, timeout=TIMEOUT, context=tls
        )
    else:
        connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=TIMEOUT
        )
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return Reply(
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            answer.read(),
        )
    finally:
        connection.close()


def get(port, path, **headers):
    return request(port, "GET", path, headers=headers)


def post(port, path, body, headers=None, tls=None):
    """Sends a JSON body."""
    return request(
        port, "POST", path, json.dumps(body), JSON | (headers or {}), tls
    )


# Streams: each kind of framing becomes a list of JSON values.


def events(body):
    """Server-sent events, without OpenAI's last one, which is no JSON."""
    found = []
    for block in re.split(r"\r?\n\r?\n", body.decode()):
        data = [
            line[5:].strip() for line in block.splitlines()
            if line.startswith("data:")
        ]
        if data and data != ["[DONE]"]:
            found.append(json.loads("\n".join(data)))
    return found


def lines(body):
    return [json.loads(line) for line in body.splitlines() if line]


def frames(body):
    """AWS' event stream: each event with its type as the only member."""
    found = []
    while body:
        size, head = struct.unpack("!II", body[:8])
        message, body = body[:size], body[size:]
        (crc,) = struct.unpack("!I", message[-4:])
        assert crc == zlib.crc32(message[:-4])
        headers, at = {}, 12
        while at < 12 + head:
            (length,) = struct.unpack("!B", message[at:at + 1])
            name = message[at + 1:at + 1 + length].decode()
            at += 1 + length
            kind, length = struct.unpack("!BH", message[at:at + 3])
            assert kind == 7, "only strings are expected"
            headers[name] = message[at + 3:at + 3 + length].decode()
            at += 3 + length
        assert headers[":message-type"] == "event", message
        payload = json.loads(message[12 + head:-4])
        found.append({headers[":event-type"]: payload})
    return found


def frame(headers, payload):
    """The other way round."""
    head = b"".join(
        struct.pack("!B", len(name)) + name.encode()
        + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    start = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return start + struct.pack("!I", zlib.crc32(start))


# The APIs.


@dataclass
class Api:
    """`path` and `stream_path` follow the location's, with the model in place
    of %s; `body` makes the request of the model and the question. `text` is
    the answer's, `piece` that of one event, `end` whether an event is a
    stream's last one."""

    path: str
    body: object
    text: object
    piece: object
    end: object
    framing: object = events
    stream_path: str = ""
    whole: dict = field(default_factory=dict)
    stream: dict = field(default_factory=lambda: {"stream": True})


def _texts(parts):
    return "".join(part.get("text", "") for part in parts)


def _choice(event):
    return (event.get("choices") or [{}])[0]


def _messages(model, question):
    return {
        "model": model,
        "messages": [{"role": "user", "content": question}],
    }


def _contents(_, question):
    return {"contents": [{"role": "user", "parts": [{"text": question}]}]}


APIS = {
    "openai": Api(
        "/v1/chat/completions",
        _messages,
        lambda a: a["choices"][0]["message"]["content"],
        lambda e: _choice(e).get("delta", {}).get("content") or "",
        lambda e: bool(_choice(e).get("finish_reason")),
    ),
    "responses": Api(
        "/v1/responses",
        lambda model, question: {"model": model, "input": question},
        lambda a: "".join(
            _texts(i["content"]) for i in a["output"] if i["type"] == "message"
        ),
        lambda e: e["delta"] if e["type"] == "response.output_text.delta"
        else "",
        lambda e: e["type"] == "response.completed",
    ),
    "completions": Api(
        "/v1/completions",
        lambda model, question: {"model": model, "prompt": question},
        lambda a: a["choices"][0]["text"],
        lambda e: _choice(e).get("text") or "",
        lambda e: bool(_choice(e).get("finish_reason")),
    ),
    "anthropic": Api(
        "/v1/messages",
        lambda model, question: _messages(model, question)
        | {"max_tokens": 99},
        lambda a: _texts(a["content"]),
        lambda e: e["delta"].get("text", "")
        if e["type"] == "content_block_delta" else "",
        lambda e: e["type"] == "message_stop",
    ),
    "gemini": Api(
        "/v1beta/models/%s:generateContent",
        _contents,
        lambda a: _texts(a["candidates"][0]["content"]["parts"]),
        lambda e: _texts(e["candidates"][0]["content"].get("parts", [])),
        lambda e: bool(e["candidates"][0].get("finishReason")),
        stream_path="/v1beta/models/%s:streamGenerateContent?alt=sse",
        stream={},
    ),
    "bedrock": Api(
        "/model/%s/converse",
        lambda _, question: {
            "messages": [{"role": "user", "content": [{"text": question}]}]
        },
        lambda a: _texts(a["output"]["message"]["content"]),
        lambda e: e.get("contentBlockDelta", {}).get("delta", {})
        .get("text", ""),
        lambda e: "metadata" in e,
        framing=frames,
        stream_path="/model/%s/converse-stream",
        stream={},
    ),
    "cohere": Api(
        "/v2/chat",
        _messages,
        lambda a: _texts(a["message"]["content"]),
        lambda e: e["delta"]["message"]["content"].get("text", "")
        if e["type"] == "content-delta" else "",
        lambda e: e["type"] == "message-end",
    ),
    "ollama": Api(
        "/api/chat",
        _messages,
        lambda a: a["message"]["content"],
        lambda e: e["message"]["content"],
        lambda e: e["done"],
        framing=lines,
        whole={"stream": False},
    ),
    "ollama-generate": Api(
        "/api/generate",
        lambda model, question: {"model": model, "prompt": question},
        lambda a: a["response"],
        lambda e: e["response"],
        lambda e: e["done"],
        framing=lines,
        whole={"stream": False},
    ),
}


@dataclass
class Said:
    """An answer that was a success."""

    text: str
    headers: dict


def send(port, api, model, question, *, prefix="", stream=False, headers=None,
         tls=None, **members):
    """Asks in that API, and gives what came, an error as well."""
    one = APIS[api]
    path = (one.stream_path if stream else "") or one.path
    if "%s" in path:
        path = path % model
    body = one.body(model, question) | (one.stream if stream else one.whole)
    return post(port, prefix + path, body | members, headers, tls)


def ask(port, api, model, question, *, stream=False, **options):
    """Asks in that API, and gives what was said. A stream has to end as the
    API has it."""
    one = APIS[api]
    reply = send(port, api, model, question, stream=stream, **options)
    assert reply.status == 200, (reply.status, reply.body)
    if not stream:
        return Said(one.text(reply.json()), reply.headers)
    seen = one.framing(reply.body)
    ends = [one.end(event) for event in seen]
    assert any(ends) and not any(ends[:ends.index(True)]), seen
    return Said("".join(one.piece(event) for event in seen), reply.headers)
