"""What cannot be said, as the pages of docs/providers/, docs/clients.md and
docs/translation.md have it: a 400 that names the member, or, with
llm_unsupported drop, a call without it."""

import pytest

from clients import get, post, send
from gateway import Gateway

FORMATS = ("openai", "responses", "completions", "anthropic", "gemini",
           "bedrock", "cohere", "ollama")
TOOL = {"type": "function", "function": {
    "name": "f", "parameters": {"type": "object"}}}
SPOKEN = {"modalities": ["text", "audio"],
          "audio": {"voice": "alloy", "format": "wav"}}
PICTURE = {"messages": [{"role": "user", "content": [
    {"type": "text", "text": "Hi"},
    {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
]}]}
SIX = {"stop": list("abcdef")}
REQUIRED = {"tools": [TOOL], "tool_choice": "required"}

# A client, a provider, what is said, and what the 400 names.
REFUSED = [
    ("openai", "anthropic", {"n": 2}, "n"),
    ("openai", "anthropic", {"logprobs": True}, "logprobs"),
    ("openai", "anthropic", {"web_search_options": {}}, "web_search_options"),
    ("openai", "anthropic", SPOKEN, "modalities"),
    ("openai", "gemini", SIX, "stop"),
    ("openai", "gemini", SPOKEN, "modalities"),
    ("openai", "bedrock", {"n": 2}, "n"),
    ("openai", "bedrock", {"logprobs": True}, "logprobs"),
    ("openai", "bedrock", PICTURE, "content[1]"),
    ("openai", "bedrock", {"web_search_options": {}}, "web_search_options"),
    ("openai", "cohere", SIX, "stop"),
    ("openai", "cohere", {"n": 2}, "n"),
    ("openai", "cohere", {"logprobs": True}, "logprobs"),
    ("openai", "ollama", REQUIRED, "tool_choice"),
    ("openai", "ollama", PICTURE, "image"),
    ("openai", "ollama", {"n": 2}, "n"),
    ("openai", "completions", {"tools": [TOOL]}, "tools"),
    ("openai", "completions", {"logprobs": True}, "logprobs"),
    ("openai", "completions", {"response_format": {"type": "json_object"}},
     "response_format"),
    ("openai", "responses", {"n": 2}, "n"),
    ("openai", "responses", {"stop": ["x"]}, "stop"),
    ("responses", "anthropic", {"tools": [{"type": "web_search"}]}, "tools"),
    ("anthropic", "openai", {"mcp_servers": [
        {"type": "url", "url": "https://a.example", "name": "a"}]},
     "mcp_servers"),
    ("anthropic", "openai", {"tools": [
        {"type": "web_search_20250305", "name": "web_search"}]}, "tool"),
    ("gemini", "openai", {"cachedContent": "cachedContents/1"},
     "cachedContent"),
    ("gemini", "openai", {"generationConfig": {
        "responseMimeType": "text/x.enum"}}, "responseMimeType"),
    ("gemini", "openai", {"tools": [{"googleSearch": {}}]}, "tool"),
    ("bedrock", "openai", {"guardrailConfig": {
        "guardrailIdentifier": "a", "guardrailVersion": "1"}},
     "guardrailConfig"),
    ("bedrock", "openai", {"promptVariables": {"a": {"text": "b"}}},
     "promptVariables"),
    ("cohere", "openai", {"documents": ["d"]}, "documents"),
    ("ollama-generate", "openai", {"suffix": "x"}, "suffix"),
    ("ollama-generate", "openai", {"raw": True}, "raw"),
    ("ollama-generate", "openai", {"template": "x"}, "template"),
    ("ollama-generate", "openai", {"context": [1]}, "context"),
]

# Nothing sensible would be left of these.
NEVER = [
    ("responses", "anthropic", {"previous_response_id": "resp_1"}),
    ("responses", "anthropic", {"conversation": "conv_1"}),
    ("responses", "anthropic", {"prompt": {"id": "pmpt_1"}}),
    ("responses", "anthropic", {"background": True}),
    ("completions", "openai", {"suffix": "x"}),
    ("completions", "openai", {"echo": True}),
    ("completions", "openai", {"best_of": 2}),
    ("completions", "openai", {"logprobs": 1}),
    ("completions", "openai", {"prompt": ["a", "b"], "stream": True}),
    ("completions", "openai", {"prompt": [1, 2]}),
]


@pytest.fixture(scope="module")
def gateway():
    """/FORMAT/ leads to a provider of that format, /drop/FORMAT/ likewise."""
    models = Gateway("", "".join(
        f"location /{name}/ {{ llm_simulate {name}; }}" for name in FORMATS
    ))
    nginx = Gateway("".join(f"""
    llm_provider {name} {{
        format {name};
        url http://127.0.0.1:{models.port}/{name}/v1;
        {"prompt_template llama2;" if name == "completions" else ""}
    }}""" for name in FORMATS), "".join(f"""
    location /{name}/ {{ llm_pass {name}; }}
    location /drop/{name}/ {{ llm_pass {name}; llm_unsupported drop; }}
""" for name in FORMATS))
    yield nginx
    assert not nginx.stop() + models.stop()


@pytest.mark.parametrize(("api", "provider", "said", "member"), REFUSED)
def test_refused_or_left_out(gateway, api, provider, said, member):
    refused = send(gateway.port, api, "m", "Hi", prefix=f"/{provider}", **said)
    assert refused.status == 400
    assert member in refused.body.decode()
    left_out = send(gateway.port, api, "m", "Hi", prefix=f"/drop/{provider}",
                    **said)
    assert left_out.status == 200, left_out.body


@pytest.mark.parametrize(("api", "provider", "said"), NEVER)
def test_refused_in_any_case(gateway, api, provider, said):
    member = next(iter(said))
    for prefix in (f"/{provider}", f"/drop/{provider}"):
        refused = send(gateway.port, api, "m", "Hi", prefix=prefix, **said)
        error = refused.json()["error"]
        assert (refused.status, error["param"]) == (400, member)


@pytest.mark.parametrize("path", [
    "/v1/models/m", "/v1/assistants", "/v1/files", "/v1/rerank",
    "/v1/messages/batches",
])
def test_no_such_route(gateway, path):
    assert get(gateway.port, "/openai" + path).status == 404


@pytest.mark.parametrize("path", ["/api/pull", "/api/create", "/v1/chat"])
def test_no_such_call(gateway, path):
    assert post(gateway.port, "/openai" + path, {}).status == 404
