// Decoded layer -> registers: the inverse of decode.c. Receives an ai8x_layer, hands on register values
// for every group that takes part. Facts: register table, "how software derives it", and hardware reference 4.
//
// Most fields are rows of a table: which field, from which member, by which rule. What is left are the few
// fields whose encoding differs between parts (image counters, kernel counts).
#include "layer/encode.h"
#include "layer/geometry.h"

// What a rule can look at.
struct encoder {
	const ai8x_layer *layer;
	struct registers *registers;
	ai8x_error *error;
	unsigned group;
	ai8x_status status;
};

typedef uint32_t (*rule)(const struct encoder *e);

// Fields that a part lacks are left out: what they would say is implied there, or was refused as a limit of
// the part.
static void put(struct encoder *e, enum part_field_id id, uint64_t value)
{
	const ai8x_part *part = e->registers->part;
	unsigned width = part->fields[id].width;
	if (e->status != AI8X_OK || width == 0)
		return;
	if (width < 32 && value >> width != 0) {
		e->status = error_set(e->error, AI8X_ERR_LAYER,
		                      "layer %u: %s = %llu does not fit the %s's field (at most %llu)",
		                      e->layer->index, part_field_name(id), (unsigned long long)value,
		                      part->info.name, (unsigned long long)((UINT64_C(1) << width) - 1));
		return;
	}
	field_set(e->registers, id, e->group, e->layer->index, (uint32_t)value);
}

static bool pools(const ai8x_layer *layer)
{
	return layer->pooling != AI8X_POOL_NONE;
}

static bool is_1x1(const ai8x_layer *layer)
{
	return layer->kernel_rows == 1 && layer->kernel_columns == 1;
}

// Rules of fields that are a function of the layer (and the group).

static uint32_t next_layer(const struct encoder *e)
{
	return e->layer->next;
}
static uint32_t link(const struct encoder *e)
{
	return e->layer->link;
}
static uint32_t stop(const struct encoder *e)
{
	return e->layer->stop;
}
static uint32_t time_slots(const struct encoder *e)
{
	return e->layer->time_slots - 1;
}
static uint32_t tap_offset(const struct encoder *e)
{
	return e->layer->kernel_tap_offset[e->group];
}

static uint32_t oned_width(const struct encoder *e)
{
	const ai8x_layer *layer = e->layer;
	if (layer->operation == AI8X_OP_CONV1D)
		return layer->kernel_rows;
	if (layer->operation == AI8X_OP_PASSTHROUGH)
		return layer->operands == 1;
	return layer->operation != AI8X_OP_CONVT2D && is_1x1(layer);
}

static uint32_t oned(const struct encoder *e)
{
	return e->layer->operation == AI8X_OP_CONV1D;
}
static uint32_t eltwise(const struct encoder *e)
{
	return e->layer->operands > 1;
}

static uint32_t eltwise_function(const struct encoder *e)
{
	return e->layer->operands > 1 ? (uint32_t)e->layer->eltwise : 0;
}

static uint32_t prepool(const struct encoder *e)
{
	return e->layer->operands > 1 && pools(e->layer) && e->layer->pool_first;
}

static uint32_t eltwise_convolution(const struct encoder *e)
{
	return e->layer->operands > 1 && layer_has_kernels(e->layer);
}

static uint32_t operands(const struct encoder *e)
{
	return e->layer->operands - 1;
}

static uint32_t pool_rows(const struct encoder *e)
{
	return (e->layer->pool_rows - 1) * e->layer->pool_dilation_rows;
}

static uint32_t pool_columns(const struct encoder *e)
{
	return (e->layer->pool_columns - 1) * e->layer->pool_dilation_columns;
}

static uint32_t pool_rows_step(const struct encoder *e)
{
	return e->layer->pool_dilation_rows - 1;
}
static uint32_t pool_columns_step(const struct encoder *e)
{
	return e->layer->pool_dilation_columns - 1;
}
static uint32_t stride(const struct encoder *e)
{
	return e->layer->pool_stride - 1;
}
static uint32_t write_word(const struct encoder *e)
{
	return e->layer->write_word[e->group];
}
static uint32_t write_instance(const struct encoder *e)
{
	return e->layer->write_instance[e->group];
}
static uint32_t slot_offset(const struct encoder *e)
{
	return e->layer->time_slot_offset;
}

