// A layer at once: gathered image -> kernels -> output stage -> data memory (hardware reference 4.5 to 4.8).
#include "fast/fast.h"
#include "layer/geometry.h"

#include <stdlib.h>
#include <string.h>

void fast_scratch_release(struct fast_scratch *scratch)
{
	free(scratch->samples);
	free(scratch->image);
	free(scratch->wide);
	free(scratch->sums);
	free(scratch->results);
	memset(scratch, 0, sizeof *scratch);
}

// Data memory word of a result that is written into a ring.
static uint32_t ring_word(const struct fast_plan *plan, const struct fast_job *job,
                          const struct fast_word *word, uint32_t at)
{
	return (uint32_t)layer_ring_word(at, plan->layer.write_word[word->group], job->write_ring);
}

static void set_word(const struct fast_plan *plan, const struct fast_job *job, const struct fast_word *word,
                     uint32_t pixel, uint32_t value)
{
	const uint32_t at = word->word + pixel * plan->pixel_words;
	if (job->output != NULL)
		stream_image_store(job->output, word->instance, at, value, word->mask);
	const uint32_t place = ring_word(plan, job, word, at);
	uint32_t *to = &job->data->word[word->instance][place];
	*to = (*to & ~word->mask) | (value & word->mask);
}

// Where a tile of a dense word goes as whole words at a fixed step, or NULL. Layers that stream into a ring fill
// their reader's image here and the ring afterwards, where only the last words remain.
static uint32_t *dense_target(const struct fast_plan *plan, const struct fast_job *job,
                              const struct fast_word *word, uint32_t first, uint32_t count)
{
	const uint32_t at = word->word + first * plan->pixel_words;
	if (!word->dense)
		return NULL;
	if (job->output == NULL)
		return job->write_ring == 0 ? job->data->word[word->instance] + at : NULL;
	const struct stream_image *image = job->output;
	const uint32_t base = image->base[instance_group(word->instance)];
	if (!plan->fills_ring || image->word[word->instance] == NULL || at < base ||
	    at - base + (uint64_t)(count - 1) * plan->pixel_words >= image->words)
		return NULL;
	return image->word[word->instance] + (at - base);
}

// The ring keeps the last words that went through it.
static void fill_ring(const struct fast_plan *plan, const struct fast_job *job)
{
	const uint32_t pixels = plan->layer.output_rows * plan->layer.output_columns;
	const uint32_t kept = job->write_ring / plan->pixel_words + 1;
	const uint32_t origin = plan->layer.write_word[plan->layer.master];
	for (size_t w = 0; w < plan->word_count; w++) {
		const struct fast_word *word = &plan->words[w];
		const uint32_t base = job->output->base[instance_group(word->instance)];
		const uint32_t *image = job->output->word[word->instance];
		for (uint32_t p = kept < pixels ? pixels - kept : 0; p < pixels; p++) {
			const uint32_t at = word->word + p * plan->pixel_words;
			// Words that a later one replaces may lie past the image, where they are in the ring already.
			const bool last = at - origin + job->write_ring >= pixels * plan->pixel_words;
			if (last && dense_target(plan, job, word, p, 1) != NULL)
				job->data->word[word->instance][ring_word(plan, job, word, at)] = image[at - base];
		}
	}
}

static void write_dense(const struct fast_word *word, const int8_t *results, size_t stride,
                        uint32_t pixel_words, uint32_t count, uint32_t *to)
{
	const int8_t *from = results + word->from[0];
	for (uint32_t p = 0; p < count; p++) {
		uint32_t value;
		memcpy(&value, from + p * stride, sizeof value);
		to[(size_t)p * pixel_words] = value & word->keep;
	}
}

// Results of `count` output pixels from `first` on: int8 [pixels][stride].
static void write_bytes(const struct fast_plan *plan, const struct fast_job *job, const int8_t *results,
                        size_t stride, uint32_t first, uint32_t count)
{
	for (size_t w = 0; w < plan->word_count; w++) {
		const struct fast_word *word = &plan->words[w];
		uint32_t *to = dense_target(plan, job, word, first, count);
		if (to != NULL) {
			write_dense(word, results, stride, plan->pixel_words, count, to);
			continue;
		}
		for (uint32_t p = 0; p < count; p++) {
			uint32_t value = 0;
			for (uint32_t lane = 0; lane < 4; lane++)
				if (word->from[lane] != FAST_NONE)
					value |= (uint32_t)(uint8_t)results[p * stride + word->from[lane]] << (8 * lane);
			set_word(plan, job, word, first + p, value);
		}
	}
}

