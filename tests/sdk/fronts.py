"""Every client API's official SDK behind one interface: what a test asks in
general, each asks in its own words, and it tells in general what it was
answered. `Front` says what there is to ask."""

import base64
import json
from dataclasses import dataclass, field

import anthropic
import boto3
import botocore.config
import botocore.exceptions
import cohere
import ollama
import openai
import pydantic
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types
from mistralai.client import Mistral
from mistralai.client.errors import SDKError

import natives
import wire


class City(pydantic.BaseModel):
    """What an answer by a schema is to be."""

    name: str
    population: int


SCHEMA = City.model_json_schema() | {"additionalProperties": False}
TOOL = "get_weather"
DESCRIPTION = "The weather in a city"
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
FUNCTION = {
    "name": TOOL,
    "description": DESCRIPTION,
    "parameters": PARAMETERS,
}
RESULT = "20 degrees"
PNG = base64.b64decode(natives.PNG)
TIMEOUT = 20


@dataclass
class Call:
    id: str | None
    name: str
    arguments: dict


@dataclass
class Got:
    """What came back: `finish` is OpenAI's word for it; `pieces`: how many
    parts of a stream had text. `turn` is the answer as the SDK wants it back
    in the next request."""

    text: str = ""
    finish: str | None = None
    calls: list[Call] = field(default_factory=list)
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    pieces: int = 0
    turn: object = None


class Front:
    """chat() asks a question, stream() the same as a stream; tools() offers
    get_weather, and where `got` is given it sends the answer with that call
    back, and the call's RESULT after it; schema() wants a City. error() is
    the class of the SDK's exceptions for a status, and status_of() what such
    an exception says it was. everything() has all that the API can say of a
    conversation in one call."""

    can_call = True
    # Whether the SDK reads calls in the streams that others than its own
    # vendor send.
    streams_calls = True
    # Whether the SDK asks for the tokens of a stream, or gets them unasked.
    streams_usage = True
    can_schema = True
    # The member that asks for an answer by a schema.
    schema_member = "response_format"
    finishes = {"stop": "stop", "length": "length"}

    def error(self, status):
        return self.errors[status]

    def status_of(self, error):
        return error.status_code

    def said(self, error):
        """All that the exception says."""
        return f"{error} {getattr(error, 'body', '')}"

    def close(self):
        pass


class _OpenAi(Front):
    errors = {
        400: openai.BadRequestError,
        401: openai.AuthenticationError,
        429: openai.RateLimitError,
        500: openai.InternalServerError,
    }

    def __init__(self, url):
        self.sdk = openai.OpenAI(
            base_url=url + "/v1", api_key="client-key", max_retries=0,
            timeout=TIMEOUT,
        )

    def close(self):
        self.sdk.close()


