"""Each piece of configuration in the documentation is one that nginx takes,
once it stands where it belongs. What a piece refers to and does not have itself
(a pool, a zone, a file) is put beside it."""

import json
import os
import re
import shutil
import subprocess

import pytest

from example import names, preset_urls, secrets
from gateway import (
    ROOT, TEMP_PATHS, Gateway, module_path, new_prefix, nginx_binary,
)
from world import openssl

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

# Where a directive belongs that stands outside of any block; others are a
# location's.
CONTEXTS = {
    "main": {"load_module", "events", "env", "http"},
    "http": {
        "server", "map", "log_format", "llm_provider", "llm_upstream",
        "llm_redis", "llm_embedding", "llm_cache_zone", "llm_limit_zone",
    },
    "server": {"location"},
}

# References, and what is put there for each that leads nowhere.
_PROVIDER = "llm_provider %s { format openai; url http://127.0.0.1:1/v1; }"
REFERENCES = (
    (r"\bllm_pass +([\w-]+)", _PROVIDER),
    (r"\bmodel +([\w-]+)/", _PROVIDER),
    (r"\bprovider +([\w-]+);", _PROVIDER),
    (r"\bllm_cache(?:_purge)? +([\w-]+)", "llm_cache_zone %s { }"),
    (r"\bllm_limit +zone=(\w+)",
     "llm_limit_zone $remote_addr zone=%s:1m rate=1k/m;"),
    (r"\bredis[= ] *([\w-]+)", "llm_redis %s { server 127.0.0.1; }"),
    (r"\bproxy_pass http://([a-z]\w*)",
     "upstream %s { server 127.0.0.1:1; }"),
    (r"\$(token)\b", 'map "" $%s { default ""; }'),
)
_DECLARED = (
    r"\b(?:llm_provider|llm_upstream|llm_cache_zone|llm_redis|upstream) +%s\b"
    r"|\bllm_limit_zone [^;]*\bzone=%s:"
)


def pieces():
    for page in PAGES:
        text = page.read_text()
        for match in re.finditer(r"(?ms)^( *)```nginx\n(.*?)^ *```$", text):
            line = text.count("\n", 0, match.start()) + 1
            yield pytest.param(match[2], id=f"{page.relative_to(ROOT)}:{line}")


def statements(text):
    """The directives of the outermost level, each with its block."""
    text = re.sub(r"(?m)(^|\s)#.*$", r"\1", text)
    found, depth, start = [], 0, 0
    for match in re.finditer(r"\"[^\"]*\"|'[^']*'|\$\{\w+\}|[{};]", text):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0 and match[0] in ("}", ";"):
            found.append(text[start:match.end()].strip())
            start = match.end()
    assert depth == 0 and not text[start:].strip(), "there is an end missing"
    return found


def placed(text):
    """A whole configuration that has the piece in it."""
    at = {"main": [], "http": [], "server": [], "location": []}
    for statement in statements(text):
        name = re.match(r"\w+", statement)[0]
        at[next(
            (c for c, names in CONTEXTS.items() if name in names), "location"
        )].append(statement)

    for pattern, instead in REFERENCES:
        for name in re.findall(pattern, text):
            there = "\n".join([text, *at["http"]])
            if name != "off" and not re.search(
                _DECLARED.replace("%s", name), there
            ):
                at["http"].append(instead % name)

    if at["location"]:
        at["server"].append("location / { %s }" % "\n".join(at["location"]))
    if at["server"]:
        at["http"].append("server { %s }" % "\n".join(at["server"]))
    http = "\n".join([TEMP_PATHS, *at["http"]])
    main = "\n".join(at["main"])
    if "http" not in main:
        main += "http { }"
    main = re.sub(r"\bhttp +\{", lambda m: f"{m[0]} {http}", main)
    if "events" not in main:
        main += "\nevents { }"
    if "load_module" not in main:
        main = f"load_module modules/ngx_http_llm_module.so;\n{main}"
    return f"pid logs/nginx.pid;\n{main}"


