"""AWS Bedrock: what its providers get is what AWS' own service model allows,
and boto3 as a client reads what it gets from any provider."""

import base64
import json
import struct
import zlib
from urllib.parse import unquote

import anthropic
import boto3
import botocore.config
import botocore.exceptions
import openai
import pytest

import vendors
from gateway import Gateway
from mock import Answer, Provider

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA"
    "60e6kgAAAABJRU5ErkJggg=="
)
STREAM = "application/vnd.amazon.eventstream"
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


# The provider's side: frames of the event stream, and the service model.


def message(headers, payload):
    head = b"".join(
        struct.pack("!B", len(name))
        + name.encode()
        + struct.pack("!BH", 7, len(value))
        + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    start = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return start + struct.pack("!I", zlib.crc32(start))


def event(name, **payload):
    return message(
        {
            ":event-type": name,
            ":content-type": "application/json",
            ":message-type": "event",
        },
        json.dumps(payload | {"p": "abcdefghij"}).encode(),
    )


def exception(name, text):
    return message(
        {
            ":exception-type": name,
            ":content-type": "application/json",
            ":message-type": "exception",
        },
        json.dumps({"message": text}).encode(),
    )


def delta(index, **what):
    return event("contentBlockDelta", contentBlockIndex=index, delta=what)


USAGE = {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}
START = event("messageStart", role="assistant")
METADATA = event("metadata", usage=USAGE, metrics={"latencyMs": 7})


def converse(content, stop="end_turn"):
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop,
        "usage": USAGE,
        "metrics": {"latencyMs": 7},
    }


def streamed(*events, **options):
    return Answer(list(events), headers={"Content-Type": STREAM}, **options)


def error(status, name, text):
    return Answer(
        {"message": text}, status=status, headers={"x-amzn-ErrorType": name}
    )


TEXT_STREAM = (
    START,
    delta(0, text="Hel"),
    delta(0, text="lo"),
    event("contentBlockStop", contentBlockIndex=0),
    event("messageStop", stopReason="end_turn"),
    METADATA,
)
CALLS = [
    {"text": "Let me see"},
    {"toolUse": {"toolUseId": "t1", "name": "weather",
                 "input": {"city": "Rome"}}},
    {"toolUse": {"toolUseId": "t2", "name": "weather",
                 "input": {"city": "Paris"}}},
]


def start_tool(index, call):
    return event(
        "contentBlockStart",
        contentBlockIndex=index,
        start={"toolUse": {"toolUseId": call, "name": "weather"}},
    )


CALL_STREAM = (
    START,
    delta(0, text="Let me see"),
    event("contentBlockStop", contentBlockIndex=0),
    start_tool(1, "t1"),
    delta(1, toolUse={"input": '{"city":'}),
    delta(1, toolUse={"input": '"Rome"}'}),
    event("contentBlockStop", contentBlockIndex=1),
    start_tool(2, "t2"),
    delta(2, toolUse={"input": '{"city":"Paris"}'}),
    event("contentBlockStop", contentBlockIndex=2),
    event("messageStop", stopReason="tool_use"),
    METADATA,
)


def check_request(request, model=MODEL, stream=False):
    """A request as the service model wants it; returns its JSON."""
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer provider-key"
    assert request.headers["accept"] == (STREAM if stream
                                         else "application/json")
    head, name, tail = request.path[1:].split("/")
    assert (head, tail) == ("model", "converse-stream" if stream
                            else "converse")
    assert unquote(name) == model
    assert ":" not in name

    return vendors.bedrock(request)


@pytest.fixture(scope="module")
def behind():
    all = {
        name: Provider(name) for name in ("openai", "anthropic", "bedrock")
    }
    yield all
    for one in all.values():
        one.close()


