"""OpenAI's Responses API and its legacy completions: their SDK as a client of
the gateway, at providers of every API; and what providers of these APIs are
sent, held against the SDK's types."""

import json
import types

import anthropic
import openai
import pytest
from openai.types import Completion
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

import answers
import vendors
import wire
from gateway import Gateway
from mock import Answer, Provider

CREATED = 1750000000

# Where a client of this API is translated, and how tests name the provider.
CHATS = ("openai", "anthropic")

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
    },
    "strict": False,
}

RESPONSE = TypeAdapter(Response)
EVENT = TypeAdapter(ResponseStreamEvent)
COMPLETION = TypeAdapter(Completion)


@pytest.fixture(scope="module")
def servers():
    names = (*CHATS, "responses", "completions")
    all_of_them = {name: Provider(name) for name in names}
    yield all_of_them
    for server in all_of_them.values():
        server.close()


@pytest.fixture(scope="module")
def nginx(servers):
    def port(name):
        return servers[name].port

    http = f"""
    llm_provider chat {{
        format openai;
        url http://127.0.0.1:{port("openai")}/v1;
    }}
    llm_provider messages {{
        format anthropic;
        url http://127.0.0.1:{port("anthropic")};
    }}
    llm_provider five {{
        format responses;
        url http://127.0.0.1:{port("responses")}/v1;
    }}
    llm_provider raw {{
        format completions;
        prompt_template chatml;
        url http://127.0.0.1:{port("completions")}/v1;
    }}
"""
    server = """
    location /openai/ { llm_pass chat; }
    location /anthropic/ { llm_pass messages; }
    location /responses/ { llm_pass five; }
    location /completions/ { llm_pass raw; }
"""
    gateway = Gateway(http, server)
    yield gateway
    bad = gateway.stop()
    assert not bad, "\n".join(bad)


@pytest.fixture
def behind(servers):
    for server in servers.values():
        server.reset()
    return servers


def client_of(nginx, name):
    return openai.OpenAI(
        base_url=nginx.url(f"/{name}/v1"),
        api_key="client-key",
        max_retries=0,
        timeout=20,
    )


@pytest.fixture(params=CHATS)
def chat(request, nginx, behind):
    """A provider that this API is translated for, and the SDK to reach it."""
    with client_of(nginx, request.param) as client:
        yield types.SimpleNamespace(
            name=request.param, server=behind[request.param], sdk=client
        )


def check_response(answer):
    text = json.dumps(answer.to_dict(mode="json", use_api_names=True))
    RESPONSE.validate_json(text)
    return answer


def calls_of(items):
    return [
        answers.Call(i.call_id, i.name, json.loads(i.arguments))
        for i in items
        if i.type == "function_call"
    ]


# What a provider of the Responses API answers.


def usage(said):
    return {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 0},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4 if said.reasoning else 0},
        "total_tokens": 29,
    }


def items_of(said):
    items = []
    if said.reasoning:
        items.append({
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": said.reasoning}],
            "encrypted_content": "gAAA",
        })
    content = []
    if said.text:
        content.append({
            "type": "output_text",
            "text": said.text,
            "annotations": [],
            "logprobs": [],
        })
    if said.refusal:
        content.append({"type": "refusal", "refusal": said.refusal})
    if content:
        items.append({
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": content,
        })
    for call in said.calls:
        items.append({
            "id": f"fc_{call.id}",
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": json.dumps(call.arguments),
            "status": "completed",
        })
    return items


def object_of(said, status="completed", items=None):
    data = {
        "id": "resp_1",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": "gpt-5-2025-08-07",
        "output": items_of(said) if items is None else items,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage(said) if items is None else None,
    }
    if said.finish == "length" and items is None:
        data["status"] = "incomplete"
        data["incomplete_details"] = {"reason": "max_output_tokens"}
    RESPONSE.validate_json(json.dumps(data), strict=True)
    return data


