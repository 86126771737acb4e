// What "monitor" says in gdb: the accelerator's state, layers, registers and data, and the clocks of the run.
#include "firmware/debug.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory_file.h"
#define MOST_WORDS 4096u
#define MOST_VALUES 16384u

static void show_help(struct ai8x_firmware *soc, const char *rest, FILE *out);

static double seconds(uint64_t time)
{
	return (double)time / (double)FS_PER_SECOND;
}

static void show_cnn(struct ai8x_firmware *soc, const char *rest, FILE *out)
{
	(void)rest;
	const struct cnn *cnn = &soc->cnn;
	char wait[256] = "";
	(void)ai8x_machine_explain_wait(cnn->machine, wait, sizeof wait);
	(void)fprintf(out, "accelerator of the %s: %s, clock %.6g MHz\n", ai8x_part_get_info(soc->part)->name,
	              cnn->lost == CNN_QUADRANTS ? "without power"
	              : cnn->paused              ? "paused"
	              : cnn->busy                ? "running"
	                                         : "idle",
	              1e-6 * clocks_cnn_hz(soc));
	(void)fprintf(out, "%zu inferences started; %" PRIu64 " writes, %" PRIu64 " reads\n",
	              soc->result.inference_count, cnn->writes, cnn->reads);
	if (soc->result.inference_count > 0)
		(void)fprintf(out, "last run: %zu layers, %" PRIu64 " cycles%s\n",
		              ai8x_machine_layer_count(cnn->machine), ai8x_machine_cycles(cnn->machine),
		              cnn->fifo ? ", fed by FIFO" : "");
	if (wait[0] != 0)
		(void)fprintf(out, "it waits: %s\n", wait);
}

static void show_layers(struct ai8x_firmware *soc, const char *rest, FILE *out)
{
	(void)rest;
	const ai8x_machine *machine = soc->cnn.machine;
	const size_t count = ai8x_machine_layer_count(machine);
	char text[1024];
	for (size_t i = 0; i < count; i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(machine, i);
		(void)ai8x_layer_describe(&report->layer, text, sizeof text);
		(void)fprintf(out, "layer %u: %s; %" PRIu64 " cycles%s\n", report->layer.index, text, report->cycles,
		              report->finished ? "" : ", not finished");
	}
	if (count > 0)
		return;
	uint32_t layers[128];
	const size_t planned = ai8x_machine_sequence(machine, layers, 128);
	(void)fprintf(out, "no layer has run; the registers describe these:\n");
	for (size_t i = 0; i < planned && i < 128; i++) {
		ai8x_layer layer;
		ai8x_error error = {0};
		if (ai8x_machine_decode(machine, layers[i], &layer, &error) == AI8X_OK) {
			(void)ai8x_layer_describe(&layer, text, sizeof text);
			(void)fprintf(out, "layer %u: %s\n", layers[i], text);
		} else {
			(void)fprintf(out, "layer %u: %s\n", layers[i], error.message);
		}
	}
}

// Registers of one layer, or without a number those that belong to no layer.
static void show_registers(struct ai8x_firmware *soc, const char *rest, FILE *out)
{
	char *end = NULL;
	const long layer = strtol(rest, &end, 0);
	const bool asked = end != rest;
	size_t shown = 0;
	ai8x_region region;
	for (size_t i = 0; ai8x_part_region(soc->part, i, &region); i++) {
		const bool of_layers = strcmp(region.kind, "layer register") == 0;
		if (region.memory || region.write_only || of_layers != asked)
			continue;
		if (asked && (layer < 0 || (uint32_t)layer >= region.count))
			continue;
		for (uint32_t group = 0; group < region.groups; group++) {
			const uint32_t address =
				region.address + group * region.group_stride + (asked ? (uint32_t)layer * region.stride : 0);
			uint32_t value = 0;
			if (ai8x_machine_read32(soc->cnn.machine, address, &value, NULL) != AI8X_OK)
				continue;
			(void)fprintf(out, "0x%08x  group %u  %-12s 0x%08x\n", address, group, region.name, value);
			shown++;
		}
	}
	if (shown == 0)
		(void)fprintf(out, "no register of layer %ld\n", layer);
}

static void show_output(struct ai8x_firmware *soc, long number, long channel, FILE *out)
{
	const ai8x_layer_report *report = NULL;
	for (size_t i = 0; i < ai8x_machine_layer_count(soc->cnn.machine); i++) {
		const ai8x_layer_report *one = ai8x_machine_layer_report(soc->cnn.machine, i);
		if ((long)one->layer.index == number)
			report = one;
	}
	if (report == NULL || report->output == NULL) {
		(void)fprintf(out, "layer %ld has no output yet\n", number);
		return;
	}
	const uint32_t rows = report->layer.output_rows, columns = report->layer.output_columns;
	const uint32_t channels = ai8x_layer_output_slots(&report->layer);
	(void)fprintf(out, "output of layer %ld: %u x %u x %u\n", number, channels, rows, columns);
	size_t shown = 0;
	for (uint32_t c = 0; c < channels && shown < MOST_VALUES; c++) {
		if (channel >= 0 && c != (uint32_t)channel)
			continue;
		(void)fprintf(out, "channel %u:\n", c);
		for (uint32_t y = 0; y < rows && shown < MOST_VALUES; y++) {
			for (uint32_t x = 0; x < columns; x++, shown++)
				(void)fprintf(out, " %d", report->output[((size_t)c * rows + y) * columns + x]);
			(void)fputc('\n', out);
		}
	}
}

