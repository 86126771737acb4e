// Memory maps as one SVG picture: data memory over time, kernel memory, bias memory.
#include "view/words.h"

#define MARGIN 24
#define CELL_WIDTH 220
#define CELL_HEIGHT 130
#define GAP_X 24
#define GAP_Y 52
#define ACROSS 4
#define KEY_STEP 55
#define KEY_HEIGHT 22

struct picture {
	const ai8x_map *map;
	FILE *file;
	unsigned width, y;
};

static void title(struct picture *picture, const char *text, const char *note)
{
	(void)fprintf(picture->file,
	              "<text x=\"%u\" y=\"%u\" font-size=\"18\" font-weight=\"600\">%s</text>"
	              "<text x=\"%u\" y=\"%u\" font-size=\"13\" class=\"s\">%s</text>\n",
	              MARGIN, picture->y + 18, text, MARGIN, picture->y + 38, note);
	picture->y += 52;
}

static unsigned key_rows(const struct picture *picture)
{
	unsigned per_row = (picture->width - 2 * MARGIN) / KEY_STEP;
	return ((unsigned)picture->map->layer_count + 1 + per_row) / per_row;
}

static void keys(struct picture *picture)
{
	const unsigned per_row = (picture->width - 2 * MARGIN) / KEY_STEP;
	for (unsigned i = 0; i <= picture->map->layer_count; i++) {
		char colour[WORD_BYTES];
		unsigned x = MARGIN + i % per_row * KEY_STEP, y = picture->y + i / per_row * KEY_HEIGHT;
		(void)fprintf(picture->file,
		              "<rect x=\"%u\" y=\"%u\" width=\"12\" height=\"12\" rx=\"3\" fill=\"%s\"/>"
		              "<text x=\"%u\" y=\"%u\" font-size=\"12\">",
		              x, y, words_colour((int)i - 1, colour), x + 17, y + 11);
		if (i == 0)
			(void)fputs("input</text>\n", picture->file);
		else
			(void)fprintf(picture->file, "%u</text>\n", picture->map->numbers[i - 1]);
	}
	picture->y += key_rows(picture) * KEY_HEIGHT + 8;
}

static void begin_cell(const struct picture *picture, unsigned x, unsigned y, unsigned width, unsigned height,
                       size_t box_width, unsigned box_height)
{
	(void)fprintf(picture->file,
	              "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" class=\"t\"/><svg x=\"%u\" y=\"%u\" "
	              "width=\"%u\" height=\"%u\" viewBox=\"0 0 %zu %u\" preserveAspectRatio=\"none\" "
	              "shape-rendering=\"crispEdges\">",
	              x, y, width, height, x, y, width, height, box_width, box_height);
}

// The layers after which the columns of a cell begin.
static void time_axis(const struct picture *picture, unsigned x, unsigned y)
{
	const size_t columns = picture->map->layer_count + 1;
	for (size_t i = 0; i < columns; i += draw_tick_step(picture->map)) {
		(void)fprintf(picture->file, "<text x=\"%.1f\" y=\"%u\" font-size=\"10\" class=\"s\">",
		              x + (double)(CELL_WIDTH * i) / (double)columns, y);
		if (i == 0)
			(void)fputs("in</text>", picture->file);
		else
			(void)fprintf(picture->file, "%u</text>", picture->map->numbers[i - 1]);
	}
}

static void data_memory(struct picture *picture)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		unsigned x = MARGIN + i % ACROSS * (CELL_WIDTH + GAP_X);
		unsigned y = picture->y + i / ACROSS * (CELL_HEIGHT + GAP_Y);
		begin_cell(picture, x, y, CELL_WIDTH, CELL_HEIGHT, picture->map->layer_count + 1, MAP_ROWS);
		draw_instance(picture->map, i, picture->file);
		(void)fprintf(picture->file, "</svg>");
		time_axis(picture, x, y + CELL_HEIGHT + 11);
		(void)fprintf(
			picture->file,
			"<text x=\"%u\" y=\"%u\" font-size=\"12\" class=\"s\">instance %u, from 0x%08x</text>\n", x,
			y + CELL_HEIGHT + 26, i, ai8x_part_data_address(picture->map->part, i, 0));
	}
	picture->y += AI8X_INSTANCES / ACROSS * (CELL_HEIGHT + GAP_Y);
}

