"""Off unless asked for; and what the pieces do when it is on."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time

import pytest

from telemetry.directly import Session, is_near
from telemetry.tracing import ENDPOINTS, PROTOCOLS, TracingError, wanted
from tests.ports import free_port
from tests.telemetry.collector import collecting


@pytest.fixture(autouse=True)
def _nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ENDPOINTS, *PROTOCOLS, "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)


def test_off_by_default() -> None:
    assert not wanted(None)


@pytest.mark.parametrize(
    ("ours", "theirs", "on"),
    [
        ("http://c:4318", {}, True),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        (None, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ("http://c:4318", {"OTEL_SDK_DISABLED": "true"}, False),
        ("http://c:4318", {"OTEL_SDK_DISABLED": "false"}, True),
        ("http://c:4318", {"OTEL_TRACES_EXPORTER": "none"}, False),
        ("http://c:4318", {"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ("http://c:4318", {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_the_environment_decides(
    monkeypatch: pytest.MonkeyPatch, ours: str | None, theirs: dict[str, str], on: bool
) -> None:
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    assert wanted(ours) is on


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_TRACES_EXPORTER", "jaeger")],
)
def test_what_cannot_be_had_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317")
    monkeypatch.setenv(name, value)
    with pytest.raises(TracingError, match=f"{name}={value}: allowed"):
        wanted(None)


PROGRAM = """
    import sys

    from service.observability import tracing
    from telemetry.tracing import exporting, here

    with exporting("front", sys.argv[1] or None):
        if not sys.argv[1]:
            with tracing.span("judge"), tracing.calling("cnn", [here()]):
                assert (here(), dict(tracing.headers())) == (None, {})
            assert not [name for name in sys.modules if name.startswith("opentelemetry.sdk")]
            sys.exit()
        with tracing.span("another"):
            waiting = here()
        with tracing.span("judge"):
            with tracing.calling("cnn", [here(), waiting, None]) as span:
                span.set_attribute("url.query", "patient=DOE")
                span.add_event("exception", {"exception.message": "DOE"})
                told = tracing.headers()["traceparent"].split("-")
            assert told[1] == f"{span.get_span_context().trace_id:032x}"
            assert told[2] == f"{span.get_span_context().span_id:016x}"
            try:
                with tracing.calling("vgg16", [None, waiting]):
                    raise ValueError("DOE")
            except ValueError:
                pass
"""


def run(endpoint: str, **environment: str) -> float:
    """Run the program: a process has one provider, so this one must not get it."""
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), endpoint],
        check=False,
        capture_output=True,
        text=True,
        env={"OTEL_SERVICE_NAME": "", "OTEL_RESOURCE_ATTRIBUTES": "site=north", **environment},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return time.monotonic() - begin


def test_without_a_collector_nothing_is_loaded_or_sent() -> None:
    run("")


def test_calls_link_to_those_that_waited_and_tell_nothing_else() -> None:
    with collecting() as collector:
        run(collector.url)
    assert collector.paths == ["/v1/traces"]
    named = {one.name: one for one in collector.spans}
    assert named.keys() == {"another", "judge", "runner cnn", "runner vgg16"}
    (request,) = collector.requests
    assert "DOE" not in str(request)

    called = named["runner cnn"].span
    assert called.parent_span_id == named["judge"].span.span_id
    assert [link.span_id for link in called.links] == [named["another"].span.span_id]
    assert named["runner cnn"].attributes.keys() == {"osteoserve.runner", "osteoserve.images"}

    failed = named["runner vgg16"]
    assert failed.span.parent_span_id == named["another"].span.span_id
    assert failed.attributes.keys() - {"error.type"} == named["runner cnn"].attributes.keys()
    assert failed.attributes["error.type"] == "ValueError"
    assert failed.span.status.code == failed.span.status.STATUS_CODE_ERROR
    assert failed.span.status.message == ""

    (resource,) = request.resource_spans
    known = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert known["service.name"] == "osteoserve-front"
    assert known["site"] == "north"


def test_a_collector_that_is_not_there_keeps_nobody() -> None:
    assert run("http://127.0.0.1:9") < 30


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxies_of_the_environment_are_not_asked(name: str) -> None:
    with collecting() as collector:
        run(collector.url, **{name: f"http://127.0.0.1:{free_port()}"})
    assert collector.paths == ["/v1/traces"]


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:4318/v1/traces", True),
        ("http://[::1]:4318", True),
        ("http://[fd00:10:96::a]:4318", True),
        ("http://10.96.0.10:4318", True),
        ("http://localhost:4318", True),
        ("http://collector:4318", True),
        ("http://collector.tracing.svc:4318", True),
        ("http://collector.tracing.svc.cluster.local.:4318", True),
        ("https://1.1.1.1/v1/traces", False),
        ("https://[2606:4700:4700::1111]/v1/traces", False),
        ("https://collector.invalid/v1/traces", False),
    ],
)
def test_what_is_near(url: str, near: bool) -> None:
    assert is_near(url) is near


def test_a_proxy_leads_out_and_certificates_are_the_environments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/authorities.pem")
    with Session() as session:
        far, near = (
            session.merge_environment_settings(f"https://{host}/v1/traces", {}, None, None, None)
            for host in ("collector.invalid", "collector")
        )
    assert far["proxies"]["https"] == "http://proxy:3128"
    assert near["proxies"] == {}
    assert far["verify"] == near["verify"] == "/authorities.pem"
