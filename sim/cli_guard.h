// Reading files of unknown origin: a message and an exit status even where libhdf5 crashes.
//
// libhdf5 reads past its buffers on some damaged files of the old format, which has no checksums. What it
// read by then cannot be trusted: the program says which file it was and ends with CLI_BAD_INPUT.
#ifndef AI8XSIM_CLI_GUARD_H
#define AI8XSIM_CLI_GUARD_H

#include "cli.h"

// Call once, before any thread is made.
void cli_guard_install(void);

// Removes this file when a signal ends the program (Ctrl-C above all): half a trace is no trace. NULL: no longer.
void cli_remove_when_killed(const char *path);

// ai8x_program_open(), ai8x_network_open() and ai8x_firmware_open_program() under guard.
ai8x_status cli_open_program(const char *path, const ai8x_program_options *options, ai8x_program **program,
                             ai8x_error *error);
ai8x_status cli_open_network(const char *path, const ai8x_network_files *files, ai8x_network **network,
                             ai8x_error *error);
ai8x_status cli_open_image(const char *path, const ai8x_program_options *options, ai8x_program **program,
                           ai8x_error *error);

// The data set that the library reads, on any thread, until NULL is set: a crash inside of libhdf5 is then a matter of
// that file.
void cli_guard_data(const char *path);

#endif
