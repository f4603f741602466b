"""What each example shows beside plain calls (test_calls.py): what its
comments say comes true."""

import concurrent.futures
import itertools
import json
import re
import ssl
import subprocess
import sys
import time
import urllib.parse

import pytest

import clients
from clients import (
    BASIC, CLIENT, USER, ask, bearer, get, post, request, send,
)
from engine import Engine
from example import FOLDER
from gateway import ROOT
from mock import Answer
from world import ANTHROPIC, BEDROCK, CHAT, OPENAI, certificate

FAILS = Answer({"error": {"message": "down", "type": "server_error"}}, 500)
BUSY = Answer({"error": {"message": "busy", "type": "rate_limit"}}, 429)

# What nginx logs of those that it refuses.
REFUSED = "access forbidden by rule|no user/password|was not found"


def until(what):
    """Waits for what another process does."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it does not happen")


def logged(gateway, name, pattern):
    """A line of the access log, which is written after the answer."""
    return until(lambda: next(
        (line for line in gateway.log(name) if re.search(pattern, line)), None
    ))


def where(world):
    return [one.to for one in world.take()]


def test_accounting(world, run):
    gateway = run("accounting.conf", expected=REFUSED)
    port = gateway.port()
    refused = send(port, "openai", "chat", "Hi")
    assert refused.status == 401
    assert refused.json()["error"]["type"] == "authentication_error"
    assert world.take() == []

    for status in ("Miss", "Hit"):
        said = ask(port, "openai", "openai/gpt-4o-mini", "What does it cost?",
                   headers=BASIC)
        assert said.headers["x-cache-status"] == status
    paid = logged(gateway, "cost.log", "by=openai/gpt-4o-mini")
    assert f"consumer={USER} " in paid
    cost = re.search(r" cost=(\S+)", paid)[1]
    assert float(cost) > 0
    logged(gateway, "cost.log", rf"cost=0\.000000 saved={cost}$")

    counted = post(port, "/v1/messages/count_tokens", {
        "model": "claude-haiku-4-5",
        "messages": [{"role": "user", "content": "How long is this?"}],
    }, BASIC)
    assert counted.json()["input_tokens"] > 3
    assert get(port, "/llm/status", **BASIC).json()
    metrics = get(port, "/llm/metrics", **BASIC).body.decode()
    assert re.search(r'(?m)^llm_cost_dollars_total\{[^}]*"gpt-4o-mini"',
                     metrics), metrics


def test_azure_fallback(world, run):
    """The other two are backups."""
    gateway = run("azure.conf")
    world.instead("my-resource.openai.azure.com", FAILS)
    said = ask(gateway.port(), "openai", "any", "Hi")
    assert said.headers["x-llm-model"] == "azure-claude/my-claude"
    assert [one.path for one in world.take()] == [
        "/openai/v1/chat/completions",
        "/openai/deployments/my-other-gpt-4o/chat/completions"
        "?api-version=2024-10-21",
        "/anthropic/v1/messages",
    ]


def test_bedrock_anthropic(world, run):
    """All of Anthropic's API reaches the model."""
    gateway = run("bedrock-anthropic.conf")
    ask(gateway.port(), "anthropic", "sonnet", "Hi", system="Be brief.",
        headers={"anthropic-beta": "context-1m-2025-08-07"})
    (asked,) = [one for one in world.take() if one.to == BEDROCK]
    assert asked.json()["anthropic_beta"] == ["context-1m-2025-08-07"]
    assert asked.json()["system"] == "Be brief."


def test_bedrock_credentials(world, run):
    """The model in another account, where the first one has no access."""
    gateway = run("bedrock-credentials.conf")
    world.instead("bedrock-runtime.eu-west-1.amazonaws.com", Answer(
        {"message": "You don't have access to the model."}, 403,
        {"x-amzn-errortype": "AccessDeniedException"},
    ))
    assert ask(gateway.port(), "openai", "gpt-oss", "Hi").text == "Hi"
    asked = world.take()
    assert asked[-1].to == "bedrock-runtime.us-east-1.amazonaws.com"
    (sts,) = [one for one in asked if one.to == "sts"]
    form = urllib.parse.parse_qs(sts.body.decode())
    assert form["Action"] == ["AssumeRole"]
    assert form["RoleArn"] == ["arn:aws:iam::123456789012:role/llm-gateway"]
    assert form["ExternalId"] == ["gateway"]


