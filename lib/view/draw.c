// Rectangles of memory maps, shared by the SVG picture and the HTML page.
#include <stdlib.h>
#include <string.h>

#include "view/words.h"

#define NOBODY INT16_MIN
#define PARTS 16
#define MOST_TICKS 9

static uint32_t last_used(const ai8x_map_runs *runs)
{
	uint32_t end = 0;
	for (size_t i = 0; i < runs->count; i++)
		if (runs->run[i].first + runs->run[i].count > end)
			end = runs->run[i].first + runs->run[i].count;
	return end;
}

static uint32_t shown_words(uint32_t used, uint32_t all)
{
	const uint32_t part = (all + PARTS - 1) / PARTS;
	const uint32_t shown = (used / part + (used % part != 0 || used == 0)) * part;
	return shown < all ? shown : all;
}

uint32_t draw_data_words(const ai8x_map *map)
{
	uint32_t used = 0;
	for (size_t i = 0; i <= map->layer_count; i++) {
		const uint32_t end = last_used(&map->data[i]);
		used = end > used ? end : used;
	}
	return shown_words(used, ai8x_part_get_info(map->part)->data_words);
}

uint32_t draw_kernel_words(const ai8x_map *map)
{
	const ai8x_part_info *info = ai8x_part_get_info(map->part);
	return shown_words(last_used(&map->kernels), info->kernel_words_first > info->kernel_words
	                                                 ? info->kernel_words_first
	                                                 : info->kernel_words);
}

const char *draw_range(uint32_t shown, uint32_t all, char text[64])
{
	char last[WORD_BYTES], end[WORD_BYTES];
	if (shown >= all)
		(void)snprintf(text, 64, "all %s words", words_thousands(all, end));
	else
		(void)snprintf(text, 64, "words 0 to %s of %s", words_thousands(shown - 1, last),
		               words_thousands(all, end));
	return text;
}

// The owner of most words of each stretch.
static void fill_column(const ai8x_map_runs *runs, unsigned instance, uint64_t words,
                        int16_t column[MAP_ROWS])
{
	uint64_t best[MAP_ROWS] = {0};
	uint64_t sum = 0;
	int16_t owner = NOBODY;
	unsigned row = MAP_ROWS;
	for (unsigned r = 0; r < MAP_ROWS; r++)
		column[r] = NOBODY;
	for (size_t i = 0; i < runs->count; i++) {
		const ai8x_map_run *run = &runs->run[i];
		if (run->unit != instance)
			continue;
		uint64_t first = run->first, end = (uint64_t)run->first + run->count;
		while (first < end) {
			unsigned r = (unsigned)(first * MAP_ROWS / words);
			uint64_t border = ((uint64_t)(r + 1) * words + MAP_ROWS - 1) / MAP_ROWS;
			uint64_t stop = border < end ? border : end;
			if (r != row || run->owner != owner)
				sum = 0;
			row = r;
			owner = run->owner;
			sum += stop - first;
			if (r < MAP_ROWS && sum > best[r]) {
				best[r] = sum;
				column[r] = owner;
			}
			first = stop;
		}
	}
}

static void rectangle(const ai8x_map *map, FILE *file, size_t x, unsigned y, size_t width, unsigned height,
                      int owner, bool dead)
{
	char colour[WORD_BYTES];
	(void)fprintf(file, "<rect x=\"%zu\" y=\"%u\" width=\"%zu\" height=\"%u\" fill=\"%s\"%s><title>", x, y,
	              width, height, words_colour(owner, colour), dead ? " opacity=\".3\"" : "");
	if (owner < 0)
		(void)fputs("input", file);
	else
		(void)fprintf(file, "output of layer %u", map->numbers[owner]);
	(void)fprintf(file, "%s</title></rect>", dead ? ", not read again" : "");
}

// The step from which nothing reads an owner's words any more. What nothing reads is a result.
static size_t dead_from(const ai8x_map *map, int owner)
{
	const size_t sources = map->layer_count + 1, source = (size_t)(owner + 1);
	for (size_t reader = map->layer_count; reader > 0; reader--)
		if (map->reads[(reader - 1) * sources + source] != 0)
			return reader;
	return SIZE_MAX;
}

