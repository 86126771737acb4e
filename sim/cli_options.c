// Command lines as tables; see cli_options.h.
#include "cli_options.h"
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"

bool cli_number(const char *text, uint64_t max, uint64_t *value)
{
	// strtoull takes signs, blanks and octal numbers, which would surprise here.
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	size_t length = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	if (length == 0 || digits[length] != '\0')
		return false;
	errno = 0;
	unsigned long long number = strtoull(digits, NULL, hex ? 16 : 10);
	if (errno != 0 || number > max)
		return false;
	*value = number;
	return true;
}

uint64_t cli_option_number(const struct argp_state *state, const char *name, const char *text, uint64_t min,
                           uint64_t max)
{
	uint64_t value = 0;
	if (!cli_number(text, max, &value) || value < min)
		argp_error(state, "%s: '%s' is not a number from %llu to %llu", name, text, (unsigned long long)min,
		           (unsigned long long)max);
	return value;
}

void cli_option_when(const struct argp_state *state, const char *name, const char *text, uint64_t *cycle,
                     int *layer)
{
	if (text[0] == 'L' || text[0] == 'l')
		*layer = (int)cli_option_number(state, name, text + 1, 0, AI8X_MAX_LAYERS - 1);
	else
		*cycle = cli_option_number(state, name, text, 0, INT64_MAX);
}

// --- Names -------------------------------------------------------------------------------------------

static const char *name_at(const char *const *names, size_t index, size_t stride)
{
	const char *name = NULL;
	memcpy(&name, (const char *)names + index * stride, sizeof name);
	return name;
}

// Edit distance with neighbour swaps (the usual typing errors) of words up to 31 bytes.
static size_t edit_distance(const char *a, const char *b)
{
	enum { LONGEST = 31 };
	size_t m = strlen(a), n = strlen(b);
	if (m > LONGEST || n > LONGEST)
		return SIZE_MAX;
	size_t row[3][LONGEST + 1];
	for (size_t j = 0; j <= n; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t *now = row[i % 3], *last = row[(i - 1) % 3], *before = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[m % 3][n];
}

const char *cli_nearest(const char *word, const char *const *names, size_t count, size_t stride)
{
	const char *nearest = NULL;
	size_t least = 3;
	for (size_t i = 0; i < count; i++) {
		const char *name = name_at(names, i, stride);
		size_t distance = edit_distance(word, name);
		// Two edits turn any two-letter word into any other.
		if (distance < least && distance < strlen(name)) {
			least = distance;
			nearest = name;
		}
	}
	if (nearest != NULL || strlen(word) < 3)
		return nearest;
	// Less than a whole name is a mistake too.
	for (size_t i = 0; i < count; i++) {
		const char *name = name_at(names, i, stride);
		if (strncasecmp(word, name, strlen(word)) != 0)
			continue;
		if (nearest != NULL)
			return NULL; // could be either
		nearest = name;
	}
	return nearest;
}

size_t cli_option_name(const struct argp_state *state, const char *option, const char *noun, const char *word,
                       const char *const *names, size_t count, size_t stride)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(name_at(names, i, stride), word) == 0)
			return i;
	char known[1024] = "", hint[64] = "";
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(known);
		(void)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
		               name_at(names, i, stride));
	}
	const char *nearest = cli_nearest(word, names, count, stride);
	if (nearest != NULL)
		(void)snprintf(hint, sizeof hint, "; did you mean '%s'?", nearest);
	// Of many names the nearest is enough.
	if (nearest != NULL && count > 8)
		argp_error(state, "%s: unknown %s '%s'%s", option, noun, word, hint);
	argp_error(state, "%s: unknown %s '%s'%s\nKnown are: %s.", option, noun, word, hint, known);
	exit(CLI_USAGE); // not reached: argp_error() ends the program
}

const ai8x_part *cli_default_part(void)
{
	return ai8x_part_at(0);
}

static const ai8x_part *find_part(const struct argp_state *state, const char *option, const char *text)
{
	const ai8x_part *part = ai8x_part_find(text); // knows short forms too
	if (part != NULL)
		return part;
	const char *names[8] = {NULL};
	size_t count = 0;
	while (count < ai8x_part_count() && count < sizeof names / sizeof names[0]) {
		names[count] = ai8x_part_get_info(ai8x_part_at((unsigned)count))->name;
		count++;
	}
	return ai8x_part_at(
		(unsigned)cli_option_name(state, option, "part", text, names, count, sizeof names[0]));
}

static const struct cli_choice engines[] = {
	{"auto", AI8X_ENGINE_AUTO}, {"exact", AI8X_ENGINE_EXACT}, {"fast", AI8X_ENGINE_FAST}, {0}};