static void kernel_memory(struct picture *picture)
{
	const unsigned width = picture->width - 2 * MARGIN, height = 300;
	begin_cell(picture, MARGIN, picture->y, width, height, AI8X_PROCESSORS, draw_kernel_words(picture->map));
	draw_kernels(picture->map, picture->file);
	(void)fprintf(picture->file, "</svg>\n");
	for (unsigned p = 0; p < AI8X_PROCESSORS; p += 16)
		(void)fprintf(picture->file, "<text x=\"%u\" y=\"%u\" font-size=\"12\" class=\"s\">%u</text>\n",
		              MARGIN + width * p / AI8X_PROCESSORS, picture->y + height + 16, p);
	picture->y += height + GAP_Y;
}

static void bias_memory(struct picture *picture)
{
	const ai8x_part_info *info = ai8x_part_get_info(picture->map->part);
	const unsigned width = picture->width - 2 * MARGIN - 70, height = 16;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		unsigned y = picture->y + g * (height + 6);
		(void)fprintf(picture->file, "<text x=\"%u\" y=\"%u\" font-size=\"12\" class=\"s\">group %u</text>",
		              MARGIN, y + 12, g);
		begin_cell(picture, MARGIN + 70, y, width, height, info->bias_entries, 1);
		for (size_t i = 0; i < picture->map->bias.count; i++) {
			const ai8x_map_run *run = &picture->map->bias.run[i];
			char colour[WORD_BYTES];
			if (run->unit == g)
				(void)fprintf(picture->file,
				              "<rect x=\"%u\" width=\"%u\" height=\"1\" fill=\"%s\"><title>bias of layer "
				              "%u</title></rect>",
				              run->first, run->count, words_colour(run->owner, colour),
				              picture->map->numbers[run->owner]);
		}
		(void)fprintf(picture->file, "</svg>\n");
	}
	picture->y += AI8X_GROUPS * (height + 6);
}

// By day and by night. The picture may be part of a page, so the names are under its own.
static const char style[] =
	".ai8x-map text{fill:#1c2430}.ai8x-map .s{fill:#5b6675}.ai8x-map .t{fill:#eef1f5}.ai8x-map .b{fill:#fff}"
	"@media screen and (prefers-color-scheme:dark){.ai8x-map text{fill:#e6eaf0}.ai8x-map .s{fill:#9aa6b5}"
	".ai8x-map .t{fill:#242c37}.ai8x-map .b{fill:#12161c}}";

void ai8x_map_svg(const ai8x_map *map, FILE *file)
{
	if (map == NULL || file == NULL)
		return;
	struct picture picture = {map, file, 2 * MARGIN + ACROSS * CELL_WIDTH + (ACROSS - 1) * GAP_X, MARGIN};
	const unsigned height = 3 * 52 + AI8X_INSTANCES / ACROSS * (CELL_HEIGHT + GAP_Y) +
	                        key_rows(&picture) * KEY_HEIGHT + 8 + 300 + GAP_Y + AI8X_GROUPS * 22 + 2 * MARGIN;
	(void)fprintf(
		file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ai8x-map\" viewBox=\"0 0 %u %u\" width=\"100%%\" "
		"style=\"max-width:%upx;height:auto\" "
		"font-family=\"system-ui,'Segoe UI',Roboto,'Liberation Sans',sans-serif\">\n<style>%s</style>\n"
		"<rect width=\"%u\" height=\"%u\" class=\"b\"/>\n",
		picture.width, height, picture.width, style, picture.width, height);
	const ai8x_part_info *info = ai8x_part_get_info(map->part);
	char range[64], note[256];
	(void)snprintf(note, sizeof note,
	               "across: time, in: before the run, then after which layer; down: %s of each instance; "
	               "pale: not read again",
	               draw_range(draw_data_words(map), info->data_words, range));
	title(&picture, "Data memory", note);
	keys(&picture);
	data_memory(&picture);
	const uint32_t most =
		info->kernel_words_first > info->kernel_words ? info->kernel_words_first : info->kernel_words;
	(void)snprintf(note, sizeof note, "processors from left to right, %s from top to bottom",
	               draw_range(draw_kernel_words(map), most, range));
	title(&picture, "Kernel memory", note);
	kernel_memory(&picture);
	title(&picture, "Bias memory", "entries from left to right");
	bias_memory(&picture);
	(void)fprintf(file, "</svg>\n");
}
