"""What a browser's authenticator is asked and answers, by the library `webauthn`.

Import it where it is used, not at the top of a module: with its certificates and encodings it takes half a second,
and most processes never see a passkey.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

BROKEN = (WebAuthnException, ValueError, KeyError, TypeError, IndexError, AttributeError)
"""What the library raises for answers that no browser sends."""

decode = base64url_to_bytes


class Question(msgspec.Struct, frozen=True):
    """What the browser is asked: its ``options``, and the challenge in them as base64url text."""

    challenge: str
    options: dict[str, Any]


class NewCredential(msgspec.Struct, frozen=True):
    """A passkey that was just made."""

    id: bytes
    public_key: bytes
    sign_count: int


def ask_to_register(
    *,
    site_id: str,
    user_id: bytes,
    email: str,
    name: str,
    known: Sequence[bytes],
    site_name: str = "Samlad",
) -> Question:
    """Options for ``navigator.credentials.create``; authenticators that hold a ``known`` one refuse."""
    options = webauthn.generate_registration_options(
        rp_id=site_id,
        rp_name=site_name,
        user_id=user_id,
        user_name=email,
        user_display_name=name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return Question(bytes_to_base64url(options.challenge), options_to_json_dict(options))


def registered(credential: dict[str, Any], challenge: str, *, site_id: str, origin: str) -> NewCredential:
    """The passkey that a browser answered with. Raises one of `BROKEN` if it does not fit."""
    verified = webauthn.verify_registration_response(
        credential=credential,
        expected_challenge=decode(challenge),
        expected_rp_id=site_id,
        expected_origin=origin,
        require_user_verification=True,
    )
    return NewCredential(verified.credential_id, verified.credential_public_key, verified.sign_count)


def ask_to_sign_in(*, site_id: str) -> Question:
    """Options for ``navigator.credentials.get``."""
    options = webauthn.generate_authentication_options(
        rp_id=site_id, user_verification=UserVerificationRequirement.REQUIRED
    )
    return Question(bytes_to_base64url(options.challenge), options_to_json_dict(options))


def signed(
    credential: dict[str, Any],
    challenge: str,
    *,
    site_id: str,
    origin: str,
    public_key: bytes,
    sign_count: int,
) -> int:
    """Check a signature; the authenticator's new count. Raises one of `BROKEN` if it does not fit."""
    verified = webauthn.verify_authentication_response(
        credential=credential,
        expected_challenge=decode(challenge),
        expected_rp_id=site_id,
        expected_origin=origin,
        credential_public_key=public_key,
        credential_current_sign_count=sign_count,
        require_user_verification=True,
    )
    return verified.new_sign_count
