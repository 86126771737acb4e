// What streaming layers hand to each other (hardware reference 5.2).
//
// Streaming layers exchange pixels through rings in data memory. All recorded programs, also those whose
// rings and outputs overlap in memory, have the results of layers that run one after the other on unbounded
// buffers (golden programs stream-cifar-*, fifostream-pool-stride-hwc-tall-nostream). So a streaming
// layer reads from an unwrapped image of its input beside data memory; the rings are written as well; and
// what the last streaming layer wrote is what remains.
#include "memory/memory.h"

#include <stdlib.h>
#include <string.h>

// Words that nobody streams in keep what data memory holds.
static void fill(struct stream_image *image, const struct data_memory *data, unsigned instance)
{
	const uint32_t first = image->base[instance_group(instance)];
	const uint32_t period = image->ring != 0 && image->ring < image->words ? image->ring : image->words;
	const uint32_t there = first < data->words ? data->words - first : 0;
	for (uint32_t w = 0; w < image->words; w += period) {
		const uint32_t count = image->words - w < period ? image->words - w : period;
		const uint32_t known = count < there ? count : there;
		uint32_t *to = image->word[instance] + w;
		memcpy(to, data->word[instance] + (known > 0 ? first : 0), (size_t)known * sizeof *to);
		memset(to + known, 0, (size_t)(count - known) * sizeof *to);
	}
}

static uint32_t *room_for(struct stream_image *image, unsigned instance, size_t words)
{
	if (words > image->room_words[instance]) {
		free(image->room[instance]);
		image->room[instance] = malloc(words * sizeof *image->room[instance]);
		image->room_words[instance] = image->room[instance] != NULL ? words : 0;
	}
	return image->room[instance];
}

ai8x_status stream_image_begin(struct stream_image *image, const struct data_memory *data,
                               const uint32_t base[AI8X_GROUPS], uint64_t words, uint32_t ring,
                               uint32_t instances)
{
	stream_image_end(image);
	if (words > STREAM_MOST_WORDS)
		return AI8X_ERR_LIMIT;
	image->ring = ring;
	image->words = (uint32_t)words;
	memcpy(image->base, base, sizeof image->base);
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		if ((instances >> i & 1) == 0)
			continue;
		image->word[i] = room_for(image, i, (size_t)words + 1);
		if (image->word[i] == NULL) {
			stream_image_end(image);
			return AI8X_ERR_NO_MEMORY;
		}
		fill(image, data, i);
	}
	return AI8X_OK;
}

void stream_image_end(struct stream_image *image)
{
	memset(image->word, 0, sizeof image->word);
}

void stream_image_release(struct stream_image *image)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		free(image->room[i]);
	memset(image, 0, sizeof *image);
}

void stream_image_store(struct stream_image *image, unsigned instance, uint32_t word, uint32_t value,
                        uint32_t mask)
{
	uint32_t base = image->base[instance_group(instance)];
	if (image->word[instance] == NULL || word < base || word - base >= image->words)
		return;
	uint32_t *to = &image->word[instance][word - base];
	*to = (*to & ~mask) | (value & mask);
}

void stream_image_copy(struct stream_image *image, unsigned instance, uint32_t word, const uint32_t *values,
                       uint64_t count)
{
	const uint32_t base = image->base[instance_group(instance)];
	if (image->word[instance] == NULL || word < base || word - base >= image->words)
		return;
	const uint64_t room = image->words - (word - base);
	memcpy(image->word[instance] + (word - base), values, (count < room ? count : room) * sizeof *values);
}
