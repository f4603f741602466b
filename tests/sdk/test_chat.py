"""One question, one answer: for each client's SDK, with either provider
behind."""

import pytest

import answers
import wire

HELLO = [{"role": "user", "content": "Say hello"}]


class TestOpenAiClient:
    def test_text_usage_and_finish_reason(self, openai_client, provider):
        provider.answer(answers.one_shot(provider.name, answers.TEXT))

        answer = wire.completion(
            openai_client.chat.completions.create(
                model=provider.model, messages=HELLO
            )
        )

        choice = answer.choices[0]
        assert choice.message.role == "assistant"
        assert choice.message.content == answers.TEXT.text
        assert choice.finish_reason == "stop"
        assert answer.object == "chat.completion"
        assert answer.model == answers.RESPONSE_MODEL[provider.name]
        assert answer.usage.prompt_tokens == 20
        assert answer.usage.prompt_tokens_details.cached_tokens == 8
        assert answer.usage.completion_tokens == 9
        assert answer.usage.total_tokens == 29

    def test_the_request_is_one_of_the_providers_api(
        self, openai_client, provider
    ):
        provider.answer(answers.one_shot(provider.name, answers.TEXT))

        openai_client.chat.completions.create(
            model=provider.model,
            messages=HELLO,
            max_completion_tokens=50,
            temperature=0.5,
            stop=["END", "STOP"],
            user="user-1",
        )

        body = wire.check_request(provider.name, provider.request)
        assert body["model"] == provider.model
        assert body["temperature"] == 0.5
        if provider.name == "openai":
            assert body["max_completion_tokens"] == 50
            assert body["messages"] == HELLO
            assert body["stop"] == ["END", "STOP"]
            assert body["user"] == "user-1"
        else:
            assert body["max_tokens"] == 50
            assert wire.texts(body["messages"][0]) == ["Say hello"]
            assert body["stop_sequences"] == ["END", "STOP"]
            assert body["metadata"] == {"user_id": "user-1"}

    @pytest.mark.parametrize("said, finish", [
        (answers.CUT_SHORT, "length"),
        (answers.FILTERED, "content_filter"),
    ])
    def test_finish_reasons(self, openai_client, provider, said, finish):
        provider.answer(answers.one_shot(provider.name, said))

        answer = wire.completion(
            openai_client.chat.completions.create(
                model=provider.model, messages=HELLO
            )
        )

        assert answer.choices[0].finish_reason == finish
        message = answer.choices[0].message
        # Anthropic's models refuse in plain text.
        assert (message.content or message.refusal) == said.text + said.refusal

    def test_reasoning_comes_beside_the_answer(self, openai_client, provider):
        provider.answer(answers.one_shot(provider.name, answers.THOUGHT))

        answer = wire.completion(
            openai_client.chat.completions.create(
                model=provider.model,
                messages=HELLO,
                reasoning_effort="low",
                max_completion_tokens=4000,
            )
        )

        message = answer.choices[0].message
        assert message.content == answers.THOUGHT.text
        assert message.reasoning_content == answers.THOUGHT.reasoning
        body = wire.check_request(provider.name, provider.request)
        if provider.name == "openai":
            assert body["reasoning_effort"] == "low"
            usage = answer.usage.completion_tokens_details
            assert usage.reasoning_tokens == 4
        else:
            assert body["thinking"]["budget_tokens"] >= 1024
            assert body["thinking"]["budget_tokens"] < body["max_tokens"]

    def test_the_head_names_the_model_that_answered(
        self, openai_client, provider
    ):
        provider.answer(answers.one_shot(provider.name, answers.TEXT))

        raw = openai_client.chat.completions.with_raw_response.create(
            model=provider.model, messages=HELLO
        )

        assert raw.headers["X-LLM-Model"] == f"{provider.name}/{provider.model}"
        assert raw.headers["Content-Type"] == "application/json"
        assert "Retry-After" not in raw.headers


