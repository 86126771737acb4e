// Clocks of the accelerator: sources, dividers, and the field codes of the clock control register (register
// PCLKDIV of the global control registers; msdk gcr_regs.h of either part).
#include <ai8xsim/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "part/part.h"

// The peripheral clock is half the primary oscillator's.
struct source {
	const char *name;
	unsigned code;  // CNNCLKSEL
	uint32_t hz[2]; // on parts without and with a PLL; 0: not there
};

static const struct source sources[] = {
	{"PCLK", 0, {50000000, 60000000}},
	{"ISO", 1, {60000000, 60000000}},
	{"IPLL", 3, {0, 200000000}},
};

#define SOURCES (sizeof sources / sizeof sources[0])
#define DIVIDER_SHIFT 14
#define SELECT_SHIFT 17

static const unsigned dividers[] = {2, 4, 8, 16, 1}; // by field code CNNCLKDIV

static unsigned has_pll(const ai8x_part *part)
{
	return ai8x_part_get_info(part)->clock_hz > 100000000;
}

static void set_clock(ai8x_clock *clock, const ai8x_part *part, const struct source *source, unsigned divider)
{
	clock->hz = source->hz[has_pll(part)] / divider;
	if (divider == 1)
		(void)snprintf(clock->name, sizeof clock->name, "%s", source->name);
	else
		(void)snprintf(clock->name, sizeof clock->name, "%s/%u", source->name, divider);
}

ai8x_clock ai8x_clock_default(const ai8x_part *part, bool pipeline)
{
	ai8x_clock clock;
	// Generated software runs the PLL undivided with the pipeline, divided by four without.
	if (has_pll(part))
		set_clock(&clock, part, &sources[2], pipeline ? 1 : 4);
	else
		set_clock(&clock, part, &sources[0], 1);
	return clock;
}

static bool parse_source(const ai8x_part *part, const char *text, ai8x_clock *clock)
{
	for (size_t i = 0; i < SOURCES; i++) {
		size_t length = strlen(sources[i].name);
		if (strncasecmp(text, sources[i].name, length) != 0 || sources[i].hz[has_pll(part)] == 0)
			continue;
		const char *rest = text + length;
		if (*rest == '\0') {
			set_clock(clock, part, &sources[i], 1);
			return true;
		}
		for (size_t d = 0; d < sizeof dividers / sizeof dividers[0]; d++) {
			char wanted[8];
			(void)snprintf(wanted, sizeof wanted, "/%u", dividers[d]);
			if (strcmp(rest, wanted) == 0) {
				set_clock(clock, part, &sources[i], dividers[d]);
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
	unsigned select = (unsigned)(value >> SELECT_SHIFT) & (has_pll(part) ? 3 : 1);
	if (end == text + sizeof prefix - 1 || *end != '\0' || value > UINT32_MAX ||
	    divider >= sizeof dividers / sizeof dividers[0])
		return false;
	for (size_t i = 0; i < SOURCES; i++) {
		if (sources[i].code == select && sources[i].hz[has_pll(part)] != 0) {
			set_clock(clock, part, &sources[i], dividers[divider]);
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
	if (parse_source(part, text, clock) || parse_register(part, text, clock) || parse_frequency(text, clock))
		return AI8X_OK;
	return error_set(
		error, AI8X_ERR_ARGUMENT,
		"'%s' is no clock of the %s: give PCLK%s or ISO with /1, /2, /4, /8 or /16, a frequency from "
		"1 kHz to 1 GHz (\"12.5 MHz\"), or PCLKDIV=VALUE",
		text, ai8x_part_get_info(part)->name, has_pll(part) ? ", IPLL" : "");
}
