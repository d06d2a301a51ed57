"""A site's visits: taken whole, or refused with every bad row named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from models.cohort.table import VisitsError, read

HEAD = "patient,sex,date,age,bmd,scanner,vertebrae,precision,weight,drug,since,fracture"
GOOD = "p1,female,2020-03-01,66,0.873,Hologic DX-1,L1 L2 L3 L4,0.010,64.5,denosumab,2019-12-01,yes"


def written(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "visits.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_rows_become_patients_with_visits_in_order(tmp_path: Path) -> None:
    later = "p1,female,2022-03-01,68,0.860,Hologic DX-1,L4 L2 L3,0.010,,,,"
    other = "p2,male,2021-01-01,70,1.010,Hologic DX-1,L1 L2 L3 L4,0.010,,,,"
    first, second = read(written(tmp_path, later, other, GOOD))
    assert [visit.on for visit in first.visits] == [date(2020, 3, 1), date(2022, 3, 1)]
    assert first.visits[0].drug == "denosumab"
    assert first.visits[0].fracture
    assert first.visits[0].weight == 64.5
    assert first.visits[1].vertebrae == ("L2", "L3", "L4")
    assert (first.visits[1].drug, first.visits[1].weight) == (None, None)
    assert (second.sex, second.precision, second.truth) == ("male", 0.010, None)


def test_the_last_columns_may_be_missing(tmp_path: Path) -> None:
    head = ",".join(HEAD.split(",")[:8])
    (found,) = read(written(tmp_path, ",".join(GOOD.split(",")[:8]), head=head))
    assert found.visits[0].drug is None


def test_all_bad_rows_are_named_at_once_and_no_patient_is(tmp_path: Path) -> None:
    bad = [
        "SECRET,woman,2020-03-01,66,0.873,A,L1 L2,0.010,,,,",
        "SECRET,female,1.3.2020,66,9.9,A,L1,0.010,,aspirin,,perhaps",
        "SECRET,female,,66,nan,A,L1 L2,0.010,,,,",
    ]
    with pytest.raises(VisitsError) as caught:
        read(written(tmp_path, GOOD, *bad))
    said = str(caught.value)
    assert "SECRET" not in said
    for expected in (
        "line 3: sex is 'woman', allowed is female or male",
        "line 4: date is '1.3.2020', allowed is a date as YYYY-MM-DD",
        "line 4: bmd is '9.9', allowed is a number from 0.422 to 1.901",
        "line 4: vertebrae is 'L1', allowed is two to four",
        "line 4: drug is 'aspirin'",
        "line 4: fracture is 'perhaps'",
        "line 5: date is empty",
        "line 5: bmd is 'nan'",
    ):
        assert expected in said, said


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(VisitsError, match="has no column age, precision"):
        read(written(tmp_path, head="patient,sex,date,bmd,scanner,vertebrae"))


def test_rows_of_one_patient_that_cannot_be(tmp_path: Path) -> None:
    man = GOOD.replace("female", "male").replace("2020-03-01", "2021-03-01")
    with pytest.raises(VisitsError, match="patient 1 of the file is of both sexes"):
        read(written(tmp_path, GOOD, man))
    with pytest.raises(VisitsError, match="two rows of one day and scanner"):
        read(written(tmp_path, GOOD, GOOD))
