"""Reads weights and biases back from what a golden program writes into kernel and bias memory.

Made for recorded programs whose weights are nowhere else. Where things lie follows from the layers' attributes
(hardware reference 2, 2.1, 4.5); shares no code with the library.
"""

import h5py
import numpy

KERNEL_BYTES = 9
WRITE32, WRITE8 = 0, 5


class Map:
    """Where a part's memories are on the bus."""

    def __init__(self, device: str):
        first = device == 'MAX78000'
        self.group = 0x400000 if first else 0x1000000
        self.kernel, self.kernel_stride = (0x50180000, 0x4000) if first else (0x51400000, 0x20000)
        self.bias, self.bias_entries = (0x50108000, 512) if first else (0x51180000, 2048)
        self.post, self.post_stride = (0x50100010 + 15 * 0x80, 4) if first else (0x51100000 + 19 * 4, 0x100)


def memories(device: str, operations) -> tuple:
    """Kernel words by (processor, word), bias entries by (group, entry), registers by address."""
    where = Map(device)
    kernels, bias, registers = {}, {}, {}
    stream = None  # packed loading: processor, first word, bytes so far
    for kind, address, value, _ in operations.tolist():
        if kind not in (WRITE32, WRITE8):
            continue
        for group in range(4):
            local = address - group * where.group
            if where.kernel <= local < where.kernel + 16 * where.kernel_stride:
                processor, offset = divmod(local - where.kernel, where.kernel_stride)
                processor += 16 * group
                if kind == WRITE8:
                    stream = (processor, offset >> 2, bytearray())
                elif stream is not None and stream[0] == processor:
                    stream[2].extend(value.to_bytes(4, 'big'))
                    for n in range(len(stream[2]) // KERNEL_BYTES):
                        kernels[processor, stream[1] + n] = bytes(stream[2][KERNEL_BYTES * n:KERNEL_BYTES * (n + 1)])
                else:
                    word = bytearray(kernels.get((processor, offset // 16), bytes(KERNEL_BYTES)))
                    place, size = {0: (0, 1), 4: (1, 4), 8: (5, 4), 12: (9, 0)}[offset % 16]
                    word[place:place + size] = value.to_bytes(4, 'big')[4 - size:]
                    kernels[processor, offset // 16] = bytes(word)
                break
            if where.bias <= local < where.bias + 4 * where.bias_entries:
                bias[group, (local - where.bias) // 4] = (value & 0xff) - 256 * (value >> 7 & 1)
                break
        else:
            registers[address] = value
    return kernels, bias, registers


def processors_of(value) -> list:
    """The processors of a map."""
    return [p for p in range(64) if int(value) >> p & 1]


def layer_weights(layer: dict, kernels: dict) -> numpy.ndarray:
    """[out][in][rows][columns] of one layer."""
    bits = abs(layer['quantization'])
    rows, columns = layer['hw_kernel_size']
    taps = rows * columns
    sources, targets = processors_of(layer['processors']), processors_of(layer['output_processors'])
    first = targets[0] & ~3
    span = targets[-1] - first + 1
    pixels = int(numpy.prod(layer['pooled_dim'])) if layer['flatten'] else 1
    passes = layer['in_expand'] * pixels
    depthwise = layer['groups'] > 1
    weights = numpy.zeros((layer['output_channels'], 1 if depthwise else layer['input_channels'] * pixels, taps), 'i4')

    def tap(processor, mask, t):
        byte = layer['kernel_offset'] * KERNEL_BYTES + (mask * bits >> 3) * taps + taps - 1 - t
        word = kernels.get((processor, byte // KERNEL_BYTES), bytes(KERNEL_BYTES))
        value = word[KERNEL_BYTES - 1 - byte % KERNEL_BYTES] >> (mask * bits & 7) & (1 << bits) - 1
        return value - (1 << bits) * (value >> bits - 1)

    for o in range(weights.shape[0]):
        out_pass, target = divmod(o, layer['out_expand_thresh'])
        slot = out_pass * span + targets[target] - first
        for c in [o] if depthwise else range(layer['input_channels']):
            in_pass, source = divmod(c, layer['in_expand_thresh'])
            for x in range(pixels):
                mask = in_pass if depthwise else slot * passes + x * layer['in_expand'] + in_pass
                for t in range(taps):
                    weights[o, 0 if depthwise else c * pixels + x, t] = tap(sources[source], mask, t)
    weights = weights.reshape(*weights.shape[:2], rows, columns)
    if tuple(layer['kernel_size']) == (1, 1) and rows == 3:
        weights = weights[:, :, 1:2, 1:2]
    return weights


def layer_bias(layer: dict, device: str, bias: dict, registers: dict) -> numpy.ndarray:
    """Bias of every output channel; entries are counted from where the layer's POST register says."""
    where = Map(device)
    sources, targets = processors_of(layer['processors']), processors_of(layer['output_processors'])
    first = targets[0] & ~3
    span = targets[-1] - first + 1
    values = numpy.zeros(layer['output_channels'], 'i4')

    def start(group):
        return registers.get(where.post + layer['hw_layer'] * where.post_stride + group * where.group, 0) & 0xfff

    for o in range(values.size):
        if layer['bias_quadrant'] >= 0:
            out_pass, target = divmod(o, layer['out_expand_thresh'])
            group, entry = layer['bias_quadrant'], out_pass * span + targets[target] - first
            entry += start(group)
        else:  # depth-wise: every group has those of its processors
            in_pass, source = divmod(o, layer['in_expand_thresh'])
            processor = sources[source]
            group = processor // 16
            if layer['processors'] == layer['output_processors']:
                entry = start(group) * 4 + in_pass * 16 + processor % 4 * 4 + processor % 16 // 4
            else:
                raise ValueError('bias of a depth-wise layer that moves its channels')
        values[o] = bias.get((group, entry), 0)
    return values


def read(path: str) -> dict:
    """Arrays as a .npz weights file names them."""
    arrays = {}
    with h5py.File(path) as file:
        device = file.attrs['device']
        kernels, bias, registers = memories(device, file['program'][()])
        count = 0
        for number in sorted(file['layers'], key=int):
            layer = dict(file['layers'][number].attrs)
            if layer['operator'] == 'passthrough' or layer['bypass']:
                continue
            weights = layer_weights(layer, kernels)
            conv1d = layer['operator'] == 'conv1d'
            arrays[f'weight_{count}'] = (weights[..., 0] if conv1d else weights).astype('i1')
            if layer['bias']:
                arrays[f'bias_{count}'] = layer_bias(layer, device, bias, registers).astype('i1')
            arrays[f'weight_bits_{count}'] = numpy.array(layer['quantization'])
            arrays[f'output_shift_{count}'] = numpy.array(layer['output_shift'] - (8 - abs(layer['quantization'])))
            count += 1
    return arrays
