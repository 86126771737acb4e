// What will run: the order of layers as registers tell it, their ranges, the groups that take part. Looked
// at when the machine starts, so that it is known even if the run does not come to its end.
#include "check/parts.h"
#include "layer/geometry.h"
#include "machine/order.h"

#include <string.h>

static bool snoop_on(const ai8x_check *check)
{
	return shadow_field(check, F_SNOOP_EN, check->master, 0) != 0 ||
	       shadow_field(check, F_SNOOP_EN, check->master, 1) != 0;
}

static bool configured(const ai8x_check *check, unsigned group, uint32_t index)
{
	return check->registers[group][REG_ENA][index].value != 0;
}

// Marks the layers that can be reached from the first one. Links that snoop units may take count as taken
// and as not taken.
static void follow(ai8x_check *check)
{
	uint32_t last = shadow_field(check, F_LCNT, check->master, 0);
	uint32_t pending[AI8X_MAX_LAYERS], count = 0;
	pending[count++] = shadow_field(check, F_LCNT_START, check->master, 0);
	while (count > 0) {
		uint32_t index = pending[--count];
		if (index >= check->part->info.layers || check->plan[index].reachable)
			continue;
		struct planned_layer *planned = &check->plan[index];
		planned->reachable = true;
		const struct order_step step = {
			.index = index,
			.last = last,
			.stop = shadow_field(check, F_STOP, check->master, index) != 0,
			.link = shadow_field(check, F_LINK, check->master, index) != 0,
			.next = shadow_field(check, F_NEXT, check->master, index),
		};
		if (count < AI8X_MAX_LAYERS - 1 && order_next(&step, true, &pending[count]))
			count++;
		if (step.link && snoop_on(check) && count < AI8X_MAX_LAYERS - 1 &&
		    order_next(&step, false, &pending[count]))
			count++;
	}
}

// Layers that stream together: the ring that wraps the output of `index`, 0: none.
static uint32_t write_ring(const ai8x_check *check, uint32_t index)
{
	if (index + 1 >= AI8X_MAX_STREAMS)
		return 0;
	const struct planned_layer *next = &check->plan[index + 1];
	const bool joined =
		next->reachable && next->decoded && order_streams_into(&check->plan[index].layer, &next->layer);
	return joined ? next->layer.ring_words : 0;
}

static void range_error(ai8x_check *check, const ai8x_layer *layer, ai8x_check_class kind,
                        const ai8x_error *error)
{
	check->plan[layer->index].refused = true;
	report(check, kind, AI8X_SEVERITY_ERROR, here((int)layer->index), 1, "%s", error->message);
}

// The same limits that make the machine refuse the layer, one memory at a time.
static void check_ranges(ai8x_check *check, const ai8x_layer *layer)
{
	ai8x_error error = {0};
	if (layer_check_data(layer, write_ring(check, layer->index), &error) != AI8X_OK)
		range_error(check, layer, AI8X_CHECK_DATA_RANGE, &error);
	if (layer_check_kernels(layer, &error) != AI8X_OK)
		range_error(check, layer, AI8X_CHECK_KERNEL_RANGE, &error);
	if (layer_check_bias(layer, &error) != AI8X_OK)
		range_error(check, layer, AI8X_CHECK_BIAS_RANGE, &error);
}

static void check_masks(ai8x_check *check, const ai8x_layer *layer)
{
	if (!layer_has_kernels(layer) || layer->bypass)
		return;
	uint64_t differ = layer->processors ^ layer->kernel_processors;
	if (differ == 0)
		return;
	unsigned processor = (unsigned)__builtin_ctzll(differ);
	bool reads = (layer->processors >> processor & 1) != 0;
	struct place place = here((int)layer->index);
	place.processor = (int)processor;
	place.group = (int)processor_group(processor);
	report(
		check, AI8X_CHECK_PROCESSOR_MASK, AI8X_SEVERITY_ERROR, place, bits_count(differ),
		reads
			? "layer %u: processor %u reads data, but its kernels are switched off (ENA bit %u): its channel "
			  "has no influence"
			: "layer %u: processor %u has its kernels switched on, but reads no data (ENA bit %u): its "
			  "channel "
			  "counts as zero",
		layer->index, processor, processor_in_group(processor) + (reads ? 16 : 0));
}

