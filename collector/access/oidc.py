"""Sign-in with the school's OpenID Connect provider, by Authlib: code flow with PKCE."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from collector.access.accounts import Account, Accounts, Role
from collector.access.one_use import OneUseNumbers
from collector.config import SCOPES, OidcSettings
from edge.common.errors import UserError
from edge.common.text import storable

RANK: tuple[Role, ...] = ("administrator", "it", "teacher")
"""Whoever is in several groups has the first of their roles."""


WhyUnknown = Literal["failed", "no_group", "overage", "unverified"]
WHYS: tuple[WhyUnknown, ...] = get_args(WhyUnknown)
"""`overage`: the provider did not list the groups, since they are too many. `unverified`: the claim
that decides is one that people may write themselves, and the provider does not vouch for it."""

VOUCHED_FOR_BY = {"email": "email_verified", "phone_number": "phone_number_verified"}
"""OpenID Connect Core, 5.1. A claim that is missing, as in Entra ID, vouches for nothing: there
administrators of any directory give any address."""

LONGEST_SUBJECT = 256
"""As long as the database has it; issuers and subjects may be longer together."""


class UnknownUser(Exception):
    """Somebody whom the provider or the school does not let in; the message is for the log.

    `provider_text` is what the provider itself said, for the person, where it certainly was the
    provider.
    """

    def __init__(self, message: str, kind: WhyUnknown = "failed", provider_text: str = "") -> None:
        super().__init__(message)
        self.kind, self.provider_text = kind, provider_text


ODD_SHAPES = (ValueError, KeyError, TypeError, AttributeError)
"""What a provider's answers of odd shape cause in the libraries that read them."""

ALGORITHMS = "id_token_signing_alg_values_supported"
ASYMMETRIC = {f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)}
ASYMMETRIC |= {"EdDSA"}


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
        self._states = OneUseNumbers()
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
        import httpx  # noqa: PLC0415  # comes with Authlib, 0.1 s of a start without it

        try:
            scope = await self._scope()
            state = self._states.new()
            return await self._client.authorize_redirect(request, back, scope=scope, state=state)
        except (httpx.HTTPError, RuntimeError, *ODD_SHAPES) as error:
            raise UnknownUser(f"{self.name} does not answer: {error}") from None

    async def _signatures(self) -> None:
        """Only such as nobody but the provider can make, whatever it says of itself: not `none`,
        nor one by the secret that we have, too."""
        metadata = await self._client.load_server_metadata()
        names = metadata.get(ALGORITHMS) or []
        metadata[ALGORITHMS] = [name for name in names if name in ASYMMETRIC] or ["RS256"]

    async def _scope(self) -> str:
        """What is asked for; the usual `groups` only of a provider that does not rule it out.

        Entra ID and Google refuse a sign-in for a scope that they do not know.
        """
        scopes = self._settings.scopes
        if scopes == SCOPES:
            metadata_scopes = (await self._client.load_server_metadata()).get("scopes_supported")
            if isinstance(metadata_scopes, list) and "groups" not in metadata_scopes:
                scopes = tuple(scope for scope in scopes if scope != "groups")
        return " ".join(scopes)

    def _provider_error(self, request: Any) -> str:
        """An error that the provider gave in place of a code, if it answers a question of ours.

        Else anybody could write on our page by a link. Raises UnknownUser for a question that was
        answered before.
        """
        state = request.query_params.get("state", "")
        if not state or f"_state_{self._client.name}_{state}" not in request.session:
            return ""
        if not self._states.use(state):
            raise UnknownUser(f"{self.name}: this answer was used before, or came too late")
        error, more = (
            request.query_params.get(name, "") for name in ("error", "error_description")
        )
        provider_text = ": ".join(part for part in (error, more) if part)
        return "".join(c if c.isprintable() else " " for c in provider_text).strip()[:300]

    async def back(self, request: Any) -> Account:
        """Whoever comes back from there, checked; raises UnknownUser."""
        import httpx  # noqa: PLC0415  # comes with Authlib, 0.1 s of a start without it
        from authlib.common.errors import AuthlibBaseError
        from joserfc.errors import JoseError

        provider_text = self._provider_error(request)
        try:
            await self._signatures()
            token = await self._client.authorize_access_token(request)
        except (AuthlibBaseError, JoseError, httpx.HTTPError, *ODD_SHAPES) as error:
            raise UnknownUser(
                f"{self.name}: {_quote(str(error), 300)}", provider_text=provider_text
            ) from None
        # Authlib puts the checked token's claims there, and without a token leaves what was sent.
        claims = token.get("userinfo")
        if not isinstance(token.get("id_token"), str) or not isinstance(claims, dict):
            raise UnknownUser(f"{self.name}: no identity came with the token")
        return await run_in_threadpool(self.account, claims)

    def account(self, claims: dict[str, Any]) -> Account:
        """The account of an identity, made or brought up to date; raises Unknown without a role.

        Whose account it is issuer and `sub` say. What somebody is called they may have chosen
        themselves: that is shown, and decides nothing.
        """
        identity = _read(claims, self._settings.claim)
        voucher = VOUCHED_FOR_BY.get(self._settings.claim)
        is_sure = voucher is None or claims.get(voucher) in (True, "true")
        mapping = self._settings.roles.items()
        roles = {role for group, role in mapping if is_sure and _plain(group) in identity.groups}
        role = next((role for role in RANK if role in roles), None)
        subject = _subject(identity.iss or self._settings.issuer, identity.sub)
        account = self._accounts.by_subject(subject)
        if role is None:
            if account is not None:
                self._accounts.lapse(account)
            if not is_sure and identity.groups:
                raise UnknownUser(
                    f"{_quote(identity.sub)}: the provider does not say {voucher}: true, so the "
                    f"claim '{self._settings.claim}' decides nothing; confirm the address there, "
                    "or name a claim of groups or roles in oidc.claim",
                    "unverified",
                )
            if _is_overage(claims, self._settings.claim):
                raise UnknownUser(
                    f"{_quote(identity.sub)} is in more groups than the provider lists; "
                    "in Entra ID: 'Groups assigned to the application', "
                    "or app roles with claim: roles",
                    "overage",
                )
            raise UnknownUser(f"{_quote(identity.sub)} is in no group with a role", "no_group")
        display = identity.display
        try:
            if account is None:
                account = self._add(identity, role, subject, display)
            if account.role != role:
                self._accounts.change(account, role=role)
        except UserError as refusal:
            raise UnknownUser(str(refusal)) from None
        self._accounts.confirm(account, display)
        return self._accounts.by_id(account.id)

    def _add(self, identity: Claims, role: Role, subject: str, display: str | None) -> Account:
        host = _host(identity.iss or self._settings.issuer) or "provider"
        plain = re.sub(r"[^a-z0-9.-]+", "-", host.lower())[:28].strip(".-") or "provider"
        start = f"{identity.slug[:30].rstrip('._-')}@{plain}"
        for number in range(1, 1000):
            name = start if number == 1 else f"{start}-{number}"
            if self._accounts.by_name_or_none(name) is not None:
                continue
            try:
                return self._accounts.add(name, role, subject=subject, display=display)
            except UserError:
                # Of sign-ins at the same time another one was first: with this identity, or name.
                account = self._accounts.by_subject(subject)
                if account is not None:
                    return account
                if self._accounts.by_name_or_none(name) is None:
                    raise
        raise UnknownUser(f"{start}: a thousand accounts are called so")


