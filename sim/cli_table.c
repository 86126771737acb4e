// Tables, and paragraphs that fit 80 columns.
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/array.h"
#include "base/text.h"

#define CLI_COLUMNS 80
#define CLI_GAP 2
#define LEAST_TEXT 12
#define DOTS "..."

struct cell {
	char *text;
	enum cli_style style;
};

struct cli_table {
	size_t columns;
	char *align;
	struct cell *cells;
	size_t count, capacity;
	size_t rule_row;   // a line above this row; 0: none
	const char *order; // see cli_table_fit(); NULL: as wide as it is
	bool incomplete;
};

struct cli_table *cli_table_create(const char *columns)
{
	struct cli_table *table = calloc(1, sizeof *table);
	if (table == NULL)
		return NULL;
	table->align = strdup(columns);
	if (table->align == NULL) {
		free(table);
		return NULL;
	}
	table->columns = strlen(columns);
	return table;
}

void cli_table_destroy(struct cli_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table->align);
	free(table);
}

void cli_table_cell(struct cli_table *table, enum cli_style style, const char *format, ...)
{
	if (table == NULL)
		return;
	if (!array_reserve(&table->cells, &table->capacity, table->count + 1, sizeof *table->cells)) {
		table->incomplete = true;
		return;
	}
	char *text = NULL;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		text = NULL;
		table->incomplete = true;
	}
	if (text != NULL)
		text_make_plain(text);
	table->cells[table->count++] = (struct cell){.text = text, .style = style};
}

void cli_table_rule(struct cli_table *table)
{
	if (table != NULL)
		table->rule_row = table->count / table->columns;
}

void cli_table_fit(struct cli_table *table, const char *order)
{
	if (table != NULL)
		table->order = order;
}

// An escape sequence of cli_style() at the beginning of `text`: its bytes, which take no column.
static size_t sequence_bytes(const char *text)
{
	return text[0] == '\033' && strchr(text, 'm') != NULL ? (size_t)(strchr(text, 'm') - text) + 1 : 0;
}

// Columns a text takes on a terminal.
static size_t text_width(const char *text)
{
	size_t width = 0;
	mbstate_t state = {0};
	size_t left = strlen(text);
	while (left > 0) {
		wchar_t wide = 0;
		const size_t sequence = sequence_bytes(text);
		text += sequence;
		left -= sequence;
		if (left == 0)
			break;
		size_t bytes = mbrtowc(&wide, text, left, &state);
		if (bytes == (size_t)-1 || bytes == (size_t)-2 || bytes == 0) {
			// Not text in this locale: count a UTF-8 character once, by its first byte.
			if (((unsigned char)*text & 0xc0) != 0x80)
				width++;
			memset(&state, 0, sizeof state);
			bytes = 1;
		} else {
			int columns = wcwidth(wide);
			width += columns >= 0 ? (size_t)columns : 1;
		}
		text += bytes;
		left -= bytes;
	}
	return width;
}

static void print_spaces(FILE *file, size_t count)
{
	(void)fprintf(file, "%*s", (int)(count < 4096 ? count : 4096), "");
}

// Widths of all columns; 0 for those that are left out.
struct layout {
	size_t *widths, total;
	bool dropped;
};

static void measure(const struct cli_table *table, struct layout *layout)
{
	for (size_t i = 0; i < table->count; i++) {
		const size_t width = text_width(table->cells[i].text);
		if (width > layout->widths[i % table->columns])
			layout->widths[i % table->columns] = width;
	}
	for (size_t c = 0; c < table->columns; c++)
		layout->total += layout->widths[c] + (c > 0 ? CLI_GAP : 0);
}

// Characters that the names (CLI_NAME) of a table can lose before a column has to go.
static size_t spare_of_names(const struct cli_table *table, const struct layout *layout)
{
	size_t spare = 0;
	for (size_t c = 0; c < table->columns; c++)
		if (table->align[c] == CLI_NAME && layout->widths[c] > LEAST_TEXT)
			spare += layout->widths[c] - LEAST_TEXT;
	return spare;
}

// Leaves out columns in their order, then cuts the widest texts.
static void fit(const struct cli_table *table, struct layout *layout)
{
	const size_t spare = spare_of_names(table, layout);
	for (char turn = '1'; turn <= '9' && layout->total > CLI_COLUMNS + spare; turn++) {
		const char *at = strchr(table->order, turn);
		if (at == NULL)
			continue;
		layout->total -= layout->widths[at - table->order] + CLI_GAP;
		layout->widths[at - table->order] = 0;
		layout->dropped = true;
	}
	while (layout->total > CLI_COLUMNS) {
		size_t widest = table->columns;
		for (size_t c = 0; c < table->columns; c++)
			if (table->align[c] != 'r' && layout->widths[c] > LEAST_TEXT &&
			    (widest == table->columns || layout->widths[c] > layout->widths[widest]))
				widest = c;
		if (widest == table->columns)
			return;
		layout->widths[widest]--;
		layout->total--;
		layout->dropped = true;
	}
}

