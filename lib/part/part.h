// What a part is: address map, registers, fields, sizes and quirks, all as data. Other blocks ask
// these tables; none of them asks which part it is.
//
// Source of all values: hardware reference 1, 2, 3 and the register table.
#ifndef AI8X_PART_PART_H
#define AI8X_PART_PART_H

#include <ai8xsim/part.h>

#define PROCESSORS_PER_GROUP (AI8X_PROCESSORS / AI8X_GROUPS)
#define INSTANCES_PER_GROUP (AI8X_INSTANCES / AI8X_GROUPS)

static inline unsigned processor_group(unsigned processor)
{
	return processor / PROCESSORS_PER_GROUP;
}

// A processor's number in its group.
static inline unsigned processor_in_group(unsigned processor)
{
	return processor % PROCESSORS_PER_GROUP;
}

static inline unsigned instance_group(unsigned instance)
{
	return instance / INSTANCES_PER_GROUP;
}

// The processors of a group, as bits from 0.
static inline uint32_t group_processors(uint64_t map, unsigned group)
{
	return (uint32_t)(map >> (group * PROCESSORS_PER_GROUP)) & ((1u << PROCESSORS_PER_GROUP) - 1);
}

// Registers. Which of them a part has, and where, is in its table.
// Laid out by hand: names of one block share lines.
// clang-format off
enum part_register {
	// global
	REG_FIFO_CTL, REG_FIFO_STAT, REG_FIFO_WR, REG_AON,
	REG_FAST_CR, REG_FAST_SR, REG_FAST_IE, REG_FAST_IS, REG_FAST_DR, REG_FAST_DMA,
	// per group
	REG_CTL, REG_SRAM, REG_LCNT_MAX, REG_SRAM_TEST, REG_IFRM, REG_MLAT,
	// per group, two units
	REG_SNOOP_A1, REG_SNOOP_A2, REG_SNOOP_D1, REG_SNOOP_D2, REG_SNOOP_X1, REG_SNOOP_X2,
	REG_SNOOP_C1, REG_SNOOP_C2, REG_SNOOP_ACC, REG_SNOOP_HIT, REG_SNOOP_MAX, REG_SNOOP_AM,
	// per group and streaming layer
	REG_STREAM1, REG_STREAM2, REG_FMAX,
	// per group and layer
	REG_NXTLYR, REG_RCNT, REG_CCNT, REG_ONED, REG_PRCNT, REG_PCCNT, REG_STRIDE, REG_WPTR_BASE,
	REG_WPTR_TOFFS, REG_WPTR_MOFFS, REG_WPTR_CHOFFS, REG_RPTR_BASE, REG_LCTL, REG_LCTL2, REG_MCNT,
	REG_MCNT1, REG_MCNT2, REG_OCHAN, REG_TPTR, REG_ENA, REG_POST,
	REG_COUNT
};
// clang-format on

// How often a register exists.
enum part_scope {
	SCOPE_NONE, // the part does not have it
	SCOPE_GLOBAL,
	SCOPE_GROUP,
	SCOPE_SNOOP,  // per group and snoop unit
	SCOPE_STREAM, // per group and streaming layer
	SCOPE_LAYER,  // per group and layer
};

struct part_register_row {
	enum part_scope scope;
	uint32_t address; // absolute, of group 0 and index 0
	uint32_t stride;  // between indices (FIFO, unit, layer)
	uint32_t count;   // indices
	uint32_t reset;
	bool read_only;
	bool write_only;
};

