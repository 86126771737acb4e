// Unit tests of network descriptions and of the way from layer to registers and back.
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ai8xsim/network.h>
#include <ai8xsim/program.h>
#include <ai8xsim/runner.h>

#include "golden.h"

#include "layer/encode.h"
#include "program/npy.h"

// --- registers -> layer -> registers ----------------------------------------------------------------

// The register file that a program leaves behind, and which groups it uses.
static void load_registers(const ai8x_program *program, struct registers *registers, struct layer_run *run)
{
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	registers_reset(registers, ai8x_program_part(program));
	*run = (struct layer_run){0, AI8X_GROUPS};
	for (size_t i = 0; i < count; i++) {
		struct part_target target;
		if (ops[i].kind != AI8X_BUS_WRITE32 ||
		    !part_decode_address(registers->part, ops[i].address, &target) || !target.is_register)
			continue;
		registers->value[target.group][target.reg][target.index] = ops[i].value;
		if (target.reg == REG_CTL) {
			run->groups |= 1u << target.group;
			run->master = target.group < run->master ? target.group : run->master;
		}
	}
}

static bool is_layer_register(const ai8x_part *part, unsigned reg, uint32_t index)
{
	const struct part_register_row *row = &part->registers[reg];
	return row->scope == SCOPE_LAYER || (row->scope == SCOPE_STREAM && index < row->count);
}

static bool group_is_configured(const struct registers *registers, unsigned group, uint32_t index)
{
	return register_get(registers, REG_LCTL, group, index) != 0;
}

// One program leaves a write pointer after the last instance in groups that write nothing; bits above the
// instance belong to no field.
static bool is_idle_pointer(const ai8x_layer *layer, unsigned reg, unsigned group, uint32_t before,
                            uint32_t after)
{
	const uint32_t known =
		part_field_mask(layer->part, F_WPTR_WORD) | part_field_mask(layer->part, F_WPTR_INSTANCE);
	return reg == REG_WPTR_BASE && (layer->processors >> (16 * group) & 0xffff) == 0 &&
	       (before & known) == after;
}

// Decodes and encodes every configured layer; counts registers that come back different.
static unsigned round_trip(const char *name, const struct registers *registers, const struct layer_run *run,
                           unsigned *layers)
{
	unsigned wrong = 0;
	struct registers *again = malloc(sizeof *again);
	ck_assert_ptr_nonnull(again);
	for (uint32_t index = 0; index < registers->part->info.layers; index++) {
		ai8x_layer layer;
		ai8x_error error = {AI8X_OK, ""};
		if (!group_is_configured(registers, run->master, index))
			continue;
		struct layer_run configured = *run;
		for (unsigned g = 0; g < AI8X_GROUPS; g++)
			if (!group_is_configured(registers, g, index))
				configured.groups &= ~(1u << g);
		registers_reset(again, registers->part);
		ck_assert_msg(layer_decode(registers, &configured, index, &layer, &error) == AI8X_OK, "%s: %s", name,
		              error.message);
		ck_assert_msg(layer_encode(&layer, again, &error) == AI8X_OK, "%s: %s", name, error.message);
		++*layers;
		for (unsigned g = 0; g < AI8X_GROUPS; g++) {
			for (unsigned reg = 0; (configured.groups >> g & 1) != 0 && reg < REG_COUNT; reg++) {
				uint32_t before = register_get(registers, (enum part_register)reg, g, index);
				uint32_t after = register_get(again, (enum part_register)reg, g, index);
				if (is_layer_register(registers->part, reg, index) && before != after &&
				    !is_idle_pointer(&layer, reg, g, before, after)) {
					wrong++;
					printf("%s: layer %u group %u %s was 0x%08x, came back 0x%08x\n", name, index, g,
					       part_register_name((enum part_register)reg), before, after);
				}
			}
		}
	}
	free(again);
	return wrong;
}

START_TEST(golden_registers_survive_decoding)
{
	static const char *const folders[] = {"max78000", "max78002"};
	const char *golden = getenv("AI8XSIM_GOLDEN");
	struct registers *registers = malloc(sizeof *registers);
	unsigned wrong = 0, layers = 0, programs = 0;
	ck_assert_ptr_nonnull(registers);
	for (size_t f = 0; golden != NULL && f < 2; f++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", golden, folders[f]);
		DIR *folder = opendir(path);
		for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
			ai8x_program *program = NULL;
			ai8x_program_options options = {.skip_results = true};
			struct layer_run run;
			if (strstr(entry->d_name, ".h5") == NULL)
				continue;
			snprintf(path, sizeof path, "%s/%s/%s", golden, folders[f], entry->d_name);
			ck_assert_int_eq(ai8x_program_open(path, &options, &program, NULL), AI8X_OK);
			load_registers(program, registers, &run);
			wrong += round_trip(entry->d_name, registers, &run, &layers);
			programs++;
			ai8x_program_destroy(program);
		}
		if (folder != NULL) {
			closedir(folder);
			ck_assert_uint_gt(programs, 0);
		}
	}
	free(registers);
	if (programs == 0)
		puts("skipped: no golden programs here");
	else
		printf("round trip: %u layers of %u programs\n", layers, programs);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

// --- descriptions -----------------------------------------------------------------------------------

static ai8x_network *parse(const char *text)
{
	ai8x_network *network = NULL;
	ai8x_error error = {AI8X_OK, ""};
	ai8x_status status = ai8x_network_parse(text, strlen(text), "net.yaml", NULL, &network, &error);
	ck_assert_msg(status == AI8X_OK, "%s", error.message);
	return network;
}

