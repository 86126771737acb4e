// Turns what firmware does to the accelerator into a program that runs without the core.
//
// A program has one RUN: the first inference is taken, with every write in front of it and the data words
// that the firmware reads behind it as EXPECTs.
#include "firmware/soc.h"

static void take(struct ai8x_firmware *soc, ai8x_op op)
{
	if (ai8x_program_append(soc->recorder.program, op, NULL) != AI8X_OK)
		soc->recorder.failed = true;
}

void record_write(struct ai8x_firmware *soc, ai8x_op_kind kind, uint32_t address, uint32_t value)
{
	if (soc->recorder.program == NULL || soc->recorder.ran)
		return;
	take(soc, (ai8x_op){.kind = (uint8_t)kind, .address = address, .value = value});
}

void record_finish(struct ai8x_firmware *soc)
{
	struct recorder *recorder = &soc->recorder;
	if (recorder->program == NULL || recorder->ran)
		return;
	take(soc, (ai8x_op){.kind = AI8X_BUS_RUN});
	recorder->ran = true;
	recorder->active = true;
	if (!soc->options.machine.capture_outputs)
		return;
	size_t layers = ai8x_machine_layer_count(soc->cnn.machine);
	for (size_t i = 0; i < layers; i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(soc->cnn.machine, i);
		if (report == NULL || !report->finished || report->words == NULL)
			continue;
		const uint32_t none[3] = {0, 0, 0};
		if (ai8x_program_add_layer(recorder->program, report->layer.index, NULL, none, report->words,
		                           report->word_count, NULL) != AI8X_OK)
			recorder->failed = true;
	}
}

void record_read(struct ai8x_firmware *soc, uint32_t address, uint32_t value)
{
	struct recorder *recorder = &soc->recorder;
	ai8x_location location;
	if (recorder->program == NULL)
		return;
	if (!recorder->ran) {
		return;
	}
	// Only data memory, and only until the firmware starts the accelerator again.
	if (!recorder->active || soc->result.inference_count > 1 || soc->cnn.busy ||
	    ai8x_part_locate(soc->part, address, &location) != AI8X_OK || location.unit < 0 ||
	    location.region[0] != 'd')
		return;
	take(soc, (ai8x_op){.kind = AI8X_BUS_EXPECT, .address = address, .value = value, .mask = UINT32_MAX});
}
