"""What each example is called with, and what its provider must be asked then.
The file of an example that has no row here fails the tests. What an example
shows beside that is in test_features.py."""

import itertools
import re
from dataclasses import dataclass, field

import pytest

import aws
import clients
import example
import world as clouds
from clients import BASIC, CLIENT, bearer
from world import ANTHROPIC, BEDROCK, CHAT, MESSAGES, OPENAI

_numbers = itertools.count()


def key_of(variable):
    return bearer("key-of-" + variable)


OPENAI_KEY = key_of("OPENAI_API_KEY")
ANTHROPIC_KEY = {
    "x-api-key": "key-of-ANTHROPIC_API_KEY",
    "anthropic-version": "2023-06-01",
    "authorization": None,
}


@dataclass
class Call:
    """A client of `api` asks `model`, below `prefix`, whole and streamed. The
    provider at `to` must be asked once, at the path `at` (of streams:
    `stream_at`, where that is another one), with these headers (None: without
    that one) and these members of the body. `signed`: by AWS' signature, for
    this region and by these keys."""

    api: str
    model: str
    to: str
    at: str
    headers: dict = field(default_factory=dict)
    body: dict = field(default_factory=dict)
    stream_at: str = ""
    prefix: str = ""
    client: dict = field(default_factory=lambda: CLIENT)
    signed: tuple = ()

    def __str__(self):
        return f"{self.prefix}{clients.APIS[self.api].path} {self.model}"


@dataclass
class Row:
    """`edits`: what the example tells its reader to put there."""

    calls: list
    edits: dict = field(default_factory=dict)


AZURE = "my-resource.openai.azure.com"
AZURE_KEY = {
    "api-key": "key-of-AZURE_OPENAI_API_KEY", "authorization": None,
}

BEDROCK_KEY = key_of("AWS_BEARER_TOKEN_BEDROCK")
SONNET = "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/"
HAIKU = "/model/eu.anthropic.claude-haiku-4-5-20251001-v1%3A0/"


def converse(api, model, path):
    return Call(
        api, model, BEDROCK, path + "converse", BEDROCK_KEY,
        stream_at=path + "converse-stream",
    )


def invoke(api, model, path):
    return Call(
        api, model, BEDROCK, path + "invoke",
        body={"anthropic_version": "bedrock-2023-05-31"},
        stream_at=path + "invoke-with-response-stream",
        signed=("eu-central-1", clouds.AWS),
    )


def openai(**options):
    """A chat of OpenAI's clients with OpenAI."""
    return Call("openai", "gpt-4o-mini", OPENAI, CHAT, OPENAI_KEY,
                {"model": "gpt-4o-mini"}, **options)


GEMINI_KEY = {"x-goog-api-key": "key-of-GEMINI_API_KEY", "authorization": None}


def gemini(api, model, to, models, headers, name="gemini-2.5-flash"):
    return Call(
        api, model, to, f"{models}/{name}:generateContent", headers,
        stream_at=f"{models}/{name}:streamGenerateContent?alt=sse",
    )


def vertex(region, publisher, project="my-project"):
    return (
        f"{region}-aiplatform.googleapis.com",
        f"/v1/projects/{project}/locations/{region}/publishers/{publisher}"
        "/models",
    )


def claude_on_vertex(api, model, region, project, token, name):
    host, models = vertex(region, "anthropic", project)
    return Call(
        api, model, host, f"{models}/{name}:rawPredict", bearer(token),
        {"anthropic_version": "vertex-2023-10-16"},
        stream_at=f"{models}/{name}:streamRawPredict",
    )


# A provider of hosted.conf, its key's variable, its host, where its chats are.
_HOSTED = """
cerebras CEREBRAS_API_KEY api.cerebras.ai /v1
dashscope DASHSCOPE_API_KEY dashscope-intl.aliyuncs.com /compatible-mode/v1
deepseek DEEPSEEK_API_KEY api.deepseek.com
fireworks FIREWORKS_API_KEY api.fireworks.ai /inference/v1
groq GROQ_API_KEY api.groq.com /openai/v1
huggingface HF_TOKEN router.huggingface.co /v1
moonshot MOONSHOT_API_KEY api.moonshot.ai /v1
nvidia NVIDIA_API_KEY integrate.api.nvidia.com /v1
perplexity PERPLEXITY_API_KEY api.perplexity.ai
together TOGETHER_API_KEY api.together.xyz /v1
xai XAI_API_KEY api.x.ai /v1
openrouter OPENROUTER_API_KEY openrouter.ai /api/v1
cloudflare CLOUDFLARE_API_TOKEN api.cloudflare.com /client/v4/accounts/ACCOUNT/ai/v1
databricks DATABRICKS_TOKEN WORKSPACE.cloud.databricks.com /serving-endpoints
"""


