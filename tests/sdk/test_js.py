"""The official JavaScript SDKs as clients: js/calls.mjs makes the calls and
prints what the SDKs made of the answers."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

import answers
from gateway import ROOT

SCRIPT = pathlib.Path(__file__).parent / "js/calls.mjs"
# Where scripts/test has installed the SDKs: modules are looked for beside the
# script that imports them, so it is copied there.
MODULES = pathlib.Path(os.environ.get("LLM_SDK_JS", ROOT / "build/sdk-js"))

CALLS = (
    "chat", "chat_stream", "responses", "responses_stream", "completions",
    "messages", "messages_stream",
)


def node():
    path = shutil.which("node")
    if path is None:
        pytest.skip("node is not installed")
    if not (MODULES / "node_modules").is_dir():
        pytest.skip(f'no JavaScript SDKs in "{MODULES}": run scripts/test sdk')
    return path


def run(url, *calls):
    """What each of the calls gave, in their order."""
    binary = node()
    copy = shutil.copy(SCRIPT, MODULES / SCRIPT.name)
    done = subprocess.run(
        [binary, str(copy), url, *calls],
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


FINISH = {
    "stop": {"stop", "completed", "end_turn"},
    "tool_calls": {"tool_calls", "completed", "tool_use"},
    "length": {"length", "incomplete", "max_tokens"},
}


@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize(
    "said",
    [answers.TEXT, answers.CUT_SHORT, answers.TOOLS],
    ids=["text", "length", "tools"],
)
def test_answers(gateway, behind, api, said):
    # Under a name that stands for chat completions alone.
    path = {"openai": "/js-chat", "anthropic": "/anthropic"}[api]
    behind[api].answer(*(
        answers.stream(api, said) if "stream" in call
        else answers.one_shot(api, said)
        for call in CALLS
    ))

    for got in run(gateway.url(path), *CALLS):
        assert got.get("error") is None, got
        assert got["text"] == said.text, got
        if got["call"] == "completions" and said.calls:
            assert got["finish"] == "stop", got     # it knows of no calls
        else:
            assert got["finish"] in FINISH[said.finish], got
        assert got["total"] == 29, got
        if "completions" not in got["call"]:
            calls = [answers.Call(**call) for call in got["calls"]]
            assert calls == said.calls, got
        if "stream" in got["call"]:
            assert got["deltas"] > 1, got


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_errors(gateway, behind, api):
    path = {"openai": "/js-chat", "anthropic": "/anthropic"}[api]
    behind[api].answer(
        answers.error(api, 429, "rate_limit_error", "slow down")
    )
    for got in run(gateway.url(path), *CALLS):
        assert got["error"] == "RateLimitError", got
        assert got["status"] == 429, got
        assert "slow down" in got["message"], got


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_streams_that_break_off(gateway, behind, api):
    path = {"openai": "/js-chat", "anthropic": "/anthropic"}[api]
    pieces = answers.stream(api, answers.TEXT).body[:4]
    behind[api].answer(answers.Answer(pieces, cut=True))
    streams = [call for call in CALLS if "stream" in call]
    for got in run(gateway.url(path), *streams):
        # The Responses API's own way to say so is a response that failed.
        failed = got.get("error") or got.get("finish") == "failed"
        assert failed, got
