"""Limits: what SDKs make of a refusal, and that budgets hold whatever many
clients do at the same time."""

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

import anthropic
import openai
import pytest

from gateway import Gateway, free_port

HELLO = [{"role": "user", "content": "Say hello to all of them"}]


def stop(*gateways):
    bad = [line for gateway in gateways for line in gateway.stop()]
    assert not bad, "\n".join(bad)


@pytest.fixture(scope="module")
def limited():
    """/slow/ takes one request in a third of a second, /small/ 100 tokens an
    hour; models are simulated behind nginx's own proxy_pass."""
    port = free_port()
    gateway = Gateway(
        f"""
    llm_limit_zone all zone=slow:64k rate=3/s burst=1 count=requests;
    llm_limit_zone all zone=small:64k rate=100/h;
    server {{
        listen 127.0.0.1:{port};
        location /openai/ {{ llm_simulate openai; }}
        location /anthropic/ {{ llm_simulate anthropic; }}
    }}
""",
        f"""
    location /slow/ {{
        llm_limit zone=slow;
        proxy_pass http://127.0.0.1:{port}/;
    }}
    location /small/ {{
        llm_limit zone=small;
        proxy_pass http://127.0.0.1:{port}/;
    }}
""",
    )
    yield gateway
    stop(gateway)


def openai_call(gateway, path, retries, max_tokens=10):
    with openai.OpenAI(
        base_url=gateway.url(f"/{path}/openai/v1"), api_key="key",
        max_retries=retries, timeout=20,
    ) as client:
        return client.chat.completions.create(
            model="m", messages=HELLO, max_tokens=max_tokens
        )


def anthropic_call(gateway, path, retries, max_tokens=10):
    with anthropic.Anthropic(
        base_url=gateway.url(f"/{path}/anthropic"), api_key="key",
        max_retries=retries, timeout=20,
    ) as client:
        return client.messages.create(
            model="m", messages=HELLO, max_tokens=max_tokens
        )


SDKS = [
    pytest.param(openai_call, openai.RateLimitError, id="openai"),
    pytest.param(anthropic_call, anthropic.RateLimitError, id="anthropic"),
]


@pytest.mark.parametrize("call, error", SDKS)
def test_refusal_is_rate_limit_error(limited, call, error):
    with pytest.raises(error, match="the limit .* has .* left") as caught:
        for _ in range(30):
            call(limited, "small", 0, 40)
    headers = caught.value.response.headers
    # An hour's sliding window remembers the hour before it, too.
    assert 0 < int(headers["retry-after"]) <= 7200
    assert 0 < int(headers["retry-after-ms"]) <= 7200 * 1000


@pytest.mark.parametrize("call, error", SDKS)
def test_sdk_waits_by_itself(limited, call, error):
    before = len(limited.access_log())
    for _ in range(3):
        call(limited, "slow", 5)
    lines = [json.loads(l) for l in limited.access_log()[before:]]
    assert any(line["limit"] == "REJECTED" for line in lines)


@pytest.mark.parametrize("call, error", SDKS)
def test_sdk_does_not_repeat_what_is_too_large(limited, call, error):
    def refusals():
        return sum('"REJECTED"' in line for line in limited.access_log())

    before = refusals()
    with pytest.raises(error, match="never has more than 100 tokens"):
        call(limited, "small", 5, 1000)
    assert refusals() == before + 1


# Many at once.

CLIENTS = 500
BUDGET = 8000
MAX_TOKENS = 40


@pytest.fixture(scope="module")
def models():
    """Simulated models: good ones, some that fail and some that break off."""
    gateway = Gateway(
        "",
        """
    location /good/ { llm_simulate openai ttft=20ms rate=400 tokens=30; }
    location /fail/ { llm_simulate openai ttft=20ms fail=100; }
    location /cut/ { llm_simulate openai ttft=20ms rate=400 tokens=30
                                  cut=100; }
""",
        workers=2,
    )
    yield gateway
    stop(gateway)


def limiting_gateway(models, workers, zone="", http=""):
    providers = "".join(
        f"llm_provider {name} {{ format openai; keepalive 0;"
        f" url {models.url(f'/{name}/v1')}; }}\n"
        for name in ("good", "fail", "cut")
    )
    return Gateway(
        f"""
    {http}
    {providers}
    llm_limit_zone all zone=all:1m rate={BUDGET}/d {zone};
""",
        """
    location /status { llm_status; }
    llm_limit zone=all;
    llm_limit_log_level info;
    location /good/ { llm_pass good; }
    location /fail/ { llm_pass fail; }
    location /cut/ { llm_pass cut; }
""",
        workers=workers,
    )