static void write_sums(const struct fast_plan *plan, const struct fast_job *job, const int32_t *sums,
                       const int32_t *offset, size_t stride, uint32_t first, uint32_t count)
{
	for (size_t w = 0; w < plan->word_count; w++) {
		const struct fast_word *word = &plan->words[w];
		const uint32_t slot = word->from[0];
		for (uint32_t p = 0; p < count; p++)
			set_word(plan, job, word, first + p, (uint32_t)sums[p * stride + slot] + (uint32_t)offset[slot]);
	}
}

// The output tensor that a layer report carries: [slot][pixel].
static void capture(const struct fast_plan *plan, const struct fast_job *job, const int8_t *results,
                    const int32_t *sums, const int32_t *offset, size_t stride, uint32_t first, uint32_t count)
{
	const ai8x_layer *layer = &plan->layer;
	const size_t pixels = (size_t)layer->output_rows * layer->output_columns;
	const uint32_t slots = ai8x_layer_output_slots(layer);
	const uint32_t writers = bits_count(layer->processors);
	for (uint32_t slot = 0; slot < slots; slot++) {
		uint32_t index = slot;
		if (layer->write_mode != AI8X_WRITE_CHANNELS) {
			const unsigned processor = layer_slot_processor(layer, slot);
			uint32_t k = 0;
			while (plan->instance[k] != processor / 4)
				k++;
			index = slot / writers * plan->lanes + 4 * k + processor % 4;
		}
		for (uint32_t p = 0; p < count; p++)
			job->capture[slot * pixels + first + p] =
				results != NULL ? results[p * stride + index]
								: (int32_t)((uint32_t)sums[p * stride + index] + (uint32_t)offset[index]);
	}
}

static struct fast_output output_stage(const ai8x_layer *layer)
{
	return (struct fast_output){
		.right = 7 - layer->output_shift,
		.low = layer->activation == AI8X_ACTIVATE_RELU ? 0 : -128,
		.absolute = layer->activation == AI8X_ACTIVATE_ABS,
	};
}

// Sums of `count` pixels go through the output stage and to memory.
static void deliver(const struct fast_plan *plan, const struct fast_scratch *scratch,
                    const struct fast_job *job, struct fast_output *output, uint32_t first)
{
	const uint32_t count = output->pixels;
	if (plan->layer.output_bits == 32) {
		write_sums(plan, job, output->sums, output->offset, output->stride, first, count);
		if (job->capture != NULL)
			capture(plan, job, NULL, output->sums, output->offset, output->stride, first, count);
		return;
	}
	output->results = scratch->results;
	plan->kernel->finish(output);
	write_bytes(plan, job, scratch->results, output->stride, first, count);
	if (job->capture != NULL)
		capture(plan, job, scratch->results, NULL, NULL, output->stride, first, count);
}

static bool reserve_results(struct fast_scratch *scratch, size_t stride)
{
	return fast_reserve((void **)&scratch->sums, &scratch->sums_size, FAST_TILE * stride * sizeof(int32_t)) &&
	       fast_reserve((void **)&scratch->results, &scratch->results_size, FAST_TILE * stride);
}

static bool widen(const struct fast_plan *plan, struct fast_scratch *scratch)
{
	const size_t count = (size_t)plan->image_rows * plan->image_columns * plan->channels;
	if (!fast_reserve((void **)&scratch->wide, &scratch->wide_size, count * sizeof(int16_t)))
		return false;
	for (size_t i = 0; i < count; i++)
		scratch->wide[i] = scratch->image[i];
	return true;
}

// Whether an image has no negative value: looked up in the data, so that nothing has to be known about who wrote it.
static bool never_negative(const int8_t *image, size_t count)
{
	enum { PIECE = 4096 };
	for (size_t first = 0; first < count; first += PIECE) {
		const size_t size = count - first < PIECE ? count - first : PIECE;
		int8_t all = 0;
		for (size_t i = 0; i < size; i++)
			all |= image[first + i];
		if (all < 0)
			return false;
	}
	return true;
}

