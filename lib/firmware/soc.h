// The chip around the accelerator: what its blocks share while firmware runs.
//
// One file per block. The core: core.c (run loop), bus.c, core_cycles.c, nvic.c, systick.c, semihosting.c. Around
// it: soc.c (the end of a run, the console, time), events.c (what comes next), watchdog.c (polling, explanations),
// image.c (files), record.c. Peripherals: one row each in peripherals.c, one file for each kind of them, plain.c for
// those that are no more than registers; peripheral.c is what a register table means. cnn.c is the accelerator's
// bus. A block calls soc.c, nvic.c, clocks.c and peripheral.c, and nothing calls a block but through its row.
//
// Facts: firmware reference 1 to 7.
#ifndef AI8X_FIRMWARE_SOC_H
#define AI8X_FIRMWARE_SOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ai8xsim/firmware.h>

#include "firmware/unicorn.h"
#include "part/part.h"

// Simulated time is counted in femtoseconds: every clock's period is exact to 1e-7, and 64 bits last for
// five hours.
#define FS_PER_SECOND UINT64_C(1000000000000000)
#define TIME_NEVER UINT64_MAX

#define FLASH_BASE 0x10000000u
#define INFO_BASE 0x10800000u
#define SRAM_BASE 0x20000000u
#define PERIPHERAL_BASE 0x40000000u
#define CNN_BASE 0x50000000u
#define CORE_BASE 0xE0000000u
#define CORE_SIZE 0x00100000u
#define ROM_SIZE 0x00010000u

// ---- parts.c: what differs between parts, as data ----

#define SRAM_BLOCKS 8

struct soc_part {
	const ai8x_part *part; // the accelerator
	const struct peripheral_table *peripherals;
	uint32_t flash_bytes, info_bytes, sram_bytes;
	uint16_t sram_kib[SRAM_BLOCKS]; // from SRAM_BASE on; each is kept or not in backup mode
	uint32_t flash_page;            // bytes that are erased together
	uint32_t peripheral_bytes;      // from PERIPHERAL_BASE
	uint32_t cnn_bytes;             // from CNN_BASE
	uint32_t cnn_status_end;        // CNN addresses below are control registers of the FIFOs
	uint32_t ipo_hz;                // the oscillator that examples run on
	unsigned interrupts;            // external interrupts
};

// The parts from small to large, NULL after the last one.
const struct soc_part *soc_part_at(size_t index);
// The row of that part, or NULL: nothing around its accelerator is modelled.
const struct soc_part *soc_part_find(const ai8x_part *part);

// ---- image.c: the ELF file ----

struct image_segment {
	uint32_t address; // physical
	uint32_t size;
	const uint8_t *bytes;
};

struct image_symbol {
	uint32_t address; // Thumb bit removed
	uint32_t size;
	const char *name;
	bool function;
};

struct image {
	uint8_t *file;
	size_t file_size;
	struct image_segment *segments;
	size_t segment_count;
	struct image_symbol *symbols; // by address
	size_t symbol_count;
	uint32_t vectors;      // where the vector table is
	uint32_t stack, entry; // from the vector table
};

// Takes a copy of bytes: an ELF file, Intel HEX, or with a board that says so raw bytes. Every range is checked.
ai8x_status image_load(struct image *image, const void *bytes, size_t size, const ai8x_firmware_board *board,
                       ai8x_error *error);
// Checks that every segment lies in flash or SRAM of the part.
ai8x_status image_check(const struct image *image, const struct soc_part *part, ai8x_error *error);
// The smallest part that the image may be made for.
const ai8x_part *image_guess_part(const struct image *image);
const struct image_symbol *image_find(const struct image *image, const char *name);
// "main+0x12", or "0x10001234" where no symbol is near.
void image_describe(const struct image *image, uint32_t address, char *text, size_t size);
void image_release(struct image *image);

// ---- peripherals: what a row of the table is ----

struct ai8x_firmware;
struct board;
struct semihosting;
struct vcd;
struct debugger;
struct peripheral;

