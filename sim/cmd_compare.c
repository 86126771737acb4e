// ai8xsim compare: two results, layer by layer: what became slower, and what no longer passes.
//
// Results of run (programs and firmware), profile, bench and eval are brought into one form, an array of objects with
// name, part, cycles, layers and, where the command says it, pass and accuracy. Then rows are paired and judged.
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory_file.h"

// Results of a thousand programs take less.
#define SIZE_LIMIT ((size_t)256 << 20)

// --- Options -----------------------------------------------------------------------------------------

struct options {
	double threshold;
	bool all;
	const char *json, *markdown;
	struct cli_words files;
};

#define AT(member) offsetof(struct options, member)

static void read_threshold(const struct argp_state *state, char *argument, void *settings)
{
	char *end = NULL;
	const double value = strtod(argument, &end);
	if (end == argument || *end != '\0' || !(value >= 0 && value <= 1000))
		argp_error(state, "--threshold: expected a percentage from 0 to 1000, got '%s'", argument);
	((struct options *)settings)->threshold = value;
}

static const struct cli_option option_rows[] = {
	{"threshold", 't', "PERCENT", CLI_CALL, 0,
     "Allow this many percent more cycles, of a program or of a layer (default 0)", 1,
     .call = read_threshold},
	{"all", 'a', NULL, CLI_FLAG, AT(all), "Show layers that did not change, too", 2},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write the comparison as JSON; - for standard output, in place of the table", 2},
	{"markdown", 0, "FILE", CLI_WRITES, AT(markdown),
     "Write it as a Markdown table, such as CI systems show; - for standard output, in place of the table",
     2},
	{0},
};

static void check_line(const struct argp_state *state, void *settings)
{
	const struct options *options = settings;
	if (options->files.count != 2)
		argp_error(state, "two files are compared, not %zu", options->files.count);
	if (options->json != NULL && options->markdown != NULL && strcmp(options->json, "-") == 0 &&
	    strcmp(options->markdown, "-") == 0)
		argp_error(state, "--json and --markdown cannot both go to standard output");
}

static const struct cli_line command_line = {
	.options = option_rows,
	.words = "BEFORE.json AFTER.json",
	.takes = CLI_SOME,
	.target = AT(files),
	.none = "no results given",
	.check = check_line,
	.doc =
		"Compares two results of ai8xsim, layer by layer: what became slower or faster, and what no longer "
		"passes. The files are JSON of run (programs or firmware), profile, bench or eval. Programs are "
		"paired "
		"by file or by name and part, layers by name or number.\v"
		"Examples:\n"
		"  ai8xsim run --json now.json programs/ && ai8xsim compare last.json now.json\n"
		"      Did anything become slower?\n"
		"  ai8xsim compare --threshold 2 --markdown summary.md last.json now.json\n"
		"      The same for CI, where two percent are allowed.\n"
		"  ai8xsim compare --json - last.json now.json\n"
		"      Layer by layer, for scripts.\n"
		"\n"
		"Exit status: 0 no regression, 1 a regression (more cycles than the threshold allows, a pass lost, "
		"fewer "
		"right answers), 2 usage, 3 bad input, 6 the files have nothing in common.",
};

// --- One form for all results ------------------------------------------------------------------------

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? text : "";
}

static bool append(json_t *array, json_t *value)
{
	return value != NULL && json_array_append_new(array, value) == 0;
}

// Layers keep what pairs them and their cycles. NULL: out of memory.
static json_t *plain_layers(const json_t *layers)
{
	json_t *plain = json_array();
	size_t index;
	json_t *layer;
	json_array_foreach(layers, index, layer)
	{
		json_t *number = json_object_get(layer, "layer"), *cycles = json_object_get(layer, "cycles");
		if (json_is_integer(number) && json_is_integer(cycles) &&
		    !append(plain, json_pack("{s:O,s:s,s:O}", "layer", number, "name", text_of(layer, "name"),
		                             "cycles", cycles)))
			return NULL;
	}
	return plain;
}

