// Command lines: numbers, names with suggestions, and options of argp parsers; see cli.h.
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

const ai8x_part *cli_option_part(const struct argp_state *state, const char *text)
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
		(unsigned)cli_option_name(state, "--part", "part", text, names, count, sizeof names[0]));
}

static const char *const engine_names[] = {
	[AI8X_ENGINE_AUTO] = "auto",
	[AI8X_ENGINE_EXACT] = "exact",
	[AI8X_ENGINE_FAST] = "fast",
};

ai8x_engine cli_option_engine(const struct argp_state *state, const char *text)
{
	return (ai8x_engine)cli_option_name(state, "--engine", "engine", text, engine_names,
	                                    sizeof engine_names / sizeof engine_names[0], sizeof engine_names[0]);
}

const char *cli_engine_name(ai8x_engine engine)
{
	return engine_names[engine];
}

const char *cli_option_cpu(const struct argp_state *state, const char *text)
{
	static const char *const names[] = {"c", "avx2", "avx512vnni", "neon"};
	enum { NAMES = sizeof names / sizeof names[0] };
	return names[cli_option_name(state, "--cpu", "kernels", text, names, NAMES, sizeof names[0])];
}

// --- Options that do not exist -----------------------------------------------------------------------

static bool is_documentation(const struct argp_option *option)
{
	return option->name == NULL;
}

static bool is_end(const struct argp_option *option)
{
	return option->name == NULL && option->key == 0 && option->doc == NULL && option->group == 0;
}

// The option that a word of length bytes names or begins, as getopt_long accepts it; NULL: none.
static const struct argp_option *find_long(const struct argp_option *options, const char *word, size_t length)
{
	const struct argp_option *begun = NULL;
	for (; !is_end(options); options++) {
		if (is_documentation(options) || strncmp(options->name, word, length) != 0)
			continue;
		if (options->name[length] == '\0')
			return options;
		begun = options;
	}
	return begun;
}

static bool takes_next(const struct argp_option *options, const struct argp_option *option)
{
	// An alias takes what the option in front of it takes.
	while ((option->flags & OPTION_ALIAS) != 0 && option > options)
		option--;
	return option->arg != NULL && (option->flags & OPTION_ARG_OPTIONAL) == 0;
}

// Words of a cluster as -vj4; true when its last option takes the next word.
static bool cluster_takes_next(const struct argp_option *options, const char *letters)
{
	for (; *letters != '\0'; letters++) {
		const struct argp_option *option = options;
		while (!is_end(option) && option->key != *letters)
			option++;
		if (!is_end(option) && takes_next(options, option))
			return letters[1] == '\0';
	}
	return false;
}

// argp knows these in addition.
static const struct argp_option standard[] = {
	{"help", '?', NULL, 0, NULL, 0}, {"usage", 1, NULL, 0, NULL, 0}, {"version", 2, NULL, 0, NULL, 0}, {0}};

static const char *nearest_option(const struct argp_option *options, const char *word)
{
	const char *names[64];
	size_t count = 0;
	for (; !is_end(options) && count < sizeof names / sizeof names[0] - 1; options++)
		if (!is_documentation(options))
			names[count++] = options->name;
	names[count++] = "help";
	return cli_nearest(word, names, count, sizeof names[0]);
}

_Noreturn static void refuse_option(const struct argp *parser, const char *program, const char *word,
                                    size_t length, const struct cli_other_options *other)
{
	char name[64];
	(void)snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), word);
	const char *nearest = nearest_option(parser->options, name);
	(void)fflush(stdout);
	if (other != NULL && find_long(other->options, word, length) != NULL)
		(void)fprintf(stderr, "%s: option '--%s' %s\n", program, name, other->why);
	else if (nearest != NULL)
		(void)fprintf(stderr, "%s: unknown option '--%s'; did you mean '--%s'?\n", program, name, nearest);
	else
		(void)fprintf(stderr, "%s: unknown option '--%s'\n", program, name);
	(void)fprintf(stderr, "Try `%s --help' or `%s --usage' for more information.\n", program, program);
	exit(CLI_USAGE);
}

// argp would refuse them too, but it neither suggests nor explains.
static void look_for_unknown(const struct argp *parser, int argc, char **argv,
                             const struct cli_other_options *other)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *word = argv[i];
		if (word[0] != '-' || word[1] == '\0')
			continue;
		if (word[1] != '-') {
			i += cluster_takes_next(parser->options, word + 1);
			continue;
		}
		word += 2;
		const size_t length = strcspn(word, "=");
		const struct argp_option *option = find_long(parser->options, word, length);
		if (option == NULL && find_long(standard, word, length) == NULL)
			refuse_option(parser, argv[0], word, length, other);
		i += option != NULL && word[length] == '\0' && takes_next(parser->options, option);
	}
}

void cli_parse(const struct argp *parser, int argc, char **argv, const struct cli_other_options *other,
               void *input)
{
	look_for_unknown(parser, argc, argv, other);
	error_t problem = argp_parse(parser, argc, argv, 0, NULL, input);
	if (problem == 0)
		return;
	cli_error("%s", strerror(problem));
	exit(problem == ENOMEM ? CLI_RESOURCES : CLI_USAGE);
}