// A register, as the vendor's register headers describe it. Bits that no field names are storage.
struct peripheral_register {
	uint16_t offset;
	bool modelled; // behaves as far as drivers can tell: not reported, allowed when strict
	const char *name;
	uint32_t reset;         // value after reset
	uint32_t read_only;     // bits that a write leaves alone
	uint32_t clear;         // bits that writing 1 clears and writing 0 leaves alone
	uint32_t self_clearing; // bits that hardware clears at once
	bool counter;           // differs at every read without telling that a wait is over
};

// What all peripherals of one kind share. NULL functions: the register table says it all.
struct peripheral_block {
	const struct peripheral_register *registers;
	size_t register_count;
	size_t state_bytes; // of each one's state, zeroed at reset
	bool stays;         // keeps its registers and goes on in backup mode
	bool narrow;        // takes 8- and 16-bit writes as they come; others get whole words
	uint8_t fifo;       // register that DMA reads or writes
	uint8_t one_way;    // DMA: 1 only reads it, 2 only writes it, 0 both
	// 32-bit accesses; offset is a multiple of 4.
	uint32_t (*read)(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset);
	void (*write)(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value);
	// After the common reset of registers and state.
	void (*reset)(struct ai8x_firmware *soc, const struct peripheral *row);
	// Carries out what is due at soc->now.
	void (*sync)(struct ai8x_firmware *soc, const struct peripheral *row);
	// When something happens next by itself, TIME_NEVER: not at all. interrupting: that interrupts the core.
	uint64_t (*next)(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting);
	// Its clock stood still so long, up to soc->now. NULL: it goes on, or has none.
	void (*stood_still)(struct ai8x_firmware *soc, const struct peripheral *row, uint64_t time);
	// Bytes that DMA may write to it or read from it now.
	uint32_t (*ready)(const struct ai8x_firmware *soc, const struct peripheral *row, bool transmits);
};

#define REGISTERS(table) .registers = (table), .register_count = sizeof(table) / sizeof((table)[0])

#define NO_INTERRUPT UINT16_MAX
#define NO_RESET 0

struct peripheral {
	const char *name;
	uint32_t base, bytes;
	const struct peripheral_block *block;
	uint8_t unit;    // number among its kind
	uint8_t reset;   // 1 + bit of GCR.RST0, 33 + bit of GCR.RST1, 65 + bit of LPGCR.RST, or NO_RESET
	uint16_t irq;    // interrupt number, or NO_INTERRUPT
	uint8_t request; // number of its DMA request, 0: none; what feeds it has 0x20 more
};

// Peripherals of a part, by address.
struct peripheral_table {
	const struct peripheral *rows;
	size_t count;
};

// peripherals.c
extern const struct peripheral_table max78000_peripherals, max78002_peripherals;

// peripheral.c: the registers as their table says.
const struct peripheral *peripheral_find(const struct soc_part *part, uint32_t address);
uint32_t peripheral_load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset);
void peripheral_store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset,
                      uint32_t value);
void peripheral_reset(struct ai8x_firmware *soc, const struct peripheral *row);
// true for registers that count.
bool peripheral_counts(const struct soc_part *part, uint32_t address);
// "UART0.STATUS", "SPI0+0x5c", "0x4000a000".
void peripheral_describe(const struct soc_part *part, uint32_t address, char *text, size_t size);
// Remembers the use of an unmodelled register; ends the run when strict.
void peripheral_unmodelled(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t address,
                           bool write);

// ---- blocks ----

#define EXCEPTIONS 256
#define NESTING 16

struct systick {
	uint32_t control, load;
	uint64_t origin;  // core cycle in which the counter was last loaded
	uint64_t flagged; // core cycle up to which wraps have been reported by the flag
	bool running;
};

struct nvic {
	uint32_t enabled[8], pending[8];
	uint32_t level[8];            // lines that are high now
	uint8_t priority[EXCEPTIONS]; // by exception number
	bool pendsv, systick, svc, nmi;
	bool faults[7]; // pending ones by exception number, HardFault to UsageFault
	uint32_t vtor;
	uint32_t scb[192];       // other words of 0xE000ED00 to 0xE000EFFF
	uint8_t active[NESTING]; // exception numbers, innermost last
	unsigned depth;
};

