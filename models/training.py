"""What the training scripts of the shipped networks share: the accelerator's arithmetic in PyTorch, and files.

Training is quantization-aware: the forward pass computes exactly what the accelerator will, weights and biases
of 8 bit, activations of 8 bit, and a power of two between layers; gradients go straight through the rounding.
Values are kept as multiples of 1/128, so that a byte's range is -1 to 127/128.
"""
import h5py
import numpy as np
import torch
import torch.nn.functional as F

LARGEST = 127 / 128


class Quantize(torch.autograd.Function):
    """Nearest multiple of 1/128, halves upwards, in the range of a signed byte; gradient 1 inside the range."""

    @staticmethod
    def forward(ctx, value):
        ctx.save_for_backward(value)
        return torch.clamp(torch.floor(value * 128 + 0.5), -128, 127) / 128

    @staticmethod
    def backward(ctx, gradient):
        (value,) = ctx.saved_tensors
        return gradient * ((value >= -1.0) & (value <= LARGEST)).to(gradient.dtype)


class Layer(torch.nn.Module):
    """Convolution or matrix with the accelerator's arithmetic: 2^shift * (weights * data + bias)."""

    def __init__(self, inputs, outputs, kernel, relu=False, transposed=False, wide=False):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.bias = torch.nn.Parameter(torch.zeros(outputs))
        torch.nn.init.kaiming_normal_(self.weight, nonlinearity='relu')
        self.padding = kernel // 2
        self.relu = relu
        self.transposed = transposed
        self.wide = wide
        self.quantized = False

    def parameters_8bit(self):
        """Weights and bias as multiples of 1/128, and the least shift that holds every weight."""
        largest = self.weight.detach().abs().max().item()
        shift = int(np.clip(np.ceil(np.log2(largest)), -7, 7))
        return (Quantize.apply(self.weight / 2.0 ** shift), Quantize.apply(self.bias / 2.0 ** shift), shift)

    def forward(self, data):
        if self.transposed:
            spread = data.new_zeros(data.shape[0], data.shape[1], 2 * data.shape[2], 2 * data.shape[3])
            spread[:, :, ::2, ::2] = data
            data = spread
        if not self.quantized:
            out = F.conv2d(data, self.weight, self.bias, padding=self.padding)
        else:
            weight, bias, shift = self.parameters_8bit()
            out = F.conv2d(data, weight, bias, padding=self.padding) * 2.0 ** shift
            if not self.wide:
                out = Quantize.apply(out)
        return F.relu(out) if self.relu else out


def clip(data):
    """What the element-wise stage does to a sum."""
    return torch.clamp(data, -1.0, LARGEST)


def train(network, data, labels, epochs, float_epochs, batch, change, seed):
    """Adam with a falling rate: some epochs in floating point, the rest quantized. change: augments a batch."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        for layer in network.layers():
            layer.quantized = epoch >= float_epochs
        total = 0.0
        for chosen in torch.randperm(len(labels), generator=generator).split(batch):
            optimizer.zero_grad()
            loss = F.cross_entropy(network(change(data[chosen], generator)) * 8, labels[chosen])
            loss.backward()
            optimizer.step()
            total += loss.item()
        schedule.step()
        print(f'epoch {epoch + 1}: loss {total:.3f}', flush=True)


def accuracy(network, data, labels):
    """Share of labels that the largest output names."""
    with torch.no_grad():
        return (network(data).argmax(1) == labels).float().mean().item()


def to_bytes(value):
    """A multiple of 1/128 as the accelerator's byte."""
    return np.round(value.detach().numpy() * 128).astype(np.int8)


def write_weights(path, network, sample):
    """The weights file of docs/networks.md: bytes, the shift of each layer, and a sample input."""
    with h5py.File(path, 'w') as file:
        file.attrs['format'] = 'ai8x-weights'
        file.attrs['version'] = 1
        file.create_dataset('input', data=sample, compression=9)
        for index, layer in enumerate(network.layers()):
            weight, bias, shift = layer.parameters_8bit()
            group = file.create_group(f'weights/{index}')
            group.create_dataset('weight', data=to_bytes(weight), compression=9)
            group.create_dataset('bias', data=to_bytes(bias))
            group.attrs['weight_bits'] = 8
            group.attrs['output_shift'] = shift


def write_held_out(path, data, labels):
    """Data that training has not seen, with a label for every pixel of the output."""
    with h5py.File(path, 'w') as file:
        file.create_dataset('images', data=data, compression=9)
        file.create_dataset('labels', data=labels.astype(np.uint8), compression=9)
