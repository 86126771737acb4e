// JUnit XML: one testsuite, one testcase per row.
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/junit.h>

#include "base/error.h"

#define REPLACEMENT "\xEF\xBF\xBD"

// Text that grows. Once memory is out nothing more is added.
struct text {
	char *bytes;
	size_t size, capacity;
	bool failed;
};

static void add(struct text *text, const char *bytes, size_t size)
{
	if (text->failed)
		return;
	if (size >= text->capacity - text->size) {
		size_t capacity = 2 * text->capacity + size + 256;
		char *grown = realloc(text->bytes, capacity);
		if (grown == NULL) {
			text->failed = true;
			return;
		}
		text->bytes = grown;
		text->capacity = capacity;
	}
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	text->bytes[text->size] = 0;
}

static void add_string(struct text *text, const char *string)
{
	add(text, string, strlen(string));
}

static void add_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_format(struct text *text, const char *format, ...)
{
	char line[256];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	add_string(text, line);
}

// Bytes of the UTF-8 sequence at s that XML 1.0 allows, or 0.
static size_t sequence(const unsigned char *s)
{
	uint32_t point = s[0];
	size_t size = s[0] < 0x80             ? 1
	              : (s[0] & 0xE0) == 0xC0 ? 2
	              : (s[0] & 0xF0) == 0xE0 ? 3
	              : (s[0] & 0xF8) == 0xF0 ? 4
	                                      : 0;
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	if (size == 0)
		return 0;
	if (size > 1)
		point = s[0] & (0x7Fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		point = point << 6 | (s[i] & 0x3Fu);
	}
	bool control = point < 0x20 && point != '\t' && point != '\n' && point != '\r';
	bool surrogate = point >= 0xD800 && point <= 0xDFFF;
	if (point < least[size] || control || surrogate || point == 0xFFFE || point == 0xFFFF || point > 0x10FFFF)
		return 0;
	return size;
}

static void add_escaped(struct text *text, const char *string)
{
	for (const unsigned char *s = (const unsigned char *)string; s != NULL && *s != 0;) {
		size_t size = sequence(s);
		if (size == 0)
			add_string(text, REPLACEMENT);
		else if (*s == '<')
			add_string(text, "&lt;");
		else if (*s == '>')
			add_string(text, "&gt;");
		else if (*s == '&')
			add_string(text, "&amp;");
		else if (*s == '"')
			add_string(text, "&quot;");
		else
			add(text, (const char *)s, size);
		s += size == 0 ? 1 : size;
	}
}

static void add_case(struct text *text, const ai8x_junit_case *row)
{
	add_string(text, "  <testcase classname=\"");
	add_escaped(text, row->group);
	add_string(text, "\" name=\"");
	add_escaped(text, row->name);
	add_format(text, "\" time=\"%.6f\">\n", row->seconds);
	if (row->outcome != AI8X_JUNIT_PASS) {
		add_string(text,
		           row->outcome == AI8X_JUNIT_FAILURE ? "    <failure message=\"" : "    <error message=\"");
		add_escaped(text, row->message != NULL ? row->message : "");
		add_string(text, "\"/>\n");
	}
	if (row->output != NULL && row->output[0] != 0) {
		add_string(text, "    <system-out>");
		add_escaped(text, row->output);
		add_string(text, "</system-out>\n");
	}
	add_string(text, "  </testcase>\n");
}

ai8x_status ai8x_junit_render(const char *suite, const ai8x_junit_case *cases, size_t count, char **text,
                              ai8x_error *error)
{
	if (text != NULL)
		*text = NULL;
	if (suite == NULL || text == NULL)
		return error_null(error, suite == NULL ? "suite" : "text");
	if (cases == NULL && count > 0)
		return error_null(error, "cases");
	size_t failures = 0, errors = 0;
	double seconds = 0;
	for (size_t i = 0; i < count; i++) {
		failures += cases[i].outcome == AI8X_JUNIT_FAILURE;
		errors += cases[i].outcome == AI8X_JUNIT_ERROR;
		seconds += cases[i].seconds;
	}
	struct text out = {0};
	add_string(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
	add_escaped(&out, suite);
	add_format(&out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\" time=\"%.6f\">\n", count,
	           failures, errors, seconds);
	for (size_t i = 0; i < count; i++)
		add_case(&out, &cases[i]);
	add_string(&out, "</testsuite>\n");
	if (out.failed) {
		free(out.bytes);
		return error_no_memory(error, "a JUnit document");
	}
	*text = out.bytes;
	return AI8X_OK;
}
