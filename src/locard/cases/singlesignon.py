# SPDX-License-Identifier: Apache-2.0
"""Single sign-on with an OpenID provider: authorization code with PKCE, state and nonce.

What the provider says is believed when its ID token is signed by a key of its own published set,
is for us, is of now and carries our nonce. Where it lies is asked of its discovery document, which
must name the issuer that we were told. Addresses that others could listen to are not used, and
nothing secret is logged or shown.
"""

import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from locard.model.errors import Error, SignInNeeded
from locard.settings import SingleSignOn, safe_address
from locard.state.identities import Leaving

log = logging.getLogger("locard.singlesignon")

TIMEOUT = 10.0
"""Seconds that the provider has for each answer."""
LARGEST = 1 << 20
"""Bytes of an answer of the provider that are read."""
FRESH = 3600.0
"""Seconds for which discovery document and keys are kept."""
LEEWAY = 60
"""Seconds that the clocks may be apart."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""How a token may be signed: with a key pair, never with a shared secret and never not at all."""
MOST_GROUPS = 1000


class NoProvider(Error):
    """The provider does not answer, or not as one does."""

    http_status = 502


@dataclass(frozen=True, slots=True)
class Claims:
    """Who somebody is, in the words of the provider."""

    issuer: str
    subject: str
    username: str
    name: str
    groups: frozenset[str]