class OpenAiChat(_OpenAi):
    tool = {"type": "function", "function": FUNCTION}

    @staticmethod
    def got(completion):
        (choice,) = completion.choices
        usage = completion.usage
        return Got(
            choice.message.content or "",
            choice.finish_reason,
            [
                Call(c.id, c.function.name, json.loads(c.function.arguments))
                for c in choice.message.tool_calls or []
            ],
            usage and usage.prompt_tokens,
            usage and usage.completion_tokens,
            turn=choice.message.to_dict(),
        )

    def chat(self, model, question, **options):
        return self.got(wire.completion(self.sdk.chat.completions.create(
            model=model, messages=[{"role": "user", "content": question}],
            **options,
        )))

    def stream(self, model, question, **options):
        create = self.sdk.chat.completions.create
        chunks = wire.chunks(create(
            model=model, messages=[{"role": "user", "content": question}],
            stream=True, stream_options={"include_usage": True}, **options,
        ))
        state = openai.lib.streaming.chat.ChatCompletionStreamState()
        for chunk in chunks:
            state.handle_chunk(chunk)
        got = self.got(state.get_final_completion())
        got.pieces = sum(
            bool(c.choices and c.choices[0].delta.content) for c in chunks
        )
        return got

    def tools(self, model, question, got=None, stream=False):
        messages = [{"role": "user", "content": question}]
        if got:
            (call,) = got.calls
            messages += [
                got.turn,
                {"role": "tool", "tool_call_id": call.id, "content": RESULT},
            ]
        ask = self.stream if stream else self.chat
        return ask(model, question, tools=[self.tool],
                   extra_body={"messages": messages})

    def schema(self, model, question):
        answer = self.sdk.chat.completions.parse(
            model=model, messages=[{"role": "user", "content": question}],
            response_format=City,
        )
        return answer.choices[0].message.parsed

    def everything(self, model):
        self.sdk.chat.completions.create(
            model=model,
            messages=[
                {"role": "developer", "content": "Be kind."},
                *natives.CONVERSATION,
            ],
            tools=[self.tool, {"type": "function", "function": {
                "name": "ping"}}],
            tool_choice="required",
            parallel_tool_calls=False,
            response_format={"type": "json_schema", "json_schema": {
                "name": "City", "schema": SCHEMA, "strict": True}},
            reasoning_effort="low",
            frequency_penalty=0.5,
            presence_penalty=0.5,
            logprobs=True,
            top_logprobs=2,
            metadata={"a": "b"},
            service_tier="auto",
            store=False,
            verbosity="low",
            **natives.SAMPLING,
        )


class OpenAiResponses(_OpenAi):
    schema_member = "text.format"
    tool = {"type": "function", "strict": False} | FUNCTION

    @staticmethod
    def got(response):
        calls = [
            Call(i.call_id, i.name, json.loads(i.arguments))
            for i in response.output if i.type == "function_call"
        ]
        finish = {"completed": "stop"}[response.status]
        return Got(
            response.output_text,
            "tool_calls" if calls else finish,
            calls,
            response.usage.input_tokens,
            response.usage.output_tokens,
            turn=response.output,
        )

    def chat(self, model, question, **options):
        return self.got(self.sdk.responses.create(
            model=model, input=question, **options
        ))

    def stream(self, model, question, **options):
        # The SDK's helper has types of its own for tools; this reads what
        # comes.
        pieces = 0
        for number, event in enumerate(self.sdk.responses.create(
            model=model, input=question, stream=True, **options
        )):
            assert event.sequence_number == number
            pieces += event.type == "response.output_text.delta"
        assert event.type == "response.completed"
        got = self.got(event.response)
        got.pieces = pieces
        return got

    def tools(self, model, question, got=None, stream=False):
        asked = [{"role": "user", "content": question}]
        if got:
            (call,) = got.calls
            asked += [
                *got.turn,
                {
                    "type": "function_call_output",
                    "call_id": call.id,
                    "output": RESULT,
                },
            ]
        ask = self.stream if stream else self.chat
        return ask(model, asked, tools=[self.tool])

    def schema(self, model, question):
        return self.sdk.responses.parse(
            model=model, input=question, text_format=City
        ).output_parsed

    def everything(self, model):
        self.sdk.responses.create(
            model=model,
            instructions="Be brief.",
            input=[
                {"role": "developer", "content": "Be kind."},
                {"role": "user", "content": [
                    {"type": "input_text", "text": "Look."},
                    {"type": "input_image", "detail": "low",
                     "image_url": f"data:image/png;base64,{natives.PNG}"},
                ]},
                {"type": "function_call", "call_id": "call_1", "name": TOOL,
                 "arguments": '{"city": "Bern"}'},
                {"type": "function_call_output", "call_id": "call_1",
                 "output": RESULT},
                {"role": "user", "content": "And now?"},
            ],
            tools=[self.tool],
            tool_choice="required",
            parallel_tool_calls=False,
            text={"verbosity": "low", "format": {
                "type": "json_schema", "name": "City", "schema": SCHEMA,
                "strict": True}},
            reasoning={"effort": "low", "summary": "auto"},
            max_output_tokens=2000,
            temperature=0.5,
            top_p=0.9,
            metadata={"a": "b"},
            service_tier="auto",
            store=False,
        )


