"""Every client API's own SDK at a provider of every format: all pairs, with
simulated providers. What the translation between two APIs keeps is tested in
tests/unit/matrix_test.cpp; this is that the SDKs take what comes of it, and
raise what cannot be as exceptions of their own."""

import pytest

from fronts import FRONTS, RESULT, TOOL, City
from gateway import Gateway, free_port

FORMATS = (
    "openai", "anthropic", "gemini", "bedrock", "responses", "completions",
    "cohere", "ollama", "ollama-generate",
)
# What these providers' APIs cannot be asked, as docs/matrix.md has it.
CANNOT = {
    "completions": {"calls", "schema"},
    "ollama-generate": {"calls"},
}
STATUSES = (400, 401, 429, 500)

QUESTION = "Hello from Zürich"
WEATHER = "What is the weather in Zürich?"


@pytest.fixture(scope="module")
def nginx():
    """A model of each provider format, by the format's name, and one that
    always fails by the format's name and the status."""
    port = free_port()
    kinds = [(one, one, "") for one in FORMATS] + [
        (f"{one}-{status}", one, f" status={status}")
        for one in FORMATS for status in STATUSES
    ]
    providers = "".join(
        f"""
    llm_provider to-{name} {{
        format {one};
        url http://127.0.0.1:{port}/{name};
    }}
"""
        for name, one, _ in kinds
    )
    simulated = "".join(
        f"location /{name}/ {{ llm_simulate {one}{options}; }}\n"
        for name, one, options in kinds
    )
    gateway = Gateway(
        f"""
    {providers}
    map $llm_request_model $model {{
        ~^(?<name>.*)$ to-$name/m;
    }}
    server {{
        listen 127.0.0.1:{port};
        {simulated}
    }}
""",
        "location / { llm_pass $model; }",
    )
    yield gateway
    bad = gateway.stop()
    assert not bad, "\n".join(bad)


@pytest.fixture(scope="module", params=FRONTS)
def front(request, nginx):
    one = FRONTS[request.param](nginx.url())
    yield one
    one.close()


def fronts_that(can):
    """Of the fronts, those whose SDK is able to."""
    names = [name for name, front in FRONTS.items() if can(front)]
    return pytest.mark.parametrize("front", names, indirect=True,
                                   scope="module")


@pytest.fixture(params=FORMATS)
def there(request):
    """The provider's format, which is also the model's name."""
    return request.param


def refused(front, what, call):
    """The provider's API has no words for it: a 400 that names it."""
    with pytest.raises(front.error(400)) as caught:
        call()

    assert front.status_of(caught.value) == 400
    assert what in front.said(caught.value)


def test_chat(front, there):
    got = front.chat(there, QUESTION)

    assert got.text == QUESTION
    assert got.finish == "stop"
    assert got.prompt_tokens > 0
    assert got.completion_tokens == 3


def test_stream(front, there):
    got = front.stream(there, QUESTION)

    assert got.text == QUESTION
    assert got.pieces > 1
    assert got.finish == "stop"
    if front.streams_usage:
        assert got.prompt_tokens > 0
        assert got.completion_tokens == 3


@fronts_that(lambda front: front.can_call)
def test_a_call_and_its_result(front, there):
    call_and_return(front, there, stream=False)


@fronts_that(lambda front: front.can_call and front.streams_calls)
def test_a_call_in_a_stream_and_its_result(front, there):
    call_and_return(front, there, stream=True)


def call_and_return(front, there, stream):
    if "calls" in CANNOT.get(there, ()):
        refused(front, "tools",
                lambda: front.tools(there, WEATHER, stream=stream))
        return

    first = front.tools(there, WEATHER, stream=stream)

    assert first.finish == "tool_calls"
    (call,) = first.calls
    assert call.name == TOOL
    assert call.arguments == {"city": "Zürich"}

    then = front.tools(there, WEATHER, got=first, stream=stream)

    assert then.finish == "stop"
    assert RESULT in then.text
    assert not then.calls


@fronts_that(lambda front: front.can_schema)
def test_an_answer_by_a_schema(front, there):
    if "schema" in CANNOT.get(there, ()):
        refused(front, front.schema_member,
                lambda: front.schema(there, QUESTION))
        return

    assert isinstance(front.schema(there, QUESTION), City)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", STATUSES)
def test_an_error(front, there, status, stream):
    ask = front.stream if stream else front.chat
    with pytest.raises(front.error(status)) as caught:
        ask(f"{there}-{status}", QUESTION)

    assert front.status_of(caught.value) == status
    if status == 401:
        # The gateway's key, which is none of the client's business.
        return
    assert f"simulated error {status}" in front.said(caught.value)
