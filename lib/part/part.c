// The parts and how their tables are asked: lookup by name, address decoding, field listing.
#include "part/part.h"

#include <string.h>
#include <strings.h>

static const ai8x_part *const parts[] = {&part_max78000, &part_max78002};

#define PART_COUNT (sizeof parts / sizeof parts[0])

static const char *const register_names[REG_COUNT] = {
	[REG_FIFO_CTL] = "FIFO_CTL",
	[REG_FIFO_STAT] = "FIFO_STAT",
	[REG_FIFO_WR] = "FIFO_WR",
	[REG_AON] = "AON",
	[REG_FAST_CR] = "FAST_CR",
	[REG_FAST_SR] = "FAST_SR",
	[REG_FAST_IE] = "FAST_IE",
	[REG_FAST_IS] = "FAST_IS",
	[REG_FAST_DR] = "FAST_DR",
	[REG_FAST_DMA] = "FAST_DMA",
	[REG_CTL] = "CTL",
	[REG_SRAM] = "SRAM",
	[REG_LCNT_MAX] = "LCNT_MAX",
	[REG_SRAM_TEST] = "SRAM_TEST",
	[REG_IFRM] = "IFRM",
	[REG_MLAT] = "MLAT",
	[REG_SNOOP_A1] = "SNOOP_A1",
	[REG_SNOOP_A2] = "SNOOP_A2",
	[REG_SNOOP_D1] = "SNOOP_D1",
	[REG_SNOOP_D2] = "SNOOP_D2",
	[REG_SNOOP_X1] = "SNOOP_X1",
	[REG_SNOOP_X2] = "SNOOP_X2",
	[REG_SNOOP_C1] = "SNOOP_C1",
	[REG_SNOOP_C2] = "SNOOP_C2",
	[REG_SNOOP_ACC] = "SNOOP_ACC",
	[REG_SNOOP_HIT] = "SNOOP_HIT",
	[REG_SNOOP_MAX] = "SNOOP_MAX",
	[REG_SNOOP_AM] = "SNOOP_AM",
	[REG_STREAM1] = "STREAM1",
	[REG_STREAM2] = "STREAM2",
	[REG_FMAX] = "FMAX",
	[REG_NXTLYR] = "NXTLYR",
	[REG_RCNT] = "RCNT",
	[REG_CCNT] = "CCNT",
	[REG_ONED] = "ONED",
	[REG_PRCNT] = "PRCNT",
	[REG_PCCNT] = "PCCNT",
	[REG_STRIDE] = "STRIDE",
	[REG_WPTR_BASE] = "WPTR_BASE",
	[REG_WPTR_TOFFS] = "WPTR_TOFFS",
	[REG_WPTR_MOFFS] = "WPTR_MOFFS",
	[REG_WPTR_CHOFFS] = "WPTR_CHOFFS",
	[REG_RPTR_BASE] = "RPTR_BASE",
	[REG_LCTL] = "LCTL",
	[REG_LCTL2] = "LCTL2",
	[REG_MCNT] = "MCNT",
	[REG_MCNT1] = "MCNT1",
	[REG_MCNT2] = "MCNT2",
	[REG_OCHAN] = "OCHAN",
	[REG_TPTR] = "TPTR",
	[REG_ENA] = "ENA",
	[REG_POST] = "POST",
};

