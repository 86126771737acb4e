// Memories behind the bus: both kernel loaders, byte lanes, bias, FIFOs, self-tests, errors of access.
#include <string.h>

#include "memory/memory.h"
#include "rig.h"

static const char *const part_names[] = {"MAX78000", "MAX78002"};

static uint32_t kernel_address(const struct rig *rig, unsigned processor)
{
	const struct part_memory_row *row = &rig->part->memories[MEMORY_KERNEL];
	return row->address + processor / 16 * rig->part->group_stride + processor % 16 * row->unit_stride;
}

static void write32(struct rig *rig, uint32_t address, uint32_t value)
{
	ck_assert_int_eq(ai8x_machine_write32(rig->machine, address, value, NULL), AI8X_OK);
}

static uint32_t read32(struct rig *rig, uint32_t address)
{
	uint32_t value;
	ck_assert_int_eq(ai8x_machine_read32(rig->machine, address, &value, NULL), AI8X_OK);
	return value;
}

START_TEST(plain_kernel_load_commits_with_the_fourth_word)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	size_t words;
	const uint8_t *stream = ai8x_machine_kernels(rig.machine, 17, &words);
	uint32_t base = kernel_address(&rig, 17) + 16 * 3;
	// Word 0 of the worked example, hardware reference 8.
	write32(&rig, base, 0x4b);
	write32(&rig, base + 4, 0x60b5df33);
	write32(&rig, base + 8, 0x03f8552a);
	ck_assert_uint_eq(stream[27 + 8], 0);
	write32(&rig, base + 12, 0);
	static const uint8_t k[9] = {0x4b, 0x60, 0xb5, 0xdf, 0x33, 0x03, 0xf8, 0x55, 0x2a};
	for (unsigned i = 0; i < 9; i++)
		ck_assert_uint_eq(stream[27 + 8 - i], k[i]);
	ck_assert_uint_eq(read32(&rig, base), 0x4b);
	ck_assert_uint_eq(read32(&rig, base + 4), 0x60b5df33);
	ck_assert_uint_eq(read32(&rig, base + 8), 0x03f8552a);
	ck_assert_uint_eq(read32(&rig, base + 12), 0);
	rig_close(&rig);
}
END_TEST

// Firmware writes the packed words from the window's base, generated programs from the start address: only the
// byte write decides (hardware reference 2.1).
START_TEST(packed_kernel_load_follows_the_byte_write)
{
	struct rig rig;
	rig_open(&rig, part_names[_i % 2], NULL);
	rig_set(&rig, F_MEXPRESS, 1, 0, 1);
	const uint32_t first = 5;
	uint32_t base = kernel_address(&rig, 20), data = _i < 2 ? base : base + 4 * first;
	ck_assert_int_eq(ai8x_machine_write8(rig.machine, (base + 4 * first) | 1, 1, NULL), AI8X_OK);
	for (uint32_t i = 0; i < 5; i++) // 20 bytes: two words and two bytes of padding
		write32(&rig, data + 4 * i, 0x01020304 + i * 0x04040404);
	const uint8_t *stream = ai8x_machine_kernels(rig.machine, 20, NULL);
	for (unsigned i = 0; i < 18; i++)
		ck_assert_uint_eq(stream[9 * (first + i / 9) + 8 - i % 9], i + 1);
	for (unsigned i = 0; i < 9; i++)
		ck_assert_uint_eq(stream[9 * (first + 2) + i], 0);
	// The next block starts afresh: the padding is forgotten.
	ck_assert_int_eq(ai8x_machine_write8(rig.machine, base | 1, 1, NULL), AI8X_OK);
	write32(&rig, base, 0xaabbccdd);
	write32(&rig, base, 0xeeff0011);
	write32(&rig, base, 0x22000000);
	ck_assert_uint_eq(stream[8], 0xaa);
	ck_assert_uint_eq(stream[0], 0x22);
	rig_close(&rig);
}
END_TEST

START_TEST(packed_kernel_load_stops_at_the_end)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	rig_set(&rig, F_MEXPRESS, 0, 0, 1);
	size_t words;
	const uint8_t *stream = ai8x_machine_kernels(rig.machine, 1, &words);
	uint32_t base = kernel_address(&rig, 1);
	uint32_t last = (uint32_t)words - 1;
	ck_assert_int_eq(ai8x_machine_write8(rig.machine, (base + 4 * last) | 1, 1, NULL), AI8X_OK);
	for (unsigned i = 0; i < 9; i++)
		write32(&rig, base, 0x5a5a5a5a);
	ck_assert_uint_eq(stream[9 * last], 0x5a);
	rig_close(&rig);
}
END_TEST

