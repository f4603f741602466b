"""Simulated models behind the gateway: what a newcomer tries first."""

import json

import openai
import pydantic
import pytest

import wire
from gateway import Gateway, free_port

from conftest import Clients

HELLO = [{"role": "user", "content": "Hello from Zürich"}]
SIMULATED = ["gpt", "claude"]

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


@pytest.fixture(scope="module")
def clients():
    port = free_port()
    http = f"""
    llm_provider openai {{ url http://127.0.0.1:{port}/v1; }}
    llm_provider anthropic {{ url http://127.0.0.1:{port}; }}
    llm_provider failing {{
        format openai;
        url http://127.0.0.1:{port}/failing;
    }}
    llm_upstream chat {{
        model openai/gpt as=gpt;
        model anthropic/claude as=claude;
    }}
    llm_upstream careful {{
        model failing/gpt;
        model anthropic/claude backup;
    }}
    server {{
        listen 127.0.0.1:{port};
        location /v1/chat/ {{ llm_simulate openai; }}
        location /v1/messages {{ llm_simulate anthropic; }}
        location /failing/ {{ llm_simulate openai status=429 retry_after=60; }}
    }}
"""
    nginx = Gateway(http, "location / { llm_pass $llm_request_model; }")
    yield Clients(nginx)
    bad = nginx.stop()
    assert not bad, "\n".join(bad)


@pytest.fixture(params=SIMULATED)
def model(request):
    return request.param


def test_openai_chat(clients, model):
    with clients.openai("") as client:
        answer = wire.completion(
            client.chat.completions.create(model=model, messages=HELLO)
        )

    assert answer.choices[0].message.content == "Hello from Zürich"
    assert answer.usage.completion_tokens == 3


def test_anthropic_chat(clients, model):
    with clients.anthropic("") as client:
        answer = wire.message(
            client.messages.create(
                model=model, max_tokens=50, messages=HELLO
            )
        )

    assert answer.content[0].text == "Hello from Zürich"
    assert answer.usage.output_tokens == 3


def test_openai_stream(clients, model):
    with clients.openai("") as client:
        chunks = wire.chunks(
            client.chat.completions.create(
                model=model,
                messages=HELLO,
                stream=True,
                stream_options={"include_usage": True},
            )
        )

    text = "".join(
        c.choices[0].delta.content or "" for c in chunks if c.choices
    )
    assert text == "Hello from Zürich"
    assert chunks[-1].usage.completion_tokens == 3


def test_anthropic_stream(clients, model):
    with clients.anthropic("") as client:
        events = wire.events(
            client.messages.create(
                model=model, max_tokens=50, messages=HELLO, stream=True
            )
        )

    text = "".join(
        e.delta.text for e in events if e.type == "content_block_delta"
    )
    assert text == "Hello from Zürich"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_tool_and_its_result(clients, model, stream):
    tools = [
        {
            "type": "function",
            "function": {"name": "get_weather", "parameters": WEATHER},
        }
    ]
    messages = [{"role": "user", "content": "The weather in Zürich?"}]
    with clients.openai("") as client:

        def ask():
            if not stream:
                return client.chat.completions.create(
                    model=model, messages=messages, tools=tools
                )
            with client.chat.completions.stream(
                model=model, messages=messages, tools=tools
            ) as running:
                return running.get_final_completion()

        said = ask().choices[0]
        assert said.finish_reason == "tool_calls"
        (call,) = said.message.tool_calls
        assert call.function.name == "get_weather"
        assert json.loads(call.function.arguments) == {"city": "Zürich"}

        messages += [
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        "id": call.id,
                        "type": "function",
                        "function": {
                            "name": call.function.name,
                            "arguments": call.function.arguments,
                        },
                    }
                ],
            },
            {"role": "tool", "tool_call_id": call.id, "content": "20 degrees"},
        ]
        said = ask().choices[0]
        assert said.finish_reason == "stop"
        assert "20 degrees" in said.message.content


def test_structured_output(clients, model):
    class City(pydantic.BaseModel):
        name: str
        population: int

    with clients.openai("") as client:
        answer = client.chat.completions.parse(
            model=model, messages=HELLO, response_format=City
        )

    assert isinstance(answer.choices[0].message.parsed, City)


def test_the_answer_is_as_long_as_it_may_be(clients, model):
    with clients.openai("") as client:
        choice = client.chat.completions.create(
            model=model, messages=HELLO, max_completion_tokens=2
        ).choices[0]

    assert choice.message.content == "Hello from"
    assert choice.finish_reason == "length"


def test_failing_over(clients):
    with clients.openai("") as client:
        raw = client.chat.completions.with_raw_response.create(
            model="careful", messages=HELLO
        )
        assert raw.headers["X-LLM-Model"] == "anthropic/claude"

        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="failing/gpt", messages=HELLO)