static json_t *plain_entry(const json_t *source, const char *file, const char *name, json_t *cycles,
                           json_t *layers)
{
	json_t *entry = json_pack("{s:s,s:s,s:s,s:O,s:o}", "file", file, "name", name, "part",
	                          text_of(source, "part"), "cycles", cycles, "layers", layers);
	json_t *pass = json_object_get(source, "pass");
	json_t *error = json_object_get(source, "cycles_error");
	json_t *accuracy = json_object_get(json_object_get(source, "labels"), "top1_accuracy");
	if (entry != NULL && json_is_number(error))
		json_put(entry, "cycles_error", json_incref(error));
	if (entry != NULL && json_is_boolean(pass))
		json_put(entry, "pass", json_incref(pass));
	if (entry != NULL && json_is_number(accuracy))
		json_put(entry, "accuracy", json_incref(accuracy));
	return entry;
}

static bool add_plain(json_t *entries, const json_t *source)
{
	json_t *cycles = json_object_get(source, "cycles");
	const char *name = text_of(source, "name"), *file = text_of(source, "file");
	if (!json_is_integer(cycles))
		return true;
	return append(entries, plain_entry(source, file, name[0] != '\0' ? name : file, cycles,
	                                   plain_layers(json_object_get(source, "layers"))));
}

static bool from_programs(const json_t *root, json_t *entries)
{
	size_t index;
	json_t *program;
	json_array_foreach(json_object_get(root, "programs"), index, program)
	{
		if (!add_plain(entries, program))
			return false;
	}
	return true;
}

static bool from_profile(const json_t *root, json_t *entries)
{
	return add_plain(entries, json_object_get(root, "profile"));
}

static bool from_eval(const json_t *root, json_t *entries)
{
	return add_plain(entries, root);
}

// The largest error of an image's inferences stands for all.
static void keep_largest_error(json_t *entry, const json_t *inference)
{
	json_t *error = json_object_get(inference, "cycles_error");
	if (json_is_number(error) &&
	    json_number_value(error) >= json_number_value(json_object_get(entry, "cycles_error")))
		json_put(entry, "cycles_error", json_incref(error));
}

// An inference of firmware stands for a layer.
static bool from_images(const json_t *root, json_t *entries)
{
	size_t index, number;
	json_t *image, *inference;
	json_array_foreach(json_object_get(root, "images"), index, image)
	{
		if (!json_is_object(image))
			continue;
		json_t *layers = json_array();
		json_int_t sum = 0;
		json_array_foreach(json_object_get(image, "inferences"), number, inference)
		{
			json_int_t cycles = json_integer_value(json_object_get(inference, "cycles"));
			sum += cycles;
			if (!append(layers, json_pack("{s:I,s:s,s:I}", "layer", (json_int_t)number + 1, "name", "",
			                              "cycles", cycles)))
				return false;
		}
		json_t *cycles = json_integer(sum);
		const char *file = text_of(image, "file");
		json_t *entry = cycles != NULL ? plain_entry(image, file, file, cycles, layers) : NULL;
		json_decref(cycles);
		if (entry == NULL)
			return false;
		json_array_foreach(json_object_get(image, "inferences"), number, inference)
		{
			keep_largest_error(entry, inference);
		}
		json_put(entry, "pass", json_boolean(strcmp(text_of(image, "verdict"), "pass") == 0));
		if (!append(entries, entry))
			return false;
	}
	return true;
}

// The member of a result that tells which command made it.
static const struct form {
	const char *member;
	bool (*read)(const json_t *root, json_t *entries);
} forms[] = {
	{"programs", from_programs},
	{"profile", from_profile},
	{"images", from_images},
	{"data", from_eval},
};

static int read_entries(const char *path, json_t **entries)
{
	ai8x_error error = {0};
	json_t *root = NULL;
	if (json_read(path, SIZE_LIMIT, 0, &root, &error) != AI8X_OK)
		return cli_fail(path, &error);
	int code = CLI_BAD_INPUT;
	*entries = json_array();
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (json_object_get(root, forms[i].member) != NULL) {
			code = forms[i].read(root, *entries) ? CLI_OK : CLI_RESOURCES;
			break;
		}
	}
	if (code == CLI_RESOURCES)
		cli_error("%s: out of memory", path);
	else if (code == CLI_BAD_INPUT || json_array_size(*entries) == 0) {
		cli_error("%s: no cycles in it: expected JSON of ai8xsim run, profile, bench or eval", path);
		code = CLI_BAD_INPUT;
	}
	json_decref(root);
	return code;
}

// --- Pairs -------------------------------------------------------------------------------------------

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

static bool same_text(const json_t *a, const json_t *b, const char *key)
{
	return strcmp(text_of(a, key), text_of(b, key)) == 0;
}

