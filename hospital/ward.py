"""Starts a hospital around the service, says where everything is, and ends all of it.

PACS, record and interface engine listen on loopback alone, on ports that are free; whatever they
keep lies in one folder that goes with them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import aiohttp

from hospital import orthanc
from hospital.sink import sink
from hospital.unpacked import RECORD, environment, tool
from models.files import replace
from service.local.supervisor import Process, StartError, ended, free_ports, together
from service.settings import PREFIX, Settings

USER: Final = "hospital"
STOP_SECONDS: Final = 60.0
"""Longest wait for the front to finish, and then the runners."""
PEERS: Final = """\
[[peer]]
name = "pacs"
calling = "{aet}"
called = "{gateway}"
addresses = ["127.0.0.1/32"]

[[destination]]
name = "pacs"
kind = "dicom"
called = "{aet}"
calling = "{gateway}"
host = "127.0.0.1"
port = {dicom}
pdf = true

[[destination]]
name = "engine"
kind = "hl7"
host = "127.0.0.1"
port = {hl7}
application = "SINK"

[[destination]]
name = "record"
kind = "fhir"
base = "{fhir}"
"""


@dataclass
class Ward:
    """All processes and files of one hospital."""

    settings: Settings
    password: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def __post_init__(self) -> None:
        var = self.settings.var.resolve()
        self._told = var / "hospital.json"
        self._folder = var / "hospital"
        self._dicom, self._http, self._fhir, self._gateway, self._probes = free_ports(5)

    async def run(self) -> int:
        """Run until asked to stop (0) or until something cannot go on (1)."""
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        self._clear()
        self._folder.mkdir(parents=True, mode=0o700)
        work = asyncio.create_task(self._work())
        asked = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return 0
            work.result()
        except StartError as error:
            _say(str(error))
        finally:
            for task in (work, asked):
                task.cancel()
            await asyncio.gather(work, asked, return_exceptions=True)
            self._clear()
            _say("all gone")
        return 1

    async def _work(self) -> None:
        """Start everything and wait for the first to end. Ends only by :class:`StartError`."""
        messages = self._folder / "messages"
        messages.mkdir()
        patience = aiohttp.ClientTimeout(total=5.0)
        async with (
            sink(messages) as hl7,
            aiohttp.ClientSession(timeout=patience, trust_env=False) as client,
        ):
            counterparts = [self._pacs(), self._record()]
            service = self._service(hl7)
            begun = time.monotonic()
            try:
                _say("starting pacs and record")
                for one in counterparts:
                    await one.start()
                # The service beside them: its models take as long as the record.
                await service.start()
                every = (*counterparts, service, self._gateway_of(service))
                await together(_announced(one, client, begun) for one in every)
                self._tell(messages)
                await _first_to_end(*counterparts, service)
            finally:
                await service.stop()
                await asyncio.gather(*(one.stop() for one in counterparts))

    def _tell(self, messages: Path) -> None:
        found = {
            "orthanc": f"http://127.0.0.1:{self._http}",
            "orthanc_user": USER,
            "orthanc_password": self.password,
            "dicom": {"host": "127.0.0.1", "port": self._dicom, "aet": orthanc.AET},
            "gateway": {
                "host": "127.0.0.1", "port": self._gateway, "aet": orthanc.GATEWAY,
                "calling": orthanc.AET,
            },
            "fhir": self._base,
            "hl7": str(messages),
            "front": self.settings.local_url,
        }  # fmt: skip
        replace(self._told, json.dumps(found, indent=1).encode(), mode=0o600)
        _say(f"ready, told in {self._told}; try it, and Ctrl-C ends it:")
        print(f"  storescu -aec {orthanc.AET} 127.0.0.1 {self._dicom} scan.dcm", flush=True)

    @property
    def _base(self) -> str:
        return f"http://127.0.0.1:{self._fhir}/fhir"

    def _pacs(self) -> Process:
        program = tool("Orthanc")
        if program is None:
            raise StartError("no Orthanc: `hospital/install` gets it where Debian's packages are")
        folder = self._folder / "pacs"
        folder.mkdir()
        users = {USER: self.password}
        found = orthanc.configuration(folder, self._dicom, self._http, self._gateway, users)
        return Process(
            name="pacs",
            command=[program, str(orthanc.write(folder / "orthanc.json", found))],
            ready_url=f"http://{USER}:{self.password}@127.0.0.1:{self._http}/system",
            log=folder / "log",
            environment=environment(),
        )

    def _record(self) -> Process:
        java = shutil.which("java")
        if java is None or not (RECORD / ".ready").exists():
            raise StartError("no record: `hospital/install` makes it where Java and Maven are")
        folder = self._folder / "record"
        folder.mkdir()
        return Process(
            name="record",
            command=[
                java, "-Xmx1g", "-XX:TieredStopAtLevel=1", "-cp", f"{RECORD}/*",
                "osteoserve.record.Record", str(self._fhir),
            ],
            ready_url=f"{self._base}/metadata",
            log=folder / "log",
            environment={},
        )  # fmt: skip

    def _service(self, hl7: int) -> Process:
        peers = self._folder / "peers.toml"
        peers.write_text(
            PEERS.format(
                aet=orthanc.AET, gateway=orthanc.GATEWAY, dicom=self._dicom, hl7=hl7,
                fhir=self._base,
            )
        )  # fmt: skip
        state = self._folder / "state"
        state.mkdir()
        return Process(
            name="service",
            command=[sys.executable, "-m", "service", "run"],
            ready_url=f"{self.settings.local_url}/health/startup",
            log=None,
            environment=self._settings(VAR=state, GATEWAY_PEERS=peers, GATEWAY_HOST="127.0.0.1",
                                       GATEWAY_DICOM_PORT=self._gateway,
                                       GATEWAY_HTTP_PORT=self._probes, CDS="true"),
            patience=STOP_SECONDS,
        )  # fmt: skip

    def _gateway_of(self, service: Process) -> Process:
        """Return what tells whether the gateway is ready: a process of the service's."""
        url = f"http://127.0.0.1:{self._probes}/health/startup"
        return dataclasses.replace(service, name="gateway", ready_url=url)

    @staticmethod
    def _settings(**values: Any) -> Mapping[str, str]:
        return {f"{PREFIX}{name}": str(value) for name, value in values.items()}

    def _clear(self) -> None:
        self._told.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)


async def _announced(one: Process, client: aiohttp.ClientSession, begun: float) -> None:
    await one.wait_ready(client)
    _say(f"  {one.name:9} ready after {time.monotonic() - begun:.1f} s")


async def _first_to_end(*processes: Process) -> NoReturn:
    """Wait until one ends. Raises :class:`StartError`, which says which."""
    tasks = {asyncio.create_task(ended(one)): one for one in processes}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    task = done.pop()
    one = tasks[task]
    raise StartError(f"{one.name} ended ({task.result()}){one.last_words()}")


def _say(line: str) -> None:
    print(f"hospital: {line}", flush=True)
