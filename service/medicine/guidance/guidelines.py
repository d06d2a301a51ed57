"""Who says what is said. A consideration names one of these by its key.

What is worded by us, and no title of a publication, is a key of the catalogues.
``grades`` of strength stand with the rule, since one guideline grades its statements differently.
``checked`` is the day on which our words were last held against the source.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.language.locale import N_
from service.web.articles import Review

REVIEW: Final = Review(
    owner="osteoserve maintainers",
    written=datetime.date(2026, 11, 28),
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
    short: str = ""
    """What clinicians call it, where it says whom or with what to treat."""
    verified: bool = True
    checked: datetime.date = _CHECKED


_READ: Final = datetime.date(2026, 11, 28)

GUIDELINES: Final[Mapping[str, Guideline]] = {
    "dvo-2023": Guideline(
        short="DVO 2023",
        organisation="Dachverband Osteologie (DVO)",
        title="Prophylaxe, Diagnostik und Therapie der Osteoporose, S3",
        year=2023,
        source="leitlinien.dv-osteologie.org, chapters 1 and 7; Dtsch Arztebl 1/2025, abstract",
        region="Germany, Austria, Switzerland",
        checked=_READ,
    ),
    "dvo-2023-quoted": Guideline(
        short="DVO 2023",
        organisation="Dachverband Osteologie (DVO)",
        title=N_("S3, as others quote it; not re-read in the guideline: verify before use"),
        year=2023,
        source="AWMF 183/001, as quoted by rheumapedia.online and ucbcaresforimmunology.de",
        region="Germany, Austria, Switzerland",
        verified=False,
        checked=_READ,
    ),
    "nice-ta464": Guideline(
        short="NICE TA464",
        organisation="National Institute for Health and Care Excellence (NICE)",
        title="Bisphosphonates for treating osteoporosis, TA464, 2017, updated 2019",
        year=2019,
        source="nice.org.uk/guidance/ta464",
        region="United Kingdom",
        checked=_READ,
    ),
    "nice-ta791": Guideline(
        short="NICE TA791",
        organisation="National Institute for Health and Care Excellence (NICE)",
        title="Romosozumab for treating severe osteoporosis, TA791",
        year=2022,
        source="nice.org.uk/guidance/ta791",
        region="United Kingdom",
        checked=_READ,
    ),
    "who-classes": Guideline(
        organisation="World Health Organization",
        title=N_("Classes of bone density by T-score, as taught by RACGP and 4bonehealth"),
        year=None,
        source="racgp.org.au; 4bonehealth.org",
        region="international",
    ),
    "iscd-2005": Guideline(
        organisation="International Society for Clinical Densitometry",
        title=N_("Official positions: to whom T- and Z-scores apply"),
        year=2005,
        source="PubMed 16731428",
        region="international",
    ),
    "iscd-2024": Guideline(
        organisation="International Society for Clinical Densitometry",
        title=N_("Official positions on vertebrae that can be evaluated"),
        year=2024,
        source="iscd.org; J Clin Densitom 2024;27:101436",
        region="international",
    ),
    "iscd-vfa": Guideline(
        short="ISCD 2019",
        organisation="International Society for Clinical Densitometry",
        title=N_("Official positions: vertebral fracture assessment, 2013, unchanged in 2019"),
        year=2019,
        source="J Clin Densitom 2013;16:482, doi:10.1016/j.jocd.2013.08.003, as NGC 10408 has it; "
        "Shuhart, J Clin Densitom 2019;22:453, as UpToDate has it",
        region="international",
        checked=_READ,
    ),
    "esceo-2019": Guideline(
        organisation="IOF and ESCEO",
        title="European guidance for osteoporosis in postmenopausal women",
        year=2019,
        source="IOF/ESCEO 2019",
        region="Europe",
    ),
    "bhof-2022": Guideline(
        short="BHOF 2022",
        organisation="Bone Health and Osteoporosis Foundation",
        title="The clinician’s guide to prevention and treatment of osteoporosis",
        year=2022,
        source="doi:10.1007/s00198-021-05900-y; PMC9546973",
        region="United States",
    ),
    "aace-2020": Guideline(
        short="AACE 2020",
        organisation="American Association of Clinical Endocrinology",
        title="Guideline for postmenopausal osteoporosis",
        year=2020,
        source="AACE 2020, guidelinecentral 41073",
        region="United States",
    ),
    "acp-2023": Guideline(
        short="ACP 2023",
        organisation="American College of Physicians",
        title="Drug treatment of primary osteoporosis or low bone mass",
        year=2023,
        source="PubMed 36592456",
        region="United States",
    ),
    "nogg-2024": Guideline(
        short="NOGG 2024",
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
        short="ACOG 2022",
        organisation="American College of Obstetricians and Gynecologists",
        title="Clinical practice guideline 2: postmenopausal osteoporosis",
        year=2022,
        source="ACOG CPG 2, guidelinecentral 1697105",
        region="United States",
    ),
    "endocrine-2020": Guideline(
        short="Endocrine Society 2020",
        organisation="Endocrine Society",
        title="Drug treatment of osteoporosis in postmenopausal women, 2019, updated 2020",
        year=2020,
        source="Endocrine Society 2019/2020",
        region="United States",
    ),
    "drug-table": Guideline(
        organisation=N_("Review articles"),
        title=N_("Drugs for fracture prevention: doses and approved kidney function"),
        year=2024,
        source="PMC8325650, table 2; PMC10973623 (doi:10.4055/cios23244), table 3",
        region="international",
    ),
    "fda-denosumab": Guideline(
        organisation="US Food and Drug Administration",
        title=N_("Boxed warning for denosumab: severe hypocalcaemia in advanced kidney disease"),
        year=2024,
        source="fda.gov, 19 January 2024",
        region="United States",
    ),
    "romosozumab-label": Guideline(
        organisation=N_("Manufacturer’s prescribing information"),
        title=N_("Romosozumab, with its boxed warning"),
        year=None,
        source="DailyMed, Evenity",
        region="United States",
    ),
    "tga-romosozumab": Guideline(
        organisation="Therapeutic Goods Administration",
        title=N_("Romosozumab: new contraindication and warnings"),
        year=2023,
        source="tga.gov.au, Medicines Safety Update, 7 December 2023",
        region="Australia",
        checked=_READ,
    ),
    "denosumab-label": Guideline(
        organisation=N_("Manufacturer’s prescribing information"),
        title=N_("Denosumab 60 mg"),
        year=None,
        source="proliahcp.com and prolia.com, safety information; DailyMed, Prolia",
        region="United States",
        checked=_READ,
    ),
    "denosumab-interval": Guideline(
        organisation=N_("Commonly stated, beside the label’s warning of vertebral fractures"),
        title=N_("When a dose of denosumab is late; not re-read in a source: verify before use"),
        year=None,
        source=N_("prescribing information and guidelines in force where you work"),
        region="–",
        verified=False,
        checked=_READ,
    ),
    "antiresorptive-labels": Guideline(
        organisation=N_("Manufacturers’ prescribing information"),
        title=N_(
            "Jaw and femur under alendronate, denosumab and romosozumab; the class has the same"
        ),
        year=None,
        source="proliahcp.com; DailyMed, Evenity; MIMS, alendronate",
        region="United States and others",
        checked=_READ,
    ),
    "bisphosphonate-labels": Guideline(
        organisation=N_("Manufacturers’ prescribing information"),
        title=N_("Alendronate and risedronate"),
        year=None,
        source="pdr.net, Actonel; MIMS and cleanmeds.ca, alendronate",
        region="United States and others",
        checked=_READ,
    ),
    "eu-parathyroid": Guideline(
        organisation="European Medicines Agency",
        title=N_("Product information of teriparatide (2022) and abaloparatide (2023)"),
        year=2023,
        source="rxreasoner.com, Sondelbay and Eladynos, 4.3; ema.europa.eu, Eladynos",
        region="Europe",
        checked=_READ,
    ),
    "raloxifene-label": Guideline(
        organisation=N_("Manufacturer’s prescribing information"),
        title=N_("Raloxifene, with its boxed warning"),
        year=2018,
        source="drugcentral.org, raloxifene; Evista, highlights, 2018",
        region="United States",
        checked=_READ,
    ),
    "hormone-therapy": Guideline(
        organisation="Cleveland Clinic Journal of Medicine",
        title="Hormone therapy: contraindications and precautions",
        year=None,
        source="ccjm.org",
        region="United States",
        checked=_READ,
    ),
    "acr-2022": Guideline(
        short="ACR 2022",
        organisation="American College of Rheumatology",
        title="Prevention and treatment of glucocorticoid-induced osteoporosis",
        year=2022,
        source="experts.umn.edu, abstract; guidelinecentral 7043",
        region="United States",
        checked=_READ,
    ),
    "acr-2022-quoted": Guideline(
        organisation="American College of Rheumatology",
        title=N_("Its categories of risk, as commonly quoted; not re-read: verify before use"),
        year=2022,
        source=N_("scribd 623920764 (FRAX limits); the rest commonly quoted"),
        region="United States",
        verified=False,
        checked=_READ,
    ),
    "aff-rates": Guideline(
        organisation=N_("Cohort in the New England Journal of Medicine, as quoted by geriguides"),
        title=N_("Atypical femoral fracture by years on a bisphosphonate"),
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
        organisation=N_("Review articles"),
        title=N_("Laboratory tests for secondary causes of osteoporosis"),
        year=None,
        source="PMC4140610; PMC4876714",
        region="international",
    ),
    "pickhardt-2013": Guideline(
        organisation="Annals of Internal Medicine",
        title=N_("Attenuation of L1 in CT made for other reasons, against DXA, at one centre"),
        year=2013,
        source="doi:10.7326/0003-4819-158-8-201304160-00003, abstract",
        region="United States",
        checked=_READ,
    ),
    "heel-agreement": Guideline(
        organisation=N_("A study of agreement"),
        title=N_("Ultrasound of the heel against DXA’s classes"),
        year=None,
        source="PMC8044595, abstract",
        region="–",
        checked=_READ,
    ),
    "commonly-stated": Guideline(
        organisation=N_("Commonly stated"),
        title=N_("Not re-read in a source for this page: verify before use"),
        year=None,
        source=N_("prescribing information and guidelines in force where you work"),
        region="–",
        verified=False,
    ),
}
