"""Budgets hold whatever many clients do at the same time, and whatever happens
to workers, to Redis and to the configuration meanwhile."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import pytest

from gateway import Gateway, free_port

CLIENTS = 500
BUDGET = 8000
MAX_TOKENS = 40
TOKENS = 30         # that the models answer with
KINDS = ("plain", "stream", "fail", "cut", "leave", "leave early")


def until(what, condition):
    """The state that is waited for comes soon, or never."""
    deadline = time.monotonic() + 30
    while not (value := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
    return value


def stop(*gateways, killed=False):
    bad = [
        line for gateway in gateways for line in gateway.stop()
        if not (killed and "exited on signal 9" in line)
    ]
    assert not bad, "\n".join(bad)


def call_of(number, kind):
    return {
        "model": kind,
        "messages": [{"role": "user", "content": f"Tell me of {number}"}],
        "max_tokens": MAX_TOKENS,
    }


class Models:
    """Simulated models: good ones, some that fail and some that break off."""

    def __init__(self):
        self.nginx = Gateway(
            "log_format call '$uri';",
            f"""
    access_log logs/calls.log call;
    location /good/ {{ llm_simulate openai ttft=20ms rate=200
                                    tokens={TOKENS}; }}
    location /fail/ {{ llm_simulate openai ttft=20ms fail=100; }}
    location /cut/ {{ llm_simulate openai ttft=20ms rate=200 tokens={TOKENS}
                                  cut=100; }}
""",
            workers=2,
        )

    def report(self):
        """The tokens that a whole answer to one of the crowd has."""
        with urllib.request.urlopen(
            self.nginx.url("/good/v1/chat/completions"),
            json.dumps(call_of(CLIENTS, "plain")).encode(), timeout=20,
        ) as answer:
            return json.load(answer)["usage"]["total_tokens"]

    def calls(self):
        """Calls that have cost something, or may have."""
        text = (self.nginx.prefix / "logs/calls.log").read_text()
        return text.count("/good/") + text.count("/cut/")


@pytest.fixture(scope="module")
def models():
    made = Models()
    yield made
    stop(made.nginx)


def limiting_gateway(models, workers, zone="", http="", server=""):
    providers = "".join(
        f"llm_provider {name} {{ format openai; keepalive 0;"
        f" url {models.nginx.url(f'/{name}/v1')}; }}\n"
        for name in ("good", "fail", "cut")
    )
    return Gateway(
        f"""
    {http}
    {providers}
    llm_limit_zone all zone=all:1m rate={BUDGET}/d {zone};
""",
        f"""
    {server}
    location /status {{ llm_status; }}
    llm_limit zone=all;
    llm_limit_log_level info;
    location /good/ {{ llm_pass good; }}
    location /fail/ {{ llm_pass fail; }}
    location /cut/ {{ llm_pass cut; }}
