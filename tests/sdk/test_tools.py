"""Tools: what is offered, what is called, what came of it."""

import json

import pytest

import answers
import wire

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
    },
    "required": ["city"],
}

OPENAI_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city",
            "parameters": WEATHER,
        },
    },
    # A tool without parameters.
    {"type": "function", "function": {"name": "ping"}},
]

ANTHROPIC_TOOLS = [
    {
        "name": "get_weather",
        "description": "The weather in a city",
        "input_schema": WEATHER,
    },
    {"name": "ping", "input_schema": {"type": "object", "properties": {}}},
]

ASK = [{"role": "user", "content": "What is the weather in Zürich?"}]


class TestOpenAiClient:
    def create(self, client, provider, **options):
        provider.answer(answers.one_shot(provider.name, answers.TOOLS))
        return wire.completion(
            client.chat.completions.create(
                **{
                    "model": provider.model,
                    "messages": ASK,
                    "tools": OPENAI_TOOLS,
                }
                | options
            )
        )

    def test_all_calls_come_with_their_arguments(
        self, openai_client, provider
    ):
        choice = self.create(openai_client, provider).choices[0]

        assert choice.finish_reason == "tool_calls"
        assert choice.message.content == answers.TOOLS.text
        got = [
            answers.Call(
                c.id, c.function.name, json.loads(c.function.arguments)
            )
            for c in choice.message.tool_calls
        ]
        assert got == answers.TOOLS.calls

    def test_the_tools_are_offered(self, openai_client, provider):
        self.create(openai_client, provider)

        body = wire.check_request(provider.name, provider.request)
        if provider.name == "openai":
            assert body["tools"] == OPENAI_TOOLS
        else:
            weather, ping = body["tools"]
            assert weather["name"] == "get_weather"
            assert weather["description"] == "The weather in a city"
            assert weather["input_schema"] == WEATHER
            assert ping["input_schema"]["type"] == "object"

    @pytest.mark.parametrize("choice, there", [
        ("auto", {"type": "auto"}),
        ("required", {"type": "any"}),
        ("none", {"type": "none"}),
        (
            {"type": "function", "function": {"name": "ping"}},
            {"type": "tool", "name": "ping"},
        ),
    ])
    def test_tool_choice(self, openai_client, provider, choice, there):
        self.create(openai_client, provider, tool_choice=choice)

        body = wire.check_request(provider.name, provider.request)
        assert body["tool_choice"] == (
            choice if provider.name == "openai" else there
        )

    def test_one_call_at_a_time(self, openai_client, provider):
        self.create(openai_client, provider, parallel_tool_calls=False)

        body = wire.check_request(provider.name, provider.request)
        if provider.name == "openai":
            assert body["parallel_tool_calls"] is False
        else:
            assert body["tool_choice"] == {
                "type": "auto",
                "disable_parallel_tool_use": True,
            }

    def test_results_go_back(self, openai_client, provider):
        first = self.create(openai_client, provider).choices[0].message
        provider.reset()
        self.create(
            openai_client,
            provider,
            messages=[
                *ASK,
                first.to_dict(),
                *(
                    {
                        "role": "tool",
                        "tool_call_id": call.id,
                        "content": f"result of {call.id}",
                    }
                    for call in first.tool_calls
                ),
                {"role": "user", "content": "And tomorrow?"},
            ],
        )

        body = wire.check_request(provider.name, provider.request)
        if provider.name == "openai":
            return
        assert [m["role"] for m in body["messages"]] == [
            "user", "assistant", "user",
        ]
        said, results = body["messages"][1:]
        assert wire.texts(said) == [answers.TOOLS.text]
        assert [
            answers.Call(b["id"], b["name"], b["input"])
            for b in said["content"]
            if b["type"] == "tool_use"
        ] == answers.TOOLS.calls
        got = results["content"]
        assert [b["tool_use_id"] for b in got[:3]] == [
            "call_a", "call_b", "call_c",
        ]
        assert "result of call_b" in json.dumps(got[1]["content"])
        assert wire.texts(results) == ["And tomorrow?"]


