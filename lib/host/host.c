// The accelerator's addresses in a host process: generated code compiled for the host runs on a machine.
//
// How it works. The accelerator's window is mapped as plain memory at its real address. The code is compiled with
// -fsanitize=thread, which puts a call before every load and store that tells address and size; the functions
// that are called are these, not the sanitizer's. Before a load from the window the word is fetched from the
// machine into the mapping. A store is carried out by the code itself; at the next call its value is taken from
// the mapping and written to the machine. So order and width of accesses are those of the compiled code, on any
// processor, without a signal handler or an instruction decoder.
//
// A process has one address space, so this library, unlike the rest, has one instance per process. It is made
// for single-threaded test programs.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ai8xsim/ai8xsim.h>
#include <ai8xsim/host.h>

// The accelerator's window, its FIFO registers and the page of the fast FIFO: the same on all parts (hardware
// reference 2).
#define CNN_BASE 0x50000000u
#define CNN_BYTES 0x05000000u
#define FIFO_STATUS 0x50000004u
#define FIFO_DATA 0x50000008u
#define FIFO_DATA_END 0x50000018u
#define FAST_PAGE 0x400C0000u
#define FAST_BYTES 0x1000u
#define FAST_STATUS 0x400C0404u
#define FAST_DATA 0x400C0410u
#define CNN_IRQ 101    // CNN_IRQn of host/mxc.h
#define EXIT_STOPPED 4 // as ai8xsim: the machine stopped

// Stand-ins of registers, see host/mxc.h.
struct words {
	volatile uint32_t word[8];
};
struct words ai8x_host_scb_registers, ai8x_host_gcfr_registers, ai8x_host_gpio[4];
static struct words gcr;
uint32_t SystemCoreClock = 100000000;

void ai8x_host_choose_part(const char *name);
void ai8x_host_set_handler(int interrupt, void (*handler)(void));
void ai8x_host_wait(void);
void ai8x_host_pause(void);
unsigned ai8x_host_stopwatch(void);
struct words *ai8x_host_gcr(void);

static struct {
	ai8x_machine *machine;
	const ai8x_part *part;
	ai8x_program *recording; // NULL: none asked for
	bool ran;                // RUN has been recorded
	uintptr_t pending;       // store that has not been taken over yet, 0: none
	unsigned pending_bytes;
	void (*handler)(void);
	bool inside;        // in the library or in the handler: no interrupt
	bool running, done; // started; finished and not reported to the handler
	unsigned inferences;
	uint64_t cycles; // of the last inference
} host;

static _Noreturn void give_up(const char *what, const ai8x_error *error)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "ai8xsim: %s: %s\n", what, error->message);
	_exit(EXIT_STOPPED);
}

static void map_window(uintptr_t base, size_t bytes)
{
	void *wanted = (void *)base; // NOLINT(performance-no-int-to-ptr): the address is the point
	void *got = mmap(wanted, bytes, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (got != wanted) {
		(void)fprintf(stderr, "ai8xsim: 0x%zx bytes at 0x%08zx are not free in this process\n", bytes,
		              (size_t)base);
		_exit(EXIT_STOPPED);
	}
}

static void finish(void);

void ai8x_host_choose_part(const char *name)
{
	if (host.machine != NULL)
		return;
	const char *chosen = getenv("AI8XSIM_PART");
	ai8x_error error = {0};
	host.part = ai8x_part_find(chosen != NULL ? chosen : name);
	if (host.part == NULL) {
		(void)fprintf(stderr, "ai8xsim: AI8XSIM_PART: unknown part '%s'\n", chosen != NULL ? chosen : name);
		_exit(EXIT_STOPPED);
	}
	ai8x_machine_options options = ai8x_machine_options_default();
	options.capture_outputs = getenv("AI8XSIM_RECORD") != NULL;
	if (ai8x_machine_create(host.part, &options, &host.machine, &error) != AI8X_OK)
		give_up("machine", &error);
	if (options.capture_outputs &&
	    ai8x_program_create(host.part, "recorded", &host.recording, &error) != AI8X_OK)
		give_up("recording", &error);
	map_window(CNN_BASE, CNN_BYTES);
	map_window(FAST_PAGE, FAST_BYTES);
	// A failing test often ends in an endless loop: what it printed must be out by then.
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)atexit(finish);
}