@pytest.fixture(scope="module")
def nginx(behind):
    http = "".join(
        f"""
    llm_provider {name} {{
        url http://127.0.0.1:{one.port}{"/v1" if name == "openai" else ""};
        api_key provider-key;
    }}
"""
        for name, one in behind.items()
    ) + f"""
    llm_upstream nova {{ model bedrock/amazon.nova-pro-v1:0; }}
    llm_provider bedrock-anthropic {{
        url http://127.0.0.1:{behind["bedrock"].port};
        api_key provider-key;
    }}
"""
    server = """
    location /openai/ { llm_pass openai; }
    location /anthropic/ { llm_pass anthropic; }
    location /bedrock/ { llm_pass bedrock; }
    location /nova/ { llm_pass nova; }
    location /invoke/ { llm_pass bedrock-anthropic; }
"""
    one = Gateway(http, server)
    yield one
    bad = one.stop()
    assert not bad, "\n".join(bad)


@pytest.fixture
def bedrock(behind):
    for one in behind.values():
        one.reset()
    return behind["bedrock"]


@pytest.fixture
def ask_openai(nginx):
    with openai.OpenAI(
        base_url=nginx.url("/bedrock/v1"), api_key="client-key", max_retries=0
    ) as client:
        yield client


@pytest.fixture
def ask_anthropic(nginx):
    with anthropic.Anthropic(
        base_url=nginx.url("/bedrock"), api_key="client-key", max_retries=0
    ) as client:
        yield client


def boto(nginx, path):
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=nginx.url(path),
        aws_access_key_id="AKIDCLIENT",
        aws_secret_access_key="client-secret",
        config=botocore.config.Config(
            retries={"total_max_attempts": 1}, connect_timeout=5,
            read_timeout=20
        ),
    )