// Fields of registers. A part that lacks a field has width 0 there, and field_get() gives 0.
// Laid out by hand: names of one block share lines.
// clang-format off
enum part_field_id {
	F_FIFO_RDY_SEL, F_FIFO_FULL_THRESH, F_FIFO_EMPTY_THRESH, F_FIFO_CPL, F_FIFO_EN, F_FIFO_FULL_INT,
	F_FIFO_EMPTY_INT, F_FIFO_ALMOST_FULL_INT, F_FIFO_ALMOST_EMPTY_INT,
	F_STAT_FULL, F_STAT_EMPTY, F_STAT_ALMOST_FULL, F_STAT_ALMOST_EMPTY, F_STAT_ALL_FULL,
	F_STAT_ANY_EMPTY, F_STAT_ALL_ALMOST_FULL, F_STAT_ANY_ALMOST_EMPTY, F_STAT_WPTR_EQ, F_STAT_RPTR_EQ,
	F_FIFO_DATA,
	F_AON_RDY_SEL, F_AON_DSLEEP, F_AON_PD, F_AON_RM,
	F_FAST_THRESH, F_FAST_FULL, F_FAST_DATA,
	F_CNN_EN, F_RDY_SEL, F_CLK_EN, F_CALCMAX, F_EXT_RDY, F_GLOBAL_POOL_EN, F_NO_PIPELINE, F_BIGDATA,
	F_APBCLK_EN, F_ONESHOT, F_EXT_SYNC_MASTER, F_EXT_SYNC_EN, F_CNN_IRQ, F_POOLRND, F_STREAM_EN,
	F_GROUP_FIFO_EN, F_MLAT_LD, F_MLATCH_SEL, F_LILBUF, F_MEXPRESS, F_SIMPLE1B, F_FFIFO_EN, F_FIFOGRP,
	F_FCLK_DLY, F_TIMESHFT, F_BINARY, F_QUPAC,
	F_SRAM_EXTACC, F_SRAM_RMARGIN_EN, F_SRAM_RMARGIN, F_SRAM_RA, F_SRAM_WNEG_VOL, F_SRAM_WNEG_EN,
	F_SRAM_WPULSE, F_SRAM_DS, F_SRAM_PD, F_SRAM_LS,
	F_LCNT, F_LCNT_START,
	F_TEST_RUN, F_TEST_SELECT, F_TEST_FAIL, F_TEST_BDONE, F_TEST_ZDONE, F_TEST_BISTFAIL,
	F_TEST_BISTDONE, F_TEST_ZERODONE,
	F_IFRM, F_MLATDAT,
	F_SNOOP_WORD, F_SNOOP_INSTANCE, F_SNOOP_ADDRESS_EN,
	F_SNOOP_EN, F_SNOOP_STOP, F_SNOOP_LINK, F_SNOOP_ACCUMULATE, F_SNOOP_COUNT, F_SNOOP_TRACK_MAX,
	F_SNOOP_MODE_A, F_SNOOP_MODE_D, F_SNOOP_MODE_X, F_SNOOP_DATUM, F_SNOOP_LAYER,
	F_STRM_ISVAL, F_STRM_FIFO_GO, F_STRM_INVOL, F_STRM_DSVAL1, F_STRM_DSVAL2, F_FBUF_MAX,
	F_NEXT, F_LINK, F_STOP,
	F_RCNT_MAX, F_RCNT_PAD, F_ROW_STOP, F_ROW_PAD_CNT, F_ROW_PAD_ENA, F_ROW_DIFF,
	F_CCNT_MAX, F_CCNT_PAD, F_COL_STOP, F_COL_PAD_CNT, F_COL_PAD_ENA, F_COL_DIFF,
	F_TSCNT_MAX, F_ONED_SAD, F_ONED_WIDTH, F_ONED_EN, F_EWISE_EN, F_EWISE_FUNC, F_PREPOOL, F_2D_CONV,
	F_EWISE_CNT,
	F_POOL_ROWS, F_POOL_ROWS_INC, F_POOL_COLS, F_POOL_COLS_INC,
	F_STRIDE, F_MP_STRIDE,
	F_WPTR_WORD, F_WPTR_INSTANCE, F_TOFFS, F_MOFFS, F_CHOFFS, F_RPTR,
	F_SSLAVE, F_MSLAVE, F_MASTER, F_PARALLEL, F_POOL_EN, F_MAXPL_EN, F_ACT_EN, F_CPAD_ONLY, F_SRAMLSRC,
	F_CNNSI_EN, F_BIGDWRT, F_RD_AHEAD, F_CPRIME_MAX, F_RPRIME_MAX, F_SHIFT_CNT, F_DW_BCAST, F_BYPASS,
	F_INPCHEXP, F_WPTR_INC, F_XPCH_MAX,
	F_MCNT_MAX, F_MCNT_SAD, F_OCHAN, F_TPTR_MAX, F_TPTR_SAD, F_PRO_EN, F_MASK_EN,
	F_BPTR_SAD, F_BPTR_EN, F_SCALE_REG, F_SCALE_SHFT, F_XPMP_CNT, F_MASK_SIZE, F_TS_EN, F_ONEXONE_EN,
	F_OUT_ABS, F_FLATTEN_EN, F_DECONV_EN, F_CALCX4, F_DW_EN, F_TCALC,
	FIELD_COUNT
};
// clang-format on

struct part_field {
	uint8_t reg; // enum part_register
	uint8_t low;
	uint8_t width; // 0: the part does not have the field
};

// Memories behind the bus.
enum part_memory { MEMORY_DATA, MEMORY_KERNEL, MEMORY_BIAS, MEMORY_TRAM, MEMORY_COUNT };

struct part_memory_row {
	uint32_t address;     // absolute, of group 0 and unit 0
	uint32_t unit_stride; // bytes between units (instances or processors) of a group
	uint32_t units;       // per group
	uint32_t words;       // words of a unit ...
	uint32_t words_first; // ... and of the first unit of a group
	uint32_t word_bytes;  // bus bytes that one word takes
};

// A memory self-test or clearing function of SRAM_TEST: run bit, memory, status bits it sets.
struct part_test_row {
	uint32_t run;    // bit that starts it
	uint32_t select; // selection bits that must be set as well, 0: none
	enum part_memory memory;
	bool registers; // clears the group's layer registers instead
	uint32_t done;  // status bits set when done
};

