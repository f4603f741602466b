"""Errors: of a provider, of the gateway. Each is the exception that the
client's SDK documents for it, with a message that helps."""

import re

import anthropic
import openai
import pytest

import answers
import wire

HELLO = [{"role": "user", "content": "Say hello"}]

# What providers answer: status, Anthropic's and OpenAI's type.
STATUSES = [
    (400, "invalid_request_error", "invalid_request_error"),
    (401, "authentication_error", "invalid_request_error"),
    (403, "permission_error", "permission_error"),
    (404, "not_found_error", "invalid_request_error"),
    (409, "invalid_request_error", "conflict_error"),
    (413, "request_too_large", "invalid_request_error"),
    (422, "invalid_request_error", "invalid_request_error"),
    (429, "rate_limit_error", "rate_limit_error"),
    (500, "api_error", "server_error"),
    (503, "api_error", "server_error"),
    (529, "overloaded_error", "server_error"),
]

OPENAI = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    413: openai.APIStatusError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
    529: openai.InternalServerError,
}

# 422 is no status of Anthropic's API: 400 says it.
ANTHROPIC = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    409: anthropic.ConflictError,
    413: anthropic.APIStatusError,
    422: (anthropic.BadRequestError, anthropic.UnprocessableEntityError),
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
    503: anthropic.InternalServerError,
    529: anthropic.InternalServerError,
}


# OpenAI repeats a part of a refused key in its reason: that is the gateway's
# key, and not for clients.
REASON = "the provider('s reason| refused the API key)"


@pytest.fixture(params=STATUSES, ids=lambda row: str(row[0]))
def failure(request, provider):
    """A status that the provider answers with."""
    status, anthropic_type, openai_type = request.param
    kind = anthropic_type if provider.name == "anthropic" else openai_type
    provider.answer(
        answers.error(
            provider.name, status, kind, "the provider's reason",
            retry_after="7",
        )
    )
    return status


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
class TestProvidersErrors:
    def test_openai_client(self, openai_client, provider, failure, stream):
        with pytest.raises(OPENAI[failure]) as raised:
            openai_client.chat.completions.create(
                model=provider.model, messages=HELLO, stream=stream
            )

        error = raised.value
        assert re.search(REASON, error.message)
        assert set(error.body) == {"message", "type", "param", "code"}
        assert isinstance(error.body["type"], str)
        assert error.response.headers["content-type"] == "application/json"
        if failure in (413, 429):
            assert error.status_code == failure

    def test_anthropic_client(
        self, anthropic_client, provider, failure, stream
    ):
        with pytest.raises(ANTHROPIC[failure]) as raised:
            anthropic_client.messages.create(
                model=provider.model,
                max_tokens=50,
                messages=HELLO,
                stream=stream,
            )

        error = raised.value
        assert re.search(REASON, error.message)
        assert error.body["type"] == "error"
        assert set(error.body["error"]) == {"type", "message"}
        if failure in (413, 429, 529):
            assert error.status_code == failure


class TestRetryAfter:
    def test_is_passed_on(self, openai_client, provider):
        provider.answer(
            answers.error(
                provider.name, 429, "rate_limit_error", "later",
                retry_after="7",
            )
        )

        with pytest.raises(openai.RateLimitError) as raised:
            openai_client.chat.completions.create(
                model=provider.model, messages=HELLO
            )

        assert raised.value.response.headers["retry-after"] == "7"

    def test_sdks_honour_it(self, clients, provider):
        """The SDK tries again by itself, after the time that it was told."""
        provider.answer(
            answers.error(
                provider.name, 429, "rate_limit_error", "later",
                retry_after="0",
            ),
            answers.one_shot(provider.name, answers.TEXT),
        )

        with clients.openai(provider.name, max_retries=1) as client:
            answer = client.chat.completions.create(
                model=provider.model, messages=HELLO
            )

        assert answer.choices[0].message.content == answers.TEXT.text
        assert len(provider.requests) == 2