#define CNN_QUADRANTS ((1u << AI8X_GROUPS) - 1)

struct cnn {
	ai8x_machine *machine;
	bool busy;      // started, and the firmware has not been told of the end yet
	bool fifo;      // fed while it runs: advances with the core
	uint32_t lost;  // quadrants whose memories were without power since the last use; all: the rest was, too
	uint64_t start; // time of the start
	uint64_t end;   // time of the end, or TIME_NEVER while unknown
	uint64_t cycle; // femtoseconds of an accelerator cycle
	uint32_t control;      // register whose write started it
	bool paused;           // busy, but its enable bit was cleared
	uint32_t paused_value; // what was written to clear it
	uint64_t paused_at;
	uint64_t writes, reads;
	bool read_while_busy;
};

struct poll {
	uint32_t address, value;
	uint64_t count;
	uint64_t since; // core cycle of the first read
};

struct recorder {
	ai8x_program *program;
	bool ran;         // RUN is in it
	bool failed;      // out of memory
	bool with_layers; // the program gets the layers' outputs
	size_t number;    // of the recorded inference, 0: none yet
};

// What is known of the core's code and accesses, see core_cycles.c.
#define CORE_BLOCKS 8192u
#define CORE_LINE_BYTES 16u
#define CORE_LINES (0x280000u / CORE_LINE_BYTES) // of the larger part's flash

// The register that a block's first load takes its address from, and by how much the load moves it on.
struct core_source {
	bool known;
	uint8_t base, step;
};

struct core_block {
	uint32_t address, bytes, cycles;
	uint8_t refill;
	bool cold; // some of its lines may have to be fetched
	struct core_source source;
};

// An access to the accelerator, in femtoseconds: the core's part, whole cycles of the accelerator, and a part of one.
struct core_access {
	uint64_t core, whole, part;
};

struct core_code {
	struct core_block blocks[CORE_BLOCKS]; // by address
	uint32_t fetched[CORE_LINES / 32];     // lines of flash, a bit each
	uint32_t next;                         // address after the block before
	uint32_t refill;                       // of its branch
	const struct core_block *current;      // NULL: none yet
	uint64_t cnn_cycle;                    // femtoseconds of an accelerator cycle, here and below
	struct core_access access[2];          // read and written
	uint64_t rest;                         // of a core cycle that accesses took too little
	uint64_t owed;                         // of a cycle of the accelerator, the same
};

// What a power monitor tells apart, see phases.c.
enum soc_phase {
	PHASE_ACTIVE,
	PHASE_LOAD, // the accelerator is written to, before its start
	PHASE_RUN,
	PHASE_SLEEP,
	PHASE_LOW,
	PHASE_MICRO,
	PHASE_STANDBY,
	PHASE_BACKUP,
	PHASES
};

struct phases {
	enum soc_phase phase;
	uint64_t since;
	uint64_t time[PHASES];
	double joules; // of all runs
	uint32_t mode; // of power.h
	bool runs, loads;
	ai8x_firmware_phase rows[PHASES]; // for the result
};

// What both cores see as memory; the bytes belong to the run.
#define SOC_MEMORIES 4

struct soc_memory {
	uint32_t base, bytes;
	uint32_t rights; // of UC_PROT_
	uint8_t *data;
};

// The second core, see rv32.h.
#define RV32_BLOCKS 4096u
#define RV32_BOOT 0x40000810u    // register with its first address
#define RV32_COUNTER 0xE5080000u // stands for its cycle counter where polling is spoken of

struct rv32_block {
	uint32_t address, bytes, cycles;
	uint32_t taken; // cycles more when it does not go on after its end
};

