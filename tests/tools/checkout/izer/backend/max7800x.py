"""Emits a made-up network of two layers."""
import numpy

from izer import apbaccess, op, state


def conv2d_layer():
    """The arithmetic, which is timed."""


conv1d_layer = convtranspose2d_layer = eltwise_layer = passthrough_layer = pooling_layer = conv2d_layer


class Backend:
    """The part that emits everything."""

    def create_net(self):  # pylint: disable=too-many-locals,unused-variable
        """Local variables of this function describe the layers."""
        verbose = state.verbose
        layers = 2
        operator = hw_operator = [op.CONV2D, op.NONE]
        kernel_size = hw_kernel_size = [[3, 3], [1, 1]]
        padding = hw_padding = [[1, 1], [0, 0]]
        stride = dilation = pool = pool_stride = pool_dilation = [[1, 1], [1, 1]]
        output_padding = [[0, 0], [0, 0]]
        conv_groups = operands = in_expand = out_expand = [1, 1]
        pool_first = [True, True]
        pool_average = streaming = flatten = big_data = bypass = calcx4 = [False, False]
        rd_ahead = tcalc = avgpool_reset_layer = [False, False]
        output_shift, quantization, output_width = [-1, 0], [8, 0], [8, 32]
        input_chan = output_chan = in_expand_thresh = out_expand_thresh = [3, 2]
        input_dim = pooled_dim = output_dim = hw_input_dim = hw_output_dim = [[2, 2], [1, 1]]
        in_offset, out_offset, write_gap, input_skip = [0, 0x100], [0x100, 0], [0, 0], [0, 0]
        kern_offs, kern_len, next_sequence, output_layer = [4, 0], [2, 0], [1, -1], [False, True]
        eltwise, activation, bias_group = [op.NONE, op.NONE], [op.ACT_RELU, None], [1, None]
        processor_map, output_processor_map = [7, 5], [5, 1 << 63]
        in_sequences, rollover, hw_add_layers = [None, [0, -1]], [None, None], [0, 1]
        latency_data = [(1, 'Startup', '')]

        apb = apbaccess.apbwriter('file')
        self.predefine(apb)

        apb.function_header(function='init')
        apb.write(0x1000, 0, base=None, no_verify=True)
        apb.wait(0x10000c, 0x10, 0x10)
        apb.verify(0x10000c, 0, mask=0x4000)
        apb.output('  memset((uint32_t *) 0x50110000, 0, 8);\n', True)
        apb.function_footer()

        apb.function_header(function='configure')
        apb.write(0x100010, 0x80001234)
        if not state.embedded_code:
            apb.output('\n  load_input(); // Load data input\n\n')
        if state.mode == 'runtime':
            apb.write(0x100014, 'some_variable')
        apb.function_footer()
        apb.function_header(function='start')
        if state.fast_fifo:
            apb.write(0x400c0408, 0, base=0, no_verify=True)
        apb.write(0x100000, 9, no_verify=True)
        apb.function_footer()

        conv2d_layer()
        for ll in range(layers):
            if verbose:
                latency_data.append((40 + ll, f'Layer {ll}', ''))
            apb.memfile = 'file' if output_layer[ll] else None
            if state.generate_kat:
                apb.verify_unload(ll, None, None, numpy.arange(4 - ll) - 2, output_processor_map[ll],
                                  [4 - ll, 1, 1])
        apb.main()
        if state.new_kernel_loader and state.mode != 'silent':
            apb.output_define([0x50180040, 3, 0xa1, 0xa2, 0xa3, 0x50184000, 1, 0xa4, 0], 'KERNELS', '', 8)

    def predefine(self, apb):
        """Functions that come before the rest in the code."""
        apb.function_header(function='load_weights')
        if not state.new_kernel_loader:
            apb.output_define([1, 2, 3, 4, 5, 6], 'KERNELS_0', '', 8)
            apb.output('static const uint32_t kernels_0[] = KERNELS_0;\n')
            if state.mexpress:
                apb.output('  *((volatile uint8_t *) 0x50180001) = 0x01; // Set address\n')
                apb.output('  memcpy32((uint32_t *) 0x50180000, kernels_0, 6);\n')
            else:
                apb.output('  memcpy_96to128((uint32_t *) 0x50180000, kernels_0, 2);\n')
        elif state.mexpress:
            apb.output('    *((volatile uint8_t *) ((uint32_t) addr | 1)) = 0x01; // Set address\n')
        apb.function_footer()

        apb.output_define(numpy.array([0x11, 0x92]), 'BIAS_1', '', 16)
        apb.output('static const uint8_t bias_1[] = BIAS_1;\n')
        apb.function_header(function='load_bias')
        apb.output('  memcpy_8to32((uint32_t *) 0x50508000, bias_1, sizeof(uint8_t) * 2);\n')
        apb.function_footer()

        apb.output_define([0x01020304, 0xfffefdfc], 'SAMPLE_INPUT_0', '', 8, weights=False)
        apb.output_define([0x0a, 0x0b], 'SAMPLE_INPUT_1', '', 8, weights=False)
        apb.output('static const uint32_t input_0[] = SAMPLE_INPUT_0;\n')
        apb.function_header(dest='wrapper', prefix='', function='load_input')
        if not state.fifo:
            apb.output('  memcpy32((uint32_t *) 0x50400000, input_0, 2);\n')
        elif state.mode == 'synthesize':
            apb.output('\n  for (i = 0; i < 6; i++) {\n')
            apb.write(0, '(*in1++ + add) & 0xff', fifo=1)
            apb.output('    if (i % 2 == 1) {\n')
            apb.output('      add += 0xf8;\n    ')
            apb.output('  add &= 0xff;\n    ')
        elif state.mode == 'camera':
            apb.write(0, 'CAMERA->data', fifo=0)
        else:
            apb.output('\n  for (i = 0; i < 2; i++) {\n')
            apb.write(0, '*in0++', fifo=0)
            if not state.fast_fifo:
                apb.write(0, '*in1++', fifo=1)
        apb.function_footer(dest='wrapper')
