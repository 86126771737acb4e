// The far ends of a board's UARTs: standard input, files, pseudo-terminals, connections.
#ifndef AI8XSIM_CLI_TERMINAL_H
#define AI8XSIM_CLI_TERMINAL_H

#include <stdbool.h>

#include <ai8xsim/ai8xsim.h>

struct cli_terminal {
	int in, out, keep; // descriptors, or -1; keep: a pseudo-terminal's own end stays open
};

// Opens what is named: "-", "pty", "tcp:PORT" or a file. Says on standard error where it can be reached; a connection
// is waited for. Returns an exit status.
int cli_terminal_open(struct cli_terminal *terminal, const char *option, const char *name,
                      ai8x_firmware_uart *uart);
void cli_terminal_close(struct cli_terminal *terminal);

#endif
