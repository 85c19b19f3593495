"""Sign-in with the school's OpenID Connect provider, by Authlib: code flow with PKCE."""

from __future__ import annotations

from typing import Any, Literal

from collector.access.accounts import Account, Accounts, Role
from collector.config import OidcSettings
from edge.common.errors import UserError

RANK: tuple[Role, ...] = ("administrator", "it", "teacher")
"""Whoever is in several groups has the first of their roles."""


class UnknownUser(Exception):
    """Somebody whom the provider or the school does not let in; the message is for the log."""

    def __init__(self, message: str, kind: Literal["failed", "no_group"] = "failed") -> None:
        super().__init__(message)
        self.kind = kind


class Provider:
    """One issuer. Accounts are made at the first sign-in, and follow the groups at each."""

    def __init__(self, settings: OidcSettings, accounts: Accounts) -> None:
        try:
            from authlib.integrations.starlette_client import OAuth
        except ModuleNotFoundError:
            raise UserError("authlib is missing", "oidc", "pip install 'roommood[oidc]'") from None
        self.name = settings.name
        self._settings = settings
        self._accounts = accounts
        oauth = OAuth()
        self._client = oauth.register(
            "school",
            server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
            client_kwargs={
                "scope": " ".join(settings.scopes),
                "code_challenge_method": "S256",
            },
        )

    async def go(self, request: Any, back: str) -> Any:
        """A redirect to the provider."""
        import httpx

        try:
            return await self._client.authorize_redirect(request, back)
        except (httpx.HTTPError, ValueError, RuntimeError) as error:
            raise UnknownUser(f"{self.name} does not answer: {error}") from None

    async def back(self, request: Any) -> Account:
        """Whoever comes back from there, checked; raises UnknownUser."""
        import httpx
        from authlib.common.errors import AuthlibBaseError
        from joserfc.errors import JoseError
        from starlette.concurrency import run_in_threadpool

        try:
            token = await self._client.authorize_access_token(request)
        except (AuthlibBaseError, JoseError, httpx.HTTPError, ValueError, KeyError) as error:
            raise UnknownUser(f"{self.name}: {error}") from None
        claims = token.get("userinfo")
        if not claims or not claims.get("sub"):
            raise UnknownUser(f"{self.name}: no identity came with the token")
        return await run_in_threadpool(self.account, claims)

    def account(self, claims: dict[str, Any]) -> Account:
        """Makes the account of an identity or updates it; raises UnknownUser without a role."""
        groups = claims.get(self._settings.claim) or []
        names = {groups} if isinstance(groups, str) else {str(group) for group in groups}
        roles = {role for group, role in self._settings.roles.items() if group in names}
        role = next((role for role in RANK if role in roles), None)
        subject = f"{claims.get('iss', self._settings.issuer)} {claims['sub']}"
        name = str(
            claims.get("preferred_username") or claims.get("email") or claims.get("name") or ""
        )
        if role is None:
            raise UnknownUser(f"{name or claims['sub']} is in no group with a role", "no_group")
        known = self._accounts.by_subject(subject)
        try:
            if known is None:
                return self._accounts.add(name, role, subject=subject)
            if known.role != role:
                self._accounts.change(known, role=role)
        except UserError as error:
            raise UnknownUser(str(error)) from None
        return self._accounts.by_id(known.id)
