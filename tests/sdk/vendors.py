"""What a provider is sent, held against the types that its vendor publishes:
no member that these do not know, none missing, none of another type, and what
the API's documentation demands beyond types. CHECKS has a function for each
API: it takes a mock.Request and returns its JSON."""

import base64
import gzip
import inspect
import json
import re
from pathlib import Path
from typing import get_type_hints

import botocore
import cohere
import cohere.types
import ollama._types
import pydantic
from anthropic.types.message_create_params import (
    MessageCreateParams,
    MessageCreateParamsNonStreaming,
)
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from google.genai import types as genai
from mistralai.client import models as mistral
from openai.types.chat.completion_create_params import (
    CompletionCreateParams as ChatParams,
)
from openai.types.completion_create_params import CompletionCreateParams
from openai.types.responses.response_create_params import ResponseCreateParams
from pydantic_core import CoreConfig, SchemaValidator
from typing_extensions import TypedDict


def _strict(schema):
    """The SDKs' types tolerate unknown members; those that are typed
    dictionaries have iterables besides, of which nothing is looked at before
    somebody iterates. Pydantic's schema of them is made strict in both. A
    model's class has a validator of its own, as tolerant, which its fields
    alone do not ask."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if isinstance(schema, tuple):
        return tuple(_strict(part) for part in schema)
    if not isinstance(schema, dict):
        return schema

    if schema.get("type") == "model":
        fields = _strict(schema["schema"])
        return fields | {k: schema[k] for k in ("ref",) if k in schema}
    schema = {name: _strict(part) for name, part in schema.items()}
    match schema.get("type"):
        case "typed-dict" | "model-fields":
            schema["extra_behavior"] = "forbid"
        case "generator":
            schema["type"] = "list"
    return schema


def typed(params):
    """A validator of one of the SDKs' types, or a model's class."""
    return SchemaValidator(
        _strict(pydantic.TypeAdapter(params).core_schema),
        CoreConfig(strict=True),
    )


# OpenAI

_CHAT = typed(ChatParams)
_RESPONSES = typed(ResponseCreateParams)
_COMPLETIONS = typed(CompletionCreateParams)


def openai(request):
    body = request.json()
    _CHAT.validate_python(body)
    return body


def responses(request):
    body = request.json()
    _RESPONSES.validate_python(body)
    return body


def completions(request):
    body = request.json()
    _COMPLETIONS.validate_python(body)
    return body


# Anthropic

_MESSAGES = typed(MessageCreateParams)

# What the API takes from its older models' clients, and newer releases of
# the SDK do not offer any more.
_NO_MORE = {"temperature", "top_p", "top_k"} - set(
    get_type_hints(MessageCreateParamsNonStreaming)
)


def anthropic(request):
    body = request.json()
    _MESSAGES.validate_python(
        {k: v for k, v in body.items() if k not in _NO_MORE}
    )
    # The SDK's type allows what the API does not say no to either; these
    # rules are in the API's documentation.
    _check_turns(body["messages"])
    return body


def _check_turns(messages):
    """Roles take turns, and results of tools come first in the turn that
    follows their calls."""
    calls = []
    for before, message in zip([None, *messages], messages):
        assert before is None or before["role"] != message["role"]
        content = message["content"]
        blocks = [] if isinstance(content, str) else content
        types = [block["type"] for block in blocks]
        results = [b["tool_use_id"] for b in blocks
                   if b["type"] == "tool_result"]
        assert types[: len(results)] == ["tool_result"] * len(results)
        assert sorted(results) == sorted(calls)
        calls = [b["id"] for b in blocks if b["type"] == "tool_use"]


# Google


class _Gemini(pydantic.BaseModel):
    """generateContent's request; the SDK's types know no other members."""

    model_config = pydantic.ConfigDict(extra="forbid")

    systemInstruction: genai.Content | None = None
    contents: list[genai.Content]
    tools: list[genai.Tool] | None = None
    toolConfig: genai.ToolConfig | None = None
    generationConfig: genai.GenerationConfig | None = None
    serviceTier: str | None = None


def gemini(request):
    _Gemini.model_validate_json(request.body)
    body = request.json()
    _check_contents(body["contents"])
    return body


def _check_contents(contents):
    """The results of a turn's calls follow it, as many and in their order."""
    assert contents[0]["role"] == "user"
    calls = []
    for content in contents:
        results = [p["functionResponse"] for p in content["parts"]
                   if "functionResponse" in p]
        if results or calls:
            assert len(results) == len(content["parts"])
        assert [r["name"] for r in results] == calls
        calls = [p["functionCall"]["name"] for p in content["parts"]
                 if "functionCall" in p]


# AWS: there are no types, but the service's model that the SDK is made of.


def _service():
    folder = Path(botocore.__file__).parent / "data/bedrock-runtime"
    path = next(folder.glob("*/service-2.json.gz"))
    return ServiceModel(json.loads(gzip.decompress(path.read_bytes())))


_SERVICE = _service()
_BEDROCK = _SERVICE.operation_model("Converse").input_shape


