// Plans: everything about a layer that can be worked out without data, and whether it may run at once.
#include "fast/fast.h"
#include "layer/geometry.h"

#include <ai8xsim/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Products of one result at the most: sums of flipped bytes then stay below 2^31.
#define MAX_DEPTH 32768
// Reads that the order check follows at the most.
#define MAX_TRACKED_READS 50000000

static void refuse(struct fast_plan *plan, const char *reason)
{
	plan->refused = true;
	(void)snprintf(plan->reason, sizeof plan->reason, "%s", reason);
}

// --- Bias ----------------------------------------------------------------------------------------------

static int32_t bias_at(const struct bias_memory *bias, unsigned group, uint32_t entry)
{
	return 128 * (int32_t)bias->entry[group][entry % bias->entries];
}

// Bias of a slot: the sum over all groups that add theirs.
static int32_t slot_bias(const ai8x_layer *layer, const struct bias_memory *bias, uint32_t slot)
{
	const struct layer_bias from = layer_bias_of(layer, slot);
	int32_t sum = 0;
	for (unsigned i = 0; i < from.count; i++)
		sum += bias_at(bias, from.at[i].group, from.at[i].entry);
	return sum;
}

// --- Kernels -------------------------------------------------------------------------------------------

// Where a processor finds a kernel (hardware reference 4.5, 4.8): the byte of its first tap, with later taps below it, or
// one value for all taps.
struct kernel_source {
	const uint8_t *first_tap; // NULL: no kernel memory is read
	uint32_t bit;             // lowest of the weight in each byte
	int8_t constant;
};

static struct kernel_source kernel_source(const ai8x_layer *layer, const struct kernel_memory *kernel,
                                          unsigned processor, uint32_t slot, uint32_t pass)
{
	const unsigned group = processor_group(processor);
	struct kernel_source source = {0};
	if (layer->quad_fanout && slot % AI8X_GROUPS != group)
		return source;
	if (layer->bypass) {
		source.constant = layer->processors >> processor & 1;
	} else if (layer->kernel_processors >> processor & 1) {
		const struct layer_kernel at = layer_kernel_at(layer, group, slot, pass);
		source.first_tap =
			kernel->unit[processor].stream + at.byte + layer->kernel_rows * layer->kernel_columns - 1;
		source.bit = at.bit;
	}
	return source;
}

static int8_t weight(const ai8x_layer *layer, const struct kernel_source *source, uint32_t tap)
{
	const uint32_t bits = layer->weight_bits;
	if (source->first_tap == NULL)
		return source->constant;
	const uint8_t stored = *(source->first_tap - tap);
	if (bits == 8)
		return (int8_t)stored;
	const uint32_t value = (uint32_t)stored >> source->bit & ((1u << bits) - 1);
	if (layer->binary)
		return value ? -1 : 1;
	return (int8_t)(value >> (bits - 1) ? (int32_t)value - (1 << bits) : (int32_t)value);
}

static unsigned lane_processor(const struct fast_plan *plan, uint32_t lane)
{
	return plan->instance[lane / 4] * 4u + lane % 4;
}

// The kernels of one slot as the view sees them, [tap][channel]; returns the sum of their weights.
static int32_t plan_slot(const struct fast_plan *plan, const struct kernel_memory *kernel, uint32_t slot,
                         int8_t *to)
{
	const ai8x_layer *layer = &plan->layer;
	const uint32_t taps = layer->kernel_rows * layer->kernel_columns;
	int32_t sum = 0;
	for (uint32_t pass = 0; pass < layer->passes; pass++) {
		for (uint32_t lane = 0; lane < plan->lanes && lane < plan->seen; lane++) {
			const struct kernel_source source =
				kernel_source(layer, kernel, lane_processor(plan, lane), slot, pass);
			int8_t *channel = to + (size_t)pass * plan->lanes + lane;
			for (uint32_t tap = 0; tap < taps; tap++) {
				const int8_t value = weight(layer, &source, tap);
				channel[(size_t)tap * plan->seen] = value;
				sum += value;
			}
		}
	}
	return sum;
}

