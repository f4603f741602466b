"""What is around the gateway of an example: each provider that it names, at
loopback, with what the provider's API answers; the servers of credentials;
Redis. The answers of models are those of llm_simulate, which repeats what it
is asked."""

import base64
import http.client
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

import clients
from gateway import Gateway, free_port
from mock import Answer, Provider

FORMATS = (
    "openai", "responses", "completions", "anthropic", "gemini", "bedrock",
    "cohere", "ollama", "ollama-generate",
)

# Hosts and paths that many examples lead to.
OPENAI = "api.openai.com"
ANTHROPIC = "api.anthropic.com"
BEDROCK = "bedrock-runtime.eu-central-1.amazonaws.com"
CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"

# What providers answer to calls that are not a model's, by the path's end.
_PLAIN = {
    "/api/embed": {"embeddings": [[0.6, 0.8]], "prompt_eval_count": 2},
    "/embed": b"[[0.6, 0.8]]",
    "/models": {"object": "list", "data": []},
    "/images/generations": {"created": 1, "data": [{"b64_json": "AAAA"}]},
    "/moderations": {"id": "modr-1", "results": [{"flagged": False}]},
    "/audio/transcriptions": {"text": "Hello."},
    "/files": {"id": "file-1", "object": "file"},
}

# Which simulated model answers, by the path's end.
_SIMULATED = (
    (r"/v2/chat$", "cohere"),
    (r"/api/chat$", "ollama"),
    (r"/api/generate$", "ollama-generate"),
    (r"/chat/completions$", "openai"),
    (r"/embeddings$", "openai"),
    (r"/completions$", "completions"),
    (r"/responses$", "responses"),
    (r"/messages$", "anthropic"),
    (r":(generateContent|streamGenerateContent)$", "gemini"),
    (r"/(converse|converse-stream)$", "bedrock"),
)

# Anthropic's Messages where the model is in the path.
_HOSTED = re.compile(
    r"/models?/([^/]+?)[:/]"
    r"(rawPredict|streamRawPredict|invoke|invoke-with-response-stream)$"
)

# Who the gateway is, for each cloud.
AWS = {
    "AccessKeyId": "ASIAINSTANCE",
    "SecretAccessKey": "instance/secret",
    "Token": "instance+token==",
}
AWS_ROLE = {
    "AccessKeyId": "ASIAROLE",
    "SecretAccessKey": "role/secret",
    "Token": "role+token==",
}
GOOGLE = "ya29.of-the-machine"
AZURE = "eyJ.of-the-machine"

_STS = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleResult><Credentials>
<AccessKeyId>{AccessKeyId}</AccessKeyId>
<SecretAccessKey>{SecretAccessKey}</SecretAccessKey>
<SessionToken>{Token}</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""

_INSTANCE = "/latest/meta-data/iam/security-credentials/"

# The servers of tokens of machines, by path.
_METADATA = {
    "/latest/api/token": b"metadata-token",
    _INSTANCE: b"gateway",
    _INSTANCE + "gateway": {
        "Code": "Success", "Expiration": "2099-01-01T00:00:00Z", **AWS,
    },
    "/metadata/identity/oauth2/token": {
        "access_token": AZURE, "expires_in": "3599", "token_type": "Bearer",
    },
    "/computeMetadata/v1/instance/service-accounts/default/token": {
        "access_token": GOOGLE, "expires_in": 3599, "token_type": "Bearer",
    },
}


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def certificate(folder, name, hosts):
    """A certificate for these hosts that is its own authority."""
    openssl(
        "req", "-x509", "-nodes", "-days", "2", "-newkey", "ec",
        "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=" + name,
        "-addext",
        "subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts),
        "-keyout", str(folder / f"{name}.key"),
        "-out", str(folder / f"{name}.crt"),
    )


class Asked:
    """One request that a provider got. `to`: the host, with its port where
    the example names one."""

    def __init__(self, to, request):
        self.to = to
        self.method = request.method
        self.path = request.path
        self.headers = request.headers
        self.body = request.body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.method} {self.to} {self.path}>"


class _Listener(Provider):
    """A provider's address: all of its requests are the world's."""

    def __init__(self, world, to, tls=None):
        self._world = world
        super().__init__(to, tls)

    def _next(self, request):
        return self._world.answer(self.name, request)