// Expects a refusal whose message contains `text`.
static void expect_refusal(const char *description, ai8x_status expected, const char *text)
{
	ai8x_network *network = NULL;
	ai8x_error error = {AI8X_OK, ""};
	ai8x_status status =
		ai8x_network_parse(description, strlen(description), "net.yaml", NULL, &network, &error);
	ck_assert_msg(status == expected, "status %d instead of %d: %s", status, expected, error.message);
	ck_assert_msg(strstr(error.message, text) != NULL, "'%s' lacks '%s'", error.message, text);
	ck_assert_ptr_null(network);
}

START_TEST(defaults_follow_the_operation)
{
	ai8x_network *network = parse("layers:\n"
	                              "  - in_channels: 3\n"
	                              "    in_dim: [8, 6]\n"
	                              "    out_channels: 5\n"
	                              "  - op: Passthrough\n"
	                              "    avg_pool: [2, 3]\n"
	                              "    pool_stride: 2\n"
	                              "  - operator: Linear\n"
	                              "    flatten: yes\n"
	                              "    out_channels: 4\n"
	                              "    quantization: 2\n"
	                              "    output_shift: -1\n");
	const ai8x_network_layer *layer = network->layers;
	ck_assert_uint_eq(network->layer_count, 3);
	ck_assert_int_eq(layer[0].operation, AI8X_OP_CONV2D);
	ck_assert_uint_eq(layer[0].kernel_rows, 3);
	ck_assert_uint_eq(layer[0].pad_rows, 1);
	ck_assert_uint_eq(layer[0].out_rows, 8);
	ck_assert_uint_eq(layer[0].out_columns, 6);
	ck_assert_uint_eq(layer[0].line, 2);
	ck_assert_int_eq(layer[1].pooling, AI8X_POOL_AVERAGE);
	ck_assert_uint_eq(layer[1].pooled_rows, 4);
	ck_assert_uint_eq(layer[1].pooled_columns, 2);
	ck_assert_uint_eq(layer[1].out_channels, 5);
	ck_assert_uint_eq(layer[2].in_channels, 5);
	ck_assert_uint_eq(layer[2].fan_channels, 40u);
	ck_assert_uint_eq(layer[2].pad_rows, 0);
	ck_assert_int_eq(layer[2].output_shift, -1 + 6);
	ai8x_network_destroy(network);
}
END_TEST

START_TEST(maps_and_integers_are_read_as_yaml_writes_them)
{
	ai8x_network *network = parse("layers:\n"
	                              "  - in_channels: 2\n"
	                              "    in_dim: 4\n"
	                              "    operation: conv1d\n"
	                              "    kernel_size: 3\n"
	                              "    out_channels: 4\n"
	                              "    processors: 0x0000.0000.0003.0000\n"
	                              "    output_processors: 0x0f00_0000_0000_0000\n"
	                              "    out_offset: 0x2_000\n"
	                              "    in_offset: 020\n");
	ck_assert(network->layers[0].processors == UINT64_C(0x30000));
	ck_assert(network->layers[0].output_processors == UINT64_C(0x0f00000000000000));
	ck_assert_int_eq(network->layers[0].out_offset, 0x2000);
	ck_assert_int_eq(network->layers[0].in_offset, 16);
	ck_assert_uint_eq(network->input_shape[2], 1);
	ai8x_network_destroy(network);
}
END_TEST

START_TEST(joins_follow_from_in_sequences)
{
	ai8x_network *network = parse("layers:\n"
	                              "  - in_channels: 4\n"
	                              "    in_dim: [4, 4]\n"
	                              "    out_channels: 8\n"
	                              "    name: one\n"
	                              "  - out_channels: 8\n"
	                              "    name: two\n"
	                              "  - in_sequences: [one, 1]\n"
	                              "    eltwise: sub\n"
	                              "    out_channels: 8\n"
	                              "  - in_sequences: [2, one]\n"
	                              "    out_channels: 3\n"
	                              "  - in_sequences: [0, 1]\n"
	                              "    op: passthrough\n"
	                              "    in_channels: 8\n"
	                              "    in_dim: [8, 4]\n");
	ck_assert_int_eq(network->layers[2].sources[0], 0);
	ck_assert_int_eq(network->layers[2].sources[1], 1);
	ck_assert_uint_eq(network->layers[2].in_channels, 8);
	ck_assert_uint_eq(network->layers[3].in_channels, 16);
	ck_assert_int_eq(network->layers[3].join, AI8X_JOIN_CHANNELS);
	ck_assert_int_eq(network->layers[4].join, AI8X_JOIN_PIXELS);
	ck_assert_uint_eq(network->layers[4].out_rows, 8);
	ai8x_network_destroy(network);
}
END_TEST

