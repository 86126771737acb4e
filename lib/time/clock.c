// Clocks of the accelerator: a source of the part and a divider, also as the value of the clock control register
// (register PCLKDIV of the global control registers; msdk gcr_regs.h of either part).
#include <ai8xsim/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "part/part.h"

#define DIVIDER_SHIFT 14
#define SELECT_SHIFT 17

static const unsigned dividers[] = {2, 4, 8, 16, 1}; // by field code CNNCLKDIV

static void set_clock(ai8x_clock *clock, const struct part_clock_row *source, unsigned divider)
{
	clock->hz = source->hz / divider;
	if (divider == 1)
		(void)snprintf(clock->name, sizeof clock->name, "%s", source->name);
	else
		(void)snprintf(clock->name, sizeof clock->name, "%s/%u", source->name, divider);
}

ai8x_clock ai8x_clock_default(const ai8x_part *part, bool pipeline)
{
	if (part == NULL)
		return (ai8x_clock){0};
	const struct part_clock_choice *choice = &part->clock_default;
	ai8x_clock clock;
	set_clock(&clock, &part->clocks[choice->clock], pipeline ? choice->divider : choice->divider_unpipelined);
	return clock;
}

static bool parse_source(const ai8x_part *part, const char *text, ai8x_clock *clock)
{
	for (size_t i = 0; i < part->clock_count; i++) {
		const struct part_clock_row *source = &part->clocks[i];
		size_t length = strlen(source->name);
		if (strncasecmp(text, source->name, length) != 0)
			continue;
		const char *rest = text + length;
		if (*rest == '\0') {
			set_clock(clock, source, 1);
			return true;
		}
		for (size_t d = 0; d < sizeof dividers / sizeof dividers[0]; d++) {
			char wanted[8];
			(void)snprintf(wanted, sizeof wanted, "/%u", dividers[d]);
			if (strcmp(rest, wanted) == 0) {
				set_clock(clock, source, dividers[d]);
				return true;
			}
		}
	}
	return false;
}

static bool parse_register(const ai8x_part *part, const char *text, ai8x_clock *clock)
{
	static const char prefix[] = "PCLKDIV=";
	if (strncasecmp(text, prefix, sizeof prefix - 1) != 0)
		return false;
	char *end;
	unsigned long value = strtoul(text + sizeof prefix - 1, &end, 0);
	unsigned divider = (unsigned)(value >> DIVIDER_SHIFT) & 7;
	unsigned select = (unsigned)(value >> SELECT_SHIFT) & part->clock_mask;
	if (end == text + sizeof prefix - 1 || *end != '\0' || value > UINT32_MAX ||
	    divider >= sizeof dividers / sizeof dividers[0])
		return false;
	for (size_t i = 0; i < part->clock_count; i++) {
		if (part->clocks[i].code == select) {
			set_clock(clock, &part->clocks[i], dividers[divider]);
			return true;
		}
	}
	return false;
}

static bool parse_frequency(const char *text, ai8x_clock *clock)
{
	char *end;
	double hz = strtod(text, &end);
	if (end == text)
		return false;
	while (*end == ' ')
		end++;
	if (strcasecmp(end, "MHz") == 0 || strcasecmp(end, "M") == 0)
		hz *= 1e6;
	else if (strcasecmp(end, "kHz") == 0 || strcasecmp(end, "k") == 0)
		hz *= 1e3;
	else if (*end != '\0' && strcasecmp(end, "Hz") != 0)
		return false;
	if (!(hz >= 1e3 && hz <= 1e9))
		return false;
	clock->hz = (uint32_t)(hz + 0.5);
	(void)snprintf(clock->name, sizeof clock->name, "%g MHz", hz / 1e6);
	return true;
}

ai8x_status ai8x_clock_parse(const ai8x_part *part, const char *text, ai8x_clock *clock, ai8x_error *error)
{
	if (error_if_null(error, part, text, clock))
		return AI8X_ERR_ARGUMENT;
	if (parse_source(part, text, clock) || parse_register(part, text, clock) || parse_frequency(text, clock))
		return AI8X_OK;
	char names[64] = "";
	for (size_t i = 0, used = 0; i < part->clock_count && used < sizeof names; i++)
		used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
		                         part->clocks[i].name);
	return error_set(
		error, AI8X_ERR_ARGUMENT,
		"'%s' is no clock of the %s: give one of %s, alone or with /2, /4, /8 or /16, a frequency "
		"from 1 kHz to 1 GHz (\"12.5 MHz\"), or PCLKDIV=VALUE",
		text, part->info.name, names);
}
