// Command lines as tables: an option is a row, its type says what its argument may be and what it is stored as.
//
// A command has a struct of settings, a table of rows, and one struct cli_line. cli_parse() fills the settings, answers
// --help and --usage, suggests a name where an option does not exist, and ends the program with CLI_USAGE and a message
// where the line makes no sense.
#ifndef AI8XSIM_CLI_OPTIONS_H
#define AI8XSIM_CLI_OPTIONS_H

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

#include <ai8xsim/ai8xsim.h>

// What an option takes, and the type of its target among the settings.
enum cli_type {
	CLI_FLAG,     // nothing; bool, becomes true
	CLI_CLEAR,    // nothing; bool, becomes false
	CLI_SET,      // nothing; int (or an enum), becomes row.min
	CLI_TEXT,     // anything; const char *
	CLI_READS,    // the name of a file that is read; const char *
	CLI_WRITES,   // the name of a file that is written, maybe - for standard output; const char *
	CLI_UINT32,   // a number from row.min to row.max; uint32_t
	CLI_UINT64,   // the same; uint64_t
	CLI_UNSIGNED, // the same; unsigned
	CLI_INT,      // the same; int
	CLI_SIZE,     // the same; size_t
	CLI_SECONDS,  // a number above 0, at most row.max, maybe with a fraction; double
	CLI_SHAPE,    // CxHxW, or CxL for a line of data; uint32_t[3]
	CLI_PART,     // a part; const ai8x_part *
	CLI_ENGINE,   // an engine; ai8x_engine
	CLI_CPU,      // kernels of the fast engine; const char *
	CLI_CHOICE,   // one of row.choices; int (or an enum)
	CLI_CALL,     // whatever row.call makes of it
	CLI_ALIAS,    // another name of the row before it
};

// A word and what it stands for. Tables of them end with a row without a name.
struct cli_choice {
	const char *name;
	int value;
};

struct cli_option {
	const char *name;     // without dashes; NULL ends the table
	int letter;           // short form, or 0
	const char *argument; // what --help calls it; NULL: takes none
	enum cli_type type;
	size_t target; // offset in the settings
	const char *help;
	int group; // what belongs together in --help
	uint64_t min, max;
	size_t given; // offset of a bool that becomes true where the option is given; 0: none
	const struct cli_choice *choices;
	void (*call)(const struct argp_state *state, char *argument, void *settings);
	int flags; // of struct argp_option
};

// All words of a command line that are no options.
struct cli_words {
	char **word;
	size_t count;
};

enum cli_takes {
	CLI_ONE,  // exactly one word; target is a const char *
	CLI_SOME, // one or more; target is a struct cli_words
	CLI_ANY,  // the same, or none
};

struct cli_line {
	const struct cli_option *options;
	const char *words; // what --help calls the words that are no options
	const char *doc;   // as for argp: \v separates what comes after the options
	enum cli_takes takes;
	size_t target;
	const char *none, *many; // messages where there is no word, or more than one
	// Whether all of it makes sense together: ends the program with argp_error() where not. May be NULL.
	void (*check)(const struct argp_state *state, void *settings);
};

// Options that users may expect although they belong to another form of the command.
struct cli_other_options {
	const struct cli_option *options;
	const char *why; // "option '--x' " goes before it
};

// Parses a command line, or ends the program with CLI_USAGE. other: or NULL.
void cli_parse(const struct cli_line *line, int argc, char **argv, const struct cli_other_options *other,
               void *settings);

// Whether what is written is none of what is read, nor written twice; also through links, and where it is not there yet.
// All options of types CLI_READS and CLI_WRITES and all other words are looked at by cli_parse(); commands call it for
// what they find later: a file `written` or `read` (either may be NULL). CLI_OK, or CLI_USAGE with the error printed.
int cli_keep_apart(const struct cli_line *line, const void *settings, const char *written, const char *read);

// The same for the files that a network was read from, and for a file `written` (or NULL).
int cli_keep_network_apart(const struct cli_line *line, const void *settings, const char *written,
                           const ai8x_network *network);

// Parses a decimal or 0x number of at most max. Returns false on anything else.
bool cli_number(const char *text, uint64_t max, uint64_t *value);