class OpenAiCompletions(_OpenAi):
    can_call = False
    can_schema = False

    @staticmethod
    def got(completion):
        (choice,) = completion.choices
        return Got(
            choice.text, choice.finish_reason, [],
            completion.usage.prompt_tokens, completion.usage.completion_tokens,
        )

    def chat(self, model, question):
        return self.got(
            self.sdk.completions.create(model=model, prompt=question)
        )

    def stream(self, model, question):
        chunks = list(self.sdk.completions.create(
            model=model, prompt=question, stream=True,
            stream_options={"include_usage": True},
        ))
        choices = [c.choices[0] for c in chunks if c.choices]
        return Got(
            "".join(c.text for c in choices),
            choices[-1].finish_reason,
            [],
            chunks[-1].usage.prompt_tokens,
            chunks[-1].usage.completion_tokens,
            pieces=sum(bool(c.text) for c in choices),
        )

    def everything(self, model):
        self.sdk.completions.create(
            model=model, prompt="Once", max_tokens=50, temperature=0.5,
            top_p=0.9, seed=7, stop=["END"], user="somebody",
            frequency_penalty=0.5, presence_penalty=0.5, n=1,
        )


class AnthropicMessages(Front):
    schema_member = "output_config.format"
    errors = {
        400: anthropic.BadRequestError,
        401: anthropic.AuthenticationError,
        429: anthropic.RateLimitError,
        500: anthropic.InternalServerError,
    }
    finishes = {"end_turn": "stop", "tool_use": "tool_calls"}
    tool = {
        "name": TOOL,
        "description": DESCRIPTION,
        "input_schema": PARAMETERS,
    }

    def __init__(self, url):
        self.sdk = anthropic.Anthropic(
            base_url=url, api_key="client-key", max_retries=0, timeout=TIMEOUT
        )

    def got(self, message):
        return Got(
            "".join(b.text for b in message.content if b.type == "text"),
            self.finishes[message.stop_reason],
            [
                Call(b.id, b.name, b.input)
                for b in message.content if b.type == "tool_use"
            ],
            message.usage.input_tokens,
            message.usage.output_tokens,
            turn={"role": "assistant", "content": message.content},
        )

    @staticmethod
    def asked(model, messages, options):
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        return {"model": model, "max_tokens": 100, "messages": messages,
                **options}

    def chat(self, model, question, **options):
        return self.got(wire.message(self.sdk.messages.create(
            **self.asked(model, question, options)
        )))

    def stream(self, model, question, **options):
        with self.sdk.messages.stream(
            **self.asked(model, question, options)
        ) as stream:
            pieces = sum(
                e.type == "content_block_delta" and e.delta.type == "text_delta"
                for e in stream
            )
            got = self.got(stream.get_final_message())
        got.pieces = pieces
        return got

    def tools(self, model, question, got=None, stream=False):
        messages = [{"role": "user", "content": question}]
        if got:
            (call,) = got.calls
            messages += [
                got.turn,
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": call.id,
                            "content": RESULT,
                        }
                    ],
                },
            ]
        ask = self.stream if stream else self.chat
        return ask(model, messages, tools=[self.tool])

    def schema(self, model, question):
        return self.sdk.messages.parse(
            **self.asked(model, question, {"output_format": City})
        ).parsed_output

    def close(self):
        self.sdk.close()

    def everything(self, model):
        image = {"type": "base64", "media_type": "image/png",
                 "data": natives.PNG}
        self.sdk.messages.create(
            model=model,
            max_tokens=50,
            system=[{"type": "text", "text": "Be brief.",
                     "cache_control": {"type": "ephemeral"}}],
            messages=[
                {"role": "user", "content": [
                    {"type": "text", "text": "Look."},
                    {"type": "image", "source": image},
                ]},
                {"role": "assistant", "content": [
                    {"type": "text", "text": "I will."},
                    {"type": "tool_use", "id": "toolu_1", "name": TOOL,
                     "input": {"city": "Bern"}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1",
                     "content": RESULT},
                    {"type": "text", "text": "And now?"},
                ]},
            ],
            tools=[self.tool],
            tool_choice={"type": "any", "disable_parallel_tool_use": True},
            stop_sequences=["END"],
            metadata={"user_id": "somebody"},
            # Newer releases of the SDK do not offer it.
            extra_body={"temperature": 0.5, "top_k": 40},
        )


