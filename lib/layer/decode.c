// Registers -> decoded layer. Receives the register file and who takes part in the run, hands on an
// ai8x_layer that engines, time model and views share. Facts: hardware reference 4.1 to 4.8, 5.2.
#include "layer/geometry.h"

#include <string.h>

static const uint32_t weight_bits_of[] = {8, 1, 2, 4}; // POST.mask_size

// What decoding needs at hand: the register file, where in it, and where to complain.
struct decoder {
	const struct registers *registers;
	const struct layer_run *run;
	uint32_t index;
	ai8x_layer *layer;
	ai8x_error *error;
};

static uint32_t get(const struct decoder *d, enum part_field_id id)
{
	return field_get(d->registers, id, d->run->master, d->index);
}

static uint32_t get_group(const struct decoder *d, enum part_field_id id, unsigned group)
{
	return field_get(d->registers, id, group, d->index);
}

static uint32_t get_control(const struct decoder *d, enum part_field_id id)
{
	return field_get(d->registers, id, d->run->master, 0);
}

static ai8x_status refuse(const struct decoder *d, enum part_register reg, const char *what)
{
	return error_set(d->error, AI8X_ERR_LAYER, "layer %u: %s (register %s at 0x%08x holds 0x%08x)", d->index,
	                 what, part_register_name(reg),
	                 part_register_address(d->registers->part, reg, d->run->master, d->index),
	                 register_get(d->registers, reg, d->run->master, d->index));
}

static void decode_processors(struct decoder *d)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if ((d->run->groups >> g & 1) == 0)
			continue;
		d->layer->processors |= (uint64_t)get_group(d, F_PRO_EN, g) << (g * PROCESSORS_PER_GROUP);
		d->layer->kernel_processors |= (uint64_t)get_group(d, F_MASK_EN, g) << (g * PROCESSORS_PER_GROUP);
	}
}

static void decode_kind(struct decoder *d)
{
	ai8x_layer *layer = d->layer;
	layer->bypass = get(d, F_BYPASS) != 0;
	layer->depthwise = get(d, F_DW_EN) != 0;
	layer->calcx4 = get(d, F_CALCX4) != 0;
	layer->flatten = get(d, F_FLATTEN_EN) != 0;
	layer->transposed = get(d, F_DECONV_EN) != 0;
	layer->quad_fanout = d->index == 0 && get_control(d, F_QUPAC) != 0 && get_control(d, F_FFIFO_EN) != 0;

	bool oned = get(d, F_ONED_EN) != 0;
	uint32_t width = get(d, F_ONED_WIDTH);
	layer->kernel_rows = layer->kernel_columns = 3;
	if (oned) {
		layer->kernel_rows = width;
		layer->kernel_columns = 1;
	} else if (width == 1) {
		layer->kernel_rows = layer->kernel_columns = 1;
	}
	if (layer->kernel_processors == 0 && !layer->bypass) {
		layer->operation = AI8X_OP_PASSTHROUGH;
		layer->kernel_rows = layer->kernel_columns = 1;
	} else if (layer->flatten) {
		layer->operation = AI8X_OP_LINEAR;
	} else if (layer->transposed) {
		layer->operation = AI8X_OP_CONVT2D;
	} else {
		layer->operation = oned ? AI8X_OP_CONV1D : AI8X_OP_CONV2D;
	}
	layer->transposed = layer->operation == AI8X_OP_CONVT2D;
	// Without kernels there is nothing that processors could do on their own.
	layer->depthwise = layer->depthwise && layer->operation != AI8X_OP_PASSTHROUGH;
}