START_TEST(data_memory_takes_bytes_and_words)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	uint32_t address = ai8x_part_data_address(rig.part, 9, 77);
	write32(&rig, address, 0x44332211);
	ck_assert_int_eq(ai8x_machine_write8(rig.machine, address + 2, 0x99, NULL), AI8X_OK);
	ck_assert_uint_eq(read32(&rig, address), 0x44992211);
	ck_assert_uint_eq(rig_data(&rig, 9, 77), 0x44992211);
	uint8_t byte;
	ck_assert_int_eq(ai8x_machine_read8(rig.machine, address + 3, &byte, NULL), AI8X_OK);
	ck_assert_uint_eq(byte, 0x44);
	ck_assert_ptr_null(ai8x_machine_data(rig.machine, 16, NULL));
	ck_assert_ptr_null(ai8x_machine_kernels(rig.machine, 64, NULL));
	ck_assert_ptr_null(ai8x_machine_bias(rig.machine, 4, NULL));
	rig_close(&rig);
}
END_TEST

START_TEST(bias_and_tram_keep_their_width)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	uint32_t bias = rig.part->memories[MEMORY_BIAS].address + 2 * rig.part->group_stride + 4 * 11;
	write32(&rig, bias, 0x123456f9);
	ck_assert_int_eq(ai8x_machine_bias(rig.machine, 2, NULL)[11], -7);
	ck_assert_uint_eq(read32(&rig, bias), 0xf9);
	uint32_t tram = rig.part->memories[MEMORY_TRAM].address + 4 * 5;
	write32(&rig, tram, 0xdeadbeef);
	ck_assert_uint_eq(read32(&rig, tram), 0xbeef);
	rig_close(&rig);
}
END_TEST

START_TEST(bad_accesses_are_refused)
{
	struct rig rig;
	ai8x_error error;
	uint32_t value;
	rig_open(&rig, part_names[_i], NULL);
	uint32_t data = ai8x_part_data_address(rig.part, 0, 0);
	ck_assert_int_eq(ai8x_machine_write32(rig.machine, data + 1, 0, &error), AI8X_ERR_ALIGNMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "multiple of 4"));
	ck_assert_int_eq(ai8x_machine_read32(rig.machine, data + 2, &value, &error), AI8X_ERR_ALIGNMENT);
	ck_assert_int_eq(ai8x_machine_write32(rig.machine, 0x20000000, 0, &error), AI8X_ERR_ADDRESS);
	ck_assert_ptr_nonnull(strstr(error.message, "0x20000000"));
	ck_assert_ptr_nonnull(strstr(error.message, part_names[_i]));
	ck_assert_int_eq(ai8x_machine_write8(rig.machine, 0x20000000, 0, NULL), AI8X_ERR_ADDRESS);
	ck_assert_int_eq(ai8x_machine_fifo_push(rig.machine, data, 0, &error), AI8X_ERR_ADDRESS);
	rig_close(&rig);
}
END_TEST

START_TEST(fifos_report_full)
{
	struct rig rig;
	ai8x_machine_options options = ai8x_machine_options_default();
	options.fifo_depth = 3;
	rig_open(&rig, part_names[_i], &options);
	const uint32_t fifo[] = {0x50000008, 0x5000000c, 0x400c0410};
	for (size_t f = 0; f < sizeof fifo / sizeof fifo[0]; f++) {
		for (uint32_t i = 0; i < 3; i++)
			ck_assert_int_eq(ai8x_machine_fifo_push(rig.machine, fifo[f], i, NULL), AI8X_OK);
		ck_assert_int_eq(ai8x_machine_fifo_push(rig.machine, fifo[f], 9, NULL), AI8X_FIFO_FULL);
		ck_assert_int_eq(ai8x_machine_write32(rig.machine, fifo[f], 9, NULL), AI8X_FIFO_FULL);
	}
	uint32_t status = read32(&rig, 0x50000004);
	const uint32_t words[] = {1, 2, 3, 4};
	size_t taken = 9;
	ck_assert_int_eq(ai8x_machine_fifo_push_words(rig.machine, fifo[0], words, 4, &taken, NULL),
	                 AI8X_FIFO_FULL);
	ck_assert_uint_eq(taken, 0);
	ck_assert_int_eq(ai8x_machine_fifo_push_words(rig.machine, 0x50000010, words, 4, &taken, NULL),
	                 AI8X_FIFO_FULL);
	ck_assert_uint_eq(taken, 3);
	ck_assert_int_eq(ai8x_machine_fifo_push_words(rig.machine, 0x50000014, words, 3, &taken, NULL), AI8X_OK);
	ck_assert_uint_eq(taken, 3);
	ck_assert_int_eq(ai8x_machine_fifo_push_words(rig.machine, 0x50000000, words, 1, &taken, NULL),
	                 AI8X_ERR_ADDRESS);
	ck_assert_uint_eq(taken, 0);
	ck_assert_uint_eq(part_field_extract(rig.part, F_STAT_FULL, status), 3);
	ck_assert_uint_eq(part_field_extract(rig.part, F_STAT_EMPTY, status), 12);
	ck_assert_uint_eq(read32(&rig, 0x400c0404) & 2, 2);
	rig_close(&rig);
}
END_TEST