def hosted():
    for line in _HOSTED.split("\n")[1:-1]:
        name, variable, host, *path = line.split()
        yield Call(
            "openai", f"{name}/some-model", host,
            "".join(path) + "/chat/completions", key_of(variable),
            {"model": "some-model"},
        )


VLLM = "127.0.0.1:8000"

ROWS = {
    "accounting.conf": Row([
        Call("openai", "openai/gpt-4o-mini", OPENAI, CHAT, OPENAI_KEY,
             {"model": "gpt-4o-mini"}, client=BASIC),
        Call("anthropic", "anthropic/claude-haiku-4-5", ANTHROPIC, MESSAGES,
             ANTHROPIC_KEY, {"model": "claude-haiku-4-5"}, client=BASIC),
    ]),
    "azure-entra.conf": Row([
        Call("openai", "my-gpt-4o", "NAME.openai.azure.com",
             "/openai/v1/chat/completions",
             bearer(clouds.AZURE) | {"api-key": None},
             {"model": "my-gpt-4o"}),
        Call("responses", "my-gpt-4o", "NAME.openai.azure.com",
             "/openai/v1/responses", bearer(clouds.AZURE)),
    ]),
    "azure.conf": Row([
        Call("openai", "gpt-4o", AZURE, "/openai/v1/chat/completions",
             AZURE_KEY, {"model": "my-gpt-4o"}),
        Call("anthropic", "gpt-4o", AZURE, "/openai/v1/chat/completions",
             AZURE_KEY, {"model": "my-gpt-4o"}),
        Call("responses", "gpt-4o", AZURE, "/openai/v1/responses",
             AZURE_KEY, {"model": "my-gpt-4o"}),
        *(Call(api, "azure-older/my-other-gpt-4o", AZURE,
               "/openai/deployments/my-other-gpt-4o/chat/completions"
               "?api-version=2024-10-21", AZURE_KEY)
          for api in ("openai", "responses")),
        *(Call(api, "claude", "my-resource.services.ai.azure.com",
               "/anthropic/v1/messages",
               {"x-api-key": "key-of-AZURE_OPENAI_API_KEY"},
               {"model": "my-claude"})
          for api in ("anthropic", "openai")),
    ]),
    "bedrock-anthropic.conf": Row([
        invoke("anthropic", "sonnet", SONNET),
        invoke("openai", "haiku", HAIKU),
    ]),
    "bedrock-credentials.conf": Row([
        Call("openai", "gpt-oss", "bedrock-runtime.eu-west-1.amazonaws.com",
             CHAT, body={"model": "openai.gpt-oss-120b-1:0"},
             signed=("eu-west-1", clouds.AWS)),
        Call("openai", "bedrock-other-account/openai.gpt-oss-120b-1:0",
             "bedrock-runtime.us-east-1.amazonaws.com", CHAT,
             signed=("us-east-1", clouds.AWS_ROLE)),
        *(Call(api, "eu.amazon.nova-pro-v1:0",
               "bedrock-runtime.eu-west-1.amazonaws.com",
               "/model/eu.amazon.nova-pro-v1%3A0/converse", prefix="/all",
               stream_at="/model/eu.amazon.nova-pro-v1%3A0/converse-stream",
               signed=("eu-west-1", clouds.AWS))
          for api in ("bedrock", "anthropic")),
    ]),
    "bedrock.conf": Row([
        converse("bedrock", "sonnet", SONNET),
        converse("openai", "haiku", HAIKU),
        converse("anthropic", "sonnet", SONNET),
        converse("responses", "bedrock/eu.amazon.nova-pro-v1:0",
                 "/model/eu.amazon.nova-pro-v1%3A0/"),
    ]),
    "behind-auth.conf": Row([
        openai(client=bearer("sk-example-1f3a9c")),
        Call("anthropic", "gpt-4o", OPENAI, CHAT, OPENAI_KEY | {
            "x-api-key": None}, client={"x-api-key": "sk-example-77d0b2"}),
        # From this machine, which may.
        openai(prefix="/office"),
    ]),
    "cache-redis.conf": Row([openai()]),
    "cache-redisearch.conf": Row([openai()]),
    "cache-vectorset.conf": Row([openai()]),
    "cache.conf": Row([
        openai(),
        openai(prefix="/public"),
        openai(prefix="/staff", client=BASIC),
        # Through nginx's own proxy, which changes nothing.
        Call("openai", "any", VLLM, CHAT, body={"model": "any"},
             prefix="/vllm", client={}),
    ]),
    "cohere.conf": Row([
        Call(api, model, "api.cohere.com", "/v2/chat",
             key_of("COHERE_API_KEY"), {"model": named})
        for api, model, named in (
            ("cohere", "command", "command-a-03-2025"),
            ("openai", "small", "command-r7b-12-2024"),
            ("gemini", "command", "command-a-03-2025"),
        )
    ]),
    "embeddings.conf": Row([
        # Chats of the provider that has its own embeddings, which
        # test_features.py asks for.
        Call("openai", "llama3.2", "127.0.0.1:11434", CHAT,
             {"authorization": None}, prefix="/local"),
    ]),
    "gemini.conf": Row([
        gemini("openai", "flash", "generativelanguage.googleapis.com",
               "/v1beta/models", GEMINI_KEY),
        gemini("gemini", "flash", "generativelanguage.googleapis.com",
               "/v1beta/models", GEMINI_KEY),
        gemini("anthropic", "flash-eu", *vertex("europe-west4", "google"),
               bearer("ya29.example")),
        Call("gemini", "mini", OPENAI, CHAT, OPENAI_KEY,
             {"model": "gpt-4o-mini"}),
        claude_on_vertex("anthropic", "haiku", "europe-west1", "my-project",
                         "ya29.example", "claude-haiku-4-5"),
    ], {'map "" $token { default ""; }':
        'map "" $token { default "ya29.example"; }'}),
    "hosted.conf": Row([*hosted()]),
    "limits-redis.conf": Row([openai()]),
    "limits.conf": Row([openai(), openai(prefix="/trial")]),
    "logging.conf": Row([openai()]),
    "ollama.conf": Row([
        Call(api, "llama3.2", "127.0.0.1:11434", "/api/chat",
             {"authorization": None}, {"model": "llama3.2"})
        for api in ("ollama", "openai", "anthropic")
    ] + [
        Call("ollama-generate", "llama3.2", "127.0.0.1:11434",
             "/api/generate"),
        Call("ollama", "gpt-4o-mini", OPENAI, CHAT, OPENAI_KEY),
    ]),
    "one-provider-pass-through.conf": Row([
        openai(),
        # Here it is the client's own key that is passed on.
        Call("openai", "gpt-4o-mini", OPENAI, CHAT, bearer("users-key"),
             prefix="/users", client=bearer("users-key")),
    ]),
    "openai-and-anthropic.conf": Row([
        Call("openai", "fast", OPENAI, CHAT, OPENAI_KEY,
             {"model": "gpt-4o"}),
        Call("openai", "careful", ANTHROPIC, MESSAGES, ANTHROPIC_KEY,
             {"model": "claude-sonnet-4-5"}),
        Call("anthropic", "openai/gpt-4o", OPENAI, CHAT, OPENAI_KEY),
        Call("anthropic", "fast", OPENAI, CHAT, OPENAI_KEY,
             prefix="/strict"),
        Call("openai", "openai/o4-mini", OPENAI, CHAT, OPENAI_KEY,
             {"model": "o4-mini"}, prefix="/any"),
        Call("anthropic", "careful", ANTHROPIC, MESSAGES, ANTHROPIC_KEY,
             prefix="/any"),
    ]),
    "openai-compatible.conf": Row([
        Call("openai", "mistral-large-latest", "api.mistral.ai", CHAT,
             key_of("MISTRAL_API_KEY")),
        Call("ollama", "mistral-large-latest", "api.mistral.ai", CHAT,
             key_of("MISTRAL_API_KEY")),
        Call("openai", "acme/any-model", "llm.acme.example", CHAT,
             {"authorization": None}, {"model": "any-model"}),
    ]),
    "pass-through.conf": Row([openai()]),
    # It has its providers with it: test_features.py asks them all.
    "quickstart.conf": Row([]),
    "raw-text.conf": Row([
        Call("openai", "llama", "127.0.0.1:8000", "/v1/completions",
             body={"model": "llama-2-13b-chat"}),
        Call("anthropic", "mixtral", "127.0.0.1:8001", "/v1/completions",
             body={"model": "mixtral-8x22b-instruct"}),
    ]),
    "responses.conf": Row([
        Call("responses", "gpt-5", OPENAI, "/v1/responses", OPENAI_KEY,
             {"model": "gpt-5"}),
        Call("openai", "gpt-5", OPENAI, CHAT, OPENAI_KEY),
        Call("responses", "best", OPENAI, CHAT, OPENAI_KEY,
             {"model": "gpt-5"}, prefix="/best"),
        Call("completions", "best", OPENAI, CHAT, OPENAI_KEY,
             prefix="/best"),
        *(Call(api, "own-model", VLLM, path, prefix="/own")
          for api, path in (
              ("responses", "/v1/responses"), ("openai", CHAT),
              ("anthropic", MESSAGES), ("completions", "/v1/completions"))),
        Call("responses", "llama-2", "127.0.0.1:8001", "/v1/completions",
             prefix="/llama2"),
    ]),
    "self-hosted.conf": Row([
        Call("openai", "small", "127.0.0.1:8081", CHAT,
             body={"model": "qwen3-8b"}),
        Call("openai", "llama3.2", "localhost:11434", CHAT,
             prefix="/ollama"),
        Call("anthropic", "sglang/any", "127.0.0.1:30000", CHAT,
             body={"model": "any"}, prefix="/any"),
        Call("openai", "nim/any", "127.0.0.1:8082", CHAT, prefix="/any"),
        Call("openai", "tgi/tgi", "127.0.0.1:8083", CHAT, prefix="/any"),
    ]),
    # As quickstart.conf.
    "simulate.conf": Row([]),
    # test_features.py has the certificates.
    "tls-and-http2.conf": Row([]),
    "vertex-credentials.conf": Row([
        gemini("openai", "flash", *vertex("us-central1", "google", "PROJECT"),
               bearer(clouds.GOOGLE)),
        gemini("gemini", "pro", *vertex("us-central1", "google", "PROJECT"),
               bearer(clouds.GOOGLE), "gemini-2.5-pro"),
        claude_on_vertex("anthropic", "claude", "us-east5", "PROJECT",
                         clouds.GOOGLE, "claude-sonnet-4-5"),
        Call("anthropic", "llama", "us-central1-aiplatform.googleapis.com",
             "/v1beta1/projects/PROJECT/locations/us-central1/endpoints"
             "/openapi/chat/completions", bearer(clouds.GOOGLE),
             {"model": "meta/llama-3.3-70b-instruct-maas"}),
    ]),
    # test_features.py makes keys for it.
    "virtual-keys.conf": Row([]),
}