def test_bedrock_fallback(world, run):
    """Both models of Anthropic's are asked, then the backup."""
    gateway = run("bedrock.conf")
    world.instead(BEDROCK, Answer(
        {"message": "Too many requests"}, 429,
        {"x-amzn-errortype": "ThrottlingException"},
    ))
    refused = send(gateway.port(), "bedrock", "sonnet", "Hi")
    assert refused.status == 429
    assert refused.headers["x-amzn-errortype"] == "ThrottlingException"
    paths = [one.path for one in world.take()]
    assert [re.search("sonnet|haiku|nova", path)[0] for path in paths] == [
        "sonnet", "haiku", "nova",
    ]


def test_behind_auth_keys(world, run):
    gateway = run("behind-auth.conf", expected="limiting requests")
    port = gateway.port()
    for api, kind in (("openai", "authentication_error"),
                      ("anthropic", "authentication_error")):
        refused = send(port, api, "m", "Hi", headers=bearer("sk-of-nobody"))
        assert refused.status == 401
        assert refused.json()["error"]["type"] == kind
    assert world.take() == []

    blue = bearer("sk-example-1f3a9c")
    for _ in range(500):
        last = send(port, "openai", "m", "Hi", headers=blue)
        if last.status != 200:
            break
    assert last.status == 429
    assert last.json()["error"]["type"] == "rate_limit_error"
    # Teams have a rate of their own.
    ask(port, "openai", "m", "Hi", headers=bearer("sk-example-77d0b2"))
    logged(gateway, "llm.log", r" blue \[.* 200 openai/m \d+$")


def test_behind_auth_request(world, run):
    gateway = run("behind-auth.conf")
    port = gateway.port()
    world.instead("127.0.0.1:9000", Answer(status=204))
    ask(port, "openai", "m", "Hi", prefix="/checked", headers=CLIENT)
    decided, asked = world.take()
    assert decided.headers["x-original-uri"] == "/checked" + CHAT
    assert decided.headers["authorization"] == CLIENT["authorization"]
    assert decided.body == b""
    assert asked.to == OPENAI

    world.instead("127.0.0.1:9000", Answer(status=403))
    refused = send(port, "anthropic", "m", "Hi", prefix="/checked")
    assert refused.status == 403
    assert refused.json()["error"]["type"] == "permission_error"
    assert where(world) == ["127.0.0.1:9000"]


def cached(gateway, question, **options):
    said = ask(gateway.port(), "openai", "gpt-4o-mini", question, **options)
    return said.headers["x-cache-status"]


PEOPLE = [" ".join(names) for names in itertools.product(
    "Ada Cora Dora Emma Gina Ida Jane Lena Mary Nora Olga Ruth".split(),
    "Austen Bishop Carter Dickens Eliot Fleming Greene Hardy Irving Joyce"
    " Kipling Lessing Milton Naipaul Orwell Potter Shelley Wells".split(),
)]


def heard(first, second, words):
    """That the second gateway says what the first one has stored, when it is
    asked in these words; about whom. It may take a moment until it knows of
    it, and of each person it can be asked but once."""
    people = iter(PEOPLE)

    def hears():
        person = next(people, None)
        assert person, "the other gateway never hears of it"
        cached(first, f"Who is {person}?")
        if cached(second, words.format(person)) == "Hit":
            return person
        return None

    return until(hears)


def purged(first, second, person):
    """That what one gateway purges is gone from the other, too."""
    question = f"Who is {person}?"
    assert cached(second, question) == "Hit"
    assert post(first.port(), "/llm/purge", {}).json()["purged"] >= 1
    until(lambda: cached(second, question) == "Miss")


def test_cache_redis(run):
    first, second = run("cache-redis.conf"), run("cache-redis.conf")
    person = heard(first, second, "Who is {}?")
    heard(first, second, "Tell me about {}")
    purged(first, second, person)


def test_cache_redisearch(world, run):
    engine = Engine(world.redis_port)
    try:
        first, second = (
            run("cache-redisearch.conf", redis=engine.port) for _ in range(2)
        )
        person = heard(first, second, "Who is {}?")
        heard(first, second, "Tell me about {}")
        assert engine.hits
        purged(first, second, person)
    finally:
        engine.close()


@pytest.mark.parametrize(
    "name", ["cache-redisearch.conf", "cache-vectorset.conf"]
)
def test_cache_redis_without_index(name, run):
    """A Redis that cannot look for meanings finds what is the same."""
    first, second = (
        run(name, expected='llm_cache_zone "answers": .* in Redis')
        for _ in range(2)
    )
    purged(first, second, heard(first, second, "Who is {}?"))