ai8x_machine *ai8x_host_machine(void)
{
	ai8x_host_choose_part("MAX78000");
	return host.machine;
}

// ---- the machine's side ----

static void record(ai8x_op op)
{
	ai8x_error error = {0};
	if (host.recording != NULL && ai8x_program_append(host.recording, op, &error) != AI8X_OK)
		give_up("recording", &error);
}

static void record_end(void)
{
	if (host.recording == NULL || host.ran)
		return;
	record((ai8x_op){.kind = AI8X_BUS_RUN});
	host.ran = true;
	for (size_t i = 0; i < ai8x_machine_layer_count(host.machine); i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(host.machine, i);
		const uint32_t none[3] = {0, 0, 0};
		ai8x_error error = {0};
		if (report->words != NULL &&
		    ai8x_program_add_layer(host.recording, report->layer.index, NULL, none, report->words,
		                           report->word_count, &error) != AI8X_OK)
			give_up("recording", &error);
	}
}

// Lets the machine run; returns AI8X_WAITING where it wants FIFO words.
static ai8x_status run(const ai8x_run_limits *limits)
{
	ai8x_error error = {0};
	ai8x_status status = ai8x_machine_run(host.machine, limits, &error);
	if (status != AI8X_OK && status != AI8X_WAITING)
		give_up("accelerator", &error);
	if (!ai8x_machine_running(host.machine) && host.running) {
		host.running = false;
		host.done = true;
		host.cycles = ai8x_machine_cycles(host.machine);
		host.inferences++;
		record_end();
		if (getenv("AI8XSIM_QUIET") == NULL)
			(void)fprintf(stderr, "ai8xsim: inference %u: %llu cycles, %zu layers\n", host.inferences,
			              (unsigned long long)host.cycles, ai8x_machine_layer_count(host.machine));
	}
	return status;
}

static bool is_fifo_data(uint32_t address)
{
	return (address >= FIFO_DATA && address < FIFO_DATA_END) || address == FAST_DATA;
}

static void bus_write(uint32_t address, uint32_t value, unsigned bytes)
{
	ai8x_error error = {0};
	ai8x_status status = bytes == 1 ? ai8x_machine_write8(host.machine, address, (uint8_t)value, &error)
	                                : ai8x_machine_write32(host.machine, address, value, &error);
	if (status == AI8X_FIFO_FULL) {
		ai8x_run_limits limits = {.until_fifo_ready = true, .fifo_address = address};
		(void)run(&limits);
		status = ai8x_machine_write32(host.machine, address, value, &error);
	}
	if (status == AI8X_FIFO_FULL) {
		(void)ai8x_machine_explain_wait(host.machine, error.message, sizeof error.message);
		give_up("a FIFO never takes its word", &error);
	}
	if (status != AI8X_OK)
		give_up("bus write", &error);
	if (!host.ran)
		record((ai8x_op){.kind = is_fifo_data(address) ? AI8X_BUS_FIFO_WRITE32
		                         : bytes == 1          ? AI8X_BUS_WRITE8
		                                               : AI8X_BUS_WRITE32,
		                 .address = address,
		                 .value = value});
	if (!host.running && ai8x_machine_running(host.machine)) {
		host.running = true;
		(void)run(NULL);
	}
}

