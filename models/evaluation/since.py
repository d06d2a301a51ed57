"""What changed after a version's figures were made, and is in none of them.

An artefact never changes, and its card tells what was so when it was trained. Whoever shows a
figure of cross-validation says this beside it. A version that is trained anew is not named here.
"""

from __future__ import annotations

from typing import Final

STROKES: Final = (
    "Cross-validated figures are of before strokes alone were hidden of what is drawn on an image, "
    "not all around them: two of 114 scans have had another outcome since, and the figures were "
    "not made anew."
)

_OF_BEFORE: Final = frozenset(
    {
        "sha256:48958edc76dd8dfde154e7b359f84b96996c74823bf062269c7eee8f771e5f93",  # cnn
        "sha256:7684560c18ba91b6d6c28b37e4fcc5c71678ac272146a782f6d5ee743d22a707",  # vgg16
        "sha256:eced2b78633048206ae12d00c67b0fffaf60a6fddd8d140056d119265b7d188c",  # resnet
        "sha256:06cba83021b441ce578b6956312564d60aff55d36067eda47a3b8aa5260180f3",  # bone
        "sha256:478d78ac624fc3d3811159740d3c6595b66b81f483cd5c2fa778119c1c751ca1",  # stack
        "sha256:554b6a581730a2dc211f9d55270c2b502b0c6a3f3a68532bfe25d339b7dff338",  # gate
    }
)
"""Versions that were trained and scored on images with all around strokes hidden."""


def since(version: str) -> str | None:
    """Return what is to be said beside cross-validated figures of ``version``, if anything."""
    return STROKES if version in _OF_BEFORE else None


def to_markdown(version: str) -> str:
    """Return it as Markdown, to stand below the version's card; empty if there is nothing."""
    said = since(version)
    return "" if said is None else f"\n## Since these figures were made\n\n{said}\n"