START_TEST(errors_name_line_key_and_remedy)
{
	static const struct {
		const char *text;
		ai8x_status status;
		const char *message;
	} cases[] = {
		{"layers:\n  - in_dim: 4\n    kernelsize: 3x3\n", AI8X_ERR_FORMAT,
	     "net.yaml:3: layer 0: unknown key 'kernelsize'; did you mean 'kernel_size'?"},
		{"layer: []\n", AI8X_ERR_FORMAT,
	     "net.yaml:1: description: unknown key 'layer'; did you mean 'layers'?"},
		{"arch: x\n", AI8X_ERR_FORMAT, "key 'layers' is missing"},
		{"layers: []\n", AI8X_ERR_FORMAT, "1 to 1024 layers"},
		{"layers:\n  - op: conv2d\n    operation: conv2d\n", AI8X_ERR_FORMAT, "repeats 'op' of line 2"},
		{"layers:\n  - op: conv3d\n", AI8X_ERR_FORMAT,
	     "net.yaml:2: layer 0: key 'op': expected one of conv2d"},
		{"layers:\n  - pad: x\n", AI8X_ERR_FORMAT, "key 'pad': expected an integer"},
		{"layers:\n  - stride: 2\n", AI8X_ERR_FORMAT, "pool_stride"},
		{"layers:\n  - kernel_size: 5x5\n", AI8X_ERR_FORMAT, "3x3 or 1x1"},
		{"layers:\n  - max_pool: 2\n    avg_pool: 2\n", AI8X_ERR_FORMAT, "cannot be combined"},
		{"layers:\n  - in_sequences: [nowhere]\n", AI8X_ERR_FORMAT, "number or name of a layer"},
		{"layers:\n  - buffer_shift: 1\n", AI8X_ERR_UNSUPPORTED, "buffer_shift"},
		{"layers:\n  - in_dim: [4, 4]\n", AI8X_ERR_NETWORK, "how many channels does the input have"},
		{"layers:\n  - in_channels: 3\n", AI8X_ERR_NETWORK, "how large is the input"},
		{"layers:\n  - in_channels: 3\n    in_dim: [2, 2]\n    pad: 0\n", AI8X_ERR_NETWORK, "leaves nothing"},
		{"layers:\n  - in_channels: 3\n    in_dim: [4, 4]\n    op: passthrough\n    activate: relu\n",
	     AI8X_ERR_NETWORK, "no activation"},
		{"layers:\n  - {in_channels: 3, in_dim: [4, 4], streaming: 3}\n", AI8X_ERR_FORMAT,
	     "layer 0: key 'streaming': expected true or false, found '3'"},
		{"layers:\n  - {name: a}\n  - {name: A}\n", AI8X_ERR_FORMAT,
	     "net.yaml:3: layer 1: the name 'A' was already used for layer 0 in line 2"},
		{"layers:\n  - {in_channels: 2, in_dim: [4, 4], out_channels: 1, op: linear, flatten: true}\n",
	     AI8X_ERR_NETWORK,
	     "in_channels 2 of a flattened layer counts channels times pixels: with 4x4 pixels"},
		{"layers:\n  - {in_channels: 2, in_dim: [4, 4], out_channels: 2}\n  - {out_channels: 3}\n"
	     "  - {in_sequences: [0, 1], eltwise: add, op: passthrough, name: sum}\n",
	     AI8X_ERR_NETWORK,
	     "net.yaml:4: layer 2 (sum): the operands of an element-wise operation have different channel "
	     "counts: "
	     "layer 0 has 2x4x4, layer 1 has 3x4x4"},
		{"layers:\n  - {in_channels: 2, in_dim: [4, 4], out_channels: 2}\n"
	     "  - {out_channels: 3, in_channel_skip: 2}\n",
	     AI8X_ERR_NETWORK, "in_channel_skip 2 leaves nothing of 2 channels"},
		{"layers: [ {\n", AI8X_ERR_FORMAT, "net.yaml:"},
		{"", AI8X_ERR_FORMAT, "expected a mapping"},
		{"\x89HDF\r\n\x1a\n", AI8X_ERR_FORMAT, "it is an HDF5 file"},
		{"\x7f"
	     "ELF",
	     AI8X_ERR_FORMAT, "it is a firmware image"},
		{"\xff\xfe", AI8X_ERR_FORMAT, "net.yaml:"},
	};
	expect_refusal(cases[_i].text, cases[_i].status, cases[_i].message);
	ck_assert_uint_eq(sizeof cases / sizeof cases[0], 26);
}
END_TEST

// Limits of a part, by what a one-layer network asks for.
START_TEST(limits_are_explained)
{
	static const struct {
		const char *keys;
		const char *part;
		const char *message;
	} cases[] = {
		{"in_channels: 3, in_dim: [1500, 4]", "MAX78000",
	     "1500 rows with padding: 1502 are counted, at most 1024 are possible (limit of the MAX78000)"},
		{"in_channels: 2000, in_dim: [4, 4]", "MAX78000", "at most 1024"},
		{"in_channels: 8, in_dim: [4, 4], groups: 8", "MAX78000", "depth-wise"},
		{"in_channels: 8, in_dim: [4, 4], quantization: bin", "MAX78000", "binary weights"},
		{"in_channels: 8, in_dim: [4, 4], bypass: true", "MAX78000", "bypass"},
		{"in_channels: 8, in_dim: [4, 4], output_shift: 16", "MAX78002", "-15 to 15"},
		{"in_channels: 8, in_dim: [9, 9], max_pool: 2, pool_dilation: 3", "MAX78000", "dilated pooling"},
		{"in_channels: 80, in_dim: [9, 9], max_pool: 2, op: passthrough", "MAX78000", "at most 1 pass"},
		{"in_channels: 80, in_dim: 9, op: conv1d, kernel_size: 3", "MAX78002", "at most 64 input channels"},
		{"in_channels: 8, in_dim: 90, op: conv1d, kernel_size: 4, dilation: 5, pad: 0", "MAX78000",
	     "length of at most 3"},
		{"in_channels: 4, in_dim: [9, 9], processors: 0x7", "MAX78000", "has 3 processors, but 4 channels"},
		{"in_channels: 64, in_dim: [200, 200]", "MAX78000", "data memory"},
		{"in_channels: 64, out_channels: 1024, in_dim: [4, 4]", "MAX78000", "kernel memory is exhausted"},
	};
	char text[256];
	ai8x_error error = {AI8X_OK, ""};
	ai8x_program *program = NULL;
	snprintf(text, sizeof text, "layers:\n  - {%s}\n", cases[_i].keys);
	ai8x_network *network = parse(text);
	ck_assert_int_eq(ai8x_network_compile(network, ai8x_part_find(cases[_i].part), NULL, &program, &error),
	                 AI8X_ERR_NETWORK);
	ck_assert_msg(strstr(error.message, cases[_i].message) != NULL, "%s", error.message);
	ck_assert_msg(strstr(error.message, "net.yaml:2: layer 0") != NULL, "%s", error.message);
	ck_assert_ptr_null(program);
	ai8x_network_destroy(network);
	ck_assert_uint_eq(sizeof cases / sizeof cases[0], 13);
}
END_TEST