def stream_of(said):
    events = []

    def add(kind, **members):
        data = {"type": kind, "sequence_number": len(events), **members}
        EVENT.validate_json(json.dumps(data), strict=True)
        events.append(
            f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
        )

    add("response.created", response=object_of(said, "in_progress", []))
    for index, item in enumerate(items_of(said)):
        where = {"output_index": index, "item_id": item["id"]}
        empty = {
            "reasoning": {"summary": []},
            "message": {"content": []},
            "function_call": {"arguments": ""},
        }[item["type"]]
        add("response.output_item.added", output_index=index, item=item | empty)
        if item["type"] == "reasoning":
            for part in answers._fragments(said.reasoning):
                add("response.reasoning_summary_text.delta", summary_index=0,
                    delta=part, **where)
        elif item["type"] == "message":
            for number, part in enumerate(item["content"]):
                words = "text" if "text" in part else "refusal"
                add("response.content_part.added", content_index=number,
                    part=part | {words: ""}, **where)
            for part in answers._fragments(said.text):
                add("response.output_text.delta", content_index=0, delta=part,
                    logprobs=[], **where)
            for part in answers._fragments(said.refusal):
                add("response.refusal.delta", content_index=0, delta=part,
                    **where)
        else:
            for part in answers._fragments(item["arguments"]):
                add("response.function_call_arguments.delta", delta=part,
                    **where)
        add("response.output_item.done", output_index=index, item=item)
    last = object_of(said)
    add(f"response.{last['status']}", response=last)
    return Answer(events)


class TestClient:
    def test_text(self, chat):
        chat.server.answer(answers.one_shot(chat.name, answers.TEXT))
        answer = check_response(
            chat.sdk.responses.create(
                model="m", input="Say hello", instructions="Be brief",
                max_output_tokens=50, temperature=0.5,
            )
        )
        assert answer.output_text == answers.TEXT.text
        assert answer.status == "completed"
        assert answer.id.startswith("resp_")
        assert answer.instructions == "Be brief"
        assert answer.max_output_tokens == 50
        assert answer.temperature == 0.5
        assert answer.model == answers.RESPONSE_MODEL[chat.name]
        assert answer.usage.input_tokens == 20
        assert answer.usage.input_tokens_details.cached_tokens == 8
        assert answer.usage.output_tokens == 9
        assert answer.usage.total_tokens == 29

    def test_cut_short(self, chat):
        chat.server.answer(answers.one_shot(chat.name, answers.CUT_SHORT))
        answer = check_response(
            chat.sdk.responses.create(model="m", input="Tell")
        )
        assert answer.status == "incomplete"
        assert answer.incomplete_details.reason == "max_output_tokens"
        assert answer.output_text == answers.CUT_SHORT.text

    def test_reasoning(self, chat):
        chat.server.answer(answers.one_shot(chat.name, answers.THOUGHT))
        answer = check_response(
            chat.sdk.responses.create(model="m", input="2+2?")
        )
        thought, message = answer.output
        assert thought.type == "reasoning"
        assert thought.summary[0].text == answers.THOUGHT.reasoning
        assert message.content[0].text == answers.THOUGHT.text

    def test_tools_and_their_results(self, chat):
        chat.server.answer(answers.one_shot(chat.name, answers.TOOLS))
        ask = [{"role": "user", "content": "Weather?"}]
        first = check_response(
            chat.sdk.responses.create(model="m", input=ask, tools=[WEATHER])
        )
        assert calls_of(first.output) == answers.TOOLS.calls
        assert first.output_text == answers.TOOLS.text
        assert first.tools[0].name == "get_weather"

        # As the SDK's documentation has it: all of the output, and results.
        chat.server.reset()
        chat.server.answer(answers.one_shot(chat.name, answers.TEXT))
        results = [
            {
                "type": "function_call_output",
                "call_id": call.id,
                "output": f"result of {call.id}",
            }
            for call in answers.TOOLS.calls
        ]
        check_response(
            chat.sdk.responses.create(
                model="m", input=[*ask, *first.output, *results],
                tools=[WEATHER],
            )
        )
        text = chat.server.request.body.decode()
        for call in answers.TOOLS.calls:
            assert f"result of {call.id}" in text

    def test_structured_output(self, nginx, behind):
        class City(BaseModel):
            name: str

        server = behind["openai"]
        server.answer(answers.one_shot("openai", answers.Said('{"name": "Rome"}')))
        with client_of(nginx, "openai") as client:
            answer = client.responses.parse(
                model="m", input="Where?", text_format=City
            )
        assert answer.output_parsed == City(name="Rome")
        schema = server.request.json()["response_format"]["json_schema"]
        assert schema["name"] == "City"
        assert schema["strict"] is True

    @pytest.mark.parametrize(
        "said",
        [answers.TEXT, answers.THOUGHT, answers.TOOLS],
        ids=["text", "reasoning", "tools"],
    )
    def test_stream(self, chat, said):
        chat.server.answer(answers.Answer(
            answers.stream(chat.name, said).body
        ))
        with chat.sdk.responses.stream(
            model="m", input="Say hello", tools=[WEATHER]
        ) as stream:
            events = list(stream)
            final = stream.get_final_response()

        for number, event in enumerate(events):
            assert event.sequence_number == number
        assert [e.type for e in events[:2]] == [
            "response.created", "response.in_progress",
        ]
        assert events[-1].type == "response.completed"
        deltas = [
            e.delta for e in events if e.type == "response.output_text.delta"
        ]
        assert "".join(deltas) == said.text
        assert len(deltas) > 1
        assert final.output_text == said.text
        assert calls_of(final.output) == said.calls
        assert final.usage.total_tokens == 29

    def test_stream_is_what_the_types_say(self, chat):
        chat.server.answer(answers.stream(chat.name, answers.TOOLS))
        create = chat.sdk.responses.with_streaming_response.create
        with create(model="m", input="Say hello", stream=True) as raw:
            events = [
                line[6:] for line in raw.iter_lines()
                if line.startswith("data: ")
            ]
        assert len(events) > 10
        for event in events:
            EVENT.validate_json(event)

    def test_errors(self, chat):
        chat.server.answer(
            answers.error(chat.name, 429, "rate_limit_error", "slow down")
        )
        with pytest.raises(openai.RateLimitError) as caught:
            chat.sdk.responses.create(model="m", input="Say hello")
        assert "slow down" in caught.value.message

    def test_errors_in_a_stream(self, chat):
        pieces = answers.stream(chat.name, answers.TEXT).body
        chat.server.answer(Answer(pieces[:4], cut=True))
        events = list(
            chat.sdk.responses.create(model="m", input="Hi", stream=True)
        )
        assert events[-1].type == "response.failed"
        assert events[-1].response.status == "failed"
        assert events[-1].response.error.code == "server_error"

    def test_what_only_openai_has(self, chat):
        with pytest.raises(openai.BadRequestError) as caught:
            chat.sdk.responses.create(
                model="m", input="Hi", previous_response_id="resp_0"
            )
        assert caught.value.param == "previous_response_id"
        assert caught.value.code == "unsupported_parameter"
        assert not chat.server.requests


