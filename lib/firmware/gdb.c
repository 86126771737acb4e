// The remote serial protocol of gdb on a socket: packets, and what they ask for.
//
// Facts: the appendix "Remote Protocol" of gdb's manual. One debugger at a time, one thread of execution.
#include "firmware/debug.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET 0x4000u
#define INTERRUPT '\x03'

struct gdb {
	int listener, client;
	bool quiet;   // no acknowledgements
	bool running; // the debugger waits for a stop
	bool over;    // the end was told
	char in[PACKET + 1];
	size_t in_size;
	char out[2 * PACKET + 8];
	uint8_t bytes[PACKET];
};

struct debugger *gdb_open(int listener)
{
	struct debugger *debugger = calloc(1, sizeof *debugger);
	struct gdb *gdb = calloc(1, sizeof *gdb);
	if (debugger == NULL || gdb == NULL) {
		free(debugger);
		free(gdb);
		return NULL;
	}
	gdb->listener = listener;
	gdb->client = -1;
	debugger->gdb = gdb;
	debugger->attached = debugger->halted = true;
	debugger->signal = DEBUG_TRAP;
	return debugger;
}

static void hang_up(struct debugger *debugger)
{
	if (debugger->gdb->client >= 0)
		(void)close(debugger->gdb->client);
	debugger->gdb->client = -1;
	debugger->attached = debugger->halted = false;
}

void gdb_close(struct debugger *debugger)
{
	if (debugger == NULL)
		return;
	hang_up(debugger);
	free(debugger->gdb);
	free(debugger);
}

// ---- packets ----

