"""A real OpenID Connect provider: Canaille, in an environment that tests/run.sh makes for it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from joserfc.jwk import RSAKey

from tests.conftest import ROOT
from tests.free import free_port, wait_for_port

CANAILLE = ROOT / "build" / "test-oidc" / "bin" / "canaille"
CLIENT, SECRET = "roommood", "a-secret-of-the-tests"
PASSWORD = "correct horse battery"


class School:
    """A provider with `ada` in the group `teachers`, and `eve` in none."""

    def __init__(self, folder: Path, back: str) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._config = folder / "canaille.toml"
        self._write(folder, RSAKey.generate_key(2048).as_dict(private=True))
        self._call("install")
        people = {name: self._person(name) for name in ("ada", "eve")}
        self._call("create", "group", "--display-name", "teachers", "--members", people["ada"])
        scopes = [part for scope in ("openid", "profile", "email") for part in ("--scope", scope)]
        self._call(
            *("create", "client", "--client-id", CLIENT, "--client-secret", SECRET),
            *("--redirect-uris", back, "--grant-types", "authorization_code"),
            *(
                "--response-types",
                "code",
                "--client-name",
                "roommood",
                *scopes,
                "--scope",
                "groups",
            ),
            *("--token-endpoint-auth-method", "client_secret_basic"),
        )
        self._process = subprocess.Popen(
            [CANAILLE, "run", "--bind", f"127.0.0.1:{self.port}"],
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self._process)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)

    def _write(self, folder: Path, key: Mapping[str, object]) -> None:
        self._config.write_text(
            f"""SECRET_KEY = "only for tests"
SERVER_NAME = "127.0.0.1:{self.port}"
PREFERRED_URL_SCHEME = "http"
[CANAILLE]
DATABASE = "sql"
[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{folder}/canaille.sqlite"
[CANAILLE_OIDC]
ACTIVE_JWKS = [{{ {", ".join(f"{name} = {json.dumps(value)}" for name, value in key.items())} }}]
"""
        )

    def _person(self, name: str) -> str:
        answer = self._call(
            *("create", "user", "--user-name", name, "--password", PASSWORD),
            *("--family-name", name.title(), "--formatted-name", name.title()),
            *("--emails", f"{name}@school.example"),
        )
        return str(json.loads(answer)["id"])

    def _call(self, *arguments: str) -> str:
        result = subprocess.run(
            [CANAILLE, *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr[-2000:]
        return result.stdout

    def _environment(self) -> dict[str, str]:
        return os.environ | {"CANAILLE_CONFIG": str(self._config)}
