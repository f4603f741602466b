"""Answers from the cache: an SDK cannot tell them from a provider's."""

import asyncio
import uuid

import pytest

import answers
import wire
from test_stream import gathered
from test_tools import ANTHROPIC_TOOLS, OPENAI_TOOLS

WHO = [{"role": "user", "content": "Who is Joseph Conrad?"}]
PLEASE = [
    {"role": "user", "content": "Please tell me, who is Joseph Conrad?"}
]

SAID = {
    "text": answers.TEXT,
    "reasoning": answers.THOUGHT,
    "tools": answers.TOOLS,
}


@pytest.fixture(params=SAID)
def said(request):
    return SAID[request.param]


@pytest.fixture
def test_name():
    """A partition of the cache of the test's own."""
    return {"X-Test": uuid.uuid4().hex}


@pytest.fixture
def openai_cached(clients, provider, test_name):
    path = f"cached/{provider.name}"
    with clients.openai(path, default_headers=test_name) as client:
        yield client


@pytest.fixture
def anthropic_cached(clients, provider, test_name):
    path = f"cached/{provider.name}"
    with clients.anthropic(path, default_headers=test_name) as client:
        yield client



def blocks(message):
    """What is in a message, whether it came as a stream or not."""
    return [
        {
            name: getattr(block, name, None)
            for name in ("type", "text", "thinking", "id", "name", "input")
        }
        for block in message.content
    ]


class TestOpenAiClient:
    def create(self, client, provider, messages=WHO, **options):
        raw = client.chat.completions.with_raw_response.create(
            model=provider.model, messages=messages, **options
        )
        return raw.headers["X-Cache-Status"], wire.completion(raw.parse())

    def stream(self, client, provider, messages=WHO, **options):
        raw = client.chat.completions.with_raw_response.create(
            model=provider.model, messages=messages, stream=True, **options
        )
        return raw.headers["X-Cache-Status"], wire.chunks(raw.parse())

    def test_a_hit_is_the_answer_but_for_its_id(
        self, openai_cached, provider, said
    ):
        provider.answer(answers.one_shot(provider.name, said))
        options = {"tools": OPENAI_TOOLS} if said.calls else {}

        miss, first = self.create(openai_cached, provider, **options)
        hit, second = self.create(openai_cached, provider, **options)

        assert (miss, hit) == ("Miss", "Hit")
        assert second.id != first.id
        assert second.model == first.model
        assert second.choices == first.choices
        assert second.usage.total_tokens == first.usage.total_tokens
        assert len(provider.requests) == 1

    def test_a_hit_by_meaning(self, openai_cached, provider):
        provider.answer(answers.one_shot(provider.name, answers.TEXT))

        _, first = self.create(openai_cached, provider)
        hit, second = self.create(openai_cached, provider, PLEASE)

        assert hit == "Hit"
        assert second.choices == first.choices

    def test_a_streamed_hit(self, openai_cached, provider, said):
        provider.answer(answers.one_shot(provider.name, said))
        options = {"tools": OPENAI_TOOLS} if said.calls else {}

        self.create(openai_cached, provider, **options)
        hit, chunks = self.stream(openai_cached, provider, **options)

        assert hit == "Hit"
        assert gathered(chunks) == said

    def test_a_hit_from_a_stream(self, openai_cached, provider, said):
        provider.answer(answers.stream(provider.name, said))
        options = {"tools": OPENAI_TOOLS} if said.calls else {}

        miss, chunks = self.stream(openai_cached, provider, **options)
        hit, answer = self.create(openai_cached, provider, **options)
        again, more = self.stream(openai_cached, provider, **options)

        assert (miss, hit, again) == ("Miss", "Hit", "Hit")
        assert gathered(chunks) == gathered(more) == said
        assert answer.choices[0].message.content == said.text
        assert answer.usage.total_tokens == 29
        assert len(provider.requests) == 1


class TestAnthropicClient:
    def create(self, client, provider, messages=WHO, **options):
        raw = client.messages.with_raw_response.create(
            model=provider.model, max_tokens=50, messages=messages, **options
        )
        return raw.headers["X-Cache-Status"], wire.message(raw.parse())

    def stream(self, client, provider, **options):
        with client.messages.stream(
            model=provider.model, max_tokens=50, messages=WHO, **options
        ) as stream:
            status = stream.response.headers["X-Cache-Status"]
            return status, stream.get_final_message()

    def test_a_hit_is_the_answer_but_for_its_id(
        self, anthropic_cached, provider, said
    ):
        provider.answer(answers.one_shot(provider.name, said))
        options = {"tools": ANTHROPIC_TOOLS} if said.calls else {}

        miss, first = self.create(anthropic_cached, provider, **options)
        hit, second = self.create(anthropic_cached, provider, **options)

        assert (miss, hit) == ("Miss", "Hit")
        assert second.id != first.id
        assert second.content == first.content
        assert second.stop_reason == first.stop_reason
        assert second.usage.output_tokens == first.usage.output_tokens

    def test_a_hit_by_meaning(self, anthropic_cached, provider):
        provider.answer(answers.one_shot(provider.name, answers.TEXT))

        _, first = self.create(anthropic_cached, provider)
        hit, second = self.create(anthropic_cached, provider, PLEASE)

        assert hit == "Hit"
        assert second.content == first.content

    def test_a_streamed_hit(self, anthropic_cached, provider, said):
        provider.answer(answers.one_shot(provider.name, said))
        options = {"tools": ANTHROPIC_TOOLS} if said.calls else {}

        _, first = self.create(anthropic_cached, provider, **options)
        hit, second = self.stream(anthropic_cached, provider, **options)

        assert hit == "Hit"
        assert second.stop_reason == first.stop_reason
        assert blocks(second) == blocks(first)

    def test_a_hit_from_a_stream(self, anthropic_cached, provider, said):
        provider.answer(answers.stream(provider.name, said))
        options = {"tools": ANTHROPIC_TOOLS} if said.calls else {}

        miss, first = self.stream(anthropic_cached, provider, **options)
        hit, second = self.create(anthropic_cached, provider, **options)

        assert (miss, hit) == ("Miss", "Hit")
        assert second.stop_reason == first.stop_reason
        assert blocks(second) == blocks(first)


async def test_many_at_once(clients, provider, test_name):
    provider.answer(answers.one_shot(provider.name, answers.TEXT))
    path = f"cached/{provider.name}"

    async def one(client):
        answer = await client.chat.completions.create(
            model=provider.model, messages=WHO
        )
        return answer.choices[0].message.content

    async with clients.openai_async(
        path, default_headers=test_name
    ) as client:
        await one(client)
        texts = await asyncio.gather(*(one(client) for _ in range(20)))

    assert texts == [answers.TEXT.text] * 20
    assert len(provider.requests) == 1
