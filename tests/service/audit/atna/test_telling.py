"""Collectors hear each entry once, in order, however long they were away (cases A34, A35)."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from service.audit import repository
from service.audit.atna.collector import Collector, CollectorError
from service.audit.atna.settings import AtnaSettings
from service.audit.atna.telling import Telling
from service.audit.metrics import TOLD, WAITING, AuditMetrics
from service.audit.schemas import Entry, microseconds
from service.audit.trail import Trail
from service.clock import now
from service.settings import SettingsError, load
from service.storage.database import Database
from service.storage.transaction import Transactions
from tests import ports
from tests.chart.authority import OPENSSL, Certified, certified
from tests.service.audit.atna.sink import Sink

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(OPENSSL is None, reason="no openssl to make certificates with"),
]

RSYSLOGD = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
OSSL = any(Path("/usr/lib").glob("*/rsyslog/lmnsd_ossl.so"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture
def sink(site: Certified) -> Iterator[Sink]:
    with Sink(site.certificate, site.key) as opened:
        yield opened


async def entries(database: Database, count: int) -> None:
    """Add sealed entries to the trail."""
    for _ in range(count):
        one = Entry(
            id=uuid4(), at=microseconds(now()), kind="read", site="default", account_id=uuid4(),
            key_id=None, address="10.0.0.7", object_kind="result", object_id=str(uuid4()),
            detail="{}",
        )  # fmt: skip
        async with database.begin() as connection:
            await connection.run_sync(repository.add, [one])
    await Trail(Transactions(database), b"k" * 32, None).seal()


def telling(
    database: Database, site: Certified, port: int, registry: CollectorRegistry | None = None
) -> Telling:
    settings = AtnaSettings(atna_ca_file=site.authority)
    collector = Collector(settings, "localhost", port)
    metrics = AuditMetrics(registry or CollectorRegistry())
    return Telling(settings, Transactions(database), collector, metrics)


async def ids(database: Database) -> list[str]:
    """Return what the chain's entries are about, in its order."""
    async with database.connect() as connection:
        found = await repository.links(connection, 0, 10_000)
    return [str(one.entry.object_id) for one in found if one.entry]


def about(messages: list[bytes]) -> list[str]:
    return [re.findall(rb'ParticipantObjectID="([^"]+)"', one)[0].decode() for one in messages]


async def test_each_is_told_once_in_the_order_of_the_chain(
    database: Database, site: Certified, sink: Sink
) -> None:
    await entries(database, 7)
    registry = CollectorRegistry()
    one = telling(database, site, sink.port, registry)
    assert await one.step() == 7
    assert await one.step() == 0
    await entries(database, 3)

    assert await one.step() == 3
    assert about(sink.messages) == await ids(database)
    assert sink.trouble == []
    assert registry.get_sample_value(TOLD, {"collector": f"localhost:{sink.port}"}) == 10


async def test_a35_a_collector_that_was_away_hears_all_of_it_and_the_other_nothing_twice(
    database: Database, site: Certified, sink: Sink
) -> None:
    away = ports.free_port()
    registry = CollectorRegistry()
    near, far = telling(database, site, sink.port), telling(database, site, away, registry)
    for _ in range(3):
        await entries(database, 4)
        assert await near.step() == 4
        with pytest.raises(CollectorError):
            await far.step()
    assert registry.get_sample_value(WAITING, {"collector": f"localhost:{away}"}) == 12
    with Sink(site.certificate, site.key, away) as back:
        assert await far.step() == 12
        assert about(back.messages) == about(sink.messages) == await ids(database)
    assert registry.get_sample_value(WAITING, {"collector": f"localhost:{away}"}) == 0


async def test_what_a_collector_may_not_have_read_is_sent_again(
    database: Database, site: Certified, sink: Sink
) -> None:
    await entries(database, 5)
    one = telling(database, site, sink.port)
    sink.rude = True
    with pytest.raises(CollectorError):
        await one.step()
    assert await one.step() == 5
    assert about(sink.messages) == await ids(database)


async def test_of_several_fronts_one_tells(database: Database, site: Certified, sink: Sink) -> None:
    await entries(database, 6)
    fronts = [telling(database, site, sink.port) for _ in range(3)]
    done = await asyncio.gather(*(one.step() for one in fronts))
    assert sorted(done) == [0, 0, 6]
    assert about(sink.messages) == await ids(database)


async def test_a_collector_that_nobody_vouches_for_is_told_nothing(
    database: Database, site: Certified, sink: Sink, tmp_path: Path
) -> None:
    await entries(database, 1)
    other = certified(tmp_path, "localhost")
    with pytest.raises(CollectorError):
        await telling(database, other, sink.port).step()
    assert sink.messages == []


@pytest.mark.skipif(RSYSLOGD is None or not OSSL, reason="rsyslog with rsyslog-openssl is not here")
async def test_a34_rsyslog_takes_whole_messages(
    database: Database, site: Certified, tmp_path: Path
) -> None:
    port = ports.free_port()
    taken, conf = tmp_path / "taken", tmp_path / "rsyslog.conf"
    conf.write_text(f"""
global(workDirectory="{tmp_path}" maxMessageSize="64k" defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="{site.authority}"
  defaultNetstreamDriverCertFile="{site.certificate}" defaultNetstreamDriverKeyFile="{site.key}")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="whole" type="string" string="%syslogfacility% %msgid% %app-name% %msg%\\n")
action(type="omfile" file="{taken}" template="whole")
""")
    with ExitStack() as stack:
        process = subprocess.Popen(  # noqa: ASYNC220 - it only starts
            [str(RSYSLOGD), "-n", "-f", str(conf), "-i", str(tmp_path / "pid")],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tmp_path,
        )  # fmt: skip
        stack.callback(process.communicate)
        stack.callback(process.terminate)
        await entries(database, 30)
        one = telling(database, site, port)
        async with asyncio.timeout(30):
            while True:
                try:
                    assert await one.step() == 30
                    break
                except CollectorError:
                    await asyncio.sleep(0.2)
            while not taken.exists() or taken.read_text().count("\n") < 30:  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.1)
        await entries(database, 2)
        assert await one.step() == 2
        async with asyncio.timeout(30):
            while taken.read_text().count("\n") < 32:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)
    lines = taken.read_bytes().splitlines()
    assert about(lines) == await ids(database)
    for text in lines:
        facility, message_id, app = text.split(b" ")[:3]
        assert (facility, message_id, app) == (b"10", b"IHE+RFC-3881", b"osteoserve")
        assert text.endswith(b"</AuditMessage>")


@pytest.mark.parametrize(
    "settings",
    [{"atna_collectors": "host:port"}, {"atna_collectors": ":6514"},
     {"atna_collectors": "h:70000"}, {"atna_certificate": "a.pem"}],
    ids=["word", "nobody", "high", "half"],
)  # fmt: skip
def test_settings_that_are_none_say_what_is_allowed(settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"allowed|together"):
        load(**settings)


def test_collectors_are_read_with_their_ports() -> None:
    chosen = AtnaSettings(atna_collectors="arr.example, [fd00::5]:6515")
    assert chosen.collectors == (("arr.example", 6514), ("fd00::5", 6515))