def request(path, body):
    """Of HTTP/1.0, so that the answer is what comes until it closes."""
    content = json.dumps(body).encode()
    return (f"POST {path} HTTP/1.0\r\nContent-Length: {len(content)}\r\n"
            "\r\n").encode() + content


async def one_client(gateway, number, seen):
    """A client of one of five kinds; what its answer says was used."""
    kind = ("plain", "stream", "fail", "cut", "leave")[number % 5]
    path = kind if kind in ("fail", "cut") else "good"
    body = {
        "model": kind,
        "messages": [{"role": "user", "content": f"Tell me of {number}"}],
        "max_tokens": MAX_TOKENS,
    }
    if kind not in ("plain", "fail"):
        body |= {"stream": True, "stream_options": {"include_usage": True}}

    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        writer.write(request(f"/{path}/v1/chat/completions", body))
        status = int((await reader.readline()).split()[1])
        seen["statuses"].append(status)
        if status == 200 and kind == "leave":
            await reader.readuntil(b'"content":"')
            return
        answer = (await reader.read()).decode()
    finally:
        writer.close()
    if status == 200 and kind in ("plain", "stream"):
        seen["used"] += int(re.search(r'"total_tokens":(\d+)', answer)[1])


async def all_clients(gateways):
    seen = {"statuses": [], "used": 0}
    await asyncio.gather(*(
        one_client(gateways[i % len(gateways)], i, seen)
        for i in range(CLIENTS)
    ))
    return seen


def settled(gateways):
    """The logs of all requests, once all of them are over."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = [
            json.loads(line)
            for gateway in gateways for line in gateway.access_log()
            if '"limit":"PASSED"' in line or '"limit":"REJECTED"' in line
        ]
        if len(lines) >= CLIENTS:
            return lines
        time.sleep(0.05)
    raise AssertionError(f"{len(lines)} of {CLIENTS} requests are over")


def used_by(lines):
    return sum(int(line["total"] or 0) for line in lines
               if line["limit"] == "PASSED" and line["status"] == "200")


def budget_used(gateway):
    """What the budget itself says: the rest after one small request."""
    before = len(gateway.access_log())
    with urllib.request.urlopen(
        gateway.url("/good/v1/chat/completions"),
        json.dumps({
            "model": "m", "max_tokens": 1,
            "messages": [{"role": "user", "content": "Hi"}],
        }).encode(),
        timeout=20,
    ) as answer:
        remaining = int(answer.headers["x-ratelimit-remaining-tokens"])
        used = json.load(answer)["usage"]["total_tokens"]
    deadline = time.monotonic() + 10
    while len(gateway.access_log()) == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    line = json.loads(gateway.access_log()[before])
    return BUDGET - remaining - int(line["reserved"]), used


def check(gateways):
    seen = asyncio.run(all_clients(gateways))
    lines = settled(gateways)

    # Some are refused, and nobody gets anything else but what is meant.
    assert set(seen["statuses"]) == {200, 429, 500}
    used = used_by(lines)
    assert used <= BUDGET

    # Clients with a whole answer were charged what it says, no more and no
    # less; all others what the log says.
    whole = sum(int(line["total"]) for line in lines
                if line["limit"] == "PASSED"
                and line["model"] in ("plain", "stream"))
    assert whole == seen["used"] > 0

    # Redis hears of the last ones without anybody waiting for it.
    deadline = time.monotonic() + 10
    while True:
        counted, probe = budget_used(gateways[0])
        if counted == used:
            break
        assert time.monotonic() < deadline, (counted, used)
        used += probe
        time.sleep(0.1)


def test_budget_holds_over_two_workers(models):
    gateway = limiting_gateway(models, workers=2)
    check([gateway])
    with urllib.request.urlopen(gateway.url("/status"), timeout=20) as answer:
        status = json.load(answer)["limits"]["all"]
    assert status["passed"] + status["rejected"] >= CLIENTS
    stop(gateway)


@pytest.fixture
def redis():
    server = shutil.which("redis-server")
    if not server:
        pytest.skip("there is no redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="llm-redis-") as folder:
        process = subprocess.Popen(
            [server, "--port", str(port), "--bind", "127.0.0.1",
             "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        yield port
        process.kill()
        process.wait()


@pytest.mark.parametrize("sync", ["strict", "100ms"])
def test_budget_holds_over_two_gateways(models, redis, sync):
    gateways = [
        limiting_gateway(
            models, workers=1, zone=f"redis=shared sync={sync}",
            http=f"llm_redis shared {{ server 127.0.0.1:{redis};"
                 " timeout 10s; }",
        )
        for _ in range(2)
    ]
    check(gateways)
    stop(*gateways)