static const struct {
	const char *name;
	const char *meaning;
} field_texts[FIELD_COUNT] = {
	[F_FIFO_RDY_SEL] = {"rdy_sel", "bus wait states"},
	[F_FIFO_FULL_THRESH] = {"full_thresh", "almost-full threshold"},
	[F_FIFO_EMPTY_THRESH] = {"empty_thresh", "almost-empty threshold"},
	[F_FIFO_CPL] = {"fifo_cpl", "data only when all enabled write pointers are equal"},
	[F_FIFO_EN] = {"fifo_en", "enabled FIFOs"},
	[F_FIFO_FULL_INT] = {"full_int_en", "interrupt when full"},
	[F_FIFO_EMPTY_INT] = {"empty_int_en", "interrupt when empty"},
	[F_FIFO_ALMOST_FULL_INT] = {"almost_full_int_en", "interrupt when almost full"},
	[F_FIFO_ALMOST_EMPTY_INT] = {"almost_empty_int_en", "interrupt when almost empty"},
	[F_STAT_FULL] = {"full", "full FIFOs"},
	[F_STAT_EMPTY] = {"empty", "empty FIFOs"},
	[F_STAT_ALMOST_FULL] = {"almost_full", "almost full FIFOs"},
	[F_STAT_ALMOST_EMPTY] = {"almost_empty", "almost empty FIFOs"},
	[F_STAT_ALL_FULL] = {"fifos_full", "all full"},
	[F_STAT_ANY_EMPTY] = {"fifos_empty", "any empty"},
	[F_STAT_ALL_ALMOST_FULL] = {"fifos_almost_full", "all almost full"},
	[F_STAT_ANY_ALMOST_EMPTY] = {"fifos_almost_empty", "any almost empty"},
	[F_STAT_WPTR_EQ] = {"wptr_eq", "active write pointers are equal"},
	[F_STAT_RPTR_EQ] = {"rptr_eq", "active read pointers are equal"},
	[F_FIFO_DATA] = {"data", "word to push"},
	[F_AON_RDY_SEL] = {"rdy_sel", "bus wait states"},
	[F_AON_DSLEEP] = {"dsleep", "kernel memory retained, not accessible"},
	[F_AON_PD] = {"pd", "kernel memory powered down, contents lost"},
	[F_AON_RM] = {"rm", "read margin"},
	[F_FAST_THRESH] = {"thresh", "threshold"},
	[F_FAST_FULL] = {"full", "fast FIFO full"},
	[F_FAST_DATA] = {"data", "word to push"},
	[F_CNN_EN] = {"cnn_en", "run: rising edge starts or resumes, 0 pauses"},
	[F_RDY_SEL] = {"rdy_sel", "bus wait states"},
	[F_CLK_EN] = {"clk_en", "data path clock"},
	[F_CALCMAX] = {"calcmax", "global maximum pooling"},
	[F_EXT_RDY] = {"ext_rdy", "external ready"},
	[F_GLOBAL_POOL_EN] = {"pool_en", "global pooling"},
	[F_NO_PIPELINE] = {"no_pipeline", "pipeline off"},
	[F_BIGDATA] = {"bigdata", "CHW FIFO input"},
	[F_APBCLK_EN] = {"apbclk_en", "register clock always on"},
	[F_ONESHOT] = {"oneshot", "one layer per rising edge of cnn_en"},
	[F_EXT_SYNC_MASTER] = {"ext_sync_master", "group to follow"},
	[F_EXT_SYNC_EN] = {"ext_sync_en", "follow the master group"},
	[F_CNN_IRQ] = {"cnn_irq", "completion flag and interrupt"},
	[F_POOLRND] = {"poolrnd", "average pooling rounds"},
	[F_STREAM_EN] = {"stream_en", "streaming"},
	[F_GROUP_FIFO_EN] = {"fifo_en", "layer 0 input from FIFO"},
	[F_MLAT_LD] = {"mlat_ld", "mlator on, loads its pointer"},
	[F_MLATCH_SEL] = {"mlatch_sel", "mlator byte lane"},
	[F_LILBUF] = {"lilbuf", "ring buffers and frame limit active"},
	[F_MEXPRESS] = {"mexpress", "packed kernel loading"},
	[F_SIMPLE1B] = {"simple1b", "simple 1-bit logic"},
	[F_FFIFO_EN] = {"ffifo_en", "fast FIFO is the source"},
	[F_FIFOGRP] = {"fifogrp", "fast FIFO bytes go to processors 0..3"},
	[F_FCLK_DLY] = {"fclk_dly", "clock delay"},
	[F_TIMESHFT] = {"timeshft", "pooling wait state"},
	[F_BINARY] = {"binary", "1-bit weights mean +1 and -1"},
	[F_QUPAC] = {"qupac", "fast FIFO quad fan-out"},
	[F_SRAM_EXTACC] = {"extacc", "extended access"},
	[F_SRAM_RMARGIN_EN] = {"rmargin_en", "read margin enable"},
	[F_SRAM_RMARGIN] = {"rmargin", "read margin"},
	[F_SRAM_RA] = {"ra", "read assist"},
	[F_SRAM_WNEG_VOL] = {"wneg_vol", "write negative voltage"},
	[F_SRAM_WNEG_EN] = {"wneg_en", "write negative voltage enable"},
	[F_SRAM_WPULSE] = {"wpulse", "write pulse width"},
	[F_SRAM_DS] = {"ds", "deep sleep"},
	[F_SRAM_PD] = {"pd", "power down"},
	[F_SRAM_LS] = {"ls", "light sleep of data, kernel, TRAM and bias memory"},
	[F_LCNT] = {"lcnt", "last layer"},
	[F_LCNT_START] = {"start", "first layer"},
	[F_TEST_RUN] = {"run", "start bits: test and clear of data, kernel, TRAM, bias memory"},
	[F_TEST_SELECT] = {"bistsel", "selection"},
	[F_TEST_FAIL] = {"fail", "failed memories"},
	[F_TEST_BDONE] = {"bdone", "tests done"},
	[F_TEST_ZDONE] = {"zdone", "clears done"},
	[F_TEST_BISTFAIL] = {"bistfail", "any test failed"},
	[F_TEST_BISTDONE] = {"bistdone", "all tests done"},
	[F_TEST_ZERODONE] = {"zerodone", "all clears done"},
	[F_IFRM] = {"ifrm", "FIFO words in a frame"},
	[F_MLATDAT] = {"mlatdat", "selected byte of four words"},
	[F_SNOOP_WORD] = {"word", "word"},
	[F_SNOOP_INSTANCE] = {"instance", "data memory instance"},
	[F_SNOOP_ADDRESS_EN] = {"valid", "address bit"},
	[F_SNOOP_EN] = {"enable", "unit enable"},
	[F_SNOOP_STOP] = {"stop", "stop after the watched layer on trigger"},
	[F_SNOOP_LINK] = {"link", "take the next-layer link on trigger only"},
	[F_SNOOP_ACCUMULATE] = {"accumulate", "add each matching datum to ACC"},
	[F_SNOOP_COUNT] = {"count", "count matches in HIT"},
	[F_SNOOP_TRACK_MAX] = {"track_max", "keep the greatest match in MAX and AM"},
	[F_SNOOP_MODE_A] = {"mode_address", "2: equal, 5: range"},
	[F_SNOOP_MODE_D] = {"mode_data", "2: equal, 5: range"},
	[F_SNOOP_MODE_X] = {"mode_count", "5: match count range"},
	[F_SNOOP_DATUM] = {"datum", "4: whole word, 0..3: byte"},
	[F_SNOOP_LAYER] = {"layer", "watched layer"},
	[F_STRM_ISVAL] = {"strm_isval", "start count"},
	[F_STRM_FIFO_GO] = {"fifo_go", "start before the first push"},
	[F_STRM_INVOL] = {"invol", "input volume offset"},
	[F_STRM_DSVAL1] = {"dsval1", "shifts per stride within a row"},
	[F_STRM_DSVAL2] = {"dsval2", "shifts across a row boundary"},
	[F_FBUF_MAX] = {"fbuf_max", "ring length in words"},
	[F_NEXT] = {"next", "next layer"},
	[F_LINK] = {"link", "use next"},
	[F_STOP] = {"stop", "stop after this layer"},
	[F_RCNT_MAX] = {"rcnt_max", "rows + 2*pad - 1"},
	[F_RCNT_PAD] = {"rcnt_pad", "pad rows"},
	[F_ROW_STOP] = {"stop", "row of the last window"},
	[F_ROW_PAD_CNT] = {"pad_cnt", "pad rows - 1"},
	[F_ROW_PAD_ENA] = {"pad_ena", "row padding on"},
	[F_ROW_DIFF] = {"diff", "pointer step to the next window row"},
	[F_CCNT_MAX] = {"ccnt_max", "columns + 2*pad - 1"},
	[F_CCNT_PAD] = {"ccnt_pad", "pad columns"},
	[F_COL_STOP] = {"stop", "column of the last window"},
	[F_COL_PAD_CNT] = {"pad_cnt", "pad columns - 1"},
	[F_COL_PAD_ENA] = {"pad_ena", "column padding on"},
	[F_COL_DIFF] = {"diff", "columns - stop"},
	[F_TSCNT_MAX] = {"tscnt_max", "write time slots - 1"},
	[F_ONED_SAD] = {"oned_sad", "byte offset of the first kernel"},
	[F_ONED_WIDTH] = {"oned_width", "1-D kernel length; 1 without oned_en: 1x1"},
	[F_ONED_EN] = {"oned_en", "1-D convolution"},
	[F_EWISE_EN] = {"ewise_en", "element-wise on"},
	[F_EWISE_FUNC] = {"ewise_func", "0 sub, 1 add, 2 or, 3 xor"},
	[F_PREPOOL] = {"prepool", "pool before element-wise"},
	[F_2D_CONV] = {"2d_conv", "element-wise followed by a convolution"},
	[F_EWISE_CNT] = {"ewise_cnt", "operands - 1"},
	[F_POOL_ROWS] = {"cnt", "pool window rows - 1 (times dilation)"},
	[F_POOL_ROWS_INC] = {"inc", "row dilation - 1"},
	[F_POOL_COLS] = {"cnt", "pool window columns - 1 (times dilation)"},
	[F_POOL_COLS_INC] = {"inc", "column dilation - 1"},
	[F_STRIDE] = {"stride", "window step - 1"},
	[F_MP_STRIDE] = {"mp_stride", "words per window step"},
	[F_WPTR_WORD] = {"word", "first output word"},
	[F_WPTR_INSTANCE] = {"instance", "first output data memory instance"},
	[F_TOFFS] = {"toffs", "added per time slot"},
	[F_MOFFS] = {"moffs", "added per four output slots"},
	[F_CHOFFS] = {"choffs", "added per output pass"},
	[F_RPTR] = {"rptr", "first input word"},
	[F_SSLAVE] = {"sslave", "share field within groups of four"},
	[F_MSLAVE] = {"mslave", "share processor 0 field"},
	[F_MASTER] = {"master", "sum all processors of the group"},
	[F_PARALLEL] = {"parallel", "CHW input"},
	[F_POOL_EN] = {"pool_en", "pooling on"},
	[F_MAXPL_EN] = {"maxpl_en", "1 maximum, 0 average pooling"},
	[F_ACT_EN] = {"act_en", "ReLU"},
	[F_CPAD_ONLY] = {"cpad_only", "columns padded only"},
	[F_SRAMLSRC] = {"sramlsrc", "global write bus"},
	[F_CNNSI_EN] = {"cnnsi_en", "groups whose sums are added"},
	[F_BIGDWRT] = {"bigdwrt", "32-bit output"},
	[F_RD_AHEAD] = {"rd_ahead", "read ahead"},
	[F_CPRIME_MAX] = {"cprime_max", "kernel columns - 1"},
	[F_RPRIME_MAX] = {"rprime_max", "kernel rows - 1"},
	[F_SHIFT_CNT] = {"shift_cnt", "read ahead: passes - 1"},
	[F_DW_BCAST] = {"dw_bcast", "depth-wise, each processor writes its own lane"},
	[F_BYPASS] = {"bypass", "all weights 1"},
	[F_INPCHEXP] = {"inpchexp", "input passes - 1 (low bits)"},
	[F_WPTR_INC] = {"wptr_inc", "extra write pointer step per pixel"},
	[F_XPCH_MAX] = {"xpch_max", "(slots per output pass - 1) * weight bits"},
	[F_MCNT_MAX] = {"mcnt_max", "last kernel, in bits"},
	[F_MCNT_SAD] = {"mcnt_sad", "first kernel, in bits"},
	[F_OCHAN] = {"ochan", "kernels - 1"},
	[F_TPTR_MAX] = {"tptr_max", "last TRAM word of a row"},
	[F_TPTR_SAD] = {"tptr_sad", "first TRAM word"},
	[F_PRO_EN] = {"pro_en", "processors that read"},
	[F_MASK_EN] = {"mask_en", "processors with kernels"},
	[F_BPTR_SAD] = {"bptr_sad", "first bias entry"},
	[F_BPTR_EN] = {"bptr_en", "bias on"},
	[F_SCALE_REG] = {"scale_reg", "output shift"},
	[F_SCALE_SHFT] = {"scale_shft", "1: shift right"},
	[F_XPMP_CNT] = {"xpmp_cnt", "flatten: high bits of passes - 1"},
	[F_MASK_SIZE] = {"mask_size", "weights: 0 8-bit, 1 1-bit, 2 2-bit, 3 4-bit"},
	[F_TS_EN] = {"ts_en", "write in time slots"},
	[F_ONEXONE_EN] = {"onexone_en", "plain pass-through"},
	[F_OUT_ABS] = {"out_abs", "absolute value"},
	[F_FLATTEN_EN] = {"flatten_en", "flatten"},
	[F_DECONV_EN] = {"deconv_en", "transposed convolution"},
	[F_CALCX4] = {"calcx4", "four output channels in parallel"},
	[F_DW_EN] = {"dw_en", "depth-wise"},
	[F_TCALC] = {"tcalc", "four passes at a time"},
};