class TestProvider:
    """OpenAI's and Anthropic's SDKs, Bedrock behind the gateway."""

    def test_everything_that_openai_can_say(self, ask_openai, bedrock):
        bedrock.answer(converse([{"text": "Hello"}]))
        answer = ask_openai.chat.completions.create(
            model=MODEL,
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {
                        "url": f"data:image/png;base64,{PNG}"}},
                    {"type": "file", "file": {
                        "filename": "r\u00e9sum\u00e9.pdf",
                        "file_data": "data:application/pdf;base64,JVBERg=="}},
                ]},
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": f"call|{i}", "type": "function", "function": {
                        "name": "weather.now", "arguments": text}}
                    for i, text in enumerate(('{"city":"Rome"}', "", "[1]"))
                ]},
                *(
                    {"role": "tool", "tool_call_id": f"call|{i}",
                     "content": text}
                    for i, text in enumerate(("sunny", ""))
                ),
                {"role": "developer", "content": "Be kind."},
                {"role": "user", "content": "And?"},
            ],
            tools=[{"type": "function", "function": {
                "name": "weather.now", "parameters": WEATHER,
                "strict": True}}],
            tool_choice={"type": "function",
                         "function": {"name": "weather.now"}},
            response_format={"type": "json_schema", "json_schema": {
                "name": "place", "schema": WEATHER}},
            max_completion_tokens=500,
            temperature=1.5,
            stop=["END"],
            metadata={"team": "x"},
            service_tier="flex",
            seed=1,
        )
        assert answer.choices[0].message.content == "Hello"
        body = check_request(bedrock.request)
        assert [m["role"] for m in body["messages"]] == [
            "user", "assistant", "user"]
        assert body["system"] == [{"text": "Be brief."}, {"text": "Be kind."}]
        assert body["inferenceConfig"]["maxTokens"] == 500

    def test_a_schema_by_a_tool(self, nginx, bedrock):
        bedrock.answer(converse(
            [{"toolUse": {"toolUseId": "t", "name": "llm_structured_answer",
                          "input": {"city": "Rome"}}}], "tool_use"))
        with openai.OpenAI(base_url=nginx.url("/nova/v1"), api_key="k",
                           max_retries=0) as client:
            answer = client.chat.completions.create(
                model="any",
                messages=[{"role": "user", "content": "Where?"}],
                response_format={"type": "json_schema", "json_schema": {
                    "name": "place", "schema": WEATHER}},
                reasoning_effort="high",
            )
        assert json.loads(answer.choices[0].message.content) == {
            "city": "Rome"}
        assert answer.choices[0].finish_reason == "stop"
        check_request(bedrock.request, "amazon.nova-pro-v1:0")

    def test_everything_that_anthropic_can_say(self, ask_anthropic, bedrock):
        bedrock.answer(converse([
            {"reasoningContent": {"reasoningText": {
                "text": "hm", "signature": "sig"}}},
            {"text": "Hello"}]))
        mark = {"type": "ephemeral"}
        answer = ask_anthropic.messages.create(
            model=MODEL,
            max_tokens=4000,
            system=[{"type": "text", "text": "s", "cache_control": mark}],
            messages=[
                {"role": "user", "content": [
                    {"type": "image", "source": {
                        "type": "base64", "media_type": "image/png",
                        "data": PNG}},
                    {"type": "document", "title": "d", "source": {
                        "type": "base64", "media_type": "application/pdf",
                        "data": "JVBERg=="}},
                    {"type": "text", "text": "a", "cache_control": mark}]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "hm",
                     "signature": "sig"},
                    {"type": "redacted_thinking", "data": "cmVk"},
                    {"type": "tool_use", "id": "t", "name": "weather",
                     "input": {"city": "Rome"}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "t",
                     "is_error": True, "content": [
                         {"type": "text", "text": "r"},
                         {"type": "image", "source": {
                             "type": "base64", "media_type": "image/png",
                             "data": PNG}}]}]},
            ],
            tools=[{"name": "weather", "description": "w",
                    "input_schema": WEATHER, "cache_control": mark}],
            tool_choice={"type": "auto"},
            thinking={"type": "enabled", "budget_tokens": 2000},
            stop_sequences=["END"],
        )
        assert [b.type for b in answer.content] == ["thinking", "text"]
        assert answer.content[0].signature == "sig"
        assert answer.usage.input_tokens == 9
        body = check_request(bedrock.request)
        assert body["additionalModelRequestFields"]["thinking"] == {
            "type": "enabled", "budget_tokens": 2000}

    def test_calls(self, ask_openai, bedrock):
        bedrock.answer(converse(CALLS, "tool_use"))
        answer = ask_openai.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "a"}])
        choice = answer.choices[0]
        assert choice.finish_reason == "tool_calls"
        assert choice.message.content == "Let me see"
        assert [(c.id, c.function.name, json.loads(c.function.arguments))
                for c in choice.message.tool_calls] == [
            ("t1", "weather", {"city": "Rome"}),
            ("t2", "weather", {"city": "Paris"})]
        assert answer.usage.total_tokens == 13

    def test_streamed_text(self, ask_openai, ask_anthropic, bedrock):
        bedrock.answer(streamed(*TEXT_STREAM))
        text, last = "", None
        for chunk in ask_openai.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "a"}],
                stream=True, stream_options={"include_usage": True}):
            if chunk.choices:
                text += chunk.choices[0].delta.content or ""
            last = chunk
        assert text == "Hello"
        assert last.usage.total_tokens == 13
        check_request(bedrock.request, stream=True)

        with ask_anthropic.messages.stream(
                model=MODEL, max_tokens=9,
                messages=[{"role": "user", "content": "a"}]) as stream:
            answer = stream.get_final_message()
        assert answer.content[0].text == "Hello"
        assert answer.stop_reason == "end_turn"
        assert answer.usage.output_tokens == 4

    def test_streamed_calls(self, ask_openai, ask_anthropic, bedrock):
        # Every byte a chunk of its own: frames are where they are.
        whole = b"".join(CALL_STREAM)
        bedrock.answer(streamed(*(whole[i:i + 1] for i in range(len(whole)))))
        with ask_openai.chat.completions.stream(
                model=MODEL, messages=[{"role": "user", "content": "a"}],
        ) as stream:
            choice = stream.get_final_completion().choices[0]
        assert choice.finish_reason == "tool_calls"
        assert [c.function.arguments for c in choice.message.tool_calls] == [
            '{"city":"Rome"}', '{"city":"Paris"}']

        with ask_anthropic.messages.stream(
                model=MODEL, max_tokens=9,
                messages=[{"role": "user", "content": "a"}]) as stream:
            answer = stream.get_final_message()
        assert [b.type for b in answer.content] == [
            "text", "tool_use", "tool_use"]
        assert answer.content[2].input == {"city": "Paris"}

    @pytest.mark.parametrize(
        "status,name,of_openai,of_anthropic",
        [
            (400, "ValidationException", openai.BadRequestError,
             anthropic.BadRequestError),
            (404, "ResourceNotFoundException", openai.NotFoundError,
             anthropic.NotFoundError),
            (429, "ThrottlingException", openai.RateLimitError,
             anthropic.RateLimitError),
            (500, "InternalServerException", openai.InternalServerError,
             anthropic.InternalServerError),
            (503, "ServiceUnavailableException", openai.InternalServerError,
             anthropic.InternalServerError),
        ],
    )
    def test_errors(self, ask_openai, ask_anthropic, bedrock, status, name,
                    of_openai, of_anthropic):
        bedrock.answer(error(status, name, "so it is"))
        with pytest.raises(of_openai, match="so it is"):
            ask_openai.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "a"}])
        with pytest.raises(of_anthropic, match="so it is"):
            ask_anthropic.messages.create(
                model=MODEL, max_tokens=9,
                messages=[{"role": "user", "content": "a"}])

    def test_errors_in_a_stream(self, ask_openai, bedrock):
        def text():
            return "".join(
                chunk.choices[0].delta.content or ""
                for chunk in ask_openai.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": "a"}],
                    stream=True))

        # The first event: still a status of its own.
        bedrock.answer(streamed(exception("throttlingException", "slow")))
        with pytest.raises(openai.RateLimitError, match="slow"):
            text()
        for tail in (
            [exception("modelStreamErrorException", "it broke")],
            [],                         # cut off
            [TEXT_STREAM[2][:-1] + b"?"],   # damaged
        ):
            bedrock.answer(streamed(START, TEXT_STREAM[1], *tail))
            with pytest.raises(openai.APIError):
                text()


