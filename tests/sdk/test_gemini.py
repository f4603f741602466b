"""Google's API, both ways: what its provider gets of OpenAI's and Anthropic's
clients is held against google-genai's types, and google-genai is a client of
all three providers."""

import json

import pydantic
import pytest
from google import genai
from google.genai import errors, types

import answers
import vendors
import wire
from gateway import Gateway
from mock import Answer, Provider

MODEL = "gemini-3-flash"
SIGNATURE = "U0lHTkFUVVJF"


class City(pydantic.BaseModel):
    name: str
    population: int


def get_weather(city: str, days: int = 1) -> dict:
    """The weather in a city."""
    return {"sky": "sunny", "city": city}


# What Google answers


def parts(said):
    if said.reasoning:
        yield {"text": said.reasoning, "thought": True}
    if said.text:
        yield {"text": said.text}
    for index, call in enumerate(said.calls):
        part = {"functionCall": {"name": call.name, "args": call.arguments}}
        if index == 0:
            part["thoughtSignature"] = SIGNATURE
        yield part


FINISH = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}


def chunk(parts, **candidate):
    return {
        "candidates": [
            {"content": {"parts": parts, "role": "model"}, **candidate}
        ],
        "modelVersion": "gemini-3-flash-001",
        "responseId": "r1",
    }


def usage(said):
    thoughts = 4 if said.reasoning else 0
    return {
        "usageMetadata": {
            "promptTokenCount": 20,
            "cachedContentTokenCount": 8,
            "candidatesTokenCount": 9 - thoughts,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": 29,
        }
    }


def one_shot(said):
    return Answer(
        chunk(list(parts(said)), finishReason=FINISH[said.finish], index=0)
        | usage(said)
    )


def stream(said):
    def frame(data):
        text = json.dumps(data, ensure_ascii=False)
        return f"data: {text}\r\n\r\n".encode()

    last = chunk([{"text": ""}], finishReason=FINISH[said.finish])
    return Answer(
        [frame(chunk([part])) for part in parts(said)]
        + [frame(last | usage(said))]
    )


def failure(status, word, message, **details):
    return Answer(
        {"error": {"code": status, "message": message, "status": word,
                   **details}},
        status,
    )


# What Google gets


def check_request(request, streamed=False):
    method = ":streamGenerateContent?alt=sse" if streamed else ":generateContent"
    assert request.path == f"/v1beta/models/{MODEL}{method}"
    assert request.headers["x-goog-api-key"] == "provider-key"
    for value in request.headers.values():
        assert "client-key" not in value
    return vendors.gemini(request)


@pytest.fixture(scope="module")
def google():
    provider = Provider("gemini")
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def nginx(google, providers):
    gateway = Gateway(
        f"""
    llm_provider gemini {{
        url http://127.0.0.1:{google.port}/v1beta;
        api_key provider-key;
    }}
    llm_provider openai {{
        url http://127.0.0.1:{providers["openai"].port}/v1;
        api_key provider-key;
    }}
    llm_provider anthropic {{
        url http://127.0.0.1:{providers["anthropic"].port};
        api_key provider-key;
    }}
    llm_upstream pool {{ model gemini/{MODEL}; }}
""",
        """
    location /gemini/ { llm_pass gemini; }
    location /openai/ { llm_pass openai; }
    location /anthropic/ { llm_pass anthropic; }
    location /pool/ { llm_pass pool; }
    location /gemini/v1beta/models/counted:countTokens { llm_count_tokens; }
""",
    )
    yield gateway
    bad = gateway.stop()
    assert not bad, "\n".join(bad)


@pytest.fixture(autouse=True)
def anew(google, providers):
    google.reset()
    for provider in providers.values():
        provider.reset()


@pytest.fixture
def sdk(nginx):
    """Makes clients of google-genai. One that nobody holds closes itself,
    whatever it is doing."""
    held = []

    def make(path):
        client = genai.Client(
            api_key="client-key",
            http_options=types.HttpOptions(
                base_url=nginx.url(f"/{path}/"),
                api_version="v1beta",
                timeout=20000,
                retry_options=types.HttpRetryOptions(attempts=1),
            ),
        )
        held.append(client)
        return client

    yield make
    for client in held:
        client.close()


def openai_client(nginx):
    import openai

    return openai.OpenAI(base_url=nginx.url("/gemini/v1"), max_retries=0,
                         api_key="client-key", timeout=20)