class Provider:
    """One OpenID provider."""

    def __init__(self, settings: SingleSignOn) -> None:
        self.settings = settings
        self._lock = Lock()
        self._found: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def away(self, back: str) -> tuple[str, str, Leaving]:
        """The address to send a browser to, the state to know it by, and what to remember."""
        state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        verifier = secrets.token_urlsafe(48)
        with self._client(back) as client:
            address, _ = client.create_authorization_url(
                self._place("authorization_endpoint"),
                state=state,
                code_verifier=verifier,
                nonce=nonce,
            )
        return address, state, Leaving(nonce, verifier, back)

    def claims(self, code: str, issuer: str, leaving: Leaving) -> Claims:
        """Who the code stands for. Raises `SignInNeeded` when the answer cannot be believed.

        `issuer` is what the answer says of itself (RFC 9207): another one's code is not for here.
        """
        if issuer and issuer != self.settings.issuer:
            raise _unbelievable("the answer is of another provider")
        with self._client(leaving.back) as client:
            try:
                token = client.fetch_token(
                    self._place("token_endpoint"),
                    code=code,
                    code_verifier=leaving.verifier,
                    grant_type="authorization_code",
                )
                found = self._verified(str(token.get("id_token") or ""), token, leaving)
                more = self._userinfo(client, found["sub"])
            except httpx2.HTTPError as error:
                raise _no_provider(error) from error
            except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
                raise _unbelievable(_reason(error)) from error
        return self._said({**more, **found})

    def _client(self, back: str) -> Any:
        return OAuth2Client(
            self.settings.client,
            self.settings.secret or None,
            scope=self.settings.scopes,
            redirect_uri=back,
            token_endpoint_auth_method=self._method(),
            code_challenge_method="S256",
            timeout=TIMEOUT,
            follow_redirects=False,
        )

    def _method(self) -> str:
        if not self.settings.secret:
            return "none"
        known = self._discovered().get("token_endpoint_auth_methods_supported")
        basic = not known or "client_secret_basic" in known
        return "client_secret_basic" if basic else "client_secret_post"

    def _verified(self, text: str, token: Mapping[str, Any], leaving: Leaving) -> dict[str, Any]:
        """The claims of the ID token, each of them judged."""
        try:
            decoded = jwt.decode(text, self._key_set(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # The provider may have changed its keys since we asked.
            self._keys = None
            decoded = jwt.decode(text, self._key_set(), algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": self.settings.issuer},
                "sub": {"essential": True},
                "aud": {"essential": True, "value": self.settings.client},
            },
            {
                "nonce": leaving.nonce,
                "client_id": self.settings.client,
                "access_token": token.get("access_token"),
            },
        )
        claims.validate(int(time.time()), LEEWAY)
        return dict(claims)

    def _userinfo(self, client: Any, subject: str) -> dict[str, Any]:
        """What the provider says beside the ID token; it must be of the same person."""
        place = self._discovered().get("userinfo_endpoint")
        if not isinstance(place, str) or not safe_address(place):
            return {}
        answer = client.get(place)
        if answer.status_code != 200 or len(answer.content) > LARGEST:
            return {}
        found = answer.json()
        if not isinstance(found, dict) or found.get("sub") != subject:
            raise ValueError("userinfo is of somebody else")
        return found

    def _said(self, claims: Mapping[str, Any]) -> Claims:
        wanted = self.settings.username
        username = claims.get(wanted)
        if not isinstance(username, str) or not username.strip():
            raise _unbelievable(f"there is no claim {wanted}")
        if wanted == "email" and claims.get("email_verified") is not True:
            raise _unbelievable("the address was not verified")
        groups = claims.get(self.settings.groups, [])
        listed = [groups] if isinstance(groups, str) else groups
        if not isinstance(listed, list):
            listed = []
        name = claims.get("name")
        return Claims(
            issuer=self.settings.issuer,
            subject=str(claims["sub"])[:300],
            username=username.strip().lower(),
            name=name if isinstance(name, str) else "",
            groups=frozenset(one for one in listed[:MOST_GROUPS] if isinstance(one, str)),
        )

    # What the provider publishes

    def _place(self, name: str) -> str:
        place = self._discovered().get(name)
        if not isinstance(place, str) or not safe_address(place):
            raise NoProvider(
                f"The provider {self.settings.issuer} names no safe {name.replace('_', ' ')}.",
                "Its discovery document must name addresses with https.",
            )
        return place

    def _discovered(self) -> Mapping[str, Any]:
        with self._lock:
            if self._found is not None and time.monotonic() - self._found[0] < FRESH:
                return self._found[1]
        where = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = self._asked(where)
        if found.get("issuer") != self.settings.issuer:
            raise NoProvider(
                f"The provider says that it is {str(found.get('issuer'))[:200]!r}.",
                f"LOCARD_OIDC_ISSUER is {self.settings.issuer!r}; the two must be the same.",
            )
        with self._lock:
            self._found = (time.monotonic(), found)
        return found

    def _key_set(self) -> KeySet:
        kept = self._keys
        if kept is not None and time.monotonic() - kept[0] < FRESH:
            return kept[1]
        keys = KeySet.import_key_set(self._asked(self._place("jwks_uri")))  # type: ignore[arg-type]
        self._keys = (time.monotonic(), keys)
        return keys

    def _asked(self, where: str) -> Mapping[str, Any]:
        try:
            answer = httpx2.get(where, timeout=TIMEOUT, follow_redirects=False)
            found = answer.json() if len(answer.content) <= LARGEST else None
        except (httpx2.HTTPError, ValueError) as error:
            raise _no_provider(error) from error
        if answer.status_code != 200 or not isinstance(found, dict):
            raise NoProvider(
                f"{where} answers {answer.status_code} and not what a provider publishes.",
                "Check LOCARD_OIDC_ISSUER.",
            )
        return found


def _reason(error: Exception) -> str:
    """What to tell of an error of the libraries: its kind and the claim, never a token."""
    kind = getattr(error, "error", "") or type(error).__name__
    claim = getattr(error, "claim_name", "") or getattr(error, "claim", "")
    return f"{kind} {claim}".strip()[:100]


def _unbelievable(reason: str) -> SignInNeeded:
    log.warning("an answer of the provider is not believed: %s", reason)
    return SignInNeeded(
        f"The answer of the provider cannot be believed ({reason}).",
        "Begin anew; if it stays so, ask an administrator to check the single sign-on settings.",
    )


def _no_provider(error: Exception) -> NoProvider:
    log.warning("the provider cannot be asked: %s", type(error).__name__)
    return NoProvider(
        "The single sign-on provider does not answer.",
        "Try again in a moment, or sign in with your password or a link.",
    )
