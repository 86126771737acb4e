// What all commands share; see cli.h.
#include "cli.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/memory_file.h"
#include "base/text.h"

static const struct {
	ai8x_status status;
	enum cli_exit code;
} exits[] = {
	{AI8X_OK, CLI_OK},
	{AI8X_ERR_MISMATCH, CLI_CHECK_FAILED},
	{AI8X_ERR_ARGUMENT, CLI_USAGE},
	{AI8X_ERR_IO, CLI_BAD_INPUT},
	{AI8X_ERR_FORMAT, CLI_BAD_INPUT},
	{AI8X_ERR_ADDRESS, CLI_BAD_INPUT},
	{AI8X_ERR_ALIGNMENT, CLI_BAD_INPUT},
	{AI8X_ERR_LIMIT, CLI_BAD_INPUT},
	{AI8X_ERR_NETWORK, CLI_BAD_INPUT},
	{AI8X_ERR_UNSUPPORTED, CLI_BAD_INPUT},
	{AI8X_ERR_LAYER, CLI_STOPPED},
	{AI8X_ERR_CYCLE_LIMIT, CLI_STOPPED},
	{AI8X_ERR_STALLED, CLI_STOPPED},
	{AI8X_ERR_NOT_STARTED, CLI_STOPPED},
	{AI8X_ERR_CANCELLED, CLI_STOPPED},
	{AI8X_FIFO_FULL, CLI_STOPPED},
	{AI8X_WAITING, CLI_STOPPED},
	{AI8X_ERR_NO_MEMORY, CLI_RESOURCES},
};

int cli_exit_of(ai8x_status status)
{
	for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++)
		if (exits[i].status == status)
			return (int)exits[i].code;
	return CLI_STOPPED;
}

int cli_worse(int first, int second)
{
	static const int mild[] = {CLI_OK, CLI_UNCHECKED, CLI_CHECK_FAILED};
	enum { MILD = sizeof mild / sizeof mild[0] };
	size_t a = 0, b = 0;
	while (a < MILD && mild[a] != first)
		a++;
	while (b < MILD && mild[b] != second)
		b++;
	return b > a ? second : first;
}

// One message is one line, also when several jobs report at once and a progress line stands there.
static pthread_mutex_t terminal = PTHREAD_MUTEX_INITIALIZER;
static bool progress_shown;

// What this program itself tells a terminal.
enum { ERASE_LINE = CLI_YELLOW + 1 };
static const char *const sequences[] = {
	[CLI_PLAIN] = "\033[0m",  [CLI_BOLD] = "\033[1m",    [CLI_DIM] = "\033[2m",     [CLI_RED] = "\033[1;31m",
	[CLI_GREEN] = "\033[32m", [CLI_YELLOW] = "\033[33m", [ERASE_LINE] = "\r\033[K",
};

static void erase_progress(void)
{
	if (progress_shown)
		(void)fputs(sequences[ERASE_LINE], stderr);
	progress_shown = false;
}

const char *cli_clean(const char *text, char clean[CLI_CLEAN_BYTES])
{
	(void)snprintf(clean, CLI_CLEAN_BYTES, "%s", text);
	text_make_plain(clean);
	return clean;
}

void cli_error(const char *format, ...)
{
	// Mostly it fits, and where it does not and memory is lacking, its beginning must do.
	char beginning[1024], *text = beginning;
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	if (vsnprintf(beginning, sizeof beginning, format, arguments) >= (int)sizeof beginning &&
	    vasprintf(&text, format, again) < 0)
		text = beginning;
	va_end(again);
	va_end(arguments);
	text_make_plain(text);
	(void)pthread_mutex_lock(&terminal);
	erase_progress();
	(void)fprintf(stderr, "ai8xsim: %s\n", text);
	(void)pthread_mutex_unlock(&terminal);
	if (text != beginning)
		free(text);
}

int cli_fail(const char *file, const ai8x_error *error)
{
	const char *message = error->message[0] != '\0' ? error->message : ai8x_status_text(error->status);
	if (file == NULL || strncmp(message, file, strlen(file)) == 0)
		cli_error("%s", message);
	else
		cli_error("%s: %s", file, message);
	return cli_exit_of(error->status);
}

int cli_fail_writing(const char *file, const ai8x_error *error)
{
	const int code = cli_fail(file, error);
	return error->status == AI8X_ERR_IO ? CLI_RESOURCES : code;
}

void cli_progress(const char *format, ...)
{
	if (!isatty(STDERR_FILENO))
		return;
	va_list arguments;
	va_start(arguments, format);
	(void)pthread_mutex_lock(&terminal);
	erase_progress();
	(void)vfprintf(stderr, format, arguments);
	(void)fflush(stderr);
	progress_shown = true;
	(void)pthread_mutex_unlock(&terminal);
	va_end(arguments);
}

void cli_progress_clear(void)
{
	(void)pthread_mutex_lock(&terminal);
	erase_progress();
	(void)pthread_mutex_unlock(&terminal);
}

// The C library drops what an interrupted call did not write; these streams go on. A stream of its own has no
// descriptor: fileno() does not know it.
static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		const ssize_t written = write(fd, bytes, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		size -= (size_t)written;
	}
	return true;
}