// Memory for weights, and the weights packed into it; NULL: out of memory.
static void *packed(const struct fast_plan *plan, const struct fast_kernel *kernel, const int8_t *weights)
{
	const size_t size = kernel->packed_size(plan->blocks, plan->run_rows, plan->run);
	void *to = aligned_alloc(64, (size + 127) / 64 * 64);
	if (to != NULL)
		kernel->pack(weights, plan->layer.slots, plan->blocks, plan->run_rows, plan->run, to);
	return to;
}

// Packs weights for each way in which the layer may be run.
static ai8x_status plan_weights(struct fast_plan *plan, const int8_t *weights)
{
	if (fast_winograd_pays(plan, weights))
		return fast_winograd_plan(plan, weights);
	plan->weights = packed(plan, plan->kernel, weights);
	const struct fast_kernel *relative = plan->kernel->unsigned_bytes;
	if (relative != NULL)
		plan->unsigned_weights = packed(plan, relative, weights);
	return plan->weights == NULL || (relative != NULL && plan->unsigned_weights == NULL) ? AI8X_ERR_NO_MEMORY
	                                                                                     : AI8X_OK;
}

static ai8x_status plan_kernels(struct fast_plan *plan, const struct kernel_memory *kernel,
                                const struct bias_memory *bias)
{
	const ai8x_layer *layer = &plan->layer;
	const size_t depth = (size_t)plan->run_rows * plan->run;
	int8_t *weights = calloc((size_t)layer->slots * depth + 1, 1);
	int32_t *sum = calloc((size_t)layer->slots + 1, sizeof *sum);
	plan->flip = plan->kernel->flip;
	plan->blocks = (layer->slots + plan->kernel->slot_block - 1) / plan->kernel->slot_block;
	plan->offset = calloc((size_t)plan->blocks * plan->kernel->slot_block + 1, sizeof *plan->offset);
	ai8x_status status =
		weights == NULL || sum == NULL || plan->offset == NULL ? AI8X_ERR_NO_MEMORY : AI8X_OK;
	for (uint32_t slot = 0; status == AI8X_OK && slot < layer->slots; slot++)
		sum[slot] = plan_slot(plan, kernel, slot, weights + slot * depth);
	if (status == AI8X_OK)
		status = plan_weights(plan, weights);
	for (uint32_t slot = 0; status == AI8X_OK && slot < layer->slots; slot++)
		plan->offset[slot] = slot_bias(layer, bias, slot) - (int32_t)plan->flip * sum[slot];
	free(sum);
	free(weights);
	return status;
}

static ai8x_status plan_depthwise(struct fast_plan *plan, const struct kernel_memory *kernel,
                                  const struct bias_memory *bias)
{
	const ai8x_layer *layer = &plan->layer;
	const uint32_t taps = layer->kernel_rows * layer->kernel_columns;
	plan->own = calloc((size_t)taps * plan->channels + 1, sizeof *plan->own);
	plan->offset = calloc((size_t)plan->channels + 1, sizeof *plan->offset);
	if (plan->own == NULL || plan->offset == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (uint32_t channel = 0; channel < plan->channels; channel++) {
		const unsigned processor = lane_processor(plan, channel % plan->lanes);
		if (layer->processors >> processor & 1)
			plan->offset[channel] =
				slot_bias(layer, bias, layer_channel(layer, processor, channel / plan->lanes));
		const struct kernel_source source = kernel_source(layer, kernel, processor, 0, channel / plan->lanes);
		for (uint32_t tap = 0; tap < taps; tap++)
			plan->own[(size_t)tap * plan->channels + channel] = (int16_t)weight(layer, &source, tap);
	}
	return AI8X_OK;
}

// --- Geometry ------------------------------------------------------------------------------------------

static void plan_image(struct fast_plan *plan)
{
	const ai8x_layer *layer = &plan->layer;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		if ((layer->processors >> (4 * i) & 15) == 0)
			continue;
		plan->instance[plan->instances] = (uint8_t)i;
		plan->base[plan->instances++] = layer_read_base(layer, i);
	}
	plan->lanes = 4 * plan->instances;
	plan->channels = plan->lanes * layer->passes;
	plan->image_rows = layer_expanded_rows(layer) + 2 * layer->pad_rows;
	plan->image_columns = layer_expanded_columns(layer) + 2 * layer->pad_columns;
	plan->view_rows = layer->output_rows;
	plan->view_columns = layer->output_columns;
	plan->run_rows = layer->kernel_rows;
	plan->run = layer->kernel_columns * plan->channels;
	plan->row_stride = (size_t)plan->image_columns * plan->channels;
	if (plan->image_columns == 1) {
		// One column: the rows of a kernel lie side by side.
		plan->view_columns = layer->output_rows;
		plan->view_rows = plan->run_rows = 1;
		plan->run = layer->kernel_rows * plan->channels;
	} else if (layer->kernel_rows * layer->kernel_columns == 1) {
		plan->view_columns = layer->output_rows * layer->output_columns;
		plan->view_rows = 1;
	}
}