SAID = [answers.TEXT, answers.CUT_SHORT, answers.THOUGHT, answers.TOOLS,
        answers.Said(refusal="No.")]
SAID_IDS = ["text", "length", "reasoning", "tools", "refusal"]


class TestProvider:
    """Clients of other APIs at a provider of this one."""

    def check_request(self, server):
        request = server.request
        assert request.path == "/v1/responses"
        return vendors.responses(request)

    def test_openai_request(self, nginx, behind):
        server = behind["responses"]
        server.answer(object_of(answers.TEXT))
        with client_of(nginx, "responses") as client:
            client.chat.completions.create(
                model="gpt-5",
                messages=[
                    {"role": "system", "content": "s"},
                    {"role": "user", "content": [
                        {"type": "text", "text": "look"},
                        {"type": "image_url", "image_url": {
                            "url": "data:image/png;base64,QUJD"}},
                        {"type": "file", "file": {
                            "filename": "a.pdf",
                            "file_data": "data:application/pdf;base64,QUJD",
                        }},
                    ]},
                    {"role": "assistant", "content": "t", "tool_calls": [
                        {"id": "call_1", "type": "function", "function": {
                            "name": "f", "arguments": "{}"}}]},
                    {"role": "tool", "tool_call_id": "call_1",
                     "content": "r"},
                ],
                tools=[{"type": "function", "function": {
                    "name": "f", "description": "d",
                    "parameters": WEATHER["parameters"]}}],
                tool_choice={"type": "function", "function": {"name": "f"}},
                parallel_tool_calls=False,
                reasoning_effort="low",
                max_completion_tokens=50,
                temperature=0.5,
                top_p=0.5,
                logprobs=True,
                top_logprobs=2,
                response_format={"type": "json_schema", "json_schema": {
                    "name": "n", "schema": WEATHER["parameters"]}},
                user="u",
                metadata={"a": "b"},
                verbosity="low",
            )
        body = self.check_request(server)
        assert body["store"] is False

    def test_anthropic_request(self, nginx, behind):
        server = behind["responses"]
        server.answer(object_of(answers.TEXT))
        with anthropic.Anthropic(
            base_url=nginx.url("/responses"), api_key="k", max_retries=0
        ) as client:
            wire.message(client.messages.create(
                model="gpt-5",
                max_tokens=5000,
                system="s",
                thinking={"type": "enabled", "budget_tokens": 2000},
                tools=[{"name": "f", "input_schema": WEATHER["parameters"]}],
                messages=[
                    {"role": "user", "content": "q"},
                    {"role": "assistant", "content": [
                        {"type": "thinking", "thinking": "hm",
                         "signature": "rs_1:gAAA"},
                        {"type": "tool_use", "id": "toolu_1", "name": "f",
                         "input": {}},
                    ]},
                    {"role": "user", "content": [
                        {"type": "tool_result", "tool_use_id": "toolu_1",
                         "content": [{"type": "text", "text": "r"}]}]},
                ],
            ))
        body = self.check_request(server)
        assert {"type": "reasoning", "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "hm"}],
                "encrypted_content": "gAAA"} in body["input"]

    @pytest.mark.parametrize("said", SAID, ids=SAID_IDS)
    def test_answers(self, nginx, behind, said):
        behind["responses"].answer(object_of(said), stream_of(said))
        with client_of(nginx, "responses") as client:
            whole = wire.completion(client.chat.completions.create(
                model="gpt-5", messages=[{"role": "user", "content": "q"}]
            )).choices[0]
            assert (whole.message.content or "") == said.text
            assert (whole.message.refusal or "") == said.refusal
            assert whole.finish_reason == said.finish
            got = [
                answers.Call(c.id, c.function.name,
                             json.loads(c.function.arguments))
                for c in whole.message.tool_calls or []
            ]
            assert got == said.calls

            with client.chat.completions.stream(
                model="gpt-5", messages=[{"role": "user", "content": "q"}]
            ) as stream:
                for _ in stream:
                    pass
                streamed = stream.current_completion_snapshot.choices[0]
            assert (streamed.message.content or "") == said.text
            assert streamed.finish_reason == said.finish
            assert len(streamed.message.tool_calls or []) == len(said.calls)

    def test_what_stays_in_the_api(self, nginx, behind):
        behind["responses"].answer(object_of(answers.TEXT),
                                   stream_of(answers.TOOLS))
        with client_of(nginx, "responses") as client:
            answer = client.responses.create(
                model="gpt-5", input="q", previous_response_id="resp_0"
            )
            assert answer.id == "resp_1"
            with client.responses.stream(model="gpt-5", input="q") as stream:
                for _ in stream:
                    pass
                final = stream.get_final_response()
            assert calls_of(final.output) == answers.TOOLS.calls

    def test_what_stays_in_the_api_and_breaks(self, nginx, behind):
        pieces = stream_of(answers.TEXT).body[:3]
        behind["responses"].answer(Answer(pieces, cut=True))
        with client_of(nginx, "responses") as client:
            events = list(
                client.responses.create(model="gpt-5", input="q", stream=True)
            )
        assert [e.sequence_number for e in events] == [0, 1, 2, 3]
        assert events[-1].type == "error"
        assert "ended before" in events[-1].message


