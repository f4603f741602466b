"""The list of models, and one of them, in each API's shape."""

import anthropic
import openai
import pytest

import answers

MEMBERS = [
    "openai/" + answers.MODEL["openai"],
    "anthropic/" + answers.MODEL["anthropic"],
]


def test_openai_client_of_a_pool(clients):
    with clients.openai("pool") as client:
        models = list(client.models.list())

    assert [m.id for m in models] == MEMBERS
    for model in models:
        assert model.object == "model"
        assert isinstance(model.created, int)
        assert model.owned_by


def test_anthropic_client_of_a_pool(clients):
    with clients.anthropic("pool") as client:
        page = client.models.list()

    assert [m.id for m in page.data] == MEMBERS
    assert page.has_more is False
    assert (page.first_id, page.last_id) == (MEMBERS[0], MEMBERS[-1])
    for model in page.data:
        assert model.type == "model"
        assert model.display_name


def test_one_of_them(clients):
    """By the name of the list, or without the provider's."""
    with clients.openai("pool") as client:
        for name in (MEMBERS[0], answers.MODEL["openai"]):
            model = client.models.retrieve(name)
            assert (model.id, model.object) == (name, "model")
            assert model.owned_by

    with clients.anthropic("pool") as client:
        model = client.models.retrieve(MEMBERS[1])
        assert (model.id, model.type) == (MEMBERS[1], "model")
        assert model.display_name and model.created_at


def test_one_that_is_unknown(clients):
    with clients.openai("pool") as client:
        with pytest.raises(openai.NotFoundError) as unknown:
            client.models.retrieve("zork")
    assert unknown.value.code == "model_not_found"

    with clients.anthropic("pool") as client:
        with pytest.raises(anthropic.NotFoundError) as unknown:
            client.models.retrieve("zork")
    assert unknown.value.body["error"]["type"] == "not_found_error"


def test_by_a_variable_everything_is_reachable(clients):
    with clients.openai("any") as client:
        names = [m.id for m in client.models.list()]

    assert len(names) == len(set(names))
    assert {"pool", "dead", "from-dead", "sonnet", *MEMBERS} <= set(names)


def test_each_can_be_asked(clients, behind):
    """What is listed can be called by that name."""
    for name, provider in behind.items():
        provider.answer(answers.one_shot(name, answers.TEXT))

    with clients.openai("any") as client:
        for model in ("pool", "sonnet", *MEMBERS):
            answer = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "hi"}]
            )
            assert answer.choices[0].message.content == answers.TEXT.text
