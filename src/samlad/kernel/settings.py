"""Settings: environment first, then one TOML file, then defaults. `settings_table` documents them all."""

import difflib
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import platformdirs

from samlad.kernel.problems import InvalidInput

Doc = msgspec.Meta

SECRET = frozenset({"database_url", "secret_key", "oidc_client_secret"})
"""Settings that nobody may read over somebody's shoulder."""

NO_SETTINGS = frozenset({"SAMLAD_CONFIG", "SAMLAD_PARENT", "SAMLAD_CHROMIUM", "SAMLAD_PICTURES"})
"""Variables of ours in the environment that are no settings; the last two are for the tests."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting there is. Each is ``SAMLAD_<NAME>`` in the environment or ``<name>`` in the file."""

    home: Annotated[Path, Doc(description="Folder for the embedded database, the key file and uploads")]
    database_url: Annotated[
        str | None, Doc(description="PostgreSQL 16 or newer; empty: start the embedded one in `home`")
    ] = None
    schema: Annotated[
        str,
        Doc(pattern=r"^[a-z][a-z0-9_]{0,40}$", description="Database schema of this retailer"),
    ] = "samlad"
    pool_size: Annotated[int, Doc(ge=2, le=500, description="Database connections of one process")] = 16
    statement_seconds: Annotated[int, Doc(ge=1, description="Time limit of one SQL statement")] = 30
    lock_seconds: Annotated[int, Doc(ge=1, description="Time limit for waiting on a lock")] = 5
    host: Annotated[str, Doc(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Doc(ge=0, le=65535, description="Port to listen on")] = 8000
    workers: Annotated[int, Doc(ge=1, le=256, description="Web processes")] = 1
    public_url: Annotated[
        str | None, Doc(description="How browsers reach this server, for links and passkeys")
    ] = None
    secret_key: Annotated[
        str | None,
        Doc(description="32 bytes in base64 for the vault; empty: a key file in `home`, made at first start"),
    ] = None
    default_locale: Annotated[str, Doc(description="Language when nobody says: en, sv or nl")] = "en"
    pseudo_locales: Annotated[
        bool,
        Doc(
            description="For developers: pages can also be read in en-XA (longer, accented) and ar-XB (right to left)"
        ),
    ] = False
    log_level: Annotated[
        str, Doc(pattern="^(debug|info|warning|error)$", description="Least level logged")
    ] = "info"
    log_format: Annotated[
        str, Doc(pattern="^(auto|json|console)$", description="auto: console in a terminal, else JSON lines")
    ] = "auto"
    otlp_endpoint: Annotated[str | None, Doc(description="OpenTelemetry collector, OTLP over HTTP")] = None
    trusted_proxies: Annotated[
        str, Doc(description="Comma-separated addresses or networks whose X-Forwarded-* headers are believed")
    ] = ""
    body_limit: Annotated[int, Doc(ge=1024, description="Largest request body in bytes")] = 4 * 1024 * 1024
    upload_limit: Annotated[int, Doc(ge=1024, description="Largest uploaded file in bytes")] = (
        64 * 1024 * 1024
    )
    oidc_issuer: Annotated[str | None, Doc(description="OpenID Connect issuer for staff sign-in")] = None
    oidc_client_id: Annotated[str | None, Doc(description="Client id at that issuer")] = None
    oidc_client_secret: Annotated[str | None, Doc(description="Client secret at that issuer")] = None
    smtp_host: Annotated[
        str | None, Doc(description="Mail server that takes our mails; empty: none are sent")
    ] = None
    smtp_port: Annotated[int, Doc(ge=1, le=65535, description="Port of the mail server")] = 587
    smtp_tls: Annotated[
        str,
        Doc(
            pattern="^(starttls|tls|none)$",
            description="How the way to it is encrypted; none only within a house",
        ),
    ] = "starttls"
    smtp_user: Annotated[
        str | None, Doc(description="Name at the mail server; its password: `samlad secret set smtp`")
    ] = None
    mail_from: Annotated[str | None, Doc(description="E-mail address that mails come from")] = None
    mail_bounces: Annotated[
        str,
        Doc(
            pattern=r"^([^@\s+]{1,27}@[^@\s]+)?$",
            description="Address that mails which do not arrive come back to, each under one of its own "
            "(`name+…@domain`), for `samlad mail receive`; empty: they come back to `mail_from`",
        ),
    ] = ""
    mail_authserv_id: Annotated[
        str,
        Doc(
            pattern=r"^[^\s;\"()]*$",
            description="Name under which the mail server that receives for us writes `Authentication-Results` (RFC 8601); "
            "answers of which it does not say that SPF, DKIM or DMARC passed wait for staff. It must take away what others "
            "wrote under this name. Empty: senders are not checked",
        ),
    ] = ""
    mail_replies: Annotated[
        str,
        Doc(
            pattern=r"^([^@\s+]{0,21}@[^@\s]+)?$",
            description="Where customers' answers to mails of conversations arrive, for `samlad mail receive`: an address "
            "(each conversation has `name+…@domain`) or a domain of its own (`@replies.shop.example`: `…@replies.shop.example`); "
            "empty: they are not taken",
        ),
    ] = ""
    mail_to_log: Annotated[
        bool,
        Doc(description="For developers: write mails, with the links that are in them, to the log instead"),
    ] = False

    printer_networks: Annotated[
        str,
        Doc(
            description="Comma-separated addresses or networks in which receipt printers may be; this machine itself only if named"
        ),
    ] = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
    printer_ports: Annotated[str, Doc(description="TCP ports of receipt printers: numbers and ranges")] = (
        "9100-9109"
    )

    def __repr__(self) -> str:
        """Without what is secret: settings end up in tracebacks."""
        shown = {
            name: "***" if name in SECRET and value else value
            for name, value in msgspec.structs.asdict(self).items()
        }
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def socket_url(self) -> str:
        """The address of this server as people type it."""
        return self.public_url or f"http://{self.host}:{self.port}"


def load(environment: dict[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from the environment, the file ``SAMLAD_CONFIG`` (default ``$SAMLAD_HOME/samlad.toml``), defaults.

    Raises:
        InvalidInput: a value that cannot be, a key that does not exist; the message names it.
    """
    env = dict(os.environ if environment is None else environment)
    home = Path(overrides.get("home") or env.get("SAMLAD_HOME") or platformdirs.user_data_dir("samlad"))
    home = home.expanduser().absolute()
    values: dict[str, Any] = _from_file(env.get("SAMLAD_CONFIG"), home)
    _refuse_unknown(env)
    for name in Settings.__struct_fields__:
        text = env.get(f"SAMLAD_{name.upper()}")
        if text:
            values[name] = text
    values |= {name: value for name, value in overrides.items() if value is not None}
    values["home"] = str(home)
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"Settings: {error}. The table of settings is in the documentation under Reference."
        ) from None


def _refuse_unknown(env: dict[str, str]) -> None:
    known = {f"SAMLAD_{name.upper()}" for name in Settings.__struct_fields__}
    for name in sorted(env):
        if name.startswith("SAMLAD_") and name not in known | NO_SETTINGS:
            close = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise InvalidInput(
                f"There is no setting {name}.{hint} The documentation lists them under Reference."
            )


def _from_file(named: str | None, home: Path) -> dict[str, Any]:
    path = Path(named) if named else home / "samlad.toml"
    if not path.exists():
        if named:
            raise InvalidInput(f"SAMLAD_CONFIG names {path}, but there is no such file.")
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{path} is not valid TOML: {error}") from None


def _decode(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)


def settings_table() -> list[tuple[str, str, str]]:
    """(environment variable, default, meaning) of every setting, for the documentation."""
    rows = []
    for field in msgspec.structs.fields(Settings):
        meta = next(m for m in field.type.__metadata__ if isinstance(m, msgspec.Meta))
        default = "the platform's user data folder" if field.name == "home" else field.default
        rows.append(
            (f"SAMLAD_{field.name.upper()}", "" if default is None else str(default), meta.description or "")
        )
    return rows
