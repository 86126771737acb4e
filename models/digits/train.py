#!/usr/bin/python3
"""Trains the residual classifier of this folder on the UCI handwritten digits.

    ./train.py            writes weights.h5 and heldout.h5 beside this script

Needs Debian's python3-torch, python3-sklearn (which carries the images) and python3-h5py.
"""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import training  # noqa: E402

SEED = 2024
HELD_OUT = 0.3


class Network(torch.nn.Module):
    """What digits.yaml describes."""

    def __init__(self):
        super().__init__()
        self.stem = training.Layer(1, 16, 3, relu=True)
        self.block1a = training.Layer(16, 16, 3, relu=True)
        self.block1b = training.Layer(16, 16, 3)
        self.down = training.Layer(16, 32, 3, relu=True)
        self.block2a = training.Layer(32, 32, 3, relu=True)
        self.block2b = training.Layer(32, 32, 3)
        self.top = training.Layer(32, 32, 1, relu=True)
        self.classify = training.Layer(32 * 4, 10, 1, wide=True)

    def forward(self, data):
        stem = self.stem(data)
        inner = self.block1b(self.block1a(stem))
        down = self.down(training.clip(F.max_pool2d(stem, 2) + F.max_pool2d(inner, 2)))
        inner = self.block2b(self.block2a(down))
        top = self.top(training.clip(F.max_pool2d(down, 2) + F.max_pool2d(inner, 2)))
        return self.classify(top.reshape(top.shape[0], -1, 1, 1)).flatten(1)

    def layers(self):
        """Those with weights, in the description's order."""
        return [self.stem, self.block1a, self.block1b, self.down, self.block2a, self.block2b, self.top,
                self.classify]


def shifted(data, generator):
    """About half of the images moved by a pixel: all the augmentation that 8 x 8 pixels bear."""
    out = data.clone()
    moves = torch.randint(-1, 2, (data.shape[0], 2), generator=generator)
    moves[torch.rand(data.shape[0], generator=generator) < 0.5] = 0
    for i, (dy, dx) in enumerate(moves.tolist()):
        padded = F.pad(data[i], (1, 1, 1, 1), value=-1.0)
        out[i] = padded[:, 1 + dy:9 + dy, 1 + dx:9 + dx]
    return out


def images():
    """The images as signed bytes, -128 to 127, [N,1,8,8], and their labels."""
    digits = load_digits()
    data = np.minimum(digits.images * 16 - 128, 127).astype(np.int8)
    return data[:, None], digits.target


def main():
    """Trains, reports, writes."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    data, labels = images()
    seen, held_out = train_test_split(np.arange(len(labels)), test_size=HELD_OUT, random_state=SEED,
                                      stratify=labels)
    tensor = torch.tensor(data.astype(np.float32) / 128)
    network = Network()
    training.train(network, tensor[seen], torch.tensor(labels[seen]), epochs=100, float_epochs=15, batch=64,
                   change=shifted, seed=SEED)
    share = training.accuracy(network, tensor[held_out], torch.tensor(labels[held_out]))
    print(f'{len(held_out)} held-out images: accuracy {share:.4f}')
    training.write_weights(os.path.join(HERE, 'weights.h5'), network, data[held_out[0]])
    training.write_held_out(os.path.join(HERE, 'heldout.h5'), data[held_out], labels[held_out, None])


if __name__ == '__main__':
    main()
