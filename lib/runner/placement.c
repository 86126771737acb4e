// Where a recorded layer says its output lies; see placement.h.
//
// Rules (hardware reference 4.8): channels follow the set bits of the processor map, pass by pass; a pass
// starts at the first processor again, one word (four words for 32-bit output) further on.
#include "runner/placement.h"
#include "base/bits.h"

static int64_t positive_int(const ai8x_program *program, int position, const char *name, int64_t fallback,
                            int64_t max)
{
	int64_t value = ai8x_program_int(program, position, name, fallback);
	return value >= 0 && value <= max ? value : -1;
}

static bool read_shape(const ai8x_program *program, int position, struct placement *placement)
{
	const ai8x_attribute *shape = ai8x_program_attribute(program, position, "shape");
	if (shape != NULL && shape->type == AI8X_ATTRIBUTE_INT && shape->count == 3) {
		for (int i = 0; i < 3; i++)
			if (shape->integers[i] < 1 || shape->integers[i] > AI8X_PROGRAM_MAX_VALUES)
				return false;
		placement->channels = (uint32_t)shape->integers[0];
		placement->rows = (uint32_t)shape->integers[1];
		placement->columns = (uint32_t)shape->integers[2];
		return true;
	}
	const ai8x_program_layer *layer = ai8x_program_layer_at(program, (size_t)position);
	placement->channels = layer->shape[0];
	placement->rows = layer->shape[1];
	placement->columns = layer->shape[2];
	return layer->shape[0] > 0;
}

bool placement_of(const ai8x_program *program, size_t position, struct placement *placement)
{
	*placement = (struct placement){0};
	int at = (int)position;
	placement->processors = (uint64_t)ai8x_program_int(program, at, "output_processors", 0);
	int64_t offset = positive_int(program, at, "out_offset", -1, INT32_MAX);
	int64_t gap = positive_int(program, at, "write_gap", 0, 4095);
	int64_t width = positive_int(program, at, "output_width", 8, 32);
	int64_t passes = positive_int(program, at, "out_expand", 1, 4096);
	if (placement->processors == 0 || offset < 0 || gap < 0 || (width != 8 && width != 32) || passes < 1 ||
	    !read_shape(program, at, placement))
		return false;
	int64_t per_pass = positive_int(program, at, "out_expand_thresh", placement->channels, 65536);
	if (per_pass < 1)
		return false;
	placement->first = (unsigned)__builtin_ctzll(placement->processors) & ~3u;
	placement->passes = (uint32_t)passes;
	placement->per_pass = (uint32_t)per_pass;
	placement->gap = (uint32_t)gap;
	placement->value_bytes = (uint32_t)width / 8;
	placement->word = (uint32_t)offset / 4;
	return true;
}

int placement_processor(const struct placement *placement, uint32_t channel)
{
	uint32_t index = channel % placement->per_pass;
	uint64_t left = placement->processors;
	while (index > 0 && left != 0) {
		left &= left - 1;
		index--;
	}
	return left != 0 ? __builtin_ctzll(left) : -1;
}

uint32_t placement_address(const struct placement *placement, const ai8x_part *part, uint32_t channel,
                           uint32_t pixel)
{
	int processor = placement_processor(placement, channel);
	if (processor < 0)
		return 0;
	uint32_t pass = channel / placement->per_pass;
	uint32_t unit = placement->value_bytes;
	uint32_t word = placement->word + (pixel * placement->passes + pass) * unit * (placement->gap + 1);
	if (unit == 4)
		word += (uint32_t)processor % 4;
	return ai8x_part_data_address(part, (unsigned)processor / 4, word);
}

bool placement_find(const struct placement *placement, unsigned instance, uint32_t word, unsigned lane,
                    struct coordinates *at)
{
	if (word < placement->word)
		return false;
	uint32_t unit = placement->value_bytes * (placement->gap + 1);
	uint32_t offset = word - placement->word;
	uint32_t rest = offset % unit;
	if (placement->value_bytes == 4)
		lane = rest;
	if (lane > 3 || (placement->value_bytes == 1 && rest != 0))
		return false;
	unsigned processor = instance * 4 + lane;
	if ((placement->processors >> processor & 1) == 0)
		return false;
	uint64_t below = placement->processors & ((UINT64_C(1) << processor) - 1);
	uint32_t index = bits_count(below);
	uint32_t step = offset / unit;
	uint32_t channel = step % placement->passes * placement->per_pass + index;
	uint32_t pixel = step / placement->passes;
	if (index >= placement->per_pass || channel >= placement->channels ||
	    pixel >= (uint64_t)placement->rows * placement->columns)
		return false;
	*at = (struct coordinates){channel, pixel / placement->columns, pixel % placement->columns};
	return true;
}

// Words between the layer's first output word and the recorded one, as a number of output pixels: an
// emulated convolution starts writing before the output proper.
static int64_t pixel_origin(const struct placement *placement, const ai8x_layer *layer)
{
	ai8x_output_place first = ai8x_layer_place(layer, 0, 0);
	ai8x_output_place second = ai8x_layer_place(layer, 0, 1);
	int64_t step = (int64_t)second.word - first.word;
	return step > 0 ? ((int64_t)placement->word - first.word) / step : 0;
}

bool placement_slot(const struct placement *placement, const ai8x_layer *layer, bool emulated,
                    uint32_t channel, uint32_t pixel, uint32_t *slot, uint32_t *layer_pixel)
{
	uint32_t pass = channel / placement->per_pass;
	uint32_t index = channel % placement->per_pass;
	int64_t at = pixel;
	uint32_t slots = ai8x_layer_output_slots(layer);
	if (layer->write_mode == AI8X_WRITE_CHANNELS) {
		int processor = placement_processor(placement, channel);
		if (processor < 0)
			return false;
		uint32_t lane = (uint32_t)processor - placement->first;
		if (lane >= layer->slots_per_pass)
			return false;
		*slot = pass * layer->slots_per_pass + lane;
	} else {
		// Every pass writes one word per instance and pixel. The hardware may run passes as rows.
		uint32_t passes = layer->passes > 0 ? layer->passes : 1;
		uint32_t writers = slots / passes;
		if (index >= writers)
			return false;
		int64_t step = at * placement->passes + pass;
		*slot = (uint32_t)(step % passes) * writers + index;
		at = step / passes;
	}
	if (emulated)
		at += pixel_origin(placement, layer);
	if (*slot >= slots || at < 0 || at >= (int64_t)layer->output_rows * layer->output_columns)
		return false;
	*layer_pixel = (uint32_t)at;
	return true;
}

bool data_memory_split(const ai8x_part *part, uint32_t address, unsigned *instance, uint32_t *word)
{
	uint32_t words = ai8x_part_get_info(part)->data_words;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		uint32_t offset = address - ai8x_part_data_address(part, i, 0);
		if (offset < words * 4) {
			*instance = i;
			*word = offset / 4;
			return true;
		}
	}
	return false;
}
