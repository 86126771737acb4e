// Rows of the tables of a part that both parts have alike; where the parts differ stands in their own files.
//
// Source: hardware reference 1 to 3; register table.
#ifndef AI8X_PART_BOTH_H
#define AI8X_PART_BOTH_H

#include "part/part.h"

// Laid out by hand: tables, a row a line.
// clang-format off
// run bit, selection, memory, registers, status bits
#define TESTS_OF_BOTH \
	{1u << 0, 0, MEMORY_DATA, false, 1u << 18 | 1u << 27}, \
	{1u << 2, 0, MEMORY_KERNEL, false, 1u << 19 | 1u << 27}, \
	{1u << 4, 0, MEMORY_TRAM, false, 1u << 20 | 1u << 27}, \
	{1u << 6, 0, MEMORY_BIAS, false, 1u << 21 | 1u << 27}, \
	{1u << 1, 0, MEMORY_DATA, false, 1u << 22 | 1u << 28}, \
	{1u << 3, 0, MEMORY_KERNEL, false, 1u << 23 | 1u << 28}, \
	{1u << 5, 0, MEMORY_TRAM, false, 1u << 24 | 1u << 28}

// scope, address of group 0 and index 0, stride, count, reset
#define REGISTERS_OF_BOTH \
	[REG_FIFO_CTL] = {SCOPE_GLOBAL, 0x50000000, 0x0, 1, 0x3}, \
	[REG_FIFO_STAT] = {SCOPE_GLOBAL, 0x50000004, 0x0, 1, 0x0, .read_only = true}, \
	[REG_FIFO_WR] = {SCOPE_GLOBAL, 0x50000008, 0x4, 4, 0x0, .write_only = true}, \
	[REG_AON] = {SCOPE_GLOBAL, 0x50001000, 0x0, 1, 0x3}, \
	[REG_FAST_CR] = {SCOPE_GLOBAL, 0x400c0400, 0x0, 1, 0x0}, \
	[REG_FAST_SR] = {SCOPE_GLOBAL, 0x400c0404, 0x0, 1, 0x0, .read_only = true}, \
	[REG_FAST_IE] = {SCOPE_GLOBAL, 0x400c0408, 0x0, 1, 0x0}, \
	[REG_FAST_IS] = {SCOPE_GLOBAL, 0x400c040c, 0x0, 1, 0x0}, \
	[REG_FAST_DR] = {SCOPE_GLOBAL, 0x400c0410, 0x0, 1, 0x0, .write_only = true}, \
	[REG_FAST_DMA] = {SCOPE_GLOBAL, 0x400c0414, 0x0, 1, 0x0}