static bool same_name(const json_t *a, const json_t *b)
{
	return strcmp(base_name(text_of(a, "name")), base_name(text_of(b, "name"))) == 0;
}

// The entry of before that is the same program of the same part, and not taken yet: by file where that is told, which
// the program in it may have left under another name, else by name.
static json_t *partner(const json_t *before, const json_t *after)
{
	json_t *entry, *found = NULL;
	size_t index;
	json_array_foreach(before, index, entry)
	{
		if (json_object_get(entry, "taken") != NULL || !same_text(entry, after, "part"))
			continue;
		if (text_of(after, "file")[0] != '\0' && same_text(entry, after, "file"))
			return entry;
		if (found == NULL && same_name(entry, after))
			found = entry;
	}
	return found;
}

static json_t *layer_partner(const json_t *before, const json_t *after)
{
	json_t *layer;
	size_t index;
	const char *name = text_of(after, "name");
	json_array_foreach(before, index, layer)
	{
		bool named = name[0] != '\0' && text_of(layer, "name")[0] != '\0';
		if (json_object_get(layer, "taken") == NULL &&
		    (named ? strcmp(name, text_of(layer, "name")) == 0
		           : json_equal(json_object_get(layer, "layer"), json_object_get(after, "layer"))))
			return layer;
	}
	return NULL;
}

// --- Judgement ---------------------------------------------------------------------------------------

struct tally {
	double threshold;
	size_t pairs, regressions;
};

static const char *judge_cycles(struct tally *tally, json_int_t before, json_int_t after)
{
	if (after <= before)
		return after < before ? "faster" : "same";
	if ((double)(after - before) <= tally->threshold / 100 * (double)before)
		return "within threshold";
	tally->regressions++;
	return "slower";
}

// A row: cycles of both sides (null where there is none), the difference in percent, and a word.
static json_t *row(struct tally *tally, const json_t *before, const json_t *after)
{
	json_t *cycles[2] = {json_object_get(before, "cycles"), json_object_get(after, "cycles")};
	const char *status = before == NULL ? "new" : "gone";
	json_t *percent = json_null();
	if (before != NULL && after != NULL) {
		const json_int_t a = json_integer_value(cycles[0]), b = json_integer_value(cycles[1]);
		status = judge_cycles(tally, a, b);
		if (a > 0)
			percent = json_real(100.0 * (double)(b - a) / (double)a);
	}
	const json_t *one = after != NULL ? after : before;
	return json_pack("{s:s,s:O?,s:O?,s:o,s:s}", "name", text_of(one, "name"), "before", cycles[0], "after",
	                 cycles[1], "percent", percent, "status", status);
}

static json_t *layer_rows(struct tally *tally, const json_t *before, const json_t *after)
{
	json_t *rows = json_array(), *layer;
	size_t index;
	json_array_foreach(json_object_get(after, "layers"), index, layer)
	{
		json_t *other = layer_partner(json_object_get(before, "layers"), layer);
		json_t *entry = row(tally, other, layer);
		if (other != NULL)
			json_put(other, "taken", json_true());
		json_put(entry, "layer", json_incref(json_object_get(layer, "layer")));
		if (!append(rows, entry))
			return NULL;
	}
	json_array_foreach(json_object_get(before, "layers"), index, layer)
	{
		if (json_object_get(layer, "taken") != NULL)
			continue;
		json_t *entry = row(tally, layer, NULL);
		json_put(entry, "layer", json_incref(json_object_get(layer, "layer")));
		if (!append(rows, entry))
			return NULL;
	}
	return rows;
}

// What is worse although cycles say nothing: a pass that was lost, answers that are wrong now.
static bool is_broken(const json_t *before, const json_t *after)
{
	return json_is_true(json_object_get(before, "pass")) && json_is_false(json_object_get(after, "pass"));
}

static bool is_less_right(const json_t *before, const json_t *after)
{
	const json_t *a = json_object_get(before, "accuracy"), *b = json_object_get(after, "accuracy");
	return a != NULL && b != NULL && json_number_value(b) < json_number_value(a);
}

static json_t *program_row(struct tally *tally, json_t *before, const json_t *after)
{
	json_t *result = row(tally, before, after);
	if (before != NULL && after != NULL) {
		tally->pairs++;
		json_put(before, "taken", json_true());
		if (is_broken(before, after) || is_less_right(before, after)) {
			tally->regressions++;
			json_put(result, "status", json_string(is_broken(before, after) ? "broken" : "less right"));
		}
	}
	const json_t *one = after != NULL ? after : before;
	json_t *error = json_object_get(one, "cycles_error");
	json_put(result, "part", json_string(text_of(one, "part")));
	json_put(result, "cycles_error", error != NULL ? json_incref(error) : json_null());
	json_put(result, "layers", layer_rows(tally, before, after));
	return result;
}

