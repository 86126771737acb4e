// Turns what firmware does to the accelerator into a program that runs without the core.
//
// A program has one RUN: one inference is taken, with every write before it, the memory self-tests
// that were waited for, and the data words that the firmware reads after it as EXPECTs.
#include "firmware/soc.h"

#include <string.h>

// Status bits of a memory self-test or clear (hardware reference, SRAM_TEST).
#define SELFTEST_DONE 0x1BFC0000u

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

ai8x_status record_begin(struct ai8x_firmware *soc, ai8x_error *error)
{
	ai8x_program_destroy(soc->recorder.program);
	soc->recorder.program = NULL;
	ai8x_status status = ai8x_program_create(soc->part, soc->name != NULL ? soc->name : "firmware",
	                                         &soc->recorder.program, error);
	const ai8x_attribute source = {
		.name = "source", .type = AI8X_ATTRIBUTE_TEXT, .text = "firmware", .scalar = true};
	return status == AI8X_OK ? ai8x_program_set_attribute(soc->recorder.program, -1, &source, error) : status;
}

static uint32_t wanted(const struct ai8x_firmware *soc)
{
	return soc->options.board != NULL ? soc->options.board->inference : 0;
}

static bool starts(const struct ai8x_firmware *soc, const ai8x_op *op)
{
	for (uint32_t q = 0; q < AI8X_GROUPS; q++)
		if (op->kind == AI8X_BUS_WRITE32 && op->address == part_register_address(soc->part, REG_CTL, q, 0))
			return true;
	return false;
}

// An inference before the one that is asked for: its words and starts go, what its layers left in memory stays.
static void carry_over(struct ai8x_firmware *soc)
{
	ai8x_program *before = soc->recorder.program;
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(before, &count);
	soc->recorder.program = NULL;
	if (record_begin(soc, NULL) != AI8X_OK)
		soc->recorder.failed = true;
	for (size_t i = 0; i < count && !soc->recorder.failed; i++) {
		ai8x_op op = ops[i];
		if (op.kind == AI8X_BUS_FIFO_WRITE32)
			continue;
		if (starts(soc, &op))
			op.value &= ~1u;
		take(soc, op);
	}
	ai8x_program_destroy(before);
	for (size_t i = 0; i < ai8x_machine_layer_count(soc->cnn.machine) && !soc->recorder.failed; i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(soc->cnn.machine, i);
		for (size_t w = 0; report != NULL && report->words != NULL && w < report->word_count; w++) {
			ai8x_op op = {.kind = AI8X_BUS_WRITE32, .address = report->words[w].address};
			if (ai8x_machine_read32(soc->cnn.machine, op.address, &op.value, NULL) == AI8X_OK)
				take(soc, op);
		}
	}
}

void record_close(struct ai8x_firmware *soc)
{
	struct recorder *recorder = &soc->recorder;
	if (recorder->program == NULL || recorder->ran || soc->result.inference_count == 0 ||
	    soc->result.inference_count != wanted(soc))
		return;
	take(soc, (ai8x_op){.kind = AI8X_BUS_RUN});
	recorder->ran = true;
}

void record_finish(struct ai8x_firmware *soc)
{
	struct recorder *recorder = &soc->recorder;
	if (recorder->program == NULL || recorder->ran)
		return;
	if (soc->result.inference_count < wanted(soc)) {
		carry_over(soc);
		return;
	}
	take(soc, (ai8x_op){.kind = AI8X_BUS_RUN});
	recorder->ran = true;
	recorder->number = soc->result.inference_count;
	if (!recorder->with_layers)
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

static void record_wait(struct ai8x_firmware *soc, uint32_t address, uint32_t value)
{
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(soc->recorder.program, &count);
	uint32_t done = value & SELFTEST_DONE;
	if (done == 0 || (count > 0 && ops[count - 1].kind == AI8X_BUS_WAIT && ops[count - 1].address == address))
		return;
	take(soc, (ai8x_op){.kind = AI8X_BUS_WAIT, .address = address, .value = done, .mask = done});
}

static const ai8x_word *written_word(const ai8x_layer_report *report, uint32_t address)
{
	size_t low = 0, high = report->words != NULL ? report->word_count : 0;
	const size_t end = high;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (report->words[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && report->words[low].address == address ? &report->words[low] : NULL;
}

// The bits of a word that hold a layer's output. Firmware reads whole words and looks at some of their bytes;
// which ones the bus does not show, but the others mean nothing.
static uint32_t output_bits(const struct ai8x_firmware *soc, uint32_t address)
{
	uint32_t bits = 0;
	for (size_t i = ai8x_machine_layer_count(soc->cnn.machine); i-- > 0;) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(soc->cnn.machine, i);
		const ai8x_word *word = written_word(report, address);
		if (word == NULL)
			continue;
		bits |= word->mask;
		// All but broadcast layers write whole words, so that nothing of an earlier layer is left.
		if (report->layer.write_mode != AI8X_WRITE_BROADCAST)
			break;
	}
	return bits;
}

void record_read(struct ai8x_firmware *soc, uint32_t address, uint32_t value)
{
	struct recorder *recorder = &soc->recorder;
	ai8x_location location;
	if (recorder->program == NULL || ai8x_part_locate(soc->part, address, &location) != AI8X_OK)
		return;
	if (!recorder->ran) {
		if (location.name != NULL && strcmp(location.name, "SRAM_TEST") == 0)
			record_wait(soc, address, value);
		return;
	}
	// Until the firmware starts the accelerator again.
	if (soc->result.inference_count != recorder->number || strncmp(location.region, "data", 4) != 0)
		return;
	const uint32_t bits = output_bits(soc, address);
	const uint32_t mask = bits != 0 ? bits : UINT32_MAX;
	take(soc, (ai8x_op){.kind = AI8X_BUS_EXPECT, .address = address, .value = value & mask, .mask = mask});
}
