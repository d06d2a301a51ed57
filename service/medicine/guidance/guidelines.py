"""Who says what is said. A consideration names one of these by its key.

``grades`` of strength stand with the rule, since one guideline grades its statements differently.
``checked`` is the day on which our words were last held against the source.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.web.articles import Review

REVIEW: Final = Review(
    owner="osteoserve maintainers",
    written=datetime.date(2026, 11, 23),
    review_due=datetime.date(2027, 5, 23),
    reviewed_by="not yet reviewed by a clinician",
)
"""Of the rules as a whole. After ``review_due`` every answer says that it is out of date."""

_CHECKED: Final = datetime.date(2026, 11, 23)


@dataclass(frozen=True, kw_only=True)
class Guideline:
    """A published source. ``verified`` is False for what is commonly stated but was not re-read."""

    organisation: str
    title: str
    year: int | None
    source: str
    region: str
    verified: bool = True
    checked: datetime.date = _CHECKED


GUIDELINES: Final[Mapping[str, Guideline]] = {
    "who-classes": Guideline(
        organisation="World Health Organization",
        title="Classes of bone density by T-score, as taught by RACGP and 4bonehealth",
        year=None,
        source="racgp.org.au; 4bonehealth.org",
        region="international",
    ),
    "iscd-2005": Guideline(
        organisation="International Society for Clinical Densitometry",
        title="Official positions: to whom T- and Z-scores apply",
        year=2005,
        source="PubMed 16731428",
        region="international",
    ),
    "iscd-2024": Guideline(
        organisation="International Society for Clinical Densitometry",
        title="Official positions on vertebrae that can be evaluated",
        year=2024,
        source="iscd.org; J Clin Densitom 2024;27:101436",
        region="international",
    ),
    "esceo-2019": Guideline(
        organisation="IOF and ESCEO",
        title="European guidance for osteoporosis in postmenopausal women",
        year=2019,
        source="IOF/ESCEO 2019",
        region="Europe",
    ),
    "bhof-2022": Guideline(
        organisation="Bone Health and Osteoporosis Foundation",
        title="The clinician’s guide to prevention and treatment of osteoporosis",
        year=2022,
        source="doi:10.1007/s00198-021-05900-y; PMC9546973",
        region="United States",
    ),
    "aace-2020": Guideline(
        organisation="American Association of Clinical Endocrinology",
        title="Guideline for postmenopausal osteoporosis",
        year=2020,
        source="AACE 2020, guidelinecentral 41073",
        region="United States",
    ),
    "acp-2023": Guideline(
        organisation="American College of Physicians",
        title="Drug treatment of primary osteoporosis or low bone mass",
        year=2023,
        source="PubMed 36592456",
        region="United States",
    ),
    "nogg-2024": Guideline(
        organisation="National Osteoporosis Guideline Group",
        title="Clinical guideline for prevention and treatment, 2021, updated 2024",
        year=2024,
        source="nogg.org.uk",
        region="United Kingdom",
    ),
    "uspstf-2025": Guideline(
        organisation="US Preventive Services Task Force",
        title="Screening for osteoporosis to prevent fractures",
        year=2025,
        source="USPSTF 2025",
        region="United States",
    ),
    "acog-2022": Guideline(
        organisation="American College of Obstetricians and Gynecologists",
        title="Clinical practice guideline 2: postmenopausal osteoporosis",
        year=2022,
        source="ACOG CPG 2, guidelinecentral 1697105",
        region="United States",
    ),
    "endocrine-2020": Guideline(
        organisation="Endocrine Society",
        title="Drug treatment of osteoporosis in postmenopausal women, 2019, updated 2020",
        year=2020,
        source="Endocrine Society 2019/2020",
        region="United States",
    ),
    "drug-table": Guideline(
        organisation="Review articles",
        title="Drugs for fracture prevention: doses and approved kidney function",
        year=2024,
        source="PMC8325650, table 2; PMC10973623 (doi:10.4055/cios23244), table 3",
        region="international",
    ),
    "fda-denosumab": Guideline(
        organisation="US Food and Drug Administration",
        title="Boxed warning for denosumab: severe hypocalcaemia in advanced kidney disease",
        year=2024,
        source="fda.gov, 19 January 2024",
        region="United States",
    ),
    "romosozumab-label": Guideline(
        organisation="Manufacturer’s prescribing information",
        title="Romosozumab, with its boxed warning",
        year=None,
        source="DailyMed, Evenity",
        region="United States",
    ),
    "aff-rates": Guideline(
        organisation="Cohort in the New England Journal of Medicine, as quoted by geriguides",
        title="Atypical femoral fracture by years on a bisphosphonate",
        year=None,
        source="geriguides, after N Engl J Med",
        region="United States",
    ),
    "interval-2012": Guideline(
        organisation="Study of Osteoporotic Fractures",
        title="Bone-density testing interval and transition to osteoporosis in older women",
        year=2012,
        source="doi:10.1056/NEJMoa1107142; PMC3285114",
        region="United States",
    ),
    "secondary-causes": Guideline(
        organisation="Review articles",
        title="Laboratory tests for secondary causes of osteoporosis",
        year=None,
        source="PMC4140610; PMC4876714",
        region="international",
    ),
    "commonly-stated": Guideline(
        organisation="Commonly stated",
        title="Not re-read in a source for this page: verify before use",
        year=None,
        source="prescribing information and guidelines in force where you work",
        region="–",
        verified=False,
    ),
}
