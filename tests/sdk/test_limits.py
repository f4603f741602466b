"""Limits: what SDKs make of a refusal."""

import json

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
