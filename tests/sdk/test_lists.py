"""Lists of texts for a model that takes one a call, and of prompts for one
that chats, with each vendor's SDK."""

import asyncio
import base64
import json
import struct

import cohere
import ollama
import openai
import pytest
from google import genai
from google.genai import types as genai_types

from gateway import Gateway
from mock import Answer, Provider

MODEL = "amazon.titan-embed-text-v2:0"


class Titan(Provider):
    """InvokeModel of Titan's text embeddings: the vector is the text's length
    and the sum of its bytes, an eighth each. The text "slow down" is refused.
    """

    def _next(self, request):
        with self._lock:
            self.requests.append(request)
        assert request.path == "/model/amazon.titan-embed-text-v2%3A0/invoke"
        body = request.json()
        assert set(body) <= {"inputText", "dimensions", "normalize"}
        if body["inputText"] == "slow down":
            return Answer(
                {"message": "Too many requests, please wait"},
                429,
                {"x-amzn-ErrorType": "ThrottlingException",
                 "Retry-After": "7"},
            )
        return Answer(
            {
                "embedding": vector(body["inputText"]),
                "embeddingsByType": {"float": vector(body["inputText"])},
                "inputTextTokenCount": len(body["inputText"]),
            }
        )


class Chat(Provider):
    """Anthropic's Messages: says what was said in capitals."""

    def _next(self, request):
        with self._lock:
            self.requests.append(request)
        content = request.json()["messages"][0]["content"]
        text = content if isinstance(content, str) else content[0]["text"]
        return Answer(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "claude-1",
                "content": [{"type": "text", "text": text.upper()}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 5, "output_tokens": 2},
            }
        )


def vector(text):
    return [len(text) / 8, sum(text.encode()) / 8]


TEXTS = ["Grüß Gott", "世界 👋"] + [f"text {i}" for i in range(100)]
VECTORS = [vector(text) for text in TEXTS]


@pytest.fixture(scope="module")
def titan():
    provider = Titan("titan")
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def chat():
    provider = Chat("anthropic")
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def nginx(titan, chat):
    gateway = Gateway(
        f"""
    llm_provider titan {{
        format bedrock;
        embeddings bedrock;
        url http://127.0.0.1:{titan.port};
        api_key provider-key;
    }}
    llm_upstream titans {{
        model titan/{MODEL};
        tries 1;
    }}
    llm_provider claude {{
        format anthropic;
        url http://127.0.0.1:{chat.port};
    }}
""",
        "    location / { llm_pass titans; }\n"
        "    location /claude/ { llm_pass claude; }\n",
    )
    yield gateway
    bad = gateway.stop()
    assert not bad, "\n".join(bad)


@pytest.fixture(autouse=True)
def anew(titan, chat):
    titan.reset()
    chat.reset()


@pytest.mark.parametrize("format", ["default", "float", "base64"])
def test_openai(nginx, titan, format):
    extra = {} if format == "default" else {"encoding_format": format}
    with openai.OpenAI(
        base_url=nginx.url("/v1"), api_key="client", max_retries=0
    ) as client:
        raw = client.embeddings.with_raw_response.create(
            model="m", input=TEXTS, **extra
        )
    got = raw.parse()
    vectors = [d.embedding for d in got.data]
    if format == "base64":
        vectors = [
            list(struct.unpack("<2f", base64.b64decode(text)))
            for text in vectors
        ]
    assert vectors == VECTORS
    assert [d.index for d in got.data] == list(range(len(TEXTS)))
    assert got.usage.prompt_tokens == sum(map(len, TEXTS))
    assert got.usage.total_tokens == got.usage.prompt_tokens
    assert len(titan.requests) == len(TEXTS)
    assert {r.headers["authorization"] for r in titan.requests} == {
        "Bearer provider-key"
    }
    assert sorted(r.json()["inputText"] for r in titan.requests) == sorted(
        TEXTS
    )


def test_many_lists_at_once(nginx, titan):
    async def run():
        async with openai.AsyncOpenAI(
            base_url=nginx.url("/v1"), api_key="client", max_retries=0
        ) as client:
            return await asyncio.gather(
                *(
                    client.embeddings.create(model="m", input=TEXTS[i:i + 20])
                    for i in range(8)
                )
            )

    for i, got in enumerate(asyncio.run(run())):
        assert [d.embedding for d in got.data] == VECTORS[i:i + 20]
    assert len(titan.requests) == 160


def test_ollama(nginx):
    client = ollama.Client(host=nginx.url(""))
    got = client.embed(model="m", input=TEXTS)
    assert [list(v) for v in got.embeddings] == VECTORS
    assert got.prompt_eval_count == sum(map(len, TEXTS))


def test_cohere(nginx):
    client = cohere.ClientV2(api_key="client", base_url=nginx.url(""))
    got = client.embed(
        model="m",
        texts=TEXTS,
        input_type="search_query",
        embedding_types=["float"],
    )
    assert got.embeddings.float_ == VECTORS
    assert got.texts == TEXTS


def test_gemini(nginx):
    client = genai.Client(
        api_key="client",
        http_options=genai_types.HttpOptions(
            base_url=nginx.url(""), api_version="v1beta"
        ),
    )
    got = client.models.embed_content(model="m", contents=TEXTS)
    assert [e.values for e in got.embeddings] == VECTORS


def test_one_texts_error_is_the_sdks_exception(nginx):
    with openai.OpenAI(
        base_url=nginx.url("/v1"), api_key="client", max_retries=0
    ) as client:
        with pytest.raises(openai.RateLimitError) as error:
            client.embeddings.create(
                model="m", input=["a", "slow down", "b"]
            )
    assert "please wait" in error.value.message
    assert error.value.response.headers["retry-after"] == "7"
    assert json.loads(error.value.response.content)["error"]["type"]


def test_prompts_of_a_legacy_completion(nginx, chat):
    prompts = [f"prompt {i}" for i in range(20)]
    with openai.OpenAI(
        base_url=nginx.url("/claude/v1"), api_key="client", max_retries=0
    ) as client:
        got = client.completions.create(model="m", prompt=prompts)
    assert [c.text for c in got.choices] == [p.upper() for p in prompts]
    assert [c.index for c in got.choices] == list(range(20))
    assert {c.finish_reason for c in got.choices} == {"stop"}
    assert got.model == "claude-1"
    assert got.usage.prompt_tokens == 100
    assert got.usage.completion_tokens == 40
    assert len(chat.requests) == 20


def test_a_stream_of_prompts_is_a_bad_request(nginx):
    with openai.OpenAI(
        base_url=nginx.url("/claude/v1"), api_key="client", max_retries=0
    ) as client:
        with pytest.raises(openai.BadRequestError) as error:
            client.completions.create(
                model="m", prompt=["a", "b"], stream=True
            )
    assert error.value.param == "prompt"