// A stretch of time of one owner: live at first, then dead.
static void owned(const ai8x_map *map, FILE *file, size_t from, size_t to, unsigned y, unsigned height,
                  int owner)
{
	const size_t death = dead_from(map, owner), border = death < from ? from : death < to ? death : to;
	if (border > from)
		rectangle(map, file, from, y, border - from, height, owner, false);
	if (to > border)
		rectangle(map, file, border, y, to - border, height, owner, true);
}

size_t draw_tick_step(const ai8x_map *map)
{
	return (map->layer_count + MOST_TICKS) / MOST_TICKS;
}

// A stretch of rows with one owner, from one point in time to another.
struct stripe {
	unsigned row, rows;
	int16_t owner;
	size_t since;
};

static size_t stripes_of(const int16_t column[MAP_ROWS], size_t since, struct stripe *stripes)
{
	size_t count = 0;
	for (unsigned row = 0, end; row < MAP_ROWS; row = end) {
		for (end = row + 1; end < MAP_ROWS && column[end] == column[row]; end++)
			;
		if (column[row] != NOBODY)
			stripes[count++] = (struct stripe){row, end - row, column[row], since};
	}
	return count;
}

static bool same_stripe(const struct stripe *a, const struct stripe *b)
{
	return a->row == b->row && a->rows == b->rows && a->owner == b->owner;
}

void draw_instance(const ai8x_map *map, unsigned instance, FILE *file)
{
	const uint32_t words = draw_data_words(map);
	struct stripe open[MAP_ROWS] = {{0}}, now[MAP_ROWS] = {{0}};
	size_t open_count = 0;
	for (size_t step = 0; step <= map->layer_count + 1; step++) {
		int16_t column[MAP_ROWS];
		size_t now_count = 0;
		if (step <= map->layer_count) {
			fill_column(&map->data[step], instance, words, column);
			now_count = stripes_of(column, step, now);
		}
		for (size_t i = 0; i < open_count; i++) {
			size_t k = 0;
			while (k < now_count && !same_stripe(&open[i], &now[k]))
				k++;
			if (k < now_count)
				now[k].since = open[i].since;
			else
				owned(map, file, open[i].since, step, open[i].row, open[i].rows, open[i].owner);
		}
		memcpy(open, now, sizeof open);
		open_count = now_count;
	}
}

static bool same_words(const ai8x_map_run *a, const ai8x_map_run *b)
{
	return a->first == b->first && a->count == b->count && a->owner == b->owner;
}

// Part of the rectangle that begins at an earlier processor; runs are in order of processors.
static bool is_drawn(const ai8x_map_runs *runs, size_t i)
{
	for (size_t k = i; k-- > 0 && runs->run[k].unit + 1u >= runs->run[i].unit;)
		if (runs->run[k].unit + 1u == runs->run[i].unit && same_words(&runs->run[k], &runs->run[i]))
			return true;
	return false;
}

void draw_kernels(const ai8x_map *map, FILE *file)
{
	const ai8x_map_runs *runs = &map->kernels;
	char colour[WORD_BYTES];
	for (size_t i = 0; i < runs->count; i++) {
		if (is_drawn(runs, i))
			continue;
		// The same words of neighbouring processors are one rectangle.
		const ai8x_map_run *run = &runs->run[i];
		unsigned end = run->unit + 1u;
		for (size_t k = i + 1; k < runs->count && runs->run[k].unit <= end; k++) {
			const ai8x_map_run *next = &runs->run[k];
			end += next->unit == end && same_words(next, run);
		}
		(void)fprintf(file,
		              "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"%s\"><title>kernels of "
		              "layer %u, words "
		              "%u to %u</title></rect>",
		              run->unit, run->first, end - run->unit, run->count, words_colour(run->owner, colour),
		              map->numbers[run->owner], run->first, run->first + run->count - 1);
	}
}