static void decode_stages(struct decoder *d)
{
	ai8x_layer *layer = d->layer;
	uint32_t passes = get(d, F_INPCHEXP);
	if (layer->flatten)
		passes |= get(d, F_XPMP_CNT) << 4;
	layer->passes = passes + 1;
	layer->operands = get(d, F_EWISE_EN) ? get(d, F_EWISE_CNT) + 1 : 1;
	layer->eltwise = (ai8x_eltwise)get(d, F_EWISE_FUNC);
	layer->eltwise_convolution = get(d, F_2D_CONV) != 0;
	layer->chw = get(d, F_PARALLEL) != 0;

	layer->pooling = !get(d, F_POOL_EN)   ? AI8X_POOL_NONE
	                 : get(d, F_MAXPL_EN) ? AI8X_POOL_MAX
	                                      : AI8X_POOL_AVERAGE;
	// Without pooling the order of pooling and combining has no meaning.
	layer->pool_first = layer->pooling == AI8X_POOL_NONE || get(d, F_PREPOOL) != 0;
	layer->pool_round = get_control(d, F_POOLRND) != 0;
	layer->pool_dilation_rows = get(d, F_POOL_ROWS_INC) + 1;
	layer->pool_dilation_columns = get(d, F_POOL_COLS_INC) + 1;
	layer->pool_rows = get(d, F_POOL_ROWS) / layer->pool_dilation_rows + 1;
	layer->pool_columns = get(d, F_POOL_COLS) / layer->pool_dilation_columns + 1;
	layer->pool_stride = get(d, F_STRIDE) + 1;
}

// MAX78000: the counters hold the padded image before pooling (after zero insertion).
static ai8x_status decode_counted_image(struct decoder *d)
{
	ai8x_layer *layer = d->layer;
	layer->pad_rows = get(d, F_RCNT_PAD);
	layer->pad_columns = get(d, F_CCNT_PAD);
	uint32_t rows = get(d, F_RCNT_MAX) + 1;
	uint32_t columns = get(d, F_CCNT_MAX) + 1;
	if (rows <= 2 * layer->pad_rows)
		return refuse(d, REG_RCNT, "the row count does not exceed its padding");
	if (columns <= 2 * layer->pad_columns)
		return refuse(d, REG_CCNT, "the column count does not exceed its padding");
	rows -= 2 * layer->pad_rows;
	columns -= 2 * layer->pad_columns;
	if (layer->transposed) {
		if (rows % 2 != 0)
			return refuse(d, REG_RCNT, "a transposed convolution needs an even number of rows");
		if (columns % 2 != 0)
			return refuse(d, REG_CCNT, "a transposed convolution needs an even number of columns");
		rows /= 2;
		columns /= 2;
	}
	if (rows < layer->pool_rows)
		return refuse(d, REG_PRCNT, "the pooling window has more rows than the image");
	if (columns < layer->pool_columns)
		return refuse(d, REG_PCCNT, "the pooling window has more columns than the image");
	layer->rows = rows;
	layer->columns = columns;
	layer->pooled_rows = (rows - layer->pool_rows) / layer->pool_stride + 1;
	layer->pooled_columns = (columns - layer->pool_columns) / layer->pool_stride + 1;
	layer->pixel_step = layer->operands * layer->passes;
	return AI8X_OK;
}

// MAX78002: the counters hold where the last window starts, STRIDE the pointer step of a window.
static ai8x_status decode_window_image(struct decoder *d)
{
	ai8x_layer *layer = d->layer;
	layer->pad_rows = get(d, F_ROW_PAD_ENA) ? get(d, F_ROW_PAD_CNT) + 1 : 0;
	layer->pad_columns = get(d, F_COL_PAD_ENA) ? get(d, F_COL_PAD_CNT) + 1 : 0;
	uint32_t last_row = get(d, F_ROW_STOP);
	uint32_t last_column = get(d, F_COL_STOP);
	bool oned = layer->operation == AI8X_OP_CONV1D;
	layer->pooled_rows = last_row / layer->pool_stride + 1;
	layer->pooled_columns = oned ? 1 : last_column / layer->pool_stride + 1;
	layer->rows = last_row + (layer->pool_rows - 1) * layer->pool_dilation_rows + 1;
	layer->columns = oned ? 1 : last_column + get(d, F_COL_DIFF);
	if (layer->transposed) {
		if (layer->pooled_rows % 2 != 0)
			return refuse(d, REG_RCNT, "a transposed convolution needs an even number of rows");
		if (layer->pooled_columns % 2 != 0)
			return refuse(d, REG_CCNT, "a transposed convolution needs an even number of columns");
		layer->pooled_rows /= 2;
		layer->pooled_columns /= 2;
		layer->rows /= 2;
		layer->columns /= 2;
	}
	// A layer with a single pixel may leave the pointer steps at zero.
	if (layer->columns == 0)
		layer->columns = 1;
	layer->pixel_step = get(d, F_MP_STRIDE) / layer->pool_stride;
	uint32_t dense = layer->operands * layer->passes;
	layer->read_gap = layer->pixel_step > dense ? layer->pixel_step / dense - 1 : 0;
	return AI8X_OK;
}

