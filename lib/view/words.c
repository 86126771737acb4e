// Numbers, escaping and colours that all views share.
#include "view/words.h"

#include <string.h>

#include "base/text.h"

const ai8x_cause causes[CAUSES] = {
	{"output writes", "output", "o", "#3b76d6", 1u << AI8X_STATE_OUTPUT},
	{"reading data", "read", "r", "#f08c2e", 1u << AI8X_STATE_READ},
	{"pooling reads", "pool_read", "p", "#e5bf3a", 1u << AI8X_STATE_POOL_READ},
	{"line buffer writes", "tram", "t", "#4fa46a", 1u << AI8X_STATE_TRAM},
	{"padding", "pad", "d", "#aab4c2", 1u << AI8X_STATE_PAD},
	{"filling", "fill", "f", "#7d8898", 1u << AI8X_STATE_FILL},
	{"set-up", "setup", "s", "#9a6fc0",
     1u << AI8X_STATE_START | 1u << AI8X_STATE_ROW_END | 1u << AI8X_STATE_SEEK | 1u << AI8X_STATE_FLATTEN},
	{"pipeline", "pipeline", "l", "#2aa5a0", 1u << AI8X_STATE_PIPELINE},
	{"waiting for FIFO", "stall", "w", "#d9534f", 1u << AI8X_STATE_STALL},
};

const ai8x_cause *ai8x_cause_get(unsigned index)
{
	return index < CAUSES ? &causes[index] : NULL;
}

uint64_t ai8x_cause_cycles(const ai8x_cause *cause, const ai8x_counters *counters)
{
	if (cause == NULL || counters == NULL)
		return 0;
	uint64_t cycles = 0;
	for (unsigned s = 0; s < AI8X_STATE_COUNT; s++)
		cycles += cause->states >> s & 1 ? counters->state[s] : 0;
	return cycles;
}

const char *words_thousands(uint64_t number, char text[WORD_BYTES])
{
	char plain[24];
	int length = snprintf(plain, sizeof plain, "%llu", (unsigned long long)number);
	char *out = text;
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = plain[i];
	}
	*out = '\0';
	return text;
}

static const char *with_unit(double value, const char *unit, char text[WORD_BYTES])
{
	static const char *const prefixes[] = {"n", "u", "m", ""};
	unsigned p = 0;
	for (value *= 1e9; value >= 1000 && p + 1 < sizeof prefixes / sizeof prefixes[0]; p++)
		value /= 1000;
	(void)snprintf(text, WORD_BYTES, "%.*f %s%s",
	               value < 10    ? 2
	               : value < 100 ? 1
	                             : 0,
	               value, prefixes[p], unit);
	return text;
}

const char *words_seconds(double seconds, char text[WORD_BYTES])
{
	return with_unit(seconds, "s", text);
}

const char *words_joules(double joules, char text[WORD_BYTES])
{
	return with_unit(joules, "J", text);
}

void words_escape(const char *text, FILE *file)
{
	for (size_t left = strlen(text); left > 0;) {
		const char *name = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : NULL;
		const size_t plain = *text == '\t' ? 1 : text_plain_bytes(text, left);
		const size_t length = plain > 0 ? plain : 1;
		if (*text == '"')
			name = "&quot;";
		if (name != NULL)
			(void)fputs(name, file);
		else
			(void)fwrite(text, 1, plain, file);
		text += length;
		left -= length;
	}
}

// Length of the UTF-8 character at text, or 0.
static unsigned utf8_length(const char *text)
{
	const unsigned char *t = (const unsigned char *)text;
	unsigned length = t[0] < 0x80 ? 1 : (t[0] & 0xe0) == 0xc0 ? 2 : (t[0] & 0xf0) == 0xe0 ? 3 : 4;
	if (length == 4 && (t[0] & 0xf8) != 0xf0)
		return 0;
	for (unsigned i = 1; i < length; i++)
		if ((t[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

void words_json(const char *text, FILE *file)
{
	(void)fputc('"', file);
	while (*text != '\0') {
		unsigned length = utf8_length(text);
		if (*text == '"' || *text == '\\')
			(void)fprintf(file, "\\%c", *text);
		else if ((unsigned char)*text < ' ' || *text == '<')
			// "<" may not end the script that holds the text.
			(void)fprintf(file, "\\u%04x", (unsigned)*text);
		else if (length == 0)
			(void)fputc('?', file);
		else
			(void)fwrite(text, 1, length, file);
		text += length == 0 ? 1 : length;
	}
	(void)fputc('"', file);
}

const char *words_colour(int owner, char text[WORD_BYTES])
{
	if (owner < 0)
		return strcpy(text, "#8fa3b8");
	// Steps of the golden angle keep neighbours far apart.
	unsigned hue = ((unsigned)owner * 13751u + 21000u) / 100u % 360u;
	(void)snprintf(text, WORD_BYTES, "hsl(%u,%u%%,%u%%)", hue, 46 + (unsigned)owner % 3 * 9,
	               60 - (unsigned)owner % 2 * 9);
	return text;
}
