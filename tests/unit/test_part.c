// Parts are tables: addresses, registers and fields are where the hardware reference says.
#include <stdio.h>
#include <string.h>

#include "rig.h"

START_TEST(parts_are_found_by_name)
{
	ck_assert_uint_eq(ai8x_part_count(), 2);
	ck_assert_ptr_eq(ai8x_part_find("MAX78000"), ai8x_part_at(0));
	ck_assert_ptr_eq(ai8x_part_find("max78002"), ai8x_part_at(1));
	ck_assert_ptr_eq(ai8x_part_find("78002"), ai8x_part_at(1));
	ck_assert_ptr_null(ai8x_part_find("MAX78001"));
	ck_assert_ptr_null(ai8x_part_find(NULL));
	ck_assert_ptr_null(ai8x_part_at(2));
}
END_TEST

// Hardware reference 2, "absolute check values".
static const struct {
	const char *part;
	uint32_t address;
	const char *region;
	const char *name;
	int group, unit, layer;
	uint32_t word;
} places[] = {
	{"MAX78000", 0x50000000, "global register", "FIFO_CTL", -1, -1, -1, 0},
	{"MAX78000", 0x50000010, "global register", "FIFO_WR", -1, 2, -1, 0},
	{"MAX78000", 0x50001000, "global register", "AON", -1, -1, -1, 0},
	{"MAX78000", 0x400c0410, "global register", "FAST_DR", -1, -1, -1, 0},
	{"MAX78000", 0x50100000, "group register", "CTL", 0, -1, -1, 0},
	{"MAX78000", 0x50500000, "group register", "CTL", 1, -1, -1, 0},
	{"MAX78000", 0x50900000, "group register", "CTL", 2, -1, -1, 0},
	{"MAX78000", 0x50d00000, "group register", "CTL", 3, -1, -1, 0},
	{"MAX78000", 0x50100014, "layer register", "RCNT", 0, -1, 1, 0},
	{"MAX78000", 0x5010080c, "layer register", "POST", 0, -1, 31, 0},
	{"MAX78000", 0x50100814, "stream register", "STREAM1", 0, -1, 1, 0},
	{"MAX78000", 0x50100990, "group register", "IFRM", 0, -1, -1, 0},
	{"MAX78000", 0x50100a10, "layer register", "LCTL2", 0, -1, 0, 0},
	{"MAX78000", 0x50101000, "group register", "MLAT", 0, -1, -1, 0},
	{"MAX78000", 0x50108004, "bias memory", NULL, 0, 0, -1, 1},
	{"MAX78000", 0x50110000, "TRAM", NULL, 0, 0, -1, 0},
	{"MAX78000", 0x50180000, "kernel memory", NULL, 0, 0, -1, 0},
	{"MAX78000", 0x50584010, "kernel memory", NULL, 1, 17, -1, 1},
	{"MAX78000", 0x50400000, "data memory", NULL, 0, 0, -1, 0},
	{"MAX78000", 0x50800000, "data memory", NULL, 1, 4, -1, 0},
	{"MAX78000", 0x50c00000, "data memory", NULL, 2, 8, -1, 0},
	{"MAX78000", 0x51000000, "data memory", NULL, 3, 12, -1, 0},
	{"MAX78000", 0x51019ffc, "data memory", NULL, 3, 15, -1, 0x7ff},
	{"MAX78002", 0x51000000, "group register", "CTL", 0, -1, -1, 0},
	{"MAX78002", 0x54000000, "group register", "CTL", 3, -1, -1, 0},
	{"MAX78002", 0x51100000, "layer register", "NXTLYR", 0, -1, 0, 0},
	{"MAX78002", 0x51107f4c, "layer register", "POST", 0, -1, 127, 0},
	{"MAX78002", 0x5110809c, "snoop register", "SNOOP_C2", 0, 0, -1, 0},
	{"MAX78002", 0x51180000, "bias memory", NULL, 0, 0, -1, 0},
	{"MAX78002", 0x51200000, "TRAM", NULL, 0, 0, -1, 0},
	{"MAX78002", 0x51400000, "kernel memory", NULL, 0, 0, -1, 0},
	{"MAX78002", 0x51800000, "data memory", NULL, 0, 0, -1, 0},
	{"MAX78002", 0x54873ffc, "data memory", NULL, 3, 15, -1, 20479},
};