// For cli_option.call: the same for option --name, ends the program with a message.
uint64_t cli_option_number(const struct argp_state *state, const char *name, const char *text, uint64_t min,
                           uint64_t max);

// For cli_option.call: the position of word among count names, in whatever case; ends the program with CLI_USAGE, the
// nearest name and all names where it is none of them. noun: what they are names of. stride: as for cli_nearest().
size_t cli_option_name(const struct argp_state *state, const char *option, const char *noun, const char *word,
                       const char *const *names, size_t count, size_t stride);

// The name nearest to word among count names (at most two edits away), or NULL. stride: bytes from one
// name pointer to the next, so that tables of structs can be searched.
const char *cli_nearest(const char *word, const char *const *names, size_t count, size_t stride);

// The row of --wide. target: of the bool.
#define CLI_WIDE(target, group)                                                                              \
	{                                                                                                        \
		"wide", 0, NULL, CLI_FLAG, target, "Show the whole table, beyond 80 characters", group,              \
	}

// The row of --input-shape, which commands that take networks share. target: of the uint32_t[3].
#define CLI_INPUT_SHAPE(target, group)                                                                       \
	{                                                                                                        \
		"input-shape", 0, "CxHxW", CLI_SHAPE, target,                                                        \
			"Size of a network's input that its description does not give; CxL for a line of data", group    \
	}

// The row of --scale, which commands that read samples share. target: of the double.
#define CLI_INPUT_SCALE(target, group)                                                                       \
	{                                                                                                        \
		"scale", 0, "FACTOR", CLI_SECONDS, target,                                                           \
			"Multiply the input's values and round them: 128 for values from -1 to 1", group, .max = 32768   \
	}

// Rows that commands share, in the words of their own AT(). The engine and its kernels:
// clang-format off
#define CLI_ENGINE_ROWS(engine, cpu, threads, group) \
	{"engine", 0, "NAME", CLI_ENGINE, AT(engine), "auto (default), exact (cycle by cycle), fast", group}, \
	{"cpu", 0, "NAME", CLI_CPU, AT(cpu), \
	 "Kernels of the fast engine: c, avx2, avx512bw, avxvnni, avx512vnni, neon, neondot, neoni8mm (default: the fastest)", \
	 group}, \
	{"threads", 0, "N", CLI_UNSIGNED, AT(threads), \
	 "Threads of the fast engine for one inference, where layers are large (default 1)", group, 1, AI8X_MAX_THREADS}
// What a network computes with:
#define CLI_NETWORK_ROWS(files, shape, seed, random, group) \
	{"weights", 'w', "FILE", CLI_READS, AT(files.weights), \
	 "Weights, biases and shifts: HDF5, .npz or .npy", group}, \
	{"bias", 0, "FILE", CLI_READS, AT(files.bias), "Biases where the weights file has none: .npy", group}, \
	{"input", 'i', "FILE", CLI_READS, AT(files.input), \
	 "Sample input: .npy, or an HDF5 file with dataset 'input'", group}, \
	CLI_INPUT_SHAPE(AT(shape), group), \
	CLI_INPUT_SCALE(AT(files.input_scale), group), \
	{"random", 0, "SEED", CLI_UINT64, AT(seed), \
	 "Seeded values for what is missing, and shifts that use the range", group, 0, UINT64_MAX, AT(random)}
// What gives a network its size where its description does not:
#define CLI_SIZE_ROWS(files, shape, group) \
	{"weights", 'w', "FILE", CLI_READS, AT(files.weights), \
	 "Weights of a network whose description does not give out_channels", group}, \
	{"input", 'i', "FILE", CLI_READS, AT(files.input), \
	 "Sample input of a network whose description does not give in_channels and in_dim", group}, \
	CLI_INPUT_SHAPE(AT(shape), group)
// clang-format on

// For cli_option.call: a cycle, or a layer as L3. The other one stays.
void cli_option_when(const struct argp_state *state, const char *name, const char *text, uint64_t *cycle,
                     int *layer);

// The part where --part and files name none.
const ai8x_part *cli_default_part(void);
const char *cli_engine_name(ai8x_engine engine);

#endif
