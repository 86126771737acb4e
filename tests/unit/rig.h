// A machine with a register file at hand: what unit tests of the hardware blocks share.
#ifndef AI8X_TESTS_RIG_H
#define AI8X_TESTS_RIG_H

#include <check.h>
#include <stdlib.h>

#include <ai8xsim/ai8xsim.h>

#include "bus/registers.h"

struct rig {
	ai8x_machine *machine;
	const ai8x_part *part;
	struct registers registers; // what was written so far
};

static inline void rig_close(struct rig *rig)
{
	ai8x_machine_destroy(rig->machine);
}

// Sets a field of one group's register by a bus write of the whole register.
static inline void rig_set(struct rig *rig, enum part_field_id field, unsigned group, uint32_t index,
                           uint32_t value)
{
	ai8x_error error = {0};
	enum part_register reg = rig->part->fields[field].reg;
	ck_assert_msg(rig->part->fields[field].width > 0, "the part lacks field %s", part_field_name(field));
	field_set(&rig->registers, field, group, index, value);
	uint32_t address = part_register_address(rig->part, reg, group, index);
	uint32_t word = register_get(&rig->registers, reg, group, index);
	ck_assert_msg(ai8x_machine_write32(rig->machine, address, word, &error) == AI8X_OK, "%s", error.message);
}

static inline uint32_t rig_get(struct rig *rig, enum part_field_id field, unsigned group, uint32_t index)
{
	uint32_t value;
	enum part_register reg = rig->part->fields[field].reg;
	uint32_t address = part_register_address(rig->part, reg, group, index);
	ck_assert_int_eq(ai8x_machine_read32(rig->machine, address, &value, NULL), AI8X_OK);
	return part_field_extract(rig->part, field, value);
}

static inline void rig_write_data(struct rig *rig, unsigned instance, uint32_t word, uint32_t value)
{
	uint32_t address = ai8x_part_data_address(rig->part, instance, word);
	ck_assert_int_eq(ai8x_machine_write32(rig->machine, address, value, NULL), AI8X_OK);
}

static inline uint32_t rig_data(const struct rig *rig, unsigned instance, uint32_t word)
{
	size_t words;
	const uint32_t *data = ai8x_machine_data(rig->machine, instance, &words);
	ck_assert_uint_lt(word, words);
	return data[word];
}

// One kernel word (k0..k8) by plain loading.
static inline void rig_write_kernel(struct rig *rig, unsigned processor, uint32_t word, const uint8_t k[9])
{
	const struct part_memory_row *row = &rig->part->memories[MEMORY_KERNEL];
	uint32_t address = row->address + processor / 16 * rig->part->group_stride +
	                   processor % 16 * row->unit_stride + word * row->word_bytes;
	const uint32_t words[4] = {
		k[0],
		(uint32_t)k[1] << 24 | (uint32_t)k[2] << 16 | (uint32_t)k[3] << 8 | k[4],
		(uint32_t)k[5] << 24 | (uint32_t)k[6] << 16 | (uint32_t)k[7] << 8 | k[8],
		0,
	};
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(ai8x_machine_write32(rig->machine, address + 4 * i, words[i], NULL), AI8X_OK);
}

static inline void rig_write_bias(struct rig *rig, unsigned group, uint32_t entry, int8_t value)
{
	uint32_t address = rig->part->memories[MEMORY_BIAS].address + group * rig->part->group_stride + 4 * entry;
	ck_assert_int_eq(ai8x_machine_write32(rig->machine, address, (uint8_t)value, NULL), AI8X_OK);
}

// A machine without the pipeline, so that both parts take the same cycles.
static inline void rig_open(struct rig *rig, const char *part, const ai8x_machine_options *options)
{
	ai8x_error error;
	rig->part = ai8x_part_find(part);
	ck_assert_ptr_nonnull(rig->part);
	ck_assert_int_eq(ai8x_machine_create(rig->part, options, &rig->machine, &error), AI8X_OK);
	registers_reset(&rig->registers, rig->part);
	for (unsigned group = 0; group < AI8X_GROUPS && rig->part->fields[F_NO_PIPELINE].width > 0; group++)
		rig_set(rig, F_NO_PIPELINE, group, 0, 1);
}

// Starts group 0 alone.
static inline void rig_start(struct rig *rig)
{
	rig_set(rig, F_CNN_EN, 0, 0, 1);
}

static inline ai8x_status rig_run(struct rig *rig)
{
	ai8x_error error = {0};
	rig_start(rig);
	return ai8x_machine_run(rig->machine, NULL, &error);
}

#define RIG_MAIN(suite_name, ...)                                                                            \
	int main(void)                                                                                           \
	{                                                                                                        \
		Suite *suite = suite_create(suite_name);                                                             \
		TCase *tcase = tcase_create(suite_name);                                                             \
		tcase_set_timeout(tcase, 900);                                                                       \
		__VA_ARGS__                                                                                          \
		suite_add_tcase(suite, tcase);                                                                       \
		SRunner *runner = srunner_create(suite);                                                             \
		srunner_run_all(runner, CK_ENV);                                                                     \
		int failed = srunner_ntests_failed(runner);                                                          \
		srunner_free(runner);                                                                                \
		return failed == 0 ? 0 : 1;                                                                          \
	}

#endif
