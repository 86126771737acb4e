// Reading under guard; see cli_guard.h.
#include "cli_guard.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

// The file this thread is reading, or NULL: a crash elsewhere is a fault of ours and must look like one.
static _Thread_local const char *reading;

// The address sanitizer has handlers of its own that tell more.
#ifdef __SANITIZE_ADDRESS__
enum { HANDLERS = 0 };
#else
enum { HANDLERS = 1 };
#endif

static const int guarded[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT};

static void say(const char *text)
{
	// Nothing can be done about a failing stderr here.
	ssize_t written = write(STDERR_FILENO, text, strlen(text));
	(void)written;
}

static const char *volatile data;

// Read by a handler that may run at any time.
static const char *volatile half_written;

void cli_guard_data(const char *path)
{
	data = path;
}

// The library is a file of its own, or inside the program with its names (meson.build).
static bool is_hdf5(const Dl_info *info)
{
	// libgfortran, which OpenBLAS brings along, calls itself without end where memory is lacking.
	return (info->dli_fname != NULL &&
	        (strstr(info->dli_fname, "libhdf5") != NULL || strstr(info->dli_fname, "libgfortran") != NULL)) ||
	       (info->dli_sname != NULL && strncmp(info->dli_sname, "H5", 2) == 0);
}

// True where this thread is inside of libhdf5.
static bool is_in_hdf5(void)
{
	void *frames[64];
	const int count = backtrace(frames, (int)(sizeof frames / sizeof frames[0]));
	for (int i = 0; i < count; i++) {
		Dl_info info;
		if (dladdr(frames[i], &info) != 0 && is_hdf5(&info))
			return true;
	}
	// No frame: what unwinds could not be loaded, because memory is lacking.
	return count <= 0;
}

// libhdf5 crashes, or ends the process itself, where memory is lacking while it writes.
static _Noreturn void gave_up(void)
{
	if (half_written != NULL)
		(void)unlink(half_written);
	say("ai8xsim: the HDF5 library crashed or gave up: out of memory\n");
	_exit(CLI_RESOURCES);
}

// No command ends with -1; libhdf5 does.
static void ended(int status, void *unused)
{
	(void)unused;
	if (status == -1)
		gave_up();
}

static void crashed(int number)
{
	bool in_hdf5 = reading == NULL && is_in_hdf5();
	if (in_hdf5)
		reading = data;
	if (in_hdf5 && reading == NULL)
		gave_up();
	if (reading == NULL) {
		(void)signal(number, SIG_DFL);
		(void)raise(number);
		return;
	}
	say("ai8xsim: ");
	say(reading);
	say(": damaged: the HDF5 library crashed while reading it\n");
	_exit(CLI_BAD_INPUT);
}

void cli_guard_install(void)
{
	// A stack of its own: libhdf5 fills the other one where it cannot even tell of an error.
	static char stack[1 << 16];
	const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
	(void)sigaltstack(&other, NULL);
	struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_NODEFER | SA_ONSTACK};
	(void)sigemptyset(&action.sa_mask);
	// Where it cannot be registered there is one message less.
	(void)on_exit(ended, NULL);
	// The first call loads what it needs, which a handler must not.
	void *frame;
	(void)backtrace(&frame, 1);
	// Files that grow beyond a limit are then a failed write like any other, with a message and nothing is left.
	(void)signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; HANDLERS && i < sizeof guarded / sizeof guarded[0]; i++)
		(void)sigaction(guarded[i], &action, NULL);
	// What libhdf5 would tidy up at the end it crashes over once a file could not be closed.
	(void)H5dont_atexit();
}

static void killed(int number)
{
	const char *path = half_written;
	if (path != NULL)
		(void)unlink(path);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

void cli_remove_when_killed(const char *path)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	half_written = path;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		struct sigaction action = {.sa_handler = path != NULL ? killed : SIG_DFL}, before;
		(void)sigemptyset(&action.sa_mask);
		// What the caller chose to ignore (nohup) stays ignored.
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &action, NULL);
	}
}

ai8x_status cli_open_program(const char *path, const ai8x_program_options *options, ai8x_program **program,
                             ai8x_error *error)
{
	reading = path;
	ai8x_status status = ai8x_program_open(path, options, program, error);
	reading = NULL;
	return status;
}

ai8x_status cli_open_network(const char *path, const ai8x_network_files *files, ai8x_network **network,
                             ai8x_error *error)
{
	const char *names[] = {files->weights, files->bias, files->input};
	char all[4096] = "";
	for (size_t i = 0, used = 0; i < sizeof names / sizeof names[0] && used < sizeof all; i++)
		if (names[i] != NULL)
			used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used > 0 ? " or " : "", names[i]);
	reading = all;
	ai8x_status status = ai8x_network_open(path, files, network, error);
	reading = NULL;
	return status;
}

ai8x_status cli_open_image(const char *path, const ai8x_program_options *options, ai8x_program **program,
                           ai8x_error *error)
{
	reading = path;
	ai8x_status status = ai8x_firmware_open_program(path, options, program, error);
	reading = NULL;
	return status;
}