static const char *const memory_names[MEMORY_COUNT] = {
	[MEMORY_DATA] = "data memory",
	[MEMORY_KERNEL] = "kernel memory",
	[MEMORY_BIAS] = "bias memory",
	[MEMORY_TRAM] = "TRAM",
};

static const char *const scope_names[] = {
	[SCOPE_NONE] = "nothing",         [SCOPE_GLOBAL] = "global register", [SCOPE_GROUP] = "group register",
	[SCOPE_SNOOP] = "snoop register", [SCOPE_STREAM] = "stream register", [SCOPE_LAYER] = "layer register",
};

unsigned ai8x_part_count(void)
{
	return PART_COUNT;
}

const ai8x_part *ai8x_part_at(unsigned index)
{
	return index < PART_COUNT ? parts[index] : NULL;
}

const ai8x_part *ai8x_part_find(const char *name)
{
	if (name == NULL)
		return NULL;
	for (size_t i = 0; i < PART_COUNT; i++) {
		const char *full = parts[i]->info.name;
		if (strcasecmp(name, full) == 0 || strcmp(name, full + strlen("MAX")) == 0)
			return parts[i];
	}
	return NULL;
}

const ai8x_part_info *ai8x_part_get_info(const ai8x_part *part)
{
	if (part == NULL)
		return NULL;
	return &part->info;
}

