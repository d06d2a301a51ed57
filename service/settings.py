"""Every setting of the front: one table, read from ``OSTEOSERVE_…`` environment variables.

``python -m service settings`` prints it. A value that cannot be read stops the start with a message
that names key and value; an ``OSTEOSERVE_…`` variable that nothing here reads is a warning, not an
error: the runners and the supervisor share the prefix.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    ByteSize,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

from listener.limits import Limits as Listening
from models.reading.limits import PILLOW_MAX_PIXELS, Limits
from service.http.hosts import HostError, Hosts
from service.medicine.progression.change import Precision
from service.runners.registry import BY_NAME, RunnerUrls, Url
from service.types import RunnerName
from telemetry.journal import Form, Level

PREFIX: Final = "OSTEOSERVE_"

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SecondsOrNone = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message names it and never shows a secret."""


class Settings(RunnerUrls, BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    host: str = Field("127.0.0.1", description="Address that the front listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port that the front listens on; 0: any.")
    public_url: Url | None = Field(
        None,
        description="Where people find the front, as https://dxa.clinic.example: requests may name "
        "this host, and pages of this address may send.",
    )
    hosts: str = Field(
        "",
        description="Further names that requests may have in Host, with commas between; "
        "*.clinic.example: every name below. Addresses and localhost always may: only a name can "
        "be made to point here by somebody else.",
    )
    var: Path = Field(Path("var"), description="Folder for state: the SQLite database.")
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL as postgresql://…, or sqlite:///…; "
        "none: SQLite in OSTEOSERVE_VAR/osteoserve.db.",
    )
    storage_seconds: Seconds = Field(
        5.0, description="Longest wait for the database before 503 storage_unavailable."
    )

    runner_calls: int = Field(
        1,
        ge=1,
        le=100,
        description="Calls to one runner at the same time, one for each of its replicas. Images "
        "beyond them wait and go together in the next.",
    )
    runner_images: int = Field(8, ge=1, le=64, description="Most images in one call to a runner.")
    hedge_seconds: Seconds | None = Field(
        None,
        description="Ask a runner once more, over another connection, when it has not answered "
        "after so long; none: never. Helps only where a runner has several replicas.",
    )
    circuit_seconds: Seconds = Field(
        2.0,
        description="How long a runner that failed three calls in a row is left alone at first.",
    )
    deadline_seconds: Seconds = Field(
        8.0, description="Time for one prediction, counted from the last byte of the upload."
    )
    queue_seconds: Seconds = Field(
        3.0,
        description="Longest that a request may be expected to wait for those ahead of it; one "
        "that would wait longer is answered 503 overloaded at once.",
    )
    stack_reserve_seconds: SecondsOrNone = Field(
        0.5, description="Part of the deadline kept back from the base runners for the stack."
    )

    max_upload_bytes: ByteSize = Field(
        ByteSize(32 * 2**20), ge=1, description="Largest file accepted; 32MiB and the like work."
    )
    max_samples: int = Field(
        Limits().max_samples,
        ge=1,
        le=PILLOW_MAX_PIXELS,
        description="Most samples an image may have, width × height × channels, checked before "
        "decoding.",
    )
    upload_seconds: Seconds = Field(60.0, description="Longest time one upload may take.")
    unfinished_bytes: ByteSize = Field(
        ByteSize(128 * 2**20),
        ge=1,
        description="Most bytes of uploads, batches aside, that are held at a time, until their "
        "answers. Beyond them the slowest upload gives way: 503 too_many_uploads.",
    )
    decoders: int = Field(
        2,
        ge=1,
        le=64,
        description="Files decoded at the same time, each in a process of its own with 96 MiB and "
        "half a second of a processor; beside them one that needs more.",
    )
    decoder_seconds: Seconds = Field(
        4.0,
        description="Most time of a processor that decoding one file may take; then 422 "
        "too_expensive.",
    )
    decoder_bytes: ByteSize = Field(
        ByteSize(384 * 2**20),
        ge=96 * 2**20,
        description="Most memory that decoding one file may take; then 422 too_expensive. "
        "OSTEOSERVE_MAX_SAMPLES of them fit in it, 15 bytes each and the file besides.",
    )

    connections: int = Field(
        Listening.connections,
        ge=1,
        le=100_000,
        description="Most connections at a time. One more takes the place of the one that has "
        "waited longest without a request; with none such it is 503 too_many_connections.",
    )
    connections_per_address: int = Field(
        Listening.connections_per_address,
        ge=1,
        le=100_000,
        description="The same for one address; all behind a proxy have the proxy's.",
    )
    head_bytes: ByteSize = Field(
        ByteSize(Listening.head_bytes),
        ge=1024,
        le=2**20,
        description="Longest line and headers of a request together; more is 431.",
    )
    head_fields: int = Field(
        Listening.head_fields, ge=8, le=1000, description="Most headers in a request; more is 431."
    )
    head_seconds: Seconds = Field(
        Listening.head_seconds, description="Longest time for a request's line and headers."
    )
    body_bytes_per_second: int = Field(
        Listening.body_bytes_per_second,
        ge=1,
        description="Least speed of a body, over OSTEOSERVE_BODY_PAUSE_SECONDS; less is 408.",
    )
    body_pause_seconds: Seconds = Field(
        Listening.body_pause_seconds, description="Longest pause of a body."
    )
    answer_pause_seconds: Seconds = Field(
        Listening.answer_pause_seconds,
        description="Longest time in which a client takes nothing of an answer; then it is left.",
    )
    keep_alive_seconds: Seconds = Field(
        Listening.keep_alive_seconds,
        description="How long a connection stays open between requests.",
    )

    bulk_items: int = Field(500, ge=1, le=10_000, description="Most images in one batch.")
    bulk_bytes: ByteSize = Field(
        ByteSize(512 * 2**20), ge=1, description="Most bytes of one batch, unpacked ones as well."
    )
    bulk_ratio: int = Field(
        200, ge=1, le=2000, description="Most times its size that a file in a zip may unpack to."
    )
    bulk_upload_seconds: Seconds = Field(
        600.0, description="Longest time the upload of one batch may take."
    )
    bulk_batches: int = Field(
        4,
        ge=1,
        le=100,
        description="Batches that one front works on at a time; four times as many may be on their "
        "way in.",
    )
    bulk_concurrency: int = Field(
        16,
        ge=1,
        le=64,
        description="Images of batches in hand at the same time, all batches taken together. "
        "Single requests go before them at every step.",
    )
    bulk_patience_seconds: SecondsOrNone = Field(
        2.0, description="How long, at a step, an image of a batch lets single requests go first."
    )

    cache_images: int = Field(
        256, ge=0, le=100_000, description="Files whose answer is remembered; 0: none."
    )
    cache_seconds: SecondsOrNone = Field(
        600.0,
        description="How long. The same file is then answered without asking the models again, as "
        "a prediction of its own, unless one of them has answered in another version since.",
    )

    drift_images: int = Field(
        500,
        ge=20,
        le=100_000,
        description="Images, the last ones of a front, that are compared with the models' "
        "reference.",
    )
    drift_enough: int = Field(
        200,
        ge=20,
        le=100_000,
        description="With fewer images the comparison is not told: at 200 and without any change, "
        "about one in a thousand exceeds the alert's 0.25.",
    )

    bmd_precision: Decimal = Field(
        Precision().spine_g_cm2,
        gt=0,
        le=Decimal("0.1"),
        description="The facility's own precision of spine BMD, L1–L4, as RMS standard deviation "
        "in g/cm²; the least significant change is 2.77 times this. The default is the upper end "
        "of what was observed (Nelson 2010, 10.1016/j.jocd.2009.10.001): replace it.",
    )
    lsc_factor_three: Decimal = Field(
        Precision().three,
        ge=1,
        le=5,
        description="Multiplies the least significant change when three vertebrae are left "
        "(Manitoba, 10.1016/j.jocd.2024.101483; 1.39 if the precision study was made on one day).",
    )
    lsc_factor_two: Decimal = Field(
        Precision().two,
        ge=1,
        le=5,
        description="The same for two vertebrae (1.60 if the precision study was made on one day).",
    )

    probe_seconds: Seconds = Field(2.0, description="Pause between looks at the runners.")
    startup_grace_seconds: SecondsOrNone = Field(
        60.0, description="How long /health/startup waits for runners that were never ready."
    )
    drain_seconds: SecondsOrNone = Field(
        0.0, description="Between a stop signal and closing the port: not ready, still serving."
    )
    shutdown_seconds: int = Field(
        10, ge=1, description="Longest wait for requests in flight at shutdown."
    )

    log_format: Form = Field("plain", description="Form of a log line.")
    log_level: Level = Field("info", description="Least level that is logged.")
    tracing_endpoint: Url | None = Field(
        None,
        description="Collector that spans are sent to by OTLP over HTTP, as "
        "http://collector:4318; none: where OTEL_EXPORTER_OTLP_ENDPOINT says, and without that no "
        "tracing. OTEL_SDK_DISABLED=true turns it off.",
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        schemes = ("postgresql://", "postgresql+psycopg://", "postgres://", "sqlite:///")
        if value is not None and not value.get_secret_value().startswith(schemes):
            raise ValueError("starts with none of " + ", ".join(schemes))
        return value

    @field_validator("hosts")
    @classmethod
    def _names(cls, value: str) -> str:
        try:
            Hosts.of(value)
        except HostError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("unfinished_bytes")
    @classmethod
    def _room_for_one(cls, value: ByteSize, info: ValidationInfo) -> ByteSize:
        largest = info.data.get("max_upload_bytes")
        if largest is not None and value < largest:
            raise ValueError(f"less than OSTEOSERVE_MAX_UPLOAD_BYTES, {int(largest)}")
        return value

    @property
    def allowed_hosts(self) -> Hosts:
        """Who requests may say that they are for: loopback, what is listened on, what is set."""
        return Hosts.of(self.hosts, listening=self.host, public_url=self.public_url)

    @property
    def listening(self) -> Listening:
        """What the front's listener bounds."""
        return Listening(**{field.name: getattr(self, field.name) for field in fields(Listening)})

    @property
    def precision(self) -> Precision:
        return Precision(
            spine_g_cm2=self.bmd_precision, three=self.lsc_factor_three, two=self.lsc_factor_two
        )

    def runner_url(self, name: RunnerName) -> str:
        url: str = getattr(self, BY_NAME[name].setting)
        return url.rstrip("/")


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
    for name, field in Settings.model_fields.items():
        default = "" if field.default is PydanticUndefined else _show(field.default)
        value = default if settings is None else _show(getattr(settings, name))
        rows.append(Row(PREFIX + name.upper(), default, value, field.description or ""))
    return rows


def _show(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(set, hidden)"
    return "" if value is None else str(value)


def _explain(error: ValidationError) -> Iterator[str]:
    for item in error.errors(include_url=False, include_context=False):
        name = str(item["loc"][0])
        shown = "(hidden)" if name == "database_url" else repr(item["input"])
        yield f"{PREFIX}{name.upper()}={shown}: {item['msg']}"