class TestCompletions:
    def test_text(self, chat):
        chat.server.answer(answers.one_shot(chat.name, answers.TEXT))
        answer = chat.sdk.completions.create(model="m", prompt="Once")
        COMPLETION.validate_json(
            json.dumps(answer.to_dict(mode="json")), strict=True
        )
        assert answer.choices[0].text == answers.TEXT.text
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage.total_tokens == 29
        assert chat.server.request.json()["max_tokens"] == 16

    def test_stream(self, chat):
        chat.server.answer(answers.stream(chat.name, answers.CUT_SHORT))
        chunks = list(chat.sdk.completions.create(
            model="m", prompt="Once", stream=True,
            stream_options={"include_usage": True},
        ))
        text = "".join(c.choices[0].text for c in chunks if c.choices)
        assert text == answers.CUT_SHORT.text
        reasons = [c.choices[0].finish_reason for c in chunks if c.choices]
        assert reasons[-1] == "length"
        assert chunks[-1].usage.total_tokens == 29

    def test_errors(self, chat):
        with pytest.raises(openai.BadRequestError) as caught:
            chat.sdk.completions.create(model="m", prompt=[1, 2, 3])
        assert caught.value.param == "prompt"
        assert not chat.server.requests

    def test_a_server_of_raw_text(self, nginx, behind):
        server = behind["completions"]
        server.answer({
            "id": "cmpl-1", "object": "text_completion", "created": CREATED,
            "model": "m", "choices": [{"index": 0, "text": "Hello",
            "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2,
                      "total_tokens": 3},
        })
        with client_of(nginx, "completions") as client:
            answer = wire.completion(client.chat.completions.create(
                model="m", messages=[
                    {"role": "system", "content": "s"},
                    {"role": "user", "content": "q"},
                ], temperature=0.5, stop="END", n=2,
            ))
        assert answer.choices[0].message.content == "Hello"
        assert server.request.path == "/v1/completions"
        body = vendors.completions(server.request)
        assert body["prompt"].endswith("<|im_start|>assistant\n")
        assert body["stop"] == ["END", "<|im_end|>"]
