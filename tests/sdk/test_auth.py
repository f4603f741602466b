"""Virtual keys (llm_auth): what the SDKs make of a key that is good, of one
that is not, and of a model that it may not use."""

import hashlib
import pathlib
import tempfile

import anthropic
import openai
import pytest

from gateway import Gateway

HELLO = [{"role": "user", "content": "Say hello"}]


@pytest.fixture(scope="module")
def guarded():
    """A simulated model of each API, for a consumer who may use "small"."""
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
        digest = hashlib.sha256(b"sk-alice").hexdigest()
        keys.write(f"alice {digest} models=small\n")
        keys.flush()
        pathlib.Path(keys.name).chmod(0o644)
        nginx = Gateway(
            f"llm_auth file={keys.name};",
            """
            location /openai/ { llm_simulate openai reply=hello; }
            location /anthropic/ { llm_simulate anthropic reply=hello; }
            """,
        )
        yield nginx
        bad = nginx.stop()
        assert not bad, "\n".join(bad)


def ask_openai(gateway, key, model="small"):
    with openai.OpenAI(
        base_url=gateway.url("/openai/v1"), api_key=key, max_retries=0
    ) as client:
        answer = client.chat.completions.create(model=model, messages=HELLO)
        return answer.choices[0].message.content


def ask_anthropic(gateway, model="small", **credentials):
    with anthropic.Anthropic(
        base_url=gateway.url("/anthropic"), max_retries=0, **credentials
    ) as client:
        answer = client.messages.create(
            model=model, messages=HELLO, max_tokens=50
        )
        return answer.content[0].text


def test_a_good_key(guarded):
    assert ask_openai(guarded, "sk-alice") == "hello"
    assert ask_anthropic(guarded, api_key="sk-alice") == "hello"
    assert ask_anthropic(guarded, auth_token="sk-alice") == "hello"


def test_a_wrong_key_is_an_authentication_error(guarded):
    with pytest.raises(openai.AuthenticationError) as refused:
        ask_openai(guarded, "sk-wrong")
    assert refused.value.code == "invalid_api_key"
    assert "not known to this gateway" in str(refused.value)

    with pytest.raises(anthropic.AuthenticationError) as refused:
        ask_anthropic(guarded, api_key="sk-wrong")
    assert refused.value.body["error"]["type"] == "authentication_error"


def test_a_model_that_is_not_allowed_is_a_permission_error(guarded):
    with pytest.raises(openai.PermissionDeniedError) as refused:
        ask_openai(guarded, "sk-alice", "large")
    assert refused.value.code == "model_not_allowed"
    assert 'the model "large" is not allowed here' in str(refused.value)

    with pytest.raises(anthropic.PermissionDeniedError):
        ask_anthropic(guarded, "large", api_key="sk-alice")
