"""The same seed, the same weights: to the last bit, not nearly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import artifact, dataset
from models.dataset import Dataset
from models.training import ensemble, repeatable, vertebrae
from models.training.bone import BoneTrainer
from models.training.cnn import CNNTrainer
from models.training.resnet import ResNetTrainer
from models.training.runlog import RunLog
from models.training.trainer import Fitted, Trainer
from models.training.vgg16 import VGG16Trainer
from models.types import BASES, BaseName

QUICK = ensemble.QUICK


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return dataset.phantoms(18, 8)


def trained(name: BaseName, data: Dataset, seed: int) -> Fitted:
    log = RunLog(None)
    trainer: Trainer
    if name == "cnn":
        trainer = CNNTrainer(data, QUICK.cnn, seed, log)
    elif name == "vgg16":
        trainer = VGG16Trainer(data, QUICK.vgg16, seed, log)
    elif name == "bone":
        outliner = vertebrae.restored(artifact.load("vertebrae", artifact.FOLDER))
        trainer = BoneTrainer(data, QUICK.bone, outliner, log)
    else:
        trainer = ResNetTrainer(data, QUICK.resnet, seed, log)
    return trainer.fit(np.arange(12), seed, "fold-0")


def alike(one: Fitted, other: Fitted) -> bool:
    """Return whether all weights are equal, and both forests where there are any."""
    pairs = zip(one.network.get_weights(), other.network.get_weights(), strict=True)
    forests = [None if f.forest is None else f.forest.to_bytes() for f in (one, other)]
    bones = [None if f.bone is None else f.bone.manifest() for f in (one, other)]
    same = forests[0] == forests[1] and bones[0] == bones[1]
    return same and all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", BASES)
def test_one_seed_gives_one_model_and_another_seed_another(drawn: Dataset, name: BaseName) -> None:
    first = trained(name, drawn, 20)

    assert alike(first, trained(name, drawn, 20))
    if name != "bone":  # nothing of it is drawn
        assert not alike(first, trained(name, drawn, 21))


def test_the_order_of_sums_is_settled_before_anything_is_built(
    drawn: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AskedError(Exception):
        pass

    def ask() -> None:
        raise AskedError

    monkeypatch.setattr(repeatable.tf.config.experimental, "enable_op_determinism", ask)

    with pytest.raises(AskedError):
        ensemble.train(drawn, QUICK, tmp_path / "artifacts", "nobody's", ensemble.Run(tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_a_card_tells_what_another_training_would_need_to_come_out_alike() -> None:
    facts = repeatable.facts()

    assert facts == repeatable.facts()
    assert {"python", "tensorflow", "keras", "numpy", "scikit-learn", "processor"} <= facts.keys()
    assert all(facts.values())


def test_what_computes_is_told_with_what_orders_its_sums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeatable, "CPUS", tmp_path / "cpuinfo")
    monkeypatch.setattr(repeatable.platform, "machine", lambda: "riscv64")
    config = repeatable.tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda _: [])
    monkeypatch.setattr(config.threading, "get_intra_op_parallelism_threads", lambda: 3)

    assert repeatable.processor() == "riscv64, 3 threads"
    (tmp_path / "cpuinfo").write_text(
        "model name\t: One of a kind\nflags\t\t: fpu avx2 avx512f\n\nmodel name\t: Another\n"
    )
    assert repeatable.processor() == "One of a kind, AVX-512, 3 threads"
