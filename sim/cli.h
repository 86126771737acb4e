// What all commands share: exit statuses, messages, tables, JSON output, progress, colours.
//
// A command is one file, cmd_NAME.c, that exports `int cmd_NAME(int argc, char **argv)` and has a row in
// the table of main.c. argv[0] is "ai8xsim NAME", so that argp shows the right name. A command returns an
// exit status of enum cli_exit and prints its errors with cli_error().
#ifndef AI8XSIM_CLI_H
#define AI8XSIM_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <ai8xsim/ai8xsim.h>

#include "base/json.h"
#include "cli_options.h"

// Exit statuses; documented in `ai8xsim --help`, never renumbered.
enum cli_exit {
	CLI_OK = 0,           // every check held
	CLI_CHECK_FAILED = 1, // a check failed
	CLI_USAGE = 2,        // the command line makes no sense
	CLI_BAD_INPUT = 3,    // a file cannot be read or is not what it should be
	CLI_STOPPED = 4,      // the machine stopped: dead-lock, illegal configuration, cycle limit
	CLI_RESOURCES = 5,    // out of memory, or output cannot be written
	CLI_UNCHECKED = 6,    // nothing went wrong, and nothing was compared
};

struct cli_command {
	const char *name;
	const char *summary; // one line for the list of commands
	int (*run)(int argc, char **argv);
};

int cmd_golden(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_compile(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_profile(int argc, char **argv);
int cmd_regs(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_trace(int argc, char **argv);

// The exit status that stands for a status of the library.
int cli_exit_of(ai8x_status status);

// The worse of two exit statuses of several files: anything is worse than CLI_OK, any trouble with the
// input or the machine is worse than a failed check; else the first one stays.
int cli_worse(int first, int second);

// Prints "ai8xsim: text" and a newline on stderr. Safe from several threads.
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Prints an error of the library, "ai8xsim: file: text"; returns its exit status. file may be NULL, and is
// left out where the message already names it.
int cli_fail(const char *file, const ai8x_error *error);

// The same for a file that could not be written, which is no bad input.
int cli_fail_writing(const char *file, const ai8x_error *error);

// Colours: on terminals only, and never with NO_COLOR set or TERM=dumb.
enum cli_style { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW };
// Escape sequence that begins style (CLI_PLAIN ends it), or "".
const char *cli_style(FILE *file, enum cli_style style);

// A text table. Cells are UTF-8; columns are as wide as their widest cell.
struct cli_table;
// A column of names, aligned left: cli_table_fit() cuts them in the middle, before it leaves out a column.
#define CLI_NAME 'n'
// columns: one letter for each column, 'l' or 'r' aligned, or CLI_NAME. NULL when out of memory.
struct cli_table *cli_table_create(const char *columns);
// Adds the next cell, row by row; the first row is the heading. Out of memory is remembered.
void cli_table_cell(struct cli_table *table, enum cli_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// Draws a line over the next row (before totals).
void cli_table_rule(struct cli_table *table);
// Keeps the table within 80 columns: those of `order`, a character each, that are '1' are left out first, then '2' and so
// on, '0' never; then the longest texts are cut, and a line names --wide. order: a string that lasts.
void cli_table_fit(struct cli_table *table, const char *order);
// Prints the table; returns CLI_OK or CLI_RESOURCES (cells were lost).
int cli_table_print(const struct cli_table *table, FILE *file);
void cli_table_destroy(struct cli_table *table);

// Prints a line that breaks between words at 80 columns; the lines after the first begin with `indent` spaces.
void cli_paragraph(FILE *file, size_t indent, const char *format, ...) __attribute__((format(printf, 3, 4)));

// The same for a sentence that scripts look for: it breaks on a terminal only.
void cli_sentence(FILE *file, size_t indent, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Text that files decide, for printing: control characters, which could steer the terminal, become '?'.
#define CLI_CLEAN_BYTES 512
const char *cli_clean(const char *text, char clean[CLI_CLEAN_BYTES]);

// 1234567 as "1,234,567". text holds at least 32 bytes; returned for convenience.
const char *cli_thousands(uint64_t number, char text[32]);
// Seconds since some fixed time, of a clock that only goes forward.
double cli_seconds(void);
// A duration as "12.3 us", "4.56 ms", "7.89 s".
const char *cli_duration(double seconds, char text[32]);

// The parts that a table shows, a bit each, and the lines below it: how far their cycles are from silicon.
unsigned cli_part_bit(const ai8x_part *part);
void cli_print_standing(unsigned parts);
void cli_write_standing(FILE *file, unsigned parts);

// Writes root to path, whole or not at all, or to stdout when path is "-". Prints its own error.
int cli_write_json(const char *path, const json_t *root);
// The same for bytes of any kind; into devices and pipes as they are.
int cli_write_file(const char *path, const void *bytes, size_t size);
// The same for what `put` writes, which gets `user`; where it fails, nothing is written.
typedef ai8x_status cli_put(const void *user, FILE *file, ai8x_error *error);
int cli_write(const char *path, cli_put *put, const void *user);

// A transient line on stderr where that is a terminal; NULL erases it.
void cli_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_progress_clear(void);

// Makes standard output and error streams that signals do not interrupt; the latter prints plain text only. Before
// anything is printed.
void cli_open_streams(void);

#endif
