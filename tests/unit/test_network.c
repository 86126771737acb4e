// Unit tests of network descriptions and of the way from layer to registers and back.
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ai8xsim/network.h>
#include <ai8xsim/program.h>

#include "layer/encode.h"
#include "network/npy.h"

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
		    !part_decode_address(registers->part, ops[i].address, &target) || !target.is_register) {
			continue;
		}
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

// One program leaves a write pointer behind the last instance in groups that write nothing; bits above the
// instance belong to no field.
static bool is_idle_pointer(const ai8x_layer *layer, unsigned reg, unsigned group, uint32_t before, uint32_t after)
{
	const uint32_t known = part_field_mask(layer->part, F_WPTR_WORD) | part_field_mask(layer->part, F_WPTR_INSTANCE);
	return reg == REG_WPTR_BASE && (layer->processors >> (16 * group) & 0xffff) == 0 && (before & known) == after;
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
		if (!group_is_configured(registers, run->master, index)) {
			continue;
		}
		struct layer_run configured = *run;
		for (unsigned g = 0; g < AI8X_GROUPS; g++) {
			if (!group_is_configured(registers, g, index)) {
				configured.groups &= ~(1u << g);
			}
		}
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
			if (strstr(entry->d_name, ".h5") == NULL) {
				continue;
			}
			snprintf(path, sizeof path, "%s/%s/%s", golden, folders[f], entry->d_name);
			ck_assert_int_eq(ai8x_program_open(path, &options, &program, NULL), AI8X_OK);
			load_registers(program, registers, &run);
			wrong += round_trip(entry->d_name, registers, &run, &layers);
			programs++;
			ai8x_program_destroy(program);
		}
		if (folder != NULL) {
			closedir(folder);
		}
	}
	free(registers);
	printf("round trip: %u layers of %u programs\n", layers, programs);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

static Suite *network_suite(void)
{
	Suite *suite = suite_create("network");
	TCase *registers = tcase_create("registers");
	tcase_set_timeout(registers, 300);
	tcase_add_test(registers, golden_registers_survive_decoding);
	suite_add_tcase(suite, registers);
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