def bedrock_path(operation, model):
    """Where the service has an operation, before anything is escaped."""
    uri = _SERVICE.operation_model(operation).http["requestUri"]
    return uri.replace("{modelId}", model)


def bedrock(request):
    """Converse's, which ConverseStream's is the same as."""
    body = request.json()
    params = _from_wire(body, _BEDROCK)
    unknown = set(params) - set(_BEDROCK.members)
    assert not unknown, unknown
    report = ParamValidator().validate({"modelId": "m", **params}, _BEDROCK)
    assert not report.has_errors(), report.generate_report()
    _check_shape(body, _BEDROCK)
    return body


def _from_wire(value, shape):
    """A parsed body as an SDK's caller would have written it: bytes for
    base64. Unknown members stay, for the validator to find."""
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    if shape.type_name == "structure" and not shape.is_document_type:
        return {
            name: _from_wire(item, shape.members[name])
            if name in shape.members
            else item
            for name, item in value.items()
        }
    if shape.type_name == "list":
        return [_from_wire(item, shape.member) for item in value]
    if shape.type_name == "map":
        return {k: _from_wire(v, shape.value) for k, v in value.items()}
    return value


def _check_shape(value, shape):
    """The validator does not look at unions, enumerations and patterns."""
    if shape.type_name == "structure" and not shape.is_document_type:
        if shape.is_tagged_union:
            assert len(value) == 1, value
        for name, item in value.items():
            assert name in shape.members, (shape.name, name)
            _check_shape(item, shape.members[name])
    elif shape.type_name == "list":
        for item in value:
            _check_shape(item, shape.member)
    elif shape.type_name == "map":
        for item in value.values():
            _check_shape(item, shape.value)
    elif shape.type_name == "string":
        if shape.enum:
            assert value in shape.enum, (shape.name, value)
        pattern = shape.metadata.get("pattern")
        if pattern:
            assert re.fullmatch(pattern, value), (shape.name, value)


# Cohere: the body's members are the arguments of the client's method.

_COHERE = typed(TypedDict(
    "_Cohere",
    {
        name: parameter.annotation
        for name, parameter in inspect.signature(
            cohere.ClientV2.chat, eval_str=True
        ).parameters.items()
        if name not in ("self", "request_options")
    } | {"stream": bool},
    total=False,
))


def cohere_chat(request):
    body = request.json()
    _COHERE.validate_json(request.body)
    assert body["model"] and body["messages"]
    return body


# Ollama

_OLLAMA = typed(ollama._types.ChatRequest)
_OLLAMA_MESSAGE = typed(ollama._types.Message)
_OLLAMA_GENERATE = typed(ollama._types.GenerateRequest)


def ollama_chat(request):
    body = request.json()
    _OLLAMA.validate_json(request.body)
    # Of the body's messages its type takes any mapping.
    for message in body["messages"]:
        message = dict(message)
        # The server knows ids of calls, which the package leaves out.
        message.pop("tool_call_id", None)
        if "tool_calls" in message:
            message["tool_calls"] = [
                {k: v for k, v in call.items() if k != "id"}
                for call in message["tool_calls"]
            ]
        if "images" in message:
            message["images"] = _images(message["images"])
        _OLLAMA_MESSAGE.validate_python(message)
    return body


def ollama_generate(request):
    body = request.json()
    sent = dict(body)
    if "images" in sent:
        sent["images"] = _images(sent["images"])
    _OLLAMA_GENERATE.validate_python(sent)
    return body


def _images(texts):
    """A type of the package's own, which it sends as a text."""
    for text in texts:
        base64.b64decode(text, validate=True)
    return [{"value": text} for text in texts]


# Mistral

_MISTRAL_MESSAGES = {
    "system": mistral.SystemMessage,
    "user": mistral.UserMessage,
    "assistant": mistral.AssistantMessage,
    "tool": mistral.ToolMessage,
}


def mistral_chat(request):
    """Its server answers 422 to what it does not know. Its types find out
    themselves which of a union they are, and cannot be made strict."""
    body = request.json()
    mistral.ChatCompletionRequest.model_validate(body)
    assert set(body) <= set(mistral.ChatCompletionRequest.model_fields)
    for tool in body.get("tools") or []:
        assert set(tool) <= set(mistral.Tool.model_fields)
        assert set(tool["function"]) <= set(mistral.Function.model_fields)
    for message in body["messages"]:
        known = _MISTRAL_MESSAGES[message["role"]].model_fields
        assert set(message) <= set(known)
        ids = [c["id"] for c in message.get("tool_calls", [])]
        ids += [message["tool_call_id"]] if "tool_call_id" in message else []
        assert all(re.fullmatch("[A-Za-z0-9]{9}", one) for one in ids)
    roles = [m["role"] for m in body["messages"]]
    assert ("tool", "user") not in zip(roles, roles[1:])
    return body


CHECKS = {
    "openai": openai,
    "responses": responses,
    "completions": completions,
    "anthropic": anthropic,
    "gemini": gemini,
    "bedrock": bedrock,
    "cohere": cohere_chat,
    "ollama": ollama_chat,
    "ollama-generate": ollama_generate,
    "mistral": mistral_chat,
}
