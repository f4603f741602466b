"""Redis with a query engine, where there is none: a plain Redis behind a proxy
that answers FT.CREATE, FT.INFO and FT.SEARCH itself, in Redis Stack's words. It
compares every hash, and knows the queries of this module only."""

import re
import socket
import socketserver
import struct
import threading


def _line(stream):
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the end of the stream")
    return line


def _raw(stream):
    """One whole value of RESP2, as it comes."""
    line = _line(stream)
    if line[:1] == b"$" and line != b"$-1\r\n":
        return line + stream.read(int(line[1:]) + 2)
    if line[:1] == b"*" and line != b"*-1\r\n":
        return line + b"".join(_raw(stream) for _ in range(int(line[1:])))
    return line


def _words(stream):
    """The strings of an array; None for one that is not there."""
    found = []
    for _ in range(int(_line(stream)[1:])):
        size = int(_line(stream)[1:])
        found.append(stream.read(size + 2)[:-2] if size >= 0 else None)
    return found


def _text(value):
    value = value if isinstance(value, bytes) else str(value).encode()
    return b"$%d\r\n%s\r\n" % (len(value), value)


def _array(*parts):
    """Of numbers, texts and arrays that are written already."""
    return b"*%d\r\n" % len(parts) + b"".join(
        b":%d\r\n" % part if isinstance(part, int)
        else part if part[:1] in (b"*", b"$") else _text(part)
        for part in parts
    )


class _Handler(socketserver.StreamRequestHandler):
    def setup(self):
        super().setup()
        self._redis = socket.create_connection(
            ("127.0.0.1", self.server.redis)
        )
        self._replies = self._redis.makefile("rb")

    def finish(self):
        super().finish()
        self._replies.close()
        self._redis.close()

    def handle(self):
        try:
            while True:
                words = _words(self.rfile)
                if words[0].startswith(b"FT."):
                    reply = self._engine(*words)
                else:
                    self._send(*words)
                    reply = _raw(self._replies)
                self.wfile.write(reply)
        except (ConnectionError, ValueError):
            pass        # either side has closed

    def _send(self, *words):
        self._redis.sendall(
            b"*%d\r\n" % len(words) + b"".join(map(_text, words))
        )

    def _engine(self, command, index, *rest):
        """An index is a key of the Redis, so that FLUSHALL drops it."""
        key = b"index of " + index
        if command == b"FT.CREATE":
            said = b" ".join(rest)
            prefix = re.search(rb"PREFIX 1 (\S+) SCHEMA", said)[1]
            dimensions = re.search(rb"DIM (\d+) ", said)[1]
            self._send(b"SET", key, prefix + b" " + dimensions)
            return _raw(self._replies)
        self._send(b"MGET", key)
        (known,) = _words(self._replies)
        if known is None:
            return b"-Unknown index name\r\n"
        prefix, dimensions = known.split()
        if command == b"FT.INFO":
            return _array(
                b"index_definition",
                _array(b"key_type", b"HASH", b"prefixes", _array(prefix)),
                b"attributes",
                _array(
                    _array(b"identifier", b"partition", b"attribute",
                           b"partition", b"type", b"TAG"),
                    _array(b"identifier", b"vector", b"attribute", b"vector",
                           b"type", b"VECTOR", b"dim", int(dimensions),
                           b"distance_metric", b"COSINE"),
                ),
            )
        return self._search(prefix, *rest)

    def _search(self, prefix, query, *rest):
        partition = re.search(rb"@partition:\{(\w+)\}", query)[1]
        most = re.search(rb"KNN (\d+) ", query)
        self._send(b"KEYS", prefix + b"*")
        found = []
        for name in _words(self._replies):
            self._send(b"HMGET", name, b"partition", b"vector", b"question")
            tag, vector, question = _words(self._replies)
            if tag == partition:
                found.append((name, vector, question))
        if not most:
            return _array(len(found), *(_text(name) for name, *_ in found))

        wanted = self._vector(rest[3])
        near = sorted(
            (1 - sum(map(float.__mul__, wanted, self._vector(vector))),
             name, question)
            for name, vector, question in found
        )[:int(most[1])]
        self.server.hits += bool(near)
        return _array(len(near), *(
            part for distance, name, question in near
            for part in (_text(name), _array(
                b"distance", _text(f"{distance:.6f}"),
                b"question", _text(question),
            ))
        ))

    @staticmethod
    def _vector(data):
        return struct.unpack(f"<{len(data) // 4}f", data)


class Engine(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    hits = 0        # searches by meaning that found something

    def __init__(self, redis):
        self.redis = redis
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]
        threading.Thread(
            target=self.serve_forever, args=(0.05,), daemon=True
        ).start()

    def close(self):
        self.shutdown()
        self.server_close()