// Convolutions step to the next instance with every fourth slot.
static uint32_t mask_offset(const struct encoder *e)
{
	return layer_has_kernels(e->layer) ? UINT32_C(1) << e->registers->part->instance_shift : 0;
}

static uint32_t pass_offset(const struct encoder *e)
{
	return e->layer->pass_offset;
}
static uint32_t read_base(const struct encoder *e)
{
	return e->layer->read_base[e->group];
}
static uint32_t one(const struct encoder *e)
{
	(void)e;
	return 1;
}
static uint32_t parallel(const struct encoder *e)
{
	return e->layer->chw;
}
static uint32_t pool_enable(const struct encoder *e)
{
	return pools(e->layer);
}
static uint32_t pool_maximum(const struct encoder *e)
{
	return e->layer->pooling != AI8X_POOL_AVERAGE;
}
static uint32_t relu(const struct encoder *e)
{
	return e->layer->activation == AI8X_ACTIVATE_RELU;
}
static uint32_t absolute(const struct encoder *e)
{
	return e->layer->activation == AI8X_ACTIVATE_ABS;
}

// The master adds what other groups' processors and biases contribute.
static uint32_t other_groups(const struct encoder *e)
{
	const ai8x_layer *layer = e->layer;
	uint32_t sources = 0;
	if (e->group != layer->master || !layer_has_kernels(layer) || layer->depthwise || layer->quad_fanout)
		return 0;
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		if (g != layer->master &&
		    (group_processors(layer->processors, g) != 0 || (layer->bias_groups >> g & 1) != 0))
			sources |= 1u << g;
	return sources;
}

static uint32_t wide(const struct encoder *e)
{
	return e->layer->output_bits == 32;
}
static uint32_t read_ahead(const struct encoder *e)
{
	return e->layer->read_ahead;
}

static uint32_t kernel_rows(const struct encoder *e)
{
	return layer_has_kernels(e->layer) ? e->layer->kernel_rows - 1 : 0;
}

static uint32_t kernel_columns(const struct encoder *e)
{
	return layer_has_kernels(e->layer) ? e->layer->kernel_columns - 1 : 0;
}

static uint32_t broadcast(const struct encoder *e)
{
	return e->layer->write_mode == AI8X_WRITE_BROADCAST;
}
static uint32_t bypass(const struct encoder *e)
{
	return e->layer->bypass;
}
static uint32_t passes_low(const struct encoder *e)
{
	return (e->layer->passes - 1) & 0xf;
}
static uint32_t passes_high(const struct encoder *e)
{
	return e->layer->flatten ? (e->layer->passes - 1) >> 4 : 0;
}

static uint32_t write_step(const struct encoder *e)
{
	return e->layer->write_step - 1;
}

static uint32_t pass_slots(const struct encoder *e)
{
	return (e->layer->slots_per_pass - 1) * e->layer->weight_bits;
}

static uint32_t tram_last(const struct encoder *e)
{
	return e->layer->tram_last;
}
static uint32_t tram_first(const struct encoder *e)
{
	return e->layer->tram_first;
}

static uint32_t processors(const struct encoder *e)
{
	return group_processors(e->layer->processors, e->group);
}

static uint32_t masks(const struct encoder *e)
{
	return group_processors(e->layer->kernel_processors, e->group);
}

static uint32_t has_bias(const struct encoder *e)
{
	return e->layer->bias_groups >> e->group & 1;
}
static uint32_t bias_first(const struct encoder *e)
{
	return has_bias(e) ? e->layer->bias_first[e->group] : 0;
}

static uint32_t shift_size(const struct encoder *e)
{
	int32_t shift = e->layer->output_shift;
	return (uint32_t)(shift < 0 ? -shift : shift);
}

static uint32_t shift_right(const struct encoder *e)
{
	return e->layer->output_shift < 0;
}

static uint32_t mask_size(const struct encoder *e)
{
	uint32_t bits = e->layer->weight_bits;
	return bits == 4 ? 3 : bits == 8 ? 0 : bits;
}

static uint32_t time_slots_used(const struct encoder *e)
{
	return !layer_has_kernels(e->layer) || e->layer->depthwise;
}

static uint32_t plain_passthrough(const struct encoder *e)
{
	return !layer_has_kernels(e->layer) && e->layer->operands == 1;
}