class TestClient:
    """boto3 before the gateway, any provider behind it."""

    OPENAI = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1,
        "model": "gpt", "choices": [{
            "index": 0, "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": "Let me see",
                "tool_calls": [
                    {"id": "t1", "type": "function", "function": {
                        "name": "weather", "arguments": '{"city":"Rome"}'}},
                    {"id": "t2", "type": "function", "function": {
                        "name": "weather", "arguments": '{"city":"Paris"}'}},
                ]}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4,
                  "total_tokens": 13},
    }
    ANTHROPIC = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "c",
        "content": [
            {"type": "text", "text": "Let me see"},
            {"type": "tool_use", "id": "t1", "name": "weather",
             "input": {"city": "Rome"}},
            {"type": "tool_use", "id": "t2", "name": "weather",
             "input": {"city": "Paris"}}],
        "stop_reason": "tool_use", "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 4},
    }
    ANSWERS = {"openai": OPENAI, "anthropic": ANTHROPIC,
               "bedrock": converse(CALLS, "tool_use")}

    @staticmethod
    def stream_of(name):
        if name == "bedrock":
            return streamed(*CALL_STREAM)
        if name == "openai":
            def chunk(delta, finish=None):
                return b"data: " + json.dumps({
                    "id": "c", "object": "chat.completion.chunk",
                    "created": 1, "model": "m", "choices": [{
                        "index": 0, "delta": delta,
                        "finish_reason": finish}]}).encode() + b"\n\n"

            def call(index, **function):
                return chunk({"tool_calls": [{
                    "index": index, "function": function} | (
                        {"id": f"t{index + 1}", "type": "function"}
                        if "name" in function else {})]})

            return Answer([
                chunk({"role": "assistant", "content": "Let me see"}),
                call(0, name="weather", arguments=""),
                call(0, arguments='{"city":'), call(0, arguments='"Rome"}'),
                call(1, name="weather", arguments='{"city":"Paris"}'),
                chunk({}, "tool_calls"),
                b"data: " + json.dumps({"choices": [], "usage":
                                        TestClient.OPENAI["usage"]}).encode()
                + b"\n\n",
                b"data: [DONE]\n\n"])

        def send(kind, **members):
            return (f"event: {kind}\ndata: "
                    + json.dumps({"type": kind} | members) + "\n\n").encode()

        def tool(index, call, *pieces):
            return [
                send("content_block_start", index=index, content_block={
                    "type": "tool_use", "id": call, "name": "weather",
                    "input": {}}),
                *(send("content_block_delta", index=index, delta={
                    "type": "input_json_delta", "partial_json": piece})
                  for piece in pieces),
                send("content_block_stop", index=index)]

        return Answer([
            send("message_start", message={
                "id": "msg_1", "type": "message", "role": "assistant",
                "model": "c", "content": [], "usage": {
                    "input_tokens": 9, "output_tokens": 1}}),
            send("content_block_start", index=0, content_block={
                "type": "text", "text": ""}),
            send("content_block_delta", index=0, delta={
                "type": "text_delta", "text": "Let me see"}),
            send("content_block_stop", index=0),
            *tool(1, "t1", '{"city":', '"Rome"}'),
            *tool(2, "t2", '{"city":"Paris"}'),
            send("message_delta", delta={"stop_reason": "tool_use"},
                 usage={"output_tokens": 4}),
            send("message_stop")])

    QUESTION = {
        "messages": [{"role": "user", "content": [
            {"text": "Look"},
            {"image": {"format": "png",
                       "source": {"bytes": base64.b64decode(PNG)}}}]}],
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 100, "temperature": 0.5,
                            "stopSequences": ["END"]},
        "toolConfig": {"tools": [{"toolSpec": {
            "name": "weather", "description": "w",
            "inputSchema": {"json": WEATHER}}}],
            "toolChoice": {"any": {}}},
    }

    @pytest.mark.parametrize("name", ["openai", "anthropic", "bedrock"])
    def test_converse(self, nginx, behind, bedrock, name):
        behind[name].answer(self.ANSWERS[name])
        answer = boto(nginx, f"/{name}").converse(
            modelId=MODEL, **self.QUESTION)
        assert answer["output"]["message"] == {
            "role": "assistant", "content": CALLS}
        assert answer["stopReason"] == "tool_use"
        assert answer["usage"] == USAGE
        body = behind[name].request.json()
        assert PNG in json.dumps(body)
        if name == "bedrock":
            check_request(behind[name].request)
        else:
            assert body["model"] == MODEL
            assert 100 in (body.get("max_tokens"),
                           body.get("max_completion_tokens"))

    @pytest.mark.parametrize("name", ["openai", "anthropic", "bedrock"])
    def test_converse_stream(self, nginx, behind, bedrock, name):
        behind[name].answer(self.stream_of(name))
        answer = boto(nginx, f"/{name}").converse_stream(
            modelId=MODEL, **self.QUESTION)
        blocks, stop, usage = {}, None, None
        for one in answer["stream"]:
            (kind, what), = one.items()
            if kind == "contentBlockStart":
                blocks[what["contentBlockIndex"]] = dict(
                    what["start"]["toolUse"], input="")
            elif kind == "contentBlockDelta":
                index, change = what["contentBlockIndex"], what["delta"]
                if "text" in change:
                    blocks[index] = blocks.get(index, "") + change["text"]
                else:
                    blocks[index]["input"] += change["toolUse"]["input"]
            elif kind == "messageStop":
                stop = what["stopReason"]
            elif kind == "metadata":
                usage = what["usage"]
        assert list(blocks.values()) == [
            "Let me see",
            {"toolUseId": "t1", "name": "weather",
             "input": '{"city":"Rome"}'},
            {"toolUseId": "t2", "name": "weather",
             "input": '{"city":"Paris"}'}]
        assert stop == "tool_use"
        assert usage == USAGE
        assert behind[name].request.json().get("stream") == (
            None if name == "bedrock" else True)

    def test_a_key_as_bearer(self, nginx, behind, bedrock, monkeypatch):
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "client-key")
        # botocore sends one over TLS only.
        client = boto3.client(
            "bedrock-runtime", region_name="us-east-1",
            endpoint_url=nginx.url("/bedrock").replace("http:", "https:"))

        def without_tls(request, **_):
            assert request.headers["Authorization"] == b"Bearer client-key"
            request.url = request.url.replace("https:", "http:")

        client.meta.events.register("before-send.bedrock-runtime", without_tls)
        bedrock.answer(converse([{"text": "Hello"}]))
        answer = client.converse(modelId=MODEL, messages=[
            {"role": "user", "content": [{"text": "a"}]}])
        assert answer["output"]["message"]["content"] == [{"text": "Hello"}]
        assert "client-key" not in str(bedrock.request.headers)

    @pytest.mark.parametrize("name,answer,code", [
        ("openai", Answer({"error": {"message": "so it is"}}, 429),
         "ThrottlingException"),
        ("openai", Answer({"error": {"message": "so it is"}}, 400),
         "ValidationException"),
        ("anthropic", Answer({"type": "error", "error": {
            "type": "not_found_error", "message": "so it is"}}, 404),
         "ResourceNotFoundException"),
        ("anthropic", Answer({"type": "error", "error": {
            "type": "overloaded_error", "message": "so it is"}}, 529),
         "ServiceUnavailableException"),
        ("bedrock", error(500, "InternalServerException", "so it is"),
         "InternalServerException"),
    ])
    def test_errors(self, nginx, behind, bedrock, name, answer, code):
        behind[name].answer(answer)
        client = boto(nginx, f"/{name}")
        for call in (client.converse, client.converse_stream):
            with pytest.raises(botocore.exceptions.ClientError,
                               match="so it is") as caught:
                call(modelId=MODEL, messages=[
                    {"role": "user", "content": [{"text": "a"}]}])
            assert caught.value.response["Error"]["Code"] == code
            assert isinstance(caught.value, getattr(client.exceptions, code))

    def test_what_the_gateway_itself_refuses(self, nginx, behind, bedrock):
        client = boto(nginx, "/openai")
        with pytest.raises(client.exceptions.ValidationException,
                           match="guardrailConfig"):
            client.converse(
                modelId=MODEL,
                messages=[{"role": "user", "content": [{"text": "a"}]}],
                guardrailConfig={"guardrailIdentifier": "gr",
                                 "guardrailVersion": "1"})
        assert not behind["openai"].requests

    @pytest.mark.parametrize("tail", [
        b'data: {"error":{"message":"it broke","code":500}}\n\n', b""])
    def test_errors_in_a_stream(self, nginx, behind, bedrock, tail):
        behind["openai"].answer(Answer([
            b'data: {"id":"c","object":"chat.completion.chunk","created":1,'
            b'"model":"m","choices":[{"index":0,"delta":{"content":"a"},'
            b'"finish_reason":null}]}\n\n', *([tail] if tail else [])]))
        answer = boto(nginx, "/openai").converse_stream(
            modelId=MODEL,
            messages=[{"role": "user", "content": [{"text": "a"}]}])
        seen = []
        with pytest.raises(botocore.exceptions.EventStreamError):
            for one in answer["stream"]:
                seen += one
        assert seen == ["messageStart", "contentBlockDelta"]


