"""Rules: which objects are judged, ignored or held, and how the ledger tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import select

from service.__main__ import main
from service.integration.dicom import head
from service.integration.ledger.schemas import Arrival, Balance, LeaseLostError
from service.integration.peers import Peers, PeersError
from service.integration.rules import Rule, decide
from service.integration.web.reading import parted
from service.storage.database import Database
from service.storage.tables.ledger import ArrivalRow, LedgerEventRow
from tests.service.integration.gateways import peers_file
from tests.service.integration.kit import arrival, file, image, opened
from tests.service.integration.test_ledger import PERSON

HIPS = 'name = "hips"\nbody_part = ["HIP", "FEMUR*"]\nthen = "ignore"'
RESEARCH = 'name = "research"\npeer = "dxa-1"\nstation = "LAB?"\nthen = "hold"'
TRIAL = 'name = "trial"\nbody_part = "WRIST"\nthen = "judge"\nto = "pacs"'


def peers(folder: Path, *rules: str) -> Peers:
    more = "".join(f"\n[[rule]]\n{one}\n" for one in rules)
    return Peers.read(peers_file(folder, 104, more=more))


def decided(peers: Peers, data: Dataset, peer: str = "dxa-1") -> str:
    """Return the rule that an object fits, as it is read when it comes."""
    rule = decide(peers.rule, peer, head.read(*parted(file(data))).traits)
    return "none" if rule is None else f"{rule.then} {rule.name}"


@pytest.mark.parametrize(
    ("rule", "fits", "does_not"),
    [
        ('body_part = "HIP"', {"BodyPartExamined": "HIP"}, {"BodyPartExamined": "HIPS"}),
        ('body_part = "lspine"', {"BodyPartExamined": "LSPINE"}, {"BodyPartExamined": None}),
        ('series = "ap SPINE"', {"SeriesDescription": "AP Spine"}, {}),
        ('body_part = "*HIP*"', {"BodyPartExamined": "LHIP AP"}, {"BodyPartExamined": ""}),
        ('modality = ["OT", "CR"]', {"Modality": "CR"}, {"Modality": "BMD"}),
        ('station = "LAB?"', {"StationName": "LAB1"}, {"StationName": "LAB12"}),
        ('series = "*forearm*"', {"SeriesDescription": "Left Forearm"}, {}),
        ('protocol = "QA*"', {"ProtocolName": "QA spine phantom"}, {}),
        ('manufacturer = "HOLOGIC*"', {"Manufacturer": "Hologic, Inc."}, {"Manufacturer": "GE"}),
        ('model = "[iP]*"', {"ManufacturerModelName": "IDXA"}, {"ManufacturerModelName": "H"}),
        (
            'station = "LAB1"\nmodality = "BMD"',
            {"StationName": "LAB1"},
            {"StationName": "LAB1", "Modality": "OT"},
        ),
    ],
)
def test_all_that_a_rule_names_has_to_fit(
    tmp_path: Path, rule: str, fits: dict[str, str | None], does_not: dict[str, str | None]
) -> None:
    known = peers(tmp_path, f'name = "one"\n{rule}\nthen = "ignore"')
    assert decided(known, image(**fits)) == "ignore one"
    assert decided(known, image(**does_not)) == "none"


def test_the_first_that_fits_decides(tmp_path: Path) -> None:
    known = peers(
        tmp_path,
        'name = "but-this"\nseries = "AP Spine"\nthen = "judge"',
        'name = "rest"\nmodality = "*"\nthen = "ignore"',
    )
    assert decided(known, image(SeriesDescription="AP spine")) == "judge but-this"
    assert decided(known, image(SeriesDescription="other")) == "ignore rest"
    assert [one.reason for one in known.rule] == ["rule:but-this", "rule:rest"]


def test_a_rule_of_another_peer_is_none(tmp_path: Path) -> None:
    known = peers(tmp_path, 'name = "one"\npeer = "dxa-1"\nthen = "hold"')
    assert decided(known, image()) == "hold one"
    assert decided(known, image(), peer="dxa-2") == "none"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('name = "all"\nthen = "ignore"', "would fit all of them"),
        ('name = "one"\nmodality = "OT"\nthen = "drop"', "rule.0.then"),
        ('name = "one"\nmodality = "OT"', "rule.0.then"),
        ('name = "one"\nmodality = []\nthen = "hold"', "rule.0.modality"),
        ('name = "one"\nmodality = ""\nthen = "hold"', "rule.0.modality"),
        ('name = "one"\npatient = "X"\nthen = "hold"', "rule.0.patient"),
        ('name = "one"\npeer = "nobody"\nthen = "hold"', "no peer of this file: nobody"),
        ('name = "one"\nmodality = "OT"\nthen = "judge"\nto = []', "rule.0.to"),
        (
            'name = "one"\nmodality = "OT"\nthen = "judge"\nto = "away"',
            "no destination of this file: away",
        ),
        (
            'name = "one"\nmodality = "OT"\nthen = "ignore"\nto = "pacs"',
            "has no result that could go to anybody",
        ),
        (f'name = "{"n" * 49}"\nmodality = "OT"\nthen = "hold"', "more than 48 characters"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(tmp_path: Path, rule: str, said: str) -> None:
    with pytest.raises(PeersError, match=said):
        peers(tmp_path, rule)


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PeersError, match="the same name"):
        peers(tmp_path, HIPS, HIPS)


def came(rule: str, **changes: Any) -> Arrival:
    found = Rule.model_validate(changes | {"name": rule, "modality": "*"})
    return arrival(action=found.then, rule=found.reason)


@pytest.mark.anyio
async def test_what_a_rule_ignores_is_acknowledged_and_not_kept(database: Database) -> None:
    ledger = opened(database).ledger
    one = came("hips", then="ignore")
    assert await ledger.receive(one) == ("ignored", None)
    assert await ledger.receive(one) == ("duplicate", None)
    async with database.connect() as connection:
        (row,) = await connection.execute(
            select(ArrivalRow.state, ArrivalRow.reason, ArrivalRow.data, ArrivalRow.patient)
        )
    assert tuple(row) == ("ignored", "rule:hips", None, None)
    assert await ledger.balance() == Balance(accepted=1, ignored=1)


@pytest.mark.anyio
async def test_what_a_rule_holds_waits_for_a_person_who_has_the_last_word(
    database: Database,
) -> None:
    ledger = opened(database).ledger
    what, case_id = await ledger.receive(came("research", then="hold"))
    assert what == "accepted"
    assert case_id is not None
    await ledger.released([case_id])
    assert await ledger.next_case() is None
    (line,) = await ledger.waiting()
    assert (line.id, line.state, line.reason) == (case_id, "quarantined", "rule:research")
    assert await ledger.balance() == Balance(accepted=1, quarantined=1)
    await ledger.restart(PERSON, case_id)
    case = await ledger.next_case()
    assert case is not None
    assert len(await ledger.held(case)) == 1


@pytest.mark.anyio
async def test_an_object_that_is_held_takes_its_study_from_whoever_works_on_it(
    database: Database,
) -> None:
    ledger = opened(database).ledger
    first = arrival()
    await ledger.receive(first)
    case = await ledger.next_case()
    assert case is not None
    await ledger.ready(case)
    late = arrival(study_uid=first.study_uid, action="hold", rule="rule:research")
    assert (await ledger.receive(late))[1] == case.id
    with pytest.raises(LeaseLostError):
        await ledger.judged(case, [])
    async with database.connect() as connection:
        reasons = (await connection.scalars(select(LedgerEventRow.reason))).all()
    assert "rule:research" in reasons
    assert await ledger.next_case() is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ([("pacs",)], {"pacs"}),
        ([("pacs",), ("record", "pacs")], {"pacs", "record"}),
        ([("pacs",), None], None),
        ([None], None),
    ],
)
async def test_a_result_goes_where_the_rules_of_its_images_say(
    database: Database, rules: list[tuple[str, ...] | None], wanted: set[str] | None
) -> None:
    ledger, study = opened(database).ledger, image().StudyInstanceUID
    for to in rules:
        _, case_id = await ledger.receive(arrival(study_uid=study, destinations=to))
    # Of another study, and so of no account here.
    await ledger.receive(arrival(destinations=("elsewhere",)))
    while (case := await ledger.next_case()) is not None and case.id != case_id:
        pass
    assert case is not None
    assert await ledger.destinations(case) == wanted


def test_files_are_tried_without_being_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    peers(tmp_path, HIPS, RESEARCH, TRIAL)
    monkeypatch.setenv("OSTEOSERVE_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("OSTEOSERVE_GATEWAY_PEERS", str(tmp_path / "peers.toml"))
    said = {
        "spine": (image(), "judge, no rule fits"),
        "femur": (image(BodyPartExamined="FEMUR_L"), "ignore, by rule hips"),
        "lab": (image(StationName="lab9"), "hold, by rule research"),
        "trial": (image(BodyPartExamined="WRIST"), "judge for pacs, by rule trial"),
        "own": (image(Manufacturer="osteoserve"), "ignore, a result of ours"),
        "report": (image(Rows=None), "no image: nothing to judge"),
    }
    for name, (data, _) in said.items():
        (tmp_path / name).write_bytes(file(data))
    paths = [str(tmp_path / name) for name in said]
    assert main(["gateway", "rules", *paths]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{path}: {what}" for path, (_, what) in zip(paths, said.values(), strict=True)
    ]
    (tmp_path / "text").write_text("no DICOM")
    assert main(["gateway", "rules", str(tmp_path / "text"), str(tmp_path / "none")]) == 1
    refused = capsys.readouterr().err
    assert "text: refused: It is no DICOM file" in refused
    assert "none: cannot be read" in refused
    assert main(["gateway", "rules", "--peer", "nobody", *paths]) == 2
    assert "no peer is called nobody; there are dxa-1" in capsys.readouterr().err
    assert not (tmp_path / "var" / "osteoserve.db").exists()
