"""Ollama's own API: what a server of it gets, held against the Python
package's types, and what the package's client reads of the gateway."""

import json

import ollama
import openai
import pytest

import answers
import natives
import vendors
from mock import Answer


@pytest.fixture(scope="module")
def setup():
    with natives.running("ollama") as both:
        yield both


@pytest.fixture
def behind(setup):
    for provider in setup[1].values():
        provider.reset()
    return setup[1]


@pytest.fixture(params=["openai", "anthropic"])
def provider(request, behind):
    return behind[request.param]


@pytest.fixture
def client(setup, provider):
    return ollama.Client(host=setup[0].url(f"/{provider.name}"))


@pytest.fixture
def openai_client(setup):
    with openai.OpenAI(
        base_url=setup[0].url("/ollama/v1"), api_key="x", max_retries=0
    ) as one:
        yield one


def line(message, **members):
    body = {
        "model": "llama3.2",
        "created_at": "2026-01-02T03:04:05.123456789Z",
        "message": {"role": "assistant", **message},
        "done": False,
    } | members
    return body


END = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 5,
    "prompt_eval_count": 20,
    "eval_count": 9,
}


def test_what_a_server_gets(openai_client, behind):
    behind["ollama"].answer(line({"content": "Hi"}, **END))

    openai_client.chat.completions.create(
        model="llama3.2",
        messages=natives.CONVERSATION,
        tools=[natives.TOOL],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object"}},
        },
        reasoning_effort="high",
        logprobs=True,
        **natives.SAMPLING,
    )

    body = vendors.ollama_chat(behind["ollama"].request)
    assert body["stream"] is False
    assert body["options"] == {
        "num_predict": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["END"],
    }
    assert body["messages"][1]["images"] == [natives.PNG]
    call = body["messages"][2]["tool_calls"][0]["function"]
    assert call == {"name": "get_weather", "arguments": {"city": "Bern"}}
    assert body["messages"][3]["tool_name"] == "get_weather"


def test_an_openai_client_has_a_free_form_tool(openai_client, behind):
    function = {"name": "llm_custom_sql", "arguments": {"input": "select 1"}}
    behind["ollama"].answer(
        line({"content": "", "tool_calls": [{"function": function}]}, **END)
    )

    answer = openai_client.chat.completions.create(
        model="llama3.2",
        messages=[{"role": "user", "content": "Hi"}],
        tools=[{"type": "custom", "custom": {"name": "sql"}}],
    )

    body = vendors.ollama_chat(behind["ollama"].request)
    assert body["tools"][0]["function"]["name"] == "llm_custom_sql"
    call = answer.choices[0].message.tool_calls[0]
    assert (call.type, call.custom.name) == ("custom", "sql")
    assert call.custom.input == "select 1"


def test_an_openai_client_streams_a_server(openai_client, behind):
    lines = [
        line({"content": "", "thinking": "hm"}),
        line({"content": "Grüß "}),
        line({"content": "Gott"}),
        line({"content": ""}, **END),
    ]
    behind["ollama"].answer(
        Answer(
            [json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in lines],
            headers={"Content-Type": "application/x-ndjson"},
        )
    )

    chunks = list(
        openai_client.chat.completions.create(
            model="llama3.2",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "Grüß Gott"
    assert chunks[-1].usage.prompt_tokens == 20
    assert behind["ollama"].request.json()["stream"] is True


def test_chat(client, provider):
    provider.answer(answers.one_shot(provider.name, answers.TEXT))

    answer = client.chat(
        model="m",
        messages=[{"role": "user", "content": "Hi", "images": [natives.PNG]}],
        options={"num_predict": 50, "temperature": 0.5},
    )

    assert answer.message.content == answers.TEXT.text
    assert answer.done and answer.done_reason == "stop"
    assert answer.prompt_eval_count == 20
    assert answer.eval_count == 9
    assert natives.PNG in provider.request.body.decode()


def test_stream(client, provider):
    provider.answer(answers.stream(provider.name, answers.THOUGHT))

    parts = list(
        client.chat(
            model="m",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            think=True,
        )
    )

    text = "".join(part.message.content or "" for part in parts)
    thoughts = "".join(part.message.thinking or "" for part in parts)
    assert text == answers.THOUGHT.text
    assert thoughts == answers.THOUGHT.reasoning
    assert [part.done for part in parts].count(True) == 1
    assert parts[-1].done


@pytest.mark.parametrize("stream", [False, True])
def test_tools(client, provider, stream):
    make = answers.stream if stream else answers.one_shot
    provider.answer(make(provider.name, answers.TOOLS))

    answer = client.chat(
        model="m",
        messages=[{"role": "user", "content": "Hi"}],
        tools=[natives.TOOL],
        stream=stream,
    )
    parts = list(answer) if stream else [answer]

    calls = [c for part in parts for c in part.message.tool_calls or []]
    assert [(c.function.name, dict(c.function.arguments)) for c in calls] == [
        (c.name, c.arguments) for c in answers.TOOLS.calls
    ]

    # And on with the results, which the package names by their functions.
    provider.reset()
    provider.answer(answers.one_shot(provider.name, answers.TEXT))
    said = client.chat(
        model="m",
        messages=[
            {"role": "user", "content": "Hi"},
            ollama.Message(role="assistant", tool_calls=calls),
            *(
                {"role": "tool", "tool_name": c.function.name, "content": "x"}
                for c in calls
            ),
        ],
    )
    assert said.message.content == answers.TEXT.text


def test_generate(client, provider):
    provider.answer(answers.one_shot(provider.name, answers.TEXT))

    answer = client.generate(model="m", prompt="Hi", system="Be brief.")

    assert answer.response == answers.TEXT.text
    assert answer.eval_count == 9


def test_errors(client, provider):
    with pytest.raises(ollama.ResponseError) as refused:
        client.generate(model="m", prompt="Hi", suffix="x")
    assert refused.value.status_code == 400
    assert "suffix" in refused.value.error

    provider.answer(answers.error(provider.name, 429, "rate_limit_error", "slow down"))
    with pytest.raises(ollama.ResponseError) as limited:
        client.chat(model="m", messages=[{"role": "user", "content": "Hi"}])
    assert limited.value.status_code == 429


def test_an_error_inside_a_stream(client, provider):
    whole = answers.stream(provider.name, answers.TEXT)
    provider.answer(Answer(whole.body[:2], cut=True))

    with pytest.raises(ollama.ResponseError):
        list(
            client.chat(
                model="m",
                messages=[{"role": "user", "content": "Hi"}],
                stream=True,
            )
        )


def test_models(setup):
    names = ollama.Client(host=setup[0].url("/models")).list()
    assert [model.model for model in names.models] == ["openai/gpt-4o"]
