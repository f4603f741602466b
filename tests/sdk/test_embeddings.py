"""Embeddings: each vendor's SDK as a client of any provider."""

import base64
import inspect
import json
import struct

import cohere
import ollama
import openai
import pytest
from google import genai
from google.genai import types as genai_types
from ollama._types import EmbedRequest
from openai.types.embedding_create_params import EmbeddingCreateParams

from gateway import Gateway
from mock import Answer, Provider
from vendors import typed

VECTORS = [[0.25, -0.5, 1.0], [0.125, 2.0, -3.0]]
TEXTS = ["Grüß Gott", "世界 👋"]

APIS = ("openai", "ollama", "cohere", "gemini", "tei")


def answer(api, vectors):
    return {
        "openai": lambda: {
            "object": "list",
            "model": "embed-1",
            "data": [
                {"object": "embedding", "index": i, "embedding": v}
                for i, v in enumerate(vectors)
            ],
            "usage": {"prompt_tokens": 7, "total_tokens": 7},
        },
        "ollama": lambda: {
            "model": "embed-1",
            "embeddings": vectors,
            "prompt_eval_count": 7,
        },
        "cohere": lambda: {
            "id": "c-1",
            "embeddings": {"float": vectors},
            "meta": {"billed_units": {"input_tokens": 7}},
        },
        "gemini": lambda: {"embeddings": [{"values": v} for v in vectors]},
        "tei": lambda: json.dumps(vectors).encode(),
    }[api]()


@pytest.fixture(scope="module")
def backend():
    provider = Provider("embeddings")
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def nginx(backend):
    http = "".join(
        f"""
    llm_provider {api} {{
        format openai;
        embeddings {api};
        url http://127.0.0.1:{backend.port};
        api_key provider-key;
    }}
"""
        for api in APIS
    )
    server = "".join(
        f"    location /{api}/ {{ llm_pass {api}; }}\n" for api in APIS
    )
    server += "    location /simulate/ { llm_simulate openai; }\n"
    gateway = Gateway(http, server)
    yield gateway
    bad = gateway.stop()
    assert not bad, "\n".join(bad)


@pytest.fixture(params=APIS)
def api(request, backend):
    """The provider's API."""
    backend.reset()
    backend.answer(Answer(answer(request.param, VECTORS)))
    return request.param


def openai_client(nginx, api):
    return openai.OpenAI(
        base_url=nginx.url(f"/{api}/v1"), api_key="client", max_retries=0
    )


def test_openai_asks_for_base64_by_itself(nginx, api, backend):
    with openai_client(nginx, api) as client:
        got = client.embeddings.create(model="embed-1", input=TEXTS)
    assert [d.embedding for d in got.data] == VECTORS
    assert [d.index for d in got.data] == [0, 1]
    assert got.model == "embed-1"
    assert got.usage.prompt_tokens > 0
    if api not in ("gemini", "tei"):
        assert got.usage.prompt_tokens == 7
    assert backend.request.headers["authorization" if api != "gemini"
                                   else "x-goog-api-key"].endswith(
        "provider-key")


@pytest.mark.parametrize("format", ["float", "base64"])
def test_openai_gets_the_encoding_that_it_names(nginx, api, format):
    if api == "openai":
        pytest.skip("it answers in it itself")
    with openai_client(nginx, api) as client:
        raw = client.embeddings.with_raw_response.create(
            model="embed-1", input=TEXTS, encoding_format=format
        )
    sent = [d["embedding"] for d in raw.http_response.json()["data"]]
    if format == "base64":
        sent = [
            list(struct.unpack("<3f", base64.b64decode(text)))
            for text in sent
        ]
    assert sent == VECTORS


def test_ollama(nginx, api):
    client = ollama.Client(host=nginx.url(f"/{api}"))
    got = client.embed(model="embed-1", input=TEXTS)
    assert [list(v) for v in got.embeddings] == VECTORS
    assert got.model == "embed-1"


def test_ollama_of_old(nginx, api, backend):
    backend.reset()
    backend.answer(Answer(
        {"embedding": VECTORS[0]} if api == "ollama"
        else {"embedding": {"values": VECTORS[0]}} if api == "gemini"
        else answer(api, VECTORS[:1])
    ))
    client = ollama.Client(host=nginx.url(f"/{api}"))
    got = client.embeddings(model="embed-1", prompt=TEXTS[0])
    assert list(got.embedding) == VECTORS[0]


