"""The list of models, in each API's shape."""

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
