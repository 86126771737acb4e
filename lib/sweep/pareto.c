// A sweep as one self-contained HTML page: all points by the two objectives, the best ones joined and listed, and why
// others cannot run. No scripts, no fonts, no network.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/sweep.h>

#include "base/error.h"
#include "sweep/measures.h"
#include "view/style.h"
#include "view/words.h"

enum {
	MOST_TICKS = 12,
	MOST_DRAWN = 20000, // of points that are not among the best; more would only be a larger blot
	MOST_REASONS = 12,
	MOST_ROWS = 200,
	PART_COLOURS = 4, // custom properties --p0 to --p3
	LOG_RATIO = 30,   // from this ratio of largest to smallest on an axis is logarithmic
};

struct axis_scale {
	const struct sweep_measure *measure;
	bool more, logarithmic;
	double least, greatest;
	double from, to; // percent of the picture, which has any size
};

struct page {
	FILE *file;
	const ai8x_sweep *sweep;
	struct axis_scale across, upwards;
	const ai8x_sweep_point **best; // sorted by the first objective
	size_t *best_index;
	size_t best_count, able; // of points that tie the first one counts
	size_t tied;
	const ai8x_part *estimated; // a part whose cycles are an estimate, or NULL
	double energy_error;        // the largest of the parts
};

// 12345678 as "12.3 M", 0.0012 seconds as "1.2 ms".
static const char *short_number(double value, const char *unit, char text[WORD_BYTES])
{
	static const struct {
		double factor;
		const char *prefix;
	} steps[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}, {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}};
	size_t i = 0;
	while (i + 1 < sizeof steps / sizeof steps[0] && value < steps[i].factor * 0.9995)
		i++;
	if (value == 0)
		i = 3;
	const bool bare = steps[i].prefix[0] == '\0' && unit[0] == '\0';
	(void)snprintf(text, WORD_BYTES, "%.3g%s%s%s", value / steps[i].factor, bare ? "" : " ", steps[i].prefix,
	               unit);
	return text;
}

// --- Scales ------------------------------------------------------------------------------------------

static void find_range(const struct page *page, struct axis_scale *scale)
{
	scale->least = INFINITY;
	scale->greatest = -INFINITY;
	for (size_t i = 0; i < ai8x_sweep_point_count(page->sweep); i++) {
		const ai8x_sweep_point *point = ai8x_sweep_point_at(page->sweep, i);
		if (point->status != AI8X_OK)
			continue;
		const double value = scale->measure->of(point);
		scale->least = fmin(scale->least, value);
		scale->greatest = fmax(scale->greatest, value);
	}
	scale->logarithmic = scale->least > 0 && scale->greatest / scale->least > (double)LOG_RATIO;
	// Some room at both ends, so that no point lies on the frame.
	if (scale->logarithmic) {
		scale->least /= 1.15;
		scale->greatest *= 1.15;
	} else {
		const double room = scale->greatest > scale->least ? 0.05 * (scale->greatest - scale->least)
		                                                   : fmax(0.5 * fabs(scale->least), 1e-12);
		const double least = scale->least - room;
		scale->least = scale->least >= 0 && least < 0 ? 0 : least;
		scale->greatest += room;
	}
}

static double place(const struct axis_scale *scale, double value)
{
	const double part = scale->logarithmic ? log(value / scale->least) / log(scale->greatest / scale->least)
	                                       : (value - scale->least) / (scale->greatest - scale->least);
	return scale->from + part * (scale->to - scale->from);
}

// Round values: 1, 2, 5 times a power of ten.
static size_t find_ticks(const struct axis_scale *scale, double ticks[MOST_TICKS])
{
	size_t count = 0;
	if (scale->logarithmic) {
		static const double steps[] = {1, 2, 5};
		const bool decades_only = scale->greatest / scale->least > 3000;
		for (double decade = pow(10, floor(log10(scale->least))); decade <= scale->greatest; decade *= 10)
			for (size_t i = 0; i < (decades_only ? 1 : 3); i++)
				if (decade * steps[i] >= scale->least && decade * steps[i] <= scale->greatest &&
				    count < MOST_TICKS)
					ticks[count++] = decade * steps[i];
		return count;
	}
	const double rough = (scale->greatest - scale->least) / 6;
	const double decade = pow(10, floor(log10(rough))), ratio = rough / decade;
	const double step = decade * (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10);
	for (double value = ceil(scale->least / step) * step; value <= scale->greatest && count < MOST_TICKS;
	     value += step)
		ticks[count++] = value;
	return count;
}

