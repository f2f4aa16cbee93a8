"""The order in which rows teach: those of about one length together, the same in every process."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Trainer
from transformers.trainer_pt_utils import LengthGroupedSampler


class OneOrder(LengthGroupedSampler):
    """An order that the seed and the epoch alone decide.

    The Trainer's own draws it from the random numbers of each process, which token dropout uses up at another rate in
    each: from the second epoch on two processes shared out two orders, so that a quarter of the rows taught twice and
    a quarter not at all.
    """

    def __init__(self, batch_size: int, posts: Any, seed: int) -> None:
        super().__init__(batch_size, dataset=posts, generator=torch.Generator())
        self._seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Called by accelerate before each epoch, also where a run goes on."""
        self.generator.manual_seed(self._seed + epoch)


class OrderedTrainer(Trainer):
    """The Trainer with `OneOrder`."""

    def _get_train_sampler(self, train_dataset: Any = None) -> OneOrder:
        posts = self.train_dataset if train_dataset is None else train_dataset
        return OneOrder(self.args.train_batch_size * self.args.gradient_accumulation_steps, posts, self.args.seed)
