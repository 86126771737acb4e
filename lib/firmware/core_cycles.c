// What the core's time is made of: cycles of a block of code, and of an access that leaves the core.
//
// Code: the Cortex-M4's documented cycles per instruction, added up once for a block and remembered. Not known from
// code alone: when a division ends (a middle value stands for it) and which instructions an IT block skips. Flash
// answers after its wait states; the instruction cache hides them from all code but a line that is fetched for the
// first time. Accesses: the accelerator's bus answers at its own clock, peripherals at half the core's
// (docs/timing.md, "The core").
#include "firmware/soc.h"

#include <math.h>

#include "base/bits.h"

#define CORE_ACCESS_CYCLES 1
#define PERIPHERAL_ACCESS_CYCLES 4

// Filling the pipeline at a branch's target, where the address is known early, and where it is not.
#define REFILL 2
#define REFILL_LATE 3

#define MEMORY_CONTROL 0x40000028u
#define WAIT_STATES 7u
#define CACHE_CONTROL 0x4002A100u
#define CACHE_ENABLE 1u

#define HALVES 256 // read at a time

// ---- one instruction ----

enum kind {
	KIND_FIXED, // so many cycles
	KIND_LOAD,  // two cycles; one after another load, unless that loads its address
	KIND_STORE, // one cycle, into the write buffer
	KIND_LIST,  // one cycle, and one for each bit of a mask
	KIND_WORDS, // one cycle, and one for each word of a count
	KIND_IT,    // none after a 16-bit instruction
};

struct row {
	uint32_t mask, value;
	enum kind kind;
	uint32_t number; // cycles, or the mask of a list or count
};

// The first row that fits decides; what fits none takes one cycle.
static const struct row short_rows[] = {
	{0xF800, 0x4800, KIND_LOAD, 0},      // LDR literal
	{0xF800, 0x5800, KIND_LOAD, 0},      // LDR, LDRH, LDRB, LDRSH register
	{0xFE00, 0x5600, KIND_LOAD, 0},      // LDRSB register
	{0xF000, 0x5000, KIND_STORE, 0},     // STR, STRH, STRB register
	{0xE800, 0x6800, KIND_LOAD, 0},      // LDR, LDRB immediate
	{0xE800, 0x8800, KIND_LOAD, 0},      // LDRH immediate, LDR from the stack
	{0xE000, 0x6000, KIND_STORE, 0},     // STR, STRB immediate
	{0xE000, 0x8000, KIND_STORE, 0},     // STRH immediate, STR to the stack
	{0xF600, 0xB400, KIND_LIST, 0x01FF}, // PUSH, POP
	{0xF000, 0xC000, KIND_LIST, 0x00FF}, // STM, LDM
	{0xFF0F, 0xBF00, KIND_FIXED, 1},     // hints
	{0xFF00, 0xBF00, KIND_IT, 0},
};

static const struct row wide_rows[] = {
	{0xFE400000, 0xE8000000, KIND_LIST, 0xFFFF},  // STM, LDM, PUSH, POP
	{0xFFF0FFE0, 0xE8D0F000, KIND_FIXED, 3},      // TBB, TBH
	{0xFF600000, 0xE8400000, KIND_FIXED, 2},      // LDREX, STREX, and their kind
	{0xFE400000, 0xE8400000, KIND_FIXED, 3},      // LDRD, STRD
	{0xFFE00E00, 0xEC400A00, KIND_FIXED, 2},      // VMOV of two core registers
	{0xFF200F00, 0xED000A00, KIND_FIXED, 2},      // VLDR, VSTR of single precision
	{0xFF200F00, 0xED000B00, KIND_FIXED, 3},      // and of double
	{0xFE000E00, 0xEC000A00, KIND_WORDS, 0x00FF}, // VLDM, VSTM, VPUSH, VPOP
	{0xFFB00E10, 0xEE800A00, KIND_FIXED, 14},     // VDIV
	{0xFFBF0ED0, 0xEEB10AC0, KIND_FIXED, 14},     // VSQRT
	{0xFFA00E10, 0xEE000A00, KIND_FIXED, 3},      // VMLA, VMLS, VNMLA, VNMLS
	{0xFFB00E10, 0xEEA00A00, KIND_FIXED, 3},      // VFMA, VFMS
	{0xFFB00E10, 0xEE900A00, KIND_FIXED, 3},      // VFNMA, VFNMS
	{0xFF100000, 0xF8000000, KIND_STORE, 0},      // STR, STRH, STRB
	{0xFE100000, 0xF8100000, KIND_LOAD, 0},       // LDR, LDRH, LDRB, LDRSH, LDRSB
	{0xFFD0F0F0, 0xFB90F0F0, KIND_FIXED, 7},      // SDIV, UDIV: 2 to 12
};