class Gemini(Front):
    schema_member = "generationConfig.responseSchema"
    errors = {
        400: genai_errors.ClientError,
        401: genai_errors.ClientError,
        429: genai_errors.ClientError,
        500: genai_errors.ServerError,
    }
    tools_offered = genai_types.Tool(function_declarations=[
        genai_types.FunctionDeclaration(
            name=TOOL, description=DESCRIPTION,
            parameters_json_schema=PARAMETERS,
        )
    ])

    def __init__(self, url):
        self.sdk = genai.Client(
            api_key="client-key",
            http_options=genai_types.HttpOptions(
                base_url=url + "/",
                api_version="v1beta",
                timeout=TIMEOUT * 1000,
                retry_options=genai_types.HttpRetryOptions(attempts=1),
            ),
        )

    def status_of(self, error):
        return error.code

    @staticmethod
    def got(chunks):
        """Of one answer, or of a stream's."""
        parts = [
            p for c in chunks for x in c.candidates or []
            for p in (x.content and x.content.parts) or []
        ]
        calls = [
            Call(p.function_call.id, p.function_call.name,
                 p.function_call.args)
            for p in parts if p.function_call
        ]
        finish = {"STOP": "stop"}[chunks[-1].candidates[0].finish_reason.name]
        usage = chunks[-1].usage_metadata
        return Got(
            "".join(p.text or "" for p in parts),
            # It has no word of its own for calls.
            "tool_calls" if calls else finish,
            calls,
            usage.prompt_token_count,
            usage.candidates_token_count,
            sum(bool(p.text) for p in parts),
            genai_types.Content(role="model", parts=parts),
        )

    def chat(self, model, question, **config):
        return self.got([self.sdk.models.generate_content(
            model=model, contents=question, config=config
        )])

    def stream(self, model, question, **config):
        return self.got(list(self.sdk.models.generate_content_stream(
            model=model, contents=question, config=config
        )))

    def tools(self, model, question, got=None, stream=False):
        contents = [
            genai_types.Content(
                role="user", parts=[genai_types.Part(text=question)]
            )
        ]
        if got:
            (call,) = got.calls
            contents += [
                got.turn,
                genai_types.Content(role="user", parts=[
                    genai_types.Part(
                        function_response=genai_types.FunctionResponse(
                            id=call.id, name=call.name,
                            response={"output": RESULT},
                        )
                    )
                ]),
            ]
        ask = self.stream if stream else self.chat
        return ask(model, contents, tools=[self.tools_offered])

    def schema(self, model, question):
        return self.sdk.models.generate_content(
            model=model, contents=question,
            config={
                "response_mime_type": "application/json",
                "response_schema": City,
            },
        ).parsed

    def close(self):
        self.sdk.close()

    def everything(self, model):
        call = genai_types.FunctionCall(
            id="call_1", name=TOOL, args={"city": "Bern"}
        )
        result = genai_types.FunctionResponse(
            id="call_1", name=TOOL, response={"output": RESULT}
        )
        contents = [
            ("user", [
                genai_types.Part(text="Look."),
                genai_types.Part.from_bytes(data=PNG, mime_type="image/png"),
            ]),
            ("model", [genai_types.Part(function_call=call)]),
            ("user", [genai_types.Part(function_response=result)]),
            ("model", [genai_types.Part(text="Sunny.")]),
            ("user", [genai_types.Part(text="And now?")]),
        ]
        self.sdk.models.generate_content(
            model=model,
            contents=[
                genai_types.Content(role=role, parts=parts)
                for role, parts in contents
            ],
            config=genai_types.GenerateContentConfig(
                system_instruction="Be brief.",
                tools=[self.tools_offered],
                tool_config=genai_types.ToolConfig(
                    function_calling_config=genai_types.FunctionCallingConfig(
                        mode="ANY"
                    )
                ),
                thinking_config=genai_types.ThinkingConfig(
                    thinking_budget=1024, include_thoughts=True
                ),
                response_mime_type="application/json",
                response_json_schema=SCHEMA,
                max_output_tokens=2000,
                temperature=0.5,
                top_p=0.9,
                top_k=40,
                seed=7,
                stop_sequences=["END"],
                frequency_penalty=0.5,
                presence_penalty=0.5,
            ),
        )