START_TEST(addresses_lead_to_their_place)
{
	const ai8x_part *part = ai8x_part_find(places[_i].part);
	ai8x_location location;
	ck_assert_int_eq(ai8x_part_locate(part, places[_i].address, &location), AI8X_OK);
	ck_assert_str_eq(location.region, places[_i].region);
	if (places[_i].name != NULL)
		ck_assert_str_eq(location.name, places[_i].name);
	else
		ck_assert_ptr_null(location.name);
	ck_assert_int_eq(location.group, places[_i].group);
	ck_assert_int_eq(location.unit, places[_i].unit);
	ck_assert_int_eq(location.layer, places[_i].layer);
	ck_assert_uint_eq(location.word, places[_i].word);
}
END_TEST

static const struct {
	const char *part;
	uint32_t address;
} holes[] = {
	{"MAX78000", 0x00000000}, {"MAX78000", 0x50000018}, {"MAX78000", 0x50420000}, {"MAX78000", 0x50183000},
	{"MAX78000", 0x50108800}, {"MAX78000", 0xffffffff}, {"MAX78000", 0x54000000}, {"MAX78002", 0x50100000},
	{"MAX78002", 0x51814000}, {"MAX78002", 0x51430000}, {"MAX78002", 0x54880000}, {"MAX78002", 0x51000014},
};

START_TEST(holes_are_unmapped)
{
	ai8x_location location;
	const ai8x_part *part = ai8x_part_find(holes[_i].part);
	ck_assert_int_eq(ai8x_part_locate(part, holes[_i].address, &location), AI8X_ERR_ADDRESS);
}
END_TEST

START_TEST(register_addresses_decode_to_their_register)
{
	const ai8x_part *part = ai8x_part_at((unsigned)_i);
	for (unsigned r = 0; r < REG_COUNT; r++) {
		const struct part_register_row *row = &part->registers[r];
		for (unsigned g = 0; row->scope != SCOPE_NONE && g < AI8X_GROUPS; g++) {
			if (row->scope == SCOPE_GLOBAL && g > 0)
				break;
			for (uint32_t i = 0; i < row->count; i++) {
				struct part_target target;
				uint32_t address = part_register_address(part, (enum part_register)r, g, i);
				ck_assert(part_decode_address(part, address, &target));
				ck_assert(target.is_register);
				ck_assert_uint_eq(target.reg, r);
				ck_assert_uint_eq(target.group, g);
				ck_assert_uint_eq(target.index, i);
			}
		}
	}
}
END_TEST

START_TEST(data_addresses_decode_to_their_word)
{
	const ai8x_part *part = ai8x_part_at((unsigned)_i);
	const uint32_t words[] = {0, 1, 4095, part->info.data_words - 1};
	for (unsigned instance = 0; instance < AI8X_INSTANCES; instance++) {
		for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
			ai8x_location location;
			uint32_t address = ai8x_part_data_address(part, instance, words[w]);
			ck_assert_int_eq(ai8x_part_locate(part, address, &location), AI8X_OK);
			ck_assert_int_eq(location.unit, (int)instance);
			ck_assert_uint_eq(location.word, words[w]);
		}
	}
}
END_TEST