const char *cli_engine_name(ai8x_engine engine)
{
	const struct cli_choice *choice = engines;
	while (choice->name != NULL && choice->value != (int)engine)
		choice++;
	return choice->name;
}

// --- Options -----------------------------------------------------------------------------------------

// Rows without letters get numbers beyond all characters.
enum { FIRST_KEY = 0x100 };

static int key_of(const struct cli_option *options, size_t index)
{
	return options[index].letter != 0 ? options[index].letter : FIRST_KEY + (int)index;
}

static int find_choice(const struct argp_state *state, const char *option, const char *noun, const char *text,
                       const struct cli_choice *choices)
{
	size_t count = 0;
	while (choices[count].name != NULL)
		count++;
	return choices[cli_option_name(state, option, noun, text, &choices[0].name, count, sizeof choices[0])]
	    .value;
}

static double read_seconds(const struct argp_state *state, const char *option, const char *text, uint64_t max)
{
	char *end = NULL;
	const double seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds > 0 && seconds <= (double)max))
		argp_error(state, "%s %s: expected a number above 0, at most %llu", option, text,
		           (unsigned long long)max);
	return seconds;
}

static void read_shape(const struct argp_state *state, const char *option, char *text, uint32_t shape[3])
{
	enum { MOST = 65536 };
	size_t count = 0;
	char *rest = NULL;
	shape[0] = shape[1] = shape[2] = 1;
	for (char *side = strtok_r(text, "xX", &rest); side != NULL; side = strtok_r(NULL, "xX", &rest)) {
		uint64_t value = 0;
		if (count == 3 || !cli_number(side, MOST, &value) || value == 0)
			argp_error(state, "%s: expected CxHxW or CxL, numbers from 1 to %d", option, MOST);
		shape[count++] = (uint32_t)value;
	}
	if (count < 2)
		argp_error(state, "%s: expected CxHxW or CxL, numbers from 1 to %d", option, MOST);
}

static const char *find_cpu(const struct argp_state *state, const char *option, const char *text)
{
	static const char *const names[] = {"c",          "avx2", "avx512bw", "avxvnni",
	                                    "avx512vnni", "neon", "neondot",  "neoni8mm"};
	enum { NAMES = sizeof names / sizeof names[0] };
	return names[cli_option_name(state, option, "kernels", text, names, NAMES, sizeof names[0])];
}

static void apply_number(const struct argp_state *state, const struct cli_option *row, const char *option,
                         const char *text, void *target)
{
	const uint64_t number = cli_option_number(state, option, text, row->min, row->max);
	switch (row->type) {
	case CLI_UINT32:
		*(uint32_t *)target = (uint32_t)number;
		return;
	case CLI_UNSIGNED:
		*(unsigned *)target = (unsigned)number;
		return;
	case CLI_INT:
		*(int *)target = (int)number;
		return;
	case CLI_SIZE:
		*(size_t *)target = (size_t)number;
		return;
	default:
		*(uint64_t *)target = number;
		return;
	}
}

static void apply(const struct argp_state *state, const struct cli_option *row, char *argument,
                  void *settings)
{
	void *target = (char *)settings + row->target;
	char option[64];
	(void)snprintf(option, sizeof option, "--%s", row->name);
	if (row->given != 0)
		*(bool *)((char *)settings + row->given) = true;
	switch (row->type) {
	case CLI_FLAG:
	case CLI_CLEAR:
		*(bool *)target = row->type == CLI_FLAG;
		return;
	case CLI_SET:
		*(int *)target = (int)row->min;
		return;
	case CLI_READS:
	case CLI_WRITES:
		if (argument != NULL && argument[0] == '\0')
			argp_error(state, "%s: the name of the file is empty", option);
		*(const char **)target = argument;
		return;
	case CLI_TEXT:
		*(const char **)target = argument;
		return;
	case CLI_SECONDS:
		*(double *)target = read_seconds(state, option, argument, row->max);
		return;
	case CLI_SHAPE:
		read_shape(state, option, argument, target);
		return;
	case CLI_PART:
		*(const ai8x_part **)target = find_part(state, option, argument);
		return;
	case CLI_ENGINE:
		*(ai8x_engine *)target = (ai8x_engine)find_choice(state, option, "engine", argument, engines);
		return;
	case CLI_CPU:
		*(const char **)target = find_cpu(state, option, argument);
		return;
	case CLI_CHOICE:
		*(int *)target = find_choice(state, option, row->name, argument, row->choices);
		return;
	case CLI_CALL:
		row->call(state, argument, settings);
		return;
	default:
		apply_number(state, row, option, argument, target);
		return;
	}
}