// --- Picture -----------------------------------------------------------------------------------------

static void draw_axes(const struct page *page)
{
	double ticks[MOST_TICKS];
	char text[WORD_BYTES];
	size_t count = find_ticks(&page->across, ticks);
	for (size_t i = 0; i < count; i++) {
		const double x = place(&page->across, ticks[i]);
		// A phone has room for every other number.
		(void)fprintf(
			page->file,
			"<line class=\"g\" x1=\"%.2f%%\" x2=\"%.2f%%\" y2=\"100%%\"/><text x=\"%.2f%%\" y=\"100%%\" "
			"dy=\"18\"%s text-anchor=\"middle\">%s</text>\n",
			x, x, x, i % 2 != 0 ? " class=\"h\"" : "",
			short_number(ticks[i], page->across.measure->unit, text));
	}
	count = find_ticks(&page->upwards, ticks);
	for (size_t i = 0; i < count; i++) {
		const double y = place(&page->upwards, ticks[i]);
		(void)fprintf(
			page->file,
			"<line class=\"g\" x2=\"100%%\" y1=\"%.2f%%\" y2=\"%.2f%%\"/><text y=\"%.2f%%\" dx=\"-8\" "
			"dy=\"4\" text-anchor=\"end\">%s</text>\n",
			y, y, y, short_number(ticks[i], page->upwards.measure->unit, text));
	}
	(void)fprintf(page->file,
	              "<text x=\"50%%\" y=\"100%%\" dy=\"42\" text-anchor=\"middle\">%s (%s is better)</text>\n",
	              page->across.measure->title, page->across.more ? "more" : "less");
	(void)fprintf(page->file,
	              "<svg y=\"50%%\" overflow=\"visible\"><text class=\"up\" text-anchor=\"middle\">%s (%s is "
	              "better)</text></svg>\n",
	              page->upwards.measure->title, page->upwards.more ? "more" : "less");
}

static void say_values(const struct page *page, size_t index)
{
	for (size_t a = 0; a < ai8x_sweep_axis_count(page->sweep); a++) {
		(void)fputs(a > 0 ? ", " : "", page->file);
		words_escape(ai8x_sweep_axis_name(page->sweep, a), page->file);
		(void)fputs(" ", page->file);
		words_escape(ai8x_sweep_value(page->sweep, index, a), page->file);
	}
}

// Colours tell the parts apart: by their position in the list of parts.
static unsigned part_number(const ai8x_sweep_point *point)
{
	unsigned number = 0;
	while (number < ai8x_part_count() && ai8x_part_at(number) != ai8x_part_find(point->part))
		number++;
	return number % PART_COLOURS;
}

static void draw_point(const struct page *page, size_t index)
{
	const ai8x_sweep_point *point = ai8x_sweep_point_at(page->sweep, index);
	char across[WORD_BYTES], upwards[WORD_BYTES];
	const double x = page->across.measure->of(point), y = page->upwards.measure->of(point);
	(void)fprintf(page->file, "<circle class=\"p%u %s\" cx=\"%.2f%%\" cy=\"%.2f%%\" r=\"%s\"><title>",
	              part_number(point), point->best ? "b" : "o", place(&page->across, x),
	              place(&page->upwards, y), point->best ? "5.5" : "3.5");
	say_values(page, index);
	(void)fprintf(page->file, ": %s, %s", short_number(x, page->across.measure->unit, across),
	              short_number(y, page->upwards.measure->unit, upwards));
	if (point->ties > 0)
		(void)fprintf(page->file, "; %u more are equal in both", point->ties);
	(void)fputs("</title></circle>\n", page->file);
}

// Names of the parts beside their colours, where there are several.
static void say_parts(const struct page *page)
{
	unsigned seen = 0;
	for (size_t i = 0; i < ai8x_sweep_point_count(page->sweep); i++)
		if (ai8x_sweep_point_at(page->sweep, i)->status == AI8X_OK)
			seen |= 1u << part_number(ai8x_sweep_point_at(page->sweep, i));
	if ((seen & (seen - 1)) == 0)
		return;
	(void)fputs("<div class=\"keys\">", page->file);
	for (unsigned i = 0; i < ai8x_part_count() && i < PART_COLOURS; i++)
		if ((seen >> i & 1) != 0)
			(void)fprintf(page->file, "<span><i style=\"background:var(--p%u)\"></i>%s</span>", i,
			              ai8x_part_get_info(ai8x_part_at(i))->name);
	(void)fputs("</div>\n", page->file);
}