static bool run_kernels(const struct fast_plan *plan, struct fast_scratch *scratch,
                        const struct fast_job *job)
{
	const ai8x_layer *layer = &plan->layer;
	const struct fast_kernel *kernel = plan->kernel;
	const size_t values = (size_t)plan->image_rows * plan->image_columns * plan->channels;
	const bool as_bytes = plan->unsigned_weights != NULL && never_negative(scratch->image, values);
	if (as_bytes)
		kernel = kernel->unsigned_bytes;
	const size_t stride = (size_t)plan->blocks * kernel->slot_block;
	if (!reserve_results(scratch, stride) || (kernel->wide && !widen(plan, scratch)))
		return false;
	struct fast_conv conv = {
		.pixel_stride = plan->channels,
		.row_stride = plan->row_stride,
		.rows = plan->run_rows,
		.run = plan->run,
		.weights = as_bytes ? plan->unsigned_weights : plan->weights,
		.blocks = plan->blocks,
		.sums = scratch->sums,
	};
	struct fast_output output = output_stage(layer);
	output.sums = scratch->sums;
	output.offset = plan->offset;
	output.stride = stride;
	for (uint32_t row = 0; row < plan->view_rows; row++) {
		for (uint32_t column = 0; column < plan->view_columns; column += FAST_TILE) {
			const size_t at = row * plan->row_stride + (size_t)column * plan->channels;
			const uint32_t left = plan->view_columns - column;
			conv.pixels = output.pixels = left < FAST_TILE ? left : FAST_TILE;
			conv.image =
				kernel->wide ? (const void *)(scratch->wide + at) : (const void *)(scratch->image + at);
			kernel->conv(&conv);
			deliver(plan, scratch, job, &output, row * plan->view_columns + column);
		}
	}
	return true;
}

static bool run_depthwise(const struct fast_plan *plan, struct fast_scratch *scratch,
                          const struct fast_job *job)
{
	const ai8x_layer *layer = &plan->layer;
	if (!reserve_results(scratch, plan->channels))
		return false;
	struct fast_output output = output_stage(layer);
	output.sums = scratch->sums;
	output.offset = plan->offset;
	output.stride = plan->channels;
	const uint32_t pixels = layer->output_rows * layer->output_columns;
	for (uint32_t first = 0; first < pixels; first += FAST_TILE) {
		output.pixels = pixels - first < FAST_TILE ? pixels - first : FAST_TILE;
		for (uint32_t p = 0; p < output.pixels; p++) {
			const uint32_t row = (first + p) / layer->output_columns,
						   column = (first + p) % layer->output_columns;
			const int8_t *window[9];
			uint32_t taps = 0;
			for (uint32_t r = 0; r < layer->kernel_rows; r++) {
				for (uint32_t c = 0; c < layer->kernel_columns; c++)
					window[taps++] = scratch->image +
					                 ((size_t)(row + r) * plan->image_columns + column + c) * plan->channels;
			}
			plan->kernel->depthwise(window, plan->own, taps, plan->channels,
			                        scratch->sums + (size_t)p * plan->channels);
		}
		deliver(plan, scratch, job, &output, first);
	}
	return true;
}

ai8x_status fast_run(const struct fast_plan *plan, struct fast_scratch *scratch, const struct fast_job *job)
{
	const ai8x_layer *layer = &plan->layer;
	if (!fast_gather(plan, scratch, job))
		return AI8X_ERR_NO_MEMORY;
	if (layer_has_kernels(layer)) {
		bool done = layer->depthwise ? run_depthwise(plan, scratch, job) : run_kernels(plan, scratch, job);
		if (done && job->output != NULL && job->write_ring != 0 && plan->fills_ring)
			fill_ring(plan, job);
		return done ? AI8X_OK : AI8X_ERR_NO_MEMORY;
	}
	const uint32_t pixels = layer->output_rows * layer->output_columns;
	write_bytes(plan, job, scratch->image, plan->channels, 0, pixels);
	if (job->capture != NULL)
		capture(plan, job, scratch->image, NULL, NULL, plan->channels, 0, pixels);
	return AI8X_OK;
}