// One to three channels of the first four: copying each window without the channels that are missing costs less than
// multiplying by their zeros.
static void plan_windows(struct fast_plan *plan)
{
	// Multiplications by zero of a pixel that copying its window costs.
	enum { COPY_COST = 256 };
	static const uint8_t used[] = {[1] = 1, [3] = 2, [7] = 3, [15] = 0};
	const ai8x_layer *layer = &plan->layer;
	const uint32_t count = used[layer->processors >> (4 * plan->instance[0]) & 15];
	plan->seen = plan->channels;
	if (!layer_has_kernels(layer) || layer->depthwise || plan->channels != 4 || plan->run_rows == 1 ||
	    count == 0)
		return;
	const uint32_t taps = layer->kernel_rows * layer->kernel_columns;
	const uint32_t run = (taps * count + 3) / 4 * 4;
	if ((taps * 4 - run) * layer->slots < COPY_COST)
		return;
	plan->windows = true;
	plan->seen = count;
	plan->run_rows = 1;
	plan->run = run;
	plan->row_stride = (size_t)plan->image_columns * count;
}

static ai8x_status plan_average(struct fast_plan *plan)
{
	const ai8x_layer *layer = &plan->layer;
	if (layer->pooling != AI8X_POOL_AVERAGE)
		return AI8X_OK;
	const int32_t area = (int32_t)(layer->pool_rows * layer->pool_columns);
	plan->average = malloc((size_t)area * 256);
	if (plan->average == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (int32_t sum = -128 * area; sum < 128 * area; sum++) {
		// Toward zero, or to the nearest with halves away from zero (hardware reference 4.3).
		int32_t magnitude = sum < 0 ? -sum : sum;
		int32_t quotient = (2 * magnitude + (layer->pool_round ? area - area % 2 : 0)) / (2 * area);
		plan->average[sum + 128 * area] = (int8_t)(sum < 0 ? -quotient : quotient);
	}
	return AI8X_OK;
}

// --- Output --------------------------------------------------------------------------------------------

// Place of a slot's result in the row of results of a pixel.
static uint32_t result_index(const struct fast_plan *plan, uint32_t slot)
{
	const ai8x_layer *layer = &plan->layer;
	if (layer->write_mode == AI8X_WRITE_CHANNELS)
		return slot;
	const uint32_t writers = bits_count(layer->processors);
	const unsigned processor = layer_slot_processor(layer, slot);
	for (uint32_t k = 0; k < plan->instances; k++)
		if (plan->instance[k] == processor / 4)
			return slot / writers * plan->lanes + 4 * k + processor % 4;
	return 0;
}

// Where each of several output passes writes whole words to the same instances, one after the other, and all results lie
// side by side, a pass is like a pixel of its own: words of such a pass, else 0.
static uint32_t pass_words(const struct fast_plan *plan)
{
	const size_t passes = plan->pixel_words, count = plan->word_count / passes;
	bool alike = passes > 1 && count <= AI8X_INSTANCES && count * passes == plan->word_count;
	for (size_t w = 0; w < plan->word_count && alike; w++) {
		const struct fast_word *word = &plan->words[w], *first = &plan->words[w % count];
		alike = word->dense && word->instance == first->instance && word->word == first->word + w / count &&
		        word->keep == UINT32_MAX && word->from[0] == 4 * w;
	}
	return alike ? (uint32_t)count : 0;
}

static ai8x_status plan_words(struct fast_plan *plan, bool keep_absent_lanes)
{
	const ai8x_layer *layer = &plan->layer;
	const bool wide = layer->output_bits == 32;
	const uint32_t slots = ai8x_layer_output_slots(layer);
	plan->results = layer->write_mode == AI8X_WRITE_CHANNELS ? layer->slots : plan->channels;
	plan->pixel_words = layer_pixel_words(layer);
	plan->words = calloc((size_t)slots + 1, sizeof *plan->words);
	if (plan->words == NULL)
		return AI8X_ERR_NO_MEMORY;
	struct fast_word *word = NULL;
	uint32_t lanes = 0;
	for (uint32_t slot = 0; slot < slots; slot++) {
		ai8x_output_place place = ai8x_layer_place(layer, slot, 0);
		if (wide || word == NULL || word->instance != place.instance || word->word != place.word ||
		    place.lane <= lanes) {
			word = &plan->words[plan->word_count++];
			*word = (struct fast_word){
				.instance = (uint8_t)place.instance,
				.word = place.word,
				.from = {FAST_NONE, FAST_NONE, FAST_NONE, FAST_NONE},
			};
		}
		lanes = place.lane;
		word->group = (uint8_t)layer_write_group(layer, slot);
		word->from[place.lane] = result_index(plan, slot);
		word->mask |= wide ? UINT32_MAX : UINT32_C(0xff) << (8 * place.lane);
	}
	for (size_t w = 0; w < plan->word_count; w++) {
		word = &plan->words[w];
		word->keep = word->mask;
		if (!wide && !keep_absent_lanes && layer->write_mode != AI8X_WRITE_BROADCAST)
			word->mask = UINT32_MAX;
		word->dense = !wide && word->mask == UINT32_MAX && word->from[0] != FAST_NONE;
		for (uint32_t lane = 1; lane < 4; lane++)
			word->dense =
				word->dense && (word->from[lane] == FAST_NONE || word->from[lane] == word->from[0] + lane);
	}
	plan->pass_words = pass_words(plan);
	// Distinct words before the next pixel's: all of a ring's words are written.
	plan->fills_ring = layer->write_mode == AI8X_WRITE_CHANNELS && !wide &&
	                   plan->pixel_words == layer->output_passes &&
	                   (layer->output_passes == 1 || layer->pass_offset == 1);
	for (size_t w = 0; w < plan->word_count; w++)
		plan->fills_ring = plan->fills_ring && plan->words[w].dense;
	return AI8X_OK;
}

// --- Order ---------------------------------------------------------------------------------------------

// For each word an instance reads (relative to its base): the last pixel visit that reads it.
static uint32_t *last_reads(const struct fast_plan *plan, uint64_t words)
{
	const ai8x_layer *layer = &plan->layer;
	const uint32_t scale = layer->transposed ? 2 : 1;
	uint32_t *last = calloc(words + 1, sizeof *last);
	if (last == NULL)
		return NULL;
	for (uint32_t row = 0; row < layer->pooled_rows; row++) {
		for (uint32_t column = 0; column < layer->pooled_columns; column++) {
			const uint32_t visit =
				(row * scale + layer->pad_rows) * plan->image_columns + column * scale + layer->pad_columns;
			for (uint32_t a = 0; a < layer->pool_rows; a++) {
				for (uint32_t b = 0; b < layer->pool_columns; b++) {
					const uint64_t pixel =
						(uint64_t)(row * layer->pool_stride + a * layer->pool_dilation_rows) *
							layer->columns +
						column * layer->pool_stride + b * layer->pool_dilation_columns;
					if (layer->chw) {
						last[pixel / 4] = visit;
						continue;
					}
					for (uint32_t w = 0; w < layer->passes * layer->operands; w++)
						last[pixel * layer->pixel_step + w] = visit;
				}
			}
		}
	}
	return last;
}

// Refuses layers that write a word twice, or write a word that they read afterwards.
static ai8x_status check_order(struct fast_plan *plan, uint32_t imaged)
{
	const ai8x_layer *layer = &plan->layer;
	const uint32_t data_words = layer->part->info.data_words;
	const uint64_t read_words = layer_read_words(layer);
	const uint64_t reads = (uint64_t)layer->pooled_rows * layer->pooled_columns * layer->pool_rows *
	                       layer->pool_columns * layer->passes * layer->operands;
	const uint64_t pixels = (uint64_t)layer->output_rows * layer->output_columns;
	if (reads > MAX_TRACKED_READS || pixels * plan->word_count > MAX_TRACKED_READS) {
		refuse(plan, "too large to prove that the order of reads and writes does not matter");
		return AI8X_OK;
	}
	uint32_t *last = last_reads(plan, read_words);
	uint8_t *written = calloc((size_t)AI8X_INSTANCES * data_words, 1);
	ai8x_status status = last == NULL || written == NULL ? AI8X_ERR_NO_MEMORY : AI8X_OK;
	const bool pass_by_pass = layer->write_mode == AI8X_WRITE_PASSTHROUGH && layer->passes > 1;
	for (size_t w = 0; status == AI8X_OK && w < plan->word_count && !plan->refused; w++) {
		const struct fast_word *word = &plan->words[w];
		const bool read =
			(layer->processors >> (4 * word->instance) & 15) != 0 && (imaged >> word->instance & 1) == 0;
		const uint32_t base = layer_read_base(layer, word->instance);
		for (uint32_t pixel = 0; pixel < pixels; pixel++) {
			const uint64_t at = word->word + (uint64_t)pixel * plan->pixel_words;
			// Rings wrap: their layers read from images, so only where they lie matters.
			if (at >= data_words)
				break;
			uint8_t *mark = &written[(size_t)word->instance * data_words + at];
			if (*mark) {
				refuse(plan, "it writes a word of data memory twice");
				break;
			}
			*mark = 1;
			if (!read || at < base || at - base >= read_words)
				continue;
			const uint32_t visit =
				(pixel / layer->output_columns + layer->kernel_rows - 1) * plan->image_columns +
				pixel % layer->output_columns + layer->kernel_columns - 1;
			if (last[at - base] > visit || (pass_by_pass && last[at - base] == visit)) {
				refuse(plan, "it overwrites data that it reads later");
				break;
			}
		}
	}
	free(last);
	free(written);
	return status;
}

// Whether each group's first kernel begins where a whole kernel can: elsewhere its bits are another kernel's.
static bool kernels_are_whole(const ai8x_layer *layer)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		if (group_processors(layer->kernel_processors, g) != 0 &&
		    layer->kernel_first_bit[g] % layer->weight_bits != 0)
			return false;
	return true;
}