class TestAnthropicClient:
    def create(self, client, provider, **options):
        provider.answer(answers.one_shot(provider.name, answers.TOOLS))
        return wire.message(
            client.messages.create(
                **{
                    "model": provider.model,
                    "max_tokens": 50,
                    "messages": ASK,
                    "tools": ANTHROPIC_TOOLS,
                }
                | options
            )
        )

    def test_all_calls_come_with_their_input(self, anthropic_client, provider):
        answer = self.create(anthropic_client, provider)

        assert answer.stop_reason == "tool_use"
        assert [b.type for b in answer.content] == [
            "text", "tool_use", "tool_use", "tool_use",
        ]
        assert answer.content[0].text == answers.TOOLS.text
        got = [answers.Call(b.id, b.name, b.input) for b in answer.content[1:]]
        assert got == answers.TOOLS.calls

    def test_the_tools_are_offered(self, anthropic_client, provider):
        self.create(anthropic_client, provider)

        body = wire.check_request(provider.name, provider.request)
        if provider.name == "anthropic":
            assert body["tools"] == ANTHROPIC_TOOLS
        else:
            weather, ping = (t["function"] for t in body["tools"])
            assert weather["name"] == "get_weather"
            assert weather["description"] == "The weather in a city"
            assert weather["parameters"] == WEATHER
            assert ping["name"] == "ping"

    @pytest.mark.parametrize("choice, there", [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        (
            {"type": "tool", "name": "ping"},
            {"type": "function", "function": {"name": "ping"}},
        ),
    ])
    def test_tool_choice(self, anthropic_client, provider, choice, there):
        self.create(anthropic_client, provider, tool_choice=choice)

        body = wire.check_request(provider.name, provider.request)
        assert body["tool_choice"] == (
            choice if provider.name == "anthropic" else there
        )

    def test_one_call_at_a_time(self, anthropic_client, provider):
        choice = {"type": "auto", "disable_parallel_tool_use": True}
        self.create(anthropic_client, provider, tool_choice=choice)

        body = wire.check_request(provider.name, provider.request)
        if provider.name == "anthropic":
            assert body["tool_choice"] == choice
        else:
            assert body["parallel_tool_calls"] is False

    def test_results_go_back(self, anthropic_client, provider):
        first = self.create(anthropic_client, provider)
        provider.reset()
        self.create(
            anthropic_client,
            provider,
            messages=[
                *ASK,
                {
                    "role": "assistant",
                    "content": [b.to_dict() for b in first.content],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "call_a",
                            "content": [
                                {"type": "text", "text": "sunny"},
                                {"type": "text", "text": "20 degrees"},
                            ],
                        },
                        {
                            "type": "tool_result",
                            "tool_use_id": "call_b",
                            "content": "no such zone",
                            "is_error": True,
                        },
                        {"type": "tool_result", "tool_use_id": "call_c"},
                        {"type": "text", "text": "And tomorrow?"},
                    ],
                },
            ],
        )

        body = wire.check_request(provider.name, provider.request)
        if provider.name == "anthropic":
            return
        roles = [m["role"] for m in body["messages"]]
        assert roles == ["user", "assistant", "tool", "tool", "tool", "user"]
        assistant, sunny, failed, empty, question = body["messages"][1:]
        assert wire.texts(assistant) == [answers.TOOLS.text]
        got = [
            answers.Call(
                c["id"],
                c["function"]["name"],
                json.loads(c["function"]["arguments"]),
            )
            for c in assistant["tool_calls"]
        ]
        assert got == answers.TOOLS.calls
        assert sunny["tool_call_id"] == "call_a"
        joined = "".join(wire.texts(sunny))
        assert "sunny" in joined and "20 degrees" in joined
        assert failed["tool_call_id"] == "call_b"
        assert "no such zone" in wire.texts(failed)[0]
        assert empty["tool_call_id"] == "call_c"
        assert wire.texts(question) == ["And tomorrow?"]