class TestAnthropicClient:
    def create(self, client, provider, **options):
        return client.messages.create(
            **{
                "model": provider.model,
                "max_tokens": 50,
                "messages": HELLO,
            }
            | options
        )

    def test_text_usage_and_stop_reason(self, anthropic_client, provider):
        provider.answer(answers.one_shot(provider.name, answers.TEXT))

        answer = wire.message(self.create(anthropic_client, provider))

        assert [b.type for b in answer.content] == ["text"]
        assert answer.content[0].text == answers.TEXT.text
        assert answer.role == "assistant"
        assert answer.stop_reason == "end_turn"
        assert answer.model == answers.RESPONSE_MODEL[provider.name]
        # OpenAI counts what was cached into the prompt, Anthropic beside it.
        assert answer.usage.input_tokens == 12
        assert answer.usage.cache_read_input_tokens == 8
        assert answer.usage.output_tokens == 9

    def test_the_request_is_one_of_the_providers_api(
        self, anthropic_client, provider
    ):
        provider.answer(answers.one_shot(provider.name, answers.TEXT))

        self.create(
            anthropic_client,
            provider,
            extra_body={"temperature": 0.5},
            stop_sequences=["END", "STOP"],
            metadata={"user_id": "user-1"},
        )

        body = wire.check_request(provider.name, provider.request)
        assert body["model"] == provider.model
        assert body["temperature"] == 0.5
        if provider.name == "anthropic":
            assert body["max_tokens"] == 50
            assert body["messages"] == HELLO
            assert body["metadata"] == {"user_id": "user-1"}
        else:
            assert body["max_completion_tokens"] == 50
            assert wire.texts(body["messages"][0]) == ["Say hello"]
            assert body["stop"] == ["END", "STOP"]
            assert body["user"] == "user-1"

    @pytest.mark.parametrize("said, reason", [
        (answers.CUT_SHORT, "max_tokens"),
        (answers.FILTERED, "refusal"),
    ])
    def test_stop_reasons(self, anthropic_client, provider, said, reason):
        provider.answer(answers.one_shot(provider.name, said))

        answer = wire.message(self.create(anthropic_client, provider))

        assert answer.stop_reason == reason
        assert answer.content[0].text == said.text + said.refusal

    def test_thinking_comes_before_the_answer(
        self, anthropic_client, provider
    ):
        provider.answer(answers.one_shot(provider.name, answers.THOUGHT))

        answer = wire.message(
            self.create(
                anthropic_client,
                provider,
                max_tokens=4000,
                thinking={"type": "enabled", "budget_tokens": 1024},
                # One of OpenAI's that can be told how much to think.
                **({"model": "o4-mini"} if provider.name == "openai" else {}),
            )
        )

        assert [b.type for b in answer.content] == ["thinking", "text"]
        assert answer.content[0].thinking == answers.THOUGHT.reasoning
        assert answer.content[1].text == answers.THOUGHT.text
        body = wire.check_request(provider.name, provider.request)
        if provider.name == "openai":
            assert body["reasoning_effort"] == "low"
        else:
            assert answer.content[0].signature == "c2lnbmF0dXJl"

    def test_the_head_names_the_model_that_answered(
        self, anthropic_client, provider
    ):
        provider.answer(answers.one_shot(provider.name, answers.TEXT))

        raw = anthropic_client.messages.with_raw_response.create(
            model=provider.model, max_tokens=50, messages=HELLO
        )

        assert raw.headers["X-LLM-Model"] == f"{provider.name}/{provider.model}"


def test_variables_for_the_log(openai_client, provider, account):
    provider.answer(answers.one_shot(provider.name, answers.THOUGHT))

    openai_client.chat.completions.create(
        model=provider.model, messages=HELLO
    )

    reasoning = "4" if provider.name == "openai" else "0"
    assert account() == {
        "model": provider.model,
        "provider": provider.name,
        "finish": "stop",
        "prompt": "20",
        "completion": "9",
        "total": "29",
        "cached": "8",
        "reasoning": reasoning,
        "source": "provider",
        "tries": "1",
        "stream": "0",
        "status": "200",
        "limit": "",
        "reserved": "",
    }


def test_members_that_nobody_knows_go_through_to_the_same_api(
    clients, behind
):
    behind["openai"].answer(answers.one_shot("openai", answers.TEXT))

    clients.openai("openai").chat.completions.create(
        model="m", messages=HELLO, extra_body={"top_zork": {"b": 1, "a": []}}
    )

    body = behind["openai"].request.body
    assert b'"top_zork":{"b":1,"a":[]}' in body.replace(b" ", b"")