def test_cache(world, run):
    gateway = run("cache.conf")
    port = gateway.port()
    alice, bob = bearer("of-alice"), bearer("of-bob")
    asked = (
        ("Who is Joseph Conrad?", alice, "", "Miss"),
        ("Who is Joseph Conrad?", alice, "", "Hit"),
        ("Tell me about Joseph Conrad", alice, "", "Hit"),
        ("Tell me more about Joseph Conrad", alice, "", "Miss"),
        # Who has another key has answers of its own,
        ("Who is Joseph Conrad?", bob, "", "Miss"),
        # except where answers are everybody's.
        ("Who is Joseph Conrad?", alice, "/public", "Miss"),
        ("Who is Joseph Conrad?", bob, "/public", "Hit"),
        ("Who is Joseph Conrad?", BASIC, "/staff", "Miss"),
        ("Who is Joseph Conrad?", BASIC, "/staff", "Hit"),
        ("Who is Joseph Conrad?", alice, "/vllm", "Miss"),
        ("Who is Joseph Conrad?", alice, "/vllm", "Hit"),
    )
    for question, who, prefix, status in asked:
        assert cached(
            gateway, question, headers=who, prefix=prefix
        ) == status, (question, prefix)
        assert len(world.take()) == (status == "Miss")

    streamed = ask(port, "anthropic", "gpt-4o-mini", "Who is Joseph Conrad?",
                   headers={"x-api-key": "of-carol"}, stream=True)
    assert streamed.headers["x-cache-status"] == "Miss"
    again = post(port, CHAT + "?nocache=1", {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Who is Joseph Conrad?"}],
    }, alice)
    assert again.headers["x-cache-status"] == "Bypass"
    logged(gateway, "access.log",
           r"200 gpt-4o-mini cache=Hit match=semantic similarity=0\.\d+")

    assert post(port, "/llm/purge", {}).json()["purged"] >= 5
    assert cached(gateway, "Who is Joseph Conrad?", headers=alice) == "Miss"
    assert get(port, "/llm/status").json()
    assert b"llm_cache_hits_total" in get(port, "/llm/metrics").body


def test_cache_staff(world, run):
    gateway = run("cache.conf", expected=REFUSED)
    assert send(gateway.port(), "openai", "m", "Hi",
                prefix="/staff").status == 401
    assert world.take() == []


def test_cohere_fallback(world, run):
    gateway = run("cohere.conf")
    world.instead("api.cohere.com", FAILS)
    assert send(gateway.port(), "cohere", "command", "Hi").status == 500
    assert [one.json()["model"] for one in world.take()] == [
        "command-a-03-2025", "command-r7b-12-2024",
    ]


EMBEDDINGS = (
    ("/v1/embeddings", {"model": "default", "input": "Hi"},
     lambda a: a["data"][0]["embedding"]),
    ("/api/embed", {"model": "default", "input": "Hi"},
     lambda a: a["embeddings"][0]),
    ("/v2/embed", {"model": "default", "texts": ["Hi"],
                   "input_type": "search_query",
                   "embedding_types": ["float"]},
     lambda a: a["embeddings"]["float"][0]),
    ("/v1beta/models/default:embedContent",
     {"content": {"parts": [{"text": "Hi"}]}},
     lambda a: a["embedding"]["values"]),
)


def test_embeddings(world, run):
    """Clients of four APIs; the same model elsewhere where it fails."""
    gateway = run("embeddings.conf")
    port = gateway.port()
    for path, body, vector in EMBEDDINGS:
        assert len(vector(post(port, path, body).json())) == 256, path
        (asked,) = world.take()
        assert (asked.to, asked.path) == (OPENAI, "/v1/embeddings")
        assert asked.headers["authorization"] == "Bearer key-of-OPENAI_API_KEY"
        assert asked.json()["model"] == "text-embedding-3-small"
    logged(gateway, "llm.log", r"200 openai openai/text-embedding-3-small 1 ")

    world.instead(OPENAI, FAILS)
    path, body, vector = EMBEDDINGS[0]
    assert vector(post(port, path, body).json())
    first, second = world.take()
    assert first.to == OPENAI
    assert (second.to, second.path) == (
        "example.openai.azure.com", "/openai/v1/embeddings"
    )
    assert second.headers["api-key"] == "key-of-AZURE_API_KEY"