def anthropic_client(nginx):
    import anthropic

    return anthropic.Anthropic(base_url=nginx.url("/gemini"), max_retries=0,
                               api_key="client-key", timeout=20)


HELLO = [{"role": "user", "content": "Hello"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    },
    {"type": "function", "function": {"name": "ping"}},
]


class TestGoogleAsProvider:
    def test_an_openai_client(self, nginx, google):
        google.answer(one_shot(answers.THOUGHT))
        answer = wire.completion(
            openai_client(nginx).chat.completions.create(
                model=MODEL,
                messages=[{"role": "system", "content": "Be brief."}, *HELLO],
                temperature=0.5,
                stop=["END"],
                max_tokens=100,
                reasoning_effort="low",
            )
        )
        assert answer.choices[0].message.content == answers.THOUGHT.text
        assert answer.usage.prompt_tokens_details.cached_tokens == 8
        assert answer.usage.completion_tokens_details.reasoning_tokens == 4
        body = check_request(google.request)
        assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
        assert body["generationConfig"]["thinkingConfig"] == {
            "thinkingLevel": "LOW",
            "includeThoughts": True,
        }

    def test_its_stream(self, nginx, google):
        google.answer(stream(answers.TEXT))
        seen = wire.chunks(
            openai_client(nginx).chat.completions.create(
                model=MODEL,
                messages=HELLO,
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        text = "".join(c.choices[0].delta.content or ""
                       for c in seen if c.choices)
        assert text == answers.TEXT.text
        assert seen[-1].usage.total_tokens == 29
        check_request(google.request, streamed=True)

    @pytest.mark.parametrize("streamed", [False, True])
    def test_tools_with_their_signatures(self, nginx, google, streamed):
        client = openai_client(nginx)
        make = stream if streamed else one_shot
        google.answer(make(answers.TOOLS), make(answers.TEXT))
        options = {"model": MODEL, "tools": TOOLS}

        def ask(messages):
            if not streamed:
                return wire.completion(
                    client.chat.completions.create(messages=messages, **options)
                ).choices[0]
            with client.chat.completions.stream(
                messages=messages, **options
            ) as run:
                return run.get_final_completion().choices[0]

        choice = ask(HELLO)
        assert choice.finish_reason == "tool_calls"
        calls = choice.message.tool_calls
        assert [json.loads(c.function.arguments) for c in calls] == [
            c.arguments for c in answers.TOOLS.calls
        ]

        # The client gives back what it got, the signature included.
        message = {
            "role": "assistant",
            "content": choice.message.content,
            "tool_calls": [
                {
                    "id": c.id,
                    "type": "function",
                    "function": {
                        "name": c.function.name,
                        "arguments": c.function.arguments,
                    },
                    **(
                        {"extra_content": c.model_extra["extra_content"]}
                        if "extra_content" in (c.model_extra or {})
                        else {}
                    ),
                }
                for c in calls
            ],
        }
        results = [
            {"role": "tool", "tool_call_id": c.id, "content": "fine"}
            for c in reversed(calls)
        ]
        ask([*HELLO, message, *results])
        body = check_request(google.requests[1], streamed)
        sent = [p for p in body["contents"][1]["parts"] if "functionCall" in p]
        assert sent[0]["thoughtSignature"] == SIGNATURE
        assert "thoughtSignature" not in sent[1]

    def test_an_anthropic_client(self, nginx, google):
        client = anthropic_client(nginx)
        google.answer(one_shot(answers.TOOLS), one_shot(answers.TEXT))
        options = {
            "model": MODEL,
            "max_tokens": 100,
            "tools": [
                {"name": "get_weather", "input_schema": {"type": "object"}}
            ],
        }
        answer = wire.message(client.messages.create(messages=HELLO, **options))
        assert answer.stop_reason == "tool_use"
        results = [
            {"type": "tool_result", "tool_use_id": b.id, "content": "fine"}
            for b in answer.content
            if b.type == "tool_use"
        ]
        again = wire.message(
            client.messages.create(
                messages=[
                    *HELLO,
                    {"role": "assistant",
                     "content": [b.model_dump() for b in answer.content]},
                    {"role": "user", "content": results},
                ],
                **options,
            )
        )
        assert again.content[0].text == answers.TEXT.text
        body = check_request(google.requests[1])
        sent = [p for p in body["contents"][1]["parts"] if "functionCall" in p]
        assert sent[0]["thoughtSignature"] == SIGNATURE

    def test_its_stream_of_calls(self, nginx, google):
        google.answer(stream(answers.TOOLS))
        seen = wire.events(
            anthropic_client(nginx).messages.create(
                model=MODEL, max_tokens=100, messages=HELLO, stream=True
            )
        )
        assert seen[-2].delta.stop_reason == "tool_use"
        check_request(google.request, streamed=True)

    def test_answers_by_a_schema(self, nginx, google):
        google.answer(
            one_shot(answers.Said('{"name": "Bern", "population": 1}'))
        )
        answer = openai_client(nginx).chat.completions.parse(
            model=MODEL, messages=HELLO, response_format=City
        )
        assert answer.choices[0].message.parsed == City(
            name="Bern", population=1
        )
        config = check_request(google.request)["generationConfig"]
        assert config["responseMimeType"] == "application/json"
        assert set(config["responseJsonSchema"]["properties"]) == {
            "name", "population",
        }

    def test_errors(self, nginx, google):
        import anthropic
        import openai

        google.answer(failure(429, "RESOURCE_EXHAUSTED", "slow down",
                              details=[{
                                  "@type": "type.googleapis.com/"
                                           "google.rpc.RetryInfo",
                                  "retryDelay": "1.5s"}]))
        with pytest.raises(openai.RateLimitError) as caught:
            openai_client(nginx).chat.completions.create(
                model=MODEL, messages=HELLO)
        assert caught.value.response.headers["retry-after"] == "2"
        google.answer(failure(404, "NOT_FOUND", "no such model"))
        with pytest.raises(anthropic.NotFoundError):
            anthropic_client(nginx).messages.create(
                model=MODEL, max_tokens=9, messages=HELLO)


def provided(name, said, streamed=False):
    if name == "gemini":
        return stream(said) if streamed else one_shot(said)
    make = answers.stream if streamed else answers.one_shot
    return make(name, said)


@pytest.fixture(params=["gemini", "openai", "anthropic"])
def behind(request, google, providers):
    """The provider behind google-genai: each test runs with all three."""
    if request.param == "gemini":
        return google
    return providers[request.param]


class TestGoogleAsClient:
    def test_a_text(self, sdk, behind):
        behind.answer(provided(behind.name, answers.TEXT))
        answer = sdk(behind.name).models.generate_content(
            model=answers.MODEL.get(behind.name, MODEL),
            contents="Hello",
            config=types.GenerateContentConfig(
                system_instruction="Be brief.",
                temperature=0.5,
                max_output_tokens=100,
                stop_sequences=["END"],
            ),
        )
        assert answer.text == answers.TEXT.text
        assert answer.candidates[0].finish_reason == "STOP"
        assert answer.usage_metadata.prompt_token_count == 20
        assert answer.usage_metadata.cached_content_token_count == 8
        assert answer.usage_metadata.total_token_count == 29
        if behind.name != "gemini":
            wire.check_request(behind.name, behind.request)

    def test_a_stream(self, sdk, behind):
        behind.answer(provided(behind.name, answers.TEXT, True))
        seen = list(
            sdk(behind.name).models.generate_content_stream(
                model=answers.MODEL.get(behind.name, MODEL), contents="Hello"
            )
        )
        assert "".join(c.text or "" for c in seen) == answers.TEXT.text
        assert seen[-1].candidates[0].finish_reason == "STOP"
        assert seen[-1].usage_metadata.total_token_count == 29

    def test_calls_that_the_sdk_makes_by_itself(self, sdk, behind):
        call = answers.Call("call_a", "get_weather", {"city": "Bern"})
        behind.answer(
            provided(behind.name, answers.Said(calls=[call],
                                               finish="tool_calls")),
            provided(behind.name, answers.TEXT),
        )
        answer = sdk(behind.name).models.generate_content(
            model=answers.MODEL.get(behind.name, MODEL),
            contents="The weather in Bern?",
            config=types.GenerateContentConfig(tools=[get_weather]),
        )
        assert answer.text == answers.TEXT.text
        assert len(behind.requests) == 2
        assert "sunny" in behind.requests[1].body.decode()
        if behind.name == "gemini":
            assert SIGNATURE in behind.requests[1].body.decode()
        else:
            for request in behind.requests:
                wire.check_request(behind.name, request)

    def test_a_stream_of_calls(self, sdk, behind):
        behind.answer(provided(behind.name, answers.TOOLS, True))
        seen = list(
            sdk(behind.name).models.generate_content_stream(
                model=answers.MODEL.get(behind.name, MODEL), contents="Hello"
            )
        )
        calls = [c for chunk in seen for c in chunk.function_calls or []]
        assert [(c.name, c.args) for c in calls] == [
            (c.name, c.arguments) for c in answers.TOOLS.calls
        ]

    def test_a_chat_gives_thoughts_back(self, sdk, providers):
        """Claude demands the proof of its thoughts: Google's SDK carries it
        in a member of its own, in base64 of its own."""
        behind = providers["anthropic"]
        behind.answer(
            answers.one_shot("anthropic", answers.THOUGHT),
            answers.one_shot("anthropic", answers.TEXT),
        )
        chat = sdk("anthropic").chats.create(
            model=answers.MODEL["anthropic"],
            config=types.GenerateContentConfig(
                thinking_config=types.ThinkingConfig(
                    thinking_budget=2000, include_thoughts=True
                ),
                max_output_tokens=5000,
            ),
        )
        assert chat.send_message("Two and two?").text == answers.THOUGHT.text
        chat.send_message("And three?")
        body = wire.check_request("anthropic", behind.requests[1])
        thought = body["messages"][1]["content"][0]
        assert thought["type"] == "thinking"
        assert thought["signature"] == "c2lnbmF0dXJl"

    def test_answers_by_a_schema(self, sdk, behind):
        behind.answer(
            provided(behind.name,
                     answers.Said('{"name": "Bern", "population": 1}'))
        )
        answer = sdk(behind.name).models.generate_content(
            model=answers.MODEL.get(behind.name, MODEL),
            contents="Bern?",
            config=types.GenerateContentConfig(
                response_mime_type="application/json", response_schema=City
            ),
        )
        assert answer.parsed == City(name="Bern", population=1)
        if behind.name == "openai":
            body = wire.check_request("openai", behind.request)
            schema = body["response_format"]["json_schema"]["schema"]
            assert schema["properties"]["population"]["type"] == "integer"

    @pytest.mark.parametrize(
        "status, kind",
        [(400, "invalid_request_error"), (404, "not_found_error"),
         (429, "rate_limit_error"), (500, "api_error")],
    )
    def test_errors(self, sdk, providers, status, kind):
        for name, provider in providers.items():
            provider.answer(answers.error(name, status, kind, "that is it"))
            expected = errors.ClientError if status < 500 else errors.ServerError
            with pytest.raises(expected) as caught:
                sdk(name).models.generate_content(
                    model="m", contents="Hello"
                )
            assert caught.value.code == status
            assert caught.value.message == "that is it"

    def test_an_error_in_a_stream(self, sdk, providers):
        whole = answers.stream("openai", answers.TEXT)
        providers["openai"].answer(Answer(whole.body[:3]))
        heard = []
        with pytest.raises(errors.APIError) as caught:
            for chunk in sdk("openai").models.generate_content_stream(
                model="m", contents="Hello"
            ):
                heard.append(chunk.text)
        assert heard
        assert "ended before the answer was complete" in caught.value.message

    def test_an_image(self, sdk, providers):
        providers["openai"].answer(answers.one_shot("openai", answers.TEXT))
        sdk("openai").models.generate_content(
            model="m",
            contents=[
                types.Part.from_bytes(data=b"\xfb\xff\xfe",
                                      mime_type="image/png"),
                "What is it?",
            ],
        )
        body = wire.check_request("openai", providers["openai"].request)
        url = body["messages"][0]["content"][0]["image_url"]["url"]
        assert url == "data:image/png;base64,+//+"

    def test_tokens_are_counted(self, sdk):
        counted = sdk("gemini").models.count_tokens(
            model="counted", contents="Hello, Gemini!"
        )
        assert 2 <= counted.total_tokens <= 20

    def test_models(self, sdk):
        names = [m.name for m in sdk("pool").models.list()]
        assert names == [f"models/gemini/{MODEL}"]

    def test_one_model(self, sdk):
        models = sdk("pool").models
        for name in (f"gemini/{MODEL}", MODEL):
            assert models.get(model=name).name == f"models/{name}"
        with pytest.raises(errors.ClientError) as unknown:
            models.get(model="zork")
        assert unknown.value.code == 404