static bool send_all(struct gdb *gdb, const char *bytes, size_t size)
{
	while (size > 0) {
		const ssize_t sent = send(gdb->client, bytes, size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes += sent;
		size -= (size_t)sent;
	}
	return true;
}

// The next character, or -1 when the debugger went away.
static int receive(struct gdb *gdb)
{
	unsigned char character = 0;
	ssize_t got = 0;
	do
		got = recv(gdb->client, &character, 1, 0);
	while (got < 0 && errno == EINTR);
	return got == 1 ? character : -1;
}

static void reply_bytes(struct gdb *gdb, const char *text, size_t size)
{
	char *out = gdb->out;
	uint8_t sum = 0;
	size_t used = 0;
	out[used++] = '$';
	for (size_t i = 0; i < size && used < sizeof gdb->out - 5; i++) {
		const char c = text[i];
		const bool escaped = c == '$' || c == '#' || c == '}' || c == '*';
		if (escaped) {
			out[used++] = '}';
			sum = (uint8_t)(sum + '}');
		}
		out[used] = escaped ? (char)(c ^ 0x20) : c;
		sum = (uint8_t)(sum + (uint8_t)out[used++]);
	}
	(void)snprintf(out + used, sizeof gdb->out - used, "#%02x", sum);
	(void)send_all(gdb, out, used + 3);
}

static void reply(struct gdb *gdb, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void reply(struct gdb *gdb, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	reply_bytes(gdb, text, strlen(text));
}

static int digit(int c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

// Takes a packet into gdb->in. false: the debugger went away.
static bool take_packet(struct gdb *gdb)
{
	for (;;) {
		int c = receive(gdb);
		while (c >= 0 && c != '$')
			c = receive(gdb); // acknowledgements, interrupts of a core that stands still
		uint8_t sum = 0;
		gdb->in_size = 0;
		for (c = receive(gdb); c >= 0 && c != '#'; c = receive(gdb)) {
			sum = (uint8_t)(sum + c);
			if (gdb->in_size < PACKET)
				gdb->in[gdb->in_size++] = (char)c;
		}
		const int high = c < 0 ? -1 : receive(gdb), low = high < 0 ? -1 : receive(gdb);
		if (low < 0)
			return false;
		gdb->in[gdb->in_size] = 0;
		const bool good = digit(high) * 16 + digit(low) == sum;
		if (!gdb->quiet)
			(void)send_all(gdb, good ? "+" : "-", 1);
		if (good)
			return true;
	}
}

// Hexadecimal number at *text, which moves on past it.
static uint32_t number(const char **text)
{
	uint32_t value = 0;
	for (; digit(**text) >= 0; (*text)++)
		value = value << 4 | (uint32_t)digit(**text);
	return value;
}

static bool skip(const char **text, char character)
{
	if (**text != character)
		return false;
	(*text)++;
	return true;
}

static const char *starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0 ? text + strlen(with) : NULL;
}

// Pairs of digits into bytes; how many there were.
static size_t unhex(const char *text, uint8_t *bytes, size_t limit)
{
	size_t count = 0;
	for (; count < limit && digit(text[0]) >= 0 && digit(text[1]) >= 0; text += 2)
		bytes[count++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
	return count;
}

static void reply_hex(struct gdb *gdb, const char *prefix, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * PACKET];
	size_t used = strlen(prefix);
	memcpy(text, prefix, used);
	for (size_t i = 0; i < size && used + 2 <= PACKET; i++) {
		text[used++] = digits[bytes[i] >> 4];
		text[used++] = digits[bytes[i] & 15];
	}
	reply_bytes(gdb, text, used);
}

// ---- what packets ask for ----

static void tell_stop(struct ai8x_firmware *soc)
{
	const struct debugger *debugger = soc->debugger;
	static const char *const names[] = {
		[DEBUG_WRITE] = "watch", [DEBUG_READ] = "rwatch", [DEBUG_ANY] = "awatch"};
	if (debugger->hit != NULL)
		reply(debugger->gdb, "T%02x%s:%x;thread:1;", debugger->signal, names[debugger->hit->access],
		      debugger->hit_address);
	else
		reply(debugger->gdb, "T%02xthread:1;", debugger->signal);
}

static void read_registers(struct ai8x_firmware *soc, struct gdb *gdb)
{
	size_t size = 0;
	for (unsigned i = 0; i < GDB_REGISTERS; i++) {
		gdb_register_read(soc, i, gdb->bytes + size);
		size += gdb_register_bytes(i);
	}
	reply_hex(gdb, "", gdb->bytes, size);
}

static void write_registers(struct ai8x_firmware *soc, struct gdb *gdb, const char *text)
{
	const size_t size = unhex(text, gdb->bytes, PACKET);
	size_t used = 0;
	for (unsigned i = 0; i < GDB_REGISTERS && used + gdb_register_bytes(i) <= size; i++) {
		gdb_register_write(soc, i, gdb->bytes + used);
		used += gdb_register_bytes(i);
	}
	reply(gdb, "OK");
}

static void one_register(struct ai8x_firmware *soc, struct gdb *gdb, const char *text, bool write)
{
	const unsigned which = number(&text);
	const unsigned size = gdb_register_bytes(which);
	uint8_t bytes[8] = {0};
	if (size == 0 || (write && (!skip(&text, '=') || unhex(text, bytes, size) != size)))
		reply(gdb, "E01");
	else if (write) {
		gdb_register_write(soc, which, bytes);
		reply(gdb, "OK");
	} else {
		gdb_register_read(soc, which, bytes);
		reply_hex(gdb, "", bytes, size);
	}
}

// The accelerator's memories are looked at without the bus: nothing is counted or recorded, and nothing ends the run.
static bool read_bus(struct ai8x_firmware *soc, uint32_t address, unsigned width, uint32_t *value)
{
	if (address < CNN_BASE || address - CNN_BASE >= soc->soc->cnn_bytes)
		return core_bus_read(soc, address, width, value);
	const bool good = ai8x_machine_read32(soc->cnn.machine, address & ~3u, value, NULL) == AI8X_OK;
	*value >>= 8 * (address & 3);
	return good;
}

// Registers are read as words: a byte of one may not be there to read.
static bool read_memory(struct ai8x_firmware *soc, uint32_t address, uint8_t *bytes, size_t size)
{
	size_t done = 0;
	while (done < size) {
		const unsigned width = (address & 3) == 0 && size - done >= 4 ? 4 : 1;
		uint32_t value = 0;
		if (!read_bus(soc, address, width, &value))
			break;
		memcpy(bytes + done, &value, width);
		done += width;
		address += width;
	}
	return done == size;
}

static bool write_memory(struct ai8x_firmware *soc, uint32_t address, const uint8_t *bytes, size_t size)
{
	const uint32_t flash = soc->soc->flash_bytes;
	if (address >= FLASH_BASE && address - FLASH_BASE <= flash && size <= flash - (address - FLASH_BASE))
		return soc->unicorn.mem_write(soc->uc, address, bytes, size) == UC_ERR_OK;
	while (size > 0) {
		const unsigned width = (address & 3) == 0 && size >= 4 ? 4 : 1;
		uint32_t value = 0;
		memcpy(&value, bytes, width);
		if (width < 4 && address >= PERIPHERAL_BASE)
			return false; // registers and the accelerator have whole words
		if (!core_bus_write(soc, address, width, value))
			return false;
		address += width;
		bytes += width;
		size -= width;
	}
	return true;
}

static void memory_packet(struct ai8x_firmware *soc, struct gdb *gdb, const char *text, char kind)
{
	const uint32_t address = number(&text);
	const bool whole = digit(*text == ',' ? text[1] : -1) >= 0;
	const size_t size = skip(&text, ',') ? number(&text) : 0;
	bool good = whole && size <= (kind == 'm' ? PACKET / 2 : PACKET);
	if (good && kind == 'm') {
		if (read_memory(soc, address, gdb->bytes, size))
			reply_hex(gdb, "", gdb->bytes, size);
		else
			reply(gdb, "E01");
		return;
	}
	good = good && skip(&text, ':');
	if (good && kind == 'M')
		good = unhex(text, gdb->bytes, size) == size;
	else if (good) { // binary, with escapes
		size_t count = 0;
		const char *end = gdb->in + gdb->in_size;
		for (; text < end && count < size; text++) {
			const bool escaped = *text == '}' && text + 1 < end;
			gdb->bytes[count++] = (uint8_t)(escaped ? *++text ^ 0x20 : *text);
		}
		good = count == size;
	}
	reply(gdb, "%s", good && write_memory(soc, address, gdb->bytes, size) ? "OK" : "E01");
}

static void point_packet(struct debugger *debugger, const char *text, bool add)
{
	const char kind = *text++;
	static const enum debug_access accesses[] = {DEBUG_WRITE, DEBUG_READ, DEBUG_ANY};
	struct debug_watchpoint watchpoint = {0};
	bool good = skip(&text, ',');
	watchpoint.address = number(&text);
	good = good && skip(&text, ',');
	watchpoint.bytes = number(&text);
	if (kind < '0' || kind > '4') {
		reply(debugger->gdb, "%s", "");
		return;
	}
	if (good && kind <= '1') {
		if (add)
			good = debug_add_breakpoint(debugger, watchpoint.address);
		else
			debug_remove_breakpoint(debugger, watchpoint.address);
	} else if (good) {
		watchpoint.access = accesses[kind - '2'];
		if (add)
			good = debug_add_watchpoint(debugger, watchpoint);
		else
			debug_remove_watchpoint(debugger, watchpoint);
	}
	reply(debugger->gdb, "%s", good ? "OK" : "E01");
}

// A part of a document, as qXfer asks for it: OFFSET,LENGTH.
static void transfer(struct gdb *gdb, const char *document, const char *text)
{
	const size_t size = strlen(document);
	const size_t offset = number(&text), asked = skip(&text, ',') ? number(&text) : 0;
	char part[PACKET / 2];
	if (offset > size || asked == 0) {
		reply(gdb, "E01");
		return;
	}
	size_t count = size - offset < asked ? size - offset : asked;
	if (count > sizeof part - 1)
		count = sizeof part - 1;
	part[0] = offset + count == size ? 'l' : 'm';
	memcpy(part + 1, document + offset, count);
	reply_bytes(gdb, part, count + 1);
}

static void memory_map(struct ai8x_firmware *soc, struct gdb *gdb, const char *text)
{
	char map[512];
	(void)snprintf(map, sizeof map,
	               "<?xml version=\"1.0\"?><memory-map>"
	               "<memory type=\"rom\" start=\"0\" length=\"0x%x\"/>"
	               "<memory type=\"flash\" start=\"0x%x\" length=\"0x%x\"><property name=\"blocksize\">0x%x"
	               "</property></memory><memory type=\"rom\" start=\"0x%x\" length=\"0x%x\"/>"
	               "<memory type=\"ram\" start=\"0x%x\" length=\"0x%x\"/>"
	               "<memory type=\"ram\" start=\"0x%x\" length=\"0x%x\"/></memory-map>",
	               ROM_SIZE, FLASH_BASE, soc->soc->flash_bytes, soc->soc->flash_page, INFO_BASE,
	               soc->soc->info_bytes, SRAM_BASE, soc->soc->sram_bytes, PERIPHERAL_BASE,
	               UINT32_MAX - PERIPHERAL_BASE + 1);
	transfer(gdb, map, text);
}

static void monitor(struct ai8x_firmware *soc, struct gdb *gdb, const char *text)
{
	char command[256];
	const size_t size = unhex(text, (uint8_t *)command, sizeof command - 1);
	command[size] = 0;
	char *answer = gdb_monitor(soc, command);
	// An answer is as many packets as it takes, then OK.
	for (size_t at = 0, left = answer != NULL ? strlen(answer) : 0; left > 0;) {
		const size_t part = left < PACKET / 4 ? left : PACKET / 4;
		reply_hex(gdb, "O", (const uint8_t *)answer + at, part);
		at += part;
		left -= part;
	}
	free(answer);
	reply(gdb, "OK");
}

static void query(struct ai8x_firmware *soc, struct gdb *gdb, const char *text)
{
	const char *rest = NULL;
	if (starts(text, "Supported") != NULL)
		reply(gdb,
		      "PacketSize=%x;qXfer:features:read+;qXfer:memory-map:read+;QStartNoAckMode+;vContSupported+;"
		      "hwbreak+;swbreak-",
		      PACKET);
	else if ((rest = starts(text, "Xfer:features:read:target.xml:")) != NULL)
		transfer(gdb, gdb_target_description, rest);
	else if ((rest = starts(text, "Xfer:memory-map:read::")) != NULL)
		memory_map(soc, gdb, rest);
	else if ((rest = starts(text, "Rcmd,")) != NULL)
		monitor(soc, gdb, rest);
	else if (starts(text, "Attached") != NULL)
		reply(gdb, "1");
	else if (strcmp(text, "C") == 0)
		reply(gdb, "QC1");
	else if (strcmp(text, "fThreadInfo") == 0)
		reply(gdb, "m1");
	else if (strcmp(text, "sThreadInfo") == 0)
		reply(gdb, "l");
	else
		reply(gdb, "%s", ""); // not known
}

static void go_on(struct ai8x_firmware *soc, bool step, const char *address)
{
	struct debugger *debugger = soc->debugger;
	// gdb takes Arm cores for such that stop before the access, and steps over it: that has happened already.
	if (debugger->hit != NULL && step && *address == 0) {
		debugger->hit = NULL;
		tell_stop(soc);
		return;
	}
	if (*address != 0) {
		const uint32_t pc = number(&address) | 1;
		(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_PC, &pc);
	}
	debug_resume(soc, soc_register(soc, UC_ARM_REG_PC), step);
	debugger->gdb->running = true;
}

static void kill_run(struct ai8x_firmware *soc)
{
	soc->debugger->gdb->over = true;
	hang_up(soc->debugger);
	soc_end(soc, AI8X_FIRMWARE_CANCELLED, AI8X_ERR_CANCELLED, "the debugger ended the run");
}

static void letters(struct ai8x_firmware *soc, struct gdb *gdb, const char *text)
{
	const char *rest = NULL;
	if (strcmp(text, "Cont?") == 0)
		reply(gdb, "vCont;c;C;s;S");
	else if ((rest = starts(text, "Cont;")) != NULL && strchr("cCsS", *rest) != NULL && *rest != 0)
		go_on(soc, *rest == 's' || *rest == 'S', "");
	else if (starts(text, "Kill") != NULL) {
		reply(gdb, "OK");
		kill_run(soc);
	} else if ((rest = starts(text, "FlashErase:")) != NULL) {
		uint32_t address = number(&rest), size = skip(&rest, ',') ? number(&rest) : 0;
		memset(gdb->bytes, 0xFF, PACKET);
		bool good = size <= soc->soc->flash_bytes;
		for (; good && size > 0; size -= size < PACKET ? size : PACKET, address += PACKET)
			good = write_memory(soc, address, gdb->bytes, size < PACKET ? size : PACKET);
		reply(gdb, "%s", good ? "OK" : "E01");
	} else if ((rest = starts(text, "FlashWrite:")) != NULL) {
		const uint32_t address = number(&rest);
		size_t count = 0;
		const char *end = gdb->in + gdb->in_size;
		for (rest += *rest == ':'; rest < end; rest++) {
			const bool escaped = *rest == '}' && rest + 1 < end;
			gdb->bytes[count++] = (uint8_t)(escaped ? *++rest ^ 0x20 : *rest);
		}
		reply(gdb, "%s", write_memory(soc, address, gdb->bytes, count) ? "OK" : "E01");
	} else if (strcmp(text, "FlashDone") == 0)
		reply(gdb, "OK");
	else
		reply(gdb, "%s", "");
}

static void obey(struct ai8x_firmware *soc, struct gdb *gdb)
{
	struct debugger *debugger = soc->debugger;
	const char *text = gdb->in + 1;
	switch (gdb->in[0]) {
	case '?':
		tell_stop(soc);
		break;
	case 'g':
		read_registers(soc, gdb);
		break;
	case 'G':
		write_registers(soc, gdb, text);
		break;
	case 'p':
	case 'P':
		one_register(soc, gdb, text, gdb->in[0] == 'P');
		break;
	case 'm':
	case 'M':
	case 'X':
		memory_packet(soc, gdb, text, gdb->in[0]);
		break;
	case 'Z':
	case 'z':
		point_packet(debugger, text, gdb->in[0] == 'Z');
		break;
	case 'c':
	case 's':
		go_on(soc, gdb->in[0] == 's', text);
		break;
	case 'C':
	case 'S':
		go_on(soc, gdb->in[0] == 'S', "");
		break;
	case 'v':
		letters(soc, gdb, text);
		break;
	case 'q':
		query(soc, gdb, text);
		break;
	case 'Q':
		gdb->quiet = gdb->quiet || strcmp(text, "StartNoAckMode") == 0;
		reply(gdb, "%s", strcmp(text, "StartNoAckMode") == 0 ? "OK" : "");
		break;
	case 'H':
	case 'T':
	case '!':
		reply(gdb, "OK");
		break;
	case 'D':
		reply(gdb, "OK");
		hang_up(debugger);
		debug_resume(soc, soc_register(soc, UC_ARM_REG_PC), false);
		debugger->breakpoint_count = debugger->watchpoint_count = 0;
		break;
	case 'k':
		kill_run(soc);
		break;
	default:
		reply(gdb, "%s", "");
	}
}

static bool welcome(struct gdb *gdb)
{
	while (gdb->client < 0) {
		gdb->client = accept(gdb->listener, NULL, NULL);
		if (gdb->client < 0 && errno != EINTR && errno != ECONNABORTED)
			return false;
	}
	(void)fcntl(gdb->client, F_SETFD, FD_CLOEXEC);
	return true;
}

// Until the core goes on, or the debugger is gone.
static void converse(struct ai8x_firmware *soc)
{
	struct debugger *debugger = soc->debugger;
	struct gdb *gdb = debugger->gdb;
	gdb->running = false;
	while (debugger->attached && !gdb->running) {
		if (!take_packet(gdb)) {
			hang_up(debugger);
			soc_end(soc, AI8X_FIRMWARE_CANCELLED, AI8X_ERR_CANCELLED, "the debugger went away");
			return;
		}
		obey(soc, gdb);
	}
}

void gdb_talk(struct ai8x_firmware *soc)
{
	struct debugger *debugger = soc->debugger;
	if (!welcome(debugger->gdb)) {
		hang_up(debugger);
		soc_end(soc, AI8X_FIRMWARE_CANCELLED, AI8X_ERR_IO, "waiting for a debugger: %s", strerror(errno));
		return;
	}
	if (debugger->gdb->running)
		tell_stop(soc);
	converse(soc);
}

bool gdb_interrupts(struct ai8x_firmware *soc)
{
	struct debugger *debugger = soc->debugger;
	char character = 0;
	if (!debugger->attached || recv(debugger->gdb->client, &character, 1, MSG_DONTWAIT) < 0)
		return false;
	// Also when the other end is gone, which the next packet will find out.
	debugger->signal = DEBUG_INTERRUPTED;
	return character == INTERRUPT || character == 0;
}

void gdb_finish(struct ai8x_firmware *soc)
{
	struct debugger *debugger = soc->debugger;
	struct gdb *gdb = debugger->gdb;
	if (!debugger->attached || gdb->over || gdb->client < 0)
		return;
	const bool broke = soc->result.status != AI8X_OK;
	char text[AI8X_MESSAGE_SIZE + 16];
	(void)snprintf(text, sizeof text, "ai8xsim: %s\n", soc->result.message);
	reply_hex(gdb, "O", (const uint8_t *)text, strlen(text));
	// What broke can be looked at before it is over.
	if (broke) {
		debugger->signal = soc->result.end == AI8X_FIRMWARE_FAULT ? DEBUG_FAULT : DEBUG_ABORTED;
		debugger->hit = NULL;
		if (gdb->running)
			tell_stop(soc);
		converse(soc);
	}
	if (debugger->attached && !gdb->over)
		reply(gdb, "W%02x",
		      broke                                     ? 4
		      : soc->result.end == AI8X_FIRMWARE_EXITED ? soc->result.exit_code & 255
		                                                : 0);
	gdb->over = true;
	hang_up(debugger);
}