""",
        workers=workers,
    )


def bytes_of(path, body):
    """Of HTTP/1.0, so that the answer is what comes until it closes."""
    content = json.dumps(body).encode()
    return (f"POST {path} HTTP/1.0\r\nContent-Length: {len(content)}\r\n"
            "\r\n").encode() + content


class Crowd:
    """Clients of all kinds at once, over all gateways. `disturb(seen)` is
    awaited beside them, and may await seen.some for the first answers."""

    def __init__(self, gateways, disturb=None):
        self.gateways = gateways
        self.statuses = []
        self.totals = []        # as whole answers have them
        self.lost = 0           # clients whose connection broke
        asyncio.run(self._run(disturb))

    async def _run(self, disturb):
        self.some = asyncio.Event()
        tasks = [self._client(i) for i in range(CLIENTS)]
        if disturb:
            tasks.append(disturb(self))
        await asyncio.gather(*tasks)

    async def _client(self, number):
        try:
            await self._call(number)
        except (ConnectionError, asyncio.IncompleteReadError, IndexError):
            self.lost += 1

    async def _call(self, number):
        kind = KINDS[number % len(KINDS)]
        path = kind if kind in ("fail", "cut") else "good"
        body = call_of(number, kind)
        if kind not in ("plain", "fail"):
            body |= {"stream": True,
                     "stream_options": {"include_usage": True}}

        gateway = self.gateways[number % len(self.gateways)]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", gateway.port)
        try:
            writer.write(bytes_of(f"/{path}/v1/chat/completions", body))
            if kind == "leave early":
                return
            status = int((await reader.readline()).split()[1])
            self.statuses.append(status)
            if len(self.statuses) == CLIENTS // 10:
                self.some.set()
            if status == 200 and kind == "leave":
                await reader.readuntil(b'"content":"')
                return
            answer = (await reader.read()).decode()
        finally:
            writer.close()
        if status == 200 and kind in ("plain", "stream"):
            found = re.search(r'"total_tokens":(\d+)', answer)
            if not found:
                raise ConnectionError("the answer is not whole")
            self.totals.append(int(found[1]))


def lines_of(gateways):
    return [
        json.loads(line)
        for gateway in gateways for line in gateway.access_log()
    ]


def settled(gateways):
    """The logs of all requests, once all of them are over."""
    return until(
        "requests are not over",
        lambda: len(lines := lines_of(gateways)) >= CLIENTS and lines,
    )


def used_by(lines):
    return sum(int(line["total"] or 0) for line in lines
               if line["limit"] == "PASSED" and line["status"] != "500")


def post(gateway, max_tokens=1):
    """A small call: the tokens that are left after it, those that it had
    reserved, and those that it has used."""
    before = len(gateway.access_log())
    with urllib.request.urlopen(
        gateway.url("/good/v1/chat/completions"),
        json.dumps({
            "model": "m", "max_tokens": max_tokens,
            "messages": [{"role": "user", "content": "Hi"}],
        }).encode(),
        timeout=20,
    ) as answer:
        remaining = int(answer.headers["x-ratelimit-remaining-tokens"])
        used = json.load(answer)["usage"]["total_tokens"]
    until("the call is not logged",
          lambda: len(gateway.access_log()) > before)
    line = json.loads(gateway.access_log()[before])
    return remaining, int(line["reserved"]), used


def check_exact(gateways, crowd):
    """Nobody was killed: all is accounted for, to the token."""
    lines = settled(gateways)

    # Some are refused, and nobody gets anything else but what is meant.
    assert set(crowd.statuses) == {200, 429, 500}
    assert crowd.lost == 0
    used = used_by(lines)
    assert used <= BUDGET

    # Clients with a whole answer were charged what the model reports, no more
    # and no less; all others what the log says.
    whole = sum(int(line["total"]) for line in lines
                if line["limit"] == "PASSED"
                and line["model"] in ("plain", "stream"))
    assert whole == sum(crowd.totals) > 0

    # Redis hears of the last ones without anybody waiting for it.
    def is_counted():
        nonlocal used
        remaining, reserved, probe = post(gateways[0])
        counted = BUDGET - remaining - reserved
        if counted == used:
            return True
        used += probe

    until("the counter is not the sum", is_counted)


def check_bound(models, calls, bound):
    """Some were killed, and nobody has settled for them: yet all that models
    can have reported is within the bound."""
    made = models.calls() - calls
    assert 0 < made * models.report() <= bound


async def killed_worker(gateway):
    """kill -9, and there is another one."""
    before = gateway.workers()
    os.kill(min(before), signal.SIGKILL)
    while not (gateway.workers() - before
               and min(before) not in gateway.workers()):
        await asyncio.sleep(0.01)


async def reloaded(gateway):
    before = gateway.workers()
    os.kill(gateway.master, signal.SIGHUP)
    while not gateway.workers() - before:
        await asyncio.sleep(0.01)


def test_budget_holds_over_two_workers(models):
    gateway = limiting_gateway(models, workers=2)
    check_exact([gateway], Crowd([gateway]))
    with urllib.request.urlopen(gateway.url("/status"), timeout=20) as answer:
        status = json.load(answer)["limits"]["all"]
    assert status["passed"] + status["rejected"] >= CLIENTS
    stop(gateway)


def test_budget_is_exact_over_a_reload(models):
    gateway = limiting_gateway(models, workers=2)

    async def disturb(crowd):
        await crowd.some.wait()
        await reloaded(gateway)

    check_exact([gateway], Crowd([gateway], disturb))
    stop(gateway)


def test_budget_holds_when_a_worker_is_killed(models):
    gateway = limiting_gateway(models, workers=2)
    calls = models.calls()

    async def disturb(crowd):
        await crowd.some.wait()
        await killed_worker(gateway)

    crowd = Crowd([gateway], disturb)
    assert crowd.lost > 0
    # What the dead had reserved still counts: what was used is less.
    remaining, reserved, _ = post(gateway)
    counted = BUDGET - remaining - reserved
    assert used_by(lines_of([gateway])) - reserved <= counted <= BUDGET
    check_bound(models, calls, BUDGET)
    stop(gateway, killed=True)


# With Redis.

class Redis:
    """A redis-server that loses nothing that it has answered."""

    def __init__(self, folder):
        self.port = free_port()
        self.folder = folder
        self.start()

    def start(self):
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
             "--save", "", "--appendonly", "yes", "--appendfsync", "always",
             "--dir", self.folder],
            stdout=subprocess.DEVNULL,
        )
        until("there is no Redis", lambda: self.cli("PING") == "PONG\n")

    def kill(self):
        self._process.kill()
        self._process.wait()

    def cli(self, *words):
        return subprocess.run(
            ["redis-cli", "-p", str(self.port), *words],
            capture_output=True, text=True).stdout


@pytest.fixture
def redis():
    if not (shutil.which("redis-server") and shutil.which("redis-cli")):
        pytest.skip("there is no redis-server")
    with tempfile.TemporaryDirectory(prefix="llm-redis-") as folder:
        server = Redis(folder)
        yield server
        server.kill()


@pytest.fixture(params=["strict", "100ms"])
def sync(request):
    """Whether each request asks Redis, or is answered from a share that is
    kept up every 100 ms: the bounds are the same."""
    return request.param


def fleet(models, redis, sync, server="", timeout="10s"):
    return [
        limiting_gateway(
            models, workers=1, zone=f"redis=shared sync={sync}",
            server=server,
            http=f"llm_redis shared {{ server 127.0.0.1:{redis.port};"
                 f" timeout {timeout}; }}",
        )
        for _ in range(2)
    ]


def test_budget_holds_over_two_gateways(models, redis, sync):
    gateways = fleet(models, redis, sync)
    check_exact(gateways, Crowd(gateways))
    stop(*gateways)


def test_budget_is_exact_over_reloads_of_two_gateways(models, redis, sync):
    gateways = fleet(models, redis, sync)

    async def disturb(crowd):
        await crowd.some.wait()
        await asyncio.gather(*(reloaded(gateway) for gateway in gateways))

    check_exact(gateways, Crowd(gateways, disturb))
    stop(*gateways)


def test_budget_holds_over_two_gateways_when_a_worker_is_killed(
        models, redis, sync):
    gateways = fleet(models, redis, sync)
    calls = models.calls()

    async def disturb(crowd):
        await crowd.some.wait()
        await killed_worker(gateways[0])

    crowd = Crowd(gateways, disturb)
    check_bound(models, calls, BUDGET)
    remaining, reserved, _ = post(gateways[1])
    assert BUDGET - remaining >= used_by(lines_of(gateways))
    stop(*gateways, killed=True)


def know_each_other(redis):
    """Each gateway has been told that there are two."""
    first = until("a gateway does not show itself",
                  lambda: len(seen := presence(redis)) == 2 and seen)
    until("a gateway shows itself once only",
          lambda: all(presence(redis).get(name, at) != at
                      for name, at in first.items()))


def presence(redis):
    """When each gateway was last seen, by its name."""
    key = redis.cli("--scan", "--pattern", "*gateways:all*").strip()
    words = redis.cli("ZRANGE", key, "0", "-1", "WITHSCORES").split()
    return dict(zip(words[::2], words[1::2]))


@pytest.mark.parametrize(
    "error, bound",
    [
        # Nothing is let through that is not counted.
        pytest.param("deny", BUDGET, id="deny"),
        # What Redis had granted, and one budget for all gateways together.
        pytest.param("local", 2 * BUDGET, id="local"),
    ],
)
def test_budget_holds_when_redis_is_started_again(
        models, redis, sync, error, bound):
    gateways = fleet(models, redis, sync, f"llm_limit_redis_error {error};",
                     "1s")
    calls = models.calls()
    know_each_other(redis)

    async def disturb(crowd):
        await crowd.some.wait()
        redis.kill()
        await asyncio.to_thread(redis.start)

    crowd = Crowd(gateways, disturb)
    check_bound(models, calls, bound)
    assert set(crowd.statuses) <= {200, 429, 500, 503}

    until_healed(redis, gateways[0])
    stop(*gateways)


def until_healed(redis, gateway):
    """Redis is asked again, though nobody has said so."""
    def is_healed():
        before = redis.cli("INFO", "commandstats")
        try:
            post(gateway)
        except urllib.error.HTTPError:
            pass
        after = redis.cli("INFO", "commandstats")

        def scripts(text):
            return [line for line in text.splitlines() if "eval" in line]

        return scripts(before) != scripts(after)

    until("Redis is not asked", is_healed)


def test_budget_holds_when_all_of_that_happens_at_once(models, redis, sync):
    gateways = fleet(models, redis, sync, timeout="1s")
    calls = models.calls()
    know_each_other(redis)

    async def disturb(crowd):
        await crowd.some.wait()
        redis.kill()
        await asyncio.gather(killed_worker(gateways[0]),
                             reloaded(gateways[1]))
        await asyncio.to_thread(redis.start)

    Crowd(gateways, disturb)
    check_bound(models, calls, 2 * BUDGET)
    until_healed(redis, gateways[1])
    stop(*gateways, killed=True)


@pytest.mark.parametrize("place", ["memory", "redis"])
def test_what_the_dead_had_reserved_expires(models, place, request):
    # Of a short window; else a lease of ten minutes ends it.
    server = place == "redis" and request.getfixturevalue("redis")
    gateway = limiting_gateway(
        models, workers=2,
        http=(f"llm_redis shared {{ server 127.0.0.1:{server.port}; }}"
              if server else "")
        + f" llm_limit_zone all zone=short:1m rate={BUDGET}/s"
        + (" redis=shared;" if server else ";"),
        server="location /short/ { llm_limit zone=short; llm_pass good; }")

    async def disturb():
        stream = bytes_of("/short/v1/chat/completions", {
            "model": "m", "max_tokens": BUDGET - 100, "stream": True,
            "messages": [{"role": "user", "content": "Tell me of them"}],
        })
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", gateway.port)
        writer.write(stream)
        await reader.readuntil(b'"content":"')
        for pid in gateway.workers():
            os.kill(pid, signal.SIGKILL)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readuntil(b"[DONE]")
        writer.close()

    asyncio.run(disturb())

    def is_free():
        try:
            urllib.request.urlopen(
                gateway.url("/short/v1/chat/completions"),
                json.dumps({
                    "model": "m", "max_tokens": BUDGET - 100,
                    "messages": [{"role": "user", "content": "Hi"}],
                }).encode(), timeout=20).close()
            return True
        except OSError:         # a 429, or no worker yet
            return False

    until("the reservation has not expired", is_free)
    stop(gateway, killed=True)
