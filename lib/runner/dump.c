// Writes what a machine computed as a program file: the same operations, but the layers' results and data
// memory as they came out. Running the file again with per-layer comparison then shows any change.
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/runner.h>

#include "base/array.h"
#include "base/error.h"
#include "program/program.h"
#include "runner/placement.h"

static ai8x_status set_int(ai8x_program *dump, int position, const char *name, int64_t value,
                           ai8x_error *error)
{
	ai8x_attribute attribute = {
		.name = name, .type = AI8X_ATTRIBUTE_INT, .integers = &value, .count = 1, .scalar = true};
	return ai8x_program_set_attribute(dump, position, &attribute, error);
}

static bool is_own_attribute(const char *name)
{
	static const char *const own[] = {"format", "version", "device", "layers", "order", "position"};
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strcmp(own[i], name) == 0)
			return true;
	return false;
}

static ai8x_status copy_attributes(ai8x_program *dump, int position, const ai8x_attribute *attributes,
                                   size_t count, ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < count && status == AI8X_OK; i++)
		if (!is_own_attribute(attributes[i].name))
			status = ai8x_program_set_attribute(dump, position, &attributes[i], error);
	return status;
}

static ai8x_status copy_program(ai8x_program *dump, const ai8x_program *program, ai8x_error *error)
{
	size_t count = 0;
	const ai8x_attribute *attributes = ai8x_program_attributes(program, &count);
	ai8x_status status = copy_attributes(dump, -1, attributes, count, error);
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	for (size_t i = 0; i < count && status == AI8X_OK; i++)
		status = ai8x_program_append(dump, ops[i], error);
	uint32_t shape[3];
	const int32_t *input = ai8x_program_input(program, shape);
	if (status == AI8X_OK && input != NULL)
		status = ai8x_program_set_input(dump, input, shape, error);
	const uint32_t *snoop = ai8x_program_snoop(program);
	if (status == AI8X_OK && snoop != NULL)
		status = ai8x_program_set_snoop(dump, snoop, error);
	return status;
}

// Output values in the order of the recorded channels; NULL with status AI8X_OK where the layer does not
// compute them all.
static ai8x_status by_channels(const ai8x_program *program, int position, const ai8x_layer_report *report,
                               int32_t **values, uint32_t shape[3], ai8x_error *error)
{
	struct placement placement;
	*values = NULL;
	if (position < 0 || !placement_of(program, (size_t)position, &placement))
		return AI8X_OK;
	const char *operator_name = ai8x_program_text(program, position, "operator", "");
	bool emulated =
		strcmp(ai8x_program_text(program, position, "hw_operator", operator_name), operator_name) != 0;
	size_t pixels = (size_t)placement.rows * placement.columns;
	size_t layer_pixels = (size_t)report->layer.output_rows * report->layer.output_columns;
	int32_t *tensor = array_alloc(placement.channels * pixels, sizeof *tensor);
	if (tensor == NULL)
		return error_no_memory(error, "a layer's output");
	for (uint32_t channel = 0; channel < placement.channels; channel++) {
		for (uint32_t pixel = 0; pixel < pixels; pixel++) {
			uint32_t slot = 0, layer_pixel = 0;
			if (!placement_slot(&placement, &report->layer, emulated, channel, pixel, &slot, &layer_pixel)) {
				free(tensor);
				return AI8X_OK;
			}
			tensor[channel * pixels + pixel] = report->output[slot * layer_pixels + layer_pixel];
		}
	}
	shape[0] = placement.channels;
	shape[1] = placement.rows;
	shape[2] = placement.columns;
	*values = tensor;
	return AI8X_OK;
}

static ai8x_status add_layer(ai8x_program *dump, const ai8x_program *program, const ai8x_layer_report *report,
                             ai8x_error *error)
{
	const ai8x_layer *layer = &report->layer;
	int recorded = program_layer_position(program, layer->index);
	const unsigned number = program_layer_number(program, layer->index);

	int32_t *channels = NULL;
	uint32_t shape[3] = {ai8x_layer_output_slots(layer), layer->output_rows, layer->output_columns};
	ai8x_status status = AI8X_OK;
	if (report->output != NULL)
		status = by_channels(program, recorded, report, &channels, shape, error);
	if (status == AI8X_OK)
		status = ai8x_program_add_layer(dump, number, channels != NULL ? channels : report->output, shape,
		                                report->words, report->word_count, error);
	int position = (int)ai8x_program_layer_count(dump) - 1;
	if (status == AI8X_OK && recorded >= 0) {
		const ai8x_program_layer *from = ai8x_program_layer_at(program, (size_t)recorded);
		status = copy_attributes(dump, position, from->attributes, from->attribute_count, error);
	}
	if (status == AI8X_OK)
		status = set_int(dump, position, "hw_layer", layer->index, error);
	if (status == AI8X_OK)
		status = set_int(dump, position, "cycles", (int64_t)report->cycles, error);
	// Tells readers that the first dimension counts hardware slots, unused ones included.
	if (status == AI8X_OK && channels == NULL)
		status = set_int(dump, position, "output_slots", 1, error);
	free(channels);
	return status;
}

// A layer that ran several times is shown as it was the last time.
static bool runs_again(const ai8x_machine *machine, size_t position)
{
	uint32_t index = ai8x_machine_layer_report(machine, position)->layer.index;
	for (size_t i = position + 1; i < ai8x_machine_layer_count(machine); i++)
		if (ai8x_machine_layer_report(machine, i)->layer.index == index)
			return true;
	return false;
}

static ai8x_status add_memory(ai8x_program *dump, const ai8x_machine *machine, ai8x_error *error)
{
	size_t words = 0;
	(void)ai8x_machine_data(machine, 0, &words);
	uint32_t *memory = array_alloc(AI8X_INSTANCES * words, sizeof *memory);
	if (memory == NULL)
		return error_no_memory(error, "data memory");
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		memcpy(memory + i * words, ai8x_machine_data(machine, i, &words), words * sizeof *memory);
	ai8x_status status = ai8x_program_set_memory(dump, memory, words, error);
	free(memory);
	return status;
}

ai8x_status ai8x_runner_dump(const ai8x_machine *machine, const ai8x_program *program, const char *path,
                             ai8x_error *error)
{
	if (error_if_null(error, machine, program, path))
		return AI8X_ERR_ARGUMENT;
	ai8x_program *dump = NULL;
	ai8x_status status =
		ai8x_program_create(ai8x_machine_part(machine), ai8x_program_name(program), &dump, error);
	if (status == AI8X_OK)
		status = copy_program(dump, program, error);
	for (size_t i = 0; i < ai8x_machine_layer_count(machine) && status == AI8X_OK; i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(machine, i);
		if (report->finished && !runs_again(machine, i))
			status = add_layer(dump, program, report, error);
	}
	if (status == AI8X_OK)
		status = set_int(dump, -1, "cycles", (int64_t)ai8x_machine_cycles(machine), error);
	if (status == AI8X_OK)
		status = add_memory(dump, machine, error);
	if (status == AI8X_OK)
		status = ai8x_program_save(dump, path, error);
	ai8x_program_destroy(dump);
	return status;
}
