// Compares the layers of the machine's last run with the memory words that a recorded program expects.
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/firmware.h>

#include "base/error.h"

static int by_address(const void *a, const void *b)
{
	const ai8x_word *first = a, *second = b;
	return first->address < second->address ? -1 : first->address > second->address;
}

static const ai8x_program_layer *find_layer(const ai8x_program *golden, uint32_t number)
{
	for (size_t i = 0; i < ai8x_program_layer_count(golden); i++) {
		const ai8x_program_layer *layer = ai8x_program_layer_at(golden, i);
		if (layer->number == number)
			return layer;
	}
	return NULL;
}

static ai8x_status compare_layer(const ai8x_layer_report *report, const ai8x_program_layer *layer,
                                 ai8x_firmware_comparison *comparison, ai8x_error *error)
{
	ai8x_word *sorted = malloc((report->word_count + 1) * sizeof *sorted);
	if (sorted == NULL)
		return error_no_memory(error, "a layer's words");
	if (report->word_count > 0)
		memcpy(sorted, report->words, report->word_count * sizeof *sorted);
	qsort(sorted, report->word_count, sizeof *sorted, by_address);
	for (size_t i = 0; i < layer->memory_count; i++) {
		const ai8x_word *expected = &layer->memory[i];
		const ai8x_word *got = bsearch(expected, sorted, report->word_count, sizeof *sorted, by_address);
		comparison->words++;
		if (got != NULL && ((got->value ^ expected->value) & expected->mask) == 0)
			continue;
		comparison->mismatches++;
		if (comparison->first_layer >= 0)
			continue;
		comparison->first_layer = (int)layer->number;
		comparison->address = expected->address;
		comparison->expected = expected->value & expected->mask;
		comparison->got = got != NULL ? got->value & expected->mask : 0;
		comparison->mask = expected->mask;
	}
	comparison->layers++;
	free(sorted);
	return AI8X_OK;
}

ai8x_status ai8x_firmware_compare(const ai8x_machine *machine, const ai8x_program *golden,
                                  ai8x_firmware_comparison *comparison, ai8x_error *error)
{
	if (error_if_null(error, machine, golden, comparison))
		return AI8X_ERR_ARGUMENT;
	*comparison = (ai8x_firmware_comparison){.first_layer = -1};
	for (size_t i = 0; i < ai8x_machine_layer_count(machine); i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(machine, i);
		const ai8x_program_layer *layer = report == NULL ? NULL : find_layer(golden, report->layer.index);
		if (layer == NULL || layer->memory_count == 0 || report->words == NULL)
			continue;
		ai8x_status status = compare_layer(report, layer, comparison, error);
		if (status != AI8X_OK)
			return status;
	}
	if (comparison->layers == 0)
		return error_set(error, AI8X_ERR_ARGUMENT, "the program records no layer that ran");
	if (comparison->mismatches > 0)
		return error_set(
			error, AI8X_ERR_MISMATCH,
			"layer %d: 0x%08x holds 0x%08x, expected 0x%08x (mask 0x%08x); %llu of %llu words differ",
			comparison->first_layer, comparison->address, comparison->got, comparison->expected,
			comparison->mask, (unsigned long long)comparison->mismatches,
			(unsigned long long)comparison->words);
	return AI8X_OK;
}
