// Files of the host by newlib's rdimon: reads, writes, seeks, errors, names that lead out, and an exit code.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"

void cnn_handler(void);
void initialise_monitor_handles(void);

void cnn_handler(void)
{
}

// exit() asks for it.
void _fini(void);
void _fini(void)
{
}

static void refuse(const char *name)
{
	errno = 0;
	FILE *file = fopen(name, "r");
	if (file == NULL)
		printf("%s: refused, errno %d\n", name, errno);
	else
		printf("%s: open\n", name);
}

static int host_rename(const char *from, const char *to)
{
	const void *const block[] = {from, (void *)strlen(from), to, (void *)strlen(to)};
	register int operation __asm("r0") = 0x0F;
	register const void *argument __asm("r1") = block;
	__asm volatile("bkpt 0xAB" : "+r"(operation) : "r"(argument) : "memory");
	return operation;
}

static int copy(void)
{
	char text[64] = "", rest[64] = "";
	FILE *file = fopen("in.txt", "r");
	if (file == NULL) {
		printf("in.txt: refused, errno %d\n", errno);
		return 0;
	}
	(void)fgets(text, sizeof text, file);
	text[strcspn(text, "\n")] = 0;
	(void)fseek(file, 0, SEEK_END);
	const long size = ftell(file);
	(void)fseek(file, 6, SEEK_SET);
	(void)fgets(rest, sizeof rest, file);
	printf("in.txt: %s, %ld bytes, at 6: %s", text, size, rest);
	(void)fclose(file);
	file = fopen("out.txt", "w");
	for (int i = 0; i < 1000; i++)
		fputs("0123456789", file);
	(void)fclose(file);
	file = fopen("out.txt", "a");
	fputs("end\n", file);
	(void)fclose(file);
	file = fopen("gone", "w");
	(void)fclose(file);
	(void)remove("gone");
	file = fopen("/before", "w");
	(void)fclose(file);
	// newlib has no way to it.
	(void)host_rename("before", "renamed");
	return 1;
}

int main(void)
{
	static const char *const names[] = {"missing", "../secret",           "link",
	                                    "pipe",    "folder/../../secret", "/../secret"};
	initialise_monitor_handles();
	const int files = copy();
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		refuse(names[i]);
	char buffer[4];
	const int handle = files ? open("in.txt", O_RDONLY) : -1;
	(void)lseek(handle, 1000, SEEK_SET);
	const int end = (int)read(handle, buffer, sizeof buffer);
	const int tty = isatty(handle);
	(void)close(handle);
	errno = 0;
	(void)close(handle);
	printf("closed twice: %d\nread nothing: %d\ntty: %d %d\n", errno, end, isatty(1), tty);
	printf("%s\ncode %d\n", files ? "*** PASS ***" : "no files", files ? 7 : 9);
	(void)fflush(stdout);
	exit(files ? 0 : 9);
}