class Bedrock(Front):
    schema_member = "outputConfig.textFormat"
    finishes = {"end_turn": "stop", "tool_use": "tool_calls"}
    tool = {
        "toolSpec": {
            "name": TOOL,
            "description": DESCRIPTION,
            "inputSchema": {"json": PARAMETERS},
        }
    }

    def __init__(self, url):
        self.sdk = boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=url,
            aws_access_key_id="AKIDCLIENT",
            aws_secret_access_key="client-secret",
            config=botocore.config.Config(
                retries={"total_max_attempts": 1}, read_timeout=TIMEOUT
            ),
        )
        known = self.sdk.exceptions
        self.errors = {
            400: known.ValidationException,
            # Of every service of AWS, hence of none's exceptions.
            401: botocore.exceptions.ClientError,
            429: known.ThrottlingException,
            500: known.InternalServerException,
        }

    def status_of(self, error):
        # AWS says 403 where others say 401.
        return {
            "ValidationException": 400,
            "UnrecognizedClientException": 401,
            "ThrottlingException": 429,
            "InternalServerException": 500,
        }[error.response["Error"]["Code"]]

    @staticmethod
    def asked(model, messages, options):
        if isinstance(messages, str):
            messages = [{"role": "user", "content": [{"text": messages}]}]
        return {"modelId": model, "messages": messages, **options}

    def got(self, message, stop, usage, pieces=0):
        return Got(
            "".join(b.get("text", "") for b in message["content"]),
            self.finishes[stop],
            [
                Call(b["toolUse"]["toolUseId"], b["toolUse"]["name"],
                     b["toolUse"]["input"])
                for b in message["content"] if "toolUse" in b
            ],
            usage["inputTokens"],
            usage["outputTokens"],
            pieces,
            message,
        )

    def chat(self, model, question, **options):
        answer = self.sdk.converse(**self.asked(model, question, options))
        return self.got(
            answer["output"]["message"], answer["stopReason"], answer["usage"]
        )

    def stream(self, model, question, **options):
        pieces = 0
        blocks = {}
        for event in self.sdk.converse_stream(
            **self.asked(model, question, options)
        )["stream"]:
            ((name, data),) = event.items()
            if name == "contentBlockStart":
                tool = data["start"]["toolUse"] | {"input": ""}
                blocks[data["contentBlockIndex"]] = {"toolUse": tool}
            elif name == "contentBlockDelta":
                delta = data["delta"]
                block = blocks.setdefault(data["contentBlockIndex"], {})
                if "text" in delta:
                    block["text"] = block.get("text", "") + delta["text"]
                    pieces += 1
                else:
                    block["toolUse"]["input"] += delta["toolUse"]["input"]
            elif name == "messageStop":
                stop = data["stopReason"]
            elif name == "metadata":
                usage = data["usage"]
        for block in blocks.values():
            if "toolUse" in block:
                tool = block["toolUse"]
                tool["input"] = json.loads(tool["input"] or "{}")
        message = {"role": "assistant", "content": list(blocks.values())}
        return self.got(message, stop, usage, pieces)

    def tools(self, model, question, got=None, stream=False):
        messages = [{"role": "user", "content": [{"text": question}]}]
        if got:
            (call,) = got.calls
            result = {"toolUseId": call.id, "content": [{"text": RESULT}]}
            messages += [
                got.turn,
                {"role": "user", "content": [{"toolResult": result}]},
            ]
        ask = self.stream if stream else self.chat
        return ask(model, messages, toolConfig={"tools": [self.tool]})

    def schema(self, model, question):
        schema = {"name": "City", "schema": json.dumps(SCHEMA)}
        wanted = {
            "textFormat": {
                "type": "json_schema",
                "structure": {"jsonSchema": schema},
            }
        }
        got = self.chat(model, question, outputConfig=wanted)
        return City.model_validate_json(got.text)

    def close(self):
        self.sdk.close()

    def everything(self, model):
        call = {"toolUseId": "t1", "name": TOOL, "input": {"city": "Bern"}}
        result = {"toolUseId": "t1", "content": [{"text": RESULT}],
                  "status": "success"}
        schema = {"name": "City", "schema": json.dumps(SCHEMA)}
        self.sdk.converse(
            modelId=model,
            system=[{"text": "Be brief."}],
            messages=[
                {"role": "user", "content": [
                    {"text": "Look."},
                    {"image": {"format": "png", "source": {"bytes": PNG}}},
                ]},
                {"role": "assistant", "content": [
                    {"text": "I will."}, {"toolUse": call}]},
                {"role": "user", "content": [
                    {"toolResult": result}, {"text": "And now?"}]},
            ],
            toolConfig={"tools": [self.tool], "toolChoice": {"any": {}}},
            inferenceConfig={"maxTokens": 50, "temperature": 0.5,
                             "topP": 0.9, "stopSequences": ["END"]},
            outputConfig={"textFormat": {
                "type": "json_schema", "structure": {"jsonSchema": schema}}},
        )


