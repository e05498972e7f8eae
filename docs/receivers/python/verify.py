"""The part to copy: everything that decides whether a request is a webhook of yours."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping

import jwt
from standardwebhooks import Webhook

TOLERANCE_SECONDS = 300

# Takes the body's bytes and the headers; returns the event, raises unless the request is genuine.
Verify = Callable[[bytes, Mapping[str, str]], dict]


def make_hmac_verifier(secret: str) -> Verify:
    """Scheme `hmac`: the official Standard Webhooks library.

    It compares in constant time and refuses timestamps older or newer than five minutes. While a secret is
    rotated, requests carry a signature for each: keep either one. Of what it raises, ValueError is one (for a
    malformed header): catch them all.
    """
    webhook = Webhook(secret)

    def verify(body: bytes, headers: Mapping[str, str]) -> dict:
        return webhook.verify(body, dict(headers))

    return verify


def make_jwt_verifier(jwks_url: str, issuer: str, audience: str) -> Verify:
    """Scheme `jwt`: a token in `webhook-jwt`, signed with a key whose public half stands at `jwks_url`."""
    # Kept for five minutes, fetched again for an unknown `kid` but at most every 30 seconds.
    keys = jwt.PyJWKClient(jwks_url, timeout=5)

    def verify(body: bytes, headers: Mapping[str, str]) -> dict:
        token = headers["webhook-jwt"]
        decoded = jwt.decode_complete(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["ES256"],  # never what the token itself asks for
            issuer=issuer,
            audience=audience,  # your endpoint's id: a token for another endpoint is worth nothing here
            options={
                "require": ["iss", "aud", "iat", "exp", "jti", "webhook_id", "body_sha256"],
                # It would refuse everything when your clock is a second late; the age is checked below.
                "verify_iat": False,
            },
        )
        claims = decoded["payload"]
        if decoded["header"].get("typ") != "webhook+jwt":
            raise ValueError("a token for something else")
        # A JWT library does not know the request: these comparisons are yours. No secret is in them.
        digest = hashlib.sha256(body).digest()
        if claims["body_sha256"] != base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
            raise ValueError("the body is not the one that was signed")
        if claims["webhook_id"] != headers["webhook-id"]:
            raise ValueError("another webhook-id was signed")
        if str(claims["iat"]) != headers["webhook-timestamp"]:
            raise ValueError("another time was signed")
        if abs(time.time() - claims["iat"]) > TOLERANCE_SECONDS:
            raise ValueError("too old, or too new")
        return json.loads(body)

    return verify