static uint32_t bus_read(uint32_t address)
{
	ai8x_error error = {0};
	uint32_t value = 0;
	bool status_register = address == FIFO_STATUS || address == FAST_STATUS;
	// Whoever looks waits: for the end, or for room in a FIFO.
	if (host.running && !status_register)
		(void)run(NULL);
	if (ai8x_machine_read32(host.machine, address, &value, &error) != AI8X_OK)
		give_up("bus read", &error);
	uint32_t full = address == FAST_STATUS ? value & 2 : value & 15;
	if (host.running && status_register && full != 0) {
		ai8x_run_limits limits = {.until_fifo_ready = true};
		limits.fifo_address =
			address == FAST_STATUS ? FAST_DATA : FIFO_DATA + 4 * (uint32_t)__builtin_ctz(full);
		(void)run(&limits);
		(void)ai8x_machine_read32(host.machine, address, &value, NULL);
	}
	ai8x_location location;
	if (host.ran && host.inferences == 1 && !host.running &&
	    ai8x_part_locate(host.part, address, &location) == AI8X_OK &&
	    strncmp(location.region, "data", 4) == 0)
		record((ai8x_op){.kind = AI8X_BUS_EXPECT, .address = address, .value = value, .mask = UINT32_MAX});
	return value;
}

static void interrupt(void)
{
	if (!host.done || host.inside || host.handler == NULL)
		return;
	host.done = false;
	host.handler();
}

// ---- the code's side ----

static bool in_window(uintptr_t address)
{
	return address - CNN_BASE < CNN_BYTES || address - FAST_PAGE < FAST_BYTES;
}

// Takes over the store that the code has done since the last call.
static void commit(void)
{
	uintptr_t address = host.pending;
	unsigned bytes = host.pending_bytes;
	if (address == 0)
		return;
	host.pending = 0;
	host.inside = true;
	const uint8_t *memory = (const uint8_t *)address; // NOLINT(performance-no-int-to-ptr)
	if (bytes < 4) {
		if (bytes == 2) {
			ai8x_error error = {.message = "16-bit store to the accelerator"};
			give_up("bus write", &error);
		}
		bus_write((uint32_t)address, memory[0], 1);
	}
	for (unsigned i = 0; i + 4 <= bytes; i += 4) {
		uint32_t value;
		memcpy(&value, memory + i, sizeof value);
		bus_write((uint32_t)address + i, value, 4);
	}
	host.inside = false;
}

static void before_load(uintptr_t address, unsigned bytes)
{
	commit();
	if (!in_window(address)) {
		interrupt();
		return;
	}
	host.inside = true;
	for (uintptr_t word = address & ~(uintptr_t)3; word < address + bytes; word += 4) {
		uint32_t value = bus_read((uint32_t)word);
		memcpy((void *)word, &value, sizeof value); // NOLINT(performance-no-int-to-ptr)
	}
	host.inside = false;
}

static void before_store(uintptr_t address, unsigned bytes)
{
	commit();
	if (in_window(address)) {
		host.pending = address;
		host.pending_bytes = bytes;
	} else {
		interrupt();
	}
}

// What the compiler calls. Atomic operations and memory ranges do not occur in generated code.
#define LOAD(name, bytes)                                                                                    \
	void name(void *address);                                                                                \
	void name(void *address)                                                                                 \
	{                                                                                                        \
		before_load((uintptr_t)address, bytes);                                                              \
	}
#define STORE(name, bytes)                                                                                   \
	void name(void *address);                                                                                \
	void name(void *address)                                                                                 \
	{                                                                                                        \
		before_store((uintptr_t)address, bytes);                                                             \
	}