struct rv32 {
	uc_engine *uc; // NULL: never started
	bool clocked, started, reset;
	bool leads;     // the chip's time passes with this core
	bool rests;     // it loops for ever
	bool stopped;   // by the block hook
	int trap;       // that the engine raised, -1: none
	uint64_t time;  // how far it has come
	uint64_t due;   // when it wants its next turn, TIME_NEVER: it does not run
	uint64_t cycle; // femtoseconds
	uint32_t boot;  // where its vectors are
	uint32_t pc;    // between turns
	uint32_t block; // address of the running block
	uint32_t next;  // address after it
	uint32_t taken; // of its branch
	uint32_t repeats;
	uint32_t met; // blocks, of whatever kind
	struct bad_access bad;
	uint32_t enabled[2], events[2], pending[2], level[2]; // lines, 32 in a word
	uint32_t counter, counter_mode, counter_events;
	uint64_t counter_origin; // its time at which the counter was last set
	struct poll poll;
	struct rv32_block blocks[RV32_BLOCKS];
};

struct ai8x_firmware {
	ai8x_firmware_options options;
	char *until_name;
	char *name;   // of the file, or NULL
	bool running; // ai8x_firmware_run() has not returned
	const ai8x_part *part;
	const struct soc_part *soc;
	struct image image;
	struct unicorn unicorn;
	uc_engine *uc;

	// Core and time.
	uint64_t now;    // femtoseconds since reset
	uint64_t cycles; // core cycles since reset
	uint64_t cycle;  // femtoseconds of a core cycle
	uint64_t wake;   // time of the next event, TIME_NEVER: none
	uint64_t instructions;
	uint64_t look_at;       // instructions at which the run is looked at: watchdog, caller
	bool attention;         // look at interrupts or the end before the next block
	uint32_t block;         // address of the running block
	uint64_t block_repeats; // how often in a row
	uint64_t accesses;      // bus accesses to anything outside memory
	unsigned access_bytes;  // width of the present one
	uint64_t repeat_accesses;
	uint32_t interrupt; // what the core raised, see core.c
	bool stopped;       // by the block hook
	struct bad_access bad;
	char fault_text[256]; // the last fault, for the end of a run in its handler
	uint32_t main_address, main_return, until_address;
	bool main_known, main_returned, until_known;
	int32_t main_result;
	uint32_t stubs[AI8X_FIRMWARE_MAX_STUBS]; // addresses
	size_t stub_count;
	const ai8x_firmware_stub *stub; // reached, not carried out yet
	uint32_t sleeps;                // WFI in a row that nothing could end
	struct debugger *debugger;      // NULL: none
	struct board *board;
	struct semihosting *semihosting;
	struct vcd *vcd; // NULL: none

	// Blocks.
	uint32_t *words;   // storage of the peripheral region
	void **states;     // of each peripheral, by row
	void *state_bytes; // all of them
	uint8_t *moving;   // rows in which something happens by itself
	size_t moving_count;
	struct nvic nvic;
	struct systick systick;
	struct cnn cnn;
	struct soc_memory memories[SOC_MEMORIES];
	struct phases phases;
	bool backs_up; // backup mode was asked for
	struct rv32 rv32;
	struct core_code code;
	struct poll poll;
	struct recorder recorder;

	// Outcome.
	bool ended;
	ai8x_firmware_result result;
	char *console;
	size_t console_size, console_capacity;
	ai8x_firmware_inference *inferences;
	size_t inference_capacity;
	ai8x_firmware_register *registers;
	size_t register_capacity;
};

// State of a peripheral, of the type that its file knows.
static inline void *soc_state(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	return soc->states[row - soc->soc->peripherals->rows];
}
// Storage of a peripheral register.
static inline uint32_t *soc_word(struct ai8x_firmware *soc, uint32_t address)
{
	return &soc->words[(address - PERIPHERAL_BASE) >> 2];
}

// Its value.
static inline uint32_t soc_value(const struct ai8x_firmware *soc, const struct peripheral *row,
                                 uint32_t offset)
{
	return soc->words[(row->base + offset - PERIPHERAL_BASE) >> 2];
}

// ---- core.c ----

ai8x_status core_create(struct ai8x_firmware *soc, ai8x_error *error);
// Runs from reset until soc->ended.
void core_run(struct ai8x_firmware *soc);

// ---- core_cycles.c: what code and accesses cost ----

