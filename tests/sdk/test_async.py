"""The asynchronous clients: many calls at once."""

import asyncio

import anthropic
import openai
import pytest

import answers
import wire

HELLO = [{"role": "user", "content": "Say hello"}]


async def test_openai(clients, provider):
    provider.answer(answers.stream(provider.name, answers.TEXT))

    async def one(client):
        text = ""
        stream = await client.chat.completions.create(
            model=provider.model, messages=HELLO, stream=True
        )
        async for chunk in stream:
            text += chunk.choices[0].delta.content or ""
        return text

    async with clients.openai_async(provider.name) as client:
        texts = await asyncio.gather(*(one(client) for _ in range(20)))

    assert texts == [answers.TEXT.text] * 20
    assert len(provider.requests) == 20


async def test_anthropic(clients, provider):
    provider.answer(answers.stream(provider.name, answers.TEXT))

    async def one(client):
        async with client.messages.stream(
            model=provider.model, max_tokens=50, messages=HELLO
        ) as stream:
            return wire.message(await stream.get_final_message())

    async with clients.anthropic_async(provider.name) as client:
        messages = await asyncio.gather(*(one(client) for _ in range(20)))

    assert {m.content[0].text for m in messages} == {answers.TEXT.text}


async def test_exceptions(clients, provider):
    provider.answer(
        answers.error(provider.name, 429, "rate_limit_error", "later")
    )

    async with clients.openai_async(provider.name) as client:
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(
                model=provider.model, messages=HELLO
            )
    async with clients.anthropic_async(provider.name) as client:
        with pytest.raises(anthropic.RateLimitError):
            await client.messages.create(
                model=provider.model, max_tokens=1, messages=HELLO
            )


async def test_a_task_that_is_cancelled(clients, provider):
    long = answers.stream(provider.name, answers.TEXT)
    long.body = long.body[:4] * 500 + long.body[4:]
    provider.answer(long)

    async with clients.openai_async(provider.name) as client:
        stream = await client.chat.completions.create(
            model=provider.model, messages=HELLO, stream=True
        )
        async for _ in stream:
            break
        await stream.close()

        provider.answer(answers.one_shot(provider.name, answers.TEXT))
        answer = await client.chat.completions.create(
            model=provider.model, messages=HELLO
        )

    assert answer.choices[0].message.content == answers.TEXT.text