def _whole(text: str) -> str:
    if storable(text) != text:
        raise ValueError("has a character that no text may have")
    return text


class Claims(BaseModel):
    """The claims that are looked at; any others may be there."""

    model_config = ConfigDict(strict=True)

    sub: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_whole)]
    iss: Annotated[str, Field(max_length=200), AfterValidator(_whole)] | None = None
    groups: frozenset[str] = frozenset()
    display_claim: str = ""

    @property
    def display(self) -> str | None:
        """Letters, digits and the like: no line ends, and nothing that turns the text around."""
        text = "".join(c if c.isprintable() else " " for c in self.display_claim).strip()
        return text[:64] or None

    @property
    def slug(self) -> str:
        """The same in letters that cannot be taken for others."""
        plain = unicodedata.normalize("NFKC", self.display_claim).partition("@")[0].lower()
        return re.sub(r"[^a-z0-9._-]+", "", plain).strip("._-") or "account"


def _subject(issuer: str, sub: str) -> str:
    """Issuer and `sub`, which nobody else has; a digest of them where they are too long."""
    whole = f"{issuer} {sub}"
    if len(whole) <= LONGEST_SUBJECT:
        return whole
    return f"sha256:{hashlib.sha256(whole.encode()).hexdigest()}"


def _host(issuer: str) -> str | None:
    try:
        return urlsplit(issuer).hostname
    except ValueError:  # as for a bracket that nobody closes
        return None


def _plain(group: str) -> str:
    """Keycloak writes the way to a group, and may be told not to: `/teachers` is `teachers`."""
    return group.removeprefix("/")


def _at(claims: dict[str, Any], path: str) -> Any:
    """A claim by its name, or else by the way to it; None without one.

    Any name may have dots, as a client's that is called like its host.
    """
    if path in claims:
        return claims[path]
    for name, inner in claims.items():
        if path.startswith(f"{name}.") and isinstance(inner, dict):
            value = _at(inner, path.removeprefix(f"{name}."))
            if value is not None:
                return value
    return None


def _is_overage(claims: dict[str, Any], path: str) -> bool:
    """Whether the provider left the groups out because they are too many, as Entra ID does."""
    if _at(claims, path) is not None:
        return False
    names = claims.get("_claim_names")
    return claims.get("hasgroups") in (True, "true") or (isinstance(names, dict) and path in names)


def _read(claims: dict[str, Any], groups: str) -> Claims:
    """Raises UnknownUser, in words, for claims of another shape."""
    group_names = _at(claims, groups)
    if group_names is None:
        group_names = []
    elif isinstance(group_names, str):
        group_names = [group_names]
    if not isinstance(group_names, list) or not all(isinstance(one, str) for one in group_names):
        raise UnknownUser(f"the claim '{groups}' is neither a name nor a list of names")
    names = (claims.get(claim) for claim in ("preferred_username", "email", "name"))
    display_name = next((name for name in names if isinstance(name, str) and name), "")
    fields = {"sub": claims.get("sub"), "iss": claims.get("iss"), "display_claim": display_name}
    try:
        return Claims.model_validate(fields | {"groups": frozenset(map(_plain, group_names))})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise UnknownUser(f"the claim '{first['loc'][0]}': {first['msg']}") from None


def _quote(text: str, most: int = 100) -> str:
    """For the log: on one line, whatever it holds."""
    return ascii(text[:most])
