"""Train the network that outlines vertebrae: phantoms, then the outlines that scanners drew.

``python -m models train``: on two AVX-512 cores, 400 phantoms and 110 scans, about fifteen minutes.
Phantoms know every vertebra's place exactly, and the only other vertebrae; scans know L1–L4 and
where lines were drawn between them, and of what lies above and below nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from models import networks, phantom
from models.image.recipe import SIDE
from models.networks.vertebrae import CLASSES, WIDTHS
from models.training.runlog import RunLog
from models.training.trainer import Fitted
from models.training.vertebrae.views import view
from models.vertebrae.geometry import LEVELS
from models.vertebrae.outline import BOUNDARY, GRAPHICS, OTHER

NAME: Final = "vertebrae"
NEAR: Final = 4
"""Pixels above and below L1–L4 in which boundaries are still taught."""


@dataclass(frozen=True)
class Settings:
    """``phantoms`` are seen ``phantom_epochs`` times; then scans, with ``mixed`` phantoms among
    them each epoch, ``epochs`` times."""

    phantoms: int = 400
    phantom_epochs: int = 6
    epochs: int = 80
    mixed: int = 24
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    widths: tuple[int, ...] = WIDTHS


@dataclass(frozen=True, eq=False)
class Example:
    """``clean`` and ``levels`` (224, 224) uint8; ``whole``: every vertebra in it is labelled."""

    clean: NDArray[np.uint8]
    levels: NDArray[np.uint8]
    whole: bool


def phantoms(count: int, seed: int) -> list[Example]:
    """Return ``count`` phantoms without graphics, half of them from the wider ranges."""
    examples = []
    for index in range(count):
        ranges = phantom.HELD_OUT if index % 2 else phantom.TRAINING
        drawn = phantom.draw(np.random.default_rng([seed, index]), nuisance=ranges, overlay=False)
        size = (SIDE, SIDE)
        image = Image.fromarray(drawn.image).resize(size, Image.Resampling.BILINEAR)
        mask = Image.fromarray(drawn.vertebrae).resize(size, Image.Resampling.NEAREST)
        examples.append(Example(np.asarray(image), np.asarray(mask), whole=True))
    return examples


def fit(scans: Sequence[Example], settings: Settings, seed: int, part: str, log: RunLog) -> Fitted:
    """Return the network trained on ``scans`` and on phantoms of its own."""
    keras.utils.set_random_seed(seed)
    config: dict[str, Any] = {"name": NAME, "widths": list(settings.widths)}
    network = networks.build(config)
    drawn = phantoms(settings.phantoms, seed)
    trainer = _Trainer(network, settings, seed)
    for stage, epochs, pick in (
        ("phantoms", settings.phantom_epochs, lambda _: drawn),
        (part, settings.epochs if scans else 0, lambda rng: _mixed(scans, drawn, settings, rng)),
    ):
        noted = log.epochs(NAME, stage)
        for epoch, loss in enumerate(trainer.run(epochs, pick, f"{NAME}: {stage}")):
            noted.on_epoch_end(epoch, {"loss": loss})
    return Fitted(config, network)


def _mixed(
    scans: Sequence[Example],
    drawn: Sequence[Example],
    settings: Settings,
    rng: np.random.Generator,
) -> list[Example]:
    few = rng.choice(len(drawn), min(settings.mixed, len(drawn)), replace=False)
    return [*scans, *(drawn[int(i)] for i in few)]


class _Trainer:
    def __init__(self, network: keras.Model, settings: Settings, seed: int) -> None:
        self._network = network
        self._settings = settings
        self._rng = np.random.default_rng(seed)
        self._optimizer = keras.optimizers.AdamW(
            settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._optimizer.build(network.trainable_variables)
        self._step = tf.function(self._descend)

    def run(self, epochs: int, pick: Any, title: str) -> Iterator[float]:
        """Yield each epoch's mean loss; ``pick`` returns an epoch's examples, given a generator.

        The next batch is drawn while the last is learnt. Cosine decay after a short rise.
        """
        size, done, total = self._settings.batch_size, 0, 1
        with ThreadPoolExecutor(1) as ahead:
            for epoch in tqdm(range(epochs), desc=title, unit="epoch"):
                examples = list(pick(self._rng))
                order = self._rng.permutation(len(examples))
                # What is left over waits for an epoch that draws it sooner.
                starts = range(0, max(1, len(examples) // size) * size, size)
                batches = [[examples[int(i)] for i in order[at : at + size]] for at in starts]
                if epoch == 0:
                    total = len(batches) * epochs
                losses = []
                waiting: Future[Any] = ahead.submit(self._batch, batches[0])
                for following in [*batches[1:], None]:
                    images, truth = waiting.result()
                    if following is not None:
                        waiting = ahead.submit(self._batch, following)
                    share = 0.5 * (1 + np.cos(np.pi * done / total)) * min(1.0, (done + 1) / 20)
                    self._optimizer.learning_rate.assign(
                        self._settings.learning_rate * share + 1e-5
                    )
                    losses.append(float(self._step(images, truth)))
                    done += 1
                yield float(np.mean(losses))

    def _batch(self, examples: Sequence[Example]) -> tuple[Any, Any]:
        images, truths = zip(*(self._example(one) for one in examples), strict=True)
        return tf.constant(np.stack(images)[..., None]), tf.constant(np.stack(truths))

    def _example(self, example: Example) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return a view's frame, and what is known of it, see :func:`_loss`."""
        seen = view(example.clean, example.levels, self._rng)
        lumbar = np.where(seen.levels == OTHER, 0, seen.levels)
        inside = lumbar > 0
        rim = inside & ((np.roll(lumbar, 1, 0) != lumbar) | (np.roll(lumbar, -1, 0) != lumbar))
        near = inside.copy()
        for step in range(1, NEAR + 1):
            near |= np.roll(inside, step, 0) | np.roll(inside, -step, 0)
        boundary = near & (rim | np.roll(rim, 1, 0) | np.roll(rim, -1, 0))
        whole = np.full(near.shape, example.whole)
        truth = np.stack([seen.levels, seen.graphics, whole, boundary, near], -1)
        return seen.frame.astype(np.float32), truth.astype(np.float32)

    def _descend(self, images: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = _loss(truth, self._network(images, training=True))
        variables = self._network.trainable_variables
        self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss


def _loss(truth: tf.Tensor, maps: tf.Tensor) -> tf.Tensor:
    """Return the loss of ``maps`` (n, 224, 224, 8) logits, a scalar.

    ``truth`` (n, 224, 224, 5): class, graphics, whether all vertebrae are labelled, boundary, where
    boundaries are known. Cross-entropy of the classes, where an unlabelled pixel of a scan may be
    background or another vertebra; soft Dice of L1–L4 (Milletari et al., 3DV 2016); binary
    cross-entropies of graphics and boundaries, their few pixels weighted up.
    """
    classes = tf.cast(truth[..., 0], tf.int32)
    graphics, whole, boundary, near = (truth[..., k] for k in range(1, 5))
    likely = tf.nn.log_softmax(maps[..., :CLASSES])
    chosen = tf.one_hot(classes, CLASSES)
    exact = -tf.reduce_sum(chosen * likely, -1)
    either = -tf.reduce_logsumexp(tf.stack([likely[..., 0], likely[..., OTHER]], -1), -1)
    entropy = tf.where((whole > 0.5) | (classes > 0), exact, either)
    levels = slice(1, 1 + len(LEVELS))
    overlap = 2 * tf.reduce_sum(chosen[..., levels] * tf.exp(likely[..., levels]), [1, 2]) + 20
    both = tf.reduce_sum(chosen[..., levels] + tf.exp(likely[..., levels]), [1, 2]) + 20
    drawn = tf.nn.sigmoid_cross_entropy_with_logits(graphics, maps[..., GRAPHICS])
    between = tf.nn.sigmoid_cross_entropy_with_logits(boundary, maps[..., BOUNDARY])
    between *= near * (1 + 2 * boundary)
    return (
        tf.reduce_mean(entropy)
        + 0.5 * (1 - tf.reduce_mean(overlap / both))
        + 0.7 * tf.reduce_mean(drawn * (1 + 3 * graphics))
        + 0.8 * tf.reduce_sum(between) / (tf.reduce_sum(near) + 1)
    )