// Instructions one after the other; zero before the first.
struct core_decoder {
	uint32_t cycles;
	uint8_t refill; // cycles that a branch at the end takes more when it is taken
	bool half;      // of a 32-bit instruction, first
	bool is_short;  // the instruction before
	uint16_t first;
	uint32_t loaded; // register that it loads, a bit
	struct core_source source;
};

void core_decode(struct core_decoder *decoder, const uint16_t *code, size_t count);
// Core cycles of a block of code, which begins at address and has so many bytes, and of the branch that led there.
uint64_t core_block_cycles(struct ai8x_firmware *soc, uint32_t address, uint32_t bytes);
// Core cycles that an access outside memory takes in addition to its instruction.
uint64_t core_access_cycles(struct ai8x_firmware *soc, uint32_t address, bool write);
// Core cycles that the load before a write to the accelerator waits for flash.
uint64_t core_source_cycles(struct ai8x_firmware *soc);
// The clocks are others now, a cycle of the accelerator so many femtoseconds: accesses to it take other times.
void core_clocks_changed(struct ai8x_firmware *soc, uint64_t cnn_cycle);

// ---- bus.c: the address map ----

ai8x_status core_bus_map(struct ai8x_firmware *soc, ai8x_error *error);
// Frees the memories, after the engines that use them.
void core_bus_release(struct ai8x_firmware *soc);
// What a core reads and writes among peripherals and the accelerator.
uint32_t core_bus_load(struct ai8x_firmware *soc, uint32_t address, unsigned bytes);
void core_bus_store(struct ai8x_firmware *soc, uint32_t address, unsigned bytes, uint32_t value);
// Accesses of another master than the core. false: nothing answers there.
bool core_bus_read(struct ai8x_firmware *soc, uint32_t address, unsigned bytes, uint32_t *value);
bool core_bus_write(struct ai8x_firmware *soc, uint32_t address, unsigned bytes, uint32_t value);
// Into SRAM only.
bool core_bus_write_bytes(struct ai8x_firmware *soc, uint32_t address, const void *bytes, size_t size);

// ---- semihosting.c ----

// AI8X_ERR_IO: the folder for files cannot be opened.
ai8x_status semihosting_create(struct ai8x_firmware *soc);
void semihosting_destroy(struct ai8x_firmware *soc);
// Carries out the call that BKPT 0xAB at pc makes, and steps over it.
void semihosting(struct ai8x_firmware *soc, uint32_t pc);

// ---- soc.c ----