static json_t *compare(struct tally *tally, json_t *before, const json_t *after)
{
	json_t *rows = json_array(), *entry;
	size_t index;
	bool complete = rows != NULL;
	json_array_foreach(after, index, entry)
	{
		complete = complete && append(rows, program_row(tally, partner(before, entry), entry));
	}
	json_array_foreach(before, index, entry)
	{
		if (json_object_get(entry, "taken") == NULL)
			complete = complete && append(rows, program_row(tally, entry, NULL));
	}
	return complete ? json_pack("{s:i,s:f,s:I,s:o}", "version", 1, "threshold_percent", tally->threshold,
	                            "regressions", (json_int_t)tally->regressions, "programs", rows)
	                : NULL;
}

// --- Text --------------------------------------------------------------------------------------------

static enum cli_style style_of(const char *status)
{
	static const struct {
		const char *status;
		enum cli_style style;
	} rows[] = {{"slower", CLI_RED},
	            {"broken", CLI_RED},
	            {"less right", CLI_RED},
	            {"faster", CLI_GREEN},
	            {"same", CLI_DIM}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].status, status) == 0)
			return rows[i].style;
	return CLI_YELLOW;
}

// Cycles, with the mark of an estimate.
static void cycles_text(char cell[32], const json_t *number, bool estimated)
{
	char text[32];
	const bool known = json_is_integer(number);
	(void)snprintf(cell, 32, "%s%s", known && estimated ? "~" : "",
	               known ? cli_thousands((uint64_t)json_integer_value(number), text) : "-");
}

static bool is_estimated(const json_t *program)
{
	return json_number_value(json_object_get(program, "cycles_error")) > 0;
}

// Parts whose cycles are estimates here, a bit each.
static unsigned estimated_parts(const json_t *root)
{
	size_t i;
	json_t *program;
	unsigned parts = 0;
	json_array_foreach(json_object_get(root, "programs"), i, program)
	{
		if (is_estimated(program))
			parts |= cli_part_bit(ai8x_part_find(text_of(program, "part")));
	}
	return parts;
}

static const char *percent_text(const json_t *percent, char text[32])
{
	if (!json_is_real(percent))
		return "-";
	(void)snprintf(text, 32, "%+.1f %%", json_real_value(percent));
	return text;
}

// What a line says; the first cell is a program's name or a layer's number and name.
struct line {
	char first[CLI_CLEAN_BYTES], before[32], after[32], percent[32];
	const char *status;
	bool is_program;
};

static void fill_line(struct line *line, const json_t *entry, bool estimated)
{
	char name[CLI_CLEAN_BYTES], text[32];
	const json_t *layer = json_object_get(entry, "layer");
	line->is_program = layer == NULL;
	(void)cli_clean(base_name(text_of(entry, "name")), name);
	if (line->is_program)
		(void)snprintf(line->first, sizeof line->first, "%.300s (%s)", name, text_of(entry, "part"));
	else
		(void)snprintf(line->first, sizeof line->first, "  %lld %.300s", (long long)json_integer_value(layer),
		               name);
	cycles_text(line->before, json_object_get(entry, "before"), estimated);
	cycles_text(line->after, json_object_get(entry, "after"), estimated);
	(void)snprintf(line->percent, sizeof line->percent, "%s",
	               percent_text(json_object_get(entry, "percent"), text));
	line->status = text_of(entry, "status");
}

typedef void line_fn(void *user, const struct line *line);

static void each_line(const json_t *root, bool all, line_fn *take, void *user)
{
	size_t i, k;
	json_t *program, *layer;
	struct line line;
	json_array_foreach(json_object_get(root, "programs"), i, program)
	{
		const bool estimated = is_estimated(program);
		fill_line(&line, program, estimated);
		take(user, &line);
		json_array_foreach(json_object_get(program, "layers"), k, layer)
		{
			fill_line(&line, layer, estimated);
			if (all || strcmp(line.status, "same") != 0)
				take(user, &line);
		}
	}
}

