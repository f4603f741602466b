"""Streams: every event is one that the SDK's types know, in the API's order,
and says what the provider said."""

import json

import anthropic
import openai
import pytest

import answers
import wire

HELLO = [{"role": "user", "content": "Say hello"}]

SAID = {
    "text": answers.TEXT,
    "length": answers.CUT_SHORT,
    "reasoning": answers.THOUGHT,
    "tools": answers.TOOLS,
    "refusal": answers.FILTERED,
}


@pytest.fixture(params=SAID)
def said(request):
    return SAID[request.param]


def gathered(chunks):
    """The message that OpenAI chunks add up to."""
    text, reasoning, refusal, calls, finish = "", "", "", [], None
    for chunk in chunks:
        for choice in chunk.choices:
            delta = choice.delta
            text += delta.content or ""
            reasoning += getattr(delta, "reasoning_content", None) or ""
            refusal += delta.refusal or ""
            for call in delta.tool_calls or []:
                if call.id:
                    assert call.index == len(calls)
                    assert call.type == "function"
                    calls.append([call.id, call.function.name, ""])
                calls[call.index][2] += call.function.arguments or ""
            finish = choice.finish_reason or finish
    calls = [
        answers.Call(id, name, json.loads(arguments))
        for id, name, arguments in calls
    ]
    return answers.Said(text, calls, reasoning, refusal, finish)


class TestOpenAiClient:
    def open(self, client, provider, **options):
        return client.chat.completions.create(
            model=provider.model, messages=HELLO, stream=True, **options
        )

    def test_the_chunks_add_up(self, openai_client, provider, said):
        provider.answer(answers.stream(provider.name, said))

        chunks = wire.chunks(self.open(openai_client, provider))

        got = gathered(chunks)
        if provider.name == "anthropic" and said.refusal:
            # Anthropic's models refuse in plain text.
            got.text, got.refusal = "", got.text
        assert got == said

    def test_cut_into_single_bytes(self, openai_client, provider):
        provider.answer(
            answers.bytewise(answers.stream(provider.name, answers.TOOLS))
        )

        chunks = wire.chunks(self.open(openai_client, provider))

        assert gathered(chunks) == answers.TOOLS

    def test_usage_is_for_those_who_ask(self, openai_client, provider):
        provider.answer(answers.stream(provider.name, answers.TEXT))

        chunks = wire.chunks(
            self.open(
                openai_client,
                provider,
                stream_options={"include_usage": True},
            )
        )

        assert chunks[-1].choices == []
        assert chunks[-1].usage.prompt_tokens == 20
        assert chunks[-1].usage.prompt_tokens_details.cached_tokens == 8
        assert chunks[-1].usage.completion_tokens == 9
        assert chunks[-1].usage.total_tokens == 29
        for chunk in chunks[:-1]:
            assert chunk.usage is None

    def test_others_do_not_see_it_but_the_gateway_does(
        self, openai_client, provider, account
    ):
        provider.answer(answers.stream(provider.name, answers.TEXT))

        chunks = wire.chunks(self.open(openai_client, provider))

        assert all(chunk.usage is None for chunk in chunks)
        assert all(chunk.choices for chunk in chunks)
        body = wire.check_request(provider.name, provider.request)
        assert body["stream"] is True
        if provider.name == "openai":
            assert body["stream_options"]["include_usage"] is True
        logged = account()
        assert (logged["total"], logged["source"]) == ("29", "provider")
        assert (logged["stream"], logged["finish"]) == ("1", "stop")

    def test_the_accumulating_helper_understands_it(
        self, openai_client, provider, said
    ):
        provider.answer(answers.stream(provider.name, said))

        with openai_client.chat.completions.stream(
            model=provider.model, messages=HELLO
        ) as stream:
            kinds = {event.type for event in stream}
            # The helper raises for an answer that is no whole one.
            if said.finish not in ("length", "content_filter"):
                message = stream.get_final_completion().choices[0].message
                assert (message.content or "") == said.text
                names = [c.function.name for c in message.tool_calls or []]
                assert names == [c.name for c in said.calls]

        assert "chunk" in kinds

    def test_a_broken_stream_raises(self, openai_client, provider, account):
        broken = answers.stream(provider.name, answers.TEXT)
        broken.body = broken.body[:-3]
        broken.cut = True
        provider.answer(broken)

        text = ""
        with pytest.raises(openai.APIError):
            for chunk in self.open(openai_client, provider):
                text += chunk.choices[0].delta.content or ""

        assert text and answers.TEXT.text.startswith(text)
        assert account()["finish"] == "error"

    def test_an_end_without_a_finish_reason_raises(
        self, openai_client, provider
    ):
        broken = answers.stream(provider.name, answers.TEXT)
        # The body ends as it should in HTTP; what it says is not complete.
        broken.body = broken.body[:4]
        provider.answer(broken)

        with pytest.raises(openai.APIError):
            list(self.open(openai_client, provider))

    def test_an_error_in_the_middle_raises(self, openai_client, provider):
        failing = answers.stream(provider.name, answers.TEXT)
        failing.body[4:] = [
            answers.frame(
                provider.name,
                {
                    "type": "error",
                    "error": {
                        "type": "overloaded_error",
                        "message": "Overloaded",
                    },
                },
            )
        ]
        provider.answer(failing)

        with pytest.raises(openai.APIError, match="Overloaded"):
            list(self.open(openai_client, provider))

    def test_an_error_as_the_first_event_is_a_status(
        self, openai_client, provider
    ):
        failing = answers.Answer(
            [
                answers.frame(
                    provider.name,
                    {
                        "type": "error",
                        "error": {
                            "type": "rate_limit_error",
                            "message": "Slow down",
                        },
                    },
                )
            ]
        )
        provider.answer(failing)

        with pytest.raises(openai.RateLimitError, match="Slow down"):
            self.open(openai_client, provider)

    def test_a_client_may_leave(self, openai_client, provider):
        long = answers.stream(provider.name, answers.TEXT)
        long.body = long.body[:4] * 200 + long.body[4:]
        provider.answer(long)

        stream = self.open(openai_client, provider)
        next(iter(stream))
        stream.close()

        provider.reset()
        provider.answer(answers.stream(provider.name, answers.TEXT))
        chunks = wire.chunks(self.open(openai_client, provider))
        assert gathered(chunks) == answers.TEXT