// --- placement and programs -------------------------------------------------------------------------

static const char residual[] =
	"layers:\n"
	"  - {in_channels: 3, in_dim: [12, 10], out_channels: 20, activate: relu, name: a}\n"
	"  - {out_channels: 20, activate: relu, name: b}\n"
	"  - {in_sequences: [a, b], eltwise: add, out_channels: 70, quantization: 4}\n"
	"  - {out_channels: 12, kernel_size: 1x1, pad: 0, max_pool: 2, pool_stride: 2, name: c}\n"
	"  - {in_sequences: 2, op: conv2d, out_channels: 12, max_pool: 2, pool_stride: 2, name: d}\n"
	"  - {in_sequences: [c, d], op: passthrough, avg_pool: 2, pool_stride: 1}\n"
	"  - {op: linear, flatten: true, out_channels: 6, output_width: 32}\n";

// Compiles with the golden model's outputs and runs; every layer must agree.
static void expect_agreement(ai8x_network *network, const ai8x_part *part)
{
	ai8x_error error = {AI8X_OK, ""};
	golden_model *model = NULL;
	ai8x_network_tensor *outputs = NULL;
	ai8x_program *program = NULL;
	ai8x_machine *machine = NULL;
	ai8x_runner_result result;
	ai8x_compile_options options = ai8x_compile_options_default();
	ai8x_runner_options run = ai8x_runner_options_default();
	run.per_layer = true;

	ck_assert_msg(ai8x_network_place(network, part, &options, &error) == AI8X_OK, "%s", error.message);
	ck_assert_int_eq(golden_model_create(network, &model, &error), AI8X_OK);
	ck_assert_msg(golden_model_outputs(model, &outputs, &error) == AI8X_OK, "%s", error.message);
	options.outputs = outputs;
	ck_assert_msg(ai8x_network_compile(network, part, &options, &program, &error) == AI8X_OK, "%s",
	              error.message);
	// Captured outputs are what per-layer comparison compares.
	ai8x_machine_options settings = ai8x_machine_options_default();
	settings.capture_outputs = true;
	ck_assert_int_eq(ai8x_machine_create(part, &settings, &machine, &error), AI8X_OK);
	ck_assert_msg(ai8x_runner_run(machine, program, &run, &result) == AI8X_OK, "%s", result.message);
	ck_assert_uint_gt(result.checks, 0);
	ck_assert_uint_eq(result.mismatches, 0);
	for (size_t i = 0; i < result.layer_count; i++)
		ck_assert(result.layers[i].compared);
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
	free(outputs);
	golden_model_destroy(model);
}

START_TEST(chosen_placement_computes_what_the_reference_computes)
{
	ai8x_network *network = parse(residual);
	ck_assert_int_eq(ai8x_network_randomise(network, 7, NULL, NULL, NULL), AI8X_OK);
	expect_agreement(network, ai8x_part_at((unsigned)_i));
	// Without a read gap the operand that is read twice needs a copy.
	ck_assert_uint_eq(network->layer_count, ai8x_part_at((unsigned)_i) == ai8x_part_find("MAX78000") ? 8 : 7);
	ck_assert_uint_ge(network->note_count, network->layer_count);
	ai8x_network_destroy(network);
}
END_TEST

static void expect_same_ops(const ai8x_program *a, const ai8x_program *b)
{
	size_t count = 0, other = 0;
	const ai8x_op *x = ai8x_program_ops(a, &count);
	const ai8x_op *y = ai8x_program_ops(b, &other);
	ck_assert_uint_eq(count, other);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(x[i].kind, y[i].kind);
		ck_assert_uint_eq(x[i].address, y[i].address);
		ck_assert_uint_eq(x[i].value, y[i].value);
	}
}

// The layer whose weights the other one uses has 32-bit output and no shift, the other one has a shift.
static const char shared[] =
	"arch: test\ndataset: none\nlayers:\n"
	"  - {operation: conv2d, in_channels: 1, in_dim: [4, 4], out_channels: 1, pad: 1,\n"
	"     kernel_size: 3x3, output_width: 32, output_processors: 0x10}\n"
	"  - {operation: conv2d, in_sequences: [-1], in_channels: 1, in_dim: [4, 4], pad: 1,\n"
	"     out_channels: 1, kernel_size: 3x3, weight_source: 0, output_shift: 1,\n"
	"     output_processors: 0x10, out_offset: 0x100}\n";