static bool inside_character(const char *at)
{
	return ((unsigned char)*at & 0xC0) == 0x80;
}

// Bytes of the beginning of a text that take at most so many columns. Cut texts are rare: width by width.
static size_t beginning(const char *text, size_t width)
{
	char part[CLI_CLEAN_BYTES];
	for (size_t bytes = strlen(text); bytes > 0; bytes--) {
		if (bytes >= sizeof part || inside_character(text + bytes))
			continue;
		memcpy(part, text, bytes);
		part[bytes] = '\0';
		if (text_width(part) <= width)
			return bytes;
	}
	return 0;
}

// Its end that takes at most so many columns.
static const char *ending(const char *text, size_t width)
{
	while (inside_character(text) || text_width(text) > width)
		text++;
	return text;
}

// As many characters as fit, with dots where some are missing: at the end, in names in the middle, in paths before it.
static void print_text(FILE *file, const char *text, size_t width, bool is_name)
{
	if (text_width(text) <= width) {
		(void)fputs(text, file);
		return;
	}
	const size_t room = width - strlen(DOTS);
	// Of a path the end says most.
	const size_t last = !is_name ? 0 : strchr(text, '/') != NULL ? room : (room + 1) / 2;
	const char *end = last > 0 ? ending(text, last) : "";
	const size_t bytes = beginning(text, room - text_width(end));
	char part[CLI_CLEAN_BYTES];
	(void)snprintf(part, sizeof part, "%.*s%s%s", (int)bytes, text, DOTS, end);
	(void)fputs(part, file);
	print_spaces(file, width - text_width(part));
}

static void print_cell(const struct cli_table *table, size_t i, size_t width, bool last, FILE *file)
{
	const struct cell *cell = &table->cells[i];
	const size_t taken = text_width(cell->text), space = taken < width ? width - taken : 0;
	const bool right = table->align[i % table->columns] == 'r';
	const enum cli_style style = i < table->columns ? CLI_BOLD : cell->style;
	if (right)
		print_spaces(file, space);
	if (style != CLI_PLAIN)
		(void)fputs(cli_style(file, style), file);
	print_text(file, cell->text, width, table->align[i % table->columns] == CLI_NAME);
	if (style != CLI_PLAIN)
		(void)fputs(cli_style(file, CLI_PLAIN), file);
	if (!right && !last)
		print_spaces(file, space);
	(void)fputs(last ? "\n" : "  ", file);
}

int cli_table_print(const struct cli_table *table, FILE *file)
{
	struct layout layout = {
		.widths = table != NULL && !table->incomplete ? calloc(table->columns, sizeof *layout.widths) : NULL,
	};
	if (layout.widths == NULL) {
		cli_error("out of memory for a table");
		return CLI_RESOURCES;
	}
	measure(table, &layout);
	if (table->order != NULL)
		fit(table, &layout);
	size_t end = table->columns;
	while (end > 1 && layout.widths[end - 1] == 0)
		end--;
	for (size_t i = 0; i < table->count; i++) {
		const size_t column = i % table->columns, row = i / table->columns;
		if (column == 0 && row > 0 && row == table->rule_row) {
			for (size_t c = 0; c < layout.total; c++)
				(void)fputc('-', file);
			(void)fputc('\n', file);
		}
		if (layout.widths[column] > 0 || (table->order == NULL && column < end))
			print_cell(table, i, layout.widths[column], column + 1 == end, file);
	}
	if (layout.dropped)
		(void)fputs("--wide shows all of the table\n", file);
	free(layout.widths);
	return CLI_OK;
}

// ---- paragraphs ----

static void print_broken(FILE *file, size_t indent, size_t columns, const char *format, va_list arguments)
{
	char *text = NULL;
	va_list unbroken;
	va_copy(unbroken, arguments);
	if (vasprintf(&text, format, arguments) < 0) {
		(void)vfprintf(file, format, unbroken);
		(void)fputc('\n', file);
		va_end(unbroken);
		return;
	}
	va_end(unbroken);
	size_t column = 0, used = 0;
	for (char *word = text, *end; *word != '\0'; word = end) {
		// A word with the spaces before it.
		end = word + strspn(word, " ");
		const size_t spaces = (size_t)(end - word);
		end += strcspn(end, " ");
		const char kept = *end;
		*end = '\0';
		const size_t width = text_width(word);
		if (used > 0 && column + width > columns && indent + width - spaces < columns) {
			(void)fputc('\n', file);
			print_spaces(file, indent);
			word += spaces;
			column = indent;
		}
		(void)fputs(word, file);
		column += text_width(word);
		used++;
		*end = kept;
	}
	(void)fputc('\n', file);
	free(text);
}

void cli_paragraph(FILE *file, size_t indent, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	print_broken(file, indent, CLI_COLUMNS, format, arguments);
	va_end(arguments);
}

void cli_sentence(FILE *file, size_t indent, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	print_broken(file, indent, isatty(fileno(file)) ? CLI_COLUMNS : SIZE_MAX, format, arguments);
	va_end(arguments);
}
