"""The pieces of Python in the documentation, and the variables of the
environment that it names, do what it says: with them an SDK finds the
gateway."""

import re
import subprocess
import sys
import time

import boto3
import cohere
import ollama
import pytest
from anthropic import Anthropic
from google import genai
from google.genai import types
from mistralai.client import Mistral
from openai import OpenAI

from gateway import ROOT, Gateway

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
IMPORTED = {
    "Anthropic": Anthropic, "Mistral": Mistral, "OpenAI": OpenAI,
    "boto3": boto3, "cohere": cohere, "genai": genai, "ollama": ollama,
    "types": types,
}
MESSAGES = [{"role": "user", "content": "Hi"}]
BLOCKS = [{"role": "user", "content": [{"text": "Hi"}]}]


@pytest.fixture(scope="module")
def gateway():
    """With the pools of which the pages speak, and each model simulated."""
    models = Gateway("", "location / { llm_simulate openai; }")
    nginx = Gateway(f"""
    llm_provider simulated {{
        format openai;
        url http://127.0.0.1:{models.port}/v1;
    }}
    llm_upstream chat {{ model simulated/any as=sonnet; }}
    llm_upstream vectors {{ model simulated/any; }}
""", """
    location / { llm_pass chat; }
    location /v1/embeddings { llm_pass vectors; }
""")
    yield nginx
    assert not nginx.stop() + models.stop()


def logged(gateway, before, number):
    """That so many calls have come since, and were answered. The log is
    written after the client has its answer."""
    deadline = time.monotonic() + 10
    while True:
        lines = gateway.access_log()[before:]
        if len(lines) >= number or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    assert len(lines) == number
    assert all('"status":"200"' in line for line in lines)


def pieces():
    for page in PAGES:
        text = page.read_text()
        for match in re.finditer(r"(?s)```python\n(.*?)```", text):
            line = text.count("\n", 0, match.start()) + 1
            yield pytest.param(match[1], id=f"{page.relative_to(ROOT)}:{line}")


@pytest.fixture
def keys(monkeypatch):
    """What SDKs want to have, whoever they ask."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY",
                 "CO_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "unused")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.parametrize("text", [*pieces()])
def test_a_piece_of_python(text, gateway, keys):
    before = len(gateway.access_log())
    text = re.sub(
        r"https?://(127\.0\.0\.1:8080|gateway\.example\.com)", gateway.url(),
        text,
    )
    messages = BLOCKS if "modelId" in text else MESSAGES
    text = text.replace("[...]", repr(messages))
    exec(compile(text, "piece", "exec"), dict(IMPORTED))
    logged(gateway, before, len(re.findall(r"(?m)^client\.", text)))


# By the variable that says where the gateway is.
ENVIRONMENT = {
    "OPENAI_BASE_URL": """
client = openai.OpenAI()
client.chat.completions.create(model="chat", messages=MESSAGES)""",
    "ANTHROPIC_BASE_URL": """
client = anthropic.Anthropic()
client.messages.create(model="chat", max_tokens=9, messages=MESSAGES)""",
    "GOOGLE_GEMINI_BASE_URL": """
client = genai.Client()
client.models.generate_content(model="chat", contents="Hi")""",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": """
client = boto3.client("bedrock-runtime")
client.converse(modelId="chat", messages=BLOCKS)""",
    "CO_API_URL": """
client = cohere.ClientV2()
client.chat(model="chat", messages=MESSAGES)""",
    "OLLAMA_HOST": """
client = ollama.Client()
client.chat(model="chat", messages=MESSAGES)""",
}


def test_variables_of_the_environment(gateway, keys, monkeypatch):
    page = (ROOT / "docs/clients.md").read_text()
    named = dict(re.findall(r"\b([A-Z_]+)=(http://127\.0\.0\.1:8080\S*?)[`\s]",
                            page))
    assert set(named) == set(ENVIRONMENT)
    for name, url in named.items():
        url = url.replace("http://127.0.0.1:8080", gateway.url())
        monkeypatch.setenv(name, url)
    before = len(gateway.access_log())
    # Some SDKs look at the environment when they are imported.
    subprocess.run([sys.executable, "-c", f"""
import anthropic, boto3, cohere, ollama, openai
from google import genai
MESSAGES = {MESSAGES}
BLOCKS = {BLOCKS}
{"".join(ENVIRONMENT.values())}
"""], check=True, timeout=60)
    logged(gateway, before, len(ENVIRONMENT))
