"""A configuration of conf.examples/, run as it is but for where things are:
the edits are mechanical, and here is all of them."""

import re
import shutil

from clients import PASSWORD, USER
from gateway import (
    ROOT, TEMP_PATHS, Nginx, free_port, module_path, new_prefix,
)

FOLDER = ROOT / "conf.examples"

_ADDRESS = r"(?:127\.0\.0\.1|localhost|10\.0\.0\.\d+):(?P<port>\d+)"
_LISTEN = r"\blisten +(?:[\d.]+:)?(?P<listen>\d+)"


def names():
    return sorted(path.name for path in FOLDER.glob("*.conf"))


def read(name):
    """Without comments, but of as many lines."""
    return re.sub(r"(?m)(^|\s)#.*$", r"\1", (FOLDER / name).read_text())


def preset_urls():
    """The URLs of presets, as the documentation has them."""
    return dict(re.findall(
        r"^\| `([\w-]+)` \| `(https?://\S+?)`",
        (ROOT / "docs/directives.md").read_text(), re.M,
    ))


def hosts(*texts):
    """The hosts of https of the presets, and those that are named."""
    urls = [
        url for text in texts for url in re.findall(r"\burl +(\S+);", text)
    ]
    found = {
        match[1] for url in [*urls, *preset_urls().values()]
        if (match := re.match(r"https://([\w.-]+)(?:/|$)", url))
    }
    return sorted(found)


def secrets(text):
    """The environment variables that keys are in, each with a key."""
    return {
        name: "key-of-" + name
        for name in re.findall(
            r"(?:\bapi_key_env +|_env=)([A-Z][A-Z0-9_]*)", text
        )
    }


class Example(Nginx):
    """One of the files, running. `edits`: what a comment in it tells its
    reader to change. `files`: those that it names, by name. `expected`: a
    pattern of what its log may say, though it is an error. `redis`: the port
    of another Redis than the world's."""

    def __init__(self, name, world, edits=None, files=None, expected=None,
                 redis=None):
        self._world = world
        self._redis = redis
        text = read(name)
        for old, new in (edits or {}).items():
            assert old in text, f'{name}: no "{old}"'
            text = text.replace(old, new)
        self.unwanted = re.compile(
            (f"^(?!.*(?:{expected}))" if expected else "")
            + r".*(\[(alert|crit|emerg|error)\]|runtime error:|Sanitizer)"
        )
        self._ports = {
            int(port): free_port()
            for port in re.findall(_LISTEN.replace("?P<listen>", ""), text)
        }
        prefix = new_prefix("example")
        self._put_files(prefix, text, files or {})
        (prefix / "nginx.conf").write_text(self._edited(text))
        super().__init__(prefix, self._ports.values(), secrets(text))

    def port(self, number=8080):
        """Where the file's `listen NUMBER` is."""
        return self._ports[number]

    def log(self, name):
        return (self.prefix / "logs" / name).read_text().splitlines()

    def _put_files(self, prefix, text, files):
        (prefix / "modules").mkdir()
        (prefix / "temp").mkdir()
        (prefix / "modules/ngx_http_llm_module.so").symlink_to(module_path())
        shutil.copy(self._world.authority, prefix / "providers.crt")
        for path in FOLDER.iterdir():
            if path.suffix != ".conf":
                shutil.copy(path, prefix)
        for name, path in files.items():
            shutil.copy(path, prefix / name)
        for path in re.findall(r"\bauth_basic_user_file +(\S+);", text):
            (prefix / path.rpartition("/")[2]).write_text(
                f"{USER}:{{PLAIN}}{PASSWORD}\n"
            )

    def _edited(self, text):
        text = text.replace("/var/log/nginx/", "logs/")
        text = text.replace("/etc/nginx/", "")
        text = re.sub(f"{_LISTEN}|{_ADDRESS}", self._placed, text)
        text = re.sub(
            r"\bllm_provider +(?P<name>\S+) +\{(?P<inside>[^}]*)\}",
            self._provider, text,
        )
        # Clouds' servers of tokens are at addresses, too, that only the
        # module knows.
        text = re.sub(
            r"\bauth +(azure|google|aws)\b",
            rf"\g<0> metadata_url=http://{self._loopback('metadata')}", text,
        )
        text = re.sub(
            r"\brole=", f"sts_url=http://{self._loopback('sts')} role=", text
        )

        http = "access_log logs/all.log;\n"
        if "temp_path" not in text:
            http += TEMP_PATHS
        # An upstream of a host's name is asked in its place, on whatever
        # port; the URL, and what is in the certificate, stay what they are.
        for host in hosts(text):
            http += f"""
    upstream {host} {{
        server 127.0.0.1:{self._world.tls_port};
    }}
"""
        text = re.sub(r"\bhttp +\{", lambda m: f"{m[0]}\n    {http}", text)

        head = "daemon off;\n"
        for directive in ("pid logs/nginx.pid", "error_log logs/error.log"):
            if not re.search(rf"(?m)^\s*{directive.split()[0]} ", text):
                head += f"{directive};\n"
        return head + text

    def _placed(self, match):
        if match["listen"]:
            return f"listen 127.0.0.1:{self._ports[int(match['listen'])]}"
        port = int(match["port"])
        if match[0] == f"127.0.0.1:{port}" and port in self._ports:
            return f"127.0.0.1:{self._ports[port]}"
        if port == 6379:
            return f"127.0.0.1:{self._redis or self._world.redis_port}"
        return self._loopback(match[0])

    def _provider(self, match):
        name, inside = match["name"], match["inside"]
        if "ssl_trusted_certificate" not in inside:
            inside = f" ssl_trusted_certificate providers.crt;{inside}"
        # A preset that is at an address needs a URL to be elsewhere.
        url = preset_urls().get(name, "")
        if not re.search(r"\burl ", inside) and url.startswith("http:"):
            inside = f" url http://{self._loopback(url[7:])};{inside}"
        return f"llm_provider {name} {{{inside}}}"

    def _loopback(self, address):
        return f"127.0.0.1:{self._world.port_of(address)}"