def chunks(*events):
    """Anthropic's events as InvokeModelWithResponseStream has them."""
    return [
        event("chunk",
              bytes=base64.b64encode(json.dumps(one).encode()).decode())
        for one in events
    ]


CLAUDE = {
    "id": "msg_bdrk_1", "type": "message", "role": "assistant",
    "model": "claude-sonnet-4-5-20250929", "content": [],
    "stop_reason": None, "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 1},
}
CLAUDE_STREAM = chunks(
    {"type": "message_start", "message": CLAUDE},
    {"type": "content_block_start", "index": 0,
     "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0,
     "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0,
     "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta",
     "delta": {"stop_reason": "end_turn", "stop_sequence": None},
     "usage": {"output_tokens": 4}},
    {"type": "message_stop",
     "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9}},
)
HELLO = [{"role": "user", "content": "Say hello"}]


class TestInvoke:
    """The same SDKs, Claude as InvokeModel behind the gateway."""

    @pytest.fixture
    def ask(self, nginx):
        with anthropic.Anthropic(
            base_url=nginx.url("/invoke"), api_key="client-key", max_retries=0
        ) as client:
            yield client

    def check_request(self, request, operation):
        assert unquote(request.path) == vendors.bedrock_path(operation, MODEL)
        assert request.headers["authorization"] == "Bearer provider-key"
        body = request.json()
        assert body["anthropic_version"] == "bedrock-2023-05-31"
        assert not {"model", "stream"} & set(body)
        assert not [name for name in request.headers if "anthropic" in name]
        return body

    def test_a_whole_answer(self, ask, bedrock):
        bedrock.answer(CLAUDE | {
            "content": [{"type": "text", "text": "Hello"}],
            "stop_reason": "end_turn",
        })
        answer = ask.beta.messages.create(
            model=MODEL, messages=HELLO, max_tokens=50, betas=["b-1", "b-2"]
        )
        assert answer.content[0].text == "Hello"
        body = self.check_request(bedrock.request, "InvokeModel")
        assert body["anthropic_beta"] == ["b-1", "b-2"]
        assert body["messages"] == HELLO

    def test_streams(self, nginx, ask, bedrock):
        bedrock.answer(streamed(*CLAUDE_STREAM))
        with ask.messages.stream(
            model=MODEL, messages=HELLO, max_tokens=50
        ) as stream:
            assert list(stream.text_stream) == ["Hel", "lo"]
        answer = stream.get_final_message()
        assert answer.id == "msg_bdrk_1"
        assert answer.stop_reason == "end_turn"
        assert answer.usage.output_tokens == 4

        with openai.OpenAI(
            base_url=nginx.url("/invoke/v1"), api_key="client-key",
            max_retries=0,
        ) as client:
            pieces = client.chat.completions.create(
                model=MODEL, messages=HELLO, stream=True
            )
            assert "".join(
                piece.choices[0].delta.content or ""
                for piece in pieces if piece.choices
            ) == "Hello"
        for request in bedrock.requests:
            self.check_request(request, "InvokeModelWithResponseStream")

    def test_errors(self, ask, bedrock):
        bedrock.answer(error(429, "ThrottlingException", "slow"))
        with pytest.raises(anthropic.RateLimitError, match="slow"):
            ask.messages.create(model=MODEL, messages=HELLO, max_tokens=50)

        bedrock.answer(streamed(exception("validationException", "bad")))
        with pytest.raises(anthropic.BadRequestError, match="bad"):
            ask.messages.create(
                model=MODEL, messages=HELLO, max_tokens=50, stream=True
            )

        bedrock.answer(streamed(
            *CLAUDE_STREAM[:3], exception("modelStreamErrorException", "broke")
        ))
        events = ask.messages.create(
            model=MODEL, messages=HELLO, max_tokens=50, stream=True
        )
        with pytest.raises(anthropic.APIError, match="broke"):
            list(events)
