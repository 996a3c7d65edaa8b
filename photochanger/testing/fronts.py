"""Real front servers for tests: nginx with deploy/nginx/photochanger.conf, Caddy with
deploy/Caddyfile. Only addresses, folders and certificates are others than in the files.
"""

import os
import re
import shutil
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest

from photochanger.testing import live, server_process
from photochanger.testing.certificates import own_certificate
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.waiting import wait_until

NOT_HERE = "NO FRONT SERVER: {} is not installed; `make proxies` installs it"
NGINX_MAIN = """
daemon off;
user root;
worker_processes 1;
pid {root}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    types {{ }}
    # Who answered what; of several that were tried, each.
    log_format who '$status $upstream_addr';
    access_log {root}/access.log who;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    include {root}/photochanger.conf;
}}
"""


@dataclass(frozen=True)
class Front:
    """A front server before the app; its clients must know its certificate."""

    name: str
    url: str
    plain_url: str
    tls: ssl.SSLContext
    root: Path

    def answered(self) -> list[tuple[int, str]]:
        """Status and app server of each request through nginx; servers that failed stand first."""
        lines = (self.root / "access.log").read_text().splitlines()
        return [(int(status), servers) for status, servers in (x.split(" ", 1) for x in lines)]


def program_or_skip(name: str) -> str:
    """Where it is. Skips, or with PROXY_TESTS=required fails, when it is nowhere."""
    if found := shutil.which(name):
        return found
    if os.environ.get("PROXY_TESTS") == "required":
        raise AssertionError(NOT_HERE.format(name))
    raise SkipTest(NOT_HERE.format(name))


def replaced(text: str, changes: dict[str, str]) -> str:
    """Each of the patterns must be there: an example that says something else is not tested."""
    for pattern, by in changes.items():
        text, count = re.subn(pattern, by, text)
        assert count, f"{pattern} is not in the example any more"
    return text


@contextmanager
def nginx(site: live.LiveSite, ports: Sequence[int]) -> Iterator[Front]:
    """The example as it stands, before apps on these ports."""
    program = program_or_skip("nginx")
    port, plain_port = server_process.free_port(), server_process.free_port()
    root = site.root / f"nginx-{port}"
    root.mkdir()
    private, public = own_certificate()
    (root / "key.pem").write_bytes(private)
    (root / "chain.pem").write_bytes(public)
    example = (BASE_DIR / "deploy/nginx/photochanger.conf").read_text()
    line = re.search(r"server 127\.0\.0\.1:8000(.*)", example)
    assert line
    servers = "\n".join(f"    server 127.0.0.1:{each}{line[1]}" for each in ports)
    changes = {
        r" *server 127\.0\.0\.1:8000.*": servers,
        r"listen 443 ": f"listen 127.0.0.1:{port} ",
        r"listen 80;": f"listen 127.0.0.1:{plain_port};",
        r"/etc/letsencrypt/live/photos\.example\.com/fullchain\.pem": f"{root}/chain.pem",
        r"/etc/letsencrypt/live/photos\.example\.com/privkey\.pem": f"{root}/key.pem",
        r"/srv/photochanger/var/media/": f"{site.media_root}/",
    }
    (root / "photochanger.conf").write_text(replaced(example, changes))
    (root / "nginx.conf").write_text(NGINX_MAIN.format(root=root))
    command = [program, "-c", f"{root}/nginx.conf", "-p", f"{root}/", "-e", "stderr"]
    log = site.logs / f"nginx-{port}.log"
    with server_process.serving(command, port=port, env=site.env, log=log):
        yield Front(
            name="nginx",
            url=f"https://127.0.0.1:{port}",
            plain_url=f"http://127.0.0.1:{plain_port}",
            tls=ssl.create_default_context(cadata=public.decode()),
            root=root,
        )


@contextmanager
def caddy(site: live.LiveSite, ports: Sequence[int]) -> Iterator[Front]:
    """The Caddyfile with a certificate of Caddy's own authority, before apps on these ports."""
    program = program_or_skip("caddy")
    root = site.root / "caddy"
    root.mkdir()
    port, plain_port = server_process.free_port(), server_process.free_port()
    example = (BASE_DIR / "deploy/Caddyfile").read_text()
    ours = f"{{\n\tadmin off\n\thttp_port {plain_port}\n\thttps_port {port}\n\tskip_install_trust\n"
    (root / "Caddyfile").write_text(replaced(example, {r"(?m)^\{$": ours.replace("\\", "")}))
    environment = site.env | {
        "SITE_ADDRESS": "localhost",
        "UPSTREAMS": " ".join(f"127.0.0.1:{each}" for each in ports),
        "XDG_DATA_HOME": str(root),
        "XDG_CONFIG_HOME": str(root),
    }
    command = [program, "run", "--adapter", "caddyfile", "--config", f"{root}/Caddyfile"]
    log = site.logs / "caddy.log"
    with server_process.serving(command, port=port, env=environment, log=log):
        authority = root / "caddy/pki/authorities/local/root.crt"
        wait_until(lambda: has_certificate(port, authority))
        yield Front(
            name="caddy",
            url=f"https://localhost:{port}",
            plain_url=f"http://localhost:{plain_port}",
            tls=ssl.create_default_context(cafile=str(authority)),
            root=root,
        )


def has_certificate(port: int, authority: Path) -> bool:
    """Caddy listens before it has signed its own certificate."""
    if not authority.exists():
        return False
    tls = ssl.create_default_context(cafile=str(authority))
    try:
        with (
            socket.create_connection(("localhost", port), timeout=10) as plain,
            tls.wrap_socket(plain, server_hostname="localhost"),
        ):
            return True
    except OSError:
        return False
