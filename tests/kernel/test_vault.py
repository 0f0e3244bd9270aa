"""The vault: what is sealed opens only with its key and purpose, and not after one flipped bit."""

import base64
import os
import pickle
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel import vault as vaults
from samlad.kernel.database import Database
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.kernel.settings import load
from samlad.kernel.vault import BadSignature, CannotOpen, Vault

KEY, OTHER = bytes(range(32)), bytes(32)
VAULT = Vault([KEY])


@given(st.binary(max_size=300), st.text(max_size=30))
def test_what_is_sealed_opens(value: bytes, purpose: str) -> None:
    sealed = VAULT.seal(purpose, value)
    assert VAULT.open(purpose, sealed) == value
    assert sealed != VAULT.seal(purpose, value), "a new nonce each time"


@given(st.integers(min_value=0), st.integers(0, 7))
def test_any_flipped_bit_is_noticed(place: int, bit: int) -> None:
    sealed = bytearray(VAULT.seal("p", b"a secret"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(CannotOpen):
        VAULT.open("p", bytes(sealed))


@pytest.mark.parametrize("length", [0, 1, 16, 17, 20])
def test_a_cut_value_is_noticed(length: int) -> None:
    with pytest.raises(CannotOpen):
        VAULT.open("p", VAULT.seal("p", b"")[:length])


def test_another_purpose_or_key_does_not_open() -> None:
    sealed = VAULT.seal("totp:1", b"x")
    with pytest.raises(CannotOpen):
        VAULT.open("totp:2", sealed)
    with pytest.raises(CannotOpen, match="not among the keys"):
        Vault([OTHER]).open("totp:1", sealed)


def test_nothing_of_the_key_shows() -> None:
    assert base64.b64encode(KEY).decode() not in repr(VAULT)
    assert repr(KEY) not in repr(VAULT)
    with pytest.raises(TypeError):
        pickle.dumps(VAULT)


@given(st.text(max_size=100))
def test_signed_data_comes_back(data: str) -> None:
    assert VAULT.unsign("cookie", VAULT.sign("cookie", data), max_age=10) == data


@given(st.integers(min_value=0), st.characters(codec="ascii"))
def test_a_changed_signature_is_refused(place: int, character: str) -> None:
    text = VAULT.sign("cookie", "kim")
    place %= len(text)
    changed = text[:place] + character + text[place + 1 :]
    if changed != text:
        with pytest.raises(BadSignature):
            VAULT.unsign("cookie", changed, max_age=10)


def test_signatures_age_and_belong_to_their_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    text = VAULT.sign("cookie", "kim")
    with pytest.raises(BadSignature):
        VAULT.unsign("link", text, max_age=10)
    present = time.time()
    monkeypatch.setattr(time, "time", lambda: present + 11)
    with pytest.raises(BadSignature, match="old"):
        VAULT.unsign("cookie", text, max_age=10)


@pytest.mark.parametrize("text", ["", ".", "a", "a.b", "é.é", "....", "=.="])
def test_rubbish_is_a_bad_signature(text: str) -> None:
    with pytest.raises(BadSignature):
        VAULT.unsign("cookie", text, max_age=10)


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    sealed, signed = VAULT.seal("p", b"x"), VAULT.sign("p", "y")
    rotated = Vault([OTHER, KEY])
    assert rotated.open("p", sealed) == b"x"
    assert rotated.unsign("p", signed, max_age=10) == "y"
    fresh = rotated.reseal("p", sealed)
    assert Vault([OTHER]).open("p", fresh) == b"x"
    assert rotated.reseal("p", fresh) == fresh


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = load({}, home=tmp_path / "new")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: Vault.of(settings), range(8)))
    sealed = found[0].seal("p", b"x")
    assert {v.open("p", sealed) for v in found} == {b"x"}, "all of them have the same key"
    assert [p.name for p in settings.home.iterdir()] == ["secret.key"]
    assert stat.S_IMODE((settings.home / "secret.key").stat().st_mode) == 0o600


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = load({}, home=tmp_path)
    Vault.of(settings)
    (tmp_path / "secret.key").chmod(0o640)
    with pytest.raises(InvalidInput, match="chmod 600"):
        Vault.of(settings)


def test_keys_come_from_the_environment_too(tmp_path: Path) -> None:
    text = ",".join(base64.b64encode(key).decode() for key in (OTHER, KEY))
    assert Vault.of(load({"SAMLAD_SECRET_KEY": text}, home=tmp_path)).open("p", VAULT.seal("p", b"x")) == b"x"
    assert list(tmp_path.iterdir()) == []
    for wrong in ("short", base64.b64encode(os.urandom(31)).decode(), "å" * 44):
        with pytest.raises(InvalidInput, match="32 bytes"):
            Vault.of(load({"SAMLAD_SECRET_KEY": wrong}, home=tmp_path))


async def test_secrets_are_stored_sealed_and_resealed(db: Database, tmp_path: Path) -> None:
    settings = load({}, home=tmp_path)
    first = Vault.of(settings)

    async def store(tx: vaults.Tx) -> None:
        for name in ("a", "b"):
            await vaults.put(tx, first, name, b"old")
            await vaults.put(tx, first, name, name.encode())

    await db.transaction(store)
    assert await vaults.get(db, first, "a") == b"a"
    new_id = vaults.add_key(tmp_path)
    second = Vault.of(settings)
    assert await db.transaction(lambda tx: vaults.reseal_all(tx, second)) == 2
    assert await db.transaction(lambda tx: vaults.reseal_all(tx, second)) == 0
    assert {s.key_id for s in await vaults.names(db)} == {new_id}
    assert await vaults.get(db, second, "b") == b"b"
    await db.transaction(lambda tx: vaults.remove(tx, "a"))
    with pytest.raises(NotFound):
        await vaults.get(db, second, "a")


async def test_a_secret_moved_to_another_name_does_not_open(db: Database) -> None:
    await db.transaction(lambda tx: vaults.put(tx, VAULT, "mine", b"x"))
    await db.value("UPDATE secret SET name = 'yours' RETURNING 1")
    with pytest.raises(CannotOpen):
        await vaults.get(db, VAULT, "yours")
