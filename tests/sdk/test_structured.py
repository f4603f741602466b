"""Answers by a schema, with the SDKs' own parsing helpers."""

import json

import anthropic
import openai
import pydantic
import pytest

import answers
import wire


class City(pydantic.BaseModel):
    name: str
    population: int


ASK = [{"role": "user", "content": "Tell me of Zürich"}]
JSON = answers.Said('{"name": "Zürich", "population": 440000}')


def test_openai_parse(openai_client, provider):
    provider.answer(answers.one_shot(provider.name, JSON))

    answer = wire.completion(
        openai_client.chat.completions.parse(
            model=provider.model, messages=ASK, response_format=City
        )
    )

    city = City(name="Zürich", population=440000)
    assert answer.choices[0].message.parsed == city
    body = wire.check_request(provider.name, provider.request)
    if provider.name == "openai":
        sent = body["response_format"]["json_schema"]["schema"]
    else:
        sent = body["output_config"]["format"]["schema"]
    assert set(sent["properties"]) == {"name", "population"}
    assert sent["additionalProperties"] is False


def test_openai_parse_of_a_stream(openai_client, provider):
    provider.answer(answers.stream(provider.name, JSON))

    with openai_client.chat.completions.stream(
        model=provider.model, messages=ASK, response_format=City
    ) as stream:
        answer = stream.get_final_completion()

    assert answer.choices[0].message.parsed.name == "Zürich"


def test_openai_parse_of_tool_arguments(openai_client, provider):
    call = answers.Call("call_1", "City", {"name": "Bern", "population": 1})
    provider.answer(
        answers.one_shot(
            provider.name, answers.Said(calls=[call], finish="tool_calls")
        )
    )

    answer = openai_client.chat.completions.parse(
        model=provider.model,
        messages=ASK,
        tools=[openai.pydantic_function_tool(City)],
    )

    function = answer.choices[0].message.tool_calls[0].function
    assert function.parsed_arguments == City(name="Bern", population=1)


def test_openai_json_object(openai_client, provider):
    provider.answer(answers.one_shot(provider.name, JSON))

    answer = wire.completion(
        openai_client.chat.completions.create(
            model=provider.model,
            messages=[{"role": "user", "content": "Zürich as JSON"}],
            response_format={"type": "json_object"},
        )
    )

    assert json.loads(answer.choices[0].message.content)["name"] == "Zürich"
    wire.check_request(provider.name, provider.request)


@pytest.mark.skipif(
    not hasattr(anthropic.resources.Messages, "parse"),
    reason="this release of the SDK has no parse()",
)
def test_anthropic_parse(anthropic_client, provider):
    provider.answer(answers.one_shot(provider.name, JSON))

    answer = anthropic_client.messages.parse(
        model=provider.model,
        max_tokens=100,
        messages=ASK,
        output_format=City,
    )

    assert answer.parsed_output == City(name="Zürich", population=440000)
    body = wire.check_request(provider.name, provider.request)
    if provider.name == "openai":
        assert body["response_format"]["type"] == "json_schema"
        sent = body["response_format"]["json_schema"]["schema"]
        assert set(sent["properties"]) == {"name", "population"}


def test_a_model_without_schemas_gives_the_answer_as_a_tools_input(
    clients, behind
):
    """Anthropic's older models have no structured output: a tool stands in,
    and what it was called with is the answer."""
    def reply(name):
        call = answers.Call("toolu_1", name, {"name": "Bern", "population": 1})
        return answers.one_shot(
            "anthropic", answers.Said(calls=[call], finish="tool_calls")
        )

    def ask():
        with clients.openai("anthropic") as client:
            return client.chat.completions.parse(
                model="claude-sonnet-4-20250514",
                messages=ASK,
                response_format=City,
            )

    # The name of the tool is the gateway's own: learnt first.
    behind["anthropic"].answer(answers.one_shot("anthropic", JSON))
    ask()
    body = wire.check_request("anthropic", behind["anthropic"].request)
    tool = body["tools"][-1]
    assert body["tool_choice"]["name"] == tool["name"]
    assert set(tool["input_schema"]["properties"]) == {"name", "population"}

    behind["anthropic"].answer(reply(tool["name"]))
    message = wire.completion(ask()).choices[0].message
    assert message.parsed == City(name="Bern", population=1)
    assert not message.tool_calls
