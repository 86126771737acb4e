// Results -> data memory: the output stage, the words that hold its bytes, rings and images of streams, and
// the tensor of a layer report (hardware reference 4.7, 4.8, 5.2).
#include "fast/fast.h"
#include "layer/geometry.h"

#include <string.h>

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
void fast_fill_ring(const struct fast_plan *plan, const struct fast_job *job)
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

// Words from `w` on that hold results side by side and go to one place each per pixel; how many.
static uint32_t spread_words(const struct fast_plan *plan, const struct fast_job *job, size_t w,
                             uint32_t first, struct fast_spread *spread)
{
	const uint32_t from = plan->words[w].from[0];
	uint32_t count = 0;
	if (plan->pixel_words != 1 && spread->pixels != 1)
		return 0;
	for (; count < AI8X_INSTANCES && w + count < plan->word_count; count++) {
		const struct fast_word *word = &plan->words[w + count];
		uint32_t *to = dense_target(plan, job, word, first, spread->pixels);
		if (to == NULL || word->from[0] != from + 4 * count)
			break;
		spread->to[count] = to;
		spread->keep[count] = word->keep;
	}
	return count;
}

// Every pass of every pixel, one after the other.
static void write_passes(const struct fast_plan *plan, const struct fast_job *job, const int8_t *results,
                         uint32_t first, uint32_t count)
{
	struct fast_spread spread = {
		.results = results,
		.stride = 4 * (size_t)plan->pass_words,
		.pixels = count * plan->pixel_words,
		.targets = plan->pass_words,
	};
	for (uint32_t k = 0; k < plan->pass_words; k++) {
		const struct fast_word *word = &plan->words[k];
		spread.to[k] = job->data->word[word->instance] + word->word + first * plan->pixel_words;
		spread.keep[k] = word->keep;
	}
	plan->kernel->spread(&spread);
}

// Results of `count` output pixels from `first` on: int8 [pixels][stride].
static void write_bytes(const struct fast_plan *plan, const struct fast_job *job, const int8_t *results,
                        size_t stride, uint32_t first, uint32_t count)
{
	struct fast_spread spread = {.stride = stride, .pixels = count};
	if (plan->pass_words != 0 && stride == 4 * plan->word_count && job->output == NULL &&
	    job->write_ring == 0) {
		write_passes(plan, job, results, first, count);
		return;
	}
	for (size_t w = 0; w < plan->word_count; w++) {
		const struct fast_word *word = &plan->words[w];
		spread.targets = spread_words(plan, job, w, first, &spread);
		if (spread.targets > 0) {
			spread.results = results + word->from[0];
			plan->kernel->spread(&spread);
			w += spread.targets - 1;
			continue;
		}
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

struct fast_output fast_output_stage(const struct fast_plan *plan)
{
	const ai8x_layer *layer = &plan->layer;
	return (struct fast_output){
		.right = 7 - layer->output_shift,
		.low = layer->activation == AI8X_ACTIVATE_RELU ? 0 : -128,
		.absolute = layer->activation == AI8X_ACTIVATE_ABS,
	};
}

bool fast_any_order(const struct fast_plan *plan, const struct fast_job *job)
{
	const uint32_t pixels = plan->layer.output_rows * plan->layer.output_columns;
	if (job->write_ring == 0)
		return true;
	// What lies in the image is put into the ring afterwards (fast_fill_ring).
	bool imaged = job->output != NULL && plan->fills_ring;
	for (size_t w = 0; w < plan->word_count && imaged; w++)
		imaged = dense_target(plan, job, &plan->words[w], 0, pixels) != NULL;
	return imaged;
}

void fast_deliver(const struct fast_plan *plan, const struct fast_desk *desk, const struct fast_job *job,
                  struct fast_output *output, uint32_t first)
{
	const uint32_t count = output->pixels;
	if (plan->layer.output_bits == 32) {
		write_sums(plan, job, output->sums, output->offset, output->stride, first, count);
		if (job->capture != NULL)
			capture(plan, job, NULL, output->sums, output->offset, output->stride, first, count);
		return;
	}
	output->results = desk->results;
	plan->kernel->finish(output);
	write_bytes(plan, job, desk->results, output->stride, first, count);
	if (job->capture != NULL)
		capture(plan, job, desk->results, NULL, NULL, output->stride, first, count);
}

void fast_deliver_image(const struct fast_plan *plan, const struct fast_scratch *scratch,
                        const struct fast_job *job, uint32_t first, uint32_t count)
{
	const int8_t *results = scratch->image + (size_t)first * plan->channels;
	write_bytes(plan, job, results, plan->channels, first, count);
	if (job->capture != NULL)
		capture(plan, job, results, NULL, NULL, plan->channels, first, count);
}