// Branches whose target is known early: B, CBZ, CBNZ, BL.
static const struct row early_rows[] = {
	{0xF000, 0xD000, KIND_FIXED, 0},
	{0xF800, 0xE000, KIND_FIXED, 0},
	{0xF500, 0xB100, KIND_FIXED, 0},
	{0xF8008000, 0xF0008000, KIND_FIXED, 0},
};

static const struct row *find_row(const struct row *rows, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if ((code & rows[i].mask) == rows[i].value)
			return &rows[i];
	return NULL;
}

#define FIND(rows, code) find_row(rows, sizeof(rows) / sizeof(rows)[0], code)

static bool is_wide(uint16_t half)
{
	return half >= 0xE800;
}

// Registers, a bit each, that a load takes its address from, and the one that it loads.
static void load_registers(uint32_t code, uint32_t *address, uint32_t *loaded)
{
	if (is_wide((uint16_t)(code >> 16))) {
		const bool indexed = (code >> 23 & 1) == 0 && (code >> 11 & 1) == 0;
		*address = 1u << (code >> 16 & 15) | (indexed ? 1u << (code & 15) : 0);
		*loaded = 1u << (code >> 12 & 15);
	} else if ((code & 0xF800) == 0x4800 || (code & 0xF800) == 0x9800) {
		*address = (code & 0xF800) == 0x4800 ? 1u << 15 : 1u << 13;
		*loaded = 1u << (code >> 8 & 7);
	} else {
		const bool indexed = (code & 0xF000) == 0x5000;
		*address = 1u << (code >> 3 & 7) | (indexed ? 1u << (code >> 6 & 7) : 0);
		*loaded = 1u << (code & 7);
	}
}

// Remembers the first load from an address in a register: copy loops have one.
static void note_source(struct core_decoder *decoder, uint32_t code, bool wide)
{
	const uint32_t base = wide ? code >> 16 & 15 : code >> 3 & 7;
	const bool relative = !wide && ((code & 0xF800) == 0x4800 || (code & 0xF800) == 0x9800);
	const bool moves = wide && (code & 0x00800F00) == 0x00000B00; // the address first, then added to
	if (decoder->source.known || relative || base > 12)
		return;
	decoder->source =
		(struct core_source){.known = true, .base = (uint8_t)base, .step = moves ? code & 0xFF : 0};
}

static unsigned instruction_cycles(struct core_decoder *decoder, uint32_t code, bool wide)
{
	const struct row *row = wide ? FIND(wide_rows, code) : FIND(short_rows, code);
	const bool after_short = decoder->is_short;
	const uint32_t before = decoder->loaded;
	decoder->loaded = 0;
	decoder->is_short = !wide;
	if (row == NULL)
		return 1;
	uint32_t address;
	switch (row->kind) {
	case KIND_LOAD:
		load_registers(code, &address, &decoder->loaded);
		note_source(decoder, code, wide);
		return before != 0 && (before & address) == 0 ? 1 : 2;
	case KIND_STORE:
		return 1;
	case KIND_LIST:
		return 1 + bits_count(code & row->number);
	case KIND_WORDS:
		return 1 + (code & row->number);
	case KIND_IT:
		return after_short ? 0 : 1;
	case KIND_FIXED:
		break;
	}
	return row->number;
}

void core_decode(struct core_decoder *decoder, const uint16_t *code, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const bool wide = is_wide(code[i]);
		if (wide && !decoder->half) {
			decoder->first = code[i];
			decoder->half = true;
			continue;
		}
		// The second half may look like a first one.
		const bool second = decoder->half;
		const uint32_t whole = second ? (uint32_t)decoder->first << 16 | code[i] : code[i];
		decoder->half = false;
		decoder->cycles += instruction_cycles(decoder, whole, second);
		decoder->refill = FIND(early_rows, whole) != NULL ? REFILL : REFILL_LATE;
	}
}

// ---- blocks ----

