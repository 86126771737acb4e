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

// Libraries that crash, or end the process, where memory is lacking. libgfortran comes with OpenBLAS.
static const struct {
	const char *file, *name;
} fragile[] = {{"libhdf5", "HDF5"}, {"libgfortran", "OpenBLAS"}, {"libopenblas", "OpenBLAS"}};

// Which of them a place belongs to, or NULL. HDF5 is a file of its own, or inside the program with its names
// (meson.build).
static const char *library_of(const Dl_info *info)
{
	for (size_t i = 0; info->dli_fname != NULL && i < sizeof fragile / sizeof fragile[0]; i++)
		if (strstr(info->dli_fname, fragile[i].file) != NULL)
			return fragile[i].name;
	return info->dli_sname != NULL && strncmp(info->dli_sname, "H5", 2) == 0 ? "HDF5" : NULL;
}

// The one that this thread is inside of, or NULL.
static const char *inside_of(void)
{
	void *frames[64];
	const int count = backtrace(frames, (int)(sizeof frames / sizeof frames[0]));
	const char *name = NULL;
	for (int i = 0; i < count && name == NULL; i++) {
		Dl_info info;
		if (dladdr(frames[i], &info) != 0)
			name = library_of(&info);
	}
	// No frame: what unwinds could not be loaded, because memory is lacking.
	return count <= 0 ? "HDF5" : name;
}

static _Noreturn void gave_up(const char *library)
{
	if (half_written != NULL)
		(void)unlink(half_written);
	say("ai8xsim: the ");
	say(library);
	say(" library crashed or gave up: out of memory\n");
	_exit(CLI_RESOURCES);
}

// No command ends with -1; libhdf5 does, and libgfortran with 1.
static void ended(int status, void *unused)
{
	(void)unused;
	const char *library = status == -1 ? "HDF5" : status == 1 ? inside_of() : NULL;
	if (library != NULL)
		gave_up(library);
}

static void crashed(int number)
{
	const char *library = reading == NULL ? inside_of() : NULL;
	if (library != NULL && strcmp(library, "HDF5") == 0)
		reading = data;
	if (library != NULL && reading == NULL)
		gave_up(library);
	if (reading == NULL) {
		(void)signal(number, SIG_DFL);
		(void)raise(number);
		return;
	}
	say("ai8xsim: ");
	say(reading);
	say(": damaged, or memory is lacking: the HDF5 library crashed while reading it\n");
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

// libhdf5 sets itself up before it has seen a file: what fails then is no file's fault.
static ai8x_status begin_reading(const char *path, ai8x_error *error)
{
	// Its first call sets it up; a crash in it is want of memory.
	if (H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0) {
		error->status = AI8X_ERR_NO_MEMORY;
		(void)snprintf(error->message, sizeof error->message, "%s: out of memory for libhdf5", path);
		return error->status;
	}
	reading = path;
	return AI8X_OK;
}

ai8x_status cli_open_program(const char *path, const ai8x_program_options *options, ai8x_program **program,
                             ai8x_error *error)
{
	ai8x_status status = begin_reading(path, error);
	if (status == AI8X_OK)
		status = ai8x_program_open(path, options, program, error);
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
	ai8x_status status =
		names[0] != NULL || names[1] != NULL || names[2] != NULL ? begin_reading(all, error) : AI8X_OK;
	if (status == AI8X_OK)
		status = ai8x_network_open(path, files, network, error);
	reading = NULL;
	return status;
}

ai8x_status cli_open_image(const char *path, const ai8x_program_options *options, ai8x_program **program,
                           ai8x_error *error)
{
	ai8x_status status = begin_reading(path, error);
	if (status == AI8X_OK)
		status = ai8x_firmware_open_program(path, options, program, error);
	reading = NULL;
	return status;
}