def test_cohere(nginx, api):
    client = cohere.ClientV2(
        api_key="client", base_url=nginx.url(f"/{api}")
    )
    got = client.embed(
        model="embed-1",
        texts=TEXTS,
        input_type="search_query",
        embedding_types=["float"],
    )
    assert got.embeddings.float_ == VECTORS
    if api != "cohere":
        assert got.texts == TEXTS
        assert got.id


def test_gemini(nginx, api):
    client = genai.Client(
        api_key="client",
        http_options=genai_types.HttpOptions(
            base_url=nginx.url(f"/{api}"), api_version="v1beta"
        ),
    )
    got = client.models.embed_content(
        model="embed-1",
        contents=TEXTS,
        config=genai_types.EmbedContentConfig(task_type="RETRIEVAL_QUERY"),
    )
    assert [e.values for e in got.embeddings] == VECTORS


def test_what_is_sent_is_what_the_vendors_know(nginx, backend):
    def sent(api):
        backend.reset()
        backend.answer(Answer(answer(api, VECTORS)))
        client = cohere.ClientV2(
            api_key="client",
            base_url=nginx.url(f"/{api}"),
        )
        client.embed(
            model="embed-1",
            texts=TEXTS,
            input_type="search_query",
            embedding_types=["float"],
            output_dimension=256,
            truncate="NONE",
        )
        return backend.request

    typed(EmbeddingCreateParams).validate_python(sent("openai").json())

    body = sent("ollama").json()
    assert set(body) <= set(EmbedRequest.model_fields)
    EmbedRequest.model_validate(body)

    body = sent("cohere").json()
    known = inspect.signature(cohere.ClientV2.embed).parameters
    assert set(body) <= set(known)

    # Google's own SDK sends the same.
    ours = sent("gemini")
    backend.reset()
    backend.answer(Answer(answer("gemini", VECTORS)))
    google = genai.Client(
        api_key="client",
        http_options=genai_types.HttpOptions(
            base_url=f"http://127.0.0.1:{backend.port}", api_version="v1beta"
        ),
    )
    google.models.embed_content(
        model="embed-1",
        contents=TEXTS,
        config=genai_types.EmbedContentConfig(
            task_type="RETRIEVAL_QUERY", output_dimensionality=256
        ),
    )
    theirs = backend.request
    assert theirs.path.removeprefix("/v1beta") == ours.path

    def essence(request):
        return [
            {
                "model": one["model"],
                "text": one["content"]["parts"][0]["text"],
                "taskType": one["taskType"],
                "outputDimensionality": one["outputDimensionality"],
            }
            for one in request.json()["requests"]
        ]

    assert essence(ours) == essence(theirs)


def test_errors_are_exceptions_of_the_sdk(nginx, backend):
    backend.reset()
    backend.answer(
        Answer({"error": "model not found"}, 404),
        Answer({"error": "slow down"}, 429, {"Retry-After": "3"}),
        Answer({"error": "no"}, 400),
        Answer({"embeddings": [[1.0]]}),
    )
    with openai_client(nginx, "ollama") as client:
        for kind in (
            openai.NotFoundError,
            openai.RateLimitError,
            openai.BadRequestError,
            openai.InternalServerError,
        ):
            with pytest.raises(kind):
                client.embeddings.create(model="embed-1", input=TEXTS)
        with pytest.raises(openai.BadRequestError) as error:
            client.embeddings.create(model="embed-1", input=[[1, 2], [3]])
        assert error.value.param == "input"
        assert error.value.code == "unsupported_parameter"


def test_the_simulated_model_finds_what_is_alike(nginx):
    with openai_client(nginx, "simulate") as client:
        got = client.embeddings.create(
            model="sim",
            input=["the cat sat", "The cat sat!", "the cat ran", "zork"],
            dimensions=512,
        )
    vectors = [d.embedding for d in got.data]
    assert [len(v) for v in vectors] == [512] * 4

    def likeness(a, b):
        return sum(x * y for x, y in zip(vectors[a], vectors[b]))

    assert likeness(0, 1) == pytest.approx(1, abs=1e-5)
    assert likeness(0, 2) > likeness(0, 3) + 0.3
