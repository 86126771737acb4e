// Opening what commands take that need no weights: a program, or a network description that is compiled.
#ifndef AI8XSIM_CLI_OPEN_H
#define AI8XSIM_CLI_OPEN_H

#include "cli.h"

// files: weights of a network, NULL: none. part: of networks and .mem files, NULL: the first part. compile: NULL for the defaults. *network is NULL for
// programs. Prints its own errors; returns an exit status.
int cli_open_any(const char *path, const ai8x_network_files *files, const ai8x_part *part,
                 const ai8x_compile_options *compile, ai8x_program **program, ai8x_network **network);

#endif