@pytest.fixture(scope="module")
def prefix():
    """A folder with the files that pieces name."""
    folder = new_prefix("docs")
    for name in ("modules", "secrets", "embeddings"):
        (folder / name).mkdir()
    (folder / "modules/ngx_http_llm_module.so").symlink_to(module_path())
    for name in ("secrets/openai.key", "secrets/anthropic.key",
                 "secrets/entra", "groq-team.key", "redis-password"):
        (folder / name).write_text("a-secret\n")
    for name in ("keys", "llm.keys"):
        (folder / name).write_text("# no keys\n")
    shutil.copy(ROOT / "data/prices.json", folder)
    shutil.copy(ROOT / "data/all-minilm-l6-v2.static256.llmv",
                folder / "embeddings/own.llmv")
    openssl("genrsa", "-out", str(folder / "rsa.pem"), "2048")
    (folder / "secrets/vertex.json").write_text(json.dumps({
        "type": "service_account", "private_key_id": "1",
        "private_key": (folder / "rsa.pem").read_text(),
        "client_email": "gateway@p.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    }))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("text", [*pieces()])
def test_nginx_takes_it(text, prefix):
    text = placed(text).replace("/etc/nginx/", "")
    # Nothing is listened for, but a socket of this folder.
    text = re.sub(r"\blisten +[\d.:]+;", "", text)
    text = re.sub(
        r"\bserver +\{", f"server {{ listen unix:{prefix}/socket;", text
    )
    (prefix / "nginx.conf").write_text(text)
    result = subprocess.run(
        [nginx_binary(), "-t", "-q", "-p", f"{prefix}/", "-e", "stderr",
         "-c", "nginx.conf"],
        env=os.environ | secrets(text), capture_output=True, text=True,
    )
    assert result.returncode == 0, f"{result.stderr}\n{text}"


def links(page):
    return re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text())


def test_readme_names_each_example():
    named = {link for link in links("README.md")
             if link.startswith("conf.examples/")}
    assert {f"conf.examples/{name}" for name in names()} <= named


def test_pages_have_each_preset():
    """With the URL that it has; that of a customer's own is in words."""
    source = (ROOT / "src/provider/presets.cpp").read_text()
    presets = re.findall(r'\{"([\w-]+)",\s*"(https?:[^"]*|)"', source)
    assert len(presets) > 20
    page = (ROOT / "docs/providers.md").read_text()
    for name, url in presets:
        assert f"`{name}`" in page
        assert preset_urls().get(name, "") == url


@pytest.mark.parametrize("page", [
    str(page.relative_to(ROOT)) for page in PAGES
])
def test_links_lead_somewhere(page):
    """To a file, and where they say so to a heading of it."""
    for path, heading in re.findall(
        r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", (ROOT / page).read_text()
    ):
        target = ((ROOT / page).parent / path) if path else ROOT / page
        assert target.exists(), path
        if heading:
            found = re.findall(r"(?m)^#+ (.*)$", target.read_text())
            anchors = [
                re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", one))
                .lower().replace(" ", "-") for one in found
            ]
            assert heading in anchors, f"{path}#{heading}"


@pytest.mark.parametrize("page, files, name", [
    # With the words that they take.
    ("directives.md", "**/*conf*.cpp", r'ngx_string\("(\w+)"\)'),
    ("directives.md", "provider/directives.cpp", r'ngx_string\("(\w+)"\)'),
    ("directives.md", "ngx_http_llm_module.cpp", r'ngx_string\("(\w+)"\)'),
    ("directives.md", "pool.cpp", r'ngx_string\("(\w+)"\)'),
    ("directives.md", "cache/zone.cpp", r'ngx_string\("(\w+)"\)'),
    ("directives.md", "status/status.cpp", r'ngx_string\("(\w+)"\)'),
    ("directives.md", "simulate_conf.cpp", r'\{"(\w+=)", '),
    ("metrics.md", "*/status.cpp",
     r'"(llm_\w+_total|llm_(?:cache|limit|upstream)_\w+)"'),
    ("variables.md", "**/variables.cpp", r'\{"(llm_[a-z_]+)", '),
])
def test_all_there_is_is_documented(page, files, name):
    text = (ROOT / "docs" / page).read_text()
    found = {
        one for source in (ROOT / "ngx_module").glob(files)
        for one in re.findall(name, source.read_text())
    }
    assert found
    assert not {one for one in found if not re.search(rf"\b{one}", text)}


def test_the_same_question_in_each_api(world):
    """The calls with curl at the end of docs/clients.md."""
    page = (ROOT / "docs/clients.md").read_text()
    (block,) = re.findall(r"(?s)```sh\n(g=http.*?)```", page)
    _, *calls = block.splitlines()
    gateway = Gateway(f"""
    llm_provider simulated {{
        format openai;
        url http://127.0.0.1:{world.port_of("simulated")}/v1;
    }}
    llm_upstream chat {{ model simulated/any; }}
    llm_upstream vectors {{ model simulated/any; }}
""", "location / { llm_pass $llm_request_model; }")
    for call in calls:
        answer = subprocess.run(
            ["bash", "-c", f"g={gateway.url()}\n{call} -sS -f -m 20"],
            capture_output=True, text=True,
        )
        assert answer.returncode == 0, (call, answer.stderr)
        assert "embedding" in answer.stdout or "Hi" in answer.stdout, call
    assert not gateway.stop()