def test_embeddings_of_ollama(world, run):
    gateway = run("embeddings.conf")
    answer = post(gateway.port(), "/local/v1/embeddings", {
        "model": "nomic-embed-text", "input": "Hi"})
    assert answer.json()["data"][0]["embedding"] == [0.6, 0.8]
    (asked,) = world.take()
    assert (asked.to, asked.path) == ("127.0.0.1:11434", "/api/embed")
    assert asked.json()["model"] == "nomic-embed-text"


def test_gemini(world, run):
    gateway = run("gemini.conf")
    port = gateway.port()
    contents = {"contents": [{"parts": [{"text": "How long is this?"}]}]}
    counted = post(port, "/v1beta/models/flash:countTokens", contents)
    assert counted.json()["totalTokens"] > 3
    models = get(port, "/v1beta/models", **{"x-goog-api-key": "any"}).json()
    listed = {one["name"] for one in models["models"]}
    assert {"models/flash", "models/flash-eu", "models/mini",
            "models/haiku"} <= listed
    assert world.take() == []


def test_hosted_pool(world, run):
    """Two of them in turn, the third when both of them fail."""
    gateway = run("hosted.conf")
    port = gateway.port()
    for _ in range(2):
        ask(port, "openai", "llama", "Hi")
    assert sorted(where(world)) == ["api.cerebras.ai", "api.groq.com"]

    world.instead("api.groq.com", FAILS)
    world.instead("api.cerebras.ai", FAILS)
    assert ask(port, "openai", "llama", "Hi").text == "Hi"
    asked = world.take()
    assert asked[-1].to == "api.together.xyz"
    assert asked[-1].json()["model"] == (
        "meta-llama/Llama-3.3-70B-Instruct-Turbo"
    )


def test_hosted_headers_and_vectors(world, run):
    gateway = run("hosted.conf")
    port = gateway.port()
    ask(port, "openai", "openrouter/any", "Hi")
    (asked,) = world.take()
    assert asked.headers["http-referer"] == "https://gateway.example.com"
    assert asked.headers["x-title"] == "Our gateway"

    assert post(port, "/v1/embeddings", {
        "model": "voyage/voyage-3.5", "input": "Hi"}).status == 200
    (asked,) = world.take()
    assert (asked.to, asked.path) == ("api.voyageai.com", "/v1/embeddings")
    assert asked.json()["model"] == "voyage-3.5"
    assert asked.headers["authorization"] == "Bearer key-of-VOYAGE_API_KEY"


def test_limits(world, run):
    gateway = run("limits.conf", expected="limit")
    port = gateway.port()
    # More than those without a team may have in a minute; others may.
    refused = send(port, "openai", "m", "Hi", max_tokens=6000)
    assert refused.status == 429
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert refused.headers["x-ratelimit-limit-tokens"] == "5000"
    assert world.take() == []
    for team, limit in (("blue", "100000"), ("research", "1000000")):
        said = ask(port, "openai", "m", "Hi", headers={"X-Team": team},
                   max_tokens=6000)
        assert said.headers["x-ratelimit-limit-tokens"] == limit
    # On trial it is only said.
    ask(port, "openai", "m", "Hi", prefix="/trial", max_tokens=6000)
    logged(gateway, "access.log",
           "team=nobody 200 m limit=REJECTED_DRY_RUN by=minute")
    logged(gateway, "access.log", "team=nobody 429 m limit=REJECTED by=minute")

    # And calls, of whatever length.
    for _ in range(100):
        last = send(port, "anthropic", "m", "Hi", headers={"X-Team": "blue"})
        if last.status != 200:
            break
    assert last.status == 429
    assert last.json()["error"]["type"] == "rate_limit_error"
    assert int(last.headers["retry-after"]) >= 1
    assert b"llm_limit_passed_total" in get(port, "/llm/metrics").body


def test_limits_redis(run):
    """What one gateway has granted the other has not any more."""
    first = run("limits-redis.conf", expected="limit")
    second = run("limits-redis.conf", expected="limit")
    team = {"X-Team": "blue"}

    def left(gateway):
        said = ask(gateway.port(), "openai", "m", "Hi", headers=team,
                   max_tokens=50)
        assert said.headers["x-ratelimit-limit-tokens"] == "100000"
        return int(said.headers["x-ratelimit-remaining-tokens"])

    # Of each the reservation is the same; less is left by what was used.
    most, *others = [left(first), left(second), left(first), left(second)]
    assert max(others) < most
    # Other teams have budgets of their own.
    other = ask(second.port(), "openai", "m", "Hi", max_tokens=50,
                headers={"X-Team": "green"})
    assert int(other.headers["x-ratelimit-remaining-tokens"]) == most
    refused = send(second.port(), "openai", "m", "Hi", headers=team,
                   max_tokens=200000)
    assert refused.status == 429