#define BOTH(bytes)                                                                                          \
	LOAD(__tsan_read##bytes, bytes)                                                                          \
	LOAD(__tsan_unaligned_read##bytes, bytes)                                                                \
	LOAD(__tsan_volatile_read##bytes, bytes)                                                                 \
	LOAD(__tsan_unaligned_volatile_read##bytes, bytes)                                                       \
	STORE(__tsan_write##bytes, bytes)                                                                        \
	STORE(__tsan_unaligned_write##bytes, bytes)                                                              \
	STORE(__tsan_volatile_write##bytes, bytes)                                                               \
	STORE(__tsan_unaligned_volatile_write##bytes, bytes)

BOTH(1)
BOTH(2)
BOTH(4)
BOTH(8)
BOTH(16)

// A read-modify-write in one call: the load is served, the store follows.
#define READ_WRITE(bytes)                                                                                    \
	void __tsan_read_write##bytes(void *address);                                                            \
	void __tsan_read_write##bytes(void *address)                                                             \
	{                                                                                                        \
		before_load((uintptr_t)address, bytes);                                                              \
		before_store((uintptr_t)address, bytes);                                                             \
	}                                                                                                        \
	void __tsan_unaligned_read_write##bytes(void *address);                                                  \
	void __tsan_unaligned_read_write##bytes(void *address)                                                   \
	{                                                                                                        \
		__tsan_read_write##bytes(address);                                                                   \
	}

READ_WRITE(1)
READ_WRITE(2)
READ_WRITE(4)
READ_WRITE(8)
READ_WRITE(16)

static void refuse_range(const void *address, const char *what)
{
	commit();
	if (in_window((uintptr_t)address)) {
		ai8x_error error = {0};
		(void)snprintf(error.message, sizeof error.message,
		               "%s at 0x%08zx; write the accelerator word by word", what, (size_t)(uintptr_t)address);
		give_up("memory range in the accelerator", &error);
	}
}

void *__tsan_memcpy(void *to, const void *from, size_t bytes);
void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
	refuse_range(to, "memcpy");
	refuse_range(from, "memcpy");
	return memmove(to, from, bytes);
}

void *__tsan_memmove(void *to, const void *from, size_t bytes);
void *__tsan_memmove(void *to, const void *from, size_t bytes)
{
	return __tsan_memcpy(to, from, bytes);
}

void *__tsan_memset(void *to, int value, size_t bytes);
void *__tsan_memset(void *to, int value, size_t bytes)
{
	refuse_range(to, "memset");
	return memset(to, value, bytes);
}

void __tsan_read_range(void *address, size_t bytes);
void __tsan_read_range(void *address, size_t bytes)
{
	(void)bytes;
	refuse_range(address, "a range read");
}

void __tsan_write_range(void *address, size_t bytes);
void __tsan_write_range(void *address, size_t bytes)
{
	(void)bytes;
	refuse_range(address, "a range written");
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
	(void)caller;
	commit();
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
	commit();
}

// ---- what the stand-in headers call ----

void ai8x_host_set_handler(int number, void (*handler)(void))
{
	commit();
	if (number == CNN_IRQ)
		host.handler = handler;
}

void ai8x_host_wait(void)
{
	commit();
	host.inside = true;
	if (host.running && run(NULL) == AI8X_WAITING) {
		ai8x_error error = {0};
		(void)ai8x_machine_explain_wait(host.machine, error.message, sizeof error.message);
		give_up("waiting for the accelerator", &error);
	}
	host.inside = false;
	interrupt();
}

// The same without giving up on a FIFO that waits: words may follow.
void ai8x_host_pause(void)
{
	commit();
	host.inside = true;
	if (host.running)
		(void)run(NULL);
	host.inside = false;
	interrupt();
}

unsigned ai8x_host_stopwatch(void)
{
	commit();
	uint64_t hz = ai8x_part_get_info(host.part)->clock_hz;
	return (unsigned)(host.cycles * 1000000 / hz);
}

struct words *ai8x_host_gcr(void)
{
	commit();
	gcr.word[1] |= 2; // the PLL is ready
	return &gcr;
}

static void finish(void)
{
	commit();
	const char *path = getenv("AI8XSIM_RECORD");
	ai8x_error error = {0};
	if (host.recording == NULL)
		return;
	if (!host.ran)
		(void)fprintf(stderr, "ai8xsim: no inference finished: %s is not written\n", path);
	else if (ai8x_program_save(host.recording, path, &error) != AI8X_OK)
		(void)fprintf(stderr, "ai8xsim: %s\n", error.message);
	ai8x_program_destroy(host.recording);
	host.recording = NULL;
}