class TestAnthropicClient:
    def open(self, client, provider, **options):
        return client.messages.create(
            model=provider.model,
            max_tokens=50,
            messages=HELLO,
            stream=True,
            **options,
        )

    def test_the_events_add_up(self, anthropic_client, provider, said):
        provider.answer(answers.stream(provider.name, said))

        with anthropic_client.messages.stream(
            model=provider.model, max_tokens=50, messages=HELLO
        ) as stream:
            message = wire.message(stream.get_final_message())

        text, reasoning, calls = "", "", []
        for block in message.content:
            match block.type:
                case "text":
                    text += block.text
                case "thinking":
                    reasoning += block.thinking
                case "tool_use":
                    calls.append(
                        answers.Call(block.id, block.name, block.input)
                    )
        assert text == said.text + said.refusal
        assert reasoning == said.reasoning
        assert calls == said.calls
        assert message.stop_reason == answers.STOP_REASON[said.finish]
        assert message.model == answers.RESPONSE_MODEL[provider.name]
        assert message.usage.output_tokens == 9

    def test_every_event_is_in_its_place(
        self, anthropic_client, provider, said
    ):
        provider.answer(answers.stream(provider.name, said))

        events = wire.events(self.open(anthropic_client, provider))

        start, delta = events[0].message, events[-2]
        assert start.content == []
        assert start.stop_reason is None
        assert delta.delta.stop_reason == answers.STOP_REASON[said.finish]
        assert delta.usage.output_tokens == 9

    def test_the_prompt_is_counted_at_the_start(
        self, anthropic_client, provider
    ):
        provider.answer(answers.stream(provider.name, answers.TEXT))

        events = wire.events(self.open(anthropic_client, provider))

        # OpenAI says it at the end: the start has a guess, but not 0, which
        # some clients take for the truth.
        assert events[0].message.usage.input_tokens > 0
        if provider.name == "openai":
            usage = events[-2].usage
            assert usage.input_tokens == 12
            assert usage.cache_read_input_tokens == 8

    def test_cut_into_single_bytes(self, anthropic_client, provider):
        provider.answer(
            answers.bytewise(answers.stream(provider.name, answers.TOOLS))
        )

        with anthropic_client.messages.stream(
            model=provider.model, max_tokens=50, messages=HELLO
        ) as stream:
            message = stream.get_final_message()

        calls = [b for b in message.content if b.type == "tool_use"]
        assert [c.input for c in calls] == [
            c.arguments for c in answers.TOOLS.calls
        ]

    def test_what_the_gateway_counts(
        self, anthropic_client, provider, account
    ):
        provider.answer(answers.stream(provider.name, answers.TEXT))

        wire.events(self.open(anthropic_client, provider))

        logged = account()
        assert (logged["prompt"], logged["completion"]) == ("20", "9")
        assert (logged["source"], logged["finish"]) == ("provider", "stop")

    def test_a_broken_stream_raises(self, anthropic_client, provider, account):
        broken = answers.stream(provider.name, answers.TEXT)
        broken.body = broken.body[:-3]
        broken.cut = True
        provider.answer(broken)

        with pytest.raises(anthropic.APIError):
            list(self.open(anthropic_client, provider))

        assert account()["finish"] == "error"

    def test_an_end_without_a_finish_reason_raises(
        self, anthropic_client, provider
    ):
        broken = answers.stream(provider.name, answers.TEXT)
        broken.body = broken.body[:4]
        provider.answer(broken)

        with pytest.raises(anthropic.APIError):
            list(self.open(anthropic_client, provider))

    def test_an_error_as_the_first_event_is_a_status(
        self, anthropic_client, provider
    ):
        provider.answer(
            answers.Answer(
                [
                    answers.frame(
                        provider.name,
                        {
                            "type": "error",
                            "error": {
                                "type": "overloaded_error",
                                "message": "Overloaded",
                            },
                        },
                    )
                ]
            )
        )

        with pytest.raises(anthropic.InternalServerError, match="Overloaded"):
            self.open(anthropic_client, provider)