class TestGatewaysErrors:
    def test_no_provider_can_be_reached(self, clients):
        with clients.openai("dead") as client:
            with pytest.raises(openai.InternalServerError) as raised:
                client.chat.completions.create(model="m", messages=HELLO)
        assert raised.value.status_code == 503

        with clients.anthropic("dead") as client:
            with pytest.raises(anthropic.InternalServerError) as raised:
                client.messages.create(
                    model="m", max_tokens=1, messages=HELLO
                )
        assert raised.value.status_code == 503

    def test_unknown_models(self, clients, behind):
        with clients.openai("any") as client:
            with pytest.raises(openai.NotFoundError) as raised:
                client.chat.completions.create(model="no-such", messages=HELLO)
        assert raised.value.code == "model_not_found"
        assert raised.value.param == "model"
        assert "no-such" in raised.value.message

        with clients.anthropic("any") as client:
            with pytest.raises(anthropic.NotFoundError, match="no-such"):
                client.messages.create(
                    model="no-such", max_tokens=1, messages=HELLO
                )

    def test_who_is_not_let_in(self, clients, behind):
        with clients.openai("closed") as client:
            with pytest.raises(openai.PermissionDeniedError):
                client.chat.completions.create(model="m", messages=HELLO)

        with clients.anthropic("closed") as client:
            with pytest.raises(anthropic.PermissionDeniedError):
                client.messages.create(
                    model="m", max_tokens=1, messages=HELLO
                )

    def test_too_large_a_body(self, clients, behind):
        long = [{"role": "user", "content": "x" * 2000}]
        with clients.openai("small") as client:
            with pytest.raises(openai.APIStatusError) as raised:
                client.chat.completions.create(model="m", messages=long)
        assert raised.value.status_code == 413

        with clients.anthropic("small") as client:
            with pytest.raises(anthropic.APIStatusError) as raised:
                client.messages.create(model="m", max_tokens=1, messages=long)
        assert raised.value.status_code == 413
        assert raised.value.body["error"]["type"] == "request_too_large"

    def test_an_option_that_the_model_does_not_have(self, clients, behind):
        model = "anthropic/" + answers.MODEL["anthropic"]
        with clients.openai("any") as client:
            with pytest.raises(openai.BadRequestError) as raised:
                client.chat.completions.create(
                    model=model, messages=HELLO, n=2
                )
        assert raised.value.code == "unsupported_parameter"
        assert raised.value.param == "n"
        assert behind["anthropic"].requests == []

    def test_or_which_is_dropped_where_the_location_says_so(
        self, clients, behind
    ):
        behind["anthropic"].answer(answers.one_shot("anthropic", answers.TEXT))
        model = "anthropic/" + answers.MODEL["anthropic"]

        with clients.openai("drop") as client:
            answer = client.chat.completions.create(
                model=model, messages=HELLO, n=2
            )

        assert len(wire.completion(answer).choices) == 1
        wire.check_request("anthropic", behind["anthropic"].request)

    def test_a_request_that_is_none(self, clients, behind):
        with clients.openai("anthropic") as client:
            with pytest.raises(openai.BadRequestError) as raised:
                client.chat.completions.create(
                    model="m", messages=[{"role": "robot", "content": "x"}]
                )
        assert raised.value.param.startswith("messages[0]")

        with clients.anthropic("openai") as client:
            with pytest.raises(anthropic.BadRequestError, match="messages"):
                client.messages.create(
                    model="m",
                    max_tokens=1,
                    messages=[{"role": "robot", "content": "x"}],
                )


class TestFallback:
    """A pool with a provider of another API behind the first."""

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    def test_after_a_failure(self, clients, behind, account, stream):
        behind["openai"].answer(
            answers.error("openai", 500, "server_error", "broken")
        )
        make = answers.stream if stream else answers.one_shot
        behind["anthropic"].answer(make("anthropic", answers.TEXT))

        with clients.openai("pool") as client:
            raw = client.chat.completions.with_raw_response.create(
                model="chat", messages=HELLO, stream=stream
            )
            answer = raw.parse()
            if stream:
                wire.chunks(answer)
            else:
                wire.completion(answer)

        assert raw.headers["X-LLM-Model"].startswith("anthropic/")
        assert "Retry-After" not in raw.headers
        wire.check_request("openai", behind["openai"].request)
        wire.check_request("anthropic", behind["anthropic"].request)
        logged = account()
        assert (logged["tries"], logged["provider"]) == ("2", "anthropic")
        assert logged["total"] == "29"

    def test_when_nothing_is_behind_the_first(self, clients, behind):
        behind["anthropic"].answer(answers.one_shot("anthropic", answers.TEXT))

        with clients.openai("from-dead") as client:
            answer = client.chat.completions.create(
                model="chat", messages=HELLO
            )

        assert answer.choices[0].message.content == answers.TEXT.text
        wire.check_request("anthropic", behind["anthropic"].request)

    def test_a_first_event_that_is_an_error(self, clients, behind):
        failing = answers.frame(
            "openai",
            {"error": {"type": "server_error", "message": "overloaded"}},
        )
        behind["openai"].answer(answers.Answer([failing]))
        behind["anthropic"].answer(answers.stream("anthropic", answers.TEXT))

        with clients.openai("pool") as client:
            chunks = wire.chunks(
                client.chat.completions.create(
                    model="chat", messages=HELLO, stream=True
                )
            )

        text = "".join(c.choices[0].delta.content or "" for c in chunks)
        assert text == answers.TEXT.text

    def test_nothing_is_tried_again_once_the_answer_has_begun(
        self, clients, behind
    ):
        broken = answers.stream("openai", answers.TEXT)
        broken.body = broken.body[:4]
        broken.cut = True
        behind["openai"].answer(broken)

        with clients.openai("pool") as client:
            with pytest.raises(openai.APIError):
                list(
                    client.chat.completions.create(
                        model="chat", messages=HELLO, stream=True
                    )
                )

        assert behind["anthropic"].requests == []
