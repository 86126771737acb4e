// Who owns each word of data, kernel and bias memory, and which layer reads whose results: derived from the
// decoded layers, without a run.
#include <ai8xsim/view.h>

#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "layer/geometry.h"
#include "machine/order.h"
#include "program/program.h"
#include "view/map.h"

#define NOBODY INT16_MIN
// Input pixels looked at to find whose results a layer reads; edges of images never matter alone.
#define PIXELS_SAMPLED 61

struct mapper {
	ai8x_map *map;
	uint32_t words; // of one data memory instance
	int16_t *owner; // [AI8X_INSTANCES][words]; NULL: only counted
	uint64_t *used; // the same as bits: who only counts does not ask who
	ai8x_error *error;
};

static void own_word(struct mapper *mapper, size_t word, int owner)
{
	if (mapper->owner != NULL)
		mapper->owner[word] = (int16_t)owner;
	else
		mapper->used[word / 64] |= UINT64_C(1) << word % 64;
}

struct run_list {
	ai8x_map_runs *runs;
	size_t capacity;
};

static ai8x_status append(struct run_list *list, ai8x_map_run run, ai8x_error *error)
{
	ai8x_map_runs *runs = list->runs;
	ai8x_map_run *last = runs->count > 0 ? &runs->run[runs->count - 1] : NULL;
	if (last != NULL && last->unit == run.unit && last->owner == run.owner &&
	    last->first + last->count == run.first) {
		last->count += run.count;
		return AI8X_OK;
	}
	if (!array_reserve(&runs->run, &list->capacity, runs->count + 1, sizeof *runs->run))
		return error_no_memory(error, "a memory map");
	runs->run[runs->count++] = run;
	return AI8X_OK;
}

static ai8x_status snapshot(struct mapper *mapper, ai8x_map_runs *runs)
{
	struct run_list list = {.runs = runs};
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		const int16_t *owner = mapper->owner + (size_t)i * mapper->words;
		for (uint32_t w = 0, end; w < mapper->words; w = end) {
			for (end = w + 1; end < mapper->words && owner[end] == owner[w]; end++)
				;
			if (owner[w] == NOBODY)
				continue;
			ai8x_status status =
				append(&list, (ai8x_map_run){(uint8_t)i, owner[w], w, end - w}, mapper->error);
			if (status != AI8X_OK)
				return status;
		}
	}
	return AI8X_OK;
}

static void own(struct mapper *mapper, unsigned instance, uint64_t word, int owner)
{
	if (instance < AI8X_INSTANCES && word < mapper->words)
		own_word(mapper, (size_t)instance * mapper->words + (size_t)word, owner);
}

// Adjacent words of whose owners nobody asks: 64 at a time.
static void use_words(uint64_t *used, size_t first, size_t end)
{
	while (first < end) {
		const size_t border = (first / 64 + 1) * 64, stop = border < end ? border : end;
		used[first / 64] |= UINT64_MAX >> (64 - (stop - first)) << first % 64;
		first = stop;
	}
}

// Words of one instance, `step` apart. What lies beyond the memory belongs to nobody.
static void own_words(struct mapper *mapper, unsigned instance, uint64_t first, uint32_t step, uint64_t count,
                      int owner)
{
	if (instance >= AI8X_INSTANCES)
		return;
	const uint64_t end = first + step * count < mapper->words ? first + step * count : mapper->words;
	const size_t origin = (size_t)instance * mapper->words;
	if (mapper->owner == NULL && step == 1) {
		use_words(mapper->used, origin + (size_t)first, origin + (size_t)end);
		return;
	}
	for (uint64_t word = first; word < end; word += step)
		own_word(mapper, origin + (size_t)word, owner);
}

// --- What the host writes ------------------------------------------------------------------------------