// Lines of flash from address on that were not fetched before; all of them where code runs past the cache.
static unsigned new_lines(struct ai8x_firmware *soc, uint32_t address, uint32_t bytes)
{
	unsigned lines = 0;
	const uint32_t first = (address - FLASH_BASE) / CORE_LINE_BYTES;
	const uint32_t last = (address + bytes - 1 - FLASH_BASE) / CORE_LINE_BYTES;
	const bool cached = (*soc_word(soc, CACHE_CONTROL) & CACHE_ENABLE) != 0;
	for (uint32_t line = first; line <= last; line++) {
		lines += !cached || (soc->code.fetched[line / 32] >> line % 32 & 1) == 0;
		if (cached)
			soc->code.fetched[line / 32] |= 1u << line % 32;
	}
	return lines;
}

static void decode_block(struct ai8x_firmware *soc, struct core_block *block)
{
	struct core_decoder decoder = {0};
	uint16_t code[HALVES];
	for (uint32_t done = 0; done < block->bytes;) {
		const uint32_t left = block->bytes - done;
		const uint32_t part = left < sizeof code ? left : (uint32_t)sizeof code;
		if (soc->unicorn.mem_read(soc->uc, block->address + done, code, part) != UC_ERR_OK)
			break;
		core_decode(&decoder, code, part / 2);
		done += part;
	}
	block->cycles = decoder.cycles;
	block->refill = decoder.refill;
	block->source = decoder.source;
}

uint64_t core_block_cycles(struct ai8x_firmware *soc, uint32_t address, uint32_t bytes)
{
	struct core_code *code = &soc->code;
	struct core_block *block = &code->blocks[address / 2 % CORE_BLOCKS];
	const bool in_flash = address - FLASH_BASE < soc->soc->flash_bytes;
	uint64_t cycles = address != code->next ? code->refill : 0;
	if (block->address != address || block->bytes != bytes) {
		*block = (struct core_block){.address = address, .bytes = bytes};
		decode_block(soc, block);
		block->cold = in_flash;
	}
	if (block->cold) {
		cycles += (uint64_t)new_lines(soc, address, bytes) * (*soc_word(soc, MEMORY_CONTROL) & WAIT_STATES);
		block->cold = (*soc_word(soc, CACHE_CONTROL) & CACHE_ENABLE) == 0;
	}
	code->current = block;
	code->next = address + bytes;
	code->refill = block->refill;
	return cycles + block->cycles;
}

// ---- accesses ----

void core_clocks_changed(struct ai8x_firmware *soc, uint64_t cnn_cycle)
{
	const struct part_access *access[2] = {&soc->part->host.bus_read, &soc->part->host.bus_write};
	struct core_code *code = &soc->code;
	code->cnn_cycle = cnn_cycle;
	for (unsigned i = 0; i < 2; i++) {
		const double whole = floor(access[i]->accelerator);
		code->access[i] = (struct core_access){
			.core = (uint64_t)(access[i]->core * (double)soc->cycle),
			.whole = (uint64_t)whole * code->cnn_cycle,
			.part = (uint64_t)((access[i]->accelerator - whole) * (double)code->cnn_cycle),
		};
	}
}

// The accelerator takes an access at the first edge of its clock after the core's part, and answers some of its cycles
// later: whole ones, so a part of one is a whole one now and then.
static uint64_t cnn_access_cycles(struct ai8x_firmware *soc, bool write)
{
	struct core_code *code = &soc->code;
	const struct core_access *access = &code->access[write];
	const uint64_t asked = soc->now + code->rest + access->core;
	uint64_t end = (asked / code->cnn_cycle + 1) * code->cnn_cycle + access->whole;
	code->owed += access->part;
	if (code->owed >= code->cnn_cycle) {
		code->owed -= code->cnn_cycle;
		end += code->cnn_cycle;
	}
	const uint64_t passed = end - soc->now;
	code->rest = passed % soc->cycle;
	return passed / soc->cycle;
}

uint64_t core_access_cycles(struct ai8x_firmware *soc, uint32_t address, bool write)
{
	if (address >= CORE_BASE)
		return CORE_ACCESS_CYCLES;
	if (address < CNN_BASE)
		return PERIPHERAL_ACCESS_CYCLES;
	return cnn_access_cycles(soc, write);
}

uint64_t core_source_cycles(struct ai8x_firmware *soc)
{
	const struct core_block *block = soc->code.current;
	if (block == NULL || !block->source.known)
		return 0;
	const uint32_t address = soc_register(soc, UC_ARM_REG_R0 + block->source.base) - block->source.step;
	if (address - FLASH_BASE >= soc->soc->flash_bytes)
		return 0;
	return (uint64_t)((double)new_lines(soc, address, 1) * soc->part->host.flash_line);
}
