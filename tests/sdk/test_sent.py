"""What a provider of each format is sent, of the clients of every API: all of
it is held against the types that the provider's vendor publishes. The
providers are simulated ones, so that conversations go on."""

import re

import pytest

import vendors
from fronts import FRONTS
from gateway import Gateway, free_port
from mock import Relay

PATHS = {
    "openai": "/chat/completions",
    "responses": "/responses",
    "completions": "/completions",
    "anthropic": "/v1/messages",
    "gemini": "/models/m:(generateContent|streamGenerateContent[?]alt=sse)",
    "bedrock": "/model/m/converse(-stream)?",
    "cohere": "/v2/chat",
    "ollama": "/api/chat",
    "ollama-generate": "/api/generate",
    "mistral": "/chat/completions",
}
assert set(PATHS) == set(vendors.CHECKS)

# How the gateway is told of a provider: its format, but
SPEAKS = {
    "mistral": "preset mistral",
    "completions": "format completions; prompt_template chatml",
}
# What the SDK speaks to a provider of OpenAI's API is passed on as it is, and
# Mistral's has words of its own.
UNTRANSLATED = {("mistral", "openai")}
# Providers that cannot be told of tools.
NO_TOOLS = ("completions", "ollama-generate")

QUESTION = "Hello from Zürich"
WEATHER = "What is the weather in Zürich?"


@pytest.fixture(scope="module")
def relay():
    """Between the gateway and the simulated providers: the paths begin with
    the format's name."""
    one = Relay("relay", free_port())
    yield one
    one.close()


@pytest.fixture(scope="module")
def nginx(relay):
    """A model of each provider format, by the format's name. What a provider
    cannot be asked is left out: here is told what is sent."""
    providers = "".join(
        f"""
    llm_provider to-{one} {{
        {SPEAKS.get(one, f"format {one}")};
        url http://127.0.0.1:{relay.port}/{one};
        api_key provider-key;
    }}
"""
        for one in PATHS
    )
    simulated = "".join(
        f"location /{one}/ "
        f"{{ llm_simulate {'openai' if one == 'mistral' else one}; }}\n"
        for one in PATHS
    )
    gateway = Gateway(
        f"""
    {providers}
    map $llm_request_model $model {{
        ~^(?<name>.*)$ to-$name/m;
    }}
    server {{
        listen 127.0.0.1:{relay.to};
        {simulated}
    }}
""",
        "location / { llm_pass $model; llm_unsupported drop; }",
    )
    yield gateway
    bad = gateway.stop()
    assert not bad, "\n".join(bad)


@pytest.fixture(scope="module", params=FRONTS)
def front(request, nginx):
    one = FRONTS[request.param](nginx.url())
    one.name = request.param
    yield one
    one.close()


@pytest.fixture(params=PATHS)
def there(request, relay):
    relay.reset()
    return request.param


def check(relay, there, front):
    """All that was sent; returns it."""
    for request in relay.requests:
        assert request.method == "POST"
        assert re.fullmatch(f"/{there}{PATHS[there]}", request.path)
        assert request.headers["content-type"] == "application/json"
        keys = [v for v in request.headers.values() if "provider-key" in v]
        assert len(keys) == 1
        assert "client" not in "".join(request.headers.values()).lower()
        if (front.name, there) not in UNTRANSLATED:
            vendors.CHECKS[there](request)
    return relay.requests


def test_questions(front, relay, there):
    front.chat(there, QUESTION)
    front.stream(there, QUESTION)

    assert len(check(relay, there, front)) == 2


@pytest.mark.parametrize(
    "front", [n for n, f in FRONTS.items() if f.can_call], indirect=True,
    scope="module",
)
def test_a_call_and_its_result(front, relay, there):
    first = front.tools(there, WEATHER)
    if there not in NO_TOOLS:
        front.tools(there, WEATHER, got=first)

    assert len(check(relay, there, front)) == (1 if there in NO_TOOLS else 2)


def test_everything_at_once(front, relay, there):
    if there == "ollama-generate" and front.can_call:
        with pytest.raises(front.error(400)) as caught:
            front.everything(there)
        assert "more than one question" in front.said(caught.value)
        return

    front.everything(there)

    assert len(check(relay, there, front)) == 1