static uint32_t flatten(const struct encoder *e)
{
	return e->layer->flatten;
}
static uint32_t transposed(const struct encoder *e)
{
	return e->layer->transposed;
}
static uint32_t calcx4(const struct encoder *e)
{
	return e->layer->calcx4;
}
static uint32_t depthwise(const struct encoder *e)
{
	return e->layer->depthwise;
}
static uint32_t tcalc(const struct encoder *e)
{
	return e->layer->tcalc;
}

static const struct {
	enum part_field_id field;
	rule value;
} rules[] = {
	{F_NEXT, next_layer},
	{F_LINK, link},
	{F_STOP, stop},
	{F_TSCNT_MAX, time_slots},
	{F_ONED_SAD, tap_offset},
	{F_ONED_WIDTH, oned_width},
	{F_ONED_EN, oned},
	{F_EWISE_EN, eltwise},
	{F_EWISE_FUNC, eltwise_function},
	{F_PREPOOL, prepool},
	{F_2D_CONV, eltwise_convolution},
	{F_EWISE_CNT, operands},
	{F_POOL_ROWS, pool_rows},
	{F_POOL_ROWS_INC, pool_rows_step},
	{F_POOL_COLS, pool_columns},
	{F_POOL_COLS_INC, pool_columns_step},
	{F_STRIDE, stride},
	{F_WPTR_WORD, write_word},
	{F_WPTR_INSTANCE, write_instance},
	{F_TOFFS, slot_offset},
	{F_MOFFS, mask_offset},
	{F_CHOFFS, pass_offset},
	{F_RPTR, read_base},
	{F_MASTER, one},
	{F_PARALLEL, parallel},
	{F_POOL_EN, pool_enable},
	{F_MAXPL_EN, pool_maximum},
	{F_ACT_EN, relu},
	{F_SRAMLSRC, one},
	{F_CNNSI_EN, other_groups},
	{F_BIGDWRT, wide},
	{F_RD_AHEAD, read_ahead},
	{F_RPRIME_MAX, kernel_rows},
	{F_CPRIME_MAX, kernel_columns},
	{F_DW_BCAST, broadcast},
	{F_BYPASS, bypass},
	{F_INPCHEXP, passes_low},
	{F_WPTR_INC, write_step},
	{F_XPCH_MAX, pass_slots},
	{F_TPTR_MAX, tram_last},
	{F_TPTR_SAD, tram_first},
	{F_PRO_EN, processors},
	{F_MASK_EN, masks},
	{F_BPTR_SAD, bias_first},
	{F_BPTR_EN, has_bias},
	{F_SCALE_REG, shift_size},
	{F_SCALE_SHFT, shift_right},
	{F_XPMP_CNT, passes_high},
	{F_MASK_SIZE, mask_size},
	{F_TS_EN, time_slots_used},
	{F_ONEXONE_EN, plain_passthrough},
	{F_OUT_ABS, absolute},
	{F_FLATTEN_EN, flatten},
	{F_DECONV_EN, transposed},
	{F_CALCX4, calcx4},
	{F_DW_EN, depthwise},
	{F_TCALC, tcalc},
};

// MAX78000: counters hold the padded image before pooling, zeros of a transposed convolution inserted.
static void put_counted_image(struct encoder *e)
{
	const ai8x_layer *layer = e->layer;
	uint32_t rows = layer->transposed ? 2 * layer->rows : layer->rows;
	uint32_t columns = layer->transposed ? 2 * layer->columns : layer->columns;
	put(e, F_RCNT_MAX, (uint64_t)rows + UINT64_C(2) * layer->pad_rows - 1);
	put(e, F_RCNT_PAD, layer->pad_rows);
	put(e, F_CCNT_MAX, (uint64_t)columns + UINT64_C(2) * layer->pad_columns - 1);
	put(e, F_CCNT_PAD, layer->pad_columns);
}

