// A profile as one self-contained HTML page: no scripts, no fonts, no network. Bars are boxes whose widths are
// percentages, so that text keeps its size on a phone; maps are SVG pictures without text.
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "layer/layer.h"
#include "view/style.h"
#include "view/words.h"

// A smaller change, in percent, is none.
#define LEAST_CHANGE 0.05

struct page {
	FILE *file;
	const ai8x_profile *profile;
	const ai8x_profile *baseline;
	const ai8x_advice_list *advice;
	const char *about; // before cycles and times: "~" where they are estimates
};

static void say(const struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct page *page, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vfprintf(page->file, format, arguments);
	va_end(arguments);
}

static const char *about(const ai8x_profile *profile)
{
	return ai8x_part_get_info(profile->part)->cycles_exact ? "" : "~";
}

static double percent(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

static const char *thousands(uint64_t number, char text[WORD_BYTES])
{
	return words_thousands(number, text);
}

static void say_layer_name(const struct page *page, const ai8x_profile_layer *layer)
{
	say(page, "%u ", layer->number);
	words_escape(layer->name[0] != '\0' ? layer->name : layer->operation, page->file);
}

static void begin_section(const struct page *page, const char *title, const char *text)
{
	say(page, "<section><h2>%s</h2><p>%s</p>\n", title, text);
}

static void end_section(const struct page *page)
{
	say(page, "</section>\n");
}

// --- Head ----------------------------------------------------------------------------------------------

static void say_tile(const struct page *page, const char *about, const char *value, const char *label)
{
	say(page, "<div class=\"tile\"><b>%s%s</b><span>%s</span></div>\n", about, value, label);
}

static void say_head(const struct page *page)
{
	const ai8x_profile *profile = page->profile;
	const ai8x_part_info *info = ai8x_part_get_info(profile->part);
	say(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
	words_escape(profile->name, page->file);
	say(page, " on %s</title>\n<style>\n%s%s", info->name, style_base, style_parts);
	for (unsigned c = 0; c < CAUSES; c++)
		say(page, ".c%s{background:%s}", causes[c].letter, causes[c].colour);
	say(page, "\n</style></head><body><main>\n<h1>");
	words_escape(profile->name, page->file);
	say(page, "</h1><p class=\"lead\">%s, accelerator clock %s = %g MHz. ", info->name, profile->clock.name,
	    profile->clock.hz / 1e6);
	unsigned networks;
	const double cycles_error = ai8x_cycles_error(profile->part, &networks);
	if (info->cycles_exact)
		say(page, "Cycles are exact");
	else
		say(page, "Cycles are an <b>estimate</b>: within %.1f %% of silicon on %u networks",
		    100 * cycles_error, networks);
	if (profile->timing.schedule.fifo_words > 0 && profile->feed.write_cycles > 0)
		say(page, "; FIFO words are assumed to arrive every %u cycles", profile->feed.write_cycles);
	say(page, ". Energy is an estimate (&plusmn;%.0f %%).</p>\n",
	    100 * ai8x_energy_error(page->profile->part));
}

static void say_tiles(const struct page *page)
{
	const ai8x_profile *profile = page->profile;
	char text[WORD_BYTES], label[96];
	double cycles = (double)profile->timing.schedule.cycles;
	say(page, "<div class=\"tiles\">\n");
	say_tile(page, page->about, thousands(profile->timing.schedule.cycles, text), "cycles");
	say_tile(page, page->about, words_seconds(profile->seconds, text), "per inference");
	(void)snprintf(label, sizeof label, "above idle (estimate, &plusmn;%.0f %%)",
	               100 * ai8x_energy_error(profile->part));
	say_tile(page, "~", words_joules(profile->joules, text), label);
	(void)snprintf(text, sizeof text, "%.1f", (double)profile->macs / cycles);
	(void)snprintf(label, sizeof label, "MAC per cycle, peak %u", ai8x_peak_macs(profile->part));
	say_tile(page, page->about, text, label);
	(void)snprintf(text, sizeof text, "%.1f M", (double)profile->macs / 1e6);
	(void)snprintf(label, sizeof label, "MAC in %zu layers", profile->layer_count);
	say_tile(page, "", text, label);
	(void)snprintf(text, sizeof text, "%.0f %%",
	               percent((double)profile->kernel_words, (double)profile->kernel_capacity));
	say_tile(page, "", text, "of kernel memory used");
	(void)snprintf(text, sizeof text, "%.0f %%",
	               percent((double)profile->data_words, (double)profile->data_capacity));
	say_tile(page, "", text, "of data memory, at most");
	const ai8x_loading *loading = &profile->timing.loading;
	say_tile(page, "~",
	         words_seconds(loading->kernel_seconds + loading->bias_seconds + loading->register_seconds, text),
	         "to load kernels once (estimate)");
	say(page, "</div>\n");
}

// --- Causes --------------------------------------------------------------------------------------------

static void say_keys(const struct page *page, const ai8x_counters *total)
{
	say(page, "<div class=\"keys\">");
	for (unsigned c = 0; c < CAUSES; c++)
		if (ai8x_cause_cycles(&causes[c], total) > 0)
			say(page, "<span><i class=\"c%s\"></i>%s</span>", causes[c].letter, causes[c].name);
	say(page, "</div>\n");
}

// Segments of a bar whose whole length stands for `whole` cycles.
static void say_segments(const struct page *page, const ai8x_counters *counters, double whole)
{
	for (unsigned c = 0; c < CAUSES; c++) {
		uint64_t cycles = ai8x_cause_cycles(&causes[c], counters);
		char text[WORD_BYTES];
		if (cycles > 0)
			say(page, "<i class=\"c%s\" style=\"width:%.3f%%\" title=\"%s: %s cycles, %.1f %%\"></i>",
			    causes[c].letter, percent((double)cycles, whole), causes[c].name, thousands(cycles, text),
			    percent((double)cycles, whole));
	}
}

static void say_causes(const struct page *page)
{
	const ai8x_profile *profile = page->profile;
	const ai8x_counters *total = &profile->counters;
	char text[WORD_BYTES];
	double cycles = (double)profile->timing.schedule.cycles;
	begin_section(page, "Where the cycles go", "What the sequencer does in each cycle of the run.");
	say_keys(page, total);
	say(page, "<div class=\"bar\">");
	say_segments(page, total, cycles);
	say(page, "</div>\n<div class=\"scroll\"><table style=\"margin-top:12px\"><tr><th>cause</th><th "
	          "class=\"r\">cycles</th>"
	          "<th class=\"r\">share</th></tr>\n");
	for (unsigned c = 0; c < CAUSES; c++) {
		uint64_t cause = ai8x_cause_cycles(&causes[c], total);
		if (cause > 0)
			say(page,
			    "<tr><td><i class=\"dot c%s\"></i>%s</td><td class=\"r\">%s%s</td><td class=\"r\">%.1f "
			    "%%</td></tr>\n",
			    causes[c].letter, causes[c].name, page->about, thousands(cause, text),
			    percent((double)cause, cycles));
	}
	if (total->pass_cycles > 0)
		say(page,
		    "<tr><td>of all these: passes after the first</td><td class=\"r\">%s%s</td><td class=\"r\">%.1f "
		    "%%</td></tr>",
		    page->about, thousands(total->pass_cycles, text), percent((double)total->pass_cycles, cycles));
	say(page, "</table></div>\n");
	end_section(page);
}

// --- Timeline ------------------------------------------------------------------------------------------

static void say_timeline(const struct page *page)
{
	const ai8x_profile *profile = page->profile;
	const double cycles = (double)profile->timing.schedule.cycles;
	char text[WORD_BYTES];
	begin_section(
		page, "Timeline",
		"One row per layer, from the start to the end of the run. Layers that stream together overlap: "
		"they take turns pixel by pixel.");
	say(page, "<div class=\"rows\">\n");
	for (size_t i = 0; i < profile->layer_count; i++) {
		const ai8x_profile_layer *layer = &profile->layers[i];
		const ai8x_schedule_layer *entry = layer->schedule;
		double length = (double)(entry->stop_cycle - entry->start_cycle);
		say(page, "<div class=\"n\">");
		say_layer_name(page, layer);
		say(page, "</div><div class=\"t\"><div class=\"s\" style=\"left:%.3f%%;width:%.3f%%\">",
		    percent((double)entry->start_cycle, cycles), percent(length, cycles));
		say_segments(page, &entry->counters, (double)entry->cycles);
		say(page, "</div></div><div class=\"v\">%s%s</div>\n", page->about,
		    words_seconds(layer->seconds, text));
	}
	say(page, "<div></div><div class=\"axis\"><span>0</span><span>%s%s</span></div><div></div></div>\n",
	    page->about, words_seconds(profile->seconds, text));
	end_section(page);
}

static void say_layer_causes(const struct page *page)
{
	const ai8x_profile *profile = page->profile;
	const ai8x_counters *total = &profile->counters;
	begin_section(page, "Causes, layer by layer", "Each bar is one layer, whatever its length.");
	say_keys(page, total);
	say(page, "<div class=\"rows\">\n");
	for (size_t i = 0; i < profile->layer_count; i++) {
		const ai8x_profile_layer *layer = &profile->layers[i];
		say(page, "<div class=\"n\">");
		say_layer_name(page, layer);
		say(page, "</div><div class=\"t\"><div class=\"b\">");
		say_segments(page, &layer->schedule->counters, (double)layer->schedule->cycles);
		say(page, "</div></div><div class=\"v\">%.1f %%</div>\n", 100 * layer->share);
	}
	say(page, "</div>\n");
	end_section(page);
}

// --- Table ---------------------------------------------------------------------------------------------

// A number in the table of layers, with the heading that it has on a phone.
static void say_cell(const struct page *page, const char *heading, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say_cell(const struct page *page, const char *heading, const char *format, ...)
{
	va_list arguments;
	say(page, "<td class=\"r\" data-h=\"%s\">", heading);
	va_start(arguments, format);
	(void)vfprintf(page->file, format, arguments);
	va_end(arguments);
	say(page, "</td>");
}

static void say_row(const struct page *page, const ai8x_profile_layer *layer)
{
	const ai8x_schedule_layer *entry = layer->schedule;
	char text[WORD_BYTES];
	say(page, "<tr><td class=\"n\">%u</td><td class=\"o\" data-n=\"%u\">", layer->number, layer->number);
	say(page, "<span>");
	if (layer->name[0] != '\0') {
		words_escape(layer->name, page->file);
		say(page, ": ");
	}
	words_escape(layer->operation, page->file);
	say(page, "</span></td><td class=\"w\" data-h=\"shape\">");
	words_escape(layer->shape, page->file);
	say(page, "</td>");
	say_cell(page, "passes", "%u", entry->layer.passes);
	say_cell(page, "processors", "%u", layer->processors);
	say_cell(page, "cycles", "%s%s", page->about, thousands(entry->cycles, text));
	say_cell(page, "share", "%.1f %%", 100 * layer->share);
	say_cell(page, "time", "%s%s", page->about, words_seconds(layer->seconds, text));
	say_cell(page, "MAC", "%s", thousands(layer->macs, text));
	say_cell(page, "MAC/cycle", "%.1f", layer->macs_per_cycle);
	say_cell(page, "of peak", "%.1f %%", 100 * layer->peak_share);
	if (layer->macs > 0)
		say_cell(page, "words/MAC", "%.4f", layer->words_per_mac);
	else
		say_cell(page, "words/MAC", "&ndash;");
	say_cell(page, "data in", "%s", thousands(layer->input_words, text));
	say_cell(page, "data out", "%s", thousands(layer->output_words, text));
	say_cell(page, "kernel words", "%s", thousands(layer->kernel_words, text));
	const char *bound = ai8x_bound_text(layer->bound), *by = strstr(bound, "limited by ");
	say(page, "<td class=\"w\" data-h=\"limited by\">%s</td>",
	    by == bound ? bound + strlen("limited by ") : bound);
	say_cell(page, "energy (est.)", "~%s", words_joules(layer->joules, text));
	say(page, "</tr>\n");
}

static bool has_unrecorded(const ai8x_profile *profile)
{
	bool found = false;
	for (size_t i = 0; i < profile->layer_count; i++)
		found |= profile->layers[i].number >= AI8X_PROGRAM_UNRECORDED;
	return found;
}

static void say_table(const struct page *page)
{
	const ai8x_profile *profile = page->profile;
	char text[WORD_BYTES];
	begin_section(
		page, "Layers",
		has_unrecorded(profile)
			? "Memory in words: data memory 32 bit, kernel memory 72 bit (all processors). A layer that "
			  "the program does not record has the number 128 + its register set."
			: "Memory in words: data memory 32 bit, kernel memory 72 bit (all processors).");
	say(page, "<div class=\"scroll\"><table "
	          "class=\"cards\"><thead><tr><th></th><th>operation</th><th>shape</th><th "
	          "class=\"r\">passes</th>"
	          "<th class=\"r\">proc.<br>of 64</th><th class=\"r\">cycles</th><th class=\"r\">share</th>"
	          "<th class=\"r\">time</th><th class=\"r\">MAC</th><th class=\"r\">MAC/<br>cycle</th>"
	          "<th class=\"r\">of<br>peak</th><th class=\"r\">words/<br>MAC</th><th "
	          "class=\"r\">data<br>in</th>"
	          "<th class=\"r\">data<br>out</th><th class=\"r\">kernel<br>words</th><th>limited by</th>"
	          "<th class=\"r\">energy<br>(est.)</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < profile->layer_count; i++)
		say_row(page, &profile->layers[i]);
	say(page, "</tbody><tfoot><tr><td></td><td class=\"o\">run</td><td></td><td></td><td></td>");
	say_cell(page, "cycles", "%s%s", page->about, thousands(profile->timing.schedule.cycles, text));
	say(page, "<td></td>");
	say_cell(page, "time", "%s%s", page->about, words_seconds(profile->seconds, text));
	say_cell(page, "MAC", "%s", thousands(profile->macs, text));
	say_cell(page, "MAC/cycle", "%.1f", (double)profile->macs / (double)profile->timing.schedule.cycles);
	say(page, "<td></td><td></td><td></td><td></td>");
	say_cell(page, "kernel words", "%s", thousands(profile->kernel_words, text));
	say(page, "<td></td>");
	say_cell(page, "energy (est.)", "~%s", words_joules(profile->joules, text));
	say(page, "</tr></tfoot></table></div>\n");
	end_section(page);
}

// --- Processors ----------------------------------------------------------------------------------------

static void say_processors(const struct page *page)
{
	const ai8x_profile *profile = page->profile;
	begin_section(
		page, "Processors",
		"64 processors from left to right, one row per layer. The darker, the larger the share of the "
		"layer's cycles in which the processor multiplies; pale: it only moves data.");
	say(page, "<div class=\"heat\">\n");
	for (size_t i = 0; i < profile->layer_count; i++) {
		const ai8x_profile_layer *layer = &profile->layers[i];
		const ai8x_layer *decoded = &layer->schedule->layer;
		uint64_t multiplying =
			layer->macs > 0 ? decoded->bypass ? decoded->processors : decoded->kernel_processors : 0;
		double busy =
			(double)layer->schedule->counters.state[AI8X_STATE_OUTPUT] / (double)layer->schedule->cycles;
		say(page, "<div class=\"n\">");
		say_layer_name(page, layer);
		say(page,
		    "</div><svg viewBox=\"0 0 64 1\" preserveAspectRatio=\"none\"><rect class=\"map\" width=\"64\" "
		    "height=\"1\" fill=\"#8fa3b8\" opacity=\".15\"/>");
		for (unsigned p = 0, end; p < AI8X_PROCESSORS; p = end) {
			unsigned kind = (unsigned)(multiplying >> p & 1) * 2 + (unsigned)(decoded->processors >> p & 1);
			for (end = p + 1;
			     end < AI8X_PROCESSORS &&
			     (unsigned)(multiplying >> end & 1) * 2 + (unsigned)(decoded->processors >> end & 1) == kind;
			     end++)
				;
			if (kind != 0)
				say(page,
				    "<rect x=\"%u\" width=\"%u\" height=\"1\" fill=\"#2459b8\" "
				    "opacity=\"%.2f\"><title>processors %u to "
				    "%u: %.0f %%</title></rect>",
				    p, end - p, kind >= 2 ? 0.25 + 0.75 * busy : 0.15, p, end - 1,
				    kind >= 2 ? 100 * busy : 0);
		}
		say(page, "</svg>\n");
	}
	say(page, "<div></div><div class=\"quarters\"><span>0</span><span>16</span><span>32</span><span>48</span>"
	          "</div></div>\n");
	end_section(page);
}

// --- Memory --------------------------------------------------------------------------------------------

static bool owns(int owner, const ai8x_map_runs *runs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < runs[i].count; k++)
			if (runs[i].run[k].owner == owner)
				return true;
	return false;
}

// Layers that own words somewhere in count lists of runs.
static void say_owner_keys(const struct page *page, const ai8x_map_runs *runs, size_t count)
{
	const ai8x_profile *profile = page->profile;
	char colour[WORD_BYTES];
	say(page, "<div class=\"keys\">");
	if (owns(AI8X_MAP_INPUT, runs, count))
		say(page, "<span><i style=\"background:%s\"></i>input</span>", words_colour(AI8X_MAP_INPUT, colour));
	for (size_t i = 0; i < profile->layer_count; i++)
		if (owns((int)i, runs, count))
			say(page, "<span><i style=\"background:%s\"></i>%u</span>", words_colour((int)i, colour),
			    profile->layers[i].number);
	say(page, "</div>\n");
}

// Every so many layers their numbers, below the column that begins after them.
static void say_time_axis(const struct page *page)
{
	const ai8x_profile *profile = page->profile;
	const size_t columns = profile->layer_count + 1, step = draw_tick_step(profile->map);
	say(page, "<div class=\"ticks\">");
	for (size_t i = 0; i < columns; i += step) {
		const double width = percent((double)(i + step < columns ? step : columns - i), (double)columns);
		if (i == 0)
			say(page, "<span style=\"width:%.3f%%\">in</span>", width);
		else
			say(page, "<span style=\"width:%.3f%%\">%u</span>", width, profile->layers[i - 1].number);
	}
	say(page, "</div>");
}

static void say_data_memory(const struct page *page)
{
	const ai8x_profile *profile = page->profile;
	char range[64];
	say(page,
	    "<section><h2>Data memory over time</h2><p>Sixteen instances. In each, time runs from left (before "
	    "the run) to right (after the layer with the number), addresses from top to bottom: %s. Colours tell "
	    "whose output lies there; pale words are not read again.</p>\n",
	    draw_range(draw_data_words(profile->map), ai8x_part_get_info(profile->part)->data_words, range));
	say_owner_keys(page, profile->map->data, profile->layer_count + 1);
	say(page, "<div class=\"grid\">\n");
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		say(page,
		    "<div><svg class=\"map\" style=\"height:120px\" viewBox=\"0 0 %zu %u\" "
		    "preserveAspectRatio=\"none\" "
		    "shape-rendering=\"crispEdges\">",
		    profile->layer_count + 1, MAP_ROWS);
		draw_instance(profile->map, i, page->file);
		say(page, "</svg>");
		say_time_axis(page);
		say(page, "<div class=\"tiny\">instance %u, from 0x%08x</div></div>\n", i,
		    ai8x_part_data_address(profile->part, i, 0));
	}
	say(page, "</div>\n");
	end_section(page);
}

static void say_kernel_memory(const struct page *page)
{
	const ai8x_profile *profile = page->profile;
	const ai8x_part_info *info = ai8x_part_get_info(profile->part);
	const unsigned words =
		info->kernel_words_first > info->kernel_words ? info->kernel_words_first : info->kernel_words;
	const uint32_t shown = draw_kernel_words(profile->map);
	char range[64];
	say(page,
	    "<section><h2>Kernel memory</h2><p>64 columns, one per processor; from top to bottom %s of 72 bit%s. "
	    "Kernels "
	    "are loaded once and stay.</p>\n",
	    draw_range(shown, words, range),
	    words != info->kernel_words && shown > info->kernel_words
	        ? " (the first processor of each group has the most)"
	        : "");
	say_owner_keys(page, &profile->map->kernels, 1);
	say(page,
	    "<svg class=\"map\" style=\"height:260px\" viewBox=\"0 0 64 %u\" preserveAspectRatio=\"none\" "
	    "shape-rendering=\"crispEdges\">",
	    shown);
	draw_kernels(profile->map, page->file);
	say(page, "</svg><div class=\"quarters\"><span>processor "
	          "0</span><span>16</span><span>32</span><span>48</span></div>\n");
	end_section(page);
}

// --- Graph ---------------------------------------------------------------------------------------------

enum { NODE_HEIGHT = 30, ARC_STEP = 14, LANES = 4, GRAPH_WIDTH = (LANES + 1) * ARC_STEP + 8 };

// A connection that skips layers, drawn at the left of the column of nodes. Nodes are counted from the input.
struct arc {
	size_t from, to;
	unsigned lane;
};

// Column of the arc from one row to another: as far out as no other arc is in the way.
static unsigned arc_lane(size_t busy_until[LANES], size_t from, size_t to)
{
	unsigned lane = 0;
	while (lane + 1 < LANES && busy_until[lane] > from)
		lane++;
	busy_until[lane] = to > busy_until[lane] ? to : busy_until[lane];
	return lane;
}

static void say_arc(const struct page *page, const struct arc *arc)
{
	const ai8x_map *map = page->profile->map;
	const unsigned right = (LANES + 1) * ARC_STEP, left = right - (arc->lane + 1) * ARC_STEP;
	const size_t y0 = arc->from * NODE_HEIGHT + NODE_HEIGHT / 2, y1 = arc->to * NODE_HEIGHT + NODE_HEIGHT / 2;
	say(page,
	    "<path d=\"M%u %zuC%u %zu %u %zu %u %zu\" fill=\"none\" stroke=\"#d9534f\" "
	    "stroke-width=\"2\"><title>layer "
	    "%u reads ",
	    right, y0, left, y0 + NODE_HEIGHT / 2, left, y1 - NODE_HEIGHT / 2, right, y1,
	    map->numbers[arc->to - 1]);
	if (arc->from == 0)
		say(page, "the input</title></path>");
	else
		say(page, "what layer %u wrote</title></path>", map->numbers[arc->from - 1]);
}

// Those that pass a node. Found anew for each: a list might find no memory, and the page would lack them.
static void say_arcs(const struct page *page, size_t node)
{
	const ai8x_map *map = page->profile->map;
	const size_t sources = map->layer_count + 1;
	size_t busy_until[LANES] = {0};
	for (size_t from = 0; from < sources; from++) {
		for (size_t to = from + 2; to <= map->layer_count; to++) {
			if (map->reads[(to - 1) * sources + from] == 0)
				continue;
			const struct arc arc = {from, to, arc_lane(busy_until, from, to)};
			if (from <= node && node <= to)
				say_arc(page, &arc);
		}
	}
}

// Each node has its slice of the picture, so that pictures and names stay together on paper.
static void say_node(const struct page *page, size_t node)
{
	const ai8x_map *map = page->profile->map;
	const size_t sources = map->layer_count + 1, top = node * NODE_HEIGHT, middle = top + NODE_HEIGHT / 2;
	const unsigned x = (LANES + 1) * ARC_STEP;
	char colour[WORD_BYTES];
	say(page, "<div class=\"node\"><svg width=\"%d\" height=\"%d\" viewBox=\"0 %zu %d %d\">", GRAPH_WIDTH,
	    NODE_HEIGHT, top, GRAPH_WIDTH, NODE_HEIGHT);
	if (node > 0 && map->reads[(node - 1) * sources + node - 1] != 0)
		say(page, "<path d=\"M%u %zuV%zu\" stroke=\"#7d8898\" stroke-width=\"2\"/>", x, top, middle);
	if (node < map->layer_count && map->reads[node * sources + node] != 0)
		say(page, "<path d=\"M%u %zuV%zu\" stroke=\"#7d8898\" stroke-width=\"2\"/>", x, middle,
		    top + NODE_HEIGHT);
	say_arcs(page, node);
	say(page, "<circle cx=\"%u\" cy=\"%zu\" r=\"6\" fill=\"%s\"/></svg>", x, middle,
	    words_colour((int)node - 1, colour));
	if (node == 0) {
		say(page, "<b>input</b></div>\n");
		return;
	}
	const ai8x_profile_layer *layer = &page->profile->layers[node - 1];
	say(page, "<b>%u</b> ", layer->number);
	words_escape(layer->name[0] != '\0' ? layer->name : layer->operation, page->file);
	say(page, " <span>%s</span></div>\n", layer->shape);
}

static void say_graph(const struct page *page)
{
	const ai8x_map *map = page->profile->map;
	begin_section(page, "Graph",
	              "Who reads whose results, found from the addresses that layers read and write. Joins and "
	              "skipped connections are red.");
	say(page, "<div class=\"scroll graph\">\n");
	for (size_t node = 0; node <= map->layer_count; node++)
		say_node(page, node);
	say(page, "</div>\n");
	end_section(page);
}

// --- Loading, baseline, advice -------------------------------------------------------------------------

static void say_loading_row(const struct page *page, const char *what, uint64_t writes, double seconds)
{
	char count[WORD_BYTES], time[WORD_BYTES];
	if (writes == 0)
		return;
	say(page, "<tr><td>%s</td><td class=\"r\">%s</td><td class=\"r\">~%s</td></tr>\n", what,
	    thousands(writes, count), words_seconds(seconds, time));
}

static void say_loading(const struct page *page)
{
	const ai8x_loading *loading = &page->profile->timing.loading;
	char text[WORD_BYTES];
	say(page,
	    "<section><h2>Loading</h2><p>Bus writes before the run. They are not part of the inference "
	    "time; kernels, "
	    "bias and registers are written once. Times are estimates at an accelerator clock of %g MHz%s.</p>\n",
	    page->profile->timing.loading_clock.hz / 1e6,
	    page->profile->loading_assumed ? ", for packed kernels: the program has none" : "");
	say(page,
	    "<div class=\"scroll\"><table><tr><th>what</th><th class=\"r\">bus writes</th><th class=\"r\">time "
	    "(est.)</th></tr>\n");
	say_loading_row(page, "kernels", loading->kernel_writes, loading->kernel_seconds);
	say_loading_row(page, "bias", loading->bias_writes, loading->bias_seconds);
	say_loading_row(page, "registers", loading->register_writes, loading->register_seconds);
	say_loading_row(page, "input", loading->input_writes, loading->input_seconds);
	if (loading->fifo_writes > 0)
		say(page,
		    "<tr><td>FIFO words, during the run</td><td class=\"r\">%s</td><td class=\"r\">in the "
		    "cycles</td></tr>\n",
		    thousands(loading->fifo_writes, text));
	say(page, "</table></div>\n");
	end_section(page);
}

// A number with its thousands apart, or with a decimal.
static void say_number(const struct page *page, double number, bool decimal)
{
	char text[WORD_BYTES];
	if (decimal)
		say(page, "%.1f", number);
	else
		say(page, "%s", thousands((uint64_t)number, text));
}

// The end of a cell, and one with the change. Green only where something is better.
static void say_difference(const struct page *page, double before, double after)
{
	const double change = percent(after - before, before);
	if (fabs(change) < LEAST_CHANGE)
		say(page, "</td><td class=\"r\">none</td>");
	else
		say(page, "</td><td class=\"r %s\">%+.1f %%</td>", change < 0 ? "good" : "bad", change);
}

static void say_change(const struct page *page, const char *what, const char *about[2], double before,
                       double after, bool decimal)
{
	say(page, "<tr><td class=\"why\">%s</td><td class=\"r\">%s", what, about[0]);
	say_number(page, before, decimal);
	say(page, "</td><td class=\"r\">%s", about[1]);
	say_number(page, after, decimal);
	say_difference(page, before, after);
	say(page, "</tr>\n");
}

static void say_layer_change(const struct page *page, size_t position, const char *about[2])
{
	const ai8x_profile_layer *layer = &page->profile->layers[position];
	const ai8x_profile_layer *other = ai8x_profile_counterpart(page->profile, position, page->baseline);
	char text[WORD_BYTES];
	say(page, "<tr><td class=\"why\">");
	say_layer_name(page, layer);
	if (other != NULL)
		say(page, "</td><td class=\"r\">%s%s", about[0], thousands(other->schedule->cycles, text));
	else
		say(page, "</td><td class=\"r\">&ndash;");
	say(page, "</td><td class=\"r\">%s%s", about[1], thousands(layer->schedule->cycles, text));
	if (other != NULL)
		say_difference(page, (double)other->schedule->cycles, (double)layer->schedule->cycles);
	else
		say(page, "</td><td class=\"r\">new</td>");
	say(page, "</tr>\n");
}

static void say_baseline(const struct page *page)
{
	const ai8x_profile *now = page->profile, *old = page->baseline;
	const char *cycles[2] = {about(old), about(now)}, *energy[2] = {"~", "~"}, *count[2] = {"", ""};
	begin_section(page, "Compared with a baseline", "The baseline is on the left of each pair.");
	say(page, "<div class=\"scroll\"><table><tr><th></th><th class=\"r w\">");
	const bool same = strcmp(old->name, now->name) == 0;
	words_escape(same ? "before" : old->name, page->file);
	say(page, "</th><th class=\"r w\">");
	words_escape(same ? "now" : now->name, page->file);
	say(page, "</th><th class=\"r\">change</th></tr>\n");
	say_change(page, "cycles", cycles, (double)old->timing.schedule.cycles,
	           (double)now->timing.schedule.cycles, false);
	say_change(page, "time, us", cycles, 1e6 * old->seconds, 1e6 * now->seconds, true);
	say_change(page, "energy (estimate), uJ", energy, 1e6 * old->joules, 1e6 * now->joules, true);
	say_change(page, "multiply-accumulates", count, (double)old->macs, (double)now->macs, false);
	say_change(page, "kernel words", count, (double)old->kernel_words, (double)now->kernel_words, false);
	say_change(page, "data words at most", count, (double)old->data_words, (double)now->data_words, false);
	say(page, "<tr><th>cycles of layer</th><th></th><th></th><th></th></tr>\n");
	for (size_t i = 0; i < now->layer_count; i++)
		say_layer_change(page, i, cycles);
	say(page, "</table></div>\n");
	end_section(page);
}

static void say_advice(const struct page *page)
{
	char before[WORD_BYTES], after[WORD_BYTES];
	begin_section(page, "Advice",
	              "Each change was compiled and timed by itself; gains do not simply add up.");
	for (size_t i = 0; i < page->advice->count; i++) {
		const ai8x_advice *advice = &page->advice->advice[i];
		double change = percent((double)advice->cycles_after - (double)advice->cycles_before,
		                        (double)advice->cycles_before);
		say(page, "<div class=\"advice\"><b>");
		words_escape(advice->change, page->file);
		if (fabs(change) < LEAST_CHANGE)
			say(page, "</b><p>No change in cycles: ");
		else
			say(page, "</b><p><span class=\"%s\">%+.1f %%</span> cycles: ", change < 0 ? "good" : "bad",
			    change);
		say(page, "%s%s &rarr; %s%s", page->about, thousands(advice->cycles_before, before), page->about,
		    thousands(advice->cycles_after, after));
		say(page, "; with input ~%s &rarr; ~%s", words_seconds(advice->seconds_before, before),
		    words_seconds(advice->seconds_after, after));
		say(page, "; energy ~%s &rarr; ~%s", words_joules(advice->joules_before, before),
		    words_joules(advice->joules_after, after));
		if (advice->kernel_words_before != advice->kernel_words_after)
			say(page, "; kernel words %s &rarr; %s", thousands(advice->kernel_words_before, before),
			    thousands(advice->kernel_words_after, after));
		say(page, "</p><p>");
		words_escape(advice->why, page->file);
		say(page, "</p></div>\n");
	}
	if (page->advice->count == 0)
		say(page, "<p>None of %zu changes tried makes this network faster.</p>", page->advice->tried);
	end_section(page);
}

void ai8x_profile_html(const ai8x_profile *profile, const ai8x_profile *baseline,
                       const ai8x_advice_list *advice, FILE *file)
{
	if (profile == NULL || file == NULL)
		return;
	const struct page page = {file, profile, baseline, advice, about(profile)};
	say_head(&page);
	say_tiles(&page);
	if (baseline != NULL)
		say_baseline(&page);
	say_causes(&page);
	say_timeline(&page);
	say_table(&page);
	if (advice != NULL)
		say_advice(&page);
	say_layer_causes(&page);
	say_processors(&page);
	say_data_memory(&page);
	say_kernel_memory(&page);
	say_graph(&page);
	say_loading(&page);
	say(&page, "</main></body></html>\n");
}
