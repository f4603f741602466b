"""An nginx with the module, on a port of its own."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What must never be in an error log: of nginx's own levels those that mean a
# bug or a broken machine, and what sanitizers print.
UNWANTED = re.compile(
    r"\[(alert|crit|emerg)\]|runtime error:|ERROR: \w+Sanitizer"
    r"|SUMMARY: \w+Sanitizer"
)


def module_path():
    path = pathlib.Path(
        os.environ.get(
            "LLM_MODULE", ROOT / "build/release/ngx_http_llm_module.so"
        )
    ).resolve()
    assert path.is_file(), (
        f'no module "{path}": run scripts/build, or name another in LLM_MODULE'
    )
    return path


def nginx_binary():
    name = os.environ.get("TEST_NGINX_BINARY", "nginx")
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert path, f'no nginx "{name}"'
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# So that nothing is written outside of the prefix.
TEMP_PATHS = """
    client_body_temp_path temp-body;
    proxy_temp_path temp-proxy;
    fastcgi_temp_path temp-fastcgi;
    uwsgi_temp_path temp-uwsgi;
    scgi_temp_path temp-scgi;
"""


class Nginx:
    """An nginx with the nginx.conf of a folder, which stays in the
    foreground; its error log is logs/error.log there. It runs until stop(),
    which returns what that log should not hold, and removes the folder if
    there is nothing."""

    unwanted = UNWANTED

    def __init__(self, prefix, ports, environment=None):
        self.prefix = prefix
        self._process = subprocess.Popen(
            [
                nginx_binary(),
                "-p", str(prefix) + "/",
                "-e", "logs/error.log",
                "-c", "nginx.conf",
            ],
            stderr=(prefix / "logs/stderr").open("wb"),
            env={
                **os.environ,
                "ASAN_OPTIONS": os.environ.get(
                    "ASAN_OPTIONS", "detect_odr_violation=0:detect_leaks=0"
                ),
                **(environment or {}),
            },
        )
        for port in ports:
            self._wait(port)

    def _wait(self, port):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        self.kill()
        raise RuntimeError("nginx does not start:\n" + self.error_log())

    @property
    def master(self):
        return self._process.pid

    def workers(self):
        """The ids of the worker processes, also of those that are leaving."""
        children = pathlib.Path(
            f"/proc/{self.master}/task/{self.master}/children"
        )
        return {int(pid) for pid in children.read_text().split()}

    def error_log(self):
        texts = []
        for name in ("error.log", "stderr"):
            path = self.prefix / "logs" / name
            if path.exists():
                texts.append(path.read_text(errors="replace"))
        return "".join(texts)

    def kill(self):
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        bad = [
            line for line in self.error_log().splitlines()
            if self.unwanted.search(line)
        ]
        if not bad:
            shutil.rmtree(self.prefix, ignore_errors=True)
        return bad


def new_prefix(name):
    """A folder for an nginx; its workers may be another user's."""
    prefix = pathlib.Path(tempfile.mkdtemp(prefix=f"llm-{name}-"))
    prefix.chmod(0o755)
    (prefix / "logs").mkdir()
    return prefix


class Gateway(Nginx):
    """`http` goes into http {}, `server` into its one server {}, which each
    of the workers listens for by itself where there are several."""

    def __init__(self, http, server, workers=1):
        reuseport = "reuseport" if workers > 1 else ""
        self.port = free_port()
        prefix = new_prefix("sdk")
        (prefix / "nginx.conf").write_text(
            f"""
load_module {module_path()};
daemon off;
worker_processes {workers};
error_log logs/error.log info;
pid logs/nginx.pid;
events {{ worker_connections 2048; }}
http {{
    {TEMP_PATHS}
    client_max_body_size 32m;
    log_format llm escape=json '{{"model":"$llm_model",'
        '"provider":"$llm_provider","finish":"$llm_finish_reason",'
        '"prompt":"$llm_prompt_tokens","completion":"$llm_completion_tokens",'
        '"total":"$llm_total_tokens","cached":"$llm_cached_tokens",'
        '"reasoning":"$llm_reasoning_tokens","source":"$llm_usage_source",'
        '"tries":"$llm_tries","stream":"$llm_stream","status":"$status",'
        '"limit":"$llm_limit_status","reserved":"$llm_limit_reserved"}}';
    access_log logs/access.log llm;
    {http}
    server {{
        listen 127.0.0.1:{self.port} {reuseport};
        {server}
    }}
}}
"""
        )
        super().__init__(prefix, [self.port])

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}{path}"

    def access_log(self):
        return (self.prefix / "logs/access.log").read_text().splitlines()
