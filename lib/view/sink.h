// Text output at the speed of traces: a buffer before a file, and numbers without printf.
#ifndef AI8X_VIEW_SINK_H
#define AI8X_VIEW_SINK_H

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SINK_BYTES 65536
#define SINK_LONGEST 512 // of what is put between two checks for room

struct sink {
	FILE *file;
	size_t used;
	char buffer[SINK_BYTES];
};

static inline void sink_flush(struct sink *sink)
{
	// A short write sets the file's error flag, which ai8x_trace_finish() looks at.
	(void)fwrite(sink->buffer, 1, sink->used, sink->file);
	sink->used = 0;
}

// To be called before at most SINK_LONGEST bytes.
static inline void sink_room(struct sink *sink)
{
	if (sink->used > SINK_BYTES - SINK_LONGEST)
		sink_flush(sink);
}

static inline void sink_char(struct sink *sink, char character)
{
	sink->buffer[sink->used++] = character;
}

static inline void sink_text(struct sink *sink, const char *text)
{
	size_t length = strlen(text);
	memcpy(sink->buffer + sink->used, text, length);
	sink->used += length;
}

static inline void sink_number(struct sink *sink, uint64_t number)
{
	char digits[20];
	unsigned at = sizeof digits;
	while (number >= UINT32_MAX) {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	}
	// Narrow divisions are several times faster.
	uint32_t rest = (uint32_t)number;
	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	memcpy(sink->buffer + sink->used, digits + at, sizeof digits - at);
	sink->used += sizeof digits - at;
}

static inline void sink_signed(struct sink *sink, int64_t number)
{
	if (number < 0)
		sink_char(sink, '-');
	sink_number(sink, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

static inline void sink_hex(struct sink *sink, uint64_t number, unsigned digits)
{
	while (digits-- > 0)
		sink->buffer[sink->used++] = "0123456789abcdef"[number >> (4 * digits) & 15];
}

// Without leading zeros.
static inline void sink_binary(struct sink *sink, uint64_t number)
{
	char digits[64];
	const unsigned bits = number == 0 ? 1 : 64 - (unsigned)__builtin_clzll(number);
	// Eight digits at a time: byte k of `spread` is bit 7 - k.
	for (unsigned at = 64; at + bits > 64; at -= 8) {
		uint64_t spread = (number & 0xff) * UINT64_C(0x0101010101010101) & UINT64_C(0x0102040810204080);
		spread = ((spread + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101)) |
		         UINT64_C(0x3030303030303030);
		spread = htole64(spread);
		memcpy(digits + at - 8, &spread, 8);
		number >>= 8;
	}
	memcpy(sink->buffer + sink->used, digits + 64 - bits, bits);
	sink->used += bits;
}

// A time in picoseconds as microseconds.
static inline void sink_microseconds(struct sink *sink, uint64_t picoseconds)
{
	sink_number(sink, picoseconds / 1000000);
	uint64_t rest = picoseconds % 1000000;
	if (rest == 0)
		return;
	sink_char(sink, '.');
	for (uint64_t unit = 100000; rest > 0; unit /= 10) {
		sink_char(sink, (char)('0' + rest / unit));
		rest %= unit;
	}
}

#endif