def test_logging(world, run):
    gateway = run("logging.conf")
    port = gateway.port()
    assert get(port, "/v1/models").status == 200
    said = ask(port, "anthropic", "gpt-4o", "How much?", stream=True)
    line = json.loads(logged(gateway, "llm.json", "."))
    # The list of models is not a call, vectors are.
    assert len(gateway.log("llm.json")) == 1
    body = {"model": "text-embedding-3-small", "input": "Hi"}
    assert post(port, "/v1/embeddings", body).status == 200
    vectors = until(lambda: gateway.log("llm.json")[1:])
    assert json.loads(vectors[0])["uri"] == "/v1/embeddings"
    assert line["request_id"] == said.headers["x-gateway-request-id"]
    expected = {
        "uri": "/v1/messages", "status": 200, "format": "anthropic",
        "request_model": "gpt-4o", "provider": "openai", "model": "gpt-4o",
        "stream": True, "finish_reason": "stop", "tries": 1,
        "usage_source": "provider", "upstream_status": "200",
    }
    assert {name: line[name] for name in expected} == expected
    assert line["total_tokens"] == (
        line["prompt_tokens"] + line["completion_tokens"]
    )


def test_ollama_fallback(world, run):
    """Where the machine's own model is down, OpenAI's answers; what a tool
    must be called cannot be said to Ollama, and is left out."""
    gateway = run("ollama.conf")
    port = gateway.port()
    tool = {"type": "function", "function": {
        "name": "get_time", "parameters": {"type": "object"}}}
    forced = {"tools": [tool], "tool_choice": "required"}
    assert send(port, "openai", "llama3.2", "Hi", **forced).status == 200
    (asked,) = world.take()
    assert asked.to == "127.0.0.1:11434"
    assert "tool_choice" not in asked.json() and asked.json()["tools"]

    world.instead("127.0.0.1:11434", FAILS)
    assert ask(port, "ollama", "llama3.2", "Hi").text == "Hi"
    first, second = world.take()
    assert (first.to, second.to) == ("127.0.0.1:11434", OPENAI)
    assert second.json()["model"] == "gpt-4o-mini"
    listed = get(port, "/api/tags").json()["models"]
    assert {one["name"] for one in listed} == {
        "ollama/llama3.2", "openai/gpt-4o-mini",
    }


def test_one_provider_pass_through(world, run):
    """Byte for byte, both ways."""
    gateway = run("one-provider-pass-through.conf")
    body = (b'{ "model":"gpt-4o",\n "messages":[{"content":"Hi","role":"user"'
            b'}], "temperature":1.0, "of_tomorrow":[] }')
    world.instead(OPENAI, Answer(
        b'{ "id":"c-1", "of_tomorrow":{}, "choices":[{"index":0,\n"message":'
        b'{"role":"assistant","content":"Ho"},"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}'
    ))
    reply = request(gateway.port(), "POST", CHAT, body, clients.JSON)
    (asked,) = world.take()
    assert asked.body == body
    assert reply.body.startswith(b'{ "id":"c-1", "of_tomorrow":{}, "choices"')
    logged(gateway, "llm.log", r"200 gpt-4o 8\+2 stop ")


def test_openai_and_anthropic(world, run):
    gateway = run("openai-and-anthropic.conf")
    port = gateway.port()
    # Three of four calls go to the first model.
    for _ in range(8):
        ask(port, "openai", "chat", "Hi")
    asked = where(world)
    assert asked.count(OPENAI) > asked.count(ANTHROPIC) > 0

    # One that says "too many requests" is asked again elsewhere.
    world.instead(OPENAI, BUSY)
    assert ask(port, "openai", "fast", "Hi", stream=True).text == "Hi"
    assert where(world) == [OPENAI, ANTHROPIC]
    # Both out of rotation: the backup.
    world.instead(ANTHROPIC, BUSY)
    assert send(port, "anthropic", "careful", "Hi").status == 429

    refused = send(port, "openai", "gpt-3", "Hi", prefix="/strict")
    assert refused.status == 404
    assert refused.json()["error"]["code"] == "model_not_found"
    listed = get(port, "/strict/v1/models").json()["data"]
    assert {"fast", "careful"} <= {one["id"] for one in listed}


