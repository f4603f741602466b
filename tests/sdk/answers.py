"""What providers answer: one description, written out in either API, whole
or as a stream."""

import json
from dataclasses import dataclass, field

from mock import Answer


@dataclass
class Call:
    id: str
    name: str
    arguments: dict


@dataclass
class Said:
    """What a model said. The tokens are the same for all: 20 of the prompt,
    8 of them from a cache; 9 of the answer, 4 of them of reasoning where there
    is some."""

    text: str = ""
    calls: list[Call] = field(default_factory=list)
    reasoning: str = ""
    refusal: str = ""
    finish: str = "stop"        # OpenAI's word


TEXT = Said("Grüß Gott, 世界 👋!")
CUT_SHORT = Said("Once upon a", finish="length")
FILTERED = Said(refusal="I will not do that.", finish="content_filter")
THOUGHT = Said("It is 4.", reasoning="Two and two. Add them.")
TOOLS = Said(
    "Let me look.",
    [
        Call("call_a", "get_weather", {"city": "Zürich", "days": 3}),
        Call("call_b", "get_time", {"zone": "CET"}),
        Call("call_c", "ping", {}),
    ],
    finish="tool_calls",
)

MODEL = {"openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5"}
# The provider says more exactly what it was.
RESPONSE_MODEL = {
    "openai": "gpt-4o-mini-2024-07-18",
    "anthropic": "claude-sonnet-4-5-20250929",
}

STOP_REASON = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}

CREATED = 1750000000


def one_shot(api, said):
    return Answer(_WHOLE[api](said))


def stream(api, said, **options):
    return Answer(_STREAM[api](said, **options))


def bytewise(answer):
    """The same stream, each byte in a chunk of its own."""
    text = b"".join(answer.body)
    return Answer([text[i : i + 1] for i in range(len(text))])


def error(api, status, kind, message, **headers):
    body = {"error": {"type": kind, "message": message}}
    if api == "openai":
        body["error"] |= {"param": None, "code": None}
    else:
        body = {"type": "error", **body, "request_id": "req_1"}
    return Answer(body, status, {k.replace("_", "-"): v for k, v in headers.items()})


def frame(api, data):
    text = json.dumps(data, ensure_ascii=False)
    event = f"event: {data['type']}\n" if api == "anthropic" else ""
    return f"{event}data: {text}\n\n".encode()


# OpenAI


def _openai_usage(said):
    return {
        "prompt_tokens": 20,
        "completion_tokens": 9,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 4 if said.reasoning else 0
        },
    }


def _openai(said):
    message = {
        "role": "assistant",
        "content": said.text or None,
        "refusal": said.refusal or None,
    }
    if said.reasoning:
        message["reasoning_content"] = said.reasoning
    if said.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": json.dumps(call.arguments),
                },
            }
            for call in said.calls
        ]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": CREATED,
        "model": RESPONSE_MODEL["openai"],
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": said.finish,
            }
        ],
        "usage": _openai_usage(said),
        "system_fingerprint": "fp_1",
    }


def _openai_stream(said, usage=True, done=True):
    def chunk(delta, finish=None, **members):
        data = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": RESPONSE_MODEL["openai"],
            "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        if usage:
            data["usage"] = None
        return frame("openai", data | members)

    pieces = [chunk({"role": "assistant", "content": ""})]
    for text in _fragments(said.reasoning):
        pieces.append(chunk({"reasoning_content": text}))
    for text in _fragments(said.text):
        pieces.append(chunk({"content": text}))
    for text in _fragments(said.refusal):
        pieces.append(chunk({"refusal": text}))
    for index, call in enumerate(said.calls):
        head = {
            "index": index,
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": ""},
        }
        pieces.append(chunk({"tool_calls": [head]}))
        for text in _fragments(json.dumps(call.arguments)):
            delta = {"index": index, "function": {"arguments": text}}
            pieces.append(chunk({"tool_calls": [delta]}))
    pieces.append(chunk({}, said.finish))
    if usage:
        pieces.append(
            chunk({}, choices=[], usage=_openai_usage(said))
        )
    if done:
        pieces.append(b"data: [DONE]\n\n")
    return pieces


# Anthropic


def _anthropic_usage(said):
    return {
        # The three are disjoint.
        "input_tokens": 12,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 8,
        "output_tokens": 9,
    }


def _anthropic_blocks(said):
    blocks = []
    if said.reasoning:
        blocks.append(
            {
                "type": "thinking",
                "thinking": said.reasoning,
                "signature": "c2lnbmF0dXJl",
            }
        )
    if said.text or said.refusal:
        blocks.append({"type": "text", "text": said.text or said.refusal})
    for call in said.calls:
        blocks.append(
            {
                "type": "tool_use",
                "id": call.id,
                "name": call.name,
                "input": call.arguments,
            }
        )
    return blocks


def _anthropic(said):
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": RESPONSE_MODEL["anthropic"],
        "content": _anthropic_blocks(said),
        "stop_reason": STOP_REASON[said.finish],
        "stop_sequence": None,
        "usage": _anthropic_usage(said),
    }


_EMPTY = {
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
    "text": {"type": "text", "text": ""},
}


def _anthropic_stream(said, done=True):
    usage = _anthropic_usage(said)
    message = _anthropic(said) | {
        "content": [],
        "stop_reason": None,
        "usage": usage | {"output_tokens": 1},
    }
    events = [{"type": "message_start", "message": message}, {"type": "ping"}]

    for index, block in enumerate(_anthropic_blocks(said)):
        kind = block["type"]
        deltas = []
        if kind == "tool_use":
            start = block | {"input": {}}
            # A call without arguments may have no delta at all.
            text = json.dumps(block["input"]) if block["input"] else ""
            for part in _fragments(text):
                deltas.append({"type": "input_json_delta", "partial_json": part})
        else:
            start = _EMPTY[kind]
            for part in _fragments(block[kind]):
                deltas.append({"type": f"{kind}_delta", kind: part})
            if kind == "thinking":
                deltas.append(
                    {"type": "signature_delta", "signature": block["signature"]}
                )
        events.append(
            {"type": "content_block_start", "index": index, "content_block": start}
        )
        for delta in deltas:
            events.append(
                {"type": "content_block_delta", "index": index, "delta": delta}
            )
        events.append({"type": "content_block_stop", "index": index})

    events.append(
        {
            "type": "message_delta",
            "delta": {
                "stop_reason": STOP_REASON[said.finish],
                "stop_sequence": None,
            },
            "usage": {"output_tokens": usage["output_tokens"]},
        }
    )
    if done:
        events.append({"type": "message_stop"})
    return [frame("anthropic", event) for event in events]


def _fragments(text):
    """Four characters at a time, as models have it, more or less."""
    return [text[i : i + 4] for i in range(0, len(text), 4)]


_WHOLE = {"openai": _openai, "anthropic": _anthropic}
_STREAM = {"openai": _openai_stream, "anthropic": _anthropic_stream}