// What can be had: a stair through the best points.
static void draw_front(const struct page *page)
{
	double last_x = 0, last_y = 0;
	for (size_t i = 0; i < page->best_count; i++) {
		const double x = place(&page->across, page->across.measure->of(page->best[i]));
		const double y = place(&page->upwards, page->upwards.measure->of(page->best[i]));
		if (i > 0)
			(void)fprintf(page->file,
			              "<line class=\"f\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%.2f%%\" y2=\"%.2f%%\"/>"
			              "<line class=\"f\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%.2f%%\" y2=\"%.2f%%\"/>\n",
			              last_x, x, last_y, last_y, x, x, last_y, y);
		last_x = x;
		last_y = y;
	}
}

static void draw(const struct page *page)
{
	const size_t points = ai8x_sweep_point_count(page->sweep);
	const size_t others = page->able - page->best_count - page->tied, step = others / MOST_DRAWN + 1;
	(void)fprintf(
		page->file,
		"<div class=\"frame\"><svg width=\"100%%\" height=\"100%%\" role=\"img\" aria-label=\"all points by "
		"both objectives\" class=\"plot\">\n");
	draw_axes(page);
	size_t seen = 0;
	for (size_t i = 0; i < points; i++) {
		const ai8x_sweep_point *point = ai8x_sweep_point_at(page->sweep, i);
		if (point->status == AI8X_OK && !point->best && seen++ % step == 0)
			draw_point(page, i);
	}
	draw_front(page);
	for (size_t i = 0; i < page->best_count; i++)
		draw_point(page, page->best_index[i]);
	(void)fputs("</svg></div>\n", page->file);
}

// --- Tables ------------------------------------------------------------------------------------------

static bool same_objectives(const struct page *page, const ai8x_sweep_point *one,
                            const ai8x_sweep_point *other)
{
	return page->across.measure->of(one) == page->across.measure->of(other) &&
	       page->upwards.measure->of(one) == page->upwards.measure->of(other);
}

// How many points are folded into this one; pointing at the number lists them.
static void say_ties(const struct page *page, size_t index)
{
	const ai8x_sweep_point *point = ai8x_sweep_point_at(page->sweep, index);
	if (point->ties == 0) {
		(void)fputs("<td></td>", page->file);
		return;
	}
	(void)fputs("<td class=\"r\" data-h=\"equal points\" title=\"", page->file);
	unsigned told = 0;
	for (size_t i = 0; i < ai8x_sweep_point_count(page->sweep) && told < MOST_REASONS; i++) {
		const ai8x_sweep_point *other = ai8x_sweep_point_at(page->sweep, i);
		if (!other->tied || !same_objectives(page, point, other))
			continue;
		(void)fputs(told++ > 0 ? "; " : "", page->file);
		say_values(page, i);
	}
	(void)fprintf(page->file, "%s\">+%u</td>", told < point->ties ? "; and others" : "", point->ties);
}

static const char *percent_of(uint64_t part, uint64_t whole, char text[WORD_BYTES])
{
	(void)snprintf(text, WORD_BYTES, "%.1f %%", 100 * (double)part / (double)whole);
	return text;
}

// A number with the heading that it has on a phone.
static void say_cell(const struct page *page, const char *heading, const char *about, const char *text)
{
	(void)fprintf(page->file, "<td class=\"r\" data-h=\"%s\">%s%s</td>", heading, about, text);
}