class Ollama(Front):
    schema_member = "format"
    errors = dict.fromkeys((400, 401, 429, 500), ollama.ResponseError)
    tool = {"type": "function", "function": FUNCTION}

    def __init__(self, url):
        self.sdk = ollama.Client(host=url, timeout=TIMEOUT)

    def got(self, parts):
        calls = [
            Call(None, c.function.name, dict(c.function.arguments))
            for p in parts for c in p.message.tool_calls or []
        ]
        text = "".join(p.message.content or "" for p in parts)
        assert [p.done for p in parts] == [False] * (len(parts) - 1) + [True]
        return Got(
            text,
            # It has no word of its own for calls.
            "tool_calls" if calls else self.finishes[parts[-1].done_reason],
            calls,
            parts[-1].prompt_eval_count,
            parts[-1].eval_count,
            sum(bool(p.message.content) for p in parts),
            ollama.Message(
                role="assistant",
                content=text,
                tool_calls=[
                    c for p in parts for c in p.message.tool_calls or []
                ],
            ),
        )

    @staticmethod
    def asked(model, messages, options):
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        return {"model": model, "messages": messages, **options}

    def chat(self, model, question, **options):
        return self.got([
            self.sdk.chat(**self.asked(model, question, options))
        ])

    def stream(self, model, question, **options):
        return self.got(list(self.sdk.chat(
            **self.asked(model, question, options), stream=True
        )))

    def tools(self, model, question, got=None, stream=False):
        messages = [{"role": "user", "content": question}]
        if got:
            messages += [
                got.turn,
                {"role": "tool", "tool_name": TOOL, "content": RESULT},
            ]
        ask = self.stream if stream else self.chat
        return ask(model, messages, tools=[self.tool])

    def schema(self, model, question):
        got = self.chat(model, question, format=SCHEMA)
        return City.model_validate_json(got.text)

    def everything(self, model):
        call = {"function": {"name": TOOL, "arguments": {"city": "Bern"}}}
        self.sdk.chat(
            model=model,
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Look.", "images": [PNG]},
                {"role": "assistant", "content": "I will.",
                 "tool_calls": [call]},
                {"role": "tool", "tool_name": TOOL, "content": RESULT},
                {"role": "user", "content": "And now?"},
            ],
            tools=[self.tool],
            format=SCHEMA,
            think="low",
            keep_alive="5m",
            options={
                "num_predict": 2000, "num_ctx": 4096, "temperature": 0.5,
                "top_p": 0.9, "top_k": 40, "seed": 7, "stop": ["END"],
                "frequency_penalty": 0.5, "presence_penalty": 0.5,
                "repeat_penalty": 1.1,
            },
        )


