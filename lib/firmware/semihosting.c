// Semihosting: the calls that firmware makes to the debugger's host, as newlib's rdimon does.
//
// Files lie below a folder that the user names; without one there are none. No link is followed, and no way leads out.
// Facts: Arm's "Semihosting for AArch32 and AArch64", release 2.0.
#include "firmware/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HANDLES 32
#define NAME_LIMIT 256
#define CHUNK 4096u
#define CENTISECOND (FS_PER_SECOND / 100)
#define APPLICATION_ENDED 0x20026u

enum kind { CLOSED, CONSOLE, FEATURES, FILE_OF_HOST };

struct semihosting {
	int folder; // -1: none
	int error;  // of the last call that failed
	struct {
		enum kind kind;
		int file;
		uint32_t at;    // of FEATURES
	} handles[HANDLES]; // number 0 is none
};

// Magic, then bits: exit with a code, standard error apart from standard output.
static const uint8_t features[] = {'S', 'H', 'F', 'B', 3};

ai8x_status semihosting_create(struct ai8x_firmware *soc)
{
	const char *folder = soc->options.board != NULL ? soc->options.board->files : NULL;
	struct semihosting *host = calloc(1, sizeof *host);
	if (host == NULL)
		return AI8X_ERR_NO_MEMORY;
	host->folder = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (folder != NULL && host->folder < 0) {
		free(host);
		return AI8X_ERR_IO;
	}
	soc->semihosting = host;
	return AI8X_OK;
}

void semihosting_destroy(struct ai8x_firmware *soc)
{
	struct semihosting *host = soc->semihosting;
	if (host == NULL)
		return;
	for (int i = 0; i < HANDLES; i++)
		if (host->handles[i].kind == FILE_OF_HOST)
			(void)close(host->handles[i].file);
	if (host->folder >= 0)
		(void)close(host->folder);
	free(host);
	soc->semihosting = NULL;
}

static uint32_t fail(struct semihosting *host, int error)
{
	host->error = error;
	return UINT32_MAX;
}

static bool read_words(struct ai8x_firmware *soc, uint32_t address, uint32_t *words, unsigned count)
{
	return soc->unicorn.mem_read(soc->uc, address, words, 4 * (size_t)count) == UC_ERR_OK;
}

static bool read_name(struct ai8x_firmware *soc, uint32_t address, uint32_t length, char name[NAME_LIMIT])
{
	if (length >= NAME_LIMIT || soc->unicorn.mem_read(soc->uc, address, name, length) != UC_ERR_OK)
		return false;
	name[length] = 0;
	return strlen(name) == length;
}

// The folder that the last part of a name lies in; *last is that part. -1: there is none, errno says why.
static int walk(const struct semihosting *host, char *name, const char **last)
{
	int folder = host->folder >= 0 ? fcntl(host->folder, F_DUPFD_CLOEXEC, 0) : -1;
	if (host->folder < 0)
		errno = EACCES;
	char *rest = NULL, *part = strtok_r(name, "/", &rest);
	*last = part != NULL ? part : ".";
	while (folder >= 0 && part != NULL) {
		char *const following = strtok_r(NULL, "/", &rest);
		if (strcmp(part, "..") == 0) {
			(void)close(folder);
			errno = EACCES;
			return -1;
		}
		*last = part;
		if (following == NULL)
			break;
		const int deeper = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)close(folder);
		folder = deeper;
		part = following;
	}
	return folder;
}

