"""What goes over the wire, held against the SDKs' own types, strictly: no
member that the SDK does not know, none missing, none of another type."""

import json
import re

import anthropic.types
import openai.types.chat
from pydantic import TypeAdapter

import vendors

_PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}

_KEYS = {
    "openai": ("authorization", "Bearer provider-key"),
    "anthropic": ("x-api-key", "provider-key"),
}


def check_request(provider, request):
    """A request as the provider's API wants it; returns its JSON."""
    assert request.method == "POST"
    assert request.path == _PATHS[provider]
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    name, value = _KEYS[provider]
    assert request.headers[name] == value
    if provider == "anthropic":
        # the client's own, where it names one
        version = request.headers["anthropic-version"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", version)
    for value in request.headers.values():
        assert "client-key" not in value

    return vendors.CHECKS[provider](request)


_ANSWERS = {
    openai.types.chat.ChatCompletion: TypeAdapter(
        openai.types.chat.ChatCompletion
    ),
    openai.types.chat.ChatCompletionChunk: TypeAdapter(
        openai.types.chat.ChatCompletionChunk
    ),
    anthropic.types.Message: TypeAdapter(anthropic.types.Message),
    anthropic.types.RawMessageStreamEvent: TypeAdapter(
        anthropic.types.RawMessageStreamEvent
    ),
}


def check_answer(kind, answer):
    """The SDKs take what comes; this does not. `answer`: their object, or
    bytes. Returns the object."""
    text = answer
    if not isinstance(text, bytes):
        text = json.dumps(answer.to_dict(mode="json", use_api_names=True))
    _ANSWERS[kind].validate_json(text, strict=True)
    return answer


def completion(answer):
    return check_answer(openai.types.chat.ChatCompletion, answer)


def message(answer):
    return check_answer(anthropic.types.Message, answer)


def chunks(stream):
    """All chunks of an OpenAI stream, in the order that the API keeps to."""
    seen = []
    for chunk in stream:
        seen.append(check_answer(openai.types.chat.ChatCompletionChunk, chunk))
    check_chunks(seen)
    return seen


def check_chunks(seen):
    assert len({c.id for c in seen}) == 1
    assert len({c.created for c in seen}) == 1
    with_choice = [c for c in seen if c.choices]
    assert with_choice[0].choices[0].delta.role == "assistant"
    assert with_choice[-1].choices[0].finish_reason is not None
    for chunk in with_choice[:-1]:
        assert chunk.choices[0].finish_reason is None
    # Without a choice there is only the usage, at the very end.
    assert seen.index(with_choice[-1]) >= len(seen) - 2
    for chunk in seen[len(with_choice):]:
        assert chunk.usage is not None


def events(stream):
    """All events of an Anthropic stream, in the order that the API keeps
    to."""
    seen = []
    for event in stream:
        seen.append(check_answer(anthropic.types.RawMessageStreamEvent, event))
    check_events(seen)
    return seen


def check_events(seen):
    types = [e.type for e in seen]
    assert types[0] == "message_start"
    assert types[-1] == "message_stop"
    assert types[-2] == "message_delta"
    open_block = None
    next_index = 0
    for event in seen:
        match event.type:
            case "content_block_start":
                assert open_block is None
                assert event.index == next_index
                open_block = next_index
                next_index += 1
            case "content_block_delta":
                assert event.index == open_block
            case "content_block_stop":
                assert event.index == open_block
                open_block = None
    assert open_block is None


def texts(message):
    """The texts of a message's content, whichever way it is written."""
    content = message["content"]
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content if part["type"] == "text"]