// Registers that all groups of a run must agree on (hardware reference 3.2).
static void check_agreement(ai8x_check *check, uint32_t index)
{
	static const enum part_register same[] = {
		REG_RCNT,  REG_CCNT, REG_ONED,  REG_PRCNT, REG_PCCNT, REG_STRIDE,
		REG_LCTL2, REG_MCNT, REG_MCNT1, REG_MCNT2, REG_OCHAN, REG_NXTLYR,
	};
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if (g == check->master || (check->members >> g & 1) == 0 || !configured(check, g, index))
			continue;
		for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
			enum part_register reg = same[i];
			if (check->part->registers[reg].scope == SCOPE_NONE)
				continue;
			uint32_t own = check->registers[g][reg][index].value;
			uint32_t master = check->registers[check->master][reg][index].value;
			if (own == master)
				continue;
			struct place place = here((int)index);
			place.group = (int)g;
			place.has_address = true;
			place.address = part_register_address(check->part, reg, g, index);
			report(check, AI8X_CHECK_GROUP_DIFFERS, AI8X_SEVERITY_ERROR, place, 1,
			       "layer %u: register %s of group %u holds 0x%08x, that of the master, group %u, 0x%08x; "
			       "both run "
			       "in lock step",
			       index, part_register_name(reg), g, own, check->master, master);
		}
	}
}

// Words of an instance that a layer's output takes: first and last.
static void output_words(const ai8x_layer *layer, uint32_t *first, uint32_t *last)
{
	const uint32_t slots = ai8x_layer_output_slots(layer),
				   pixels = layer->output_rows * layer->output_columns;
	*first = UINT32_MAX;
	*last = 0;
	for (uint32_t slot = 0; slot < slots; slot++) {
		const uint32_t from = ai8x_layer_place(layer, slot, 0).word,
					   to = ai8x_layer_place(layer, slot, pixels - 1).word;
		*first = from < *first ? from : *first;
		*last = to > *last ? to : *last;
	}
}

// The next pixels are fetched while results are written, which one RAM of data memory cannot serve at once.
static void check_read_ahead(ai8x_check *check, const ai8x_layer *layer)
{
	uint32_t first = 0, last = 0;
	if (!layer->read_ahead || layer->streaming || layer->processors == 0)
		return;
	output_words(layer, &first, &last);
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		const uint64_t from = layer->read_base[g], to = from + layer_read_words(layer) - 1;
		if ((layer->processors >> (PROCESSORS_PER_GROUP * g) & 0xffff) == 0 ||
		    from / DATA_RAM_WORDS > last / DATA_RAM_WORDS || first / DATA_RAM_WORDS > to / DATA_RAM_WORDS)
			continue;
		struct place place = here((int)layer->index);
		report(check, AI8X_CHECK_READ_AHEAD, AI8X_SEVERITY_ERROR, place, 1,
		       "layer %u reads ahead (LCTL2) while its input (words 0x%x to 0x%llx, bytes 0x%x to 0x%llx) "
		       "and its output "
		       "(words 0x%x to 0x%x, bytes 0x%x to 0x%x) share a 16 KiB block of data memory",
		       layer->index, (uint32_t)from, (unsigned long long)to, (uint32_t)(4 * from),
		       (unsigned long long)(4 * to + 3), first, last, 4 * first, 4 * last + 3);
		return;
	}
}

static void check_layer_counts(ai8x_check *check)
{
	uint32_t master = check->registers[check->master][REG_LCNT_MAX][0].value;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		uint32_t own = check->registers[g][REG_LCNT_MAX][0].value;
		if ((check->members >> g & 1) == 0 || own == master)
			continue;
		struct place place = here(-1);
		place.group = (int)g;
		place.has_address = true;
		place.address = part_register_address(check->part, REG_LCNT_MAX, g, 0);
		report(check, AI8X_CHECK_GROUP_DIFFERS, AI8X_SEVERITY_ERROR, place, 1,
		       "the layer count (LCNT_MAX) of group %u is 0x%x, that of the master, group %u, 0x%x", g, own,
		       check->master, master);
	}
}

static void check_configured(ai8x_check *check)
{
	for (uint32_t i = 0; i < check->part->info.layers; i++) {
		uint32_t groups = 0, members = 0;
		for (unsigned g = 0; g < AI8X_GROUPS; g++)
			groups |= (uint32_t)configured(check, g, i) << g;
		members = groups & check->members;
		if (check->plan[i].reachable && groups == 0)
			report(check, AI8X_CHECK_LAYER_UNCONFIGURED, AI8X_SEVERITY_ERROR, here((int)i), 1,
			       "layer %u runs, but no processor is enabled for it in any group (ENA is 0): it was never "
			       "configured, while the layer count (LCNT_MAX) is %u",
			       i, shadow_field(check, F_LCNT, check->master, 0));
		if (!check->plan[i].reachable && members != 0)
			report(check, AI8X_CHECK_LAYER_SKIPPED, AI8X_SEVERITY_ERROR, here((int)i), 1,
			       "layer %u is configured, but does not run: the last layer (LCNT_MAX) is %u and no link "
			       "leads to "
			       "it",
			       i, shadow_field(check, F_LCNT, check->master, 0));
	}
}