static bool check_shape(struct fast_plan *plan, uint32_t imaged)
{
	const ai8x_layer *layer = &plan->layer;
	if (layer->processors == 0)
		refuse(plan, "no processor is enabled");
	else if (layer_has_kernels(layer) && !layer->bypass && layer->kernel_processors != layer->processors)
		refuse(plan, "processors that read and processors with kernels differ");
	else if (layer_has_kernels(layer) && !kernels_are_whole(layer))
		refuse(plan, "its first kernel does not begin with a whole kernel");
	else if ((uint64_t)layer->kernel_rows * layer->kernel_columns * layer->passes * AI8X_PROCESSORS >
	         MAX_DEPTH)
		refuse(plan, "its sums may exceed 32 bits");
	else if (layer->chw && (layer->passes > 1 || layer->operands > 1))
		refuse(plan, "CHW input with several passes or operands");
	else if (layer->ring_words != 0 && (layer_instances(layer) & ~imaged) != 0)
		refuse(plan, "it streams from instances that nobody feeds");
	else if (layer->pixel_step < layer->passes * layer->operands && !layer->chw &&
	         layer->rows * layer->columns > 1)
		refuse(plan, "its pixels overlap in data memory");
	return !plan->refused;
}

// --- Effort --------------------------------------------------------------------------------------------