static void own_input_writes(struct mapper *mapper, const ai8x_program *program)
{
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	for (size_t i = 0; i < count && ops[i].kind != AI8X_BUS_RUN; i++) {
		struct part_target target;
		if ((ops[i].kind == AI8X_BUS_WRITE32 || ops[i].kind == AI8X_BUS_WRITE8) &&
		    part_decode_memory(mapper->map->part, ops[i].address, &target) && target.memory == MEMORY_DATA)
			own(mapper, target.group * INSTANCES_PER_GROUP + target.unit, target.word, AI8X_MAP_INPUT);
	}
}

static uint64_t read_extent(const ai8x_layer *layer)
{
	uint64_t words = layer_read_words(layer);
	return layer->ring_words != 0 && layer->ring_words < words ? layer->ring_words : words;
}

// Words that layer 0 reads are the input's, also where the host has not written them (no weights, FIFOs).
static void own_input_reads(struct mapper *mapper, const ai8x_layer *layer)
{
	const uint64_t extent = read_extent(layer);
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		if ((layer->processors >> (4 * i) & 15) == 0)
			continue;
		own_words(mapper, i, layer_read_base(layer, i), 1, extent, AI8X_MAP_INPUT);
	}
}

// --- What a layer reads --------------------------------------------------------------------------------

static void note_reads(const struct mapper *mapper, const ai8x_layer *layer, uint8_t *reads)
{
	const uint64_t pixels = (uint64_t)layer->rows * layer->columns;
	const uint64_t step = pixels / PIXELS_SAMPLED + 1;
	const uint32_t slots = layer->chw ? 1 : layer->passes * layer->operands;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		if ((layer->processors >> (4 * i) & 15) == 0)
			continue;
		const uint32_t base = layer_read_base(layer, i);
		for (uint64_t pixel = 0; pixel < pixels; pixel += step) {
			for (uint32_t slot = 0; slot < slots; slot++) {
				uint64_t offset = layer->chw ? pixel / 4 : pixel * layer->pixel_step + slot;
				if (layer->ring_words != 0)
					offset %= layer->ring_words;
				uint64_t word = base + offset;
				int owner = word < mapper->words ? mapper->owner[(size_t)i * mapper->words + word] : NOBODY;
				if (owner != NOBODY)
					reads[owner + 1] = 1;
			}
		}
	}
}

// --- What a layer writes -------------------------------------------------------------------------------

static void own_output(struct mapper *mapper, const ai8x_layer *layer, uint32_t ring, int position)
{
	const uint32_t slots = ai8x_layer_output_slots(layer);
	const uint64_t pixels = (uint64_t)layer->output_rows * layer->output_columns;
	const uint32_t step = layer_pixel_words(layer);
	unsigned seen_instance = AI8X_INSTANCES;
	uint64_t seen_word = 0;
	for (uint32_t slot = 0; slot < slots; slot++) {
		ai8x_output_place first = ai8x_layer_place(layer, slot, 0);
		// Four lanes share a word.
		if (first.instance == seen_instance && first.word == seen_word)
			continue;
		seen_instance = first.instance;
		seen_word = first.word;
		const uint32_t origin = layer->write_word[layer_write_group(layer, slot)];
		if (ring == 0)
			own_words(mapper, first.instance, first.word, step, pixels, position);
		for (uint64_t pixel = 0, word = first.word; ring != 0 && pixel < pixels; pixel++, word += step)
			own(mapper, first.instance, layer_ring_word(word, origin, ring), position);
	}
}

// --- Kernels and bias ----------------------------------------------------------------------------------

static ai8x_status map_kernels(const ai8x_layer *layer, int position, struct run_list *list,
                               ai8x_error *error)
{
	if (layer->kernels == 0)
		return AI8X_OK;
	const unsigned quarters = layer->calcx4 ? 4 : 1;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		if ((layer->kernel_processors >> p & 1) == 0)
			continue;
		const struct layer_kernel_words words = layer_kernel_words(layer, processor_group(p));
		for (unsigned q = 0; q < quarters; q++) {
			uint64_t offset = (uint64_t)q * layer->part->info.kernel_words / 4;
			ai8x_status status =
				append(list,
			           (ai8x_map_run){(uint8_t)p, (int16_t)position, (uint32_t)(offset + words.first),
			                          (uint32_t)(words.last - words.first + 1)},
			           error);
			if (status != AI8X_OK)
				return status;
		}
	}
	return AI8X_OK;
}