static ai8x_status decode_output_size(struct decoder *d)
{
	ai8x_layer *layer = d->layer;
	if (!layer_has_kernels(layer)) {
		layer->pad_rows = layer->pad_columns = 0;
		layer->output_rows = layer->pooled_rows;
		layer->output_columns = layer->pooled_columns;
		return AI8X_OK;
	}
	if (layer->kernel_rows < 1 || layer->kernel_rows > 9)
		return refuse(d, REG_ONED, "a 1-D kernel has a length of 1 to 9");
	uint32_t rows = layer_expanded_rows(layer) + 2 * layer->pad_rows;
	uint32_t columns = layer_expanded_columns(layer) + 2 * layer->pad_columns;
	if (rows < layer->kernel_rows)
		return refuse(d, REG_RCNT, "the kernel has more rows than the padded image");
	if (columns < layer->kernel_columns)
		return refuse(d, REG_CCNT, "the kernel has more columns than the padded image");
	layer->output_rows = rows - layer->kernel_rows + 1;
	layer->output_columns = columns - layer->kernel_columns + 1;
	return AI8X_OK;
}

static ai8x_status decode_kernels(struct decoder *d)
{
	ai8x_layer *layer = d->layer;
	const struct ai8x_part *part = d->registers->part;
	uint32_t bits = layer->weight_bits = weight_bits_of[get(d, F_MASK_SIZE)];
	layer->binary = bits == 1 && get_control(d, F_BINARY) != 0;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		layer->kernel_first_bit[g] = get_group(d, F_MCNT_SAD, g);
		layer->kernel_tap_offset[g] = get_group(d, F_ONED_SAD, g);
	}
	layer->slots = bits_count(layer->processors) * layer->passes;
	if (!layer_has_kernels(layer))
		return AI8X_OK;
	enum part_register count_register = part->fields[F_MCNT_MAX].reg;
	if (part->quirks.ochan_counts) {
		uint32_t ochan = get(d, F_OCHAN);
		count_register = REG_OCHAN;
		// No part has room for this many kernels; the bound keeps later products small.
		if (ochan >= 1u << 20)
			return refuse(d, REG_OCHAN, "more kernels than any kernel memory holds");
		layer->kernels = ochan + 1;
	} else {
		uint32_t first = get(d, F_MCNT_SAD), last = get(d, F_MCNT_MAX);
		if (last < first)
			return refuse(d, count_register, "the last kernel lies before the first");
		layer->kernels = (last - first) / bits + 1;
	}
	if (layer->depthwise) {
		// Nothing else counts the channels of a bypassed layer, whose last pass need not be full.
		if (layer->bypass)
			layer->slots = layer->kernels;
		layer->kernels = layer->bypass ? 0 : layer->passes;
		return AI8X_OK;
	}
	if (layer->bypass) {
		layer->slots = layer->kernels;
		layer->kernels = 0;
		return AI8X_OK;
	}
	layer->slots = layer->kernels / layer->passes * (layer->calcx4 ? 4 : 1);
	if (layer->slots == 0)
		return refuse(d, count_register, "fewer kernels than passes");
	if (layer->quad_fanout)
		layer->slots *= AI8X_GROUPS;
	return AI8X_OK;
}

