#!/usr/bin/python3
"""Trains the segmentation network of this folder on drawn shapes.

    ./train.py            writes weights.h5 and heldout.h5 beside this script

Every image is drawn here: discs, squares and triangles of any colour on a noisy ground, later ones over earlier
ones; each pixel's label says what is drawn there. Needs Debian's python3-torch and python3-h5py.
"""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import training  # noqa: E402

SEED = 2024
SIDE = 32
SEEN = 2500
HELD_OUT = 32
NOISE = 12


class Network(torch.nn.Module):
    """What segmentation.yaml describes."""

    def __init__(self):
        super().__init__()
        self.encode1 = training.Layer(3, 16, 3, relu=True)
        self.encode2 = training.Layer(16, 24, 3, relu=True)
        self.bottom = training.Layer(24, 48, 3, relu=True)
        self.bottom2 = training.Layer(48, 48, 3, relu=True)
        self.up2 = training.Layer(48, 24, 3, relu=True, transposed=True)
        self.decode2 = training.Layer(48, 24, 3, relu=True)
        self.up1 = training.Layer(24, 16, 3, relu=True, transposed=True)
        self.decode1 = training.Layer(32, 16, 3, relu=True)
        self.classes = training.Layer(16, 4, 1)

    def forward(self, data):
        encode1 = self.encode1(data)
        encode2 = self.encode2(F.max_pool2d(encode1, 2))
        bottom = self.bottom2(self.bottom(F.max_pool2d(encode2, 2)))
        decode2 = self.decode2(torch.cat([self.up2(bottom), encode2], 1))
        decode1 = self.decode1(torch.cat([self.up1(decode2), encode1], 1))
        return self.classes(decode1)

    def layers(self):
        """Those with weights, in the description's order."""
        return [self.encode1, self.encode2, self.bottom, self.bottom2, self.up2, self.decode2, self.up1,
                self.decode1, self.classes]


def shape_mask(rng, kind):
    """Pixels of one disc (1), square (2) or triangle (3)."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    size = rng.integers(4, 9)
    cy, cx = rng.integers(size, SIDE - size, 2)
    if kind == 1:
        return (y - cy) ** 2 + (x - cx) ** 2 <= size ** 2
    if kind == 2:
        return (abs(y - cy) < size) & (abs(x - cx) < size)
    return (y - cy < size) & (y - cy >= -size) & (2 * abs(x - cx) <= y - cy + size)


def drawing(rng):
    """One image as signed bytes [3,32,32] and its labels [32,32]."""
    labels = np.zeros((SIDE, SIDE), np.uint8)
    image = np.empty((3, SIDE, SIDE))
    image[:] = rng.integers(-110, 111, (3, 1, 1))
    for _ in range(rng.integers(1, 4)):
        kind = rng.integers(1, 4)
        mask = shape_mask(rng, kind)
        image[:, mask] = rng.integers(-110, 111, (3, 1))
        labels[mask] = kind
    image += rng.normal(0, NOISE, image.shape)
    return np.clip(np.round(image), -128, 127).astype(np.int8), labels


def drawings(count, seed):
    """Many of them."""
    rng = np.random.default_rng(seed)
    pairs = [drawing(rng) for _ in range(count)]
    return np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])


def unchanged(data, _generator):
    """No augmentation: there are as many drawings as one wants."""
    return data


def main():
    """Trains, reports, writes."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    data, labels = drawings(SEEN, SEED)
    network = Network()
    training.train(network, torch.tensor(data.astype(np.float32) / 128), torch.tensor(labels.astype(np.int64)),
                   epochs=30, float_epochs=12, batch=32, change=unchanged, seed=SEED)
    data, labels = drawings(HELD_OUT, SEED + 1)
    share = training.accuracy(network, torch.tensor(data.astype(np.float32) / 128),
                              torch.tensor(labels.astype(np.int64)))
    print(f'{HELD_OUT} held-out drawings: {share:.4f} of all pixels right')
    training.write_weights(os.path.join(HERE, 'weights.h5'), network, data[0])
    training.write_held_out(os.path.join(HERE, 'heldout.h5'), data, labels)


if __name__ == '__main__':
    main()