START_TEST(words_are_stored_directly)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	const uint32_t words[] = {0x01020304, 0x05060708};
	size_t size;
	(void)ai8x_machine_data(rig.machine, 3, &size);
	const uint32_t last = (uint32_t)size - 2;
	ck_assert_int_eq(ai8x_machine_store_data(rig.machine, 3, last, words, 2, NULL), AI8X_OK);
	ck_assert_uint_eq(read32(&rig, ai8x_part_data_address(rig.part, 3, last)), words[0]);
	ck_assert_uint_eq(read32(&rig, ai8x_part_data_address(rig.part, 3, last + 1)), words[1]);
	ai8x_error error;
	ck_assert_int_eq(ai8x_machine_store_data(rig.machine, 3, last + 1, words, 2, &error), AI8X_ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "instance 3"));
	ck_assert_int_eq(ai8x_machine_store_data(rig.machine, AI8X_INSTANCES, 0, words, 1, NULL),
	                 AI8X_ERR_ARGUMENT);
	rig_close(&rig);
}
END_TEST

START_TEST(fifo_keeps_order)
{
	struct fifo fifo;
	uint32_t value;
	fifo_reset(&fifo, 4);
	ck_assert(!fifo_pop(&fifo, &value));
	for (uint32_t round = 0; round < 5; round++) {
		for (uint32_t i = 0; i < 3; i++)
			ck_assert(fifo_push(&fifo, 10 * round + i));
		for (uint32_t i = 0; i < 3; i++) {
			ck_assert(fifo_pop(&fifo, &value));
			ck_assert_uint_eq(value, 10 * round + i);
		}
	}
	ck_assert_uint_eq(fifo.pushed, 15);
	ck_assert_uint_eq(fifo.popped, 15);
}
END_TEST

START_TEST(stream_images_have_a_limit)
{
	static struct data_memory data;
	struct stream_image image = {.words = 0};
	const uint32_t base[AI8X_GROUPS] = {0};
	ck_assert_int_eq(stream_image_begin(&image, &data, base, (uint64_t)STREAM_MOST_WORDS + 1, 0, 1),
	                 AI8X_ERR_LIMIT);
	ck_assert_ptr_null(image.word[0]);
	stream_image_release(&image);
}
END_TEST

START_TEST(stream_images_keep_their_room)
{
	struct data_memory data;
	struct stream_image image = {.words = 0};
	const uint32_t base[AI8X_GROUPS] = {0};
	ck_assert_int_eq(data_memory_create(&data, ai8x_part_find("MAX78000")), AI8X_OK);
	data.word[4][7] = 70;
	ck_assert_int_eq(stream_image_begin(&image, &data, base, 100, 0, 1u << 4), AI8X_OK);
	const uint32_t *first = image.word[4];
	stream_image_store(&image, 4, 7, 1, UINT32_MAX);
	stream_image_end(&image);
	ck_assert_ptr_null(image.word[4]);
	// Of another layer, smaller: the same room, what data memory holds, and no other instance.
	ck_assert_int_eq(stream_image_begin(&image, &data, base, 50, 0, 1u << 4), AI8X_OK);
	ck_assert_ptr_eq(image.word[4], first);
	ck_assert_uint_eq(image.word[4][7], 70);
	ck_assert_ptr_null(image.word[0]);
	stream_image_release(&image);
	data_memory_destroy(&data);
}
END_TEST