static void decode_output(struct decoder *d)
{
	ai8x_layer *layer = d->layer;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		bool member = (d->run->groups >> g & 1) != 0;
		if (member && get_group(d, F_BPTR_EN, g) && layer_has_kernels(layer))
			layer->bias_groups |= 1u << g;
		layer->bias_first[g] = get_group(d, F_BPTR_SAD, g);
		layer->read_base[g] = get_group(d, F_RPTR, g);
		layer->write_instance[g] = get_group(d, F_WPTR_INSTANCE, g);
		layer->write_word[g] = get_group(d, F_WPTR_WORD, g);
	}
	if (!layer_has_kernels(layer))
		layer->write_mode = AI8X_WRITE_PASSTHROUGH;
	else if (layer->depthwise)
		layer->write_mode = get(d, F_DW_BCAST) ? AI8X_WRITE_BROADCAST : AI8X_WRITE_DEPTHWISE;
	else
		layer->write_mode = AI8X_WRITE_CHANNELS;
	layer->slots_per_pass = get(d, F_XPCH_MAX) / layer->weight_bits + 1;
	layer->output_passes = 1;
	if (layer->write_mode == AI8X_WRITE_CHANNELS)
		layer->output_passes = (layer->slots + layer->slots_per_pass - 1) / layer->slots_per_pass;
	else
		layer->output_passes = layer->passes;
	layer->write_step = get(d, F_WPTR_INC) + 1;
	layer->pass_offset = get(d, F_CHOFFS);
	layer->time_slots = get(d, F_TSCNT_MAX) + 1;
	layer->time_slot_offset = get(d, F_TOFFS);
	layer->output_bits = get(d, F_BIGDWRT) && layer_has_kernels(layer) ? 32 : 8;
	int32_t shift = (int32_t)get(d, F_SCALE_REG);
	layer->output_shift = get(d, F_SCALE_SHFT) ? -shift : shift;
	layer->activation = AI8X_ACTIVATE_NONE;
	if (layer_has_kernels(layer) && layer->output_bits == 8) {
		if (get(d, F_OUT_ABS))
			layer->activation = AI8X_ACTIVATE_ABS;
		else if (get(d, F_ACT_EN))
			layer->activation = AI8X_ACTIVATE_RELU;
	}
}

static void decode_sequence(struct decoder *d)
{
	ai8x_layer *layer = d->layer;
	layer->tram_first = get(d, F_TPTR_SAD);
	layer->tram_last = get(d, F_TPTR_MAX);
	layer->read_ahead = get(d, F_RD_AHEAD) != 0;
	layer->tcalc = get(d, F_TCALC) != 0;
	layer->no_pipeline = get_control(d, F_NO_PIPELINE) != 0;
	layer->fifo = d->index == 0 && (get_control(d, F_GROUP_FIFO_EN) || get_control(d, F_FFIFO_EN));
	if (d->index < AI8X_MAX_STREAMS) {
		layer->ring_words = get(d, F_FBUF_MAX);
		// hardware reference 5.2: a layer streams if and only if streaming is on and it has a ring.
		layer->streaming = get_control(d, F_STREAM_EN) && layer->ring_words != 0;
		layer->stream_start = get(d, F_STRM_ISVAL);
		layer->fifo_go = get(d, F_STRM_FIFO_GO) != 0;
		layer->stream_delta1 = get(d, F_STRM_DSVAL1);
		layer->stream_delta2 = get(d, F_STRM_DSVAL2);
		layer->stream_invol = get(d, F_STRM_INVOL);
		if (!layer->streaming)
			layer->ring_words = 0;
	}
	layer->link = get(d, F_LINK) != 0;
	layer->stop = get(d, F_STOP) != 0;
	layer->next = get(d, F_NEXT);
}

ai8x_status layer_decode(const struct registers *registers, const struct layer_run *run, uint32_t index,
                         ai8x_layer *layer, ai8x_error *error)
{
	const struct ai8x_part *part = registers->part;
	if (index >= part->info.layers)
		return error_set(error, AI8X_ERR_LAYER, "layer %u does not exist: the %s has layers 0 to %u", index,
		                 part->info.name, part->info.layers - 1);
	memset(layer, 0, sizeof *layer);
	layer->part = part;
	layer->index = index;
	layer->groups = run->groups;
	layer->master = run->master;
	struct decoder d = {registers, run, index, layer, error};

	decode_processors(&d);
	decode_kind(&d);
	decode_stages(&d);
	ai8x_status status =
		part->quirks.window_stop_geometry ? decode_window_image(&d) : decode_counted_image(&d);
	if (status == AI8X_OK)
		status = decode_output_size(&d);
	if (status == AI8X_OK)
		status = decode_kernels(&d);
	if (status != AI8X_OK)
		return status;
	decode_output(&d);
	decode_sequence(&d);
	return AI8X_OK;
}
