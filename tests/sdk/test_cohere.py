"""Cohere's chat API: what a server of it gets, held against the Python
package, and what the package's client reads of the gateway."""

import json

import cohere
import openai
import pytest

import answers
import natives
import vendors
from mock import Answer


@pytest.fixture(scope="module")
def setup():
    with natives.running("cohere") as both:
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
    return cohere.ClientV2(
        api_key="x", base_url=setup[0].url(f"/{provider.name}")
    )


@pytest.fixture
def openai_client(setup):
    with openai.OpenAI(
        base_url=setup[0].url("/cohere/v1"), api_key="x", max_retries=0
    ) as one:
        yield one


HI = [{"role": "user", "content": "Hi"}]
USAGE = {
    "billed_units": {"input_tokens": 5, "output_tokens": 9},
    "tokens": {"input_tokens": 20, "output_tokens": 9},
}


def test_what_a_server_gets(openai_client, behind):
    behind["cohere"].answer(
        {
            "id": "c",
            "finish_reason": "COMPLETE",
            "message": {
                "role": "assistant",
                "content": [{"type": "text", "text": "Hi"}],
            },
            "usage": USAGE,
        }
    )

    answer = openai_client.chat.completions.create(
        model="command-a",
        messages=natives.CONVERSATION,
        tools=[natives.TOOL],
        tool_choice="required",
        reasoning_effort="low",
        frequency_penalty=1.5,
        **natives.SAMPLING,
    )

    assert answer.choices[0].message.content == "Hi"
    assert answer.usage.total_tokens == 29
    body = vendors.cohere_chat(behind["cohere"].request)
    assert body["stop_sequences"] == ["END"]
    assert body["frequency_penalty"] == 1
    assert body["p"] == 0.9
    assert body["tool_choice"] == "REQUIRED"
    assert body["thinking"] == {"type": "enabled", "token_budget": 1024}
    assert body["messages"][2]["tool_plan"] == "I will."


def test_an_openai_client_streams_a_server(openai_client, behind):
    def event(kind, **members):
        data = json.dumps({"type": kind, **members})
        return f"event: {kind}\ndata: {data}\n\n".encode()

    behind["cohere"].answer(
        Answer(
            [
                event("message-start", id="c", delta={"message": {}}),
                event(
                    "content-delta",
                    index=0,
                    delta={"message": {"content": {"text": "Grüß"}}},
                ),
                event(
                    "message-end",
                    delta={"finish_reason": "MAX_TOKENS", "usage": USAGE},
                ),
            ]
        )
    )

    chunks = list(
        openai_client.chat.completions.create(
            model="command-a", messages=HI, stream=True
        )
    )

    text = "".join(c.choices[0].delta.content or "" for c in chunks)
    assert text == "Grüß"
    assert chunks[-1].choices[0].finish_reason == "length"


def test_an_openai_client_has_a_free_form_tool(openai_client, behind):
    behind["cohere"].answer(
        {
            "id": "c",
            "finish_reason": "TOOL_CALL",
            "message": {
                "role": "assistant",
                "tool_calls": [
                    {
                        "id": "sql_1",
                        "type": "function",
                        "function": {
                            "name": "llm_custom_sql",
                            "arguments": '{"input": "select 1"}',
                        },
                    }
                ],
            },
            "usage": USAGE,
        }
    )

    answer = openai_client.chat.completions.create(
        model="command-a",
        messages=HI,
        tools=[{"type": "custom", "custom": {"name": "sql"}}],
    )

    body = vendors.cohere_chat(behind["cohere"].request)
    assert body["tools"][0]["function"]["name"] == "llm_custom_sql"
    call = answer.choices[0].message.tool_calls[0]
    assert (call.type, call.custom.name) == ("custom", "sql")
    assert call.custom.input == "select 1"


def test_chat(client, provider):
    provider.answer(answers.one_shot(provider.name, answers.TEXT))

    answer = client.chat(model="m", messages=HI, max_tokens=50, p=0.5)

    assert answer.message.content[0].text == answers.TEXT.text
    assert answer.finish_reason == "COMPLETE"
    assert answer.usage.tokens.input_tokens == 20
    assert answer.usage.tokens.output_tokens == 9


def test_stream(client, provider):
    provider.answer(answers.stream(provider.name, answers.THOUGHT))

    events = list(client.chat_stream(model="m", messages=HI))

    deltas = [
        e.delta.message.content for e in events if e.type == "content-delta"
    ]
    assert "".join(d.text or "" for d in deltas) == answers.THOUGHT.text
    assert "".join(d.thinking or "" for d in deltas) == answers.THOUGHT.reasoning
    assert events[0].type == "message-start"
    assert events[-1].type == "message-end"
    assert events[-1].delta.finish_reason == "COMPLETE"
    assert events[-1].delta.usage.tokens.output_tokens == 9


def test_tools(client, provider):
    provider.answer(answers.one_shot(provider.name, answers.TOOLS))

    answer = client.chat(model="m", messages=HI, tools=[natives.TOOL])

    said = [(c.id, c.function.name, json.loads(c.function.arguments))
            for c in answer.message.tool_calls]
    expected = [(c.id, c.name, c.arguments) for c in answers.TOOLS.calls]
    assert said == expected
    assert answer.finish_reason == "TOOL_CALL"

    # And on with the results.
    provider.reset()
    provider.answer(answers.one_shot(provider.name, answers.TEXT))
    after = client.chat(
        model="m",
        messages=[
            *HI,
            answer.message,
            *(
                {"role": "tool", "tool_call_id": c.id, "content": "x"}
                for c in answer.message.tool_calls
            ),
        ],
    )
    assert after.message.content[0].text == answers.TEXT.text


def test_tools_in_a_stream(client, provider):
    provider.answer(answers.stream(provider.name, answers.TOOLS))

    calls = {}
    for event in client.chat_stream(
        model="m", messages=HI, tools=[natives.TOOL]
    ):
        if event.type == "tool-call-start":
            call = event.delta.message.tool_calls
            calls[event.index] = [call.id, call.function.name, ""]
        elif event.type == "tool-call-delta":
            calls[event.index][2] += (
                event.delta.message.tool_calls.function.arguments
            )

    said = [(i, n, json.loads(a)) for i, n, a in calls.values()]
    assert said == [(c.id, c.name, c.arguments) for c in answers.TOOLS.calls]


def test_errors(client, provider):
    with pytest.raises(cohere.BadRequestError) as refused:
        client.chat(model="m", messages=HI, documents=["d"])
    assert "documents" in refused.value.body["message"]

    provider.answer(answers.error(
            provider.name, 404, "not_found_error", "no such model"
        ))
    with pytest.raises(cohere.NotFoundError):
        client.chat(model="m", messages=HI)


def test_an_error_inside_a_stream(client, provider):
    whole = answers.stream(provider.name, answers.TEXT)
    provider.answer(Answer(whole.body[:2], cut=True))

    events = list(client.chat_stream(model="m", messages=HI))

    assert events[-1].type == "message-end"
    assert events[-1].delta.finish_reason == "ERROR"
    assert events[-1].delta.error


def test_models(setup):
    client = cohere.Client(api_key="x", base_url=setup[0].url("/models"))
    assert [m.name for m in client.models.list().models] == ["openai/gpt-4o"]
    assert client.models.get("gpt-4o").name == "gpt-4o"
    with pytest.raises(cohere.NotFoundError):
        client.models.get("zork")