def test_openai_compatible_rules(world, run):
    gateway = run("openai-compatible.conf")
    port = gateway.port()
    schema = {"type": "json_schema", "json_schema": {
        "name": "x", "schema": {"type": "object"}}}
    said = {"max_completion_tokens": 50, "seed": 7, "user": "somebody",
            "store": True, "response_format": schema,
            "stream_options": {"include_usage": True}}
    sent = send(port, "openai", "acme/any-model", "Hi", stream=True, **said)
    assert sent.status == 200
    (asked,) = world.take()
    body = asked.json()
    assert body["max_tokens"] == 50
    assert body["response_format"] == {
        "type": "json_object", "schema": {"type": "object"}}
    assert not {"max_completion_tokens", "seed", "user", "store",
                "stream_options"} & set(body)

    ask(port, "openai", "mistral-large-latest", "Hi", seed=7, user="somebody",
        max_completion_tokens=50)
    body = world.take()[0].json()
    assert (body["max_tokens"], body["random_seed"]) == (50, 7)
    assert not {"seed", "user", "max_completion_tokens"} & set(body)

    world.instead("api.mistral.ai", FAILS)
    assert ask(port, "anthropic", "any", "Hi").text == "Hi"
    assert where(world) == ["api.mistral.ai", "llm.acme.example"]


def test_pass_through(world, run):
    gateway = run("pass-through.conf", expected=f"{REFUSED}|limit")
    port = gateway.port()
    picture = {"model": "gpt-image-1", "prompt": "A boat"}
    assert post(port, "/v1/images/generations", picture).json()["data"]
    assert post(port, "/v1/moderations", {"input": "Hi"}).json()["results"]
    form = (b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\n'
            b'whisper-1\r\n--x\r\nContent-Disposition: form-data; name="file"'
            b'; filename="a.wav"\r\n\r\nRIFF\0\xff\r\n--x--\r\n')
    heard = request(port, "POST", "/v1/audio/transcriptions", form, {
        "Content-Type": "multipart/form-data; boundary=x", **CLIENT})
    assert heard.json() == {"text": "Hello."}
    asked = world.take()
    assert [one.path for one in asked] == [
        "/v1/images/generations", "/v1/moderations",
        "/v1/audio/transcriptions",
    ]
    assert all(one.headers["authorization"] == "Bearer key-of-OPENAI_API_KEY"
               for one in asked)
    assert asked[-1].body == form

    # Files are for others.
    assert get(port, "/v1/files").status == 404
    assert get(port, "/batch/v1/files").status == 403
    assert world.take() == []

    for _ in range(100):
        last = post(port, "/v1/moderations", {"input": "Hi"})
        if last.status != 200:
            break
    assert last.status == 429
    logged(gateway, "llm.log", r'200 "POST /v1/images/generations" gpt-image-1')


def test_pass_through_realtime(world, run):
    gateway = run("pass-through.conf")
    world.instead(OPENAI, Answer(b"", 101, {
        "Upgrade": "websocket", "Connection": "Upgrade"}))
    reply = request(
        gateway.port(), "GET", "/v1/realtime?model=gpt-realtime", headers={
            "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", **CLIENT})
    assert reply.status == 101
    (asked,) = world.take()
    assert asked.path == "/v1/realtime?model=gpt-realtime"
    assert asked.headers["upgrade"] == "websocket"
    assert asked.headers["authorization"] == "Bearer key-of-OPENAI_API_KEY"