static ssize_t write_stdout(void *cookie, const char *bytes, size_t size)
{
	(void)cookie;
	return write_all(STDOUT_FILENO, bytes, size) ? (ssize_t)size : 0;
}

// Bytes of a sequence of our own at the beginning of `text`.
static size_t own_sequence(const char *text, size_t left)
{
	for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++)
		if (strlen(sequences[i]) <= left && memcmp(text, sequences[i], strlen(sequences[i])) == 0)
			return strlen(sequences[i]);
	return 0;
}

// Messages also come from the C library, which quotes what it was given.
static ssize_t write_stderr(void *cookie, const char *bytes, size_t size)
{
	const bool terminal_there = isatty(STDERR_FILENO) != 0;
	char plain[1024];
	size_t used = 0;
	(void)cookie;
	for (size_t at = 0; at < size;) {
		size_t length = bytes[at] == '\n' || bytes[at] == '\t' ? 1 : text_plain_bytes(bytes + at, size - at);
		if (length == 0 && terminal_there)
			length = own_sequence(bytes + at, size - at);
		if (used + 16 > sizeof plain) {
			if (!write_all(STDERR_FILENO, plain, used))
				return 0;
			used = 0;
		}
		memcpy(plain + used, length > 0 ? bytes + at : "?", length > 0 ? length : 1);
		used += length > 0 ? length : 1;
		at += length > 0 ? length : 1;
	}
	return write_all(STDERR_FILENO, plain, used) ? (ssize_t)size : 0;
}

void cli_open_streams(void)
{
	FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_stdout});
	FILE *messages = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_stderr});
	if (out != NULL) {
		(void)setvbuf(out, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, 0);
		stdout = out;
	}
	if (messages != NULL) {
		(void)setvbuf(messages, NULL, _IONBF, 0);
		stderr = messages;
	}
}

static bool colours(FILE *file)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	if (no_color != NULL && no_color[0] != '\0')
		return false;
	if (term == NULL || strcmp(term, "dumb") == 0)
		return false;
	return isatty(file == stdout ? STDOUT_FILENO : STDERR_FILENO) != 0;
}

const char *cli_style(FILE *file, enum cli_style style)
{
	return colours(file) ? sequences[style] : "";
}

const char *cli_thousands(uint64_t number, char text[32])
{
	char plain[24];
	int length = snprintf(plain, sizeof plain, "%llu", (unsigned long long)number);
	char *out = text;
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = plain[i];
	}
	*out = '\0';
	return text;
}

double cli_seconds(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

unsigned cli_part_bit(const ai8x_part *part)
{
	for (unsigned i = 0; i < ai8x_part_count(); i++)
		if (ai8x_part_at(i) == part)
			return 1u << i;
	return 0;
}

void cli_print_standing(unsigned parts)
{
	cli_write_standing(stdout, parts);
}

void cli_write_standing(FILE *file, unsigned parts)
{
	for (unsigned i = 0; i < ai8x_part_count(); i++) {
		unsigned networks;
		const double error = ai8x_cycles_error(ai8x_part_at(i), &networks);
		if ((parts >> i & 1) != 0 && error > 0)
			(void)fprintf(file, "Cycles of the %s (~) are within %.1f %% of silicon on %u networks.\n",
			              ai8x_part_get_info(ai8x_part_at(i))->name, 100 * error, networks);
	}
}

const char *cli_duration(double seconds, char text[32])
{
	static const struct {
		double below, scale;
		const char *unit;
	} units[] = {{1e-3, 1e6, "us"}, {1.0, 1e3, "ms"}, {0.0, 1.0, "s"}};
	size_t u = 0;
	while (units[u].below > 0 && seconds >= units[u].below)
		u++;
	double value = seconds * units[u].scale;
	(void)snprintf(text, 32, "%.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value, units[u].unit);
	return text;
}

// --- Files -------------------------------------------------------------------------------------------

int cli_write_file(const char *path, const void *bytes, size_t size)
{
	if (strcmp(path, "-") == 0) {
		(void)fwrite(bytes, 1, size, stdout);
		return CLI_OK; // errors are seen when stdout is closed
	}
	ai8x_error error = {0};
	if (file_write_any(path, bytes, size, &error) == AI8X_OK)
		return CLI_OK;
	(void)cli_fail(path, &error);
	return CLI_RESOURCES;
}

int cli_write(const char *path, cli_put *put, const void *user)
{
	struct memory_file memory;
	ai8x_error error = {0};
	memory_file_open(&memory);
	ai8x_status status = memory.file != NULL ? put(user, memory.file, &error) : AI8X_ERR_NO_MEMORY;
	if (!memory_file_close(&memory) && (status == AI8X_OK || status == AI8X_ERR_IO)) {
		status = AI8X_ERR_NO_MEMORY;
		error.message[0] = '\0';
	}
	error.status = status;
	const int code =
		status == AI8X_OK ? cli_write_file(path, memory.text, memory.size) : cli_fail(path, &error);
	free(memory.text);
	return code;
}

static ai8x_status put_json(const void *root, FILE *file, ai8x_error *error)
{
	return json_write(json_incref((json_t *)root), file, error);
}

int cli_write_json(const char *path, const json_t *root)
{
	return cli_write(path, put_json, root);
}