START_TEST(written_descriptions_and_weights_give_the_same_program)
{
	const ai8x_part *part = ai8x_part_at((unsigned)_i % 2);
	char yaml[] = "/tmp/ai8x-network-XXXXXX.yaml";
	char weights[] = "/tmp/ai8x-weights-XXXXXX.h5";
	ai8x_error error = {AI8X_OK, ""};
	ai8x_program *first = NULL, *second = NULL;
	ai8x_network *again = NULL;
	close(mkstemps(yaml, 5));
	close(mkstemps(weights, 3));

	ai8x_network *network = parse(_i < 2 ? residual : shared);
	ck_assert_int_eq(ai8x_network_randomise(network, 11, NULL, NULL, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_network_compile(network, part, NULL, &first, &error), AI8X_OK);
	ck_assert_int_eq(ai8x_network_write_yaml(network, yaml, &error), AI8X_OK);
	ck_assert_int_eq(ai8x_network_write_weights(network, weights, &error), AI8X_OK);
	ai8x_network_files files = {.weights = weights};
	ck_assert_msg(ai8x_network_open(yaml, &files, &again, &error) == AI8X_OK, "%s", error.message);
	ck_assert_msg(ai8x_network_compile(again, part, NULL, &second, &error) == AI8X_OK, "%s", error.message);
	expect_same_ops(first, second);
	unlink(yaml);
	unlink(weights);
	ai8x_program_destroy(first);
	ai8x_program_destroy(second);
	ai8x_network_destroy(network);
	ai8x_network_destroy(again);
}
END_TEST

// A write gap in the description against what those who read over it need.
START_TEST(given_gaps_are_checked)
{
	static const struct {
		const char *part, *first, *second, *third;
		const char *message; // NULL: compiles
	} cases[] = {
		// operands of a join, which is layer 3 where the part needs a copy of one of them
		{"MAX78002", "write_gap: 1", "", "in_sequences: [0, 1], eltwise: add", NULL},
		{"MAX78000", "", "write_gap: 1", "in_sequences: [0, 1], eltwise: add", NULL},
		{"MAX78000", "", "write_gap: 0", "in_sequences: [0, 1], eltwise: add",
	     "layer 1: write_gap is 0, but the join in layer 3 needs 1"},
		{"MAX78000", "", "write_gap: 2", "in_sequences: [0, 1], eltwise: add",
	     "layer 1: write_gap is 2, but the join in layer 3 needs 1"},
		// one layer reads the result
		{"MAX78002", "write_gap: 3", "", "", NULL},
		{"MAX78000", "write_gap: 3", "", "",
	     "layer 0: write_gap is 3, but layer 1, which reads the result, cannot read over gaps on the "
	     "MAX78000"},
		{"MAX78002", "write_gap: 3", "flatten: true, op: linear", "in_sequences: 1",
	     "layer 0: write_gap is 3, but layer 1, which reads the result, cannot read over gaps on the "
	     "MAX78002"},
		// nobody does
		{"MAX78000", "", "", "write_gap: 5", NULL},
		// channels side by side lie without gaps
		{"MAX78002", "write_gap: 1", "", "in_sequences: [0, 1]",
	     "layer 0: write_gap is 1, but the join in layer 2 needs 0"},
	};
	ck_assert_uint_eq(sizeof cases / sizeof cases[0], 9);
	char text[512];
	ai8x_error error = {AI8X_OK, ""};
	ai8x_program *program = NULL;
	snprintf(text, sizeof text,
	         "layers:\n  - {in_channels: 4, in_dim: [4, 4], out_channels: 4, %s}\n"
	         "  - {out_channels: 4, %s%s in_sequences: 0}\n  - {out_channels: 4, %s}\n",
	         cases[_i].first, cases[_i].second, cases[_i].second[0] != '\0' ? "," : "", cases[_i].third);
	ai8x_network *network = parse(text);
	ai8x_status status =
		ai8x_network_compile(network, ai8x_part_find(cases[_i].part), NULL, &program, &error);
	if (cases[_i].message == NULL) {
		ck_assert_msg(status == AI8X_OK, "%s", error.message);
		ck_assert_uint_eq(network->warning_count, 0);
	} else {
		ck_assert_int_eq(status, AI8X_ERR_NETWORK);
		ck_assert_msg(strstr(error.message, cases[_i].message) != NULL, "%s", error.message);
	}
	ai8x_program_destroy(program);
	ai8x_network_destroy(network);
}
END_TEST

// Layer 2 writes where layer 3 still reads layer 0, or does not.
START_TEST(overwritten_data_are_told)
{
	static const struct {
		const char *offset, *warning;
	} cases[] = {
		{"0x200", NULL},
		{"0x1040", NULL},
		{"0x103c", "layer 3: reads channel 0, pixel 15 of the output of layer 0 from word 0x40f (offset "
	               "0x103c) of data memory "
	               "instance 0, but layer 2 writes its output there in the meantime"},
	};
	ck_assert_uint_eq(sizeof cases / sizeof cases[0], 3);
	char text[1024];
	snprintf(
		text, sizeof text,
		"layers:\n"
		"  - {in_channels: 4, in_dim: [4, 4], out_channels: 4, processors: 0xf, out_offset: 0x1000}\n"
		"  - {out_channels: 4, processors: 0xf, out_offset: 0x2000}\n"
		"  - {out_channels: 4, processors: 0xf, out_offset: %s}\n"
		"  - {out_channels: 4, processors: 0xf, in_sequences: 0, in_offset: 0x1000, out_offset: 0x3000}\n",
		cases[_i].offset);
	ai8x_error error = {AI8X_OK, ""};
	ai8x_program *program = NULL;
	ai8x_network *network = parse(text);
	ck_assert_msg(ai8x_network_compile(network, ai8x_part_find("MAX78000"), NULL, &program, &error) ==
	                  AI8X_OK,
	              "%s", error.message);
	ck_assert_uint_eq(network->warning_count, cases[_i].warning != NULL);
	ck_assert_msg(cases[_i].warning == NULL || strstr(network->warnings[0], cases[_i].warning) != NULL, "%s",
	              network->warning_count > 0 ? network->warnings[0] : "");
	ai8x_network *copy = NULL;
	ck_assert_int_eq(ai8x_network_copy(network, &copy, NULL), AI8X_OK);
	ck_assert_uint_eq(copy->warning_count, network->warning_count);
	ai8x_network_destroy(copy);
	ai8x_program_destroy(program);
	ai8x_network_destroy(network);
}
END_TEST

START_TEST(copies_are_independent)
{
	const ai8x_part *part = ai8x_part_find("MAX78002");
	ai8x_network *network = parse(residual);
	ai8x_network *copy = NULL;
	ai8x_program *first = NULL, *second = NULL;
	ck_assert_int_eq(ai8x_network_randomise(network, 3, NULL, NULL, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_network_copy(network, &copy, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_network_compile(network, part, NULL, &first, NULL), AI8X_OK);
	// Placement of the original must not have touched the copy.
	ck_assert_uint_eq(copy->layers[0].processors, 0);
	ck_assert_uint_eq(copy->note_count, 0);
	ai8x_network_destroy(network);
	ck_assert_int_eq(ai8x_network_compile(copy, part, NULL, &second, NULL), AI8X_OK);
	expect_same_ops(first, second);
	ai8x_program_destroy(first);
	ai8x_program_destroy(second);
	ai8x_network_destroy(copy);
}
END_TEST

START_TEST(seeds_are_the_same_everywhere)
{
	ai8x_network *network = parse(residual);
	ck_assert_int_eq(ai8x_network_randomise(network, 1, NULL, NULL, NULL), AI8X_OK);
	// Worked out from the published definition of SplitMix64, independently of the library.
	static const int8_t input[] = {-15, -61, 116, -26, -31, 39, -36, 36};
	static const int8_t weights[] = {21, -124, -89, 21, -127, -125, -59, 68};
	ck_assert_mem_eq(network->input, input, sizeof input);
	ck_assert_mem_eq(network->layers[0].weights, weights, sizeof weights);
	ai8x_network_destroy(network);
}
END_TEST

START_TEST(shapes_alone_make_a_program)
{
	ai8x_error error = {AI8X_OK, ""};
	ai8x_program *program = NULL;
	ai8x_network *network = parse(residual);
	size_t count = 0, expectations = 0;
	ck_assert_int_eq(ai8x_network_compile(network, ai8x_part_find("MAX78002"), NULL, &program, &error),
	                 AI8X_OK);
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	for (size_t i = 0; i < count; i++) {
		expectations += ops[i].kind == AI8X_BUS_EXPECT;
		ck_assert_uint_ne(ops[i].kind, AI8X_BUS_WRITE8);
	}
	ck_assert_uint_eq(expectations, 0);
	ck_assert_uint_eq(ai8x_program_layer_count(program), 7);
	ck_assert_str_eq(ai8x_program_text(program, 2, "eltwise", ""), "add");
	ai8x_program_destroy(program);
	ai8x_network_destroy(network);
}
END_TEST

// --- Two networks in one chip --------------------------------------------------------------------------------

// The first two layers are one network, the others another one.
static const char two_networks[] =
	"layers:\n"
	"  - {in_dim: [8, 8], in_channels: 4, out_channels: 8, processors: 0xf, output_processors: 0xff, "
	"out_offset: 0x2000}\n"
	"  - {out_channels: 4, processors: 0xff, output_processors: 0xf, out_offset: 0x4000, next_sequence: "
	"stop}\n"
	"  - {in_sequences: input, in_dim: [8, 8], in_offset: 0x1000, in_channels: 4, out_channels: 6, "
	"processors: 0xf, "
	"output_processors: 0x3f, out_offset: 0x6000}\n"
	"  - {out_channels: 4, processors: 0x3f, output_processors: 0xf, out_offset: 0x7000}\n";

static ai8x_program *compile_part(const char *text, const char *part, const ai8x_network_files *files,
                                  ai8x_compile_options options, uint64_t seed)
{
	ai8x_error error = {AI8X_OK, ""};
	ai8x_network *network = NULL;
	ai8x_network_tensor *outputs = NULL;
	golden_model *model = NULL;
	ai8x_program *program = NULL;
	ck_assert_msg(ai8x_network_parse(text, strlen(text), "net.yaml", files, &network, &error) == AI8X_OK,
	              "%s", error.message);
	ck_assert_int_eq(ai8x_network_randomise(network, seed, NULL, NULL, &error), AI8X_OK);
	ck_assert_int_eq(ai8x_network_place(network, ai8x_part_find(part), &options, &error), AI8X_OK);
	ck_assert_int_eq(golden_model_create(network, &model, &error), AI8X_OK);
	ck_assert_int_eq(golden_model_outputs(model, &outputs, &error), AI8X_OK);
	options.outputs = outputs;
	ck_assert_msg(ai8x_network_compile(network, ai8x_part_find(part), &options, &program, &error) == AI8X_OK,
	              "%s", error.message);
	free(outputs);
	golden_model_destroy(model);
	ai8x_network_destroy(network);
	return program;
}

// The same program without what it writes to kernel memory.
static ai8x_program *without_kernels(const ai8x_program *program)
{
	ai8x_program *rest = NULL;
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	ck_assert_int_eq(ai8x_program_create(ai8x_program_part(program), "rest", &rest, NULL), AI8X_OK);
	for (size_t i = 0; i < count; i++) {
		struct part_target target;
		const bool kernel = part_decode_address(ai8x_program_part(program), ops[i].address, &target) &&
		                    !target.is_register && target.memory == MEMORY_KERNEL;
		if (!kernel)
			ck_assert_int_eq(ai8x_program_append(rest, ops[i], NULL), AI8X_OK);
	}
	return rest;
}

static void expect_pass(ai8x_machine *machine, const ai8x_program *program)
{
	ai8x_runner_result result;
	ck_assert_msg(ai8x_runner_run(machine, program, NULL, &result) == AI8X_OK, "%s", result.message);
	ck_assert_uint_gt(result.checks, 0);
	ck_assert_uint_eq(result.mismatches, 0);
	ai8x_runner_result_release(&result);
}

// Both are loaded once, then each runs again with its kernels where they were.
START_TEST(two_networks_share_a_chip)
{
	static const unsigned last = 1;
	const bool second_part = _i == 1;
	const char *part = second_part ? "MAX78002" : "MAX78000";
	const ai8x_network_files first_files = {.last_layer = &last},
							 second_files = {.first_layer = second_part ? 2 : 0};
	ai8x_compile_options options = ai8x_compile_options_default();
	// The MAX78000 does not clear layer registers: what the other network left has to be written over.
	options.write_zero_registers = !second_part;
	ai8x_program *first = compile_part(two_networks, part, &first_files, options, 1);
	// The MAX78000 begins with layer 0: the second network is a description of its own there.
	const char *text =
		second_part
			? two_networks
			: "layers:\n"
			  "  - {in_dim: [8, 8], in_offset: 0x1000, in_channels: 4, out_channels: 6, processors: 0xf, "
			  "output_processors: 0x3f, out_offset: 0x6000}\n"
			  "  - {out_channels: 4, processors: 0x3f, output_processors: 0xf, out_offset: 0x7000}\n";
	options.weight_start = 12;
	ai8x_program *second = compile_part(text, part, &second_files, options, 2);
	options.weight_start = 0;
	ai8x_program *careless = compile_part(text, part, &second_files, options, 2);
	ai8x_program *first_again = without_kernels(first), *second_again = without_kernels(second);
	ai8x_machine *machine = NULL;
	ck_assert_int_eq(ai8x_machine_create(ai8x_part_find(part), NULL, &machine, NULL), AI8X_OK);
	expect_pass(machine, first);
	expect_pass(machine, second);
	expect_pass(machine, first_again);
	expect_pass(machine, second_again);
	if (!second_part) {
		// Without room of its own the second one's kernels lie on the first one's.
		ai8x_runner_result result;
		expect_pass(machine, careless);
		ck_assert_int_eq(ai8x_runner_run(machine, first_again, NULL, &result), AI8X_OK);
		ck_assert_uint_gt(result.mismatches, 0);
		ai8x_runner_result_release(&result);
	}
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(first);
	ai8x_program_destroy(second);
	ai8x_program_destroy(careless);
	ai8x_program_destroy(first_again);
	ai8x_program_destroy(second_again);
}
END_TEST

// --- NumPy files ------------------------------------------------------------------------------------

// A .npy image in memory: header text, then data.
static size_t make_npy(uint8_t *bytes, const char *header, const void *data, size_t size)
{
	static const uint8_t magic[8] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
	size_t length = strlen(header);
	memcpy(bytes, magic, sizeof magic);
	bytes[8] = (uint8_t)length;
	bytes[9] = (uint8_t)(length >> 8);
	for (size_t i = 0; i < length; i++)
		bytes[10 + i] = (uint8_t)header[i];
	memcpy(bytes + 10 + length, data, size);
	return 10 + length + size;
}

START_TEST(arrays_of_every_kind_are_read)
{
	static const uint8_t little[] = {1, 0, 0xff, 0xff, 3, 0, 0xfc, 0xff, 5, 0, 6, 0};
	static const uint8_t big[] = {0, 1, 0xff, 0xff, 0, 3, 0xff, 0xfc, 0, 5, 0, 6};
	static const int32_t rows[] = {1, -1, 3, -4, 5, 6};
	static const int32_t columns[] = {1, 3, 5, -1, -4, 6};
	static const struct {
		const char *header;
		const uint8_t *data;
		const int32_t *values;
	} cases[] = {
		{"{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }", little, rows},
		{"{'descr': '>i2', 'fortran_order': False, 'shape': (2, 3), }", big, rows},
		{"{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }", little, columns},
	};
	uint8_t bytes[256];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct array_list list = {NULL, 0};
		size_t size = make_npy(bytes, cases[i].header, cases[i].data, sizeof little);
		ck_assert_int_eq(arrays_parse(bytes, size, "a.npy", "", &list, NULL), AI8X_OK);
		ck_assert_uint_eq(list.count, 1);
		ck_assert_uint_eq(list.arrays[0].rank, 2);
		ck_assert_uint_eq(list.arrays[0].shape[1], 3);
		ck_assert_mem_eq(list.arrays[0].values, cases[i].values, sizeof rows);
		arrays_release(&list);
	}
}
END_TEST

START_TEST(damaged_arrays_are_refused)
{
	static const char *const headers[] = {
		"{'descr': '<i2', 'fortran_order': False, 'shape': (2, 4), }",
		"{'descr': '<i3', 'fortran_order': False, 'shape': (2, 3), }",
		"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }",
		"{'descr': '<i2', 'fortran_order': False, 'shape': (99999999999999999999, 9), }",
		"{'descr': '<i2', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1), }",
		"{'descr': '<i2', 'shape': (2, 3), }",
		"",
	};
	uint8_t data[12] = {0};
	uint8_t bytes[256];
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		struct array_list list = {NULL, 0};
		ai8x_error error = {AI8X_OK, ""};
		size_t size = make_npy(bytes, headers[i], data, sizeof data);
		ck_assert_msg(arrays_parse(bytes, size, "a.npy", "", &list, &error) == AI8X_ERR_FORMAT, "%s",
		              headers[i]);
		ck_assert_msg(strstr(error.message, "a.npy: offset") != NULL, "%s", error.message);
		arrays_release(&list);
	}
}
END_TEST

START_TEST(arrays_of_every_rank_are_written_and_read)
{
	static const int32_t values[] = {0, -1, INT32_MAX, INT32_MIN, 255, -256, 65536, 7};
	ai8x_array array = {.name = "/a/b", .values = values};
	char path[] = "/tmp/ai8xsim-array-XXXXXX";
	ai8x_error error = {0};
	ck_assert_int_ge(close(mkstemp(path)), 0);
	for (array.rank = 1; array.rank <= AI8X_ARRAY_MAX_RANK; array.rank++) {
		// All sides 1 but the last two: the names of sides are not all alike.
		for (unsigned d = 0; d < array.rank; d++)
			array.shape[d] = d + 1 == array.rank ? (array.rank == 1 ? 8 : 4) : d + 2 == array.rank ? 2 : 1;
		struct array_list list = {NULL, 0};
		ck_assert_msg(ai8x_array_write_npy(&array, path, &error) == AI8X_OK, "%s", error.message);
		ck_assert_msg(arrays_open(path, &list, &error) == AI8X_OK, "%s", error.message);
		ck_assert_uint_eq(list.count, 1);
		ck_assert_uint_eq(list.arrays[0].rank, array.rank);
		for (unsigned d = 0; d < array.rank; d++)
			ck_assert_uint_eq(list.arrays[0].shape[d], array.shape[d]);
		ck_assert_mem_eq(list.arrays[0].values, values, sizeof values);
		arrays_release(&list);
	}
	ck_assert_int_eq(unlink(path), 0);
	for (unsigned wrong = 0; wrong <= 7; wrong += 7) {
		array.rank = wrong;
		ck_assert_int_eq(ai8x_array_write_npy(&array, path, &error), AI8X_ERR_ARGUMENT);
		ck_assert_int_eq(ai8x_arrays_write_hdf5(&array, 1, path, &error), AI8X_ERR_ARGUMENT);
		ck_assert_int_ne(access(path, F_OK), 0);
	}
}
END_TEST

static Suite *network_suite(void)
{
	Suite *suite = suite_create("network");
	TCase *registers = tcase_create("registers");
	tcase_set_timeout(registers, 900);
	tcase_add_test(registers, golden_registers_survive_decoding);
	suite_add_tcase(suite, registers);

	TCase *descriptions = tcase_create("descriptions");
	tcase_add_test(descriptions, defaults_follow_the_operation);
	tcase_add_test(descriptions, maps_and_integers_are_read_as_yaml_writes_them);
	tcase_add_test(descriptions, joins_follow_from_in_sequences);
	tcase_add_loop_test(descriptions, errors_name_line_key_and_remedy, 0, 26);
	tcase_add_loop_test(descriptions, limits_are_explained, 0, 13);
	suite_add_tcase(suite, descriptions);

	TCase *programs = tcase_create("programs");
	tcase_set_timeout(programs, 900);
	tcase_add_loop_test(programs, chosen_placement_computes_what_the_reference_computes, 0, 2);
	tcase_add_loop_test(programs, written_descriptions_and_weights_give_the_same_program, 0, 4);
	tcase_add_loop_test(programs, given_gaps_are_checked, 0, 9);
	tcase_add_loop_test(programs, overwritten_data_are_told, 0, 3);
	tcase_add_test(programs, copies_are_independent);
	tcase_add_test(programs, seeds_are_the_same_everywhere);
	tcase_add_test(programs, shapes_alone_make_a_program);
	tcase_add_loop_test(programs, two_networks_share_a_chip, 0, 2);
	suite_add_tcase(suite, programs);

	TCase *arrays = tcase_create("arrays");
	tcase_add_test(arrays, arrays_of_every_kind_are_read);
	tcase_add_test(arrays, damaged_arrays_are_refused);
	tcase_add_test(arrays, arrays_of_every_rank_are_written_and_read);
	suite_add_tcase(suite, arrays);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(network_suite());
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
