"""What a conversation is made of: system and developer messages, images,
documents, several turns."""

import json

import openai
import pytest

import answers
import wire

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA"
    "60e6kgAAAABJRU5ErkJggg=="
)
URL = "https://example.com/cat.png"


class TestOpenAiClient:
    def sent(self, client, provider, messages, **options):
        """The body that the provider gets for these messages."""
        provider.answer(answers.one_shot(provider.name, answers.TEXT))
        wire.completion(
            client.chat.completions.create(
                model=provider.model, messages=messages, **options
            )
        )
        return wire.check_request(provider.name, provider.request)

    def test_system_and_developer_messages_anywhere(
        self, openai_client, provider
    ):
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hello!"},
            {
                "role": "system",
                "content": [{"type": "text", "text": "Speak German."}],
            },
            {"role": "user", "content": "And you?"},
        ]

        body = self.sent(openai_client, provider, messages)

        if provider.name == "openai":
            assert body["messages"] == messages
        else:
            texts = wire.texts({"content": body["system"]})
            joined = "\n".join(texts)
            assert "Be brief." in joined
            assert "Be kind." in joined
            whole = json.dumps(body)
            assert whole.count("Speak German.") == 1
            assert whole.index("Be brief.") < whole.index("Be kind.")

    def test_images_by_data_and_by_url(self, openai_client, provider):
        body = self.sent(
            openai_client,
            provider,
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Compare"},
                        {
                            "type": "image_url",
                            "image_url": {
                                "url": f"data:image/png;base64,{PNG}",
                                "detail": "low",
                            },
                        },
                        {"type": "image_url", "image_url": {"url": URL}},
                    ],
                }
            ],
        )

        if provider.name == "anthropic":
            assert body["messages"][0]["content"] == [
                {"type": "text", "text": "Compare"},
                {
                    "type": "image",
                    "source": {
                        "type": "base64",
                        "media_type": "image/png",
                        "data": PNG,
                    },
                },
                {"type": "image", "source": {"type": "url", "url": URL}},
            ]

    def test_a_document(self, openai_client, provider):
        body = self.sent(
            openai_client,
            provider,
            [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "file",
                            "file": {
                                "filename": "paper.pdf",
                                "file_data": "data:application/pdf;base64,"
                                "JVBERi0=",
                            },
                        },
                        {"type": "text", "text": "Summarise"},
                    ],
                }
            ],
        )

        if provider.name == "anthropic":
            document = body["messages"][0]["content"][0]
            assert document["type"] == "document"
            assert document["source"] == {
                "type": "base64",
                "media_type": "application/pdf",
                "data": "JVBERi0=",
            }

    def test_neighbours_of_one_role(self, openai_client, provider):
        body = self.sent(
            openai_client,
            provider,
            [
                {"role": "user", "content": "One."},
                {"role": "user", "content": "Two."},
            ],
        )

        if provider.name == "anthropic":
            # checked to take turns
            assert wire.texts(body["messages"][0]) == ["One.", "Two."]

    def test_audio_has_no_place_in_the_other_api(
        self, openai_client, provider
    ):
        part = {
            "type": "input_audio",
            "input_audio": {"data": "UklGRg==", "format": "wav"},
        }
        messages = [{"role": "user", "content": [part]}]

        if provider.name == "openai":
            body = self.sent(openai_client, provider, messages)
            assert body["messages"] == messages
        else:
            with pytest.raises(openai.BadRequestError) as raised:
                self.sent(openai_client, provider, messages)
            assert raised.value.code == "unsupported_parameter"
            assert raised.value.param.startswith("messages")
            assert provider.requests == []


class TestAnthropicClient:
    def sent(self, client, provider, messages, **options):
        provider.answer(answers.one_shot(provider.name, answers.TEXT))
        wire.message(
            client.messages.create(
                model=provider.model,
                max_tokens=50,
                messages=messages,
                **options,
            )
        )
        return wire.check_request(provider.name, provider.request)

    @pytest.mark.parametrize("system", [
        "Be brief.",
        [
            {"type": "text", "text": "Be brief."},
            {
                "type": "text",
                "text": "Be kind.",
                "cache_control": {"type": "ephemeral"},
            },
        ],
    ])
    def test_the_system_prompt(self, anthropic_client, provider, system):
        body = self.sent(
            anthropic_client,
            provider,
            [{"role": "user", "content": "Hello"}],
            system=system,
        )

        if provider.name == "anthropic":
            assert body["system"] == system
        else:
            first, second = body["messages"]
            assert first["role"] in ("system", "developer")
            joined = "".join(wire.texts(first))
            for text in wire.texts({"content": system}):
                assert text in joined
            assert second["role"] == "user"

    def test_images_by_data_and_by_url(self, anthropic_client, provider):
        body = self.sent(
            anthropic_client,
            provider,
            [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image",
                            "source": {
                                "type": "base64",
                                "media_type": "image/png",
                                "data": PNG,
                            },
                        },
                        {
                            "type": "image",
                            "source": {"type": "url", "url": URL},
                        },
                        {"type": "text", "text": "Compare"},
                    ],
                }
            ],
        )

        if provider.name == "openai":
            images = body["messages"][0]["content"][:2]
            assert [i["image_url"]["url"] for i in images] == [
                f"data:image/png;base64,{PNG}",
                URL,
            ]

    def test_a_document(self, anthropic_client, provider):
        body = self.sent(
            anthropic_client,
            provider,
            [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "document",
                            "title": "paper.pdf",
                            "source": {
                                "type": "base64",
                                "media_type": "application/pdf",
                                "data": "JVBERi0=",
                            },
                        },
                        {
                            "type": "document",
                            "source": {
                                "type": "text",
                                "media_type": "text/plain",
                                "data": "plain words",
                            },
                        },
                        {"type": "text", "text": "Summarise"},
                    ],
                }
            ],
        )

        if provider.name == "openai":
            parts = body["messages"][0]["content"]
            assert parts[0]["file"]["file_data"] == (
                "data:application/pdf;base64,JVBERi0="
            )
            assert "plain words" in json.dumps(parts[1])

    def test_thinking_of_earlier_turns(self, anthropic_client, provider):
        turns = [
            {"role": "user", "content": "2 + 2?"},
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "thinking",
                        "thinking": "Add them.",
                        "signature": "c2ln",
                    },
                    {"type": "text", "text": "4"},
                ],
            },
            {"role": "user", "content": "And 3 + 3?"},
        ]

        body = self.sent(anthropic_client, provider, turns)

        if provider.name == "anthropic":
            assert body["messages"] == turns
        else:
            assert wire.texts(body["messages"][1]) == ["4"]
