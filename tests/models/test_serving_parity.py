"""The shipped artefacts, run the way a runner runs them: no TensorFlow in the process."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from models import artifact, phantom
from models.inference.base import Scorer
from models.training import parity
from models.types import BASES

SCORE = """
import json, sys
import numpy as np
from models import artifact
from models.inference.base import Scorer
images = np.load(sys.argv[1])
scorer = Scorer(artifact.load(sys.argv[2], artifact.FOLDER))
one_by_one = [scorer.score(image[None])[0].probability for image in images]
together = [vote.probability for vote in scorer.score(images)]
assert not {"tensorflow", "keras"} & sys.modules.keys()
print(json.dumps([one_by_one, together]))
"""


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    rng = np.random.default_rng(11)
    return np.stack([phantom.draw(rng).canonical for _ in range(5)])


@pytest.mark.parametrize("name", BASES)
def test_runners_answer_as_keras_does(
    name: str, images: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("images") / "images.npy"
    np.save(path, images)

    done = subprocess.run(
        [sys.executable, "-c", SCORE, str(path), name],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    one_by_one, together = json.loads(done.stdout.splitlines()[-1])

    trained = Scorer(artifact.load(name, artifact.FOLDER), runtime="keras")
    expected = [vote.probability for vote in trained.score(images)]
    assert one_by_one == pytest.approx(expected, abs=parity.LARGEST)
    assert together == pytest.approx(one_by_one, abs=1e-4)
