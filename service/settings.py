"""Every setting of the front, read from ``OSTEOSERVE_…`` environment variables: one table.

Each room declares its own, as a frozen group in its ``settings.py``; here they are put together,
and a class is given the group that it needs. ``python -m service settings`` prints them. A value
that cannot be read stops the start with a message that names key and value; an ``OSTEOSERVE_…``
variable that nothing here reads is a warning, not an error: the runners and the supervisor share
the prefix.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from pydantic import SecretStr, ValidationError
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.audit.atna.settings import AtnaSettings
from service.audit.settings import AuditSettings
from service.batches.settings import BatchLimits
from service.decoding.settings import DecoderLimits
from service.flow.settings import LoadPolicy
from service.http.settings import Address, ConnectionLimits, UploadLimits
from service.identity.oidc.settings import OidcSettings
from service.identity.oidc.settings import faults as oidc_faults
from service.identity.rules import RULES
from service.identity.settings import IdentitySettings, is_loopback
from service.images.settings import ImageSettings
from service.integration.cds.settings import CdsSettings
from service.integration.settings import GatewaySettings
from service.integration.smart.settings import SmartSettings
from service.integration.smart.settings import faults as smart_faults
from service.integration.web.settings import DicomWebSettings
from service.language.settings import ZoneSettings
from service.medicine.modalities.settings import ModalitySettings
from service.medicine.progression.settings import PrecisionSettings
from service.observability.settings import TelemetrySettings
from service.operations.settings import ProcessSettings
from service.predictions.settings import DriftSettings, HeatMapSettings, KeepingSettings
from service.retention.settings import RetentionSettings
from service.runners.settings import RunnerPolicy
from service.storage.settings import StorageSettings
from service.types import SettingsGroup

PREFIX: Final = "OSTEOSERVE_"


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message names it and never shows a secret."""


class Settings(
    Address,
    ZoneSettings,
    IdentitySettings,
    OidcSettings,
    AuditSettings,
    AtnaSettings,
    StorageSettings,
    RetentionSettings,
    RunnerPolicy,
    LoadPolicy,
    UploadLimits,
    DecoderLimits,
    ImageSettings,
    ConnectionLimits,
    BatchLimits,
    DriftSettings,
    HeatMapSettings,
    KeepingSettings,
    PrecisionSettings,
    ModalitySettings,
    GatewaySettings,
    DicomWebSettings,
    CdsSettings,
    SmartSettings,
    ProcessSettings,
    TelemetrySettings,
    BaseSettings,
):
    """All groups in one: the name of a field, in capitals, is that of its variable."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )


GROUPS: Final = tuple(kind for kind in Settings.__bases__ if issubclass(kind, SettingsGroup))
"""In the order of the table."""


@dataclass(frozen=True)
class Row:
    """One line of the settings table."""

    variable: str
    default: str
    value: str
    help: str


def load(**overrides: Any) -> Settings:
    """Read the settings from the environment; ``overrides`` win. Raises :class:`SettingsError`."""
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error))) from None


def check(settings: Settings) -> None:
    """Raise :class:`SettingsError` where settings do not go together for what serves."""
    if settings.auth == "none" and not is_loopback(settings.host):
        raise SettingsError(
            f"{PREFIX}AUTH=none: everybody who reaches the front could do everything, so that it "
            f"may listen on loopback alone, not on {PREFIX}HOST={settings.host}. Leave it out for "
            "accounts, or listen on 127.0.0.1."
        )
    if settings.auth == "none" and settings.public_url is not None:
        raise SettingsError(
            f"{PREFIX}AUTH=none does not go with {PREFIX}PUBLIC_URL: what people find under an "
            "address of its own needs accounts."
        )
    _check_sub_path(settings.sub_path)
    found = list(oidc_faults(settings, settings, settings.public_url))
    found += smart_faults(settings, settings.oidc_issuer)
    if found:
        raise SettingsError("\n".join(found))
    if settings.column_keys is not None or settings.column_encryption:
        _check_column_keys(settings)
    url = settings.database_url
    is_elsewhere = url is not None and not url.get_secret_value().startswith("sqlite")
    if is_elsewhere and settings.second_factor and settings.secret_keys is None:
        raise SettingsError(
            f"{PREFIX}SECOND_FACTOR needs {PREFIX}SECRET_KEYS with PostgreSQL, the same for every "
            "front: 32 characters or more, from a Secret that is not kept in the database."
        )
    if is_elsewhere and settings.audit_key is None:
        raise SettingsError(
            f"{PREFIX}AUDIT_KEY is needed with PostgreSQL, the same for every front: 32 characters "
            "or more, from a Secret that is not kept in the database."
        )


def _check_column_keys(settings: Settings) -> None:
    # Every command reads settings, and few need what a database does.
    from service.storage.encryption import Encryption  # noqa: PLC0415 - as above
    from service.storage.errors import KeysError  # noqa: PLC0415 - as above

    try:
        Encryption.of(settings)
    except KeysError as error:
        raise SettingsError(str(error)) from None


def _check_sub_path(path: str) -> None:
    first, ours = path.split("/")[1:2], {route.split("/")[1] for _, route in RULES}
    if not _SUB_PATH.fullmatch(path):
        raise SettingsError(
            f"{PREFIX}PUBLIC_URL: letters, digits and .~_- with single slashes between are allowed "
            "as its path."
        )
    if first and first[0] in ours:
        raise SettingsError(
            f"{PREFIX}PUBLIC_URL: its path may not begin with /{first[0]}, which is an address of "
            "the front itself. /osteoserve and the like are free."
        )


_SUB_PATH: Final = re.compile(r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9.~_-]+)*")


def unknown(environ: Mapping[str, str] | None = None) -> list[str]:
    """Say which ``OSTEOSERVE_…`` variables nothing here reads, and what may have been meant."""
    environ = os.environ if environ is None else environ
    names = {PREFIX + name.upper() for name in Settings.model_fields}
    lines = []
    for key in sorted(environ):
        if key.startswith(PREFIX) and key not in names:
            near = difflib.get_close_matches(key, names, n=1, cutoff=0.8)
            lines.append(f"{key} is no setting of the front" + (f": {near[0]}?" if near else ""))
    return lines


def table(settings: Settings | None = None) -> list[Row]:
    """Every setting with its default, its value in ``settings`` and its help text."""
    rows = []
    for name, field in chain.from_iterable(group.model_fields.items() for group in GROUPS):
        default = "" if field.default is PydanticUndefined else _show(field.default)
        value = default if settings is None else _show(getattr(settings, name))
        rows.append(Row(PREFIX + name.upper(), default, value, field.description or ""))
    return rows


def _show(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(set, hidden)"
    return "" if value is None else str(value)


_HIDDEN: Final = frozenset(
    {"database_url", "audit_key", "first_administrator", "oidc_client_secret", "secret_keys"}
)


def _explain(error: ValidationError) -> Iterator[str]:
    for item in error.errors(include_url=False, include_context=False):
        if not item["loc"]:
            # Of several settings that do not go together.
            yield item["msg"].removeprefix("Value error, ")
            continue
        name = str(item["loc"][0])
        shown = "(hidden)" if name in _HIDDEN else repr(item["input"])
        yield f"{PREFIX}{name.upper()}={shown}: {item['msg']}"