class World:
    """Hosts of https are at `tls_port`, all of them; port_of() is for
    addresses, which are local ones."""

    def __init__(self, hosts):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="llm-world-"))
        self.folder.chmod(0o755)
        certificate(self.folder, "providers", hosts)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            self.folder / "providers.crt", self.folder / "providers.key"
        )
        self._lock = threading.Lock()
        self._https = _Listener(self, "", context)
        self._local = {}
        self._redis = None
        self._models = Gateway("", "".join(
            f"location /{name}/ {{ llm_simulate {name}; }}"
            for name in FORMATS
        ))
        self.reset()

    @property
    def authority(self):
        return self.folder / "providers.crt"

    @property
    def tls_port(self):
        return self._https.port

    def port_of(self, address, tls=None):
        """The port of the one that stands in for a local address."""
        if address not in self._local:
            self._local[address] = _Listener(self, address, tls)
        return self._local[address].port

    @property
    def redis_port(self):
        """A Redis of the test's own, empty after each reset()."""
        if not self._redis:
            self._redis = Redis(self.folder)
        return self._redis.port

    def reset(self):
        with self._lock:
            self.asked = []
            self._instead = {}
        if self._redis:
            self._redis.command("FLUSHALL")

    def instead(self, to, answer):
        """From now on that address answers this, whatever it is asked."""
        with self._lock:
            self._instead[to] = answer

    def take(self):
        """What came since the last time."""
        with self._lock:
            asked, self.asked = self.asked, []
        return asked

    def answer(self, to, request):
        asked = Asked(to or request.headers["host"], request)
        with self._lock:
            self.asked.append(asked)
            instead = self._instead.get(asked.to)
        if instead:
            return instead
        path = urllib.parse.urlsplit(asked.path).path

        if path in _METADATA:
            return Answer(_METADATA[path])
        if asked.to == "sts":
            return Answer(_STS.format(**AWS_ROLE).encode())
        hosted = _HOSTED.search(path)
        if hosted:
            return self._anthropic(asked, *hosted.groups())
        for end, name in _SIMULATED:
            if re.search(end, path):
                body = asked.body
                if name == "completions":
                    # A template's text, repeated, would end with its own
                    # first words.
                    body = json.dumps(asked.json() | {"stop": None})
                return self._simulated(name, asked.path, body)
        for end, body in _PLAIN.items():
            if path.endswith(end):
                return Answer(body)
        return Answer({"error": f"nobody answers {asked.path}"}, 404)

    def _simulated(self, name, path, body):
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._models.port, timeout=clients.TIMEOUT
        )
        try:
            connection.request("POST", f"/{name}{path}", body, clients.JSON)
            answer = connection.getresponse()
            kind = answer.getheader("Content-Type")
            return Answer(
                answer.read(), answer.status, {"Content-Type": kind}
            )
        finally:
            connection.close()

    def _anthropic(self, asked, model, method):
        """Google's and AWS' way to put Anthropic's API into the path."""
        streamed = "stream" in method.lower()
        answer = self._simulated("anthropic", "/v1/messages", json.dumps(
            asked.json() | {"model": model, "stream": streamed}
        ))
        if method == "invoke-with-response-stream":
            answer = Answer(b"".join(
                clients.frame(
                    {":event-type": "chunk", ":message-type": "event",
                     ":content-type": "application/json"},
                    json.dumps({"bytes": base64.b64encode(
                        json.dumps(event).encode()).decode()}).encode(),
                )
                for event in clients.events(answer.body)
            ), 200, {"Content-Type": "application/vnd.amazon.eventstream"})
        return answer

    def close(self):
        unwanted = self._models.stop()
        self._https.close()
        for one in self._local.values():
            one.close()
        if self._redis:
            self._redis.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return unwanted


class Redis:
    def __init__(self, folder):
        self.port = free_port()
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
             "--save", "", "--appendonly", "no", "--dir", str(folder)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                assert self.command("PING") == b"+PONG\r\n"
                return
            except (ConnectionError, AssertionError):
                # It is starting, or loading.
                assert time.monotonic() < deadline, "no redis-server"
                time.sleep(0.02)

    def command(self, *words):
        """The reply, as it comes, of a command with a short one."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            s.sendall(b"*%d\r\n" % len(words) + b"".join(
                b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode())
                for word in words
            ))
            return s.recv(65536)

    def close(self):
        self._process.terminate()
        self._process.wait(20)
