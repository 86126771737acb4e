// The MAX78000 as data. Source: hardware reference 1 to 3, 7; register table.
#include "part/both.h"

static const struct part_test_row tests[] = {
	TESTS_OF_BOTH,
	{1u << 7, 0, MEMORY_BIAS, false, 1u << 25 | 1u << 28},
};

// The peripheral clock is half the primary oscillator's.
static const struct part_clock_row clocks[] = {
	{"PCLK", 0, 50000000},
	{"ISO", 1, 60000000},
};

static const struct part_energy energy[] = {
	{1.1, 0, 31.8e-12, 22.8e-12, 0},
};

// Laid out by hand: a table, a row a line.
// clang-format off
const struct ai8x_part part_max78000 = {
	.info = {
		.name = "MAX78000",
		.layers = 32,
		.data_words = 8192,
		.kernel_words = 768,
		.kernel_words_first = 768,
		.bias_entries = 512,
		.tram_words = 3072,
		.max_passes = 16,
		.clock_hz = 50000000,
		.cycles_exact = true,
		.data_base = 0x50400000,
	},
	.group_stride = 0x00400000,
	.instance_shift = 13,
	.registers = {
		// scope, address of group 0 and index 0, stride, count, reset
		REGISTERS_OF_BOTH,
		[REG_CTL] = {SCOPE_GROUP, 0x50100000, 0x0, 1, 0x6},
		[REG_SRAM] = {SCOPE_GROUP, 0x50100004, 0x0, 1, 0xe},
		[REG_LCNT_MAX] = {SCOPE_GROUP, 0x50100008, 0x0, 1, 0x0},
		[REG_SRAM_TEST] = {SCOPE_GROUP, 0x5010000c, 0x0, 1, 0x0},
		[REG_IFRM] = {SCOPE_GROUP, 0x50100990, 0x0, 1, 0x0},
		[REG_MLAT] = {SCOPE_GROUP, 0x50101000, 0x0, 1, 0x0, .read_only = true},
		[REG_STREAM1] = {SCOPE_STREAM, 0x50100810, 0x4, 8, 0x0},
		[REG_STREAM2] = {SCOPE_STREAM, 0x50100890, 0x4, 8, 0x0},
		[REG_FMAX] = {SCOPE_STREAM, 0x50100910, 0x4, 8, 0x0},
		[REG_RCNT] = {SCOPE_LAYER, 0x50100010, 0x4, 32, 0x0},
		[REG_CCNT] = {SCOPE_LAYER, 0x50100090, 0x4, 32, 0x0},
		[REG_ONED] = {SCOPE_LAYER, 0x50100110, 0x4, 32, 0x0},
		[REG_PRCNT] = {SCOPE_LAYER, 0x50100190, 0x4, 32, 0x0},
		[REG_PCCNT] = {SCOPE_LAYER, 0x50100210, 0x4, 32, 0x0},
		[REG_STRIDE] = {SCOPE_LAYER, 0x50100290, 0x4, 32, 0x0},
		[REG_WPTR_BASE] = {SCOPE_LAYER, 0x50100310, 0x4, 32, 0x0},
		[REG_WPTR_TOFFS] = {SCOPE_LAYER, 0x50100390, 0x4, 32, 0x0},
		[REG_WPTR_MOFFS] = {SCOPE_LAYER, 0x50100410, 0x4, 32, 0x0},
		[REG_WPTR_CHOFFS] = {SCOPE_LAYER, 0x50100490, 0x4, 32, 0x0},
		[REG_RPTR_BASE] = {SCOPE_LAYER, 0x50100510, 0x4, 32, 0x0},
		[REG_LCTL] = {SCOPE_LAYER, 0x50100590, 0x4, 32, 0x0},
		[REG_MCNT] = {SCOPE_LAYER, 0x50100610, 0x4, 32, 0x0},
		[REG_TPTR] = {SCOPE_LAYER, 0x50100690, 0x4, 32, 0x0},
		[REG_ENA] = {SCOPE_LAYER, 0x50100710, 0x4, 32, 0x0},
		[REG_POST] = {SCOPE_LAYER, 0x50100790, 0x4, 32, 0x0},
		[REG_LCTL2] = {SCOPE_LAYER, 0x50100a10, 0x4, 32, 0x0},
	},
	.fields = {
		// register, lowest bit, width
		FIELDS_OF_BOTH,
		[F_CALCMAX] = {REG_CTL, 4, 1},
		[F_GLOBAL_POOL_EN] = {REG_CTL, 5, 1},
		[F_TIMESHFT] = {REG_CTL, 30, 1},
		[F_LCNT] = {REG_LCNT_MAX, 0, 8},
		[F_IFRM] = {REG_IFRM, 0, 20},
		[F_STRM_ISVAL] = {REG_STREAM1, 0, 14},
		[F_STRM_DSVAL2] = {REG_STREAM2, 16, 12},
		[F_FBUF_MAX] = {REG_FMAX, 0, 17},
		[F_RCNT_MAX] = {REG_RCNT, 0, 10},
		[F_RCNT_PAD] = {REG_RCNT, 16, 2},
		[F_CCNT_MAX] = {REG_CCNT, 0, 10},
		[F_CCNT_PAD] = {REG_CCNT, 16, 2},
		[F_WPTR_WORD] = {REG_WPTR_BASE, 0, 13},
		[F_WPTR_INSTANCE] = {REG_WPTR_BASE, 13, 4},
		[F_TOFFS] = {REG_WPTR_TOFFS, 0, 17},
		[F_MOFFS] = {REG_WPTR_MOFFS, 0, 17},
		[F_CHOFFS] = {REG_WPTR_CHOFFS, 0, 17},
		[F_RPTR] = {REG_RPTR_BASE, 0, 17},
		[F_WPTR_INC] = {REG_LCTL2, 4, 4},
		[F_XPCH_MAX] = {REG_LCTL2, 8, 9},
		[F_MCNT_MAX] = {REG_MCNT, 0, 16},
		[F_MCNT_SAD] = {REG_MCNT, 16, 16},
		[F_TPTR_MAX] = {REG_TPTR, 0, 12},
		[F_TPTR_SAD] = {REG_TPTR, 16, 12},
	},
	.memories = {
		// address of group 0 and unit 0, unit stride, units, words, words of unit 0, bus bytes of a word
		[MEMORY_DATA] = {0x50400000, 0x8000, 4, 8192, 8192, 4},
		[MEMORY_KERNEL] = {0x50180000, 0x4000, 16, 768, 768, 16},
		[MEMORY_BIAS] = {0x50108000, 0x0, 1, 512, 512, 4},
		[MEMORY_TRAM] = {0x50110000, 0x4000, 16, 3072, 3072, 4},
	},
	.tests = tests,
	.test_count = sizeof tests / sizeof tests[0],
	.clocks = clocks,
	.clock_count = sizeof clocks / sizeof clocks[0],
	.clock_mask = 1,
	.host =
		{
			.hz = 100e6,
			.flash_line = 5,
			.word = {12.05, 6.16},
			.fifo_word = {34.0, 12.4},
			.bus_read = {13.05, 6.4},
			.bus_write = {4.05, 6.16},
		},
	.energy = energy,
	.energy_count = sizeof energy / sizeof energy[0],
	.standing = {.fed_error = 0.02, .energy_error = 0.17},
	.clock_default = {.clock = 0, .divider = 1, .divider_unpipelined = 1},
	.quirks = {
		.stream_bias_shift = true,
		.kernel_seek = true,
		.pooled_multipass_passthrough = true,
	},
};
// clang-format on