static void show_memory(struct ai8x_firmware *soc, const char *rest, FILE *out)
{
	char *end = NULL;
	if (strncmp(rest, "layer", 5) == 0) {
		const long number = strtol(rest + 5, &end, 0);
		const char *more = end;
		const long channel = strtol(more, &end, 0);
		show_output(soc, number, end == more ? -1 : channel, out);
		return;
	}
	const uint32_t address = (uint32_t)strtoul(rest, &end, 0) & ~3u;
	const char *more = end;
	uint32_t words = (uint32_t)strtoul(more, &end, 0);
	if (more == rest) {
		show_help(soc, "", out);
		return;
	}
	words = words == 0 ? 16 : words > MOST_WORDS ? MOST_WORDS : words;
	for (uint32_t i = 0; i < words; i++) {
		uint32_t value = 0;
		ai8x_error error = {0};
		if (ai8x_machine_read32(soc->cnn.machine, address + 4 * i, &value, &error) != AI8X_OK) {
			(void)fprintf(out, "0x%08x: %s\n", address + 4 * i, error.message);
			return;
		}
		(void)fprintf(out, "0x%08x  0x%08x  %4d %4d %4d %4d\n", address + 4 * i, value, (int8_t)value,
		              (int8_t)(value >> 8), (int8_t)(value >> 16), (int8_t)(value >> 24));
	}
}

static void show_cycles(struct ai8x_firmware *soc, const char *rest, FILE *out)
{
	(void)rest;
	(void)fprintf(out, "core: %" PRIu64 " cycles, %" PRIu64 " code units, %.9g s simulated\n", soc->cycles,
	              soc->instructions, seconds(soc->now));
	for (size_t i = 0; i < soc->result.inference_count; i++) {
		const ai8x_firmware_inference *row = &soc->inferences[i];
		if (row->finished)
			(void)fprintf(out, "inference %zu: %" PRIu64 " cycles, %.6g s, from %.9g s on\n", i + 1,
			              row->cycles, row->seconds, row->start_seconds);
		else
			(void)fprintf(out, "inference %zu: started at %.9g s, not finished\n", i + 1, row->start_seconds);
	}
}

static uint32_t second_register(struct ai8x_firmware *soc, int id)
{
	uint32_t value = 0;
	(void)soc->unicorn.reg_read(soc->rv32.uc, id, &value);
	return value;
}

// Between its turns, which is whenever gdb is spoken to.
static void show_second_core(struct ai8x_firmware *soc, const char *rest, FILE *out)
{
	(void)rest;
	static const char *const names[32] = {
		"zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
		"a6",   "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
	};
	const struct rv32 *rv32 = &soc->rv32;
	if (!rv32->started) {
		(void)fputs("the RISC-V core was not started\n", out);
		return;
	}
	const char *state = rv32->rests ? "loops for ever" : rv32->due != TIME_NEVER ? "runs" : "sleeps";
	(void)fprintf(out, "the RISC-V core %s: pc 0x%08x, mstatus 0x%08x, mepc 0x%08x, mcause 0x%08x\n", state,
	              rv32->pc, second_register(soc, UC_RISCV_REG_MSTATUS),
	              second_register(soc, UC_RISCV_REG_MEPC), second_register(soc, UC_RISCV_REG_MCAUSE));
	for (int i = 0; i < 32; i++)
		(void)fprintf(out, "%-4s 0x%08x%s", names[i], second_register(soc, UC_RISCV_REG_X0 + i),
		              i % 4 == 3 ? "\n" : "  ");
}

static const struct {
	const char *name, *arguments, *help;
	void (*show)(struct ai8x_firmware *soc, const char *rest, FILE *out);
} commands[] = {
	{"cnn", "", "state of the accelerator, and what it waits for", show_cnn},
	{"layers", "", "layers of the last run, or those that are set up", show_layers},
	{"registers", " [LAYER]", "the accelerator's registers of a layer, or the others", show_registers},
	{"memory", " ADDRESS [WORDS] | layer N [CHANNEL]", "data memory as words and bytes, or a layer's output",
     show_memory},
	{"cycles", "", "core cycles, simulated time, cycles of every inference", show_cycles},
	{"riscv", "", "state and registers of the second core", show_second_core},
	{"help", "", "this list", show_help},
};

static void show_help(struct ai8x_firmware *soc, const char *rest, FILE *out)
{
	(void)soc;
	(void)rest;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		(void)fprintf(out, "monitor %s%s: %s\n", commands[i].name, commands[i].arguments, commands[i].help);
}

char *gdb_monitor(struct ai8x_firmware *soc, const char *command)
{
	struct memory_file memory;
	memory_file_open(&memory);
	FILE *out = memory.file;
	if (out == NULL)
		return NULL;
	const size_t length = strcspn(command, " ");
	const char *rest = command + length + strspn(command + length, " ");
	bool known = false;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0] && !known; i++) {
		known = strlen(commands[i].name) == length && strncmp(commands[i].name, command, length) == 0;
		if (known)
			commands[i].show(soc, rest, out);
	}
	if (!known) {
		(void)fprintf(out, "'%s' is not known\n", command);
		show_help(soc, "", out);
	}
	return memory_file_close(&memory) ? memory.text : NULL;
}