def test_quickstart(run):
    gateway = run("quickstart.conf", expected="limit")
    port = gateway.port()
    one, other = "OpenAI's API.", "Anthropic's format"
    said = ask(port, "openai", "chat", "Hi").text
    assert one in said or other in said
    # Which real ones answer themselves, and the simulated one does not.
    assert one in ask(port, "responses", "openai/gpt-4o-mini", "Hi").text

    def call(api, stream):
        model = "reliable"
        said = ask(port, api, model, "Hi", stream=stream)
        assert other in said.text, api
        assert said.headers["x-llm-model"] == "anthropic/claude-haiku-4-5"

    # All at once, since they speak as slowly as models do.
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        list(pool.map(call, [*clients.APIS] * 2, [False] * 9 + [True] * 9))
    logged(gateway, "access.log", "model=reliable .* tries=2 ")

    for status in ("Miss", "Hit"):
        said = ask(port, "openai", "openai/gpt-4o-mini", "Who is Conrad?",
                   prefix="/cached")
        assert said.headers["x-cache-status"] == status

    red = {"X-Team": "red"}
    for _ in range(20):
        last = send(port, "openai", "openai/gpt-4o-mini", "Hi", headers=red,
                    prefix="/limited", max_tokens=30)
        if last.status != 200:
            break
    assert last.status == 429
    assert last.headers["x-ratelimit-limit-tokens"] == "100"
    assert get(port, "/llm/status").json()
    assert b"llm_requests_total" in get(port, "/llm/metrics").body


def test_raw_text(world, run):
    """The template makes a text of the conversation; tools are left out."""
    gateway = run("raw-text.conf")
    tool = {"name": "get_time", "input_schema": {"type": "object"}}
    ask(gateway.port(), "anthropic", "llama", "Hi", system="Be brief.",
        tools=[tool])
    ask(gateway.port(), "openai", "mixtral", "Hi")
    llama, mixtral = (one.json() for one in world.take())
    assert llama["prompt"] == (
        "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST]"
    )
    assert mixtral["prompt"] == "[INST] Hi[/INST]"
    assert "tools" not in llama


def test_responses(world, run):
    gateway = run("responses.conf")
    port = gateway.port()
    # OpenAI has what it stores; a pool has nothing.
    stored = {"previous_response_id": "resp_1"}
    send(port, "responses", "gpt-5", "Go on", **stored)
    (asked,) = world.take()
    assert asked.json()["previous_response_id"] == "resp_1"
    refused = send(port, "responses", "best", "Go on", prefix="/best",
                   **stored)
    assert refused.status == 400
    assert refused.json()["error"]["param"] == "previous_response_id"
    assert refused.json()["error"]["code"] == "unsupported_parameter"
    assert world.take() == []

    search = {"tools": [{"type": "web_search"}]}
    assert send(port, "responses", "best", "Hi", prefix="/best",
                **search).status == 400
    assert ask(port, "responses", "llama-2", "Hi", prefix="/llama2",
               **search).text
    world.take()

    world.instead(OPENAI, BUSY)
    assert ask(port, "responses", "best", "Hi", prefix="/best",
               stream=True).text == "Hi"
    assert where(world) == [OPENAI, ANTHROPIC]


def test_self_hosted(world, run):
    gateway = run("self-hosted.conf")
    port = gateway.port()
    # The two servers of one upstream, in any order; each API as it is.
    for api, path in (("openai", CHAT), ("anthropic", "/v1/messages"),
                      ("responses", "/v1/responses")):
        assert ask(port, api, "large", "Hi").text == "Hi"
        (asked,) = world.take()
        assert asked.to in ("127.0.0.1:8000", "127.0.0.1:8001")
        assert asked.path == path
        assert asked.json()["model"] == "meta-llama/Llama-3.1-70B-Instruct"
    logged(gateway, "llm.log", r'HTTP/1.1" 200 large \d+/\d+ ttft=0')

    vectors = post(port, "/vectors/v1/embeddings", {
        "model": "bge", "input": "Hi"})
    assert vectors.json()["data"][0]["embedding"] == [0.6, 0.8]
    (asked,) = world.take()
    assert (asked.to, asked.path) == ("127.0.0.1:8084", "/embed")

    # The second server only counts; what the client sends goes through.
    said = ask(gateway.port(8090), "openai", "own", "Hi", stream=True,
               headers=CLIENT)
    assert said.text == "Hi"
    (asked,) = world.take()
    assert asked.headers["authorization"] == CLIENT["authorization"]
    assert asked.json()["stream_options"] == {"include_usage": True}
    logged(gateway, "llm.log", r'HTTP/1.1" 200 own \d+/1 ttft=0')


def test_self_hosted_fallback(world, run):
    gateway = run("self-hosted.conf")
    for address in ("127.0.0.1:8000", "127.0.0.1:8001"):
        world.instead(address, FAILS)
    assert ask(gateway.port(), "openai", "large", "Hi").text == "Hi"
    assert where(world)[-1] == "127.0.0.1:8081"