// Picoseconds that one thread takes about, with the kernels for AVX-512 VNNI: fitted to the 216 layers of the golden
// networks with kernels, half of which come out 0.74 to 1.10 times as long. Slower kernels take longer: with them threads
// pay earlier than this says.
static uint64_t plan_effort(const struct fast_plan *plan)
{
	enum { PRODUCT = 6, OWN_PRODUCT = 60, GATHERED = 20, RESULT = 270, PIXEL = 4000, BLOCK = 16 };
	const ai8x_layer *layer = &plan->layer;
	const uint64_t pixels = (uint64_t)layer->output_rows * layer->output_columns;
	const uint64_t read = (uint64_t)layer->pooled_rows * layer->pooled_columns * layer->pool_rows *
	                      layer->pool_columns * plan->channels * layer->operands;
	const uint64_t taken = (plan->results + BLOCK - 1) / BLOCK * BLOCK;
	uint64_t effort = GATHERED * read + (RESULT * plan->results + PIXEL) * pixels;
	if (layer->depthwise)
		effort += OWN_PRODUCT * pixels * plan->channels * layer->kernel_rows * layer->kernel_columns;
	else if (layer_has_kernels(layer))
		effort += PRODUCT * pixels * taken * plan->run_rows * plan->run;
	return effort;
}