static void say_best(const struct page *page)
{
	char text[WORD_BYTES];
	(void)fputs("<section><h2>The best points</h2><p>For each of them, what is better in one objective is "
	            "worse in the "
	            "other.</p><div class=\"scroll\"><table class=\"cards\"><thead><tr>",
	            page->file);
	for (size_t a = 0; a < ai8x_sweep_axis_count(page->sweep); a++) {
		(void)fputs("<th>", page->file);
		words_escape(ai8x_sweep_axis_name(page->sweep, a), page->file);
		(void)fputs("</th>", page->file);
	}
	if (page->tied > 0)
		(void)fputs("<th class=\"r\">equal<br>points</th>", page->file);
	(void)fputs("<th class=\"r\">cycles</th><th class=\"r\">time</th><th class=\"r\">energy<br>(est.)</th>"
	            "<th class=\"r\">MAC</th><th class=\"r\">parameters</th><th class=\"r\">kernel<br>memory</th>"
	            "<th class=\"r\">data<br>memory</th></tr></thead><tbody>\n",
	            page->file);
	for (size_t i = 0; i < page->best_count && i < MOST_ROWS; i++) {
		const ai8x_sweep_point *point = page->best[i];
		(void)fputs("<tr>", page->file);
		for (size_t a = 0; a < ai8x_sweep_axis_count(page->sweep); a++) {
			(void)fputs("<td class=\"w\" data-h=\"", page->file);
			words_escape(ai8x_sweep_axis_name(page->sweep, a), page->file);
			(void)fputs("\"><b>", page->file);
			words_escape(ai8x_sweep_value(page->sweep, page->best_index[i], a), page->file);
			(void)fputs("</b></td>", page->file);
		}
		if (page->tied > 0)
			say_ties(page, page->best_index[i]);
		const char *about = ai8x_part_get_info(ai8x_part_find(point->part))->cycles_exact ? "" : "~";
		say_cell(page, "cycles", about, words_thousands(point->cycles, text));
		say_cell(page, "time", about, words_seconds(point->seconds, text));
		say_cell(page, "energy (est.)", "~", words_joules(point->joules, text));
		say_cell(page, "MAC", "", short_number((double)point->macs, "", text));
		say_cell(page, "parameters", "", words_thousands(point->parameters, text));
		say_cell(page, "kernel memory", "", percent_of(point->kernel_words, point->kernel_capacity, text));
		say_cell(page, "data memory", "", percent_of(point->data_words, point->data_capacity, text));
		(void)fputs("</tr>\n", page->file);
	}
	(void)fputs("</tbody></table></div>", page->file);
	if (page->best_count > MOST_ROWS)
		(void)fprintf(page->file, "<p>The first %d of %zu.</p>", MOST_ROWS, page->best_count);
	(void)fputs("</section>\n", page->file);
}

static void say_reasons(const struct page *page)
{
	const char *reasons[MOST_REASONS];
	size_t counts[MOST_REASONS], known = 0, more = 0;
	for (size_t i = 0; i < ai8x_sweep_point_count(page->sweep); i++) {
		const ai8x_sweep_point *point = ai8x_sweep_point_at(page->sweep, i);
		size_t k = 0;
		if (point->status == AI8X_OK)
			continue;
		while (k < known && strcmp(reasons[k], point->message) != 0)
			k++;
		if (k < known) {
			counts[k]++;
		} else if (known < MOST_REASONS) {
			reasons[known] = point->message;
			counts[known++] = 1;
		} else {
			more++;
		}
	}
	if (known == 0)
		return;
	(void)fputs(
		"<section><h2>What cannot run</h2><div class=\"scroll\"><table><thead><tr><th class=\"r\">points</th>"
		"<th>reason</th></tr></thead><tbody>\n",
		page->file);
	for (size_t k = 0; k < known; k++) {
		(void)fprintf(page->file, "<tr><td class=\"r\">%zu</td><td class=\"why\">", counts[k]);
		words_escape(reasons[k], page->file);
		(void)fputs("</td></tr>\n", page->file);
	}
	if (more > 0)
		(void)fprintf(page->file, "<tr><td class=\"r\">%zu</td><td>others</td></tr>\n", more);
	(void)fputs("</tbody></table></div></section>\n", page->file);
}

// --- All ---------------------------------------------------------------------------------------------

static bool comes_later(const struct page *page, const ai8x_sweep_point *one, const ai8x_sweep_point *other)
{
	const double left = page->across.measure->of(one), right = page->across.measure->of(other);
	return page->across.more ? left < right : left > right;
}

static void collect_best(struct page *page)
{
	const size_t points = ai8x_sweep_point_count(page->sweep);
	for (size_t i = 0; i < points; i++) {
		const ai8x_sweep_point *point = ai8x_sweep_point_at(page->sweep, i);
		page->able += point->status == AI8X_OK;
		page->energy_error = fmax(page->energy_error, ai8x_energy_error(ai8x_part_find(point->part)));
		if (point->status == AI8X_OK && !ai8x_part_get_info(ai8x_part_find(point->part))->cycles_exact)
			page->estimated = ai8x_part_find(point->part);
		page->tied += point->tied;
		if (!point->best || point->tied)
			continue;
		size_t at = page->best_count++;
		for (; at > 0 && comes_later(page, page->best[at - 1], point); at--) {
			page->best[at] = page->best[at - 1];
			page->best_index[at] = page->best_index[at - 1];
		}
		page->best[at] = point;
		page->best_index[at] = i;
	}
}