// What the last streaming layer writes lies there while the rings are in use.
static void check_output_in_rings(ai8x_check *check, const ai8x_layer *last)
{
	uint32_t slots = ai8x_layer_output_slots(last), pixels = last->output_rows * last->output_columns;
	for (uint32_t slot = 0; slot < slots; slot++) {
		ai8x_output_place from = ai8x_layer_place(last, slot, 0),
						  to = ai8x_layer_place(last, slot, pixels - 1);
		for (uint32_t a = 0; a < AI8X_MAX_STREAMS && from.instance < AI8X_INSTANCES; a++) {
			const ai8x_layer *layer = &check->plan[a].layer;
			uint32_t ring = layer->read_base[instance_group(from.instance)];
			bool reads = (layer->processors >> (4 * from.instance) & 15) != 0;
			if (!check->plan[a].reachable || !check->plan[a].decoded || !layer->streaming || !reads ||
			    to.word < ring || from.word >= ring + layer->ring_words)
				continue;
			struct place place = here((int)last->index);
			place.other_layer = (int)a;
			place.has_address = true;
			place.address =
				ai8x_part_data_address(check->part, from.instance, from.word > ring ? from.word : ring);
			report(
				check, AI8X_CHECK_RING_OVERLAP, AI8X_SEVERITY_WARNING, place, 1,
				"the streaming layer %u writes its output (words 0x%x to 0x%x, bytes 0x%x to 0x%x) into the "
				"ring from which layer %u reads (words 0x%x to 0x%x, bytes 0x%x to 0x%x) in data memory "
				"instance %u; whether pixels survive depends on timing",
				last->index, from.word, to.word, 4 * from.word, 4 * to.word + 3, a, ring,
				ring + layer->ring_words - 1, 4 * ring, 4 * (ring + layer->ring_words) - 1, from.instance);
		}
	}
}

static void check_rings(ai8x_check *check)
{
	for (uint32_t a = 0; a < AI8X_MAX_STREAMS; a++) {
		const struct planned_layer *planned = &check->plan[a];
		if (planned->reachable && planned->decoded && !planned->refused && planned->layer.streaming &&
		    write_ring(check, a) == 0)
			check_output_in_rings(check, &planned->layer);
	}
	for (uint32_t a = 0; a < AI8X_MAX_STREAMS; a++) {
		const ai8x_layer *first = &check->plan[a].layer;
		if (!check->plan[a].reachable || !check->plan[a].decoded || !first->streaming)
			continue;
		for (uint32_t b = a + 1; b < AI8X_MAX_STREAMS; b++) {
			const ai8x_layer *second = &check->plan[b].layer;
			if (!check->plan[b].reachable || !check->plan[b].decoded || !second->streaming)
				continue;
			for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
				unsigned g = instance_group(i);
				bool both =
					(first->processors >> (4 * i) & 15) != 0 && (second->processors >> (4 * i) & 15) != 0;
				uint32_t x = first->read_base[g], y = second->read_base[g];
				if (!both || x + first->ring_words <= y || y + second->ring_words <= x)
					continue;
				struct place place = here((int)b);
				place.other_layer = (int)a;
				place.has_address = true;
				place.address = ai8x_part_data_address(check->part, i, y > x ? y : x);
				report(check, AI8X_CHECK_RING_OVERLAP, AI8X_SEVERITY_WARNING, place, 1,
				       "the rings of the streaming layers %u (words 0x%x to 0x%x, bytes 0x%x to 0x%x) and %u "
				       "(words 0x%x to 0x%x, bytes 0x%x to 0x%x) overlap in data memory instance %u; whether "
				       "pixels survive depends on timing",
				       a, x, x + first->ring_words - 1, 4 * x, 4 * (x + first->ring_words) - 1, b, y,
				       y + second->ring_words - 1, 4 * y, 4 * (y + second->ring_words) - 1, i);
			}
		}
	}
}

