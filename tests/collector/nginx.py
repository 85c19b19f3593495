"""A real nginx before a collector, as schools have one: pages below a path of their host."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType

import pytest

from tests.free import free_port, wait_for_port

NGINX = Path("/usr/sbin/nginx")

CONFIG = """\
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location {base}/ {{ proxy_pass http://127.0.0.1:{behind}{passed}; {host} }}
    }}
}}
"""


class Nginx:
    """Shows what listens on the port `behind` at `url`; `strips`: it takes the path off first."""

    def __init__(self, folder: Path, base: str, *, strips: bool, keeps_host: bool = True) -> None:
        if not NGINX.exists():
            pytest.skip(f"{NGINX} is not there: install Debian's package nginx-light")
        self.port, self.behind = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}{base}"
        self._folder = folder / "nginx"
        self._folder.mkdir()
        self._config = self._folder / "nginx.conf"
        text = CONFIG.format(
            folder=self._folder,
            port=self.port,
            base=base,
            behind=self.behind,
            passed="/" if strips else "",
            host="proxy_set_header Host $http_host;" if keeps_host else "",
        )
        self._config.write_text(text)

    def __enter__(self) -> Nginx:
        self._process = subprocess.Popen(
            [NGINX, "-p", str(self._folder), "-c", str(self._config)], stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port, self._process)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(60)
