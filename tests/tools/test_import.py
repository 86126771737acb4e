#!/usr/bin/python3
"""Tests of tools/ai8xsim-import.

Networks are made here twice at the same time: as ONNX nodes or torch modules, and as numbers, which torch computes
operator by operator. What `ai8xsim run` finds in the imported program has to be these numbers.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

import numpy

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    onnx = None
try:
    import torch
    from torch.nn import functional
except ImportError:
    torch = None

HERE = os.path.dirname(os.path.abspath(__file__))
IMPORT = os.path.join(HERE, '..', '..', 'tools', 'ai8xsim-import')
PROGRAM = os.environ.get('AI8XSIM', os.path.join(HERE, '..', '..', 'build', 'sim', 'ai8xsim'))
PARTS = ('MAX78000', 'MAX78002')


def whole(value):
    """Rounded to the nearest, halves up, and clipped to 8 bits."""
    return torch.floor(value + 0.5).clamp(-128, 127)


class Net:
    """An ONNX graph that grows node by node, with the value of every tensor beside it."""

    def __init__(self, shape, seed=0, name='net'):
        self.random = numpy.random.default_rng(seed)
        self.nodes, self.constants, self.values = [], [], {}
        self.shape, self.name = shape, name
        self.sample = self.random.integers(-128, 128, shape).astype(numpy.int8)
        self.values['input'] = torch.from_numpy(self.sample.astype(numpy.float64))[None]
        self.count = 0

    def constant(self, value, kind=numpy.float32):
        """A new initializer."""
        self.count += 1
        name = f'c{self.count}'
        self.constants.append(numpy_helper.from_array(numpy.asarray(value, dtype=kind), name))
        return name

    def node(self, op, inputs, value, **attributes):
        """A node; returns the name of its result, whose value is given."""
        self.count += 1
        name = f'{op}_{self.count}'
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        self.values[name] = value
        return name

    def weights(self, shape, low=-128, high=128):
        """Random integers."""
        return self.random.integers(low, high, shape).astype(numpy.float64)

    def conv(self, source, outputs, kernel=3, pad=1, bias=True, low=-128, high=128, **more):
        """A convolution; the sum is not scaled."""
        value = self.values[source]
        rank = value.dim() - 2
        groups = more.get('group', 1)
        weight = self.weights((outputs, value.shape[1] // groups) + (kernel,) * rank, low, high)
        inputs = [source, self.constant(weight)]
        offset = None
        if bias:
            numbers = self.random.integers(-20, 20, outputs) * 128.0
            inputs.append(self.constant(numbers))
            offset = torch.from_numpy(numbers)
        dilation = more.get('dilations', [1])[0]
        compute = functional.conv1d if rank == 1 else functional.conv2d
        made = compute(value, torch.from_numpy(weight), offset, padding=pad, groups=groups, dilation=dilation)
        return self.node('Conv', inputs, made, kernel_shape=[kernel] * rank, pads=[pad] * 2 * rank, **more)

    def up(self, source, outputs):
        """A transposed convolution."""
        value = self.values[source]
        weight = self.weights((value.shape[1], outputs, 3, 3))
        made = functional.conv_transpose2d(value, torch.from_numpy(weight), stride=2, padding=1, output_padding=1)
        return self.node('ConvTranspose', [source, self.constant(weight)], made, kernel_shape=[3, 3], strides=[2, 2],
                         pads=[1, 1, 1, 1], output_padding=[1, 1])

    def scaled(self, source, shift=0, active=None):
        """The sum divided by 128, shifted, rounded, clipped and activated, as ai8x-training exports it."""
        value = self.values[source] * 2.0 ** shift
        name = self.node('Mul', [source, self.constant(2.0 ** shift)], value)
        if active == 'Relu':
            value = value.clamp(min=0)
            name = self.node('Relu', [name], value)
        name = self.node('Div', [name, self.constant(128.0)], value / 128)
        name = self.node('Add', [name, self.constant(0.5)], value / 128 + 0.5)
        name = self.node('Floor', [name], torch.floor(value / 128 + 0.5))
        return self.node('Clip', [name, self.constant(-128.0), self.constant(127.0)], whole(value / 128))

    def layer(self, source, outputs, shift=-2, active='Relu', **more):
        """A convolution and what belongs to it."""
        return self.scaled(self.conv(source, outputs, **more), shift, active)

    def add(self, first, second, op='Add'):
        """An element-wise operation with its clip."""
        a, b = self.values[first], self.values[second]
        made = {'Add': a + b, 'Sub': a - b}[op]
        name = self.node(op, [first, second], made)
        return self.node('Clip', [name, self.constant(-128.0), self.constant(127.0)], made.clamp(-128, 127))

    def max_pool(self, source, size=2, stride=2):
        """Max pooling."""
        rank = self.values[source].dim() - 2
        pool = functional.max_pool1d if rank == 1 else functional.max_pool2d
        return self.node('MaxPool', [source], pool(self.values[source], size, stride), kernel_shape=[size] * rank,
                         strides=[stride] * rank)

    def average(self, source, size=2, stride=2):
        """Average pooling, rounded down; data are not negative."""
        rank = self.values[source].dim() - 2
        pool = functional.avg_pool1d if rank == 1 else functional.avg_pool2d
        name = self.node('AveragePool', [source], pool(self.values[source], size, stride), kernel_shape=[size] * rank,
                         strides=[stride] * rank)
        return self.node('Floor', [name], torch.trunc(self.values[name]))

    def split(self, source, *counts):
        """Parts of the channels."""
        self.count += 1
        names = [f'Split_{self.count}_{n}' for n in range(len(counts))]
        sizes = self.constant(counts, numpy.int64)
        self.nodes.append(helper.make_node('Split', [source, sizes], names, name=f'Split_{self.count}', axis=1))
        for name, value in zip(names, torch.split(self.values[source], counts, 1)):
            self.values[name] = value
        return names

    def channels(self, source, start, end):
        """Some of the channels."""
        ends = [self.constant([n], numpy.int64) for n in (start, end, 1)]
        return self.node('Slice', [source, *ends], self.values[source][:, start:end])

    def concat(self, *sources):
        """Channels one after the other."""
        return self.node('Concat', list(sources), torch.cat([self.values[s] for s in sources], 1), axis=1)

    def flat(self, source):
        """A vector."""
        return self.node('Flatten', [source], self.values[source].flatten(1), axis=1)

    def linear(self, source, outputs, op='Gemm'):
        """A matrix; the sum is the result."""
        weight = self.weights((outputs, self.values[source].shape[1]))
        made = self.values[source] @ torch.from_numpy(weight).T
        if op == 'MatMul':
            return self.node('MatMul', [source, self.constant(weight.T)], made)
        return self.node('Gemm', [source, self.constant(weight)], made, transB=1)

    def save(self, folder, *outputs, shape=None, kind=None):
        """Writes the model; returns its path."""
        kind = kind or TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes, self.name, [helper.make_tensor_value_info('input', kind, [1, *(shape or self.shape)])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(self.values[name].shape)) for name in outputs],
            self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)])
        path = os.path.join(folder, f'{self.name}.onnx')
        onnx.save(model, path)
        return path


class Case(unittest.TestCase):
    """A folder, and what a user does in it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.yaml = os.path.join(self.folder, 'net.yaml')

    def command(self, *words):
        """Runs a program."""
        return subprocess.run(list(words), cwd=self.folder, capture_output=True, text=True, check=False,
                              env={**os.environ, 'AI8XSIM': PROGRAM})

    def run_import(self, *words):
        """Runs ai8xsim-import."""
        return self.command(IMPORT, *words, '-o', 'net.yaml')

    def outputs(self):
        """Compiles the description as it stands, runs the program, returns its layers' outputs by name."""
        import h5py

        made = self.command(PROGRAM, 'compile', 'net.yaml')
        self.assertEqual(made.returncode, 0, made.stderr)
        ran = self.command(PROGRAM, 'run', '--per-layer', 'net.h5')
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        with h5py.File(os.path.join(self.folder, 'net.h5')) as file:
            groups = [file[f'layers/{n}'] for n in sorted(file['layers'], key=int)]
            return [(group.attrs.get('name', ''), group['output'][()]) for group in groups]

    def refused(self, *words, node=None, status=3, says=()):
        """The import ends with a message that names the node, and writes nothing."""
        done = self.run_import(*words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertNotIn('Traceback', done.stderr)
        for word in ([f"'{node}'"] if node else []) + list(says):
            self.assertIn(word, done.stderr)
        self.assertFalse(os.path.exists(self.yaml), 'a description was written')


@unittest.skipIf(onnx is None or torch is None, 'needs python3-onnx and python3-torch')
class FromOnnx(Case):
    """ONNX models to programs."""

    def imported(self, net, *outputs, options=(), parts=PARTS, unit=1.0, layers=None, **more):
        """Imports for each part, and compares what comes out with the values beside the nodes."""
        path = net.save(self.folder, *outputs, **more)
        numpy.save(os.path.join(self.folder, 'sample.npy'), net.sample)
        for part in parts:
            with self.subTest(part):
                done = self.run_import(path, '--part', part, '--sample', 'sample.npy', '--verify', '--inputs', '1',
                                       *options)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn('verified', done.stdout)
                found = self.outputs()
                if layers is not None:
                    self.assertEqual(len(found), layers)
                numpy.testing.assert_array_equal(found[-1][1].ravel() * unit, net.values[outputs[-1]].numpy().ravel())
        with open(self.yaml, encoding='utf-8') as file:
            return file.read()

    def test_classifier(self):
        net = Net((3, 16, 16))
        first = net.max_pool(net.layer('input', 12))
        second = net.average(net.layer(first, 20, shift=-1))
        text = self.imported(net, net.linear(net.flat(second), 10), layers=4)
        for line in ('in_channels: 3', 'max_pool: 2', 'flatten: true', 'output_width: 32', 'activate: ReLU',
                     'output_shift: -2', 'weights: net-weights.h5', '# ', 'avg_pool: 2'):
            self.assertIn(line, text)

    def test_residual(self):
        net = Net((8, 12, 12), seed=1)
        trunk = net.layer('input', 16)
        left = net.layer(net.layer(trunk, 16), 16, active=None)
        joined = net.add(left, trunk)
        relu = net.node('Relu', [joined], net.values[joined].clamp(min=0))
        deeper = net.add(net.layer(relu, 16, active=None), relu)
        text = self.imported(net, net.layer(deeper, 8))
        self.assertIn('eltwise: add', text)

    def test_joins_and_two_readers(self):
        net = Net((4, 10, 10), seed=2)
        squeeze = net.layer('input', 8, kernel=1, pad=0)
        expand = net.concat(net.layer(squeeze, 12, kernel=1, pad=0), net.layer(squeeze, 12), squeeze)
        pooled = net.max_pool(expand)
        self.imported(net, net.linear(net.flat(net.layer(pooled, 6, kernel=1, pad=0)), 5, 'MatMul'))

    def test_parts_of_channels(self):
        """Split and Slice: read by convolutions, joined, added, pooled, put out."""
        net = Net((6, 10, 10), seed=21)
        first, second = net.split(net.layer('input', 20), 12, 8)
        left, right = net.layer(first, 8), net.layer(second, 8, kernel=1, pad=0)
        some = net.channels(first, 3, 11)
        added = net.add(net.add(left, some), second)
        text = self.imported(net, net.layer(net.concat(net.max_pool(added), net.max_pool(right)), 5))
        self.assertIn('a convolution that keeps some channels', text)
        halves = Net((4, 6, 6), seed=22)
        one, two = halves.split('input', 1, 3)
        text = self.imported(halves, halves.add(halves.layer(one, 8, active=None), halves.layer(two, 8, active=None)))
        self.assertIn('zeros for the channels that it does not read', text)
        line = Net((8, 20), seed=23)
        one, two = line.split(line.layer('input', 70), 66, 4)
        self.imported(line, line.concat(line.layer(one, 4, kernel=1, pad=0), two), parts=('MAX78002',))

    def test_line_of_data(self):
        net = Net((32, 48), seed=3)
        first = net.layer('input', 24, kernel=3, pad=0, dilations=[2])
        second = net.layer(net.max_pool(first), 24, kernel=5, pad=2)
        last = net.layer(net.average(second), 16, kernel=6, pad=1, shift=0)
        text = self.imported(net, net.linear(net.flat(last), 7))
        self.assertIn('operation: conv1d', text)
        self.assertIn('dilation: 2', text)

    def test_up_and_down(self):
        net = Net((3, 16, 16), seed=4)
        top = net.layer('input', 8)
        bottom = net.layer(net.max_pool(top), 16)
        raised = net.scaled(net.up(bottom, 8), -1, 'Relu')
        self.imported(net, net.layer(net.concat(raised, top), 4, active=None))

    def test_depthwise(self):
        net = Net((3, 12, 12), seed=5)
        wide = net.layer('input', 16)
        deep = net.layer(wide, 16, group=16, shift=0)
        net_out = net.layer(deep, 8, kernel=1, pad=0, active=None)
        text = self.imported(net, net_out, parts=['MAX78002'])
        self.assertIn('groups: 16', text)
        self.imported(net, net_out, parts=['MAX78000'], options=['--dense'])
        self.refused_again(net, net_out)

    def refused_again(self, net, output):
        """Depth-wise convolutions do not exist on the MAX78000, and choose the other part by themselves."""
        os.unlink(self.yaml)
        path = net.save(self.folder, output)
        self.refused(path, '--part', 'MAX78000', says=['depth-wise', '--dense'])
        self.assertEqual(self.run_import(path).returncode, 0)
        with open(self.yaml, encoding='utf-8') as file:
            self.assertIn('part: MAX78002', file.read())

    def test_narrow_weights(self):
        for bits, low, high in ((4, -8, 8), (2, -2, 2), (1, -1, 1)):
            net = Net((8, 8, 8), seed=6)
            out = net.layer('input', 12, low=low, high=high, shift=8 - bits - 2)
            text = self.imported(net, net.layer(out, 8, low=low, high=high, shift=8 - bits - 2), parts=['MAX78000'])
            self.assertEqual(text.count(f'quantization: {bits}'), 2, text)
            self.assertIn('output_shift: -2', text)

    def test_subtraction_and_several_outputs(self):
        net = Net((4, 8, 8), seed=7)
        left, right = net.layer('input', 8), net.layer('input', 8)
        less = net.add(left, right, 'Sub')
        self.imported(net, left, net.layer(less, 4, active='Relu'))

    def test_dequantized(self):
        """QuantizeLinear and DequantizeLinear around everything, with powers of two."""
        net = Net((3, 8, 8), seed=8)

        def quantize(name, scale, value):
            zero = net.constant(0, numpy.int8)
            number = net.constant(scale)
            made = net.node('QuantizeLinear', [name, number, zero], value)
            return net.node('DequantizeLinear', [made, number, zero], value * scale)

        weight = net.weights((8, 3, 3, 3))
        data = net.values['input']
        source = quantize('input', 1 / 128, data)
        zero, scale = net.constant(0, numpy.int8), net.constant(1 / 64)
        kernel = net.node('DequantizeLinear', [net.constant(weight, numpy.int8), scale, zero], None)
        total = functional.conv2d(data, torch.from_numpy(weight), padding=1)
        summed = net.node('Conv', [source, kernel], total / 8192, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        active = net.node('Relu', [summed], net.values[summed].clamp(min=0))
        # One unit of the result is 1/16: the sum is shifted by 9.
        result = whole(total / 512).clamp(min=0)
        last = quantize(active, 1 / 16, result)
        net.values[last] = result
        self.imported(net, last)

    def test_quantized_operators(self):
        """QLinearConv, and int8 data in and out."""
        net = Net((4, 8, 8), seed=9)
        weight = net.weights((8, 4, 3, 3))
        bias = net.random.integers(-5, 5, 8) * 128
        zero = net.constant(0, numpy.int8)
        made = whole(functional.conv2d(net.values['input'], torch.from_numpy(weight), torch.from_numpy(bias * 1.0),
                                       padding=1) / 256)
        out = net.node('QLinearConv', ['input', net.constant(1 / 128), zero, net.constant(weight, numpy.int8),
                                       net.constant(1 / 128), zero, net.constant(1 / 64), zero,
                                       net.constant(bias, numpy.int32)], made, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        self.imported(net, out, kind=TensorProto.INT8)

    def test_fractions_with_batch_norm(self):
        """Weights in [-1, 1), clipped at 127/128; batch normalization with powers of two."""
        net = Net((3, 8, 8), seed=10)
        weight = net.weights((8, 3, 3, 3)) / 128
        x = net.values['input'] / 128
        summed = functional.conv2d(x, torch.from_numpy(weight), padding=1)
        name = net.node('Conv', ['input', net.constant(weight)], summed, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        shift = net.random.integers(-30, 30, 8) / 128.0
        parameters = [net.constant(v) for v in (numpy.full(8, 0.5), shift, numpy.zeros(8), numpy.ones(8))]
        name = net.node('BatchNormalization', [name, *parameters], summed, epsilon=0.0)
        value = summed / 2 + torch.from_numpy(shift)[None, :, None, None]
        name = net.node('Clip', [name, net.constant(-1.0), net.constant(127 / 128)], value)
        result = whole(value * 128)
        net.values[name] = result
        self.imported(net, name)

    def test_channels_last(self):
        """The first node turns the image round, and a matrix reads a transposed one."""
        net = Net((5, 6, 4), seed=11)
        sample = net.values['input'].permute(0, 3, 1, 2)
        turned = net.node('Transpose', ['input'], sample, perm=[0, 3, 1, 2])
        out = net.layer(turned, 8)
        back = net.node('Transpose', [out], net.values[out].permute(0, 2, 3, 1), perm=[0, 2, 3, 1])
        shape = net.constant([1, -1], numpy.int64)
        vector = net.node('Reshape', [back, shape], net.values[back].reshape(1, -1))
        self.imported(net, net.linear(vector, 6))

    def test_weights_without_scale(self):
        """Integers without any scale stand for 128ths, as in ai8x-synthesis; the last layer is wide."""
        net = Net((3, 8, 8), seed=12)
        first = net.conv('input', 8)
        value = whole(net.values[first] / 128).clamp(min=0)
        active = net.node('Relu', [first], value)
        text = self.imported(net, net.linear(net.flat(active), 4))
        self.assertIn('output_shift: 0', text)
        self.assertIn('1/128', text)

    def test_strided_pointwise_and_softmax(self):
        net = Net((8, 9, 9), seed=13)
        weight = net.weights((8, 8, 1, 1))
        made = functional.conv2d(net.values['input'], torch.from_numpy(weight), stride=2)
        step = net.scaled(net.node('Conv', ['input', net.constant(weight)], made, kernel_shape=[1, 1], strides=[2, 2]), -2,
                          'Relu')
        pooled = net.node('GlobalAveragePool', [step], net.values[step].mean((2, 3), keepdim=True))
        net.values[pooled] = torch.trunc(net.values[step].sum((2, 3), keepdim=True) / 25)
        last = net.linear(net.flat(pooled), 5)
        soft = net.node('Softmax', [last], net.values[last])
        text = self.imported(net, soft)
        self.assertIn('Softmax', text)

    def test_pooling_before_relu(self):
        net = Net((3, 8, 8), seed=14)
        pooled = net.max_pool(net.layer('input', 8, active=None))
        active = net.node('Relu', [pooled], net.values[pooled].clamp(min=0))
        self.imported(net, net.layer(active, 4), layers=2)


@unittest.skipIf(onnx is None or torch is None, 'needs python3-onnx and python3-torch')
class Refusals(Case):
    """What cannot be mapped is named, with the reason."""

    def refuse_net(self, net, output, *words, options=()):
        """The last node of a network is refused."""
        self.refused(net.save(self.folder, output), *options, node=output, says=words)

    def test_kernel(self):
        net = Net((3, 12, 12))
        out = net.conv('input', 4, kernel=5, pad=2)
        self.refuse_net(net, out, '5x5', '3x3')

    def test_stride(self):
        net = Net((3, 8, 8))
        weight = net.weights((4, 3, 3, 3))
        out = net.node('Conv', ['input', net.constant(weight)], torch.zeros(1, 4, 4, 4), kernel_shape=[3, 3],
                       strides=[2, 2], pads=[1, 1, 1, 1])
        self.refuse_net(net, out, 'stride 2')

    def test_padded_pooling(self):
        net = Net((3, 8, 8))
        out = net.node('MaxPool', ['input'], torch.zeros(1, 3, 4, 4), kernel_shape=[3, 3], strides=[2, 2],
                       pads=[1, 1, 1, 1])
        self.refuse_net(net, out, 'padding')

    def test_scales_of_channels(self):
        """Per-channel quantization: scales that are powers of two go into the weights, others are named."""
        def net_of(scales):
            net = Net((4, 8, 8), seed=26)
            whole = net.weights((4, 4, 1, 1), -8, 8)
            weight = net.node('DequantizeLinear', [net.constant(whole, numpy.int8), net.constant(scales), net.constant([0] * 4, numpy.int8)],
                              torch.from_numpy(whole * numpy.reshape(scales, (4, 1, 1, 1))), axis=0)
            made = functional.conv2d(net.values['input'], net.values[weight])
            return net, net.node('Conv', ['input', weight], made, kernel_shape=[1, 1])

        net, out = net_of([0.3, 0.7, 0.11, 0.5])
        self.refuse_net(net, out, 'a scale for each output channel', 'quantize per tensor')
        net, out = net_of([0.5, 0.25, 1.0, 0.5])
        done = self.run_import(net.save(self.folder, out), '--verify', '--inputs', '1')
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_parts_that_layers_cannot_take(self):
        net = Net((4, 8, 8), seed=24)
        rows = net.node('Slice', ['input', *[net.constant([n], numpy.int64) for n in (0, 4, 2)]], net.values['input'][:, :, :4])
        self.refused(net.save(self.folder, net.layer(rows, 4)), node=rows, says=['takes some of the image'])
        net = Net((4, 8, 8), seed=25)
        source = net.layer('input', 8)
        every = net.node('Slice', [source, *[net.constant([n], numpy.int64) for n in (0, 8, 1, 2)]], net.values[source][:, ::2])
        self.refused(net.save(self.folder, net.layer(every, 4)), node=every, says=['channels in another order'])

    def test_unknown_operator(self):
        net = Net((3, 8, 8))
        first = net.layer('input', 4)
        odd = net.node('Sigmoid', [first], net.values[first])
        path = net.save(self.folder, net.layer(odd, 4))
        self.refused(path, node=odd, says=['Sigmoid', 'no such operation'])

    def test_float_weights(self):
        net = Net((3, 8, 8))
        weight = net.random.normal(size=(4, 3, 3, 3))
        out = net.node('Conv', ['input', net.constant(weight)], torch.zeros(1, 4, 6, 6), kernel_shape=[3, 3])
        self.refuse_net(net, out, 'quantize the network first')

    def test_scale_that_is_no_power_of_two(self):
        net = Net((3, 8, 8))
        first = net.conv('input', 4)
        name = net.node('Mul', [first, net.constant(0.3 / 128)], net.values[first])
        name = net.node('Round', [name], net.values[first])
        out = net.node('Clip', [name, net.constant(-128.0), net.constant(127.0)], net.values[first])
        self.refused(net.save(self.folder, out), node=first, says=['power of two'])

    def test_rounding_down(self):
        net = Net((3, 8, 8))
        first = net.conv('input', 4)
        name = net.node('Div', [first, net.constant(128.0)], net.values[first])
        name = net.node('Floor', [name], net.values[first])
        out = net.node('Clip', [name, net.constant(-128.0), net.constant(127.0)], net.values[first])
        self.refused(net.save(self.folder, out), node=first, says=['add 0.5'])

    def test_operands_of_other_units(self):
        net = Net((4, 8, 8))
        left = net.layer('input', 8)
        right = net.node('Mul', [net.layer('input', 8), net.constant(0.5)], net.values[left])
        out = net.node('Add', [left, right], net.values[left])
        self.refuse_net(net, out, 'one unit')

    def test_padding_on_one_side(self):
        net = Net((3, 8, 8))
        weight = net.weights((4, 3, 3, 3))
        out = net.node('Conv', ['input', net.constant(weight)], torch.zeros(1, 4, 7, 7), kernel_shape=[3, 3],
                       pads=[1, 1, 0, 0])
        self.refuse_net(net, out, 'both sides')

    def test_bias_that_does_not_fit(self):
        net = Net((3, 8, 8))
        weight, bias = net.weights((4, 3, 3, 3)), numpy.full(4, 128.0 * 300)
        out = net.node('Conv', ['input', net.constant(weight), net.constant(bias)], torch.zeros(1, 4, 6, 6),
                       kernel_shape=[3, 3])
        self.refuse_net(net, out, 'biases')

    def test_files(self):
        for name, content, words in (('absent.onnx', None, ['No such file']), ('text.onnx', b'layers:\n', ['not an ONNX']),
                                     ('empty.onnx', b'', ['not an ONNX']), ('net.pth.tar', b'PK', ['--checkpoint'])):
            with self.subTest(name):
                if content is not None:
                    with open(os.path.join(self.folder, name), 'wb') as file:
                        file.write(content)
                self.refused(name, says=words)

    def test_input_of_unknown_size(self):
        net = Net((3, 8, 8))
        out = net.conv('input', 4)
        path = net.save(self.folder, out, shape=(3, 'rows', 'columns'))
        self.refused(path, says=['--input-shape', '3x?x?'])
        self.assertEqual(self.run_import(path, '--input-shape', '3x8x8').returncode, 0)

    def test_usage(self):
        for words in ([], ['net.onnx', '--part', 'MAX1'], ['net.onnx', '--input-shape', '0x3'],
                      ['net.onnx', '--inputs', '0']):
            done = self.command(IMPORT, *words)
            self.assertEqual(done.returncode, 2, done.stderr)

    def test_cannot_write(self):
        net = Net((3, 8, 8))
        path = net.save(self.folder, net.conv('input', 4))
        done = self.command(IMPORT, path, '-o', os.path.join(self.folder, 'absent', 'net.yaml'))
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertNotIn('Traceback', done.stderr)


MODULES = textwrap.dedent('''
    import ai8x
    import torch
    from torch import nn


    class Line(nn.Module):
        def __init__(self, num_classes=5, num_channels=16, bias=True, **kwargs):
            super().__init__()
            self.first = ai8x.FusedConv1dReLU(num_channels, 24, 3, padding=1, bias=bias, **kwargs)
            self.second = ai8x.FusedMaxPoolConv1dBNReLU(24, 20, 5, padding=2, bias=bias, **kwargs)
            self.third = ai8x.FusedAvgPoolConv1dReLU(20, 12, 3, padding=1, bias=bias, **kwargs)
            self.drop = nn.Dropout(0.2)
            self.fc = ai8x.Linear(12 * 8, num_classes, bias=bias, wide=True, **kwargs)

        def forward(self, x):
            x = self.drop(self.third(self.second(self.first(x))))
            return self.fc(x.view(x.size(0), -1))


    class Residual(nn.Module):
        def __init__(self, num_channels=3, **kwargs):
            super().__init__()
            self.stem = ai8x.FusedConv2dReLU(num_channels, 16, 3, padding=1, bias=True)
            self.one = ai8x.FusedConv2dBNReLU(16, 16, 3, padding=1)
            self.two = ai8x.Conv2d(16, 16, 3, padding=1, bias=True)
            self.join = ai8x.Add()
            self.last = ai8x.FusedMaxPoolConv2dAbs(16, 8, 3, padding=1, bias=False)

        def forward(self, x):
            x = self.stem(x)
            return self.last(self.join(x, self.two(self.one(x))))


    class Fire(nn.Module):
        def __init__(self, num_channels=4, num_classes=6, **kwargs):
            super().__init__()
            self.squeeze = ai8x.FusedConv2dReLU(num_channels, 8, 1, bias=True)
            self.left = ai8x.FusedConv2dReLU(8, 12, 1, bias=True)
            self.right = ai8x.FusedConv2dReLU(8, 12, 3, padding=1, bias=True)
            self.pool = ai8x.MaxPool2d(2, 2)
            self.fc = ai8x.Linear(24 * 16, num_classes, wide=True, bias=True)

        def forward(self, x):
            x = self.squeeze(x)
            x = self.pool(torch.cat((self.left(x), self.right(x)), dim=1))
            return self.fc(torch.flatten(x, 1))


    class Up(nn.Module):
        def __init__(self, num_channels=3, **kwargs):
            super().__init__()
            self.down = ai8x.FusedConv2dReLU(num_channels, 8, 3, padding=1, bias=True)
            self.deep = ai8x.FusedMaxPoolConv2dReLU(8, 16, 3, padding=1, bias=True)
            self.up = ai8x.FusedConvTranspose2dReLU(16, 8, 3, stride=2, padding=1, bias=True)
            self.last = ai8x.Conv2d(16, 4, 1, bias=True)

        def forward(self, x):
            a = self.down(x)
            return self.last(torch.cat([self.up(self.deep(a)), a], 1))


    class Mobile(nn.Module):
        def __init__(self, num_channels=3, **kwargs):
            super().__init__()
            self.stem = ai8x.FusedConv2dReLU(num_channels, 16, 3, padding=1, bias=True)
            self.deep = ai8x.FusedDepthwiseConv2dReLU(16, 16, 3, padding=1, bias=True)
            self.point = ai8x.Conv2d(16, 16, 1, bias=True)
            self.minus = ai8x.Sub()
            self.fc = ai8x.FusedLinearReLU(16, 8, bias=True)
            self.pool = ai8x.AvgPool2d((8, 8), stride=(8, 8))

        def forward(self, x):
            a = self.stem(x)
            x = self.minus(a, self.point(self.deep(a)))
            x = self.pool(x)
            return self.fc(x.view(x.shape[0], -1))


    class Plain(nn.Module):
        """No layers of ai8x-training: ordinary modules with integers."""

        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, padding=1)
            self.pool = nn.MaxPool2d(2)
            self.fc = nn.Linear(8 * 16, 4, bias=False)
            generator = torch.Generator().manual_seed(3)
            for weight in (self.conv.weight, self.fc.weight):
                weight.data = torch.randint(-128, 128, weight.shape, generator=generator).double()
            self.conv.bias.data = torch.randint(-9, 9, (8,), generator=generator).double() * 128

        def forward(self, x):
            x = torch.relu(self.conv(x))
            x = torch.clamp(torch.floor(x / 512 + 0.5), -128, 127)
            return self.fc(torch.flatten(self.pool(x), 1))
''')


@unittest.skipIf(torch is None, 'needs python3-torch')
class FromTorch(Case):
    """Torch modules to programs."""

    SHAPES = {'Line': (16, 32), 'Residual': (3, 12, 12), 'Fire': (4, 8, 8), 'Up': (3, 16, 16), 'Mobile': (3, 8, 8),
              'Plain': (3, 8, 8)}

    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.folder, 'nets.py')
        with open(self.file, 'w', encoding='utf-8') as file:
            file.write(MODULES)

    def module(self, name):
        """The module, as the tool's stand-in makes it."""
        folder = os.path.join(os.path.dirname(IMPORT), 'importer')
        sys.path.insert(0, folder)
        try:
            import ai8x_layers
        finally:
            sys.path.remove(folder)
        sys.modules['ai8x'] = ai8x_layers.StandIn()
        space = {'__name__': 'nets'}
        exec(MODULES, space)  # pylint: disable=exec-used
        return space[name]()

    def checkpoint(self, name, bits=8, seed=0):
        """A quantized checkpoint of a network."""
        random = numpy.random.default_rng(seed)
        state = {}
        low = -(1 << bits - 1)
        for key, value in self.module(name).state_dict().items():
            numbers = None
            if key.endswith('op.weight'):
                numbers = random.integers(low, -low, value.shape)
            elif key.endswith('op.bias'):
                numbers = random.integers(-20, 20, value.shape) * -low
            elif key.endswith('output_shift'):
                numbers = numpy.array([random.integers(-3, 0)])
            elif key.endswith('weight_bits'):
                numbers = numpy.array([bits])
            if numbers is not None and '.bn.' not in key:
                state[key] = torch.from_numpy(numbers.astype(numpy.float32))
        path = os.path.join(self.folder, f'{name}.pth.tar')
        torch.save({'arch': name, 'epoch': 1, 'state_dict': state}, path)
        return path, state

    def expected(self, name, state, sample):
        """What the network computes, layer by layer, written down here once more."""
        def conv(x, key, active=None, pool=None, wide=False, **options):
            bits = int(state[f'{key}.weight_bits'].item())
            weight = state[f'{key}.op.weight'].double()
            if pool is not None:
                x = pool(x)
            function = {2: functional.linear, 3: functional.conv1d, 4: functional.conv2d}[weight.dim()]
            x = options.pop('function', function)(x, weight, **options)
            if f'{key}.op.bias' in state:
                bias = state[f'{key}.op.bias'].double() / 2 ** (bits - 1) * 128
                x = x + bias.reshape((1, -1) + (1,) * (x.dim() - 2))
            if wide:
                return x
            x = whole(x * 2.0 ** (float(state[f'{key}.output_shift'].item()) + 8 - bits) / 128)
            return {'ReLU': x.clamp(min=0), 'Abs': x.abs().clamp(max=127), None: x}[active]

        x = torch.from_numpy(sample.astype(numpy.float64))[None]
        if name == 'Line':
            x = conv(x, 'first', 'ReLU', padding=1)
            x = conv(x, 'second', 'ReLU', lambda v: functional.max_pool1d(v, 2, 2), padding=2)
            x = conv(x, 'third', 'ReLU', lambda v: torch.trunc(functional.avg_pool1d(v, 2, 2)), padding=1)
            return conv(x.flatten(1), 'fc', wide=True)
        if name == 'Residual':
            x = conv(x, 'stem', 'ReLU', padding=1)
            y = conv(conv(x, 'one', 'ReLU', padding=1), 'two', padding=1)
            return conv((x + y).clamp(-128, 127), 'last', 'Abs', lambda v: functional.max_pool2d(v, 2, 2), padding=1)
        if name == 'Fire':
            x = conv(x, 'squeeze', 'ReLU')
            x = torch.cat((conv(x, 'left', 'ReLU'), conv(x, 'right', 'ReLU', padding=1)), 1)
            return conv(functional.max_pool2d(x, 2, 2).flatten(1), 'fc', wide=True)
        if name == 'Up':
            a = conv(x, 'down', 'ReLU', padding=1)
            x = conv(a, 'deep', 'ReLU', lambda v: functional.max_pool2d(v, 2, 2), padding=1)
            x = conv(x, 'up', 'ReLU', function=functional.conv_transpose2d, stride=2, padding=1, output_padding=1)
            return conv(torch.cat((x, a), 1), 'last')
        a = conv(x, 'stem', 'ReLU', padding=1)
        x = conv(conv(a, 'deep', 'ReLU', padding=1, groups=16), 'point')
        x = torch.trunc((a - x).clamp(-128, 127).sum((2, 3)) / 64)
        return conv(x, 'fc', 'ReLU')

    def imported(self, name, parts=PARTS, bits=8):
        """Imports a network for each part and compares the program's output with what is expected."""
        path, state = self.checkpoint(name, bits)
        sample = numpy.random.default_rng(5).integers(-128, 128, self.SHAPES[name]).astype(numpy.int8)
        numpy.save(os.path.join(self.folder, 'sample.npy'), sample)
        wanted = self.expected(name, state, sample).numpy().ravel()
        for part in parts:
            with self.subTest(part):
                done = self.run_import(self.file, '--class', name, '--checkpoint', path, '--input-shape',
                                       'x'.join(map(str, self.SHAPES[name])), '--part', part, '--sample', 'sample.npy',
                                       '--verify', '--inputs', '1')
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn('verified', done.stdout)
                numpy.testing.assert_array_equal(self.outputs()[-1][1].ravel(), wanted)
        self.assertGreater(len(set(wanted.tolist())), 2, 'the outputs say nothing')

    def test_line(self):
        self.imported('Line')

    def test_line_with_narrow_weights(self):
        self.imported('Line', ['MAX78000'], bits=4)

    def test_residual(self):
        self.imported('Residual')

    def test_fire(self):
        self.imported('Fire')

    def test_up(self):
        self.imported('Up')

    def test_mobile(self):
        self.imported('Mobile', ['MAX78002'])

    def test_plain_module(self):
        done = self.run_import(self.file, '--class', 'Plain', '--input-shape', '3x8x8', '--verify')
        self.assertEqual(done.returncode, 0, done.stderr)
        module = self.module('Plain').double()
        import h5py

        with h5py.File(os.path.join(self.folder, 'net-weights.h5')) as file:
            sample = torch.from_numpy(file['input'][()].astype(numpy.float64))[None]
        with torch.no_grad():
            wanted = module(sample).numpy().ravel()
        numpy.testing.assert_array_equal(self.outputs()[-1][1].ravel(), wanted)

    def test_bias_of_the_last_layer_only(self):
        """What the argument `bias` means is tried, and files beside the folder of the network are found."""
        with open(self.file, 'a', encoding='utf-8') as file:
            file.write(textwrap.dedent('''
                import beside
                class Last(nn.Module):
                    def __init__(self, num_classes=3, num_channels=4, bias=True, **kwargs):
                        super().__init__()
                        self.conv = ai8x.FusedConv2dReLU(num_channels, beside.WIDTH, 3, padding=1, bias=bias)
                        self.fc = ai8x.Linear(beside.WIDTH * 16, num_classes, wide=True, bias=True)

                    def forward(self, x):
                        return self.fc(torch.flatten(self.conv(x), 1))
            '''))
        os.mkdir(os.path.join(self.folder, 'models'))
        path = shutil.move(self.file, os.path.join(self.folder, 'models'))
        with open(os.path.join(self.folder, 'beside.py'), 'w', encoding='utf-8') as file:
            file.write('WIDTH = 8\n')
        state = {'conv.op.weight': torch.full((8, 4, 3, 3), 3.0), 'fc.op.weight': torch.full((3, 128), 2.0),
                 'fc.op.bias': torch.tensor([128.0, 256.0, 384.0])}
        torch.save({'state_dict': state}, os.path.join(self.folder, 'last.pth.tar'))
        done = self.run_import(path, '--class', 'Last', '--checkpoint', 'last.pth.tar', '--input-shape', '4x4x4', '--verify',
                               '--inputs', '1')
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_fractions_are_rounded(self):
        """A network that was never quantized gets powers of two, and says so."""
        done = self.run_import(self.file, '--class', 'Residual', '--input-shape', '3x12x12', '--verify')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('were fractions', done.stdout)

    def test_what_is_missing(self):
        net = ['--input-shape', '16x32']
        self.refused(self.file, *net, says=['--class', 'Residual'])
        self.refused(self.file, '--class', 'Nothing', *net, says=['Nothing'])
        self.refused(self.file, '--class', 'Line', says=['--input-shape'])
        self.refused(self.file, '--class', 'Line', '--input-shape', '16x3', says=['16x3', 'Output size'])
        path, _ = self.checkpoint('Fire')
        self.refused(self.file, '--class', 'Line', '--checkpoint', path, *net, says=['checkpoint'])
        self.refused('absent.py', '--class', 'Line', *net, says=['absent.py'])
        with open(self.file, 'a', encoding='utf-8') as file:
            file.write('raise ValueError("broken")\n')
        self.refused(self.file, '--class', 'Line', *net, says=['ValueError', 'broken'])

    def test_control_flow(self):
        with open(self.file, 'a', encoding='utf-8') as file:
            file.write(textwrap.dedent('''
                class Branches(Residual):
                    def forward(self, x):
                        return self.stem(x) if x.sum() > 0 else x
            '''))
        self.refused(self.file, '--class', 'Branches', '--input-shape', '3x8x8', says=['traced'])


if __name__ == '__main__':
    unittest.main()
