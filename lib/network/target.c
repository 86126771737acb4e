// Limits and work-arounds of the parts that their tables do not tell, as data. Source: hardware reference 7 (limits,
// generator flags), 4.8, 3.1.

#include "network/target.h"

static const struct target targets[] = {
	{
		.part = &part_max78000,
		.max_pad = 2,
		.max_pool_passes = 1,
		.kernel_quarter = 768,
		.fifo_coupled = true,
		.flatten_bias_first = true,
		.rows_for_passes = true,
		.multipass_padded_conv1d = true,
		.eltwise_convolution_bias = true,
		.streaming_passthrough = true,
	},
	{
		.part = &part_max78002,
		.max_pad = 2,
		.max_pool_passes = 65536,
		.kernel_quarter = 1024,
		.kernel_quarter_tail = 256,
		.reset_average = true,
		.depthwise_one_ram = true,
		.window_streams = true,
		.streaming_unpadded_end = true,
	},
};

const struct target *target_of(const ai8x_part *part)
{
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
		if (targets[i].part == part)
			return &targets[i];
	return NULL;
}
