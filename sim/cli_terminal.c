// The far ends of a board's UARTs (see cli_terminal.h).
#include "cli_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cli.h"
#include "cli_sockets.h"

#define DRAIN_STEPS 50
#define DRAIN_MILLISECONDS 10

static long receive(void *user, char *bytes, size_t size, unsigned wait_us)
{
	const struct cli_terminal *terminal = user;
	struct pollfd watched = {.fd = terminal->in, .events = POLLIN};
	const int ready = poll(&watched, 1, (int)((wait_us + 999) / 1000));
	if (ready < 0 && errno != EINTR)
		return -1;
	if (ready <= 0)
		return 0;
	const ssize_t got = read(terminal->in, bytes, size);
	return got > 0 ? got : got < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -1;
}

// What nobody takes is lost, as on a wire.
static void send_bytes(void *user, const char *bytes, size_t size)
{
	const struct cli_terminal *terminal = user;
	struct pollfd watched = {.fd = terminal->out, .events = POLLOUT};
	if (poll(&watched, 1, terminal->keep >= 0 ? 0 : 1000) <= 0)
		return;
	ssize_t sent = send(terminal->out, bytes, size, MSG_NOSIGNAL);
	if (sent < 0 && errno == ENOTSOCK)
		sent = write(terminal->out, bytes, size);
	(void)sent;
}

static int fail(const char *option, const char *name)
{
	cli_error("%s %s: %s", option, name, strerror(errno));
	return CLI_RESOURCES;
}

static int open_pty(struct cli_terminal *terminal, const char *option)
{
	struct termios settings;
	terminal->in = terminal->out = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	const char *name = NULL;
	if (terminal->in < 0 || grantpt(terminal->in) != 0 || unlockpt(terminal->in) != 0 ||
	    (name = ptsname(terminal->in)) == NULL)
		return fail(option, "pty");
	terminal->keep = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal->keep < 0 || tcgetattr(terminal->keep, &settings) != 0)
		return fail(option, "pty");
	cfmakeraw(&settings);
	(void)tcsetattr(terminal->keep, TCSANOW, &settings);
	(void)fprintf(stderr, "ai8xsim: %s: %s\n", option + 2, name);
	return CLI_OK;
}

static int open_tcp(struct cli_terminal *terminal, const char *option, const char *name)
{
	char *end = NULL;
	const unsigned long number = strtoul(name + 4, &end, 10);
	if (end == name + 4 || *end != 0 || number > 65535) {
		cli_error("%s %s: expected tcp:PORT, a port from 0 to 65535", option, name);
		return CLI_USAGE;
	}
	uint16_t port = (uint16_t)number;
	const int listener = cli_listen(&port);
	if (listener < 0)
		return fail(option, name);
	(void)fprintf(stderr, "ai8xsim: %s: 127.0.0.1:%u\n", option + 2, port);
	do
		terminal->in = terminal->out = accept(listener, NULL, NULL);
	while (terminal->in < 0 && errno == EINTR);
	(void)close(listener);
	return terminal->in < 0 ? fail(option, name) : CLI_OK;
}

int cli_terminal_open(struct cli_terminal *terminal, const char *option, const char *name,
                      ai8x_firmware_uart *uart)
{
	int code = CLI_OK;
	struct stat info;
	*terminal = (struct cli_terminal){-1, -1, -1};
	if (strcmp(name, "-") == 0)
		terminal->in = STDIN_FILENO;
	else if (strcmp(name, "pty") == 0)
		code = open_pty(terminal, option);
	else if (strncmp(name, "tcp:", 4) == 0)
		code = open_tcp(terminal, option, name);
	else if ((terminal->in = open(name, O_RDONLY | O_CLOEXEC)) < 0) {
		cli_error("%s %s: %s", option, name, strerror(errno));
		code = CLI_BAD_INPUT;
	}
	if (code != CLI_OK)
		return code;
	uart->receive = receive;
	uart->send = terminal->out >= 0 ? send_bytes : NULL;
	uart->user = terminal;
	// A file's bytes are all there: the world's clock means nothing to them.
	uart->live = fstat(terminal->in, &info) != 0 || !S_ISREG(info.st_mode);
	return CLI_OK;
}

// What was sent last is still to be read: closing would take it away.
static void drain(const struct cli_terminal *terminal)
{
	int left = 0;
	(void)poll(NULL, 0, DRAIN_STEPS); // the system hands it over by and by
	for (int i = 0; i < DRAIN_STEPS && ioctl(terminal->keep, FIONREAD, &left) == 0 && left > 0; i++)
		(void)poll(NULL, 0, DRAIN_MILLISECONDS);
}

void cli_terminal_close(struct cli_terminal *terminal)
{
	if (terminal->keep >= 0)
		drain(terminal);
	if (terminal->in > STDIN_FILENO)
		(void)close(terminal->in);
	if (terminal->keep >= 0)
		(void)close(terminal->keep);
}
