"""llm_count_tokens, as Anthropic's client asks."""

import anthropic
import pytest

TOOL = {
    "name": "get_weather",
    "description": "The weather at a place, now.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
HELLO = [{"role": "user", "content": "Hello, Claude!"}]


def count(client, **options):
    return client.messages.count_tokens(
        **{"model": "claude-sonnet-4-5", "messages": HELLO, **options}
    ).input_tokens


def test_a_prompt(clients):
    with clients.anthropic("any") as client:
        assert 4 <= count(client) <= 20


def test_all_of_it_counts(clients):
    with clients.anthropic("any") as client:
        plain = count(client)
        assert count(client, system="You are a pirate.") > plain
        assert count(client, tools=[TOOL]) > plain
        assert count(client, messages=[
            *HELLO,
            {"role": "assistant", "content": "Hello! How can I help?"},
            {"role": "user", "content": "Say it again."},
        ]) > plain


def test_errors_are_the_clients(clients):
    with clients.anthropic("any") as client:
        with pytest.raises(anthropic.BadRequestError) as caught:
            count(client, messages=[])
    assert caught.value.body["type"] == "error"
