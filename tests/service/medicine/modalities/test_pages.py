"""Ultrasound by API and form, and modalities side by side: page, sheet, JSON, trail."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from lxml import html

from service.identity.actor import Actor
from service.medicine.modalities.entered import Entered
from service.medicine.modalities.ultrasound.schemas import read
from service.medicine.modalities.view import ModalitiesCard
from service.predictions.contexts import LIMITS
from service.storage.database import Database
from tests.service.kit.fronts import API, Front
from tests.service.kit.records import keep, made, verbs
from tests.service.kit.shapes import assert_problem, assert_well_made
from tests.service.predictions.report.test_report import words as printed_words

pytestmark = pytest.mark.anyio

HEEL: dict[str, Any] = {
    "device": "sahara",
    "side": "left",
    "measured_on": "2025-11-03",
    "sos_m_s": 1510.0,
    "bua_db_mhz": 50.0,
}


async def posted(opened: Front, png: bytes) -> str:
    id: str = (await opened.post(png + uuid4().bytes)).json()["id"]
    return id


async def test_ultrasound_is_entered_read_replaced_and_removed(shared: Front, png: bytes) -> None:
    id = await posted(shared, png)
    path = f"{API}/{id}/modalities"
    before = await shared.client.get(path)
    assert before.status_code == 200, before.text
    told = before.json()
    assert (told["ultrasound"], told["fused_probability"]) == (None, None)
    assert told["missing"] == ["t_score", "ct", "ultrasound"]

    put = await shared.client.put(f"{API}/{id}/ultrasound", json=HEEL)
    assert put.status_code == 200, put.text
    told = put.json()
    assert told["ultrasound"]["index"] == {
        "name": "qui", "computed": 68.6, "shown": None, "differs": False
    }  # fmt: skip
    (voice,) = [one for one in told["voices"] if one["source"] == "ultrasound"]
    assert (voice["valid"], voice["reading"]) == (True, "low")
    # Nobody signs in here, and so nobody is named.
    assert told["ultrasound_entry"]["by"] is None
    assert told["ct_entry"] is None
    again = await shared.client.put(f"{API}/{id}/ultrasound", json=HEEL)
    assert again.json() == told
    assert (await shared.client.get(path)).json() == told

    # Facts of the exam are replaced without it.
    study = await shared.client.put(f"{API}/{id}/study", json={"t_score": 0.5, "age_years": 70,
                                                               "sex": "female"})  # fmt: skip
    assert study.json()["modalities"]["ultrasound"]["sos_m_s"] == 1510.0
    assert (await shared.client.get(path)).json()["agreement"] == "conflict"
    emptied = await shared.client.put(f"{API}/{id}/study", json={})
    assert emptied.json()["modalities"]["ultrasound"]["sos_m_s"] == 1510.0

    stale = {"If-Match": before.headers["etag"]}
    late = await shared.client.put(
        f"{API}/{id}/ultrasound", json={**HEEL, "sos_m_s": 1600.0}, headers=stale
    )
    assert_problem(late, "changed_meanwhile")
    assert late.json()["kept"]["ultrasound"]["sos_m_s"] == 1510.0
    gone = await shared.client.delete(f"{API}/{id}/ultrasound")
    assert (gone.status_code, gone.json()["ultrasound"]) == (200, None)
    assert gone.json()["ultrasound_entry"] is None


async def test_who_entered_it_first_stays_whose_it_is(database: Database) -> None:
    one = made(0)
    await keep(database, one)
    modalities = verbs(database).modalities
    reader, other = Actor(name="B. Reader"), Actor(name="C. Other")
    first = await modalities.enter_ultrasound(reader, one.id, read(HEEL))
    assert first is not None
    entry = first.modalities.ultrasound_entry
    assert entry is not None
    assert entry.by == "B. Reader"
    again = await modalities.enter_ultrasound(other, one.id, read(HEEL))
    assert again is not None
    assert again.modalities == first.modalities
    changed = await modalities.enter_ultrasound(other, one.id, read({**HEEL, "side": "right"}))
    assert changed is not None
    assert changed.modalities.version != first.modalities.version
    assert changed.modalities.ultrasound_entry is not None
    assert changed.modalities.ultrasound_entry.by == "C. Other"
    # What was kept before entries were is read, and named after nobody.
    kept = Entered.model_validate({"ultrasound": read(HEEL)})
    assert (kept.version, kept.ultrasound_entry) == (first.modalities.version, None)
    card = ModalitiesCard.of(changed, None, LIMITS)
    assert card.ultrasound_by.startswith("Entered by C. Other on ")
    assert card.ultrasound_by in " ".join(card.details)


async def test_what_cannot_be_is_a_problem_that_names_the_field(shared: Front, png: bytes) -> None:
    id = await posted(shared, png)
    refused = await shared.client.put(
        f"{API}/{id}/ultrasound", json={**HEEL, "stiffness_index": 80}
    )
    body = assert_problem(refused, "invalid_ultrasound")
    assert list(body["faults"]) == ["stiffness_index"]
    nothing = await shared.client.put(f"{API}/{uuid4()}/ultrasound", json=HEEL)
    assert_problem(nothing, "prediction_not_found")


async def test_a_form_enters_it_and_the_page_and_the_sheet_show_it(
    shared: Front, png: bytes, tmp_path: Path
) -> None:
    id = await posted(shared, png)
    await shared.client.put(
        f"{API}/{id}/study", json={"t_score": 0.2, "age_years": 70, "sex": "female"}
    )
    empty = await shared.client.get(f"/results/{id}/ultrasound")
    assert_well_made(html.fromstring(empty.text))
    typed = {**{name: str(it) for name, it in HEEL.items()}, "sos_m_s": "1510,0", "qui": "x"}
    wrong = await shared.client.post(f"/results/{id}/ultrasound", data=typed)
    assert wrong.status_code == 422
    page = html.fromstring(wrong.text)
    assert_well_made(page)
    assert page.xpath("//input[@id='qui']/@aria-invalid") == ["true"]
    assert page.xpath("//input[@id='sos_m_s']/@value") == ["1510,0"]
    del typed["qui"]
    kept = await shared.client.post(f"/results/{id}/ultrasound", data=typed)
    assert (kept.status_code, kept.headers["location"]) == (303, f"/results/{id}#modalities")

    for language, words in (("en", "They contradict each other"), ("de", "widersprechen")):
        headers = {"Accept-Language": language}
        shown = await shared.client.get(f"/results/{id}", headers=headers)
        page = html.fromstring(shown.text)
        assert_well_made(page)
        (section,) = page.xpath("//section[h2[@id='modalities']]")
        text = " ".join(section.text_content().split())
        assert words in text
        sheet = await shared.client.get(f"/results/{id}/report.pdf", headers=headers)
        paper = printed_words(sheet.content, tmp_path)
        assert words in paper
        assert "BUA 50" in paper
    removed = await shared.client.post(f"/results/{id}/ultrasound", data={"remove": "yes"})
    assert removed.status_code == 303
    assert (await shared.client.get(f"{API}/{id}/modalities")).json()["ultrasound"] is None


async def test_a_patient_s_page_lists_it_apart_from_the_course(shared: Front, png: bytes) -> None:
    id = await posted(shared, png)
    facts = {"patient_reference": f"heel-{uuid4()}", "acquired_on": "2025-11-04"}
    study = (await shared.client.put(f"{API}/{id}/study", json=facts)).json()
    address = f"/patients/{study['patient_key']}"
    before = html.fromstring((await shared.client.get(address)).text)
    assert before.xpath("//section[@aria-labelledby='others']") == []
    await shared.client.put(f"{API}/{id}/ultrasound", json=HEEL)
    page = html.fromstring((await shared.client.get(address)).text)
    assert_well_made(page)
    (row,) = page.xpath("//section[@aria-labelledby='others']//tbody/tr")
    cells = [" ".join(cell.text_content().split()) for cell in row.xpath("th | td")]
    assert cells == [
        "4 November 2025", "Ultrasound of the heel", "SOS 1,510.0 m/s; BUA 50.0 dB/MHz",
        "Hologic Sahara · left heel · 3 November 2025",
    ]  # fmt: skip


async def test_treatment_shows_it_with_its_device_and_nothing_of_the_image(
    shared: Front, png: bytes
) -> None:
    id = await posted(shared, png)
    path = f"/results/{id}/treatment"
    before = html.fromstring((await shared.client.get(path)).text)
    assert before.xpath("//section[@aria-labelledby='others']") == []
    facts = {"t_score": 0.2, "age_years": 70, "sex": "female"}
    await shared.client.put(f"{API}/{id}/study", json=facts)
    await shared.client.put(f"{API}/{id}/ultrasound", json=HEEL)
    page = html.fromstring((await shared.client.get(path)).text)
    assert_well_made(page)
    (section,) = page.xpath("//section[@aria-labelledby='others']")
    text = " ".join(section.text_content().split())
    assert "They contradict each other. Low: Ultrasound of the heel. Not low: The scanner’s" in text
    assert "Hologic Sahara · left heel · 3 November 2025" in text
    assert "image’s models" not in text
    assert "Entered on" in text
    (whose,) = page.xpath("//section[@aria-labelledby='origins']")
    lines = [" ".join(one.text_content().split()) for one in whose.xpath(".//li")]
    assert lines[0].startswith("Age, Sex and T-score, lumbar spine: Entered, or told by")
    assert lines[1].startswith("Ultrasound of the heel, by its device’s limit: Entered on")
    # The T-score is known: nothing is said of ultrasound by which to treat, or not.
    assert "hardly more often than by chance" not in " ".join(page.text_content().split())
    unscored = {"age_years": 70, "sex": "female"}
    kept = await shared.client.put(f"{API}/{id}/study", json=unscored)
    assert kept.status_code == 200, kept.text
    page = html.fromstring((await shared.client.get(path)).text)
    assert "hardly more often than by chance" in " ".join(page.text_content().split())