// Firmware clears memories by self-test and polls the done bits (register table, SRAM_TEST).
START_TEST(selftest_clears_and_reports)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	static const uint8_t k[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	const bool has_registers = _i == 1;
	rig_write_data(&rig, 5, 10, 0x12345678);
	rig_write_data(&rig, 9, 10, 0x12345678);
	rig_write_kernel(&rig, 16, 0, k);
	rig_write_bias(&rig, 1, 0, 5);
	rig_set(&rig, F_STRIDE, 1, 0, 3);
	uint32_t test = part_register_address(rig.part, REG_SRAM_TEST, 1, 0);
	const uint32_t run_all = _i == 0 ? 0x55 : 0x55 | 0x3000;
	write32(&rig, test, run_all);
	ck_assert_uint_eq(rig_data(&rig, 5, 10), 0);
	ck_assert_uint_eq(rig_data(&rig, 9, 10), 0x12345678); // another group
	ck_assert_uint_eq(ai8x_machine_kernels(rig.machine, 16, NULL)[0], 0);
	ck_assert_int_eq(ai8x_machine_bias(rig.machine, 1, NULL)[0], 0);
	uint32_t status = read32(&rig, test);
	ck_assert_uint_eq(part_field_extract(rig.part, F_TEST_BISTDONE, status), 1);
	ck_assert_uint_eq(part_field_extract(rig.part, F_TEST_BDONE, status), 15);
	ck_assert_uint_eq(part_field_extract(rig.part, F_TEST_FAIL, status), 0);
	write32(&rig, test, 0);
	ck_assert_uint_eq(read32(&rig, test), 0);
	if (has_registers) {
		rig_write_bias(&rig, 1, 0, 5);
		write32(&rig, test, 0x1880); // registers only
		ck_assert_uint_eq(rig_get(&rig, F_STRIDE, 1, 0), 0);
		ck_assert_int_eq(ai8x_machine_bias(rig.machine, 1, NULL)[0], 5);
		ck_assert_uint_ne(read32(&rig, test) & 1u << 25, 0);
		write32(&rig, test, 0);
		write32(&rig, test, 0x1c80); // registers and bias
		ck_assert_int_eq(ai8x_machine_bias(rig.machine, 1, NULL)[0], 0);
	} else {
		ck_assert_uint_eq(rig_get(&rig, F_STRIDE, 1, 0), 3);
	}
	rig_close(&rig);
}
END_TEST

START_TEST(reset_restores_everything)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	rig_write_data(&rig, 5, 10, 0x12345678);
	rig_set(&rig, F_STRIDE, 1, 0, 3);
	ai8x_machine_reset(rig.machine);
	ck_assert_uint_eq(rig_data(&rig, 5, 10), 0);
	ck_assert_uint_eq(rig_get(&rig, F_STRIDE, 1, 0), 0);
	ck_assert_uint_eq(rig_get(&rig, F_RDY_SEL, 0, 0), 3);
	rig_close(&rig);
}
END_TEST

// Mlator (hardware reference 4.10): one lane of four words a read, the first read is a dummy.
START_TEST(mlator_reads_one_lane)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	for (uint32_t w = 0; w < 8; w++)
		rig_write_data(&rig, 1, 100 + w, 0x01010101 * w + 0x30201000);
	rig_set(&rig, F_WPTR_INSTANCE, 0, 0, 1);
	rig_set(&rig, F_WPTR_WORD, 0, 0, 100);
	rig_set(&rig, F_MLATCH_SEL, 0, 0, 2);
	rig_set(&rig, F_MLAT_LD, 0, 0, 1);
	uint32_t mlat = part_register_address(rig.part, REG_MLAT, 0, 0);
	(void)read32(&rig, mlat);
	ck_assert_uint_eq(read32(&rig, mlat), 0x23222120);
	ck_assert_uint_eq(read32(&rig, mlat), 0x27262524);
	rig_set(&rig, F_MLAT_LD, 0, 0, 0);
	ck_assert_uint_eq(read32(&rig, mlat), 0);
	rig_close(&rig);
}
END_TEST

RIG_MAIN("memory", tcase_add_loop_test(tcase, plain_kernel_load_commits_with_the_fourth_word, 0, 2);
         tcase_add_loop_test(tcase, packed_kernel_load_follows_the_byte_write, 0, 4);
         tcase_add_loop_test(tcase, packed_kernel_load_stops_at_the_end, 0, 2);
         tcase_add_loop_test(tcase, data_memory_takes_bytes_and_words, 0, 2);
         tcase_add_loop_test(tcase, bias_and_tram_keep_their_width, 0, 2);
         tcase_add_loop_test(tcase, bad_accesses_are_refused, 0, 2);
         tcase_add_loop_test(tcase, fifos_report_full, 0, 2);
         tcase_add_loop_test(tcase, words_are_stored_directly, 0, 2); tcase_add_test(tcase, fifo_keeps_order);
         tcase_add_test(tcase, stream_images_have_a_limit);
         tcase_add_test(tcase, stream_images_keep_their_room);
         tcase_add_loop_test(tcase, selftest_clears_and_reports, 0, 2);
         tcase_add_loop_test(tcase, reset_restores_everything, 0, 2);
         tcase_add_loop_test(tcase, mlator_reads_one_lane, 0, 2);)