struct parsing {
	const struct cli_line *line;
	void *settings;
};

static void take_words(const struct argp_state *state, const struct parsing *parsing)
{
	const struct cli_line *line = parsing->line;
	void *target = (char *)parsing->settings + line->target;
	const struct cli_words words = {state->argv + state->next, (size_t)(state->argc - state->next)};
	if (line->takes != CLI_ONE)
		*(struct cli_words *)target = words;
	else if (words.count > 1)
		argp_error(state, "%s", line->many);
	else
		*(const char **)target = words.word[0];
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	const struct parsing *parsing = state->input;
	const struct cli_line *line = parsing->line;
	switch (key) {
	case ARGP_KEY_ARGS:
		take_words(state, parsing);
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (line->takes != CLI_ANY)
			argp_error(state, "%s", line->none);
		return 0;
	case ARGP_KEY_END:
		if (line->check != NULL)
			line->check(state, parsing->settings);
		return 0;
	default:
		for (size_t i = 0; line->options[i].name != NULL; i++) {
			if (key == key_of(line->options, i) && line->options[i].type != CLI_ALIAS) {
				apply(state, &line->options[i], argument, parsing->settings);
				return 0;
			}
		}
		return ARGP_ERR_UNKNOWN;
	}
}

// --- Options that do not exist -----------------------------------------------------------------------

// The option that a word of length bytes names or begins, as getopt_long accepts it; NULL: none.
static const struct cli_option *find_long(const struct cli_option *options, const char *word, size_t length)
{
	const struct cli_option *begun = NULL;
	for (; options->name != NULL; options++) {
		if (strncmp(options->name, word, length) != 0)
			continue;
		if (options->name[length] == '\0')
			return options;
		begun = options;
	}
	return begun;
}

static bool takes_next(const struct cli_option *options, const struct cli_option *option)
{
	// An alias takes what the option before it takes.
	while (option->type == CLI_ALIAS && option > options)
		option--;
	return option->argument != NULL && (option->flags & OPTION_ARG_OPTIONAL) == 0;
}

// Words of a cluster as -vj4; true when its last option takes the next word.
static bool cluster_takes_next(const struct cli_option *options, const char *letters)
{
	for (; *letters != '\0'; letters++) {
		const struct cli_option *option = options;
		while (option->name != NULL && option->letter != *letters)
			option++;
		if (option->name != NULL && takes_next(options, option))
			return letters[1] == '\0';
	}
	return false;
}

// argp knows these in addition.
static const struct cli_option standard[] = {{.name = "help"}, {.name = "usage"}, {.name = "version"}, {0}};

static const char *nearest_option(const struct cli_option *options, const char *word)
{
	const char *names[64];
	size_t count = 0;
	for (; options->name != NULL && count < sizeof names / sizeof names[0] - 1; options++)
		names[count++] = options->name;
	names[count++] = "help";
	return cli_nearest(word, names, count, sizeof names[0]);
}

_Noreturn static void refuse_option(const struct cli_line *line, const char *program, const char *word,
                                    size_t length, const struct cli_other_options *other)
{
	char name[64], clean[CLI_CLEAN_BYTES];
	(void)snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), word);
	const char *nearest = nearest_option(line->options, name);
	(void)cli_clean(name, clean);
	(void)fflush(stdout);
	if (other != NULL && find_long(other->options, word, length) != NULL)
		(void)fprintf(stderr, "%s: option '--%s' %s\n", program, clean, other->why);
	else if (nearest != NULL)
		(void)fprintf(stderr, "%s: unknown option '--%s'; did you mean '--%s'?\n", program, clean, nearest);
	else
		(void)fprintf(stderr, "%s: unknown option '--%s'\n", program, clean);
	(void)fprintf(stderr, "Try `%s --help' or `%s --usage' for more information.\n", program, program);
	exit(CLI_USAGE);
}

// argp would refuse them too, but it neither suggests nor explains.
static void look_for_unknown(const struct cli_line *line, int argc, char **argv,
                             const struct cli_other_options *other)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *word = argv[i];
		if (word[0] != '-' || word[1] == '\0')
			continue;
		if (word[1] != '-') {
			i += cluster_takes_next(line->options, word + 1);
			continue;
		}
		word += 2;
		const size_t length = strcspn(word, "=");
		const struct cli_option *option = find_long(line->options, word, length);
		if (option == NULL && find_long(standard, word, length) == NULL)
			refuse_option(line, argv[0], word, length, other);
		i += option != NULL && word[length] == '\0' && takes_next(line->options, option);
	}
}

// --- Input is never output ---------------------------------------------------------------------------

enum { MOST_FILES = 64 };