class Cohere(Front):
    errors = {
        400: cohere.BadRequestError,
        401: cohere.UnauthorizedError,
        429: cohere.TooManyRequestsError,
        500: cohere.InternalServerError,
    }
    finishes = {"COMPLETE": "stop", "TOOL_CALL": "tool_calls"}
    tool = {"type": "function", "function": FUNCTION}

    def __init__(self, url):
        self.sdk = cohere.ClientV2(
            api_key="client-key", base_url=url, timeout=TIMEOUT
        )

    @staticmethod
    def asked(model, messages, options):
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        # The SDK tries again by itself, unless told not to.
        return {"model": model, "messages": messages,
                "request_options": {"max_retries": 0}, **options}

    def got(self, text, finish, calls, usage, pieces=0):
        return Got(
            text,
            self.finishes[finish],
            [Call(i, name, json.loads(given)) for i, name, given in calls],
            usage.tokens.input_tokens,
            usage.tokens.output_tokens,
            pieces,
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        "id": i,
                        "type": "function",
                        "function": {"name": name, "arguments": given},
                    }
                    for i, name, given in calls
                ],
            },
        )

    def chat(self, model, question, **options):
        answer = self.sdk.chat(**self.asked(model, question, options))
        message = answer.message
        return self.got(
            "".join(p.text for p in message.content or []),
            answer.finish_reason,
            [
                (c.id, c.function.name, c.function.arguments)
                for c in message.tool_calls or []
            ],
            answer.usage,
        )

    def stream(self, model, question, **options):
        texts = []
        calls = {}
        for event in self.sdk.chat_stream(
            **self.asked(model, question, options)
        ):
            match event.type:
                case "content-delta":
                    texts.append(event.delta.message.content.text)
                case "tool-call-start":
                    call = event.delta.message.tool_calls
                    calls[event.index] = [call.id, call.function.name, ""]
                case "tool-call-delta":
                    call = event.delta.message.tool_calls
                    calls[event.index][2] += call.function.arguments
        assert event.type == "message-end"
        return self.got(
            "".join(texts), event.delta.finish_reason, calls.values(),
            event.delta.usage, len(texts),
        )

    def tools(self, model, question, got=None, stream=False):
        messages = [{"role": "user", "content": question}]
        if got:
            (call,) = got.calls
            messages += [
                got.turn,
                {"role": "tool", "tool_call_id": call.id, "content": RESULT},
            ]
        ask = self.stream if stream else self.chat
        return ask(model, messages, tools=[self.tool])

    def schema(self, model, question):
        got = self.chat(
            model, question,
            response_format={"type": "json_object", "json_schema": SCHEMA},
        )
        return City.model_validate_json(got.text)

    def everything(self, model):
        call = {
            "id": "call_1",
            "type": "function",
            "function": {"name": TOOL, "arguments": '{"city": "Bern"}'},
        }
        image = {"url": f"data:image/png;base64,{natives.PNG}"}
        self.sdk.chat(
            model=model,
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [
                    {"type": "text", "text": "Look."},
                    {"type": "image_url", "image_url": image},
                ]},
                {"role": "assistant", "tool_plan": "I will.",
                 "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1",
                 "content": RESULT},
                {"role": "user", "content": "And now?"},
            ],
            tools=[self.tool],
            tool_choice="REQUIRED",
            response_format={"type": "json_object", "json_schema": SCHEMA},
            thinking={"type": "enabled", "token_budget": 1024},
            max_tokens=2000,
            temperature=0.5,
            p=0.9,
            k=40,
            seed=7,
            stop_sequences=["END"],
            frequency_penalty=0.5,
            presence_penalty=0.5,
            request_options={"max_retries": 0},
        )


