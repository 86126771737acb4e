/*
 * Lets one allocation of a program fail, or that one and all that follow; preloaded by every_allocation.py.
 *
 * Counted from the start of main(): what the loader and constructors of libraries allocate is not the program's. The
 * environment says which: AI8XSIM_FAIL_AT=N (0: none), AI8XSIM_FAIL_AFTER=1 for all that follow too. The file
 * AI8XSIM_FAIL_LOG gets the number of allocations and the libraries whose call failed.
 *
 * AI8XSIM_FAIL_FORK="REQUESTS ANSWERS" tries many in one run, which spares their starts: on descriptor REQUESTS stand
 * numbers, ascending, twice the allocation's and one more for all that follow. At each a copy of the process goes on with
 * the failure (its standard error in the file AI8XSIM_FAIL_STDERR); the original waits, tells on ANSWERS how it ended,
 * and goes on when the other side has put the folder in order and sent the next number. It ends the trials when it has
 * a file open to write, has renamed one, or has a second thread, because a copy would share the one and lack the other.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

typedef int main_function(int, char **, char **);

#pragma GCC visibility push(default)
// Under names of their own here: the linker knows them as the C library's.
void *failing_malloc(size_t size) __asm__("malloc");
void *failing_calloc(size_t count, size_t size) __asm__("calloc");
void *failing_realloc(void *old, size_t size) __asm__("realloc");
void *failing_aligned_alloc(size_t alignment, size_t size) __asm__("aligned_alloc");
int failing_posix_memalign(void **memory, size_t alignment, size_t size) __asm__("posix_memalign");
int ending_rename(const char *from, const char *to) __asm__("rename");
int started_main(main_function *entry, int argc, char **argv, void (*init)(void), void (*fini)(void),
                 void (*rtld_fini)(void), void *stack_end) __asm__("__libc_start_main");
#pragma GCC visibility pop

static atomic_ulong allocations;
static atomic_bool counting;
static unsigned long fail_at;
static bool fail_after;
static void *_Atomic caller;
static main_function *real_main;
static int requests = -1, answers = -1;
static unsigned long next_trial; // as it stands on REQUESTS

static void end_trials(void)
{
	(void)close(requests);
	(void)close(answers);
	requests = answers = -1;
}

static void await_trial(void)
{
	if (read(requests, &next_trial, sizeof next_trial) != (ssize_t)sizeof next_trial)
		end_trials();
}

static bool writes_file(void)
{
	for (int fd = STDERR_FILENO + 1; fd < 64; fd++) {
		const int flags = fcntl(fd, F_GETFL);
		if (flags >= 0 && fd != answers && (flags & O_ACCMODE) != O_RDONLY)
			return true;
	}
	return false;
}

// In the copy: the failure of this trial.
static void begin_trial(unsigned long number)
{
	fail_at = number;
	fail_after = next_trial % 2 == 1;
	end_trials();
	const int told = open(getenv("AI8XSIM_FAIL_STDERR"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	(void)dup2(told, STDERR_FILENO);
	(void)close(told);
}

// All trials at this allocation. Returns in every copy as well, which has a failure of its own then.
static void try_here(unsigned long number)
{
	if (requests >= 0 && (!__libc_single_threaded || writes_file()))
		end_trials();
	while (requests >= 0 && next_trial / 2 == number) {
		// Not fork(), which resets locks of the C library that the caller may hold.
		const pid_t copy = (pid_t)syscall(SYS_fork);
		if (copy == 0) {
			begin_trial(number);
			return;
		}
		int status = -1;
		if (copy < 0 || waitpid(copy, &status, 0) != copy ||
		    write(answers, &status, sizeof status) != (ssize_t)sizeof status) {
			end_trials();
			return;
		}
		await_trial();
	}
}

static bool fails(void *from)
{
	if (!counting)
		return false;
	unsigned long number = atomic_fetch_add(&allocations, 1) + 1;
	if (requests >= 0) {
		const int error = errno;
		try_here(number);
		errno = error;
	}
	if (fail_at == 0 || number < fail_at || (number > fail_at && !fail_after))
		return false;
	void *none = NULL;
	atomic_compare_exchange_strong(&caller, &none, from);
	errno = ENOMEM;
	return true;
}

void *failing_malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *failing_calloc(size_t count, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *failing_realloc(void *old, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

void *failing_aligned_alloc(size_t alignment, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

int failing_posix_memalign(void **memory, size_t alignment, size_t size)
{
	void *got = fails(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
	if (got == NULL)
		return ENOMEM;
	*memory = got;
	return 0;
}

int ending_rename(const char *from, const char *to)
{
	end_trials();
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

__attribute__((destructor)) static void tell(void)
{
	counting = false;
	const char *path = getenv("AI8XSIM_FAIL_LOG");
	FILE *log = path != NULL ? fopen(path, "w") : NULL;
	if (log != NULL) {
		Dl_info place = {.dli_fname = "-"};
		void *from = caller;
		bool known = from != NULL && dladdr(from, &place) != 0;
		fprintf(log, "%lu %s %s\n", (unsigned long)allocations, known ? place.dli_fname : "-",
		        known && place.dli_sname != NULL ? place.dli_sname : "-");
		fclose(log);
	}
}

static int counted_main(int argc, char **argv, char **environment)
{
	counting = true;
	return real_main(argc, argv, environment);
}

int started_main(main_function *entry, int argc, char **argv, void (*init)(void), void (*fini)(void),
                 void (*rtld_fini)(void), void *stack_end)
{
	const char *at = getenv("AI8XSIM_FAIL_AT");
	const char *after = getenv("AI8XSIM_FAIL_AFTER");
	fail_at = at != NULL ? strtoul(at, NULL, 10) : 0;
	fail_after = after != NULL;
	const char *pipes = getenv("AI8XSIM_FAIL_FORK");
	if (pipes != NULL && sscanf(pipes, "%d %d", &requests, &answers) == 2)
		await_trial();
	real_main = entry;
	int (*start)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *) =
		(int (*)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *))(
			uintptr_t)dlsym(RTLD_NEXT, "__libc_start_main");
	return start(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
