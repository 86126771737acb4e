// Reset, vector table, and what newlib needs below printf.
#include <stdint.h>
#include <sys/stat.h>

#include "board.h"

extern uint32_t data_start, data_end, data_load, bss_start, bss_end, stack_top;
extern char end;

int main(void);
void reset_handler(void);
void cnn_handler(void);

void reset_handler(void)
{
	const uint32_t *from = &data_load;
	for (uint32_t *to = &data_start; to < &data_end;)
		*to++ = *from++;
	for (uint32_t *to = &bss_start; to < &bss_end;)
		*to++ = 0;
	(void)main();
	for (;;)
		;
}

static void default_handler(void)
{
	for (;;)
		;
}

typedef union {
	void (*handler)(void);
	uint32_t *stack;
} vector;

__attribute__((section(".vectors"), used)) static const vector vectors[16 + 105] = {
	[0] = {.stack = &stack_top},
	[1] = {.handler = reset_handler},
	[2] = {.handler = default_handler},
	[3] = {.handler = default_handler},
	[4] = {.handler = default_handler},
	[5] = {.handler = default_handler},
	[6] = {.handler = default_handler},
	[11] = {.handler = default_handler},
	[14] = {.handler = default_handler},
	[15] = {.handler = default_handler},
	[16 + CNN_INTERRUPT] = {.handler = cnn_handler},
};

#ifndef RDIMON

int _write(int file, const char *text, int size);
int _write(int file, const char *text, int size)
{
	(void)file;
	for (int i = 0; i < size; i++)
		board_put(text[i]);
	return size;
}

void *_sbrk(int bytes);
void *_sbrk(int bytes)
{
	static char *top = &end;
	char *old = top;
	top += bytes;
	return old;
}

int _close(int file);
int _close(int file)
{
	(void)file;
	return -1;
}

int _fstat(int file, struct stat *status);
int _fstat(int file, struct stat *status)
{
	(void)file;
	status->st_mode = S_IFCHR;
	return 0;
}

int _isatty(int file);
int _isatty(int file)
{
	(void)file;
	return 1;
}

int _lseek(int file, int offset, int whence);
int _lseek(int file, int offset, int whence)
{
	(void)file;
	(void)offset;
	(void)whence;
	return 0;
}

int _read(int file, char *text, int size);
int _read(int file, char *text, int size)
{
	(void)file;
	(void)text;
	(void)size;
	return 0;
}

#endif
