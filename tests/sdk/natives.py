"""What the tests of the SDKs of Ollama, Cohere and Mistral share: a gateway
with a provider of each API, and what an OpenAI or Anthropic provider says."""

import contextlib

from gateway import Gateway
from mock import Provider

# An OpenAI client's call with something of everything.
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA"
    "60e6kgAAAABJRU5ErkJggg=="
)
CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Look."},
            {
                "type": "image_url",
                "image_url": {"url": f"data:image/png;base64,{PNG}"},
            },
        ],
    },
    {
        "role": "assistant",
        "content": "I will.",
        "tool_calls": [
            {
                "id": "call_0123456789",
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "arguments": '{"city": "Bern"}',
                },
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_0123456789", "content": "Sun."},
    {"role": "user", "content": "And now?"},
]
SAMPLING = {
    "max_completion_tokens": 50,
    "temperature": 0.5,
    "top_p": 0.9,
    "seed": 7,
    "stop": ["END"],
    "user": "somebody",
}


@contextlib.contextmanager
def running(name, directives=""):
    """A gateway whose /NAME/ leads to a scripted provider of that API, and
    /openai/ and /anthropic/ to those; gives it and the providers by name."""
    formats = {name: Provider(name)}
    for other in ("openai", "anthropic"):
        formats[other] = Provider(other)
    http = f"""
    llm_provider {name} {{
        url http://127.0.0.1:{formats[name].port}{directives};
        api_key key;
    }}
    llm_provider openai {{
        url http://127.0.0.1:{formats["openai"].port}/v1;
        api_key key;
    }}
    llm_provider anthropic {{
        url http://127.0.0.1:{formats["anthropic"].port};
        api_key key;
    }}
    llm_upstream models {{ model openai/gpt-4o; }}
"""
    server = "location /models/ { llm_pass models; }\n" + "\n".join(
        f"location /{one}/ {{ llm_pass {one}; }}" for one in formats
    )
    nginx = Gateway(http, server)
    try:
        yield nginx, formats
    finally:
        bad = nginx.stop()
        for provider in formats.values():
            provider.close()
    assert not bad, "\n".join(bad)