const char *part_register_name(enum part_register reg)
{
	return register_names[reg];
}

const char *part_field_name(enum part_field_id field)
{
	return field_texts[field].name;
}

const char *part_memory_name(enum part_memory memory)
{
	return memory_names[memory];
}

// Strides are powers of two: shifts instead of divisions, because nearly all bus traffic comes here.
static unsigned log2_of(uint32_t power)
{
	return (unsigned)__builtin_ctz(power);
}

bool part_decode_memory(const ai8x_part *part, uint32_t address, struct part_target *target)
{
	const unsigned group_shift = log2_of(part->group_stride);
	for (unsigned m = 0; m < MEMORY_COUNT; m++) {
		const struct part_memory_row *row = &part->memories[m];
		if (address < row->address)
			continue;
		uint32_t offset = address - row->address;
		const uint32_t group = offset >> group_shift;
		offset &= part->group_stride - 1;
		const uint32_t unit = row->units == 1 ? 0 : offset >> log2_of(row->unit_stride);
		if (group >= AI8X_GROUPS || unit >= row->units)
			continue;
		offset -= unit * row->unit_stride;
		const uint32_t word = offset >> log2_of(row->word_bytes);
		if (word >= part_unit_words(part, (enum part_memory)m, unit))
			continue;
		*target = (struct part_target){
			.memory = (enum part_memory)m,
			.group = group,
			.unit = unit,
			.word = word,
			.byte = offset & (row->word_bytes - 1),
		};
		return true;
	}
	return false;
}