// register, lowest bit, width
#define FIELDS_OF_BOTH \
	[F_FIFO_RDY_SEL] = {REG_FIFO_CTL, 0, 2}, \
	[F_FIFO_FULL_THRESH] = {REG_FIFO_CTL, 2, 3}, \
	[F_FIFO_EMPTY_THRESH] = {REG_FIFO_CTL, 7, 3}, \
	[F_FIFO_CPL] = {REG_FIFO_CTL, 11, 1}, \
	[F_FIFO_EN] = {REG_FIFO_CTL, 12, 4}, \
	[F_FIFO_FULL_INT] = {REG_FIFO_CTL, 16, 4}, \
	[F_FIFO_EMPTY_INT] = {REG_FIFO_CTL, 20, 4}, \
	[F_FIFO_ALMOST_FULL_INT] = {REG_FIFO_CTL, 24, 4}, \
	[F_FIFO_ALMOST_EMPTY_INT] = {REG_FIFO_CTL, 28, 4}, \
	[F_STAT_FULL] = {REG_FIFO_STAT, 0, 4}, \
	[F_STAT_EMPTY] = {REG_FIFO_STAT, 4, 4}, \
	[F_STAT_ALMOST_FULL] = {REG_FIFO_STAT, 8, 4}, \
	[F_STAT_ALMOST_EMPTY] = {REG_FIFO_STAT, 12, 4}, \
	[F_STAT_ALL_FULL] = {REG_FIFO_STAT, 16, 1}, \
	[F_STAT_ANY_EMPTY] = {REG_FIFO_STAT, 17, 1}, \
	[F_STAT_ALL_ALMOST_FULL] = {REG_FIFO_STAT, 18, 1}, \
	[F_STAT_ANY_ALMOST_EMPTY] = {REG_FIFO_STAT, 19, 1}, \
	[F_STAT_WPTR_EQ] = {REG_FIFO_STAT, 20, 1}, \
	[F_STAT_RPTR_EQ] = {REG_FIFO_STAT, 21, 1}, \
	[F_FIFO_DATA] = {REG_FIFO_WR, 0, 32}, \
	[F_AON_RDY_SEL] = {REG_AON, 0, 2}, \
	[F_AON_DSLEEP] = {REG_AON, 8, 4}, \
	[F_AON_PD] = {REG_AON, 12, 4}, \
	[F_AON_RM] = {REG_AON, 16, 4}, \
	[F_FAST_THRESH] = {REG_FAST_CR, 4, 4}, \
	[F_FAST_FULL] = {REG_FAST_SR, 1, 1}, \
	[F_FAST_DATA] = {REG_FAST_DR, 0, 32}, \
	[F_CNN_EN] = {REG_CTL, 0, 1}, \
	[F_RDY_SEL] = {REG_CTL, 1, 2}, \
	[F_CLK_EN] = {REG_CTL, 3, 1}, \
	[F_BIGDATA] = {REG_CTL, 6, 1}, \
	[F_APBCLK_EN] = {REG_CTL, 7, 1}, \
	[F_ONESHOT] = {REG_CTL, 8, 1}, \
	[F_EXT_SYNC_MASTER] = {REG_CTL, 9, 2}, \
	[F_EXT_SYNC_EN] = {REG_CTL, 11, 1}, \
	[F_CNN_IRQ] = {REG_CTL, 12, 1}, \
	[F_POOLRND] = {REG_CTL, 13, 1}, \
	[F_STREAM_EN] = {REG_CTL, 14, 1}, \
	[F_GROUP_FIFO_EN] = {REG_CTL, 15, 1}, \
	[F_MLAT_LD] = {REG_CTL, 16, 1}, \
	[F_MLATCH_SEL] = {REG_CTL, 17, 2}, \
	[F_LILBUF] = {REG_CTL, 19, 1}, \
	[F_MEXPRESS] = {REG_CTL, 20, 1}, \
	[F_SIMPLE1B] = {REG_CTL, 21, 1}, \
	[F_FFIFO_EN] = {REG_CTL, 22, 1}, \
	[F_FIFOGRP] = {REG_CTL, 23, 1}, \
	[F_FCLK_DLY] = {REG_CTL, 24, 6}, \
	[F_QUPAC] = {REG_CTL, 31, 1}, \
	[F_SRAM_EXTACC] = {REG_SRAM, 0, 1}, \
	[F_SRAM_RMARGIN_EN] = {REG_SRAM, 1, 1}, \
	[F_SRAM_RMARGIN] = {REG_SRAM, 2, 4}, \
	[F_SRAM_RA] = {REG_SRAM, 6, 2}, \
	[F_SRAM_WNEG_VOL] = {REG_SRAM, 8, 2}, \
	[F_SRAM_WNEG_EN] = {REG_SRAM, 10, 1}, \
	[F_SRAM_WPULSE] = {REG_SRAM, 11, 3}, \
	[F_SRAM_DS] = {REG_SRAM, 15, 1}, \
	[F_SRAM_PD] = {REG_SRAM, 16, 1}, \
	[F_SRAM_LS] = {REG_SRAM, 19, 4}, \
	[F_TEST_RUN] = {REG_SRAM_TEST, 0, 8}, \
	[F_TEST_SELECT] = {REG_SRAM_TEST, 8, 6}, \
	[F_TEST_FAIL] = {REG_SRAM_TEST, 14, 4}, \
	[F_TEST_BDONE] = {REG_SRAM_TEST, 18, 4}, \
	[F_TEST_ZDONE] = {REG_SRAM_TEST, 22, 4}, \
	[F_TEST_BISTFAIL] = {REG_SRAM_TEST, 26, 1}, \
	[F_TEST_BISTDONE] = {REG_SRAM_TEST, 27, 1}, \
	[F_TEST_ZERODONE] = {REG_SRAM_TEST, 28, 1}, \
	[F_MLATDAT] = {REG_MLAT, 0, 32}, \
	[F_STRM_INVOL] = {REG_STREAM2, 0, 4}, \
	[F_STRM_DSVAL1] = {REG_STREAM2, 4, 5}, \
	[F_TSCNT_MAX] = {REG_ONED, 0, 4}, \
	[F_ONED_SAD] = {REG_ONED, 4, 4}, \
	[F_ONED_WIDTH] = {REG_ONED, 8, 4}, \
	[F_ONED_EN] = {REG_ONED, 12, 1}, \
	[F_EWISE_EN] = {REG_ONED, 13, 1}, \
	[F_EWISE_FUNC] = {REG_ONED, 14, 2}, \
	[F_PREPOOL] = {REG_ONED, 16, 1}, \
	[F_2D_CONV] = {REG_ONED, 17, 1}, \
	[F_EWISE_CNT] = {REG_ONED, 18, 4}, \
	[F_POOL_ROWS] = {REG_PRCNT, 0, 4}, \
	[F_POOL_COLS] = {REG_PCCNT, 0, 4}, \
	[F_STRIDE] = {REG_STRIDE, 0, 4}, \
	[F_SSLAVE] = {REG_LCTL, 0, 4}, \
	[F_MSLAVE] = {REG_LCTL, 4, 1}, \
	[F_MASTER] = {REG_LCTL, 5, 1}, \
	[F_PARALLEL] = {REG_LCTL, 6, 1}, \
	[F_POOL_EN] = {REG_LCTL, 7, 1}, \
	[F_MAXPL_EN] = {REG_LCTL, 8, 1}, \
	[F_ACT_EN] = {REG_LCTL, 9, 1}, \
	[F_CPAD_ONLY] = {REG_LCTL, 10, 1}, \
	[F_SRAMLSRC] = {REG_LCTL, 11, 1}, \
	[F_CNNSI_EN] = {REG_LCTL, 12, 4}, \
	[F_BIGDWRT] = {REG_LCTL, 16, 1}, \
	[F_INPCHEXP] = {REG_LCTL2, 0, 4}, \
	[F_PRO_EN] = {REG_ENA, 0, 16}, \
	[F_MASK_EN] = {REG_ENA, 16, 16}, \
	[F_BPTR_SAD] = {REG_POST, 0, 12}, \
	[F_BPTR_EN] = {REG_POST, 12, 1}, \
	[F_SCALE_REG] = {REG_POST, 13, 4}, \
	[F_SCALE_SHFT] = {REG_POST, 17, 1}, \
	[F_XPMP_CNT] = {REG_POST, 18, 4}, \
	[F_MASK_SIZE] = {REG_POST, 22, 2}, \
	[F_TS_EN] = {REG_POST, 24, 1}, \
	[F_ONEXONE_EN] = {REG_POST, 25, 1}, \
	[F_OUT_ABS] = {REG_POST, 26, 1}, \
	[F_FLATTEN_EN] = {REG_POST, 27, 1}, \
	[F_DECONV_EN] = {REG_POST, 28, 1}
// clang-format on

#endif