def test_every_example_has_a_row():
    assert sorted(ROWS) == example.names()


# Servers that are asked for something else than a model's answer.
_OTHERS = ("metadata", "sts")

# A Redis without the one or the other index.
_ERRORS = dict.fromkeys(
    ("cache-redisearch.conf", "cache-vectorset.conf"),
    'llm_cache_zone "answers": .* in Redis',
)


@pytest.mark.parametrize("name", [n for n, row in ROWS.items() if row.calls])
def test_calls(name, world, run):
    row = ROWS[name]
    gateway = run(name, edits=row.edits, expected=_ERRORS.get(name))
    for call in row.calls:
        for stream in (False, True):
            # No cache has heard of it.
            question = f"What is {next(_numbers):08x}{id(call):x}?"
            said = clients.ask(
                gateway.port(), call.api, call.model, question,
                prefix=call.prefix, stream=stream, headers=call.client,
            )
            asked = [one for one in world.take() if one.to not in _OTHERS]
            assert question in said.text, str(call)
            assert len(asked) == 1, (str(call), asked)
            check(call, stream, asked[0])


def check(call, stream, asked):
    at = stream and call.stream_at or call.at
    assert (asked.method, asked.to, asked.path) == ("POST", call.to, at)
    for name, value in call.headers.items():
        assert asked.headers.get(name) == value, (str(call), name)
    assert "client-key" not in str(asked.headers)
    body = asked.json()
    for name, value in call.body.items():
        assert body.get(name) == value, (str(call), name)
    if call.signed:
        aws.check(asked, *call.signed)


@pytest.mark.parametrize("name", example.names())
def test_what_each_example_has(name):
    """So that it works for whoever takes it as it is."""
    whole = (example.FOLDER / name).read_text()
    text = example.read(name)
    # Prompts are long; nginx would take 1 MB.
    assert "client_max_body_size" in text
    # Not everybody has a name server there; without a resolver the system's
    # is asked. And no worker needs a key in its environment.
    assert not re.search(r"(?m)^\s*(resolver|env) ", text)
    if example.secrets(text):
        assert re.search(r"[A-Z]=\.\.\. nginx -c", whole)