// The register of `row` at an address that is counted from group 0. Rows that the part does not have count none.
static bool find_index(const struct part_register_row *row, uint32_t address, uint32_t *index)
{
	const uint32_t offset = address - row->address; // enormous below the row
	if (row->count == 1 || offset < 4) {
		*index = 0;
		return row->count > 0 && offset < 4;
	}
	if (offset >= row->count * row->stride)
		return false;
	*index = offset / row->stride;
	return offset - *index * row->stride < 4;
}

// Looks through rows [first, end).
static bool find_register(const ai8x_part *part, unsigned first, unsigned end, uint32_t address,
                          uint32_t group, struct part_target *target)
{
	uint32_t index;
	for (unsigned r = first; r < end; r++) {
		if (!find_index(&part->registers[r], address, &index))
			continue;
		*target = (struct part_target){
			.is_register = true,
			.reg = (enum part_register)r,
			.index = index,
			.group = group,
			.byte = address & 3,
		};
		return true;
	}
	return false;
}

// Global registers come first in the table and lie below the groups; a group begins with CTL.
static bool decode_register(const ai8x_part *part, uint32_t address, struct part_target *target)
{
	const uint32_t groups = part->registers[REG_CTL].address;
	if (address < groups)
		return find_register(part, 0, REG_CTL, address, 0, target);
	const uint32_t group = (address - groups) >> log2_of(part->group_stride);
	return group < AI8X_GROUPS &&
	       find_register(part, REG_CTL, REG_COUNT, address - group * part->group_stride, group, target);
}

