// A known-answer test's network as make_data.c wrote it, for both cores: loading it, and what came out.
#ifndef TEST_ANSWER_H
#define TEST_ANSWER_H

#include "board.h"
#include DATA_HEADER

#define MARK_BYTE 0x80000000u
#define MARK_WAIT 0x40000000u
#define DONE (1u << 12)

#ifdef PART_MAX78002
#define CONTROL(group) (0x51000000u + 0x1000000u * (group))
#else
#define CONTROL(group) (0x50100000u + 0x400000u * (group))
#endif

// Takes back the start and what the accelerator has told since.
static inline void acknowledge(void)
{
	for (uint32_t group = 0; group < 4; group++)
		REGISTER(CONTROL(group)) &= ~(DONE | 1u << 14 | 1u);
}

static inline void load(void)
{
	for (const uint32_t *next = setup; next[0] != 0;) {
		uint32_t address = next[0], count = next[1] & 0xFFFFFF;
		const uint32_t mark = next[1];
		next += 2;
		if ((mark & MARK_WAIT) != 0) {
			while ((REGISTER(address) & next[0]) != next[1])
				;
			next += 2;
			continue;
		}
		if ((mark & MARK_BYTE) != 0)
			BYTE(address | 1) = 1;
		for (; count > 0; count--, address += 4)
			REGISTER(address) = *next++;
	}
}

// The first expected word that is not there (address, mask, value), or the end of them.
static inline const uint32_t *find_mismatch(uint32_t *words)
{
	const uint32_t *next = expected;
	for (*words = 0; next[0] != 0 && (REGISTER(next[0]) & next[1]) == next[2]; next += 3)
		++*words;
	return next;
}

#endif