static void table_line(void *user, const struct line *line)
{
	struct cli_table *table = user;
	cli_table_cell(table, line->is_program ? CLI_BOLD : CLI_PLAIN, "%.40s", line->first);
	cli_table_cell(table, CLI_PLAIN, "%s", line->before);
	cli_table_cell(table, CLI_PLAIN, "%s", line->after);
	cli_table_cell(table, CLI_PLAIN, "%s", line->percent);
	cli_table_cell(table, style_of(line->status), "%s", line->status);
}

static int print_table(const struct options *options, const json_t *root, const struct tally *tally)
{
	static const char *const titles[] = {"program, layer", "cycles before", "after", "change", ""};
	struct cli_table *table = cli_table_create("lrrrl");
	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
		cli_table_cell(table, CLI_PLAIN, "%s", titles[i]);
	each_line(root, options->all, table_line, table);
	int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	cli_print_standing(estimated_parts(root));
	(void)printf("%zu regression%s in %zu program%s\n", tally->regressions,
	             tally->regressions == 1 ? "" : "s", tally->pairs, tally->pairs == 1 ? "" : "s");
	return code;
}

// In a table's cell a bar would end it, and marks would take effect.
static void write_cell(FILE *file, const char *text)
{
	for (text += strspn(text, " "); *text != '\0'; text++) {
		if (strchr("|\\`*_<[", *text) != NULL)
			(void)fputc('\\', file);
		(void)fputc(*text, file);
	}
}

static void markdown_line(void *user, const struct line *line)
{
	FILE *file = user;
	const char *mark = line->is_program ? "**" : "";
	(void)fprintf(file, "| %s", mark);
	write_cell(file, line->first);
	(void)fprintf(file, "%s | %s | %s | %s | %s |\n", mark, line->before, line->after, line->percent,
	              line->status);
}

static int write_markdown(const struct options *options, const json_t *root, const struct tally *tally)
{
	struct memory_file memory;
	memory_file_open(&memory);
	if (memory.file == NULL) {
		cli_error("%s: out of memory for Markdown", options->markdown);
		return CLI_RESOURCES;
	}
	(void)fprintf(
		memory.file,
		"### %zu regression%s in %zu program%s\n\n| program, layer | cycles before | after | change | |\n"
		"|---|---:|---:|---:|---|\n",
		tally->regressions, tally->regressions == 1 ? "" : "s", tally->pairs, tally->pairs == 1 ? "" : "s");
	each_line(root, options->all, markdown_line, memory.file);
	const unsigned parts = estimated_parts(root);
	if (parts != 0)
		(void)fputc('\n', memory.file);
	cli_write_standing(memory.file, parts);
	int code = CLI_RESOURCES;
	if (memory_file_close(&memory))
		code = cli_write_file(options->markdown, memory.text, memory.size);
	else
		cli_error("%s: out of memory for Markdown", options->markdown);
	free(memory.text);
	return code;
}

// --- The command -------------------------------------------------------------------------------------

static bool is_stdout(const char *path)
{
	return path != NULL && strcmp(path, "-") == 0;
}

static int report(const struct options *options, const json_t *root, const struct tally *tally)
{
	int code = CLI_OK;
	if (!is_stdout(options->json) && !is_stdout(options->markdown))
		code = print_table(options, root, tally);
	if (options->json != NULL)
		code = cli_worse(code, cli_write_json(options->json, root));
	if (options->markdown != NULL)
		code = cli_worse(code, write_markdown(options, root, tally));
	return code;
}

int cmd_compare(int argc, char **argv)
{
	struct options options = {0};
	cli_parse(&command_line, argc, argv, NULL, &options);
	json_t *before = NULL, *after = NULL;
	int code = read_entries(options.files.word[0], &before);
	code = cli_worse(code, read_entries(options.files.word[1], &after));
	if (code == CLI_OK) {
		struct tally tally = {.threshold = options.threshold};
		json_t *root = compare(&tally, before, after);
		if (root == NULL)
			cli_error("out of memory for the comparison");
		code = root == NULL ? CLI_RESOURCES : report(&options, root, &tally);
		if (code == CLI_OK && tally.pairs == 0) {
			cli_error("no program is in both files");
			code = CLI_UNCHECKED;
		}
		code = cli_worse(code, tally.regressions > 0 ? CLI_CHECK_FAILED : CLI_OK);
		json_decref(root);
	}
	json_decref(before);
	json_decref(after);
	return code;
}
