"""A small OpenID Connect provider on loopback that answers as Entra ID, Google or Keycloak do.

tests/oidc.py has a whole one; this one gives any claims, and any error.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey


class SmallProvider:
    """Signs in whoever comes, at once; `claims` are theirs. `scopes`: what it knows of."""

    def __init__(self, scopes: list[str] | None) -> None:
        self.claims: dict[str, Any] = {}
        self.error: dict[str, str] = {}
        self.requests: list[str] = []
        """The scope of each sign-in."""
        self.metadata_changes: dict[str, Any] = {}
        self.answer: Callable[[dict[str, Any]], Any] = lambda answer: answer
        """What the token's endpoint says in place of a good answer."""
        self._key = RSAKey.generate_key(2048, {"kid": "1"})
        self._nonces: dict[str, str] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path == "/.well-known/openid-configuration":
                    self._json(provider.metadata(scopes))
                elif parts.path == "/keys":
                    self._json({"keys": [provider._key.as_dict(private=False)]})
                else:
                    query = {name: one[0] for name, one in parse_qs(parts.query).items()}
                    self.send_response(302)
                    self.send_header("Location", provider.back(query, scopes))
                    self.end_headers()

            def do_POST(self) -> None:
                body = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                self._json(provider.token(body["code"][0]))

            def _json(self, content: Any) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def metadata(self, scopes: list[str] | None) -> dict[str, Any]:
        document: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        document |= self.metadata_changes
        return document if scopes is None else document | {"scopes_supported": scopes}

    def back(self, query: dict[str, str], scopes: list[str] | None) -> str:
        self.requests.append(query["scope"])
        answer = {"state": query["state"]}
        unknown = set(query["scope"].split()) - set(scopes or query["scope"].split())
        if unknown:
            answer |= {"error": "invalid_scope", "error_description": f"unknown {unknown}"}
        elif self.error:
            answer |= self.error
        else:
            answer["code"] = f"code-{len(self.requests)}"
            self._nonces[answer["code"]] = query["nonce"]
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def token(self, code: str) -> Any:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "roommood",
            "sub": "u-1",
            "iat": now,
            "exp": now + 600,
            "nonce": self._nonces[code],
        } | self.claims
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self._key)
        answer = {"access_token": "a", "token_type": "Bearer", "expires_in": 600}
        return self.answer(answer | {"id_token": token})

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