void plan_run(ai8x_check *check)
{
	memset(check->plan, 0, sizeof check->plan);
	ai8x_layer first;
	// Even a layer that cannot be decoded tells who runs.
	(void)ai8x_machine_decode(check->machine, 0, &first, NULL);
	check->members = first.groups;
	check->master = first.master;
	follow(check);
	for (uint32_t i = 0; i < check->part->info.layers; i++) {
		struct planned_layer *planned = &check->plan[i];
		ai8x_error error = {0};
		if (!planned->reachable)
			continue;
		planned->decoded = ai8x_machine_decode(check->machine, i, &planned->layer, &error) == AI8X_OK;
		if (!planned->decoded) {
			planned->refused = true;
			report(check, AI8X_CHECK_LAYER_ILLEGAL, AI8X_SEVERITY_ERROR, here((int)i), 1, "%s",
			       error.message);
		}
	}
	for (uint32_t i = 0; i < check->part->info.layers; i++) {
		if (!check->plan[i].reachable || !check->plan[i].decoded)
			continue;
		check_ranges(check, &check->plan[i].layer);
		check_masks(check, &check->plan[i].layer);
		check_agreement(check, i);
		check_read_ahead(check, &check->plan[i].layer);
	}
	check_layer_counts(check);
	fifo_check_frame(check);
	check_configured(check);
	check_rings(check);
}

static void check_groups(ai8x_check *check)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if ((check->members >> g & 1) != 0)
			continue;
		int layer = -1;
		for (uint32_t i = 0; i < check->part->info.layers && layer < 0; i++)
			if (check->plan[i].reachable && configured(check, g, i))
				layer = (int)i;
		if (layer < 0)
			continue;
		struct place place = here(layer);
		place.group = (int)g;
		place.has_address = true;
		place.address = part_register_address(check->part, REG_CTL, g, 0);
		if (check->late >> g & 1)
			report(check, AI8X_CHECK_GROUP_ORDER, AI8X_SEVERITY_ERROR, place, 1,
			       "group %u is enabled while the machine already runs: it was not waiting when the master, "
			       "group "
			       "%u, started, and misses layer %d",
			       g, check->master, layer);
		else
			report(check, AI8X_CHECK_GROUP_START, AI8X_SEVERITY_ERROR, place, 1,
			       "group %u is configured for layer %d, but does not take part: when the master, group %u, "
			       "started, "
			       "its CTL was 0x%x",
			       g, layer, check->master, check->registers[g][REG_CTL][0].value);
	}
}

void plan_evaluate(ai8x_check *check, ai8x_status status, const char *message)
{
	if (message == NULL)
		message = "";
	if (check->runs == 0) {
		bool other = status != AI8X_OK && status != AI8X_ERR_NOT_STARTED && status != AI8X_ERR_ADDRESS &&
		             status != AI8X_ERR_ALIGNMENT;
		if (other)
			report(check, AI8X_CHECK_NOT_STARTED, AI8X_SEVERITY_ERROR, here(-1), 1, "%s", message);
		else if (status != AI8X_ERR_ADDRESS && status != AI8X_ERR_ALIGNMENT)
			report(check, AI8X_CHECK_NOT_STARTED, AI8X_SEVERITY_ERROR, here(-1), 1,
			       "the program ends without having started the machine: cnn_en (CTL bit 0) never went from "
			       "0 to 1 in a group that does not follow another one");
	} else {
		// Started, and stopped again before anything ran.
		if (status == AI8X_ERR_NOT_STARTED)
			report(check, AI8X_CHECK_NOT_STARTED, AI8X_SEVERITY_ERROR, here(-1), 1, "%s", message);
		check_groups(check);
	}
	if (status == AI8X_ERR_ADDRESS || status == AI8X_ERR_ALIGNMENT)
		report(check, AI8X_CHECK_BUS_ADDRESS, AI8X_SEVERITY_ERROR, here(-1), 1, "%s", message);
	if (status == AI8X_ERR_CYCLE_LIMIT) {
		const struct layer_state *last =
			check->layer_count > 0 ? &check->layers[check->layer_count - 1] : NULL;
		report(check, AI8X_CHECK_ENDLESS, AI8X_SEVERITY_ERROR,
		       here(last != NULL ? (int)last->layer.index : -1), 1, "%s", message);
	}
	bool explained = false;
	for (uint32_t i = 0; i < AI8X_MAX_LAYERS; i++)
		explained |= check->plan[i].refused;
	if (status == AI8X_ERR_LAYER && !explained)
		report(check, AI8X_CHECK_LAYER_ILLEGAL, AI8X_SEVERITY_ERROR, here(-1), 1, "%s", message);
}
