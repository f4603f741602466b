"""Mistral's API is OpenAI's with rules of its own: what its server gets, held
against the Python package's types, and what the package's client reads of the
gateway."""

import anthropic
import openai
import pytest
from mistralai.client import Mistral, errors

import answers
import natives
import vendors

HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module")
def setup():
    with natives.running("mistral", "/v1") as both:
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
    return Mistral(api_key="x", server_url=setup[0].url(f"/{provider.name}"))


def test_what_its_server_gets_of_an_openai_client(setup, behind):
    behind["mistral"].answer(answers.one_shot("openai", answers.TEXT))
    with openai.OpenAI(
        base_url=setup[0].url("/mistral/v1"), api_key="x", max_retries=0
    ) as client:
        client.chat.completions.create(
            model="m",
            messages=natives.CONVERSATION,
            tools=[natives.TOOL],
            store=False,
            **natives.SAMPLING,
        )

    body = vendors.mistral_chat(behind["mistral"].request)
    assert body["random_seed"] == 7
    assert body["max_tokens"] == 50


def test_what_its_server_gets_of_an_anthropic_client(setup, behind):
    behind["mistral"].answer(answers.stream("openai", answers.TEXT))
    with anthropic.Anthropic(
        base_url=setup[0].url("/mistral"), api_key="x", max_retries=0
    ) as client:
        with client.messages.stream(
            model="m",
            max_tokens=50,
            metadata={"user_id": "u"},
            messages=[
                *HI,
                {
                    "role": "assistant",
                    "content": [
                        {
                            "type": "tool_use",
                            "id": "toolu_1",
                            "name": "get_weather",
                            "input": {},
                        }
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "toolu_1",
                            "content": "Sun.",
                        },
                        {"type": "text", "text": "And now?"},
                    ],
                },
            ],
        ) as stream:
            assert stream.get_final_text() == answers.TEXT.text

    body = vendors.mistral_chat(behind["mistral"].request)
    assert body["stream"] is True


def test_chat(client, provider):
    provider.answer(answers.one_shot(provider.name, answers.TEXT))

    answer = client.chat.complete(model="m", messages=HI, max_tokens=50)

    assert answer.choices[0].message.content == answers.TEXT.text
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == 20
    assert answer.usage.completion_tokens == 9


def test_stream(client, provider):
    provider.answer(answers.stream(provider.name, answers.TEXT))

    chunks = [
        event.data for event in client.chat.stream(model="m", messages=HI)
    ]

    text = "".join(
        c.choices[0].delta.content or "" for c in chunks if c.choices
    )
    assert text == answers.TEXT.text


# Calls in a stream come in fragments in OpenAI's API, which this client, whose
# server sends each as a whole, does not read.
def test_tools(client, provider):
    provider.answer(answers.one_shot(provider.name, answers.TOOLS))

    answer = client.chat.complete(
        model="m", messages=HI, tools=[natives.TOOL], tool_choice="any"
    )

    calls = answer.choices[0].message.tool_calls
    assert [c.function.name for c in calls] == [
        c.name for c in answers.TOOLS.calls
    ]


def test_errors(client, provider):
    provider.answer(answers.error(
            provider.name, 404, "not_found_error", "no such model"
        ))
    with pytest.raises(errors.SDKError) as refused:
        client.chat.complete(model="m", messages=HI)
    assert refused.value.status_code == 404


def test_models(setup):
    models = Mistral(api_key="x", server_url=setup[0].url("/models")).models
    assert [m.id for m in models.list().data] == ["openai/gpt-4o"]
    assert models.retrieve(model_id="openai/gpt-4o").id == "openai/gpt-4o"
    with pytest.raises(errors.SDKError) as unknown:
        models.retrieve(model_id="zork")
    assert unknown.value.status_code == 404