static ai8x_status map_bias(const ai8x_layer *layer, int position, struct run_list *list, ai8x_error *error)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if ((layer->bias_groups >> g & 1) == 0)
			continue;
		uint32_t first = layer_bias_first(layer, g), count = layer->slots;
		if (layer->depthwise)
			count = layer->passes * PROCESSORS_PER_GROUP;
		else if (layer->quad_fanout)
			count = (count + AI8X_GROUPS - 1) / AI8X_GROUPS;
		ai8x_status status = append(list, (ai8x_map_run){(uint8_t)g, (int16_t)position, first, count}, error);
		if (status != AI8X_OK)
			return status;
	}
	return AI8X_OK;
}

static int compare_runs(const void *a, const void *b)
{
	const ai8x_map_run *x = a, *y = b;
	if (x->unit != y->unit)
		return x->unit < y->unit ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static void sort_runs(ai8x_map_runs *runs)
{
	if (runs->count > 1)
		qsort(runs->run, runs->count, sizeof *runs->run, compare_runs);
}

// Words of the ring that a layer writes to, 0: it does not.
static uint32_t output_ring(const ai8x_schedule *schedule, size_t position)
{
	const ai8x_schedule_layer *layer = &schedule->layers[position];
	const bool passes_on =
		position + 1 < schedule->layer_count && order_streams_into(&layer->layer, &layer[1].layer);
	return passes_on ? layer[1].layer.ring_words : 0;
}

// --- The whole run -------------------------------------------------------------------------------------

static ai8x_status map_layers(struct mapper *mapper, const ai8x_program *program,
                              const ai8x_schedule *schedule)
{
	ai8x_map *map = mapper->map;
	struct run_list kernels = {.runs = &map->kernels}, bias = {.runs = &map->bias};
	const size_t sources = schedule->layer_count + 1;
	for (size_t i = 0; i < schedule->layer_count; i++) {
		const ai8x_schedule_layer *entry = &schedule->layers[i];
		const ai8x_layer *layer = &entry->layer;
		map->layers[i] = layer->index;
		map->numbers[i] = program_layer_number(program, layer->index);
		// Layers that stream together read each other's rings.
		const bool streamed = i > 0 && order_streams_into(&schedule->layers[i - 1].layer, layer);
		if (streamed)
			map->reads[i * sources + i] = 1;
		else
			note_reads(mapper, layer, map->reads + i * sources);
		own_output(mapper, layer, output_ring(schedule, i), (int)i);
		ai8x_status status = snapshot(mapper, &map->data[i + 1]);
		if (status == AI8X_OK)
			status = map_kernels(layer, (int)i, &kernels, mapper->error);
		if (status == AI8X_OK)
			status = map_bias(layer, (int)i, &bias, mapper->error);
		if (status != AI8X_OK)
			return status;
	}
	sort_runs(&map->kernels);
	sort_runs(&map->bias);
	return AI8X_OK;
}

static ai8x_status own_nothing(struct mapper *mapper)
{
	const size_t words = (size_t)AI8X_INSTANCES * mapper->words;
	mapper->owner = malloc(words * sizeof *mapper->owner);
	if (mapper->owner == NULL)
		return error_no_memory(mapper->error, "a memory map");
	for (size_t w = 0; w < words; w++)
		mapper->owner[w] = NOBODY;
	return AI8X_OK;
}

static ai8x_status allocate(struct mapper *mapper, size_t layers)
{
	ai8x_map *map = mapper->map;
	map->layer_count = layers;
	map->data = calloc(layers + 1, sizeof *map->data);
	map->reads = calloc(layers + 1, layers + 1);
	map->layers = calloc(layers + 1, sizeof *map->layers);
	map->numbers = calloc(layers + 1, sizeof *map->numbers);
	if (map->data == NULL || map->reads == NULL || map->layers == NULL || map->numbers == NULL)
		return error_no_memory(mapper->error, "a memory map");
	return own_nothing(mapper);
}

// What is there before the first layer runs.
static void own_inputs(struct mapper *mapper, const ai8x_program *program, const ai8x_schedule *schedule)
{
	own_input_writes(mapper, program);
	if (schedule->layer_count > 0)
		own_input_reads(mapper, &schedule->layers[0].layer);
}

static uint32_t count_used(const uint64_t *used, size_t words)
{
	uint32_t count = 0;
	for (size_t i = 0; i < words; i++)
		count += bits_count(used[i]);
	return count;
}

ai8x_status map_count_words(const ai8x_program *program, const ai8x_schedule *schedule, uint64_t *data,
                            uint64_t *kernels, ai8x_error *error)
{
	ai8x_map map = {.part = ai8x_program_part(program)};
	struct mapper mapper = {.map = &map, .words = ai8x_part_get_info(map.part)->data_words, .error = error};
	struct run_list list = {.runs = &map.kernels};
	const size_t used = ((size_t)AI8X_INSTANCES * mapper.words + 63) / 64;
	mapper.used = calloc(used, sizeof *mapper.used);
	ai8x_status status = mapper.used != NULL ? AI8X_OK : error_no_memory(error, "a memory map");
	*data = *kernels = 0;
	if (status == AI8X_OK)
		own_inputs(&mapper, program, schedule);
	for (size_t i = 0; i < schedule->layer_count && status == AI8X_OK; i++) {
		own_output(&mapper, &schedule->layers[i].layer, output_ring(schedule, i), (int)i);
		status = map_kernels(&schedule->layers[i].layer, (int)i, &list, error);
	}
	if (status == AI8X_OK)
		*data = count_used(mapper.used, used);
	*kernels = map_words(&map.kernels, AI8X_MAP_INPUT - 1);
	free(map.kernels.run);
	free(mapper.used);
	return status;
}

ai8x_status ai8x_map_create(const ai8x_program *program, const ai8x_schedule *schedule, ai8x_map **out,
                            ai8x_error *error)
{
	if (out != NULL)
		*out = NULL;
	if (error_if_null(error, program, schedule, out))
		return AI8X_ERR_ARGUMENT;
	ai8x_map *map = calloc(1, sizeof *map);
	if (map == NULL)
		return error_no_memory(error, "a memory map");
	map->part = ai8x_program_part(program);
	struct mapper mapper = {.map = map, .words = ai8x_part_get_info(map->part)->data_words, .error = error};
	ai8x_status status = allocate(&mapper, schedule->layer_count);
	if (status == AI8X_OK) {
		own_inputs(&mapper, program, schedule);
		status = snapshot(&mapper, &map->data[0]);
	}
	if (status == AI8X_OK)
		status = map_layers(&mapper, program, schedule);
	free(mapper.owner);
	if (status != AI8X_OK) {
		ai8x_map_destroy(map);
		return status;
	}
	*out = map;
	return AI8X_OK;
}

void ai8x_map_destroy(ai8x_map *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; map->data != NULL && i <= map->layer_count; i++)
		free(map->data[i].run);
	free(map->data);
	free(map->kernels.run);
	free(map->bias.run);
	free(map->reads);
	free(map->layers);
	free(map->numbers);
	free(map);
}

uint64_t map_words(const ai8x_map_runs *runs, int owner)
{
	uint64_t words = 0;
	for (size_t i = 0; i < runs->count; i++)
		words += owner < AI8X_MAP_INPUT || runs->run[i].owner == owner ? runs->run[i].count : 0;
	return words;
}
