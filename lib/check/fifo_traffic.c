// FIFO traffic: data that never come, data that nobody takes.
#include "check/parts.h"

#include <stdio.h>

static const char *name_of(unsigned fifo)
{
	static const char *const names[FIFO_COUNT] = {"FIFO 0", "FIFO 1", "FIFO 2", "FIFO 3", "the fast FIFO"};
	return names[fifo];
}

static uint32_t enabled(const ai8x_check *check)
{
	if (shadow_field(check, F_FFIFO_EN, check->master, 0))
		return 1u << FIFO_FAST;
	if (!shadow_field(check, F_GROUP_FIFO_EN, check->master, 0))
		return 0;
	return shadow_field(check, F_FIFO_EN, 0, 0);
}

void fifo_event(ai8x_check *check, const ai8x_event *event)
{
	unsigned fifo = event->u.fifo.fifo;
	if (fifo >= FIFO_COUNT)
		return;
	check->fifo_level[fifo] = event->u.fifo.level;
	if (event->kind == AI8X_EVENT_FIFO_PUSH) {
		check->pushed[fifo]++;
		check->pushed_bits[fifo] |= event->u.fifo.value;
	} else
		check->popped[fifo]++;
}

// FIFO input that is switched on without a frame: the fed layer reads data memory (inferred: docs/hardware.md).
void fifo_check_frame(ai8x_check *check)
{
	const bool fed = shadow_field(check, F_FFIFO_EN, check->master, 0) != 0 ||
	                 shadow_field(check, F_GROUP_FIFO_EN, check->master, 0) != 0;
	if (!fed || shadow_field(check, F_IFRM, check->master, 0) != 0)
		return;
	struct place place = here(0);
	place.group = (int)check->master;
	place.has_address = true;
	place.address = part_register_address(check->part, REG_IFRM, check->master, 0);
	report(check, AI8X_CHECK_FIFO_FRAME, AI8X_SEVERITY_WARNING, place, 1,
	       "FIFO input is enabled (CTL of group %u is 0x%x), but the frame has no words (IFRM is 0): layer 0 "
	       "is taken to "
	       "read data memory, which no source confirms",
	       check->master, check->registers[check->master][REG_CTL][0].value);
}

// The layer that waits or waited for FIFO data: the one that is fed.
static int fed_layer(const ai8x_check *check)
{
	for (size_t i = 0; i < check->layer_count; i++)
		if (check->layers[i].layer.fifo)
			return (int)check->layers[i].layer.index;
	return -1;
}

// Lanes of a group that the fed layer reads.
static uint32_t lanes_of(const ai8x_layer *layer, unsigned group)
{
	return (uint32_t)(layer->processors >> (PROCESSORS_PER_GROUP * group)) & 0xf;
}

// The vendor's generator hands four channels to each FIFO, whatever the map says: with three processors a group the
// fourth channel is lost, and the last group comes short.
static void check_lanes(ai8x_check *check)
{
	const int position = fed_layer(check) < 0 ? -1 : check->current[fed_layer(check)];
	if (position < 0 || check->results_hold)
		return;
	const struct layer_state *state = &check->layers[position];
	bool gaps = false;
	for (unsigned f = 0; f < FIFO_FAST && !state->layer.chw; f++) {
		const uint32_t lanes = lanes_of(&state->layer, f);
		for (unsigned l = 0; l < LANES && gaps && check->pushed[f] > 0; l++) {
			if ((lanes >> l & 1) == 0 || (check->pushed_bits[f] >> (8 * l) & 0xff) != 0)
				continue;
			struct place place = here((int)state->layer.index);
			place.group = (int)f;
			place.processor = (int)(PROCESSORS_PER_GROUP * f + l);
			report(check, AI8X_CHECK_FIFO_LANES, AI8X_SEVERITY_ERROR, place, check->pushed[f],
			       "processor %d of layer %u gets 0 in all %llu words of %s, while FIFOs before it feed "
			       "fewer than four "
			       "processors: channels were left out between them",
			       place.processor, state->layer.index, (unsigned long long)check->pushed[f], name_of(f));
		}
		gaps = gaps || (lanes != 0 && lanes != 0xf);
	}
}