// A clock that the accelerator can run from (field CNNCLKSEL of register PCLKDIV among the global control
// registers; msdk gcr_regs.h of either part).
struct part_clock_row {
	const char *name;
	unsigned code; // in the field
	uint32_t hz;   // undivided
};

// The clock that generated software sets up, with the pipeline and without.
struct part_clock_choice {
	unsigned clock; // row of the part's clocks
	unsigned divider, divider_unpipelined;
};

// What a bus access of the host takes: cycles of its core and cycles of the accelerator.
struct part_access {
	double core, accelerator;
};

// The host's core, and goes of its copy loops (docs/timing.md, "Loading").
struct part_host {
	double hz;
	double flash_line;                      // core cycles that a line of flash adds
	double input_lines;                     // how many a word of input needs: 0.25 from flash, 0 from memory
	struct part_access word;                // one go of a copy loop
	struct part_access fifo_word;           // two accesses, status and data, measured as a sum
	struct part_access bus_read, bus_write; // one access without the loop's code
};

// Energy above idle at a voltage of the core supply, fitted to measurements (docs/energy.md).
struct part_energy {
	double volts;
	double cycle;         // joules of a cycle, pipeline and stalls not counted
	double window, point; // joules of such a cycle and active processor: kernels with several taps, with one
	double watts;         // while it runs
};

// How far cycles and energies are from silicon.
struct part_standing {
	double cycles_error; // 0: exact
	unsigned cycles_networks;
	double fed_error;    // where the host feeds a FIFO
	double energy_error; // largest, cross-validated
};

// Differences of behaviour (hardware reference 7), each a question that some block asks.
struct part_quirks {
	bool window_stop_geometry;         // RCNT/CCNT hold the last window's start instead of the image size
	bool stream_bias_shift;            // streaming layer 0 reads its bias one entry late
	bool kernel_seek;                  // combine-first layers walk to their first kernel at pad pixels
	bool pooled_multipass_passthrough; // pooled multi-pass passthrough takes 2m-1 passes of cycles
	bool ochan_counts;                 // OCHAN, not MCNT, says how many kernels a layer has
	bool oneshot_continues;            // one-shot: acknowledging without clearing bit 0 goes on
	// Registers that a pixel passes between data memory and data memory while the pipeline is on. The first read of
	// a pixel waits until the last output of the pixel before has left them (docs/timing.md, "The pipeline").
	uint32_t pipeline_stages;
};

struct ai8x_part {
	ai8x_part_info info;
	uint32_t group_stride;
	uint32_t instance_shift; // pointer = instance << shift | word
	struct part_register_row registers[REG_COUNT];
	struct part_field fields[FIELD_COUNT];
	struct part_memory_row memories[MEMORY_COUNT];
	const struct part_test_row *tests;
	size_t test_count;
	const struct part_clock_row *clocks;
	size_t clock_count;
	uint32_t clock_mask; // of the field's codes: its width
	struct part_clock_choice clock_default;
	struct part_host host;
	const struct part_energy *energy; // nominal voltage first
	size_t energy_count;
	double write_joules; // of a bus write while loading, 0: not measured
	struct part_standing standing;
	struct part_quirks quirks;
};

extern const struct ai8x_part part_max78000;
extern const struct ai8x_part part_max78002;

// Names for tables, traces and documentation.
const char *part_register_name(enum part_register reg);
const char *part_field_name(enum part_field_id field);
const char *part_memory_name(enum part_memory memory);

// Where a bus address leads.
struct part_target {
	bool is_register;
	enum part_register reg;
	uint32_t index; // layer, stream, unit or FIFO number of a register
	enum part_memory memory;
	uint32_t group;
	uint32_t unit; // inside the group
	uint32_t word;
	uint32_t byte; // byte offset inside the word's bus cell
};

// Decodes an address. False where the part has nothing.
bool part_decode_address(const ai8x_part *part, uint32_t address, struct part_target *target);
// The same for memories only, which is quicker.
bool part_decode_memory(const ai8x_part *part, uint32_t address, struct part_target *target);

// Bus address of a register (the inverse).
uint32_t part_register_address(const ai8x_part *part, enum part_register reg, unsigned group, uint32_t index);

static inline uint32_t part_unit_words(const ai8x_part *part, enum part_memory memory, uint32_t unit)
{
	const struct part_memory_row *row = &part->memories[memory];
	return unit == 0 ? row->words_first : row->words;
}

static inline bool part_has_field(const ai8x_part *part, enum part_field_id id)
{
	return part->fields[id].width > 0;
}

static inline uint32_t part_field_mask(const ai8x_part *part, enum part_field_id id)
{
	const struct part_field *field = &part->fields[id];
	return field->width == 0 ? 0 : (uint32_t)(((UINT64_C(1) << field->width) - 1) << field->low);
}

static inline uint32_t part_field_extract(const ai8x_part *part, enum part_field_id id, uint32_t value)
{
	const struct part_field *field = &part->fields[id];
	return field->width == 0 ? 0 : (value & part_field_mask(part, id)) >> field->low;
}

#endif
