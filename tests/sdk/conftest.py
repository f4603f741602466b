import json
import time

import anthropic
import openai
import pytest

import answers
from gateway import Gateway, free_port
from mock import Provider

FORMATS = ("openai", "anthropic")


@pytest.fixture(scope="session")
def providers():
    """The scripted providers behind the gateway, by name."""
    both = {name: Provider(name) for name in FORMATS}
    yield both
    for provider in both.values():
        provider.close()


@pytest.fixture(scope="session")
def closed_port():
    return free_port()


@pytest.fixture(scope="session")
def gateway(providers, closed_port):
    """The locations: /openai/ and /anthropic/ lead to the provider of that
    name; /pool/ to a pool of both with the openai one first; /any/ goes by
    the client's model; /drop/ likewise, and drops what cannot be said;
    /cached/openai/ and /cached/anthropic/ are those without the prefix, with
    a cache; the /simulate/ ones are simulated models behind the gateway;
    /js-chat/ leads to the openai one as to one that speaks nothing but chat
    completions."""
    http = f"""
    llm_provider openai {{
        url http://127.0.0.1:{providers["openai"].port}/v1;
        api_key provider-key;
    }}
    llm_provider anthropic {{
        url http://127.0.0.1:{providers["anthropic"].port};
        api_key provider-key;
    }}
    llm_provider js-chat {{
        format openai;
        url http://127.0.0.1:{providers["openai"].port}/v1;
    }}
    llm_provider gone {{
        format openai;
        url http://127.0.0.1:{closed_port}/v1;
    }}
    llm_cache_zone answers {{
        memory 4m;
    }}
    llm_upstream pool {{
        model openai/{answers.MODEL["openai"]} max_fails=0;
        model anthropic/{answers.MODEL["anthropic"]} backup max_fails=0;
    }}
    llm_upstream dead {{
        model gone/any max_fails=0;
    }}
    llm_upstream from-dead {{
        model gone/any max_fails=0;
        model anthropic/{answers.MODEL["anthropic"]} as=sonnet backup
              max_fails=0;
    }}
"""
    server = """
    location /openai/ { llm_pass openai; }
    location /anthropic/ { llm_pass anthropic; }
    location /js-chat/ { llm_pass js-chat; }
    location /pool/ { llm_pass pool; }
    location /strict/ { llm_pass pool strict; }
    location /dead/ { llm_pass dead; }
    location /from-dead/ { llm_pass from-dead; }
    location /any/ { llm_pass $llm_request_model; }
    location /any/v1/messages/count_tokens { llm_count_tokens; }
    location /cached/openai/ {
        llm_pass openai;
        llm_cache answers;
        llm_cache_key $http_x_test;
    }
    location /cached/anthropic/ {
        llm_pass anthropic;
        llm_cache answers;
        llm_cache_key $http_x_test;
    }
    location /drop/ {
        llm_pass $llm_request_model;
        llm_unsupported drop;
    }
    location /closed/ {
        deny all;
        llm_pass pool;
    }
    location /small/ {
        client_max_body_size 1k;
        llm_pass pool;
    }
"""
    nginx = Gateway(http, server)
    yield nginx
    bad = nginx.stop()
    assert not bad, "\n".join(bad)


@pytest.fixture(params=FORMATS)
def provider(request, providers):
    """The provider that the client's calls lead to: each test that has one
    runs once for each of the two."""
    for one in providers.values():
        one.reset()
    chosen = providers[request.param]
    chosen.model = answers.MODEL[chosen.name]
    return chosen


@pytest.fixture
def behind(providers):
    """Both providers, for tests that choose themselves."""
    for one in providers.values():
        one.reset()
    return providers


class Clients:
    """SDK clients of the gateway. Of their own accord they try nothing
    again: what is seen is what the gateway did."""

    def __init__(self, gateway):
        self._gateway = gateway

    def _options(self, path, version, options):
        return {
            "base_url": self._gateway.url(f"/{path}{version}"),
            "api_key": "client-key",
            "max_retries": 0,
            "timeout": 20,
        } | options

    def openai(self, path, **options):
        return openai.OpenAI(**self._options(path, "/v1", options))

    def openai_async(self, path, **options):
        return openai.AsyncOpenAI(**self._options(path, "/v1", options))

    def anthropic(self, path, **options):
        return anthropic.Anthropic(**self._options(path, "", options))

    def anthropic_async(self, path, **options):
        return anthropic.AsyncAnthropic(**self._options(path, "", options))


@pytest.fixture(scope="session")
def clients(gateway):
    return Clients(gateway)


@pytest.fixture
def openai_client(clients, provider):
    with clients.openai(provider.name) as client:
        yield client


@pytest.fixture
def anthropic_client(clients, provider):
    with clients.anthropic(provider.name) as client:
        yield client


@pytest.fixture
def account(gateway):
    """What the gateway logs of the next request: its variables. The log is
    written after the client has its answer, hence the waiting."""
    before = len(gateway.access_log())

    def read():
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            lines = gateway.access_log()[before:]
            if lines:
                assert len(lines) == 1, lines
                return json.loads(lines[0])
            time.sleep(0.01)
        raise AssertionError("nothing was logged")

    return read