class MistralChat(Front):
    errors = dict.fromkeys((400, 401, 429, 500), SDKError)
    # Its own server sends each call in one piece; the name, which only the
    # first of OpenAI's pieces has, is not optional in its type of a piece.
    # And that server tells the tokens of every stream, so that the SDK has no
    # way to ask for what OpenAI's API tells only who asks.
    streams_calls = False
    streams_usage = False
    tool = {"type": "function", "function": FUNCTION}

    def __init__(self, url):
        self.sdk = Mistral(
            api_key="client-key", server_url=url, timeout_ms=TIMEOUT * 1000
        )

    @staticmethod
    def asked(model, messages, options):
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        return {"model": model, "messages": messages, **options}

    @staticmethod
    def got(answer):
        (choice,) = answer.choices
        message = choice.message
        return Got(
            message.content or "",
            choice.finish_reason,
            [
                Call(c.id, c.function.name, json.loads(c.function.arguments))
                for c in message.tool_calls or []
            ],
            answer.usage.prompt_tokens,
            answer.usage.completion_tokens,
            turn=message,
        )

    def chat(self, model, question, **options):
        return self.got(
            self.sdk.chat.complete(**self.asked(model, question, options))
        )

    def stream(self, model, question, **options):
        with self.sdk.chat.stream(
            **self.asked(model, question, options)
        ) as stream:
            chunks = [event.data for event in stream]
        choices = [c.choices[0] for c in chunks if c.choices]
        texts = [c.delta.content for c in choices if c.delta.content]
        return Got(
            "".join(texts), choices[-1].finish_reason, pieces=len(texts)
        )

    def tools(self, model, question, got=None, stream=False):
        messages = [{"role": "user", "content": question}]
        if got:
            (call,) = got.calls
            messages += [
                got.turn,
                {"role": "tool", "tool_call_id": call.id, "content": RESULT},
            ]
        return self.chat(model, messages, tools=[self.tool])

    def schema(self, model, question):
        return self.sdk.chat.parse(
            response_format=City, **self.asked(model, question, {})
        ).choices[0].message.parsed

    def everything(self, model):
        self.sdk.chat.complete(
            model=model,
            messages=natives.CONVERSATION,
            tools=[self.tool],
            tool_choice="any",
            parallel_tool_calls=False,
            response_format={"type": "json_schema", "json_schema": {
                "name": "City", "schema": SCHEMA, "strict": True}},
            max_tokens=50,
            temperature=0.5,
            top_p=0.9,
            stop=["END"],
            frequency_penalty=0.5,
            presence_penalty=0.5,
        )


FRONTS = {
    "openai": OpenAiChat,
    "responses": OpenAiResponses,
    "completions": OpenAiCompletions,
    "anthropic": AnthropicMessages,
    "gemini": Gemini,
    "bedrock": Bedrock,
    "ollama": Ollama,
    "cohere": Cohere,
    "mistral": MistralChat,
}