START_TEST(fields_do_not_overlap)
{
	const ai8x_part *part = ai8x_part_at((unsigned)_i);
	for (unsigned a = 0; a < FIELD_COUNT; a++) {
		for (unsigned b = a + 1; b < FIELD_COUNT; b++) {
			if (part->fields[a].reg != part->fields[b].reg)
				continue;
			// The read-ahead count shares a bit with the broadcast flag (register table, LCTL).
			if (a == F_SHIFT_CNT && b == F_DW_BCAST)
				continue;
			ck_assert_msg((part_field_mask(part, (enum part_field_id)a) &
			               part_field_mask(part, (enum part_field_id)b)) == 0,
			              "%s and %s of %s overlap", part_field_name((enum part_field_id)a),
			              part_field_name((enum part_field_id)b),
			              part_register_name((enum part_register)part->fields[a].reg));
		}
	}
}
END_TEST

// Bits of "high:low" or "bit" as a mask; 0 for "-".
static uint32_t mask_of(const char *bits)
{
	unsigned high, low;
	if (sscanf(bits, "%u:%u", &high, &low) != 2) {
		if (sscanf(bits, "%u", &high) != 1)
			return 0;
		low = high;
	}
	return (uint32_t)(((UINT64_C(1) << (high - low + 1)) - 1) << low);
}

// Fields that the reference's register table names exactly as ours must have its bits.
START_TEST(fields_agree_with_the_register_table)
{
	char line[4096];
	FILE *file = fopen(AI8XSIM_SOURCE "/docs/reference/registers.tsv", "r");
	ck_assert_ptr_nonnull(file);
	unsigned compared = 0;
	while (fgets(line, sizeof line, file) != NULL) {
		char *rest = line, *cell[6] = {0};
		for (unsigned i = 0; i < 6; i++)
			cell[i] = strsep(&rest, "\t");
		for (unsigned f = 0; cell[5] != NULL && f < FIELD_COUNT; f++) {
			for (unsigned p = 0; p < 2; p++) {
				const ai8x_part *part = ai8x_part_at(p);
				const struct part_field *field = &part->fields[f];
				const char *reg = part_register_name((enum part_register)field->reg);
				if (field->width == 0 || strcmp(reg, cell[0]) != 0 ||
				    strcmp(part_field_name((enum part_field_id)f), cell[3]) != 0 || mask_of(cell[4 + p]) == 0)
					continue;
				// The pointer step reaches from bit 4 to the top.
				if (f == F_MP_STRIDE)
					continue;
				ck_assert_msg(mask_of(cell[4 + p]) == part_field_mask(part, (enum part_field_id)f),
				              "%s %s.%s: table %s", part->info.name, cell[0], cell[3], cell[4 + p]);
				compared++;
			}
		}
	}
	(void)fclose(file);
	ck_assert_uint_gt(compared, 150);
}
END_TEST

START_TEST(fields_are_listed_lowest_first)
{
	ai8x_field fields[40];
	const ai8x_part *part = ai8x_part_find("MAX78000");
	size_t count = ai8x_part_fields(part, 0x50100000, fields, 40);
	ck_assert_uint_gt(count, 20);
	ck_assert_str_eq(fields[0].name, "cnn_en");
	for (size_t i = 1; i < count; i++)
		ck_assert_uint_ge(fields[i].low, fields[i - 1].low + fields[i - 1].width);
	ck_assert_uint_eq(ai8x_part_fields(part, 0x50400000, fields, 40), 0);
	ck_assert_uint_eq(ai8x_part_fields(part, 0x50100000, NULL, 0), count);
}
END_TEST

RIG_MAIN("part", tcase_add_test(tcase, parts_are_found_by_name);
         tcase_add_loop_test(tcase, addresses_lead_to_their_place, 0, sizeof places / sizeof places[0]);
         tcase_add_loop_test(tcase, holes_are_unmapped, 0, sizeof holes / sizeof holes[0]);
         tcase_add_loop_test(tcase, register_addresses_decode_to_their_register, 0, 2);
         tcase_add_loop_test(tcase, data_addresses_decode_to_their_word, 0, 2);
         tcase_add_loop_test(tcase, fields_do_not_overlap, 0, 2);
         tcase_add_test(tcase, fields_agree_with_the_register_table);
         tcase_add_test(tcase, fields_are_listed_lowest_first);)