static void say_page(const struct page *page)
{
	const size_t points = ai8x_sweep_point_count(page->sweep);
	(void)fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>Sweep of ",
	            page->file);
	words_escape(ai8x_sweep_name(page->sweep), page->file);
	(void)fprintf(
		page->file,
		"</title>\n<style>\n%s%s:root{--p0:#2c62c4;--p1:#c2571a;--p2:#1f7a45;--p3:#8a3fb0}"
		"@media(prefers-color-scheme:dark){:root{--p0:#7fa8f5;--p1:#f0a35e;--p2:#63c48c;--p3:#cf9bea}}"
		"@media print{:root{--p0:#2c62c4;--p1:#c2571a;--p2:#1f7a45;--p3:#8a3fb0}}"
		".p0{fill:var(--p0)}.p1{fill:var(--p1)}.p2{fill:var(--p2)}.p3{fill:var(--p3)}.frame{height:"
		"460px;margin:12px 16px 54px 84px}.plot{overflow:visible;font-size:12.5px}.plot .up{transform:"
		"translate(-68px,0) rotate(-90deg)}@media(max-width:560px){.frame{height:340px;margin:12px 14px 54px "
		"58px}.plot .h{display:none}.plot .up{transform:translate(-48px,0) rotate(-90deg)}}"
		".plot text{fill:var(--soft)}.plot .g{stroke:var(--line);fill:none}"
		".plot .o{fill-opacity:.55}.plot .b{stroke:var(--ink);stroke-width:1.2}"
		".plot .f{stroke:var(--soft);stroke-width:1.6;fill:none}\n</style></head><body><main>\n<h1>",
		style_base, style_parts);
	words_escape(ai8x_sweep_name(page->sweep), page->file);
	char cycles[96] = "";
	unsigned networks;
	if (page->estimated != NULL) {
		const double error = ai8x_cycles_error(page->estimated, &networks);
		(void)snprintf(cycles, sizeof cycles,
		               ", and so are cycles of the %s (within %.1f %% of silicon on %u networks)",
		               ai8x_part_get_info(page->estimated)->name, 100 * error, networks);
	}
	(void)fprintf(
		page->file,
		"</h1><p class=\"lead\">A sweep of %zu points: %zu can run, %zu of them are best. Time and memory "
		"follow from the registers; energy is an estimate (&plusmn;%.0f %%)%s.</p>\n",
		points, page->able, page->best_count + page->tied, 100 * page->energy_error, cycles);
	if (page->able > 0) {
		(void)fputs("<section><h2>All points</h2><p>Large dots: the best, and the limit they form. Point at "
		            "a dot for its "
		            "values.</p>\n",
		            page->file);
		say_parts(page);
		draw(page);
		(void)fputs("</section>\n", page->file);
		say_best(page);
	}
	say_reasons(page);
	(void)fputs("</main></body></html>\n", page->file);
}

ai8x_status ai8x_sweep_html(const ai8x_sweep *sweep, FILE *file, ai8x_error *error)
{
	if (error_if_null(error, sweep, file))
		return AI8X_ERR_ARGUMENT;
	struct page page = {.file = file, .sweep = sweep};
	const size_t points = ai8x_sweep_point_count(sweep);
	page.across.measure = sweep_objective(sweep, 0, &page.across.more);
	page.upwards.measure = sweep_objective(sweep, 1, &page.upwards.more);
	page.across.to = 100;
	page.upwards.from = 100;
	page.best = calloc(points + 1, sizeof *page.best);
	page.best_index = calloc(points + 1, sizeof *page.best_index);
	const bool room = page.best != NULL && page.best_index != NULL;
	if (room) {
		collect_best(&page);
		find_range(&page, &page.across);
		find_range(&page, &page.upwards);
		say_page(&page);
	}
	free(page.best);
	free(page.best_index);
	return room ? AI8X_OK : error_no_memory(error, "a page");
}
