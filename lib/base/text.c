// Text of unknown origin; see text.h.
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// First and last of the characters that are no letters and no signs, but orders.
static const struct {
	uint32_t first, last;
} orders[] = {
	{0x00, 0x1f},     {0x7f, 0x9f},                                           // ISO 6429
	{0x061c, 0x061c}, {0x200e, 0x200f},   {0x2028, 0x202e}, {0x2066, 0x2069}, // direction, lines
	{0xfff9, 0xfffb}, {0xe0000, 0xe007f},                                     // annotations, tags
};

// A well-formed character of `left` bytes at most: its length, and *code; 0 where there is none.
static size_t decode(const unsigned char *text, size_t left, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char lead = text[0];
	const size_t length = lead < 0x80   ? 1
	                      : lead < 0xc2 ? 0
	                      : lead < 0xe0 ? 2
	                      : lead < 0xf0 ? 3
	                      : lead < 0xf5 ? 4
	                                    : 0;
	if (length == 0 || length > left)
		return 0;
	*code = length == 1 ? lead : lead & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3fu);
	}
	const bool surrogate = *code >= 0xd800 && *code <= 0xdfff;
	return *code < least[length] || *code > 0x10ffff || surrogate ? 0 : length;
}

static bool is_order(uint32_t code)
{
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
		if (code >= orders[i].first && code <= orders[i].last)
			return true;
	return false;
}

size_t text_plain_bytes(const char *text, size_t left)
{
	uint32_t code = 0;
	const size_t length = left > 0 ? decode((const unsigned char *)text, left, &code) : 0;
	return length > 0 && !is_order(code) ? length : 0;
}

void text_make_plain(char *text)
{
	size_t left = strlen(text), used = 0;
	for (const char *from = text; left > 0;) {
		uint32_t code;
		const size_t plain = text_plain_bytes(from, left);
		size_t length = plain > 0 ? plain : decode((const unsigned char *)from, left, &code);
		length = length > 0 ? length : 1;
		if (plain > 0)
			memmove(text + used, from, plain);
		else
			text[used] = '?';
		used += plain > 0 ? plain : 1;
		from += length;
		left -= length;
	}
	text[used] = '\0';
}