static int open_file(const struct semihosting *host, char *name, uint32_t mode)
{
	// r, r+, w, w+, a, a+; every second one is the same for binary files.
	static const int flags[] = {
		O_RDONLY,
		O_RDWR,
		O_WRONLY | O_CREAT | O_TRUNC,
		O_RDWR | O_CREAT | O_TRUNC,
		O_WRONLY | O_CREAT | O_APPEND,
		O_RDWR | O_CREAT | O_APPEND,
	};
	const char *last = NULL;
	const int folder = walk(host, name, &last);
	if (folder < 0)
		return -1;
	struct stat info;
	int file = openat(folder, last, flags[mode / 2] | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
	const int why = errno;
	(void)close(folder);
	errno = why;
	if (file >= 0 && (fstat(file, &info) != 0 || !S_ISREG(info.st_mode))) {
		(void)close(file);
		errno = EACCES;
		return -1;
	}
	return file;
}

static uint32_t call_open(struct ai8x_firmware *soc, const uint32_t *a)
{
	struct semihosting *host = soc->semihosting;
	char name[NAME_LIMIT];
	int handle = 1;
	while (handle < HANDLES && host->handles[handle].kind != CLOSED)
		handle++;
	if (a[1] > 11 || !read_name(soc, a[0], a[2], name))
		return fail(host, EINVAL);
	if (handle == HANDLES)
		return fail(host, EMFILE);
	if (strcmp(name, ":tt") == 0)
		host->handles[handle].kind = CONSOLE;
	else if (strcmp(name, ":semihosting-features") == 0) {
		if (a[1] > 1)
			return fail(host, EACCES);
		host->handles[handle].kind = FEATURES;
		host->handles[handle].at = 0;
	} else {
		const int file = open_file(host, name, a[1]);
		if (file < 0)
			return fail(host, errno);
		host->handles[handle].file = file;
		host->handles[handle].kind = FILE_OF_HOST;
	}
	return (uint32_t)handle;
}

static enum kind kind_of(const struct semihosting *host, uint32_t handle)
{
	return handle < HANDLES ? host->handles[handle].kind : CLOSED;
}

static uint32_t call_close(struct ai8x_firmware *soc, const uint32_t *a)
{
	struct semihosting *host = soc->semihosting;
	if (kind_of(host, a[0]) == CLOSED)
		return fail(host, EBADF);
	if (kind_of(host, a[0]) == FILE_OF_HOST)
		(void)close(host->handles[a[0]].file);
	host->handles[a[0]].kind = CLOSED;
	return 0;
}

// Both return the number of bytes that were not transferred.
static uint32_t call_write(struct ai8x_firmware *soc, const uint32_t *a)
{
	struct semihosting *host = soc->semihosting;
	const enum kind kind = kind_of(host, a[0]);
	char bytes[CHUNK];
	uint32_t done = 0;
	if (kind != CONSOLE && kind != FILE_OF_HOST) {
		(void)fail(host, EBADF);
		return a[2];
	}
	while (done < a[2] && !soc->ended) {
		const uint32_t part = a[2] - done < CHUNK ? a[2] - done : CHUNK;
		if (soc->unicorn.mem_read(soc->uc, a[1] + done, bytes, part) != UC_ERR_OK) {
			(void)fail(host, EFAULT);
			break;
		}
		ssize_t sent = (ssize_t)part;
		if (kind == FILE_OF_HOST)
			sent = write(host->handles[a[0]].file, bytes, part);
		else
			for (uint32_t i = 0; i < part; i++)
				soc_print(soc, 0, bytes[i]);
		if (sent <= 0) {
			(void)fail(host, errno);
			break;
		}
		done += (uint32_t)sent;
	}
	return a[2] - done;
}

static ssize_t read_some(struct ai8x_firmware *soc, uint32_t handle, char *bytes, uint32_t size)
{
	struct semihosting *host = soc->semihosting;
	if (kind_of(host, handle) == FILE_OF_HOST)
		return read(host->handles[handle].file, bytes, size);
	if (kind_of(host, handle) == FEATURES) {
		uint32_t count = 0;
		while (count < size && host->handles[handle].at < sizeof features)
			bytes[count++] = (char)features[host->handles[handle].at++];
		return count;
	}
	// The console: a line of what UART0 hears.
	uint32_t count = 0;
	uint8_t byte = 0;
	while (count < size && board_uart_take(soc, 0, &byte)) {
		bytes[count++] = (char)byte;
		if (byte == '\n')
			break;
	}
	return count;
}

static uint32_t call_read(struct ai8x_firmware *soc, const uint32_t *a)
{
	struct semihosting *host = soc->semihosting;
	char bytes[CHUNK];
	uint32_t done = 0;
	if (kind_of(host, a[0]) == CLOSED)
		return fail(host, EBADF);
	while (done < a[2]) {
		const uint32_t part = a[2] - done < CHUNK ? a[2] - done : CHUNK;
		const ssize_t got = read_some(soc, a[0], bytes, part);
		if (got < 0)
			return fail(host, errno);
		if (got > 0 && !core_bus_write_bytes(soc, a[1] + done, bytes, (size_t)got))
			return fail(host, EFAULT);
		done += (uint32_t)got;
		if ((uint32_t)got < part)
			break;
	}
	return a[2] - done;
}

static uint32_t call_is_tty(struct ai8x_firmware *soc, const uint32_t *a)
{
	struct semihosting *host = soc->semihosting;
	const enum kind kind = kind_of(host, a[0]);
	return kind == CLOSED ? fail(host, EBADF) : kind == CONSOLE;
}

static uint32_t call_seek(struct ai8x_firmware *soc, const uint32_t *a)
{
	struct semihosting *host = soc->semihosting;
	if (kind_of(host, a[0]) == FEATURES) {
		host->handles[a[0]].at = a[1];
		return 0;
	}
	if (kind_of(host, a[0]) != FILE_OF_HOST)
		return fail(host, kind_of(host, a[0]) == CLOSED ? EBADF : ESPIPE);
	return lseek(host->handles[a[0]].file, (off_t)a[1], SEEK_SET) < 0 ? fail(host, errno) : 0;
}

static uint32_t call_length(struct ai8x_firmware *soc, const uint32_t *a)
{
	struct semihosting *host = soc->semihosting;
	struct stat info;
	if (kind_of(host, a[0]) == FEATURES)
		return sizeof features;
	if (kind_of(host, a[0]) != FILE_OF_HOST)
		return kind_of(host, a[0]) == CLOSED ? fail(host, EBADF) : 0;
	return fstat(host->handles[a[0]].file, &info) != 0 ? fail(host, errno) : (uint32_t)info.st_size;
}

static uint32_t call_remove(struct ai8x_firmware *soc, const uint32_t *a)
{
	struct semihosting *host = soc->semihosting;
	char name[NAME_LIMIT];
	const char *last = NULL;
	if (!read_name(soc, a[0], a[1], name))
		return fail(host, EINVAL);
	const int folder = walk(host, name, &last);
	if (folder < 0)
		return fail(host, errno);
	const bool gone = unlinkat(folder, last, 0) == 0;
	const int why = errno;
	(void)close(folder);
	return gone ? 0 : fail(host, why);
}

static uint32_t call_rename(struct ai8x_firmware *soc, const uint32_t *a)
{
	struct semihosting *host = soc->semihosting;
	char from[NAME_LIMIT], to[NAME_LIMIT];
	const char *last_from = NULL, *last_to = NULL;
	if (!read_name(soc, a[0], a[1], from) || !read_name(soc, a[2], a[3], to))
		return fail(host, EINVAL);
	const int folder_from = walk(host, from, &last_from);
	const int folder_to = folder_from >= 0 ? walk(host, to, &last_to) : -1;
	const bool done = folder_to >= 0 && renameat(folder_from, last_from, folder_to, last_to) == 0;
	const int why = errno;
	if (folder_from >= 0)
		(void)close(folder_from);
	if (folder_to >= 0)
		(void)close(folder_to);
	return done ? 0 : fail(host, why);
}

// An empty command line.
static uint32_t call_command_line(struct ai8x_firmware *soc, const uint32_t *a)
{
	const uint32_t block[2] = {a[0], 0};
	const uint32_t argument = soc_register(soc, UC_ARM_REG_R1);
	if (a[1] == 0 || !core_bus_write_bytes(soc, a[0], "", 1) ||
	    !core_bus_write_bytes(soc, argument, block, sizeof block))
		return UINT32_MAX;
	return 0;
}

// Heap and stack where the firmware's own link script puts them: zeros say so.
static uint32_t call_heap_info(struct ai8x_firmware *soc, const uint32_t *a)
{
	const uint32_t zeros[4] = {0};
	return core_bus_write_bytes(soc, a[0], zeros, sizeof zeros) ? 0 : UINT32_MAX;
}

static uint32_t call_elapsed(struct ai8x_firmware *soc, const uint32_t *a)
{
	(void)a;
	const uint64_t ticks = soc->cycles;
	return core_bus_write_bytes(soc, soc_register(soc, UC_ARM_REG_R1), &ticks, sizeof ticks) ? 0 : UINT32_MAX;
}

static const struct {
	uint8_t operation, words; // of the argument block
	uint32_t (*call)(struct ai8x_firmware *soc, const uint32_t *arguments);
} calls[] = {
	{0x01, 3, call_open},   {0x02, 1, call_close},        {0x05, 3, call_write},     {0x06, 3, call_read},
	{0x09, 1, call_is_tty}, {0x0A, 2, call_seek},         {0x0C, 1, call_length},    {0x0E, 2, call_remove},
	{0x0F, 4, call_rename}, {0x15, 2, call_command_line}, {0x16, 1, call_heap_info}, {0x30, 0, call_elapsed},
};

static void print_string(struct ai8x_firmware *soc, uint32_t address)
{
	char character = 0;
	for (uint32_t i = 0; i < 65536; i++) {
		if (soc->unicorn.mem_read(soc->uc, address + i, &character, 1) != UC_ERR_OK || character == 0)
			return;
		soc_print(soc, 0, character);
	}
}

// Calls whose argument is no block.
static uint32_t simple(struct ai8x_firmware *soc, uint32_t operation, uint32_t argument)
{
	uint32_t block[2] = {0};
	uint8_t character = 0;
	switch (operation) {
	case 0x03: // write a character
		if (soc->unicorn.mem_read(soc->uc, argument, &character, 1) == UC_ERR_OK)
			soc_print(soc, 0, (char)character);
		return 0;
	case 0x04: // write a string
		print_string(soc, argument);
		return 0;
	case 0x07: // read a character
		return board_uart_take(soc, 0, &character) ? character : UINT32_MAX;
	case 0x08: // is that an error?
		return read_words(soc, argument, block, 1) && block[0] >> 31 != 0;
	case 0x10: // hundredths of a second since the start
		return (uint32_t)(soc->now / CENTISECOND);
	case 0x11: // the time: runs are equal, so it begins anew each time
		return (uint32_t)(soc->now / FS_PER_SECOND);
	case 0x13:
		return (uint32_t)soc->semihosting->error;
	case 0x18: // exit
		soc->result.exit_code = argument == APPLICATION_ENDED ? 0 : 1;
		soc_end(soc, AI8X_FIRMWARE_EXITED, AI8X_OK, "semihosting exit, reason 0x%x", argument);
		return 0;
	case 0x20: // exit with a code
		(void)read_words(soc, argument, block, 2);
		soc->result.exit_code = block[0] == APPLICATION_ENDED ? (int32_t)block[1] : 1;
		soc_end(soc, AI8X_FIRMWARE_EXITED, AI8X_OK, "semihosting exit, code %d", (int)soc->result.exit_code);
		return 0;
	case 0x31: // ticks of a second
		return (uint32_t)(FS_PER_SECOND / soc->cycle);
	default: // temporary names, commands of the host, ...: there are none
		return fail(soc->semihosting, ENOSYS);
	}
}

void semihosting(struct ai8x_firmware *soc, uint32_t pc)
{
	const uint32_t operation = soc_register(soc, UC_ARM_REG_R0), argument = soc_register(soc, UC_ARM_REG_R1);
	size_t i = 0;
	while (i < sizeof calls / sizeof calls[0] && calls[i].operation != operation)
		i++;
	uint32_t result = 0, block[4] = {0};
	if (i == sizeof calls / sizeof calls[0])
		result = simple(soc, operation, argument);
	else if (calls[i].words > 0 && !read_words(soc, argument, block, calls[i].words))
		result = fail(soc->semihosting, EFAULT);
	else
		result = calls[i].call(soc, block);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_R0, &result);
	pc = (pc + 2) | 1;
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_PC, &pc);
}