// MAX78002: counters hold where the last window starts, and the steps to the next window (4.1).
static void put_window_image(struct encoder *e)
{
	const ai8x_layer *layer = e->layer;
	bool line = layer->operation == AI8X_OP_CONV1D;
	uint32_t scale = layer->transposed ? 2 : 1;
	uint32_t columns = scale * layer->columns;
	uint32_t row_stop = (scale * layer->pooled_rows - 1) * layer->pool_stride;
	uint32_t column_stop = line ? 0 : (scale * layer->pooled_columns - 1) * layer->pool_stride;
	uint32_t column_rest = columns - column_stop;
	uint64_t row_step = (uint64_t)(line ? 1 : column_rest) + (uint64_t)(layer->pool_stride - 1) * columns;
	put(e, F_ROW_STOP, row_stop);
	put(e, F_ROW_PAD_ENA, layer->pad_rows > 0);
	put(e, F_ROW_PAD_CNT, layer->pad_rows > 0 ? layer->pad_rows - 1 : 0);
	put(e, F_ROW_DIFF, row_step * layer->pixel_step);
	put(e, F_COL_STOP, column_stop);
	put(e, F_COL_PAD_ENA, layer->pad_columns > 0);
	put(e, F_COL_PAD_CNT, layer->pad_columns > 0 ? layer->pad_columns - 1 : 0);
	put(e, F_COL_DIFF, column_rest);
	put(e, F_MP_STRIDE, (uint64_t)layer->pixel_step * layer->pool_stride);
}

// Kernel count and start. Passthrough layers carry their pass count there instead.
static void put_kernels(struct encoder *e)
{
	const ai8x_layer *layer = e->layer;
	const bool counted = e->registers->part->quirks.ochan_counts;
	uint64_t first = layer->kernel_first_bit[e->group];
	uint64_t span = 0;
	if (layer->bypass)
		span = ((uint64_t)(layer->depthwise ? 1 : layer->slots) - 1) * 8;
	else if (layer_has_kernels(layer))
		span = ((uint64_t)layer->kernels - 1) * layer->weight_bits;
	// The generator's count for four channels at a time is a quarter in the first layer and whole elsewhere;
	// hardware goes by OCHAN (4.8, calcx4).
	if (layer->calcx4 && layer->index != 0)
		span = ((uint64_t)layer->kernels * 4 - 1) * layer->weight_bits;
	if (counted) {
		if (layer_has_kernels(layer))
			put(e, F_MCNT_MAX, first + span);
		put(e, F_MCNT_SAD, first);
	} else if (layer_has_kernels(layer)) {
		put(e, F_MCNT_MAX, first + span);
		put(e, F_MCNT_SAD, first);
	} else {
		put(e, F_MCNT_MAX, (uint64_t)(layer->passes - 1) * 8);
	}
	if (!counted)
		return;
	if (layer->depthwise && !layer->bypass)
		put(e, F_OCHAN, (uint64_t)layer->time_slots * layer->passes - 1);
	else if (layer->bypass)
		put(e, F_OCHAN, (uint64_t)layer->slots - 1);
	else if (layer_has_kernels(layer))
		put(e, F_OCHAN, (uint64_t)layer->kernels - 1);
	else
		put(e, F_OCHAN, layer->time_slots - 1);
}

static void put_shift_count(struct encoder *e)
{
	const ai8x_layer *layer = e->layer;
	if (!layer->read_ahead)
		return;
	uint32_t count = layer->tcalc ? (layer->passes - 1) / 4 : layer->passes - 1;
	// The field shares a bit with dw_bcast; software ors them.
	put(e, F_SHIFT_CNT, count | field_get(e->registers, F_SHIFT_CNT, e->group, layer->index));
}

static void put_stream(struct encoder *e)
{
	const ai8x_layer *layer = e->layer;
	if (layer->index >= AI8X_MAX_STREAMS)
		return;
	put(e, F_STRM_ISVAL, layer->stream_start);
	put(e, F_STRM_FIFO_GO, layer->fifo_go);
	put(e, F_STRM_INVOL, layer->stream_invol);
	put(e, F_STRM_DSVAL1, layer->stream_delta1);
	put(e, F_STRM_DSVAL2, layer->stream_delta2);
	put(e, F_FBUF_MAX, layer->ring_words);
}

ai8x_status layer_encode(const ai8x_layer *layer, struct registers *registers, ai8x_error *error)
{
	struct encoder e = {layer, registers, error, 0, AI8X_OK};
	for (e.group = 0; e.group < AI8X_GROUPS && e.status == AI8X_OK; e.group++) {
		if ((layer->groups >> e.group & 1) == 0)
			continue;
		for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
			put(&e, rules[i].field, rules[i].value(&e));
		if (registers->part->quirks.window_stop_geometry)
			put_window_image(&e);
		else
			put_counted_image(&e);
		put_kernels(&e);
		put_shift_count(&e);
		put_stream(&e);
	}
	return e.status;
}