def test_simulate(run):
    gateway = run("simulate.conf")
    port = gateway.port()
    for stream in (False, True):
        said = ask(port, "openai", "chat", "Hi", stream=stream)
        assert said.text == "I am a simulated model."
        assert said.headers["x-llm-model"] == "claude/simulated"
    assert ask(port, "openai", "fast/any", "Hello", prefix="/any").text == (
        "Hello"
    )
    short = send(port, "openai", "real/any", "Hi", prefix="/any",
                 max_tokens=2).json()
    assert short["choices"][0]["finish_reason"] == "length"
    assert short["usage"]["completion_tokens"] == 2

    busy = send(port, "openai", "busy/any", "Hi", prefix="/any")
    assert (busy.status, busy.headers["retry-after"]) == (429, "30")
    # One in ten fails.
    statuses = {
        send(port, "openai", "flaky/any", "Hi", prefix="/any").status
        for _ in range(200)
    }
    assert statuses == {200, 500}


def test_tls_and_http2(world, run, tmp_path):
    certificate(tmp_path, "gateway", ["localhost", "models.example"])
    files = {name: tmp_path / name for name in ("gateway.crt", "gateway.key")}
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(files["gateway.crt"], files["gateway.key"])
    # It lets in who has a certificate of its authority.
    inside.verify_mode = ssl.CERT_REQUIRED
    inside.load_verify_locations(files["gateway.crt"])
    world.port_of("10.0.0.7:8443", inside)

    gateway = run("tls-and-http2.conf", files=files)
    port = gateway.port(8443)
    client = ssl.create_default_context(cafile=files["gateway.crt"])
    for stream in (False, True):
        assert ask(port, "openai", "gpt-4o", "Hi", stream=stream,
                   tls=client).text == "Hi"
    assert where(world) == [OPENAI] * 2
    said = ask(port, "openai", "own", "Hi", prefix="/inside", tls=client)
    assert said.text == "Hi"
    (asked,) = world.take()
    assert (asked.to, asked.path) == ("10.0.0.7:8443", CHAT)

    answer = subprocess.run(
        ["curl", "-sS", "-m", "20", "--http2", "--compressed", "-D", "-",
         "--cacert", files["gateway.crt"],
         f"https://localhost:{port}{CHAT}", "-d", json.dumps(
             {"model": "gpt-4o", "messages": [
                 {"role": "user", "content": "Hello over HTTP/2"}]})],
        check=True, capture_output=True, text=True,
    ).stdout
    assert answer.startswith("HTTP/2 200")
    assert "content-encoding: gzip" in answer
    assert '"content":"Hello over HTTP/2"' in answer


def new_key(*words):
    """A key, as scripts/llm-key makes it."""
    return subprocess.run(
        [sys.executable, ROOT / "scripts/llm-key", "create", *words],
        check=True, capture_output=True, text=True,
    ).stdout.split()[0]


def test_virtual_keys(world, run, tmp_path):
    keys = tmp_path / "virtual-keys.keys"
    keys.write_text((FOLDER / "virtual-keys.keys").read_text())
    alice = new_key("alice", "--group", "research", "--meta",
                    "cost_center=R17", "--file", str(keys))
    bob = new_key("bob", "--file", str(keys))
    keys.chmod(0o644)
    carol = new_key("carol", "--group", "research", "--redis",
                    f"redis://127.0.0.1:{world.redis_port}")

    gateway = run("virtual-keys.conf", files={keys.name: keys},
                  expected=f"{REFUSED}|llm_auth|is not allowed|key")
    port = gateway.port()

    def status(api, model, key, prefix=""):
        header = (
            {"x-api-key": key} if api == "anthropic" else bearer(key)
        )
        return send(port, api, model, "Hi", headers=header,
                    prefix=prefix).status

    assert status("openai", "small", "sk-of-nobody") == 401
    assert world.take() == []
    assert status("openai", "small", bob) == 200
    assert status("openai", "large", bob) in (403, 404)
    assert status("anthropic", "claude", alice) == 200
    assert [one.to for one in world.take()] == [OPENAI, ANTHROPIC]
    logged(gateway, "llm.log",
           r"alice/research R17 \[.* 200 anthropic/claude-sonnet-4-5 \d+$")

    assert status("openai", "large", carol, "/shared") == 200
    assert status("openai", "large", alice, "/shared") == 401
    # This machine is none of the cluster's.
    assert status("openai", "small", "sk-of-nobody", "/internal") == 401
    assert status("openai", "small", alice, "/internal") == 200