struct fast_plan *fast_plan_retain(struct fast_plan *plan)
{
	if (plan != NULL)
		atomic_fetch_add(&plan->references, 1);
	return plan;
}

void fast_plan_release(struct fast_plan *plan)
{
	if (plan == NULL || atomic_fetch_sub(&plan->references, 1) != 1)
		return;
	free(plan->average);
	free(plan->weights);
	free(plan->unsigned_weights);
	free(plan->transformed);
	free(plan->offset);
	free(plan->own);
	free(plan->words);
	free(plan);
}

bool fast_plan_fits(const struct fast_plan *plan, const ai8x_layer *layer, const struct kernel_memory *kernel,
                    const struct bias_memory *bias, uint32_t imaged)
{
	// Layers are decoded into zeroed memory, so that they can be compared as bytes.
	return plan->kernel_stamp == kernel->stamp && plan->bias_stamp == bias->stamp && plan->imaged == imaged &&
	       memcmp(&plan->layer, layer, sizeof *layer) == 0;
}

ai8x_status fast_plan_create(const ai8x_layer *layer, const struct kernel_memory *kernel,
                             const struct bias_memory *bias, const struct fast_kernel *with,
                             bool keep_absent_lanes, uint32_t imaged, struct fast_plan **out)
{
	struct fast_plan *plan = calloc(1, sizeof *plan);
	*out = NULL;
	if (plan == NULL)
		return AI8X_ERR_NO_MEMORY;
	plan->layer = *layer;
	atomic_init(&plan->references, 1);
	plan->kernel_stamp = kernel->stamp;
	plan->bias_stamp = bias->stamp;
	plan->imaged = imaged;
	plan->kernel = with;
	ai8x_time_layer(layer, &plan->counters);
	plan->cycles = ai8x_time_total(&plan->counters);
	ai8x_status status = AI8X_OK;
	if (check_shape(plan, imaged)) {
		plan_image(plan);
		plan_windows(plan);
		status = plan_words(plan, keep_absent_lanes);
		if (status == AI8X_OK)
			status = check_order(plan, imaged);
		if (status == AI8X_OK && !plan->refused)
			status = plan_average(plan);
		plan->effort = plan_effort(plan);
		if (status == AI8X_OK && !plan->refused && layer_has_kernels(layer))
			status = layer->depthwise ? plan_depthwise(plan, kernel, bias) : plan_kernels(plan, kernel, bias);
	}
	if (status != AI8X_OK) {
		fast_plan_release(plan);
		return status;
	}
	*out = plan;
	return AI8X_OK;
}