uint32_t soc_register(struct ai8x_firmware *soc, int id);
// Ends the run: the first call wins.
void soc_end(struct ai8x_firmware *soc, ai8x_firmware_end end, ai8x_status status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
// Asks the caller now and then. false: the run has ended, for whatever reason.
bool soc_may_go_on(struct ai8x_firmware *soc);
// A character that the firmware prints.
void soc_print(struct ai8x_firmware *soc, unsigned uart, char character);
// Lets core cycles pass.
static inline void soc_pass(struct ai8x_firmware *soc, uint64_t cycles)
{
	soc->cycles += cycles;
	soc->now += cycles * soc->cycle;
}
// Lets time pass up to (at least) a point in time.
void soc_pass_until(struct ai8x_firmware *soc, uint64_t time);
// Something may be due now or sooner than was known: events are looked through before the next block of code.
static inline void soc_changed(struct ai8x_firmware *soc)
{
	soc->wake = soc->now;
}

// ---- events.c ----

// Carries out what is due, then sets the next wake-up.
void events_sync(struct ai8x_firmware *soc);
// The next point in time at which anything happens by itself, whether or not it interrupts.
uint64_t events_next(const struct ai8x_firmware *soc);
// The same for what ends a sleep.
uint64_t events_next_interrupt(const struct ai8x_firmware *soc);

// ---- nvic.c: NVIC, system control block, exception entry and return ----

void nvic_reset(struct nvic *nvic);
uint32_t nvic_read(struct ai8x_firmware *soc, uint32_t offset);
void nvic_write(struct ai8x_firmware *soc, uint32_t offset, uint32_t value, unsigned bytes);
void nvic_line(struct ai8x_firmware *soc, unsigned irq, bool high);
// A core listens to that line.
bool nvic_enabled(const struct ai8x_firmware *soc, unsigned irq);
// Exception to take now (0: none). masked: PRIMASK counts.
unsigned nvic_next(struct ai8x_firmware *soc, bool masked);
// Both return false when the stack is not in memory; the second also for a value that means no return.
bool nvic_enter(struct ai8x_firmware *soc, unsigned exception);
bool nvic_return(struct ai8x_firmware *soc, uint32_t exc_return);
// Makes a fault pending: bits of the fault status register CFSR, and the address that they speak of. false: it comes
// where no fault can be taken, and the core locks up.
bool nvic_fault(struct ai8x_firmware *soc, uint32_t status, uint32_t address);
// true while a fault handler runs.
bool nvic_in_fault(const struct ai8x_firmware *soc);
// "CFSR 0x00008200, HFSR 0x40000000, BFAR 0x90000000".
void nvic_describe_fault(const struct ai8x_firmware *soc, char *text, size_t size);
// Sleep means the mode that the power registers say (SLEEPDEEP).
bool nvic_sleeps_deep(const struct ai8x_firmware *soc);
// The handler that just ended asks to sleep again (SLEEPONEXIT).
bool nvic_sleeps_on_exit(const struct ai8x_firmware *soc);

// ---- systick.c ----

uint32_t systick_read(struct ai8x_firmware *soc, uint32_t offset);
void systick_write(struct ai8x_firmware *soc, uint32_t offset, uint32_t value);
void systick_sync(struct ai8x_firmware *soc);
uint64_t systick_next(const struct ai8x_firmware *soc);
bool systick_interrupts(const struct ai8x_firmware *soc);

// ---- clocks.c ----

// Sets soc->cycle from the clock registers.
void clocks_update(struct ai8x_firmware *soc);
uint32_t clocks_cnn_hz(const struct ai8x_firmware *soc);
// Femtoseconds of a peripheral clock cycle.
uint64_t clocks_pclk(const struct ai8x_firmware *soc);

// ---- pt.c ----

// Femtoseconds of a cycle of the first pulse train that gives a square wave; TIME_NEVER: none does.
uint64_t pulse_train_wave(const struct ai8x_firmware *soc);

// ---- cnn.c ----

#define CNN_INTERRUPT 101

uint32_t cnn_read(struct ai8x_firmware *soc, uint32_t address, unsigned bytes);
void cnn_write(struct ai8x_firmware *soc, uint32_t address, uint32_t value, unsigned bytes);
void cnn_power(struct ai8x_firmware *soc);
// The core has nothing to do but wait: let a FIFO-fed run go on as far as it can.
void cnn_settle(struct ai8x_firmware *soc);
// Brings the last inference's row up to the machine's state.
void cnn_account(struct ai8x_firmware *soc);

// ---- watchdog.c ----

// Called round each read of a register; time is warped before it where the register is polled.
void poll_before(struct ai8x_firmware *soc, uint32_t address);
void poll_after(struct ai8x_firmware *soc, uint32_t address, uint32_t value);
void poll_clear(struct ai8x_firmware *soc);
// The register has been read so often in a row that its reader waits.
bool poll_repeats(const struct ai8x_firmware *soc, uint32_t address);
void watchdog_check(struct ai8x_firmware *soc);
void watchdog_where(struct ai8x_firmware *soc);

// ---- record.c ----

void record_write(struct ai8x_firmware *soc, ai8x_op_kind kind, uint32_t address, uint32_t value);
void record_finish(struct ai8x_firmware *soc);
// An empty program in the place of what was recorded: the accelerator lost its memories.
ai8x_status record_begin(struct ai8x_firmware *soc, ai8x_error *error);
// The run is over: an inference that was asked for and has not ended is recorded as it is.
void record_close(struct ai8x_firmware *soc);
void record_read(struct ai8x_firmware *soc, uint32_t address, uint32_t value);

#endif