bool part_decode_address(const ai8x_part *part, uint32_t address, struct part_target *target)
{
	return part_decode_memory(part, address, target) || decode_register(part, address, target);
}

uint32_t part_register_address(const ai8x_part *part, enum part_register reg, unsigned group, uint32_t index)
{
	const struct part_register_row *row = &part->registers[reg];
	uint32_t address = row->address + index * row->stride;
	return row->scope == SCOPE_GLOBAL ? address : address + group * part->group_stride;
}

uint32_t ai8x_part_data_address(const ai8x_part *part, unsigned instance, uint32_t word)
{
	if (part == NULL)
		return 0;
	const struct part_memory_row *row = &part->memories[MEMORY_DATA];
	unsigned per_group = row->units;
	return row->address + instance / per_group * part->group_stride +
	       instance % per_group * row->unit_stride + word * row->word_bytes;
}

static ai8x_region memory_region(const ai8x_part *part, enum part_memory memory)
{
	const struct part_memory_row *row = &part->memories[memory];
	return (ai8x_region){
		.name = memory_names[memory],
		.kind = "memory",
		.memory = true,
		.address = row->address,
		.stride = row->units > 1 ? row->unit_stride : 0,
		.count = row->units,
		.groups = AI8X_GROUPS,
		.group_stride = part->group_stride,
		.words = row->words,
		.words_first = row->words_first,
		.word_bytes = row->word_bytes,
	};
}

static ai8x_region register_region(const ai8x_part *part, enum part_register reg)
{
	const struct part_register_row *row = &part->registers[reg];
	bool global = row->scope == SCOPE_GLOBAL;
	return (ai8x_region){
		.name = register_names[reg],
		.kind = scope_names[row->scope],
		.address = row->address,
		.stride = row->count > 1 ? row->stride : 0,
		.count = row->count,
		.groups = global ? 1 : AI8X_GROUPS,
		.group_stride = global ? 0 : part->group_stride,
		.reset = row->reset,
		.read_only = row->read_only,
		.write_only = row->write_only,
	};
}

bool ai8x_part_region(const ai8x_part *part, size_t index, ai8x_region *region)
{
	if (part == NULL || region == NULL)
		return false;
	if (index < MEMORY_COUNT) {
		*region = memory_region(part, (enum part_memory)index);
		return true;
	}
	index -= MEMORY_COUNT;
	for (unsigned r = 0; r < REG_COUNT; r++) {
		if (part->registers[r].scope == SCOPE_NONE)
			continue;
		if (index-- == 0) {
			*region = register_region(part, (enum part_register)r);
			return true;
		}
	}
	return false;
}

ai8x_status ai8x_part_locate(const ai8x_part *part, uint32_t address, ai8x_location *location)
{
	if (part == NULL || location == NULL)
		return AI8X_ERR_ARGUMENT;
	struct part_target target;
	*location = (ai8x_location){.region = scope_names[SCOPE_NONE], .group = -1, .unit = -1, .layer = -1};
	if (!part_decode_address(part, address, &target))
		return AI8X_ERR_ADDRESS;
	location->group = (int)target.group;
	if (!target.is_register) {
		location->region = memory_names[target.memory];
		location->unit = (int)(target.group * part->memories[target.memory].units + target.unit);
		location->word = target.word;
		return AI8X_OK;
	}
	const struct part_register_row *row = &part->registers[target.reg];
	location->region = scope_names[row->scope];
	location->name = register_names[target.reg];
	if (row->scope == SCOPE_GLOBAL)
		location->group = -1;
	if (row->scope == SCOPE_LAYER || row->scope == SCOPE_STREAM)
		location->layer = (int)target.index;
	else if (row->count > 1)
		location->unit = (int)target.index;
	return AI8X_OK;
}

size_t ai8x_part_fields(const ai8x_part *part, uint32_t address, ai8x_field *fields, size_t capacity)
{
	if (fields == NULL)
		capacity = 0;
	if (part == NULL)
		return 0;
	struct part_target target;
	if (!part_decode_address(part, address, &target) || !target.is_register)
		return 0;
	size_t count = 0;
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		const struct part_field *field = &part->fields[f];
		if (field->width == 0 || field->reg != target.reg)
			continue;
		if (count < capacity)
			fields[count] =
				(ai8x_field){field_texts[f].name, field->low, field->width, field_texts[f].meaning};
		count++;
	}
	return count;
}