static void append_levels(const ai8x_check *check, uint32_t fifos, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (unsigned f = 0; f < FIFO_COUNT; f++) {
		if ((fifos >> f & 1) == 0 && check->pushed[f] == 0)
			continue;
		int length = snprintf(text + used, size - used, "%s%s got %llu words, %u of them are still in it",
		                      used > 0 ? "; " : "", name_of(f), (unsigned long long)check->pushed[f],
		                      check->fifo_level[f]);
		if (length < 0 || (size_t)length >= size - used)
			return;
		used += (size_t)length;
	}
}

static void check_deadlock(ai8x_check *check, const char *message)
{
	uint32_t fifos = enabled(check);
	char levels[400];
	append_levels(check, fifos, levels, sizeof levels);
	int layer = fed_layer(check);
	bool starved = false, fed = false;
	for (unsigned f = 0; f < FIFO_COUNT; f++) {
		if ((fifos >> f & 1) == 0)
			continue;
		starved |= check->fifo_level[f] == 0;
		fed |= check->pushed[f] != 0;
	}
	if (layer < 0 || (!starved && fed)) {
		report(check, AI8X_CHECK_FIFO_OVERFLOW, AI8X_SEVERITY_ERROR, here(layer), 1, "%s (%s)", message,
		       levels);
		return;
	}
	for (unsigned f = 0; f < FIFO_COUNT; f++) {
		if ((fifos >> f & 1) == 0 || check->fifo_level[f] != 0)
			continue;
		struct place place = here(layer);
		place.group = f < FIFO_FAST ? (int)f : -1;
		report(check, AI8X_CHECK_FIFO_DEADLOCK, AI8X_SEVERITY_ERROR, place, 1,
		       "layer %d waits for ever for word %llu of %s, which is enabled %s, while the host %s: %s. The "
		       "machine "
		       "takes a word only when every enabled FIFO has one",
		       layer, (unsigned long long)check->popped[f], name_of(f),
		       check->pushed[f] == 0 ? "but never fed" : "but gets too few words",
		       check->stopped ? "has nothing left to do" : "has no more data or waits for a full FIFO",
		       levels);
	}
	if (fifos == 0)
		report(check, AI8X_CHECK_FIFO_DEADLOCK, AI8X_SEVERITY_ERROR, here(layer), 1,
		       "layer %d takes its input from FIFOs (CTL), but none is enabled (FIFO_CTL bits 15:12)", layer);
}

void fifo_evaluate(ai8x_check *check, ai8x_status status, const char *message)
{
	uint32_t fifos = enabled(check);
	int layer = fed_layer(check);
	if (status == AI8X_ERR_STALLED && check->runs > 0) {
		check_deadlock(check, message != NULL ? message : "the machine stalls");
		return;
	}
	check_lanes(check);
	for (unsigned f = 0; f < FIFO_COUNT; f++) {
		struct place place = here(layer);
		place.group = f < FIFO_FAST ? (int)f : -1;
		if (check->pushed[f] > 0 && (fifos >> f & 1) == 0) {
			report(check, AI8X_CHECK_FIFO_DISABLED, AI8X_SEVERITY_ERROR, place, check->pushed[f],
			       "%llu words are pushed into %s, which is not enabled: nothing takes them",
			       (unsigned long long)check->pushed[f], name_of(f));
		} else if (check->stopped && check->fifo_level[f] > 0) {
			report(
				check, AI8X_CHECK_FIFO_OVERFLOW, AI8X_SEVERITY_ERROR, place, check->fifo_level[f],
				"%s got %llu words, but a frame has only %llu (IFRM): %u words are left in it and become the "
				"beginning of the next frame",
				name_of(f), (unsigned long long)check->pushed[f], (unsigned long long)check->popped[f],
				check->fifo_level[f]);
		}
	}
}