def test_without_usage_the_gateway_estimates(clients, behind, account):
    behind["openai"].answer(
        answers.stream("openai", answers.TEXT, usage=False)
    )

    with clients.openai("openai") as client:
        wire.chunks(
            client.chat.completions.create(
                model="m", messages=HELLO, stream=True
            )
        )

    logged = account()
    assert logged["source"] == "estimate"
    assert int(logged["prompt"]) > 0
    assert int(logged["completion"]) > 0


@pytest.mark.parametrize("client_api", ["openai", "anthropic"])
def test_a_provider_that_does_not_stream_is_made_to(
    clients, provider, client_api
):
    """An answer in one piece to a call that asked for a stream."""
    provider.answer(answers.one_shot(provider.name, answers.TOOLS))

    if client_api == "openai":
        with clients.openai(provider.name) as client:
            chunks = wire.chunks(
                client.chat.completions.create(
                    model="m", messages=HELLO, stream=True
                )
            )
        assert gathered(chunks) == answers.TOOLS
    else:
        with clients.anthropic(provider.name) as client:
            events = wire.events(
                client.messages.create(
                    model="m", max_tokens=50, messages=HELLO, stream=True
                )
            )
        assert events[-2].delta.stop_reason == "tool_use"


def test_parallel_calls_that_come_interleaved(clients, behind):
    """OpenAI's deltas may take turns between calls; Anthropic's blocks are
    strictly one after the other."""
    def delta(index, arguments, **head):
        call = {"index": index, **head, "function": {"arguments": arguments}}
        if head:
            call["type"] = "function"
            call["function"]["name"] = head["id"] + "_name"
        return answers.frame(
            "openai",
            {
                "id": "c",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
                "choices": [
                    {
                        "index": 0,
                        "delta": {"tool_calls": [call]},
                        "finish_reason": None,
                    }
                ],
            },
        )

    pieces = answers.stream("openai", answers.TEXT).body
    behind["openai"].answer(
        answers.Answer(
            [
                pieces[0],
                delta(0, "", id="a"),
                delta(1, "", id="b"),
                delta(0, '{"x"'),
                delta(1, '{"y"'),
                delta(0, ":1}"),
                delta(1, ":2}"),
                *pieces[-3:],
            ]
        )
    )

    with clients.anthropic("openai") as client:
        events = wire.events(
            client.messages.create(
                model="m", max_tokens=50, messages=HELLO, stream=True
            )
        )

    starts = [e for e in events if e.type == "content_block_start"]
    assert [s.content_block.name for s in starts] == ["a_name", "b_name"]
    inputs = ["", ""]
    for event in events:
        if event.type == "content_block_delta":
            inputs[event.index] += event.delta.partial_json
    assert [json.loads(i) for i in inputs] == [{"x": 1}, {"y": 2}]
    assert events[-2].delta.stop_reason == "tool_use"