struct named_file {
	const char *what, *path;
	bool written;
};

struct named_files {
	struct named_file file[MOST_FILES];
	size_t count;
};

static void add_file(struct named_files *files, const char *what, const char *path, bool written)
{
	if (path != NULL && files->count < MOST_FILES)
		files->file[files->count++] = (struct named_file){what, path, written};
}

// Devices and pipes may take several things, and give them too.
static bool is_stream(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static int compare_files(const struct named_file *output, const struct named_file *other)
{
	const bool to_stdout = strcmp(output->path, "-") == 0;
	if (to_stdout ? !other->written || strcmp(other->path, "-") != 0
	              : strcmp(other->path, "-") == 0 || is_stream(output->path) ||
	                    !file_same(output->path, other->path))
		return CLI_OK;
	cli_error("%s: would be written as %s%s and %s as %s%s", to_stdout ? "standard output" : output->path,
	          output->what[0] == ' ' ? "" : "--", output->what + (output->what[0] == ' '),
	          other->written ? "written" : "read", other->what[0] == ' ' ? "" : "--",
	          other->what + (other->what[0] == ' '));
	return CLI_USAGE;
}

int cli_keep_apart(const struct cli_line *line, const void *settings, const char *written, const char *read)
{
	struct named_files files = {.count = 0};
	add_file(&files, " the result", written, true);
	for (const struct cli_option *row = line->options; row->name != NULL; row++)
		if (row->type == CLI_WRITES || row->type == CLI_READS)
			add_file(&files, row->name, *(const char *const *)((const char *)settings + row->target),
			         row->type == CLI_WRITES);
	add_file(&files, " input", read, false);
	const void *target = (const char *)settings + line->target;
	const struct cli_words *words = line->takes != CLI_ONE ? target : NULL;
	if (words == NULL)
		add_file(&files, " input", *(const char *const *)target, false);
	for (size_t i = 0; i < files.count; i++) {
		if (!files.file[i].written)
			continue;
		for (size_t k = 0; k < files.count; k++)
			if (k != i && (k > i || !files.file[k].written) &&
			    compare_files(&files.file[i], &files.file[k]) != CLI_OK)
				return CLI_USAGE;
		for (size_t k = 0; words != NULL && k < words->count; k++) {
			const struct named_file input = {" input", words->word[k], false};
			if (compare_files(&files.file[i], &input) != CLI_OK)
				return CLI_USAGE;
		}
	}
	return CLI_OK;
}

int cli_keep_network_apart(const struct cli_line *line, const void *settings, const char *written,
                           const ai8x_network *network)
{
	int code = cli_keep_apart(line, settings, written, NULL);
	for (size_t i = 0;
	     code == CLI_OK && network != NULL && i < sizeof network->read_from / sizeof network->read_from[0];
	     i++) {
		// What was named on the command line has been looked at.
		if (network->read_from[i] != NULL)
			code = cli_keep_apart(line, settings, written, network->read_from[i]);
	}
	return code;
}

// --- The whole line ----------------------------------------------------------------------------------

static void out_of_memory(void)
{
	cli_error("out of memory for the command line");
	exit(CLI_RESOURCES);
}

// The rows in argp's form, for free().
static struct argp_option *argp_rows(const struct cli_option *options)
{
	size_t count = 0;
	while (options[count].name != NULL)
		count++;
	struct argp_option *rows = calloc(count + 1, sizeof *rows);
	for (size_t i = 0; rows != NULL && i < count; i++) {
		const struct cli_option *row = &options[i];
		rows[i] = (struct argp_option){
			.name = row->name,
			.key = key_of(options, row->type == CLI_ALIAS ? i - 1 : i),
			.arg = row->argument,
			.flags = row->flags | (row->type == CLI_ALIAS ? OPTION_ALIAS : 0),
			.doc = row->help,
			.group = row->group,
		};
	}
	return rows;
}

void cli_parse(const struct cli_line *line, int argc, char **argv, const struct cli_other_options *other,
               void *settings)
{
	struct parsing parsing = {line, settings};
	look_for_unknown(line, argc, argv, other);
	struct argp_option *rows = argp_rows(line->options);
	if (rows == NULL)
		out_of_memory();
	const struct argp parser = {.options = rows, .parser = parse, .args_doc = line->words, .doc = line->doc};
	const error_t problem = argp_parse(&parser, argc, argv, 0, NULL, &parsing);
	free(rows);
	if (problem == ENOMEM)
		out_of_memory();
	if (problem != 0)
		cli_error("%s", strerror(problem));
	if (problem != 0 || cli_keep_apart(line, settings, NULL, NULL) != CLI_OK)
		exit(CLI_USAGE);
}
